/** Tags of accepted transactions: words by which people find them again. Nothing of a message is changed by them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountId } from '../change.ts';
import { Refusal } from '../refusal.ts';
import type { Database } from './database.ts';
import type { Ledger } from './ledger.ts';
import type { Requests } from './requests.ts';
import { EVENT, TransactionLog } from './transaction-log.ts';

const ROWS_AT_ONCE = 4_000;
/** ASCII, so that SQLite compares them without case as JavaScript does. */
const TAG = /^[A-Za-z0-9\-_.@](?:[A-Za-z0-9\-_.@ ]{0,98}[A-Za-z0-9\-_.@])?$/;
const MOST_TAGS = 100;

/** @throws Refusal CANNOT */
export function checkTags(tags: readonly string[]): void {
  const wrong = tags.find((tag) => !TAG.test(tag));
  if (wrong !== undefined) {
    throw new Refusal('CANNOT', `"${wrong.slice(0, 100)}" is no tag: 1 to 100 letters, digits, blanks and -_.@`);
  }
  if (tags.length > MOST_TAGS) throw new Refusal('CANNOT', `At most ${MOST_TAGS} tags`);
}

export class TagReads {
  readonly #statements;

  constructor(db: Database) {
    this.#statements = {
      list: db.prepare<[], { tag: string; count: number }>(
        'SELECT tag, count(*) AS count FROM tagged JOIN accepted USING (email_id) GROUP BY tag ORDER BY tag',
      ),
      ofEmail: db.prepare<[number], string>('SELECT tag FROM tagged WHERE email_id = ? ORDER BY tag').pluck(),
      withTag: db
        .prepare<[string, number, number], number>(
          'SELECT email_id FROM tagged WHERE tag = ? AND email_id > ? ORDER BY email_id LIMIT ?',
        )
        .pluck(),
      withAny: db
        .prepare<[number, number], number>(
          'SELECT DISTINCT email_id FROM tagged WHERE email_id > ? ORDER BY email_id LIMIT ?',
        )
        .pluck(),
    };
  }

  list(): readonly { readonly tag: string; readonly count: number }[] {
    return this.#statements.list.all();
  }

  ofEmail(emailId: number): readonly string[] {
    return this.#statements.ofEmail.all(emailId);
  }

  /** @returns 1 for each email that has the tag, or, without one, any */
  async among(emailIds: ArrayLike<number>, tag: string | undefined): Promise<Uint8Array> {
    const wanted = new Set<number>();
    for (let last = 0; ;) {
      const ids =
        tag === undefined
          ? this.#statements.withAny.all(last, ROWS_AT_ONCE)
          : this.#statements.withTag.all(tag, last, ROWS_AT_ONCE);
      for (const id of ids) wanted.add(id);
      if (ids.length < ROWS_AT_ONCE) break;
      last = ids.at(-1)!;
      await nextTurn();
    }
    return Uint8Array.from(emailIds, (id) => (wanted.has(id) ? 1 : 0));
  }
}

export class TagWrites {
  readonly #ledger: Ledger;
  readonly #log: TransactionLog;
  readonly #statements;

  constructor(ledger: Ledger) {
    const { db } = ledger;
    this.#ledger = ledger;
    this.#log = new TransactionLog(db);
    this.#statements = {
      spelling: db.prepare<[string], string>('SELECT tag FROM tagged WHERE tag = ? LIMIT 1').pluck(),
      insert: db.prepare<[string, number]>('INSERT OR IGNORE INTO tagged (tag, email_id) VALUES (?, ?)'),
      clear: db.prepare<[number]>('DELETE FROM tagged WHERE email_id = ?'),
      existing: db
        .prepare<[string], number>('SELECT email_id FROM accepted WHERE email_id IN (SELECT value FROM json_each(?))')
        .pluck(),
      withTag: db
        .prepare<[string], number>('SELECT email_id FROM tagged JOIN accepted USING (email_id) WHERE tag = ?')
        .pluck(),
      copyRows: db.prepare<[string, string]>(
        'INSERT OR IGNORE INTO tagged (tag, email_id) SELECT ?, email_id FROM tagged WHERE tag = ?',
      ),
      respell: db.prepare<[string, string]>('UPDATE tagged SET tag = ? WHERE tag = ?'),
      remove: db.prepare<[string]>('DELETE FROM tagged WHERE tag = ?'),
      accounts: db
        .prepare<[string], number>(
          `SELECT DISTINCT account_id
           FROM json_each(?) CROSS JOIN message ON email_id = value JOIN mailbox ON mailbox.id = mailbox_id`,
        )
        .pluck(),
    };
  }

  /** Of a transaction that is being accepted; checked before. */
  add(emailId: number, tags: readonly string[]): void {
    for (const tag of tags) this.#statements.insert.run(this.#statements.spelling.get(tag) ?? tag, emailId);
  }

  set({ emailIds, tags }: Requests['setTags']['request']): Requests['setTags']['result'] {
    checkTags(tags);
    const existing = this.#statements.existing.all(JSON.stringify(Array.from(emailIds)));
    this.#ledger.writes++;
    for (const id of existing) {
      this.#statements.clear.run(id);
      this.add(id, tags);
    }
    return this.#changed(existing);
  }

  rename({ tag, to }: Requests['renameTag']['request']): Requests['renameTag']['result'] {
    if (to !== undefined) checkTags([to]);
    const emails = this.#statements.withTag.all(tag);
    this.#ledger.writes++;
    if (to === undefined) this.#statements.remove.run(tag);
    else if (to.toLowerCase() === tag.toLowerCase()) this.#statements.respell.run(to, tag);
    else {
      this.#statements.copyRows.run(this.#statements.spelling.get(to) ?? to, tag);
      this.#statements.remove.run(tag);
    }
    return this.#changed(emails);
  }

  #changed(emailIds: readonly number[]): { count: number; accounts: AccountId[] } {
    this.#log.add(EVENT.tagged, 0, emailIds);
    return {
      count: emailIds.length,
      accounts: this.#statements.accounts.all(JSON.stringify(emailIds)) as AccountId[],
    };
  }
}
