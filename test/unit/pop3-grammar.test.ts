/** POP3's grammar: command lines, status lines, and messages as lines of a multi-line response. */
import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { LineCounter, LineEncoder } from '../../src/pop3/grammar/line-encoder.ts';
import { BadSyntax, Parser, quote } from '../../src/pop3/grammar/parser.ts';
import { err, ok, type Response } from '../../src/pop3/grammar/responses.ts';
import { top } from '../../src/pop3/grammar/top.ts';
import { challengeLine, print, statusLine } from '../../src/pop3/grammar/writer.ts';

const latin1 = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');
const octetsOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** The same octets, cut at the places given. */
function cut(octets: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set([0, ...places.map((place) => place % (octets.length + 1)), octets.length])].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((end, i) => octets.subarray(at[i], end));
}

async function* streamOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

function encode(pieces: readonly Uint8Array[]): string {
  const encoder = new LineEncoder();
  const out = pieces.flatMap((piece) => encoder.encode(piece));
  return latin1(Buffer.concat([...out, encoder.end()]));
}

function count(pieces: readonly Uint8Array[]): number {
  const counter = new LineCounter();
  for (const piece of pieces) counter.add(piece);
  return counter.total;
}

/** As RFC 1939 §3 tells a client to read a multi-line response: lines end with CRLF. */
function decode(sent: string): { message: string; left: string } {
  let message = '';
  let rest = sent;
  for (;;) {
    const end = rest.indexOf('\r\n');
    if (end === -1) throw new Error('the response does not end');
    const line = rest.slice(0, end);
    rest = rest.slice(end + 2);
    if (line === '.') return { message, left: rest };
    message += `${line.startsWith('.') ? line.slice(1) : line}\r\n`;
  }
}

/** As lenient clients read it: LF ends a line, and CR before it is dropped. */
function decodeLeniently(sent: string): { message: string; left: string } {
  const lines = sent.split('\n');
  const message: string[] = [];
  for (const [i, ended] of lines.entries()) {
    const line = ended.replace(/\r$/, '');
    if (line === '.') return { message: message.join(''), left: lines.slice(i + 1).join('\n') };
    message.push(`${line.startsWith('.') ? line.slice(1) : line}\r\n`);
  }
  throw new Error('the response does not end');
}

const messages = fc
  .array(fc.constantFrom('\r\n', '\n', '\r', '.', '..', '\r\n.\r\n', '\n.\n', '\r\n.', 'a', 'Subject: x', ' ', '\xff'))
  .map((parts) => octetsOf(parts.join('')));
const places = fc.array(fc.nat(), { maxLength: 6 });

describe('a message as lines', () => {
  it.each([
    ['a\r\nb\r\n', 'a\r\nb\r\n.\r\n'],
    ['', '.\r\n'],
    ['.\r\n', '..\r\n.\r\n'],
    ['a\r\n.\r\n..b\r\n', 'a\r\n..\r\n...b\r\n.\r\n'],
    ['a.b\r\n', 'a.b\r\n.\r\n'],
    ['a\nb\n', 'a\r\nb\r\n.\r\n'],
    ['a\n.\nb', 'a\r\n..\r\nb\r\n.\r\n'],
    ['a', 'a\r\n.\r\n'],
    ['a\r', 'a\r\r\n.\r\n'],
    ['a\rb\r\n', 'a\rb\r\n.\r\n'],
    ['\n\n', '\r\n\r\n.\r\n'],
  ])('%j', (message, sent) => {
    expect(encode([octetsOf(message)])).toBe(sent);
  });

  it('comes out of every reading as it went in, its line ends CRLF, whatever the pieces', () => {
    fc.assert(
      fc.property(messages, places, (message, at) => {
        const sent = encode(cut(message, at));
        expect(sent).toBe(encode([message]));
        const text = latin1(message).replaceAll(/\r?\n/g, '\r\n');
        const whole = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
        const next = '+OK the next response\r\n';
        expect(decode(sent + next)).toEqual({ message: whole, left: next });
        expect(decodeLeniently(sent + next)).toEqual({ message: whole, left: next });
      }),
      { numRuns: 500 },
    );
  });

  it('has the size that is sent of it', () => {
    fc.assert(
      fc.property(messages, places, (message, at) => {
        const pieces = cut(message, at);
        expect(count(pieces)).toBe(decode(encode(pieces)).message.length);
      }),
      { numRuns: 500 },
    );
  });

  it('is passed on uncopied when nothing has to be changed', () => {
    const piece = octetsOf('Subject: x\r\n\r\nbody\r\n');
    expect(new LineEncoder().encode(piece)[0]!.buffer).toBe(piece.buffer);
  });
});

