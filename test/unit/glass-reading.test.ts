import { describe, expect, test } from 'vitest';
import { readingOf, type Spoken } from '../../src/glass/reading.ts';
import { type Conversation, Recorder } from '../../src/wire/recorder.ts';
import { fc } from '../property.ts';

function open(protocol: string, perConversation = 1 << 20, role: 'server' | 'client' = 'server'): Conversation {
  return new Recorder({ perConversation }).open({
    service: protocol,
    protocol,
    role,
    local: { address: '127.0.0.1', port: 1143 },
    remote: { address: '::1', port: 50_000 },
  });
}

/** `C: ` and `S: ` lines; what follows two backslashes is as it is. */
function said(conversation: Conversation, ...lines: string[]): Spoken[] {
  for (const line of lines) {
    const octets = Buffer.from(`${line.slice(3)}\r\n`, 'latin1');
    conversation.octets(line.startsWith('C') ? 'in' : 'out', 'both', octets);
  }
  return [...readingOf(conversation)];
}

/** Role, name and text of each unit, short. */
function short(units: readonly Spoken[]): string[] {
  return units.map(({ side, role, name, text, answers }) => {
    const to = answers === null ? '' : ` →${answers}`;
    return `${side === 'client' ? 'C' : 'S'} ${role}${name === '' ? '' : ` ${name}`}${to}: ${text}`;
  });
}

describe('IMAP', () => {
  test('tags lead from completions to commands', () => {
    expect(
      short(
        said(
          open('imap'),
          'S: * OK ready',
          'C: a NOOP',
          'C: b UID fetch 1 FLAGS',
          'S: * 1 FETCH (FLAGS ())',
          'S: b OK done',
          'S: a OK done',
        ),
      ),
    ).toEqual([
      'S greeting OK: * OK ready',
      'C command NOOP: a NOOP',
      'C command UID FETCH: b UID fetch 1 FLAGS',
      'S reply FETCH: * 1 FETCH (FLAGS ())',
      'S reply OK →8: b OK done',
      'S reply OK →0: a OK done',
    ]);
  });

  test('a literal that waits to be asked for', () => {
    const units = said(open('imap'), 'S: * OK', 'C: a APPEND x {6}', 'S: + go on', 'C: a: b\r\n)', 'S: a OK');
    expect(short(units)).toEqual([
      'S greeting OK: * OK',
      'C command APPEND: a APPEND x {6}',
      'S continuation +: + go on',
      'C data: a: b',
      'C continuation: )',
      'S reply OK →0: a OK',
    ]);
    expect(units[3]).toMatchObject({ octets: 6, role: 'data' });
  });

  test('a literal that is refused was none', () => {
    expect(short(said(open('imap'), 'C: a APPEND x {5}', 'S: a NO too big', 'C: b NOOP', 'S: b OK'))).toEqual([
      'C command APPEND: a APPEND x {5}',
      'S reply NO →0: a NO too big',
      'C command NOOP: b NOOP',
      'S reply OK →16: b OK',
    ]);
  });

  test('a literal of RFC 7888 comes at once', () => {
    expect(short(said(open('imap'), 'C: a LOGIN {5+}\r\nalice {5+}\r\nglass', 'S: a OK'))).toEqual([
      'C command LOGIN: a LOGIN {5+}',
      'C data: alice',
      'C continuation: •••••',
      'C data: •••••',
      'C continuation: ',
      'S reply OK →0: a OK',
    ]);
  });
});

const PIECES = [
  'a1 LOGIN alice glass\r\n',
  'a2 AUTHENTICATE PLAIN\r\n',
  'AGFsaWNlAGdsYXNz\r\n',
  '* OK ready\r\n',
  '+ \r\n',
  '+ idling\r\n',
  'a1 OK done\r\n',
  'a2 NO bad\r\n',
  'a3 APPEND INBOX {10}\r\n',
  'a3 APPEND INBOX {10+}\r\n',
  'a4 IDLE\r\n',
  'DONE\r\n',
  '* 1 FETCH (BODY[] {12}\r\n',
  'EHLO me\r\n',
  'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n',
  '220 hi\r\n',
  '250-a\r\n250 b\r\n',
  '354 go\r\n',
  '334 \r\n',
  '235 ok\r\n',
  '550 no\r\n',
  'BDAT 7 LAST\r\n',
  'AUTH LOGIN\r\n',
  'Subject: x\r\n\r\n..y\r\n',
  '.\r\n',
  '.',
  '\r',
  '\n',
  'RETR 1\r\n',
  'UIDL\r\n',
  '+OK\r\n',
  '-ERR\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'HTTP/1.1 101 x\r\n\r\n',
  '\x16\x03\x01',
  '\xc3',
  '\xa9\r\n',
  '{3+}\r\n',
];

