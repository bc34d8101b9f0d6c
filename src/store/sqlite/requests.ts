/** What is said to the thread that writes, and what it answers. Octets travel beside the requests, packed in order. */
import type { AccountId, EmailId, MailboxId, ModSeq, Uid } from '../change.ts';
import type { ClaimedRecent, Destination, Replaced, SpecialUse } from '../mail-store.ts';
import type { QuotaLimits } from '../quota.ts';
import type { RefusalCode, RefusedDelivery } from '../refusal.ts';
import type { AclChange, Rights } from '../rights.ts';
import type { FlagMode } from './flag-sets.ts';
import type { SortKeyRow } from './sort-key-rows.ts';

export interface AccountToMake {
  readonly address: string;
  readonly passwordRecord: string | undefined;
  readonly owner?: string;
}

/** Octets of a message: packed beside the request, or in a file of the folder for large ones. */
export interface ContentToKeep {
  readonly size: number;
  /** The file's name; undefined: the octets are packed. */
  readonly file: string | undefined;
}

/** What one STORE changed, so that whoever knows how it was before need not read how it is now. */
export interface FlagsChanged {
  /** Runs of UIDs: [first, last, …]. */
  readonly runs: readonly number[];
  /** Which flag set took the place of which. */
  readonly transitions: ReadonlyMap<number, number>;
}

export interface ChosenTransactions {
  readonly emailIds: Float64Array;
  /** Only the copies in accounts of this owner. */
  readonly owner: string | undefined;
}

export interface DeliveryToMake {
  readonly account: AccountId | AccountToMake;
  readonly mailbox: string;
  readonly flags: readonly string[];
}

export interface CopiedUids {
  readonly mailbox: MailboxId;
  readonly uidValidity: number;
  readonly source: Uint32Array;
  /** The destination's UIDs follow one another from here. */
  readonly firstUid: number;
  readonly modSeq: ModSeq;
}

/** A row of `derived`, with that of `sort_key`. */
export interface DerivedRow {
  readonly emailId: number;
  readonly sentDay: number | null;
  readonly parts: number;
  readonly summary: string;
  readonly envelope: Uint8Array;
  readonly body: Uint8Array;
  readonly bodyStructure: Uint8Array;
  readonly tree: Uint8Array;
  readonly sortKeys: SortKeyRow;
}

/** How many transactions, and whose copies of them there are: MODSEQs know nothing of tags. */
export interface TagsChanged {
  readonly count: number;
  readonly accounts: readonly AccountId[];
}

