/**
 * The layers of a connection: the network at the bottom, TLS over it where it was agreed on, later compression over that.
 * Each passes octets up to the one above it and takes octets from it.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket, connect as connectTls } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { HANDSHAKE } from './first-octets.ts';
import { certificateFacts, type CertificateFacts } from './certificate-facts.ts';
import type { TlsInfo } from './connection.ts';
import type { Conversation, View } from './recorder.ts';
import type { CutManner } from './shaping.ts';

/** What a layer tells the one above it. */
export interface Above {
  received(octets: Buffer): void;
  /** The peer sends no more. */
  ended(): void;
  /** Nothing passes any more, in either direction; nothing is told after that. */
  closed(error: Error | undefined): void;
}

export interface Layer {
  /** Who is told; assigned by the layer (or the connection) that is put on top. */
  above: Above;
  /** `done` is called once the octets have left, or never will. */
  write(octets: readonly Buffer[], done: () => void): void;
  pause(): void;
  resume(): void;
  /** Sends no more; what was written before still leaves. */
  end(): void;
  destroy(): void;
}

const NOBODY: Above = {
  received: () => undefined,
  ended: () => undefined,
  closed: () => undefined,
};

/**
 * The socket. All that passes the network passes here, each way once: it is recorded here. What shapes a connection
 * counts what the ends say, and stands above (`shaping.ts`); but a handshake is cut here.
 */
export class NetworkLayer implements Layer {
  above: Above = NOBODY;
  readonly socket: Socket;
  readonly #conversation: Conversation;
  /** `both` until a layer above tells the ends' octets apart from the network's. */
  view: View = 'both';
  /** On a port that begins with TLS: what begins as a TLS record does is the network's alone, anything else is a mistake in clear. */
  expectsTls = false;
  /** When the first octet came after TLS was put on top: `performance.now()`. */
  handshakeAt: number | undefined;
  /** TLS that has taken the socket over: it is ended in its place, for a socket that is reset beneath it may crash Node. */
  #owner: TLSSocket | undefined;
  #isReleased = false;
  /** Half of what is written next leaves, and nothing after it. */
  cutNext: CutManner | undefined;
  #error: Error | undefined;

