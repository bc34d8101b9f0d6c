/**
 * FETCH and UID FETCH: RFC 9051 §6.4.5, §6.4.9, §7.5.2; CHANGEDSINCE RFC 7162 §3.1.4.1, VANISHED §3.2.6;
 * PARTIAL RFC 9394 §3.3.
 * What the view knows is answered from it; the rest comes from the store in batches, and large octets stream.
 */
import type { SeqNum, Uid } from '../../store/change.ts';
import type { FetchedMessage } from '../../store/mail-store.ts';
import { command } from '../command.ts';
import type { Context } from '../command.ts';
import {
  hasUnknownEncoding,
  isLooked,
  isRead,
  namesOf,
  setsSeen,
  storeAnswer,
  viewAnswer,
  wantedFor,
  type ViewAnswer,
} from '../fetch-items.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { no, ok } from '../grammar/responses.ts';
import { placesOf } from '../grammar/search-results.ts';
import { uidSet } from '../grammar/sequence-set.ts';
import type {
  Completion,
  FetchAttribute,
  FetchItem,
  FetchModifiers,
  PartialRange,
  Response,
  SequenceSet,
} from '../grammar/syntax.ts';
import type { Found, MailboxView } from '../mailbox-view.ts';
import { assertWithin, limited, withinLimit } from '../message-limit.ts';
import { vanishedEarlier } from '../resync.ts';

type SelectedContext = Context<'selected'>;

/** Between two pieces others have their turn; one is a few milliseconds' work. */
const PIECE = 500;

export const fetch = command({
  states: ['selected'],
  mayExpunge: 'uid',
  parse: (input) => ({
    set: input.sp().sequenceSet(),
    attributes: input.sp().fetchAttributes(),
    modifiers: input.fetchModifiers(),
  }),
  tellsFlags: ({ attributes }) => attributes.some(({ name }) => name === 'FLAGS'),
  async *run({ set, attributes: asked, modifiers }, context) {
    const { name, session } = context;
    const { view } = context.state;
    const byUid = name === 'UID FETCH';
    if (modifiers.vanished && !(byUid && modifiers.changedSince && session.dialect.qresync)) {
      throw new BadSyntax('VANISHED is for UID FETCH with CHANGEDSINCE, after ENABLE QRESYNC');
    }
    const attributes = complete(asked, modifiers, byUid && !session.dialect.uidOnly);
    if (attributes.some((attribute) => attribute.name === 'MODSEQ')) session.enable('condstore');
    if (modifiers.vanished) yield await vanishedEarlier(view, modifiers.changedSince!, view.uidRanges(set));
    // RFC 9738 §3.1: a part that is too large is refused, before anything is done.
    if (modifiers.partial) assertWithin(lengthOf(modifiers.partial), session.options);
    const named = modifiers.partial
      ? partOf(view, set, name, modifiers.partial)
      : view.find(set, byUid ? 'uid' : 'seq');
    const all = changedSince(named, view, modifiers);
    const { uids, lowest } = withinLimit(all.uids, session.options);
    const found = lowest === undefined ? all : highestFirst(all, uids.length);
    return yield* limited(yield* answered(found, attributes, context), lowest, session.options);
  },
});

/** RFC 9738 §3.1. */
function highestFirst({ seqNums, uids }: Found, count: number): Found {
  return { seqNums: seqNums.slice(-count).reverse(), uids: uids.slice(-count).reverse() };
}

function lengthOf({ first, last }: PartialRange): number {
  return Math.abs(last - first) + 1;
}

/** What a client is to be told of messages without a FETCH command: RFC 5465 §5.2; UID and MODSEQ RFC 7162 §3.2.4. */
export async function* fetchUnasked(
  found: Found,
  asked: readonly FetchAttribute[],
  context: SelectedContext,
): AsyncGenerator<readonly Response[], void, undefined> {
  const { condstore, uidOnly } = context.session.dialect;
  const attributes = [...complete(asked, {}, condstore && !uidOnly)];
  if (condstore && attributes.every(({ name }) => name !== 'MODSEQ')) attributes.push({ name: 'MODSEQ' });
  yield* answered(found, attributes, context);
}

