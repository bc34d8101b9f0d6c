/**
 * The HTTP service: takes connections that a listener has accepted, and ends in good order. What answers a request is in
 * `routing.ts`, what goes over the WebSocket in `feed.ts`; both are loaded with the first connection, since their
 * libraries would cost the start a tenth of a second.
 */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { LoginThrottle } from '../sasl/throttle.ts';
import type { Connection } from '../wire/connection.ts';
import { type Verdict, checkPassword, holdBack, judge, pathOf } from './access.ts';
import type { NewsSockets } from './compatible/news-sockets.ts';
import type { MailpitEvents } from './compatible/mailpit/events.ts';
import type { RunningWebhook } from './compatible/mailpit/webhook.ts';
import type { Consoles } from './console.ts';
import type { Feed } from './feed.ts';
import type { noticing } from './noticing.ts';
import {
  CONSOLE_PATH,
  EVENTS_PATH,
  FEED_PATH,
  type HttpOptions,
  INBUCKET_SOCKET_PATH,
  MAILHOG_SOCKET_PATH,
} from './parts.ts';
import type { Listener } from './routing.ts';

export type { HttpOptions } from './parts.ts';

export interface HttpServer {
  /** Serves a connection that a listener has accepted; the service ends it. */
  handle(connection: Connection): undefined;
  /** Ends the feeds and idle connections at once; requests that run are answered. Idempotent. */
  close(): Promise<void>;
}

/** Header lines of a request must have come after so many milliseconds, all of it after the longer time. */
const HEADERS_MS = 60_000;
const REQUEST_MS = 10 * 60_000;
const KEEP_ALIVE_MS = 30_000;
const CHECK_MS = 5_000;
/** What runs when the service closes has so long to finish. */
const DRAIN_MS = 8_000;

export function createHttp(options: HttpOptions): HttpServer {
  return new HttpService(options);
}

const SOCKETS: ReadonlySet<string> = new Set([FEED_PATH, CONSOLE_PATH, EVENTS_PATH, MAILHOG_SOCKET_PATH]);
const isSocket = (path: string): boolean => SOCKETS.has(path) || INBUCKET_SOCKET_PATH.test(path);

interface Parts {
  readonly answer: Listener;
  readonly noticing: typeof noticing;
  readonly feed: Feed;
  /** Loaded when somebody types: with it come the command tables of the protocols. */
  consoles?: Promise<Consoles>;
  readonly events: MailpitEvents;
  readonly mailhog: NewsSockets;
  readonly inbucket: NewsSockets;
}

