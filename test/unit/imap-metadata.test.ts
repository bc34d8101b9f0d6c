import { describe, expect, test } from 'vitest';
import { BadSyntax } from '../../src/imap/grammar/bad-syntax.ts';
import { getMetadata, metadataEntries, setMetadata } from '../../src/imap/grammar/metadata.ts';
import { Parser } from '../../src/imap/grammar/parser.ts';

/** Each character up to U+00FF is one octet; the whole text is what the rule reads. */
function read<T>(text: string, rule: (input: Parser) => T): T {
  const input = new Parser(Buffer.from(text, 'latin1'));
  const value = rule(input);
  input.end();
  return value;
}

describe('GETMETADATA', () => {
  test.each([
    ['"" /shared/comment', { mailbox: '', entries: ['/shared/comment'], depth: 0 }],
    ['inbox (/shared/comment)', { mailbox: 'INBOX', entries: ['/shared/comment'], depth: 0 }],
    ['a ("/Private/B c" /shared/d)', { mailbox: 'a', entries: ['/Private/B c', '/shared/d'], depth: 0 }],
    ['a {15}\r\n/shared/comment', { mailbox: 'a', entries: ['/shared/comment'], depth: 0 }],
    ['(DEPTH 1) a /private', { mailbox: 'a', entries: ['/private'], depth: 1 }],
    ['(depth Infinity) a /private', { mailbox: 'a', entries: ['/private'], depth: 'infinity' }],
    ['(MAXSIZE 1024) a /private/b', { mailbox: 'a', entries: ['/private/b'], depth: 0, maximumOctets: 1024 }],
    ['(MAXSIZE 0 DEPTH 0) a /private/b', { mailbox: 'a', entries: ['/private/b'], depth: 0, maximumOctets: 0 }],
    // As in the examples of RFC 5464 §4.2.1, §4.2.2 and §4.4.1.
    [
      '"INBOX" (MAXSIZE 9) (/shared/comment)',
      { mailbox: 'INBOX', entries: ['/shared/comment'], depth: 0, maximumOctets: 9 },
    ],
    [
      '"INBOX" (DEPTH 1) (/private/filters/values)',
      { mailbox: 'INBOX', entries: ['/private/filters/values'], depth: 1 },
    ],
    ['INBOX /private/a /shared/a', { mailbox: 'INBOX', entries: ['/private/a', '/shared/a'], depth: 0 }],
  ])('%j', (text, value) => {
    expect(read(text, getMetadata)).toEqual(value);
  });

  test.each([
    '',
    'a',
    'a ()',
    'a (MAXSIZE 5)',
    '() a /shared/a',
    '(MAXSIZE) a /shared/a',
    '(MAXSIZE -1) a /shared/a',
    '(MAXSIZE 4294967296) a /shared/a',
    '(DEPTH 2) a /shared/a',
    '(DEPTH) a /shared/a',
    '(WIDTH 1) a /shared/a',
    '(DEPTH 1) a (DEPTH 1) /shared/a',
    'a /shared/a extra',
    'a (/shared/a',
    'a NIL',
  ])('no GETMETADATA: %j', (text) => {
    expect(() => read(text, getMetadata)).toThrow(BadSyntax);
  });
});

describe('SETMETADATA', () => {
  test.each<[string, [string, string | null][]]>([
    ['a (/private/comment "x")', [['/private/comment', 'x']]],
    ['a (/Private/COMMENT nil)', [['/private/comment', null]]],
    [
      'a (/private/comment "NIL" /shared/comment "")',
      [
        ['/private/comment', 'NIL'],
        ['/shared/comment', ''],
      ],
    ],
    [
      'a (/private/comment {4}\r\na\r\n( /shared/b ~{2}\r\n\0\xff)',
      [
        ['/private/comment', 'a\r\n('],
        ['/shared/b', '\0\xff'],
      ],
    ],
    ['a (/private/comment {1+}\r\n\xff)', [['/private/comment', '\xff']]],
    ['a (/private/a "1" /PRIVATE/a "2")', [['/private/a', '2']]],
    ['a (/shared/vendor/acme/x "1")', [['/shared/vendor/acme/x', '1']]],
  ])('%j', (text, values) => {
    const { mailbox, changes } = read(text, setMetadata);
    expect(mailbox).toBe('a');
    const texts = Array.from(changes, ([entry, value]) => [entry, value && Buffer.from(value).toString('latin1')]);
    expect(texts).toEqual(values);
  });

  test.each([
    '',
    'a',
    'a ()',
    'a (/private/comment)',
    'a (/private/comment word)',
    'a (/private/comment 5)',
    'a (/private/comment "x" /shared/comment)',
    'a /private/comment "x"',
    'a (/private/comment {1}\r\n\0)',
    'a (/private "x")',
    'a (/shared/vendor "x")',
    'a (/shared/vendor/acme "x")',
    'a (/private/comment "x") extra',
  ])('no SETMETADATA: %j', (text) => {
    expect(() => read(text, setMetadata)).toThrow(BadSyntax);
  });
});

describe('names of entries', () => {
  test.each(['/private', '/SHARED', '/shared/a', '/shared/a/b/c/d', '/private/!"#$&()', `/private/${'a'.repeat(991)}`])(
    '%j',
    (name) => {
      expect(read(`{${name.length}}\r\n${name}`, metadataEntries)).toEqual([name]);
    },
  );

  test.each([
    '',
    '/',
    'private/a',
    '/privateer/a',
    '/other/a',
    '//private/a',
    '/private//a',
    '/private/a/',
    '/private/',
    '/private/a*',
    '/private/%',
    '/private/a\tb',
    '/private/\x19',
    '/private/\x7f',
    '/private/\xc3\xa4',
    '/private/a\r\n',
    `/private/${'a'.repeat(992)}`,
  ])('none: %j', (name) => {
    expect(() => read(`{${name.length}}\r\n${name}`, metadataEntries)).toThrow(BadSyntax);
  });

  test('a command names a thousand at most', () => {
    const names = (count: number): string => `(${Array.from({ length: count }, (_, i) => `/private/${i}`).join(' ')})`;
    expect(read(names(1000), metadataEntries)).toHaveLength(1000);
    expect(() => read(names(1001), metadataEntries)).toThrow(BadSyntax);
  });
});
