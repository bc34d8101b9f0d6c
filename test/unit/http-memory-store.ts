/** A MailStore in memory, as far as the HTTP service asks one: for tests of that service alone. */
import { parseHeader, allFields } from '../../src/mail/headers.ts';
import { parseMimeTree } from '../../src/mail/mime-tree.ts';
import { summary } from '../../src/mail/preview.ts';
import type { AccountId, EmailId, MailboxId, ModSeq, Uid } from '../../src/store/change.ts';
import type {
  Account,
  Content,
  Mailbox,
  MailStore,
  NewMessage,
  TransactionEvent,
  TransactionFilter,
  TransactionSummary,
} from '../../src/store/mail-store.ts';
import type { QuotaLimit } from '../../src/store/quota.ts';
import { Refusal } from '../../src/store/refusal.ts';
import type { SearchQuery } from '../../src/store/search-query.ts';
import { Notifier } from '../../src/notifier/notifier.ts';
import { UNUSED } from './fake-store.ts';

interface Kept {
  readonly octets: Uint8Array;
  readonly summary: TransactionSummary;
}

interface Stored {
  readonly uid: number;
  readonly octets: Uint8Array;
  readonly flags: readonly string[];
  readonly date: Date;
  readonly key: string | undefined;
}

export interface MemoryStore extends MailStore {
  /** Accepts a message. @returns its id */
  put(raw: string, more?: { readonly recipients?: readonly string[]; readonly receivedAt?: Date }): string;
  /** Thrown by everything from now on: what a fault of ours looks like. */
  fail(error: Error): void;
}

export const TRACE =
  'Return-Path: <sender@app.test>\r\nReceived: by glass.localhost; Tue, 3 Nov 2026 10:00:00 +0000\r\n';

