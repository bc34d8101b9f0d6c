/**
 * Large messages: one file each beside the database, because a large blob is slower there than in a file. A file is
 * complete and synced, and so is the folder that names it, before the commit that mentions it; one that no email
 * mentions is an orphan of a crash, and is swept at start.
 */
import { randomBytes } from 'node:crypto';
import { open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { largeFolder, type Database, type Durability } from './database.ts';

/** What of the file system is used, so that a test can count syncs and fail writes. */
export interface FileSystem {
  write(file: FileHandle, octets: Uint8Array): Promise<void>;
  syncFile(file: FileHandle): Promise<void>;
  syncFolder(folder: string): Promise<void>;
}

export const realFileSystem: FileSystem = {
  async write(file, octets) {
    for (let at = 0; at < octets.length;) at += (await file.write(octets, at)).bytesWritten;
  },
  syncFile: (file) => file.sync(),
  async syncFolder(folder) {
    if (process.platform === 'win32') return; // a folder cannot be opened there
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

export class LargeFiles {
  readonly folder: string;
  readonly #durability: Durability;
  readonly #system: FileSystem;
  readonly #removals = new Set<Promise<void>>();
  /** Those who may read files now, and what is to be removed once they no longer do. */
  readonly #readers = new Set<symbol>();
  readonly #waiting: { readonly readers: Set<symbol>; readonly remove: () => void }[] = [];

  constructor(folder: string, durability: Durability, system: FileSystem) {
    this.folder = largeFolder(folder);
    this.#durability = durability;
    this.#system = system;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async create(): Promise<{ readonly name: string; readonly handle: FileHandle }> {
    const name = randomBytes(16).toString('hex');
    return { name, handle: await open(this.path(name), 'wx', 0o600) };
  }

  write(handle: FileHandle, octets: Uint8Array): Promise<void> {
    return this.#system.write(handle, octets);
  }

  /** Makes a complete file durable: its octets, and its name. */
  async finish(handle: FileHandle): Promise<void> {
    if (this.#durability === 'process') {
      await handle.close();
      return;
    }
    await this.#system.syncFile(handle);
    await handle.close();
    await this.#system.syncFolder(this.folder);
  }

  async remove(name: string): Promise<void> {
    await unlink(this.path(name)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }

  /** Until this is disposed of, no file goes that is there now: it may be about to be read. */
  reading(): Disposable {
    const reader = Symbol();
    this.#readers.add(reader);
    return {
      [Symbol.dispose]: () => {
        this.#readers.delete(reader);
        for (const waiting of [...this.#waiting]) {
          waiting.readers.delete(reader);
          if (waiting.readers.size > 0) continue;
          this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
          waiting.remove();
        }
      },
    };
  }

  /** Once nobody reads them any more. One that stays after a failure is swept at the next start. */
  removeLater(names: readonly string[], log: (line: string) => void): void {
    const remove = (): void => this.#removeNow(names, log);
    if (this.#readers.size === 0) remove();
    else this.#waiting.push({ readers: new Set(this.#readers), remove });
  }

  #removeNow(names: readonly string[], log: (line: string) => void): void {
    for (const name of names) {
      const removal = this.remove(name)
        .catch((error: unknown) => log(`store: ${String(error)}`))
        .finally(() => this.#removals.delete(removal));
      this.#removals.add(removal);
    }
  }

  /** Resolves when nothing is being removed any more. What waited for readers goes now. */
  async settled(): Promise<void> {
    for (const { remove } of this.#waiting.splice(0)) remove();
    await Promise.all(this.#removals);
  }

  /** Removes what a crash left behind: files that no email mentions. To be called before anything is written. */
  async sweep(db: Database): Promise<void> {
    const named = new Set(db.prepare<[], string>('SELECT file FROM email WHERE file IS NOT NULL').pluck().iterate());
    for (const name of await readdir(this.folder)) if (!named.has(name)) await this.remove(name);
  }
}
