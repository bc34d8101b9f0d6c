/** Mailboxes: RFC 9051 §6.3.4 to §6.3.9, and their counters. */
import type { AccountId, MailboxId, ModSeq, Uid } from '../change.ts';
import type { ClaimedRecent, Mailbox, SpecialUse } from '../mail-store.ts';
import { Refusal } from '../refusal.ts';
import type { AnnotationRows } from './annotations.ts';
import type { CopyWrites } from './copies.ts';
import type { Database } from './database.ts';
import { CHANGE, type AccountState, type Ledger, type MailboxState } from './ledger.ts';
import { isOthersName } from '../other-users.ts';
import type { AclWrites } from './acl.ts';
import { mailboxName, newMailboxName, sortedByName, possibleName, superiorNames } from './mailbox-name.ts';
import type { Requests } from './requests.ts';
import { CopyCounts } from './transaction-counts.ts';

const MOST_MAILBOXES = 10_000; // of one account
/** All mailboxes, and some names that are none. */
const MOST_SUBSCRIPTIONS = 2 * MOST_MAILBOXES;

export interface MailboxRow {
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
  subscribed: number;
}

export const toMailbox = (row: MailboxRow): Mailbox => ({
  id: row.id as MailboxId,
  account: row.account_id as AccountId,
  name: row.name,
  uidValidity: row.uid_validity,
  uidNext: row.uid_next as Uid,
  highestModSeq: row.highest_mod_seq as ModSeq,
  subscribed: row.subscribed === 1,
  specialUse: row.special_use === '' ? [] : (row.special_use.split(' ') as SpecialUse[]),
  messages: row.messages,
  unseen: row.unseen,
  deleted: row.deleted,
  octets: row.octets,
  firstRecentUid: row.first_recent_uid as Uid,
});

const SELECT = `SELECT mailbox.*,
  EXISTS (SELECT 1 FROM subscription AS s WHERE s.account_id = mailbox.account_id AND s.name = mailbox.name) AS subscribed
  FROM mailbox`;

export class MailboxReads {
  readonly #statements;

