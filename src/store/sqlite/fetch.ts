/**
 * FETCH (RFC 9051 §6.4.5): rows are read by ranges where UIDs are neighbours in the mailbox, in batches that are bounded
 * in number and octets, and between two batches others are served.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountId, EmailId, MailboxId, Uid } from '../change.ts';
import type { FetchedMessage, MailboxSnapshot, Wanted } from '../mail-store.ts';
import { Refusal } from '../refusal.ts';
import type { Database, Statement } from './database.ts';
import type { Derivations } from './derivations.ts';
import { keptTree } from './derive.ts';
import { KEPT_OCTETS, type EmailReads } from './emails.ts';
import type { LargeFiles } from './large-files.ts';
import type { MailboxReads } from './mailboxes.ts';
import { PackedRows, type Column } from './packed-rows.ts';
import { find, type Snapshots } from './snapshots.ts';

const MESSAGES_IN_BATCH = 256;
const OCTETS_IN_BATCH = 1024 * 1024;
/** Fewer messages than this are read row by row. */
const WORTH_PACKING = 4;
/** How long the loop is kept, in milliseconds. */
const STEP = 5;

interface Row {
  uid: number;
  email_id: number;
  size: number;
  saved_date?: number;
  envelope?: Uint8Array | null;
  body?: Uint8Array | null;
  body_structure?: Uint8Array | null;
  tree?: Uint8Array | null;
  preview?: string | null;
  trace_size?: number;
  file?: string | null;
  /** Trace and octets; of one whose octets lie in a file, the trace. */
  octets?: Uint8Array;
}

/** How a batch is read: packed where messages lie side by side, row by row elsewhere. */
interface Reading {
  readonly rows: Statement<[number, number, number], Row>;
  readonly packed: PackedRows<keyof Row>;
  readonly hasOctets: boolean;
}

/** `-readonly`, for a message is put together step by step. */
type Draft = { -readonly [Key in keyof FetchedMessage]: FetchedMessage[Key] };

interface Cursor {
  readonly uids: ArrayLike<number>;
  readonly snapshot: MailboxSnapshot | undefined;
  /** The index of the next UID. */
  at: number;
}

export class Fetches {
  readonly #db: Database;
  readonly #emails: EmailReads;
  readonly #derivations: Derivations;
  readonly #mailboxes: MailboxReads;
  readonly #snapshots: Snapshots;
  readonly #files: LargeFiles;
  /** By the columns that they read. */
  readonly #readings = new Map<string, Reading>();

  constructor(
    db: Database,
    emails: EmailReads,
    derivations: Derivations,
    mailboxes: MailboxReads,
    snapshots: Snapshots,
    files: LargeFiles,
  ) {
    this.#db = db;
    this.#emails = emails;
    this.#derivations = derivations;
    this.#mailboxes = mailboxes;
    this.#snapshots = snapshots;
    this.#files = files;
  }

  async *fetch(
    account: AccountId,
    mailbox: MailboxId,
    uids: ArrayLike<number>,
    wanted: Wanted,
  ): AsyncIterable<readonly FetchedMessage[]> {
    const snapshot = this.#snapshots.peek(mailbox);
    // Of one that was open and has been deleted since, there is nothing to fetch.
    if (snapshot?.mailbox.account !== account && !this.#mailboxes.find(account, mailbox))
      throw new Refusal('NONEXISTENT', 'There is no such mailbox');
    // Whoever has been given a content reads it before he asks for more.
    using _reading = this.#files.reading();
    const reading = this.#reading(wanted);
    const cursor: Cursor = { uids, snapshot, at: 0 };
    let since = performance.now();
    while (cursor.at < uids.length) {
      const rows = this.#batch(reading, mailbox, cursor);
      const messages = await this.#complete(
        rows.map((row) => this.#toMessage(row)),
        wanted,
      );
      if (messages.length > 0) yield messages;
      if (performance.now() - since < STEP) continue;
      await nextTurn();
      since = performance.now();
    }
  }

  #reading(wanted: Wanted): Reading {
    const columns = columnsFor(wanted);
    const key = columns.map(({ name }) => name).join(' ');
    let reading = this.#readings.get(key);
    if (!reading) {
      const derived = columns.some(({ expression }) => expression.startsWith('d.'));
      const tables = `message AS m ${derived ? 'LEFT JOIN derived AS d ON d.email_id = m.email_id' : ''}
        ${wanted.content ? 'JOIN email AS e ON e.id = m.email_id' : ''}`;
      const selected = columns.map(({ name, expression }) => `, ${expression} AS ${name}`).join('');
      reading = {
        rows: this.#db.prepare<[number, number, number], Row>(
          `SELECT m.uid, m.email_id, m.size${selected}
           FROM ${tables} WHERE m.mailbox_id = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid`,
        ),
        packed: new PackedRows(this.#db, tables, columns),
        hasOctets: wanted.content === true,
      };
      this.#readings.set(key, reading);
    }
    return reading;
  }

