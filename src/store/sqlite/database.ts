/** Opening the database: one connection that writes, any number that read. */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import SQLite from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { migrate } from './migrate.ts';

export type { Database, Statement } from 'better-sqlite3';

/** `power`: what was acknowledged survives the loss of power. `process`: it survives the end of the process. */
export type Durability = 'power' | 'process';

export const databaseFile = (folder: string): string => join(folder, 'mail.db');
export const largeFolder = (folder: string): string => join(folder, 'large');
export const searchFile = (folder: string): string => join(folder, 'search.db');

/** The connection that writes, with the schema in place. @throws Error with one line for the operator */
export function openForWriting(folder: string, durability: Durability): Database {
  makeFolder(folder, durability);
  makeFolder(largeFolder(folder), durability);
  const path = databaseFile(folder);
  const db = new SQLite(path);
  try {
    // A page that holds most of a usual message; only a new database takes it.
    db.pragma('page_size = 8192');
    if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal')
      throw new Error(`${path} cannot be put into WAL mode`);
    // better-sqlite3 is compiled with NORMAL for WAL, with which a commit is not durable: set it, and see that it holds.
    const [name, value] = durability === 'power' ? ['FULL', 2] : ['OFF', 0];
    db.pragma(`synchronous = ${name}`);
    if (db.pragma('synchronous', { simple: true }) !== value) throw new Error(`${path} refuses synchronous = ${name}`);
    // macOS: fsync alone leaves the octets in the drive's cache.
    if (durability === 'power') db.pragma('fullfsync = ON');
    // A checkpoint writes each page once however often it changed, and whoever commits then waits for it: 16 MiB.
    db.pragma('wal_autocheckpoint = 2000');
    db.pragma('journal_size_limit = 67108864');
    db.pragma('cache_size = -4000');
    db.pragma('temp_store = MEMORY');
    db.pragma('foreign_keys = OFF');
    migrate(db, path);
    prepareCounters(db);
    forgetDeletedAccounts(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A connection that only reads. */
export function openForReading(path: string, cacheKibibytes: number): Database {
  const db = new SQLite(path, { readonly: true, timeout: 5000 });
  db.pragma('query_only = ON');
  db.pragma(`cache_size = -${cacheKibibytes}`);
  return db;
}

/** A folder whose own name is durable too: syncing a file does not sync the folder that names it. */
function makeFolder(folder: string, durability: Durability): void {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (made === undefined || durability === 'process') return;
  for (let at = folder; at.length >= made.length; at = dirname(at)) syncFolder(dirname(at));
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return; // a folder cannot be opened there
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function prepareCounters(db: Database): void {
  // UIDVALIDITY starts at the time of the first start, so that a store made anew goes on from a higher number.
  const now = Math.floor(Date.now() / 1000);
  db.prepare(
    `INSERT OR IGNORE INTO counter
       (id, store, next_email, uid_validity, transactions, unread_transactions, deleted_transactions, octets)
     VALUES (1, ?, 1, ?, 0, 0, 0, 0)`,
  ).run(randomBytes(16).toString('hex'), now);
}

/** No session of an earlier run waits to hear that its account is gone. */
function forgetDeletedAccounts(db: Database): void {
  db.exec(`
    WITH RECURSIVE logged (account_id) AS (
      SELECT min(account_id) FROM change
      UNION ALL
      SELECT (SELECT min(account_id) FROM change WHERE change.account_id > logged.account_id)
      FROM logged WHERE account_id IS NOT NULL
    )
    DELETE FROM change WHERE account_id IN (
      SELECT account_id FROM logged WHERE account_id IS NOT NULL EXCEPT SELECT id FROM account
    )`);
}
