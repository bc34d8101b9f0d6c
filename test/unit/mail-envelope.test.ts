import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { envelopeText, parseDate, parseEnvelope, parseSentDay } from '../../src/mail/envelope.ts';
import { parseHeader } from '../../src/mail/headers.ts';

const octets = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
const envelope = (text: string) =>
  Buffer.from(envelopeText(octets(text), parseHeader(octets(text)))).toString('latin1');
const ME = '((NIL NIL "me" "x"))';

describe('ENVELOPE', () => {
  it('is that of the example in RFC 3501 §8', () => {
    const header = `Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
From: Terry Gray <gray@cac.washington.edu>
Subject: IMAP4rev1 WG mtg summary and minutes
To: imap@cac.washington.edu
cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
Message-Id: <B27397-0100000@cac.washington.edu>
MIME-Version: 1.0
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

`;
    expect(envelope(header)).toBe(
      '("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" ' +
        '(("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ' +
        '(("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ' +
        '((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL ' +
        '"<B27397-0100000@cac.washington.edu>")',
    );
  });

  it.each([
    ['nothing', '', '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)'],
    [
      'fields present but empty: strings are empty, lists NIL',
      'Date:\nSubject: \nTo:\nIn-Reply-To:\nMessage-ID:\n',
      '("" "" NIL NIL NIL NIL NIL NIL "" "")',
    ],
    [
      'sender and reply-to from from',
      'From: me@x\nSender:\nReply-To: \n',
      `(NIL NIL ${ME} ${ME} ${ME} NIL NIL NIL NIL NIL)`,
    ],
    [
      'sender and reply-to of their own',
      'From: me@x\nSender: s@x\nReply-To: r@x\n',
      `(NIL NIL ${ME} ((NIL NIL "s" "x")) ((NIL NIL "r" "x")) NIL NIL NIL NIL NIL)`,
    ],
    [
      'groups',
      'To: group: g1@d1, g2@d2;, empty:;\n',
      '(NIL NIL NIL NIL NIL ((NIL NIL "group" NIL)(NIL NIL "g1" "d1")(NIL NIL "g2" "d2")(NIL NIL NIL NIL)(NIL NIL "empty" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)',
    ],
    ['a route', 'To: <@route:user@domain>\n', '(NIL NIL NIL NIL NIL ((NIL "@route" "user" "domain")) NIL NIL NIL NIL)'],
    ['a missing domain is not NIL', 'To: bob\n', '(NIL NIL NIL NIL NIL ((NIL NIL "bob" "")) NIL NIL NIL NIL)'],
    ['a quoted local part', 'To: "a b"@c\n', '(NIL NIL NIL NIL NIL ((NIL NIL "a b" "c")) NIL NIL NIL NIL)'],
    [
      'several fields of addresses',
      'To: a@b\nTo: c@d\n',
      '(NIL NIL NIL NIL NIL ((NIL NIL "a" "b")(NIL NIL "c" "d")) NIL NIL NIL NIL)',
    ],
    ['several subjects', 'Subject: one\nSubject: two\n', '(NIL "one" NIL NIL NIL NIL NIL NIL NIL NIL)'],
    [
      'encoded words stay',
      'Subject: =?utf-8?Q?=C3=A4?=\n',
      '(NIL "=?utf-8?Q?=C3=A4?=" NIL NIL NIL NIL NIL NIL NIL NIL)',
    ],
    ['folding is undone', 'Subject: one\n two\n\tthree\n', '(NIL "one two\tthree" NIL NIL NIL NIL NIL NIL NIL NIL)'],
    ['quotes and backslashes', 'Subject: say "a\\b"\n', '(NIL "say \\"a\\\\b\\"" NIL NIL NIL NIL NIL NIL NIL NIL)'],
    [
      '8-bit as a literal, its octets as they are',
      'Subject: \xfcber\n',
      '(NIL {4}\r\n\xfcber NIL NIL NIL NIL NIL NIL NIL NIL)',
    ],
    ['a bare CR as a literal', 'Subject: a\rb\n', '(NIL {3}\r\na\rb NIL NIL NIL NIL NIL NIL NIL NIL)'],
    ['NUL is no CHAR8', 'Subject: a\0b\n', '(NIL {3}\r\na\x80b NIL NIL NIL NIL NIL NIL NIL NIL)'],
    [
      'long as a literal',
      `Subject: ${'x'.repeat(1001)}\n`,
      `(NIL {1001}\r\n${'x'.repeat(1001)} NIL NIL NIL NIL NIL NIL NIL NIL)`,
    ],
    ['in-reply-to', 'In-Reply-To: <a@b> <c@d>\n', '(NIL NIL NIL NIL NIL NIL NIL NIL "<a@b> <c@d>" NIL)'],
  ])('%s', (_, header, expected) => {
    expect(envelope(`${header}\n`)).toBe(expected);
  });

  it('throws on nothing, and is one parenthesised list of ten', () => {
    const name = fc.constantFrom('From', 'To', 'Subject', 'Date', 'Message-ID', 'Sender');
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.string({ unit: fc.constantFrom(...Array.from('ab@<>,;:"()\\ .')), maxLength: 40 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (fields) => {
        const text = fields.map(([name, value]) => `${name}: ${value}\n`).join('');
        expect(members(envelope(text))).toBe(10);
        parseEnvelope(octets(text), parseHeader(octets(text)));
      }),
    );
  });
});

