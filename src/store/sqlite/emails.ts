/** The octets of emails, read from the database or from their file. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Content } from '../mail-store.ts';
import type { MimePart } from '../../mail/mime-tree.ts';
import { FileContent, joined, MemoryContent } from './content.ts';
import { largeFolder, type Database } from './database.ts';
import { keptTree } from './derive.ts';

interface EmailRow {
  readonly id: number;
  readonly size: number;
  readonly trace: Buffer;
  readonly file: string | null;
  readonly octets: Buffer | null;
}

export class EmailReads {
  readonly #folder: string;
  readonly #byId;
  readonly #withTree;

  constructor(db: Database, folder: string) {
    this.#folder = largeFolder(folder);
    this.#byId = db.prepare<[number], EmailRow>('SELECT id, size, trace, file, octets FROM email WHERE id = ?');
    this.#withTree = db.prepare<[number], EmailRow & { readonly tree: Buffer | null }>(
      `SELECT id, size, trace, file, octets, tree FROM email LEFT JOIN derived ON email_id = id
       WHERE id = ? AND NOT EXISTS (SELECT 1 FROM garbage WHERE garbage.email_id = id)`,
    );
  }

  /** One that has copies, or is listed. The tree is undefined while it is not derived. */
  find(id: number): { readonly content: Content; readonly tree: MimePart | undefined } | undefined {
    const row = this.#withTree.get(id);
    if (!row) return undefined;
    const content = this.toContent(row.size, row.trace, row.file, row.octets);
    return { content, tree: row.tree ? keptTree(row.tree) : undefined };
  }

  content(id: number): Content | undefined {
    const row = this.#byId.get(id);
    return row && this.toContent(row.size, row.trace, row.file, row.octets);
  }

  toContent(size: number, trace: Buffer, file: string | null, octets: Buffer | null): Content {
    return file === null
      ? new MemoryContent(trace, octets ?? Buffer.alloc(0))
      : new FileContent(trace, join(this.#folder, file), size);
  }
}

/** All of an email in memory: for threads that parse. */
export async function wholeEmail(trace: Buffer, file: string | null, octets: Buffer | null, folder: string) {
  const received = file === null ? (octets ?? Buffer.alloc(0)) : await readFile(join(largeFolder(folder), file));
  return joined(trace, received);
}
