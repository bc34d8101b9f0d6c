/** The change log as its readers see it: what has changed since n? */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountId, Change, Changes, MailboxChange, MailboxId, MessageChange, ModSeq } from '../change.ts';
import { Refusal } from '../refusal.ts';
import type { AccountReads } from './accounts.ts';
import type { Database } from './database.ts';
import { CHANGE } from './ledger.ts';
import { textToRanges } from './uid-ranges.ts';

const ROWS_AT_ONCE = 2_000;

interface ChangeRow {
  mod_seq: number;
  mailbox_id: number;
  type: number;
  uids: string | null;
  name: string | null;
  old_name: string | null;
}

const MESSAGE_TYPES: readonly MessageChange['type'][] = ['arrived', 'flags', 'expunged'];
const MAILBOX_TYPES: readonly MailboxChange['type'][] = [
  'mailbox-created',
  'mailbox-deleted',
  'mailbox-renamed',
  'mailbox-attributes',
  'mailbox-rights',
];

function toChange(row: ChangeRow): Change {
  const modSeq = row.mod_seq as ModSeq;
  const mailbox = row.mailbox_id as MailboxId;
  if (row.type <= 3) return { type: MESSAGE_TYPES[row.type - 1]!, modSeq, mailbox, uids: textToRanges(row.uids!) };
  if (row.type === CHANGE.annotations) return { type: 'annotations', modSeq, mailbox, entries: row.name!.split('\n') };
  const type = MAILBOX_TYPES[row.type - 4]!;
  return { type, modSeq, mailbox, name: row.name!, ...(row.old_name !== null && { oldName: row.old_name }) };
}

export class ChangeReads {
  readonly #accounts: AccountReads;
  /** What the accounts that were asked about have reached, by what the writer has said: most questions are too early. */
  readonly #reached = new Map<number, number>();
  readonly #statements;

  constructor(db: Database, accounts: AccountReads) {
    this.#accounts = accounts;
    this.#statements = {
      // One number has at most a few rows of each mailbox, so a chunk ends with a whole number: see `#next`.
      ofAccount: db.prepare<[number, number, number, number], ChangeRow>(
        `SELECT * FROM change WHERE account_id = ? AND mod_seq > ? AND mod_seq <= ? ORDER BY mod_seq, mailbox_id, type LIMIT ?`,
      ),
      ofMailbox: db.prepare<[number, number, number, number, number], ChangeRow>(
        `SELECT * FROM change WHERE mailbox_id = ? AND account_id = ? AND mod_seq > ? AND mod_seq <= ?
         ORDER BY mod_seq, type LIMIT ?`,
      ),
      // Two queries: only one alone jumps to the end of the index.
      ends: db.prepare<[{ account: number }], { oldest: number | null; newest: number | null }>(
        `SELECT (SELECT min(mod_seq) FROM change WHERE account_id = @account) AS oldest,
           (SELECT max(mod_seq) FROM change WHERE account_id = @account) AS newest`,
      ),
      ofNumber: db.prepare<[number, number], ChangeRow>(
        'SELECT * FROM change WHERE account_id = ? AND mod_seq = ? ORDER BY mailbox_id, type',
      ),
    };
  }

  /** The writer has committed something. */
  reached(account: number, modSeq: number): void {
    if (this.#reached.has(account)) this.#reached.set(account, modSeq);
  }

  async since(account: AccountId, modSeq: ModSeq, mailbox: MailboxId | undefined): Promise<Changes> {
    if (modSeq >= (this.#reached.get(account) ?? Infinity)) return { modSeq, changes: [], tooOld: false };
    const ends = this.#statements.ends.get({ account })!;
    const own = this.#accounts.modSeq(account);
    // Of an account that was deleted, the log still says that its mailboxes are gone.
    const present = own ?? (ends.newest as ModSeq | null);
    if (present === null) throw new Refusal('NONEXISTENT', 'There is no such account');
    this.#reached.set(account, Math.max(present, this.#reached.get(account) ?? 0));
    if (modSeq >= present) return { modSeq: present, changes: [], tooOld: false };
    if (own !== undefined && ends.oldest !== null && ends.oldest > modSeq + 1) {
      return { modSeq: present, changes: [], tooOld: true };
    }
    const changes: Change[] = [];
    let from: number = modSeq;
    for (;;) {
      const rows = this.#next(account, from, present, mailbox);
      for (const row of rows) changes.push(toChange(row));
      if (rows.length < ROWS_AT_ONCE) return { modSeq: present, changes, tooOld: false };
      from = rows.at(-1)!.mod_seq;
      await nextTurn();
    }
  }

  /** Never ends within a number. */
  #next(account: AccountId, from: number, to: number, mailbox: MailboxId | undefined): ChangeRow[] {
    const rows =
      mailbox === undefined
        ? this.#statements.ofAccount.all(account, from, to, ROWS_AT_ONCE)
        : this.#statements.ofMailbox.all(mailbox, account, from, to, ROWS_AT_ONCE);
    if (rows.length < ROWS_AT_ONCE) return rows;
    const last = rows.at(-1)!.mod_seq;
    const rest = this.#statements.ofNumber.all(account, last);
    const whole = rows.filter((row) => row.mod_seq < last);
    return [...whole, ...rest.filter((row) => mailbox === undefined || row.mailbox_id === mailbox)];
  }
}
