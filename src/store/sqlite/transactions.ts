/** Accepted transactions as lists show them: newest first, one entry each, however many copies. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountId, EmailId, MailboxId, ModSeq, Uid } from '../change.ts';
import type {
  ForwardPath,
  MailStore,
  MessageCopy,
  Origin,
  TransactionEvent,
  TransactionFilter,
  TransactionList,
  TransactionSummary,
} from '../mail-store.ts';
import { Addressing } from './addressing.ts';
import type { Database } from './database.ts';
import type { Derivations } from './derivations.ts';
import type { KeptSummary } from './derive.ts';
import { Search, type Candidates } from './search.ts';
import type { SearcherClient } from './searcher-client.ts';
import { TagReads } from './tags.ts';
import { EVENT } from './transaction-log.ts';

const ROWS_AT_ONCE = 4_000;
const EVENTS_AT_ONCE = 1_000;
/** So few are looked up one by one. */
const FEW = 2_000;
/** Whoever is further behind than this is quicker with reading everything anew. */
const MOST_EVENTS = 20_000;

interface SummaryRow {
  email_id: number;
  public_id: string;
  unread: number;
  received_at_ms: number;
  reverse_path: string;
  return_type: string | null;
  envelope_id: string | null;
  forward_paths: string;
  origin: string;
  size: number;
  trace_size: number;
  summary: string | null;
}

interface CopyRow {
  account_id: number;
  mailbox_id: number;
  name: string;
  address: string;
  uid: number;
  flag_set: number;
}

interface WholeCopyRow extends CopyRow {
  owner: string | null;
  uid_validity: number;
  mod_seq: number;
  internal_date: number;
  saved_date: number;
}

type AcceptedRow = [emailId: number, receivedAt: number, unread: number];

/** Transactions by ascending email id, with what their filters look at. */
interface Listed {
  readonly emailIds: number[];
  readonly receivedAt: number[];
  readonly unread: number[];
}

export type Page = Parameters<MailStore['listTransactions']>[1];

export class TransactionReads {
  readonly #derivations: Derivations;
  readonly #searcher: SearcherClient;
  readonly #flagSet: (id: number) => readonly string[];
  readonly #addressing: Addressing;
  readonly #tags: TagReads;
  readonly #statements;

