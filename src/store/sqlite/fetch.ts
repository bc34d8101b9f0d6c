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
import type { EmailReads } from './emails.ts';
import type { MailboxReads } from './mailboxes.ts';
import { find, type Snapshots } from './snapshots.ts';

const MESSAGES_IN_BATCH = 256;
const OCTETS_IN_BATCH = 1024 * 1024;
/** How long the loop is kept, in milliseconds. */
const STEP = 5;

interface Row {
  uid: number;
  email_id: number;
  size: number;
  saved_date?: number;
  envelope?: Buffer | null;
  body?: Buffer | null;
  body_structure?: Buffer | null;
  tree?: Buffer | null;
  received?: number;
  trace?: Buffer;
  file?: string | null;
  octets?: Buffer | null;
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
  /** By the columns that they read. */
  readonly #statements = new Map<string, Statement<[number, number, number], Row>>();

  constructor(
    db: Database,
    emails: EmailReads,
    derivations: Derivations,
    mailboxes: MailboxReads,
    snapshots: Snapshots,
  ) {
    this.#db = db;
    this.#emails = emails;
    this.#derivations = derivations;
    this.#mailboxes = mailboxes;
    this.#snapshots = snapshots;
  }

  async *fetch(
    account: AccountId,
    mailbox: MailboxId,
    uids: ArrayLike<number>,
    wanted: Wanted,
  ): AsyncIterable<readonly FetchedMessage[]> {
    if (!this.#mailboxes.find(account, mailbox)) throw new Refusal('NONEXISTENT', 'There is no such mailbox');
    const statement = this.#statement(wanted);
    const cursor: Cursor = { uids, snapshot: this.#snapshots.peek(mailbox), at: 0 };
    while (cursor.at < uids.length) {
      const rows = this.#batch(statement, mailbox, cursor);
      const messages = rows.map((row) => this.#toMessage(row));
      await this.#complete(messages, wanted);
      if (messages.length > 0) yield messages;
      await nextTurn();
    }
  }

  #statement(wanted: Wanted): Statement<[number, number, number], Row> {
    const columns = ['m.uid', 'm.email_id', 'm.size'];
    if (wanted.savedDate) columns.push('m.saved_date');
    if (wanted.envelope) columns.push('d.envelope');
    if (wanted.body) columns.push('d.body');
    if (wanted.bodyStructure) columns.push('d.body_structure');
    if (wanted.tree) columns.push('d.tree');
    const derived = [wanted.envelope, wanted.body, wanted.bodyStructure, wanted.tree].includes(true);
    if (wanted.content) columns.push('e.size AS received', 'e.trace', 'e.file', 'e.octets');
    const sql = `SELECT ${columns.join(', ')} FROM message AS m
      ${derived ? 'LEFT JOIN derived AS d ON d.email_id = m.email_id' : ''}
      ${wanted.content ? 'JOIN email AS e ON e.id = m.email_id' : ''}
      WHERE m.mailbox_id = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid`;
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  #batch(statement: Statement<[number, number, number], Row>, mailbox: MailboxId, cursor: Cursor): Row[] {
    const rows: Row[] = [];
    let octets = 0;
    while (cursor.at < cursor.uids.length && rows.length < MESSAGES_IN_BATCH && octets < OCTETS_IN_BATCH) {
      const end = endOfRun(cursor, MESSAGES_IN_BATCH - rows.length);
      const last = cursor.uids[end - 1]!;
      let full = false;
      for (const row of statement.iterate(mailbox, cursor.uids[cursor.at]!, last)) {
        rows.push(row);
        octets += sizeOf(row);
        if (octets >= OCTETS_IN_BATCH && row.uid < last) {
          while (cursor.uids[cursor.at]! <= row.uid) cursor.at++;
          full = true;
          break;
        }
      }
      if (full) break;
      cursor.at = end;
    }
    return rows;
  }

  #toMessage(row: Row): Draft {
    const message: Draft = { uid: row.uid as Uid, emailId: row.email_id as EmailId, size: row.size };
    if (row.saved_date !== undefined) message.savedDate = new Date(row.saved_date * 1000);
    if (row.trace) message.content = this.#emails.toContent(row.received!, row.trace, row.file!, row.octets!);
    if (row.envelope) message.envelope = row.envelope;
    if (row.body) message.body = row.body;
    if (row.body_structure) message.bodyStructure = row.body_structure;
    const tree = row.tree ? keptTree(row.tree) : undefined;
    if (tree) message.tree = tree;
    return message;
  }

  /** Adds what is not derived yet, without keeping the loop for long. */
  async #complete(messages: readonly Draft[], wanted: Wanted): Promise<void> {
    let since = performance.now();
    for (const message of messages) {
      if (isComplete(message, wanted)) continue;
      const derived = await this.#derivations.derive(message.emailId, wanted, message.content);
      if (wanted.envelope) message.envelope ??= derived.envelope!;
      if (wanted.body) message.body ??= derived.body!;
      if (wanted.bodyStructure) message.bodyStructure ??= derived.bodyStructure!;
      if (wanted.tree) message.tree ??= derived.tree!;
      if (performance.now() - since < STEP) continue;
      await nextTurn();
      since = performance.now();
    }
  }
}

/** The index after the last UID that one range can read together with the first. */
function endOfRun({ uids, snapshot, at }: Cursor, most: number): number {
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
  return end;
}

function sizeOf({ octets, envelope, body, body_structure, tree }: Row): number {
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
    !(wanted.tree && !message.tree)
  );
}