  #batch(reading: Reading, mailbox: MailboxId, cursor: Cursor): readonly Row[] {
    const rows: Row[] = [];
    let octets = 0;
    while (cursor.at < cursor.uids.length && rows.length < MESSAGES_IN_BATCH && octets < OCTETS_IN_BATCH) {
      const run = nextRun(cursor, MESSAGES_IN_BATCH - rows.length);
      const packed = this.#readPacked(reading, mailbox, cursor, run, OCTETS_IN_BATCH - octets);
      if (packed) {
        for (const row of packed) {
          rows.push(row);
          octets += octetsOf(row);
        }
        cursor.at += packed.length;
        continue;
      }
      const last = cursor.uids[run.end - 1]!;
      if (run.end === cursor.at + 1) {
        const row = reading.rows.get(mailbox, last, last);
        if (row) rows.push(row);
        octets += row ? octetsOf(row) : 0;
        cursor.at++;
        continue;
      }
      let full = false;
      for (const row of reading.rows.iterate(mailbox, cursor.uids[cursor.at]!, last)) {
        rows.push(row);
        octets += octetsOf(row);
        if (octets >= OCTETS_IN_BATCH && row.uid < last) {
          while (cursor.uids[cursor.at]! <= row.uid) cursor.at++;
          full = true;
          break;
        }
      }
      if (full) break;
      cursor.at = run.end;
    }
    return rows;
  }

  /** The beginning of a run, at most so many octets; undefined: it is to be read row by row. */
  #readPacked(
    { packed, hasOctets }: Reading,
    mailbox: MailboxId,
    { snapshot, at }: Cursor,
    { end, position }: Run,
    most: number,
  ): readonly Row[] | undefined {
    if (!snapshot || position < 0) return undefined;
    const count = hasOctets ? howManyFit(snapshot, position, end - at, most) : end - at;
    if (count < WORTH_PACKING) return undefined;
    const values = packed.read(mailbox, snapshot, position, position + count);
    if (!values) return undefined;
    const rows: Row[] = [];
    for (let i = 0; i < count; i++) {
      const [uid, email_id, size] = [
        snapshot.uids[position + i]!,
        snapshot.emailIds[position + i]!,
        snapshot.sizes[position + i]!,
      ];
      rows.push({ uid, email_id, size });
    }
    for (const name of Object.keys(values) as (keyof Row)[]) {
      const column = values[name] as never[];
      for (let i = 0; i < count; i++) rows[i]![name] = column[i]!;
    }
    return rows;
  }

  #toMessage(row: Row): Draft {
    const message: Draft = { uid: row.uid as Uid, emailId: row.email_id as EmailId, size: row.size };
    if (row.saved_date !== undefined) message.savedDate = new Date(row.saved_date * 1000);
    if (row.octets) message.content = this.#emails.toContent(row.size, row.trace_size!, row.file!, row.octets);
    if (row.envelope) message.envelope = row.envelope;
    if (row.body) message.body = row.body;
    if (row.body_structure) message.bodyStructure = row.body_structure;
    if (typeof row.preview === 'string') message.preview = row.preview;
    const tree = row.tree ? keptTree(row.tree) : undefined;
    if (tree) message.tree = tree;
    return message;
  }

  /** Adds what is not derived yet, without keeping the loop for long. @returns those that are not gone meanwhile */
  async #complete(messages: readonly Draft[], wanted: Wanted): Promise<readonly Draft[]> {
    const gone = new Set<Draft>();
    let since = performance.now();
    for (const message of messages) {
      if (isComplete(message, wanted)) continue;
      if (wanted.preview === 'always') message.preview ??= (await this.#derivations.summary(message.emailId)).snippet;
      const derived = await this.#derivations.derive(message.emailId, wanted, message.content);
      if (!derived) {
        gone.add(message);
        continue;
      }
      if (wanted.envelope) message.envelope ??= derived.envelope!;
      if (wanted.body) message.body ??= derived.body!;
      if (wanted.bodyStructure) message.bodyStructure ??= derived.bodyStructure!;
      if (wanted.tree) message.tree ??= derived.tree!;
      if (performance.now() - since < STEP) continue;
      await nextTurn();
      since = performance.now();
    }
    return gone.size === 0 ? messages : messages.filter((message) => !gone.has(message));
  }
}

