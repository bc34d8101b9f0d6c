/**
 * The WebSocket `/api/glass/console`: somebody types a protocol by hand, and this takes the octets to a listener of this
 * server over a real connection, as any client has one. It knows services by their names and no addresses, so it leads
 * nowhere else. Its own side is recorded for this page alone; the listener's side appears in the wire as everybody's.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createSecureContext } from 'node:tls';
import type { WebSocket, WebSocketServer } from 'ws';
import type { z } from 'zod';
import { spokenSince } from '../glass/conversation.ts';
import { hintsOf } from '../glass/console/hints.ts';
import { type ConsoleProtocol, type Handshake, type Standing, standingOf } from '../glass/console/standing.ts';
import { readingOf } from '../glass/reading.ts';
import { type Connection, ConnectionClosed } from '../wire/connection.ts';
import { dial } from '../wire/dial.ts';
import { TlsFailed, type ClientTls } from '../wire/layers.ts';
import { type Conversation, type RecordedTls, Recorder } from '../wire/recorder.ts';
import type { HttpParts } from './parts.ts';
import { type ConsoleEnded, type ConsoleMessage, consoleRequest } from './schemas/console.ts';

export interface Consoles {
  /** Takes over a connection whose right to be here has been checked. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly sessions: number;
  close(): void;
}

const SESSION_MS = 10 * 60_000;
/** Both ways together. */
const MOST_OCTETS = 1024 * 1024;
const MOST_SESSIONS = 32;
/** In UTF-8 and JSON the longest text takes more than it has characters. */
const MAX_REQUEST = 1024 * 1024 + 1024;
/** A page that has not said within this time what it wants is sent away. */
const OPEN_MS = 30_000;
/** What came within so many milliseconds is told together. */
const BATCH_MS = 15;
/** Twice: under TLS, both views of the octets are kept; and what the notes take. */
const KEPT = 2 * MOST_OCTETS + 512 * 1024;

export interface ConsoleLimits {
  readonly sessionMs: number;
  readonly octets: number;
  readonly sessions: number;
}

const LIMITS: ConsoleLimits = { sessionMs: SESSION_MS, octets: MOST_OCTETS, sessions: MOST_SESSIONS };

/** @param limits smaller ones, for tests */
export function createConsoles(parts: HttpParts, limits: Partial<ConsoleLimits> = {}): Consoles {
  const rules = { ...LIMITS, ...limits };
  const sessions = new Set<ConsoleSession>();
  let server: WebSocketServer | undefined;
  let closed = false;

  const accept = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
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
      webSocket.on('error', () => undefined);
      if (sessions.size >= rules.sessions) {
        webSocket.close(1013, 'too many console sessions: close one');
        return;
      }
      const session = new ConsoleSession(webSocket, parts, rules, () => sessions.delete(session));
      sessions.add(session);
    });
  };

  return {
    upgrade(request, socket, head) {
      socket.on('error', () => undefined);
      accept(request, socket, head).catch((error: unknown) => {
        parts.log('error', 'console: a fault of ours', error);
        socket.destroy();
      });
    },
    get sessions() {
      return sessions.size;
    },
    close() {
      closed = true;
      for (const session of sessions) session.end('stopping', 'the server stops');
    },
  };
}

type Reason = ConsoleEnded['reason'];
type OpenRequest = Extract<z.output<typeof consoleRequest>, { type: 'open' }>;
type SendRequest = Extract<z.output<typeof consoleRequest>, { type: 'send' }>;

const PROTOCOL: Readonly<Record<OpenRequest['service'], ConsoleProtocol>> = {
  smtp: 'smtp',
  submission: 'smtp',
  imap: 'imap',
  pop3: 'pop3',
};
/** The ports that begin with TLS; SMTP between hosts has none. */
const IMPLICIT: Readonly<Partial<Record<OpenRequest['service'], string>>> = {
  submission: 'submissions',
  imap: 'imaps',
  pop3: 'pop3s',
};

/** One page's WebSocket, and the connection that it types into. */
class ConsoleSession {
  readonly #socket: WebSocket;
  readonly #parts: HttpParts;
  readonly #limits: ConsoleLimits;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout;
  #protocol: ConsoleProtocol | undefined;
  #connection: Connection | undefined;
  #conversation: Conversation | undefined;
  #unwatch: (() => void) | undefined;
  /** Which of the listener's conversations this is; null: it has been told, or there is none. */
  #listener: { readonly service: string; readonly port: number } | null = null;
  /** Up to which event the page has been told. */
  #told = 0;
  readonly #handshakes: Handshake[] = [];
  #batch: NodeJS.Timeout | undefined;
  #octets = 0;
  #isUpgrading = false;
  #over = false;
  /** What the page says is done in its order. */
  #work: Promise<void> = Promise.resolve();

