/** A dialogue with one of our own ports: lines out, lines and counted octets in. What was said is kept as it was. */
import type { Socket } from 'node:net';
import { HttpProblem } from './problem.ts';

const PATIENCE_MS = 15_000;

export class OwnDialogue implements Disposable {
  readonly #socket: Socket;
  readonly #name: string;
  #waiting: Buffer[] = [];
  #length = 0;
  #ended = false;
  #wake: () => void = () => undefined;
  readonly #timer: NodeJS.Timeout;

  /** @param socket is ended with this */
  constructor(socket: Socket, name: string) {
    this.#socket = socket;
    this.#name = name;
    const ended = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('data', (octets: Buffer) => {
      this.#waiting.push(octets);
      this.#length += octets.length;
      this.#wake();
    });
    socket.on('error', ended).on('close', ended).on('end', ended);
    this.#timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
  }

  /** Once the server has said something: then its side of the connection is recorded. @throws HttpProblem 502 */
  async begun(): Promise<void> {
    while (this.#length === 0) await this.#more();
  }

  /** Without its CR LF. */
  send(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }

  /** The next line with its CR LF. @throws HttpProblem 502 when there is none */
  async line(): Promise<Buffer> {
    for (;;) {
      const octets = this.#joined();
      const end = octets.indexOf('\r\n');
      if (end !== -1) return this.#take(end + 2);
      await this.#more();
    }
  }

  /** @throws HttpProblem 502 when there are fewer */
  async octets(count: number): Promise<Buffer> {
    while (this.#length < count) await this.#more();
    return this.#take(count);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  #joined(): Buffer {
    const octets = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
    this.#waiting = [octets];
    return octets;
  }

  #take(count: number): Buffer {
    const octets = this.#joined();
    this.#waiting = [octets.subarray(count)];
    this.#length -= count;
    return octets.subarray(0, count);
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new HttpProblem(502, `the ${this.#name} port of this server ended the connection`);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#wake = () => resolve(undefined);
    await promise;
  }
}
