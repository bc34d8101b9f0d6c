/**
 * Names what is wrong with clients, in plain words, from what was recorded. It thinks when somebody asks, once for each
 * state of a conversation; what needs time is looked at again when the time has come, and the conversation is then
 * marked as changed, so that those who watch ask anew. Nothing is done while nobody asks.
 */
import type { Conversation } from '../../wire/recorder.ts';
import { readingOf } from '../reading.ts';
import { type AcrossDiagnosis, acrossOf, sentCopyOf, sentCopies, type SentCopies } from './across.ts';
import { CASES } from './cases.ts';
import type { Diagnosis } from './diagnosis.ts';
import { type DoctorContext, type DoctorService, factsOf } from './facts.ts';

/** What a visit looks through. */
export interface Patients {
  list(): readonly Conversation[];
}

/** For one answer to one asker: what it costs to look through all conversations is paid once. */
export interface Visit {
  /** In the order of their numbers. When the visit is over: what was known before. */
  diagnosesOf(conversation: Conversation): readonly Diagnosis[];
  /** The time that it may take is used up. */
  readonly isOver: boolean;
  /** What was said of a conversation is what was known before: it is to be asked about again. */
  owes(conversation: Conversation): boolean;
}

interface Known {
  readonly seq: number;
  readonly diagnoses: readonly Diagnosis[];
  /** Milliseconds since 1970. */
  readonly lookAgainAt: number;
  readonly thoughtAt: number;
  readonly tookMs: number;
}

/**
 * A conversation that goes on is thought about again after so many times what it took the last time: one that is long
 * and busy costs a twentieth of the time, and its news come a little later.
 */
const PAUSES = 20;
const CHEAP_MS = 5;

export class Doctor {
  readonly #context: DoctorContext;
  readonly #known = new WeakMap<Conversation, Known>();
  /** When they are to be looked at again, milliseconds since 1970. */
  readonly #due = new Map<Conversation, number>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  /** What the page that said it last has on its clock beyond ours, milliseconds. */
  #pageClock: number | undefined;
  #closed = false;

  constructor(context: DoctorContext) {
    this.#context = context;
  }

  /** @param patienceMs no thought is begun after so many milliseconds of thinking: for those who ask all the time */
  visit(patients: Patients, patienceMs = Infinity): Visit {
    let copies: SentCopies | undefined;
    let spentMs = 0;
    const owed = new Set<Conversation>();
    const think = (conversation: Conversation): Known | undefined => {
      if (spentMs < patienceMs) {
        const known = this.#think(conversation);
        spentMs += known.tookMs;
        return known;
      }
      owed.add(conversation);
      return undefined;
    };
    return {
      get isOver() {
        return spentMs >= patienceMs;
      },
      owes: (conversation) => owed.has(conversation),
      diagnosesOf: (conversation) => {
        if (conversation.role !== 'server' || conversation.isOwn) return [];
        const own = this.#ownDiagnoses(conversation, think);
        const now = Date.now();
        const sent = sentCopyOf(conversation, () => (copies ??= sentCopies(patients.list())), now);
        if (sent === undefined) return own;
        if (!('lookAgainAt' in sent)) return [...own, sent];
        this.#lookAgain(conversation, sent.lookAgainAt);
        return own;
      },
    };
  }

  /** What only several conversations show, or none. */
  across(patients: Patients): readonly AcrossDiagnosis[] {
    return acrossOf(patients.list(), this.#context, this.#pageClock);
  }

  services(): Readonly<Record<string, DoctorService>> {
    return this.#context.services();
  }

  /** A page has said what its clock shows. @param differenceMs positive: it is ahead of ours */
  heardClock(differenceMs: number): void {
    this.#pageClock = differenceMs;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#due.clear();
  }

  /** @param think answers nothing when it has no time for it */
  #ownDiagnoses(
    conversation: Conversation,
    think: (conversation: Conversation) => Known | undefined,
  ): readonly Diagnosis[] {
    const before = this.#known.get(conversation);
    const now = Date.now();
    if (before?.seq === conversation.lastSeq && now < before.lookAgainAt) return before.diagnoses;
    if (before && conversation.closedAt === undefined && before.tookMs > CHEAP_MS) {
      const restedAt = before.thoughtAt + PAUSES * before.tookMs;
      if (now < restedAt) {
        this.#lookAgain(conversation, restedAt);
        return before.diagnoses;
      }
    }
    return (think(conversation) ?? before)?.diagnoses ?? [];
  }

  #think(conversation: Conversation): Known {
    const thoughtAt = Date.now();
    const startedAt = performance.now();
    const { diagnoses, lookAgainAt } = diagnose(conversation, this.#context, thoughtAt);
    const tookMs = performance.now() - startedAt;
    const known = { seq: conversation.lastSeq, diagnoses, lookAgainAt, thoughtAt, tookMs };
    this.#known.set(conversation, known);
    if (lookAgainAt < Infinity) this.#lookAgain(conversation, lookAgainAt);
    return known;
  }

  #lookAgain(conversation: Conversation, at: number): void {
    if (this.#closed || !conversation.recording) return;
    this.#due.set(conversation, Math.min(at, this.#due.get(conversation) ?? Infinity));
    this.#wind(at);
  }

  #wind(at: number): void {
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#ring(), Math.max(1, at - Date.now() + 1)).unref();
  }

  #ring(): void {
    this.#timerAt = Infinity;
    const now = Date.now();
    let next = Infinity;
    for (const [conversation, at] of this.#due) {
      if (at <= now) {
        this.#due.delete(conversation);
        conversation.touch();
      } else next = Math.min(next, at);
    }
    if (next < Infinity) this.#wind(next);
  }
}

/** Pure, but for the reading that is kept. @param now milliseconds since 1970 */
export function diagnose(
  conversation: Conversation,
  context: DoctorContext,
  now: number,
): { readonly diagnoses: readonly Diagnosis[]; readonly lookAgainAt: number } {
  const facts = factsOf(conversation, readingOf(conversation), context, now - conversation.openedAt);
  const diagnoses: Diagnosis[] = [];
  let lookAgainAt = Infinity;
  for (const each of CASES) {
    const found = each.find(facts);
    if (found === undefined) continue;
    if ('lookAgainAt' in found) lookAgainAt = Math.min(lookAgainAt, conversation.openedAt + found.lookAgainAt);
    else diagnoses.push({ id: each.id, title: each.title, ...found });
  }
  return { diagnoses, lookAgainAt };
}
