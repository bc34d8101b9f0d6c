/** Access control lists (RFC 4314): who else than the owner may do what with a mailbox. */
import type { MailboxId, AccountId } from '../change.ts';
import type { SharedMailbox } from '../mail-store.ts';
import { Refusal } from '../refusal.ts';
import { ANYONE, changeRights, effectiveRights, hasRight, type AclEntry, type Rights } from '../rights.ts';
import { loginOf } from './accounts.ts';
import type { Database } from './database.ts';
import { CHANGE, type AccountState, type Ledger, type MailboxState } from './ledger.ts';
import { sortedByName } from './mailbox-name.ts';
import { toMailbox, type MailboxRow } from './mailboxes.ts';
import type { Requests } from './requests.ts';

/** As grantee: see schema.sql. */
const ALL_ACCOUNTS = 0;
const MOST_ENTRIES = 1_000; // of one mailbox
/** So many hear at once of what anyone may do; more find it when they look. */
const MOST_TOLD = 1_000;

interface AclRow {
  negative: number;
  rights: string;
}

const toEntry = ({ negative, rights }: AclRow): Pick<AclEntry, 'negative' | 'rights'> => ({
  negative: negative === 1,
  rights,
});

/** Rows that are about an account: its own, and those about all accounts of its scope. */
const CONCERNS = `(acl.grantee = @account
  OR acl.grantee = ${ALL_ACCOUNTS} AND account.owner IS (SELECT owner FROM account WHERE id = @account))`;

export class AclReads {
  readonly #statements;

