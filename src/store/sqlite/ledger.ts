/**
 * What the writing thread knows by heart of the accounts and mailboxes it touched, so that a delivery is a few inserts:
 * counters and MODSEQs are kept here and written once for a whole group of requests, in the transaction of the group.
 *
 * All arrivals of one group in an account share one MODSEQ; any other change gets its own (RFC 7162 §3.1.3 compares
 * them). After a rollback everything is forgotten and read anew.
 */
import { randomFillSync } from 'node:crypto';
import { quotaRefusal, type DefaultQuota, type Quota } from '../quota.ts';
import { Refusal } from '../refusal.ts';
import type { Database } from './database.ts';
import { FlagSets } from './flag-sets.ts';
import { toQuota, type QuotaRow } from './quota-row.ts';
import { runsToText } from './uid-ranges.ts';

export const CHANGE = {
  arrived: 1,
  flags: 2,
  expunged: 3,
  created: 4,
  deleted: 5,
  renamed: 6,
  attributes: 7,
  rights: 8,
  annotations: 9,
} as const;

/** How many numbers the change log reaches back. */
const LOG_REACH = 100_000;

export interface AccountState {
  readonly id: number;
  readonly address: string;
  modSeq: number;
  /** As it stands within this group. */
  quota: Quota;
  /** The number that arrivals of this group have, while nothing else has happened. */
  arrivals: number | undefined;
  changed: boolean;
}

export interface MailboxState {
  readonly id: number;
  readonly account: number;
  name: string;
  uidValidity: number;
  uidNext: number;
  firstRecentUid: number;
  highestModSeq: number;
  specialUse: string;
  messages: number;
  unseen: number;
  deleted: number;
  octets: number;
  /** First UID of what arrived in this group and is not in the log yet. */
  arrivedFrom: number | undefined;
  changed: boolean;
}

interface CounterRow {
  next_email: number;
  uid_validity: number;
  transactions: number;
  unread_transactions: number;
  deleted_transactions: number;
  octets: number;
}

const LAST_UID = 0xffff_ffff;

export class Ledger {
  readonly db: Database;
  readonly flagSets: FlagSets;
  readonly defaultQuota: DefaultQuota;
  /** Changes of rows since the start: a refusal after one needs a rollback. */
  writes = 0;
  counters: CounterRow;
  #countersChanged = false;
  readonly #accounts = new Map<number, AccountState>();
  readonly #mailboxes = new Map<number, MailboxState>();
  /** By `${account}/${name}`. */
  readonly #byName = new Map<string, MailboxState>();
  /** What changed in this group. */
  readonly #changedAccounts = new Set<AccountState>();
  readonly #changedMailboxes = new Set<MailboxState>();
  readonly #statements;

  constructor(db: Database, defaultQuota: DefaultQuota) {
    this.db = db;
    this.defaultQuota = defaultQuota;
    this.flagSets = new FlagSets(db);
    this.#statements = {
      counters: db.prepare<[], CounterRow>('SELECT * FROM counter'),
      writeCounters: db.prepare(
        `UPDATE counter SET next_email = @next_email, uid_validity = @uid_validity, transactions = @transactions,
           unread_transactions = @unread_transactions, deleted_transactions = @deleted_transactions, octets = @octets`,
      ),
      account: db.prepare<[number], AccountRow>(
        `SELECT id, address, mod_seq, used_messages, used_octets, most_messages, most_octets
         FROM account WHERE id = ?`,
      ),
      accountId: db.prepare<[string], number>('SELECT id FROM account WHERE login = ?').pluck(),
      writeAccount: db.prepare<[number, number, number, number]>(
        'UPDATE account SET mod_seq = ?, used_messages = ?, used_octets = ? WHERE id = ?',
      ),
      mailbox: db.prepare<[number], MailboxRow>('SELECT * FROM mailbox WHERE id = ?'),
      mailboxByName: db.prepare<[number, string], MailboxRow>(
        'SELECT * FROM mailbox WHERE account_id = ? AND name = ?',
      ),
      writeMailbox: db.prepare(
        `UPDATE mailbox SET name = @name, uid_validity = @uidValidity, uid_next = @uidNext, first_recent_uid = @firstRecentUid,
           highest_mod_seq = @highestModSeq, messages = @messages, unseen = @unseen, deleted = @deleted, octets = @octets
         WHERE id = @id`,
      ),
      insertChange: db.prepare<[number, number, number, number, string | null, string | null, string | null]>(
        'INSERT INTO change (account_id, mod_seq, mailbox_id, type, uids, name, old_name) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ),
      pruneChanges: db.prepare<[number, number]>('DELETE FROM change WHERE account_id = ? AND mod_seq <= ?'),
    };
    this.counters = this.#statements.counters.get()!;
  }

