import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import { decodeMailboxName, encodeMailboxName, matchPattern } from '../../src/imap/grammar/mailbox-name.ts';

describe('modified UTF-7', () => {
  test.each([
    ['Entwürfe', 'Entw&APw-rfe'],
    ['~peter/mail/台北/日本語', '~peter/mail/&U,BTFw-/&ZeVnLIqe-'], // RFC 3501 §5.1.3
    ['AT&T & Söhne', 'AT&-T &- S&APY-hne'],
    ['&', '&-'],
    ['&&', '&-&-'],
    ['ü&ü', '&APw-&-&APw-'],
    ['🐙', '&2D3cGQ-'],
    ['a\tb', 'a&AAk-b'],
    ['-', '-'],
    ['', ''],
  ])('%j', (name, encoded) => {
    expect(encodeMailboxName(name)).toBe(encoded);
    expect(decodeMailboxName(encoded)).toBe(name);
  });

  test('every name comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (name) => {
        const encoded = encodeMailboxName(name);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeMailboxName(encoded)).toBe(name);
      }),
    );
  });

  test('no name has two spellings', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('&', '-', 'A', 'P', '8', 'w', 'a', ',', '+'), maxLength: 12 }),
        (encoded) => {
          let name: string;
          try {
            name = decodeMailboxName(encoded);
          } catch {
            return;
          }
          // Two runs side by side say the same as one, and are the only freedom left.
          expect(encodeMailboxName(name).replaceAll('-&', '')).toBe(encoded.replaceAll('-&', ''));
        },
      ),
    );
  });
});

describe('patterns', () => {
  test.each([
    ['*', 'a/b/c', true],
    ['%', 'a', true],
    ['%', 'a/b', false],
    ['', '', true],
    ['', 'a', false],
    ['%', '', true],
    ['a/%', 'a/b', true],
    ['a/%', 'a/b/c', false],
    ['a/%', 'a', false],
    ['a%', 'a', true],
    ['a*', 'a/b', true],
    ['%/%', 'a/b', true],
    ['%/%', 'a/b/c', false],
    ['*b', 'a/b', true],
    ['%b', 'a/b', false],
    ['a*c', 'a/b/c', true],
    ['a%c', 'abbc', true],
    ['a%c', 'a/c', false],
    ['*%', 'a/b', true],
    ['%*', 'a/b', true],
    ['%*%b*', 'x/ab/c', true],
    ['INBOX', 'INBOX', true],
    ['Inbox', 'inbox', false],
    ['a.*(b)', 'a.x(b)', true],
    ['a.b', 'aXb', false],
  ])('%j and %j', (pattern, name, matches) => {
    expect(matchPattern(pattern, name, '/')).toBe(matches);
  });

  test('as a backtracking matcher would say', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '%'), maxLength: 6 });
    fc.assert(
      fc.property(pattern, text, (wanted, name) => {
        expect(matchPattern(wanted, name, '/')).toBe(backtrack(wanted, name));
      }),
      { numRuns: 3000 },
    );
  });

  test('no pattern takes long', () => {
    const start = performance.now();
    const name = 'a'.repeat(1000);
    expect(matchPattern('*a'.repeat(900) + 'b', name, '/')).toBe(false);
    expect(matchPattern('%a'.repeat(900) + 'b', name, '/')).toBe(false);
    expect(matchPattern('*%'.repeat(30_000), name, '/')).toBe(true);
    expect(matchPattern('a*'.repeat(30_000), name, '/')).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

function backtrack(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  const rest = pattern.slice(1);
  if (pattern.startsWith('*') || pattern.startsWith('%')) {
    if (backtrack(rest, name)) return true;
    return name !== '' && (pattern.startsWith('*') || !name.startsWith('/')) && backtrack(pattern, name.slice(1));
  }
  return name !== '' && name.startsWith(pattern.charAt(0)) && backtrack(rest, name.slice(1));
}