/** By name: what a request carries, and what it resolves to. */
export interface Requests {
  accept: {
    request: {
      readonly reversePath: string;
      readonly returnType: string | null;
      readonly envelopeId: string | null;
      /** JSON */
      readonly forwardPaths: string;
      /** JSON */
      readonly origin: string;
      /** Milliseconds since 1970. */
      readonly receivedAt: number;
      readonly traceSize: number;
      readonly content: ContentToKeep;
      readonly deliveries: readonly DeliveryToMake[];
      readonly tags: readonly string[];
    };
    result: {
      readonly transactionId: string;
      readonly emailId: EmailId;
      readonly copies: readonly { readonly account: AccountId; readonly mailbox: MailboxId; readonly uid: Uid }[];
    };
  };
  append: {
    request: {
      readonly account: AccountId;
      readonly mailbox: string | MailboxId;
      readonly messages: readonly {
        readonly content: ContentToKeep;
        readonly flags: readonly string[];
        /** Seconds since 1970. */
        readonly internalDate: number;
        readonly importKey: string | undefined;
      }[];
      readonly replaced: Replaced | undefined;
    };
    result: {
      readonly mailbox: MailboxId;
      readonly uidValidity: number;
      readonly uids: readonly (Uid | undefined)[];
      readonly modSeq: ModSeq;
    };
  };
  copy: {
    request: {
      readonly account: AccountId;
      readonly from: MailboxId;
      /** Ascending. */
      readonly uids: Uint32Array;
      readonly to: string | Destination;
      readonly move: boolean;
    };
    result: CopiedUids;
  };
  storeFlags: {
    request: {
      readonly account: AccountId;
      readonly mailbox: MailboxId;
      /** Ascending. */
      readonly uids: Uint32Array;
      readonly mode: FlagMode;
      readonly flags: readonly string[];
      readonly unchangedSince: number | undefined;
      readonly only?: Rights | undefined;
    };
    result: {
      readonly stored: Uint32Array;
      readonly modified: Uint32Array;
      readonly gone: Uint32Array;
      readonly modSeq: ModSeq;
      readonly changed: FlagsChanged;
    };
  };
  expunge: {
    request: {
      readonly account: AccountId;
      readonly mailbox: MailboxId;
      /** Ascending; undefined: all. */
      readonly uids: Uint32Array | undefined;
      readonly onlyDeleted: boolean;
    };
    result: { readonly uids: Uint32Array; readonly modSeq: ModSeq };
  };
  createAccount: { request: AccountToMake; result: AccountId };
  setPasswordRecord: { request: { readonly account: AccountId; readonly record: string }; result: undefined };
  setQuota: { request: { readonly account: AccountId; readonly limits: QuotaLimits }; result: undefined };
  deleteAccount: { request: { readonly account: AccountId }; result: undefined };
  createMailbox: {
    request: { readonly account: AccountId; readonly name: string; readonly specialUse: readonly SpecialUse[] };
    result: MailboxId;
  };
  deleteMailbox: { request: { readonly account: AccountId; readonly name: string }; result: undefined };
  renameMailbox: {
    request: { readonly account: AccountId; readonly from: string; readonly to: string };
    result: undefined;
  };
  renewUidValidity: { request: { readonly account: AccountId; readonly mailbox: MailboxId }; result: number };
  setSubscribed: {
    request: { readonly account: AccountId; readonly name: string; readonly subscribed: boolean };
    result: undefined;
  };
  setAnnotations: {
    request: {
      readonly account: AccountId;
      /** 0: the server. */
      readonly mailbox: MailboxId;
      /** Each entry once, in lower case; the values are packed in this order. Null: no value. */
      readonly changes: readonly { readonly entry: string; readonly octets: number | null }[];
      /** Who sets them, if not the account whose mailbox it is. */
      readonly actor?: AccountId | undefined;
    };
    /** Undefined: nothing has changed. */
    result: ModSeq | undefined;
  };
  changeAcl: {
    request: { readonly account: AccountId; readonly mailbox: MailboxId; readonly change: AclChange };
    result: undefined;
  };
  claimRecent: { request: { readonly account: AccountId; readonly mailbox: MailboxId }; result: ClaimedRecent };
  markTransactions: { request: ChosenTransactions & { readonly read: boolean }; result: number };
  deleteTransactions: { request: ChosenTransactions; result: number };
  setTags: {
    request: { readonly emailIds: Float64Array; readonly tags: readonly string[] };
    result: TagsChanged;
  };
  renameTag: { request: { readonly tag: string; readonly to: string | undefined }; result: TagsChanged };
  /** What the background has computed. */
  keepDerived: { request: { readonly rows: readonly DerivedRow[] }; result: undefined };
  /** For tests: the figures that decide what a commit means. */
  inspect: {
    request: { readonly maximumPages: number | undefined };
    result: { readonly synchronous: number; readonly journalMode: string; readonly commits: number };
  };
}

export type RequestName = keyof Requests;

/** How it ended: a refusal and a failure are values here, for errors lose their names between threads. */
export type Outcome =
  | { readonly type: 'done'; readonly result: unknown }
  | {
      readonly type: 'refused';
      readonly code: RefusalCode;
      readonly message: string;
      readonly deliveries: readonly RefusedDelivery[] | undefined;
    }
  | { readonly type: 'failed'; readonly message: string; readonly stack: string | undefined };

export interface Envelope {
  readonly id: number;
  readonly name: RequestName;
  readonly request: unknown;
  /** Where its packed octets begin in the batch, and how many they are. */
  readonly start: number;
  readonly octets: number;
}

/** What several callers asked for in one turn of the loop, as one message. */
export interface Batch {
  readonly envelopes: readonly Envelope[];
  /** Their octets; comes back with the last answer to be used again. */
  readonly packed: SharedArrayBuffer | undefined;
}

export interface Answer {
  readonly outcomes: readonly (readonly [id: number, outcome: Outcome])[];
  /** The accounts that changed, with the MODSEQ they reached: [account, modSeq, …]. */
  readonly reached: readonly number[];
  /** The id after the newest email's. */
  readonly nextEmail: number;
  /** Files in the folder of large messages that no email names any more. */
  readonly unneeded: readonly string[];
  /** Emails that are no more. */
  readonly removed: readonly number[];
}
