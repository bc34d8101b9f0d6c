/**
 * One peer on one connection, over layers: the network's octets below, what the two ends say above.
 * A protocol pulls lines and octets from it and awaits its writes, so that a slow peer slows its own session alone.
 * It knows no protocol.
 */
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { CertificateFacts } from './certificate-facts.ts';
import { Deadline } from './deadline.ts';
import { DeflateLayer } from './deflate-layer.ts';
import { WRONG_PORT_ALERT, firstOctets } from './first-octets.ts';
import type { Interference } from './interference.ts';
import { NetworkLayer, TlsFailed, TlsLayer } from './layers.ts';
import type { Above, ClientTls, Layer, ServerTls } from './layers.ts';
import { OctetQueue } from './octet-queue.ts';
import type { CloseManner, Conversation } from './recorder.ts';
import { Shaping } from './shaping.ts';
import type { CutManner, Mark } from './shaping.ts';
import { SocketStream } from './socket-stream.ts';

/** What the TLS layer agreed on, for `Received` fields (RFC 8314 §4.3), logs and pages. */
export interface TlsInfo {
  /** As Node names it: `TLSv1.3`. */
  readonly version: string;
  /** As RFC 8447 registers it: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** The name that the client asked for (RFC 6066 §3), if any. */
  readonly serverName: string | undefined;
  /** Milliseconds from the first octet of the handshake to its end. */
  readonly handshakeMs: number;
  /** What the server showed of itself; known while a recording runs. */
  readonly certificate?: CertificateFacts;
  /** The protocol that was agreed on under TLS (RFC 7301), if any. */
  readonly alpn?: string;
}

export interface Endpoint {
  /** An IP literal without brackets; IPv4-mapped addresses are given as IPv4. */
  readonly address: string;
  readonly port: number;
}

/**
 * A remark that a session leaves on its connection, for those who watch: told apart by `type`.
 * It never carries a secret.
 */
export type Annotation =
  /** `given`: the name as the client wrote it, where that is not the login. */
  | { readonly type: 'login'; readonly login: string; readonly mechanism: string; readonly given?: string }
  | {
      readonly type: 'login-failed';
      readonly login: string;
      readonly mechanism: string;
      readonly reason: string;
      /** By what the name or the password differs from the right one, where that is looked at. */
      readonly mistake?: 'unknown-name' | 'case' | 'blanks' | 'keyboard';
    }
  /** What the client calls itself (RFC 2971). */
  | { readonly type: 'client'; readonly name: string; readonly version: string }
  /** A recipient that the transaction goes on without. */
  | { readonly type: 'refused'; readonly recipient: string; readonly reply: string }
  | {
      readonly type: 'stored';
      readonly emailId: string;
      readonly transactionId: string;
      readonly octets: number;
      /** Of many copies the first ones; `copyCount` is how many there are. */
      readonly copies: readonly StoredCopy[];
      readonly copyCount: number;
      /** The numbers of the newest events when its envelope began, and its octets; undefined: it came by no mail protocol. */
      readonly envelopeSeq: number | undefined;
      readonly dataSeq: number | undefined;
    }
  | { readonly type: 'selected'; readonly mailbox: string }
  /** A client put messages into a mailbox itself: its copies of what it sent (`sent`: into the mailbox for those, RFC 6154), drafts. */
  | ({ readonly type: 'appended'; readonly sent?: true } & OfMessages)
  /** What a list shows of messages: `items` as the protocol calls what was asked for. */
  | ({ readonly type: 'looked'; readonly items: string } & OfMessages)
  | ({ readonly type: 'read'; readonly items: string } & OfMessages)
  | ({
      readonly type: 'flags';
      readonly mode: 'add' | 'remove' | 'replace';
      /** Divided by blanks. */
      readonly flags: string;
      readonly modSeq: number;
    } & OfMessages)
  /** To be deleted when the session ends well (RFC 1939 §5). */
  | ({ readonly type: 'marked' } & OfMessages)
  /** Where the messages have arrived, in the same order. */
  | ({
      readonly type: 'copied' | 'moved';
      readonly to: string;
      readonly toId: number;
      readonly toUids: string;
    } & OfMessages)
  | ({ readonly type: 'expunged' } & OfMessages)
  /** Of messages as HTTP knows them: by the ids of their transactions, or of their octets; divided by blanks. */
  | ({ readonly type: 'api-read' } & OfRequest)
  | ({ readonly type: 'api-marked'; readonly read: boolean } & OfRequest)
  | ({ readonly type: 'api-deleted' } & OfRequest)
  /** A mail program asked for its settings, or a person for a profile with them; `login` is '' if none was named. */
  | { readonly type: 'settings'; readonly by: 'autoconfig' | 'autodiscover' | 'profile'; readonly login: string }
  | { readonly type: 'secret'; readonly direction: 'in' | 'out'; readonly position: number; readonly octets: number }
  | { readonly type: 'limit'; readonly limit: string }
  /** The client seems to have mistaken the port; `found` is what came instead of what the port expects. */
  | { readonly type: 'wrong-port'; readonly found: 'tls' | 'http' | 'plaintext' | 'silence' }
  /** Octets that came in clear before a TLS handshake and were not acted on. */
  | { readonly type: 'dropped'; readonly octets: number }
  /** Something was made to fail on purpose: by which rule, what, and where it was asked. */
  | { readonly type: 'fault'; readonly rule: string; readonly effect: string; readonly at: string }
  /** Somebody had secrets of this conversation shown: `what` of them, and from which address it was asked. */
  | { readonly type: 'revealed'; readonly what: 'text' | 'octets' | 'keys'; readonly to: string }
  | { readonly type: 'error'; readonly message: string };

