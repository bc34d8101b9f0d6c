/** An IMAP server on a free port over a store of its own, and clients that speak to it. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveImap, type ImapOptions } from '../../src/imap/server.ts';
import { Notifier } from '../../src/notifier/notifier.ts';
import { makeScramRecord } from '../../src/sasl/scram-record.ts';
import { LoginThrottle } from '../../src/sasl/throttle.ts';
import type { AccountId } from '../../src/store/change.ts';
import type { MailStore, SharedMailStore } from '../../src/store/mail-store.ts';
import { SharedMailboxes } from '../../src/store/shared-mailboxes.ts';
import { openStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Annotation, Connection } from '../../src/wire/connection.ts';
import { listen, type Listener } from '../../src/wire/listener.ts';
import { Recorder } from '../../src/wire/recorder.ts';

export interface ImapServer extends AsyncDisposable {
  readonly store: MailStore;
  readonly listener: Listener;
  readonly sessions: Promise<void>[];
  readonly annotations: Annotation[];
  readonly logged: unknown[];
  client(): Promise<ImapClient>;
  /** A client that has logged in and selected INBOX. */
  selected(): Promise<ImapClient>;
  /** @returns its UID in alice's INBOX */
  deliver(octets: string | Uint8Array): Promise<number>;
}

export async function serve(
  changed: (store: SharedMailStore) => Partial<ImapOptions> = () => ({}),
): Promise<ImapServer> {
  const folder = await mkdtemp(join(tmpdir(), 'glassmail-imap-'));
  const notifier = new Notifier();
  const store = new SharedMailboxes(await openStore({ folder, durability: 'process', notifier }));
  const passwordRecord = await makeScramRecord('glass');
  const { id: alice } = await store.createAccount({ address: 'alice@glass.localhost', passwordRecord });
  const sessions: Promise<void>[] = [];
  const annotations: Annotation[] = [];
  const logged: unknown[] = [];
  const options: ImapOptions = {
    store,
    notifier,
    credentials: { findRecord: () => Promise.resolve(passwordRecord) },
    defaultDomain: 'glass.localhost',
    permitsPlaintextLogin: () => true,
    maximumMessageOctets: 10_000_000,
    loginThrottle: new LoginThrottle(),
    serverName: 'localhost',
    version: '0',
    canStartTls: false,
    log: (_, message, cause) => logged.push(message, cause),
    ...changed(store),
  };
  const listener = await listen({
    service: 'imap',
    protocol: 'imap',
    hosts: ['127.0.0.1'],
    port: 0,
    portOption: '--imap-port',
    tls: 'none',
    recorder: new Recorder({ capacity: 0 }),
    limits: { connections: 100, perAddress: 100 },
    idleMs: 60_000,
    refusals: {},
    onConnection(connection: Connection) {
      const annotate = connection.annotate.bind(connection);
      connection.annotate = (annotation) => {
        annotations.push(annotation);
        annotate(annotation);
      };
      const session = serveImap(connection, options);
      sessions.push(session);
      return session;
    },
    onError: (error) => logged.push(error),
  });
  const client = () => ImapClient.open(listener.port);
  return {
    store,
    listener,
    sessions,
    annotations,
    logged,
    client,
    async selected() {
      const selected = await client();
      await selected.command('LOGIN alice glass');
      await selected.command('SELECT INBOX');
      return selected;
    },
    deliver: (octets) => deliver(store, alice, Buffer.from(octets)),
    async [Symbol.asyncDispose]() {
      await listener.stop();
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function deliver(store: MailStore, account: AccountId, octets: Uint8Array): Promise<number> {
  await using spool = store.spool();
  await spool.write(octets);
  const message = { content: await spool.finish(), flags: [], internalDate: new Date() };
  const { uids } = await store.appendMessages(account, 'INBOX', [message]);
  return uids[0]!;
}

export class ImapClient {
  readonly socket: Socket;
  #octets = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (octets) => {
      this.#octets = Buffer.concat([this.#octets, octets]);
      this.#wake();
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on('error', () => undefined);
  }

  static async open(port: number): Promise<ImapClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new ImapClient(socket);
    await client.until(/^\* OK .*\r\n/);
    return client;
  }

  /** What came up to the end of what the pattern matches. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#octets.toString('latin1'));
      if (found) {
        const end = found.index + found[0].length;
        const taken = this.#octets.toString('latin1', 0, end);
        this.#octets = this.#octets.subarray(end);
        return taken;
      }
      if (this.#ended) throw new Error(`The connection ended after ${this.#octets.toString('latin1')}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** All that comes until the server ends the connection. */
  async rest(): Promise<string> {
    while (!this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#octets.toString('latin1');
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** The answer up to the tagged line, which is `x …`. */
  async command(text: string): Promise<string> {
    this.send(`x ${text}\r\n`);
    return this.until(/^x (OK|NO|BAD) .*\r\n/m);
  }
}