  constructor(db: Database) {
    this.#statements = {
      owner: db.prepare<[number], number>('SELECT account_id FROM mailbox WHERE id = ?').pluck(),
      rights: db.prepare<[{ account: number; mailbox: number }], AclRow>(
        `SELECT acl.negative, acl.rights FROM acl
         JOIN mailbox ON mailbox.id = acl.mailbox_id JOIN account ON account.id = mailbox.account_id
         WHERE acl.mailbox_id = @mailbox AND ${CONCERNS}`,
      ),
      // CROSS: from the few rows of acl, and not from the accounts by which they are ordered.
      shared: db.prepare<[{ account: number }], MailboxRow & AclRow & { address: string }>(
        `SELECT mailbox.*, 0 AS subscribed, account.address, acl.negative, acl.rights FROM acl
         CROSS JOIN mailbox ON mailbox.id = acl.mailbox_id CROSS JOIN account ON account.id = mailbox.account_id
         WHERE acl.grantee IN (${ALL_ACCOUNTS}, @account) AND ${CONCERNS} AND mailbox.account_id <> @account
         ORDER BY account.login`,
      ),
      // Most accounts have nothing shared with them, and LIST asks for each of them: this is soon answered.
      isConcerned: db
        .prepare<[number], number>(`SELECT 1 FROM acl WHERE grantee IN (${ALL_ACCOUNTS}, ?) LIMIT 1`)
        .pluck(),
      list: db.prepare<[number], AclRow & { address: string | null }>(
        `SELECT account.address, negative, rights FROM acl LEFT JOIN account ON account.id = grantee
         WHERE mailbox_id = ? ORDER BY grantee, negative`,
      ),
    };
  }

  ownerOf(mailbox: MailboxId): AccountId | undefined {
    return this.#statements.owner.get(mailbox) as AccountId | undefined;
  }

  rightsOf(account: AccountId, mailbox: MailboxId): Rights {
    return effectiveRights(this.#statements.rights.all({ account, mailbox }).map(toEntry));
  }

  shared(account: AccountId): SharedMailbox[] {
    if (this.#statements.isConcerned.get(account) === undefined) return [];
    const byMailbox = Map.groupBy(this.#statements.shared.all({ account }), ({ id }) => id);
    const shared = [...byMailbox.values()].map((rows) => {
      const { address } = rows[0]!;
      return { mailbox: toMailbox(rows[0]!), address, rights: effectiveRights(rows.map(toEntry)) };
    });
    const byOwner = Map.groupBy(
      shared.filter(({ rights }) => rights !== ''),
      ({ address }) => address,
    );
    return [...byOwner.values()].flatMap((some) => sortedByName(some, ({ mailbox }) => mailbox.name));
  }

  list(mailbox: MailboxId): AclEntry[] {
    return this.#statements.list
      .all(mailbox)
      .map(({ address, ...row }) => ({ identifier: address ?? ANYONE, ...toEntry(row) }));
  }
}

export class AclWrites {
  readonly #ledger: Ledger;
  readonly #statements;

  constructor(ledger: Ledger) {
    const { db } = ledger;
    this.#ledger = ledger;
    this.#statements = {
      find: db
        .prepare<[number, number, number], string>(
          'SELECT rights FROM acl WHERE mailbox_id = ? AND grantee = ? AND negative = ?',
        )
        .pluck(),
      count: db.prepare<[number], number>('SELECT count(*) FROM acl WHERE mailbox_id = ?').pluck(),
      put: db.prepare<[number, number, number, string]>(
        `INSERT INTO acl (mailbox_id, grantee, negative, rights) VALUES (?, ?, ?, ?)
         ON CONFLICT (mailbox_id, grantee, negative) DO UPDATE SET rights = excluded.rights`,
      ),
      remove: db.prepare<[number, number, number]>(
        'DELETE FROM acl WHERE mailbox_id = ? AND grantee = ? AND negative = ?',
      ),
      inherit: db.prepare<[number, number]>(
        'INSERT INTO acl (mailbox_id, grantee, negative, rights) SELECT ?, grantee, negative, rights FROM acl WHERE mailbox_id = ?',
      ),
      removeMailbox: db.prepare<[number]>('DELETE FROM acl WHERE mailbox_id = ?'),
      removeAccount: db.prepare<[number]>('DELETE FROM acl WHERE grantee = ?'),
      inScope: db
        .prepare<[number, number, number], number>(
          'SELECT id FROM account WHERE owner IS (SELECT owner FROM account WHERE id = ?) AND id <> ? LIMIT ?',
        )
        .pluck(),
    };
  }

  change({ account: id, mailbox: mailboxId, change }: Requests['changeAcl']['request']): undefined {
    const account = this.#ledger.account(id);
    const mailbox = this.#ledger.mailbox(account, mailboxId);
    const grantee = this.#grantee(change.identifier);
    const key = [mailbox.id, grantee, change.negative ? 1 : 0] as const;
    const before = this.#statements.find.get(...key);
    const rights = changeRights(before ?? '', change);
    if (rights === (before ?? '')) return;
    if (before === undefined && this.#statements.count.get(mailbox.id)! >= MOST_ENTRIES) {
      throw new Refusal('LIMIT', `An access control list has at most ${MOST_ENTRIES} entries`);
    }
    this.#ledger.writes++;
    if (rights === '') this.#statements.remove.run(...key);
    else this.#statements.put.run(...key, rights);
    this.#ledger.logMailbox(this.#ledger.nextModSeq(account), mailbox, CHANGE.rights);
    // Who follows nothing of this owner yet hears of it by an own number.
    const mayKnow = (text = ''): boolean => hasRight(text, 'l');
    if (grantee !== ALL_ACCOUNTS) this.#tell([grantee], mailbox);
    else if (mayKnow(before) !== mayKnow(rights)) this.#tell(this.#scopeOf(account), mailbox);
  }

  /** @throws Refusal NONEXISTENT */
  #grantee(identifier: string): number {
    if (identifier === ANYONE) return ALL_ACCOUNTS;
    const account = this.#ledger.findAccountByLogin(loginOf(identifier));
    if (!account) throw new Refusal('NONEXISTENT', `There is no account ${identifier}`);
    return account.id;
  }

  #scopeOf({ id }: AccountState): number[] {
    const ids = this.#statements.inScope.all(id, id, MOST_TOLD + 1);
    return ids.length > MOST_TOLD ? [] : ids;
  }

  #tell(accounts: readonly number[], mailbox: MailboxState): void {
    for (const id of accounts) {
      this.#ledger.logOther(this.#ledger.account(id), mailbox.id, CHANGE.rights, mailbox.name);
    }
  }

  /** A new mailbox has the list of its superior one (RFC 4314 §4 CREATE). */
  inherit(from: number, to: number): void {
    this.#statements.inherit.run(to, from);
  }

  removeMailbox(mailbox: number): void {
    this.#statements.removeMailbox.run(mailbox);
  }

  removeAccount(account: number): void {
    this.#statements.removeAccount.run(account);
  }
}
