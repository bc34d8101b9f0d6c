/**
 * Results that are kept up: RETURN (UPDATE), RFC 5267 §4.3, RFC 5465 §7. They are those of the selected mailbox and end with it. After
 * each look at the store, what has changed is searched again, and the client is told what came into a result or left it.
 */
import type { ModSeq, UidRange } from '../store/change.ts';
import type { MailStore } from '../store/mail-store.ts';
import type {
  FetchAttribute,
  ListChange,
  Response,
  SearchCorrelator,
  SearchKey,
  SequenceSet,
  SortCriterion,
} from './grammar/syntax.ts';
import { mergeRanges } from './grammar/sequence-set.ts';
import type { Found, MailboxView } from './mailbox-view.ts';
import { relevancyOf } from './relevancy.ts';
import { findMessages, uidKey } from './search-keys.ts';
import { sortedPlaces } from './sorting.ts';

/** RFC 5267 §4.3.1: one at least. Each is searched again with every change. */
const MOST_CONTEXTS = 16;

export interface UpdateContext {
  readonly correlator: SearchCorrelator;
  readonly key: SearchKey;
  /** Undefined: in mailbox order. */
  readonly criteria: readonly SortCriterion[] | undefined;
  /** What FETCH is to say of new messages that come into it. */
  readonly attributes: readonly FetchAttribute[] | undefined;
  /** The result as the client knows it: UIDs, in its order. */
  uids: Uint32Array;
}

export class UpdateContexts {
  readonly #contexts = new Map<string, UpdateContext>();
  /** Up to here the results are current. */
  #modSeq = 0 as ModSeq;

  get size(): number {
    return this.#contexts.size;
  }

  has(tag: string): boolean {
    return this.#contexts.has(tag);
  }

