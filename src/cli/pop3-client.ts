/**
 * A POP3 client of a few commands, for proving that the server works: RFC 1939, and RFC 2595 for STLS.
 * It shares nothing with the server's side, so that they do not share mistakes.
 */
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Pop3ClientOptions {
  readonly host: string;
  readonly port: number;
  /** `implicit`: from the first octet. `stls`: after the greeting. */
  readonly tls: 'implicit' | 'stls' | 'none';
  /** PEM certificates to trust beside the usual ones. */
  readonly ca?: Buffer | undefined;
  readonly timeoutMs: number;
}

/** The server said -ERR, or nothing that is POP3. */
export class Pop3Error extends Error {
  override readonly name = 'Pop3Error';
}

export class Pop3Client implements AsyncDisposable {
  #socket: Socket;
  readonly #options: Pop3ClientOptions;
  #octets: Buffer = Buffer.alloc(0);
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket, options: Pop3ClientOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#listen();
  }

  /** Connected, greeted and under TLS as asked. @throws Pop3Error, or what the system says */
  static async connect(options: Pop3ClientOptions): Promise<Pop3Client> {
    const { host, port, tls } = options;
    const socket = connectTcp({ host, port });
    socket.setTimeout(options.timeoutMs, () => socket.destroy(new Pop3Error('The server is silent')));
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const client = new Pop3Client(socket, options);
    if (tls === 'implicit') await client.#startTls();
    await client.#status('the greeting');
    if (tls === 'stls') {
      await client.command('STLS');
      await client.#startTls();
    }
    return client;
  }

  async login(user: string, password: string): Promise<void> {
    await this.command(`USER ${user}`);
    await this.command(`PASS ${password}`, 'PASS');
  }

  /** Message numbers and their unique ids. */
  async uidl(): Promise<ReadonlyMap<number, string>> {
    await this.command('UIDL');
    const lines = (await this.#multiLine()).toString('latin1').split('\r\n').filter(Boolean);
    return new Map(lines.map((line) => [Number(line.split(' ')[0]), line.split(' ')[1] ?? '']));
  }

  /** Message numbers and their octets. */
  async list(): Promise<ReadonlyMap<number, number>> {
    await this.command('LIST');
    const lines = (await this.#multiLine()).toString('latin1').split('\r\n').filter(Boolean);
    return new Map(lines.map((line) => [Number(line.split(' ')[0]), Number(line.split(' ')[1])]));
  }

  async retrieve(number: number): Promise<Buffer> {
    await this.command(`RETR ${number}`);
    return this.#multiLine();
  }

  async top(number: number, lines: number): Promise<Buffer> {
    await this.command(`TOP ${number} ${lines}`);
    return this.#multiLine();
  }

  async delete(number: number): Promise<void> {
    await this.command(`DELE ${number}`);
  }

  async quit(): Promise<void> {
    await this.command('QUIT');
    this.#socket.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  /** @param shown what an error names instead of the line @returns the text after +OK */
  async command(line: string, shown = line): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return this.#status(shown);
  }

  async #status(to: string): Promise<string> {
    const line = (await this.#line()).toString('utf8');
    if (line.startsWith('+OK')) return line.slice(4);
    throw new Pop3Error(line.startsWith('-ERR') ? `${to}: ${line.slice(5)}` : `${to}: no POP3 response: ${line}`);
  }

  /** RFC 1939 §3: up to the line that is a full stop alone; of others the first full stop goes. */
  async #multiLine(): Promise<Buffer> {
    const lines: Buffer[] = [];
    for (;;) {
      const line = await this.#line();
      if (line.length === 1 && line[0] === 0x2e) return Buffer.concat(lines);
      lines.push(line[0] === 0x2e ? line.subarray(1) : line, Buffer.from('\r\n'));
    }
  }

  async #line(): Promise<Buffer> {
    let searched = 0;
    for (;;) {
      const end = this.#octets.indexOf('\r\n', searched);
      if (end !== -1) {
        const line = this.#octets.subarray(0, end);
        this.#octets = this.#octets.subarray(end + 2);
        return line;
      }
      if (this.#failure !== undefined) throw this.#failure;
      searched = Math.max(0, this.#octets.length - 1);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #listen(): void {
    this.#socket.on('data', (octets: Buffer) => {
      this.#octets = this.#octets.length === 0 ? octets : Buffer.concat([this.#octets, octets]);
      this.#wake();
    });
    const over = (error?: Error): void => {
      this.#failure ??= error ?? new Pop3Error('The server closed the connection');
      this.#wake();
    };
    this.#socket
      .on('error', over)
      .on('end', () => over())
      .on('close', () => over());
  }

  async #startTls(): Promise<void> {
    const { host, ca, timeoutMs } = this.#options;
    this.#socket.removeAllListeners();
    const plain = this.#socket;
    const secure = connectTls({
      socket: plain,
      ...(ca !== undefined && { ca }),
      host,
      // A name, not an address, can be asked for (RFC 6066 §3); addresses are checked all the same.
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    });
    secure.setTimeout(timeoutMs, () => secure.destroy(new Pop3Error('The server is silent')));
    await new Promise<void>((resolve, reject) => {
      plain.once('error', reject);
      secure.once('secureConnect', resolve).once('error', reject);
      secure.once('close', () => reject(new Pop3Error('The server closed the connection in the TLS handshake')));
    });
    this.#socket = secure;
    this.#listen();
  }
}
