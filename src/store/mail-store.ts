/**
 * What outlives a connection. Each method is all or nothing, and durable once it resolves. Whatever is refused is thrown
 * as a `Refusal`; absence is no error: `find…` resolves to undefined. Methods take the acting account first, so that
 * rights are decided in one place. Implementations may lie across a network: what sessions share goes through here.
 */
import type { MimePart } from '../mail/mime-tree.ts';
import type { AccountId, Changes, EmailId, MailboxId, ModSeq, Uid } from './change.ts';
import type { Quota, QuotaLimits } from './quota.ts';
import type { AclChange, AclEntry, Right, Rights } from './rights.ts';
import type { SearchQuery } from './search-query.ts';
import type { SortKeyName, ThreadKeys } from './sort-keys.ts';

// ---------------------------------------------------------------------------------------------------- accounts

export interface Account {
  readonly id: AccountId;
  /** The login name: `local@domain`, domain in lower case; compared without case. */
  readonly address: string;
  /** The scope that made it; undefined: the operator. */
  readonly owner: string | undefined;
  readonly createdAt: Date;
  /** The log's present number. */
  readonly modSeq: ModSeq;
  readonly quota: Quota;
}

export interface NewAccount {
  readonly address: string;
  /** A SCRAM-SHA-256 record (RFC 5803 §3); undefined: nobody can log in. */
  readonly passwordRecord: string | undefined;
  readonly owner?: string;
}

// --------------------------------------------------------------------------------------------------- mailboxes

/** RFC 6154 §2. */
export const SPECIAL_USES = ['\\All', '\\Archive', '\\Drafts', '\\Flagged', '\\Junk', '\\Sent', '\\Trash'] as const;
export type SpecialUse = (typeof SPECIAL_USES)[number];

export interface Mailbox {
  readonly id: MailboxId;
  readonly account: AccountId;
  /** Unicode (NFC), levels divided by `/`; `INBOX` in capitals. */
  readonly name: string;
  readonly uidValidity: number;
  readonly uidNext: Uid;
  /** The highest MODSEQ of what changed in it (RFC 7162 §3.1.2.1); at least 1. */
  readonly highestModSeq: ModSeq;
  readonly subscribed: boolean;
  readonly specialUse: readonly SpecialUse[];
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  /** The sum of the sizes of its messages (RFC 8438). */
  readonly octets: number;
  /** UIDs from here on have been seen by no session yet: \Recent (RFC 3501 §2.3.2). */
  readonly firstRecentUid: Uid;
  /** What the acting account may do with it; undefined: everything, for it is its own. */
  readonly rights?: Rights;
}

/**
 * The messages of a mailbox as they stand at `modSeq`, in ascending UID order, as parallel arrays of which the first
 * `count` elements count. It never changes: a later state is another snapshot, and what is equal in both is shared.
 */
export interface MailboxSnapshot {
  readonly mailbox: Mailbox;
  readonly modSeq: ModSeq;
  readonly count: number;
  readonly uids: Uint32Array;
  /** An index into the store's flag sets; see `MailStore.flagSet`. */
  readonly flagSets: Uint32Array;
  readonly modSeqs: Float64Array;
  /** Octets of trace and message. */
  readonly sizes: Uint32Array;
  /** Milliseconds since 1970, whole seconds (RFC 9051 §2.3.3). */
  readonly internalDates: Float64Array;
  readonly emailIds: Float64Array;
}

// ------------------------------------------------------------------------------------------------- annotations

/** RFC 5464 §3. */
export interface Annotation {
  /** `/shared/…`: the same for all; `/private/…`: the acting account's own. In lower case. */
  readonly entry: string;
  readonly octets: number;
  /** Undefined: it is larger than was asked for. */
  readonly value: Uint8Array | undefined;
}

/** RFC 5464 §4.2. */
export interface AnnotationQuery {
  /** In lower case. */
  readonly entries: readonly string[];
  /** How many levels below them count too. */
  readonly depth: 0 | 1 | 'infinity';
  /** Larger values are not read. */
  readonly maximumOctets?: number;
}

// ---------------------------------------------------------------------------------------------------- messages

/** Octets on their way into the store: in memory while few, in a file beside the database when many. */
export interface Spooled {
  readonly size: number;
  /** The octets, when they are in memory. */
  readonly octets: Uint8Array | undefined;
  /** Where they lie, when they do not. */
  readonly file: string | undefined;
}

