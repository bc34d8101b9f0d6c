/** The parser of what SMTP clients send, under every way of cutting its octets into pieces. */
import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { LONGEST_LINE, SmtpInput, type DataSink } from '../../src/smtp/input.ts';

type Heard = string | { readonly message: string };

/** Feeds pieces; `DATA` starts a message, `BDAT` a chunk. `isSlow`: whoever listens answers in a later turn. */
async function hear(pieces: readonly Buffer[], isSlow = false): Promise<Heard[]> {
  const heard: Heard[] = [];
  const answer = (done: () => void): void => {
    if (isSlow) setImmediate(done);
    else done();
  };
  const input: SmtpInput = new SmtpInput({
    line: (line, done) => {
      const text = line.toString('latin1');
      heard.push(text);
      if (text === 'DATA') input.receive(sink());
      if (text.startsWith('BDAT ')) input.receiveOctets(Number(text.slice(5)), sink());
      answer(done);
    },
    overlong: (done) => {
      heard.push('(overlong)');
      answer(done);
    },
    ended: () => heard.push('(end)'),
  });
  const sink = (): DataSink => {
    let message = '';
    return {
      write: (octets) => {
        message += octets.toString('latin1');
        return isSlow ? new Promise((resolve) => setImmediate(resolve)) : undefined;
      },
      end: async () => {
        heard.push({ message });
      },
    };
  };
  for (const piece of pieces) await new Promise((resolve) => input.write(Buffer.from(piece), resolve));
  await new Promise((resolve) => input.end(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  return heard;
}

/** RFC 5321 §4.5.2, as it reads: at CRLF.CRLF the message ends, and a dot that begins a line is dropped. */
function slowly(text: string): { message: string; rest: string } | undefined {
  const whole = `\r\n${text}`;
  const end = whole.indexOf('\r\n.\r\n');
  if (end === -1) return undefined;
  return {
    message: whole
      .slice(0, end + 2)
      .replaceAll('\r\n.', '\r\n')
      .slice(2),
    rest: whole.slice(end + 5),
  };
}

function cut(octets: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (octets.length + 1)))].sort((one, other) => one - other);
  return [...ends, octets.length].map((end, index) => octets.subarray(ends[index - 1] ?? 0, end));
}

const content = fc
  .array(fc.constantFrom('\r\n', '\r', '\n', '.', '..', 'a', '\0', 'line', '\r\n.', '\r\n..', '\n.\r\n', '\r\n.\r'), {
    maxLength: 30,
  })
  .map((parts) => parts.join(''));
const places = fc.array(fc.nat(), { maxLength: 20 });

