/**
 * The WebSocket `/api/glass/feed`: news of mail and of conversations for the pages (shapes: `feedRequest` and
 * `feedMessage` in `schemas/feed.ts`). It pulls: a notification only says "look again", so what waits for a slow page is not
 * news but the question what is new, and a page that has missed too much is told so.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { z } from 'zod';
import type { AccountId } from '../store/change.ts';
import type { TransactionEvent, TransactionFilter } from '../store/mail-store.ts';
import { type ConversationItem, conversationItem, eventValue, spokenSince } from '../glass/conversation.ts';
import { veilOf } from '../glass/veil.ts';
import type { Scope } from '../delivery/scopes.ts';
import type { Conversation } from '../wire/recorder.ts';
import { scopeView } from './scope-view.ts';
import { summaryView } from './message-view.ts';
import type { HttpParts } from './parts.ts';
import { type ConversationNews, type FeedMessage, type MailNews, feedRequest } from './schemas/feed.ts';
import { loginAddress } from '../sasl/login-name.ts';

export interface Feed {
  /** Takes over a connection whose right to be here has been checked. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, scope?: Scope): void;
  readonly pages: number;
  close(): void;
}

/** News of so many milliseconds leave together; of more, if the page has taken more than its share of the time. */
const BATCH_MS = 50;
const LONGEST_BATCH_MS = 2000;
/** Of the time, what one page may take in the long run: a part in so many. */
const SHARE = 25;
/** What it may take at once, in milliseconds, when it took nothing for a while. */
const MOST_CREDIT_MS = 60;
/** How long the doctor may think at once, in milliseconds; the rest comes next time. */
const PATIENCE_MS = 10;
/** A conversation that only grows is told of this often, in milliseconds: its events are asked for one by one. */
const GROWN_MS = 1000;
/** What waits to be sent to a page before it counts as slow, in octets. */
const SLOW = 256 * 1024;
/** How long a slow page is left alone before it is looked at again. */
const SLOW_MS = 250;
/** More news than these at once are not sent: the page reads its lists anew. */
const MOST_NEWS = 200;
/** The newest events that are sent at once; what was before them counts as missed, and can be asked for. */
const MOST_EVENTS = 1000;
const PING_MS = 30_000;
/** What a page may send at once. */
const MAX_REQUEST = 64 * 1024;
const MAX_PAGES = 256;

export function createFeed(parts: HttpParts): Feed {
  const pages = new Set<FeedPage>();
  let server: WebSocketServer | undefined;
  let unsubscribe: (() => void)[] = [];
  let closed = false;

  const opened = (page: FeedPage): void => {
    if (pages.size === 0) {
      unsubscribe = [
        parts.notifier.subscribe('all', (account) => pages.forEach((each) => each.touched(account as AccountId))),
        parts.recorder.watch(() => pages.forEach((each) => each.lookAgain('conversations'))),
      ];
    }
    pages.add(page);
  };
  const left = (page: FeedPage): void => {
    pages.delete(page);
    if (pages.size === 0) for (const end of unsubscribe.splice(0)) end();
  };

  const accept = async (request: IncomingMessage, socket: Duplex, head: Buffer, scope?: Scope): Promise<void> => {
    const { WebSocketServer } = await import('ws');
    server ??= new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: MAX_REQUEST,
      perMessageDeflate: false,
    });
    if (closed || socket.destroyed) {
      socket.destroy();
      return;
    }
    server.handleUpgrade(request, socket, head, (webSocket) => {
      const view = scope && parts.scopes ? scopeView(parts, parts.scopes, scope) : parts;
      const page = new FeedPage(webSocket, view, () => left(page));
      if (pages.size >= MAX_PAGES) {
        webSocket.close(1013, 'too many pages');
        return;
      }
      opened(page);
      page.begin();
    });
  };

  return {
    upgrade(request, socket, head, scope) {
      socket.on('error', () => undefined);
      accept(request, socket, head, scope).catch((error: unknown) => {
        parts.log('error', 'feed: a fault of ours', error);
        socket.destroy();
      });
    },
    get pages() {
      return pages.size;
    },
    close() {
      closed = true;
      for (const page of pages) page.close();
    },
  };
}

