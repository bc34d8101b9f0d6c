/** What SORT and THREAD (RFC 5256) ask the store for: what orders the messages of a mailbox, as numbers. */

/** `sent-date`: seconds since 1970. The others: places in the order of i;unicode-casemap, the empty text at 0. */
export type SortKeyName = 'cc' | 'display-from' | 'display-to' | 'from' | 'sent-date' | 'subject' | 'to';

/** One element for each message that was asked for. */
export interface ThreadKeys {
  /** A number for each message id, the same for the same id; 0: the message has none. */
  readonly messageIds: Float64Array;
  /** The references of message `i` are `references[starts[i]]` to before `references[starts[i + 1]]`, the nearest last. */
  readonly references: Float64Array;
  readonly starts: Uint32Array;
  /** 1: the subject says that the message is a reply or was forwarded. */
  readonly replies: Uint8Array;
}
