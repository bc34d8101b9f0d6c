/**
 * Annotations of mailboxes and of the server: RFC 5464. An entry is one row; `/private/specialuse` has none, for it is the
 * mailbox's special uses by another name (RFC 6154 §4).
 */
import { THE_SERVER, type AccountId, type MailboxId, type ModSeq } from '../change.ts';
import { SPECIAL_USES, type Annotation, type AnnotationQuery, type SpecialUse } from '../mail-store.ts';
import { LARGEST_ANNOTATION, Refusal } from '../refusal.ts';
import type { Database } from './database.ts';
import type { AccountState, Ledger, MailboxState } from './ledger.ts';
import type { MailboxReads, MailboxWrites } from './mailboxes.ts';
import type { Requests } from './requests.ts';

/** Of one mailbox, shared ones, and private ones of one account; RFC 5464 §4.1 wants 10 at least. */
const MOST_ENTRIES = 1_000;
/** Octets of names and values: of all that one account has set or that its mailboxes share, and of what the server shares. */
const MOST_OCTETS = 16 * 1024 * 1024;

const SPECIAL_USE = '/private/specialuse';
/** In the place of an account: everybody. */
const ALL = 0;

/** In `annotation.account_id`. */
function seenBy(account: number, entry: string): number {
  return entry === '/private' || entry.startsWith('/private/') ? account : ALL;
}

/** @param mailbox undefined: the server */
function isSpecialUse(mailbox: unknown, entry: string): boolean {
  return mailbox !== undefined && entry === SPECIAL_USE;
}

interface Row {
  entry: string;
  octets: number;
  value: Uint8Array | null;
}

interface Place {
  mailbox: number;
  account: number;
  entry: string;
  most: number;
}

const SELECT = `SELECT entry, length(value) AS octets, CASE WHEN length(value) <= @most THEN value END AS value
  FROM annotation WHERE mailbox_id = @mailbox AND account_id = @account`;

export class AnnotationReads {
  readonly #mailboxes: MailboxReads;
  readonly #statements;

  constructor(db: Database, mailboxes: MailboxReads) {
    this.#mailboxes = mailboxes;
    this.#statements = {
      exactly: db.prepare<[Place], Row>(`${SELECT} AND entry = @entry`),
      // '0' follows '/' in the order of code points.
      below: db.prepare<[Place], Row>(`${SELECT} AND entry > @entry || '/' AND entry < @entry || '0' ORDER BY entry`),
      children: db.prepare<[Place], Row>(
        `${SELECT} AND entry > @entry || '/' AND entry < @entry || '0'
           AND instr(substr(entry, length(@entry) + 2), '/') = 0 ORDER BY entry`,
      ),
    };
  }

  /** @param viewer sees its own private ones, and special uses only of its own mailboxes */
  find(account: AccountId, mailboxId: MailboxId, query: AnnotationQuery, viewer = account): Annotation[] {
    const mailbox = mailboxId === THE_SERVER ? undefined : this.#mailboxes.find(account, mailboxId);
    if (mailboxId !== THE_SERVER && !mailbox) throw new Refusal('NONEXISTENT', 'There is no such mailbox');
    const { entries, depth, maximumOctets: most = LARGEST_ANNOTATION } = query;
    const found = new Map<string, Annotation>();
    const computed =
      viewer === account && mailbox?.specialUse.length ? Buffer.from(mailbox.specialUse.join(' ')) : undefined;
    for (const entry of depth === 'infinity' ? withoutInferior(entries) : entries) {
      const place: Place = { mailbox: mailboxId, account: seenBy(viewer, entry), entry, most };
      const rows = this.#statements.exactly.all(place);
      if (depth !== 0) rows.push(...this.#statements[depth === 1 ? 'children' : 'below'].all(place));
      if (computed && names(query, entry, SPECIAL_USE)) {
        const octets = computed.length;
        rows.push({ entry: SPECIAL_USE, octets, value: octets <= most ? computed : null });
        rows.sort((a, b) => (a.entry < b.entry ? -1 : 1));
      }
      for (const row of rows) found.set(row.entry, { ...row, value: row.value ?? undefined });
    }
    return [...found.values()];
  }
}

/** Whether an entry that was asked for means another one too (RFC 5464 §4.2.2). */
function names({ depth }: AnnotationQuery, asked: string, entry: string): boolean {
  if (asked === entry) return true;
  if (!entry.startsWith(`${asked}/`)) return false;
  return depth === 'infinity' || (depth === 1 && !entry.includes('/', asked.length + 1));
}

/** Those below another one are found with that: nothing is read as often as it is named. */
function withoutInferior(entries: readonly string[]): string[] {
  const all = new Set(entries);
  return entries.filter((entry) => {
    for (let at = entry.lastIndexOf('/'); at > 0; at = entry.lastIndexOf('/', at - 1)) {
      if (all.has(entry.slice(0, at))) return false;
    }
    return true;
  });
}

