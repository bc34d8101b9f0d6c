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
import { conversationItem, eventValue, spokenSince } from '../glass/conversation.ts';
import { veilOf } from '../glass/veil.ts';
import type { Scope } from '../delivery/scopes.ts';
import { scopeView } from './scope-view.ts';
import { summaryView } from './message-view.ts';
import type { HttpParts } from './parts.ts';
import { type FeedMessage, type MailNews, feedRequest } from './schemas/feed.ts';
import { loginAddress } from '../sasl/login-name.ts';

export interface Feed {
  /** Takes over a connection whose right to be here has been checked. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, scope?: Scope): void;
  readonly pages: number;
  close(): void;
}

/** News of so many milliseconds leave together. */
const BATCH_MS = 50;
/** What waits to be sent to a page before it counts as slow, in octets. */
const SLOW = 256 * 1024;
/** How long a slow page is left alone before it is looked at again. */
const SLOW_MS = 250;
/** More news than these at once are not sent: the page reads its lists anew. */
const MOST_NEWS = 200;
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
        parts.notifier.subscribe('all', () => pages.forEach((each) => each.lookAgain('mail'))),
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

type Subject = 'mail' | 'conversations';
type Wishes = NonNullable<z.output<typeof feedRequest>['subscribe']>;

/** One page's WebSocket. */
class FeedPage {
  readonly #socket: WebSocket;
  readonly #parts: HttpParts;
  #wishes: Wishes = { mail: false, conversations: false };
  #account: AccountId | undefined;
  /** Where this page stands in the mail feed, in the conversations, and in the one that it looks at. */
  #cursor: string | undefined;
  #revision: number;
  #seq = 0;
  readonly #due = new Set<Subject>();
  #timer: NodeJS.Timeout | undefined;
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

  lookAgain(subject: Subject): void {
    const wanted = subject === 'mail' ? this.#wishes.mail : this.#wishes.conversations || this.#wishes.conversation;
    if (!wanted) return;
    this.#due.add(subject);
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
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
    if (since?.revision !== undefined) this.#revision = since.revision;
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
      if (due.has('mail') && this.#wishes.mail) await this.#tellMail();
      if (due.has('conversations') && this.#wishes.conversations) this.#tellConversations();
      const { conversation } = this.#wishes;
      if (due.has('conversations') && conversation !== undefined) this.#tellEvents(conversation);
    });
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
    for (const event of events) {
      if (event.type === 'new') arrivedIds.add(event.transactionId);
      else if (event.type === 'read') read.set(event.transactionId, event.read);
      else if (event.type === 'deleted') deleted.add(event.transactionId);
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
      total,
      unread,
    };
  }

  #tellConversations(): void {
    const { revision, changed, missed } = this.#parts.recorder.since(this.#revision);
    this.#revision = revision;
    if (changed.length === 0 && missed === 0) return;
    const newest = changed.slice(-MOST_NEWS);
    this.#send({
      type: 'conversation',
      revision,
      conversations: newest.map(conversationItem),
      missed: missed + changed.length - newest.length,
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
    const { events, missed } = conversation.since(this.#seq);
    if (events.length === 0 && missed.events === 0) return;
    const veil = veilOf(conversation);
    const spoken = spokenSince(conversation, this.#seq);
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
