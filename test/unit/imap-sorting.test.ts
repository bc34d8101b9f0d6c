/** The order of SORT: against an ordinary stable sort, whatever the values are. */
import { fc } from '../property.ts';
import { expect, test } from 'vitest';
import type { SortCriterion } from '../../src/imap/grammar/syntax.ts';
import { sortedPlaces } from '../../src/imap/sorting.ts';
import type { AccountId, MailboxId } from '../../src/store/change.ts';
import type { MailStore } from '../../src/store/mail-store.ts';

type Key = 'SIZE' | 'ARRIVAL' | 'DATE' | 'SUBJECT';
type Values = Readonly<Record<Key, readonly number[]>>;

async function sorted(values: Values, criteria: readonly SortCriterion[]): Promise<number[]> {
  const count = values.SIZE.length;
  const found = { seqNums: Uint32Array.from({ length: count }, (_, i) => i + 1), uids: new Uint32Array(count) };
  const view = {
    account: 1 as AccountId,
    id: 1 as MailboxId,
    sizeOf: (seqNum: number) => values.SIZE[seqNum - 1]!,
    internalDateOf: (seqNum: number) => values.ARRIVAL[seqNum - 1]! * 1000,
  };
  const store: Pick<MailStore, 'sortKeys'> = {
    sortKeys: async (_account, _mailbox, _uids, name) =>
      Float64Array.from(name === 'sent-date' ? values.DATE : values.SUBJECT),
  };
  return [...(await sortedPlaces(found, criteria, view, store))];
}

function expected(values: Values, criteria: readonly SortCriterion[]): number[] {
  return values.SIZE.map((_, i) => i).sort((a, b) => {
    for (const { key, reverse } of criteria) {
      const difference = values[key as Key][a]! - values[key as Key][b]!;
      if (difference !== 0) return reverse ? -difference : difference;
    }
    return a - b;
  });
}

test('is that of the criteria, and then of the mailbox', async () => {
  const far = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }); // the years 1 to 9999
  const row = fc.record({
    SIZE: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    ARRIVAL: far,
    DATE: fc.oneof(fc.integer({ min: 0, max: 3 }), far),
    SUBJECT: fc.integer({ min: 0, max: 4 }),
  });
  const criterion = fc.record({
    key: fc.constantFrom<Key>('SIZE', 'ARRIVAL', 'DATE', 'SUBJECT'),
    reverse: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 30 }),
      fc.array(criterion, { minLength: 1, maxLength: 4 }),
      async (rows, criteria) => {
        const of = (key: Key) => rows.map((each) => each[key]);
        const values = { SIZE: of('SIZE'), ARRIVAL: of('ARRIVAL'), DATE: of('DATE'), SUBJECT: of('SUBJECT') };
        expect(await sorted(values, criteria)).toEqual(expected(values, criteria));
      },
    ),
  );
});

test('of very many, near and far apart', async () => {
  const count = 100_000;
  let state = 1;
  const numbers = (most: number) =>
    Array.from({ length: count }, () => ((state = (state * 48_271) % 2_147_483_647) / 2_147_483_647) * most).map(
      Math.floor,
    );
  const values = { SIZE: numbers(1e9), ARRIVAL: numbers(2e9), DATE: numbers(250_000_000_000), SUBJECT: numbers(1000) };
  for (const criteria of [
    [{ key: 'DATE', reverse: true }],
    [
      { key: 'SUBJECT', reverse: false },
      { key: 'SIZE', reverse: true },
    ],
  ] as const) {
    expect(await sorted(values, criteria)).toEqual(expected(values, criteria));
  }
});