/** What others need when mailboxes and accounts come and go. */
export class AnnotationRows {
  readonly #ledger: Ledger;
  readonly #statements;

  constructor(ledger: Ledger) {
    const { db } = ledger;
    this.#ledger = ledger;
    const octets = 'coalesce(sum(length(entry) + length(value)), 0) FROM annotation';
    this.#statements = {
      copy: db.prepare<[number, number]>(
        'INSERT INTO annotation SELECT ?, account_id, entry, value FROM annotation WHERE mailbox_id = ?',
      ),
      removeOf: db.prepare<[number]>('DELETE FROM annotation WHERE mailbox_id = ?'),
      removeOwn: db.prepare<[number]>('DELETE FROM annotation WHERE account_id = ? AND account_id > 0'),
      octetsOf: db.prepare<[number], number>(`SELECT ${octets} WHERE mailbox_id = ?`).pluck(),
      octetsOfServer: db.prepare<[], number>(`SELECT ${octets} WHERE mailbox_id = 0 AND account_id = 0`).pluck(),
      octetsOfAccount: db
        .prepare<[{ account: number }], number>(
          `SELECT (SELECT ${octets} WHERE account_id = @account AND account_id > 0)
             + (SELECT ${octets} WHERE account_id = 0 AND mailbox_id IN (SELECT id FROM mailbox WHERE account_id = @account))`,
        )
        .pluck(),
    };
  }

  copy(from: number, to: number): void {
    this.#ledger.writes++;
    this.#statements.copy.run(to, from);
  }

  /** Of a mailbox. */
  removeOf(mailbox: number): void {
    this.#ledger.writes++;
    this.#statements.removeOf.run(mailbox);
  }

  /** The private ones of an account. */
  removeOwn(account: number): void {
    this.#ledger.writes++;
    this.#statements.removeOwn.run(account);
  }

  /** @throws Refusal OVERQUOTA */
  assertRoomForCopy(account: number, mailbox: number): void {
    this.assertRoom(account, this.#statements.octetsOf.get(mailbox)!);
  }

  /**
   * @param account 0: what the server shares
   * @throws Refusal OVERQUOTA
   */
  assertRoom(account: number, more: number): void {
    if (more <= 0) return;
    const { octetsOfAccount, octetsOfServer } = this.#statements;
    const present = account === ALL ? octetsOfServer.get()! : octetsOfAccount.get({ account })!;
    if (present + more > MOST_OCTETS) {
      throw new Refusal('OVERQUOTA', `Annotations may have ${MOST_OCTETS} octets in all: remove some`);
    }
  }
}

/** One entry as it is to be. */
interface Wanted {
  readonly entry: string;
  readonly account: number;
  readonly value: Uint8Array | null;
  /** Undefined: it is not there. */
  readonly before: Uint8Array | undefined;
}

export class AnnotationWrites {
  readonly #ledger: Ledger;
  readonly #rows: AnnotationRows;
  readonly #mailboxes: MailboxWrites;
  readonly #statements;