function columnsFor(wanted: Wanted): readonly Column<keyof Row>[] {
  const columns: Column<keyof Row>[] = [];
  if (wanted.savedDate) columns.push({ name: 'saved_date', expression: 'm.saved_date', type: 'json' });
  if (wanted.envelope) columns.push({ name: 'envelope', expression: 'd.envelope', type: 'blob' });
  if (wanted.body) columns.push({ name: 'body', expression: 'd.body', type: 'blob' });
  if (wanted.bodyStructure) columns.push({ name: 'body_structure', expression: 'd.body_structure', type: 'blob' });
  if (wanted.tree) columns.push({ name: 'tree', expression: 'd.tree', type: 'blob' });
  if (wanted.preview) columns.push({ name: 'preview', expression: "d.summary ->> '$.snippet'", type: 'json' });
  if (wanted.content) {
    columns.push(
      { name: 'trace_size', expression: 'e.trace_size', type: 'json' },
      { name: 'file', expression: 'e.file', type: 'json' },
      { name: 'octets', expression: KEPT_OCTETS, type: 'blob', unbounded: true },
    );
  }
  return columns;
}

/** What one range can read together, from the cursor on. */
interface Run {
  /** The index after its last UID. */
  readonly end: number;
  /** Where the snapshot has its first message; -1: nowhere. */
  readonly position: number;
}

function nextRun({ uids, snapshot, at }: Cursor, most: number): Run {
  const limit = Math.min(uids.length, at + most);
  let end = at + 1;
  const position = snapshot ? find(snapshot.uids, snapshot.count, uids[at]!) : -1;
  if (snapshot && position >= 0) {
    // UIDs ascend for ever, so what lay side by side has nothing new between.
    const known = Math.min(limit, at + snapshot.count - position);
    while (end < known && uids[end] === snapshot.uids[position + end - at]) end++;
  } else {
    while (end < limit && uids[end] === uids[end - 1]! + 1) end++;
  }
  return { end, position };
}

/** How many messages from a position on have no more than so many octets. */
function howManyFit({ sizes }: MailboxSnapshot, position: number, count: number, most: number): number {
  let octets = 0;
  for (let i = 0; i < count; i++) {
    octets += sizes[position + i]!;
    if (octets > most) return i;
  }
  return count;
}

function octetsOf({ octets, envelope, body, body_structure, tree }: Row): number {
  return (
    (octets?.length ?? 0) +
    (envelope?.length ?? 0) +
    (body?.length ?? 0) +
    (body_structure?.length ?? 0) +
    (tree?.length ?? 0)
  );
}

function isComplete(message: FetchedMessage, wanted: Wanted): boolean {
  return (
    !(wanted.envelope && !message.envelope) &&
    !(wanted.body && !message.body) &&
    !(wanted.bodyStructure && !message.bodyStructure) &&
    !(wanted.tree && !message.tree) &&
    !(wanted.preview === 'always' && message.preview === undefined)
  );
}
