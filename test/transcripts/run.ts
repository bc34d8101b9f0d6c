/** Runs transcripts (see `read.ts` for what they look like) against a server, as its clients. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib';
import type { DeliveryStep, Step, Transcript } from './read.ts';

/** What a transcript needs of the server under test. */
export interface TranscriptServer {
  /** Where a service accepts on 127.0.0.1. */
  port(service: string): number;
  createMailbox(account: string, name: string): Promise<void>;
  deliver(delivery: DeliveryStep, octets: Uint8Array): Promise<void>;
}

/** How long a line may let us wait: longer than a busy machine needs, and shorter than a test may take. */
const PATIENCE_MS = 10_000;
const PASSWORD = 'glass';
const CRLF = Buffer.from('\r\n');

/** @throws Error that names the file and line, what was expected there, and what came */
export async function runTranscript(
  transcript: Transcript,
  server: TranscriptServer,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  for (const { account, name } of transcript.mailboxes) await server.createMailbox(account, name);
  const run = new Run(transcript, server, patienceMs);
  try {
    for (const step of transcript.steps) await run.step(step);
    await run.finish();
  } finally {
    run.destroy();
  }
}

class Run {
  readonly #transcript: Transcript;
  readonly #server: TranscriptServer;
  readonly #patienceMs: number;
  readonly #clients = new Map<number, Client>();
  /** What the names in braces stand for. */
  readonly #values = new Map<string, string>();

  constructor(transcript: Transcript, server: TranscriptServer, patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#transcript = transcript;
    this.#server = server;
  }

  async step(step: Step): Promise<void> {
    try {
      switch (step.type) {
        case 'deliver':
          await this.#server.deliver(step, this.#message(step.message));
          break;
        case 'send':
          await this.#send(await this.#client(step.client), step.text);
          break;
        case 'expect':
          await this.#expect(await this.#client(step.client), step.text);
          break;
        case 'expect-any':
          await this.#expectAny(await this.#client(step.client), step.texts);
      }
    } catch (error) {
      throw new Error(`${this.#transcript.file}:${step.line}: ${reason(error)}`, { cause: error });
    }
  }

  /** Every client leaves; what the server had said by then, beyond what was expected, comes out now. */
  async finish(): Promise<void> {
    for (const [number, client] of this.#clients) {
      const left = await client.leave();
      if (left.length === 0) continue;
      throw new Error(`${this.#transcript.file}: client ${number} received more than the transcript says: ${show(left)}`);
    }
  }

  destroy(): void {
    for (const client of this.#clients.values()) client.destroy();
  }

  async #client(number: number): Promise<Client> {
    const known = this.#clients.get(number);
    if (known !== undefined) return known;
    const service = this.#transcript.service(number);
    const client = await Client.open(service, this.#server.port(service), this.#patienceMs);
    this.#clients.set(number, client);
    const login = this.#transcript.login(number);
    if (login !== undefined) await logIn(client, service, login);
    return client;
  }

  async #send(client: Client, text: string): Promise<void> {
    if (text === '<close>') client.close();
    else if (text === '<tls>') await client.startTls();
    else if (text === '<deflate>') client.startDeflate();
    else if (text === '<inflated>') await client.endDeflate();
    else {
      const message = this.#wholeMessage(text);
      client.send(message ?? Buffer.from(`${this.#filled(text)}\r\n`));
    }
  }

