/**
 * Messages and commands that are made to cost: each gets an error or a bounded answer, the server's memory stays within
 * bounds, and another client is served while the answer is made.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dialogue } from './dialogue.ts';
import { startServerProcess, type ServerProcess } from './server-process.ts';

const MEBIBYTE = 1024 * 1024;

let folder: string;
let server: ServerProcess;
let errors = '';
/** Logged in, and served all the while. */
let other: Dialogue;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glassmail-bad-'));
  server = await startServerProcess(folder, ['--durability', 'process', '--log-level', 'warn', '--lmtp-port', '0']);
  server.child.stderr!.on('data', (octets: Buffer) => (errors += octets.toString()));
  other = await imap('bob');
});
afterAll(async () => {
  other[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** @returns what tells by how much the server's memory has grown since, at its peak, in MiB */
function memory(): () => number {
  const { pid } = server.child;
  const read = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024;
  writeFileSync(`/proc/${pid}/clear_refs`, '5'); // the peak begins anew
  const before = read('VmRSS');
  return () => read('VmHWM') - before;
}

/** @returns how often another client was answered meanwhile */
async function meanwhile(work: () => Promise<void>): Promise<number> {
  const over = new AbortController();
  let served = 0;
  const working = work().finally(() => over.abort());
  const serving = (async () => {
    while (!over.signal.aborted) {
      await other.ask(`n NOOP`, /^n OK .*\r\n/m);
      served++;
    }
  })();
  await Promise.all([working, serving]);
  expect(errors).toBe('');
  return served - 1; // the last may have come after it
}

async function imap(user: string): Promise<Dialogue> {
  const dialogue = await Dialogue.open(server.port('imap'));
  await dialogue.until(/^\* OK .*\r\n/m);
  await dialogue.ask(`a LOGIN ${user} glass`, /^a OK .*\r\n/m);
  return dialogue;
}

async function deliver(pieces: Iterable<string | Buffer>, user: string): Promise<void> {
  using smtp = await Dialogue.open(server.port('smtp'));
  await smtp.until(/^220 .*\r\n/m);
  await smtp.ask('EHLO bad.test', /^250 .*\r\n/m);
  await smtp.ask('MAIL FROM:<a@else.test>', /^250 .*\r\n/m);
  await smtp.ask(`RCPT TO:<${user}@glass.localhost>`, /^250 .*\r\n/m);
  await smtp.ask('DATA', /^354 .*\r\n/m);
  await smtp.sendAll(pieces);
  await smtp.ask('\r\n.', /^250 .*\r\n/m);
}

async function get(path: string): Promise<{ readonly status: number; readonly octets: number }> {
  const response = await fetch(`http://127.0.0.1:${server.port('http')}${path}`);
  let octets = 0;
  for await (const piece of response.body ?? []) octets += piece.length;
  return { status: response.status, octets };
}

// --------------------------------------------------------------------------------------------------------- messages

const HEAD = 'From: a@else.test\r\nTo: b@else.test\r\nSubject: bad\r\nMIME-Version: 1.0\r\n';

/** So many times over, in pieces of a megabyte. */
function* repeated(text: string, times: number): Generator<string> {
  const atOnce = Math.max(1, Math.floor(MEBIBYTE / text.length));
  const piece = text.repeat(atOnce);
  for (let left = times; left > 0; left -= atOnce) yield left >= atOnce ? piece : text.repeat(left);
}

function nested(levels: number, level: (number: number) => string): string {
  return HEAD + Array.from({ length: levels }, (_, i) => level(i)).join('');
}

const MESSAGES: Readonly<Record<string, () => Iterable<string>>> = {
  'multiparts, 10,000 within one another': () => [
    nested(10_000, (i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`),
  ],
  'messages, 10,000 within one another': () => [
    nested(10_000, (i) => `Content-Type: message/rfc822\r\n\r\nSubject: ${i}\r\n`),
  ],
  '100,000 parts': function* () {
    yield `${HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n`;
    yield* repeated('--b\r\nContent-Type: image/png; name="a.png"\r\nContent-ID: <a@b>\r\n\r\nx\r\n', 100_000);
    yield '--b--\r\n';
  },
  'a header field of 10 MB': function* () {
    yield 'Subject: ';
    yield* repeated('x'.repeat(1000), 10_000);
    yield `\r\n${HEAD}\r\nbody`;
  },
  'encoded words of 2 MB': function* () {
    yield 'Subject: ';
    yield* repeated('=?utf-8?q?=C3=A4?=\r\n ', 100_000);
    yield `\r\n${HEAD}\r\nbody`;
  },
  '100,000 header fields': function* () {
    yield* repeated('X-Many: value\r\n', 100_000);
    yield `${HEAD}\r\nbody`;
  },
  '2 MB of recipients': function* () {
    yield 'To: ';
    yield* repeated('"a, b" <a@b.test>, (comment) g: c@d.test;,\r\n ', 46_000);
    yield `x@y.test\r\n${HEAD}\r\nbody`;
  },
  '2 MB of references': function* () {
    yield 'Message-ID: <own@x>\r\nReferences: ';
    yield* repeated('<a@b> <own@x>\r\n ', 130_000);
    yield `\r\n${HEAD}\r\nbody`;
  },
  'a line of base64 of 48 MB': function* () {
    yield `${HEAD}Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n`;
    yield* repeated('QUFB'.repeat(256), 47_000);
  },
  'HTML without its ends': function* () {
    yield `${HEAD}Content-Type: text/html\r\n\r\n<script>`;
    yield* repeated('</script', 400_000);
    yield* repeated('<div a="<b>', 100_000);
  },
  'HTML, 100,000 elements within one another': function* () {
    yield `${HEAD}Content-Type: text/html\r\n\r\n`;
    yield* repeated('<table><tr><td><a href=http://x.test>', 100_000);
  },
  'NUL, bare CR and bare LF everywhere': () => [
    `Sub\0ject: a\r\nSubject: b\0\rc\n d\r\r\n e\r\nFrom: \0a@b\n\0To: <\r>\r\nContent-Type: multipart/mixed; boundary="\0b\r"\r\nMIME-\r\n\n\n--\0b\r\n`,
    ...Array.from(
      { length: 2000 },
      (_, i) => ['\0', '\r', '\n', '\r\n', '--\0b\r', 'x', '.', '\r\n\0.\r', ':'][i % 9]!,
    ),
  ],
};

describe('a message with', () => {
  test.each(Object.keys(MESSAGES))('%s is read in every way', { timeout: 120_000 }, async (name) => {
    const user = `m${Object.keys(MESSAGES).indexOf(name)}`;
    await meanwhile(() => deliver(MESSAGES[name]!(), user));
    const grown = memory();
    const served = await meanwhile(async () => {
      using reader = await imap(user);
      await reader.ask('b SELECT INBOX', /^b OK .*\r\n/m);
      for (const command of [
        'FETCH 1 (FLAGS RFC822.SIZE ENVELOPE)',
        'FETCH 1 (BODY BODYSTRUCTURE)',
        'FETCH 1 (PREVIEW)',
        'FETCH 1 (BODY.PEEK[HEADER.FIELDS (Subject To)]<0.100> BODY.PEEK[HEADER]<0.100>)',
        `FETCH 1 (BODY.PEEK[${Array(90).fill(1).join('.')}] BODY.PEEK[1.MIME] BODY.PEEK[1]<5.100>)`,
        'SEARCH TEXT nothing OR SUBJECT nothing BODY nothing',
        'SORT (SUBJECT DISPLAYFROM DATE) UTF-8 ALL',
        'THREAD REFERENCES UTF-8 ALL',
        'THREAD ORDEREDSUBJECT UTF-8 ALL',
        'FETCH 1 BODY.PEEK[]',
      ]) {
        await reader.ask(`c ${command}`, /^c OK .*\r\n/m);
      }
      // A part that cannot be decoded, or is none, is refused.
      await reader.ask('d FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1]<0.10>)', /^d (OK|NO) .*\r\n/m);
      using pop3 = await Dialogue.open(server.port('pop3'));
      await pop3.ask(`USER ${user}\r\nPASS glass\r\nLIST`, /^\.\r\n/m);
      await pop3.ask('TOP 1 0', /^\.\r\n/m);
      await pop3.ask('RETR 1\r\nNOOP', /^\+OK Still here\r\n/m);
      const list = await fetch(`http://127.0.0.1:${server.port('http')}/api/glass/messages?limit=1`);
      const { messages } = (await list.json()) as { messages: { id: string }[] };
      const { id } = messages[0]!;
      for (const path of [
        `/api/glass/messages/${id}`,
        `/api/glass/messages/${id}/source`,
        `/api/v1/message/${id}`,
        `/api/v1/message/${id}/headers`,
        '/api/v1/messages?limit=1',
        '/api/v1/search?query=nothing',
      ]) {
        expect([path, (await get(path)).status]).toEqual([path, 200]);
      }
      expect([200, 404]).toContain((await get(`/view/${id}.html`)).status);
    });
    expect(served).toBeGreaterThan(5);
    expect(grown()).toBeLessThan(700);
  });
});

// --------------------------------------------------------------------------------------------------------- commands

describe('IMAP', () => {
  test('answers commands that are too deep, too long or too many, and goes on', { timeout: 120_000 }, async () => {
    using client = await imap('alice');
    await client.ask('b SELECT INBOX', /^b OK .*\r\n/m);
    const grown = memory();
    await meanwhile(async () => {
      for (const [command, answer] of [
        [`SEARCH ${'NOT '.repeat(10_000)}SEEN`, /^c BAD .*500 search keys.*\r\n/m],
        [`SEARCH ${'('.repeat(10_000)}SEEN`, /^c BAD .*500 search keys.*\r\n/m],
        [`SEARCH ${'OR SEEN '.repeat(5000)}SEEN`, /^c BAD .*500 search keys.*\r\n/m],
        [`FETCH ${'1,3,'.repeat(500_000)}1 FLAGS`, /^c BAD Line too long.*\r\n/m],
        [`UID FETCH ${'1,3,'.repeat(16_000)}1 FLAGS`, /^c OK .*\r\n/m],
        [`SEARCH ${'1 '.repeat(30_000)}`, /^c (BAD|OK) .*\r\n/m],
        [`LIST "" (${'*a '.repeat(20_000)}a)`, /^c BAD No more than 200 patterns at once\r\n/m],
        [`LIST "" (${`${'*a'.repeat(1000)} `.repeat(3)}a)`, /^c BAD Patterns with wildcards may have 4000.*\r\n/m],
        [`LSUB "" ${'*a'.repeat(2001)}`, /^c BAD Patterns with wildcards may have 4000.*\r\n/m],
        [`NOOP ${'x'.repeat(10 * MEBIBYTE)}`, /^c BAD Line too long.*\r\n/m],
        ['NO\0OP', /^(c|\*) BAD .*\r\n/m],
        ['NOOP\rx', /^c BAD .*\r\n/m],
        [`UID STORE 1:* +FLAGS (${'k '.repeat(30_000)}k)`, /^c (OK|NO \[LIMIT\]) .*\r\n/m],
        [`CREATE ${'a/'.repeat(60)}a`, /^c NO \[LIMIT\] .*\r\n/m],
        [`CREATE "${'a'.repeat(1001)}"`, /^c NO \[LIMIT\] .*\r\n/m],
      ] as const) {
        await client.ask(`c ${command}`, answer);
      }
    });
    expect(grown()).toBeLessThan(300);
  });

  test('takes no login of a megabyte', async () => {
    for (const said of [`a AUTHENTICATE PLAIN ${'A'.repeat(MEBIBYTE)}`, `a LOGIN ${'a'.repeat(MEBIBYTE)} b`]) {
      using client = await Dialogue.open(server.port('imap'));
      await client.until(/^\* OK .*\r\n/m);
      await client.ask(said, /^a BAD .*\r\n/m);
    }
    using client = await Dialogue.open(server.port('imap'));
    await client.ask('a AUTHENTICATE PLAIN', /^\+ .*\r\n/m);
    await client.ask('A'.repeat(MEBIBYTE), /^a BAD .*\r\n/m);
  });

  test('lists 10,000 mailboxes by any pattern while others are served', { timeout: 120_000 }, async () => {
    await deliver([`${HEAD}\r\n`], 'lister');
    using client = await imap('lister');
    const long = 'a'.repeat(900);
    for (let i = 0; i < 199; i++) client.send(`b CREATE "${Array(50).fill(`${i}`).join('/')}"\r\n`);
    for (let i = 0; i < 20; i++) client.send(`b CREATE "${long}${i}"\r\n`);
    await client.ask('c NOOP', /^c OK .*\r\n/m);
    const grown = memory();
    const served = await meanwhile(async () => {
      await client.ask('d LIST "" *', /^d OK .*\r\n/m);
      await client.ask(`e LIST "" (${`${'*a'.repeat(60)}b `.repeat(5)}*)`, /^e OK .*\r\n/m);
      await client.ask(`f LSUB "" ${'*%a'.repeat(400)}`, /^f OK .*\r\n/m);
      await client.ask(
        'g LIST (SUBSCRIBED RECURSIVEMATCH) "" (* %) RETURN (CHILDREN STATUS (MESSAGES UNSEEN))',
        /^g OK .*\r\n/m,
      );
    });
    expect(served).toBeGreaterThan(5);
    expect(grown()).toBeLessThan(300);
  });

  test('bears what becomes much when it is decompressed or compressed', { timeout: 120_000 }, async () => {
    const grown = memory();
    await meanwhile(async () => {
      using bomb = await imap('alice');
      await bomb.ask('b COMPRESS DEFLATE', /^b OK .*\r\n/m);
      await bomb.sendAll([deflateRawSync(Buffer.alloc(300 * MEBIBYTE, 0x41))]);
      await bomb.rest();
    });
    expect(grown()).toBeLessThan(400);
    await deliver(
      (function* () {
        yield `${HEAD}\r\n`;
        yield* repeated(`${'y'.repeat(1022)}\r\n`, 40_000);
      })(),
      'greedy',
    );
    const grownBy = memory();
    const clients: Dialogue[] = [];
    const served = await meanwhile(async () => {
      for (let i = 0; i < 5; i++) {
        const client = await imap('greedy');
        clients.push(client);
        await client.ask('b SELECT INBOX', /^b OK .*\r\n/m);
        await client.ask('c COMPRESS DEFLATE', /^c OK .*\r\n/m);
        client.stopReading();
        client.send(deflateRawSync('d FETCH 1 BODY.PEEK[]\r\n'.repeat(500)));
      }
      for (let i = 0; i < 200; i++) await clients[0]!.sendAll([]).then(() => get('/livez'));
    });
    for (const client of clients) client.reset();
    expect(served).toBeGreaterThan(5);
    expect(grownBy()).toBeLessThan(400);
  });
});

describe('SMTP', () => {
  test.each(['smtp', 'lmtp'] as const)('on %s answers lines that are too long, and goes on', async (service) => {
    using client = await Dialogue.open(server.port(service));
    await client.until(/^220 .*\r\n/m);
    await client.ask(`${service === 'lmtp' ? 'LHLO' : 'EHLO'} bad.test`, /^250 .*\r\n/m);
    const grown = memory();
    await meanwhile(async () => {
      for (const [line, answer] of [
        [`MAIL FROM:<a@b.test> ${'X=1 '.repeat(MEBIBYTE)}`, /^500 5\.5\.2 .*\r\n/m],
        [`MAIL FROM:<${'a'.repeat(7000)}@b.test>`, /^501 5\.1\.7 .*\r\n/m],
        ['MAIL FROM:<a@b.test>', /^250 2\.1\.0 .*\r\n/m],
        [`RCPT TO:<a@b.test> ${'ORCPT=rfc822;a '.repeat(500_000)}`, /^500 5\.5\.2 .*\r\n/m],
        [`RCPT TO:<a@b.test> ${'NOTIFY=NEVER '.repeat(500)}`, /^(501|555) 5\..*\r\n/m],
        ['RCPT TO:<a\0@b.test>', /^500 5\.5\.2 .*\r\n/m],
        ['RCPT TO:<a\r@b.test>', /^500 5\.5\.2 .*\r\n/m],
        [`AUTH PLAIN ${'A'.repeat(MEBIBYTE)}`, /^50[0-9] 5\..*\r\n/m],
        ['NOOP', /^250 .*\r\n/m],
      ] as const) {
        await client.ask(line, answer);
      }
    });
    expect(grown()).toBeLessThan(300);
  });

  test.each(['NOOP', 'RSET', 'VRFY a', 'RCPT TO:<alice@glass.localhost>', 'NONSENSE'])(
    'a flood of %s is ended, and others have their turn',
    async (line) => {
      await meanwhile(async () => {
        using client = await Dialogue.open(server.port('smtp'));
        client.send(`EHLO bad.test\r\nMAIL FROM:<a@b.test>\r\n${`${line}\r\n`.repeat(100_000)}`);
        expect(await client.rest()).toMatch(/421 4\.7\.0 Too many (commands without a message|errors)[^\r\n]*\r\n$/);
      });
    },
  );
});

test('nothing of this was logged, and the server stops in good order', async () => {
  other.finish();
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  expect(errors).toBe('');
});