export interface StoredCopy {
  readonly accountId: number;
  readonly mailboxId: number;
  readonly uid: number;
}

/** Messages of one mailbox. A UID is never given out twice in it, and its id never to another one. */
interface OfMessages {
  /** As the session calls it. */
  readonly mailbox: string;
  readonly mailboxId: number;
  /** As an IMAP sequence set. */
  readonly uids: string;
}

interface OfRequest {
  /** `*`: all that there were. */
  readonly messages: string;
  /** `GET /api/v1/message/…`, without its query. */
  readonly request: string;
  /** As the client calls itself; may be empty. */
  readonly program: string;
}

/** A line as it came, without its end. `bare` tells that it ended in LF alone, `overlong` that the rest was discarded. */
export interface Line {
  readonly octets: Uint8Array;
  readonly bare: boolean;
  readonly overlong: boolean;
}

/** The peer is gone, or the connection was ended by us: no error, the session just ends. */
export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed';
}

/** The peer said nothing (or took nothing) for longer than the deadline. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

export interface Connection extends AsyncDisposable {
  /** The conversation's id, unique for the life of the data folder. */
  readonly id: string;
  /** The name of the listener that accepted it: `imap`, `imaps`, `submission`, … */
  readonly service: string;
  /** What was recorded of it so far. */
  readonly conversation: Conversation;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Undefined until a TLS handshake has ended. */
  readonly tls: TlsInfo | undefined;
  readonly secure: boolean;
  /** Aborted once the peer is gone or the connection ended. */
  readonly signal: AbortSignal;
  /** Aborted when the server stops: an idle session says good-bye at once, a busy one after its command. */
  readonly draining: AbortSignal;

  /**
   * The next line, up to CRLF (or LF alone). A line over `limit` octets is discarded to its end and comes back
   * shortened and `overlong`.
   * @throws ConnectionClosed at the end of the stream, TimedOut after `timeoutMs` (default: the listener's idle time).
   */
  readLine(limit: number, timeoutMs?: number): Promise<Line>;
  /** Exactly `count` octets, in one piece: for small literals. */
  read(count: number): Promise<Uint8Array>;
  /** `count` octets in the pieces in which they come: for literals that go to a spool. */
  readPieces(count: number): AsyncIterable<Uint8Array>;
  /** How many octets can be read without waiting: non-zero after a command means that the client pipelines. */
  readonly buffered: number;
  /** Resolves when `octets` wait, rejects as `readLine` does, or with the signal's reason; takes nothing. For IDLE. */
  waitReadable(signal?: AbortSignal, timeoutMs?: number): Promise<void>;
  /**
   * Strings are written as UTF-8. Several writes in one turn of the loop leave as one. Resolves when what waits to be
   * sent is under its limit again; a peer that takes nothing for the listener's idle time is ended.
   */
  write(octets: Uint8Array | string): Promise<void>;
  /** Resolves when all that was written has left. */
  flush(): Promise<void>;
  /**
   * Turns what follows into TLS: after the line that permitted it has been written. Octets that the peer sent before the
   * handshake are dropped, and an annotation says so (RFC 3501 §6.2.1, RFC 2595 §4: nothing sent before is acted on).
   */
  startTls(): Promise<TlsInfo>;
  /** Whether the ends compress what they say. */
  readonly compressed: boolean;
  /** Compresses what follows, both ways: after the line that permitted it has been written (RFC 4978 §3). */
  startCompression(): Promise<void>;
  /** What follows is as it was before, once the line that permitted it has left. */
  endCompression(): Promise<void>;
  /** RFC 9266 tls-exporter channel binding, 32 octets; undefined without TLS 1.3. */
  channelBinding(): Uint8Array | undefined;
  annotate(annotation: Annotation): void;
  /**
   * A Node stream over this connection's octets, for libraries that want one. Once taken, the reading methods above are
   * not to be used. After `startTls` the old stream is dead, and a fresh one carries what follows.
   * `allowHalfOpen` as in Node: without it the stream ends its writing side when the peer has ended its own.
   */
  duplex(options?: { readonly allowHalfOpen?: boolean }): SocketStream;
  /** Stops the recording of this conversation and forgets it, for what would only show the watcher to himself. */
  unrecord(): void;
  /** From here on octets pass no faster, either way. */
  slow(octetsPerSecond: number): void;
  /** Nothing passes for so long, either way. */
  hold(ms: number): void;
  /**
   * Cuts the connection when so many octets more have been said; `half`: in the middle of what is said next. What was
   * written before is to have left: see `flush`.
   */
  cutAfter(octets: number | 'half', how: CutManner): void;
  /** Cuts the connection now; what waits is not sent. */
  cut(how: CutManner): void;
  /** Calls back once so many octets have passed. */
  mark(mark: Mark): void;
  /** Ends: sends what waits, then FIN. Idempotent. */
  end(): Promise<void>;
  /** Ends at once, with RST where the system permits it. */
  destroy(): void;
}

