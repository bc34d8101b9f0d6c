/**
 * Sets of sequence numbers and UIDs: RFC 9051 §9 sequence-set, uid-set. A set from a client is resolved against the largest
 * number in use into ascending, disjoint ranges; numbers for a client are printed as short as ranges make them.
 */
import type { Uid, UidRange } from '../../store/change.ts';
import type { SequenceSet } from './syntax.ts';

/** Inclusive; ranges in a list are ascending and disjoint. `UidRange` is a `NumberRange<Uid>`. */
export interface NumberRange<N extends number = number> {
  readonly first: N;
  readonly last: N;
}

/** Ascending numbers as ranges. Repeated numbers count once. */
export function rangesOf(uids: ArrayLike<Uid> | readonly Uid[] | Uint32Array): UidRange[] {
  return numberRanges(uids) as UidRange[];
}

/** Ascending numbers as a set: `1:3,7`; empty for none, which is no valid set: ask first. */
export function uidSet(uids: ArrayLike<number>): string {
  return rangesToSet(numberRanges(uids));
}

export function rangesToSet(ranges: readonly NumberRange[]): string {
  let text = '';
  for (const { first, last } of ranges) {
    if (text !== '') text += ',';
    text += first === last ? String(first) : `${first}:${last}`;
  }
  return text;
}

/** A set as a client writes it. */
export function printSequenceSet(set: SequenceSet): string {
  if (set.type === 'saved') return '$';
  return set.ranges.map(({ first, last }) => (first === last ? String(first) : `${first}:${last}`)).join(',');
}

/**
 * The numbers that a set names, whether messages have them or not.
 * @param largest what `*` stands for; 0: nothing is in use, and a range with `*` is empty
 * @param saved what `$` stands for (RFC 9051 §6.4.4.1)
 */
export function resolve<N extends number>(
  set: SequenceSet,
  largest: N,
  saved: readonly NumberRange<N>[] = [],
): NumberRange<N>[] {
  if (set.type === 'saved') return [...saved];
  const ranges: NumberRange<N>[] = [];
  for (const { first, last } of set.ranges) {
    if (largest === 0 && (first === '*' || last === '*')) continue;
    const one = first === '*' ? largest : (first as N);
    const other = last === '*' ? largest : (last as N);
    ranges.push(one <= other ? { first: one, last: other } : { first: other, last: one });
  }
  return mergeRanges(ranges);
}

/** Ranges in any order become ascending and disjoint; neighbours become one. */
export function mergeRanges<N extends number>(ranges: readonly NumberRange<N>[]): NumberRange<N>[] {
  const sorted = ranges.toSorted((a, b) => a.first - b.first);
  const merged: NumberRange<N>[] = [];
  for (const range of sorted) {
    const before = merged.at(-1);
    if (before === undefined || range.first > before.last + 1) merged.push(range);
    else if (range.last > before.last) merged[merged.length - 1] = { first: before.first, last: range.last };
  }
  return merged;
}

/** The numbers that both hold. Both are ascending and disjoint. */
export function intersectRanges<N extends number>(
  one: readonly NumberRange<N>[],
  other: readonly NumberRange[],
): NumberRange<N>[] {
  const common: NumberRange<N>[] = [];
  for (let i = 0, j = 0; i < one.length && j < other.length;) {
    const first = Math.max(one[i]!.first, other[j]!.first) as N;
    const last = Math.min(one[i]!.last, other[j]!.last) as N;
    if (first <= last) common.push({ first, last });
    if (one[i]!.last < other[j]!.last) i++;
    else j++;
  }
  return common;
}

/** Whether one of the ascending, disjoint ranges holds the number. */
export function contains(ranges: readonly NumberRange[], number: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.last < number) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length && ranges[low]!.first <= number;
}

/** How many numbers the disjoint ranges hold. */
export function countOf(ranges: readonly NumberRange[]): number {
  let count = 0;
  for (const { first, last } of ranges) count += last - first + 1;
  return count;
}

function numberRanges(numbers: ArrayLike<number>): NumberRange[] {
  const ranges: NumberRange[] = [];
  for (let i = 0; i < numbers.length;) {
    const first = numbers[i]!;
    let last = first;
    for (i++; i < numbers.length && numbers[i]! - last <= 1; i++) last = numbers[i]!;
    ranges.push({ first, last });
  }
  return ranges;
}
