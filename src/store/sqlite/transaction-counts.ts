/**
 * How many copies an accepted transaction has, and how many of them are unread: kept up when flags change and copies
 * come and go, so that lists and counts need not look at messages. Works on sets of messages, not one by one: what
 * changes is gathered in a table of this connection, then applied at once.
 */
import type { Ledger } from './ledger.ts';
import { EVENT, TransactionLog } from './transaction-log.ts';

interface ChangedRow {
  email_id: number;
  public_id: string;
  unread: number;
  new_unread: number;
  new_copies: number;
  /** How many came or went. */
  copies: number;
}

export class CopyCounts {
  readonly #ledger: Ledger;
  readonly #log: TransactionLog;
  readonly #statements;

  constructor(ledger: Ledger) {
    const { db } = ledger;
    this.#ledger = ledger;
    this.#log = new TransactionLog(db);
    db.exec(
      'CREATE TEMP TABLE IF NOT EXISTS delta (email_id INTEGER PRIMARY KEY, copies INTEGER NOT NULL, unread INTEGER NOT NULL)',
    );
    this.#statements = {
      add: db.prepare<[number, number, number]>(
        `INSERT INTO delta (email_id, copies, unread) VALUES (?, ?, ?)
         ON CONFLICT (email_id) DO UPDATE SET copies = copies + excluded.copies, unread = unread + excluded.unread`,
      ),
      addRange: db.prepare<[number, number, number, number, number, number]>(
        `INSERT INTO delta (email_id, copies, unread)
         SELECT email_id, ? * count(*), ? * count(*) FROM message
         WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND flag_set = ? GROUP BY email_id
         ON CONFLICT (email_id) DO UPDATE SET copies = copies + excluded.copies, unread = unread + excluded.unread`,
      ),
      addListed: db.prepare<[number, number, number, string]>(
        `INSERT INTO delta (email_id, copies, unread)
         SELECT email_id, ? * count(*), ? * count(*) FROM message
         WHERE mailbox_id = ? AND uid IN (SELECT value FROM json_each(?)) GROUP BY email_id
         ON CONFLICT (email_id) DO UPDATE SET copies = copies + excluded.copies, unread = unread + excluded.unread`,
      ),
      changed: db.prepare<[], ChangedRow>(
        `SELECT accepted.email_id, public_id, accepted.unread, accepted.unread + delta.unread AS new_unread,
           accepted.copies + delta.copies AS new_copies, delta.copies
         FROM delta CROSS JOIN accepted ON accepted.email_id = delta.email_id`,
      ),
      update: db.prepare(
        `UPDATE accepted SET copies = accepted.copies + delta.copies, unread = accepted.unread + delta.unread
         FROM delta WHERE delta.email_id = accepted.email_id`,
      ),
      deleteAccepted: db.prepare('DELETE FROM accepted WHERE copies = 0 AND email_id IN (SELECT email_id FROM delta)'),
      addGarbage: db.prepare(
        `INSERT OR IGNORE INTO garbage (email_id)
         SELECT email_id FROM delta
         WHERE copies < 0 AND NOT EXISTS (SELECT 1 FROM message WHERE message.email_id = delta.email_id)`,
      ),
      clear: db.prepare('DELETE FROM delta'),
      groups: db.prepare<[number], { flag_set: number; last: number }>(
        'SELECT flag_set, max(uid) AS last FROM message WHERE mailbox_id = ? GROUP BY flag_set',
      ),
      deleteMessages: db.prepare<[number]>('DELETE FROM message WHERE mailbox_id = ?'),
    };
  }

  /** One email's copies. */
  add(emailId: number, copies: number, unread: number): void {
    this.#statements.add.run(emailId, copies, unread);
  }

  /** For each message of a range that has this flag set. */
  addRange(mailbox: number, first: number, last: number, flagSet: number, copies: number, unread: number): void {
    this.#statements.addRange.run(copies, unread, mailbox, first, last, flagSet);
  }

  /** For each of these messages. @param uids JSON */
  addListed(mailbox: number, uids: string, copies: number, unread: number): void {
    this.#statements.addListed.run(copies, unread, mailbox, uids);
  }

  /** Applies what was added. Afterwards, emails without copies are garbage and their transactions are gone. */
  apply(account: number): void {
    const read: number[] = [];
    const unread: number[] = [];
    const deleted: string[] = [];
    /** Where others have copies that are still unread, or were before. */
    const partlyRead: number[] = [];
    const partlyUnread: number[] = [];
    for (const row of this.#statements.changed.iterate()) {
      if (row.new_copies === 0) {
        deleted.push(row.public_id);
        if (row.unread > 0) this.#ledger.count('unread_transactions', -1);
      } else if (row.unread > 0 !== row.new_unread > 0) {
        (row.new_unread > 0 ? unread : read).push(row.email_id);
        this.#ledger.count('unread_transactions', row.new_unread > 0 ? 1 : -1);
      } else if (row.copies === 0 && row.unread !== row.new_unread) {
        (row.new_unread > row.unread ? partlyUnread : partlyRead).push(row.email_id);
      }
    }
    this.#statements.update.run();
    if (deleted.length > 0) {
      this.#statements.deleteAccepted.run();
      this.#ledger.count('transactions', -deleted.length);
      this.#ledger.count('deleted_transactions', deleted.length);
    }
    this.#statements.addGarbage.run();
    this.#statements.clear.run();
    this.#log.add(EVENT.read, 0, read);
    this.#log.add(EVENT.unread, 0, unread);
    this.#log.add(EVENT.read, account, partlyRead);
    this.#log.add(EVENT.unread, account, partlyUnread);
    this.#log.add(EVENT.deleted, account, deleted);
  }

  /** All messages of a mailbox that goes. */
  removeMailbox(account: number, mailbox: number): void {
    for (const { flag_set, last } of this.#statements.groups.all(mailbox)) {
      const { seen } = this.#ledger.flagSets.get(flag_set);
      this.addRange(mailbox, 1, last, flag_set, -1, seen ? 0 : -1);
    }
    this.#statements.deleteMessages.run(mailbox);
    this.apply(account);
  }
}
