/**
 * Mailboxes shared between accounts (RFC 4314): the one place that decides who may do what. It stands before a store whose
 * methods ask nobody for rights, and turns who acts into whose mailbox it is.
 *
 * One's own mailboxes are known by their ids without a read of the database, and asked for as ever. Of a mailbox that the
 * account may not know of (no `l`), a refusal says what it would say if there were none (§6).
 */
import { THE_SERVER } from './change.ts';
import type { AccountId, Change, Changes, EmailId, MailboxId, ModSeq, Uid } from './change.ts';
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
  SharedChanges,
  SharedMailStore,
  SpecialUse,
  Spool,
  StoreFigures,
  Transaction,
  TransactionEvent,
  TransactionFilter,
  TransactionList,
  TransactionSummary,
  Wanted,
} from './mail-store.ts';
import type { MimePart } from '../mail/mime-tree.ts';
import { isOthersName, othersName, parseOthersName } from './other-users.ts';
import type { QuotaLimits } from './quota.ts';
import { Refusal, type RefusalCode } from './refusal.ts';
import {
  ALL_RIGHTS,
  ANYONE,
  changeRights,
  hasAnyRight,
  hasRight,
  mayAnnotate,
  permittedChange,
  permittedFlags,
  type AclChange,
  type AclEntry,
  type Right,
  type Rights,
} from './rights.ts';
import type { SearchQuery } from './search-query.ts';
import type { SortKeyName, ThreadKeys } from './sort-keys.ts';

/** §4 MYRIGHTS: with one of these, an account may know that there is a mailbox of which it knows the name. */
const KNOWING = 'lrikxa';
/** Of how many mailboxes the owner is remembered. */
const MOST_OWNERS = 100_000;

/** Whose a mailbox is, and what the acting account may do with it. */
interface Access {
  readonly owner: AccountId;
  readonly rights: Rights;
}

interface Reached extends Access {
  /** As its owner knows it. */
  readonly mailbox: Mailbox;
}

export class SharedMailboxes implements SharedMailStore {
  readonly #store: MailStore & AclStore;
  /** A mailbox never changes its owner, and ids are never given out twice. */
  readonly #owners = new Map<MailboxId, AccountId>();
  readonly #addresses = new Map<AccountId, string>();

  constructor(store: MailStore & AclStore) {
    this.#store = store;
  }

  // ------------------------------------------------------------------------------------------------- who may what

