/** Emails without copies leave in small steps, when nothing else is to be done: a large blob is slow to delete. */
import type { Ledger } from './ledger.ts';

const OCTETS_AT_ONCE = 8 * 1024 * 1024;
const EMAILS_AT_ONCE = 500;

export class Garbage {
  readonly #ledger: Ledger;
  readonly #statements;

  constructor(ledger: Ledger) {
    const { db } = ledger;
    this.#ledger = ledger;
    this.#statements = {
      list: db.prepare<[number], { id: number; octets: number; file: string | null }>(
        `SELECT email.id, size + trace_size AS octets, file FROM garbage JOIN email ON email.id = garbage.email_id
         ORDER BY garbage.email_id LIMIT ?`,
      ),
      deleteEmail: db.prepare<[number]>('DELETE FROM email WHERE id = ?'),
      deleteDerived: db.prepare<[number]>('DELETE FROM derived WHERE email_id = ?'),
      deleteSortKey: db.prepare<[number]>('DELETE FROM sort_key WHERE email_id = ?'),
      deleteOrigin: db.prepare<[number]>('DELETE FROM origin WHERE email_id = ?'),
      deleteTags: db.prepare<[number]>('DELETE FROM tagged WHERE email_id = ?'),
      deleteGarbage: db.prepare<[number]>('DELETE FROM garbage WHERE email_id = ?'),
      fileNamed: db.prepare<[string], number>('SELECT 1 FROM email WHERE file = ?').pluck(),
    };
  }

  /** One step. @returns the emails that went, and the files that nothing names any more */
  collect(): { readonly emailIds: readonly number[]; readonly files: readonly string[] } {
    const files: string[] = [];
    let octets = 0;
    const emailIds: number[] = [];
    for (const row of this.#statements.list.all(EMAILS_AT_ONCE)) {
      if (octets >= OCTETS_AT_ONCE) break;
      this.#statements.deleteEmail.run(row.id);
      this.#statements.deleteDerived.run(row.id);
      this.#statements.deleteSortKey.run(row.id);
      this.#statements.deleteOrigin.run(row.id);
      this.#statements.deleteTags.run(row.id);
      this.#statements.deleteGarbage.run(row.id);
      if (row.file !== null && this.#statements.fileNamed.get(row.file) === undefined) files.push(row.file);
      else octets += row.octets;
      this.#ledger.count('octets', -row.octets);
      emailIds.push(row.id);
    }
    return { emailIds, files };
  }
}