/** Takes octets until they are handed to `accept` or `append`; unfinished or unused, disposing of it removes its file. */
export interface Spool extends AsyncDisposable {
  /**
   * Resolves when more may come: a full disk or a busy one slows whoever sends. The octets may be kept as they are, not
   * copied: they may not be changed afterwards. @throws Refusal DISKFULL
   */
  write(octets: Uint8Array): Promise<void>;
  /** To be called once, after the last octet. @throws Refusal DISKFULL */
  finish(): Promise<Spooled>;
}

/** One address of an envelope with its DSN parameters (RFC 3461 §4), as given. */
export interface ForwardPath {
  readonly address: string;
  readonly notify?: string;
  readonly originalRecipient?: string;
}

/** Who handed a message in, and how. */
export interface Origin {
  /** `smtp`, `submission`, `submissions`, `lmtp`, `http`. */
  readonly service: string;
  readonly conversation: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly helo: string | undefined;
  /** The authenticated login, if any. */
  readonly login: string | undefined;
  readonly tls: string | undefined;
}

export interface Delivery {
  /** An account, or the address of one that is made when the message is committed (capture mode). */
  readonly account: AccountId | NewAccount;
  /** The mailbox's name; made if it does not exist. */
  readonly mailbox: string;
  readonly flags?: readonly string[];
}

/** One accepted SMTP transaction (RFC 5321 §3.3): committed whole, or not at all. */
export interface Transaction {
  /** Without angle brackets; empty: the null reverse-path. */
  readonly reversePath: string;
  readonly returnType?: string; // RET (RFC 3461 §4.3)
  readonly envelopeId?: string; // ENVID (RFC 3461 §4.4)
  readonly forwardPaths: readonly ForwardPath[];
  readonly deliveries: readonly Delivery[];
  /** Return-Path, Received, …: whole lines with CRLF; the same for all recipients. */
  readonly trace: Uint8Array;
  readonly content: Spooled;
  readonly receivedAt: Date;
  readonly origin: Origin;
  /** Words by which people find it again: 1 to 100 letters, digits, blanks and `-_.@`, compared without case. */
  readonly tags?: readonly string[];
}

export interface Accepted {
  /** 22 characters of letters and digits: the id in the API and in the 250 reply. */
  readonly transactionId: string;
  readonly emailId: EmailId;
  readonly copies: readonly { readonly account: AccountId; readonly mailbox: MailboxId; readonly uid: Uid }[];
}

export interface NewMessage {
  readonly content: Spooled;
  readonly flags: readonly string[];
  readonly internalDate: Date;
  /** A message of this mailbox that was appended under the same key is not appended again. */
  readonly importKey?: string;
}

/** The message that goes when another takes its place (RFC 8508). */
export interface Replaced {
  readonly mailbox: MailboxId;
  readonly uid: Uid;
  /** Whose mailbox that is, if it is not the same account's. */
  readonly account?: AccountId;
}

export interface Appended {
  readonly mailbox: MailboxId;
  readonly uidValidity: number;
  /** In the order of the messages; undefined where the import key was there already. */
  readonly uids: readonly (Uid | undefined)[];
  readonly modSeq: ModSeq;
  /** The account may not read the mailbox: it is not to be told what UIDs these are (RFC 9051 §6.3.12). */
  readonly unreadable?: boolean;
}

/** Where messages are copied to, when that is no mailbox of the account that they come from. */
export interface Destination {
  readonly account: AccountId;
  readonly mailbox: MailboxId;
  /** Flags that they do not permit are not copied (RFC 4314 §4). */
  readonly rights: Rights;
}

export interface Copied {
  readonly mailbox: MailboxId;
  readonly uidValidity: number;
  /** Pairwise: sourceUids[i] became destinationUids[i]. Both ascending. Messages that are gone are left out. */
  readonly sourceUids: readonly Uid[];
  readonly destinationUids: readonly Uid[];
  /** Of the account that they come from. */
  readonly modSeq: ModSeq;
  /** The account may not read where they have arrived: it is not to be told what UIDs they have there (RFC 9051 §6.4.7). */
  readonly unreadable?: boolean;
}

export interface ClaimedRecent {
  readonly first: Uid;
  /** Equal to `first`: there was nothing new. */
  readonly next: Uid;
}

export interface FlagChange {
  readonly mode: 'add' | 'remove' | 'replace';
  readonly flags: readonly string[];
  /** Messages changed since are left as they are (RFC 7162 §3.1.3). */
  readonly unchangedSince?: ModSeq;
  /** Of `replace`: flags that take other rights than these (RFC 4314 §4) stay as they are. */
  readonly only?: Rights;
}

