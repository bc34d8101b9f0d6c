/** Surrogates of messages with more than ASCII in their headers (RFC 6856 §2.1), read back as conventional clients do. */
import { isAscii } from 'node:buffer';
import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { parseEnvelope } from '../../src/mail/envelope.ts';
import { decodeEncodedWords, firstField, parseHeader } from '../../src/mail/headers.ts';
import { fileName } from '../../src/mail/decode.ts';
import { parseMimeTree, partsOf } from '../../src/mail/mime-tree.ts';
import { headerRanges, surrogate, surrogateHeader } from '../../src/pop3/grammar/surrogate.ts';

const header = (text: string): string => surrogateHeader(Buffer.from(text)).toString('latin1');

/** In pieces of so many octets. */
async function sent(message: Buffer, octets = message.length): Promise<Buffer> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < message.length; at += octets) yield message.subarray(at, at + octets);
  }
  const out: Uint8Array[] = [];
  for await (const piece of surrogate(pieces(), headerRanges(parseMimeTree(message)))) out.push(Buffer.from(piece));
  return Buffer.concat(out);
}

describe('a header', () => {
  it('in ASCII is itself', () => {
    const octets = Buffer.from('Subject: =?utf-8?Q?x?=\r\nX: a\r\n b\r\n\r\n');
    expect(surrogateHeader(octets)).toBe(octets);
  });

  it.each([
    ['Subject: Grüße\r\n', 'Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n'],
    // Words in ASCII stay readable; the blank between two that are not is in the encoded word.
    ['Subject: Re: für dich ä ö end\r\n', 'Subject: Re: =?utf-8?B?ZsO8cg==?= dich =?utf-8?B?w6Qgw7Y=?= end\r\n'],
    ['X-Ünknown: x\r\nA: b\r\n', 'A: b\r\n'],
    ['Message-ID: <ä@x>\r\nReceived: from ü\r\n by x\r\nA: b\r\n', 'A: b\r\n'],
    ['From: Jürgen <j@x.test>\r\n', 'From: =?utf-8?B?SsO8cmdlbg==?= <j@x.test>\r\n'],
    ['From: "Jü, r" <j@x.test>, b@x.test\r\n', 'From: =?utf-8?B?SsO8LCBy?= <j@x.test>, b@x.test\r\n'],
    [
      'To: a@x.test, "B, C" <b@x.test>, ü@x.test\r\n',
      /^To: a@x\.test, "B, C" <b@x\.test>,\r\n =\?utf-8\?B\?\S+\?= <inv/,
    ],
    ['Return-Path: <ü@x.test>\r\n', 'Return-Path: <invalid@internationalized-address.invalid>\r\n'],
    [
      'Content-Disposition: attachment; filename="Grüße \'1\'.txt"; size=3\r\n',
      'Content-Disposition: attachment;\r\n filename*=utf-8\'\'Gr%C3%BC%C3%9Fe%20%271%27.txt; size="3"\r\n',
    ],
    ['no field ü\r\nA: ö\r\n', 'no field ??\r\nA: =?utf-8?B?w7Y=?=\r\n'],
    ['A: ö', 'A: =?utf-8?B?w7Y=?=\r\n'],
    ['A: ö\nB: c\n\n', 'A: =?utf-8?B?w7Y=?=\r\nB: c\n\n'],
  ])('%j', (text, expected) => {
    if (typeof expected === 'string') expect(header(text)).toBe(expected);
    else expect(header(text)).toMatch(expected);
  });

  it('in no known charset says so', () => {
    const octets = Buffer.from('Subject: Gr\xfc\xdfe\r\n', 'latin1');
    expect(surrogateHeader(octets).toString()).toBe('Subject: =?unknown-8bit?B?R3L832U=?=\r\n');
  });

  it('shows an address that it cannot give as a name (RFC 6858 §2.1)', () => {
    const octets = surrogateHeader(Buffer.from('From: José <josé@exämple.test>\r\nTo: 用户@例子.test\r\n\r\n'));
    const { from, to } = parseEnvelope(octets, parseHeader(octets));
    const [sender] = from;
    expect(JSON.stringify([sender, to])).toContain('internationalized-address.invalid');
    expect(decodeEncodedWords(firstField(octets, parseHeader(octets), 'From')!)).toBe(
      'José <josé@exämple.test> <invalid@internationalized-address.invalid>',
    );
    expect(decodeEncodedWords(firstField(octets, parseHeader(octets), 'To')!)).toContain('用户@例子.test <invalid@');
  });

  it('is in encoded words of 75 characters and whole letters (RFC 2047 §2, §5)', () => {
    const text = 'Grüße 你好 \u{1F40C}'.repeat(60);
    const lines = header(`Subject: ${text}\r\n\r\n`).split('\r\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(78);
    const words = lines.join('').match(/=\?utf-8\?B\?[^?]*\?=/g)!;
    for (const word of words) {
      expect(word.length).toBeLessThanOrEqual(75);
      expect(decodeEncodedWords(word)).not.toContain('\uFFFD');
    }
    expect(decodeEncodedWords(lines.join('').slice('Subject: '.length))).toBe(text);
  });

  it('is ASCII whatever it was, and the same text to whoever decodes it', () => {
    const text = fc
      .array(fc.constantFrom('ü', '你', '\u{1F40C}', 'a', 'bc', ' ', '=?', '?=', '_', '"', '<', '@', ','), {
        minLength: 1,
      })
      .map((parts) => parts.join('').trim().replaceAll(/ +/g, ' '));
    const name = fc.constantFrom(
      'Subject',
      'From',
      'To',
      'Content-Type',
      'Content-Disposition',
      'X-Other',
      'References',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, text)), (fields) => {
        const octets = Buffer.from(`${fields.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`);
        const out = surrogateHeader(octets);
        expect(isAscii(out)).toBe(true);
        expect(out.toString().endsWith('\r\n') && !/^\s/.test(out.toString().trimEnd())).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => {
        expect(isAscii(surrogateHeader(Buffer.from(octets)))).toBe(true);
      }),
    );
    const words = text.filter((value) => /[ü你]/.test(value) && !value.includes('=?'));
    fc.assert(
      fc.property(words, (value) => {
        const out = surrogateHeader(Buffer.from(`Subject: ${value}\r\n\r\n`));
        expect(decodeEncodedWords(firstField(out, parseHeader(out), 'Subject')!)).toBe(value);
      }),
    );
  });
});

