/**
 * The values between octets and commands: what `parser.ts` makes of a client's command and what `writer.ts` prints as
 * responses (RFC 9051 §9, RFC 3501 §9). Alternatives are told apart by `type` or `name`.
 */
import type { ModSeq, SeqNum, Uid, UidRange } from '../../store/change.ts';
import type { NumberRange } from './sequence-set.ts';

// ------------------------------------------------------------------------------------------------ from the client

/** `*` is the largest number in use. A range's ends may stand in either order (RFC 9051 §9 seq-range). */
export interface SequenceRange {
  readonly first: number | '*';
  readonly last: number | '*';
}
/** `saved` is `$`, the last result of SEARCH RETURN (SAVE) (RFC 5182). */
export type SequenceSet =
  { readonly type: 'set'; readonly ranges: readonly SequenceRange[] } | { readonly type: 'saved' };

/** RFC 9051 §9 section-spec: `path` names a part, `text` what of it; neither: the whole message. */
export interface Section {
  readonly path: readonly number[];
  readonly text?:
    | { readonly name: 'HEADER' | 'TEXT' | 'MIME' }
    | { readonly name: 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT'; readonly fields: readonly string[] };
}
export interface Partial {
  readonly offset: number;
  readonly count: number;
}

/** `1:500`, or counted from the end `-1:-500`: both ends have the same sign, in either order (RFC 9394 §4). */
export interface PartialRange {
  readonly first: number;
  readonly last: number;
}

export type FetchAttribute =
  | {
      readonly name:
        | 'BODY'
        | 'BODYSTRUCTURE'
        | 'EMAILID'
        | 'ENVELOPE'
        | 'FLAGS'
        | 'INTERNALDATE'
        | 'MODSEQ'
        | 'RFC822'
        | 'RFC822.HEADER'
        | 'RFC822.SIZE'
        | 'RFC822.TEXT'
        | 'SAVEDATE'
        | 'THREADID'
        | 'UID';
    }
  | { readonly name: 'BODY[]'; readonly peek: boolean; readonly section: Section; readonly partial?: Partial }
  | { readonly name: 'BINARY[]'; readonly peek: boolean; readonly path: readonly number[]; readonly partial?: Partial }
  | { readonly name: 'BINARY.SIZE'; readonly path: readonly number[] }
  /** RFC 8970; `lazy`: only if it is at hand. */
  | { readonly name: 'PREVIEW'; readonly lazy: boolean };

export interface FetchModifiers {
  readonly changedSince?: ModSeq;
  readonly vanished?: boolean;
  /** RFC 9394 §3.3. */
  readonly partial?: PartialRange;
}

export interface StoreModifiers {
  readonly unchangedSince?: ModSeq;
}

/** Everything after STORE's sequence set (RFC 9051 §9 store-att-flags, RFC 4466 §3 store-modifiers). */
export interface StoreArguments extends StoreModifiers {
  readonly mode: 'add' | 'remove' | 'replace';
  readonly silent: boolean;
  readonly flags: readonly string[];
}

/** RFC 4466 §3 select-params: CONDSTORE and QRESYNC (RFC 7162 §3.1.8, §3.2.5). */
export interface SelectParameters {
  readonly condstore: boolean;
  readonly qresync?: {
    readonly uidValidity: number;
    readonly modSeq: ModSeq;
    readonly knownUids?: SequenceSet;
    /** The n-th sequence number has the n-th UID. Both ascend, and are as many. */
    readonly match?: { readonly seqNums: readonly NumberRange[]; readonly uids: readonly NumberRange[] };
  };
}

/** A day, without time and zone: days since 1970-01-01. */
export type Day = number;

/** Texts are decoded from the command's charset. */
export type SearchKey =
  | { readonly name: 'ALL' | 'NEW' | 'OLD' | 'RECENT' }
  | { readonly name: 'FLAG'; readonly flag: string; readonly set: boolean } // ANSWERED, UNKEYWORD x, …
  | {
      readonly name: 'BCC' | 'BODY' | 'CC' | 'FROM' | 'SUBJECT' | 'TEXT' | 'TO';
      readonly text: string;
    }
  | { readonly name: 'HEADER'; readonly field: string; readonly text: string }
  | {
      readonly name:
        'BEFORE' | 'ON' | 'SENTBEFORE' | 'SENTON' | 'SENTSINCE' | 'SINCE' | 'SAVEDBEFORE' | 'SAVEDON' | 'SAVEDSINCE';
      readonly day: Day;
    }
  | { readonly name: 'OLDER' | 'YOUNGER'; readonly seconds: number }
  | { readonly name: 'LARGER' | 'SMALLER'; readonly octets: number }
  | { readonly name: 'MODSEQ'; readonly since: ModSeq }
  | { readonly name: 'UID'; readonly set: SequenceSet }
  | { readonly name: 'UIDAFTER' | 'UIDBEFORE'; readonly uid: number }
  | { readonly name: 'SEQUENCE'; readonly set: SequenceSet }
  | { readonly name: 'EMAILID' | 'THREADID'; readonly id: string }
  | { readonly name: 'AND'; readonly keys: readonly SearchKey[] }
  | { readonly name: 'OR'; readonly left: SearchKey; readonly right: SearchKey }
  | { readonly name: 'NOT' | 'FUZZY'; readonly key: SearchKey };

export type SearchReturn =
  | 'ALL'
  | 'CONTEXT' // RFC 5267 §4.2
  | 'COUNT'
  | 'MAX'
  | 'MIN'
  | 'PARTIAL' // RFC 9394
  | 'RELEVANCY' // RFC 6203 §4
  | 'SAVE'
  | 'UPDATE'; // RFC 5267 §4.3

export interface SearchOptions {
  /** RETURN's options; `RETURN ()` asks for ALL (RFC 9051 §6.4.4); undefined: there was no RETURN. */
  readonly returns: readonly SearchReturn[] | undefined;
  /** Of the return option PARTIAL. */
  readonly partial?: PartialRange;
  /** Of the return option UPDATE: what FETCH is to say of new messages that come into the result (RFC 5465 §7). */
  readonly updateAttributes?: readonly FetchAttribute[];
}

/** SEARCH's arguments. Several keys are one AND. */
export interface SearchProgram extends SearchOptions {
  readonly key: SearchKey;
}

/** RFC 5256 §5 sort-key, RFC 5957 §5, RFC 6203 §7. */
export type SortKey =
  'ARRIVAL' | 'CC' | 'DATE' | 'DISPLAYFROM' | 'DISPLAYTO' | 'FROM' | 'RELEVANCY' | 'SIZE' | 'SUBJECT' | 'TO';

export interface SortCriterion {
  readonly key: SortKey;
  readonly reverse: boolean;
}

export interface SortProgram extends SearchProgram {
  readonly criteria: readonly SortCriterion[];
}

export interface ThreadProgram extends SearchProgram {
  readonly algorithm: 'ORDEREDSUBJECT' | 'REFERENCES';
}

/** RFC 7377 §4 source-mbox: which mailboxes ESEARCH looks into. */
export type SearchSource =
  | { readonly name: 'inboxes' | 'personal' | 'selected' | 'subscribed' }
  | { readonly name: 'mailboxes' | 'subtree' | 'subtree-one'; readonly mailboxes: readonly string[] };

export interface MultisearchProgram extends SearchProgram {
  /** Without IN: the selected mailbox. */
  readonly sources: readonly SearchSource[];
}

/** RFC 5464 §5 getmetadata, but for the mailbox. */
export interface GetMetadata {
  /** As the client has written them; compared without case. */
  readonly entries: readonly string[];
  readonly depth: 0 | 1 | 'infinity';
  readonly maximumOctets?: number;
}

export type StatusItem =
  | 'APPENDLIMIT'
  | 'DELETED'
  | 'DELETED-STORAGE'
  | 'HIGHESTMODSEQ'
  | 'MAILBOXID'
  | 'MESSAGES'
  | 'RECENT'
  | 'SIZE'
  | 'UIDNEXT'
  | 'UIDVALIDITY'
  | 'UNSEEN';

/** RFC 9208 §7 setquota-resource; the name in capitals, whether there is such a resource or not. */
export interface ResourceLimit {
  readonly name: string;
  readonly limit: number;
}

/** A literal on its way into the spool, for commands that take messages. */
export interface MessageLiteral {
  readonly size: number;
  /** `literal8` (RFC 3516 §4.4, RFC 6855): octets may contain NUL. */
  readonly binary: boolean;
}

// -------------------------------------------------------------------------------------------------- to the client

/** A finished piece of text, a whole octet string, or octets that stream: all that FETCH can answer. */
export type FetchItem =
  | { readonly type: 'number'; readonly name: string; readonly value: number }
  | { readonly type: 'flags'; readonly flags: readonly string[] }
  /** Printed as it is: ENVELOPE, BODYSTRUCTURE. */
  | { readonly type: 'text'; readonly name: string; readonly text: Uint8Array | string }
  /** A string as the client can read it, or NIL. */
  | { readonly type: 'nstring'; readonly name: string; readonly text: string | undefined }
  | { readonly type: 'date'; readonly name: string; readonly date: Date }
  /** `MODSEQ (n)`. */
  | { readonly type: 'mod-seq'; readonly modSeq: ModSeq }
  /** NIL, or a literal; `binary`: a literal8. */
  | {
      readonly type: 'octets';
      readonly name: string;
      readonly octets: Uint8Array | undefined;
      readonly binary?: boolean;
    }
  | {
      readonly type: 'stream';
      readonly name: string;
      readonly size: number;
      readonly octets: AsyncIterable<Uint8Array>;
      readonly binary?: boolean;
    };

export interface ListEntry {
  readonly attributes: readonly string[];
  readonly name: string;
  readonly delimiter: string | null;
  /** Extended data items (RFC 9051 §7.3.1): OLDNAME, CHILDINFO; printed as given. */
  readonly extended?: string;
}

/** RFC 9208 §7 quota-resource. */
export interface QuotaResource {
  readonly name: 'STORAGE' | 'MESSAGE';
  readonly usage: number;
  readonly limit: number;
}

/** What an ESEARCH response says of where it comes from (RFC 4466 §2.6.2, RFC 7377 §2.1). */
export interface SearchCorrelator {
  readonly tag: string;
  readonly uid: boolean;
  /** Of ESEARCH, the command. */
  readonly mailbox?: { readonly name: string; readonly uidValidity: number };
}

export interface SearchResult extends SearchCorrelator {
  /** What RETURN asked for; undefined: the untagged SEARCH response of RFC 3501, or SORT. */
  readonly returns: readonly SearchReturn[] | undefined;
  readonly partial?: PartialRange;
  /** Of SEARCH ascending, of SORT in the order that was asked for. */
  readonly numbers: ArrayLike<number>;
  /** Whether it answers SORT. */
  readonly sorted?: boolean;
  /** For each of the numbers, 1 to 100 (RFC 6203 §4). */
  readonly scores?: ArrayLike<number>;
  /** The highest MODSEQ of the found messages, when the search named MODSEQ (RFC 7162 §3.1.5). */
  readonly modSeq?: ModSeq;
}

/** What came into or left a result that is kept up: in this order (RFC 5267 §4.3.3, §4.3.4). */
export interface ListChange {
  readonly type: 'ADDTO' | 'REMOVEFROM';
  /** From 1; 0: results in mailbox order need none. */
  readonly position: number;
  readonly numbers: ArrayLike<number>;
}

/**
 * Threads (RFC 5256 §4): nodes are numbered, and those below `numbers.length` are messages. The others stand for messages
 * that are not there, and have two children at least.
 */
export interface Forest {
  /** Of each message, as it is printed. */
  readonly numbers: ArrayLike<number>;
  readonly roots: ArrayLike<number>;
  /** By node: its first child, and the next one with the same parent; -1: none. */
  readonly firstChild: Int32Array;
  readonly nextSibling: Int32Array;
}

/** Untagged responses. The writer knows what the client has enabled and prints accordingly. */
export type Response =
  | {
      readonly type: 'status';
      readonly status: 'OK' | 'NO' | 'BAD' | 'BYE' | 'PREAUTH';
      /** The inside of the square brackets. */
      readonly code?: string;
      readonly text: string;
    }
  | { readonly type: 'capability'; readonly names: readonly string[] }
  | { readonly type: 'enabled'; readonly names: readonly string[] }
  | { readonly type: 'flags'; readonly flags: readonly string[] }
  | { readonly type: 'exists' | 'recent'; readonly count: number }
  /** Printed as EXPUNGE or VANISHED. `seqNums`: each as it is after those before it have gone (RFC 9051 §7.5.1). */
  | { readonly type: 'expunged'; readonly seqNums: readonly SeqNum[]; readonly uids: readonly UidRange[] }
  | { readonly type: 'vanished-earlier'; readonly uids: readonly UidRange[] }
  | { readonly type: 'fetch'; readonly seqNum: SeqNum; readonly uid: Uid; readonly items: readonly FetchItem[] }
  | ({ readonly type: 'list' | 'lsub' } & ListEntry)
  | {
      readonly type: 'mailbox-status';
      readonly name: string;
      readonly items: readonly (readonly [StatusItem, number | string])[];
    }
  /** RFC 5464 §4.4.1; `mailbox` is empty: of the server. At least one entry; null is NIL. */
  | {
      readonly type: 'metadata';
      readonly mailbox: string;
      readonly values: readonly (readonly [entry: string, value: Uint8Array | null])[];
    }
  /** RFC 5464 §4.4.2: what has changed, without its values. */
  | { readonly type: 'metadata-changed'; readonly mailbox: string; readonly entries: readonly string[] }
  /** RFC 9208 §4.2 */
  | { readonly type: 'quota'; readonly root: string; readonly resources: readonly QuotaResource[] }
  | { readonly type: 'quotaroot'; readonly mailbox: string; readonly roots: readonly string[] }
  | ({ readonly type: 'search' } & SearchResult)
  | ({ readonly type: 'search-update'; readonly changes: readonly ListChange[] } & SearchCorrelator)
  | { readonly type: 'thread'; readonly forest: Forest }
  | {
      readonly type: 'namespace';
      readonly personal: readonly (readonly [prefix: string, delimiter: string])[];
      readonly others: readonly (readonly [prefix: string, delimiter: string])[];
      readonly shared: readonly (readonly [prefix: string, delimiter: string])[];
    }
  /** RFC 4314 §3.6: identifiers with what they have, as they are printed. */
  | {
      readonly type: 'acl';
      readonly name: string;
      readonly entries: readonly (readonly [identifier: string, rights: string])[];
    }
  /** RFC 4314 §3.7: each of `optional` is given or not by itself. */
  | {
      readonly type: 'list-rights';
      readonly name: string;
      readonly identifier: string;
      readonly required: string;
      readonly optional: readonly string[];
    }
  | { readonly type: 'my-rights'; readonly name: string; readonly rights: string }
  | { readonly type: 'id'; readonly parameters: ReadonlyMap<string, string | null> | null }
  /** Anything else, printed as it is, without the CRLF: for what extensions add. */
  | { readonly type: 'raw'; readonly text: string };

/** The tagged end of a command (RFC 9051 §7.1). */
export interface Completion {
  readonly status: 'OK' | 'NO' | 'BAD';
  readonly code?: string;
  readonly text: string;
}

/** What the client has enabled, and what therefore changes in how everything is printed. */
export interface Dialect {
  /** ENABLE IMAP4rev2: mailbox names in UTF-8, no RECENT, ESEARCH instead of SEARCH. */
  readonly rev2: boolean;
  /** ENABLE UTF8=ACCEPT or rev2: quoted strings may hold UTF-8. */
  readonly utf8: boolean;
  /** RFC 6855 §3: SEARCH needs no CHARSET any more. */
  readonly utf8Accept: boolean;
  /** RFC 7162 §3.1: MODSEQ is told with each change of flags. */
  readonly condstore: boolean;
  /** RFC 7162 §3.2: VANISHED instead of EXPUNGE. */
  readonly qresync: boolean;
  /** RFC 9586 §3: no sequence numbers in either direction; UIDFETCH instead of FETCH, VANISHED instead of EXPUNGE. */
  readonly uidOnly: boolean;
}
