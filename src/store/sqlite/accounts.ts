/** Accounts: who can log in, and to whom mail can be delivered. */
import type { AccountId, ModSeq } from '../change.ts';
import type { Account, SpecialUse } from '../mail-store.ts';
import type { DefaultQuota } from '../quota.ts';
import { Refusal } from '../refusal.ts';
import type { AclWrites } from './acl.ts';
import type { AnnotationRows } from './annotations.ts';
import type { Database } from './database.ts';
import { CHANGE, type AccountState, type Ledger, type MailboxState } from './ledger.ts';
import type { MailboxWrites } from './mailboxes.ts';
import { inWholeUnits, keptLimit, toQuota, type QuotaRow } from './quota-row.ts';
import type { AccountToMake, Requests } from './requests.ts';
import { CopyCounts } from './transaction-counts.ts';

/** Every account starts with these, all subscribed; clients find them by RFC 6154 attributes. */
const FIRST_MAILBOXES: readonly (readonly [name: string, specialUse: readonly SpecialUse[]])[] = [
  ['INBOX', []],
  ['Archive', ['\\Archive']],
  ['Drafts', ['\\Drafts']],
  ['Junk', ['\\Junk']],
  ['Sent', ['\\Sent']],
  ['Trash', ['\\Trash']],
];

const LONGEST_ADDRESS = 1000; // characters; RFC 5321 §4.5.3.1 has 64 + 255

/** The form by which addresses are compared. */
export const loginOf = (address: string): string => address.normalize('NFC').toLowerCase();

interface AccountRow extends QuotaRow {
  id: number;
  address: string;
  owner: string | null;
  created_at: number;
  mod_seq: number;
  password_record: string | null;
}

const toAccount = (row: AccountRow, defaults: DefaultQuota): Account => ({
  id: row.id as AccountId,
  address: row.address,
  owner: row.owner ?? undefined,
  createdAt: new Date(row.created_at * 1000),
  modSeq: row.mod_seq as ModSeq,
  quota: toQuota(row, defaults),
});

export class AccountReads {
  readonly #defaults: DefaultQuota;
  readonly #statements;

