/**
 * SORT's order: RFC 5256 §3, RFC 5957 §4, RFC 6203 §6. Texts are places in the collation's order by the time they come
 * here (`MailStore.sortKeys`), so everything is compared as numbers.
 */
import type { MailStore } from '../store/mail-store.ts';
import type { SortKeyName } from '../store/sort-keys.ts';
import type { SortCriterion, SortKey } from './grammar/syntax.ts';
import type { Found, MailboxView } from './mailbox-view.ts';
import { Turns } from './turns.ts';

type SortedView = Pick<MailboxView, 'account' | 'id' | 'internalDateOf' | 'sizeOf'>;

/** Numbers that are sorted, or looked at, before others have their turn. */
const AT_ONCE = 16_384;

const STORED: Partial<Record<SortKey, SortKeyName>> = {
  CC: 'cc',
  DATE: 'sent-date',
  DISPLAYFROM: 'display-from',
  DISPLAYTO: 'display-to',
  FROM: 'from',
  SUBJECT: 'subject',
  TO: 'to',
};

/**
 * @param found in mailbox order, which decides between equals
 * @param scores of the messages found, for RELEVANCY
 * @returns places in `found`, in the order that was asked for
 */
export async function sortedPlaces(
  found: Found,
  criteria: readonly SortCriterion[],
  view: SortedView,
  store: Pick<MailStore, 'sortKeys'>,
  scores?: Uint8Array,
): Promise<Uint32Array> {
  const turns = new Turns();
  let order = Uint32Array.from(found.uids.keys());
  // The last criterion first: what it has ordered stays as it is among those that the one before it finds equal.
  for (const { key, reverse } of criteria.toReversed()) {
    // RFC 6203 §6: the most relevant first.
    const descends = reverse !== (key === 'RELEVANCY');
    order = await reordered(order, await valuesOf(key, found, view, store, scores), descends, turns);
  }
  return order;
}

async function valuesOf(
  key: SortKey,
  { seqNums, uids }: Found,
  view: SortedView,
  store: Pick<MailStore, 'sortKeys'>,
  scores: Uint8Array | undefined,
): Promise<ArrayLike<number>> {
  const stored = STORED[key];
  if (stored !== undefined) return store.sortKeys(view.account, view.id, uids, stored);
  if (key === 'RELEVANCY') return scores!;
  const values = new Float64Array(seqNums.length);
  for (let i = 0; i < values.length; i++) {
    values[i] = key === 'SIZE' ? view.sizeOf(seqNums[i]!) : view.internalDateOf(seqNums[i]!) / 1000;
  }
  return values;
}

/**
 * The same places, ordered by their values, equal ones as before. Value and former position become one number, so that
 * numbers are all that has to be sorted.
 */
async function reordered(
  order: Uint32Array,
  values: ArrayLike<number>,
  descends: boolean,
  turns: Turns,
): Promise<Uint32Array<ArrayBuffer>> {
  const count = order.length;
  const { numbers, lowest, highest } = await smallNumbers(values, count, turns);
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const number = numbers[order[i]!]!;
    keys[i] = (descends ? highest - number : number - lowest) * count + i;
  }
  await turns.give();
  const sorted = await sortedNumbers(keys, turns);
  const places = new Uint32Array(count);
  for (let i = 0; i < count; i++) places[i] = order[sorted[i]! % count]!;
  await turns.give();
  return places;
}

interface SmallNumbers {
  readonly numbers: ArrayLike<number>;
  readonly lowest: number;
  readonly highest: number;
}

/** The values, or if they lie too far apart for that: for each the place among all that occur. */
async function smallNumbers(values: ArrayLike<number>, count: number, turns: Turns): Promise<SmallNumbers> {
  let lowest = Infinity;
  let highest = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  if ((highest - lowest + 1) * count < 2 ** 53) return { numbers: values, lowest, highest };
  const sorted = await sortedNumbers(Float64Array.from(values), turns);
  const ranks = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    ranks[i] = placeOf(sorted, values[i]!);
    if (i % AT_ONCE === 0) await turns.give();
  }
  return { numbers: ranks, lowest: 0, highest: count };
}

/** The first place at which the value stands. */
function placeOf(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Ascending. The array is used up. */
async function sortedNumbers(numbers: Float64Array<ArrayBuffer>, turns: Turns): Promise<Float64Array<ArrayBuffer>> {
  const { length } = numbers;
  for (let at = 0; at < length; at += AT_ONCE) {
    numbers.subarray(at, at + AT_ONCE).sort();
    await turns.give();
  }
  let from = numbers;
  let to = new Float64Array(length);
  for (let width = AT_ONCE; width < length; width *= 2) {
    for (let at = 0; at < length; at += 2 * width) {
      const middle = Math.min(at + width, length);
      const end = Math.min(at + 2 * width, length);
      for (let i = at, j = middle, out = at; out < end; out++) {
        to[out] = j === end || (i < middle && from[i]! <= from[j]!) ? from[i++]! : from[j++]!;
      }
      await turns.give();
    }
    [from, to] = [to, from];
  }
  return from;
}
