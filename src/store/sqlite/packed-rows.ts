/**
 * Columns of many messages, read as one value each and cut up here: a Buffer for every column of every row costs more
 * than the reading, and is more for the garbage collector than for anybody else.
 */
import type { MailboxId } from '../change.ts';
import type { MailboxSnapshot } from '../mail-store.ts';
import type { Database, Statement } from './database.ts';

/** Octets of one value beyond which a range is to be read row by row. What is in a mailbox's octets is bounded by its reader. */
const LONGEST_VALUE = 16 * 1024;

/** What is read of each message besides its octets: an expression that gives a blob, a text, a number or null. */
export interface Column<Name extends string> {
  readonly name: Name;
  readonly expression: string;
  readonly type: 'blob' | 'json';
  /** No bound: the caller has seen to it that all of them together are no more than can be held. */
  readonly unbounded?: boolean;
}

/** Values by column, in the order of UIDs. */
export type Packed<Name extends string> = Readonly<Record<Name, readonly unknown[]>>;

export class PackedRows<Name extends string> {
  readonly #columns: readonly Column<Name>[];
  readonly #statement: Statement<[number, number, number], (number | string | Buffer | null)[]>;

  /** @param tables what follows FROM, with `message AS m` among it */
  constructor(db: Database, tables: string, columns: readonly Column<Name>[]) {
    this.#columns = columns;
    const inner = columns.map(({ name, expression }) => `${expression} AS ${name}`);
    const outer = columns.flatMap(({ name, type, unbounded }) => {
      if (type === 'json') return [`json_group_array(${name})`];
      const value = unbounded ? name : `iif(octet_length(${name}) <= ${LONGEST_VALUE}, ${name}, '')`;
      return [`json_group_array(octet_length(${name}))`, `CAST(group_concat(${value}, '') AS BLOB)`];
    });
    this.#statement = db
      .prepare<[number, number, number], (number | string | Buffer | null)[]>(
        `SELECT count(*), ${outer.join(', ')}
         FROM (SELECT ${inner.join(', ')} FROM ${tables} WHERE m.mailbox_id = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid)`,
      )
      .raw();
  }

  /**
   * Of the messages that a snapshot has from `start` to before `end`.
   * @returns undefined: some of them are gone, or have a long value
   */
  read(mailbox: MailboxId, { uids }: MailboxSnapshot, start: number, end: number): Packed<Name> | undefined {
    const [count, ...values] = this.#statement.get(mailbox, uids[start]!, uids[end - 1]!)!;
    // UIDs are given out once: if as many are there, they are the same.
    if (count !== end - start) return undefined;
    const packed = {} as Record<Name, readonly unknown[]>;
    let at = 0;
    for (const { name, type, unbounded } of this.#columns) {
      const list = JSON.parse(values[at++] as string) as (number | null)[];
      if (type === 'json') {
        packed[name] = list;
        continue;
      }
      if (!unbounded && list.some((octets) => octets !== null && octets > LONGEST_VALUE)) return undefined;
      packed[name] = cut(values[at++] as Buffer, list);
    }
    return packed;
  }
}

/** @param lengths null: there is no value */
function cut(octets: Buffer, lengths: readonly (number | null)[]): (Buffer | null)[] {
  let at = 0;
  return lengths.map((length) => (length === null ? null : octets.subarray(at, (at += length))));
}