describe('SmtpInput', () => {
  it('reads a message as RFC 5321 §4.5.2 has it, however it comes in', async () => {
    await fc.assert(
      fc.asyncProperty(content, places, fc.boolean(), async (text, cuts, isSlow) => {
        const sent = `${text}\r\n.\r\n`;
        const expected = slowly(sent)!;
        const octets = Buffer.from(`DATA\r\n${sent}`, 'latin1');
        const heard = await hear(cut(octets, cuts), isSlow);
        expect(heard.slice(0, 2)).toEqual(['DATA', { message: expected.message }]);
      }),
      { numRuns: 500 },
    );
  });

  it('reads it octet by octet', async () => {
    const octets = Buffer.from('DATA\r\n..a\r\n.\rb\r\n..\r\n\r\n.\r\nQUIT\r\n');
    const heard = await hear([...octets].map((octet) => Buffer.from([octet])));
    expect(heard).toEqual(['DATA', { message: '.a\r\n\rb\r\n.\r\n\r\n' }, 'QUIT', '(end)']);
  });

  it('goes on with what was pipelined behind a message', async () => {
    const octets = Buffer.from('RSET\r\nDATA\r\na\r\n.\r\nNOOP\r\nDATA\r\n.\r\nQUIT\r\n');
    for (const isSlow of [false, true]) {
      expect(await hear([octets], isSlow)).toEqual([
        'RSET',
        'DATA',
        { message: 'a\r\n' },
        'NOOP',
        'DATA',
        { message: '' },
        'QUIT',
        '(end)',
      ]);
    }
  });

  it('takes a chunk of counted octets as they are, however it comes in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(content, { maxLength: 4 }), places, fc.boolean(), async (texts, cuts, isSlow) => {
        const sent = texts.map((text) => `BDAT ${text.length}\r\n${text}`).join('');
        const heard = await hear(cut(Buffer.from(`${sent}NOOP\r\n`, 'latin1'), cuts), isSlow);
        const chunks = texts.flatMap((text) => [`BDAT ${text.length}`, { message: text }]);
        expect(heard).toEqual([...chunks, 'NOOP', '(end)']);
      }),
      { numRuns: 300 },
    );
  });

  it('needs no more octets to end a chunk of none', async () => {
    const ended = Promise.withResolvers<string>();
    const input: SmtpInput = new SmtpInput({
      line: (line, done) => {
        input.receiveOctets(0, { write: () => undefined, end: async () => ended.resolve(line.toString()) });
        done();
      },
      overlong: () => undefined,
      ended: () => undefined,
    });
    input.write(Buffer.from('BDAT 0 LAST\r\n'));
    expect(await ended.promise).toBe('BDAT 0 LAST');
  });

  it('loses a chunk that never ended', async () => {
    expect(await hear([Buffer.from('BDAT 6\r\nNOOP\r')])).toEqual(['BDAT 6', '(end)']);
  });

  it('changes nothing in the octets that it was given', async () => {
    const octets = Buffer.from('DATA\r\n..a\r\n..b\r\n.\r\n');
    const before = Buffer.from(octets);
    const input = new SmtpInput({
      line: (_line, done) => {
        input.receive({ write: () => undefined, end: async () => undefined });
        done();
      },
      overlong: () => undefined,
      ended: () => undefined,
    });
    await new Promise((resolve) => input.write(octets, resolve));
    expect(octets.equals(before)).toBe(true);
  });

  it('takes lines that end in CRLF or LF, and CR alone is part of one', async () => {
    expect(await hear([Buffer.from('one\r\ntwo\nth\rree\r\n\r\n')])).toEqual(['one', 'two', 'th\rree', '', '(end)']);
  });

  it('loses a line that never ended', async () => {
    expect(await hear([Buffer.from('NOOP\r\nQUI')])).toEqual(['NOOP', '(end)']);
  });

  it.each([1, 1000, 1_000_000])('says that a line is too long, once, in pieces of %i octets', async (size) => {
    const octets = Buffer.from(`${'x'.repeat(LONGEST_LINE)}\r\n${'x'.repeat(LONGEST_LINE + 1)}\r\nNOOP\r\n`);
    const pieces = Array.from({ length: Math.ceil(octets.length / size) }, (_, i) =>
      octets.subarray(i * size, (i + 1) * size),
    );
    expect(await hear(pieces)).toEqual(['x'.repeat(LONGEST_LINE), '(overlong)', 'NOOP', '(end)']);
  });

  it('acts on nothing once it is retired', async () => {
    const heard: string[] = [];
    const input = new SmtpInput({
      line: (line, done) => {
        heard.push(line.toString());
        expect(input.retire()).toBe('MAIL\r\nNO'.length);
        done();
      },
      overlong: () => undefined,
      ended: () => undefined,
    });
    await new Promise((resolve) => input.write(Buffer.from('STARTTLS\r\nMAIL\r\nNO'), resolve));
    await new Promise((resolve) => input.write(Buffer.from('OP\r\n'), resolve));
    expect(heard).toEqual(['STARTTLS']);
  });

  it.each([
    ['at once', (done: () => void) => done()],
    ['after a wait that takes no turn of the loop', (done: () => void) => void Promise.resolve().then(done)],
  ])('lets others have a turn between many pipelined commands that are answered %s', async (_when, answer) => {
    let turns = 0;
    let lines = 0;
    let isOver = false;
    const turn = (): void => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    const input: SmtpInput = new SmtpInput({
      line: (line, done) => {
        lines++;
        if (line.length > 4)
          input.receiveOctets(0, { write: () => undefined, end: () => new Promise((resolve) => answer(resolve)) });
        answer(done);
      },
      overlong: () => undefined,
      ended: () => undefined,
    });
    await new Promise((resolve) =>
      input.write(Buffer.from('NOOP\r\n'.repeat(500) + 'BDAT 0\r\n'.repeat(500)), resolve),
    );
    isOver = true;
    expect(lines).toBe(1000);
    expect(turns).toBeGreaterThan(8);
  });
});