  constructor(ledger: Ledger, rows: AnnotationRows, mailboxes: MailboxWrites) {
    const { db } = ledger;
    this.#ledger = ledger;
    this.#rows = rows;
    this.#mailboxes = mailboxes;
    this.#statements = {
      value: db
        .prepare<[number, number, string], Uint8Array>(
          'SELECT value FROM annotation WHERE mailbox_id = ? AND account_id = ? AND entry = ?',
        )
        .pluck(),
      count: db
        .prepare<[number, number], number>('SELECT count(*) FROM annotation WHERE mailbox_id = ? AND account_id = ?')
        .pluck(),
      put: db.prepare<[number, number, string, Uint8Array]>(
        `INSERT INTO annotation (mailbox_id, account_id, entry, value) VALUES (?, ?, ?, ?)
         ON CONFLICT (mailbox_id, account_id, entry) DO UPDATE SET value = excluded.value`,
      ),
      remove: db.prepare<[number, number, string]>(
        'DELETE FROM annotation WHERE mailbox_id = ? AND account_id = ? AND entry = ?',
      ),
      accounts: db.prepare<[], number>('SELECT id FROM account').pluck(),
    };
  }

  /** RFC 5464 §4.3: all of them or none, so whatever can be refused is refused first. */
  set(
    { account: owner, mailbox: mailboxId, changes, actor: id = owner }: Requests['setAnnotations']['request'],
    packed: Uint8Array,
  ): ModSeq | undefined {
    const account = this.#ledger.account(id);
    const mailbox = mailboxId === THE_SERVER ? undefined : this.#ledger.mailbox(this.#ledger.account(owner), mailboxId);
    const all = unpacked(changes, packed).map(({ entry, value }): Wanted => {
      if (value && value.length > LARGEST_ANNOTATION) {
        throw new Refusal('ANNOTATIONTOOBIG', `A value has at most ${LARGEST_ANNOTATION} octets`);
      }
      const seen = seenBy(id, entry);
      if (mailbox && isSpecialUse(mailbox, entry)) {
        if (mailbox.account !== id) throw new Refusal('NOPERM', 'Special uses are for the owner of a mailbox to set');
        const before = mailbox.specialUse === '' ? undefined : Buffer.from(mailbox.specialUse);
        return { entry, account: seen, value: value && this.#specialUse(mailbox, value), before };
      }
      return { entry, account: seen, value, before: this.#statements.value.get(mailboxId, seen, entry) };
    });
    const wanted = all.filter(isChange);
    if (wanted.length === 0) return undefined;
    this.#assertRoom(mailboxId, mailbox, wanted);
    const numbers = this.#log(account, mailbox, wanted);
    for (const each of wanted) this.#put(mailboxId, mailbox, each, numbers.get(account.id));
    return numbers.get(id) as ModSeq | undefined;
  }

  /** RFC 6154 §4: as CREATE would have it; null: none. @throws Refusal USEATTR */
  #specialUse(mailbox: MailboxState, value: Uint8Array): Uint8Array | null {
    const uses = specialUses(value);
    this.#mailboxes.checkSpecialUse(mailbox.account, uses, mailbox.id);
    return uses.length === 0 ? null : Buffer.from(uses.join(' '));
  }

  #assertRoom(mailboxId: number, mailbox: MailboxState | undefined, wanted: readonly Wanted[]): void {
    const rows = wanted.filter(({ entry }) => !isSpecialUse(mailbox, entry));
    for (const account of new Set(rows.map((each) => each.account))) {
      const own = rows.filter((each) => each.account === account);
      const more = own.filter((each) => !each.before).length - own.filter((each) => !each.value).length;
      if (more > 0 && this.#statements.count.get(mailboxId, account)! + more > MOST_ENTRIES) {
        throw new Refusal('TOOMANYANNOTATIONS', `There may be ${MOST_ENTRIES} annotations here: remove some`);
      }
      // What a mailbox shares counts for whom it belongs to.
      this.#rows.assertRoom(account === ALL ? (mailbox?.account ?? ALL) : account, growth(own));
    }
  }

  /** In the log of each account that can see them. @returns by account, the number of the change */
  #log(actor: AccountState, mailbox: MailboxState | undefined, wanted: readonly Wanted[]): ReadonlyMap<number, number> {
    const seen = new Map<number, string[]>();
    for (const { entry, account } of wanted) {
      const accounts = account !== ALL ? [actor.id] : mailbox ? [mailbox.account] : this.#statements.accounts.all();
      for (const each of accounts) seen.set(each, [...(seen.get(each) ?? []), entry]);
    }
    const numbers = new Map<number, number>();
    for (const [id, entries] of seen) {
      const account = this.#ledger.account(id);
      const modSeq = this.#ledger.nextModSeq(account);
      this.#ledger.logAnnotations(modSeq, account, mailbox?.id ?? THE_SERVER, entries);
      numbers.set(id, modSeq);
    }
    return numbers;
  }

  #put(mailboxId: number, mailbox: MailboxState | undefined, wanted: Wanted, modSeq: number | undefined): void {
    const { entry, account, value } = wanted;
    if (mailbox && isSpecialUse(mailbox, entry)) {
      this.#mailboxes.setSpecialUse(mailbox, value ? specialUses(value) : [], modSeq!);
      return;
    }
    this.#ledger.writes++;
    if (value) this.#statements.put.run(mailboxId, account, entry, value);
    else this.#statements.remove.run(mailboxId, account, entry);
  }
}

function unpacked(
  changes: Requests['setAnnotations']['request']['changes'],
  packed: Uint8Array,
): { readonly entry: string; readonly value: Uint8Array | null }[] {
  let at = 0;
  return changes.map(({ entry, octets }) => {
    if (octets === null) return { entry, value: null };
    at += octets;
    return { entry, value: packed.subarray(at - octets, at) };
  });
}

function isChange({ value, before }: Wanted): boolean {
  if (!value || !before) return value !== null || before !== undefined;
  return Buffer.compare(value, before) !== 0;
}

function growth(wanted: readonly Wanted[]): number {
  let octets = 0;
  for (const { entry, value, before } of wanted) {
    if (value) octets += entry.length + value.length;
    if (before) octets -= entry.length + before.length;
  }
  return octets;
}

/** @throws Refusal USEATTR */
function specialUses(value: Uint8Array): SpecialUse[] {
  const names = Buffer.from(value)
    .toString('latin1')
    .split(' ')
    .filter((name) => name !== '');
  const known = names.map((name) => SPECIAL_USES.find((use) => use.toLowerCase() === name.toLowerCase()));
  if (known.includes(undefined)) throw new Refusal('USEATTR', 'That is no special use that is known here');
  return [...new Set(known as SpecialUse[])];
}