  async #expect(client: Client, text: string): Promise<void> {
    if (text === '<closed>') {
      const left = await client.untilClosed();
      if (left.length > 0) throw new Error(`expected the end of the connection, received ${show(left)}`);
      return;
    }
    const message = this.#wholeMessage(text);
    if (message !== undefined) {
      const octets = await client.read(message.length, `the ${message.length} octets of ${text}`);
      if (!octets.equals(message)) throw new Error(`expected ${show(message)}\nreceived ${show(octets)}`);
      return;
    }
    if (text === '...') {
      client.passesOver = true;
      return;
    }
    let line = await client.line(text);
    while (client.passesOver && !this.#matches(text, line)) line = await client.line(text);
    client.passesOver = false;
    if (!this.#matches(text, line)) throw new Error(`expected ${text}\nreceived ${line}`);
  }

  async #expectAny(client: Client, texts: readonly string[]): Promise<void> {
    const left = [...texts];
    while (left.length > 0) {
      const line = await client.line(left.join(' or '));
      const index = left.findIndex((text) => this.#matches(text, line));
      if (index === -1) throw new Error(`expected one of\n${left.join('\n')}\nreceived ${line}`);
      left.splice(index, 1);
    }
  }

  #matches(text: string, line: string): boolean {
    const found = this.#pattern(text).exec(line);
    if (found === null) return false;
    for (const [name, value] of Object.entries(found.groups ?? {})) this.#values.set(name, value);
    return true;
  }

  /** Names in braces that have no value yet become groups; within a line, too, they must recur. */
  #pattern(text: string): RegExp {
    const seen = new Set<string>();
    const parts = this.#sized(text).split(/(\{[a-z][A-Za-z0-9]*\}|\{\.\.\.\})/);
    const source = parts.map((part, i) => {
      if (i % 2 === 0) return escaped(part);
      const name = part.slice(1, -1);
      if (name === '...') return '.+?';
      const value = this.#values.get(name);
      if (value !== undefined) return escaped(value);
      if (seen.has(name)) return `\\k<${name}>`;
      seen.add(name);
      return `(?<${name}>.+?)`;
    });
    return new RegExp(`^${source.join('')}$`, 'su');
  }

  #filled(text: string): string {
    return this.#sized(text).replace(/\{([a-z][A-Za-z0-9]*)\}/g, (_, name: string) => {
      const value = this.#values.get(name);
      if (value === undefined) throw new Error(`{${name}} has not been received yet`);
      return value;
    });
  }

  #sized(text: string): string {
    return text.replace(/\|([\w-]+)\|/g, (whole, name: string) => {
      const message = this.#transcript.messages.get(name);
      return message === undefined ? whole : String(message.length);
    });
  }

  #wholeMessage(text: string): Buffer | undefined {
    const name = /^<([\w-]+)>$/.exec(text)?.[1];
    return name === undefined ? undefined : this.#message(name);
  }

  #message(name: string): Buffer {
    const message = this.#transcript.messages.get(name);
    if (message === undefined) throw new Error(`there is no message block ${name}`);
    return message;
  }
}

