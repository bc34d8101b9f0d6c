/** Sets of UIDs: as numbers in ascending order, as ranges, and as the text that the change log keeps. */
import type { Uid, UidRange } from '../change.ts';

/** Ascending, each once. What is no UID is left out. */
export function ascending(uids: ArrayLike<number>): Uint32Array {
  let sorted = true;
  for (let i = 1; i < uids.length && sorted; i++) sorted = uids[i - 1]! < uids[i]!;
  const numbers = Uint32Array.from(uids);
  if (sorted) return numbers[0] === 0 ? numbers.subarray(1) : numbers;
  numbers.sort();
  let kept = 0;
  for (const uid of numbers) {
    if (uid === 0 || (kept > 0 && numbers[kept - 1] === uid)) continue;
    numbers[kept++] = uid;
  }
  return numbers.subarray(0, kept);
}

/** Runs of neighbours, as pairs [first, last, first, last, …]. `uids` ascend. */
export function toRuns(uids: ArrayLike<number>): number[] {
  const runs: number[] = [];
  for (let i = 0; i < uids.length;) {
    const first = uids[i]!;
    let last = first;
    while (++i < uids.length && uids[i] === last + 1) last++;
    runs.push(first, last);
  }
  return runs;
}

/** `1:3,7`. */
export function runsToText(runs: readonly number[]): string {
  let text = '';
  for (let i = 0; i < runs.length; i += 2) {
    if (i > 0) text += ',';
    const [first, last] = [runs[i]!, runs[i + 1]!];
    text += first === last ? String(first) : `${first}:${last}`;
  }
  return text;
}

export function textToRanges(text: string): UidRange[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const colon = part.indexOf(':');
    if (colon < 0) return { first: Number(part) as Uid, last: Number(part) as Uid };
    return { first: Number(part.slice(0, colon)) as Uid, last: Number(part.slice(colon + 1)) as Uid };
  });
}