  constructor(socket: Socket, conversation: Conversation) {
    this.socket = socket;
    this.#conversation = conversation;
    socket.on('data', this.#arrived);
    socket.on('end', this.#ended);
    // Without this listener a peer's RST would be an uncaught exception. The close that follows tells the news.
    socket.on('error', (error: Error) => (this.#error ??= error));
    socket.on('close', this.#closed);
  }

  readonly #arrived = (octets: Buffer): void => {
    if (this.expectsTls && octets[0] === HANDSHAKE) this.view = 'network';
    this.#conversation.octets('in', this.view, octets);
    this.above.received(octets);
  };

  readonly #ended = (): void => this.above.ended();

  readonly #closed = (): void => this.above.closed(this.#error);

  write(octets: readonly Buffer[], done: () => void): void {
    if (this.cutNext !== undefined) {
      this.#cut(octets[0]!, this.cutNext);
      return;
    }
    for (const piece of octets) this.#conversation.octets('out', this.view, piece);
    writeAll(this.socket, octets, done);
  }

  #cut(octets: Buffer, how: CutManner): void {
    const half = octets.subarray(0, Math.floor(octets.length / 2));
    this.#conversation.octets('out', this.view, half);
    this.socket.write(half, () => {
      if (how === 'rst') this.reset();
      else this.socket.end(() => this.destroy());
    });
  }

  get recording(): boolean {
    return this.#conversation.recording;
  }

  /** A line of the key log of the TLS over this layer. */
  keyLogged(line: Buffer): void {
    this.#conversation.tlsKey(line.toString('latin1').trimEnd());
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    (this.#owner ?? this.socket).destroy();
  }

  /** Ends with RST where the system permits it. */
  reset(): void {
    if (this.#owner !== undefined) {
      this.#owner.destroy();
      return;
    }
    if (this.socket.destroyed) return;
    try {
      this.socket.resetAndDestroy();
    } catch {
      this.socket.destroy();
    }
  }

  /** The bare socket, for TLS without a recording: Node then passes octets between the two without JavaScript. */
  release(): Socket {
    this.#isReleased = true;
    this.socket.off('data', this.#arrived).off('end', this.#ended).off('close', this.#closed);
    return this.socket;
  }

  /** The TLS over this layer. */
  carries(socket: TLSSocket): void {
    if (this.#isReleased) this.#owner = socket;
  }

  /** This layer as a stream, for Node's TLS. */
  stream(): Duplex {
    const stream = new Duplex({
      allowHalfOpen: true,
      read: () => this.resume(),
      write: (octets: Buffer, _encoding, done) => this.write([octets], done),
      writev: (chunks, done) =>
        this.write(
          chunks.map(({ chunk }: { chunk: Buffer }) => chunk),
          done,
        ),
      final: (done) => {
        this.socket.end(() => done());
      },
      destroy: (error, done) => {
        this.destroy();
        done(error);
      },
    });
    // The layer above hears of it as an error of TLS.
    stream.on('error', () => undefined);
    this.above = {
      received: (octets) => {
        this.handshakeAt ??= performance.now();
        if (!stream.push(octets)) this.pause();
      },
      ended: () => stream.push(null),
      closed: (error) => stream.destroy(error),
    };
    return stream;
  }
}

/** An IPv4 peer of a dual-stack listener appears as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2): given as IPv4. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/** One write for all, so that they leave together. */
function writeAll(stream: Duplex, octets: readonly Buffer[], done: () => void): void {
  const last = octets.length - 1;
  if (last === 0) {
    stream.write(octets[0], done);
    return;
  }
  stream.cork();
  octets.forEach((piece, i) => (i === last ? stream.write(piece, done) : stream.write(piece)));
  stream.uncork();
}

/** Chooses the certificate. `sniCallback` answers with the default one where it has nothing better (RFC 6066 §3). */
export interface ServerTls {
  secureContext(serverName?: string): SecureContext;
  readonly sniCallback: (serverName: string, callback: (error: Error | null, context?: SecureContext) => void) => void;
  /** A context whose certificate has expired; undefined: there is none to be had. */
  expiredContext?(serverName?: string): Promise<SecureContext>;
}

export interface ClientTls {
  /** The name that the certificate must carry. */
  readonly serverName: string;
  readonly secureContext?: SecureContext;
  /** False connects whatever the certificate says: for opportunistic TLS between mail hosts (RFC 7435). */
  readonly verify: boolean;
}

/** The handshake failed. `code` as Node names it, `alert` the number of the peer's alert, if it sent one. */
export class TlsFailed extends Error {
  override readonly name = 'TlsFailed';
  readonly code: string;
  readonly alert: number | undefined;

  constructor(cause: Error | undefined) {
    super(cause?.message ?? 'the peer left during the TLS handshake', { cause });
    this.code = (cause as NodeJS.ErrnoException | undefined)?.code ?? 'ECONNRESET';
    const alert = /SSL alert number (\d+)/.exec(this.message)?.[1];
    this.alert = alert === undefined ? undefined : Number(alert);
  }
}

/** @param early what the peer has sent already, the start of its handshake */
function carrier(below: NetworkLayer, early: Buffer, native: boolean): Duplex {
  below.expectsTls = false;
  // Without a recording it is not seen when the first octet comes: counted from here.
  if (native || early.length > 0) below.handshakeAt = performance.now();
  below.view = 'network';
  if (native) {
    below.pause();
    const socket = below.release();
    if (early.length > 0) socket.unshift(early);
    return socket;
  }
  const stream = below.stream();
  if (early.length > 0) stream.push(early);
  return stream;
}

/** TLS over the layer below. It passes octets up once `handshake` has resolved. */
export class TlsLayer implements Layer {
  above: Above = NOBODY;
  readonly socket: TLSSocket;
  #error: Error | undefined;

  readonly #below: NetworkLayer;
  readonly #isServer: boolean;

  private constructor(socket: TLSSocket, below: NetworkLayer, isServer: boolean) {
    this.socket = socket;
    this.#below = below;
    this.#isServer = isServer;
    below.carries(socket);
    socket.on('error', (error: Error) => (this.#error ??= error));
    socket.on('_tlsError', (error: Error) => (this.#error ??= error));
    if (below.recording) socket.on('keylog', (line: Buffer) => below.keyLogged(line));
  }

  static server(below: NetworkLayer, tls: ServerTls, early: Buffer, native: boolean): TlsLayer {
    return new TlsLayer(
      new TLSSocket(carrier(below, early, native), {
        isServer: true,
        secureContext: tls.secureContext(),
        SNICallback: tls.sniCallback,
        requestCert: false,
      }),
      below,
      true,
    );
  }

  static client(below: NetworkLayer, tls: ClientTls, native: boolean): TlsLayer {
    return new TlsLayer(
      connectTls({
        socket: carrier(below, Buffer.alloc(0), native),
        // An IP literal is no server name: RFC 6066 §3.
        ...(/^[\d.]+$|:/.test(tls.serverName) ? { host: tls.serverName } : { servername: tls.serverName }),
        ...(tls.secureContext && { secureContext: tls.secureContext }),
        rejectUnauthorized: tls.verify,
      }),
      below,
      false,
    );
  }

  /** What was agreed on. For a client, the time begins with the server's first octet. @throws TlsFailed */
  async handshake(): Promise<TlsInfo> {
    const { socket } = this;
    const startedAt = performance.now();
    await new Promise<void>((resolve, reject) => {
      const close = (): void => reject(new TlsFailed(this.#error));
      // A FIN in the middle of a handshake would leave it waiting.
      const ended = (): unknown => socket.destroy();
      socket.once('close', close);
      socket.once('end', ended);
      // A client's 'secure' comes before the certificate was judged, 'secureConnect' after; a server has only the former.
      socket.once(this.#isServer ? 'secure' : 'secureConnect', () => {
        socket.off('close', close).off('end', ended);
        resolve();
      });
    });
    const handshakeMs = performance.now() - (this.#below.handshakeAt ?? startedAt);
    const cipher = socket.getCipher();
    const certificate = this.#below.recording ? this.#certificate() : undefined;
    return {
      version: socket.getProtocol() ?? cipher.version,
      cipher: cipher.standardName,
      serverName: typeof socket.servername === 'string' && socket.servername !== '' ? socket.servername : undefined,
      handshakeMs,
      ...(certificate !== undefined && { certificate }),
      ...(typeof socket.alpnProtocol === 'string' && { alpn: socket.alpnProtocol }),
    };
  }

  /** The server's, whichever side this is. */
  #certificate(): CertificateFacts | undefined {
    const found = this.#isServer ? this.socket.getX509Certificate() : this.socket.getPeerX509Certificate();
    return found && certificateFacts(found);
  }

  /** Puts the connection on top: octets flow from here on. */
  start(above: Above): void {
    this.above = above;
    this.socket.on('data', (octets: Buffer) => this.above.received(octets));
    this.socket.on('end', () => this.above.ended());
    this.socket.on('close', () => this.above.closed(this.#error));
    // Both may have come in the turn in which the handshake ended, to nobody: a client may leave with its last octets of it.
    if (this.socket.readableEnded) this.above.ended();
    if (this.socket.closed) this.above.closed(this.#error);
  }

  write(octets: readonly Buffer[], done: () => void): void {
    writeAll(this.socket, octets, done);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