type Subject = 'mail' | 'mailboxes' | 'conversations';
/** What a page knows of a conversation. */
interface Told {
  readonly noteSeq: number;
  readonly at: number;
  readonly diagnoses: string;
}
type Wishes = NonNullable<z.output<typeof feedRequest>['subscribe']>;

/** One page's WebSocket. */
class FeedPage {
  readonly #socket: WebSocket;
  readonly #parts: HttpParts;
  #wishes: Wishes = { mail: false, mailboxes: false, conversations: false };
  #account: AccountId | undefined;
  /** Where this page stands in the mail feed, in the conversations, and in the one that it looks at. */
  #cursor: string | undefined;
  #revision: number;
  #seq = 0;
  readonly #told = new WeakMap<Conversation, Told>();
  /** That have grown and wait to be told of, with the revision that the page had before. */
  readonly #postponed = new Map<Conversation, number>();
  readonly #due = new Set<Subject>();
  /** Accounts that have changed since the page was told. */
  #changed = new Set<AccountId>();
  #timer: NodeJS.Timeout | undefined;
  /** What is left of its share, in milliseconds; below 0: it waits until it has made up for it. */
  #creditMs = MOST_CREDIT_MS;
  #creditedAt = performance.now();
  /** The steps run one after the other, so that no cursor is used twice. */
  #work: Promise<void> = Promise.resolve();
  readonly #ping: NodeJS.Timeout;
  #alive = true;

