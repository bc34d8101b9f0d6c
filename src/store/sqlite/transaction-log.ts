/** What happened to transactions after they arrived, for feeds: a bounded log beside that of the accounts. */
import type { Database } from './database.ts';

export const EVENT = { read: 1, unread: 2, deleted: 3, tagged: 4 } as const;

const EVENTS_KEPT = 10_000;
const IDS_IN_A_ROW = 100;

export class TransactionLog {
  readonly #insert;
  readonly #prune;

  constructor(db: Database) {
    this.#insert = db.prepare<[number, number, number, string]>(
      'INSERT INTO transaction_event (type, account_id, count, transactions) VALUES (?, ?, ?, ?)',
    );
    this.#prune = db.prepare<[number]>('DELETE FROM transaction_event WHERE position <= ?');
  }

  /** @param account 0: whoever has copies of them  @param ids see `schema.sql` */
  add(type: number, account: number, ids: readonly (number | string)[]): void {
    for (let start = 0; start < ids.length; start += IDS_IN_A_ROW) {
      const some = ids.slice(start, start + IDS_IN_A_ROW);
      const { lastInsertRowid } = this.#insert.run(type, account, some.length, JSON.stringify(some));
      if (Number(lastInsertRowid) % 100 === 0) this.#prune.run(Number(lastInsertRowid) - EVENTS_KEPT);
    }
  }
}
