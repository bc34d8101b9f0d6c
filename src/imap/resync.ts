/**
 * QRESYNC: RFC 7162 §3.2. A client that comes back says up to which mod-sequence it knows a mailbox, and is told at once
 * what has changed and what is gone since then: by SELECT (§3.2.5) or UID FETCH (§3.2.6). That VANISHED then stands for
 * EXPUNGE is the writer's knowledge; that mod-sequences are not told ahead of an expunge that waits, the view's.
 */
import type { ModSeq, SeqNum } from '../store/change.ts';
import { intersectRanges } from './grammar/sequence-set.ts';
import type { NumberRange } from './grammar/sequence-set.ts';
import type { Response, SelectParameters } from './grammar/syntax.ts';
import type { MailboxView } from './mailbox-view.ts';

type Resync = NonNullable<SelectParameters['qresync']>;
type Match = NonNullable<Resync['match']>;

/** Between two pieces others have their turn. */
const PIECE = 500;

/** What SELECT and EXAMINE add: VANISHED (EARLIER) first, then flags that have changed. */
export async function* resync(
  view: MailboxView,
  { uidValidity, modSeq, knownUids, match }: Resync,
): AsyncGenerator<readonly Response[]> {
  // §3.2.5: what the client knows is of another mailbox; it sees that by the UIDVALIDITY that it was told.
  if (uidValidity !== view.uidValidity) return;
  const known = knownUids ? view.uidRanges(knownUids) : [{ first: 1, last: view.uidNext - 1 }];
  const unsure = match ? intersectRanges(known, [{ first: lastMatch(view, match) + 1, last: view.uidNext }]) : known;
  yield await vanishedEarlier(view, modSeq, unsure);
  let responses: Response[] = [];
  for (const { first, last } of known) {
    const { seqNums } = view.find({ type: 'set', ranges: [{ first, last }] }, 'uid');
    for (const seqNum of seqNums) {
      if (view.modSeqOf(seqNum) > modSeq) responses.push(view.flagsResponse(seqNum as SeqNum));
      if (responses.length < PIECE) continue;
      yield responses;
      responses = [];
    }
  }
  yield responses;
}

/** §3.2.10.1. To be said before any FETCH response. */
export async function vanishedEarlier(
  view: MailboxView,
  modSeq: ModSeq,
  among: readonly NumberRange[],
): Promise<Response[]> {
  const uids = await view.vanishedSince(modSeq, among);
  return uids.length === 0 ? [] : [{ type: 'vanished-earlier', uids }];
}

/**
 * §3.2.5.2: up to the last message whose sequence number and UID the client has right, it has missed no expunge. After
 * the first that it has wrong, it can have none right.
 * @returns that message's UID; 0: there is none
 */
function lastMatch(view: MailboxView, { seqNums, uids }: Match): number {
  let matched = 0;
  const numbers = pairs(uids);
  for (const seqNum of pairs(seqNums)) {
    const uid = numbers.next().value;
    if (seqNum > view.count || view.uid(seqNum) !== uid) break;
    matched = uid;
  }
  return matched;
}

function* pairs(ranges: readonly NumberRange[]): Generator<number, undefined> {
  for (const { first, last } of ranges) for (let number = first; number <= last; number++) yield number;
}
