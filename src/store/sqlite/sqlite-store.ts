/**
 * The embedded store: SQLite in one folder. Reading happens here, on connections that cannot write; writing in a thread
 * of its own (`writer.ts`), what has time and long searches in others.
 */
import { basename } from 'node:path';
import type { Notifier } from '../../notifier/notifier.ts';
import type { AccountId, Changes, EmailId, MailboxId, ModSeq, Uid } from '../change.ts';
import type {
  Accepted,
  Account,
  AclStore,
  Annotation,
  AnnotationQuery,
  Appended,
  ClaimedRecent,
  Content,
  Copied,
  Destination,
  FetchedMessage,
  FlagChange,
  FlagsStored,
  Mailbox,
  MailboxSnapshot,
  MailStore,
  MessageCopy,
  NewAccount,
  NewMessage,
  Replaced,
  SharedMailbox,
  SpecialUse,
  Spool,
  Spooled,
  StoreFigures,
  Transaction,
  TransactionEvent,
  TransactionFilter,
  TransactionList,
  TransactionSummary,
  Wanted,
} from '../mail-store.ts';
import type { MimePart } from '../../mail/mime-tree.ts';
import { UNLIMITED, wholeUnits, type DefaultQuota, type QuotaLimits } from '../quota.ts';
import { Refusal } from '../refusal.ts';
import type { AclChange, AclEntry, Rights } from '../rights.ts';
import type { SearchQuery } from '../search-query.ts';
import type { SortKeyName, ThreadKeys } from '../sort-keys.ts';
import { AccountReads } from './accounts.ts';
import { AclReads } from './acl.ts';
import { AnnotationReads } from './annotations.ts';
import { ChangeReads } from './changes.ts';
import { databaseFile, openForReading, type Database, type Durability } from './database.ts';
import { Derivations } from './derivations.ts';
import { EmailReads } from './emails.ts';
import { BackgroundClient } from './background-client.ts';
import { Fetches } from './fetch.ts';
import { FigureReads } from './figures.ts';
import { flagSetFromText } from './flag-sets.ts';
import { LargeFiles, realFileSystem, type FileSystem } from './large-files.ts';
import { MailboxReads } from './mailboxes.ts';
import { MailboxSearch } from './mailbox-search.ts';
import { Maildrops } from './maildrops.ts';
import type { AccountToMake, ContentToKeep, CopiedUids, Requests, TagsChanged } from './requests.ts';
import { SearcherClient } from './searcher-client.ts';
import { Snapshots } from './snapshots.ts';
import { SortKeyReads } from './sort-keys.ts';
import { StoreSpool } from './spool.ts';
import { TransactionReads } from './transactions.ts';
import { ascending } from './uid-ranges.ts';
import { WriterClient } from './writer-client.ts';

export interface StoreOptions {
  /** Made if it does not exist. Whoever opens it holds its lock: see `folder-lock.ts`. */
  readonly folder: string;
  readonly durability: Durability;
  readonly notifier: Notifier;
  /** Octets are rounded up as those of `setQuota` are. Default: no limits. */
  readonly quota?: DefaultQuota;
  /** Octets that wait to be committed before `spool().write` waits. */
  readonly maximumOctetsWaiting?: number;
  readonly log?: (line: string) => void;
  /** The store can keep nothing any more: the process is to end, for a new one opens it again. Called once at most. */
  readonly failed?: (reason: Error) => void;
}

/** For tests. */
export interface StoreInternals {
  readonly fileSystem?: FileSystem;
  /** How large the database may become, in pages. */
  readonly maximumPages?: number;
}

const OCTETS_WAITING = 16 * 1024 * 1024;
const CACHE_KIBIBYTES = 4_000;

/** @throws Error with one line for the operator */
export async function openStore(options: StoreOptions, internals: StoreInternals = {}): Promise<SqliteStore> {
  return SqliteStore.open(options, internals);
}

