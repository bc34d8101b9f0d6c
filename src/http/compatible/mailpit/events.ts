/**
 * The WebSocket `/api/events` of Mailpit: each event is a text `{"Type", "Data"}`. It pulls, as our own feed does: a
 * notification only says "look again", and what has changed is read from the log of transactions.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Scope } from '../../../delivery/scopes.ts';
import type { TransactionEvent } from '../../../store/mail-store.ts';
import type { HttpParts } from '../../parts.ts';
import type { Conversation, RecordedAnnotation } from '../../../wire/recorder.ts';
import { scopeView } from '../../scope-view.ts';
import { toSummary } from './shapes.ts';

/** What the log of transactions does not tell. */
export interface MailpitEvents {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, scope?: Scope): void;
  /** Everything is about to be deleted. Call what is returned when it is. */
  deletingAll(): () => void;
  /** These are marked as they were already: nothing has changed, but clients of Mailpit wait to hear of it. */
  markedAgain(ids: readonly string[], read: boolean): void;
  /** So much has changed that lists are to be read anew. */
  pruned(): void;
  close(): void;
}

/** News of so many milliseconds leave together. */
const BATCH_MS = 25;
const STATS_MS = 250;
const PING_MS = 54_000;
const MOST_DELETIONS = 200;
/** What waits for a client that does not read, in octets: then it is sent away. */
const SLOW = 4 * 1024 * 1024;
const MAX_CLIENTS = 256;

type Say = (type: string, data: unknown) => void;

export function createMailpitEvents(parts: HttpParts): MailpitEvents {
  return new EventHub(parts);
}

class EventHub implements MailpitEvents {
  readonly #parts: HttpParts;
  readonly #clients = new Set<WebSocket>();
  readonly #ofScopes = new Set<EventHub>();
  #server: WebSocketServer | undefined;
  #unsubscribe: (() => void)[] = [];
  #cursor: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #statsTimer: NodeJS.Timeout | undefined;
  #ping: NodeJS.Timeout | undefined;
  #deletingAll = false;
  #closed = false;
  /** Where the conversations stand, and up to which event of each something was told. */
  #revision = 0;
  #heard = new WeakMap<Conversation, number>();
  /** The steps run one after the other, so that no cursor is used twice. */
  #work: Promise<void> = Promise.resolve();

