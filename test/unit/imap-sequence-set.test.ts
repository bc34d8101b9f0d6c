import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import {
  contains,
  countOf,
  mergeRanges,
  rangesOf,
  rangesToSet,
  resolve,
  uidSet,
} from '../../src/imap/grammar/sequence-set.ts';
import { Parser } from '../../src/imap/grammar/parser.ts';
import type { SequenceSet } from '../../src/imap/grammar/syntax.ts';
import type { Uid } from '../../src/store/change.ts';

function set(text: string): SequenceSet {
  return new Parser(Buffer.from(text)).sequenceSet();
}

const ascending = fc
  .uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 60 })
  .map((numbers) => numbers.sort((a, b) => a - b));

describe('printing', () => {
  test.each<[number[], string]>([
    [[], ''],
    [[7], '7'],
    [[1, 2], '1:2'],
    [[1, 2, 3, 5, 7, 8], '1:3,5,7:8'],
    [[1, 1, 2], '1:2'],
    [[4294967294, 4294967295], '4294967294:4294967295'],
  ])('%j', (numbers, text) => {
    expect(uidSet(numbers)).toBe(text);
    expect(uidSet(Uint32Array.from(numbers))).toBe(text);
    expect(rangesToSet(rangesOf(numbers as Uid[]))).toBe(text);
  });

  test('what is printed names the same numbers again', () => {
    fc.assert(
      fc.property(ascending, (numbers) => {
        fc.pre(numbers.length > 0);
        const ranges = resolve(set(uidSet(numbers)), 1000);
        expect(numbersIn(ranges)).toEqual(numbers);
        expect(countOf(ranges)).toBe(numbers.length);
        expect(ranges).toEqual(rangesOf(numbers as Uid[]));
      }),
    );
  });
});

describe('resolving', () => {
  test.each([
    ['1:*', 5, '1:5'],
    ['*', 5, '5'],
    ['*:4,5:7', 10, '4:10'],
    ['2,4:7,9,12:*', 15, '2,4:7,9,12:15'],
    ['9:*', 5, '5:9'], // RFC 9051 §9: includes the last, even if it is less
    ['4:2', 5, '2:4'],
    ['5,3,1', 9, '1,3,5'],
    ['1:5,3:9,10', 9, '1:10'],
    ['1:9,2:3', 9, '1:9'],
    ['1:*', 0, ''],
    ['*', 0, ''],
  ])('%s of %d', (text, largest, resolved) => {
    expect(rangesToSet(resolve(set(text), largest))).toBe(resolved);
  });

  test('$ is what was saved', () => {
    expect(resolve(set('$'), 9)).toEqual([]);
    expect(resolve(set('$'), 9, [{ first: 2, last: 3 }])).toEqual([{ first: 2, last: 3 }]);
  });

  test('a hundred thousand ranges in any order', () => {
    const ranges = Array.from({ length: 100_000 }, (_, i) => ({ first: 300_000 - 3 * i, last: 300_001 - 3 * i }));
    const start = performance.now();
    expect(mergeRanges(ranges)).toHaveLength(100_000);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

test('membership', () => {
  fc.assert(
    fc.property(ascending, fc.integer({ min: 0, max: 201 }), (numbers, number) => {
      expect(contains(rangesOf(numbers as Uid[]), number)).toBe(numbers.includes(number));
    }),
  );
});

function numbersIn(ranges: readonly { readonly first: number; readonly last: number }[]): number[] {
  return ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}
