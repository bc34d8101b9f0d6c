/** POP3 servers on free ports of 127.0.0.1, above a store of a few lines that fails on demand; and clients typed by hand. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, expect } from 'vitest';
import { parseMimeTree } from '../../src/mail/mime-tree.ts';
import { servePop3, type Pop3Options } from '../../src/pop3/server.ts';
import { makeScramRecord } from '../../src/sasl/scram-record.ts';
import { LoginThrottle } from '../../src/sasl/throttle.ts';
import type { Account, FetchedMessage, FlagChange, Mailbox, MailStore } from '../../src/store/mail-store.ts';
import { openCertificates, type Certificates } from '../../src/wire/certificates.ts';
import { listen, type Listener, type ListenOptions } from '../../src/wire/listener.ts';
import { Recorder } from '../../src/wire/recorder.ts';

let folder = '';
let certificates: Certificates;
let record = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glassmail-pop3-'));
  certificates = await openCertificates({ folder, domains: ['x.test'] });
  record = await makeScramRecord('glass');
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** One account, alice@x.test, with these messages in INBOX. */
export class FewMessages {
  readonly messages: Map<number, Uint8Array>;
  readonly seen = new Set<number>();
  readonly account = { id: 1, address: 'alice@x.test', owner: undefined } as unknown as Account;
  readonly mailbox = { id: 7, name: 'INBOX', uidValidity: 17 } as unknown as Mailbox;
  fault: { on: string; error: Error } | undefined;
  /** Content is given out in pieces of so many octets; 0: in one. */
  pieces = 0;
  #locked = false;

  constructor(...messages: (string | Uint8Array)[]) {
    this.messages = new Map(messages.map((message, i) => [10 + i, Buffer.from(message as string)]));
  }

  get locked(): boolean {
    return this.#locked;
  }

  get store(): MailStore {
    const methods: Partial<Record<keyof MailStore, unknown>> = {
      findAccount: async (address: string) => (address === this.account.address ? this.account : undefined),
      lockMaildrop: async () => {
        this.#mayFail('lockMaildrop');
        if (this.#locked) return undefined;
        this.#locked = true;
        return {
          [Symbol.asyncDispose]: async () => {
            this.#locked = false;
          },
        };
      },
      findMailbox: async () => this.mailbox,
      snapshot: async () => {
        this.#mayFail('snapshot');
        const uids = [...this.messages.keys()];
        return {
          mailbox: this.mailbox,
          count: uids.length,
          uids: Uint32Array.from(uids),
          flagSets: Uint32Array.from(uids, (uid) => (this.seen.has(uid) ? 1 : 0)),
          sizes: Uint32Array.from(this.messages.values(), (octets) => octets.length),
          emailIds: Float64Array.from(uids),
        };
      },
      flagSet: (index: number) => (index === 1 ? ['\\Seen'] : []),
      fetchMessages: (_: unknown, __: unknown, uids: ArrayLike<number>) => this.#fetch(Array.from(uids)),
      storeFlags: async (_: unknown, __: unknown, uids: number[], change: FlagChange) => {
        this.#mayFail('storeFlags');
        expect(change).toEqual({ mode: 'add', flags: ['\\Seen'] });
        for (const uid of uids) this.seen.add(uid);
        return { modSeq: 1 };
      },
      expunge: async (_: unknown, __: unknown, options: { uids: number[]; onlyDeleted: boolean }) => {
        this.#mayFail('expunge');
        expect(options.onlyDeleted).toBe(false);
        return { uids: options.uids.filter((uid) => this.messages.delete(uid)) };
      },
    };
    return methods as unknown as MailStore;
  }

  async *#fetch(uids: number[]): AsyncGenerator<readonly FetchedMessage[]> {
    for (const uid of uids) {
      const octets = this.messages.get(uid);
      if (octets === undefined) continue;
      const content = {
        size: octets.length,
        traceSize: 0,
        octets: this.pieces === 0 ? octets : undefined,
        read: () => this.#read(octets),
      };
      const tree = parseMimeTree(octets);
      yield [{ uid, emailId: uid, size: octets.length, content, tree } as unknown as FetchedMessage];
    }
  }

  async *#read(octets: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < octets.length; at += this.pieces) {
      yield octets.subarray(at, at + this.pieces);
      this.#mayFail('read');
    }
  }

  #mayFail(on: string): void {
    if (this.fault?.on === on) throw this.fault.error;
  }
}

