/** Brings a database to the newest schema: numbered files, each applied once, all in one transaction. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { textFile } from './worker-file.ts';

interface Migration {
  readonly version: number;
  readonly sql: string;
}

/** In the order of their numbers, which start at 1 and leave none out. */
export function migrations(): readonly Migration[] {
  const folder = textFile('migrations/');
  return readdirSync(folder)
    .filter((name) => /^\d{4}-.*\.sql$/.test(name))
    .sort()
    .map((name, index) => {
      const version = Number(name.slice(0, 4));
      if (version !== index + 1) throw new Error(`migration ${name} should have the number ${index + 1}`);
      return { version, sql: readFileSync(new URL(name, folder), 'utf8') };
    });
}

/** @throws Error with one line for the operator when the database is newer than this program */
export function migrate(db: Database, path: string): void {
  const present = db.pragma('user_version', { simple: true }) as number;
  const all = migrations();
  if (present > all.length) {
    throw new Error(
      `${path} was written by a newer glassmail (schema ${present}, this program knows ${all.length}): start that version instead`,
    );
  }
  if (present === all.length) return;
  db.transaction(() => {
    for (const { version, sql } of all.slice(present)) {
      db.exec(sql);
      db.pragma(`user_version = ${version}`);
    }
  }).immediate();
}
