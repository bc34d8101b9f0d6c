/**
 * MESSAGELIMIT and SAVELIMIT: RFC 9738. How many messages one command may be about. What can be done in parts is done to
 * those with the highest UIDs, and the client is told where to go on; what is all or nothing is refused.
 */
import { untaggedNo } from './grammar/responses.ts';
import type { Completion, Response, SearchKey } from './grammar/syntax.ts';
import type { MailboxView } from './mailbox-view.ts';
import { candidatesOf, uidKey } from './search-keys.ts';

/** §3: `saving` is COPY and APPEND alone, which SAVELIMIT announces. */
export interface MessageLimit {
  readonly limits: 'everything' | 'saving';
  /** From 1; RFC 9738 §3 recommends 1000 at least. */
  readonly messages: number;
}

interface Limits {
  readonly messageLimit?: MessageLimit | undefined;
}

/** Nothing has been done: NO with the code. */
export class MessageLimitReached extends Error {
  override readonly name = 'MessageLimitReached';
  readonly code: string;

  constructor(most: number, lowest?: number) {
    super(`One command may be about ${most} messages: say it in several`);
    this.code = codeOf(most, lowest);
  }
}

/** §3.1: the limit, and the lowest UID that was, or would have been, worked on. */
function codeOf(most: number, lowest: number | undefined): string {
  return lowest === undefined ? `MESSAGELIMIT ${most}` : `MESSAGELIMIT ${most} ${lowest}`;
}

/** Of commands that can be done in parts; undefined: as many as you like. */
function mostAtOnce({ messageLimit }: Limits): number | undefined {
  return messageLimit?.limits === 'everything' ? messageLimit.messages : undefined;
}

/**
 * Those that the command works on now: the highest ones (§3.1).
 * @param uids ascending
 * @returns `lowest`: the least of them, if there are others
 */
export function withinLimit(
  uids: Uint32Array,
  options: Limits,
): { readonly uids: Uint32Array; readonly lowest: number | undefined } {
  const most = mostAtOnce(options);
  if (most === undefined || uids.length <= most) return { uids, lowest: undefined };
  const some = uids.subarray(uids.length - most);
  return { uids: some, lowest: some[0] };
}

/** @throws MessageLimitReached */
export function assertWithin(count: number, options: Limits): void {
  const most = mostAtOnce(options);
  if (most !== undefined && count > most) throw new MessageLimitReached(most);
}

/**
 * COPY: all or nothing.
 * @param uids ascending
 * @throws MessageLimitReached
 */
export function assertMayKeep(uids: Uint32Array, { messageLimit }: Limits): void {
  if (!messageLimit || uids.length <= messageLimit.messages) return;
  throw new MessageLimitReached(messageLimit.messages, uids[uids.length - messageLimit.messages]);
}

/** APPEND of several messages (RFC 3502): all or nothing. @throws MessageLimitReached */
export function assertMayAppend(count: number, { messageLimit }: Limits): void {
  if (messageLimit && count > messageLimit.messages) throw new MessageLimitReached(messageLimit.messages);
}

/**
 * The key of a search that looks at no more messages than may be. Those count that it looks at, and not those that it
 * finds (§3.1); a client that names them, by UIDAFTER and UIDBEFORE, comes through the whole mailbox.
 * @param beyond `refuse`: SORT and THREAD, which nobody can put together from parts (§3.3)
 * @throws MessageLimitReached
 */
export async function limitSearch(
  key: SearchKey,
  view: MailboxView,
  options: Limits,
  beyond: 'cut' | 'refuse',
): Promise<{ readonly key: SearchKey; readonly lowest: number | undefined }> {
  const most = mostAtOnce(options);
  if (most === undefined || view.count <= most) return { key, lowest: undefined };
  const seqNums = await candidatesOf(key, view);
  if (seqNums.length <= most) return { key, lowest: undefined };
  if (beyond === 'refuse') throw new MessageLimitReached(most);
  const uids = seqNums.subarray(seqNums.length - most).map((seqNum) => view.uid(seqNum));
  const keys = key.name === 'AND' ? key.keys : [key];
  return { key: { name: 'AND', keys: [uidKey(uids), ...keys] }, lowest: uids[0] };
}

/**
 * Says with the completion where the client is to go on; where that has a code already, before it (§3.1).
 * @param lowest undefined: there was no need to stop
 */
export function* limited(
  completion: Completion,
  lowest: number | undefined,
  { messageLimit }: Limits,
): Generator<Response, Completion, undefined> {
  if (lowest === undefined || !messageLimit) return completion;
  const code = codeOf(messageLimit.messages, lowest);
  if (completion.status === 'OK' && completion.code === undefined) return { ...completion, code };
  yield untaggedNo(`The other messages, below UID ${lowest}, are left for another command`, code);
  return completion;
}
