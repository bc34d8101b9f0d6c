/**
 * One server for one data folder. The lock is a small SQLite file held in exclusive mode: the kernel frees it when the
 * process ends, however it ends.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';

/** Makes the folder if it does not exist. @throws Error with one line for the operator when another process holds it */
export function lockFolder(folder: string): AsyncDisposable {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const db = new SQLite(join(folder, 'lock.db'), { timeout: 0 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    const { code } = error as { code?: string };
    if (code !== 'SQLITE_BUSY') throw error;
    throw new Error(`${folder} is in use by another glassmail: stop that one, or choose another folder`, {
      cause: error,
    });
  }
  return {
    [Symbol.asyncDispose]: async () => {
      db.close();
    },
  };
}
