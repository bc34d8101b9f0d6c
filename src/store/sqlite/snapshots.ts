/**
 * The messages of mailboxes as parallel arrays, shared by all sessions that have a mailbox open and kept up from the
 * change log. What was given out never changes in what its `count` covers: new messages are written behind it, and
 * flags that change, or messages that go, mean other arrays.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountId, MailboxId, ModSeq } from '../change.ts';
import type { Mailbox, MailboxSnapshot } from '../mail-store.ts';
import { Refusal } from '../refusal.ts';
import type { AccountReads } from './accounts.ts';
import type { Database } from './database.ts';
import { CHANGE } from './ledger.ts';
import type { MailboxReads } from './mailboxes.ts';
import type { FlagsChanged } from './requests.ts';
import { textToRanges } from './uid-ranges.ts';

/** Rows read between two turns of the loop: a few milliseconds. */
const ROWS_AT_ONCE = 4_000;
/** Rows of flags read in one turn, a few milliseconds too: they are narrower. */
const FLAGS_AT_ONCE = 20_000;
/** Messages of mailboxes that are kept although nobody may have them open: some 36 octets each. */
const MESSAGES_KEPT = 1_000_000;

type Row = [uid: number, flagSet: number, modSeq: number, size: number, internalDate: number, emailId: number];
type FlagRow = [uid: number, flagSet: number, modSeq: number];

interface Columns {
  uids: Uint32Array;
  flagSets: Uint32Array;
  modSeqs: Float64Array;
  sizes: Uint32Array;
  internalDates: Float64Array;
  emailIds: Float64Array;
}

interface Entry {
  columns: Columns;
  count: number;
  /** The account's number up to which the columns are current. */
  modSeq: number;
  /** The last one given out, while nothing has changed since. */
  given: MailboxSnapshot | undefined;
}

/** What one refresh has to do. */
interface Work {
  readonly mailbox: Mailbox;
  readonly modSeq: number;
  /** Runs of UIDs to be read: [first, last, …]. */
  readonly arrived: number[];
  /** Those whose flags and MODSEQ are to be read again. */
  readonly flagged: number[];
  readonly expunged: number[];
}

export class Snapshots {
  readonly #db: Database;
  readonly #accounts: AccountReads;
  readonly #mailboxes: MailboxReads;
  readonly #entries = new Map<MailboxId, Entry>();
  readonly #loading = new Map<MailboxId, Promise<void>>();
  /** What the writer last said that each account has reached. */
  readonly #reached = new Map<number, number>();
  readonly #statements;