export interface FlagsStored {
  /** Those whose flags are now as asked, whether they had to change or not. */
  readonly stored: readonly Uid[];
  /** Those that `unchangedSince` spared. */
  readonly modified: readonly Uid[];
  /** Those that are no longer there. */
  readonly gone: readonly Uid[];
  readonly modSeq: ModSeq;
}

/** A message's trace and octets as one sequence of octets. */
export interface Content {
  readonly size: number;
  readonly traceSize: number;
  /** All of it, when it lies in memory. */
  readonly octets: Uint8Array | undefined;
  /** The octets from `start` to before `end`, in pieces of bounded size. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** What of a message is wanted; what is not asked for costs nothing. */
export interface Wanted {
  /** ENVELOPE, finished text. */
  readonly envelope?: boolean;
  /** BODYSTRUCTURE, finished text. */
  readonly bodyStructure?: boolean;
  /** BODY without extension data, finished text. */
  readonly body?: boolean;
  readonly tree?: boolean;
  readonly content?: boolean;
  readonly savedDate?: boolean;
  /** One line of the text, decoded; `if-kept`: undefined where it would have to be computed now. */
  readonly preview?: 'always' | 'if-kept';
}

export interface FetchedMessage {
  readonly uid: Uid;
  readonly emailId: EmailId;
  readonly size: number;
  readonly envelope?: Uint8Array;
  readonly bodyStructure?: Uint8Array;
  readonly body?: Uint8Array;
  readonly tree?: MimePart;
  readonly content?: Content;
  readonly savedDate?: Date;
  readonly preview?: string;
}

// ------------------------------------------------------------------------------------- transactions, for the API

export interface AddressPair {
  readonly name: string;
  readonly address: string;
}

/** What a list shows of an accepted transaction; the texts are decoded. */
export interface TransactionSummary {
  readonly transactionId: string;
  readonly emailId: EmailId;
  readonly reversePath: string;
  readonly returnType?: string; // RET (RFC 3461 §4.3)
  readonly envelopeId?: string; // ENVID (RFC 3461 §4.4)
  readonly forwardPaths: readonly ForwardPath[];
  readonly receivedAt: Date;
  readonly origin: Origin;
  /** Octets of the message as received, without the trace. */
  readonly receivedOctets: number;
  readonly traceOctets: number;
  /** All copies that are left have \Seen; for an owner who asks, the own ones. */
  readonly read: boolean;
  readonly messageId: string;
  readonly subject: string;
  readonly from: AddressPair | undefined;
  readonly to: readonly AddressPair[];
  readonly cc: readonly AddressPair[];
  readonly bcc: readonly AddressPair[];
  readonly replyTo: readonly AddressPair[];
  readonly attachments: number;
  readonly snippet: string;
  /** In the order of the alphabet. */
  readonly tags: readonly string[];
  /** Where its copies lie now. */
  readonly copies: readonly {
    readonly account: AccountId;
    readonly mailbox: MailboxId;
    readonly mailboxName: string;
    readonly address: string;
    readonly uid: Uid;
    readonly flags: readonly string[];
  }[];
}

/** A message in a mailbox, whichever way it came there. */
export interface MessageCopy {
  readonly account: AccountId;
  readonly address: string;
  readonly mailbox: MailboxId;
  readonly mailboxName: string;
  readonly uid: Uid;
  readonly uidValidity: number;
  /** Of its last change. */
  readonly modSeq: ModSeq;
  readonly flags: readonly string[];
  readonly internalDate: Date;
  /** When it came into this mailbox, whole seconds (RFC 8514). */
  readonly savedDate: Date;
}

export interface TransactionFilter {
  /** Only those with a copy in an account of this owner. */
  readonly owner?: string;
  /** Only those with a copy in this account. */
  readonly account?: AccountId;
  readonly query?: SearchQuery;
  /** Only those whose copies are all \Seen, or not. */
  readonly read?: boolean;
}

export interface TransactionList {
  /** All that the owner can see. */
  readonly total: number;
  readonly unread: number;
  /** Those that pass the filter. */
  readonly matches: number;
  readonly unreadMatches: number;
  readonly items: readonly TransactionSummary[];
}

/**
 * What happened to transactions; a feed over all accounts. `cursor` is where to go on after it: an opaque word that stays
 * good over restarts. `new` comes in the order of arrival, each under a cursor of its own.
 */
export type TransactionEvent =
  | { readonly type: 'new'; readonly transactionId: string; readonly cursor: string }
  | { readonly type: 'read'; readonly transactionId: string; readonly read: boolean; readonly cursor: string }
  /** The tags that it has now. */
  | {
      readonly type: 'tagged';
      readonly transactionId: string;
      readonly tags: readonly string[];
      readonly cursor: string;
    }
  | { readonly type: 'deleted'; readonly transactionId: string; readonly cursor: string };

export interface StoreFigures {
  readonly accounts: number;
  readonly messages: number;
  readonly transactions: number;
  readonly unreadTransactions: number;
  readonly octets: number;
  readonly databaseOctets: number;
  readonly deletedTransactions: number;
  /** Messages that the search index does not hold yet. */
  readonly unindexed: number;
}

// --------------------------------------------------------------------------------------------------------- store

export interface MailStore extends AsyncDisposable {
  createAccount(account: NewAccount): Promise<Account>; // ALREADYEXISTS
  findAccount(idOrAddress: AccountId | string): Promise<Account | undefined>;
  listAccounts(owner?: string): Promise<readonly Account[]>;
  /** The SCRAM-SHA-256 record; undefined: no such account, or nobody can log in. */
  findPasswordRecord(address: string): Promise<{ readonly account: Account; readonly record: string } | undefined>;
  setPasswordRecord(account: AccountId, record: string): Promise<void>; // NONEXISTENT
  setQuota(account: AccountId, limits: QuotaLimits): Promise<void>; // NONEXISTENT
  /** With all its mail. */
  deleteAccount(account: AccountId): Promise<void>; // NONEXISTENT

