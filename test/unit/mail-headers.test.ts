import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import {
  allFields,
  decodeEncodedWords,
  fieldBody,
  firstField,
  parseHeader,
  selectHeaderFields,
} from '../../src/mail/headers.ts';

const octets = (text: string) => Buffer.from(text, 'latin1');

describe('parseHeader', () => {
  it.each([
    ['CRLF', 'A: 1\r\nB: 2\r\n\r\nbody', ['A', 'B'], 'body'],
    ['bare LF', 'A: 1\nB: 2\n\nbody', ['A', 'B'], 'body'],
    ['mixed line ends', 'A: 1\r\nB: 2\n\r\nbody', ['A', 'B'], 'body'],
    ['no body', 'A: 1\r\n\r\n', ['A'], ''],
    ['no empty line', 'A: 1\r\nB: 2', ['A', 'B'], ''],
    ['no header', '\r\nbody: not a field\r\n', [], 'body: not a field\r\n'],
    ['nothing', '', [], ''],
    ['a blank before the colon', 'A : 1\r\nB\t: 2\r\n\r\n', ['A', 'B'], ''],
    ['lines without a colon', 'A: 1\r\nwhat is this\r\n and this\r\nB: 2\r\n\r\nx', ['A', 'B'], 'x'],
    ['the first line of an mbox', 'From alice Sat Jan  1 2000\nA: 1\n\nx', ['A'], 'x'],
    ['a continuation of nothing', ' folded: so\r\nA: 1\r\n\r\nx', ['A'], 'x'],
    ['no name', ': 1\r\nA: 1\r\n\r\nx', ['A'], 'x'],
    ['a blank line is no empty line', 'A: 1\r\n \r\nB: 2\r\n\r\nx', ['A', 'B'], 'x'],
    ['bare CR', 'A: 1\rB: 2\r\n\r\nx', ['A'], 'x'],
  ])('%s', (_, text, names, body) => {
    const header = parseHeader(octets(text));
    expect(header.fields.map((field) => field.name)).toEqual(names);
    expect(text.slice(header.end)).toBe(body);
  });

  it('reads only between the offsets that it is given', () => {
    const text = 'xxxA: 1\r\nB: 2\r\nC: 3';
    const header = parseHeader(octets(text), 3, 15);
    expect(header).toMatchObject({ start: 3, end: 15 });
    expect(header.fields.map((field) => text.slice(field.start, field.end))).toEqual(['A: 1\r\n', 'B: 2\r\n']);
  });

  it('takes a header of 10 MB in linear time', { timeout: 60_000 }, () => {
    const folded = Buffer.from(`A: ${'x\r\n '.repeat(2_500_000)}\r\nB: 2\r\n\r\n`);
    expect(parseHeader(folded).fields.map((field) => field.name)).toEqual(['A', 'B']);
    expect(parseHeader(Buffer.from('no colon\n'.repeat(1_000_000))).fields).toEqual([]);
    expect(parseHeader(Buffer.from('a:\n'.repeat(3_000_000))).end).toBe(9_000_000);
  });
});

describe('fieldBody', () => {
  it.each([
    ['folded', 'A: one\r\n two\r\n\tthree \r\n\r\n', 'one two\tthree'],
    ['folded with LF', 'A: one\n two\n\n', 'one two'],
    ['nothing', 'A:\r\n\r\n', ''],
    ['UTF-8', 'A: J\xc3\xbcrgen\r\n', 'Jürgen'],
    ['no UTF-8', 'A: J\xfcrgen \x80\r\n', 'Jürgen €'],
    ['an end that looks like a blank in latin1', 'A: voil\xc3\xa0\r\n', 'voilà'],
  ])('%s', (_, text, body) => {
    const header = parseHeader(octets(text));
    expect(fieldBody(octets(text), header.fields[0]!)).toBe(body);
  });

  it('finds fields by their name without case', () => {
    const message = octets('Received: 1\r\nSUBJECT: a\r\nreceived: 2\r\nsubject: b\r\n\r\n');
    const header = parseHeader(message);
    expect(firstField(message, header, 'Subject')).toBe('a');
    expect(allFields(message, header, 'Received')).toEqual(['1', '2']);
    expect(firstField(message, header, 'To')).toBeUndefined();
  });
});

describe('selectHeaderFields', () => {
  const message = 'From: a\r\nTo: b,\r\n c\r\nSubject:d\r\nnonsense\r\nto: e\r\n\r\nbody';
  it.each([
    [
      'fields as they are, in the order of the message',
      ['SUBJECT', 'TO'],
      false,
      'To: b,\r\n c\r\nSubject:d\r\nto: e\r\n\r\n',
    ],
    ['none', ['X'], false, '\r\n'],
    ['all but some', ['to'], true, 'From: a\r\nSubject:d\r\n\r\n'],
    ['a name in full only', ['T', 'Subjec'], false, '\r\n'],
  ])('%s', (_, names, not, expected) => {
    const selected = selectHeaderFields(octets(message), parseHeader(octets(message)), names, not);
    expect(Buffer.from(selected).toString('latin1')).toBe(expected);
  });

  // RFC 9051 §6.4.5.1: no empty line for a message that has no body and no empty line.
  it.each([
    ['From: a\r\nTo: b\r\n', 'To: b\r\n'],
    ['To: b\n\n', 'To: b\n\r\n'],
    ['To: b\n\r\n', 'To: b\n\r\n'],
    ['To: b', 'To: b'],
    ['\r\nx', '\r\n'],
    ['\nx', '\r\n'],
    ['', ''],
  ])('%j', (text, expected) => {
    const selected = selectHeaderFields(octets(text), parseHeader(octets(text)), ['to'], false);
    expect(Buffer.from(selected).toString('latin1')).toBe(expected);
  });
});

describe('decodeEncodedWords', () => {
  it.each([
    ['plain', 'plain'],
    ['=?ISO-8859-1?Q?Andr=E9?= Pirard', 'André Pirard'],
    ['=?UTF-8?B?w6Q=?= =?utf-8?b?w7Y=?=', 'äö'],
    ['=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=', 'ä'],
    ['=?utf-8?Q?a_b?= c', 'a b c'],
    ['=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=', '日本'],
    ['=?utf-8*en?Q?language?=', 'language'],
    ['=?no-such-charset?Q?a?=', 'a'],
    ['=?broken', '=?broken'],
    ['=?utf-8?X?a?=', '=?utf-8?X?a?='],
  ])('%j', (text, decoded) => {
    expect(decodeEncodedWords(text)).toBe(decoded);
  });
});

it('throws on nothing', () => {
  const line = fc.oneof(
    fc.constantFrom('A: b\r\n', 'Subject: =?utf-8?Q?=C3?=\n', ' folded\r\n', '\r\n', '\n', ':\n', 'x'),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), fc.boolean(), (lines, not) => {
      const message = octets(lines.join(''));
      const header = parseHeader(message);
      let position = header.start;
      for (const field of header.fields) {
        expect(field.start).toBeGreaterThanOrEqual(position);
        expect(field.bodyStart).toBeGreaterThan(field.start);
        expect(field.end).toBeGreaterThanOrEqual(field.bodyStart);
        position = field.end;
        decodeEncodedWords(fieldBody(message, field));
      }
      expect(header.end).toBeGreaterThanOrEqual(position);
      expect(header.end).toBeLessThanOrEqual(message.length);
      selectHeaderFields(message, header, ['subject'], not);
    }),
  );
});
