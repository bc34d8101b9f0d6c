/** Whether a lesson's steps are done: pure, over what was recorded and what the learner's account holds. */
import type { Conversation } from '../../wire/recorder.ts';
import { type Check, type Condition, type Event, regularExpression } from './check.ts';
import { type Happened, happenedIn } from './happened.ts';
import type { Lesson, Values } from './lesson.ts';

export interface Situation {
  readonly conversations: readonly Conversation[];
  /** Nothing before this counts. Milliseconds since 1970. */
  readonly began: number;
  /** Steps that were done before, by their ids, and when. */
  readonly done: Readonly<Record<string, number>>;
  readonly values: Values;
  /** How many messages the learner's mailbox of that name holds. */
  readonly messages: (mailbox: string) => number;
}

export interface StepState {
  readonly id: string;
  /** When it was done, in milliseconds since 1970; undefined: it is not. Steps without a check never are. */
  readonly doneAt: number | undefined;
  /** Where it shows. */
  readonly evidence: { readonly conversation: string; readonly seq: number } | undefined;
}

export function evaluate(lesson: Lesson, situation: Situation): readonly StepState[] {
  /** When the last step with a check was done. */
  let before: number | undefined = situation.began;
  return lesson.steps.map(({ id, check }) => {
    if (!check) return { id, doneAt: undefined, evidence: undefined };
    const since = check.isAfter ? before : situation.began;
    const found = since === undefined ? undefined : match(check, since, situation);
    const known = situation.done[id];
    // What is no longer recorded was true all the same.
    const doneAt = known ?? found?.time;
    before = doneAt;
    return { id, doneAt, evidence: found && { conversation: found.conversation, seq: found.seq } };
  });
}

interface Match {
  readonly time: number;
  readonly conversation: string;
  readonly seq: number;
}

/** Candidates for one place in a check: the newest ones. */
const MOST_CANDIDATES = 60;
/** Clocks of two conversations agree to a millisecond. */
const SAME_MS = 2;

/** @returns the first moment at which the check holds */
function match(check: Check, since: number, { conversations, values, messages }: Situation): Match | undefined {
  if (check.store.some(({ mailbox, least }) => messages(mailbox) < least)) return undefined;
  const tests = check.conditions.map(({ isNot, event, ...slot }) => ({
    key: keyOf(slot),
    isNot,
    event,
    test: testOf(event, values),
  }));
  const slots = [...new Map(check.conditions.map((each) => [keyOf(each), each])).entries()];
  const wanted = slots.map(([key, { where }]) => {
    const mine = tests.filter((each) => each.key === key);
    return {
      key,
      // Each must do for itself what the check says of it, before combinations of them are tried.
      candidates: conversations
        .filter((conversation) => isAt(conversation, where))
        .filter((conversation) => inOrder(mine, new Map([[key, conversation]]), since) !== undefined)
        .slice(-MOST_CANDIDATES),
    };
  });
  let best: Match | undefined;
  for (const chosen of choices(wanted)) {
    const found = inOrder(tests, chosen, since);
    if (found && (!best || found.time < best.time)) best = found;
  }
  return best;
}

interface Test {
  readonly key: string;
  readonly isNot: boolean;
  readonly event: Event;
  readonly test: (happened: Happened) => boolean;
}

function inOrder(tests: readonly Test[], chosen: ReadonlyMap<string, Conversation>, since: number): Match | undefined {
  /** How far each conversation has been followed: how many things in it have been passed, and up to the client's last. */
  const reached = new Map<string, number>();
  const asked = new Map<string, number>();
  const matches: Match[] = [];
  for (const { key, isNot, event, test } of tests) {
    const conversation = chosen.get(key)!;
    const { id } = conversation;
    const all = happenedIn(conversation);
    if (isNot) {
      if (all.some((each) => each.time >= since && test(each))) return undefined;
      continue;
    }
    const elsewhere = Math.max(
      since,
      ...matches.filter((each) => each.conversation !== id).map(({ time }) => time - SAME_MS),
    );
    // A session remarks what it does before it has answered, or after: either will do.
    const isNote = event.type === 'note';
    const after = (isNote ? asked : reached).get(key) ?? 0;
    const index = all.findIndex((each, at) => at >= after && each.time >= elsewhere && test(each));
    const found = all[index];
    if (!found) return undefined;
    if (!isNote) reached.set(key, index + 1);
    if (event.type === 'said' && event.side === 'client') asked.set(key, index + 1);
    matches.push({ time: found.time, conversation: id, seq: found.seq });
  }
  return matches.reduce<Match | undefined>(
    (latest, each) => (latest && latest.time > each.time ? latest : each),
    undefined,
  );
}

interface Wanted {
  readonly key: string;
  readonly candidates: readonly Conversation[];
}

/** One conversation for each place, and none for two. */
function* choices([first, ...rest]: readonly Wanted[]): Generator<ReadonlyMap<string, Conversation>> {
  if (!first) {
    yield new Map();
    return;
  }
  for (const others of choices(rest)) {
    const taken = new Set(others.values());
    for (const candidate of first.candidates) {
      if (!taken.has(candidate)) yield new Map([[first.key, candidate], ...others]);
    }
  }
}

const keyOf = ({ where, letter }: Pick<Condition, 'where' | 'letter'>): string => `${where} ${letter}`;

function isAt({ service, protocol, role }: Conversation, where: string): boolean {
  if (role !== 'server') return false;
  return where === 'any' ? protocol !== 'http' : service === where || protocol === where;
}

function testOf(event: Event, values: Values): (happened: Happened) => boolean {
  switch (event.type) {
    case 'closed':
      return ({ what }) => what.type === 'closed';
    case 'tls':
      return ({ what }) => what.type === 'tls' && what.step === event.step;
    case 'note': {
      const pattern = event.pattern && regularExpression(event.pattern, values);
      return ({ what }) => what.type === 'note' && what.note === event.note && (pattern?.test(what.text) ?? true);
    }
    case 'said': {
      const pattern = event.pattern && regularExpression(event.pattern, values);
      const { side, name, how } = event;
      return ({ what }) =>
        what.type === 'said' &&
        what.side === side &&
        (name === undefined || what.name === name || what.name === `UID ${name}`) &&
        (how === undefined || what.isSecure === (how === 'under TLS')) &&
        (pattern?.test(what.text) ?? true);
    }
  }
}
