import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import { Framing, LIMITS_AFTER_LOGIN, LIMITS_BEFORE_LOGIN } from '../../src/imap/framing.ts';
import type { FramedCommand, FramedRest, FramingLimits, FramingRefusal } from '../../src/imap/framing.ts';
import { Parser } from '../../src/imap/grammar/parser.ts';
import { ConnectionClosed } from '../../src/wire/connection.ts';
import type { Connection, Line } from '../../src/wire/connection.ts';
import { OctetQueue } from '../../src/wire/octet-queue.ts';

/** The reading half of a connection, whose peer sends pieces one by one as they are asked for, and then is gone. */
class Peer {
  readonly written: string[] = [];
  readonly #queue = new OctetQueue();
  readonly #pieces: Buffer[];

  constructor(pieces: readonly (string | Buffer)[]) {
    this.#pieces = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece));
  }

  get connection(): Connection {
    return this as unknown as Connection;
  }

  /** Octets that nobody has read. */
  get left(): number {
    return this.#queue.length + this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  async readLine(limit: number): Promise<Line> {
    for (;;) {
      const line = this.#queue.takeLine(limit);
      if (line !== undefined) return line;
      await this.#more();
    }
  }

  async read(count: number): Promise<Uint8Array> {
    while (this.#queue.length < count) await this.#more();
    return this.#queue.take(count);
  }

  async *readPieces(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0;) {
      if (this.#queue.length === 0) await this.#more();
      const piece = this.#queue.takePiece(left);
      left -= piece.length;
      yield piece;
    }
  }

  async write(text: string): Promise<void> {
    this.written.push(text);
  }

  async #more(): Promise<void> {
    const piece = this.#pieces.shift();
    if (piece === undefined) throw new ConnectionClosed();
    this.#queue.push(piece);
    await Promise.resolve();
  }
}

const SMALL: FramingLimits = { line: 100, literal: 40, command: 150, message: 1000, discard: 2000 };

function framing(input: string | readonly (string | Buffer)[], limits: FramingLimits = LIMITS_AFTER_LOGIN) {
  const peer = new Peer(typeof input === 'string' ? [input] : input);
  return { peer, framing: new Framing(peer.connection, limits) };
}

function show(framed: FramedCommand | FramedRest | FramingRefusal): string {
  if (framed.type === 'refusal') {
    const { status, code } = framed.completion;
    return `${framed.tag ?? '*'} ${status}${code === undefined ? '' : ` [${code}]`}${framed.fatal ? ' fatal' : ''}`;
  }
  const octets = Buffer.from(framed.octets).toString('latin1');
  const ahead =
    framed.messageLiteral === undefined
      ? ''
      : `>${framed.messageLiteral.binary ? '~' : ''}${framed.messageLiteral.size}`;
  return framed.type === 'command' ? `${framed.tag}|${framed.name}|${octets}${ahead}` : `${octets}${ahead}`;
}

/** Everything that comes, until the peer is gone. */
async function all(
  input: string | readonly (string | Buffer)[],
  limits?: FramingLimits,
): Promise<{ shown: string[]; written: string[] }> {
  const { peer, framing: frames } = framing(input, limits);
  const shown: string[] = [];
  for (;;) {
    try {
      const framed = await frames.next();
      shown.push(show(framed));
      if (framed.type === 'command' && framed.messageLiteral !== undefined) await frames.abandon();
      if (framed.type === 'refusal' && framed.fatal) break;
    } catch (error) {
      expect(error).toBeInstanceOf(ConnectionClosed);
      break;
    }
  }
  return { shown, written: peer.written };
}

