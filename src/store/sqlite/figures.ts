/** Figures about the whole store. */
import type { StoreFigures } from '../mail-store.ts';
import type { Database } from './database.ts';

interface Row {
  accounts: number;
  messages: number;
  transactions: number;
  unread_transactions: number;
  deleted_transactions: number;
  octets: number;
  pages: number;
  page_size: number;
}

export class FigureReads {
  readonly #statements;

  constructor(db: Database) {
    this.#statements = {
      figures: db.prepare<[], Row>(
        `SELECT (SELECT count(*) FROM account) AS accounts, (SELECT coalesce(sum(messages), 0) FROM mailbox) AS messages,
           transactions, unread_transactions, deleted_transactions, octets, page_count AS pages, page_size
         FROM counter, pragma_page_count, pragma_page_size`,
      ),
      // Of messages, not emails: the index on them is narrow.
      emailsAfter: db
        .prepare<[number], number>('SELECT count(DISTINCT email_id) FROM message WHERE email_id > ?')
        .pluck(),
      nextEmail: db.prepare<[], number>('SELECT next_email FROM counter').pluck(),
    };
  }

  /** @param indexed the last email that the search index holds */
  figures(indexed: number): StoreFigures {
    const row = this.#statements.figures.get()!;
    return {
      accounts: row.accounts,
      messages: row.messages,
      transactions: row.transactions,
      unreadTransactions: row.unread_transactions,
      octets: row.octets,
      databaseOctets: row.pages * row.page_size,
      deletedTransactions: row.deleted_transactions,
      unindexed: this.#statements.emailsAfter.get(indexed)!,
    };
  }

  nextEmail(): number {
    return this.#statements.nextEmail.get()!;
  }
}