  #isOwn(account: AccountId, mailbox: MailboxId): boolean {
    return this.#owners.get(mailbox) === account;
  }

  #remember(mailbox: MailboxId, owner: AccountId): void {
    if (this.#owners.has(mailbox)) return;
    this.#owners.set(mailbox, owner);
    if (this.#owners.size > MOST_OWNERS) this.#owners.delete(this.#owners.keys().next().value!);
  }

  async #access(account: AccountId, mailbox: MailboxId): Promise<Access> {
    const owner = this.#owners.get(mailbox) ?? (await this.#store.ownerOf(mailbox));
    // Of a mailbox that is not there, the store itself says so.
    if (owner === undefined) return { owner: account, rights: ALL_RIGHTS };
    this.#remember(mailbox, owner);
    return { owner, rights: owner === account ? ALL_RIGHTS : await this.#store.rightsOf(account, mailbox) };
  }

  /** @throws Refusal NOPERM, NONEXISTENT */
  async #owner(account: AccountId, mailbox: MailboxId, ...needed: readonly Right[]): Promise<AccountId> {
    const { owner, rights } = await this.#access(account, mailbox);
    assertRights(rights, needed, () => absent('NONEXISTENT'));
    return owner;
  }

  /** Undefined: there is no mailbox of that name. */
  async #reach(account: AccountId, name: string): Promise<Reached | undefined> {
    if (!isOthersName(name)) {
      const mailbox = await this.#store.findMailbox(account, name);
      if (mailbox) this.#remember(mailbox.id, account);
      return mailbox && { owner: account, mailbox, rights: ALL_RIGHTS };
    }
    const place = await this.#ownerNamed(account, name);
    const mailbox = place && (await this.#store.findMailbox(place.owner, place.name));
    if (!mailbox) return undefined;
    this.#remember(mailbox.id, place.owner);
    return { owner: place.owner, mailbox, rights: await this.#store.rightsOf(account, mailbox.id) };
  }

  /** Somebody else, and what the rest of the name is to them. */
  async #ownerNamed(account: AccountId, name: string): Promise<{ owner: AccountId; name: string } | undefined> {
    const parsed = parseOthersName(name);
    const owner = parsed && (await this.#store.findAccount(parsed.address));
    return owner && owner.id !== account ? { owner: owner.id, name: parsed.name } : undefined;
  }

  /** @throws Refusal NOPERM; `code` when there is none, or the account may not know of it */
  async #reachFor(
    account: AccountId,
    name: string,
    needed: readonly Right[],
    code: RefusalCode = 'NONEXISTENT',
  ): Promise<Reached> {
    const reached = await this.#reach(account, name);
    if (!reached) throw absent(code, name);
    assertRights(reached.rights, needed, () => absent(code, name));
    return reached;
  }

  async #addressOf(account: AccountId): Promise<string> {
    let address = this.#addresses.get(account);
    if (address === undefined) {
      address = (await this.#store.findAccount(account))?.address ?? '';
      if (this.#addresses.size > MOST_OWNERS) this.#addresses.clear();
      this.#addresses.set(account, address);
    }
    return address;
  }

  /** Somebody else's mailbox as the account sees it. Special uses are the owner's alone: nobody else's Sent is mine. */
  async #seenBy(account: AccountId, mailbox: Mailbox, rights: Rights): Promise<Mailbox> {
    if (mailbox.account === account) return mailbox;
    const name = othersName(await this.#addressOf(mailbox.account), mailbox.name);
    const subscribed = (await this.#store.listSubscriptions(account)).includes(name);
    return { ...mailbox, name, subscribed, specialUse: [], rights };
  }

  // --------------------------------------------------------------------------------------------------------- lists

  async getAcl(account: AccountId, name: string): Promise<readonly AclEntry[]> {
    const { owner, mailbox } = await this.#reachFor(account, name, ['a']);
    const others = await this.#store.listAcl(mailbox.id);
    return [{ identifier: await this.#addressOf(owner), negative: false, rights: ALL_RIGHTS }, ...others];
  }

  async setAcl(account: AccountId, name: string, change: AclChange): Promise<void> {
    const { owner, mailbox } = await this.#reachFor(account, name, ['a']);
    if (!(await this.#isFor(owner, change))) return this.#store.changeAcl(owner, mailbox.id, change);
    // §2: an implementation may force rights to be granted; what would have no effect is refused.
    const left = change.negative ? '' : changeRights(ALL_RIGHTS, change);
    const loses = change.negative ? change.mode !== 'remove' && change.rights !== '' : left !== ALL_RIGHTS;
    if (loses) throw new Refusal('CANNOT', `${change.identifier} owns the mailbox, and has all rights to it always`);
  }

  async listRights(
    account: AccountId,
    name: string,
    entry: Pick<AclEntry, 'identifier' | 'negative'>,
  ): Promise<{ readonly required: Rights; readonly optional: Rights }> {
    const { owner } = await this.#reachFor(account, name, ['a']);
    if (!(await this.#isFor(owner, entry))) return { required: '', optional: ALL_RIGHTS };
    return { required: entry.negative ? '' : ALL_RIGHTS, optional: '' };
  }

  /** Whether an identifier is that of the owner. @throws Refusal NONEXISTENT: it is nobody's */
  async #isFor(owner: AccountId, { identifier }: Pick<AclEntry, 'identifier'>): Promise<boolean> {
    if (identifier === ANYONE) return false;
    const named = await this.#store.findAccount(identifier);
    if (!named) throw new Refusal('NONEXISTENT', `There is no account ${identifier}`);
    return named.id === owner;
  }

  async sharers(account: AccountId): Promise<readonly AccountId[]> {
    const shared = await this.#store.listShared(account);
    return [...new Set(shared.filter(({ rights }) => hasRight(rights, 'l')).map(({ mailbox }) => mailbox.account))];
  }

  async sharedChangesSince(account: AccountId, owner: AccountId, modSeq: ModSeq): Promise<SharedChanges> {
    const { changes: all, ...reached } = await this.#store.changesSince(owner, modSeq);
    const readable = new Map<MailboxId, boolean>();
    const changes: Change[] = [];
    for (const change of all) {
      if (isOfMailboxes(change)) continue;
      const { mailbox } = change;
      if (!readable.has(mailbox)) {
        const rights = await this.#store.rightsOf(account, mailbox);
        readable.set(mailbox, hasRight(rights, 'l') && hasRight(rights, 'r'));
      }
      const told = readable.get(mailbox) ? withoutPrivate(change) : undefined;
      if (told) changes.push(told);
    }
    return { ...reached, changes, mailboxesChanged: reached.tooOld || all.some(isOfMailboxes) };
  }

  // ----------------------------------------------------------------------------------------------------- mailboxes

  async listMailboxes(account: AccountId): Promise<readonly Mailbox[]> {
    const own = await this.#store.listMailboxes(account);
    const shared = (await this.#store.listShared(account)).filter(({ rights }) => hasRight(rights, 'l'));
    if (shared.length === 0) return own;
    const subscriptions = new Set(await this.#store.listSubscriptions(account));
    const others = shared.map(({ mailbox, address, rights }): Mailbox => {
      const name = othersName(address, mailbox.name);
      return { ...mailbox, name, subscribed: subscriptions.has(name), specialUse: [], rights };
    });
    return [...own, ...others];
  }

  async findMailbox(account: AccountId, nameOrId: string | MailboxId, right?: Right): Promise<Mailbox | undefined> {
    const reached =
      typeof nameOrId === 'string' ? await this.#reach(account, nameOrId) : await this.#reachId(account, nameOrId);
    if (!reached) return undefined;
    const { mailbox, rights } = reached;
    if (right === undefined ? !hasAnyRight(rights, KNOWING) : !hasRight(rights, right)) {
      if (hasRight(rights, 'l')) throw lacking(right!);
      return undefined;
    }
    return this.#seenBy(account, mailbox, rights);
  }

  async #reachId(account: AccountId, id: MailboxId): Promise<Reached | undefined> {
    const access = this.#isOwn(account, id) ? { owner: account, rights: ALL_RIGHTS } : await this.#access(account, id);
    const mailbox = await this.#store.findMailbox(access.owner, id);
    return mailbox && { ...access, mailbox };
  }

  /** §4: `k` on the nearest superior mailbox that exists; the store lets the new one inherit its list. */
  async createMailbox(account: AccountId, name: string, specialUse?: readonly SpecialUse[]): Promise<Mailbox> {
    if (!isOthersName(name)) return this.#store.createMailbox(account, name, specialUse);
    const place = await this.#assertMayCreate(account, name);
    if (specialUse && specialUse.length > 0) {
      throw new Refusal('USEATTR', 'Special uses are for mailboxes of your own');
    }
    if (await this.#store.findMailbox(place.owner, place.name)) {
      throw new Refusal('ALREADYEXISTS', `There is a mailbox ${name} already`);
    }
    const mailbox = await this.#store.createMailbox(place.owner, place.name);
    return this.#seenBy(account, mailbox, await this.#store.rightsOf(account, mailbox.id));
  }

  /** Whoever may not is told the same whether there is such a person, or such a mailbox. @throws Refusal NOPERM */
  async #assertMayCreate(account: AccountId, name: string): Promise<{ owner: AccountId; name: string }> {
    const place = await this.#ownerNamed(account, name);
    const superior = place && (await this.#nearestSuperior(place.owner, place.name));
    if (!superior || !hasRight(await this.#store.rightsOf(account, superior.id), 'k')) {
      throw new Refusal('NOPERM', 'You may not create mailboxes there');
    }
    return place;
  }

  async #nearestSuperior(owner: AccountId, name: string): Promise<Mailbox | undefined> {
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const mailbox = await this.#store.findMailbox(owner, name.slice(0, end));
      if (mailbox) return mailbox;
    }
    return undefined;
  }

  async deleteMailbox(account: AccountId, name: string): Promise<void> {
    if (!isOthersName(name)) return this.#store.deleteMailbox(account, name);
    const { owner, mailbox } = await this.#reachFor(account, name, ['x']);
    return this.#store.deleteMailbox(owner, mailbox.name);
  }

  /** §4: `x` on the mailbox, `k` on the superior of its new name. */
  async renameMailbox(account: AccountId, from: string, to: string): Promise<void> {
    if (!isOthersName(from) && !isOthersName(to)) return this.#store.renameMailbox(account, from, to);
    const { owner, mailbox } = await this.#reachFor(account, from, ['x']);
    const place = isOthersName(to) ? await this.#assertMayCreate(account, to) : { owner: account, name: to };
    if (place.owner !== owner) throw new Refusal('CANNOT', 'A mailbox stays with its owner: COPY its messages instead');
    if (await this.#store.findMailbox(owner, place.name)) {
      throw new Refusal('ALREADYEXISTS', `There is a mailbox ${to} already`);
    }
    return this.#store.renameMailbox(owner, mailbox.name, place.name);
  }

  /** §4: whether the mailbox is there is not looked at, so no right is needed. */
  async setSubscribed(account: AccountId, name: string, subscribed: boolean): Promise<void> {
    if (!isOthersName(name)) return this.#store.setSubscribed(account, name, subscribed);
    const reached = await this.#reach(account, name);
    const canonical = reached && othersName(await this.#addressOf(reached.owner), reached.mailbox.name);
    const isKnown = reached && hasRight(reached.rights, 'l');
    return this.#store.setSubscribed(account, isKnown ? canonical! : name, subscribed);
  }

  listSubscriptions(account: AccountId): Promise<readonly string[]> {
    return this.#store.listSubscriptions(account);
  }

  snapshot(account: AccountId, mailbox: MailboxId): Promise<MailboxSnapshot> {
    if (this.#isOwn(account, mailbox)) return this.#store.snapshot(account, mailbox);
    return this.#sharedSnapshot(account, mailbox);
  }

  async #sharedSnapshot(account: AccountId, mailbox: MailboxId): Promise<MailboxSnapshot> {
    const { owner, rights } = await this.#access(account, mailbox);
    assertRights(rights, ['r'], () => absent('NONEXISTENT'));
    const snapshot = await this.#store.snapshot(owner, mailbox);
    return { ...snapshot, mailbox: await this.#seenBy(account, snapshot.mailbox, rights) };
  }

  async renewUidValidity(account: AccountId, mailbox: MailboxId): Promise<number> {
    return this.#store.renewUidValidity(await this.#owner(account, mailbox, 'r'), mailbox);
  }

  async claimRecent(account: AccountId, mailbox: MailboxId): Promise<ClaimedRecent> {
    return this.#store.claimRecent(await this.#owner(account, mailbox, 'r'), mailbox);
  }

  async findAnnotations(
    account: AccountId,
    mailbox: MailboxId,
    query: AnnotationQuery,
  ): Promise<readonly Annotation[]> {
    if (mailbox === THE_SERVER || this.#isOwn(account, mailbox))
      return this.#store.findAnnotations(account, mailbox, query);
    const owner = await this.#annotated(account, mailbox, false);
    return this.#store.findAnnotations(owner, mailbox, query, account);
  }

  async setAnnotations(
    account: AccountId,
    mailbox: MailboxId,
    changes: ReadonlyMap<string, Uint8Array | null>,
  ): Promise<ModSeq | undefined> {
    if (mailbox === THE_SERVER || this.#isOwn(account, mailbox))
      return this.#store.setAnnotations(account, mailbox, changes);
    const owner = await this.#annotated(account, mailbox, [...changes.keys()].some(isShared));
    return this.#store.setAnnotations(owner, mailbox, changes, account);
  }

  /** What is said of a mailbox to all takes `w`: that is more than RFC 5464 §3.3 wants, and what people expect of `r`. */
  async #annotated(account: AccountId, mailbox: MailboxId, setsShared: boolean): Promise<AccountId> {
    const { owner, rights } = await this.#access(account, mailbox);
    assertRights(rights, setsShared ? ['l', 'w'] : ['l'], () => absent('NONEXISTENT'));
    if (!mayAnnotate(rights)) throw new Refusal('NOPERM', 'You may not see annotations of this mailbox');
    return owner;
  }

  flagSet(index: number): readonly string[] {
    return this.#store.flagSet(index);
  }

  async changesSince(account: AccountId, modSeq: ModSeq, mailbox?: MailboxId): Promise<Changes> {
    if (mailbox === undefined || this.#isOwn(account, mailbox))
      return this.#store.changesSince(account, modSeq, mailbox);
    const { owner, rights } = await this.#access(account, mailbox);
    const news = await this.#store.changesSince(owner, modSeq, mailbox);
    if (owner === account || news.changes.length === 0) return news;
    const address = await this.#addressOf(owner);
    // Who may not read it any more is to learn that.
    const told = hasRight(rights, 'r') ? news.changes : news.changes.filter(isOfMailboxes);
    const changes = told.map(withoutPrivate).filter((change) => change !== undefined);
    return { ...news, changes: changes.map((change) => namedFor(change, address)) };
  }

  // ------------------------------------------------------------------------------------------------------ messages

  /** §4: `i`, and flags as far as the rights go; of what is replaced, RFC 8508 §4.1. */
  async appendMessages(
    account: AccountId,
    to: string | MailboxId,
    messages: readonly NewMessage[],
    replaced?: Replaced,
  ): Promise<Appended> {
    const destination =
      typeof to === 'string'
        ? await this.#destination(account, to)
        : { mailbox: to, ...(await this.#access(account, to)) };
    assertRights(destination.rights, ['i'], () => absent('TRYCREATE'));
    const { owner, mailbox, rights } = destination;
    const permitted =
      rights === ALL_RIGHTS
        ? messages
        : messages.map((message) => ({ ...message, flags: permittedFlags(message.flags, rights) }));
    const gone = replaced && { ...replaced, account: await this.#owner(account, replaced.mailbox, 't', 'e') };
    const appended = await this.#store.appendMessages(owner, mailbox, permitted, gone);
    return hasRight(rights, 'r') ? appended : { ...appended, unreadable: true };
  }

  async #destination(account: AccountId, name: string): Promise<Access & { readonly mailbox: MailboxId }> {
    const { owner, mailbox, rights } = await this.#reachFor(account, name, ['i'], 'TRYCREATE');
    return { owner, mailbox: mailbox.id, rights };
  }

  copyMessages(
    account: AccountId,
    from: MailboxId,
    uids: ArrayLike<number>,
    to: string | Destination,
  ): Promise<Copied> {
    if (typeof to !== 'string' || (this.#isOwn(account, from) && !isOthersName(to)))
      return this.#store.copyMessages(account, from, uids, to);
    return this.#transfer(account, from, to, ['r'], (owner, destination) =>
      this.#store.copyMessages(owner, from, uids, destination),
    );
  }

  /** RFC 6851 §4.2: what STORE, COPY and EXPUNGE take. */
  moveMessages(
    account: AccountId,
    from: MailboxId,
    uids: ArrayLike<number>,
    to: string | Destination,
  ): Promise<Copied> {
    if (typeof to !== 'string' || (this.#isOwn(account, from) && !isOthersName(to)))
      return this.#store.moveMessages(account, from, uids, to);
    return this.#transfer(account, from, to, ['r', 't', 'e'], (owner, destination) =>
      this.#store.moveMessages(owner, from, uids, destination),
    );
  }

  async #transfer(
    account: AccountId,
    from: MailboxId,
    to: string,
    needed: readonly Right[],
    transfer: (owner: AccountId, destination: Destination) => Promise<Copied>,
  ): Promise<Copied> {
    const source = await this.#owner(account, from, ...needed);
    const { owner, mailbox, rights } = await this.#destination(account, to);
    const copied = await transfer(source, { account: owner, mailbox, rights });
    return hasRight(rights, 'r') ? copied : { ...copied, unreadable: true };
  }

  /** §4: NOPERM only if none of the flags may be changed. */
  async storeFlags(
    account: AccountId,
    mailbox: MailboxId,
    uids: ArrayLike<number>,
    change: FlagChange,
  ): Promise<FlagsStored> {
    if (this.#isOwn(account, mailbox)) return this.#store.storeFlags(account, mailbox, uids, change);
    const { owner, rights } = await this.#access(account, mailbox);
    const permitted = permittedChange(change, rights);
    if (!permitted) throw new Refusal('NOPERM', 'You may not change these flags here');
    return this.#store.storeFlags(owner, mailbox, uids, permitted);
  }

  async expunge(
    account: AccountId,
    mailbox: MailboxId,
    options: { readonly uids?: ArrayLike<number>; readonly onlyDeleted: boolean },
  ): Promise<{ readonly uids: readonly Uid[]; readonly modSeq: ModSeq }> {
    return this.#store.expunge(await this.#owner(account, mailbox, 'e'), mailbox, options);
  }

  fetchMessages(
    account: AccountId,
    mailbox: MailboxId,
    uids: ArrayLike<number>,
    wanted: Wanted,
  ): AsyncIterable<readonly FetchedMessage[]> {
    if (this.#isOwn(account, mailbox)) return this.#store.fetchMessages(account, mailbox, uids, wanted);
    return this.#fetchShared(account, mailbox, uids, wanted);
  }

  async *#fetchShared(
    account: AccountId,
    mailbox: MailboxId,
    uids: ArrayLike<number>,
    wanted: Wanted,
  ): AsyncGenerator<readonly FetchedMessage[]> {
    const owner = await this.#owner(account, mailbox, 'r');
    yield* this.#store.fetchMessages(owner, mailbox, uids, wanted);
  }

  async searchMessages(
    account: AccountId,
    mailbox: MailboxId,
    query: SearchQuery,
    signal?: AbortSignal,
    report?: (done: number, goal: number) => void,
  ): Promise<Uint32Array> {
    return this.#store.searchMessages(await this.#owner(account, mailbox, 'r'), mailbox, query, signal, report);
  }

  async sortKeys(
    account: AccountId,
    mailbox: MailboxId,
    uids: Uint32Array,
    name: SortKeyName,
  ): Promise<Uint32Array | Float64Array> {
    return this.#store.sortKeys(await this.#owner(account, mailbox, 'r'), mailbox, uids, name);
  }

  async threadKeys(account: AccountId, mailbox: MailboxId, uids: Uint32Array): Promise<ThreadKeys> {
    return this.#store.threadKeys(await this.#owner(account, mailbox, 'r'), mailbox, uids);
  }

  // ------------------------------------------------------------------------------- what knows no mailboxes of others

  createAccount(account: NewAccount): Promise<Account> {
    return this.#store.createAccount(account);
  }
  findAccount(idOrAddress: AccountId | string): Promise<Account | undefined> {
    return this.#store.findAccount(idOrAddress);
  }
  listAccounts(owner?: string): Promise<readonly Account[]> {
    return this.#store.listAccounts(owner);
  }
  findPasswordRecord(address: string): Promise<{ readonly account: Account; readonly record: string } | undefined> {
    return this.#store.findPasswordRecord(address);
  }
  setPasswordRecord(account: AccountId, record: string): Promise<void> {
    return this.#store.setPasswordRecord(account, record);
  }
  setQuota(account: AccountId, limits: QuotaLimits): Promise<void> {
    return this.#store.setQuota(account, limits);
  }
  deleteAccount(account: AccountId): Promise<void> {
    return this.#store.deleteAccount(account);
  }
  spool(): Spool {
    return this.#store.spool();
  }
  /** Delivery is the owner's own affair: `p` is not enforced (§2.1). */
  accept(transaction: Transaction): Promise<Accepted> {
    return this.#store.accept(transaction);
  }
  lockMaildrop(account: AccountId): Promise<AsyncDisposable | undefined> {
    return this.#store.lockMaildrop(account);
  }
  listTransactions(
    filter: TransactionFilter,
    page: { readonly start: number; readonly limit: number; readonly before?: Date },
  ): Promise<TransactionList> {
    return this.#store.listTransactions(filter, page);
  }
  findTransaction(id: string, filter?: TransactionFilter): Promise<TransactionSummary | undefined> {
    return this.#store.findTransaction(id, filter);
  }
  findContent(
    id: string | EmailId,
    owner?: string,
  ): Promise<{ readonly content: Content; readonly tree: MimePart } | undefined> {
    return this.#store.findContent(id, owner);
  }
  findCopies(email: EmailId, owner?: string): Promise<readonly MessageCopy[]> {
    return this.#store.findCopies(email, owner);
  }
  markTransactions(ids: readonly string[] | undefined, read: boolean, filter?: TransactionFilter): Promise<number> {
    return this.#store.markTransactions(ids, read, filter);
  }
  deleteTransactions(ids: readonly string[] | undefined, filter?: TransactionFilter): Promise<number> {
    return this.#store.deleteTransactions(ids, filter);
  }
  listTags(): ReturnType<MailStore['listTags']> {
    return this.#store.listTags();
  }
  setTags(ids: readonly string[], tags: readonly string[]): Promise<number> {
    return this.#store.setTags(ids, tags);
  }
  renameTag(tag: string, to: string | undefined): Promise<number> {
    return this.#store.renameTag(tag, to);
  }
  transactionEvents(
    cursor: string | undefined,
    filter?: TransactionFilter,
  ): Promise<{ readonly cursor: string; readonly events: readonly TransactionEvent[]; readonly tooOld: boolean }> {
    return this.#store.transactionEvents(cursor, filter);
  }
  figures(): Promise<StoreFigures> {
    return this.#store.figures();
  }
  indexed(signal?: AbortSignal): Promise<void> {
    return this.#store.indexed(signal);
  }
  /** Closes the store behind it. */
  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#store[Symbol.asyncDispose]();
  }
}

/** @throws Refusal NOPERM; `hidden()` for those who may not know of the mailbox */
function assertRights(rights: Rights, needed: readonly Right[], hidden: () => Refusal): void {
  const missing = needed.find((right) => !hasRight(rights, right));
  if (missing !== undefined) throw hasRight(rights, 'l') ? lacking(missing) : hidden();
}

const MAY_NOT: Readonly<Record<Right, string>> = {
  l: 'list this mailbox',
  r: 'read this mailbox',
  s: 'change \\Seen in this mailbox',
  w: 'change flags in this mailbox',
  i: 'put messages into this mailbox',
  p: 'post to this mailbox',
  k: 'create mailboxes below this one',
  x: 'delete or rename this mailbox',
  t: 'change \\Deleted in this mailbox',
  e: 'expunge messages of this mailbox',
  a: 'see or change the access control list of this mailbox',
};

function lacking(right: Right): Refusal {
  return new Refusal('NOPERM', `You may not ${MAY_NOT[right]}: that takes the right ${right}`);
}

/** In the words of a store that has no such mailbox. */
function absent(code: RefusalCode, name?: string): Refusal {
  return new Refusal(code, name === undefined ? 'There is no such mailbox' : `There is no mailbox ${name}`);
}

function isOfMailboxes({ type }: Change): boolean {
  return type.startsWith('mailbox-');
}

/** Undefined: it is about annotations that only the owner sees. */
function withoutPrivate(change: Change): Change | undefined {
  if (change.type !== 'annotations') return change;
  const entries = change.entries.filter(isShared);
  return entries.length === 0 ? undefined : { ...change, entries };
}

function isShared(entry: string): boolean {
  return entry.startsWith('/shared/');
}

/** With the names that others than the owner know. */
function namedFor(change: Change, address: string): Change {
  if (!('name' in change)) return change;
  const { name, oldName } = change;
  const named = { ...change, name: othersName(address, name) };
  return oldName === undefined ? named : { ...named, oldName: othersName(address, oldName) };
}
