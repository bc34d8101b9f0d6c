import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { ModSeq } from '../../src/store/change.ts';
import { openIn, temporaryFolder, transaction } from './store-temporary.ts';

test('the log reaches back 100,000 numbers, and says when that is not enough', async () => {
  const folder = await temporaryFolder();
  let store = await openIn(folder);
  const { copies } = await store.accept(transaction(Buffer.from('x')));
  const { account, mailbox } = copies[0]!;
  await store.snapshot(account, mailbox);
  await store[Symbol.asyncDispose]();

  // As if 199,998 changes had gone before.
  const db = new SQLite(join(folder, 'mail.db'));
  db.prepare('UPDATE account SET mod_seq = 199998').run();
  db.prepare(`INSERT INTO change (account_id, mod_seq, mailbox_id, type, uids) VALUES (?, 99999, ?, 2, '1')`).run(
    account,
    mailbox,
  );
  db.prepare(`INSERT INTO change (account_id, mod_seq, mailbox_id, type, uids) VALUES (?, 100001, ?, 2, '1')`).run(
    account,
    mailbox,
  );
  db.close();

  store = await openIn(folder);
  expect(await store.changesSince(account, 2 as ModSeq)).toMatchObject({ tooOld: false });
  const flags = ['\\Seen'];
  await store.storeFlags(account, mailbox, [1], { mode: 'add', flags });
  await store.storeFlags(account, mailbox, [1], { mode: 'remove', flags }); // number 200,000
  expect(await store.changesSince(account, 2 as ModSeq)).toMatchObject({ tooOld: true, changes: [], modSeq: 200_000 });
  const since = await store.changesSince(account, 100_000 as ModSeq);
  expect(since.tooOld).toBe(false);
  expect(since.changes.map(({ modSeq }) => modSeq)).toEqual([100_001, 199_999, 200_000]);
});

test('a long log is answered whole', async () => {
  const store = await openIn(await temporaryFolder());
  const { copies } = await store.accept(transaction(Buffer.from('x')));
  const { account, mailbox } = copies[0]!;
  const { modSeq } = await store.snapshot(account, mailbox);
  const toggle = (i: number) =>
    store.storeFlags(account, mailbox, [1], { mode: i % 2 === 0 ? 'add' : 'remove', flags: ['\\Seen'] });
  await Promise.all(Array.from({ length: 4500 }, (_, i) => toggle(i)));
  for (const only of [undefined, mailbox]) {
    const { changes } = await store.changesSince(account, modSeq, only);
    expect(changes.map((change) => change.modSeq)).toEqual(Array.from({ length: 4500 }, (_, i) => modSeq + 1 + i));
  }
});

test('whoever is far behind with the events of transactions is told to read everything anew', async () => {
  const folder = await temporaryFolder();
  const store = await openIn(folder);
  const { cursor } = await store.transactionEvents(undefined);
  const accepted = await store.accept(transaction(Buffer.from('x')));
  const { account, mailbox } = accepted.copies[0]!;
  const toggle = (i: number) =>
    store.storeFlags(account, mailbox, [1], { mode: i % 2 === 0 ? 'add' : 'remove', flags: ['\\Seen'] });
  await Promise.all(Array.from({ length: 9_000 }, (_, i) => toggle(i)));
  expect((await store.transactionEvents(cursor)).events).toHaveLength(9_001);
  await Promise.all(Array.from({ length: 2_000 }, (_, i) => toggle(i)));
  // 10,000 are kept, and the log is shortened now and then.
  expect(await store.transactionEvents(cursor)).toMatchObject({ events: [], tooOld: true });
});
