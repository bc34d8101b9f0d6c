/** Octets on their way into the store: in memory while few, in a file when many. */
import type { FileHandle } from 'node:fs/promises';
import type { Spool, Spooled } from '../mail-store.ts';
import { Refusal } from '../refusal.ts';
import type { LargeFiles } from './large-files.ts';

/** From here on, a file beside the database is faster than a blob in it. */
const LARGEST_BLOB = 256 * 1024;

export interface SpoolParts {
  readonly files: LargeFiles;
  /** Resolves when there is room for more. */
  readonly room: () => Promise<void>;
  /** Whether an email names the file by now. */
  readonly isKept: (path: string) => boolean;
}

export class StoreSpool implements Spool {
  readonly #parts: SpoolParts;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #file: { readonly name: string; readonly handle: FileHandle } | undefined;
  #open = false;
  #failure: unknown;

  constructor(parts: SpoolParts) {
    this.#parts = parts;
  }

  /** The octets are kept as they are given, not copied: they may not be changed afterwards. */
  async write(octets: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw asRefusal(this.#failure);
    this.#size += octets.length;
    if (this.#size <= LARGEST_BLOB) {
      this.#chunks.push(octets);
      return this.#parts.room();
    }
    try {
      await this.#toFile(octets);
    } catch (error) {
      this.#failure = error;
      throw asRefusal(error);
    }
  }

  async #toFile(octets: Uint8Array): Promise<void> {
    const { files } = this.#parts;
    if (!this.#file) {
      this.#file = await files.create();
      this.#open = true;
      const before = Buffer.concat(this.#chunks);
      this.#chunks = [];
      await files.write(this.#file.handle, before);
    }
    await files.write(this.#file.handle, octets);
  }

  async finish(): Promise<Spooled> {
    if (this.#failure !== undefined) throw asRefusal(this.#failure);
    if (!this.#file) {
      const octets = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      return { size: this.#size, octets, file: undefined };
    }
    try {
      this.#open = false;
      await this.#parts.files.finish(this.#file.handle);
    } catch (error) {
      throw asRefusal(error);
    }
    return { size: this.#size, octets: undefined, file: this.#parts.files.path(this.#file.name) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const file = this.#file;
    this.#chunks = [];
    this.#file = undefined;
    if (!file) return;
    if (this.#open) await file.handle.close();
    this.#open = false;
    if (!this.#parts.isKept(this.#parts.files.path(file.name))) await this.#parts.files.remove(file.name);
  }
}

const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

function asRefusal(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return FULL.has(code) ? new Refusal('DISKFULL', 'The disk is full') : error;
}
