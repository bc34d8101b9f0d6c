/**
 * IMAP connections that say anything: random octets, commands cut short, dialogues with mistakes, TLS at the wrong time.
 * None of it may end the server or be logged as a fault, whatever is answered is well formed, and others are served meanwhile.
 */
import { connect, type Socket } from 'node:net';
import { fc } from '../property.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LoginThrottle } from '../../src/sasl/throttle.ts';
import { clientHello } from '../client-hello.ts';
import { awkwardOctets } from '../clients/awkward-messages.ts';
import { tokensOf, WireClient, wholeResponses } from '../clients/imap-wire.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { serve, type ImapServer } from './imap-harness.ts';

/** Its failed logins are not held back: time is not what is tested here. */
let server: ImapServer;
/** With certificates. */
let stack: TestStack;
let others: WireClient[];

beforeAll(async () => {
  server = await serve(() => ({ loginThrottle: new LoginThrottle({ free: Infinity }) }));
  stack = await startTestStack();
  others = [await WireClient.open(server.listener.port), await WireClient.open(stack.port('imap'))];
  for (const other of others) {
    await other.command('LOGIN alice glass');
    await other.command('CREATE Quiet');
    await other.command('SELECT Quiet');
  }
});
afterAll(async () => {
  for (const other of others) await other[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Says all this, then closes its side or leaves. @returns what the server said until it ended the connection */
async function say(port: number, pieces: readonly Uint8Array[], leaves: 'ends' | 'resets' = 'ends'): Promise<string> {
  const socket = connect(port, '127.0.0.1');
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

async function othersAreServed(): Promise<void> {
  for (const other of others) expect((await other.command('NOOP')).completion).toMatch(/^OK/);
  expect(server.logged).toEqual([]);
  expect(stack.logged).toEqual([]);
}

/** Responses one after the other, each of which can be read; the last may be cut off. */
function isWellFormed(said: string): void {
  for (const response of wholeResponses(Buffer.from(said, 'latin1'))) {
    expect(response).toMatch(/^(\* |\+ |[^\x00-\x20\x7f-\xff(){%*"\\+]+ (OK|NO|BAD) )/);
    if (/^\* (?!OK|NO|BAD|BYE)/.test(response)) tokensOf(response.slice(2));
  }
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const leaves = fc.constantFrom('ends' as const, 'ends' as const, 'resets' as const);

/** Cut at places that nobody has thought of. */
const cut = (text: fc.Arbitrary<string>): fc.Arbitrary<readonly Uint8Array[]> =>
  fc.tuple(text, fc.array(fc.nat(600), { maxLength: 4 })).map(([whole, places]) => {
    const at = [0, ...places.filter((place) => place < whole.length).sort((a, b) => a - b), whole.length];
    return at.slice(1).map((end, i) => latin1(whole.slice(at[i], end)));
  });

/** Checks as many as there is time for; the one that the time runs out on is waited for. */
async function checkFor<Value>(
  milliseconds: number,
  values: fc.Arbitrary<Value>,
  check: (value: Value) => Promise<void>,
): Promise<void> {
  let runs = 0;
  let last: Promise<void> | undefined;
  await fc.assert(
    fc.asyncProperty(values, (value) => {
      runs++;
      return (last = check(value));
    }),
    { numRuns: 100_000, interruptAfterTimeLimit: milliseconds, markInterruptAsFailure: false },
  );
  await last;
  // Hundreds, on a machine at rest.
  expect(runs).toBeGreaterThan(3);
}

function survives(pieces: fc.Arbitrary<readonly Uint8Array[]>, milliseconds: number): Promise<void> {
  return checkFor(milliseconds, fc.tuple(pieces, leaves), async ([octets, manner]) => {
    isWellFormed(await say(server.listener.port, octets, manner));
    await othersAreServed();
  });
}

const LOGIN = 'a LOGIN alice glass\r\n';
const MESSAGE = awkwardOctets('multiparts in multiparts');

/** A session that does a little of everything. */
const DIALOGUE = [
  'b CAPABILITY',
  'c ID ("name" "fuzz" "version" NIL)',
  'd ENABLE CONDSTORE',
  'e CREATE "Fuzz/&APw-"',
  `f APPEND INBOX (\\Seen $a) " 1-Jul-2026 12:00:00 +0200" {${MESSAGE.length}+}\r\n${MESSAGE.toString('latin1')}`,
  'g SELECT INBOX (CONDSTORE)',
  'h FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE MODSEQ)',
  'i FETCH 1 (BODY.PEEK[1.2.MIME] BODY[HEADER.FIELDS (Subject "From")]<0.20> BINARY.PEEK[2] BINARY.SIZE[2])',
  'j SEARCH CHARSET UTF-8 OR (SUBJECT {7+}\r\nGr\xc3\xbc\xc3\x9fe UNSEEN) NOT (BODY "html" SINCE 1-Jul-2020)',
  'k UID SEARCH RETURN (SAVE MIN MAX COUNT ALL) 1:* LARGER 10',
  'l UID STORE $ (UNCHANGEDSINCE 100000) +FLAGS.SILENT (\\Deleted)',
  'm COPY 1 "Fuzz/&APw-"',
  'n LIST (SUBSCRIBED RECURSIVEMATCH) "" (% INBOX) RETURN (CHILDREN STATUS (MESSAGES UIDNEXT))',
  'o STATUS INBOX (MESSAGES UNSEEN UIDVALIDITY HIGHESTMODSEQ SIZE)',
  'p IDLE\r\nDONE',
  'q UID EXPUNGE 1:*',
  'q2 SETMETADATA "Fuzz/&APw-" (/private/comment {3+}\r\na\r\n /shared/comment ~{3+}\r\na\0b /private/specialuse NIL)',
  'q3 GETMETADATA (DEPTH infinity MAXSIZE 2) "Fuzz/&APw-" (/private /shared/comment)',
  'q4 LIST "" Fuzz/% RETURN (METADATA (/private/comment "/shared/comment"))',
  'r RENAME "Fuzz/&APw-" Fuzz/other',
  's DELETE Fuzz/other',
  't UID MOVE 1:* Trash',
  'u EXPUNGE',
  'v CLOSE',
  'w LOGOUT',
  '',
].join('\r\n');

const word = fc.constantFrom(
  ...[
    'a',
    'b1',
    '*',
    '+',
    'FETCH',
    'UID FETCH',
    'STORE',
    'UID STORE',
    'SEARCH',
    'UID SEARCH',
    'SORT',
    'THREAD',
    'COPY',
  ],
  ...['MOVE', 'UID', 'EXPUNGE', 'APPEND', 'SELECT', 'EXAMINE', 'CREATE', 'DELETE', 'RENAME', 'LIST', 'LSUB', 'STATUS'],
  ...['NOOP', 'CHECK', 'CLOSE', 'UNSELECT', 'IDLE', 'DONE', 'ENABLE', 'ID', 'NAMESPACE', 'AUTHENTICATE', 'LOGIN'],
  ...[
    'SETACL',
    'DELETEACL',
    'GETACL',
    'LISTRIGHTS',
    'MYRIGHTS',
    'anyone',
    '-alice',
    'lrs',
    '+w',
    '-te',
    '"Other Users/"',
  ],
  ...['INBOX', '""', '"INBOX"', '"a\\', '{5}\r\nINBOX', '{5+}\r\nINBOX', '~{3+}\r\na\0b', '{99999999999}', '{0+}\r\n'],
  ...['1', '1:*', '*', '0', '1,2,3', '4294967296', '$', '-1', '(', ')', '()', '((', '[', ']', '<', '>', '<0.5>', '%'],
  ...['FLAGS', '+FLAGS', '-FLAGS.SILENT', '(\\Seen)', '(\\Seen \\Deleted $x)', '\\*', 'ENVELOPE', 'BODYSTRUCTURE'],
  ...['BODY[]', 'BODY.PEEK[1.1.1]', 'BODY[HEADER.FIELDS (', 'BINARY[1]', 'BINARY.SIZE[2]', '(UID', 'MODSEQ', 'ALL'],
  ...['NOT', 'OR', 'SUBJECT', 'HEADER', 'CHARSET', 'UTF-8', 'RETURN', '(SAVE)', '(MIN MAX)', 'SINCE', '1-Jan-2020'],
  ...['GETMETADATA', 'SETMETADATA', '/private/comment', '(/shared/comment NIL)', '(DEPTH infinity)', 'METADATA'],
  ...['(CONDSTORE)', '(QRESYNC (1 1))', 'CONDSTORE', 'IMAP4rev2', 'QRESYNC', 'UTF8=ACCEPT', 'PLAIN', '=', 'AGEAYg=='],
  ...['\0', '\r', '\xff', '\xc3\xbc', '\t', '&APw-', '&', '/', 'NIL', 'nil', 'x'.repeat(300)],
);
const lineEnd = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r', '');
const anything = fc
  .array(fc.tuple(fc.array(word, { maxLength: 7 }), lineEnd), { maxLength: 14 })
  .map((lines) => lines.map(([words, end]) => words.join(' ') + end).join(''));

/** A text with a few mistakes in it. */
const mistaken = (text: string): fc.Arbitrary<string> =>
  fc
    .array(
      fc.record({
        at: fc.nat(text.length),
        remove: fc.oneof(fc.nat(3), fc.nat(200)),
        insert: fc.oneof(
          fc.constant(''),
          word,
          fc.uint8Array({ maxLength: 5 }).map((octets) => Buffer.from(octets).toString('latin1')),
        ),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((mistakes) =>
      mistakes.reduce((so, { at, remove, insert }) => so.slice(0, at) + insert + so.slice(at + remove), text),
    );

test('random octets', () => survives(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 4 }), 1500));

test('words of the protocol in any order, cut anywhere', () => survives(cut(anything), 1500));

test('the same after a login', () => survives(cut(anything.map((text) => LOGIN + text)), 3000));

test('the same with a mailbox selected', () =>
  survives(cut(anything.map((text) => `${LOGIN}${DIALOGUE.slice(0, DIALOGUE.indexOf('h FETCH'))}${text}`)), 3000));

test('a session with a few mistakes in it', () => survives(cut(mistaken(DIALOGUE).map((text) => LOGIN + text)), 5000));

test('a session that ends anywhere', async () => {
  const whole = `${LOGIN}${DIALOGUE}`;
  const ends = Array.from({ length: 150 }, (_, index) => Math.floor((whole.length * index) / 150));
  for (const end of ends) isWellFormed(await say(server.listener.port, [latin1(whole.slice(0, end))]));
  await othersAreServed();
});

test('a client that asks and never listens', async () => {
  const sockets: Socket[] = [];
  for (let number = 0; number < 10; number++) {
    const socket = connect(server.listener.port, '127.0.0.1').pause();
    socket.on('error', () => undefined);
    socket.write(
      LOGIN + DIALOGUE.slice(0, DIALOGUE.indexOf('h FETCH')) + 'x FETCH 1:* (BODY.PEEK[] ENVELOPE)\r\n'.repeat(2000),
    );
    sockets.push(socket);
  }
  // By then their answers fill all that lies between, and wait.
  for (let times = 0; times < 100; times++) await othersAreServed();
  for (const socket of sockets) socket.resetAndDestroy();
  await othersAreServed();
});

// ------------------------------------------------------------------------------------------------------------ TLS

test('TLS at the wrong time, and something else where TLS should be', async () => {
  const hello = await clientHello();
  const broken = Buffer.from(hello);
  broken.fill(0xff, 20, 60);
  const sessions: readonly [service: 'imap' | 'imaps', ...pieces: (string | Buffer)[]][] = [
    ['imap', hello],
    ['imap', 'a NOOP\r\n', hello],
    ['imap', `${LOGIN}b SELECT INBOX\r\n`, hello],
    ['imap', 'a STARTTLS\r\nb LOGIN alice glass\r\nc SELECT INBOX\r\n'],
    ['imap', 'a STARTTLS\r\n', 'b LOGIN alice glass\r\n'],
    ['imap', 'a STARTTLS\r\n', hello],
    ['imap', 'a STARTTLS\r\n', hello.subarray(0, 50)],
    ['imap', 'a STARTTLS\r\n', broken],
    ['imap', Buffer.concat([latin1('a STARTTLS\r\n'), hello])],
    ['imap', 'a STARTTLS now\r\n', hello],
    ['imap', `${LOGIN}b STARTTLS\r\n`, hello],
    ['imaps', 'a LOGIN alice glass\r\n'],
    ['imaps', hello],
    ['imaps', hello.subarray(0, 5)],
    ['imaps', hello.subarray(0, hello.length - 1)],
    ['imaps', broken],
    ['imaps', hello, 'a NOOP\r\n'],
    ['imaps', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['imaps', '\0\0\0\0'],
  ];
  for (const [service, ...pieces] of sessions) {
    for (const manner of ['ends', 'resets'] as const) {
      const said = await say(
        stack.port(service),
        pieces.map((piece) => Buffer.from(piece as string, 'latin1')),
        manner,
      );
      // Nothing that came in clear is acted on after STARTTLS (RFC 9051 §6.2.1).
      if (said.includes('a OK Begin TLS')) expect(said).not.toMatch(/^[bc] /m);
    }
  }
  await othersAreServed();
});

test('a TLS handshake with any octet wrong', async () => {
  const hello = await clientHello();
  const places = fc.tuple(fc.nat(hello.length - 1), fc.nat(255), fc.boolean());
  await checkFor(2000, places, async ([at, octet, implicit]) => {
    const wrong = Buffer.from(hello);
    wrong[at] = octet;
    await say(stack.port(implicit ? 'imaps' : 'imap'), implicit ? [wrong] : [latin1('a STARTTLS\r\n'), wrong]);
    await othersAreServed();
  });
});
