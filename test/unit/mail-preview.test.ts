import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { parseMimeTree } from '../../src/mail/mime-tree.ts';
import { findContentId, preview, snippetOf, summary } from '../../src/mail/preview.ts';

const octets = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'), 'utf8');
const previewOf = (text: string) => preview(octets(text), parseMimeTree(octets(text)));
const summaryOf = (text: string) => summary(octets(text), parseMimeTree(octets(text)));

const MAILING = `Return-Path: <bounce@x.test>
Message-ID: <1@x.test>
Date: Sat, 24 Mar 2007 23:00:00 +0200
From: =?utf-8?Q?J=C3=BCrgen?= <j@x.test>
To: a@x.test, group: "B, b" <b@x.test>;
Cc: c@x.test
Bcc: d@x.test
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=
List-Unsubscribe: <mailto:u@x.test>, <https://x.test/u>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/related; boundary=r

--r
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8

Hello
   world
--a
Content-Type: text/html; charset=utf-8

<p>Hello <b>world</b><img src="cid:logo%40x"></p>
--a--
--r
Content-Type: image/png; name=logo.png
Content-ID: <logo@x>
Content-Transfer-Encoding: base64

AAAA
--r
Content-Type: image/png
Content-ID: <unused@x>
Content-Disposition: attachment; filename=unused.png
Content-Transfer-Encoding: base64

AAAAAA==
--r--
--m
Content-Type: text/plain; name=notes.txt
Content-Disposition: attachment; filename="notes.txt"

notes
--m
Content-Type: message/rfc822

Subject: inner
Content-Type: multipart/mixed; boundary=i

--i
Content-Type: image/gif

x
--i--
--m--
`;

it('shows a message as people see it', async () => {
  const shown = await previewOf(MAILING);
  expect(shown).toMatchObject({
    messageId: '1@x.test',
    date: new Date('2007-03-24T21:00:00Z'),
    subject: 'Grüße',
    from: [{ name: 'Jürgen', address: 'j@x.test' }],
    to: [
      { name: '', address: 'a@x.test' },
      { name: 'B, b', address: 'b@x.test' },
    ],
    cc: [{ address: 'c@x.test' }],
    bcc: [{ address: 'd@x.test' }],
    replyTo: [],
    returnPath: 'bounce@x.test',
    listUnsubscribe: '<mailto:u@x.test>, <https://x.test/u>',
    snippet: 'Hello world',
  });
  expect(shown.text.trim()).toMatch(/^Hello\r?\n {3}world/);
  expect(shown.html).toContain('src="cid:logo%40x"');
  expect(shown.parts).toEqual([
    {
      partId: '1.2',
      fileName: 'logo.png',
      contentType: 'image/png',
      contentId: 'logo@x',
      disposition: '',
      size: 3,
      inline: true,
    },
    {
      partId: '1.3',
      fileName: 'unused.png',
      contentType: 'image/png',
      contentId: 'unused@x',
      disposition: 'attachment',
      size: 4,
      inline: false,
    },
    {
      partId: '2',
      fileName: 'notes.txt',
      contentType: 'text/plain',
      contentId: '',
      disposition: 'attachment',
      size: 5,
      inline: false,
    },
    {
      partId: '3',
      fileName: '',
      contentType: 'message/rfc822',
      contentId: '',
      disposition: '',
      size: 101,
      inline: false,
    },
  ]);
});

it('sums a message up as the preview does', async () => {
  const { parts, text, html, returnPath, listUnsubscribe, ...rest } = await previewOf(MAILING);
  expect([text, html, returnPath, listUnsubscribe].every((field) => field !== '')).toBe(true);
  expect(summaryOf(MAILING)).toEqual({ ...rest, attachments: parts.filter((part) => !part.inline).length });
});