async function* answered(
  found: Found,
  attributes: readonly FetchAttribute[],
  context: SelectedContext,
): AsyncGenerator<readonly Response[], Completion, undefined> {
  const { name, state } = context;
  const answers = attributes.map((attribute) => viewAnswer(attribute, state.view));
  if (!answers.every((answer) => answer !== undefined)) return yield* fromStore(found, attributes, context);
  yield* fromView(found, state.view, answers, name === 'UID FETCH', saysFlags(attributes, context));
  return ok(`${name} completed`);
}

/** At most `PIECE` elements at a time. */
export function* pieces<T>(values: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < values.length; start += PIECE) yield values.slice(start, start + PIECE);
}

/** RFC 9051 §6.4.9: UID is always there in a UID FETCH, where UIDFETCH does not name it anyway; RFC 7162 §3.1.4.1: so is MODSEQ with CHANGEDSINCE. */
function complete(
  asked: readonly FetchAttribute[],
  { changedSince }: FetchModifiers,
  withUid: boolean,
): readonly FetchAttribute[] {
  const lacks = (name: FetchAttribute['name']): boolean => asked.every((attribute) => attribute.name !== name);
  return [
    ...(withUid && lacks('UID') ? [{ name: 'UID' } as const] : []),
    ...asked,
    ...(changedSince !== undefined && lacks('MODSEQ') ? [{ name: 'MODSEQ' } as const] : []),
  ];
}

/** RFC 9394 §3.3: of the messages that are there, before any other modifier looks at them (§3.4). */
function partOf(view: MailboxView, set: SequenceSet, name: string, partial: PartialRange): Found {
  if (name !== 'UID FETCH') throw new BadSyntax('PARTIAL is for UID FETCH');
  const { seqNums, uids } = view.findThere(set, 'uid');
  const places = placesOf(partial, uids.length);
  return { seqNums: seqNums.slice(...places), uids: uids.slice(...places) };
}

function changedSince(found: Found, view: MailboxView, { changedSince: modSeq }: FetchModifiers): Found {
  if (modSeq === undefined) return found;
  const seqNums = found.seqNums.filter((seqNum) => view.modSeqOf(seqNum) > modSeq);
  return { seqNums, uids: seqNums.map((seqNum) => view.uid(seqNum)) };
}

function* fromView(
  { seqNums, uids }: Found,
  view: MailboxView,
  answers: readonly ViewAnswer[],
  byUid: boolean,
  saysFlags: boolean,
): Generator<readonly Response[]> {
  for (let start = 0; start < seqNums.length; start += PIECE) {
    const responses: Response[] = [];
    for (let i = start; i < Math.min(seqNums.length, start + PIECE); i++) {
      const seqNum = seqNums[i]! as SeqNum;
      // What was named by UID may be gone without a word; what was named by number is still known by it.
      if (byUid && view.isGone(seqNum)) continue;
      const uid = uids[i]! as Uid;
      responses.push({ type: 'fetch', seqNum, uid, items: answers.map((answer) => answer(seqNum)) });
      if (saysFlags) view.toldFlags(uid);
    }
    yield responses;
  }
}