  constructor(db: Database, defaults: DefaultQuota) {
    this.#defaults = defaults;
    this.#statements = {
      byId: db.prepare<[number], AccountRow>('SELECT * FROM account WHERE id = ?'),
      byLogin: db.prepare<[string], AccountRow>('SELECT * FROM account WHERE login = ?'),
      all: db.prepare<[], AccountRow>('SELECT * FROM account ORDER BY id'),
      byOwner: db.prepare<[string], AccountRow>('SELECT * FROM account WHERE owner = ? ORDER BY id'),
      modSeq: db.prepare<[number], number>('SELECT mod_seq FROM account WHERE id = ?').pluck(),
    };
  }

  find(idOrAddress: AccountId | string): Account | undefined {
    const row =
      typeof idOrAddress === 'string'
        ? this.#statements.byLogin.get(loginOf(idOrAddress))
        : this.#statements.byId.get(idOrAddress);
    return row && toAccount(row, this.#defaults);
  }

  findPasswordRecord(address: string): { account: Account; record: string } | undefined {
    const row = this.#statements.byLogin.get(loginOf(address));
    if (row?.password_record == null) return undefined;
    return { account: toAccount(row, this.#defaults), record: row.password_record };
  }

  list(owner: string | undefined): Account[] {
    const rows = owner === undefined ? this.#statements.all.all() : this.#statements.byOwner.all(owner);
    return rows.map((row) => toAccount(row, this.#defaults));
  }

  modSeq(account: AccountId): ModSeq | undefined {
    return this.#statements.modSeq.get(account) as ModSeq | undefined;
  }
}

export class AccountWrites {
  readonly #ledger: Ledger;
  readonly #mailboxes: MailboxWrites;
  readonly #annotations: AnnotationRows;
  readonly #acl: AclWrites;
  readonly #counts: CopyCounts;
  readonly #statements;

  constructor(ledger: Ledger, mailboxes: MailboxWrites, annotations: AnnotationRows, acl: AclWrites) {
    const { db } = ledger;
    this.#acl = acl;
    this.#ledger = ledger;
    this.#mailboxes = mailboxes;
    this.#annotations = annotations;
    this.#counts = new CopyCounts(ledger);
    this.#statements = {
      insertAccount: db.prepare<[string, string, string | null, string | null, number]>(
        'INSERT INTO account (address, login, password_record, owner, created_at, mod_seq) VALUES (?, ?, ?, ?, ?, 1)',
      ),
      setPasswordRecord: db.prepare<[string, number]>('UPDATE account SET password_record = ? WHERE id = ?'),
      setMostMessages: db.prepare<[number | null, number]>('UPDATE account SET most_messages = ? WHERE id = ?'),
      setMostOctets: db.prepare<[number | null, number]>('UPDATE account SET most_octets = ? WHERE id = ?'),
      deleteAccount: db.prepare<[number]>('DELETE FROM account WHERE id = ?'),
      deleteChanges: db.prepare<[number]>('DELETE FROM change WHERE account_id = ?'),
      deleteSubscriptions: db.prepare<[number]>('DELETE FROM subscription WHERE account_id = ?'),
      deleteFormerNames: db.prepare<[number]>('DELETE FROM former_name WHERE account_id = ?'),
      mailboxIds: db.prepare<[number], number>('SELECT id FROM mailbox WHERE account_id = ? ORDER BY id').pluck(),
    };
  }

  create(account: AccountToMake): AccountId {
    checkAddress(account.address);
    if (this.#ledger.findAccountByLogin(loginOf(account.address))) {
      throw new Refusal('ALREADYEXISTS', `There is an account ${account.address} already`);
    }
    return this.make(account).id as AccountId;
  }

  /** Inserts an account that does not exist, with its first mailboxes. */
  make(account: AccountToMake): AccountState {
    this.#ledger.writes++;
    const { lastInsertRowid } = this.#statements.insertAccount.run(
      account.address,
      loginOf(account.address),
      account.passwordRecord ?? null,
      account.owner ?? null,
      Math.floor(Date.now() / 1000),
    );
    const state = this.#ledger.account(Number(lastInsertRowid));
    for (const [name, specialUse] of FIRST_MAILBOXES) {
      this.#mailboxes.insert(state, name, specialUse, 1);
      this.#mailboxes.subscribe(state.id, name);
    }
    return state;
  }

  setPasswordRecord({ account, record }: Requests['setPasswordRecord']['request']): undefined {
    this.#ledger.account(account);
    this.#ledger.writes++;
    this.#statements.setPasswordRecord.run(record, account);
  }

  setQuota({ account: id, limits: { messages, octets } }: Requests['setQuota']['request']): undefined {
    const account = this.#ledger.account(id);
    this.#ledger.writes++;
    if (messages !== undefined) this.#statements.setMostMessages.run(keptLimit(messages), id);
    if (octets !== undefined) this.#statements.setMostOctets.run(keptLimit(inWholeUnits(octets)), id);
    this.#ledger.reloadQuota(account);
  }

  /** What stays is the news that each mailbox is gone, for the sessions that have one open. */
  delete({ account: id }: Requests['deleteAccount']['request']): undefined {
    const account = this.#ledger.account(id);
    const modSeq = this.#ledger.nextModSeq(account);
    this.#statements.deleteChanges.run(id);
    const mailboxes = this.#statements.mailboxIds.all(id).map((mailbox) => this.#ledger.mailbox(account, mailbox));
    for (const mailbox of mailboxes) this.#deleteMailbox(account, mailbox, modSeq);
    this.#statements.deleteSubscriptions.run(id);
    this.#statements.deleteFormerNames.run(id);
    this.#annotations.removeOwn(id);
    this.#acl.removeAccount(id);
    this.#statements.deleteAccount.run(id);
    this.#ledger.forgetAccount(account);
  }

  #deleteMailbox(account: AccountState, mailbox: MailboxState, modSeq: number): void {
    this.#counts.removeMailbox(account.id, mailbox.id);
    this.#mailboxes.remove(mailbox);
    this.#ledger.logMailbox(modSeq, mailbox, CHANGE.deleted);
  }
}

/** @throws Refusal CANNOT */
export function checkAddress(address: string): void {
  const at = address.lastIndexOf('@');
  if (at < 1 || at === address.length - 1 || address.length > LONGEST_ADDRESS || /[\x00-\x1f\x7f]/.test(address)) {
    throw new Refusal('CANNOT', 'An account has an address: local@domain');
  }
}
