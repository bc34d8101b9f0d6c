/**
 * SCRAM-SHA-256-PLUS over real TLS, by a client that is written from RFC 5802, RFC 7677 and RFC 9266 alone: IMAP and POP3,
 * with TLS from the first octet and later.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket, type SecureVersion } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack('--channel-binding', 'on');
});
afterAll(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

/** How each protocol frames an exchange: IMAP RFC 9051 §6.2.2, POP3 RFC 5034 §4. */
const PROTOCOLS = {
  imap: {
    list: 'c CAPABILITY',
    startTls: 's STARTTLS',
    authenticate: (mechanism: string) => `a AUTHENTICATE ${mechanism}`,
    done: /^c OK/,
    ready: /^s OK/,
    success: /^a OK/,
    refusal: /^a (?:NO|BAD)/,
    proof: ['n NOOP', /^n OK/],
  },
  pop3: {
    list: 'CAPA',
    startTls: 'STLS',
    authenticate: (mechanism: string) => `AUTH ${mechanism}`,
    done: /^\.$/,
    ready: /^\+OK/,
    success: /^\+OK/,
    refusal: /^-ERR/,
    proof: ['STAT', /^\+OK 0 0/],
  },
} as const;

type Protocol = keyof typeof PROTOCOLS;
type Way = 'implicit' | 'upgrade';

class Client {
  readonly #protocol: (typeof PROTOCOLS)[Protocol];
  #socket: Socket;
  #lines: AsyncIterator<string>;

  private constructor(socket: Socket, protocol: Protocol) {
    this.#protocol = PROTOCOLS[protocol];
    this.#socket = socket;
    this.#lines = linesOf(socket);
  }

  static async connect(protocol: Protocol, way: Way, version: SecureVersion = 'TLSv1.3'): Promise<Client> {
    const port = stack.port(way === 'implicit' ? `${protocol}s` : protocol);
    const socket = connectTcp({ host: '127.0.0.1', port });
    if (way === 'implicit') {
      const client = new Client(await secured(socket, version), protocol);
      await client.line();
      return client;
    }
    const client = new Client(socket, protocol);
    await client.line();
    await client.until(client.#protocol.startTls, client.#protocol.ready);
    socket.removeAllListeners();
    client.#socket = await secured(socket, version);
    client.#lines = linesOf(client.#socket);
    return client;
  }

  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error('the connection ended');
    return next.value;
  }

  /** All lines up to the one that is awaited. */
  async until(command: string, awaited: RegExp): Promise<string> {
    this.#socket.write(`${command}\r\n`);
    for (let said = ''; ;) {
      const line = await this.line();
      said += `${line}\n`;
      if (awaited.test(line)) return said;
    }
  }

