/** Failures on demand, as clients meet them: each effect in each protocol, with others unharmed. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { ImapFlow } from 'imapflow';
import Pop3Command from 'node-pop3';
import { createTransport, type SMTPSentMessageInfo } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConversationDetail, ConversationList } from '../../src/http/schemas/conversations.ts';
import type { Fault, FaultList } from '../../src/http/schemas/faults.ts';
import type { MessageList } from '../../src/http/schemas/messages.ts';
import type { MadeScope } from '../../src/http/schemas/scopes.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';

let stack: TestStack;
let url: string;
let sockets: Socket[];

beforeEach(async () => {
  await start();
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await stack[Symbol.asyncDispose]();
  expect(stack.logged).toEqual([]);
});

async function start(...flags: string[]): Promise<void> {
  stack = await startTestStack(...flags);
  url = `http://127.0.0.1:${stack.port('http')}`;
  sockets = [];
}

async function restart(...flags: string[]): Promise<void> {
  await stack[Symbol.asyncDispose]();
  await start(...flags);
}

interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

async function api<T>(method: string, path: string, body?: object, token?: string): Promise<Answer<T>> {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
  });
  const text = await response.text();
  return { status: response.status, body: (text.startsWith('{') ? JSON.parse(text) : text) as T };
}

async function rule(draft: object, token?: string): Promise<Fault> {
  const { status, body } = await api<Fault>('POST', '/api/glass/faults', draft, token);
  expect([status, body]).toMatchObject([201, {}]);
  return body;
}

const hits = async ({ id }: Fault): Promise<number> => (await api<Fault>('GET', `/api/glass/faults/${id}`)).body.hits;

/** Of all conversations of a service, in the order in which they were opened. */
async function faultsSeen(service: string): Promise<unknown[]> {
  const { body } = await api<ConversationList>('GET', `/api/glass/conversations?service=${service}`);
  const details = await Promise.all(
    body.conversations.map(({ id }) => api<ConversationDetail>('GET', `/api/glass/conversations/${id}`)),
  );
  return details
    .reverse()
    .flatMap(({ body: { events } }) => events)
    .flatMap((event) => (event.type === 'annotation' && event.annotation.type === 'fault' ? [event.annotation] : []));
}

