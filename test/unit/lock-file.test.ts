/** What `npm ci` needs from the lock file on a machine without a compiler. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8')) as {
  packages: Record<string, { gypfile?: boolean; version: string }>;
};

test('better-sqlite3 is not compiled', () => {
  // The package ships its binaries and says "gypfile": false. npm takes that from the lock file alone, where it does not
  // write it itself, and otherwise calls node-gyp, which needs Python and a compiler. After each `npm install`, put
  // "gypfile": false back into the entry node_modules/better-sqlite3.
  expect(lock.packages['node_modules/better-sqlite3']?.gypfile).toBe(false);
});

test('smtp-server is the version whose quirks are overridden', () => {
  expect(lock.packages['node_modules/smtp-server']?.version).toBe('3.21.6');
});