  constructor(socket: WebSocket, parts: HttpParts, limits: ConsoleLimits, left: () => void) {
    this.#socket = socket;
    this.#parts = parts;
    this.#limits = limits;
    socket.on('message', (data, isBinary) => this.#received(data, isBinary));
    socket.on('close', () => {
      this.end('reader', 'the page has left');
      left();
    });
    this.#timer = setTimeout(() => this.end('time', 'no service was asked for'), OPEN_MS);
    this.#timer.unref();
  }

  /** Ends the session and says why. Idempotent. */
  end(reason: Reason, detail: string): void {
    if (this.#over) return;
    this.#tellNews();
    this.#over = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#batch);
    this.#unwatch?.();
    this.#abort.abort(new ConnectionClosed(detail));
    this.#send({ type: 'ended', reason, detail });
    this.#socket.close(1000, reason);
    // Whoever does not answer is not waited for.
    setTimeout(() => this.#socket.terminate(), 1000).unref();
  }

  #send(message: ConsoleMessage): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #fault(error: unknown): void {
    this.#parts.log('error', 'console: a fault of ours', error);
    this.end('fault', 'a fault of the server, and logged');
  }

  // What the page says

  #received(data: WebSocket.RawData, isBinary: boolean): void {
    if (this.#over) return;
    const request = isBinary ? undefined : consoleRequest.safeParse(parseJson((data as Buffer).toString('utf8')));
    if (!request?.success) {
      const issue = request?.error.issues[0];
      const detail = issue ? `${issue.path.join('.') || 'message'}: ${issue.message}` : 'text messages alone';
      this.#send({ type: 'error', detail });
      return;
    }
    const { data: wish } = request;
    if (wish.type === 'end') this.end('reader', 'you have ended the session');
    else {
      this.#work = this.#work
        .then(() => (wish.type === 'open' ? this.#open(wish) : this.#type(wish)))
        .catch((error: unknown) => this.#fault(error));
    }
  }

  async #open({ service, tls }: OpenRequest): Promise<void> {
    if (this.#protocol || this.#over) {
      this.#send({ type: 'error', detail: 'one WebSocket is one session: open another one' });
      return;
    }
    const listener = tls === 'later' ? service : IMPLICIT[service];
    if (listener === undefined) {
      this.end('unreachable', `${service} has no port that begins with TLS`);
      return;
    }
    const endpoint = this.#parts.services()[listener];
    if (!endpoint) {
      this.end('unreachable', `${listener} is switched off`);
      return;
    }
    const protocol = PROTOCOL[service];
    this.#protocol = protocol;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end('time', 'the time of this session is over'), this.#limits.sessionMs);
    this.#timer.unref();
    const authority = this.#parts.certificates?.authorityPem;
    this.#send({
      type: 'opened',
      service: listener,
      port: endpoint.port,
      verified: authority !== undefined,
      endsAt: new Date(Date.now() + this.#limits.sessionMs).toISOString(),
      octets: this.#limits.octets,
    });
    // For this page alone: what it says, and what it hears.
    const own = new Recorder({ capacity: 2 * KEPT, perConversation: KEPT });
    this.#unwatch = own.watch(() => this.#lookAgain());
    this.#listener = { service: listener, port: endpoint.port };
    try {
      this.#connection = await dial({
        service: 'console',
        protocol,
        host: reachable(endpoint.address),
        port: endpoint.port,
        tls: tls === 'later' ? 'starttls' : 'implicit',
        clientTls: trust(authority),
        recorder: own,
        connectMs: 5_000,
        idleMs: this.#limits.sessionMs + 10_000,
        signal: this.#abort.signal,
      });
    } catch (error) {
      this.#conversation = own.list()[0];
      this.#failed(error);
      return;
    }
    this.#conversation = this.#connection.conversation;
    if (this.#connection.tls) this.#shook();
    void this.#listen(this.#connection).catch((error: unknown) => this.#failed(error));
  }

  async #type({ text, charset }: SendRequest): Promise<void> {
    const connection = this.#connection;
    if (!connection || this.#over) {
      this.#send({ type: 'error', detail: 'no session is open' });
      return;
    }
    if (charset === 'octets' && /[^\x00-\xff]/.test(text)) {
      this.#send({ type: 'error', detail: 'text: with the charset octets each character must be one octet' });
      return;
    }
    const octets = Buffer.from(text, charset === 'utf-8' ? 'utf8' : 'latin1');
    this.#count(octets.length);
    try {
      await connection.write(octets);
    } catch (error) {
      this.#failed(error);
    }
  }

  // What the server says

  async #listen(connection: Connection): Promise<void> {
    for (;;) {
      await connection.waitReadable();
      const { buffered } = connection;
      // It has been recorded on its way in; here it is only taken.
      if (buffered > 0) await connection.read(buffered);
      this.#count(buffered);
      if (this.#over) return;
      if (this.#standing().expects.type === 'handshake') await this.#startTls(connection);
    }
  }

  /** Nobody can type a handshake: it is done once the server has permitted it. */
  async #startTls(connection: Connection): Promise<void> {
    this.#isUpgrading = true;
    await connection.startTls();
    this.#isUpgrading = false;
    this.#shook();
  }

  #shook(): void {
    this.#tellNews();
    const { seq = 0, at = 0 } = this.#tlsStep() ?? {};
    this.#handshakes.push({ seq });
    const { version, cipher, handshakeMs } = this.#connection!.tls!;
    this.#send({ type: 'tls', seq, at, step: 'end', version, cipher, handshakeMs, detail: null });
    this.#tellStanding([]);
  }