class HttpService implements HttpServer {
  readonly #options: HttpOptions;
  readonly #throttle = new LoginThrottle();
  #parts: Promise<Parts> | undefined;
  #loaded: Parts | undefined;
  readonly #server: Server;
  readonly #open = new Map<Duplex, Connection>();
  /** How many requests of a connection are being answered; a WebSocket counts as one. Busy ones end when they are done. */
  readonly #busy = new Map<Duplex, number>();
  readonly #heard = new WeakSet<AbortSignal>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;
  readonly #webhook: Promise<RunningWebhook | undefined>;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#webhook = startWebhook(options).catch((error: unknown) => {
      options.log('error', 'webhook: a fault of ours', error);
      return undefined;
    });
    this.#server = createServer({
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_MS,
    });
    this.#server.on('request', (incoming, outgoing) => {
      this.#begun(incoming.socket, outgoing);
      if (this.#loaded) this.#answer(this.#loaded, incoming, outgoing);
      else void this.#load().then((parts) => this.#answer(parts, incoming, outgoing));
    });
    this.#server.on('upgrade', (request, socket: Duplex, head) => void this.#upgrade(request, socket, head));
    this.#server.on('clientError', answerBadRequest);
    // The time limits of requests are looked at from this event on, which a server that is never bound does not have.
    this.#server.emit('listening');
  }

  handle(connection: Connection): undefined {
    void this.#load();
    const socket = connection.duplex({ allowHalfOpen: true });
    this.#open.set(socket, connection);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#busy.delete(socket);
    });
    const { draining } = connection;
    if (!this.#heard.has(draining)) {
      this.#heard.add(draining);
      draining.addEventListener('abort', () => this.#drain(), { once: true });
    }
    this.#server.emit('connection', socket);
    return undefined;
  }

  #answer({ answer, noticing }: Parts, incoming: IncomingMessage, outgoing: ServerResponse): void {
    const connection = this.#open.get(incoming.socket);
    if (connection) noticing(connection, incoming, () => answer(incoming, outgoing));
    else answer(incoming, outgoing);
  }

  #load(): Promise<Parts> {
    this.#parts ??= (async () => {
      const [
        { requestListener },
        { noticedParts, noticing },
        { createFeed },
        { createMailpitEvents },
        { mailhogSockets },
        { inbucketMonitors },
      ] = await Promise.all([
        import('./routing.ts'),
        import('./noticing.ts'),
        import('./feed.ts'),
        import('./compatible/mailpit/events.ts'),
        import('./compatible/mailhog/events.ts'),
        import('./compatible/inbucket/monitor.ts'),
      ]);
      const events = createMailpitEvents(this.#options);
      const answer = requestListener(
        noticedParts({
          ...this.#options,
          closing: this.#closing.signal,
          mailpitEvents: events,
          annotate: (incoming, annotation) => incoming && this.#open.get(incoming.socket)?.annotate(annotation),
        }),
        this.#throttle,
      );
      this.#loaded = {
        answer,
        noticing,
        feed: createFeed(this.#options),
        events,
        mailhog: mailhogSockets(this.#options),
        inbucket: inbucketMonitors(this.#options, (url) => pathOf(url, this.#options.webroot)),
      };
      return this.#loaded;
    })();
    return this.#parts;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#drain();
    await (await this.#webhook)?.close();
    const ended = [...this.#open.keys()].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await Promise.race([Promise.all(ended), wait(DRAIN_MS, undefined, { ref: false })]);
    for (const socket of this.#open.keys()) socket.destroy();
    // Ends the looking at time limits. It was never bound: that is the error which this passes over.
    this.#server.close(() => undefined);
  }

  /** The feeds and what is idle end now, everything else after the answer that it waits for. */
  #drain(): void {
    this.#closing.abort();
    this.#loaded?.feed.close();
    void this.#loaded?.consoles?.then((consoles) => consoles.close());
    this.#loaded?.events.close();
    this.#loaded?.mailhog.close();
    this.#loaded?.inbucket.close();
    for (const socket of this.#open.keys()) if (!this.#busy.has(socket)) socket.end();
  }

  #begun(socket: Duplex, outgoing: ServerResponse): void {
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
    if (this.#closing.signal.aborted) outgoing.shouldKeepAlive = false;
    outgoing.once('close', () => {
      const left = (this.#busy.get(socket) ?? 1) - 1;
      if (left > 0) {
        this.#busy.set(socket, left);
        return;
      }
      this.#busy.delete(socket);
      if (this.#closing.signal.aborted) socket.end();
    });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => undefined);
    this.#busy.set(socket, 1);
    const address = request.socket.remoteAddress;
    const path = pathOf(`http://host${request.url ?? '/'}`, this.#options.webroot);
    const header = (name: string): string | undefined => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    };
    const asking = { method: request.method ?? 'GET', path, upgrade: true, address, header };
    await checkPassword(asking, this.#options);
    const verdict = judge(asking, this.#options);
    if (verdict.type === 'refused') {
      await holdBack(verdict, address, this.#throttle);
      refuseUpgrade(socket, verdict.status, verdict.detail, verdict.challenge);
    } else if (!isSocket(path)) {
      refuseUpgrade(socket, 404, 'there is no WebSocket here');
    } else {
      // It would only show the watcher to himself, and each event of it would be another one.
      this.#open.get(socket)?.unrecord();
      if (path === CONSOLE_PATH) {
        await this.#openConsole(request, socket, head, verdict);
        return;
      }
      const { feed, events, mailhog, inbucket } = await this.#load();
      const known: Readonly<Record<string, Pick<Feed, 'upgrade'>>> = {
        [FEED_PATH]: feed,
        [EVENTS_PATH]: events,
        [MAILHOG_SOCKET_PATH]: mailhog,
      };
      const sockets = known[path] ?? inbucket;
      sockets.upgrade(request, socket, head, verdict.scope);
    }
  }

  /** It speaks from this machine, with all that its listeners grant to this machine: that is for whoever administers it. */
  async #openConsole(request: IncomingMessage, socket: Duplex, head: Buffer, verdict: Permitted): Promise<void> {
    if (verdict.scope || !verdict.administers) {
      refuseUpgrade(socket, 403, 'the console is not for the token of a test scope, nor for strangers');
      return;
    }
    const parts = await this.#load();
    parts.consoles ??= import('./console.ts').then(({ createConsoles }) => createConsoles(this.#options));
    const consoles = await parts.consoles;
    if (this.#closing.signal.aborted) refuseUpgrade(socket, 503, 'the server stops');
    else consoles.upgrade(request, socket, head);
  }
}

type Permitted = Extract<Verdict, { type: 'permitted' }>;

/** From the start, not from the first connection: messages arrive before anybody looks. */
async function startWebhook(options: HttpOptions): Promise<RunningWebhook | undefined> {
  const { webhook, label = '' } = options.mailpit ?? {};
  if (!webhook) return undefined;
  const { cursor } = await options.store.transactionEvents(undefined);
  const { runWebhook } = await import('./compatible/mailpit/webhook.ts');
  return runWebhook(options, webhook, label, cursor);
}

function refuseUpgrade(socket: Duplex, status: number, detail: string, challenge?: string): void {
  const text = `${detail}\n`;
  const lines = [
    `HTTP/1.1 ${status} Refused`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
    ...(challenge === undefined ? [] : [`WWW-Authenticate: ${challenge}`]),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
}

/** What is no HTTP, or too long, or too slow (RFC 9112 §2.2, RFC 6585 §5, RFC 9110 §15.5.9). */
function answerBadRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout']
        : [400, 'Bad Request'];
  const text = `${reason}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
  );
}