/** What the other protocol's client is told that knocked on the wrong port. */
export interface WrongPortAnswers {
  /** To a client that speaks in clear, or waits for a greeting, where TLS is expected: one line in the port's own protocol. */
  readonly tlsExpected?: Uint8Array | string;
  /** To a browser on a mail port: a whole HTTP response, status 400. */
  readonly http?: Uint8Array | string;
}

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly conversation: Conversation;
  readonly role: 'server' | 'client';
  readonly draining: AbortSignal;
  /** The default deadline of a read, and that of a peer that takes nothing. Milliseconds. */
  readonly idleMs: number;
  readonly tls: ServerTls | ClientTls | undefined;
  /** Looks at the first octets for a mistaken port; undefined does not. */
  readonly wrongPort: WrongPortAnswers | undefined;
  /** The port begins with TLS: what begins as TLS does is not for the ends' view. */
  readonly expectsTls: boolean;
  /** Who may make a handshake fail. */
  readonly interference?: Interference | undefined;
}

/** How many octets may wait unread before the peer is held back, and at how many it may send again. */
const UNREAD_HIGH = 256 * 1024;
const UNREAD_LOW = 64 * 1024;
/** How many octets may wait to be sent before a writer waits. */
const PENDING_LIMIT = 1024 * 1024;
/** From here on, what was gathered leaves without waiting for the turn to end. */
const GATHERED = 64 * 1024;
/** At most this leaves at once, so that a slow peer's progress is seen. */
const PORTION = 256 * 1024;
const HANDSHAKE_MS = 30_000;
/** How long a peer has to take what was left for it, and to close its own side, after this side has ended. */
const LINGER_MS = 5_000;
const LAST_WORDS_MS = 30_000;

const DONE = Promise.resolve();

interface Reader {
  /** Tries to satisfy itself from what has come. */
  attempt(): boolean;
  reject(reason: Error): void;
}

interface Writer {
  /** Satisfied once no more than this waits to be sent. */
  readonly limit: number;
  resolve(): void;
  reject(reason: Error): void;
}

export class SocketConnection implements Connection {
  readonly id: string;
  readonly service: string;
  readonly conversation: Conversation;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly draining: AbortSignal;
  /** Resolves once the socket is closed. */
  readonly closed: Promise<void>;
  #resolveClosed!: () => void;

  readonly #role: 'server' | 'client';
  readonly #idleMs: number;
  readonly #offeredTls: ServerTls | ClientTls | undefined;
  readonly #network: NetworkLayer;
  /** The highest layer: what the two ends say. */
  #top: Layer;
  #tls: TlsInfo | undefined;
  #tlsSocket: TLSSocket | undefined;
  #deflate: DeflateLayer | undefined;
  readonly #wrongPort: WrongPortAnswers | undefined;
  /** Until the first octets have shown what they are. */
  #firstOctets: boolean;
  readonly #startsWithTls: boolean;
  readonly #interference: Interference | undefined;
  /** Undefined: nobody interferes. */
  #shaping: Shaping | undefined;
  /** What has come and is held back. */
  readonly #late: Buffer[] = [];
  #holdsBack = false;

  readonly #unread = new OctetQueue();
  #received = 0;
  #receivedAtFlush = 0;
  #paused = false;
  #reader: Reader | undefined;
  readonly #readDeadline = new Deadline(() => this.#readTimedOut());
  #stream: SocketStream | undefined;

