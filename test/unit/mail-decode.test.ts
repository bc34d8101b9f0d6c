import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { decodeCharset } from '../../src/mail/charset.ts';
import { decodePart, fileName, partText } from '../../src/mail/decode.ts';
import { decodeReferences, textOfHtml } from '../../src/mail/html-text.ts';
import { parseMimeTree } from '../../src/mail/mime-tree.ts';

const octets = (text: string) => Buffer.from(text, 'latin1');
const decoded = (text: string) => Buffer.from(decodePart(octets(text), parseMimeTree(octets(text)))).toString('latin1');
const read = (text: string) => partText(octets(text), parseMimeTree(octets(text)));

describe('decodePart', () => {
  it.each([
    ['7bit', 'a=20b\r\n', 'a=20b\r\n'],
    ['8bit', '\xe4', '\xe4'],
    ['no-such-thing', 'YQ==', 'YQ=='],
    ['base64', 'SGVs\r\nbG8=\r\n', 'Hello'],
    ['BASE64', 'SGVsbG8', 'Hello'],
    ['base64', 'S G*V\0sb!G8=', 'Hello'],
    ['base64', 'YQ==YmM=\r\nZA==', 'abcd'],
    ['base64', '', ''],
    ['base64', '====', ''],
    ['quoted-printable', 'a=20b=\r\nc=E4 \r\n', 'a bc\xe4\r\n'],
    ['Quoted-Printable', 'a=zz=4', 'a=zz=4'],
    ['quoted-printable (comment)', '=41', 'A'],
  ])('%s %j', (encoding, body, expected) => {
    expect(decoded(`Content-Transfer-Encoding: ${encoding}\r\n\r\n${body}`)).toBe(expected);
  });

  it('reads no further than the limit', () => {
    const text = 'Content-Transfer-Encoding: base64\r\n\r\nYWJjZGVm';
    expect(Buffer.from(decodePart(octets(text), parseMimeTree(octets(text)), 4)).toString()).toBe('abc');
  });
});

describe('partText', () => {
  it.each([
    ['no charset, ASCII', '', 'x', 'x'],
    ['no charset, UTF-8', '', '\xc3\xa4', 'ä'],
    ['no charset, neither', '', '\xe4\x80', 'ä€'],
    ['us-ascii that is none', 'us-ascii', '\xc3\xa4', 'ä'],
    ['UTF-8', 'UTF-8', '\xc3\xa4', 'ä'],
    ['UTF-8 that is none', 'utf-8', '\xe4', '\ufffd'],
    ['a byte order mark', 'utf-8', '\xef\xbb\xbfx', 'x'],
    ['a byte order mark without charset', '', '\xef\xbb\xbfx', 'x'],
    ['ISO-8859-1', 'ISO-8859-1', '\xe4', 'ä'],
    ['ISO-8859-15', '"iso-8859-15"', '\xa4', '€'],
    ['KOI8-R', 'koi8-r', '\xd0\xd2', 'пр'],
    ['Shift_JIS', 'shift_jis', '\x93\xfa', '日'],
    ['ISO-2022-JP', 'iso-2022-jp', '\x1b$BF|\x1b(B', '日'],
    ['GB18030', 'gb18030', '\xd6\xd0', '中'],
    ['a code page of DOS', 'cp850', '\x84', 'ä'],
    ['UTF-7', 'utf-7', 'a+AOQ-b+-', 'aäb+'],
    ['an unknown charset', 'x-nobody', '\xc3\xa4', 'ä'],
    ['an encoded parameter', "x; charset*=us-ascii'en'utf-8", '\xc3\xa4', 'ä'],
  ])('%s', (_, charset, body, expected) => {
    const parameter = charset === '' ? '' : `; charset=${charset}`;
    expect(read(`Content-Type: text/plain${parameter}\r\n\r\n${body}`)).toBe(expected);
  });

  it('throws on no charset and no octets', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.oneof(fc.string(), fc.constantFrom('utf-7', 'utf-16', 'iso-2022-kr', 'big5')),
        (bytes, label) => {
          expect(typeof decodeCharset(bytes, label)).toBe('string');
        },
      ),
    );
  });
});

it.each([
  ['Content-Disposition: attachment; filename="a b.txt"', 'a b.txt'],
  ['Content-Disposition: attachment; filename=a b(1).txt', 'a b(1).txt'],
  ["Content-Disposition: attachment; filename*=utf-8''%E2%82%AC.txt; filename=euro.txt", '€.txt'],
  ["Content-Disposition: attachment; filename*0*=iso-8859-1''%E4; filename*1=b.txt", 'äb.txt'],
  ['Content-Disposition: attachment; filename*0="long "; filename*1="name"', 'long name'],
  ['Content-Disposition: attachment; filename="=?utf-8?Q?=C3=A4?=.txt"', 'ä.txt'],
  ['Content-Type: image/png; name=a.png', 'a.png'],
  ['Content-Disposition: attachment; filename=""\r\nContent-Type: image/png; name=a.png', undefined],
  ['Content-Disposition: attachment', undefined],
])('the file name of %s', (header, name) => {
  expect(fileName(parseMimeTree(octets(`${header}\r\n\r\n`)))).toBe(name);
});

describe('textOfHtml', () => {
  it.each([
    ['a <b>b</b>\r\n c', 'a b c'],
    ['<p>one</p><p>two<br>three</p>', 'one\n\ntwo\nthree'],
    ['<table><tr><td>a</td><td>b</td></tr></table>', 'a b'],
    ['<head><title>t</title></head><style>x{}</style><script>y</script>seen', 'seen'],
    ['<!-- hidden > -->seen', 'seen'],
    ['<img alt="a > b">seen', 'seen'],
    ['a < b &amp;&nbsp;c &#8364;&#x20AC;&#150; &nope; &Auml;&auml;', 'a < b &\u00a0c €€– &nope; Ää'],
    ['unclosed <b', 'unclosed'],
    ['unclosed <a href="x>y', 'unclosed y'],
    ['<script>never closed', ''],
    ['<!-- never closed', ''],
    ['<script>a</script b="c">seen', 'seen'],
    ['<script>a</script', ''],
  ])('%s', (html, text) => {
    expect(textOfHtml(html)).toBe(text);
  });

  it('takes megabytes of anything in linear time', { timeout: 20_000 }, () => {
    textOfHtml(`<script>${'</script'.repeat(400_000)}`);
    for (const piece of ['<div>', '<', '<b a="', '<!--', '<script>', '&amp;', '<a b=\'"', ' ', '\n ', '<style></']) {
      textOfHtml(piece.repeat(3_000_000 / piece.length));
    }
  });

  it('decodes references once', () => {
    expect(decodeReferences('&amp;lt; &#0; &#xD800; &#1114112;')).toBe('&lt; \ufffd \ufffd \ufffd');
  });
});
