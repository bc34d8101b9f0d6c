/**
 * What orders the messages of mailboxes (SORT and THREAD, RFC 5256), column by column as it is asked for, read in small
 * steps and kept up: texts never change, so what is new is read, and what is gone is left out. A text column is the
 * mailbox's texts in order, each once, and for each message the place of its text among them.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inOctetOrder } from '../../mail/collation.ts';
import type { AccountId, MailboxId } from '../change.ts';
import type { MailboxSnapshot } from '../mail-store.ts';
import type { SortKeyName, ThreadKeys } from '../sort-keys.ts';
import type { Database, Statement } from './database.ts';
import type { Derivations } from './derivations.ts';
import type { Snapshots } from './snapshots.ts';
import { decodeNumbers, type SortKeyRow } from './sort-key-rows.ts';

type ColumnName = SortKeyName | 'threads';

interface Column {
  /** Of the messages that it covers: the first `count`, ascending. */
  readonly uids: Uint32Array;
  readonly count: number;
  /** What it takes of memory, in octets or nearly so. */
  readonly weight: number;
  /** Texts of messages that are gone stay in it; when they are the most, it is made anew. */
  readonly isStale: boolean;
}
interface TextColumn extends Column {
  /** Ascending, each once; the first is the empty text. */
  readonly texts: readonly string[];
  readonly ranks: Uint32Array;
}
interface DateColumn extends Column {
  /** Seconds since 1970. */
  readonly dates: Float64Array;
}
interface ThreadColumn extends Column, ThreadKeys {}

/** From the row that is kept; undefined: the message is gone. */
type Value = string | number | boolean | Uint8Array | null;
type Row = readonly [uid: number, emailId: number, kept: number | null, ...values: Value[]];

const ROWS_AT_ONCE = 1_000;
const STRINGS_AT_ONCE = 1_000;
/** How long the loop is kept, in milliseconds. */
const STEP = 5;
/** For the columns of mailboxes that nobody has asked for lately. */
const MOST_WEIGHT = 64 * 1024 * 1024;

/** What is read for a column, and the same of a message whose row is not there yet. */
const SOURCES: Readonly<Record<ColumnName, { columns: string; derived: (row: SortKeyRow) => Value[] }>> = {
  cc: { columns: 'k.cc_mailbox', derived: (row) => [row.ccMailbox] },
  'display-from': { columns: 'k.from_display', derived: (row) => [row.fromDisplay] },
  'display-to': { columns: 'k.to_display', derived: (row) => [row.toDisplay] },
  from: { columns: 'k.from_mailbox', derived: (row) => [row.fromMailbox] },
  'sent-date': { columns: 'k.sent_at', derived: (row) => [row.sentAt] },
  subject: { columns: 'k.base_subject', derived: (row) => [row.baseSubject] },
  threads: {
    columns: 'k.message_id, k.is_reply, k.reference_ids',
    derived: (row) => [row.messageId, row.isReply, row.referenceIds],
  },
  to: { columns: 'k.to_mailbox', derived: (row) => [row.toMailbox] },
};

export class SortKeyReads {
  readonly #db: Database;
  readonly #snapshots: Snapshots;
  readonly #derivations: Derivations;
  readonly #statements = new Map<ColumnName, Statement<[number, number, number], Row>>();
  /** The most recently used is the last. */
  readonly #mailboxes = new Map<MailboxId, Map<ColumnName, Column>>();
  /** One at a time reads a column. */
  readonly #reading = new Map<string, Promise<unknown>>();

  constructor(db: Database, snapshots: Snapshots, derivations: Derivations) {
    this.#db = db;
    this.#snapshots = snapshots;
    this.#derivations = derivations;
  }

  /** @param uids ascending  @returns one number for each; 0 for those that are gone */
  async sortKeys(
    account: AccountId,
    mailbox: MailboxId,
    uids: Uint32Array,
    name: SortKeyName,
  ): Promise<Uint32Array | Float64Array> {
    if (name === 'sent-date') {
      const column = await this.#column<DateColumn>(account, mailbox, name, readDates);
      return picked(column, uids, column.dates, new Float64Array(uids.length));
    }
    const column = await this.#column<TextColumn>(account, mailbox, name, readTexts);
    return picked(column, uids, column.ranks, new Uint32Array(uids.length));
  }