describe('commands', () => {
  test.each<[string, string[], string[]?]>([
    ['a1 NOOP\r\n', ['a1|NOOP|']],
    ['a1 noop\n', ['a1|NOOP|']],
    ['a1 select INBOX (CONDSTORE)\r\na2 x\r\n', ['a1|SELECT| INBOX (CONDSTORE)', 'a2|X|']],
    ['a uid fetch 1:* FLAGS\r\n', ['a|UID FETCH| 1:* FLAGS']],
    ['a UID\r\nb UID \r\n', ['a|UID|', 'b|UID| ']],
    ['] ok\r\n', [']|OK|']],
    [
      'a LOGIN {5}\r\nalice {5}\r\nglass\r\n',
      ['a|LOGIN| {5}\r\nalice {5}\r\nglass'],
      ['+ Ready for 5 octets\r\n', '+ Ready for 5 octets\r\n'],
    ],
    ['a LOGIN {5+}\r\nalice {5+}\r\ngl\r\nx\r\nb NOOP\r\n', ['a|LOGIN| {5+}\r\nalice {5+}\r\ngl\r\nx', 'b|NOOP|']],
    ['a BOGUS {3+}\r\nb X\r\nb NOOP\r\n', ['a|BOGUS| {3+}\r\nb X', 'b|NOOP|']],
    ['a X ~{2}\r\n\0\0\r\n', ['a|X| ~{2}\r\n\0\0'], ['+ Ready for 2 octets\r\n']],
    ['a X {0}\r\n\r\n', ['a|X| {0}\r\n'], ['+ Ready for 0 octets\r\n']],
    ['a X {5 }\r\nb X {-1}\r\nc X {}\r\nd X }\r\n', ['a|X| {5 }', 'b|X| {-1}', 'c|X| {}', 'd|X| }']],
  ])('%j', async (input, shown, written = []) => {
    expect(await all(input)).toEqual({ shown, written });
  });

  test('what is no command is refused, and the next one is not', async () => {
    const lines = [
      '',
      ' NOOP',
      'a',
      'a ',
      'a  NOOP',
      '+ NOOP',
      'a+ NOOP',
      '(a) NOOP',
      'a NO\0P',
      'f\xfcr NOOP',
      'a X\0 {3+}\r\nabc',
      '{3+}\r\nabc',
    ];
    const { shown } = await all([...lines, 'z NOOP', ''].join('\r\n'));
    expect(shown).toEqual([
      '* BAD',
      '* BAD',
      'a BAD',
      'a BAD',
      'a BAD',
      '* BAD',
      '* BAD',
      '* BAD',
      'a BAD',
      '* BAD',
      'a BAD',
      '* BAD',
      'z|NOOP|',
    ]);
  });

  test('errors count octets from the start of the command', async () => {
    const { framing: frames } = framing('a1 FETCH x FLAGS\r\n');
    const framed = await frames.next();
    if (framed.type !== 'command') throw new Error('refused');
    expect(() => new Parser(framed.octets, { offset: framed.offset }).sp().sequenceSet()).toThrow(
      'at octet 10, found "x"',
    );
  });

  test('commands that come in any pieces are the same commands', async () => {
    const input =
      'a LOGIN {5+}\r\nalice {7}\r\ngl\r\n{3}\r\nb uid fetch 1 FLAGS\nc APPEND x {3+}\r\nabc\r\nd X {2+}\r\n}\n\r\n\r\ne NOOP\r\n';
    const whole = await all(input);
    expect(whole.shown).toHaveLength(6);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 }), async (sizes) => {
        const pieces: string[] = [];
        let rest = input;
        for (const size of sizes) {
          pieces.push(rest.slice(0, size));
          rest = rest.slice(size);
        }
        expect(await all([...pieces, rest])).toEqual(whole);
      }),
    );
  });

  test('any octets are commands or refusals', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((octets) => Buffer.from(octets)),
      fc.constantFrom(
        'a1 NOOP',
        ' {5}\r\n',
        ' {5+}\r\n',
        ' ~{3}\r\n',
        '\r\n',
        '\n',
        'b APPEND x {9+}\r\n',
        '{5000+}\r\n',
        ' ',
        'x'.repeat(90),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
        const { shown } = await all(pieces, SMALL);
        expect(shown.length).toBeLessThan(500);
      }),
      { numRuns: 500 },
    );
  });
});

