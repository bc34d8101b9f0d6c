/**
 * FETCH and UID FETCH: RFC 9051 §6.4.5, §6.4.9, §7.5.2; CHANGEDSINCE RFC 7162 §3.1.4.1, VANISHED §3.2.6.
 * What the view knows is answered from it; the rest comes from the store in batches, and large octets stream.
 */
import type { SeqNum, Uid } from '../../store/change.ts';
import type { FetchedMessage } from '../../store/mail-store.ts';
import { command } from '../command.ts';
import type { Context } from '../command.ts';
import {
  hasUnknownEncoding,
  isRead,
  setsSeen,
  storeAnswer,
  viewAnswer,
  wantedFor,
  type ViewAnswer,
} from '../fetch-items.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { no, ok } from '../grammar/responses.ts';
import { uidSet } from '../grammar/sequence-set.ts';
import type { Completion, FetchAttribute, FetchItem, FetchModifiers, Response } from '../grammar/syntax.ts';
import type { Found, MailboxView } from '../mailbox-view.ts';
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
  async *run({ set, attributes: asked, modifiers }, context) {
    const { name, session } = context;
    const { view } = context.state;
    const byUid = name === 'UID FETCH';
    if (modifiers.vanished && !(byUid && modifiers.changedSince && session.dialect.qresync)) {
      throw new BadSyntax('VANISHED is for UID FETCH with CHANGEDSINCE, after ENABLE QRESYNC');
    }
    const attributes = complete(asked, modifiers, byUid);
    if (attributes.some((attribute) => attribute.name === 'MODSEQ')) session.enable('condstore');
    if (modifiers.vanished) yield await vanishedEarlier(view, modifiers.changedSince!, view.uidRanges(set));
    const found = changedSince(view.find(set, byUid ? 'uid' : 'seq'), view, modifiers);
    const answers = attributes.map((attribute) => viewAnswer(attribute, view));
    if (answers.every((answer) => answer !== undefined)) {
      yield* fromView(found, view, answers, byUid);
      return ok(`${name} completed`);
    }
    return yield* fromStore(found, attributes, context);
  },
});

/** At most `PIECE` elements at a time. */
export function* pieces<T>(values: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < values.length; start += PIECE) yield values.slice(start, start + PIECE);
}

/** RFC 9051 §6.4.9: UID is always there in a UID FETCH; RFC 7162 §3.1.4.1: so is MODSEQ with CHANGEDSINCE. */
function complete(
  asked: readonly FetchAttribute[],
  { changedSince }: FetchModifiers,
  byUid: boolean,
): readonly FetchAttribute[] {
  const lacks = (name: FetchAttribute['name']): boolean => asked.every((attribute) => attribute.name !== name);
  return [
    ...(byUid && lacks('UID') ? [{ name: 'UID' } as const] : []),
    ...asked,
    ...(changedSince !== undefined && lacks('MODSEQ') ? [{ name: 'MODSEQ' } as const] : []),
  ];
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
): Generator<readonly Response[]> {
  for (let start = 0; start < seqNums.length; start += PIECE) {
    const responses: Response[] = [];
    for (let i = start; i < Math.min(seqNums.length, start + PIECE); i++) {
      const seqNum = seqNums[i]! as SeqNum;
      // What was named by UID may be gone without a word; what was named by number is still known by it.
      if (byUid && view.isGone(seqNum)) continue;
      responses.push({ type: 'fetch', seqNum, uid: uids[i]! as Uid, items: answers.map((answer) => answer(seqNum)) });
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
  const marks = !view.readOnly && attributes.some(setsSeen);
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
      responses.push({ type: 'fetch', seqNum, uid: message.uid, items });
      answered.push(message.uid);
    }
    yield responses;
  }
  if (answered.length > 0 && attributes.some(isRead)) {
    session.connection.annotate({ type: 'read', mailbox: view.name, uids: uidSet(answered) });
  }
  if (unknownEncoding) return no('A part is in an encoding that is not known here', 'UNKNOWN-CTE');
  // RFC 2180 §4.1.2: the others have been answered. What was named by UID may be gone without a word (RFC 9051 §6.4.9).
  if (name === 'FETCH' && answered.length < uids.length) {
    return no('Some of the messages have been deleted by others', 'EXPUNGEISSUED');
  }
  return ok(`${name} completed`);
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
  const { store } = context;
  const { account, view } = context.state;
  const isSeen = view.flagTest('\\Seen');
  const unseen = batch.map(({ uid }) => uid).filter((uid) => !isSeen(view.seqNum(uid)!));
  if (unseen.length > 0) {
    const { modSeq } = await store.storeFlags(account, view.id, unseen, { mode: 'add', flags: ['\\Seen'] });
    view.own(modSeq, unseen);
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
    ...(session.dialect.condstore && lacks('UID')
      ? [{ type: 'number', name: 'UID', value: view.uid(seqNum) } as const]
      : []),
    ...(lacks('FLAGS') ? [{ type: 'flags', flags: view.flagsOf(seqNum) } as const] : []),
    ...(session.dialect.condstore && lacks('MODSEQ')
      ? [{ type: 'mod-seq', modSeq: view.modSeqOf(seqNum) } as const]
      : []),
  ];
}
