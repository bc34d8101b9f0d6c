import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { migrate, migrations } from '../../src/store/sqlite/migrate.ts';
import { openIn, temporaryFolder, toAlice, transaction } from './store-temporary.ts';

/** Tables and indices without comments, line breaks, and the blanks in which a column that was added later differs. */
function schemaOf(sql: (db: SQLite.Database) => void): unknown[] {
  const db = new SQLite(':memory:');
  sql(db);
  const rows = db
    .prepare<[], { type: string; name: string; sql: string | null }>(
      'SELECT type, name, sql FROM sqlite_schema ORDER BY type, name',
    )
    .all();
  db.close();
  return rows.map((row) => ({
    ...row,
    sql: row.sql
      ?.replaceAll(/--.*/g, '')
      .replaceAll(/\s+/g, ' ')
      .replaceAll(/ ?([(),]) ?/g, '$1'),
  }));
}

test('schema.sql is what the migrations lead to', () => {
  const whole = readFileSync(new URL('../../src/store/sqlite/schema.sql', import.meta.url), 'utf8');
  const stepwise = schemaOf((db) => migrate(db, 'here'));
  expect(stepwise).toEqual(schemaOf((db) => db.exec(whole)));
  expect(stepwise.length).toBeGreaterThan(10);
});

test('own mailboxes whose names begin like those of others are called otherwise', () => {
  const db = new SQLite(':memory:');
  const all = migrations();
  const added = all.findIndex(({ sql }) => sql.includes('CREATE TABLE acl'));
  for (const { sql } of all.slice(0, added)) db.exec(sql);
  db.pragma(`user_version = ${added}`);
  db.pragma('foreign_keys = off');
  const names = ['Other Users', 'Other Users/bob', 'other users/bob', 'Other'];
  for (const name of names) {
    db.prepare("INSERT INTO mailbox VALUES (NULL, 1, ?, 1, 1, 1, 1, '', 0, 0, 0, 0)").run(name);
    db.prepare('INSERT INTO subscription VALUES (1, ?)').run(name);
  }
  migrate(db, 'here');
  const renamed = ['Mine, Other Users', 'Mine, Other Users/bob', 'other users/bob', 'Other'];
  expect(db.prepare('SELECT name FROM mailbox ORDER BY id').pluck().all()).toEqual(renamed);
  expect(db.prepare('SELECT name FROM subscription').pluck().all().sort()).toEqual(renamed.toSorted());
  db.close();
});

test('each migration is applied once', () => {
  const db = new SQLite(':memory:');
  migrate(db, 'here');
  expect(db.pragma('user_version', { simple: true })).toBe(migrations().length);
  migrate(db, 'here'); // CREATE TABLE would fail a second time
  db.close();
});

test('what accounts hold is counted when they come to have quotas', () => {
  const db = new SQLite(':memory:');
  const all = migrations();
  const quotas = all.findIndex(({ sql }) => sql.includes('used_octets'));
  for (const { sql } of all.slice(0, quotas)) db.exec(sql);
  const account = db.prepare('INSERT INTO account (id, address, login, created_at, mod_seq) VALUES (?, ?, ?, 0, 1)');
  const mailbox = db.prepare(
    `INSERT INTO mailbox (account_id, name, uid_validity, uid_next, first_recent_uid, highest_mod_seq, special_use,
       messages, unseen, deleted, octets) VALUES (?, ?, 1, 9, 1, 1, '', ?, 0, 0, ?)`,
  );
  for (const id of [1, 2, 3]) account.run(id, `${id}`, `${id}`);
  mailbox.run(1, 'INBOX', 3, 3000);
  mailbox.run(1, 'Sent', 4, 500);
  mailbox.run(2, 'INBOX', 1, 7);
  db.pragma(`user_version = ${quotas}`);
  migrate(db, 'here');
  expect(
    db.prepare('SELECT id, used_messages, used_octets, most_messages, most_octets FROM account').raw().all(),
  ).toEqual([
    [1, 7, 3500, null, null],
    [2, 1, 7, null, null],
    [3, 0, 0, null, null],
  ]);
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
  await store.deleteTransactions(undefined, { account });
  await store.accept(transaction(Buffer.from('ccc'), [toAlice, { ...toAlice, mailbox: 'Drafts' }]));
  const bob = await store.createAccount({ address: 'bob@glass.test', passwordRecord: undefined });
  await store.accept(transaction(Buffer.from('ccc'), [{ account: bob.id, mailbox: 'INBOX' }]));
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
  const held = `SELECT account_id AS id, sum(messages) AS messages, sum(octets) AS octets FROM mailbox
    GROUP BY account_id ORDER BY account_id`;
  const used = 'SELECT id, used_messages AS messages, used_octets AS octets FROM account ORDER BY id';
  expect(db.prepare(used).all()).toEqual(db.prepare(held).all());
  const copiesNow = `SELECT email_id, count(*) AS copies, sum(flags NOT LIKE '%\\Seen%') AS unread
    FROM message JOIN flag_set ON flag_set.id = flag_set GROUP BY email_id ORDER BY email_id`;
  expect(db.prepare('SELECT email_id, copies, unread FROM accepted ORDER BY email_id').all()).toEqual(
    db.prepare(copiesNow).all(),
  );
  db.close();
});