describe('limits', () => {
  test.each<[string, string, string[], string[]?]>([
    ['a line that just fits', `a ${'x'.repeat(98)}\r\n`, [`a|${'X'.repeat(98)}|`]],
    ['a long line', `a X ${'x'.repeat(200)}\r\nb NOOP\r\n`, ['a BAD', 'b|NOOP|']],
    ['a line that never gets a tag', `${'x'.repeat(200)}\r\nb NOOP\r\n`, ['* BAD', 'b|NOOP|']],
    ['a literal that is asked for', 'a X {41}\r\nb NOOP\r\n', ['a BAD [TOOBIG]', 'b|NOOP|']],
    [
      'a literal that comes',
      `a X {41+}\r\n${'\n'.repeat(41)} {3+}\r\nabc\r\nb NOOP\r\n`,
      ['a BAD [TOOBIG]', 'b|NOOP|'],
    ],
    [
      'a literal that just fits',
      `a X {40}\r\n${'y'.repeat(40)}\r\n`,
      [`a|X| {40}\r\n${'y'.repeat(40)}`],
      ['+ Ready for 40 octets\r\n'],
    ],
    ['one that is too much to throw away', `a X {2001+}\r\n${'y'.repeat(2001)}`, ['a BAD [TOOBIG] fatal']],
    ['several that are together', `a X {1500+}\r\n${'y'.repeat(1500)} {600+}\r\n`, ['a BAD [TOOBIG] fatal']],
    ['a size that no number holds', `a X {${'9'.repeat(60)}}\r\nb NOOP\r\n`, ['a BAD [TOOBIG]', 'b|NOOP|']],
    ['that too, unasked', `a X {${'9'.repeat(60)}+}\r\n`, ['a BAD [TOOBIG] fatal']],
    ['a command of many literals', `a X${` {30+}\r\n${'y'.repeat(30)}`.repeat(9)}\r\nb NOOP\r\n`, ['a BAD', 'b|NOOP|']],
    ['a message', 'a APPEND x {1001}\r\nb NOOP\r\n', ['a NO [TOOBIG]', 'b|NOOP|']],
    ['a message that comes', `a APPEND x {1001+}\r\n${'\n'.repeat(1001)}\r\nb NOOP\r\n`, ['a NO [TOOBIG]', 'b|NOOP|']],
    ['a message that is too much to throw away', 'a APPEND x {2001+}\r\nb NOOP\r\n', ['a NO [TOOBIG] fatal']],
  ])('%s', async (_, input, shown, written = []) => {
    expect(await all(input, SMALL)).toEqual({ shown, written });
  });

  test('what is refused because it would have to be asked for is not read', async () => {
    const { peer, framing: frames } = framing('a X {41}\r\nthe next command', SMALL);
    expect(show(await frames.next())).toBe('a BAD [TOOBIG]');
    expect(peer.written).toEqual([]);
    expect(peer.left).toBe('the next command'.length);
  });

  test('before login there is room for the largest ID that RFC 2971 §3.3 permits', async () => {
    const pair = (number: number) => `"${String(number).padStart(30, 'f')}" "${'v'.repeat(1024)}"`;
    const parameters = Array.from({ length: 30 }, (_, number) => pair(number)).join(' ');
    const { shown } = await all(`a ID (${parameters})\r\nb NOOP\r\n`, LIMITS_BEFORE_LOGIN);
    expect(shown).toEqual([`a|ID| (${parameters})`, 'b|NOOP|']);
  });

  test('before login there are no messages, and little room', async () => {
    const { shown } = await all(
      `a APPEND x {5+}\r\nabcde\r\nb X {4097+}\r\n${'y'.repeat(4097)}\r\nc NOOP\r\n`,
      LIMITS_BEFORE_LOGIN,
    );
    expect(shown).toEqual(['a|APPEND| x {5+}\r\nabcde', 'b BAD [TOOBIG]', 'c|NOOP|']);
  });
});

describe('values of annotations', () => {
  const header = 'a SETMETADATA INBOX (/private/comment ';

  test.each<[string, string[], string[]]>([
    [`${header}{65537}\r\nb NOOP\r\n`, ['a NO [METADATA MAXSIZE 65536]', 'b|NOOP|'], []],
    [`${header}{65537+}\r\n${'x'.repeat(65_537)})\r\nb NOOP\r\n`, ['a NO [METADATA MAXSIZE 65536]', 'b|NOOP|'], []],
    [`${header}~{70000}\r\nb NOOP\r\n`, ['a NO [METADATA MAXSIZE 65536]', 'b|NOOP|'], []],
    [`a GETMETADATA {65537}\r\nb NOOP\r\n`, ['a BAD [TOOBIG]', 'b|NOOP|'], []],
  ])('too large ones get NO, as RFC 5464 §4.3 wants it (%#)', async (input, shown, written) => {
    expect(await all(input)).toEqual({ shown, written });
  });

  test('the largest comes through', async () => {
    const { shown } = await all(`${header}~{65536}\r\n${'\0'.repeat(65_536)})\r\n`);
    expect(shown).toEqual([`a|SETMETADATA|${header.slice('a SETMETADATA'.length)}~{65536}\r\n${'\0'.repeat(65_536)})`]);
  });
});