  /** @returns false: there are too many, and this one is not kept up */
  add(context: UpdateContext, view: MailboxView): boolean {
    if (this.#contexts.size >= MOST_CONTEXTS) return false;
    if (this.#contexts.size === 0) this.#modSeq = view.modSeq;
    this.#contexts.set(context.correlator.tag, { ...context, key: pinned(context.key, view) });
    return true;
  }

  cancel(tag: string): void {
    this.#contexts.delete(tag);
  }

  /** RFC 5267 §4.3.4: what is gone leaves the results before EXPUNGE is told, while its numbers still mean it. */
  removals(view: MailboxView): Response[] {
    if (!view.hasGone) return [];
    return [...this.#contexts.values()].flatMap((context) => {
      const gone = new Set<number>();
      for (const uid of context.uids) {
        const seqNum = view.seqNum(uid);
        if (seqNum === undefined || view.isGone(seqNum)) gone.add(uid);
      }
      return updateOf(context, removed(context, gone, view));
    });
  }

  /** What new messages and new flags make of the results; after EXISTS has been told (RFC 5267 §4.3.3). */
  async changes(view: MailboxView, store: MailStore, signal: AbortSignal): Promise<Changed> {
    const since = this.#modSeq;
    const nothing = { updates: [], come: [] };
    if (view.modSeq <= since) return nothing;
    this.#modSeq = view.modSeq;
    const { changes, tooOld } = await store.changesSince(view.account, since, view.id);
    const touched: UidRange[] = [];
    for (const change of changes) {
      if (change.type === 'arrived' || change.type === 'flags') touched.push(...change.uids);
    }
    if (touched.length === 0 && !tooOld) return nothing;
    const set: SequenceSet | undefined = tooOld ? undefined : { type: 'set', ranges: mergeRanges(touched) };
    const updates: Response[] = [];
    const come: Come[] = [];
    for (const context of this.#contexts.values()) {
      const changed = await changesOf(context, set, view, store, signal);
      updates.push(...updateOf(context, changed.changes));
      const { attributes } = context;
      if (attributes && changed.come.size > 0) come.push({ attributes, uids: changed.come });
    }
    return { updates, come };
  }
}

/** Messages that have come into a result, and what is to be said of those that are new. */
interface Come {
  readonly attributes: readonly FetchAttribute[];
  readonly uids: ReadonlySet<number>;
}

interface Changed {
  readonly updates: readonly Response[];
  readonly come: readonly Come[];
}

/** FETCH responses that nobody has asked for just now. */
export type FetchUnasked = (
  found: Found,
  attributes: readonly FetchAttribute[],
) => AsyncGenerator<readonly Response[], void, undefined>;

/**
 * What is new in the selected mailbox, as the client is told it: changes of results where RFC 5267 wants them, before
 * EXPUNGE and after EXISTS. The view has looked before.
 */
export async function* tellNews(
  view: MailboxView,
  store: MailStore,
  mayExpunge: boolean,
  signal: AbortSignal,
  fetch: FetchUnasked,
): AsyncGenerator<readonly Response[], void, undefined> {
  const { contexts, lastUid } = view;
  if (contexts.size > 0) yield contexts.removals(view);
  yield view.tell(mayExpunge);
  if (contexts.size === 0) return;
  const { updates, come } = await contexts.changes(view, store, signal);
  // RFC 5465 §7: after EXISTS and before ESEARCH; not of those that were there and have new flags.
  for (const { attributes, uids: all } of come) {
    const uids = Uint32Array.from(all).filter((uid) => uid > lastUid && view.seqNum(uid) !== undefined);
    if (uids.length > 0) yield* fetch({ uids, seqNums: uids.map((uid) => view.seqNum(uid)!) }, attributes);
  }
  yield updates;
}

/** @param touched what may have changed; undefined: everything */
async function changesOf(
  context: UpdateContext,
  touched: SequenceSet | undefined,
  view: MailboxView,
  store: MailStore,
  signal: AbortSignal,
): Promise<{ readonly changes: ListChange[]; readonly come: ReadonlySet<number> }> {
  const changed = touched === undefined || dependsOnOthers(context.key) ? undefined : touched;
  const key: SearchKey = changed ? { name: 'AND', keys: [{ name: 'UID', set: changed }, context.key] } : context.key;
  const seqNums = await findMessages(key, view, store, signal);
  const matching = new Set<number>(seqNums.map((seqNum) => view.uid(seqNum)));
  const concerned = changed ? new Set(view.find(changed, 'uid').uids) : undefined;
  const before = concerned ? context.uids.filter((uid) => concerned.has(uid)) : context.uids;
  const come = new Set(matching);
  const leave = new Set<number>();
  for (const uid of before) if (!come.delete(uid)) leave.add(uid);
  const changes = removed(context, leave, view);
  if (come.size > 0) changes.push(...(await added(context, come, view, store, signal)));
  return { changes, come };
}

function updateOf({ correlator }: UpdateContext, changes: readonly ListChange[]): Response[] {
  return changes.length === 0 ? [] : [{ type: 'search-update', ...correlator, changes }];
}

/** Takes them out of the result: the last first, so that positions are those that the client has. */
function removed(context: UpdateContext, gone: ReadonlySet<number>, view: MailboxView): ListChange[] {
  if (gone.size === 0) return [];
  const numbers = numbersFor(context, view);
  const before = context.uids;
  context.uids = before.filter((uid) => !gone.has(uid));
  if (context.criteria === undefined) {
    return [{ type: 'REMOVEFROM', position: 0, numbers: numbers(before.filter((uid) => gone.has(uid))) }];
  }
  const runs = runsOf(before, gone).toReversed();
  return runs.map(([start, end]) => {
    return { type: 'REMOVEFROM', position: start + 1, numbers: numbers(before.subarray(start, end)) };
  });
}

/** Puts them into the result: the first first, so that positions are those that they have when they come. */
async function added(
  context: UpdateContext,
  come: ReadonlySet<number>,
  view: MailboxView,
  store: MailStore,
  signal: AbortSignal,
): Promise<ListChange[]> {
  const numbers = numbersFor(context, view);
  const uids = new Uint32Array(context.uids.length + come.size);
  uids.set(context.uids);
  uids.set([...come], context.uids.length);
  uids.sort();
  if (context.criteria === undefined) {
    context.uids = uids;
    return [{ type: 'ADDTO', position: 0, numbers: numbers(uids.filter((uid) => come.has(uid))) }];
  }
  const found: Found = { uids, seqNums: uids.map((uid) => view.seqNum(uid)!) };
  const isRelevancy = context.criteria.some(({ key }) => key === 'RELEVANCY');
  const scores = isRelevancy ? await relevancyOf(context.key, found, view, store, signal) : undefined;
  const places = await sortedPlaces(found, context.criteria, view, store, scores);
  const sorted = places.map((place) => uids[place]!);
  context.uids = sorted;
  return runsOf(sorted, come).map(([start, end]) => {
    return { type: 'ADDTO', position: start + 1, numbers: numbers(sorted.subarray(start, end)) };
  });
}

/** RFC 5267 §4.3.2: as numbers or UIDs, as the command was. */
function numbersFor({ correlator }: UpdateContext, view: MailboxView): (uids: Uint32Array) => Uint32Array {
  return (uids) => (correlator.uid ? uids : uids.map((uid) => view.seqNum(uid)!));
}

/** Where those that are named stand side by side: from the first to before the last. */
function runsOf(uids: Uint32Array, named: ReadonlySet<number>): [start: number, end: number][] {
  const runs: [start: number, end: number][] = [];
  for (let i = 0; i < uids.length; i++) {
    if (!named.has(uids[i]!)) continue;
    const last = runs.at(-1);
    if (last?.[1] === i) last[1]++;
    else runs.push([i, i + 1]);
  }
  return runs;
}

/** Whether a message may come or go because another has come: `UID 5:*` names what is the last. */
function dependsOnOthers(key: SearchKey): boolean {
  if (key.name === 'AND') return key.keys.some(dependsOnOthers);
  if (key.name === 'OR') return dependsOnOthers(key.left) || dependsOnOthers(key.right);
  if (key.name === 'NOT' || key.name === 'FUZZY') return dependsOnOthers(key.key);
  if (key.name !== 'UID' || key.set.type === 'saved') return false;
  return key.set.ranges.some(({ first, last }) => first === '*' || last === '*');
}

/** RFC 5267 §4.3: message numbers mean the messages that they meant when the command came; and so does `$`. */
function pinned(key: SearchKey, view: MailboxView): SearchKey {
  if (key.name === 'AND') return { name: 'AND', keys: key.keys.map((one) => pinned(one, view)) };
  if (key.name === 'OR') return { name: 'OR', left: pinned(key.left, view), right: pinned(key.right, view) };
  if (key.name === 'NOT' || key.name === 'FUZZY') return { name: key.name, key: pinned(key.key, view) };
  if (key.name === 'SEQUENCE') return uidKey(view.find(key.set, 'seq', 'ignore').uids);
  if (key.name === 'UID' && key.set.type === 'saved') return uidKey(view.find(key.set, 'uid').uids);
  return key;
}