  constructor(parts: HttpParts) {
    this.#parts = parts;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, scope?: Scope): void {
    if (scope && this.#parts.scopes) {
      // Of a test scope, one hub for each client: it sees its own mail alone.
      const hub = new EventHub(scopeView(this.#parts, this.#parts.scopes, scope));
      this.#ofScopes.add(hub);
      socket.once('close', () => this.#ofScopes.delete(hub));
      hub.upgrade(request, socket, head);
      return;
    }
    socket.on('error', () => undefined);
    this.#accept(request, socket, head).catch((error: unknown) => {
      this.#parts.log('error', 'events: a fault of ours', error);
      socket.destroy();
    });
  }

  async #accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { WebSocketServer } = await import('ws');
    this.#server ??= new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: 64 * 1024,
      perMessageDeflate: false,
    });
    // From now on: whoever is connected misses nothing.
    this.#cursor ??= (await this.#parts.store.transactionEvents(undefined)).cursor;
    if (this.#closed || socket.destroyed || this.#clients.size >= MAX_CLIENTS) {
      socket.destroy();
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (client) => this.#opened(client));
  }

  #opened(client: WebSocket): void {
    if (this.#clients.size === 0) {
      const { recorder, notifier } = this.#parts;
      this.#revision = recorder.revision;
      for (const conversation of recorder.list()) this.#heard.set(conversation, conversation.lastSeq);
      this.#unsubscribe = [
        notifier.subscribe('all', () => this.#lookAgain()),
        recorder.watch(() => this.#tellErrors()),
      ];
      const watch = this.#parts.retention?.watch(() => this.pruned());
      if (watch) this.#unsubscribe.push(watch);
      this.#ping = setInterval(() => this.#pingAll(), PING_MS).unref();
    }
    this.#clients.add(client);
    client.on('error', () => undefined);
    client.on('close', () => this.#left(client));
    this.#then(async () => send(client, 'stats', await this.#stats()));
    this.#lookAgain(); // what came while the connection was being made
  }

  #left(client: WebSocket): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    for (const end of this.#unsubscribe.splice(0)) end();
    clearInterval(this.#ping);
    clearTimeout(this.#timer);
    clearTimeout(this.#statsTimer);
    this.#timer = this.#statsTimer = this.#cursor = undefined;
  }

  #pingAll(): void {
    for (const client of this.#clients) client.ping();
  }

  readonly #broadcast: Say = (type, data) => {
    for (const client of this.#clients) send(client, type, data);
    this.#statsTimer ??= setTimeout(() => {
      this.#statsTimer = undefined;
      this.#then(async () => {
        const stats = await this.#stats();
        for (const client of this.#clients) send(client, 'stats', stats);
      });
    }, STATS_MS).unref();
  };

  async #stats(): Promise<object> {
    const { transactions, unreadTransactions } = await this.#parts.store.figures();
    return { Total: transactions, Unread: unreadTransactions, Version: `v${this.#parts.version}` };
  }

  deletingAll(): () => void {
    this.#deletingAll = true;
    return () => {
      this.#then(async () => {
        await this.#tell();
        if (this.#deletingAll) this.#broadcast('truncate', null); // there was nothing to delete
        this.#deletingAll = false;
      });
    };
  }

  markedAgain(ids: readonly string[], read: boolean): void {
    for (const id of ids.slice(0, MOST_DELETIONS)) this.#broadcast('update', { ID: id, Read: read });
  }

  pruned(): void {
    this.#broadcast('prune', null);
  }

  close(): void {
    this.#closed = true;
    for (const hub of this.#ofScopes) hub.close();
    for (const client of this.#clients) {
      client.close(1001, 'the server stops');
      setTimeout(() => client.terminate(), 1000).unref();
    }
  }

  #then(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((error: unknown) => {
      this.#parts.log('error', 'events: a fault of ours', error);
    });
  }

  #lookAgain(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#then(() => this.#tell());
    }, BATCH_MS);
  }

  async #tell(): Promise<void> {
    if (this.#cursor === undefined) return;
    const { cursor, events, tooOld } = await this.#parts.store.transactionEvents(this.#cursor);
    this.#cursor = cursor;
    if (tooOld) this.#broadcast('prune', null);
    const deleted = events.filter(({ type }) => type === 'deleted');
    if (deleted.length > 0 && this.#deletingAll) {
      this.#broadcast('truncate', null);
      this.#deletingAll = false;
    } else if (deleted.length > MOST_DELETIONS) this.#broadcast('prune', null);
    else for (const { transactionId } of deleted) this.#broadcast('delete', { ID: transactionId });
    for (const event of events) await this.#tellOne(event);
  }

  /** What went wrong between clients and SMTP or POP3, as far as conversations are recorded. */
  #tellErrors(): void {
    const { revision, changed } = this.#parts.recorder.since(this.#revision);
    this.#revision = revision;
    for (const conversation of changed) {
      const Type = ERROR_TYPES[conversation.protocol];
      if (Type === undefined) continue;
      const before = this.#heard.get(conversation) ?? 0;
      this.#heard.set(conversation, conversation.lastSeq);
      for (const { seq, annotation } of conversation.annotations()) {
        const said = seq > before ? errorOf(annotation) : undefined;
        if (said) this.#broadcast('error', { ...said, Type, IP: conversation.remote.address });
      }
    }
  }

  async #tellOne(event: TransactionEvent): Promise<void> {
    switch (event.type) {
      case 'new': {
        // One that has gone meanwhile is not found; that one has been read meanwhile is told next.
        const transaction = await this.#parts.store.findTransaction(event.transactionId);
        if (transaction) this.#broadcast('new', toSummary({ ...transaction, read: false }));
        return;
      }
      case 'read':
        this.#broadcast('update', { ID: event.transactionId, Read: event.read });
        return;
      case 'tagged':
        this.#broadcast('update', { ID: event.transactionId, Tags: event.tags });
        return;
      case 'deleted':
    }
  }
}

const ERROR_TYPES: Readonly<Record<string, string>> = { smtp: 'smtpd', pop3: 'pop3' };

function errorOf(
  annotation: RecordedAnnotation['annotation'],
): { readonly Level: 'warning' | 'error'; readonly Message: string } | undefined {
  const { type } = annotation;
  if (type === 'login-failed')
    return { Level: 'warning', Message: `login of ${annotation.login} failed: ${annotation.reason}` };
  if (type === 'limit') return { Level: 'warning', Message: `limit reached: ${annotation.limit}` };
  return type === 'error' ? { Level: 'error', Message: annotation.message } : undefined;
}

function send(client: WebSocket, type: string, data: unknown): void {
  if (client.readyState !== client.OPEN) return;
  if (client.bufferedAmount > SLOW) client.terminate();
  else client.send(JSON.stringify({ Type: type, Data: data }));
}
