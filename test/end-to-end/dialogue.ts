/** A client of octets, whatever the protocol: sends what it is told as fast as it is taken, keeps little of what comes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';

/** Of what was not asked for, so much is kept, in octets. */
const KEPT = 64 * 1024;

export class Dialogue implements Disposable {
  readonly #network: Socket;
  /** What is spoken over: the network's, or TLS over it. */
  #socket: Socket;
  #text = '';
  #ended = false;
  #news = Promise.withResolvers<undefined>();
  /** Octets that came. */
  received = 0;

  private constructor(socket: Socket) {
    this.#network = this.#socket = this.#listen(socket);
  }

  static async open(port: number, tls: 'tls' | 'clear' = 'clear'): Promise<Dialogue> {
    const address = { port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true };
    const socket = tls === 'tls' ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
    const dialogue = new Dialogue(socket);
    await Promise.race([once(socket, tls === 'tls' ? 'secureConnect' : 'connect'), once(socket, 'close')]);
    return dialogue;
  }

  #listen(socket: Socket): Socket {
    const end = (): void => {
      this.#ended = true;
      this.#tell();
    };
    socket.on('data', (octets: Buffer) => {
      this.received += octets.length;
      this.#text = (this.#text + octets.toString('latin1')).slice(-KEPT);
      this.#tell();
    });
    return socket.on('error', end).on('end', end).on('close', end);
  }

  #tell(): void {
    this.#news.resolve(undefined);
    this.#news = Promise.withResolvers<undefined>();
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  send(octets: string | Uint8Array): void {
    this.#socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
  }

  /** Sends piece after piece, each when the one before has left; ends early when the server has ended the connection. */
  async sendAll(pieces: Iterable<string | Uint8Array>): Promise<void> {
    for (const piece of pieces) {
      if (this.#ended || this.#socket.destroyed) return;
      const octets = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
      if (this.#socket.write(octets)) continue;
      const left = new AbortController();
      const { signal } = left;
      const leaves = [once(this.#socket, 'drain', { signal }), once(this.#socket, 'close', { signal })];
      for (const leaving of leaves) leaving.catch(() => undefined);
      await Promise.race(leaves).catch(() => undefined);
      left.abort();
    }
  }

  /**
   * Takes what comes up to the first match. @returns what came up to there, as far as it was kept
   * @throws when the server ends the connection before
   */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#text);
      if (found) {
        const end = found.index + found[0].length;
        const before = this.#text.slice(0, end);
        this.#text = this.#text.slice(end);
        return before;
      }
      if (this.#ended) throw new Error(`the connection ended before ${String(pattern)}: ${JSON.stringify(this.#text)}`);
      await this.#news.promise;
    }
  }

  /** Sends a line and takes what comes up to the match. */
  ask(line: string, pattern: RegExp): Promise<string> {
    this.send(`${line}\r\n`);
    return this.until(pattern);
  }

  /** Resolves when the server has said all; with the last of it that nobody took. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#news.promise;
    return this.#text;
  }

  stopReading(): void {
    this.#socket.pause();
  }

  /** TLS from here on. @throws when the handshake fails */
  async startTls(): Promise<void> {
    this.#network.removeAllListeners().on('error', () => undefined);
    this.#text = '';
    const socket = connectTls({ socket: this.#network, rejectUnauthorized: false });
    this.#socket = this.#listen(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve).once('close', () => reject(new Error('the handshake failed')));
    });
  }

  /** Says FIN and goes on listening. */
  finish(): void {
    this.#socket.end();
  }

  /** Leaves without a word; with RST, unless there is TLS: Node does not survive that a socket is reset beneath it. */
  reset(): void {
    if (this.#socket === this.#network && !(this.#socket instanceof TLSSocket)) this.#network.resetAndDestroy();
    else this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
