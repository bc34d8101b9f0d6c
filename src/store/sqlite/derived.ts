/** What was computed from an email's octets, kept. */
import type { Ledger } from './ledger.ts';
import type { Requests } from './requests.ts';
import { SortKeyWrites } from './sort-key-rows.ts';

export class DerivedWrites {
  readonly #ledger: Ledger;
  readonly #insert;
  readonly #sortKeys: SortKeyWrites;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#sortKeys = new SortKeyWrites(ledger.db);
    // The email may have gone meanwhile.
    this.#insert = ledger.db.prepare<
      [number, number | null, number, string, Uint8Array, Uint8Array, Uint8Array, Uint8Array, number]
    >(
      `INSERT OR REPLACE INTO derived (email_id, sent_day, parts, summary, envelope, body, body_structure, tree)
       SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM email WHERE id = ?)`,
    );
  }

  keep({ rows }: Requests['keepDerived']['request']): undefined {
    this.#ledger.writes++;
    for (const row of rows) {
      this.#insert.run(
        row.emailId,
        row.sentDay,
        row.parts,
        row.summary,
        row.envelope,
        row.body,
        row.bodyStructure,
        row.tree,
        row.emailId,
      );
      this.#sortKeys.keep(row.emailId, row.sortKeys);
    }
  }
}