export class SqliteStore implements MailStore, AclStore {
  readonly #db: Database;
  readonly #notifier: Notifier;
  readonly #writer: WriterClient;
  readonly #background: BackgroundClient;
  readonly #searcher: SearcherClient;
  readonly #files: LargeFiles;
  readonly #accounts: AccountReads;
  readonly #acl: AclReads;
  readonly #mailboxes: MailboxReads;
  readonly #annotations: AnnotationReads;
  readonly #snapshots: Snapshots;
  readonly #emails: EmailReads;
  readonly #derivations: Derivations;
  readonly #fetches: Fetches;
  readonly #search: MailboxSearch;
  readonly #sortKeys: SortKeyReads;
  readonly #changes: ChangeReads;
  readonly #transactions: TransactionReads;
  readonly #figures: FigureReads;
  readonly #maildrops = new Maildrops();
  readonly #flagSets = new Map<number, readonly string[]>();
  readonly #selectFlagSet;
  /** Files of spools that an email names by now. */
  readonly #kept = new Set<string>();

  private constructor(parts: Parts, folder: string, notifier: Notifier) {
    const { db, writer, background, searcher, files, snapshots, accounts, mailboxes, figures } = parts;
    this.#db = db;
    this.#notifier = notifier;
    this.#writer = writer;
    this.#background = background;
    this.#searcher = searcher;
    this.#files = files;
    this.#snapshots = snapshots;
    this.#accounts = accounts;
    this.#mailboxes = mailboxes;
    this.#annotations = new AnnotationReads(db, mailboxes);
    const flagSet = (id: number): readonly string[] => this.flagSet(id);
    this.#acl = new AclReads(db);
    this.#emails = new EmailReads(db, folder);
    this.#derivations = new Derivations(this.#emails, searcher);
    this.#fetches = new Fetches(db, this.#emails, this.#derivations, mailboxes, snapshots, files);
    this.#search = new MailboxSearch(db, searcher, flagSet);
    this.#sortKeys = new SortKeyReads(db, snapshots, this.#derivations);
    this.#changes = parts.changes;
    this.#transactions = new TransactionReads(db, this.#derivations, searcher, flagSet);
    this.#figures = figures;
    this.#selectFlagSet = db.prepare<[number], string>('SELECT flags FROM flag_set WHERE id = ?').pluck();
  }

