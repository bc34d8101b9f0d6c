import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { parseMimeTree } from '../../src/mail/mime-tree.ts';
import { casemapKey } from '../../src/mail/collation.ts';
import { foldForSearch, MAX_SEARCH_TEXT, searchText } from '../../src/mail/search-text.ts';

const search = (text: string) => searchText(Buffer.from(text, 'latin1'), parseMimeTree(Buffer.from(text, 'latin1')));

it('takes fields, texts, names of files, and what nested messages hold', () => {
  expect(
    search(`From: =?utf-8?Q?J=C3=BCrgen?= <j@x.test>
To: group: a@x.test, "B, b" <b@x.test>;
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=
X-Own: =?utf-8?Q?=C3=A4?=
 folded
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

S=C3=BC=
=C3=9F
--b
Content-Type: text/html

<p>Hallo&nbsp;<b>Welt</b></p>
--b
Content-Type: message/rfc822

Subject: inner

inner text
--b
Content-Type: application/pdf; name="a.pdf"
Content-Disposition: attachment; filename*=utf-8''%C3%A4.pdf

not text
--b--
`),
  ).toEqual({
    subject: 'Grüße',
    from: 'Jürgen <j@x.test>',
    to: 'group: a@x.test, B, b <b@x.test>;',
    cc: '',
    bcc: '',
    headers: expect.stringContaining('X-Own: ä folded\n') as string,
    body: 'Süß\nHallo\u00a0Welt\ninner text',
    attachmentNames: ['ä.pdf'],
  });
});

it('has the header fields of parts and of nested messages', () => {
  const { headers } = search(
    'A: 1\nContent-Type: multipart/mixed; boundary=b\n\n--b\nB: 2\nContent-Type: message/rfc822\n\nC: 3\n\nx\n--b--\n',
  );
  expect(headers).toBe('A: 1\nContent-Type: multipart/mixed; boundary=b\nB: 2\nContent-Type: message/rfc822\nC: 3\n');
});

it('takes no more than its limit', () => {
  expect(search(`\n${'x'.repeat(MAX_SEARCH_TEXT + 10)}`).body.length).toBe(MAX_SEARCH_TEXT);
  const { headers, body } = search(`${'A: b\n'.repeat(1_000_000)}\nx`);
  expect(headers.length + body.length).toBeLessThanOrEqual(MAX_SEARCH_TEXT);
});

describe('foldForSearch', () => {
  it.each([
    ['Hello', 'hello'],
    ['MÜNCHEN', 'munchen'],
    ['Mu\u0308nchen', 'munchen'],
    ['Straße', 'STRASSE'],
    ['ΟΔΟΣ', 'οδος'],
    ['ΌΔΟΣ Σ', 'οδοσ σ'],
    ['Ёлка', 'елка'],
    ['İstanbul', 'istanbul'],
    ['ﬁn', 'FIN'],
    ['Ａ１', 'a1'],
    ['café', 'CAFÉ'],
    ['שָׁלוֹם', 'שלום'],
    ['soft\u00adhyphen', 'softhyphen'],
  ])('%s is %s', (one, other) => {
    expect(foldForSearch(one)).toBe(foldForSearch(other));
  });

  it.each([
    ['が', 'か'],
    ['कि', 'क'],
    ['각', '가'],
    ['a', 'b'],
    ['ø', 'o'],
  ])('%s is not %s', (one, other) => {
    expect(foldForSearch(one)).not.toBe(foldForSearch(other));
  });

  it.each([
    ['한국', '한구'],
    ['がき', 'か'],
    ['Ångström', 'ngstro'],
    ['ﬁn', 'ﬁ'],
    ['Straße', 'ß'],
  ])('%s has %s in it', (one, other) => {
    expect(casemapKey(one)).toContain(casemapKey(other));
    expect(foldForSearch(one)).toContain(foldForSearch(other));
  });

  it('finds whatever i;unicode-casemap finds (RFC 5051)', () => {
    // What a folded text is follows from its key, character by character: so substrings stay substrings.
    const byCharacter = (key: string): string => Array.from(key, (one) => foldForSearch(one)).join('');
    for (let code = 0; code < 0x30000; code++) {
      // Alone it is the letter iota (RFC 5051 §2); in searches it is an accent, as it is below another letter.
      if ((code >= 0xd800 && code < 0xe000) || code === 0x345) continue;
      const one = String.fromCodePoint(code);
      if (foldForSearch(one) !== byCharacter(casemapKey(one))) expect.fail(`U+${code.toString(16)}`);
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!text.includes('\u0345'));
        expect(foldForSearch(text)).toBe(byCharacter(casemapKey(text)));
      }),
      { numRuns: 2000 },
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(foldForSearch(foldForSearch(text))).toBe(foldForSearch(text));
      }),
      { numRuns: 2000 },
    );
    for (let code = 0; code < 0x30000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const once = foldForSearch(String.fromCodePoint(code));
      if (foldForSearch(once) !== once) expect.fail(`U+${code.toString(16)}`);
    }
  });
});

it('throws on nothing', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'Content-Type: text/html; charset=utf-16\n',
      'Content-Type: multipart/mixed; boundary=b\n\n--b\n',
      'Content-Transfer-Encoding: base64\n',
      '\n',
      'From: <',
    ),
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      search(pieces.join(''));
    }),
  );
});