  /** @param uids ascending */
  async threadKeys(account: AccountId, mailbox: MailboxId, uids: Uint32Array): Promise<ThreadKeys> {
    return pickedThreads(await this.#column<ThreadColumn>(account, mailbox, 'threads', readThreads), uids);
  }

  async #column<T extends Column>(
    account: AccountId,
    mailbox: MailboxId,
    name: ColumnName,
    read: Reader<T>,
  ): Promise<T> {
    const key = `${mailbox}/${name}`;
    for (let reading; (reading = this.#reading.get(key)) !== undefined;) await reading.catch(() => undefined);
    const snapshot = await this.#snapshots.get(account, mailbox);
    const known = this.#mailboxes.get(mailbox)?.get(name) as T | undefined;
    if (known?.uids === snapshot.uids && known.count === snapshot.count) return known;
    // Somebody else may have begun while the snapshot was read.
    if (this.#reading.has(key)) return this.#column(account, mailbox, name, read);
    const reading = this.#updated(snapshot, name, known, read).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #updated<T extends Column>(
    snapshot: MailboxSnapshot,
    name: ColumnName,
    known: T | undefined,
    read: Reader<T>,
  ): Promise<T> {
    const base = known?.isStale ? undefined : known;
    const kept = survivors(base, snapshot);
    const column = await read(snapshot, base, kept, (from) => this.#values(snapshot, name, from));
    const columns = this.#mailboxes.get(snapshot.mailbox.id) ?? new Map<ColumnName, Column>();
    columns.set(name, column);
    this.#mailboxes.delete(snapshot.mailbox.id);
    this.#mailboxes.set(snapshot.mailbox.id, columns);
    this.#trim();
    return column;
  }

  /** For each message of the snapshot from the place `from` on: its place and its values. Those that are gone are left out. */
  async *#values(snapshot: MailboxSnapshot, name: ColumnName, from: number): Values {
    const { uids, count, mailbox } = snapshot;
    const statement = this.#statement(name);
    let last = from === 0 ? 0 : uids[from - 1]!;
    let at = from;
    let since = performance.now();
    for (;;) {
      const rows = statement.all(mailbox.id, last, ROWS_AT_ONCE);
      const found: [at: number, values: readonly Value[]][] = [];
      for (const [uid, emailId, kept, ...values] of rows) {
        while (at < count && uids[at]! < uid) at++;
        if (at === count) break; // it came after the snapshot
        if (uids[at] !== uid) continue;
        found.push([at, kept === null ? await this.#derive(name, emailId) : values]);
        if (performance.now() - since < STEP) continue;
        await nextTurn();
        since = performance.now();
      }
      yield found;
      if (rows.length < ROWS_AT_ONCE || at >= count) return;
      last = rows.at(-1)![0];
    }
  }

  async #derive(name: ColumnName, emailId: number): Promise<Value[]> {
    return SOURCES[name].derived(await this.#derivations.sortKeys(emailId));
  }

  #statement(name: ColumnName): Statement<[number, number, number], Row> {
    let statement = this.#statements.get(name);
    if (!statement) {
      statement = this.#db
        .prepare<[number, number, number], Row>(
          `SELECT m.uid, m.email_id, k.email_id, ${SOURCES[name].columns}
           FROM message AS m LEFT JOIN sort_key AS k ON k.email_id = m.email_id
           WHERE m.mailbox_id = ? AND m.uid > ? ORDER BY m.uid LIMIT ?`,
        )
        .raw();
      this.#statements.set(name, statement);
    }
    return statement;
  }

  #trim(): void {
    const weightOf = (columns: ReadonlyMap<ColumnName, Column>): number =>
      columns.values().reduce((sum, { weight }) => sum + weight, 0);
    let weight = this.#mailboxes.values().reduce((sum, columns) => sum + weightOf(columns), 0);
    for (const [id, columns] of this.#mailboxes) {
      if (weight <= MOST_WEIGHT || this.#mailboxes.size === 1) return;
      this.#mailboxes.delete(id);
      weight -= weightOf(columns);
    }
  }
}

// ------------------------------------------------------------------------------------------------------ reading

type Values = AsyncGenerator<readonly (readonly [at: number, values: readonly Value[]])[], void, undefined>;

/**
 * Makes a column for a snapshot.
 * @param kept the places in `known` of what is still there: the snapshot's first messages
 * @param values of the messages from a place on
 */
type Reader<T extends Column> = (
  snapshot: MailboxSnapshot,
  known: T | undefined,
  kept: Uint32Array,
  values: (from: number) => Values,
) => Promise<T>;

const readDates: Reader<DateColumn> = async ({ uids, count, internalDates }, known, kept, values) => {
  const dates = new Float64Array(count);
  for (let i = 0; i < kept.length; i++) dates[i] = known!.dates[kept[i]!]!;
  for await (const some of values(kept.length)) {
    // RFC 5256 §2.2: without a date, the internal date.
    for (const [at, [sentAt]] of some) dates[at] = sentAt === null ? internalDates[at]! / 1000 : Number(sentAt);
  }
  return { uids, count, dates, weight: 8 * count, isStale: false };
};

const readTexts: Reader<TextColumn> = async ({ uids, count }, known, kept, values) => {
  const added: string[] = new Array<string>(count - kept.length).fill('');
  for await (const some of values(kept.length)) {
    for (const [at, [text]] of some) added[at - kept.length] = inOctetOrder(text as string);
  }
  const before = known?.texts ?? [''];
  const { texts, moved, places } = await merged(before, added);
  const ranks = new Uint32Array(count);
  for (let i = 0; i < kept.length; i++) ranks[i] = moved[known!.ranks[kept[i]!]!]!;
  for (let i = 0; i < added.length; i++) ranks[kept.length + i] = places.get(added[i]!)!;
  let weight = 4 * count;
  for (const text of texts) weight += 24 + text.length;
  return { uids, count, texts, ranks, weight, isStale: texts.length > 2 * count + 1000 };
};

const readThreads: Reader<ThreadColumn> = async ({ uids, count }, known, kept, values) => {
  const messageIds = new Float64Array(count);
  const replies = new Uint8Array(count);
  const starts = new Uint32Array(count + 1);
  const pieces: Float64Array[] = [];
  let length = 0;
  let filled = 0;
  const add = (at: number, messageId: number, reply: number, references: Float64Array | undefined): void => {
    while (filled < at) starts[++filled] = length; // those that are gone have none
    messageIds[at] = messageId;
    replies[at] = reply;
    if (references) pieces.push(references);
    length += references?.length ?? 0;
    starts[++filled] = length;
  };
  kept.forEach((from, at) => {
    const { messageIds: ids, replies: answers, references, starts: begins } = known!;
    add(at, ids[from]!, answers[from]!, references.subarray(begins[from], begins[from + 1]));
  });
  for await (const some of values(kept.length)) {
    for (const [at, [messageId, isReply, references]] of some) {
      add(at, Number(messageId), Number(isReply), references ? decodeNumbers(references as Uint8Array) : undefined);
    }
  }
  while (filled < count) starts[++filled] = length;
  const references = joined(pieces, length);
  return { uids, count, messageIds, replies, starts, references, weight: 13 * count + 8 * length, isStale: false };
};

function joined(pieces: readonly Float64Array[], length: number): Float64Array {
  const all = new Float64Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** The places of a column's messages that are still there. UIDs ascend: all that is new comes after them. */
function survivors(known: Column | undefined, { uids, count }: MailboxSnapshot): Uint32Array {
  if (!known) return new Uint32Array(0);
  const places = new Uint32Array(known.count);
  let kept = 0;
  for (let from = 0; from < known.count && kept < count; from++) {
    if (known.uids[from] === uids[kept]) places[kept++] = from;
  }
  return places.subarray(0, kept);
}

/**
 * Texts in order, with more of them.
 * @returns `moved`: by the place of each of `before`, its place now; `places` of those that were added
 */
async function merged(
  before: readonly string[],
  added: readonly string[],
): Promise<{ texts: readonly string[]; moved: Uint32Array; places: ReadonlyMap<string, number> }> {
  const places = new Map<string, number>();
  for (const text of added) places.set(text, 0);
  const more = await sorted([...places.keys()]);
  const texts: string[] = [];
  const moved = new Uint32Array(before.length);
  for (let i = 0, j = 0; i < before.length || j < more.length;) {
    const isOld = j === more.length || (i < before.length && before[i]! <= more[j]!);
    const text = isOld ? before[i]! : more[j]!;
    if (j < more.length && more[j] === text) places.set(more[j++]!, texts.length);
    if (isOld) moved[i++] = texts.length;
    texts.push(text);
    if (texts.length % (8 * STRINGS_AT_ONCE) === 0) await nextTurn();
  }
  return { texts, moved, places };
}

/** In small steps: a hundred thousand texts at once would keep others waiting. */
async function sorted(texts: string[]): Promise<string[]> {
  let runs: string[][] = [];
  let since = performance.now();
  const pause = async (): Promise<void> => {
    if (performance.now() - since < STEP) return;
    await nextTurn();
    since = performance.now();
  };
  for (let at = 0; at < texts.length; at += STRINGS_AT_ONCE) {
    runs.push(texts.slice(at, at + STRINGS_AT_ONCE).sort((a, b) => (a < b ? -1 : 1)));
    await pause();
  }
  while (runs.length > 1) {
    const next: string[][] = [];
    for (let i = 0; i < runs.length; i += 2) next.push(await mergedRuns(runs[i]!, runs[i + 1] ?? [], pause));
    runs = next;
  }
  return runs[0] ?? [];
}

async function mergedRuns(
  left: readonly string[],
  right: readonly string[],
  pause: () => Promise<void>,
): Promise<string[]> {
  const merged: string[] = [];
  for (let i = 0, j = 0; i < left.length || j < right.length;) {
    const takesLeft = j === right.length || (i < left.length && left[i]! <= right[j]!);
    merged.push(takesLeft ? left[i++]! : right[j++]!);
    if (merged.length % STRINGS_AT_ONCE === 0) await pause();
  }
  return merged;
}

// ------------------------------------------------------------------------------------------------------ picking

/** Both ascend. Calls `take` for each of `uids` that the column has. */
function pick(column: Column, uids: Uint32Array, take: (to: number, from: number) => void): void {
  let from = 0;
  for (let to = 0; to < uids.length; to++) {
    while (from < column.count && column.uids[from]! < uids[to]!) from++;
    if (from < column.count && column.uids[from] === uids[to]) take(to, from);
  }
}

function picked<T extends Uint32Array | Float64Array>(column: Column, uids: Uint32Array, values: T, into: T): T {
  pick(column, uids, (to, from) => (into[to] = values[from]!));
  return into;
}

function pickedThreads(column: ThreadColumn, uids: Uint32Array): ThreadKeys {
  const messageIds = new Float64Array(uids.length);
  const replies = new Uint8Array(uids.length);
  const starts = new Uint32Array(uids.length + 1);
  const places = new Float64Array(uids.length).fill(-1);
  let length = 0;
  pick(column, uids, (to, from) => {
    messageIds[to] = column.messageIds[from]!;
    replies[to] = column.replies[from]!;
    places[to] = from;
    length += column.starts[from + 1]! - column.starts[from]!;
  });
  const references = new Float64Array(length);
  for (let i = 0, at = 0; i < uids.length; i++) {
    const from = places[i]!;
    if (from >= 0) {
      const some = column.references.subarray(column.starts[from], column.starts[from + 1]);
      references.set(some, at);
      at += some.length;
    }
    starts[i + 1] = at;
  }
  return { messageIds, references, starts, replies };
}