  constructor(db: Database, accounts: AccountReads, mailboxes: MailboxReads) {
    this.#db = db;
    this.#accounts = accounts;
    this.#mailboxes = mailboxes;
    const columns = 'uid, flag_set, mod_seq, size, internal_date, email_id';
    this.#statements = {
      range: db
        .prepare<[number, number, number], Row>(
          `SELECT ${columns} FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ? ORDER BY uid`,
        )
        .raw(),
      flags: db
        .prepare<[number, number, number], FlagRow>(
          'SELECT uid, flag_set, mod_seq FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ? ORDER BY uid',
        )
        .raw(),
      after: db
        .prepare<[number, number, number], Row>(
          `SELECT ${columns} FROM message WHERE mailbox_id = ? AND uid > ? ORDER BY uid LIMIT ?`,
        )
        .raw(),
      changes: db
        .prepare<[number, number], [type: number, uids: string]>(
          'SELECT type, uids FROM change WHERE mailbox_id = ? AND mod_seq > ? AND type <= 3 ORDER BY mod_seq, type',
        )
        .raw(),
      oldest: db.prepare<[number], number>('SELECT min(mod_seq) FROM change WHERE account_id = ?').pluck(),
    };
  }

  /** The writer has committed something. */
  reached(account: number, modSeq: number): void {
    if (this.#entries.size > 0) this.#reached.set(account, modSeq);
  }

  /** What a number changed. If nothing else has happened since the columns were read, they are put right without reading. */
  flagsChanged(mailbox: MailboxId, modSeq: number, { runs, transitions }: FlagsChanged): void {
    const entry = this.#entries.get(mailbox);
    if (entry?.modSeq !== modSeq - 1 || runs.length === 0) return;
    const { uids } = entry.columns;
    const flagSets = entry.columns.flagSets.slice();
    const modSeqs = entry.columns.modSeqs.slice();
    for (let i = 0; i < runs.length; i += 2) {
      const last = runs[i + 1]!;
      for (let at = lowerBound(uids, entry.count, runs[i]!); at < entry.count && uids[at]! <= last; at++) {
        const flagSet = transitions.get(flagSets[at]!);
        if (flagSet === undefined) return; // not what the writer knows: to be read
        flagSets[at] = flagSet;
        modSeqs[at] = modSeq;
      }
    }
    entry.columns = { ...entry.columns, flagSets, modSeqs };
    entry.modSeq = modSeq;
    entry.given = undefined;
  }

  /** Something of the mailbox changed that has no MODSEQ. */
  forgetGiven(mailbox: MailboxId): void {
    const entry = this.#entries.get(mailbox);
    if (entry) entry.given = undefined;
  }

  /** The last one given out, perhaps out of date by now. */
  peek(mailbox: MailboxId): MailboxSnapshot | undefined {
    return this.#entries.get(mailbox)?.given;
  }

  async get(account: AccountId, mailbox: MailboxId): Promise<MailboxSnapshot> {
    for (;;) {
      const entry = this.#entries.get(mailbox);
      if (entry) {
        const { given } = entry;
        if (given?.mailbox.account === account && (this.#reached.get(account) ?? 0) <= entry.modSeq) return given;
        const snapshot = this.#refresh(account, mailbox, entry);
        if (snapshot) return snapshot;
      } else if (!this.#mailboxes.find(account, mailbox)) {
        throw noSuchMailbox();
      }
      await this.#load(account, mailbox);
    }
  }

  /** Reads a mailbox from its first message, or goes on with what is there, in chunks, once for all who wait. */
  async #load(account: AccountId, mailbox: MailboxId): Promise<void> {
    let loading = this.#loading.get(mailbox);
    if (!loading) {
      loading = this.#read(account, mailbox).finally(() => this.#loading.delete(mailbox));
      this.#loading.set(mailbox, loading);
    }
    await loading;
  }

  /** What changes meanwhile is put right by the `#refresh` that follows. */
  async #read(account: AccountId, mailbox: MailboxId): Promise<void> {
    const modSeq = this.#accounts.modSeq(account);
    const found = this.#mailboxes.find(account, mailbox);
    if (modSeq === undefined || !found) throw noSuchMailbox();
    const entry: Entry = { columns: newColumns(found.messages + 1024), count: 0, modSeq, given: undefined };
    let last = 0;
    for (;;) {
      const rows = this.#statements.after.all(mailbox, last, ROWS_AT_ONCE);
      for (const row of rows) append(entry, row);
      if (rows.length < ROWS_AT_ONCE) break;
      last = rows.at(-1)![0];
      await nextTurn();
    }
    this.#entries.set(mailbox, entry);
  }

  /** Brings an entry up to date; undefined: that is too much at once, it is to be loaded anew. */
  #refresh(account: AccountId, mailbox: MailboxId, entry: Entry): MailboxSnapshot | undefined {
    const work = this.#db.transaction(() => this.#work(account, mailbox, entry))();
    if (!work) {
      this.#entries.delete(mailbox);
      return undefined;
    }
    entry.modSeq = work.modSeq;
    entry.given = snapshotOf(work.mailbox, entry);
    // The most recently used is the last.
    this.#entries.delete(mailbox);
    this.#entries.set(mailbox, entry);
    this.#trim();
    return entry.given;
  }

  /** All in one view of the database. */
  #work(account: AccountId, id: MailboxId, entry: Entry): Pick<Work, 'mailbox' | 'modSeq'> | undefined {
    const mailbox = this.#mailboxes.find(account, id);
    const modSeq = this.#accounts.modSeq(account);
    if (!mailbox || modSeq === undefined) {
      this.#entries.delete(id);
      throw noSuchMailbox();
    }
    if (mailbox.highestModSeq > entry.modSeq) {
      if ((this.#statements.oldest.get(account) ?? 0) > entry.modSeq + 1) return undefined;
      const work: Work = { mailbox, modSeq, arrived: [], flagged: [], expunged: [] };
      for (const [type, uids] of this.#statements.changes.iterate(id, entry.modSeq)) {
        const target = type === CHANGE.arrived ? work.arrived : type === CHANGE.flags ? work.flagged : work.expunged;
        for (const { first, last } of textToRanges(uids)) target.push(first, last);
      }
      if (amount(work.arrived) > Math.max(ROWS_AT_ONCE, mailbox.messages / 4)) return undefined;
      if (amount(work.flagged) > FLAGS_AT_ONCE) return undefined;
      if (!this.#apply(id, entry, work)) return undefined;
    }
    return { mailbox, modSeq };
  }

  /** @returns false when what is there does not fit to what the log says */
  #apply(id: MailboxId, entry: Entry, { arrived, flagged, expunged }: Work): boolean {
    if (expunged.length > 0) remove(entry, expunged);
    const again = [...flagged];
    for (let i = 0; i < arrived.length; i += 2) {
      for (const row of this.#statements.range.all(id, arrived[i]!, arrived[i + 1]!)) {
        if (entry.count === 0 || row[0] > entry.columns.uids[entry.count - 1]!) append(entry, row);
        else again.push(row[0], row[0]); // it came while the mailbox was read
      }
    }
    if (again.length === 0) return true;
    const { uids } = entry.columns;
    const flagSets = entry.columns.flagSets.slice();
    const modSeqs = entry.columns.modSeqs.slice();
    for (let i = 0; i < again.length; i += 2) {
      let at = lowerBound(uids, entry.count, again[i]!);
      for (const [uid, flagSet, modSeq] of this.#statements.flags.all(id, again[i]!, again[i + 1]!)) {
        while (at < entry.count && uids[at]! < uid) at++;
        if (at === entry.count || uids[at] !== uid) return false;
        flagSets[at] = flagSet;
        modSeqs[at] = modSeq;
      }
    }
    entry.columns = { ...entry.columns, flagSets, modSeqs };
    return true;
  }

  #trim(): void {
    let messages = 0;
    for (const { count } of this.#entries.values()) messages += count;
    for (const [id, { count }] of this.#entries) {
      if (messages <= MESSAGES_KEPT || this.#entries.size === 1) return;
      this.#entries.delete(id);
      messages -= count;
    }
  }
}

/** How many UIDs the runs have. */
function amount(runs: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < runs.length; i += 2) sum += runs[i + 1]! - runs[i]! + 1;
  return sum;
}