/** Says what it is told, and keeps what it hears. */
class Raw {
  text = '';
  /** `reset`: RST. */
  ended: 'fin' | 'reset' | undefined;
  readonly socket: Socket;
  #wake = (): void => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    sockets.push(socket);
    socket.on('data', (octets: Buffer) => {
      this.text += octets.toString('latin1');
      this.#wake();
    });
    socket.on('error', () => (this.ended ??= 'reset'));
    socket.on('end', () => (this.ended ??= 'fin'));
    socket.on('close', () => {
      this.ended ??= 'reset';
      this.#wake();
    });
  }

  static connect(service: 'smtp' | 'imap' | 'pop3' | 'lmtp'): Raw {
    const socket = connectTcp({ port: stack.port(service), host: '127.0.0.1', noDelay: true });
    return new Raw(socket);
  }

  say(line: string): void {
    this.socket.write(`${line}\r\n`);
  }

  /** Takes what has come up to and with the pattern. */
  async hear(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match) {
        const heard = this.text.slice(0, match.index + match[0].length);
        this.text = this.text.slice(heard.length);
        return heard;
      }
      if (this.ended) throw new Error(`ended by ${this.ended} after ${JSON.stringify(this.text)}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async ask(line: string, pattern: RegExp): Promise<string> {
    this.say(line);
    return this.hear(pattern);
  }

  /** All that came before the end, and how that came. */
  async end(): Promise<[how: string, text: string]> {
    while (!this.socket.closed) await new Promise<void>((resolve) => (this.#wake = resolve));
    return [this.ended!, this.text];
  }
}

const REPLY = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/m;

async function smtp(): Promise<Raw> {
  const raw = Raw.connect('smtp');
  await raw.hear(/^220 .*\r\n/);
  await raw.ask('EHLO client.test', /^250 .*\r\n/m);
  return raw;
}

async function imap(login = 'alice', password = 'glass'): Promise<Raw> {
  const raw = Raw.connect('imap');
  await raw.hear(/^\* OK .*\r\n/);
  await raw.ask(`1 LOGIN ${login} ${password}`, /^1 OK .*\r\n/m);
  return raw;
}

async function pop3(login = 'alice'): Promise<Raw> {
  const raw = Raw.connect('pop3');
  await raw.hear(/^\+OK .*\r\n/);
  await raw.ask(`USER ${login}`, /^\+OK .*\r\n/);
  await raw.ask('PASS glass', /^\+OK .*\r\n/);
  return raw;
}

async function send(to: string, from = 'app@app.test'): Promise<SMTPSentMessageInfo> {
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), ignoreTLS: true });
  try {
    return await transport.sendMail({ from, to, subject: 'hello', text: 'hello' });
  } finally {
    transport.close();
  }
}

function imapClient(user = 'alice@glass.localhost', pass = 'glass', more: object = {}): ImapFlow {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: stack.port('imap'),
    secure: false,
    doSTARTTLS: false,
    auth: { user, pass },
    logger: false,
    ...more,
  });
  client.on('error', () => undefined);
  return client;
}

const inboxCount = async (address: string): Promise<number> => {
  const { body } = await api<MessageList>('GET', `/api/glass/messages?account=${address}`);
  return body.messages.reduce((sum, { copies }) => sum + copies.filter(({ account }) => account === address).length, 0);
};

describe('SMTP', () => {
  test('a command is refused with the code and the text, as often as the rule says', async () => {
    const made = await rule({
      where: { at: 'command', command: 'RCPT' },
      whom: { recipient: 'alice@*' },
      what: { type: 'refuse', code: '451', status: '4.3.5', text: 'Busy, said the rule' },
      times: 1,
    });
    await expect(send('alice@glass.localhost')).rejects.toMatchObject({
      responseCode: 451,
      response: '451 4.3.5 Busy, said the rule',
    });
    await send('bob@glass.localhost');
    await send('alice@glass.localhost');
    expect(await hits(made)).toBe(1);
    expect(await faultsSeen('smtp')).toEqual([{ type: 'fault', rule: made.id, effect: 'refuse', at: 'command' }]);
  });

  test('the greeting is refused, with 554 or 421', async () => {
    await rule({ where: { at: 'greeting', protocol: 'smtp' }, what: { type: 'refuse' }, times: 1 });
    expect(await Raw.connect('smtp').end()).toEqual(['fin', '554 localhost Refused by a rule\r\n']);
    await rule({ where: { at: 'greeting' }, what: { type: 'refuse', code: '421', text: 'Later' }, times: 1 });
    expect(await Raw.connect('smtp').end()).toEqual(['fin', '421 localhost Later\r\n']);
    await smtp();
  });

  test('421 to a command ends the connection', async () => {
    await rule({ where: { command: 'MAIL' }, what: { type: 'refuse', code: '421', text: 'Enough' } });
    const raw = await smtp();
    raw.say('MAIL FROM:<a@b.test>');
    expect(await raw.end()).toEqual(['fin', '421 4.3.2 Enough\r\n']);
  });

  test('a message is refused, or its reply lost, once it has come whole', async () => {
    const made = await rule({ where: { at: 'delivery' }, what: { type: 'refuse', code: '554', text: 'No' }, times: 1 });
    await expect(send('alice@glass.localhost')).rejects.toMatchObject({ response: '554 5.7.1 No' });
    expect(await inboxCount('alice@glass.localhost')).toBe(0);
    const cut = await rule({ where: { at: 'delivery' }, what: { type: 'cut' }, times: 1 });
    await expect(send('alice@glass.localhost')).rejects.toThrow(/closed|ended/i);
    // Stored all the same: a client that sends it again makes a second one.
    expect(await inboxCount('alice@glass.localhost')).toBe(1);
    await send('alice@glass.localhost');
    expect(await inboxCount('alice@glass.localhost')).toBe(2);
    expect([await hits(made), await hits(cut)]).toEqual([1, 1]);
  });

  test.each([
    ['before', 'fin', ''],
    ['before', 'rst', ''],
    ['middle', 'fin', '250 2.0.'],
    ['middle', 'rst', '250 2.0.'],
    ['after', 'fin', '250 2.0.0 Flushed\r\n'],
    ['after', 'rst', '250 2.0.0 Flushed\r\n'],
  ])('the connection is cut %s the answer, with %s', async (when, how, heard) => {
    const other = await smtp();
    await rule({ where: { command: 'RSET' }, what: { type: 'cut', when, how }, times: 1 });
    const raw = await smtp();
    raw.say('RSET');
    const [ended, text] = await raw.end();
    expect(ended).toBe(how === 'rst' ? 'reset' : 'fin');
    if (when === 'middle') expect('250 2.0.0 Flushed\r\n'.startsWith(text) && text !== '').toBe(true);
    else expect(text).toBe(heard);
    await other.ask('RSET', /^250 2\.0\.0 Flushed\r\n/);
  });

  test('greylisting: by client, sender and recipient', async () => {
    const made = await rule({ what: { type: 'greylist' } });
    await expect(send('alice@glass.localhost')).rejects.toMatchObject({
      response: '451 4.7.1 Greylisted: please try again later',
    });
    await expect(send('bob@glass.localhost')).rejects.toMatchObject({ responseCode: 451 });
    await send('alice@glass.localhost');
    await send('alice@glass.localhost');
    await expect(send('alice@glass.localhost', 'other@app.test')).rejects.toMatchObject({ responseCode: 451 });
    expect(await hits(made)).toBe(3);
  });

  test('a full mailbox: 452 4.2.2 or 552 5.2.2 at RCPT', async () => {
    const made = await rule({ whom: { login: 'alice@glass.localhost' }, what: { type: 'full-mailbox' } });
    await expect(send('alice@glass.localhost')).rejects.toMatchObject({
      response: '452 4.2.2 The mailbox of alice@glass.localhost is full',
    });
    await send('bob@glass.localhost');
    await api('PUT', `/api/glass/faults/${made.id}`, { what: { type: 'full-mailbox', permanent: true } });
    await expect(send('bob@glass.localhost')).rejects.toMatchObject({ responseCode: 552 });
  });

  test('a delivery is stored twice, for whom the rule names', async () => {
    await rule({ whom: { recipient: 'alice@glass.localhost' }, what: { type: 'duplicate', copies: 3 } });
    await send('alice@glass.localhost, bob@glass.localhost, new@glass.localhost');
    expect(await inboxCount('alice@glass.localhost')).toBe(3);
    expect(await inboxCount('bob@glass.localhost')).toBe(1);
    const client = imapClient();
    await client.connect();
    expect((await client.mailboxOpen('INBOX')).exists).toBe(3);
    await client.logout();
  });

  test('a capability is hidden, and its command unknown', async () => {
    await rule({ where: { protocol: 'smtp' }, what: { type: 'hide-capability', capability: 'chunking' } });
    await rule({ what: { type: 'hide-capability', capability: 'AUTH=LOGIN' } });
    const raw = Raw.connect('smtp');
    await raw.hear(/^220 .*\r\n/);
    const said = await raw.ask('EHLO client.test', /^250 .*\r\n/m);
    expect(said).toContain('8BITMIME');
    expect(said).not.toContain('CHUNKING');
    expect(said).toMatch(/AUTH .*PLAIN/);
    expect(said).not.toContain('LOGIN');
    await raw.ask('BDAT 0 LAST', /^500 5\.5\.1 /);
  });

  test('an answer is delayed; pipelined commands keep their order', async () => {
    const made = await rule({ where: { command: 'NOOP' }, what: { type: 'delay', ms: 150 } });
    const raw = await smtp();
    const before = performance.now();
    raw.say('NOOP\r\nRSET');
    expect(await raw.hear(/Flushed\r\n/)).toMatch(/^250 2\.0\.0 OK\r\n250 2\.0\.0 Flushed\r\n$/);
    expect(performance.now() - before).toBeGreaterThanOrEqual(145);
    expect(await hits(made)).toBe(1);
  });

  test('a delay does not keep the server from stopping', async () => {
    await rule({ where: { command: 'NOOP' }, what: { type: 'delay', ms: 600_000 } });
    await rule({ where: { at: 'tls' }, what: { type: 'delay', ms: 600_000 } });
    const all = [await smtp(), await imap(), await pop3()];
    for (const raw of all) raw.say(raw === all[1] ? '2 NOOP' : 'NOOP');
    const tls = connectTls({ host: '127.0.0.1', port: stack.port('imaps') });
    sockets.push(tls);
    tls.on('error', () => undefined);
    while ((await faultsSeen('imap')).length + (await faultsSeen('imaps')).length < 2);
    const before = performance.now();
    await restart();
    expect(performance.now() - before).toBeLessThan(6000);
  });

  test('whom: client, sender, login, nth time', async () => {
    await rule({
      where: { command: 'DATA' },
      whom: { sender: 'bad@*', client: '*.test' },
      what: { type: 'refuse', code: '550' },
    });
    await rule({ where: { command: 'NOOP' }, nth: 2, what: { type: 'refuse', code: '451' } });
    await rule({ where: { command: 'VRFY' }, whom: { login: 'someone' }, what: { type: 'refuse', code: '450' } });
    const raw = await smtp();
    await raw.ask('MAIL FROM:<bad@app.test>', /^250 .*\r\n/);
    await raw.ask('RCPT TO:<alice@glass.localhost>', /^250 .*\r\n/);
    await raw.ask('DATA', /^550 5\.1\.1 Refused by a rule\r\n/);
    await raw.ask('RSET', /^250 .*\r\n/);
    for (const code of [250, 451, 250]) await raw.ask('NOOP', new RegExp(`^${code} .*\r\n`));
    await raw.ask('VRFY x', /^252 .*\r\n/);
    await raw.ask(`AUTH PLAIN ${Buffer.from('\0someone\0x').toString('base64')}`, /^235 .*\r\n/);
    await raw.ask('VRFY x', /^450 4\.2\.1 .*\r\n/);
  });

  test('the octets of a chunk that is refused are not taken for commands', async () => {
    await rule({ where: { command: 'BDAT' }, what: { type: 'refuse', code: '451' }, times: 1 });
    const raw = await smtp();
    await raw.ask('MAIL FROM:<a@b.test>', REPLY);
    await raw.ask('RCPT TO:<alice@glass.localhost>', REPLY);
    raw.say('BDAT 6 LAST\r\nQUIT\r\nNOOP');
    expect(await raw.hear(/OK\r\n/)).toMatch(/^451 4\.3\.0 .*\r\n250 2\.0\.0 OK\r\n$/);
  });

  test('LMTP says it to each recipient, and delivers to the others', async () => {
    await restart('--lmtp-port', '0');
    await rule({
      where: { at: 'delivery', protocol: 'lmtp' },
      whom: { recipient: 'alice@*' },
      what: { type: 'refuse', code: '452', text: 'Full' },
    });
    const raw = Raw.connect('lmtp');
    await raw.hear(REPLY);
    for (const line of [
      'LHLO x',
      'MAIL FROM:<>',
      'RCPT TO:<alice@glass.localhost>',
      'RCPT TO:<bob@glass.localhost>',
      'DATA',
    ])
      await raw.ask(line, REPLY);
    expect(await raw.ask('Subject: x\r\n\r\nx\r\n.', /bob.*\r\n/)).toMatch(
      /^452 4\.2\.2 <alice@glass\.localhost> Full\r\n250 2\.0\.0 <bob@glass\.localhost> Ok: .*\r\n$/,
    );
    expect([await inboxCount('alice@glass.localhost'), await inboxCount('bob@glass.localhost')]).toEqual([0, 1]);
  });
});

describe('addresses that ask for it', () => {
  test('451-first2: twice, each address for itself', async () => {
    for (let i = 0; i < 2; i++) {
      await expect(send('451-first2@any.test')).rejects.toMatchObject({ responseCode: 451 });
    }
    await send('451-first2@any.test');
    await expect(send('451-first2@other.test')).rejects.toMatchObject({ responseCode: 451 });
    expect((await faultsSeen('smtp')).at(0)).toEqual({
      type: 'fault',
      rule: '451-first2@any.test',
      effect: 'refuse',
      at: 'recipient',
    });
  });

  test.each([
    ['550@any.test', '550 5.1.1 Refused by a rule'],
    ['full@any.test', '452 4.2.2 The mailbox is full'],
    ['data-552@any.test', '552 5.2.2 Refused by a rule'],
    ['data-451-first1@any.test', '451 4.3.0 Refused by a rule'],
    ['greylist@any.test', '451 4.7.1 Greylisted: please try again later'],
  ])('%s', async (address, response) => {
    await expect(send(address)).rejects.toMatchObject({ response });
  });

  test('duplicate, delay, cut', async () => {
    await send('duplicate@any.test');
    expect(await inboxCount('duplicate@any.test')).toBe(2);
    const before = performance.now();
    await send('delay-120ms@any.test');
    expect(performance.now() - before).toBeGreaterThanOrEqual(115);
    await expect(send('cut@any.test')).rejects.toThrow();
    expect(await inboxCount('cut@any.test')).toBe(1);
    await expect(send('cut-rst@any.test')).rejects.toMatchObject({ code: 'ESOCKET' });
  });

  test('not where they are off, and not in domain mode', async () => {
    await restart('--address-faults', 'off');
    await send('550@any.test');
    await restart('--domains', 'any.test', '--accounts', '550', '--password', 'glass');
    await send('550@any.test');
  });
});

describe('IMAP', () => {
  test('a command is refused: NO, BAD, BYE', async () => {
    await rule({ where: { command: 'STATUS' }, what: { type: 'refuse', code: 'UNAVAILABLE', text: 'Gone fishing' } });
    await rule({ where: { command: 'NOOP' }, what: { type: 'refuse', response: 'BAD' }, times: 1 });
    await rule({ where: { command: 'CHECK' }, what: { type: 'refuse', response: 'BYE', text: 'Bye then' } });
    const raw = await imap();
    await raw.ask('2 STATUS INBOX (MESSAGES)', /^2 NO \[UNAVAILABLE\] Gone fishing\r\n/);
    await raw.ask('3 NOOP', /^3 BAD Refused by a rule\r\n/);
    await raw.ask('4 NOOP', /^4 OK .*\r\n/);
    raw.say('5 CHECK');
    expect(await raw.end()).toEqual(['fin', '* BYE Bye then\r\n']);
  });

  test('an APPEND is refused without taking its message for commands', async () => {
    await rule({ where: { command: 'APPEND' }, what: { type: 'refuse', code: 'LIMIT' }, times: 1 });
    const raw = await imap();
    raw.say('2 APPEND INBOX {9+}\r\nx LOGOUT\n\r\n3 NOOP');
    expect(await raw.hear(/^3 .*\r\n/m)).toMatch(/^2 NO \[LIMIT\] .*\r\n3 OK .*\r\n$/);
  });

  test('the greeting is refused with BYE', async () => {
    await rule({ where: { at: 'greeting' }, what: { type: 'refuse', code: 'UNAVAILABLE', text: 'Closed' }, times: 1 });
    expect(await Raw.connect('imap').end()).toEqual(['fin', '* BYE [UNAVAILABLE] Closed\r\n']);
    await imap();
  });

  test('a FETCH is cut after so many octets of its answer', async () => {
    await send('alice@glass.localhost');
    const other = await imap();
    const made = await rule({
      where: { at: 'fetch' },
      what: { type: 'cut', when: 'middle', octets: 30, how: 'rst' },
      whom: { login: 'alice@*' },
    });
    const raw = await imap();
    await raw.ask('2 SELECT INBOX', /^2 OK .*\r\n/m);
    raw.say('3 FETCH 1 BODY.PEEK[]');
    const [how, text] = await raw.end();
    expect([how, text.length]).toEqual(['reset', 30]);
    expect(text).toMatch(/^\* 1 FETCH \(BODY\[\] \{/);
    await other.ask('2 NOOP', /^2 OK .*\r\n/);
    expect(await hits(made)).toBe(1);
    expect(await faultsSeen('imap')).toEqual([{ type: 'fault', rule: made.id, effect: 'cut', at: 'fetch' }]);
  });

  test('an APPEND is done, and its answer lost', async () => {
    await rule({ where: { command: 'APPEND' }, what: { type: 'cut' } });
    const raw = await imap();
    await raw.ask('2 APPEND INBOX {12}', /^\+ .*\r\n/);
    raw.say('Subject: x\r\n');
    expect(await raw.end()).toEqual(['fin', '']);
    const other = await imap();
    expect(await other.ask('2 STATUS INBOX (MESSAGES)', /^2 OK/m)).toContain('MESSAGES 1');
  });

  test('IDLE is cut while it waits', async () => {
    await rule({ where: { at: 'idle' }, what: { type: 'cut', when: 'middle', afterMs: 30 } });
    const raw = await imap();
    await raw.ask('2 SELECT INBOX', /^2 OK .*\r\n/m);
    raw.say('3 IDLE');
    expect(await raw.end()).toEqual(['fin', '+ idling\r\n']);
    const client = imapClient();
    await client.connect();
    await client.mailboxOpen('INBOX');
    const closed = once(client, 'close');
    void client.idle().catch(() => undefined);
    await closed;
    expect(client.usable).toBe(false);
  });

  test('a capability is hidden: greeting, CAPABILITY, login, and the command', async () => {
    const made = await rule({ what: { type: 'hide-capability', capability: 'IDLE' } });
    await rule({ what: { type: 'hide-capability', capability: 'AUTH' } });
    const raw = Raw.connect('imap');
    const greeting = await raw.hear(/^\* OK .*\r\n/);
    const list = await raw.ask('1 CAPABILITY', /^1 OK .*\r\n/m);
    const login = await raw.ask('2 LOGIN alice glass', /^2 OK .*\r\n/m);
    for (const said of [greeting, list, login]) {
      expect(said).toContain('NAMESPACE');
      expect(said).not.toMatch(/ IDLE\b| AUTH=/);
    }
    await raw.ask('3 IDLE', /^3 BAD There is no command IDLE\r\n/);
    expect(await hits(made)).toBe(3);
    const client = imapClient();
    await client.connect();
    expect(client.capabilities.has('IDLE')).toBe(false);
    await client.logout();
  });

  test('a literal announces more or fewer octets than come', async () => {
    await send('alice@glass.localhost');
    await rule({ what: { type: 'wrong-literal', by: 7 }, times: 1 });
    const raw = await imap();
    await raw.ask('2 SELECT INBOX', /^2 OK .*\r\n/m);
    const announced = async (tag: number): Promise<{ size: number; came: number }> => {
      const said = await raw.ask(`${tag} FETCH 1 BODY.PEEK[]`, new RegExp(`^${tag} OK .*\r\n`, 'm'));
      const [head, size] = /^\* 1 FETCH \(BODY\[\] \{(\d+)\}\r\n/.exec(said)!;
      return { size: Number(size), came: said.indexOf(`)\r\n${tag} OK`) - head.length };
    };
    const wrong = await announced(3);
    expect(wrong.size).toBe(wrong.came + 7);
    const right = await announced(4);
    expect(right.size).toBe(right.came);
    expect(right.came).toBe(wrong.came);
  });

  test('SELECT brings a new UIDVALIDITY, for good', async () => {
    await send('alice@glass.localhost');
    const validity = async (): Promise<number> => {
      const raw = await imap();
      return Number(/UIDVALIDITY (\d+)/.exec(await raw.ask('2 SELECT INBOX', /^2 OK .*\r\n/m))![1]);
    };
    const first = await validity();
    await rule({ where: { mailbox: 'INBOX' }, what: { type: 'new-uidvalidity' }, times: 1 });
    const second = await validity();
    expect(second).toBeGreaterThan(first);
    expect(await validity()).toBe(second);
  });

  test('a mailbox is read-only', async () => {
    await send('alice@glass.localhost');
    await rule({ where: { mailbox: 'INBOX' }, what: { type: 'read-only' } });
    const raw = await imap();
    expect(await raw.ask('2 SELECT INBOX', /^2 OK .*\r\n/m)).toContain('2 OK [READ-ONLY]');
    await raw.ask('3 STORE 1 +FLAGS (\\Deleted)', /^3 NO \[NOPERM\] .*\r\n/m);
    await raw.ask('4 EXPUNGE', /^4 NO \[NOPERM\] .*\r\n/m);
    await raw.ask('5 APPEND INBOX {1+}\r\nx', /^5 NO \[NOPERM\] .*\r\n/m);
    await raw.ask('6 COPY 1 INBOX', /^6 NO \[NOPERM\] .*\r\n/m);
    await raw.ask('7 COPY 1 Sent', /^7 OK .*\r\n/m);
    expect(await (await imap()).ask('2 SELECT Sent', /^2 OK .*\r\n/m)).toContain('READ-WRITE');
    const client = imapClient();
    await client.connect();
    expect((await client.mailboxOpen('INBOX')).readOnly).toBe(true);
    await client.logout();
  });

  test('a full mailbox: APPEND, COPY and MOVE are NO [OVERQUOTA]', async () => {
    await send('bob@glass.localhost');
    await rule({ where: { mailbox: 'Archive*' }, whom: { login: 'bob@*' }, what: { type: 'full-mailbox' } });
    const raw = await imap('bob');
    await raw.ask('2 SELECT INBOX', /^2 OK .*\r\n/m);
    await raw.ask('3 APPEND Archive {1+}\r\nx', /^3 NO \[OVERQUOTA\] Archive is full\r\n/m);
    await raw.ask('4 COPY 1 Archive', /^4 NO \[OVERQUOTA\] .*\r\n/m);
    await raw.ask('5 UID MOVE 1 Archive', /^5 NO \[OVERQUOTA\] .*\r\n/m);
    await raw.ask('6 COPY 1 Sent', /^6 OK .*\r\n/m);
    const other = await imap('alice');
    await other.ask('2 APPEND Archive {1+}\r\nx', /^2 OK .*\r\n/m);
  });

  test('whom: the name that ID tells', async () => {
    await rule({ where: { command: 'NOOP' }, whom: { client: 'thunder*' }, what: { type: 'refuse' } });
    const raw = await imap();
    await raw.ask('2 NOOP', /^2 OK .*\r\n/);
    await raw.ask('3 ID ("name" "Thunderbird")', /^3 OK .*\r\n/m);
    await raw.ask('4 NOOP', /^4 NO .*\r\n/);
  });
});

describe('POP3', () => {
  test('commands and the greeting are refused', async () => {
    const raw = await pop3();
    const made = await rule({
      where: { command: 'STAT' },
      what: { type: 'refuse', code: 'SYS/TEMP', text: 'Not now' },
      times: 1,
    });
    await raw.ask('STAT', /^-ERR \[SYS\/TEMP\] Not now\r\n/);
    await raw.ask('STAT', /^\+OK .*\r\n/);
    await rule({ where: { at: 'greeting', protocol: 'pop3' }, what: { type: 'refuse', text: 'Closed' } });
    expect(await Raw.connect('pop3').end()).toEqual(['fin', '-ERR Closed\r\n']);
    expect(await hits(made)).toBe(1);
    expect((await faultsSeen('pop3')).at(0)).toEqual({ type: 'fault', rule: made.id, effect: 'refuse', at: 'command' });
  });

  test('a message breaks off', async () => {
    await send('alice@glass.localhost');
    await rule({ where: { at: 'fetch' }, what: { type: 'cut', when: 'middle', octets: 50 } });
    const raw = await pop3();
    raw.say('RETR 1');
    const [how, text] = await raw.end();
    expect([how, text.length]).toEqual(['fin', 50]);
  });

  test('node-pop3 is refused a message', async () => {
    await send('alice@glass.localhost');
    await rule({ where: { at: 'fetch' }, what: { type: 'refuse', text: 'It is on fire' } });
    const client = new Pop3Command({
      host: '127.0.0.1',
      port: stack.port('pop3'),
      user: 'alice',
      password: 'glass',
      timeout: 5000,
    });
    await expect(client.RETR(1)).rejects.toThrow('It is on fire');
    await client.QUIT();
  });

  test('capabilities are hidden; UIDL changes with UIDVALIDITY', async () => {
    await send('alice@glass.localhost');
    await rule({ what: { type: 'hide-capability', capability: 'TOP' } });
    const raw = await pop3();
    expect(await raw.ask('CAPA', /^\.\r\n/m)).not.toMatch(/^TOP\r\n/m);
    await raw.ask('TOP 1 0', /^-ERR .*\r\n/);
    const before = await raw.ask('UIDL 1', /^\+OK .*\r\n/);
    await raw.ask('QUIT', /^\+OK .*\r\n/);
    await rule({ what: { type: 'new-uidvalidity' } });
    await (await imap()).ask('2 SELECT INBOX', /^2 OK/m);
    expect(await (await pop3()).ask('UIDL 1', /^\+OK .*\r\n/)).not.toBe(before);
  });

  test('an answer is cut after it has come whole', async () => {
    await rule({ where: { command: 'NOOP' }, what: { type: 'cut', when: 'after', how: 'rst' } });
    const raw = await pop3();
    raw.say('NOOP');
    expect(await raw.end()).toEqual(['reset', expect.stringMatching(/^\+OK.*\r\n$/)]);
  });
});

describe('connections', () => {
  test('are cut before anything is said, and when so many octets have passed', async () => {
    await rule({ where: { at: 'connection', service: 'pop3' }, what: { type: 'cut', how: 'rst' } });
    await rule({ where: { octets: 10, service: 'imap' }, what: { type: 'cut' } });
    await rule({ where: { octets: 20, direction: 'in', service: 'smtp' }, what: { type: 'cut', how: 'rst' } });
    expect(await Raw.connect('pop3').end()).toEqual(['reset', '']);
    const [how, text] = await Raw.connect('imap').end();
    expect([how, text.length]).toEqual(['fin', 10]);
    const raw = Raw.connect('smtp');
    await raw.hear(/^220 .*\r\n/);
    raw.say('NOOP\r\nNOOP this is too much');
    expect((await raw.end())[0]).toBe('reset');
    expect(await faultsSeen('imap')).toMatchObject([{ effect: 'cut', at: 'octets' }]);
  });

  test('are slow, both ways, also under TLS', async () => {
    await send('alice@glass.localhost');
    await rule({ where: { at: 'fetch' }, what: { type: 'slow', octetsPerSecond: 2000 } });
    const client = imapClient('alice@glass.localhost', 'glass', {
      port: stack.port('imaps'),
      secure: true,
      tls: { rejectUnauthorized: false },
    });
    await client.connect();
    await client.mailboxOpen('INBOX');
    const before = performance.now();
    const message = await client.fetchOne('1', { source: true });
    const { length } = (message as { source: Buffer }).source;
    expect(length).toBeGreaterThan(300);
    expect(performance.now() - before).toBeGreaterThan((length / 2000) * 1000 * 0.8);
    client.close();
    await rule({ where: { at: 'connection', service: 'smtp' }, what: { type: 'slow', octetsPerSecond: 1000 } });
    const raw = await smtp();
    const start_ = performance.now();
    raw.say(`NOOP ${'x'.repeat(200)}\r\nRSET`);
    await raw.hear(/Flushed\r\n/);
    expect(performance.now() - start_).toBeGreaterThan(150);
  });

  test('a certificate has expired; the same authority signed it', async () => {
    const ca = await (await fetch(`${url}/ca.pem`)).text();
    const connect = async (servername?: string): Promise<string> => {
      const socket = connectTls({
        host: '127.0.0.1',
        port: stack.port('imaps'),
        ca,
        ...(servername !== undefined && { servername }),
      });
      sockets.push(socket);
      return new Promise((resolve) => {
        socket.once('secureConnect', () => resolve('trusted'));
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      });
    };
    expect(await connect('localhost')).toBe('trusted');
    const made = await rule({ what: { type: 'expired-certificate' }, times: 2 });
    expect(await connect('localhost')).toBe('CERT_HAS_EXPIRED');
    expect(await connect()).toBe('CERT_HAS_EXPIRED');
    expect(await connect('localhost')).toBe('trusted');
    await rule({ whom: { serverName: 'other.test' }, what: { type: 'expired-certificate' } });
    expect(await connect('localhost')).toBe('trusted');
    expect(await connect('other.test')).toBe('CERT_HAS_EXPIRED');
    expect(await hits(made)).toBe(2);
  });

  test.each(['before', 'middle', 'after'] as const)('a handshake is cut: %s', async (when) => {
    await rule({ where: { at: 'tls' }, what: { type: 'cut', when, how: 'rst' } });
    const client = imapClient('alice', 'glass', {
      port: stack.port('imaps'),
      secure: true,
      tls: { rejectUnauthorized: false },
    });
    await expect(client.connect()).rejects.toThrow();
    const starttls = imapClient('alice', 'glass', { doSTARTTLS: true, tls: { rejectUnauthorized: false } });
    await expect(starttls.connect()).rejects.toThrow();
    await imap();
  });
});

describe('rules', () => {
  test.each([
    [{}, 'what'],
    [{ what: { type: 'explode' } }, 'what.type'],
    [{ what: { type: 'delay' } }, 'what.ms'],
    [{ what: { type: 'refuse', code: '250' } }, 'what.code'],
    [{ what: { type: 'refuse', text: 'two\r\nlines' } }, 'what.text'],
    [{ where: { at: 'idle' }, what: { type: 'greylist' } }, 'where.at'],
    [{ where: { at: 'tls', command: 'NOOP' }, what: { type: 'cut' } }, 'where.command'],
    [{ where: { at: 'connection' }, whom: { login: 'alice' }, what: { type: 'cut' } }, 'whom.login'],
    [{ what: { type: 'cut', octets: 5 } }, 'what.octets'],
    [{ what: { type: 'cut' }, share: 2 }, 'share'],
    [{ what: { type: 'cut' }, nth: 2, times: 3 }, 'nth'],
    [{ what: { type: 'cut' }, whon: {} }, 'whon'],
    [{ where: { at: 'octets' }, what: { type: 'cut' } }, 'where.octets'],
  ])('%j is refused, and the answer names %s', async (draft, field) => {
    const { status, body } = await api<{ detail: string }>('POST', '/api/glass/faults', draft);
    expect(status).toBe(400);
    expect(body.detail).toContain(field);
  });

  test('are listed, replaced and removed', async () => {
    const made = await rule({ name: 'slow noop', where: { command: 'noop' }, what: { type: 'delay', ms: 1 } });
    expect(made).toEqual({
      id: made.id,
      name: 'slow noop',
      scope: null,
      where: { at: 'command', command: 'NOOP' },
      whom: {},
      what: { type: 'delay', ms: 1 },
      skip: 0,
      times: null,
      share: 1,
      seed: 1,
      matches: 0,
      hits: 0,
      on: true,
    });
    await rule({ what: { type: 'greylist' } });
    expect((await api<FaultList>('GET', '/api/glass/faults')).body.faults).toHaveLength(2);
    const changed = await api<Fault>('PUT', `/api/glass/faults/${made.id}`, { what: { type: 'read-only' } });
    expect(changed.body).toMatchObject({ id: made.id, where: { at: 'mailbox' }, name: null });
    expect((await api('DELETE', `/api/glass/faults/${made.id}`)).status).toBe(204);
    expect((await api('DELETE', `/api/glass/faults/${made.id}`)).status).toBe(404);
    expect((await api('GET', '/api/glass/faults/99')).status).toBe(404);
    expect((await api('DELETE', '/api/glass/faults')).body).toEqual({ count: 1 });
  });

  test('hit a share, the same ones for the same seed', async () => {
    const runs: string[] = [];
    for (const seed of [7, 7, 8]) {
      await rule({ where: { command: 'NOOP' }, what: { type: 'refuse', code: '451' }, share: 0.5, seed });
      const raw = await smtp();
      let run = '';
      for (let i = 0; i < 18; i++) run += (await raw.ask('NOOP', REPLY)).slice(0, 1);
      runs.push(run);
      await api('DELETE', '/api/glass/faults');
    }
    expect(runs[0]).toBe(runs[1]);
    expect(runs[0]).not.toBe(runs[2]);
    expect(runs[0]).toMatch(/2/);
    expect(runs[0]).toMatch(/4/);
  });

  test('come from a file; a wrong one stops the start, and the line says where', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'glassmail-faults-'));
    const file = join(folder, 'rules.json');
    try {
      await writeFile(file, JSON.stringify([{ where: { command: 'NOOP' }, what: { type: 'refuse', code: '451' } }]));
      await restart('--faults', file);
      await (await smtp()).ask('NOOP', /^451 .*\r\n/);
      const good = { what: { type: 'greylist' } };
      await writeFile(file, JSON.stringify({ rules: [good, { name: 'slow', what: { type: 'delay', ms: 0 } }] }));
      await expect(startTestStack('--faults', file)).rejects.toThrow(
        new RegExp(`^--faults ${file}: rule 2 \\("slow"\\), what\\.ms: `),
      );
      await writeFile(file, '[{');
      await expect(startTestStack('--faults', file)).rejects.toThrow(/not JSON/);
      await expect(startTestStack('--faults', join(folder, 'none'))).rejects.toThrow(/ENOENT/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("a scope's rules are its own, and concern nobody else", async () => {
    const open = async (): Promise<MadeScope> => (await api<MadeScope>('POST', '/api/glass/scopes', {})).body;
    const [one, two] = [await open(), await open()];
    const made = await rule({ where: { command: 'RCPT' }, what: { type: 'refuse', code: '550' } }, one.token);
    expect(made.scope).toBe(one.id);
    await rule({ where: { command: 'NOOP' }, what: { type: 'refuse' } }, one.token);
    await expect(send(`x@${one.domain}`)).rejects.toMatchObject({ responseCode: 550 });
    await send(two.address);
    await send('alice@glass.localhost');
    // A recipient of the scope is refused, and another one of the same message is not.
    expect((await send(`${two.address}, x@${one.domain}`)).rejected).toEqual([`x@${one.domain}`]);
    await (await imap(one.address, one.password)).ask('2 NOOP', /^2 NO .*\r\n/);
    await (await imap()).ask('2 NOOP', /^2 OK/);
    const list = async (token?: string): Promise<number> =>
      (await api<FaultList>('GET', '/api/glass/faults', undefined, token)).body.faults.length;
    expect([await list(one.token), await list(two.token), await list()]).toEqual([2, 0, 2]);
    for (const method of ['GET', 'DELETE'])
      expect((await api(method, `/api/glass/faults/${made.id}`, undefined, two.token)).status).toBe(404);
    expect((await api('DELETE', '/api/glass/faults', undefined, two.token)).body).toEqual({ count: 0 });
    const early = { where: { at: 'connection' }, what: { type: 'cut' } };
    expect((await api('POST', '/api/glass/faults', early, one.token)).status).toBe(400);
    await rule({ what: { type: 'duplicate' } });
    await api('DELETE', `/api/glass/scopes/${one.id}`);
    expect(await list()).toBe(1);
  });
});