  static async open(options: StoreOptions, internals: StoreInternals): Promise<SqliteStore> {
    const { folder, durability, notifier, log = () => undefined, failed = () => undefined } = options;
    const files = new LargeFiles(folder, durability, internals.fileSystem ?? realFileSystem);
    const quota = inWholeUnits(options.quota ?? UNLIMITED);
    let parts: Parts | undefined;
    const writer = await WriterClient.open(
      { folder, durability, quota, maximumPages: internals.maximumPages },
      {
        reached(account, modSeq) {
          parts?.snapshots.reached(account, modSeq);
          parts?.changes.reached(account, modSeq);
          notifier.notify(account, modSeq);
        },
        arrived() {
          parts?.background.wake();
        },
        removed(emailIds) {
          parts?.background.removed(emailIds);
        },
        unneeded(names) {
          files.removeLater(names, log);
        },
        failed,
      },
      options.maximumOctetsWaiting ?? OCTETS_WAITING,
    );
    try {
      const db = openForReading(databaseFile(folder), CACHE_KIBIBYTES);
      await files.sweep(db);
      const searcher = new SearcherClient(folder);
      const figures = new FigureReads(db);
      writer.nextEmail = figures.nextEmail();
      const background = new BackgroundClient(folder, writer, { made: () => searcher.useIndex(), log });
      const accounts = new AccountReads(db, quota);
      const mailboxes = new MailboxReads(db);
      const snapshots = new Snapshots(db, accounts, mailboxes);
      const changes = new ChangeReads(db, accounts);
      parts = { db, writer, background, searcher, files, snapshots, changes, accounts, mailboxes, figures };
      // An earlier run may have left work behind.
      if (writer.nextEmail > 1) background.wake();
      return new SqliteStore(parts, folder, notifier);
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#background.close(), this.#searcher.close()]);
    await this.#writer.close();
    await this.#files.settled();
    this.#db.close();
  }

  /** For tests: what the writing connection says of itself. */
  inspect(maximumPages?: number): Promise<Requests['inspect']['result']> {
    return this.#writer.send('inspect', { maximumPages });
  }

  // ------------------------------------------------------------------------------------------------- accounts

  async createAccount(account: NewAccount): Promise<Account> {
    const id = await this.#writer.send('createAccount', toAccountToMake(account));
    return this.#accounts.find(id)!;
  }

  async findAccount(idOrAddress: AccountId | string): Promise<Account | undefined> {
    return this.#accounts.find(idOrAddress);
  }

  async listAccounts(owner?: string): Promise<readonly Account[]> {
    return this.#accounts.list(owner);
  }

  async findPasswordRecord(address: string): Promise<{ account: Account; record: string } | undefined> {
    return this.#accounts.findPasswordRecord(address);
  }

  async setPasswordRecord(account: AccountId, record: string): Promise<void> {
    await this.#writer.send('setPasswordRecord', { account, record });
  }

  async setQuota(account: AccountId, limits: QuotaLimits): Promise<void> {
    await this.#writer.send('setQuota', { account, limits });
  }

  async deleteAccount(account: AccountId): Promise<void> {
    await this.#writer.send('deleteAccount', { account });
  }

  // ------------------------------------------------------------------------------------------------ mailboxes

  async listMailboxes(account: AccountId): Promise<readonly Mailbox[]> {
    return this.#mailboxes.list(account);
  }

  async findMailbox(account: AccountId, nameOrId: string | MailboxId): Promise<Mailbox | undefined> {
    return this.#mailboxes.find(account, nameOrId);
  }

  async createMailbox(account: AccountId, name: string, specialUse: readonly SpecialUse[] = []): Promise<Mailbox> {
    const id = await this.#writer.send('createMailbox', { account, name, specialUse });
    return this.#mailboxes.find(account, id) ?? refuse('NONEXISTENT', 'The mailbox was deleted at once');
  }

  async deleteMailbox(account: AccountId, name: string): Promise<void> {
    await this.#writer.send('deleteMailbox', { account, name });
  }

  async renameMailbox(account: AccountId, from: string, to: string): Promise<void> {
    await this.#writer.send('renameMailbox', { account, from, to });
  }

  renewUidValidity(account: AccountId, mailbox: MailboxId): Promise<number> {
    return this.#writer.send('renewUidValidity', { account, mailbox });
  }

  async setSubscribed(account: AccountId, name: string, subscribed: boolean): Promise<void> {
    await this.#writer.send('setSubscribed', { account, name, subscribed });
  }

  async listSubscriptions(account: AccountId): Promise<readonly string[]> {
    return this.#mailboxes.subscriptions(account);
  }

  async findAnnotations(
    account: AccountId,
    mailbox: MailboxId,
    query: AnnotationQuery,
    viewer?: AccountId,
  ): Promise<readonly Annotation[]> {
    return this.#annotations.find(account, mailbox, query, viewer);
  }

  setAnnotations(
    account: AccountId,
    mailbox: MailboxId,
    changes: ReadonlyMap<string, Uint8Array | null>,
    actor?: AccountId,
  ): Promise<ModSeq | undefined> {
    const values = [...changes.values()].filter((value) => value !== null);
    const entries = Array.from(changes, ([entry, value]) => ({ entry, octets: value?.length ?? null }));
    return this.#writer.send('setAnnotations', { account, mailbox, changes: entries, actor }, values);
  }

  snapshot(account: AccountId, mailbox: MailboxId): Promise<MailboxSnapshot> {
    return this.#snapshots.get(account, mailbox);
  }

  async claimRecent(account: AccountId, mailbox: MailboxId): Promise<ClaimedRecent> {
    const { firstRecentUid: first, uidNext: next } =
      this.#mailboxes.find(account, mailbox) ?? refuse('NONEXISTENT', 'There is no such mailbox');
    if (first === next) return { first, next }; // nothing new: nothing to write
    const claimed = await this.#writer.send('claimRecent', { account, mailbox });
    this.#snapshots.forgetGiven(mailbox);
    return claimed;
  }

  flagSet(index: number): readonly string[] {
    let flags = this.#flagSets.get(index);
    if (!flags) {
      const text = this.#selectFlagSet.get(index);
      if (text === undefined) throw new Error(`no flag set ${index}`);
      this.#flagSets.set(index, (flags = Object.freeze(flagSetFromText(index, text).flags)));
    }
    return flags;
  }

  // ------------------------------------------------------------------------------------------ access control lists

  async ownerOf(mailbox: MailboxId): Promise<AccountId | undefined> {
    return this.#acl.ownerOf(mailbox);
  }

  async rightsOf(account: AccountId, mailbox: MailboxId): Promise<Rights> {
    return this.#acl.rightsOf(account, mailbox);
  }

  async listShared(account: AccountId): Promise<readonly SharedMailbox[]> {
    return this.#acl.shared(account);
  }

  async listAcl(mailbox: MailboxId): Promise<readonly AclEntry[]> {
    return this.#acl.list(mailbox);
  }

  async changeAcl(account: AccountId, mailbox: MailboxId, change: AclChange): Promise<void> {
    await this.#writer.send('changeAcl', { account, mailbox, change });
  }

  // ------------------------------------------------------------------------------------------------- messages

  spool(): Spool {
    return new StoreSpool({
      files: this.#files,
      room: () => this.#writer.room(),
      isKept: (path) => this.#kept.delete(path),
    });
  }

  async accept(transaction: Transaction): Promise<Accepted> {
    const { content, trace, deliveries } = transaction;
    const accepted = await this.#writer.send(
      'accept',
      {
        reversePath: transaction.reversePath,
        returnType: transaction.returnType ?? null,
        envelopeId: transaction.envelopeId ?? null,
        forwardPaths: JSON.stringify(transaction.forwardPaths),
        origin: JSON.stringify(transaction.origin),
        receivedAt: transaction.receivedAt.getTime(),
        traceSize: trace.length,
        content: toContentToKeep(content),
        deliveries: deliveries.map(({ account, mailbox, flags = [] }) => ({
          account: typeof account === 'number' ? account : toAccountToMake(account),
          mailbox,
          flags,
        })),
        tags: transaction.tags ?? [],
      },
      content.octets ? [trace, content.octets] : [trace],
    );
    this.#keep([content]);
    return accepted;
  }