async function* fromStore(
  { uids }: Found,
  attributes: readonly FetchAttribute[],
  context: SelectedContext,
): AsyncGenerator<readonly Response[], Completion, undefined> {
  const { name, store, session } = context;
  const { account, view } = context.state;
  const answer = answerer(attributes, view);
  // RFC 4314 §4: it must not be set without `s`.
  const marks = !view.readOnly && view.may('s') && attributes.some(setsSeen);
  const says = saysFlags(attributes, context);
  const answered: Uid[] = [];
  let unknownEncoding = false;
  for await (const batch of store.fetchMessages(account, view.id, uids, wantedFor(attributes))) {
    const seen = marks ? await markSeen(batch, context) : undefined;
    const responses: Response[] = [];
    for (const message of batch) {
      const seqNum = view.seqNum(message.uid)!;
      const items: FetchItem[] = [];
      for (const item of answer(seqNum, message)) {
        const ready = item instanceof Promise ? await item : item;
        if (ready !== undefined) items.push(ready);
      }
      unknownEncoding ||= attributes.some((attribute) => hasUnknownEncoding(attribute, message));
      if (seen?.has(message.uid)) items.push(...flagItems(seqNum, attributes, context));
      // RFC 9051 §9, msg-att: a response has one item at least.
      if (items.length > 0) responses.push({ type: 'fetch', seqNum, uid: message.uid, items });
      if (says) view.toldFlags(message.uid);
      answered.push(message.uid);
    }
    yield responses;
  }
  const told = attributes.some(isRead) ? 'read' : attributes.some(isLooked) ? 'looked' : undefined;
  if (answered.length > 0 && told) {
    const items = namesOf(attributes);
    session.connection.annotate({ type: told, ...view.told(uidSet(answered)), items });
  }
  if (unknownEncoding) return no('A part is in an encoding that is not known here', 'UNKNOWN-CTE');
  // RFC 2180 §4.1.2: the others have been answered. What was named by UID may be gone without a word (RFC 9051 §6.4.9).
  if (name === 'FETCH' && answered.length < uids.length) {
    return no('Some of the messages have been deleted by others', 'EXPUNGEISSUED');
  }
  return ok(`${name} completed`);
}

/** Whether the answers tell flags as completely as an unasked FETCH response would (RFC 7162 §3.2.4). */
function saysFlags(attributes: readonly FetchAttribute[], { session }: SelectedContext): boolean {
  const has = (name: FetchAttribute['name']): boolean => attributes.some((attribute) => attribute.name === name);
  return has('FLAGS') && (!session.dialect.condstore || has('MODSEQ'));
}

type Items = ReturnType<ReturnType<typeof storeAnswer>>;

function answerer(
  attributes: readonly FetchAttribute[],
  view: MailboxView,
): (seqNum: SeqNum, message: FetchedMessage) => Items[] {
  const answers = attributes.map((attribute) => {
    const fromView = viewAnswer(attribute, view);
    if (fromView) return (seqNum: SeqNum) => fromView(seqNum);
    const fromStore = storeAnswer(attribute);
    return (_: SeqNum, message: FetchedMessage) =>
      hasUnknownEncoding(attribute, message) ? undefined : fromStore(message);
  });
  return (seqNum, message) => answers.map((answer) => answer(seqNum, message));
}

/** RFC 9051 §6.4.5: \Seen is set, and the FETCH responses say so. @returns the UIDs of those that had it not */
async function markSeen(batch: readonly FetchedMessage[], context: SelectedContext): Promise<ReadonlySet<Uid>> {
  const { store, session } = context;
  const { account, view } = context.state;
  const isSeen = view.flagTest('\\Seen');
  const unseen = batch.map(({ uid }) => uid).filter((uid) => !isSeen(view.seqNum(uid)!));
  if (unseen.length > 0) {
    const { modSeq } = await store.storeFlags(account, view.id, unseen, { mode: 'add', flags: ['\\Seen'] });
    view.own(modSeq, unseen);
    session.connection.annotate({ type: 'flags', ...view.told(uidSet(unseen)), mode: 'add', flags: '\\Seen', modSeq });
    await view.look();
  }
  return new Set(unseen);
}

/** What a message's new flags add to its response, unless it was asked for anyway; RFC 7162 §3.2.4 wants UID and MODSEQ. */
function flagItems(
  seqNum: SeqNum,
  attributes: readonly FetchAttribute[],
  { session, state: { view } }: SelectedContext,
): FetchItem[] {
  const lacks = (name: FetchAttribute['name']): boolean => attributes.every((attribute) => attribute.name !== name);
  return [
    ...(session.dialect.condstore && !session.dialect.uidOnly && lacks('UID')
      ? [{ type: 'number', name: 'UID', value: view.uid(seqNum) } as const]
      : []),
    ...(lacks('FLAGS') ? [{ type: 'flags', flags: view.flagsOf(seqNum) } as const] : []),
    ...(session.dialect.condstore && lacks('MODSEQ')
      ? [{ type: 'mod-seq', modSeq: view.modSeqOf(seqNum) } as const]
      : []),
  ];
}