const events = fc.array(
  fc.oneof(
    fc.record({
      direction: fc.constantFrom('in' as const, 'out' as const),
      octets: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...PIECES).map((text) => Buffer.from(text, 'latin1')) },
        { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 12 }).map((octets) => Buffer.from(octets)) },
      ),
    }),
    fc.constantFrom('tls' as const),
  ),
  { maxLength: 30 },
);
const protocols = fc.constantFrom('imap', 'smtp', 'lmtp', 'pop3', 'http', 'ftp');

/** What does not depend on how the octets were cut. */
function essence(units: readonly Spoken[]): unknown[] {
  return units.map(({ seq: _seq, lastSeq: _lastSeq, at: _at, ...rest }) => ({ ...rest, meaning: rest.meaning }));
}

function isTiled(units: readonly Spoken[], conversation: Conversation): void {
  for (const side of ['client', 'server'] as const) {
    const own = units.filter((unit) => unit.side === side).sort((a, b) => a.position - b.position);
    let next = 0;
    for (const { position, octets } of own) {
      expect(position).toBe(next);
      expect(octets).toBeGreaterThan(0);
      next = position + octets;
    }
    const isIn = (side === 'client') === (conversation.role === 'server');
    expect(next).toBe(isIn ? conversation.passed.endsIn : conversation.passed.endsOut);
  }
}

describe('whatever comes', () => {
  test('each octet is in one unit, at every moment, and a reading that goes on is one from the start', () => {
    fc.assert(
      fc.property(protocols, events, (protocol, list) => {
        const followed = open(protocol, 1 << 20);
        for (const event of list) {
          if (event === 'tls') followed.tlsStep({ step: 'start' });
          else followed.octets(event.direction, 'both', event.octets);
          isTiled(readingOf(followed), followed);
        }
        followed.closed('peer', 'fin');
        isTiled(readingOf(followed), followed);
        const late = open(protocol);
        for (const event of list) {
          if (event === 'tls') late.tlsStep({ step: 'start' });
          else late.octets(event.direction, 'both', event.octets);
        }
        late.closed('peer', 'fin');
        expect(essence(readingOf(late))).toEqual(essence(readingOf(followed)));
      }),
    );
  });

  test('the reading is the same however the octets were cut', () => {
    fc.assert(
      fc.property(
        protocols,
        events,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
        (protocol, list, sizes) => {
          const whole = open(protocol);
          const cut = open(protocol);
          let size = 0;
          for (const event of list) {
            if (event === 'tls') {
              whole.tlsStep({ step: 'start' });
              cut.tlsStep({ step: 'start' });
              continue;
            }
            whole.octets(event.direction, 'both', event.octets);
            for (let at = 0; at < event.octets.length;) {
              const end = at + sizes[size++ % sizes.length]!;
              cut.octets(event.direction, 'both', event.octets.subarray(at, end));
              at = end;
            }
          }
          for (const conversation of [whole, cut]) conversation.closed('peer', 'fin');
          expect(essence(readingOf(cut))).toEqual(essence(readingOf(whole)));
        },
      ),
    );
  });
});

