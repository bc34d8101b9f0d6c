import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { OctetQueue } from '../../src/wire/octet-queue.ts';

const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

function lines(pieces: readonly string[], limit: number): { line: string; bare: boolean; overlong: boolean }[] {
  const queue = new OctetQueue();
  const found = [];
  for (const piece of pieces) {
    queue.push(Buffer.from(piece, 'latin1'));
    for (let line = queue.takeLine(limit); line !== undefined; line = queue.takeLine(limit)) {
      found.push({ line: text(line.octets), bare: line.bare, overlong: line.overlong });
    }
  }
  return found;
}

const line = (value: string, bare = false, overlong = false) => ({ line: value, bare, overlong });

describe('lines', () => {
  it.each([
    [['a\r\nb\n'], [line('a'), line('b', true)]],
    [
      ['a', '\r', '\n', '\r\n', '\n'],
      [line('a'), line(''), line('', true)],
    ],
    [['a\rb\r\n'], [line('a\rb')]],
    [['12345\r\n'], [line('12345')]],
    [['12345', '\r', '\n'], [line('12345')]],
    [['123456\r\nx\r\n'], [line('12345', false, true), line('x')]],
    [['123456\nx\r\n'], [line('12345', true, true), line('x')]],
    [
      ['123456789', '123456789\r', '\nx\r\n'],
      [line('12345', false, true), line('x')],
    ],
    [
      ['123456789', '\nx\r\n'],
      [line('12345', true, true), line('x')],
    ],
    [['unfinished'], []],
  ])('%j with a limit of 5', (pieces, expected) => {
    expect(lines(pieces, 5)).toEqual(expected);
  });

  it('does not depend on how the octets are cut', () => {
    const octets = fc.string({ unit: fc.constantFrom('a', '\r', '\n', 'b'), maxLength: 60 });
    fc.assert(
      fc.property(fc.array(octets, { maxLength: 8 }), (pieces) => {
        expect(lines(pieces, 6)).toEqual(lines([pieces.join('')], 6));
      }),
    );
  });

  it('keeps no more of an endless line than its limit', () => {
    const queue = new OctetQueue();
    for (let i = 0; i < 100; i++) {
      queue.push(Buffer.alloc(1000, 'x'));
      expect(queue.takeLine(10)).toBeUndefined();
      expect(queue.length).toBe(0);
    }
    queue.push(Buffer.from('\r\nnext\r\n'));
    expect(queue.takeLine(10)).toMatchObject({ overlong: true });
    expect(text(queue.takeLine(10)!.octets)).toBe('next');
  });
});

describe('counted octets', () => {
  it('mix with lines, whatever the cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { minLength: 1, maxLength: 10 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        (sizes, cuts) => {
          const literals = sizes.map((size, i) => String.fromCharCode(97 + i).repeat(size));
          const all = literals.map((literal) => `${literal.length}\r\n${literal}`).join('');
          const queue = new OctetQueue();
          for (let at = 0, i = 0; at < all.length; i++) {
            const cut = cuts[i % cuts.length]!;
            queue.push(Buffer.from(all.slice(at, at + cut)));
            at += cut;
          }
          for (const literal of literals) {
            expect(text(queue.takeLine(10)!.octets)).toBe(String(literal.length));
            expect(text(queue.take(literal.length))).toBe(literal);
          }
          expect(queue.length).toBe(0);
        },
      ),
    );
  });

  it('come in the pieces in which they came', () => {
    const queue = new OctetQueue();
    queue.push(Buffer.from('abc'));
    queue.push(Buffer.from('defg'));
    expect([queue.takePiece(10), queue.takePiece(2), queue.takePiece(10), queue.takePiece(1)].map(text)).toEqual([
      'abc',
      'de',
      'fg',
      '',
    ]);
  });

  it('are dropped and peeked at across pieces', () => {
    const queue = new OctetQueue();
    for (const piece of ['ab', 'cd', 'ef']) queue.push(Buffer.from(piece));
    queue.drop(3);
    expect(text(queue.peek())).toBe('def');
    expect(queue.length).toBe(3);
  });

  it('does not slow down with many pieces', () => {
    const queue = new OctetQueue();
    for (let i = 0; i < 20_000; i++) queue.push(Buffer.from('x\n'));
    for (let i = 0; i < 20_000; i++) expect(queue.takeLine(10)?.octets.length).toBe(1);
    expect(queue.length).toBe(0);
  });
});