  /** What was gathered to be sent: whole pieces, then text that follows them. */
  #pieces: Buffer[] = [];
  #pieceOctets = 0;
  #text = '';
  #inFlight = 0;
  #flushScheduled = false;
  #writers: Writer[] = [];
  readonly #writeDeadline = new Deadline(() => this.#writeTimedOut());

  #peerEnded = false;
  /** This side sends no more. */
  #ending: Promise<void> | undefined;
  #over = false;
  #timedOut = false;
  #closing: { readonly by: 'peer' | 'us'; readonly how: CloseManner } | undefined;
  #abort: AbortController | undefined;

  constructor(options: ConnectionOptions) {
    const { conversation } = options;
    this.id = conversation.id;
    this.service = conversation.service;
    this.conversation = conversation;
    this.local = conversation.local;
    this.remote = conversation.remote;
    this.draining = options.draining;
    this.#role = options.role;
    this.#idleMs = options.idleMs;
    this.#offeredTls = options.tls;
    this.#wrongPort = options.wrongPort;
    this.#startsWithTls = options.expectsTls;
    this.#interference = options.interference;
    this.#firstOctets = options.wrongPort !== undefined && !options.expectsTls;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#network = new NetworkLayer(options.socket, conversation);
    this.#network.expectsTls = options.expectsTls;
    this.#top = this.#network;
    this.#network.above = this.#above;
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  get secure(): boolean {
    return this.#tls !== undefined;
  }

  /** Made when somebody asks for it: most connections live without. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#over || this.#ending !== undefined) this.#abort.abort(new ConnectionClosed());
    }
    return this.#abort.signal;
  }

  get buffered(): number {
    return this.#unread.length;
  }

  // Reading

  readLine(limit: number, timeoutMs = this.#idleMs): Promise<Line> {
    const line = this.#reader === undefined ? this.#unread.takeLine(limit) : undefined;
    if (line !== undefined) {
      this.#taken();
      return Promise.resolve(line);
    }
    return this.#wait(() => this.#unread.takeLine(limit), timeoutMs);
  }

  read(count: number): Promise<Uint8Array> {
    return this.#wait(() => (this.#unread.length >= count ? this.#unread.take(count) : undefined), this.#idleMs);
  }

  async *readPieces(count: number): AsyncGenerator<Uint8Array> {
    let left = count;
    while (left > 0) {
      const piece = await this.#wait(
        () => (this.#unread.length > 0 ? this.#unread.takePiece(left) : undefined),
        this.#idleMs,
      );
      left -= piece.length;
      yield piece;
    }
  }

  async waitReadable(signal?: AbortSignal, timeoutMs = this.#idleMs): Promise<void> {
    signal?.throwIfAborted();
    if (this.#unread.length > 0) return;
    const readable = this.#wait(() => (this.#unread.length > 0 ? true : undefined), timeoutMs);
    const stop = (): void => this.#rejectReader(signal!.reason as Error);
    signal?.addEventListener('abort', stop);
    try {
      await readable;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** What waits, without taking it. */
  peek(): Uint8Array {
    return this.#unread.peek();
  }

  #wait<T>(take: () => T | undefined, timeoutMs: number): Promise<T> {
    if (this.#reader !== undefined) return rejected(new Error('one read of a connection at a time'));
    const waiting = take();
    if (waiting !== undefined) {
      this.#taken();
      return Promise.resolve(waiting);
    }
    if (this.#over || this.#peerEnded || this.#ending !== undefined) {
      this.#abort?.abort(new ConnectionClosed());
      return rejected(new ConnectionClosed());
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    promise.catch(() => undefined);
    this.#reader = {
      reject,
      attempt: () => {
        const value = take();
        if (value !== undefined) resolve(value);
        return value !== undefined;
      },
    };
    this.#readDeadline.set(timeoutMs);
    this.#resume();
    return promise;
  }

  #rejectReader(reason: Error): void {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#readDeadline.clear();
    reader?.reject(reason);
  }