  /** In the order of names, INBOX first. */
  listMailboxes(account: AccountId): Promise<readonly Mailbox[]>;
  /**
   * @param right what the account wants to do with it; without, to know of it
   * @throws Refusal NOPERM: it knows of the mailbox and may not do that. Of what it does not know of, it is told nothing.
   */
  findMailbox(account: AccountId, nameOrId: string | MailboxId, right?: Right): Promise<Mailbox | undefined>;
  /** Makes superior names too (RFC 9051 §6.3.4). ALREADYEXISTS, CANNOT, LIMIT */
  createMailbox(account: AccountId, name: string, specialUse?: readonly SpecialUse[]): Promise<Mailbox>;
  /** NONEXISTENT, CANNOT (INBOX). Inferior names stay (RFC 9051 §6.3.5). */
  deleteMailbox(account: AccountId, name: string): Promise<void>;
  /** With its inferior names; INBOX: moves its messages into a new mailbox (RFC 9051 §6.3.6). NONEXISTENT, ALREADYEXISTS, CANNOT */
  renameMailbox(account: AccountId, from: string, to: string): Promise<void>;
  /**
   * The mailbox gets a UIDVALIDITY that it has not had; its messages keep their UIDs. For those who test clients: what a
   * client knows of the mailbox is void (RFC 9051 §2.3.1.1). NONEXISTENT
   * @returns the new one
   */
  renewUidValidity(account: AccountId, mailbox: MailboxId): Promise<number>;
  /** A name may be subscribed without a mailbox of that name (RFC 9051 §6.3.7). */
  setSubscribed(account: AccountId, name: string, subscribed: boolean): Promise<void>;
  /** Every subscribed name, whether the mailbox exists or not. */
  listSubscriptions(account: AccountId): Promise<readonly string[]>;
  /**
   * Annotations of a mailbox, or of `THE_SERVER`, in the order of the query, and below each entry in that of names; each
   * once. `/private/specialuse` tells the mailbox's special uses (RFC 6154 §4). NONEXISTENT
   * @param viewer whose private ones, if not those of the account whose mailbox it is
   */
  findAnnotations(
    account: AccountId,
    mailbox: MailboxId,
    query: AnnotationQuery,
    viewer?: AccountId,
  ): Promise<readonly Annotation[]>;
  /**
   * Sets entries, or removes those whose value is null; all or none. NONEXISTENT, ANNOTATIONTOOBIG, TOOMANYANNOTATIONS,
   * OVERQUOTA; USEATTR: `/private/specialuse` asks for what CREATE would be refused (RFC 6154 §4)
   * @param changes by entries in lower case, which begin with `/private/` or `/shared/`
   * @param actor who sets them, if not the account whose mailbox it is
   * @returns the number of this change in the actor's log; undefined: there was nothing to change there
   */
  setAnnotations(
    account: AccountId,
    mailbox: MailboxId,
    changes: ReadonlyMap<string, Uint8Array | null>,
    actor?: AccountId,
  ): Promise<ModSeq | undefined>;
  /** The present state. Sessions that have the mailbox open share it. NONEXISTENT */
  snapshot(account: AccountId, mailbox: MailboxId): Promise<MailboxSnapshot>;
  /** This session takes what nobody has seen yet as its \Recent: UIDs from `first` to before `next` (RFC 3501 §2.3.2). */
  claimRecent(account: AccountId, mailbox: MailboxId): Promise<ClaimedRecent>;
  /** The flags and keywords of a flag set, in the order in which they are printed. Of the snapshots this store gave out. */
  flagSet(index: number): readonly string[];