export class Server implements AsyncDisposable {
  readonly few: FewMessages;
  readonly recorder = new Recorder();
  readonly logged: string[] = [];
  readonly #options: Partial<Pop3Options>;
  readonly #listening: Partial<ListenOptions>;
  #listener!: Listener;

  constructor(few: FewMessages, options: Partial<Pop3Options> = {}, listening: Partial<ListenOptions> = {}) {
    this.few = few;
    this.#options = options;
    this.#listening = listening;
  }

  async start(): Promise<this> {
    const { store } = this.few;
    const options: Pop3Options = {
      store,
      credentials: { findRecord: async (login) => (/^alice(@x\.test)?$/i.test(login) ? record : undefined) },
      defaultDomain: 'x.test',
      permitsPlaintextLogin: () => true,
      loginThrottle: new LoginThrottle(),
      serverName: 'mail.x.test',
      version: '1.2.3',
      log: (level, message, cause) => this.logged.push(`${level} ${message} ${String(cause)}`),
      ...this.#options,
    };
    this.#listener = await listen({
      service: 'pop3',
      protocol: 'pop3',
      hosts: ['127.0.0.1'],
      port: 0,
      portOption: '--pop3-port',
      tls: 'starttls',
      certificates,
      recorder: this.recorder,
      limits: { connections: 100, perAddress: 100 },
      idleMs: 5000,
      refusals: {},
      onConnection: (connection) => servePop3(connection, options),
      onError: (error) => this.logged.push(`session failed: ${String(error)}`),
      ...this.#listening,
    });
    return this;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Connections that have not ended. */
  get open(): number {
    return this.#listener.connections;
  }

  /** Before the greeting. */
  dial(): Peer {
    return new Peer(connectTcp(this.port, '127.0.0.1'));
  }

  async connect(): Promise<Peer> {
    const peer = this.dial();
    expect(await peer.line()).toBe('+OK mail.x.test glassmail POP3 is ready');
    return peer;
  }

  /** Logged in. */
  async session(): Promise<Peer> {
    const peer = await this.connect();
    await peer.logIn();
    return peer;
  }

  get annotations(): unknown[] {
    return this.recorder.list().flatMap((conversation) => conversation.annotations().map((event) => event.annotation));
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

export const start = (
  few: FewMessages,
  options?: Partial<Pop3Options>,
  listening?: Partial<ListenOptions>,
): Promise<Server> => new Server(few, options, listening).start();

/** A client typed by hand. */
export class Peer {
  #stream: Duplex;
  #text = '';
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#listen();
  }

  #listen(): void {
    this.#stream.setEncoding('latin1');
    this.#stream.on('data', (text: string) => {
      this.#text += text;
      this.#wake();
    });
    const ended = (): void => {
      this.#ended = true;
      this.#wake();
    };
    this.#stream.on('end', ended).on('close', ended).on('error', ended);
  }

  send(text: string): void {
    this.#stream.write(text, 'latin1');
  }

  /** Sends no more, and reads on. */
  finish(): void {
    this.#stream.end();
  }

  /** Takes nothing of what comes. */
  stopReading(): void {
    this.#stream.pause();
  }

  /** Without its end. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\r\n');
      if (end !== -1) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      if (this.#ended) throw new Error(`the connection ended; left: ${JSON.stringify(this.#text)}`);
      await this.#more();
    }
  }

  async says(command: string, expected: string): Promise<string> {
    this.send(`${command}\r\n`);
    const line = await this.line();
    expect({ command: command.slice(0, 80), line: line.slice(0, expected.length) }).toEqual({
      command: command.slice(0, 80),
      line: expected,
    });
    return line;
  }

  /** The octets of a multi-line response after its first line, as RFC 1939 §3 has a client read them. */
  async multiLine(): Promise<string> {
    let octets = '';
    for (;;) {
      const line = await this.line();
      if (line === '.') return octets;
      octets += `${line.replace(/^\./, '')}\r\n`;
    }
  }

  /** What has come and was not read yet. */
  get received(): string {
    return this.#text;
  }

  /** All that comes until the server closes. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#more();
    return this.#text;
  }

  async logIn(): Promise<void> {
    await this.says('USER alice', '+OK');
    await this.says('PASS glass', '+OK');
  }

  async startTls(): Promise<void> {
    const plain = this.#stream;
    plain.removeAllListeners();
    const secure = connectTls({ socket: plain, rejectUnauthorized: false });
    await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
    this.#stream = secure;
    this.#listen();
  }

  leave(): void {
    this.#stream.destroy();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Until a condition of the server holds that no octet announces. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; turns < 2000 && !condition(); turns++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(condition()).toBe(true);
}