export function memoryStore(notifier = new Notifier()): MemoryStore {
  const accounts = new Map<string, Account & { record: string | undefined }>();
  const mailboxes = new Map<number, { box: Mailbox; messages: Stored[] }>();
  const kept: Kept[] = [];
  const events: TransactionEvent[] = [];
  const cursorAt = (position: number): string => `00000000.0.${position}`;
  let deletedCount = 0;
  let failure: Error | undefined;
  let nextMailbox = 1;

  const matches = ({ summary: item, octets }: Kept, query: SearchQuery): boolean => {
    const header = parseHeader(octets);
    const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
    const holds = (text: string, part: string) => text.toLowerCase().includes(part.toLowerCase());
    const field = (name: string, text: string) => allFields(octets, header, name).some((value) => holds(value, text));
    switch (query.type) {
      case 'all':
        return true;
      case 'and':
        return query.queries.every((each) => matches({ summary: item, octets }, each));
      case 'or':
        return query.queries.some((each) => matches({ summary: item, octets }, each));
      case 'not':
        return !matches({ summary: item, octets }, query.query);
      case 'header':
        return field(query.name, query.text);
      case 'any-address':
        return ['From', 'To', 'Cc', 'Bcc', 'Reply-To', 'Return-Path'].some((name) => field(name, query.text));
      case 'recipient':
        return item.forwardPaths.some(({ address }) => holds(address, query.text));
      case 'body':
        return holds(Buffer.from(octets.subarray(header.end)).toString(), query.text);
      case 'text':
        return holds(Buffer.from(octets).toString(), query.text);
      case 'attachment-name':
        return holds(Buffer.from(octets).toString(), `filename="${query.text}`);
      case 'has-attachment':
        return item.attachments > 0;
      case 'larger':
        return octets.length > query.octets;
      case 'smaller':
        return octets.length < query.octets;
      case 'internal-date': {
        const at = item.receivedAt.getTime();
        return at >= (query.since ?? -Infinity) && at < (query.before ?? Infinity);
      }
      case 'email':
        return item.emailId === query.email;
      case 'tag':
        return query.tag === undefined ? item.tags.length > 0 : item.tags.some((tag) => same(tag, query.tag!));
      case 'flag':
      case 'has-inline':
      case 'mod-seq':
      case 'saved-date':
      case 'sent-day':
      case 'uids':
        return false;
    }
  };
  const passes = (one: Kept, filter: TransactionFilter = {}): boolean =>
    (filter.query === undefined || matches(one, filter.query)) &&
    (filter.read === undefined || one.summary.read === filter.read) &&
    (filter.account === undefined || one.summary.copies.some(({ account }) => account === filter.account));
  const find = (id: string, filter?: TransactionFilter): Kept | undefined =>
    kept.findLast((one) => (id === 'latest' || one.summary.transactionId === id) && passes(one, filter));
  const contentOf = (octets: Uint8Array, traceSize: number): Content => ({
    size: octets.length,
    traceSize,
    octets: undefined,
    async *read(start, end) {
      for (let at = start; at < end; at += 1000) yield octets.subarray(at, Math.min(end, at + 1000));
    },
  });
  const check = (): void => {
    if (failure) throw failure;
  };
  const accountOf = (id: number | string): (Account & { record: string | undefined }) | undefined =>
    [...accounts.values()].find((account) => account.id === id || account.address === id);

  const retag = (change: (one: Kept) => readonly string[] | undefined): number => {
    let count = 0;
    kept.forEach((one, index) => {
      const tags = change(one);
      if (!tags) return;
      count++;
      kept[index] = { ...one, summary: { ...one.summary, tags: [...tags].sort() } };
      const { transactionId } = one.summary;
      events.push({ type: 'tagged', transactionId, tags, cursor: cursorAt(events.length + 1) });
    });
    if (count > 0) notifier.notify(1, 1);
    return count;
  };

  const store: Partial<MailStore> & Pick<MemoryStore, 'put' | 'fail'> = {
    put(raw, { recipients = ['alice@glass.localhost'], receivedAt = new Date() } = {}) {
      const octets = Buffer.from(TRACE + raw);
      const number = kept.length + 1;
      const shown = summary(octets, parseMimeTree(octets));
      const transactionId = `T${String(number).padStart(21, '0')}`;
      kept.push({
        octets,
        summary: {
          transactionId,
          emailId: number as EmailId,
          reversePath: 'sender@app.test',
          forwardPaths: recipients.map((address) => ({ address })),
          receivedAt,
          origin: {
            service: 'smtp',
            conversation: 'abc',
            remoteAddress: '127.0.0.1',
            helo: 'app.test',
            login: undefined,
            tls: undefined,
          },
          receivedOctets: octets.length - TRACE.length,
          traceOctets: TRACE.length,
          read: false,
          ...shown,
          from: shown.from[0],
          tags: [],
          copies: recipients.flatMap((address) => {
            const account = accountOf(address);
            if (!account) return [];
            const uid = number as Uid;
            return [{ account: account.id, mailbox: 1 as MailboxId, mailboxName: 'INBOX', address, uid, flags: [] }];
          }),
        },
      });
      events.push({ type: 'new', transactionId, cursor: cursorAt(events.length + 1) });
      notifier.notify(1, number);
      return transactionId;
    },
    fail(error) {
      failure = error;
    },
    async createAccount({ address, passwordRecord }) {
      check();
      if (accounts.has(address)) throw new Refusal('ALREADYEXISTS', `there is an account ${address} already`);
      const id = (accounts.size + 1) as AccountId;
      const account = { id, address, owner: undefined, createdAt: new Date(), modSeq: 1 as ModSeq, quota: UNUSED };
      accounts.set(address, { ...account, record: passwordRecord });
      await store.createMailbox!(id, 'INBOX');
      return account;
    },
    async findAccount(id) {
      check();
      return accountOf(id);
    },
    async listAccounts() {
      check();
      return [...accounts.values()];
    },
    async findPasswordRecord(address) {
      const account = accountOf(address);
      return account?.record === undefined ? undefined : { account, record: account.record };
    },
    async setPasswordRecord(id, record) {
      accountOf(id)!.record = record;
    },
    async setQuota(id, { messages, octets }) {
      const account = accountOf(id)!;
      const limit = (given: QuotaLimit | undefined, before: number | undefined) =>
        given === undefined ? before : typeof given === 'number' ? given : undefined;
      const { messageLimit, octetLimit } = account.quota;
      const quota = {
        ...account.quota,
        messageLimit: limit(messages, messageLimit),
        octetLimit: limit(octets, octetLimit),
      };
      accounts.set(account.address, { ...account, quota });
    },
    async deleteAccount(id) {
      accounts.delete(accountOf(id)!.address);
    },
    async listMailboxes(account) {
      return [...mailboxes.values()].map(({ box }) => box).filter((box) => box.account === account);
    },
    async findMailbox(account, nameOrId) {
      const boxes = await store.listMailboxes!(account);
      return boxes.find(({ id, name }) => id === nameOrId || name === nameOrId);
    },
    async createMailbox(account, name) {
      const id = nextMailbox++ as MailboxId;
      const box: Mailbox = {
        id,
        account,
        name,
        uidValidity: 1000 + id,
        uidNext: 1 as Uid,
        highestModSeq: 1 as ModSeq,
        subscribed: true,
        specialUse: [],
        messages: 0,
        unseen: 0,
        deleted: 0,
        octets: 0,
        firstRecentUid: 1 as Uid,
      };
      mailboxes.set(id, { box, messages: [] });
      return box;
    },
    async snapshot(account, id) {
      const { box, messages } = mailboxes.get(id)!;
      if (box.account !== account) throw new Refusal('NONEXISTENT', 'no such mailbox');
      return {
        mailbox: { ...box, messages: messages.length },
        modSeq: 7 as ModSeq,
        count: messages.length,
        uids: Uint32Array.from(messages, ({ uid }) => uid),
        flagSets: Uint32Array.from(messages, ({ flags }) => (flags.length === 0 ? 0 : 1)),
        modSeqs: Float64Array.from(messages, () => 7),
        sizes: Uint32Array.from(messages, ({ octets }) => octets.length),
        internalDates: Float64Array.from(messages, ({ date }) => date.getTime()),
        emailIds: Float64Array.from(messages, ({ uid }) => 1000 + uid),
      };
    },
    flagSet: (index) => (index === 0 ? [] : ['\\Seen']),
    spool() {
      const pieces: Uint8Array[] = [];
      return {
        async write(octets) {
          pieces.push(Uint8Array.from(octets));
        },
        async finish() {
          const octets = Buffer.concat(pieces);
          return { size: octets.length, octets, file: undefined };
        },
        async [Symbol.asyncDispose]() {
          pieces.length = 0;
        },
      };
    },
    async appendMessages(account, nameOrId, messages: readonly NewMessage[]) {
      const box = await store.findMailbox!(account, nameOrId);
      if (!box) throw new Refusal('TRYCREATE', 'no such mailbox');
      const stored = mailboxes.get(box.id)!.messages;
      const uids = messages.map(({ content, flags, internalDate, importKey }) => {
        if (importKey !== undefined && stored.some(({ key }) => key === importKey)) return undefined;
        const uid = stored.length + 1;
        stored.push({ uid, octets: content.octets!, flags, date: internalDate, key: importKey });
        return uid as Uid;
      });
      return { mailbox: box.id, uidValidity: box.uidValidity, uids, modSeq: 7 as ModSeq };
    },
    async *fetchMessages(_account, id, uids) {
      const { messages } = mailboxes.get(id)!;
      yield Array.from(uids).flatMap((uid) => {
        const message = messages.find((each) => each.uid === uid);
        if (!message) return [];
        const content = contentOf(message.octets, 0);
        return [{ uid: uid as Uid, emailId: (1000 + uid) as EmailId, size: content.size, content }];
      });
    },
    async searchMessages(_account, id) {
      return Uint32Array.from(mailboxes.get(id)!.messages, ({ uid }) => uid);
    },
    async listTransactions(filter, { start, limit, before }) {
      check();
      const found = kept.filter((one) => passes(one, filter)).reverse();
      const items = found.filter(({ summary: { receivedAt } }) => before === undefined || receivedAt < before);
      return {
        total: kept.length,
        unread: kept.filter((one) => !one.summary.read).length,
        matches: found.length,
        unreadMatches: found.filter((one) => !one.summary.read).length,
        items: items.slice(start, start + limit).map((one) => one.summary),
      };
    },
    async findTransaction(id, filter) {
      check();
      return find(id, filter)?.summary;
    },
    async findContent(id) {
      check();
      const one = typeof id === 'string' ? find(id) : kept.find(({ summary: { emailId } }) => emailId === id);
      return one && { content: contentOf(one.octets, TRACE.length), tree: parseMimeTree(one.octets) };
    },
    async markTransactions(ids, read, filter) {
      let count = 0;
      kept.forEach((one, index) => {
        if (!(ids?.includes(one.summary.transactionId) ?? true) || !passes(one, filter)) return;
        count++;
        if (one.summary.read === read) return;
        kept[index] = { ...one, summary: { ...one.summary, read } };
        events.push({
          type: 'read',
          transactionId: one.summary.transactionId,
          read,
          cursor: cursorAt(events.length + 1),
        });
      });
      if (count > 0) notifier.notify(1, 1);
      return count;
    },
    async deleteTransactions(ids, filter) {
      const gone = kept.filter((one) => (ids?.includes(one.summary.transactionId) ?? true) && passes(one, filter));
      for (const one of gone) {
        kept.splice(kept.indexOf(one), 1);
        events.push({ type: 'deleted', transactionId: one.summary.transactionId, cursor: cursorAt(events.length + 1) });
      }
      deletedCount += gone.length;
      if (gone.length > 0) notifier.notify(1, 1);
      return gone.length;
    },
    async listTags() {
      const counts = new Map<string, number>();
      for (const { summary } of kept) for (const tag of summary.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
      return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([tag, count]) => ({ tag, count }));
    },
    async setTags(ids, tags) {
      return retag((one) => (ids.includes(one.summary.transactionId) ? tags : undefined));
    },
    async renameTag(tag, to) {
      return retag(({ summary: { tags } }) => {
        if (!tags.includes(tag)) return undefined;
        return [...new Set(tags.flatMap((each) => (each !== tag ? [each] : to === undefined ? [] : [to])))];
      });
    },
    async transactionEvents(cursor) {
      check();
      const from = cursor === undefined ? events.length : Number(/^0{8}\.0\.(\d+)$/.exec(cursor)?.[1]);
      return { cursor: cursorAt(events.length), events: events.slice(from), tooOld: !(from <= events.length) };
    },
    async figures() {
      check();
      return {
        accounts: accounts.size,
        messages: kept.length,
        transactions: kept.length,
        unreadTransactions: kept.filter((one) => !one.summary.read).length,
        octets: kept.reduce((sum, { octets }) => sum + octets.length, 0),
        databaseOctets: 4096,
        deletedTransactions: deletedCount,
        unindexed: 0,
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.resolve();
    },
  };
  return store as MemoryStore;
}
