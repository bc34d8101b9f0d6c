/** The octets of emails, read from the database or from their file. */
import { join } from 'node:path';
import type { Content } from '../mail-store.ts';
import { parseMimeTree, type MimePart } from '../../mail/mime-tree.ts';
import { FileContent, MemoryContent } from './content.ts';
import { largeFolder, type Database } from './database.ts';
import { keptTree } from './derive.ts';
import { LargeOctets } from './large-octets.ts';

/** Of `email AS e`: trace and octets as one; of an email whose octets lie in a file, the trace. */
export const KEPT_OCTETS = 'CAST(coalesce(iif(e.trace_size = 0, e.octets, e.trace || e.octets), e.trace) AS BLOB)';

interface EmailRow {
  /** Of trace and octets. */
  readonly size: number;
  readonly trace_size: number;
  readonly file: string | null;
  readonly kept: Buffer;
}

export class EmailReads {
  readonly #folder: string;
  readonly #byId;
  readonly #withTree;

  constructor(db: Database, folder: string) {
    this.#folder = largeFolder(folder);
    const columns = `size + trace_size AS size, trace_size, file, ${KEPT_OCTETS} AS kept`;
    this.#byId = db.prepare<[number], EmailRow>(`SELECT ${columns} FROM email AS e WHERE id = ?`);
    this.#withTree = db.prepare<[number], EmailRow & { readonly tree: Buffer | null }>(
      `SELECT ${columns}, tree FROM email AS e LEFT JOIN derived ON email_id = id
       WHERE id = ? AND NOT EXISTS (SELECT 1 FROM garbage WHERE garbage.email_id = id)`,
    );
  }

  /** One that has copies, or is listed. The tree is undefined while it is not derived. */
  find(id: number): { readonly content: Content; readonly tree: MimePart | undefined } | undefined {
    const row = this.#withTree.get(id);
    if (!row) return undefined;
    const content = this.toContent(row.size, row.trace_size, row.file, row.kept);
    return { content, tree: row.tree ? keptTree(row.tree) : undefined };
  }

  content(id: number): Content | undefined {
    const row = this.#byId.get(id);
    return row && this.toContent(row.size, row.trace_size, row.file, row.kept);
  }

  /** @param size of trace and octets  @param kept see `KEPT_OCTETS` */
  toContent(size: number, traceSize: number, file: string | null, kept: Uint8Array): Content {
    return file === null
      ? new MemoryContent(kept, traceSize)
      : new FileContent(kept, join(this.#folder, file), size - traceSize);
  }
}

/** As threads that parse read it: `size` of trace and octets, and `KEPT_OCTETS`. */
export interface EmailToParse {
  readonly size: number;
  readonly file: string | null;
  readonly kept: Buffer<ArrayBuffer>;
}

export const EMAIL_TO_PARSE = `e.size + e.trace_size AS size, e.file, ${KEPT_OCTETS} AS kept`;

/**
 * Calls `use` with an email's octets and tree. Of a large one the octets are headers and the beginnings of texts. They are
 * gone when `use` returns: until the garbage collector sees to them, megabytes more would have been read.
 * @param texts how much of each text of a large one is looked at, in octets
 */
export function withEmail<Result>(
  { size, file, kept }: EmailToParse,
  folder: string,
  texts: number,
  use: (octets: Uint8Array, tree: MimePart) => Result,
): Result {
  if (file === null) return usedOnce(kept, (octets) => use(octets, parseMimeTree(octets)));
  using source = new LargeOctets(kept, join(largeFolder(folder), file), size);
  const tree = parseMimeTree(source);
  return usedOnce(source.excerpt(tree, texts), (octets) => use(octets, tree));
}

function usedOnce<Result>(octets: Buffer<ArrayBuffer>, use: (octets: Uint8Array) => Result): Result {
  try {
    return use(octets);
  } finally {
    if (octets.byteLength === octets.buffer.byteLength) octets.buffer.transfer(0);
  }
}