describe('what counts as an attachment', () => {
  it.each([
    ['a text', 'Content-Type: text/plain\n\nx', []],
    ['a text with a file name', 'Content-Type: text/plain; name=x\n\nx', ['1 attached']],
    ['a picture alone', 'Content-Type: image/png\n\nx', ['1 attached']],
    ['a text that is attached', 'Content-Disposition: attachment\n\nx', ['1 attached']],
    ['a text that is inline', 'Content-Disposition: inline\n\nx', []],
    [
      'inline with a Content-ID',
      'Content-Type: image/png\nContent-ID: <a>\nContent-Disposition: inline\n\nx',
      ['1 inline'],
    ],
    ['inline without one', 'Content-Type: image/png\nContent-Disposition: inline\n\nx', ['1 attached']],
    ['an invitation', 'Content-Type: text/calendar\n\nx', ['1 attached']],
    ['a message', 'Content-Type: message/rfc822\n\nContent-Type: image/png\n\nx', ['1 attached']],
    ['a multipart without parts', 'Content-Type: multipart/mixed; boundary=b\n\n', []],
  ])('%s', async (_, text, expected) => {
    const { parts } = await previewOf(text);
    expect(parts.map((part) => `${part.partId} ${part.inline ? 'inline' : 'attached'}`)).toEqual(expected);
  });
});

it('finds what cid: means', () => {
  const tree = parseMimeTree(octets(MAILING));
  expect(findContentId(tree, 'logo@x')?.parameters).toEqual([['name', 'logo.png']]);
  expect(findContentId(tree, 'none')).toBeUndefined();
  expect(findContentId(tree, '')).toBeUndefined();
});

it.each([
  ['a\r\n  b\tc', '', 'a b c'],
  ['  ', '<style>x</style><p>from&nbsp;the <b>HTML</b>', 'from the HTML'],
  ['text first', '<p>HTML', 'text first'],
  ['blanks\u200b\u200c\u034f of no width', '', 'blanks of no width'],
  ['x'.repeat(250), '', 'x'.repeat(250)],
  ['x'.repeat(251), '', `${'x'.repeat(249)}…`],
  [`${'x'.repeat(248)}😀😀`, '', `${'x'.repeat(248)}…`],
  ['', '', ''],
])('snippet %#', (text, html, snippet) => {
  expect(snippetOf(text, html)).toBe(snippet);
});

it('reads text in other charsets, and HTML alone in words', async () => {
  const latin1 = Buffer.from('Content-Type: text/plain; charset=iso-8859-1\n\n\xe4', 'latin1');
  expect((await preview(latin1, parseMimeTree(latin1))).text.trim()).toBe('ä');
  expect(await previewOf('Content-Type: text/html\n\n<p>one<p>two')).toMatchObject({
    text: 'one\ntwo',
    snippet: 'one two',
  });
});

it('survives hostile messages, in bounded time', { timeout: 20_000 }, async () => {
  for (const text of [
    `Content-Type: text/html\n\n${'<div>'.repeat(500_000)}`,
    `Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(20_000)}`,
    Array.from(
      { length: 2000 },
      (_, level) => `Content-Type: multipart/mixed; boundary="<${level}>"\n\n--<${level}>\n`,
    ).join(''),
    'Content-Type: message/rfc822\n\n'.repeat(5000),
    `To: ${'=?utf-8?Q?a?= <a@b>, '.repeat(100_000)}\n\nx`,
  ]) {
    summaryOf(text);
    expect(typeof (await previewOf(text)).text).toBe('string');
  }
});

it('throws on nothing', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'Content-Type: text/html; charset=x\n',
      'Content-Type: multipart/related; boundary=b\n\n--b\n',
      'Content-ID: <a>\n',
      '\n',
      'Date: x\n',
      '<img src=cid:a>',
    ),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const message = Buffer.from(pieces.join(''), 'latin1');
      const tree = parseMimeTree(message);
      expect(summary(message, tree).snippet.length).toBeLessThanOrEqual(250);
      await preview(message, tree);
    }),
    { numRuns: 60 },
  );
});