/** One connection to the server. */
class Client {
  /** Lines that nobody expected are no error until one is expected that comes. */
  passesOver = false;
  #socket: Socket;
  readonly #patienceMs: number;
  #octets = Buffer.alloc(0);
  #deflate: DeflateRaw | undefined;
  #inflate: InflateRaw | undefined;
  #fed: Buffer[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket, patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#socket = socket;
    this.#listen();
  }

  static async open(service: string, port: number, patienceMs: number): Promise<Client> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    const client = new Client(socket, patienceMs);
    if (/^(imaps|pop3s|submissions|https)$/.test(service)) await client.startTls();
    return client;
  }

  #listen(): void {
    this.#socket.on('data', (octets: Buffer) => {
      if (this.#inflate === undefined) this.#received(octets);
      else {
        this.#fed.push(octets);
        this.#inflate.write(octets);
      }
    });
    const ended = (): void => {
      if (this.#inflate !== undefined) {
        if (!this.#inflate.writableEnded) this.#inflate.on('end', ended).end();
        return;
      }
      this.#ended = true;
      this.#wake();
    };
    this.#socket.on('end', ended).on('close', ended).on('error', ended);
  }

  readonly #received = (octets: Buffer): void => {
    this.#octets = Buffer.concat([this.#octets, octets]);
    this.#wake();
  };

  async startTls(): Promise<void> {
    if (this.#octets.length > 0) throw new Error(`received ${show(this.#octets)} before the TLS handshake`);
    this.#socket.removeAllListeners('data');
    const secure = connectTls({ socket: this.#socket, rejectUnauthorized: false, servername: 'localhost' });
    await once(secure, 'secureConnect');
    this.#socket = secure;
    this.#listen();
  }

  send(octets: Uint8Array): void {
    if (this.#deflate === undefined) this.#socket.write(octets);
    else {
      this.#deflate.write(octets);
      this.#deflate.flush();
    }
  }

  /** DEFLATE both ways from here on (RFC 4978 §3). */
  startDeflate(): void {
    if (this.#octets.length > 0) throw new Error(`received ${show(this.#octets)} before compression`);
    const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH });
    deflate.on('data', (octets: Buffer) => this.#socket.write(octets));
    this.#deflate = deflate;
    const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
    inflate.on('data', this.#received);
    // It takes nothing of what follows the stream.
    inflate.on('end', () => {
      this.#inflate = undefined;
      this.#received(Buffer.concat(this.#fed.splice(0)).subarray(inflate.bytesWritten));
    });
    this.#inflate = inflate;
  }

  /** What is sent from here on is not compressed; what is received, once the server's stream has ended. */
  async endDeflate(): Promise<void> {
    const deflate = this.#deflate;
    if (deflate === undefined) throw new Error('Nothing is compressed');
    const ended = once(deflate, 'end');
    deflate.end();
    await ended;
    this.#deflate = undefined;
  }

  /** Up to CRLF. */
  async line(expected: string): Promise<string> {
    await this.#until(() => this.#octets.includes(0x0a), expected);
    const end = this.#octets.indexOf(CRLF);
    const lf = this.#octets.indexOf(0x0a);
    if (end === -1 || end + 1 !== lf) throw new Error(`expected CRLF at the end of ${show(this.#octets.subarray(0, lf + 1))}`);
    return this.#take(lf + 1).toString('utf8', 0, end);
  }

  async read(count: number, expected: string): Promise<Buffer> {
    await this.#until(() => this.#octets.length >= count, expected);
    return this.#take(count);
  }

  /** What comes before the server ends the connection. */
  async untilClosed(): Promise<Buffer> {
    await this.#until(() => this.#ended, 'the end of the connection');
    return this.#take(this.#octets.length);
  }

  /** Sends no more, and reads what still comes. */
  async leave(): Promise<Buffer> {
    this.#socket.end();
    return this.untilClosed();
  }

  close(): void {
    this.#socket.destroy();
    this.#ended = true;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #until(holds: () => boolean, expected: string): Promise<void> {
    const signal = AbortSignal.timeout(this.#patienceMs);
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      while (!holds()) {
        const came = this.#octets.length === 0 ? 'nothing' : show(this.#octets);
        if (this.#ended) throw new Error(`expected ${expected}\nreceived ${came} and the end of the connection`);
        if (signal.aborted) throw new Error(`expected ${expected}\nreceived ${came} in ${this.#patienceMs / 1000} seconds`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  #take(count: number): Buffer {
    const taken = this.#octets.subarray(0, count);
    this.#octets = this.#octets.subarray(count);
    return taken;
  }
}

/** Before the first line of the dialogue, unseen. */
async function logIn(client: Client, service: string, account: string): Promise<void> {
  await client.line('a greeting');
  const say = async (command: string, answer: RegExp): Promise<void> => {
    client.send(Buffer.from(`${command}\r\n`));
    for (;;) {
      const line = await client.line(`an answer to ${command}`);
      if (answer.test(line)) return;
      if (/^(login (NO|BAD)|-ERR|[45])/.test(line)) throw new Error(`${account} cannot log in: ${line}`);
    }
  };
  if (service.startsWith('imap')) await say(`login LOGIN ${account} ${PASSWORD}`, /^login OK/);
  else if (service.startsWith('pop3')) {
    await say(`USER ${account}`, /^\+OK/);
    await say(`PASS ${PASSWORD}`, /^\+OK/);
  } else {
    await say('EHLO localhost', /^250 /);
    await say(`AUTH PLAIN ${Buffer.from(`\0${account}\0${PASSWORD}`).toString('base64')}`, /^235 /);
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** For a failure's text: lines as lines, the rest visible. */
function show(octets: Buffer): string {
  return JSON.stringify(octets.toString('utf8')).replaceAll('\\r\\n', '\\r\\n\n');
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