describe('message literals', () => {
  async function message(frames: Framing): Promise<string> {
    const pieces: Uint8Array[] = [];
    for await (const piece of frames.messageOctets()) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }

  test('are asked for when the session wants them', async () => {
    const { peer, framing: frames } = framing('a APPEND INBOX (\\Seen) {11}\r\nSubject: x\n\r\nb NOOP\r\n');
    const framed = await frames.next();
    expect(show(framed)).toBe('a|APPEND| INBOX (\\Seen) {11}\r\n>11');
    if (framed.type !== 'command') throw new Error('refused');
    const input = new Parser(framed.octets).sp();
    expect(input.mailbox()).toBe('INBOX');
    expect(input.sp().flagList()).toEqual(['\\Seen']);
    expect(input.sp().messageLiteral()).toEqual({ size: 11, binary: false });
    input.end();
    expect(peer.written).toEqual([]);
    expect(await message(frames)).toBe('Subject: x\n');
    expect(peer.written).toEqual(['+ Ready for 11 octets\r\n']);
    expect(show(await frames.rest())).toBe('');
    expect(await frames.abandon()).toBe(true);
    expect(show(await frames.next())).toBe('b|NOOP|');
  });

  test('several in one command', async () => {
    const { peer, framing: frames } = framing(
      'a APPEND {1+}\r\nx {3}\r\nabc (\\Seen) ~{2+}\r\nde {0+}\r\n\r\nb NOOP\r\n',
    );
    expect(show(await frames.next())).toBe('a|APPEND| {1+}\r\nx {3}\r\n>3');
    expect(await message(frames)).toBe('abc');
    expect(show(await frames.rest())).toBe(' (\\Seen) ~{2+}\r\n>~2');
    expect(await message(frames)).toBe('de');
    expect(show(await frames.rest())).toBe(' {0+}\r\n>0');
    expect(await message(frames)).toBe('');
    expect(show(await frames.rest())).toBe('');
    expect(peer.written).toEqual(['+ Ready for 3 octets\r\n']);
    expect(show(await frames.next())).toBe('b|NOOP|');
  });

  test('a mailbox name and a URL are none', async () => {
    const { framing: frames } = framing(
      'a APPEND {5}\r\nINBOX CATENATE (URL {4+}\r\n/x;1 TEXT {3+}\r\nabc URL {2+}\r\n/y)\r\n',
    );
    expect(show(await frames.next())).toBe('a|APPEND| {5}\r\nINBOX CATENATE (URL {4+}\r\n/x;1 TEXT {3+}\r\n>3');
    expect(await message(frames)).toBe('abc');
    expect(show(await frames.rest())).toBe(' URL {2+}\r\n/y)');
  });

  test.each<[string, string, (frames: Framing) => Promise<void>]>([
    ['not asked for', '{11}\r\n', async () => undefined],
    ['unread', '{11+}\r\na NOOP\r\nabc\r\n', async () => undefined],
    [
      'half read',
      '{11}\r\na NOOP\r\nabc {3+}\r\nabc\r\n',
      async (frames) => {
        for await (const _ of frames.messageOctets()) break;
      },
    ],
    [
      'read, with its end unread',
      '{11}\r\na NOOP\r\nabc {3+}\r\nabc\r\n',
      async (frames) => {
        await message(frames);
      },
    ],
    [
      'refused before the next',
      '{11}\r\na NOOP\r\nabc {999999}\r\n',
      async (frames) => {
        await message(frames);
        expect(show(await frames.rest())).toBe('a NO [TOOBIG]');
      },
    ],
  ])('a command that is given up: %s', async (_, literal, use) => {
    const input = `a APPEND x ${literal}b NOOP\r\n`;
    const { framing: frames } = framing(
      Array.from(input, (octet) => octet),
      SMALL,
    );
    expect(show(await frames.next())).toMatch(/>11$/);
    await use(frames);
    expect(await frames.abandon()).toBe(true);
    expect(show(await frames.next())).toBe('b|NOOP|');
  });

  test('given up with more on its way than will be thrown away', async () => {
    const { framing: frames } = framing('a APPEND x {900+}\r\n', { ...SMALL, discard: 500 });
    expect(show(await frames.next())).toMatch(/>900$/);
    expect(await frames.abandon()).toBe(false);
  });

  test('refused after the first message, with more on its way than will be thrown away', async () => {
    const { framing: frames } = framing('a APPEND x {2+}\r\nab {5000+}\r\n', SMALL);
    await frames.next();
    expect(await message(frames)).toBe('ab');
    expect(show(await frames.rest())).toBe('a NO [TOOBIG] fatal');
    expect(await frames.abandon()).toBe(false);
  });
});
