/**
 * The results of searching as text: SEARCH and SORT (RFC 9051 §7.3.4, RFC 5256 §4), ESEARCH (RFC 4466 §2.6.2, RFC 4731,
 * RFC 9394, RFC 6203 §7), updates of results (RFC 5267 §4.3) and THREAD (RFC 5256 §4).
 */
import type { Forest, ListChange, PartialRange, SearchResult } from './syntax.ts';

/** `MIN 2 MAX 47 COUNT 25 ALL 2,10:15`: what was asked for, after the correlator. */
export function esearchData(result: SearchResult, returns: ReadonlySet<string>): string {
  const { numbers, scores, modSeq, partial } = result;
  const found = numbers.length > 0;
  let text = '';
  if (found && returns.has('MIN')) text += ` MIN ${numbers[0]!}`;
  if (found && returns.has('MAX')) text += ` MAX ${numbers[numbers.length - 1]!}`;
  if (returns.has('COUNT')) text += ` COUNT ${numbers.length}`;
  if (found && returns.has('ALL')) text += ` ALL ${orderedSet(numbers)}`;
  let listed: readonly [start: number, end: number] = [0, numbers.length];
  if (partial) {
    listed = placesOf(partial, numbers.length);
    const set = orderedSet(Array.prototype.slice.call(numbers, ...listed) as number[]);
    text += ` PARTIAL (${partial.first}:${partial.last} ${set === '' ? 'NIL' : set})`;
  }
  if (scores && listed[1] > listed[0]) {
    text += ` RELEVANCY (${(Array.prototype.slice.call(scores, ...listed) as number[]).join(' ')})`;
  }
  if (found && modSeq !== undefined) text += ` MODSEQ ${modSeq}`;
  return text;
}

/** Which of so many results a range names (RFC 9394 §3.1); those that do not exist are left out. */
export function placesOf({ first, last }: PartialRange, count: number): readonly [start: number, end: number] {
  const low = Math.min(Math.abs(first), Math.abs(last));
  const high = Math.max(Math.abs(first), Math.abs(last));
  const [start, end] = first < 0 ? [count - high, count - low + 1] : [low - 1, high];
  return [Math.min(Math.max(start, 0), count), Math.min(Math.max(end, 0), count)];
}

/** Numbers as a set that keeps their order: only those that ascend one by one become a range (RFC 5267 §3.2). */
export function orderedSet(numbers: ArrayLike<number>): string {
  let text = '';
  for (let i = 0; i < numbers.length;) {
    const first = numbers[i]!;
    let last = first;
    for (i++; i < numbers.length && numbers[i] === last + 1; i++) last++;
    text += `${text === '' ? '' : ','}${first === last ? first : `${first}:${last}`}`;
  }
  return text;
}

/** ` ADDTO (1 2731:2733)`; neighbours of the same kind are one item. */
export function updateData(changes: readonly ListChange[]): string {
  let text = '';
  let open: string | undefined;
  for (const { type, position, numbers } of changes) {
    text += type === open ? ' ' : `${open === undefined ? '' : ')'} ${type} (`;
    text += `${position} ${orderedSet(numbers)}`;
    open = type;
  }
  return open === undefined ? '' : `${text})`;
}

/** ` (2)(3 6 (4 23)(44 7 96))`, however deep. */
export function threadData({ numbers, roots, firstChild, nextSibling }: Forest): string {
  let text = '';
  /** For each list that is open: the sibling that comes after the present one; -1: the list ends. */
  const open: number[] = [];
  const list = (from: number): void => {
    text += '(';
    for (let node = from; ;) {
      if (node < numbers.length) text += String(numbers[node]);
      const child = firstChild[node]!;
      if (child === -1) break;
      const sibling = nextSibling[child]!;
      if (node < numbers.length) text += ' ';
      if (sibling !== -1) {
        text += '(';
        open.push(sibling);
      }
      node = child;
    }
    text += ')';
  };
  for (let i = 0; i < roots.length; i++) {
    if (i === 0) text += ' ';
    list(roots[i]!);
    for (let sibling; (sibling = open.pop()) !== undefined;) {
      if (sibling === -1) text += ')';
      else {
        open.push(nextSibling[sibling]!);
        list(sibling);
      }
    }
  }
  return text;
}
