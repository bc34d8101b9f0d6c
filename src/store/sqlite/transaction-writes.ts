/** Reading and deleting whole transactions: what is done to one is done to all copies of its email. */
import type { AccountId, MailboxId } from '../change.ts';
import type { ExpungeWrites } from './expunge.ts';
import type { FlagWrites } from './flags.ts';
import type { Ledger } from './ledger.ts';
import type { Requests } from './requests.ts';
import { ascending } from './uid-ranges.ts';

type CopyRow = [mailbox: number, account: number, uid: number];

/** The copies in one mailbox. */
interface Copies {
  readonly account: AccountId;
  readonly mailbox: MailboxId;
  readonly uids: Uint32Array;
}

export class TransactionWrites {
  readonly #ledger: Ledger;
  readonly #flags: FlagWrites;
  readonly #expunge: ExpungeWrites;
  readonly #statements;

  constructor(ledger: Ledger, flags: FlagWrites, expunge: ExpungeWrites) {
    const { db } = ledger;
    this.#ledger = ledger;
    this.#flags = flags;
    this.#expunge = expunge;
    this.#statements = {
      // Ids come as JSON: one statement for a hundred thousand of them.
      existing: db
        .prepare<[string], number>('SELECT email_id FROM accepted WHERE email_id IN (SELECT value FROM json_each(?))')
        .pluck(),
      withoutCopies: db
        .prepare<[string], number>(
          'SELECT email_id FROM accepted WHERE copies = 0 AND email_id IN (SELECT value FROM json_each(?))',
        )
        .pluck(),
      copies: db
        .prepare<[string], CopyRow>(
          `SELECT mailbox_id, account_id, uid
           FROM json_each(?) CROSS JOIN message ON email_id = value JOIN mailbox ON mailbox.id = mailbox_id`,
        )
        .raw(),
      copiesOf: db
        .prepare<[string, string], CopyRow>(
          `SELECT mailbox_id, account_id, uid
           FROM json_each(?) CROSS JOIN message ON email_id = value JOIN mailbox ON mailbox.id = mailbox_id
             JOIN account ON account.id = account_id
           WHERE owner = ?`,
        )
        .raw(),
      deleteAccepted: db.prepare<[number]>('DELETE FROM accepted WHERE email_id = ?'),
      addGarbage: db.prepare<[number]>('INSERT OR IGNORE INTO garbage (email_id) VALUES (?)'),
    };
  }

  /** @returns how many of them there are */
  mark({ emailIds, read, owner }: Requests['markTransactions']['request']): number {
    const existing = this.#existing(emailIds);
    for (const { account, mailbox, uids } of this.#copies(existing, owner)) {
      const mode = read ? 'add' : 'remove';
      this.#flags.store({ account, mailbox, uids, mode, flags: ['\\Seen'], unchangedSince: undefined });
    }
    return existing.length;
  }

  /** @returns how many there were */
  delete({ emailIds, owner }: Requests['deleteTransactions']['request']): number {
    const existing = this.#existing(emailIds);
    // One that had no local recipient has no copy whose removal would take it along.
    const free = owner === undefined ? existing : [];
    for (const id of this.#statements.withoutCopies.all(JSON.stringify(free))) this.#deleteWithoutCopies(id);
    for (const { account, mailbox, uids } of this.#copies(existing, owner)) {
      this.#expunge.expunge({ account, mailbox, uids, onlyDeleted: false });
    }
    return existing.length;
  }

  #existing(emailIds: Float64Array): number[] {
    return this.#statements.existing.all(JSON.stringify(Array.from(emailIds)));
  }

  #deleteWithoutCopies(id: number): void {
    this.#ledger.writes++;
    this.#statements.deleteAccepted.run(id);
    this.#statements.addGarbage.run(id);
    this.#ledger.count('transactions', -1);
    this.#ledger.count('deleted_transactions', 1);
  }

  #copies(emailIds: readonly number[], owner: string | undefined): Copies[] {
    const byMailbox = new Map<number, { account: number; uids: number[] }>();
    const ids = JSON.stringify(emailIds);
    const { copies, copiesOf } = this.#statements;
    for (const [mailbox, account, uid] of owner === undefined ? copies.all(ids) : copiesOf.all(ids, owner)) {
      const known = byMailbox.get(mailbox);
      if (known) known.uids.push(uid);
      else byMailbox.set(mailbox, { account, uids: [uid] });
    }
    return [...byMailbox].map(([mailbox, { account, uids }]) => ({
      account: account as AccountId,
      mailbox: mailbox as MailboxId,
      uids: ascending(uids),
    }));
  }
}
