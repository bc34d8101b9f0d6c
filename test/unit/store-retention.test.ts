import { expect, test } from 'vitest';
import { Notifier } from '../../src/notifier/notifier.ts';
import { Retention } from '../../src/store/retention.ts';
import { memoryStore } from './http-memory-store.ts';

function kept(count: number, ages: readonly number[] = []) {
  const notifier = new Notifier();
  const store = memoryStore(notifier);
  const ids = Array.from({ length: count }, (_, i) =>
    store.put(`Subject: ${i}\r\n\r\n.`, { receivedAt: new Date(Date.now() - (ages[i] ?? 0)) }),
  );
  const left = async () =>
    (await store.listTransactions({}, { start: 0, limit: 100 })).items.map((item) => ids.indexOf(item.transactionId));
  return { store, notifier, left };
}

test('the oldest go when there are too many, and that is told', async () => {
  const { store, notifier, left } = kept(5);
  const lines: string[] = [];
  const told: number[] = [];
  const log = (level: string, line: string) => lines.push(`${level} ${line}`);
  await using retention = new Retention({ store, notifier, rules: { messages: 3, ageMs: undefined }, log });
  retention.watch((count) => told.push(count));
  await retention.run();
  expect(await left()).toEqual([4, 3, 2]);
  expect([retention.removed, told, lines]).toEqual([2, [2], ['info retention: 2 old messages removed']]);
  await retention.run();
  expect(retention.removed).toBe(2);
});

test('what arrives later counts too', async () => {
  const { store, notifier, left } = kept(2);
  const removed = Promise.withResolvers<number>();
  await using retention = new Retention({
    store,
    notifier,
    rules: { messages: 2, ageMs: undefined },
    log: () => undefined,
  });
  retention.watch(removed.resolve);
  await retention.run();
  store.put('Subject: new\r\n\r\n.');
  expect(await removed.promise).toBe(1);
  expect(await left()).toEqual([-1, 1]);
});

test('the old go after their time', async () => {
  const { store, notifier, left } = kept(3, [10_000, 1_000_000, 0]);
  const rules = { messages: undefined, ageMs: 60_000 };
  await using retention = new Retention({ store, notifier, rules, log: () => undefined });
  await retention.run();
  expect(await left()).toEqual([2, 0]);
});