  /** How the last handshake went. */
  #tlsStep(): RecordedTls | undefined {
    return this.#conversation?.since(0).events.findLast((event) => event.type === 'tls');
  }

  #failed(error: unknown): void {
    if (this.#over) return;
    if (error instanceof TlsFailed) {
      this.#tellNews();
      const { seq = 0, at = 0 } = this.#tlsStep() ?? {};
      const none = { version: null, cipher: null, handshakeMs: null };
      this.#send({ type: 'tls', seq, at, step: 'failed', ...none, detail: error.message });
      this.end('tls', `the handshake has failed: ${error.message}`);
    } else if (error instanceof ConnectionClosed) {
      this.end(
        'server',
        this.#isUpgrading ? 'the server has left during the handshake' : 'the server has closed the connection',
      );
    } else if (!this.#connection) this.end('unreachable', (error as Error).message);
    else if ((error as Error).name === 'TimedOut') this.end('time', 'the time of this session is over');
    else this.#fault(error);
  }

  #count(octets: number): void {
    this.#octets += octets;
    if (this.#octets > this.#limits.octets) {
      this.end('octets', `more than ${this.#limits.octets} octets have passed: this is for typing by hand`);
    }
  }

  // What the page is told

  #lookAgain(): void {
    if (this.#over) return;
    this.#batch ??= setTimeout(() => this.#tellNews(), BATCH_MS);
  }

  #tellNews(): void {
    clearTimeout(this.#batch);
    this.#batch = undefined;
    if (this.#over || !this.#conversation) return;
    if (this.#listener) this.#tellConversation(this.#listener);
    const spoken = spokenSince(this.#conversation, this.#told);
    this.#told = this.#conversation.lastSeq;
    if (spoken.length > 0) this.#tellStanding(spoken);
  }

  #tellStanding(spoken: ReturnType<typeof spokenSince>): void {
    const standing = this.#standing();
    const { announced, mailbox, tags, ...rest } = standing;
    this.#send({
      type: 'news',
      spoken,
      standing: { ...rest, announced: announced ?? null, mailbox: mailbox ?? null, nextTag: nextTag(tags) },
      hints: hintsOf(standing),
      octetsLeft: Math.max(0, this.#limits.octets - this.#octets),
    });
  }

  #standing(): Standing {
    return standingOf(this.#protocol!, readingOf(this.#conversation!), this.#handshakes);
  }

  /** The listener's conversation has this side's address as its remote one. */
  #tellConversation({ service, port }: { readonly service: string; readonly port: number }): void {
    const mine = this.#conversation!.local.port;
    const found = this.#parts.recorder
      .list()
      .findLast(
        ({ role, service: name, local, remote }) =>
          role === 'server' && name === service && remote.port === mine && local.port === port,
      );
    if (!found) return;
    this.#listener = null;
    this.#send({ type: 'conversation', id: found.id });
  }
}

function nextTag(tags: readonly string[]): string {
  const used = new Set(tags);
  let number = tags.length + 1;
  while (used.has(`a${number}`)) number++;
  return `a${number}`;
}

/** An address that accepts on all of the machine's is reached by the loopback one. */
function reachable(address: string): string {
  return address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
}

/** Our own authority and no other. With certificates of the owner's, who signed them is not known here. */
function trust(authority: string | undefined): ClientTls {
  const serverName = 'localhost';
  if (authority === undefined) return { serverName, verify: false };
  return { serverName, verify: true, secureContext: createSecureContext({ ca: authority }) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