  #readTimedOut(): void {
    // The last words were not taken, or the peer never closed its side.
    if (this.#ending !== undefined) {
      this.#top.destroy();
      return;
    }
    this.#timedOut = true;
    this.#rejectReader(new TimedOut());
  }

  #taken(): void {
    if (this.#paused && this.#unread.length < UNREAD_LOW) this.#resume();
  }

  #pause(): void {
    this.#paused = true;
    this.#top.pause();
  }

  #resume(): void {
    if (!this.#paused || this.#late.length > 0) return;
    this.#paused = false;
    this.#top.resume();
  }

  // What the highest layer tells

  readonly #above: Above = {
    received: (octets) => this.#arrived(octets),
    ended: () => this.#peerHasEnded(),
    closed: (error) => this.#hasClosed(error),
  };

  /** What the ends say is not what passes the network. */
  get #isLayered(): boolean {
    return this.#top !== this.#network || this.#deflate !== undefined;
  }

  #arrived(octets: Buffer): void {
    if (this.#isLayered) this.conversation.octets('in', 'ends', octets);
    // This side has ended: what still comes is taken, so that the peer reads our last words before any RST, and discarded.
    if (this.#ending !== undefined) return;
    this.#received += octets.length;
    if (this.#shaping === undefined) this.#passOn(octets);
    else {
      this.#late.push(octets);
      this.#passOnLate(this.#shaping);
    }
  }

  #passOn(octets: Buffer): void {
    if (this.#firstOctets) {
      this.#unread.push(octets);
      if (!this.#lookAtFirstOctets()) return;
      if (this.#stream !== undefined) this.#feedStream(this.#unread.take(this.#unread.length));
    } else if (this.#stream !== undefined) this.#feedStream(octets);
    else this.#unread.push(octets);
    this.#wakeReader();
  }

  #passOnLate(shaping: Shaping): void {
    for (let first = this.#late[0]; first !== undefined; first = this.#late[0]) {
      const room = shaping.room('in', first.length);
      if (room === 0) {
        this.#holdsBack = true;
        if (!this.#paused) this.#pause();
        return;
      }
      if (room < first.length) this.#late[0] = first.subarray(room);
      else this.#late.shift();
      // It may be cut by that, and then nothing is left.
      shaping.moved('in', room);
      if (this.#ending === undefined) this.#passOn(first.subarray(0, room));
    }
    if (!this.#holdsBack) return;
    this.#holdsBack = false;
    if (this.#unread.length < UNREAD_LOW) this.#resume();
  }

  /** What was held back waits no longer: what follows is another layer's. */
  #takeLate(): void {
    for (const octets of this.#late.splice(0)) this.#unread.push(octets);
  }

  get #isEnding(): boolean {
    return this.#ending !== undefined;
  }

  #wakeReader(): void {
    if (this.#reader === undefined) {
      if (this.#unread.length > UNREAD_HIGH && !this.#paused) this.#pause();
    } else if (this.#reader.attempt()) {
      this.#reader = undefined;
      this.#readDeadline.clear();
    }
  }

  /** @returns false while nothing may be passed on: more octets are needed, or the client was sent away */
  #lookAtFirstOctets(): boolean {
    const found = firstOctets(this.#unread.peek());
    if (found === 'undecided') return false;
    this.#firstOctets = false;
    if (found === 'tls' && !this.secure) this.explainWrongPort('tls');
    else if (found === 'http' && this.#wrongPort?.http !== undefined) this.explainWrongPort('http');
    return this.#ending === undefined;
  }

  /** Tells the client in its own words what it has mistaken, and ends. What it has sent is not acted on. */
  explainWrongPort(found: 'tls' | 'http' | 'plaintext' | 'silence'): void {
    const answers = this.#wrongPort;
    this.annotate({ type: 'wrong-port', found });
    const answer =
      found === 'tls'
        ? WRONG_PORT_ALERT
        : found === 'http'
          ? (answers?.http ?? answers?.tlsExpected)
          : answers?.tlsExpected;
    if (answer !== undefined) void this.write(answer);
    this.#unread.drop(this.#unread.length);
    void this.end();
  }

  #peerHasEnded(): void {
    this.#peerEnded = true;
    this.#closing ??= { by: 'peer', how: 'fin' };
    this.#stream?.push(null);
    if (this.#reader !== undefined && !this.#reader.attempt()) {
      this.#abort?.abort(new ConnectionClosed());
      this.#rejectReader(new ConnectionClosed());
    }
  }

  #hasClosed(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#readDeadline.stop();
    this.#writeDeadline.stop();
    this.#shaping?.stop();
    const { by, how } = (this.#closing ??= closingBy(error));
    this.conversation.closed(by, how);
    const reason = new ConnectionClosed(error?.message, { cause: error });
    this.#rejectReader(reason);
    for (const writer of this.#writers.splice(0)) writer.reject(reason);
    this.#pieces = [];
    this.#text = '';
    this.#abort?.abort(reason);
    this.#stream?.destroy(error);
    this.#resolveClosed();
  }

  // Writing

  write(octets: Uint8Array | string): Promise<void> {
    if (this.#over || this.#ending !== undefined) return rejected(new ConnectionClosed());
    this.#gather(octets);
    return this.#waiting <= PENDING_LIMIT ? DONE : this.#untilWaiting(PENDING_LIMIT);
  }

  flush(): Promise<void> {
    if (this.#waiting === 0) return DONE;
    if (this.#over) return rejected(new ConnectionClosed());
    return this.#untilWaiting(0);
  }

  /** What waits to be sent; of text, the characters are counted until it becomes octets. */
  get #waiting(): number {
    return this.#pieceOctets + this.#text.length + this.#inFlight;
  }

  #gather(octets: Uint8Array | string): void {
    if (typeof octets === 'string') this.#text += octets;
    else if (octets.length > 0) {
      this.#gatherText();
      this.#pieces.push(
        Buffer.isBuffer(octets) ? octets : Buffer.from(octets.buffer, octets.byteOffset, octets.length),
      );
      this.#pieceOctets += octets.length;
    }
    if (this.#inFlight > 0) return;
    if (this.#pieceOctets + this.#text.length >= GATHERED) this.#send();
    else if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      setImmediate(this.#sendScheduled);
    }
  }

  #gatherText(): void {
    if (this.#text === '') return;
    const octets = Buffer.from(this.#text);
    this.#text = '';
    this.#pieces.push(octets);
    this.#pieceOctets += octets.length;
  }

  readonly #sendScheduled = (): void => {
    this.#flushScheduled = false;
    this.#send();
  };

  /** Hands one portion to the layers, unless one is on its way: then the next follows it. */
  #send(): void {
    if (this.#inFlight > 0 || this.#over) return;
    this.#gatherText();
    if (this.#pieceOctets === 0) return;
    const room =
      this.#shaping === undefined ? PORTION : Math.min(PORTION, this.#shaping.room('out', this.#pieceOctets));
    // It may also have been cut meanwhile.
    if (room === 0 || this.#waitsForNothing) return;
    const portion = this.#portion(room);
    for (const piece of portion) this.#inFlight += piece.length;
    this.#pieceOctets -= this.#inFlight;
    this.#receivedAtFlush = this.#received;
    if (this.#isLayered) for (const piece of portion) this.conversation.octets('out', 'ends', piece);
    this.#top.write(portion, this.#sent);
  }

  get #waitsForNothing(): boolean {
    return this.#pieceOctets === 0;
  }

  #portion(most: number): Buffer[] {
    if (this.#pieceOctets <= most) {
      const all = this.#pieces;
      this.#pieces = [];
      // Many small pieces cost more as pieces than as one copy.
      return all.length > 1 && this.#pieceOctets < all.length * 4096 ? [Buffer.concat(all, this.#pieceOctets)] : all;
    }
    const portion: Buffer[] = [];
    let room = most;
    let used = 0;
    for (; room > 0; used++) {
      const piece = this.#pieces[used]!;
      if (piece.length > room) {
        portion.push(piece.subarray(0, room));
        this.#pieces[used] = piece.subarray(room);
        break;
      }
      portion.push(piece);
      room -= piece.length;
    }
    this.#pieces.splice(0, used);
    return portion;
  }

  readonly #sent = (): void => {
    const octets = this.#inFlight;
    this.#inFlight = 0;
    this.#shaping?.moved('out', octets);
    if (this.#over) return;
    this.#send();
    if (this.#writers.length === 0) return;
    const waiting = this.#waiting;
    const satisfied = this.#writers.filter(({ limit }) => waiting <= limit);
    this.#writers = this.#writers.filter(({ limit }) => waiting > limit);
    // The peer has taken something: its time begins anew.
    if (this.#writers.length > 0) this.#writeDeadline.set(this.#idleMs);
    else this.#writeDeadline.clear();
    for (const writer of satisfied) writer.resolve();
  };

  #untilWaiting(limit: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    promise.catch(() => undefined);
    if (this.#writers.length === 0) this.#writeDeadline.set(this.#idleMs);
    this.#writers.push({ limit, resolve: () => resolve(undefined), reject });
    return promise;
  }

  #writeTimedOut(): void {
    this.#closing ??= { by: 'us', how: 'timeout' };
    const reason = new TimedOut();
    for (const writer of this.#writers.splice(0)) writer.reject(reason);
    this.destroy();
  }

  // TLS

  async startTls(): Promise<TlsInfo> {
    if (this.#tls !== undefined || this.#offeredTls === undefined) throw new Error('TLS cannot start here');
    this.#dropUnread();
    this.#rejectReader(new Error('TLS starts while somebody reads'));
    await this.flush();
    const fault = this.#interference?.handshake(this, undefined);
    if (fault?.delayMs !== undefined) {
      const signal = AbortSignal.any([this.signal, this.draining]);
      // Who leaves meanwhile is found gone below.
      await wait(fault.delayMs, undefined, { signal }).catch(() => undefined);
    }
    const expired = fault?.expired === true ? await (this.#offeredTls as ServerTls).expiredContext?.() : undefined;
    if (fault?.cut?.when === 'before') this.cut(fault.cut.how);
    if (this.#over || this.#isEnding) throw new ConnectionClosed();
    this.conversation.tlsStep({ step: 'start' });
    this.#takeLate();
    const early = this.#unread.take(this.#unread.length);
    this.#resume();
    if (fault?.cut?.when === 'middle') this.#network.cutNext = fault.cut.how;
    const native = !this.conversation.recording && this.#interference === undefined;
    const layer =
      this.#role === 'server'
        ? TlsLayer.server(this.#network, this.#serverTls(expired), early, native)
        : TlsLayer.client(this.#network, this.#offeredTls as ClientTls, native);
    const tooLate = setTimeout(() => {
      this.#closing ??= { by: 'us', how: 'timeout' };
      layer.destroy();
    }, HANDSHAKE_MS);
    try {
      this.#tls = await layer.handshake();
    } catch (error) {
      if (error instanceof TlsFailed) {
        const { code, message, alert } = error;
        this.conversation.tlsStep({ step: 'failed', code, message, alert });
        this.#closing ??= closingBy(error.cause as Error | undefined);
      }
      this.#network.destroy();
      this.#hasClosed(error as Error);
      throw error;
    } finally {
      clearTimeout(tooLate);
    }
    this.#tlsSocket = layer.socket;
    this.conversation.tlsStep({ step: 'end', tls: this.#tls });
    // A browser may have got this far on a port that begins with TLS.
    this.#firstOctets = this.#startsWithTls && this.#wrongPort?.http !== undefined;
    this.#top = layer;
    layer.start(this.#above);
    if (fault?.cut?.when === 'after' || this.#cutAfterHandshake !== undefined) {
      this.cut(this.#cutAfterHandshake ?? fault!.cut!.how);
      throw new ConnectionClosed();
    }
    return this.#tls;
  }

  #cutAfterHandshake: CutManner | undefined;

  /** Chooses the certificate, or one that has expired. */
  #serverTls(expired: SecureContext | undefined): ServerTls {
    const offered = this.#offeredTls as ServerTls;
    const interference = this.#interference;
    if (interference === undefined) return offered;
    return {
      secureContext: (name) => expired ?? offered.secureContext(name),
      sniCallback: (name, callback) => {
        const fault = interference.handshake(this, name);
        if (fault?.cut?.when === 'after') this.#cutAfterHandshake = fault.cut.how;
        else if (fault?.cut) this.#network.cutNext = fault.cut.how;
        const isExpired = expired !== undefined || fault?.expired === true;
        const context = isExpired ? offered.expiredContext?.(name) : undefined;
        if (context === undefined) offered.sniCallback(name, callback);
        else context.then((made) => callback(null, made), callback);
      },
    };
  }

  // Compression

  get compressed(): boolean {
    return this.#deflate !== undefined;
  }

  /** What was written before leaves as it is; what comes from now on is compressed, for the peer may answer before we hear that it has left. */
  async startCompression(): Promise<void> {
    if (this.compressed) throw new Error('Compression has started already');
    this.#network.view = 'network';
    const layer = (this.#deflate = new DeflateLayer(this.#top, this.#above));
    this.#takeLate();
    const early = this.#unread.take(this.#unread.length);
    this.#resume();
    layer.early(early);
    await this.flush();
    if (this.#over || this.#ending !== undefined) throw new ConnectionClosed();
    this.#top = layer;
  }

  async endCompression(): Promise<void> {
    if (this.#deflate === undefined) throw new Error('Nothing is compressed');
    await this.flush();
    // The layer stays, and passes octets on as they are.
    await this.#deflate.finish();
    this.#deflate = undefined;
  }

  /** What came before the permission to start TLS had left was not protected by it and is not acted on. */
  #dropUnread(): void {
    this.#takeLate();
    const consumed = this.#received - this.#unread.length;
    const allBefore = this.#role === 'client' || this.#pieceOctets > 0 || this.#text !== '';
    const before = allBefore ? this.#received : this.#receivedAtFlush;
    let dropped = Math.max(0, before - consumed);
    this.#unread.drop(dropped);
    if (this.#stream !== undefined) {
      dropped += this.#stream.detach();
      this.#stream = undefined;
    }
    if (dropped > 0) this.annotate({ type: 'dropped', octets: dropped });
  }

  channelBinding(): Uint8Array | undefined {
    if (this.#tls?.version !== 'TLSv1.3') return undefined;
    // RFC 9266 §2: this label, a context of no length, 32 octets.
    return this.#tlsSocket?.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  }

  // For those who watch, and for libraries

  annotate(annotation: Annotation): void {
    this.conversation.annotate(annotation);
  }

  unrecord(): void {
    this.conversation.discard();
  }

  duplex(options: { readonly allowHalfOpen?: boolean } = {}): SocketStream {
    if (this.#stream !== undefined) return this.#stream;
    const stream = new SocketStream(
      {
        wanted: () => this.#resume(),
        send: (octets, done) => this.#sendFor(octets, done),
        finish: (done) => void this.end().then(done, done),
        abandon: () => this.#abandoned(),
      },
      {
        remoteAddress: this.remote.address,
        remotePort: this.remote.port,
        localAddress: this.local.address,
        localPort: this.local.port,
        encrypted: this.secure,
        servername: this.#tls?.serverName ?? false,
        cipher: this.#tlsSocket?.getCipher(),
      },
      options.allowHalfOpen ?? false,
    );
    this.#stream = stream;
    if (this.#over) stream.destroy();
    else {
      if (this.#unread.length > 0 && !this.#firstOctets) this.#feedStream(this.#unread.take(this.#unread.length));
      if (this.#peerEnded) stream.push(null);
    }
    return stream;
  }

  #feedStream(octets: Buffer): void {
    if (this.#stream?.deliver(octets) === false) this.#pause();
  }

  #sendFor(octets: Buffer | string, done: () => void): void {
    if (this.#over || this.#ending !== undefined) {
      done();
      return;
    }
    this.#gather(octets);
    if (this.#waiting <= PENDING_LIMIT) done();
    else this.#untilWaiting(PENDING_LIMIT).then(done, done);
  }

  /** The stream was destroyed: by its owner before it had ended, or by Node after it had. */
  #abandoned(): void {
    if (this.#over || this.#stream?.writableFinished === true) return;
    this.#closing ??= { by: 'us', how: 'fin' };
    this.#ending ??= DONE;
    this.#top.destroy();
  }

  // What is done to it on purpose

  slow(octetsPerSecond: number): void {
    this.#shape().slow(octetsPerSecond);
  }

  hold(ms: number): void {
    this.#shape().hold(ms);
  }

  cutAfter(octets: number | 'half', how: CutManner): void {
    this.#shape().cutAfter(octets, how);
  }

  mark(mark: Mark): void {
    this.#shape().mark(mark);
  }

  cut(how: CutManner): void {
    if (this.#over) return;
    this.#pieces = [];
    this.#pieceOctets = 0;
    this.#text = '';
    if (how === 'rst') this.destroy();
    else void this.end();
  }

  #shape(): Shaping {
    this.#shaping ??= new Shaping({
      send: () => this.#send(),
      read: () => this.#passOnLate(this.#shape()),
      cut: (how) => this.cut(how),
    });
    return this.#shaping;
  }

  // The end

  end(): Promise<void> {
    if (this.#ending === undefined) {
      // Whoever is told of the end below may call this again.
      this.#ending = DONE;
      this.#ending = this.#sayLastWords();
    }
    return this.#ending;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  async #sayLastWords(): Promise<void> {
    if (this.#over) return;
    this.#closing ??= { by: 'us', how: this.#timedOut ? 'timeout' : 'fin' };
    this.#abort?.abort(new ConnectionClosed());
    this.#rejectReader(new ConnectionClosed());
    this.#unread.drop(this.#unread.length);
    this.#late.length = 0;
    this.#resume();
    this.#readDeadline.set(LAST_WORDS_MS);
    try {
      await this.flush();
    } catch {
      return; // It closed meanwhile.
    }
    this.#top.end();
    this.#readDeadline.set(LINGER_MS);
  }

  destroy(): void {
    if (this.#over) return;
    this.#closing ??= { by: 'us', how: 'reset' };
    this.#ending ??= DONE;
    this.#network.reset();
  }
}

function rejected(reason: Error): Promise<never> {
  const promise = Promise.reject(reason);
  // A session that does not await its last write is not to end the process.
  promise.catch(() => undefined);
  return promise;
}

function closingBy(error: Error | undefined): { readonly by: 'peer' | 'us'; readonly how: CloseManner } {
  if (error === undefined) return { by: 'us', how: 'fin' };
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNRESET' || code === 'EPIPE') return { by: 'peer', how: 'reset' };
  return { by: 'peer', how: code === 'ETIMEDOUT' ? 'timeout' : 'error' };
}