const noSuchMailbox = (): Refusal => new Refusal('NONEXISTENT', 'There is no such mailbox');

function newColumns(capacity: number): Columns {
  return {
    uids: new Uint32Array(capacity),
    flagSets: new Uint32Array(capacity),
    modSeqs: new Float64Array(capacity),
    sizes: new Uint32Array(capacity),
    internalDates: new Float64Array(capacity),
    emailIds: new Float64Array(capacity),
  };
}

/** Behind the last message: snapshots that were given out do not reach there. */
function append(entry: Entry, [uid, flagSet, modSeq, size, internalDate, emailId]: Row): void {
  const at = entry.count;
  if (at === entry.columns.uids.length) entry.columns = grown(entry.columns, at);
  const { columns } = entry;
  columns.uids[at] = uid;
  columns.flagSets[at] = flagSet;
  columns.modSeqs[at] = modSeq;
  columns.sizes[at] = size;
  columns.internalDates[at] = internalDate * 1000;
  columns.emailIds[at] = emailId;
  entry.count++;
}

function grown(columns: Columns, count: number): Columns {
  const next = newColumns(Math.ceil(count * 1.5) + 1024);
  for (const name of Object.keys(columns) as (keyof Columns)[]) next[name].set(columns[name]);
  return next;
}

/** @param runs ascending within one change, in any order between changes: [first, last, …] */
function remove(entry: Entry, runs: readonly number[]): void {
  const { columns, count } = entry;
  const gone = new Uint8Array(count);
  for (let i = 0; i < runs.length; i += 2) {
    for (let at = lowerBound(columns.uids, count, runs[i]!); at < count && columns.uids[at]! <= runs[i + 1]!; at++) {
      gone[at] = 1;
    }
  }
  const next = newColumns(columns.uids.length);
  let kept = 0;
  for (let from = 0; from < count;) {
    if (gone[from] === 1) {
      from++;
      continue;
    }
    let to = gone.indexOf(1, from);
    if (to < 0) to = count;
    for (const name of Object.keys(columns) as (keyof Columns)[])
      next[name].set(columns[name].subarray(from, to), kept);
    kept += to - from;
    from = to;
  }
  entry.columns = next;
  entry.count = kept;
}

/** The first index whose UID is not less. */
export function lowerBound(uids: Uint32Array, count: number, uid: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (uids[middle]! < uid) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of a UID, or -1. */
export function find(uids: Uint32Array, count: number, uid: number): number {
  const at = lowerBound(uids, count, uid);
  return at < count && uids[at] === uid ? at : -1;
}

function snapshotOf(mailbox: Mailbox, entry: Entry): MailboxSnapshot {
  return { mailbox, modSeq: entry.modSeq as ModSeq, count: entry.count, ...entry.columns };
}
