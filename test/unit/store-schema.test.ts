import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { migrate, migrations } from '../../src/store/sqlite/migrate.ts';
import { openIn, temporaryFolder, toAlice, transaction } from './store-temporary.ts';

/** Tables and indices without comments and line breaks. */
function schemaOf(sql: (db: SQLite.Database) => void): unknown[] {
  const db = new SQLite(':memory:');
  sql(db);
  const rows = db
    .prepare<[], { type: string; name: string; sql: string | null }>(
      'SELECT type, name, sql FROM sqlite_schema ORDER BY type, name',
    )
    .all();
  db.close();
  return rows.map((row) => ({ ...row, sql: row.sql?.replaceAll(/--.*/g, '').replaceAll(/\s+/g, ' ') }));
}

test('schema.sql is what the migrations lead to', () => {
  const whole = readFileSync(new URL('../../src/store/sqlite/schema.sql', import.meta.url), 'utf8');
  const stepwise = schemaOf((db) => migrate(db, 'here'));
  expect(stepwise).toEqual(schemaOf((db) => db.exec(whole)));
  expect(stepwise.length).toBeGreaterThan(10);
});

test('each migration is applied once', () => {
  const db = new SQLite(':memory:');
  migrate(db, 'here');
  expect(db.pragma('user_version', { simple: true })).toBe(migrations().length);
  migrate(db, 'here'); // CREATE TABLE would fail a second time
  db.close();
});

test('a newer schema stops the start with one line', async () => {
  const folder = await temporaryFolder();
  const store = await openIn(folder);
  await store[Symbol.asyncDispose]();
  const db = new SQLite(join(folder, 'mail.db'));
  db.pragma('user_version = 999');
  db.close();
  const error = await openIn(folder).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  expect(error?.message).toMatch(
    /^.*mail\.db was written by a newer glassmail \(schema 999, this program knows \d+\).*$/,
  );
});

test('a file that is no database stops the start', async () => {
  const folder = await temporaryFolder();
  const { writeFile } = await import('node:fs/promises');
  await writeFile(join(folder, 'mail.db'), 'x'.repeat(10_000));
  await expect(openIn(folder)).rejects.toThrow(/file is not a database/);
});

test('references hold, and counters are those of a recount', async () => {
  const folder = await temporaryFolder();
  const store = await openIn(folder);
  const { copies } = await store.accept(transaction(Buffer.from('a'), [toAlice, { ...toAlice, mailbox: 'Sent' }]));
  await store.accept(transaction(Buffer.from('bb')));
  const { account, mailbox } = copies[0]!;
  await store.copyMessages(account, mailbox, [1, 2], 'x').catch(() => undefined);
  await store.copyMessages(account, mailbox, [1, 2], 'Trash');
  await store.storeFlags(account, mailbox, [2], { mode: 'add', flags: ['\\Seen', '\\Deleted'] });
  await store.renameMailbox(account, 'INBOX', 'elsewhere');
  await store.expunge(account, mailbox, { onlyDeleted: false });
  await store.deleteMailbox(account, 'Sent');
  await store.indexed();
  await store[Symbol.asyncDispose]();
  const db = new SQLite(join(folder, 'mail.db'), { readonly: true });
  expect(db.pragma('foreign_key_check')).toEqual([]);
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  const recount = `SELECT mailbox_id AS id, count(*) AS messages, sum(size) AS octets,
      sum(flags NOT LIKE '%\\Seen%') AS unseen, sum(flags LIKE '%\\Deleted%') AS deleted
    FROM message JOIN flag_set ON flag_set.id = flag_set GROUP BY mailbox_id ORDER BY mailbox_id`;
  const kept = 'SELECT id, messages, octets, unseen, deleted FROM mailbox WHERE messages > 0 ORDER BY id';
  expect(db.prepare(kept).all()).toEqual(db.prepare(recount).all());
  const copiesNow = `SELECT email_id, count(*) AS copies, sum(flags NOT LIKE '%\\Seen%') AS unread
    FROM message JOIN flag_set ON flag_set.id = flag_set GROUP BY email_id ORDER BY email_id`;
  expect(db.prepare('SELECT email_id, copies, unread FROM accepted ORDER BY email_id').all()).toEqual(
    db.prepare(copiesNow).all(),
  );
  db.close();
});
