/**
 * A row of the change log: what one MODSEQ changed. There is one log per account; its number is the MODSEQ of all its
 * mailboxes (RFC 7162 §3.1 allows that). One command that touches many messages is one MODSEQ and few rows.
 */

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** 1 to 2^32 - 1, ascending in a mailbox, never given out twice (RFC 9051 §2.3.1.1). */
export type Uid = Branded<number, 'Uid'>;
/** A message's position in the mailbox as one client knows it, from 1 (RFC 9051 §2.3.1.2). */
export type SeqNum = Branded<number, 'SeqNum'>;
/** Positive, below 2^53 (RFC 7162 §3.1.1 allows 63 bits). */
export type ModSeq = Branded<number, 'ModSeq'>;
export type AccountId = Branded<number, 'AccountId'>;
export type MailboxId = Branded<number, 'MailboxId'>;
/** Octets that arrived once; every copy of them has the same (RFC 8474 §5.1). */
export type EmailId = Branded<number, 'EmailId'>;

/** An inclusive range of UIDs. */
export interface UidRange {
  readonly first: Uid;
  readonly last: Uid;
}

export type MessageChange = {
  /** `arrived`: delivered, appended, copied or moved here. `flags`: flags changed. `expunged`: gone, also by a move. */
  readonly type: 'arrived' | 'flags' | 'expunged';
  readonly modSeq: ModSeq;
  readonly mailbox: MailboxId;
  /** Ascending, disjoint. The numbers between are not in the mailbox or not concerned. */
  readonly uids: readonly UidRange[];
};

export type MailboxChange = {
  /**
   * `renamed`: the name changed. `attributes`: subscription or special use changed. `rights`: those of others on a mailbox
   * of this account, or those of this account on somebody else's.
   */
  readonly type: 'mailbox-created' | 'mailbox-deleted' | 'mailbox-renamed' | 'mailbox-attributes' | 'mailbox-rights';
  readonly modSeq: ModSeq;
  /** 0: a name was subscribed that is somebody else's mailbox, or was. */
  readonly mailbox: MailboxId;
  /** The name after the change; of a deleted one, its last; with `rights`, as its owner calls it. */
  readonly name: string;
  /** The name before a rename. */
  readonly oldName?: string;
};

/** In the place of a mailbox: the server as a whole, which has annotations too (RFC 5464 §3.1). */
export const THE_SERVER = 0 as MailboxId;

export type AnnotationChange = {
  /** Annotations were set or removed (RFC 5464). */
  readonly type: 'annotations';
  readonly modSeq: ModSeq;
  readonly mailbox: MailboxId;
  /** Those that this account can see. */
  readonly entries: readonly string[];
};

export type Change = MessageChange | MailboxChange | AnnotationChange;

/** What has changed since n? */
export interface Changes {
  /** The MODSEQ up to which this answer reaches: ask from here next time. */
  readonly modSeq: ModSeq;
  /** In MODSEQ order. */
  readonly changes: readonly Change[];
  /** The log no longer reaches back that far: read everything anew. */
  readonly tooOld: boolean;
}