/** How many members a parenthesised list has; literals and quoted strings are stepped over as a client does. */
function members(list: string): number {
  let depth = 0;
  let count = 1;
  for (let at = 0; at < list.length; at++) {
    const char = list[at];
    if (char === '(') depth++;
    else if (char === ')') {
      if (--depth === 0) return at === list.length - 1 ? count : -1;
    } else if (char === ' ' && depth === 1) count++;
    else if (char === '"') {
      for (at++; list[at] !== '"'; at++) if (list[at] === '\\') at++;
    } else if (char === '{') {
      const literal = /^\{(\d+)\}\r\n/.exec(list.slice(at))!;
      at += literal[0].length + Number(literal[1]) - 1;
    }
  }
  return -1;
}

it('decodes the envelope for people', () => {
  const text =
    'Date: Sat, 24 Mar 2007 23:00:00 +0200\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n an alle\nFrom: =?iso-8859-1?Q?J=FCrgen?= <j@x>\n' +
    'To: =?utf-8?Q?Doe=2C_John?= <d@x>, \xc3\xa4@x\nMessage-ID: <1@x>\n\n';
  expect(parseEnvelope(octets(text), parseHeader(octets(text)))).toMatchObject({
    date: 'Sat, 24 Mar 2007 23:00:00 +0200',
    subject: 'Grüße an alle',
    from: [{ type: 'mailbox', name: 'Jürgen', localPart: 'j', domain: 'x' }],
    sender: [{ name: 'Jürgen' }],
    to: [
      { name: 'Doe, John', localPart: 'd' },
      { name: undefined, localPart: 'ä' },
    ],
    cc: [],
    inReplyTo: undefined,
    messageId: '<1@x>',
  });
});

describe('dates', () => {
  it.each([
    ['Fri, 21 Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06.000Z', '1997-11-21'],
    ['21 Nov 97 09:55:06 GMT', '1997-11-21T09:55:06.000Z', '1997-11-21'],
    ['1 Jul 03 10:52 +0200', '2003-07-01T08:52:00.000Z', '2003-07-01'],
    ['Thu,\t13\tFeb\t1969\t23:32\t-0330 (Newfoundland Time)', '1969-02-14T03:02:00.000Z', '1969-02-13'],
    ['Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', '1997-11-21T15:55:06.000Z', '1997-11-21'],
    ['Fri, 21 Nov 1997 09:55:06 EST', '1997-11-21T14:55:06.000Z', '1997-11-21'],
    ['Fri, 21 Nov 1997 09:55:06 A', '1997-11-21T09:55:06.000Z', '1997-11-21'],
    ['Fri, 21 Nov 1997 09:55:06', '1997-11-21T09:55:06.000Z', '1997-11-21'],
    ['Fri, 21 Nov 103 09:55:06 Z', '2003-11-21T09:55:06.000Z', '2003-11-21'],
    ['21-Nov-1997 09:55:06 +0000', '1997-11-21T09:55:06.000Z', '1997-11-21'],
    ['Sat Mar 24 23:00:00 2007', '2007-03-24T23:00:00.000Z', '2007-03-24'],
    ['Sat Mar 24 23:00:00 EST 2007', '2007-03-25T04:00:00.000Z', '2007-03-24'],
    ['2007-03-24T23:00:00+02:00', '2007-03-24T21:00:00.000Z', '2007-03-24'],
    ['Sat, 31 Dec 2016 23:59:60 +0000', '2017-01-01T00:00:00.000Z', '2016-12-31'],
    ['1 Jan 0099 00:00:00 +0000', '0099-01-01T00:00:00.000Z', '0099-01-01'],
    ['29 Feb 2024', undefined, '2024-02-29'],
    ['29 Feb 2023 00:00:00 +0000', undefined, undefined],
    ['31 Foo 2023 00:00:00 +0000', undefined, undefined],
    ['1 Jan 2023 25:00:00 +0000', undefined, '2023-01-01'],
    ['', undefined, undefined],
    ['yesterday', undefined, undefined],
    ['(((((', undefined, undefined],
  ])('%s', (text, moment, day) => {
    expect(parseDate(text)?.toISOString()).toBe(moment);
    const sent = parseSentDay(text);
    const two = (number: number, width = 2) => String(number).padStart(width, '0');
    expect(sent && `${two(sent.year, 4)}-${two(sent.month)}-${two(sent.day)}`).toBe(day);
  });

  it('throws on nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...Array.from('0123 :,+-JanFebSatT()')) })),
        (text) => {
          parseDate(text);
          parseSentDay(text);
        },
      ),
    );
  });
});
