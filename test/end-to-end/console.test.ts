/** The hands-on console: typing into our own listeners, and what it must not do. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type ConsoleLimits, createConsoles } from '../../src/http/console.ts';
import type { HttpParts } from '../../src/http/parts.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { ConsoleClient } from '../console-client.ts';

let stack: TestStack;
let port: number;

beforeAll(async () => {
  stack = await startTestStack();
  port = stack.port('http');
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  expect(stack.logged).toEqual([]);
});

describe('a session', () => {
  test('sends a message by hand, with hints at each state', async () => {
    using page = await ConsoleClient.open(port, 'smtp');
    expect(await page.next('opened')).toMatchObject({ service: 'smtp', port: stack.port('smtp'), verified: true });
    const greeting = await page.until('command');
    expect(greeting.spoken).toMatchObject([{ side: 'server', text: expect.stringMatching(/^220 /) as string }]);
    expect(usual(greeting.hints)).toEqual(['EHLO', 'QUIT']);
    const ehlo = await page.line('EHLO me');
    expect(ehlo.standing).toMatchObject({
      state: 'greeted',
      announced: expect.arrayContaining(['PIPELINING']) as string[],
    });
    expect(usual(ehlo.hints)).toContain('MAIL');
    expect(ehlo.hints.map(({ command }) => command)).not.toContain('STARTTLS'); // this port does not offer it
    expect(usual((await page.line('MAIL FROM:<me@app.test>')).hints)).toEqual(['RCPT', 'RSET', 'QUIT']);
    expect(usual((await page.line('RCPT TO:<alice@glass.localhost>')).hints)).toContain('DATA');
    expect((await page.line('DATA', 'message')).hints).toEqual([]);
    page.say({ type: 'send', text: 'Subject: by hand\r\n\r\n..dots\r\n.\r\n' });
    expect((await page.until('command')).standing.state).toBe('greeted');
    const { length } = (await stack.store.listTransactions({}, { start: 0, limit: 10 })).items;
    expect(length).toBe(1);
    page.say({ type: 'send', text: 'QUIT\r\n' });
    expect(await page.next('ended')).toMatchObject({ reason: 'server' });
  });

  test('shows up in the wire as any other, with a link to it', async () => {
    using page = await ConsoleClient.open(port, 'pop3');
    const { id } = await page.next('conversation');
    const found = stack.recorder.find(id);
    expect(found).toMatchObject({ service: 'pop3', role: 'server', id });
    await page.until('command');
    await page.line('CAPA');
    // Its own side is recorded nowhere else.
    expect(stack.recorder.list().filter(({ service }) => service === 'console')).toEqual([]);
  });

  test.each([
    ['submission', 'EHLO me', 'STARTTLS'],
    ['imap', '', 'a1 STARTTLS'],
    ['pop3', '', 'STLS'],
  ] as const)('goes on under TLS after STARTTLS: %s', async (service, first, command) => {
    using page = await ConsoleClient.open(port, service);
    await page.until('command');
    if (first !== '') await page.line(first);
    page.say({ type: 'send', text: `${command}\r\n` });
    const tls = await page.next('tls');
    expect(tls).toMatchObject({ step: 'end', version: 'TLSv1.3' });
    const after = await page.until('command');
    expect(after.standing).toMatchObject({ secure: true, announced: null });
    expect(after.hints.map((hint) => hint.command)).not.toContain('STARTTLS');
    const noop = await page.line(service === 'imap' ? 'a2 NOOP' : service === 'pop3' ? 'CAPA' : 'EHLO again');
    expect(noop.spoken.every(({ seq }) => seq > tls.seq)).toBe(true);
  });

  test('begins with TLS where it is asked for, and trusts our own authority', async () => {
    using page = await ConsoleClient.open(port, 'imap', 'at-once');
    expect(await page.next('opened')).toMatchObject({ service: 'imaps', verified: true });
    expect(await page.next('tls')).toMatchObject({ step: 'end', detail: null });
    expect((await page.until('command')).standing.secure).toBe(true);
  });

  test('counts tags, follows states and hides passwords', async () => {
    using page = await ConsoleClient.open(port, 'imap');
    expect((await page.until('command')).standing.nextTag).toBe('a1');
    const login = await page.line('a1 LOGIN alice glass');
    expect(login.standing).toMatchObject({ state: 'authenticated', nextTag: 'a2' });
    expect(JSON.stringify(page.messages)).not.toContain('alice glass');
    const selected = await page.line('a2 SELECT INBOX');
    expect(selected.standing).toMatchObject({ state: 'selected', mailbox: 'INBOX' });
    expect(usual(selected.hints)).toContain('FETCH');
    expect((await page.line('a3 IDLE', 'idle')).hints.map(({ command }) => command)).toEqual(['DONE']);
    await page.line('DONE');
    expect((await page.line('a4 SELECT Nothing')).standing).toMatchObject({ state: 'authenticated', mailbox: null });
    const literal = await page.line('a5 APPEND INBOX {12}', 'octets');
    expect(literal.standing.expects).toEqual({ type: 'octets', octets: 12 });
    page.say({ type: 'send', text: 'Subject: x\r\n\r\n' });
    expect((await page.until('command')).standing.state).toBe('authenticated');
    expect(page.heard().at(-1)).toMatch(/^a5 OK/);
  });

  test('asks for an answer in base64', async () => {
    using page = await ConsoleClient.open(port, 'imap');
    await page.until('command');
    expect((await page.line('a1 AUTHENTICATE PLAIN', 'sasl')).standing.expects).toMatchObject({ mechanism: 'PLAIN' });
    const answer = Buffer.from('\0alice@glass.localhost\0glass').toString('base64');
    expect((await page.line(answer)).standing.state).toBe('authenticated');
    expect(JSON.stringify(page.messages)).not.toContain(answer);
  });

  test('takes octets that are no text', async () => {
    using page = await ConsoleClient.open(port, 'smtp');
    await page.until('command');
    page.say({ type: 'send', text: 'EHLO \u00ff\r\n', charset: 'octets' });
    await page.until('command');
    expect(page.heard().at(-1)).toMatch(/^500 /);
    page.say({ type: 'send', text: 'EHLO \u0100\r\n', charset: 'octets' });
    expect((await page.next('error')).detail).toContain('one octet');
  });
});

describe('it is refused', () => {
  test.each([
    ['a page of another site', { Origin: 'https://evil.test' }, 403],
    ['a frame without an origin', { Origin: 'null' }, 403],
    ['a cross-site request', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['another name for this machine', { Host: 'evil.example' }, 421],
    ['a wrong token', { Authorization: 'Bearer nonsense' }, 401],
  ])('to %s', async (_who, headers, status) => {
    const before = stack.recorder.list().length;
    using page = new ConsoleClient(port, headers);
    expect(await page.closed).toBe(status);
    expect(stack.recorder.list().filter(({ service }) => service === 'smtp').length).toBeLessThanOrEqual(before);
  });

  test('to the token of a test scope', async () => {
    const made = await fetch(`http://127.0.0.1:${port}/api/glass/scopes`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    });
    const { token } = (await made.json()) as { token: string };
    using page = new ConsoleClient(port, { Authorization: `Bearer ${token}` });
    expect(await page.closed).toBe(403);
  });

  test('in domain mode without the login', async () => {
    await using site = await startTestStack('--domains', 'red.test', '--http-auth', 'me:secret');
    using stranger = new ConsoleClient(site.port('http'));
    expect(await stranger.closed).toBe(401);
    using page = await ConsoleClient.open(site.port('http'), 'imap', 'later', {
      Authorization: `Basic ${Buffer.from('me:secret').toString('base64')}`,
    });
    // The recording is off there: the console works all the same.
    expect((await page.until('command')).standing.state).toBe('not-authenticated');
    expect(page.messages.some(({ type }) => type === 'conversation')).toBe(false);
  });
});

describe('bounds', () => {
  test.each([
    ['a service that it does not have', { type: 'open', service: 'https', tls: 'later' }],
    ['an address', { type: 'open', service: 'smtp', tls: 'later', host: '10.0.0.1', port: 25 }],
    ['no service', { type: 'open' }],
    ['nothing that it knows', { type: 'dial' }],
  ])('%s', async (_name, request) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/glass/console`);
    await once(socket, 'open');
    socket.send(JSON.stringify(request));
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(data.toString())).toMatchObject({ type: 'error' });
    socket.terminate();
  });

  test('octets that are no JSON, and commands before a session, get an error', async () => {
    using page = new ConsoleClient(port);
    await once(page.socket, 'open');
    page.socket.send('{');
    page.socket.send(Buffer.from([0, 1, 2]));
    page.say({ type: 'send', text: 'EHLO me\r\n' });
    for (let i = 0; i < 3; i++) await page.next('error');
    page.say({ type: 'open', service: 'smtp', tls: 'later' });
    await page.until('command');
    page.say({ type: 'open', service: 'imap', tls: 'later' });
    expect((await page.next('error')).detail).toContain('one session');
  });

  test('a service that has no such port, or is off, is told so', async () => {
    await using other = await startTestStack('--pop3-port', 'off');
    using off = await ConsoleClient.open(other.port('http'), 'pop3');
    expect(await off.next('ended')).toMatchObject({ reason: 'unreachable', detail: 'pop3 is switched off' });
    using none = await ConsoleClient.open(other.port('http'), 'smtp', 'at-once');
    expect(await none.next('ended')).toMatchObject({ reason: 'unreachable' });
  });

  test('a message of more than a megabyte ends it', async () => {
    using page = await ConsoleClient.open(port, 'smtp');
    await page.until('command');
    page.socket.send('x'.repeat(2_000_000));
    expect(await page.closed).toBe(1009);
  });

  test('octets, time and sessions are limited, and the server goes on', async () => {
    await using consoles = await startConsoles({ octets: 3000, sessionMs: 60_000, sessions: 2 });
    using first = await ConsoleClient.open(consoles.port, 'smtp');
    await first.until('command');
    using second = await ConsoleClient.open(consoles.port, 'smtp');
    await second.until('command');
    using third = await ConsoleClient.open(consoles.port, 'smtp');
    expect(await third.closed).toBe(1013);
    first.say({ type: 'send', text: `NOOP ${'x'.repeat(4000)}\r\n` });
    expect(await first.next('ended')).toMatchObject({ reason: 'octets' });
    expect(await first.closed).toBe(1000);
    await second.line('EHLO still here');
    using fourth = await ConsoleClient.open(consoles.port, 'smtp');
    await fourth.until('command');
    await using hasty = await startConsoles({ sessionMs: 50 });
    using late = await ConsoleClient.open(hasty.port, 'smtp');
    expect(await late.next('ended')).toMatchObject({ reason: 'time' });
  });

  test('the server stops: it says so', async () => {
    const site = await startTestStack();
    using page = await ConsoleClient.open(site.port('http'), 'imap');
    await page.until('command');
    await site[Symbol.asyncDispose]();
    const last = page.messages.at(-1);
    expect(last).toMatchObject({ type: 'ended' });
    expect(site.logged).toEqual([]);
  });
});

/** The console with limits that a test can reach, on a port of its own. */
async function startConsoles(limits: Partial<ConsoleLimits>): Promise<AsyncDisposable & { readonly port: number }> {
  const services = () => ({ smtp: { address: '127.0.0.1', port: stack.port('smtp') } });
  const unused = undefined as never;
  const parts: HttpParts = {
    store: stack.store,
    notifier: unused,
    recorder: stack.recorder,
    mode: 'capture',
    domains: [],
    defaultDomain: 'glass.localhost',
    maximumMessageOctets: 1000,
    token: '',
    hosts: [],
    version: '',
    dataFolder: '',
    services,
    passwordRecord: unused,
    ready: () => true,
    log: (_level, message, cause) => {
      throw new Error(message, { cause });
    },
  };
  const consoles = createConsoles(parts, limits);
  const server = createServer();
  server.on('upgrade', (request, socket, head) => consoles.upgrade(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      consoles.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

test('whoever leaves ends the connection', async () => {
  const page = await ConsoleClient.open(port, 'imap');
  const { id } = await page.next('conversation');
  page.socket.terminate();
  const conversation = stack.recorder.find(id);
  if (conversation === undefined || conversation === 'gone') throw new Error('it is kept');
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (conversation.closedAt === undefined) return;
      end();
      resolve();
    };
    const end = stack.recorder.watch(look);
    look();
  });
  expect(conversation.closedBy).toBe('peer');
});

test('plain HTTP is told what this is', async () => {
  expect((await fetch(`http://127.0.0.1:${port}/api/glass/console`)).status).toBe(426);
  const socket = connect(port, '127.0.0.1');
  socket.end('GET /api/glass/console HTTP/1.0\r\n\r\n');
  const [octets] = (await once(socket, 'data')) as [Buffer];
  expect(octets.toString()).toContain('426');
});

const usual = (hints: readonly { readonly command: string; readonly usual: boolean }[]): string[] =>
  hints.filter((hint) => hint.usual).map(({ command }) => command);
