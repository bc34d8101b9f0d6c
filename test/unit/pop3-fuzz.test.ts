/**
 * POP3 connections that say anything: random octets, commands cut short, TLS at the wrong time. None of it may end the
 * server, be logged as a fault, or keep a connection or the maildrop; and another client is served meanwhile.
 */
import { readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { fc } from '../property.ts';
import { expect, it } from 'vitest';
import { LoginThrottle } from '../../src/sasl/throttle.ts';
import { clientHello } from '../client-hello.ts';
import { FewMessages, start, until, type Server } from './pop3-harness.ts';

const MESSAGES = ['Subject: a\r\n\r\nb\r\n', Buffer.from('Subject: ü\n\n.\n..\xff', 'latin1'), ''];

/** Failed logins are not held back: time is not what is tested here. */
const options = { loginThrottle: new LoginThrottle({ free: Infinity }), idleMs: 2000 };

/** Says all this in these pieces, then closes its side or leaves; resolves when the server has ended the connection. */
async function say(server: Server, pieces: readonly Uint8Array[], leaves: 'ends' | 'resets'): Promise<string> {
  const socket = connectTcp(server.port, '127.0.0.1');
  let said = '';
  socket.setEncoding('latin1').on('data', (text: string) => (said += text));
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.once('connect', resolve));
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (leaves === 'ends') socket.end();
  else socket.resetAndDestroy();
  await closed;
  return said;
}

async function survives(
  pieces: fc.Arbitrary<readonly Uint8Array[]>,
  numRuns: number,
  check: (said: string) => void = () => undefined,
): Promise<void> {
  await using server = await start(new FewMessages(...MESSAGES), options);
  const leaves = fc.constantFrom('ends' as const, 'ends' as const, 'resets' as const);
  await fc.assert(
    fc.asyncProperty(pieces, leaves, async (octets, manner) => {
      check(await say(server, octets, manner));
      await until(() => server.open === 0 && !server.few.locked);
      const other = await server.session();
      await other.says('NOOP', '+OK');
      await other.says('QUIT', '+OK');
      await until(() => server.open === 0);
    }),
    { numRuns },
  );
  expect(server.logged).toEqual([]);
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const word = fc.constantFrom(
  ...[
    'USER alice',
    'PASS glass',
    'AUTH',
    'AUTH PLAIN',
    'AUTH LOGIN',
    'AUTH SCRAM-SHA-256',
    'AGFsaWNlAGdsYXNz',
    '*',
    '=',
  ],
  ...['STAT', 'LIST', 'UIDL', 'RETR', 'TOP', 'DELE', 'RSET', 'NOOP', 'CAPA', 'UTF8', 'LANG', 'LANG *', 'APOP', 'QUIT'],
  ...[' ', '  ', '1', '2', '3', '4', '0', '-1', '99999999999', 'biwsbj1hbGljZSxyPWFiYw==', '\0', '\r', '\xff', '\t'],
);
const lineEnd = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r', '');
const dialogue = fc
  .array(fc.tuple(fc.array(word, { maxLength: 4 }), lineEnd), { maxLength: 14 })
  .map((lines) => lines.map(([words, end]) => words.join(' ') + end).join(''));
const LOGIN = 'USER alice\r\nPASS glass\r\n';

/** Cut at places that nobody has thought of. */
const cut = (text: fc.Arbitrary<string>): fc.Arbitrary<readonly Uint8Array[]> =>
  fc.tuple(text, fc.array(fc.nat(400), { maxLength: 4 })).map(([whole, places]) => {
    const at = [0, ...places.filter((place) => place < whole.length).sort((a, b) => a - b), whole.length];
    return at.slice(1).map((end, i) => latin1(whole.slice(at[i], end)));
  });

it('random octets', () => survives(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 4 }), 60));

it('words of the protocol in any order, cut anywhere', () => survives(cut(dialogue), 100));

it('the same after a login', () =>
  survives(
    cut(dialogue.map((text) => LOGIN + text)),
    100,
    // Every line of the server is a response, part of a listing, or a line of a message.
    (said) => expect(said.split('\r\n').slice(0, -1).join('\n')).not.toContain('\r'),
  ));

it('a session cut off after each of its octets', async () => {
  const whole = `${LOGIN}UTF8\r\nSTAT\r\nLIST 1\r\nRETR 2\r\nTOP 1 1\r\nUIDL\r\nDELE 1\r\nRSET\r\nLANG en\r\nCAPA\r\n`;
  await using server = await start(new FewMessages(...MESSAGES), options);
  for (let end = 0; end <= whole.length; end += 3) {
    await say(server, [latin1(whole.slice(0, end))], end % 2 === 0 ? 'ends' : 'resets');
  }
  await until(() => server.open === 0 && !server.few.locked);
  expect(server.few.messages.size).toBe(3);
  expect(server.logged).toEqual([]);
});

it('TLS where there is none yet, and something else where TLS should begin', async () => {
  const hello = await clientHello();
  expect(hello[0]).toBe(0x16);
  const text = hello.toString('latin1');
  const before = fc.constantFrom(
    '',
    'CAPA\r\n',
    'USER alice\r\n',
    LOGIN,
    'AUTH PLAIN\r\n',
    'STLS\r\n',
    'STLS\r\nCAPA\r\n',
  );
  const begun = fc.oneof(
    fc.constantFrom(text, text + text, 'CAPA\r\nQUIT\r\n', '\x16\x03', '\x15\x03\x01\x00\x02\x02\x46', 'STLS\r\n'),
    // A hello with an octet that is wrong, or its rest missing.
    fc.tuple(fc.nat(text.length - 1), fc.nat(255)).map(([at, octet]) => {
      return text.slice(0, at) + String.fromCharCode(octet) + text.slice(at + 1);
    }),
    fc.nat(text.length).map((end) => text.slice(0, end)),
    fc.uint8Array({ maxLength: 100 }).map((octets) => Buffer.from(octets).toString('latin1')),
  );
  const said = fc.tuple(before, begun, begun).map((pieces) => pieces.map(latin1));
  await survives(said, 80);
});

it('anything inside TLS', async () => {
  await using server = await start(new FewMessages(...MESSAGES), options);
  await fc.assert(
    fc.asyncProperty(fc.oneof(dialogue, fc.constantFrom('STLS\r\nSTLS\r\n', '\x16\x03\x01')), async (text) => {
      const peer = await server.connect();
      await peer.says('STLS', '+OK');
      await peer.startTls();
      peer.send(text);
      peer.send('\r\n*\r\nQUIT\r\nQUIT\r\n');
      expect(await peer.rest()).toMatch(/\+OK Good-bye|-ERR \[SYS\/TEMP\] Too many|-ERR \[AUTH\]/);
      await until(() => server.open === 0 && !server.few.locked);
    }),
    { numRuns: 40 },
  );
  expect(server.logged).toEqual([]);
});

it('what is tested here is in the list of commands', async () => {
  const table = await readFile(new URL('../../src/pop3/commands/table.ts', import.meta.url), 'utf8');
  const commands = [...table.matchAll(/\['(\w+)', \w+\]/g)].map(([, name]) => name!);
  const tried = fc.sample(word, { numRuns: 2000, seed: 1 }).map((text) => text.split(' ')[0]);
  expect(commands.filter((name) => name !== 'STLS' && !tried.includes(name))).toEqual([]);
});
