/** The tokens' file: read and written by nobody but the server's own user, replaced whole. */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { TokenStorage } from './tokens.ts';

export function tokenFile(path: string): TokenStorage {
  return {
    async load() {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async save(text) {
      const written = await open(`${path}.new`, 'w', 0o600);
      try {
        await written.chmod(0o600); // One that was left over may have other rights.
        await written.writeFile(text);
        await written.sync();
      } finally {
        await written.close();
      }
      await rename(`${path}.new`, path);
      // A name is durable once its folder is.
      const folder = await open(dirname(path), 'r');
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    },
  };
}