  constructor(socket: WebSocket, parts: HttpParts, left: () => void) {
    this.#socket = socket;
    this.#parts = parts;
    this.#revision = parts.recorder.revision;
    socket.on('message', (data, isBinary) => this.#received(data, isBinary));
    socket.on('pong', () => (this.#alive = true));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(this.#ping);
      clearTimeout(this.#timer);
      left();
    });
    this.#ping = setInterval(() => this.#checkAlive(), PING_MS);
    this.#ping.unref();
  }

  begin(): void {
    this.#then(async () => {
      const { cursor } = await this.#parts.store.transactionEvents(undefined);
      this.#cursor ??= cursor;
      this.#send({
        type: 'hello',
        version: this.#parts.version,
        cursor,
        revision: this.#revision,
        now: new Date().toISOString(),
      });
    });
  }

  touched(account: AccountId): void {
    if (this.#wishes.mailboxes) this.#changed.add(account);
    this.lookAgain('mail');
    this.lookAgain('mailboxes');
  }

  lookAgain(subject: Subject): void {
    const { mail, mailboxes, conversations, conversation } = this.#wishes;
    if (!{ mail, mailboxes, conversations: conversations || conversation !== undefined }[subject]) return;
    this.#due.add(subject);
    this.#timer ??= setTimeout(() => this.#flush(), this.#batchMs());
  }

  close(): void {
    this.#socket.close(1001, 'the server stops');
    // Whoever does not answer is not waited for.
    setTimeout(() => this.#socket.terminate(), 1000).unref();
  }

  #checkAlive(): void {
    if (!this.#alive) this.#socket.terminate();
    this.#alive = false;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  #send(message: FeedMessage): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #then(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((error: unknown) => {
      this.#parts.log('error', 'feed: a fault of ours', error);
      this.#socket.close(1011, 'internal error');
    });
  }

  // What the page says

  #received(data: WebSocket.RawData, isBinary: boolean): void {
    const request = isBinary ? undefined : feedRequest.safeParse(parseJson((data as Buffer).toString('utf8')));
    if (!request?.success) {
      const issue = request?.error.issues[0];
      const detail = issue ? `${issue.path.join('.') || 'message'}: ${issue.message}` : 'text messages alone';
      this.#send({ type: 'error', detail });
      return;
    }
    const { subscribe, since, clock } = request.data;
    if (clock !== undefined) {
      const now = Date.now();
      // The page of a scope is a test's.
      if (!this.#parts.scope) this.#parts.doctor?.heardClock(clock - now);
      this.#send({ type: 'clock', now: new Date(now).toISOString(), differenceMs: clock - now });
    }
    if (subscribe) this.#then(() => this.#subscribe(subscribe, since));
  }

  async #subscribe(wishes: Wishes, since: z.output<typeof feedRequest>['since']): Promise<void> {
    const { store, defaultDomain } = this.#parts;
    if (wishes.account === undefined) this.#account = undefined;
    else {
      const address = loginAddress(wishes.account, defaultDomain);
      const account = await store.findAccount(address);
      if (!account) {
        this.#send({ type: 'error', detail: `subscribe.account: there is no account ${address}` });
        return;
      }
      this.#account = account.id;
    }
    this.#wishes = wishes;
    if (since?.cursor !== undefined) this.#cursor = since.cursor;
    if (since?.revision !== undefined) {
      this.#revision = since.revision;
      this.#postponed.clear();
    }
    this.#seq = since?.seq ?? 0;
    this.lookAgain('mail');
    this.lookAgain('conversations');
  }

  // What the page is told

  #flush(): void {
    this.#timer = undefined;
    if (this.#socket.bufferedAmount > SLOW) {
      this.#timer = setTimeout(() => this.#flush(), SLOW_MS);
      return;
    }
    const due = new Set(this.#due);
    this.#due.clear();
    this.#then(async () => {
      const begunAt = performance.now();
      if (due.has('mail') && this.#wishes.mail) await this.#tellMail();
      if (due.has('mailboxes') && this.#wishes.mailboxes) await this.#tellMailboxes();
      if (due.has('conversations')) this.#tellOfConversations();
      this.#earn();
      this.#creditMs = Math.max(-LONGEST_BATCH_MS / SHARE, this.#creditMs - (performance.now() - begunAt));
      if (this.#postponed.size === 0 || this.#timer !== undefined) return;
      this.#due.add('conversations');
      this.#timer = setTimeout(() => this.#flush(), Math.max(GROWN_MS / 4, this.#batchMs()));
    });
  }

  #earn(): void {
    const now = performance.now();
    this.#creditMs = Math.min(MOST_CREDIT_MS, this.#creditMs + (now - this.#creditedAt) / SHARE);
    this.#creditedAt = now;
  }

  #batchMs(): number {
    this.#earn();
    return Math.max(BATCH_MS, -this.#creditMs * SHARE);
  }

  #tellOfConversations(): void {
    const { conversation, conversations } = this.#wishes;
    if (conversations) this.#tellConversations();
    if (conversation !== undefined) this.#tellEvents(conversation);
  }

  async #tellMail(): Promise<void> {
    const { store } = this.#parts;
    const filter = this.#account === undefined ? {} : { account: this.#account };
    const before = this.#cursor;
    const { cursor, events, tooOld } = await store.transactionEvents(before, filter);
    this.#cursor = cursor;
    if (cursor === before && events.length === 0 && !tooOld) return;
    if (events.length > MOST_NEWS) {
      this.#send({ type: 'missed', n: events.length });
      this.#send({ ...(await this.#mailNews([], cursor, filter)), tooOld: true });
      return;
    }
    const news = await this.#mailNews(events, cursor, filter);
    if (events.length > 0 || tooOld) this.#send({ ...news, tooOld });
  }

  async #mailNews(events: readonly TransactionEvent[], cursor: string, filter: TransactionFilter): Promise<MailNews> {
    const { store } = this.#parts;
    const deleted = new Set<string>();
    const arrivedIds = new Set<string>();
    const read = new Map<string, boolean>();
    const tagged = new Map<string, readonly string[]>();
    for (const event of events) {
      if (event.type === 'new') arrivedIds.add(event.transactionId);
      else if (event.type === 'read') read.set(event.transactionId, event.read);
      else if (event.type === 'deleted') deleted.add(event.transactionId);
      else tagged.set(event.transactionId, event.tags);
    }
    // A message that has gone meanwhile is not found; the deletion follows, or is here already.
    const arrived = await Promise.all([...arrivedIds].map((id) => store.findTransaction(id, filter)));
    const { total, unread } = await store.listTransactions(filter, { start: 0, limit: 1 });
    return {
      type: 'mail',
      cursor,
      tooOld: false,
      arrived: arrived.flatMap((transaction) => (transaction ? [summaryView(transaction)] : [])),
      read: [...read].map(([id, isRead]) => ({ id, read: isRead })),
      deleted: [...deleted],
      tagged: [...tagged].map(([id, tags]) => ({ id, tags: [...tags] })),
      total,
      unread,
    };
  }

  /** Only those that the page may know of: the store that it is shown finds no others. */
  async #tellMailboxes(): Promise<void> {
    const changed = this.#changed;
    this.#changed = new Set();
    const found = await Promise.all([...changed].map((id) => this.#parts.store.findAccount(id)));
    const accounts = found.flatMap((account) => (account ? [account.address] : []));
    if (accounts.length > 0) this.#send({ type: 'mailboxes', accounts });
  }

  #tellConversations(): void {
    const { recorder } = this.#parts;
    const before = this.#revision;
    const { revision, changed, missed, cleared } = recorder.since(before);
    this.#revision = revision;
    for (const conversation of changed) {
      if (!this.#postponed.has(conversation)) this.#postponed.set(conversation, before);
    }
    const now = performance.now();
    const visit = this.#parts.doctor?.visit(recorder, PATIENCE_MS);
    const full: ConversationItem[] = [];
    const grown: ConversationNews['grown'] = [];
    for (const conversation of this.#postponed.keys()) {
      if (recorder.find(conversation.id) !== conversation) {
        this.#postponed.delete(conversation);
        continue;
      }
      const told = this.#told.get(conversation);
      const hasNotes = told?.noteSeq !== conversation.noteSeq;
      if (!hasNotes && (visit?.isOver === true || now - told.at < GROWN_MS)) continue;
      const item = conversationItem(conversation, visit);
      if (visit?.owes(conversation) !== true) this.#postponed.delete(conversation);
      const diagnoses = JSON.stringify(item.diagnoses);
      this.#told.set(conversation, { noteSeq: conversation.noteSeq, at: now, diagnoses });
      const { id, octets, lastSeq } = item;
      if (hasNotes || diagnoses !== told.diagnoses) full.push(item);
      else grown.push({ id, octets, lastSeq });
    }
    if (full.length === 0 && grown.length === 0 && missed === 0 && !cleared) return;
    // What waits to be told of is asked for again after a loss.
    let complete = revision;
    for (const since of this.#postponed.values()) complete = Math.min(complete, since);
    const newest = full.sort((a, b) => (a.opened < b.opened ? -1 : 1)).slice(-MOST_NEWS);
    this.#send({
      type: 'conversation',
      revision: complete,
      conversations: newest,
      grown,
      missed: missed + full.length - newest.length,
      cleared,
    });
  }

  #tellEvents(id: string): void {
    const conversation = this.#parts.recorder.find(id);
    if (conversation === undefined || conversation === 'gone') {
      this.#wishes = { ...this.#wishes, conversation: undefined };
      const missed = { events: 0, octets: 0 };
      this.#send({ type: 'event', conversation: id, gone: true, lastSeq: this.#seq, events: [], spoken: [], missed });
      return;
    }
    const { events, missed: notKept } = conversation.since(this.#seq);
    if (events.length === 0 && notKept.events === 0) return;
    const skipped = events.splice(0, Math.max(0, events.length - MOST_EVENTS));
    const missed = {
      events: notKept.events + skipped.length,
      octets: skipped.reduce((sum, event) => sum + (event.type === 'octets' ? event.octets.length : 0), notKept.octets),
    };
    const veil = veilOf(conversation);
    const spoken = spokenSince(conversation, skipped.at(-1)?.seq ?? this.#seq);
    this.#seq = conversation.lastSeq;
    this.#send({
      type: 'event',
      conversation: id,
      gone: false,
      lastSeq: this.#seq,
      events: events.map((event) => eventValue(event, veil)),
      spoken,
      missed,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