  spool(): Spool;
  /**
   * 250 means durable: resolves after the commit (group commit). OVERQUOTA, BEYONDQUOTA: with the deliveries that find no
   * room; none was made. DISKFULL
   */
  accept(transaction: Transaction): Promise<Accepted>;
  /**
   * All or none. `replaced` goes in the same moment (RFC 8508), and `modSeq` is then that of its going.
   * TRYCREATE, OVERQUOTA, BEYONDQUOTA, DISKFULL; NONEXISTENT: what was to be replaced is gone
   */
  appendMessages(
    account: AccountId,
    mailbox: string | MailboxId,
    messages: readonly NewMessage[],
    replaced?: Replaced,
  ): Promise<Appended>;
  /** All arrive or none (RFC 9051 §6.4.7). TRYCREATE; OVERQUOTA, BEYONDQUOTA: not by a move within one account */
  copyMessages(account: AccountId, from: MailboxId, uids: ArrayLike<number>, to: string | Destination): Promise<Copied>;
  moveMessages(account: AccountId, from: MailboxId, uids: ArrayLike<number>, to: string | Destination): Promise<Copied>;
  storeFlags(account: AccountId, mailbox: MailboxId, uids: ArrayLike<number>, change: FlagChange): Promise<FlagsStored>;
  /** Removes messages; `onlyDeleted`: only those with \Deleted (EXPUNGE, UID EXPUNGE). `uids` undefined: all. */
  expunge(
    account: AccountId,
    mailbox: MailboxId,
    options: { readonly uids?: ArrayLike<number>; readonly onlyDeleted: boolean },
  ): Promise<{ readonly uids: readonly Uid[]; readonly modSeq: ModSeq }>;
  /** In the order of `uids`, those that are gone left out; in batches, between which others are served. */
  fetchMessages(
    account: AccountId,
    mailbox: MailboxId,
    uids: ArrayLike<number>,
    wanted: Wanted,
  ): AsyncIterable<readonly FetchedMessage[]>;
  /**
   * Ascending UIDs. Takes the index and scans what is not in it yet; never misses mail.
   * @param report is called now and then while messages are read: how many of how many; `done` rises, `goal` stays
   */
  searchMessages(
    account: AccountId,
    mailbox: MailboxId,
    query: SearchQuery,
    signal?: AbortSignal,
    report?: (done: number, goal: number) => void,
  ): Promise<Uint32Array>;

  /** By what messages are ordered: one number for each of `uids`, which ascend; 0 for those that are gone. */
  sortKeys(
    account: AccountId,
    mailbox: MailboxId,
    uids: Uint32Array,
    name: SortKeyName,
  ): Promise<Uint32Array | Float64Array>;
  /** By what threads are made of them. */
  threadKeys(account: AccountId, mailbox: MailboxId, uids: Uint32Array): Promise<ThreadKeys>;

  /** `mailbox`: only what concerns it. */
  changesSince(account: AccountId, modSeq: ModSeq, mailbox?: MailboxId): Promise<Changes>;

  /** Undefined while another holds it (RFC 1939 §4). Given back by disposing, and when the process ends. */
  lockMaildrop(account: AccountId): Promise<AsyncDisposable | undefined>;