  /** After a rollback: nothing of what is remembered may be believed. */
  forget(): void {
    this.#accounts.clear();
    this.#mailboxes.clear();
    this.#byName.clear();
    this.#changedAccounts.clear();
    this.#changedMailboxes.clear();
    this.flagSets.reload();
    this.counters = this.#statements.counters.get()!;
    this.#countersChanged = false;
  }

  // -------------------------------------------------------------------------------------------------- accounts

  findAccount(id: number): AccountState | undefined {
    const known = this.#accounts.get(id);
    if (known) return known;
    const row = this.#statements.account.get(id);
    if (!row) return undefined;
    if (this.#accounts.size > 10_000) this.#forgetUnchanged();
    const { address, mod_seq: modSeq } = row;
    const quota = toQuota(row, this.defaultQuota);
    const state = { id, address, modSeq, quota, arrivals: undefined, changed: false };
    this.#accounts.set(id, state);
    return state;
  }

  /** @throws Refusal NONEXISTENT */
  account(id: number): AccountState {
    const state = this.findAccount(id);
    if (!state) throw new Refusal('NONEXISTENT', 'There is no such account');
    return state;
  }

  findAccountByLogin(login: string): AccountState | undefined {
    const id = this.#statements.accountId.get(login);
    return id === undefined ? undefined : this.findAccount(id);
  }

  /** Of an account whose row is gone; that it changed is still told. */
  forgetAccount(account: AccountState): void {
    this.#accounts.delete(account.id);
  }

  /** Before the first write of whatever adds messages. @throws Refusal OVERQUOTA, BEYONDQUOTA */
  checkRoom({ address, quota }: AccountState, messages: number, octets: number): void {
    const refusal = quotaRefusal(address, quota, messages, octets);
    if (refusal) throw refusal;
  }

  /** An account's limits were changed: what is remembered of it is read anew. */
  reloadQuota(account: AccountState): void {
    const row = this.#statements.account.get(account.id)!;
    const { messages, octets } = account.quota;
    account.quota = { ...toQuota(row, this.defaultQuota), messages, octets };
  }

  /** Messages are there, or with negative numbers gone. */
  #use(account: AccountState, messages: number, octets: number): void {
    const { quota } = account;
    account.quota = { ...quota, messages: quota.messages + messages, octets: quota.octets + octets };
    account.changed = true;
    this.#changedAccounts.add(account);
  }

  /** Messages of a mailbox are gone; the caller has seen to the mailbox itself. */
  release(mailbox: MailboxState, messages: number, octets: number): void {
    this.#use(this.account(mailbox.account), -messages, -octets);
  }

  /** The number of a change that is no arrival. To be called once for each request and account. */
  nextModSeq(account: AccountState): number {
    this.#logArrivals(account.id);
    account.arrivals = undefined;
    return this.#raise(account);
  }

