import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { mboxEntry, readMbox } from '../../src/mail/mbox.ts';

async function read(file: string | Uint8Array, chunk = 7) {
  const octets = Buffer.from(file);
  const chunks = Array.from({ length: Math.ceil(octets.length / chunk) }, (_, index) =>
    Buffer.from(octets.subarray(index * chunk, (index + 1) * chunk)),
  );
  const messages: { text: string; from: string; date: string | undefined }[] = [];
  for await (const { octets, from, date } of readMbox(chunks)) {
    messages.push({ text: Buffer.from(octets).toString('latin1'), from, date: date?.toISOString() });
  }
  return messages;
}

const DATE = '2007-03-24T23:00:00.000Z';
const LINE = 'From a@x.test Sat Mar 24 23:00:00 2007';

describe('readMbox', () => {
  it.each([
    ['one message', `${LINE}\nA: b\n\nbody\n\n`, ['A: b\r\n\r\nbody\r\n']],
    ['two', `${LINE}\nA: 1\n\nx\n\n${LINE}\nA: 2\n\ny\n\n`, ['A: 1\r\n\r\nx\r\n', 'A: 2\r\n\r\ny\r\n']],
    [
      'CRLF',
      `${LINE}\r\nA: 1\r\n\r\nx\r\n\r\n${LINE}\r\nA: 2\r\n\r\ny\r\n\r\n`,
      ['A: 1\r\n\r\nx\r\n', 'A: 2\r\n\r\ny\r\n'],
    ],
    ['no empty line at the end', `${LINE}\nA: 1\n\nx`, ['A: 1\r\n\r\nx']],
    ['quoted lines', `${LINE}\n\n>From me\n>>From you\n> From us\n\n`, ['\r\nFrom me\r\n>From you\r\n> From us\r\n']],
    [
      'a sentence that begins with From',
      `${LINE}\n\nx\n\nFrom here on, 24 of us\n\n`,
      ['\r\nx\r\n\r\nFrom here on, 24 of us\r\n'],
    ],
    ['a separator without the empty line before it', `${LINE}\n\nx\n${LINE}\n\n`, [`\r\nx\r\n${LINE}\r\n`]],
    ['an empty message', `${LINE}\n\n\n${LINE}\nA: b\n\n`, ['\r\n', 'A: b\r\n']],
    ['something before the first', `# mbox\n\n${LINE}\nA: b\n\nx\n\n`, ['A: b\r\n\r\nx\r\n']],
    ['no mbox', 'A: b\n\nx\n', []],
    ['nothing', '', []],
  ])('%s', async (_, file, texts) => {
    for (const chunk of [1, 7, 100_000]) expect((await read(file, chunk)).map(({ text }) => text)).toEqual(texts);
  });

  it.each([
    [LINE, 'a@x.test', DATE],
    ['From a@x.test  Sat Mar 24 23:00:00 2007', 'a@x.test', DATE],
    ['From a@x.test Sat Mar 24 19:00:00 EDT 2007', 'a@x.test', DATE],
    ['From a@x.test Sat Mar 24 23:00:00 2007 +0000', 'a@x.test', DATE],
    ['From a@x.test Sat, 24 Mar 2007 23:00:00 +0000', 'a@x.test', DATE],
    ['From MAILER-DAEMON Sat Mar 24 23:00:00 2007', 'MAILER-DAEMON', DATE],
    ['From - Sat Mar 24 23:00:00 2007', '-', DATE],
    ['From simon@x.test Sat Mar 24 23:00:00 2007', 'simon@x.test', DATE],
    ['From "a b"@x.test Sat Mar 24 23:00:00 2007', '"a b"@x.test', DATE],
    ['From a@x.test at 23:00 in 2007', 'a@x.test', undefined],
  ])('%s', async (line, from, date) => {
    expect(await read(`${line}\nA: b\n\nx\n`)).toEqual([{ text: 'A: b\r\n\r\nx\r\n', from, date }]);
  });

  it('streams: a message comes before the file has ended', async () => {
    let sent = 0;
    function* file() {
      for (; sent < 1000; sent++) yield Buffer.from(`${LINE}\n\n${'x'.repeat(10_000)}\n\n`);
    }
    let count = 0;
    for await (const { octets } of readMbox(file())) {
      expect(octets.length).toBe(10_004);
      expect(sent - count++).toBeLessThanOrEqual(1);
    }
    expect(count).toBe(1000);
  });

  it('takes a line of megabytes in linear time', { timeout: 10_000 }, async () => {
    const [message] = await read(`${LINE}\n\n${'x'.repeat(20_000_000)}\n`, 16_384);
    expect(message?.text.length).toBe(20_000_004);
  });
});

describe('mboxEntry', () => {
  it('quotes, and names its sender', () => {
    const entry = (text: string, sender: string) =>
      Buffer.from(mboxEntry(Buffer.from(text), sender, new Date(DATE))).toString();
    expect(entry('A: b\r\n\r\nFrom x\r\n>From y\r\n', 'a@x.test')).toBe(`${LINE}\nA: b\n\n>From x\n>>From y\n\n`);
    expect(entry('x', '')).toBe('From MAILER-DAEMON Sat Mar 24 23:00:00 2007\nx\n\n');
    expect(entry('', '"a b"@x')).toMatch(/^From "a-b"@x /);
  });

  it('gives back what was written', async () => {
    const line = fc.oneof(
      fc.constantFrom('From x', '>From y', '>>From z', LINE, '', 'A: b'),
      fc.string().map((text) => text.replace(/[\r\n]/g, '')),
    );
    const text = fc.array(line, { minLength: 1, maxLength: 8 }).map((lines) => `${lines.join('\r\n')}\r\n`);
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 4 }), fc.integer({ min: 1, max: 60 }), async (texts, chunk) => {
        const file = Buffer.concat(texts.map((text) => mboxEntry(Buffer.from(text), 'a@x.test', new Date(DATE))));
        const expected = texts.map((text) => ({
          text: Buffer.from(text).toString('latin1'),
          from: 'a@x.test',
          date: DATE,
        }));
        expect(await read(file, chunk)).toEqual(expected);
      }),
    );
  });
});