const MIXED = Buffer.from(
  [
    'From: Jörg <j@x.test>',
    'Subject: Grüße',
    'Content-Type: multipart/mixed; boundary="b"',
    '',
    'preamble ü',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    'Grüße: body, ü',
    '--b',
    'Content-Type: message/rfc822',
    '',
    'Subject: innen ö',
    '',
    'inner ß',
    '--b',
    'Content-Disposition: attachment; filename="Übersicht.pdf"',
    '',
    'x',
    '--b--',
    '',
  ].join('\r\n'),
);

describe('a message', () => {
  it('has its headers in ASCII, those of its parts too, and its bodies as they are', async () => {
    const out = await sent(MIXED);
    const tree = parseMimeTree(out);
    for (const { start, end } of headerRanges(tree)) expect(isAscii(out.subarray(start, end))).toBe(true);
    const before = [...partsOf(parseMimeTree(MIXED))].map(({ part }) => part);
    const after = [...partsOf(tree)].map(({ part }) => part);
    expect(after.map(({ type, subtype }) => [type, subtype])).toEqual(
      before.map(({ type, subtype }) => [type, subtype]),
    );
    expect(after.map(fileName)).toEqual(before.map(fileName));
    expect(fileName(after.at(-1)!)).toBe('Übersicht.pdf');
    const text = out.toString();
    for (const body of ['preamble ü', 'Grüße: body, ü', 'inner ß']) expect(text).toContain(`\r\n${body}\r\n`);
    expect(text).toContain('Subject: innen =?utf-8?B?w7Y=?=\r\n');
  });

  it('is the same in whatever pieces it comes', async () => {
    const whole = await sent(MIXED);
    for (const octets of [1, 2, 3, 7, 64, 1000]) expect((await sent(MIXED, octets)).equals(whole)).toBe(true);
  });

  it('is unchanged when its headers are in ASCII', async () => {
    const message = Buffer.from('Subject: x\r\nContent-Type: text/plain\r\n\r\nGrüße \xff\r\n');
    expect(await sent(message, 5)).toEqual(message);
  });

  it('loses what is no ASCII in a header that is too large to be rewritten', async () => {
    const message = Buffer.from(`Subject: ü${'x'.repeat(1024 * 1024)}\r\n\r\nü\r\n`);
    const out = (await sent(message, 65_536)).toString();
    expect(out.startsWith('Subject: ??xxx')).toBe(true);
    expect(out.endsWith('x\r\n\r\nü\r\n')).toBe(true);
  });

  it('is sent as far as it goes when it is shorter than its tree says', async () => {
    async function* half(): AsyncGenerator<Uint8Array> {
      yield MIXED.subarray(0, 10);
    }
    const out: Uint8Array[] = [];
    for await (const piece of surrogate(half(), headerRanges(parseMimeTree(MIXED)))) out.push(piece);
    expect(Buffer.concat(out).toString()).toBe('From: J??r');
  });
});
