/** The API as the token of a test scope sees it: its own accounts, mail and conversations, and nothing of anybody else. */
import { normalizeDomain, splitAddress } from '../mail/address.ts';
import type { Scope, ScopeRegistry } from '../delivery/scopes.ts';
import type { Account, MailStore, TransactionFilter, TransactionSummary } from '../store/mail-store.ts';
import type { SearchQuery } from '../store/search-query.ts';
import type { Conversation } from '../wire/recorder.ts';
import { NO_SETTINGS } from './compatible/mailpit/settings.ts';
import type { ConversationSource, HttpOptions } from './parts.ts';

export function scopeView(parts: HttpOptions, scopes: ScopeRegistry, scope: Scope): HttpOptions {
  return {
    ...parts,
    store: scopedStore(parts.store, scopes, scope),
    recorder: scopedRecorder(parts.recorder, scopes, scope),
    // Addresses of its own domain are all that it may add accounts for.
    mode: 'domain',
    domains: [scope.domain],
    defaultDomain: scope.domain,
    // Tokens for logins are the operator's, and so is everything that is counted over all.
    tokens: undefined,
    smtpFigures: undefined,
    chaos: undefined,
    jim: undefined,
    retention: undefined,
    mailpit: NO_SETTINGS,
    mailpitEvents: undefined,
    settings: undefined,
    knownPassword: undefined,
    firstAccounts: [scope.address],
    scope,
  };
}

function scopedStore(store: MailStore, scopes: ScopeRegistry, scope: Scope): MailStore {
  const owner = scope.id;
  const own = (account: Account | undefined): Account | undefined => (account?.owner === owner ? account : undefined);
  const isOwn = (address: string): boolean => scopeOf(scopes, address)?.id === owner;
  /** A message may have gone to several scopes at once. */
  const shown = (transaction: TransactionSummary): TransactionSummary => ({
    ...transaction,
    forwardPaths: transaction.forwardPaths.filter(({ address }) => (scopeOf(scopes, address)?.id ?? owner) === owner),
    copies: transaction.copies.filter(({ address }) => isOwn(address)),
    tags: isShared(transaction) ? [] : transaction.tags,
  });
  /** Tags are a message's, whoever gave them: those of one that others have too are nobody's here. */
  const isShared = ({ copies }: TransactionSummary): boolean => copies.some(({ address }) => !isOwn(address));
  const scoped = (query: SearchQuery): SearchQuery => {
    if ('queries' in query) return { ...query, queries: query.queries.map(scoped) };
    if (query.type === 'not') return { ...query, query: scoped(query.query) };
    if (query.type === 'recipient') return { ...query, within: scope.domain };
    return query.type === 'tag' ? { ...query, owner } : query;
  };
  const ownPart = (filter: TransactionFilter = {}): TransactionFilter => ({
    ...filter,
    owner,
    ...(filter.query && { query: scoped(filter.query) }),
  });
  const tagged = async (tag: string | undefined): Promise<readonly TransactionSummary[]> => {
    const page = { start: 0, limit: Number.MAX_SAFE_INTEGER };
    return (await store.listTransactions(ownPart({ query: { type: 'tag', tag } }), page)).items;
  };
  const overrides: Partial<MailStore> = {
    createAccount: (account) => store.createAccount({ ...account, owner }),
    findAccount: async (idOrAddress) => own(await store.findAccount(idOrAddress)),
    listAccounts: () => store.listAccounts(owner),
    listTransactions: async (filter, page) => {
      const list = await store.listTransactions(ownPart(filter), page);
      return { ...list, items: list.items.map(shown) };
    },
    findTransaction: async (id, filter) => {
      const found = await store.findTransaction(id, ownPart(filter));
      return found && shown(found);
    },
    findContent: (id) => store.findContent(id, owner),
    findCopies: (email) => store.findCopies(email, owner),
    markTransactions: (ids, read, filter) => store.markTransactions(ids, read, ownPart(filter)),
    deleteTransactions: (ids, filter) => store.deleteTransactions(ids, ownPart(filter)),
    listTags: async () => {
      const counts = new Map<string, number>();
      for (const { tags } of await tagged(undefined))
        for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
      return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([tag, count]) => ({ tag, count }));
    },
    setTags: async (ids, tags) => {
      const found = await Promise.all(ids.map((id) => store.findTransaction(id, { owner })));
      return store.setTags(
        found.flatMap((transaction) => (transaction && !isShared(transaction) ? [transaction.transactionId] : [])),
        tags,
      );
    },
    renameTag: async (tag, to) => {
      const found = await tagged(tag);
      for (const { transactionId, tags } of found) {
        const others = tags.filter((each) => each.toLowerCase() !== tag.toLowerCase());
        await store.setTags([transactionId], to === undefined ? others : [...others, to]);
      }
      return found.length;
    },
    transactionEvents: (cursor, filter) => store.transactionEvents(cursor, ownPart(filter)),
    figures: async () => {
      const [accounts, list] = await Promise.all([
        store.listAccounts(owner),
        store.listTransactions({ owner }, { start: 0, limit: 1 }),
      ]);
      const mailboxes = (await Promise.all(accounts.map(({ id }) => store.listMailboxes(id)))).flat();
      const sum = (count: (mailbox: (typeof mailboxes)[number]) => number): number =>
        mailboxes.reduce((total, mailbox) => total + count(mailbox), 0);
      return {
        accounts: accounts.length,
        messages: sum(({ messages }) => messages),
        transactions: list.total,
        unreadTransactions: list.unread,
        octets: sum(({ octets }) => octets),
        databaseOctets: 0,
        deletedTransactions: 0,
        unindexed: 0,
      };
    },
  };
  // What takes an account or a mailbox is asked with one that has been found above.
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(overrides, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function scopedRecorder(recorder: ConversationSource, scopes: ScopeRegistry, scope: Scope): ConversationSource {
  /** All that passed is the scope's: one that delivered or logged in for others too would show their mail. */
  const isOwn = (conversation: Conversation): boolean => {
    const concerned = new Set(conversation.scopes);
    for (const login of conversation.logins) concerned.add(scopeOf(scopes, login)?.id ?? '');
    return concerned.size === 1 && concerned.has(scope.id);
  };
  return {
    get revision() {
      return recorder.revision;
    },
    recording: recorder.recording,
    list: () => recorder.list().filter(isOwn),
    find: (id) => {
      const found = recorder.find(id);
      return found === undefined || found === 'gone' || isOwn(found) ? found : undefined;
    },
    since: (revision) => {
      const news = recorder.since(revision);
      return { ...news, changed: news.changed.filter(isOwn) };
    },
    watch: (listener) => recorder.watch(listener),
    clear: (isMeant) => recorder.clear((conversation) => isOwn(conversation) && (isMeant?.(conversation) ?? true)),
  };
}

function scopeOf(scopes: ScopeRegistry, address: string): Scope | undefined {
  const domain = splitAddress(address)?.domain;
  return domain === undefined ? undefined : scopes.byDomain(normalizeDomain(domain));
}