describe('the top of a message', () => {
  const topOf = async (message: string, lines: number, at: readonly number[] = []): Promise<string> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of top(streamOf(cut(octetsOf(message), at)), lines)) pieces.push(piece);
    return latin1(Buffer.concat(pieces));
  };

  it.each([
    ['A: 1\r\nB: 2\r\n\r\n1\r\n2\r\n3\r\n', 0, 'A: 1\r\nB: 2\r\n\r\n'],
    ['A: 1\r\nB: 2\r\n\r\n1\r\n2\r\n3\r\n', 2, 'A: 1\r\nB: 2\r\n\r\n1\r\n2\r\n'],
    ['A: 1\r\n\r\n1\r\n2\r\n', 9, 'A: 1\r\n\r\n1\r\n2\r\n'],
    ['A: 1\n\n1\n2\n', 1, 'A: 1\n\n1\n'],
    ['A: 1\r\n', 3, 'A: 1\r\n'],
    ['\r\n\r\n1\r\n', 1, '\r\n\r\n'],
    ['A: 1\r\n \r\nB: 2\r\n\r\n1\r\n', 0, 'A: 1\r\n \r\nB: 2\r\n\r\n'],
    ['', 1, ''],
  ])('%j, %i', async (message, lines, expected) => {
    expect(await topOf(message, lines)).toBe(expected);
  });

  it('does not depend on the pieces', async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.nat({ max: 4 }), places, async (message, lines, at) => {
        // CR that is not at the end of a line makes no blank line shorter: left to the table above.
        const text = latin1(message).replaceAll(/\r(?!\n)/g, '');
        expect(await topOf(text, lines, at)).toBe(await topOf(text, lines));
      }),
      { numRuns: 300 },
    );
  });
});

describe('command lines', () => {
  const read = (line: string, use: (input: Parser) => unknown): unknown => {
    const input = new Parser(octetsOf(line));
    const keyword = input.keyword();
    const value = use(input);
    input.end();
    return [keyword, value];
  };
  const number = (input: Parser): number => input.sp().messageNumber();

  it.each([
    ['retr 1', number, ['RETR', 1]],
    ['RETR  12  ', number, ['RETR', 12]],
    ['TOP 1 0', (input: Parser) => [input.sp().messageNumber(), input.sp().number()], ['TOP', [1, 0]]],
    ['LIST', (input: Parser) => input.optionalSp(), ['LIST', false]],
    ['LIST ', (input: Parser) => input.optionalSp(), ['LIST', false]],
    ['LIST 3', (input: Parser) => input.optionalSp() && input.messageNumber(), ['LIST', 3]],
    ['PASS  a b ', (input: Parser) => latin1(input.oneSp().rest()), ['PASS', ' a b ']],
    ['PASS ', (input: Parser) => latin1(input.oneSp().rest()), ['PASS', '']],
    ['NOOP', () => undefined, ['NOOP', undefined]],
    ['', () => undefined, ['', undefined]],
  ])('%j', (line, use, expected) => {
    expect(read(line, use)).toEqual(expected);
  });

  it.each(['RETR', 'RETR ', 'RETR 0', 'RETR -1', 'RETR 1.5', 'RETR x', 'RETR 1 2', 'RETR 99999999999', 'RETR \xff'])(
    '%j is wrong',
    (line) => {
      expect(() => read(line, number)).toThrow(BadSyntax);
    },
  );

  it('has no keyword where the line begins with something else', () => {
    for (const line of ['a.1 LOGIN', '\x16\x03\x01', ' NOOP', 'RETR\t1', 'NOOP\0']) {
      expect(new Parser(octetsOf(line)).keyword()).toBe('');
    }
    expect(new Parser(octetsOf('utf8')).keyword()).toBe('UTF8');
  });

  it('reads anything or says what is wrong with it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (octets) => {
        try {
          const input = new Parser(octets);
          input.keyword();
          number(input);
          input.end();
        } catch (error) {
          expect(error).toBeInstanceOf(BadSyntax);
        }
      }),
    );
  });
});

describe('responses', () => {
  const printed = async (response: Response): Promise<string> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of print(response)) pieces.push(Buffer.from(piece));
    return latin1(Buffer.concat(pieces));
  };

  it('are one line, several, or a message', async () => {
    expect(await printed(ok('fine'))).toBe('+OK fine\r\n');
    expect(await printed(err('no', 'IN-USE'))).toBe('-ERR [IN-USE] no\r\n');
    expect(await printed(ok('two', { lines: ['1 a', '.2'] }))).toBe('+OK two\r\n1 a\r\n..2\r\n.\r\n');
    expect(await printed(ok('none', { lines: [] }))).toBe('+OK none\r\n.\r\n');
    expect(await printed(ok('it', { content: streamOf([octetsOf('a\r\n.'), octetsOf('b')]) }))).toBe(
      '+OK it\r\na\r\n..b\r\n.\r\n',
    );
  });

  it('of many lines are whole', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `${i + 1} 17000.${i}`);
    expect(await printed(ok('', { lines }))).toBe(`+OK \r\n${lines.join('\r\n')}\r\n.\r\n`);
  });

  it('have status lines of one line and 512 octets at most (RFC 2449 §4)', () => {
    expect(statusLine(err('a\r\n+OK b'))).toBe('-ERR a +OK b\r\n');
    const long = statusLine(ok('ü'.repeat(600)), true);
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(512);
    expect(long).toMatch(/^\+OK ü+\r\n$/);
  });

  it('are in ASCII unless the client has asked for more (RFC 6856 §2.1)', () => {
    const response = ok('grün \u{1F40C} für');
    expect(statusLine(response)).toBe('+OK gr?n ? f?r\r\n');
    expect(statusLine(response, true)).toBe('+OK grün \u{1F40C} für\r\n');
    expect(quote('ü'.repeat(60))).toBe(`"${'?'.repeat(40)}..."`);
  });

  it('have challenges, which may be empty (RFC 5034 §4)', () => {
    expect(challengeLine(octetsOf('Username:'))).toBe('+ VXNlcm5hbWU6\r\n');
    expect(challengeLine(new Uint8Array(0))).toBe('+ \r\n');
  });
});