  constructor(
    db: Database,
    derivations: Derivations,
    searcher: SearcherClient,
    flagSet: (id: number) => readonly string[],
  ) {
    this.#derivations = derivations;
    this.#searcher = searcher;
    this.#flagSet = flagSet;
    this.#addressing = new Addressing(db);
    this.#tags = new TagReads(db);
    this.#statements = {
      counts: db.prepare<[], { transactions: number; unread_transactions: number }>(
        'SELECT transactions, unread_transactions FROM counter',
      ),
      page: db
        .prepare<[number, number, number], number>(
          'SELECT email_id FROM accepted WHERE received_at < ? ORDER BY email_id DESC LIMIT ? OFFSET ?',
        )
        .pluck(),
      // `+`: a partial index would not help, for the rows are narrow and in order.
      unreadPage: db
        .prepare<[number, number, number, number], number>(
          'SELECT email_id FROM accepted WHERE (unread > 0) = ? AND received_at < ? ORDER BY email_id DESC LIMIT ? OFFSET ?',
        )
        .pluck(),
      after: db
        .prepare<[number, number], AcceptedRow>(
          'SELECT email_id, received_at, unread FROM accepted WHERE email_id > ? ORDER BY email_id LIMIT ?',
        )
        .raw(),
      one: db
        .prepare<[number], AcceptedRow>('SELECT email_id, received_at, unread FROM accepted WHERE email_id = ?')
        .raw(),
      emailId: db.prepare<[string], number>('SELECT email_id FROM accepted WHERE public_id = ?').pluck(),
      publicId: db.prepare<[number], string>('SELECT public_id FROM accepted WHERE email_id = ?').pluck(),
      mailboxesOfOwner: db
        .prepare<[string], number>(
          'SELECT mailbox.id FROM account JOIN mailbox ON mailbox.account_id = account.id WHERE account.owner = ? AND messages > 0',
        )
        .pluck(),
      mailboxesOfAccount: db
        .prepare<[number], number>('SELECT id FROM mailbox WHERE account_id = ? AND messages > 0')
        .pluck(),
      ofMailbox: db
        .prepare<[number, number, number], [uid: number, ...(AcceptedRow | [null, null, null])]>(
          `SELECT uid, accepted.email_id, received_at, unread
           FROM message LEFT JOIN accepted ON accepted.email_id = message.email_id
           WHERE mailbox_id = ? AND uid > ? ORDER BY uid LIMIT ?`,
        )
        .raw(),
      summary: db.prepare<[number], SummaryRow>(
        `SELECT accepted.email_id, public_id, unread, received_at_ms, reverse_path, return_type, envelope_id,
           forward_paths, origin, size, trace_size, summary
         FROM accepted JOIN origin USING (email_id) JOIN email ON email.id = accepted.email_id
           LEFT JOIN derived ON derived.email_id = accepted.email_id
         WHERE accepted.email_id = ?`,
      ),
      copies: db.prepare<[number], CopyRow>(
        `SELECT account_id, mailbox_id, name, address, uid, flag_set
         FROM message JOIN mailbox ON mailbox.id = message.mailbox_id JOIN account ON account.id = mailbox.account_id
         WHERE email_id = ? ORDER BY mailbox_id, uid`,
      ),
      wholeCopies: db.prepare<[number], WholeCopyRow>(
        `SELECT account_id, owner, mailbox_id, name, address, uid, flag_set, uid_validity, message.mod_seq, internal_date, saved_date
         FROM message JOIN mailbox ON mailbox.id = message.mailbox_id JOIN account ON account.id = mailbox.account_id
         WHERE email_id = ? ORDER BY mailbox_id, uid`,
      ),
      owners: db
        .prepare<[number], [account: number, owner: string | null]>(
          `SELECT account_id, owner
           FROM message JOIN mailbox ON mailbox.id = message.mailbox_id JOIN account ON account.id = mailbox.account_id
           WHERE email_id = ?`,
        )
        .raw(),
      size: db.prepare<[number], number>('SELECT size + trace_size FROM email WHERE id = ?').pluck(),
      // Copies know their size too, in narrow rows: to walk over them is quicker than to look up many emails.
      sizesOfCopies: db
        .prepare<[number, number, number], [mailbox: number, uid: number, emailId: number, size: number]>(
          'SELECT mailbox_id, uid, email_id, size FROM message WHERE (mailbox_id, uid) > (?, ?) LIMIT ?',
        )
        .raw(),
      flagSets: db.prepare<[number], number>('SELECT flag_set FROM message WHERE email_id = ?').pluck(),
      flagSetsOfOwner: db
        .prepare<[number, string], number>(
          `SELECT flag_set
           FROM message JOIN mailbox ON mailbox.id = message.mailbox_id JOIN account ON account.id = mailbox.account_id
           WHERE email_id = ? AND owner = ?`,
        )
        .pluck(),
      savedDate: db.prepare<[number], number | null>('SELECT min(saved_date) FROM message WHERE email_id = ?').pluck(),
      now: db.prepare<[], { store: string; next_email: number; position: number }>(
        `SELECT store, next_email, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'transaction_event'), 0) AS position
         FROM counter`,
      ),
      events: db.prepare<
        [number, number],
        { position: number; type: number; account_id: number; transactions: string }
      >('SELECT * FROM transaction_event WHERE position > ? ORDER BY position LIMIT ?'),
      countEvents: db
        .prepare<[number], number>('SELECT coalesce(sum(count), 0) FROM transaction_event WHERE position > ?')
        .pluck(),
      oldestEvent: db.prepare<[], number | null>('SELECT min(position) FROM transaction_event').pluck(),
      ownerOf: db.prepare<[number], string | null>('SELECT owner FROM account WHERE id = ?').pluck(),
      newIds: db
        .prepare<[number, number], [emailId: number, publicId: string]>(
          'SELECT email_id, public_id FROM accepted WHERE email_id > ? ORDER BY email_id LIMIT ?',
        )
        .raw(),
    };
  }

  // ------------------------------------------------------------------------------------------------------- lists

  async list(filter: TransactionFilter, page: Page, signal?: AbortSignal): Promise<TransactionList> {
    const before = page.before ? Math.ceil(page.before.getTime() / 1000) : Number.MAX_SAFE_INTEGER;
    if (filter.owner === undefined && filter.account === undefined && filter.query === undefined) {
      return this.#listAll(filter.read, page, before);
    }
    const visible = filter.owner === undefined ? undefined : await this.#ofOwner(filter.owner);
    const passing = await this.#passing(await this.#candidatesOf(filter, visible), filter, signal);
    const counts = this.#statements.counts.get()!;
    const ids: number[] = [];
    let skip = page.start;
    for (let i = passing.emailIds.length - 1; i >= 0 && ids.length < page.limit; i--) {
      if (passing.receivedAt[i]! < before && skip-- <= 0) ids.push(passing.emailIds[i]!);
    }
    return {
      total: visible ? visible.emailIds.length : counts.transactions,
      unread: visible ? countUnread(visible) : counts.unread_transactions,
      matches: passing.emailIds.length,
      unreadMatches: countUnread(passing),
      items: await this.#summaries(ids, filter.owner),
    };
  }

  /** Without a filter, or only by \Seen: nothing is walked through but the pages that are skipped. */
  async #listAll(read: boolean | undefined, page: Page, before: number): Promise<TransactionList> {
    const { transactions: total, unread_transactions: unread } = this.#statements.counts.get()!;
    const ids =
      read === undefined
        ? this.#statements.page.all(before, page.limit, page.start)
        : this.#statements.unreadPage.all(read ? 0 : 1, before, page.limit, page.start);
    return {
      total,
      unread,
      matches: read === undefined ? total : read ? total - unread : unread,
      unreadMatches: read === true ? 0 : unread,
      items: await this.#summaries(ids),
    };
  }

  /** Those of the owner and of the account, if they are given. */
  async #candidatesOf({ owner, account }: TransactionFilter, visible?: Listed): Promise<Listed> {
    const ofOwner = owner === undefined ? undefined : (visible ?? (await this.#ofOwner(owner)));
    const ofAccount = account === undefined ? undefined : await this.#ofAccount(account);
    if (!ofOwner || !ofAccount) return ofOwner ?? ofAccount ?? this.#all();
    const ids = new Set(ofAccount.emailIds);
    return chosen(ofOwner, (i) => ids.has(ofOwner.emailIds[i]!));
  }

  async #ofOwner(owner: string): Promise<Listed> {
    return this.#readBy(owner, await this.#inMailboxes(this.#statements.mailboxesOfOwner.all(owner)));
  }

  /** What an owner has read is told by the own copies alone. */
  async #readBy(owner: string, listed: Listed): Promise<Listed> {
    const unread: number[] = [];
    for (const [i, copies] of listed.unread.entries()) {
      if (i % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await nextTurn();
      unread.push(copies === 0 ? 0 : this.#unreadBy(owner, listed.emailIds[i]!));
    }
    return { ...listed, unread };
  }

  /** How many copies of this owner lack \Seen. */
  #unreadBy(owner: string, emailId: number): number {
    const sets = this.#statements.flagSetsOfOwner.all(emailId, owner);
    return sets.filter((set) => !this.#flagSet(set).includes('\\Seen')).length;
  }

  #ofAccount(account: AccountId): Promise<Listed> {
    return this.#inMailboxes(this.#statements.mailboxesOfAccount.all(account));
  }

  async #all(): Promise<Listed> {
    const listed: Listed = { emailIds: [], receivedAt: [], unread: [] };
    let last = 0;
    for (;;) {
      const rows = this.#statements.after.all(last, ROWS_AT_ONCE);
      for (const row of rows) add(listed, row);
      if (rows.length < ROWS_AT_ONCE) return listed;
      last = rows.at(-1)![0];
      await nextTurn();
    }
  }

  async #inMailboxes(mailboxes: readonly number[]): Promise<Listed> {
    const listed: Listed = { emailIds: [], receivedAt: [], unread: [] };
    for (const mailbox of mailboxes) {
      let last = 0;
      for (;;) {
        const rows = this.#statements.ofMailbox.all(mailbox, last, ROWS_AT_ONCE);
        for (const [uid, ...row] of rows) {
          if (row[0] !== null) add(listed, row); // else appended by a client, not accepted
          last = uid;
        }
        if (rows.length < ROWS_AT_ONCE) break;
        await nextTurn();
      }
    }
    return ascendingOnce(listed);
  }

  async #listed(emailIds: Float64Array): Promise<Listed> {
    const listed: Listed = { emailIds: [], receivedAt: [], unread: [] };
    for (let i = 0; i < emailIds.length; i++) {
      if (i % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await nextTurn();
      const row = this.#statements.one.get(emailIds[i]!);
      if (row) add(listed, row); // else appended by a client, not accepted
    }
    return listed;
  }

  async #passing(
    listed: Listed,
    filter: Pick<TransactionFilter, 'query' | 'read'>,
    signal?: AbortSignal,
  ): Promise<Listed> {
    let passing = listed;
    if (filter.read !== undefined) {
      const { unread } = passing;
      passing = chosen(passing, (i) => (unread[i] === 0) === filter.read);
    }
    if (filter.query !== undefined && passing.emailIds.length > 0) {
      const found = await new Search(this.#candidates(passing), this.#searcher, signal).run(filter.query);
      passing = chosen(passing, (i) => found[i] === 1);
    }
    return passing;
  }

  /** A flag is set when it is on any copy, but \Seen only when it is on all. */
  #candidates({ emailIds, receivedAt, unread }: Listed): Candidates {
    let sizes: Promise<Uint32Array> | undefined;
    const { flagSets: selectFlagSets, savedDate: selectSavedDate } = this.#statements;
    const flagSet = this.#flagSet;
    return {
      count: emailIds.length,
      emailIds: Float64Array.from(emailIds),
      uids: undefined,
      modSeqs: undefined,
      internalDates: Float64Array.from(receivedAt, (seconds) => seconds * 1000),
      sizes: () => (sizes ??= this.#sizesOf(emailIds)),
      async flagged(flag) {
        const wanted = flag.toLowerCase();
        if (wanted === '\\seen') return Uint8Array.from(unread, (copies) => (copies === 0 ? 1 : 0));
        const found = new Uint8Array(emailIds.length);
        for (let i = 0; i < emailIds.length; i++) {
          if (i % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await nextTurn();
          const sets = selectFlagSets.all(emailIds[i]!);
          if (sets.some((set) => flagSet(set).some((each) => each.toLowerCase() === wanted))) found[i] = 1;
        }
        return found;
      },
      addressedTo: (text, within, mask) => this.#addressing.find(emailIds, text, within, mask),
      tagged: async (tag, owner) => {
        const found = await this.#tags.among(emailIds, tag);
        if (owner === undefined) return found;
        return found.map((bit, i) => (bit === 1 && this.#isAllOf(emailIds[i]!, owner) ? 1 : 0));
      },
      async savedDates() {
        return Float64Array.from(emailIds, (id) => (selectSavedDate.get(id) ?? NaN) * 1000);
      },
    };
  }

  /** Octets of each, as clients see them. */
  async #sizesOf(emailIds: readonly number[]): Promise<Uint32Array> {
    const known = emailIds.length < FEW ? undefined : await this.#sizesByCopies();
    const sizes = new Uint32Array(emailIds.length);
    for (const [i, id] of emailIds.entries()) sizes[i] = known?.get(id) ?? this.#statements.size.get(id) ?? 0;
    return sizes;
  }

  async #sizesByCopies(): Promise<ReadonlyMap<number, number>> {
    const sizes = new Map<number, number>();
    let [mailbox, uid] = [0, 0];
    for (;;) {
      const rows = this.#statements.sizesOfCopies.all(mailbox, uid, ROWS_AT_ONCE);
      for (const [, , emailId, size] of rows) sizes.set(emailId, size);
      if (rows.length < ROWS_AT_ONCE) return sizes;
      [mailbox, uid] = [rows.at(-1)![0], rows.at(-1)![1]];
      await nextTurn();
    }
  }

  // --------------------------------------------------------------------------------------------------------- one

  emailId(publicId: string): EmailId | undefined {
    return this.#statements.emailId.get(publicId) as EmailId | undefined;
  }

  async find(id: string, filter: TransactionFilter): Promise<TransactionSummary | undefined> {
    if (id === 'latest') return (await this.list(filter, { start: 0, limit: 1 })).items[0];
    const emailId = this.emailId(id);
    if (emailId === undefined) return undefined;
    const [only] = await this.choose(Float64Array.of(emailId), filter);
    return only === undefined ? undefined : this.#summary(only, filter.owner);
  }

  /** Those of these ids, or of all, that pass the filter: email ids, ascending. */
  async select(ids: readonly string[] | undefined, filter: TransactionFilter): Promise<Float64Array> {
    if (ids === undefined) {
      return Float64Array.from((await this.#passing(await this.#candidatesOf(filter), filter)).emailIds);
    }
    const emailIds = new Set(ids.map((id) => this.emailId(id)).filter((id) => id !== undefined));
    return this.choose(Float64Array.from(emailIds).sort(), filter);
  }

  /** Those of these emails that pass the filter. */
  async choose(emailIds: Float64Array, filter: TransactionFilter): Promise<Float64Array> {
    const { owner, account } = filter;
    const seen =
      owner === undefined && account === undefined
        ? emailIds
        : emailIds.filter((id) => this.#isSeenBy(this.#statements.owners.all(id), filter));
    const listed = await this.#listed(seen);
    const read = owner === undefined ? listed : await this.#readBy(owner, listed);
    return Float64Array.from((await this.#passing(read, filter)).emailIds);
  }

  /** Whether an account of this owner has a copy. */
  isOwnedBy(emailId: number, owner: string): boolean {
    return this.#isSeenBy(this.#statements.owners.all(emailId), { owner });
  }

  /** Whether nobody else has a copy. */
  #isAllOf(emailId: number, owner: string): boolean {
    return this.#statements.owners.all(emailId).every((copy) => copy[1] === owner);
  }

  #isSeenBy(
    copies: readonly [account: number, owner: string | null][],
    { owner, account }: TransactionFilter,
  ): boolean {
    return (
      (owner === undefined || copies.some((copy) => copy[1] === owner)) &&
      (account === undefined || copies.some((copy) => copy[0] === account))
    );
  }

  copies(emailId: number, owner: string | undefined): MessageCopy[] {
    const rows = this.#statements.wholeCopies.all(emailId);
    return rows
      .filter((row) => owner === undefined || row.owner === owner)
      .map((row) => ({
        account: row.account_id as AccountId,
        address: row.address,
        mailbox: row.mailbox_id as MailboxId,
        mailboxName: row.name,
        uid: row.uid as Uid,
        uidValidity: row.uid_validity,
        modSeq: row.mod_seq as ModSeq,
        flags: this.#flagSet(row.flag_set),
        internalDate: new Date(row.internal_date * 1000),
        savedDate: new Date(row.saved_date * 1000),
      }));
  }

  async #summaries(emailIds: readonly number[], owner?: string): Promise<TransactionSummary[]> {
    const summaries: TransactionSummary[] = [];
    for (const emailId of emailIds) {
      const summary = await this.#summary(emailId, owner);
      if (summary) summaries.push(summary); // else gone meanwhile
    }
    return summaries;
  }

  async #summary(emailId: number, owner?: string): Promise<TransactionSummary | undefined> {
    const row = this.#statements.summary.get(emailId);
    if (!row) return undefined;
    const copies = this.#statements.copies.all(emailId);
    const kept =
      row.summary === null ? await this.#derivations.summary(emailId) : (JSON.parse(row.summary) as KeptSummary);
    return {
      transactionId: row.public_id,
      emailId: row.email_id as EmailId,
      reversePath: row.reverse_path,
      ...(row.return_type !== null && { returnType: row.return_type }),
      ...(row.envelope_id !== null && { envelopeId: row.envelope_id }),
      forwardPaths: JSON.parse(row.forward_paths) as ForwardPath[],
      receivedAt: new Date(row.received_at_ms),
      origin: toOrigin(row.origin),
      receivedOctets: row.size,
      traceOctets: row.trace_size,
      read: row.unread === 0 || (owner !== undefined && this.#unreadBy(owner, emailId) === 0),
      ...kept,
      from: kept.from ?? undefined,
      tags: this.#tags.ofEmail(emailId),
      copies: copies.map((copy) => ({
        account: copy.account_id as AccountId,
        mailbox: copy.mailbox_id as MailboxId,
        mailboxName: copy.name,
        address: copy.address,
        uid: copy.uid as Uid,
        flags: this.#flagSet(copy.flag_set),
      })),
    };
  }

  listTags(): readonly { readonly tag: string; readonly count: number }[] {
    return this.#tags.list();
  }

  // ------------------------------------------------------------------------------------------------------ events

  async events(
    cursor: string | undefined,
    filter: TransactionFilter,
  ): Promise<{ cursor: string; events: TransactionEvent[]; tooOld: boolean }> {
    const now = this.#statements.now.get()!;
    const cursorAt = (email: number, position: number): string => `${now.store.slice(0, 8)}.${email}.${position}`;
    const present = cursorAt(now.next_email - 1, now.position);
    if (cursor === undefined) return { cursor: present, events: [], tooOld: false };
    const start = /^([0-9a-f]{8})\.(\d+)\.(\d+)$/.exec(cursor);
    const [email, position] = [Number(start?.[2]), Number(start?.[3])];
    const isKnown = start?.[1] === now.store.slice(0, 8) && email < now.next_email && position <= now.position;
    const oldest = this.#statements.oldestEvent.get() ?? now.position + 1;
    const isFar = now.next_email - email > MOST_EVENTS || this.#statements.countEvents.get(position)! > MOST_EVENTS;
    if (!isKnown || isFar || position + 1 < oldest) return { cursor: present, events: [], tooOld: true };
    const arrived = await this.#arrived(email, now.next_email - 1, filter, (id) => cursorAt(id, position));
    const after = (reached: number): string => cursorAt(now.next_email - 1, reached);
    const happened = await this.#happened(position, now.position, filter, after);
    return { cursor: present, events: [...arrived, ...happened], tooOld: false };
  }

  async #arrived(
    after: number,
    last: number,
    filter: TransactionFilter,
    cursorAfter: (emailId: number) => string,
  ): Promise<TransactionEvent[]> {
    const events: TransactionEvent[] = [];
    let from = after;
    for (;;) {
      const rows = this.#statements.newIds.all(from, EVENTS_AT_ONCE).filter(([emailId]) => emailId <= last);
      const passing = new Set(
        await this.choose(
          Float64Array.from(rows, ([emailId]) => emailId),
          filter,
        ),
      );
      for (const [emailId, transactionId] of rows)
        if (passing.has(emailId)) events.push({ type: 'new', transactionId, cursor: cursorAfter(emailId) });
      if (rows.length < EVENTS_AT_ONCE) return events;
      from = rows.at(-1)![0];
      await nextTurn();
    }
  }

  /** What one position tells together is repeated as a whole to whoever goes on from within it. */
  async #happened(
    after: number,
    last: number,
    filter: TransactionFilter,
    cursorAfter: (position: number) => string,
  ): Promise<TransactionEvent[]> {
    const events: TransactionEvent[] = [];
    const deleted = new Set<string>();
    for (const row of this.#statements.events.all(after, last - after)) {
      const cursor = cursorAfter(row.position - 1);
      const before = events.length;
      if (row.type === EVENT.deleted) {
        if (!this.#concerns(row.account_id, filter)) continue;
        for (const transactionId of JSON.parse(row.transactions) as string[]) {
          if (!deleted.has(transactionId)) events.push({ type: 'deleted', transactionId, cursor });
          deleted.add(transactionId);
        }
      } else {
        if (row.account_id !== 0 && (filter.owner === undefined || !this.#concerns(row.account_id, filter))) continue;
        const ids = Float64Array.from(JSON.parse(row.transactions) as number[]);
        const { read: _, ...rest } = filter; // it has just changed
        await nextTurn();
        for (const emailId of await this.choose(ids, rest)) {
          const transactionId = this.#statements.publicId.get(emailId);
          if (transactionId === undefined) continue;
          if (row.type === EVENT.tagged)
            events.push({ type: 'tagged', transactionId, tags: this.#tags.ofEmail(emailId), cursor });
          else events.push({ type: 'read', transactionId, read: this.#isRead(emailId, row.type, filter), cursor });
        }
      }
      if (events.length > before) events.push({ ...events.pop()!, cursor: cursorAfter(row.position) });
    }
    return events;
  }

  /** To an owner the own copies count. */
  #isRead(emailId: number, type: number, { owner }: TransactionFilter): boolean {
    return owner === undefined ? type === EVENT.read : this.#unreadBy(owner, emailId) === 0;
  }

  /** Of what is deleted, only the account is known: a query's words cannot be looked for any more. */
  #concerns(account: number, { owner, account: wanted }: TransactionFilter): boolean {
    if (wanted !== undefined && wanted !== account) return false;
    return owner === undefined || this.#statements.ownerOf.get(account) === owner;
  }
}

function add(listed: Listed, [emailId, receivedAt, unread]: AcceptedRow): void {
  listed.emailIds.push(emailId);
  listed.receivedAt.push(receivedAt);
  listed.unread.push(unread);
}

function chosen({ emailIds, receivedAt, unread }: Listed, test: (index: number) => boolean): Listed {
  const next: Listed = { emailIds: [], receivedAt: [], unread: [] };
  for (let i = 0; i < emailIds.length; i++) if (test(i)) add(next, [emailIds[i]!, receivedAt[i]!, unread[i]!]);
  return next;
}

/** By ascending id, each once; as it is, if it is so already, as in a mailbox that nobody moved messages in. */
function ascendingOnce(listed: Listed): Listed {
  const { emailIds } = listed;
  if (emailIds.every((id, i) => i === 0 || id > emailIds[i - 1]!)) return listed;
  const places = Uint32Array.from(emailIds.keys()).sort((a, b) => emailIds[a]! - emailIds[b]!);
  const next: Listed = { emailIds: [], receivedAt: [], unread: [] };
  for (const i of places) {
    if (emailIds[i] !== next.emailIds.at(-1)) add(next, [emailIds[i]!, listed.receivedAt[i]!, listed.unread[i]!]);
  }
  return next;
}

const countUnread = ({ unread }: Listed): number => unread.reduce((sum, copies) => sum + (copies > 0 ? 1 : 0), 0);

function toOrigin(json: string): Origin {
  const { service, conversation, remoteAddress, helo, login, tls } = JSON.parse(json) as Origin;
  return { service, conversation, remoteAddress, helo, login, tls };
}
