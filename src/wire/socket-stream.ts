import { Duplex } from 'node:stream';
import type { CipherNameAndProtocol } from 'node:tls';
import { Deadline } from './deadline.ts';

/** What the stream needs of its connection. */
export interface StreamCarrier {
  /** Something may be pushed again. */
  wanted(): void;
  /** Takes octets or text; `done` is called once more may come. */
  send(octets: Buffer | string, done: () => void): void;
  /** Sends FIN after what waits; `done` is called once it has left. */
  finish(done: () => void): void;
  abandon(): void;
}

export interface StreamAddresses {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly encrypted: boolean;
  readonly servername: string | false;
  readonly cipher: CipherNameAndProtocol | undefined;
}

/**
 * A connection's octets as a Node stream, for libraries that want a socket: smtp-server, Node's HTTP server, ws.
 * It extends Duplex, against the rule of having no inheritance, because they read a socket's own properties from it.
 */
export class SocketStream extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly remoteFamily: 'IPv4' | 'IPv6';
  readonly localAddress: string;
  readonly localPort: number;
  readonly encrypted: boolean;
  readonly servername: string | false;
  /** As `net.Socket` has it: milliseconds, 0 without a time-out. */
  timeout = 0;
  readonly #cipher: CipherNameAndProtocol | undefined;
  /** Undefined once the connection has gone on without this stream, after STARTTLS. */
  #carrier: StreamCarrier | undefined;
  readonly #idle = new Deadline(() => this.#looked());
  #active = 0;

  constructor(carrier: StreamCarrier, addresses: StreamAddresses, allowHalfOpen: boolean) {
    super({ allowHalfOpen, decodeStrings: false });
    this.#carrier = carrier;
    this.remoteAddress = addresses.remoteAddress;
    this.remotePort = addresses.remotePort;
    this.remoteFamily = addresses.remoteAddress.includes(':') ? 'IPv6' : 'IPv4';
    this.localAddress = addresses.localAddress;
    this.localPort = addresses.localPort;
    this.encrypted = addresses.encrypted;
    this.servername = addresses.servername;
    this.#cipher = addresses.cipher;
    // A peer that is gone is news for whoever listens, and for nobody an uncaught exception.
    this.on('error', () => undefined);
  }

  /** Open as long as it takes octets: smtp-server says nothing to a peer that has ended its side but waits for replies. */
  get readyState(): 'open' | 'readOnly' | 'closed' {
    if (this.destroyed || this.#carrier === undefined) return 'closed';
    if (this.writable) return 'open';
    return this.readable ? 'readOnly' : 'closed';
  }

  readonly connecting = false;

  getCipher(): CipherNameAndProtocol | undefined {
    return this.#cipher;
  }

  /** As `net.Socket` has it: 'timeout' is emitted after `ms` without traffic; 0 ends that. */
  setTimeout(ms: number, listener?: () => void): this {
    this.timeout = ms;
    this.#active = performance.now();
    if (ms > 0) this.#idle.set(ms);
    else this.#idle.clear();
    if (listener !== undefined) {
      if (ms > 0) this.once('timeout', listener);
      else this.removeListener('timeout', listener);
    }
    return this;
  }

  /** The connection has it set. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  address(): { address: string; port: number; family: string } {
    return { address: this.localAddress, port: this.localPort, family: this.remoteFamily };
  }

  /** For the connection: octets came. @returns false when it has enough for now */
  deliver(octets: Buffer): boolean {
    this.#active = this.timeout === 0 ? 0 : performance.now();
    return this.push(octets);
  }

  /** For the connection, which goes on without this stream. @returns how many octets nobody read */
  detach(): number {
    this.#carrier = undefined;
    this.#idle.stop();
    const unread = this.readableLength;
    this.removeAllListeners('data');
    this.pause();
    return unread;
  }

  override _read(): void {
    this.#carrier?.wanted();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#active = this.timeout === 0 ? 0 : performance.now();
    if (this.#carrier === undefined) {
      done();
      return;
    }
    const utf8 = typeof chunk !== 'string' || encoding === 'utf8' || encoding === 'utf-8';
    this.#carrier.send(utf8 ? chunk : Buffer.from(chunk, encoding), done);
  }

  override _final(done: (error?: Error) => void): void {
    if (this.#carrier === undefined) done();
    else this.#carrier.finish(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#idle.stop();
    this.#carrier?.abandon();
    done(error);
  }

  #looked(): void {
    if (this.timeout === 0) return;
    const silent = performance.now() - this.#active;
    if (silent >= this.timeout) this.emit('timeout');
    else this.#idle.set(this.timeout - silent);
  }
}