  async appendMessages(
    account: AccountId,
    mailbox: string | MailboxId,
    messages: readonly NewMessage[],
    replaced?: Replaced,
  ): Promise<Appended> {
    const appended = await this.#writer.send(
      'append',
      {
        account,
        mailbox,
        messages: messages.map(({ content, flags, internalDate, importKey }) => ({
          content: toContentToKeep(content),
          flags,
          internalDate: Math.floor(internalDate.getTime() / 1000),
          importKey,
        })),
        replaced,
      },
      messages.flatMap(({ content }) => (content.octets ? [content.octets] : [])),
    );
    this.#keep(messages.filter((_, index) => appended.uids[index] !== undefined).map(({ content }) => content));
    return appended;
  }

  /** These files belong to emails now, not to the spools that made them. */
  #keep(contents: readonly Spooled[]): void {
    for (const { file } of contents) if (file !== undefined) this.#kept.add(file);
  }

  copyMessages(
    account: AccountId,
    from: MailboxId,
    uids: ArrayLike<number>,
    to: string | Destination,
  ): Promise<Copied> {
    return this.#copy(account, from, uids, to, false);
  }

  moveMessages(
    account: AccountId,
    from: MailboxId,
    uids: ArrayLike<number>,
    to: string | Destination,
  ): Promise<Copied> {
    return this.#copy(account, from, uids, to, true);
  }

  async #copy(
    account: AccountId,
    from: MailboxId,
    uids: ArrayLike<number>,
    to: string | Destination,
    move: boolean,
  ): Promise<Copied> {
    return toCopied(await this.#writer.send('copy', { account, from, uids: ascending(uids), to, move }));
  }

  async storeFlags(
    account: AccountId,
    mailbox: MailboxId,
    uids: ArrayLike<number>,
    { mode, flags, unchangedSince, only }: FlagChange,
  ): Promise<FlagsStored> {
    const result = await this.#writer.send('storeFlags', {
      account,
      mailbox,
      uids: ascending(uids),
      mode,
      flags,
      unchangedSince,
      only,
    });
    this.#snapshots.flagsChanged(mailbox, result.modSeq, result.changed);
    return {
      stored: toUids(result.stored),
      modified: toUids(result.modified),
      gone: toUids(result.gone),
      modSeq: result.modSeq,
    };
  }

  async expunge(
    account: AccountId,
    mailbox: MailboxId,
    { uids, onlyDeleted }: { readonly uids?: ArrayLike<number>; readonly onlyDeleted: boolean },
  ): Promise<{ uids: readonly Uid[]; modSeq: ModSeq }> {
    const result = await this.#writer.send('expunge', {
      account,
      mailbox,
      uids: uids && ascending(uids),
      onlyDeleted,
    });
    return { uids: toUids(result.uids), modSeq: result.modSeq };
  }

  fetchMessages(
    account: AccountId,
    mailbox: MailboxId,
    uids: ArrayLike<number>,
    wanted: Wanted,
  ): AsyncIterable<readonly FetchedMessage[]> {
    return this.#fetches.fetch(account, mailbox, uids, wanted);
  }

  async searchMessages(
    account: AccountId,
    mailbox: MailboxId,
    query: SearchQuery,
    signal?: AbortSignal,
    report?: (done: number, goal: number) => void,
  ): Promise<Uint32Array> {
    return this.#search.search(await this.snapshot(account, mailbox), query, signal, report);
  }

  sortKeys(
    account: AccountId,
    mailbox: MailboxId,
    uids: Uint32Array,
    name: SortKeyName,
  ): Promise<Uint32Array | Float64Array> {
    return this.#sortKeys.sortKeys(account, mailbox, uids, name);
  }

  threadKeys(account: AccountId, mailbox: MailboxId, uids: Uint32Array): Promise<ThreadKeys> {
    return this.#sortKeys.threadKeys(account, mailbox, uids);
  }

  changesSince(account: AccountId, modSeq: ModSeq, mailbox?: MailboxId): Promise<Changes> {
    return this.#changes.since(account, modSeq, mailbox);
  }

  async lockMaildrop(account: AccountId): Promise<AsyncDisposable | undefined> {
    return this.#maildrops.lock(account);
  }

  // --------------------------------------------------------------------------------------------- transactions

  listTransactions(
    filter: TransactionFilter,
    page: { readonly start: number; readonly limit: number; readonly before?: Date },
  ): Promise<TransactionList> {
    return this.#transactions.list(filter, page);
  }

  findTransaction(id: string, filter: TransactionFilter = {}): Promise<TransactionSummary | undefined> {
    return this.#transactions.find(id, filter);
  }

  async findContent(id: string | EmailId, owner?: string): Promise<{ content: Content; tree: MimePart } | undefined> {
    const emailId = typeof id === 'string' ? this.#transactions.emailId(id) : id;
    if (owner !== undefined && emailId !== undefined && !this.#transactions.isOwnedBy(emailId, owner)) return undefined;
    const kept = emailId === undefined ? undefined : this.#emails.find(emailId);
    if (!kept) return undefined;
    return { content: kept.content, tree: kept.tree ?? (await this.#derivations.tree(emailId!, kept.content)) };
  }

  async findCopies(email: EmailId, owner?: string): Promise<readonly MessageCopy[]> {
    return this.#transactions.copies(email, owner);
  }

  async markTransactions(
    ids: readonly string[] | undefined,
    read: boolean,
    filter: TransactionFilter = {},
  ): Promise<number> {
    const emailIds = await this.#transactions.select(ids, filter);
    return emailIds.length === 0 ? 0 : this.#writer.send('markTransactions', { emailIds, read, owner: filter.owner });
  }

  async deleteTransactions(ids: readonly string[] | undefined, filter: TransactionFilter = {}): Promise<number> {
    const emailIds = await this.#transactions.select(ids, filter);
    return emailIds.length === 0 ? 0 : this.#writer.send('deleteTransactions', { emailIds, owner: filter.owner });
  }

  async listTags(): Promise<readonly { readonly tag: string; readonly count: number }[]> {
    return this.#transactions.listTags();
  }

  async setTags(ids: readonly string[], tags: readonly string[]): Promise<number> {
    const emailIds = await this.#transactions.select(ids, {});
    return this.#tagsChanged(await this.#writer.send('setTags', { emailIds, tags }));
  }

  async renameTag(tag: string, to: string | undefined): Promise<number> {
    return this.#tagsChanged(await this.#writer.send('renameTag', { tag, to }));
  }

  /** Whoever follows transactions looks again; the mailboxes are as they were. */
  #tagsChanged({ count, accounts }: TagsChanged): number {
    for (const id of accounts) {
      const account = this.#accounts.find(id);
      if (account) this.#notifier.notify(id, account.modSeq);
    }
    return count;
  }

  transactionEvents(
    cursor: string | undefined,
    filter: TransactionFilter = {},
  ): Promise<{ readonly cursor: string; readonly events: readonly TransactionEvent[]; readonly tooOld: boolean }> {
    return this.#transactions.events(cursor, filter);
  }

  async figures(): Promise<StoreFigures> {
    return this.#figures.figures(this.#background.position);
  }

  indexed(signal?: AbortSignal): Promise<void> {
    return this.#background.indexed(signal);
  }
}

interface Parts {
  readonly db: Database;
  readonly writer: WriterClient;
  readonly background: BackgroundClient;
  readonly searcher: SearcherClient;
  readonly files: LargeFiles;
  readonly snapshots: Snapshots;
  readonly changes: ChangeReads;
  readonly accounts: AccountReads;
  readonly mailboxes: MailboxReads;
  readonly figures: FigureReads;
}

function refuse(...[code, message]: ConstructorParameters<typeof Refusal>): never {
  throw new Refusal(code, message);
}

const inWholeUnits = ({ messages, octets }: DefaultQuota): DefaultQuota => ({
  messages,
  octets: octets === undefined ? undefined : wholeUnits(octets),
});

const toAccountToMake = ({ address, passwordRecord, owner }: NewAccount): AccountToMake => ({
  address,
  passwordRecord,
  ...(owner !== undefined && { owner }),
});

const toContentToKeep = ({ size, octets, file }: Spooled): ContentToKeep => ({
  size,
  file: octets || file === undefined ? undefined : basename(file),
});

const toUids = (uids: Uint32Array): Uid[] => Array.from(uids) as Uid[];

function toCopied({ mailbox, uidValidity, source, firstUid, modSeq }: CopiedUids): Copied {
  return {
    mailbox,
    uidValidity,
    sourceUids: toUids(source),
    destinationUids: Array.from(source, (_, index) => (firstUid + index) as Uid),
    modSeq,
  };
}
