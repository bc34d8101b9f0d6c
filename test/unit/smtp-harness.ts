/** SMTP services on free ports of loopback above a store in memory, and a client that says octets and reads replies. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { expect } from 'vitest';
import { createDelivery, type DeliveryOptions } from '../../src/delivery/deliver.ts';
import { loginAddress } from '../../src/sasl/login-name.ts';
import { makeScramRecord } from '../../src/sasl/scram-record.ts';
import { LoginThrottle } from '../../src/sasl/throttle.ts';
import { SMTP_REFUSALS, smtpServer, type SmtpOptions } from '../../src/smtp/server.ts';
import { openCertificates, type Certificates } from '../../src/wire/certificates.ts';
import { listen } from '../../src/wire/listener.ts';
import { Recorder, type RecordedAnnotation } from '../../src/wire/recorder.ts';
import { FakeStore } from './fake-store.ts';

let certificates: Promise<Certificates> | undefined;

function testCertificates(): Promise<Certificates> {
  certificates ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), 'glassmail-smtp-'));
    try {
      return await openCertificates({ folder, domains: ['glass.test'] });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  })();
  return certificates;
}

/** The password `glass`, with few iterations: nothing here tests how slow it is. */
export const RECORD = await makeScramRecord('glass', { iterations: 4096 });

export interface Harness extends AsyncDisposable {
  readonly store: FakeStore;
  readonly port: number;
  /** What was logged: faults of ours. */
  readonly logged: string[];
  /** Of all conversations, in their order. */
  annotations(): readonly RecordedAnnotation['annotation'][];
  connect(): Promise<Client>;
  /** Connects and says EHLO, or LHLO. */
  greet(): Promise<Client>;
  stop(): Promise<void>;
}

export type HarnessOptions = Partial<SmtpOptions> &
  Partial<Pick<DeliveryOptions, 'domains' | 'defaultPasswordRecord'>> & { readonly fake?: FakeStore };

export async function startSmtp(options: HarnessOptions = {}): Promise<Harness> {
  const { fake: store = new FakeStore('alice@glass.test', 'bob@glass.test'), domains = 'all', ...given } = options;
  const logged: string[] = [];
  const service = options.service ?? 'smtp';
  const serverName = 'mail.glass.test';
  const defaultDomain = 'glass.test';
  const { defaultPasswordRecord } = options;
  const server = smtpServer({
    service,
    store,
    delivery: createDelivery({
      store,
      domains,
      defaultDomain,
      serverName,
      ...(defaultPasswordRecord === undefined ? {} : { defaultPasswordRecord }),
    }),
    credentials: {
      findRecord: async (login) => (store.accounts.has(loginAddress(login, defaultDomain)) ? RECORD : undefined),
    },
    auth: service === 'smtp' ? 'any' : service === 'lmtp' ? 'none' : 'required',
    starttls: service === 'submission',
    permitsPlaintextLogin: () => service === 'smtp',
    maximumMessageOctets: 50 * 1024 * 1024,
    maximumRecipients: 1000,
    serverName,
    defaultDomain,
    loginThrottle: new LoginThrottle({ free: 1000 }),
    log: (level, message, cause) => logged.push(`${level} ${message} ${String(cause)}`),
    ...given,
  });
  const recorder = new Recorder({ capacity: 1 << 24 });
  const listener = await listen({
    service,
    protocol: 'smtp',
    hosts: ['127.0.0.1'],
    port: 0,
    portOption: '--smtp-port',
    tls: service === 'submissions' ? 'implicit' : 'starttls',
    certificates: await testCertificates(),
    recorder,
    limits: { connections: 1000, perAddress: 1000 },
    idleMs: 300_000,
    refusals: { tooMany: SMTP_REFUSALS.tooManyConnections, tlsExpected: SMTP_REFUSALS.expectsTls },
    onConnection: (connection) => server.serve(connection),
    onError: (error) => logged.push(String(error)),
  });
  const clients: Client[] = [];
  const connect = async (): Promise<Client> => {
    const client = await Client.connect(listener.port, service === 'submissions');
    clients.push(client);
    return client;
  };
  return {
    store,
    port: listener.port,
    logged,
    annotations: () =>
      [...recorder.list()]
        .sort((one, other) => one.number - other.number)
        .flatMap((conversation) => conversation.annotations())
        .map(({ annotation }) => annotation),
    connect,
    greet: async () => {
      const client = await connect();
      await client.expect(/^220 /);
      client.say(`${service === 'lmtp' ? 'LHLO' : 'EHLO'} client.test`);
      await client.expect(/^250-/);
      return client;
    },
    stop: () => listener.stop(),
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.destroy();
      await listener.stop();
    },
  };
}

/** A client of octets: it sends what it is told and gives replies whole. */
export class Client {
  #socket: Socket;
  #text = '';
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = this.#listen(socket);
  }

  static async connect(port: number, tls: boolean): Promise<Client> {
    const socket = tls
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : connectTcp({ port, host: '127.0.0.1', noDelay: true });
    const client = new Client(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once(tls ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  #listen(socket: Socket): Socket {
    socket.on('data', (octets: Buffer) => {
      this.#text += octets.toString('latin1');
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('error', end).on('end', end).on('close', end);
    return socket;
  }

  /** A line; CRLF is added. */
  say(line: string): void {
    this.send(`${line}\r\n`);
  }

  /** Octets, as they are. */
  send(octets: string | Uint8Array): void {
    this.#socket.write(octets);
  }

  /** Resolves when all that was sent has been handed to the system. */
  async sendSlowly(octets: Uint8Array): Promise<void> {
    if (!this.#socket.write(octets)) await new Promise<void>((resolve) => this.#socket.once('drain', resolve));
  }

  /** The next reply, its lines joined with LF. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r\n/.exec(this.#text);
      if (match) {
        this.#text = this.#text.slice(match[0].length);
        return match[0].trimEnd().replaceAll('\r\n', '\n');
      }
      if (this.#ended) throw new Error(`the connection ended; unread: ${JSON.stringify(this.#text)}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async expect(pattern: RegExp | string): Promise<string> {
    const reply = await this.reply();
    if (typeof pattern === 'string') expect(reply).toBe(pattern);
    else expect(reply).toMatch(pattern);
    return reply;
  }

  /** Says a line and expects its reply. */
  async ask(line: string, pattern: RegExp | string): Promise<string> {
    this.say(line);
    return this.expect(pattern);
  }

  /** A whole message in one transaction; `content` with its dots stuffed. */
  async deliver(content: string | Uint8Array, recipient = 'alice@glass.test'): Promise<string> {
    await this.ask('MAIL FROM:<sender@else.test>', /^250 2\.1\.0 /);
    await this.ask(`RCPT TO:<${recipient}>`, /^250 2\.1\.5 /);
    await this.ask('DATA', /^354 /);
    this.send(content);
    this.send('\r\n.\r\n');
    return this.reply();
  }

  /** Resolves when the server has ended the connection; with what was not read before. */
  async ended(): Promise<string> {
    while (!this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#text;
  }

  async startTls(): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners();
    const socket = connectTls({ socket: plain, rejectUnauthorized: false });
    this.#socket = this.#listen(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
  }

  /** RFC 9266: what a login can be bound to under TLS. */
  channelBinding(): Buffer {
    if (!(this.#socket instanceof TLSSocket)) throw new Error('without TLS there is nothing to bind to');
    return this.#socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  }

  /** Says FIN, and goes on listening. */
  finish(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