  constructor(db: Database) {
    this.#statements = {
      byId: db.prepare<[number, number], MailboxRow>(`${SELECT} WHERE id = ? AND account_id = ?`),
      byName: db.prepare<[number, string], MailboxRow>(`${SELECT} WHERE account_id = ? AND name = ?`),
      all: db.prepare<[number], MailboxRow>(`${SELECT} WHERE account_id = ?`),
      subscriptions: db.prepare<[number], string>('SELECT name FROM subscription WHERE account_id = ?').pluck(),
    };
  }

  find(account: AccountId, nameOrId: string | MailboxId): Mailbox | undefined {
    const row =
      typeof nameOrId === 'string' ? this.#byName(account, nameOrId) : this.#statements.byId.get(nameOrId, account);
    return row && toMailbox(row);
  }

  #byName(account: AccountId, given: string): MailboxRow | undefined {
    const name = possibleName(given);
    return name === undefined ? undefined : this.#statements.byName.get(account, name);
  }

  list(account: AccountId): Mailbox[] {
    return sortedByName(this.#statements.all.all(account).map(toMailbox), ({ name }) => name);
  }

  subscriptions(account: AccountId): string[] {
    return sortedByName(this.#statements.subscriptions.all(account), (name) => name);
  }
}

export class MailboxWrites {
  readonly #ledger: Ledger;
  readonly #counts: CopyCounts;
  readonly #copies: CopyWrites;
  readonly #annotations: AnnotationRows;
  readonly #acl: AclWrites;
  readonly #statements;

  constructor(ledger: Ledger, copies: CopyWrites, annotations: AnnotationRows, acl: AclWrites) {
    const { db } = ledger;
    this.#ledger = ledger;
    this.#acl = acl;
    this.#counts = new CopyCounts(ledger);
    this.#copies = copies;
    this.#annotations = annotations;
    this.#statements = {
      insertMailbox: db.prepare<[number, string, number, number, string]>(
        `INSERT INTO mailbox (account_id, name, uid_validity, uid_next, first_recent_uid, highest_mod_seq, special_use,
           messages, unseen, deleted, octets)
         VALUES (?, ?, ?, 1, 1, ?, ?, 0, 0, 0, 0)`,
      ),
      deleteMailbox: db.prepare<[number]>('DELETE FROM mailbox WHERE id = ?'),
      deleteImportKeys: db.prepare<[number]>('DELETE FROM import_key WHERE mailbox_id = ?'),
      countMailboxes: db.prepare<[number], number>('SELECT count(*) FROM mailbox WHERE account_id = ?').pluck(),
      inferiorIds: db
        .prepare<[number, string, string], number>(
          'SELECT id FROM mailbox WHERE account_id = ? AND name > ? AND name < ? ORDER BY name',
        )
        .pluck(),
      withSpecialUse: db
        .prepare<[number, number], string>('SELECT special_use FROM mailbox WHERE account_id = ? AND id <> ?')
        .pluck(),
      setSpecialUse: db.prepare<[string, number]>('UPDATE mailbox SET special_use = ? WHERE id = ?'),
      subscribe: db.prepare<[number, string]>('INSERT OR IGNORE INTO subscription (account_id, name) VALUES (?, ?)'),
      countSubscriptions: db
        .prepare<[number], number>('SELECT count(*) FROM subscription WHERE account_id = ?')
        .pluck(),
      unsubscribe: db.prepare<[number, string]>('DELETE FROM subscription WHERE account_id = ? AND name = ?'),
      keepFormerName: db.prepare<[number, string, number]>(
        `INSERT INTO former_name (account_id, name, uid_validity) VALUES (?, ?, ?)
         ON CONFLICT (account_id, name) DO UPDATE SET uid_validity = max(uid_validity, excluded.uid_validity)`,
      ),
      formerUidValidity: db
        .prepare<[number, string], number>('SELECT uid_validity FROM former_name WHERE account_id = ? AND name = ?')
        .pluck(),
    };
  }

  create({ account: id, name: given, specialUse }: Requests['createMailbox']['request']): MailboxId {
    const account = this.#ledger.account(id);
    const name = newMailboxName(given);
    if (this.#ledger.findMailboxByName(id, name))
      throw new Refusal('ALREADYEXISTS', `There is a mailbox ${name} already`);
    this.checkSpecialUse(id, specialUse);
    const names = this.missing(id, name);
    const modSeq = this.#ledger.nextModSeq(account);
    const made = names.map((each) => this.#makeOne(account, each, each === name ? specialUse : [], modSeq));
    return made.at(-1)!.id as MailboxId;
  }

  /**
   * RFC 6154 §3: an attribute that the server cannot give is refused; each belongs to one mailbox.
   * @param mailbox whose they are to be; 0: it is not made yet
   */
  checkSpecialUse(account: number, wanted: readonly SpecialUse[], mailbox = 0): void {
    const taken =
      wanted.length === 0
        ? []
        : this.#statements.withSpecialUse.all(account, mailbox).flatMap((text) => text.split(' '));
    for (const attribute of wanted) {
      if (attribute === '\\All' || attribute === '\\Flagged') {
        throw new Refusal('USEATTR', `${attribute} is for mailboxes that show messages of others: there are none here`);
      }
      if (taken.includes(attribute)) throw new Refusal('USEATTR', `Another mailbox is ${attribute} already`);
    }
  }

  setSpecialUse(mailbox: MailboxState, specialUse: readonly SpecialUse[], modSeq: number): void {
    this.#ledger.writes++;
    mailbox.specialUse = specialUse.join(' ');
    this.#statements.setSpecialUse.run(mailbox.specialUse, mailbox.id);
    this.#ledger.logMailbox(modSeq, mailbox, CHANGE.attributes);
  }

  /** The names that must be made so that `name` exists: itself and its missing superior names. @throws Refusal LIMIT */
  missing(account: number, name: string): string[] {
    const names = [...superiorNames(name), name].filter((each) => !this.#ledger.findMailboxByName(account, each));
    if (names.length > 0 && this.#statements.countMailboxes.get(account)! + names.length > MOST_MAILBOXES) {
      throw new Refusal('LIMIT', `An account has at most ${MOST_MAILBOXES} mailboxes`);
    }
    return names;
  }

  /** A mailbox that does not exist yet, with its superior names; `name` is one of `newMailboxName`. */
  make(account: AccountState, name: string, modSeq = this.#ledger.nextModSeq(account)): MailboxState {
    return this.missing(account.id, name)
      .map((each) => this.#makeOne(account, each, [], modSeq))
      .at(-1)!;
  }

  /** RFC 4314 §4 CREATE: whoever has rights to the superior mailbox has them here too. */
  #makeOne(account: AccountState, name: string, specialUse: readonly SpecialUse[], modSeq: number): MailboxState {
    const mailbox = this.insert(account, name, specialUse, modSeq);
    const superior = superiorNames(name).at(-1);
    const above = superior === undefined ? undefined : this.#ledger.findMailboxByName(account.id, superior);
    if (above) this.#acl.inherit(above.id, mailbox.id);
    this.#ledger.logMailbox(modSeq, mailbox, CHANGE.created);
    return mailbox;
  }

  insert(account: AccountState, name: string, specialUse: readonly SpecialUse[], modSeq: number): MailboxState {
    const uidValidity = this.#ledger.nextUidValidity();
    this.#statements.insertMailbox.run(account.id, name, uidValidity, modSeq, specialUse.join(' '));
    return this.#ledger.findMailboxByName(account.id, name)!;
  }

  subscribe(account: number, name: string): void {
    this.#statements.subscribe.run(account, name);
  }

  delete({ account: id, name }: Requests['deleteMailbox']['request']): undefined {
    const account = this.#ledger.account(id);
    const mailbox = this.#existing(account, name);
    if (mailbox.name === 'INBOX') throw new Refusal('CANNOT', 'INBOX cannot be deleted');
    const modSeq = this.#ledger.nextModSeq(account);
    this.#counts.removeMailbox(id, mailbox.id);
    this.#statements.keepFormerName.run(id, mailbox.name, mailbox.uidValidity);
    this.remove(mailbox);
    this.#ledger.logMailbox(modSeq, mailbox, CHANGE.deleted);
  }

  /** Its row and what hangs on it, but not its messages. */
  remove(mailbox: MailboxState): void {
    this.#ledger.release(mailbox, mailbox.messages, mailbox.octets);
    this.#statements.deleteImportKeys.run(mailbox.id);
    this.#annotations.removeOf(mailbox.id);
    this.#acl.removeMailbox(mailbox.id);
    this.#statements.deleteMailbox.run(mailbox.id);
    this.#ledger.forgetMailbox(mailbox);
  }

  #existing(account: AccountState, given: string): MailboxState {
    const name = possibleName(given);
    const mailbox = name === undefined ? undefined : this.#ledger.findMailboxByName(account.id, name);
    if (!mailbox) throw new Refusal('NONEXISTENT', `There is no mailbox ${given}`);
    return mailbox;
  }

  rename({ account: id, from, to }: Requests['renameMailbox']['request']): undefined {
    const account = this.#ledger.account(id);
    const mailbox = this.#existing(account, from);
    const name = newMailboxName(to);
    if (this.#ledger.findMailboxByName(id, name))
      throw new Refusal('ALREADYEXISTS', `There is a mailbox ${name} already`);
    if (mailbox.name === 'INBOX') {
      this.#renameInbox(account, mailbox, name);
      return;
    }
    if (name.startsWith(`${mailbox.name}/`)) throw new Refusal('CANNOT', 'A mailbox cannot be moved below itself');
    const inferior = this.#inferior(account, mailbox.name);
    // Moved names may be too long, and one of them may be there already.
    const names = [mailbox, ...inferior].map((each) => mailboxName(name + each.name.slice(mailbox.name.length)));
    for (const each of names) {
      if (this.#ledger.findMailboxByName(id, each))
        throw new Refusal('ALREADYEXISTS', `There is a mailbox ${each} already`);
    }
    const superior = superiorNames(name).at(-1);
    if (superior !== undefined) this.missing(id, superior); // refuses past the limit before anything is written
    const modSeq = this.#ledger.nextModSeq(account);
    [mailbox, ...inferior].forEach((each, index) => this.#renameOne(each, names[index]!, modSeq));
    if (superior !== undefined && !this.#ledger.findMailboxByName(id, superior)) this.make(account, superior, modSeq);
  }

  /**
   * RFC 9051 §6.3.6: INBOX stays, empty; its messages move into a new mailbox; inferior names stay. RFC 5464 §4.1: the new
   * one has the annotations too.
   */
  #renameInbox(account: AccountState, inbox: MailboxState, name: string): void {
    this.missing(account.id, name);
    this.#annotations.assertRoomForCopy(account.id, inbox.id);
    const modSeq = this.#ledger.nextModSeq(account);
    const mailbox = this.make(account, name, modSeq);
    this.#copies.moveAll(account, inbox, mailbox, modSeq);
    this.#annotations.copy(inbox.id, mailbox.id);
  }

  #inferior(account: AccountState, name: string): MailboxState[] {
    // '0' follows '/' in the order of code points.
    return this.#statements.inferiorIds
      .all(account.id, `${name}/`, `${name}0`)
      .map((id) => this.#ledger.mailbox(account, id));
  }

  #renameOne(mailbox: MailboxState, name: string, modSeq: number): void {
    const oldName = mailbox.name;
    this.#statements.keepFormerName.run(mailbox.account, oldName, mailbox.uidValidity);
    const former = this.#statements.formerUidValidity.get(mailbox.account, name) ?? 0;
    if (former > mailbox.uidValidity) mailbox.uidValidity = this.#ledger.nextUidValidity();
    this.#ledger.rename(mailbox, name);
    this.#ledger.logMailbox(modSeq, mailbox, CHANGE.renamed, oldName);
  }

  renewUidValidity({ account: id, mailbox: mailboxId }: Requests['renewUidValidity']['request']): number {
    const account = this.#ledger.account(id);
    const mailbox = this.#ledger.mailbox(account, mailboxId);
    mailbox.uidValidity = this.#ledger.nextUidValidity();
    this.#ledger.touch(mailbox);
    // Whoever holds a snapshot is to look again.
    this.#ledger.logMailbox(this.#ledger.nextModSeq(account), mailbox, CHANGE.attributes);
    return mailbox.uidValidity;
  }

  setSubscribed({ account: id, name: given, subscribed }: Requests['setSubscribed']['request']): undefined {
    const account = this.#ledger.account(id);
    const name = subscribed ? mailboxName(given) : (possibleName(given) ?? given);
    // RFC 9051 §6.3.7: what is subscribed need not exist, so the number of mailboxes bounds nothing.
    if (subscribed && this.#statements.countSubscriptions.get(id)! >= MOST_SUBSCRIPTIONS) {
      throw new Refusal('LIMIT', `An account has at most ${MOST_SUBSCRIPTIONS} subscriptions`);
    }
    this.#ledger.writes++;
    const { changes } = (subscribed ? this.#statements.subscribe : this.#statements.unsubscribe).run(id, name);
    const mailbox = this.#ledger.findMailboxByName(id, name);
    if (changes === 0) return;
    if (mailbox) this.#ledger.logMailbox(this.#ledger.nextModSeq(account), mailbox, CHANGE.attributes);
    else if (isOthersName(name)) this.#ledger.logOther(account, 0, CHANGE.attributes, name);
  }

  claimRecent({ account: id, mailbox: mailboxId }: Requests['claimRecent']['request']): ClaimedRecent {
    const mailbox = this.#ledger.mailbox(this.#ledger.account(id), mailboxId);
    const [first, next] = [mailbox.firstRecentUid as Uid, mailbox.uidNext as Uid];
    if (first < next) {
      mailbox.firstRecentUid = next;
      this.#ledger.touch(mailbox);
    }
    return { first, next };
  }
}