  #raise(account: AccountState): number {
    account.modSeq++;
    account.changed = true;
    this.#changedAccounts.add(account);
    if (account.modSeq % 1000 === 0) this.#statements.pruneChanges.run(account.id, account.modSeq - LOG_REACH);
    return account.modSeq;
  }

  // -------------------------------------------------------------------------------------------------- mailboxes

  findMailbox(id: number): MailboxState | undefined {
    const known = this.#mailboxes.get(id);
    if (known) return known;
    const row = this.#statements.mailbox.get(id);
    return row && this.#remember(row);
  }

  /** @throws Refusal NONEXISTENT also when it is another account's */
  mailbox(account: AccountState, id: number): MailboxState {
    const state = this.findMailbox(id);
    if (state?.account !== account.id) throw new Refusal('NONEXISTENT', 'There is no such mailbox');
    return state;
  }

  findMailboxByName(account: number, name: string): MailboxState | undefined {
    const known = this.#byName.get(`${account}/${name}`);
    if (known) return known;
    const row = this.#statements.mailboxByName.get(account, name);
    return row && (this.#mailboxes.get(row.id) ?? this.#remember(row));
  }

  #remember(row: MailboxRow): MailboxState {
    if (this.#mailboxes.size > 10_000) this.#forgetUnchanged();
    const state = toMailboxState(row);
    this.#mailboxes.set(state.id, state);
    this.#byName.set(`${state.account}/${state.name}`, state);
    return state;
  }

  #forgetUnchanged(): void {
    for (const [id, account] of this.#accounts) if (!account.changed) this.#accounts.delete(id);
    for (const [id, mailbox] of this.#mailboxes) if (!mailbox.changed) this.#drop(mailbox, id);
  }

  #drop(mailbox: MailboxState, id: number): void {
    this.#mailboxes.delete(id);
    this.#byName.delete(`${mailbox.account}/${mailbox.name}`);
  }

  forgetMailbox(mailbox: MailboxState): void {
    this.#changedMailboxes.delete(mailbox);
    this.#drop(mailbox, mailbox.id);
  }

  rename(mailbox: MailboxState, name: string): void {
    this.#byName.delete(`${mailbox.account}/${mailbox.name}`);
    mailbox.name = name;
    this.#byName.set(`${mailbox.account}/${name}`, mailbox);
    this.touch(mailbox);
    this.#statements.writeMailbox.run(mailbox); // at once: another mailbox of the group may take the old name
  }

  touch(mailbox: MailboxState): void {
    this.writes++;
    mailbox.changed = true;
    this.#changedMailboxes.add(mailbox);
  }

  /**
   * Room for `count` new messages at the end of a mailbox; the caller inserts them.
   * @throws Refusal CANNOT when the mailbox has no UIDs left
   */
  arrive(
    account: AccountState,
    mailbox: MailboxState,
    arrived: { readonly count: number; readonly octets: number; readonly unseen: number; readonly deleted: number },
    modSeq = this.arrivalModSeq(account),
  ): number {
    const first = mailbox.uidNext;
    if (first + arrived.count > LAST_UID)
      throw new Refusal('CANNOT', `${mailbox.name} has no UIDs left: use a new mailbox`);
    mailbox.uidNext += arrived.count;
    mailbox.messages += arrived.count;
    mailbox.octets += arrived.octets;
    mailbox.unseen += arrived.unseen;
    mailbox.deleted += arrived.deleted;
    mailbox.highestModSeq = modSeq;
    this.#use(account, arrived.count, arrived.octets);
    if (modSeq === account.arrivals) mailbox.arrivedFrom ??= first;
    this.touch(mailbox);
    return first;
  }

  /** The number that arrivals of this group share. */
  arrivalModSeq(account: AccountState): number {
    return (account.arrivals ??= this.#raise(account));
  }

  // ---------------------------------------------------------------------------------------------------- the log

  /** `uids`: runs [first, last, …]. */
  logMessages(modSeq: number, mailbox: MailboxState, type: number, uids: readonly number[]): void {
    mailbox.highestModSeq = modSeq;
    this.touch(mailbox);
    this.#statements.insertChange.run(mailbox.account, modSeq, mailbox.id, type, runsToText(uids), null, null);
  }

  logMailbox(modSeq: number, mailbox: MailboxState, type: number, oldName: string | null = null): void {
    this.writes++;
    this.#statements.insertChange.run(mailbox.account, modSeq, mailbox.id, type, null, mailbox.name, oldName);
  }

  /** @param mailbox 0: the server */
  logAnnotations(modSeq: number, account: AccountState, mailbox: number, entries: readonly string[]): void {
    this.writes++;
    this.#statements.insertChange.run(account.id, modSeq, mailbox, CHANGE.annotations, null, entries.join('\n'), null);
  }

  /** News of a mailbox that is somebody else's, or of a name. */
  logOther(account: AccountState, mailbox: number, type: number, name: string): void {
    this.writes++;
    this.#statements.insertChange.run(account.id, this.nextModSeq(account), mailbox, type, null, name, null);
  }

  #logArrivals(account: number | undefined): void {
    for (const mailbox of this.#changedMailboxes) {
      if (mailbox.arrivedFrom === undefined || (account !== undefined && mailbox.account !== account)) continue;
      const runs = [mailbox.arrivedFrom, mailbox.uidNext - 1];
      mailbox.arrivedFrom = undefined;
      this.logMessages(this.#accounts.get(mailbox.account)!.arrivals!, mailbox, CHANGE.arrived, runs);
    }
  }

  // --------------------------------------------------------------------------------------------------- counters

  nextEmail(): number {
    this.#countersChanged = true;
    this.writes++;
    return this.counters.next_email++;
  }

  nextUidValidity(): number {
    this.#countersChanged = true;
    this.writes++;
    return ++this.counters.uid_validity;
  }

  count(name: 'transactions' | 'unread_transactions' | 'deleted_transactions' | 'octets', by: number): void {
    this.#countersChanged = true;
    this.counters[name] += by;
  }

  /** Before COMMIT: writes what the group changed. @returns the accounts that changed: [account, modSeq, …] */
  flush(): number[] {
    this.#logArrivals(undefined);
    for (const mailbox of this.#changedMailboxes) {
      this.#statements.writeMailbox.run(mailbox);
      mailbox.changed = false;
    }
    this.#changedMailboxes.clear();
    const reached: number[] = [];
    for (const account of this.#changedAccounts) {
      const { messages, octets } = account.quota;
      this.#statements.writeAccount.run(account.modSeq, messages, octets, account.id);
      account.changed = false;
      account.arrivals = undefined;
      reached.push(account.id, account.modSeq);
    }
    this.#changedAccounts.clear();
    if (this.#countersChanged) this.#statements.writeCounters.run(this.counters);
    this.#countersChanged = false;
    return reached;
  }
}

interface AccountRow extends QuotaRow {
  id: number;
  address: string;
  mod_seq: number;
}

interface MailboxRow {
  id: number;
  account_id: number;
  name: string;
  uid_validity: number;
  uid_next: number;
  first_recent_uid: number;
  highest_mod_seq: number;
  special_use: string;
  messages: number;
  unseen: number;
  deleted: number;
  octets: number;
}

const toMailboxState = (row: MailboxRow): MailboxState => ({
  id: row.id,
  account: row.account_id,
  name: row.name,
  uidValidity: row.uid_validity,
  uidNext: row.uid_next,
  firstRecentUid: row.first_recent_uid,
  highestModSeq: row.highest_mod_seq,
  specialUse: row.special_use,
  messages: row.messages,
  unseen: row.unseen,
  deleted: row.deleted,
  octets: row.octets,
  arrivedFrom: undefined,
  changed: false,
});

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const random = new Uint8Array(4096);
let unused = 0;

/** 22 letters and digits: seven for the time in milliseconds, so that newer ids are greater, then 15 random ones. */
export function newTransactionId(now: number): string {
  let time = '';
  for (let rest = now, i = 0; i < 7; i++, rest = Math.floor(rest / 62)) time = ALPHABET[rest % 62]! + time;
  let id = time;
  while (id.length < 22) {
    if (unused === 0) unused = randomFillSync(random).length;
    const value = random[--unused]! & 63;
    if (value < 62) id += ALPHABET[value]!;
  }
  return id;
}