  list(): Promise<string> {
    return this.until(this.#protocol.list, this.#protocol.done);
  }

  /** RFC 9266 §2, by the client's own TLS library. */
  binding(): Buffer {
    if (!(this.#socket instanceof TLSSocket)) throw new Error('there is no TLS');
    return this.#socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  }

  /** @returns the server's last message of SCRAM, if there was one, and whether the login is there */
  async scram(mechanism: string, gs2: string, binding: Buffer, password = 'glass'): Promise<[string, boolean]> {
    const nonce = randomBytes(18).toString('base64');
    const bare = `n=alice,r=${nonce}`;
    expect(await this.#ask(this.#protocol.authenticate(mechanism))).toBe('');
    const serverFirst = await this.#ask(base64(gs2 + bare));
    if (serverFirst === undefined) return ['', false];
    const { r = '', s = '', i = '' } = attributes(serverFirst);
    expect(r.startsWith(nonce)).toBe(true);
    const salted = pbkdf2Sync(password, Buffer.from(s, 'base64'), Number(i), 32, 'sha256');
    const withoutProof = `c=${Buffer.concat([Buffer.from(gs2), binding]).toString('base64')},r=${r}`;
    const authMessage = `${bare},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), authMessage);
    const proof = Buffer.from(clientKey.map((octet, at) => octet ^ signature[at]!)).toString('base64');
    const serverFinal = await this.#ask(base64(`${withoutProof},p=${proof}`));
    if (serverFinal === undefined) return ['', false];
    expect(serverFinal).toBe(`v=${hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')}`);
    return ['v=', await this.#outcome()];
  }

  async proves(): Promise<void> {
    const [command, answer] = this.#protocol.proof;
    await this.until(command, answer);
  }

  leave(): void {
    this.#socket.destroy();
  }

  /** A challenge, decoded; undefined: the login was refused (RFC 5802 §5.1). */
  async #ask(response: string): Promise<string | undefined> {
    this.#socket.write(`${response}\r\n`);
    const line = await this.line();
    if (this.#protocol.refusal.test(line)) return undefined;
    expect(line).toMatch(/^\+ /);
    return Buffer.from(line.slice(2), 'base64').toString();
  }

  async #outcome(): Promise<boolean> {
    const { success, refusal } = this.#protocol;
    return success.test(await this.until('', new RegExp(`${success.source}|${refusal.source}`)));
  }
}

async function secured(socket: Socket, version: SecureVersion): Promise<TLSSocket> {
  const secure = connectTls({ socket, rejectUnauthorized: false, minVersion: version, maxVersion: version });
  await once(secure, 'secureConnect');
  return secure;
}

async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let text = '';
  for (;;) {
    for (let end = text.indexOf('\r\n'); end !== -1; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      yield line;
    }
    const [octets] = (await once(socket, 'data')) as [Buffer];
    text += octets.toString();
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const attributes = (message: string): Partial<Record<string, string>> =>
  Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]));

const NOTHING = Buffer.alloc(0);

describe.each<[Protocol, Way]>([
  ['imap', 'implicit'],
  ['imap', 'upgrade'],
  ['pop3', 'implicit'],
  ['pop3', 'upgrade'],
])('%s, TLS %s', (protocol, way) => {
  async function withClient(run: (client: Client) => Promise<void>, version?: SecureVersion): Promise<void> {
    const client = await Client.connect(protocol, way, version);
    try {
      await run(client);
    } finally {
      client.leave();
    }
  }

  it('announces the mechanism under TLS 1.3, and binds a login to the connection', () =>
    withClient(async (client) => {
      expect(await client.list()).toMatch(/SCRAM-SHA-256-PLUS\b/);
      expect(await client.scram('SCRAM-SHA-256-PLUS', 'p=tls-exporter,,', client.binding())).toEqual(['v=', true]);
      await client.proves();
    }));

  it('still takes clients that cannot bind', () =>
    withClient(async (client) => {
      expect(await client.scram('SCRAM-SHA-256', 'n,,', NOTHING)).toEqual(['v=', true]);
    }));

  it('refuses the binding of another connection: somebody sits between', async () => {
    const other = await Client.connect(protocol, way);
    await withClient(async (client) => {
      const login = client.scram('SCRAM-SHA-256-PLUS', 'p=tls-exporter,,', other.binding());
      expect(await login).toEqual(['', false]);
      // Nor is it enough to know the password, and the session goes on.
      expect(await client.scram('SCRAM-SHA-256-PLUS', 'p=tls-exporter,,', client.binding())).toEqual(['v=', true]);
    });
    other.leave();
  });

  it.each([
    ['SCRAM-SHA-256', 'y,,'], // somebody took -PLUS from the list
    ['SCRAM-SHA-256', 'p=tls-exporter,,'],
    ['SCRAM-SHA-256-PLUS', 'n,,'],
    ['SCRAM-SHA-256-PLUS', 'y,,'],
    ['SCRAM-SHA-256-PLUS', 'p=tls-unique,,'],
    ['SCRAM-SHA-256-PLUS', 'p=tls-server-end-point,,'],
  ])('refuses %s with %s', (mechanism, gs2) =>
    withClient(async (client) => {
      expect(await client.scram(mechanism, gs2, client.binding())).toEqual(['', false]);
    }),
  );

  it('refuses a wrong password', () =>
    withClient(async (client) => {
      const login = client.scram('SCRAM-SHA-256-PLUS', 'p=tls-exporter,,', client.binding(), 'wrong');
      expect(await login).toEqual(['', false]);
    }));

  it('has no binding under TLS 1.2, where a client that could bind is content', () =>
    withClient(async (client) => {
      expect(await client.list()).not.toContain('-PLUS');
      expect(await client.scram('SCRAM-SHA-256', 'y,,', NOTHING)).toEqual(['v=', true]);
    }, 'TLSv1.2'));
});

it('is not announced in clear', async () => {
  for (const protocol of ['imap', 'pop3'] as const) {
    const socket = connectTcp({ host: '127.0.0.1', port: stack.port(protocol) });
    const lines = linesOf(socket);
    await lines.next();
    socket.write(`${PROTOCOLS[protocol].list}\r\n`);
    for (;;) {
      const line = (await lines.next()).value as string;
      expect(line).not.toContain('-PLUS');
      if (PROTOCOLS[protocol].done.test(line)) break;
    }
    socket.destroy();
  }
});
