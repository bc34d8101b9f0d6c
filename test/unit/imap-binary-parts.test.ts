/** Messages with NUL, as APPEND keeps them. */
import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import { encodeBinaryParts } from '../../src/imap/binary-parts.ts';
import { decodePart } from '../../src/mail/decode.ts';
import { findPart, parseMimeTree } from '../../src/mail/mime-tree.ts';
import { serve } from './imap-harness.ts';

const message = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
const encoded = (text: string): string | undefined => encodeBinaryParts(message(text))?.toString('latin1');

describe('NUL is kept in base64', () => {
  test.each([
    [
      'the whole body',
      'Subject: a\nContent-Transfer-Encoding: binary\n\na\0b',
      'Subject: a\nContent-Transfer-Encoding: base64\n\nYQBi\n',
    ],
    ['without a field', 'Subject: a\n\n\0', 'Subject: a\nContent-Transfer-Encoding: base64\n\nAA==\n'],
    ['without any field', '\n\0', 'Content-Transfer-Encoding: base64\n\nAA==\n'],
    [
      'one part of two',
      'Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: binary\n\n--b\n\nhello\n--b\ncontent-transfer-encoding : 8bit\nX: y\n\n\0\0\n--b--\n',
      'Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: 8bit\n\n--b\n\nhello\n--b\nContent-Transfer-Encoding: base64\nX: y\n\nAAA=\n--b--\n',
    ],
    [
      'in a message inside',
      'Content-Type: message/rfc822\nContent-Transfer-Encoding: binary\n\nSubject: in\n\n\0',
      'Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nSubject: in\nContent-Transfer-Encoding: base64\n\nAA==\n',
    ],
  ])('%s', (_, text, expected) => {
    expect(encoded(text)).toBe(expected.replaceAll('\n', '\r\n'));
  });

  test.each([
    ['in a header', 'Subject: \0\n\nbody'],
    ['between parts', 'Content-Type: multipart/mixed; boundary=b\n\n\0\n--b\n\nbody\n--b--\n'],
    ['in what is encoded', 'Content-Transfer-Encoding: base64\n\nAA\0AA'],
    ['in an encoding that is not known', 'Content-Transfer-Encoding: x-uuencode\n\n\0'],
  ])('not where it cannot be: %s', (_, text) => {
    expect(encoded(text)).toBeUndefined();
  });

  test('nothing is lost, and no line is longer than 76', () => {
    const head = message('Content-Type: multipart/mixed; boundary=frontier\n\n--frontier\nContent-Type: a/b\n\n');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (octets) => {
        octets[0] = 0;
        const whole = Buffer.concat([head, octets, message('\n--frontier--\n')]);
        const kept = encodeBinaryParts(whole)!;
        const part = findPart(parseMimeTree(kept), [1])!;
        expect(Buffer.from(decodePart(kept, part))).toEqual(Buffer.from(octets));
        expect(
          Math.max(
            ...kept
              .toString('latin1')
              .split('\r\n')
              .map((line) => line.length),
          ),
        ).toBeLessThanOrEqual(76);
      }),
    );
  });
});

test('APPEND keeps what it can, and refuses the rest with UNKNOWN-CTE (RFC 3516 §4.4)', async () => {
  await using server = await serve();
  const client = await server.selected();
  const append = (text: string) => client.command(`APPEND INBOX ~{${text.length}+}\r\n${text}`);
  expect(await append('Content-Transfer-Encoding: binary\r\n\r\na\0b')).toMatch(/^x OK \[APPENDUID/m);
  expect(await append('Subject: \0\r\n\r\nbody')).toMatch(/^x NO \[UNKNOWN-CTE\]/m);
  // What holds no NUL is kept as it came, in whatever literal.
  expect(await append('Content-Transfer-Encoding: binary\r\n\r\nplain')).toMatch(/^x OK \[APPENDUID/m);
  const fetched = await client.command('FETCH 1:2 (BODY[] BINARY[1] BODY)');
  expect(fetched).toContain('BODY[] {43}\r\nContent-Transfer-Encoding: base64\r\n\r\nYQBi\r\n ');
  expect(fetched).toContain('BINARY[1] ~{3}\r\na\0b');
  expect(fetched).toContain('"base64" 6 1)');
  expect(fetched).toContain('Content-Transfer-Encoding: binary\r\n\r\nplain ');
  expect(server.logged).toEqual([]);
});
