import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { bodyStructureText } from '../../src/mail/body-structure.ts';
import { parseMimeTree } from '../../src/mail/mime-tree.ts';

const octets = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
const structure = (message: Uint8Array, extensible: boolean) =>
  Buffer.from(bodyStructureText(message, parseMimeTree(message), extensible)).toString('latin1');
const lines = (count: number, length: number) => {
  const full = Math.floor((length - 2 * count) / count);
  return Array.from({ length: count }, (_, index) =>
    'x'.repeat(index === 0 ? length - 2 * count - full * (count - 1) : full),
  ).join('\n');
};

describe('the examples of RFC 3501 and RFC 9051 §7.5.2', () => {
  it('a text of 48 lines and 2279 octets', () => {
    const message = octets(
      `Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\nContent-Transfer-Encoding: 7BIT\n\n${lines(48, 2279)}\n`,
    );
    expect(structure(message, false)).toBe('("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 2279 48)');
  });

  it('a text and an attached text', () => {
    const message = octets(`Content-Type: MULTIPART/MIXED; BOUNDARY=b

--b
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII
Content-Transfer-Encoding: 7BIT

${lines(23, 1152)}

--b
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME="cc.diff"
Content-ID: <960723163407.20117h@cac.washington.edu>
Content-Description: Compiler diff
Content-Transfer-Encoding: BASE64

${lines(73, 4554)}

--b--
`);
    expect(structure(message, false)).toBe(
      '(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1152 23)' +
        '("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff") ' +
        '"<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 4554 73) "MIXED")',
    );
  });
});

describe('BODY and BODYSTRUCTURE', () => {
  it.each([
    ['nothing', '', '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0', ' NIL NIL NIL NIL)'],
    [
      'HTML without a charset',
      'Content-Type: text/html\n\nx\n',
      '("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 3 1',
      ' NIL NIL NIL NIL)',
    ],
    ['no text', 'Content-Type: image/png\n\nx\n', '("image" "png" NIL NIL NIL "7bit" 3', ' NIL NIL NIL NIL)'],
    [
      'everything',
      'Content-Type: image/png; name=a.png\nContent-ID: <1@x>\nContent-Description: it\nContent-Transfer-Encoding: base64\n' +
        'Content-MD5: Q2hlY2s=\nContent-Disposition: inline; filename=a.png\nContent-Language: en\nContent-Location: a.png\n\nx\n',
      '("image" "png" ("name" "a.png") "<1@x>" "it" "base64" 3',
      ' "Q2hlY2s=" ("inline" ("filename" "a.png")) ("en") "a.png")',
    ],
    [
      'two languages, a disposition alone',
      'Content-Type: a/b\nContent-Disposition: attachment\nContent-Language: en,de\n\n',
      '("a" "b" NIL NIL NIL "7bit" 0',
      ' NIL ("attachment" NIL) ("en" "de") NIL)',
    ],
    [
      'continued parameters',
      "Content-Type: a/b; n*0=x; n*1=y; m*1*=%A4; m*0*=utf-8''%C3; o*=iso-8859-1''%E4\n\n",
      `("a" "b" ("n" "xy" "m*" "utf-8''%C3%A4" "o*" "iso-8859-1''%E4") NIL NIL "7bit" 0`,
      ' NIL NIL NIL NIL)',
    ],
    [
      'a plain piece in an encoded parameter',
      'Content-Type: a/b; n*0*=utf-8\'\'x; n*1="y %"\n\n',
      `("a" "b" ("n*" "utf-8''xy%20%25") NIL NIL "7bit" 0`,
      ' NIL NIL NIL NIL)',
    ],
    [
      '8-bit parameters, in UTF-8',
      'Content-Type: a/b; name="\xe4"\n\n',
      '("a" "b" ("name" {2}\r\n\xc3\xa4) NIL NIL "7bit" 0',
      ' NIL NIL NIL NIL)',
    ],
    [
      'a multipart without parts',
      'Content-Type: multipart/mixed; boundary=b\n\nx\n',
      '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0) "mixed"',
      undefined,
    ],
    [
      'a message with its envelope',
      'Content-Type: message/rfc822\n\nSubject: in\nFrom: a@b\n\nx\ny\n',
      '("message" "rfc822" NIL NIL NIL "7bit" 32 (NIL "in" ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) NIL NIL NIL NIL NIL) ' +
        '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 2) 5',
      undefined,
    ],
  ])('%s', (_, text, body, extension) => {
    expect(structure(octets(text), false)).toBe(`${body})`);
    if (extension !== undefined) expect(structure(octets(text), true)).toBe(`${body}${extension}`);
  });

  it('puts the extension data of a multipart behind its subtype', () => {
    const message = octets(`Content-Type: multipart/alternative; boundary="b b"
Content-Disposition: inline
Content-Language: en
Content-Location: http://x.test/

--b b

x
--b b--
`);
    expect(structure(message, true)).toBe(
      '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) "alternative" ' +
        '("boundary" "b b") ("inline" NIL) ("en") "http://x.test/")',
    );
  });

  it('nests', () => {
    const message = octets(`Content-Type: multipart/mixed; boundary=a

--a
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8

1
--b
Content-Type: text/html; charset=utf-8

2
--b--

--a
Content-Type: message/rfc822

Content-Type: multipart/mixed; boundary=c

--c
Content-Type: image/gif

3
--c--
--a--
`);
    expect(structure(message, false)).toBe(
      '((("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 1 0)("text" "html" ("charset" "utf-8") NIL NIL "7bit" 1 0) "alternative")' +
        '("message" "rfc822" NIL NIL NIL "7bit" 85 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ' +
        '(("image" "gif" NIL NIL NIL "7bit" 1) "mixed") 6) "mixed")',
    );
  });

  it('throws on nothing, and closes what it opens', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'Content-Type: multipart/mixed; boundary=b\n\n',
        'Content-Type: message/rfc822\n\n',
        '--b\n',
        '--b--\n',
        '\n',
        'From: (x\n',
        'Content-Type: text/x; a="b\\\n',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, extensible) => {
        const text = structure(Buffer.from(pieces.join('')), extensible);
        // Strings and literals out of the way, the parentheses must match.
        let bare = '';
        for (let at = 0; at < text.length; at++) {
          const literal = /^\{(\d+)\}\r\n/.exec(text.slice(at, at + 12));
          if (literal) at += literal[0].length + Number(literal[1]) - 1;
          else if (text[at] === '"') {
            for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
            bare += 's';
          } else bare += text[at]!;
        }
        expect(bare).toMatch(/^[()sNIL0-9 ]+$/);
        let depth = 0;
        for (const char of bare) expect((depth += char === '(' ? 1 : char === ')' ? -1 : 0)).toBeGreaterThanOrEqual(0);
        expect(depth).toBe(0);
      }),
    );
  });
});