  /** Newest first. */
  listTransactions(
    filter: TransactionFilter,
    page: { readonly start: number; readonly limit: number; readonly before?: Date },
  ): Promise<TransactionList>;
  /** `latest`: the newest that passes the filter. */
  findTransaction(id: string, filter?: TransactionFilter): Promise<TransactionSummary | undefined>;
  /**
   * The octets of a transaction (or of any message, by its email id): trace and received octets, with the MIME tree.
   * @param owner only if an account of this owner has a copy
   */
  findContent(
    id: string | EmailId,
    owner?: string,
  ): Promise<{ readonly content: Content; readonly tree: MimePart } | undefined>;
  /**
   * Where these octets lie now, in the order of mailboxes and UIDs.
   * @param owner only in accounts of this owner
   */
  findCopies(email: EmailId, owner?: string): Promise<readonly MessageCopy[]>;
  /** `ids` undefined: all that pass the filter. Acts on all copies, or with `owner` on those of its accounts. @returns how many */
  markTransactions(ids: readonly string[] | undefined, read: boolean, filter?: TransactionFilter): Promise<number>;
  deleteTransactions(ids: readonly string[] | undefined, filter?: TransactionFilter): Promise<number>;
  /** The tags that transactions have, in the order of the alphabet, and how many have each. */
  listTags(): Promise<readonly { readonly tag: string; readonly count: number }[]>;
  /** Takes the place of all tags that these had. A tag that is there already keeps its spelling. @returns how many; CANNOT */
  setTags(ids: readonly string[], tags: readonly string[]): Promise<number>;
  /** `to` undefined: nothing has the tag any more. A name that is there already: both become one. @returns how many had it; CANNOT */
  renameTag(tag: string, to: string | undefined): Promise<number>;
  /** Undefined cursor: from now on. `tooOld`: read everything anew. */
  transactionEvents(
    cursor: string | undefined,
    filter?: TransactionFilter,
  ): Promise<{ readonly cursor: string; readonly events: readonly TransactionEvent[]; readonly tooOld: boolean }>;

  figures(): Promise<StoreFigures>;
  /** Resolves when the search index holds all that was committed before the call. */
  indexed(signal?: AbortSignal): Promise<void>;
}

// ---------------------------------------------------------------------------------------------------- shared mailboxes

/** A mailbox as its owner knows it, and what another account may do with it. */
export interface SharedMailbox {
  readonly mailbox: Mailbox;
  /** The owner's. */
  readonly address: string;
  readonly rights: Rights;
}

/**
 * Access control lists as they are kept (RFC 4314): nobody's rights are asked here, and `account` is whose a mailbox is.
 * `SharedMailboxes` puts them in front of a store.
 */
export interface AclStore {
  /** Undefined: there is no such mailbox. */
  ownerOf(mailbox: MailboxId): Promise<AccountId | undefined>;
  /** What the list of somebody else's mailbox gives to an account. */
  rightsOf(account: AccountId, mailbox: MailboxId): Promise<Rights>;
  /** Mailboxes of others, whose lists give this account a right; by owners. */
  listShared(account: AccountId): Promise<readonly SharedMailbox[]>;
  listAcl(mailbox: MailboxId): Promise<readonly AclEntry[]>;
  /** An entry without rights is removed. NONEXISTENT: also when no account has the address */
  changeAcl(account: AccountId, mailbox: MailboxId, change: AclChange): Promise<void>;
}

/** What has happened to the mailboxes that somebody shares. */
export interface SharedChanges extends Changes {
  /** There may be other mailboxes, other names or other rights now. */
  readonly mailboxesChanged: boolean;
}

/**
 * A store in which `account` is who acts: the mailboxes of others are there, as far as their owners let it, under names
 * such as `Other Users/bob@glass.test/INBOX`. Their numbers (UIDs, MODSEQs) are those of their owners. Whatever takes a
 * right that the account does not have is refused: NOPERM, or as if there were no such mailbox.
 */
export interface SharedMailStore extends MailStore {
  /** The owner first. */
  getAcl(account: AccountId, mailbox: string): Promise<readonly AclEntry[]>;
  /** CANNOT: the owner has all rights, always. NONEXISTENT */
  setAcl(account: AccountId, mailbox: string, change: AclChange): Promise<void>;
  /** What an identifier always has, and what it can be given besides. NONEXISTENT */
  listRights(
    account: AccountId,
    mailbox: string,
    entry: Pick<AclEntry, 'identifier' | 'negative'>,
  ): Promise<{ readonly required: Rights; readonly optional: Rights }>;
  /** Who lets the account know of a mailbox. */
  sharers(account: AccountId): Promise<readonly AccountId[]>;
  /** By the numbers of the owner; of messages, those in mailboxes that the account may know of and read. */
  sharedChangesSince(account: AccountId, owner: AccountId, modSeq: ModSeq): Promise<SharedChanges>;
}