describe('what is not kept', () => {
  test('after a gap the reading finds its feet again', () => {
    const conversation = open('imap', 32 * 1024);
    conversation.octets('out', 'both', Buffer.from('* OK ready\r\n'));
    for (let i = 0; i < 1000; i++)
      said(conversation, `C: t${i} NOOP`, `S: t${i} OK and many words to fill the room ${'x'.repeat(60)}`);
    const units = [...readingOf(conversation)];
    expect(units.length).toBeLessThan(800);
    const late = open('imap', 32 * 1024);
    late.octets('out', 'both', Buffer.from('* OK ready\r\n'));
    for (let i = 0; i < 1000; i++) {
      late.octets('in', 'both', Buffer.from(`t${i} NOOP\r\n`));
      late.octets('out', 'both', Buffer.from(`t${i} OK and many words to fill the room ${'x'.repeat(60)}\r\n`));
    }
    const found = readingOf(late);
    expect(found.at(-1)).toMatchObject({ name: 'OK', tag: 't999' });
    expect(found.filter(({ role }) => role === 'unknown').length).toBeLessThan(4);
    expect(found.at(-1)!.answers).toBe(found.at(-2)!.position);
  });

  test('a message whose middle is missing is data to its end', () => {
    const conversation = open('pop3', 32 * 1024);
    said(conversation, 'S: +OK', 'C: RETR 1', 'S: +OK');
    for (let i = 0; i < 1000; i++)
      conversation.octets('out', 'both', Buffer.from(`line ${i} of a long message, and so on\r\n`));
    const units = said(conversation, 'S: .', 'C: QUIT', 'S: +OK bye');
    expect(short(units).slice(-3)).toEqual([
      expect.stringContaining('S continuation .') as string,
      'C command QUIT: QUIT',
      expect.stringContaining('S reply +OK →') as string,
    ]);
    expect(units.filter(({ role }) => role === 'data')).toHaveLength(2);
  });
});

describe('no secret', () => {
  const SECRET = 'hunter2hunter2';
  const encoded = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
  const logins = fc.constantFrom(
    `a LOGIN alice ${SECRET}\r\n`,
    `a LOGIN "alice" "${SECRET}"\r\n`,
    `a LOGIN {5+}\r\nalice {${SECRET.length}+}\r\n${SECRET}\r\n`,
    `a AUTHENTICATE PLAIN ${encoded(`\0alice\0${SECRET}`)}\r\n`,
    `a AUTHENTICATE PLAIN\r\n${encoded(`\0alice\0${SECRET}`)}\r\n`,
    `AUTH PLAIN ${encoded(`\0alice\0${SECRET}`)}\r\n`,
    `AUTH LOGIN\r\n${encoded('alice')}\r\n${encoded(SECRET)}\r\n`,
    `AUTH XOAUTH2 ${encoded(`user=alice\x01auth=Bearer ${SECRET}\x01\x01`)}\r\n`,
    `USER alice\r\nPASS ${SECRET}\r\n`,
    `APOP alice ${SECRET}\r\n`,
    `GET / HTTP/1.1\r\nAuthorization: Bearer ${SECRET}\r\n\r\n`,
  );
  const answers = fc.constantFrom(
    '',
    '+ \r\n',
    '334 \r\n',
    '+OK\r\n',
    'a OK\r\n',
    'a NO\r\n',
    '535 no\r\n',
    '235 ok\r\n',
  );
  test('is in what is spoken, whatever is answered and however it is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('imap', 'smtp', 'lmtp', 'pop3', 'ftp'),
        fc.array(fc.tuple(logins, answers), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        (protocol, turns, size, closes) => {
          const conversation = open(protocol);
          for (const [login, answer] of turns) {
            for (let at = 0; at < login.length; at += size) {
              conversation.octets('in', 'both', Buffer.from(login.slice(at, at + size), 'latin1'));
              if (size > 20) expect(JSON.stringify(readingOf(conversation))).not.toContain(SECRET);
            }
            if (answer !== '') conversation.octets('out', 'both', Buffer.from(answer));
          }
          if (closes) conversation.closed('peer', 'fin');
          const shown = JSON.stringify(readingOf(conversation));
          expect(shown).not.toContain(SECRET);
          expect(shown).not.toContain(encoded(SECRET).slice(0, 16));
        },
      ),
      { numRuns: 300 },
    );
  });
});

test('following a long conversation costs what is new, not what there is', () => {
  const conversation = open('imap');
  const line = Buffer.from(`* 1 FETCH (FLAGS (\\Seen) UID 12345 RFC822.SIZE ${'1'.repeat(40)})\r\n`);
  const look = (): number => {
    const before = performance.now();
    readingOf(conversation);
    return performance.now() - before;
  };
  const fill = (count: number): void => {
    for (let i = 0; i < count; i++) conversation.octets('out', 'both', line);
  };
  fill(100);
  const first = [look()];
  for (let i = 0; i < 20; i++) {
    fill(100);
    first.push(look());
  }
  fill(6000);
  look();
  const late: number[] = [];
  for (let i = 0; i < 20; i++) {
    fill(100);
    late.push(look());
  }
  const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1]!;
  // Reading all anew would take thirty times as long.
  expect(median(late)).toBeLessThan(10 * median(first) + 5);
});
