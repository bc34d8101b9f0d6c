/** For whom mail was handed in: the addresses of the SMTP envelope (RFC 5321 §3.3), which no field need name. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { foldForSearch } from '../../mail/search-text.ts';
import type { ForwardPath } from '../mail-store.ts';
import type { Database } from './database.ts';

const ROWS_AT_ONCE = 1000;
/** Ids are walked over in pieces of so many. */
const IDS_AT_ONCE = 10_000;
/** From so many on it is quicker to walk over all between the first and the last than to look each up. */
const MANY = 2_000;

export class Addressing {
  readonly #statements;

  constructor(db: Database) {
    this.#statements = {
      one: db.prepare<[number], string>('SELECT forward_paths FROM origin WHERE email_id = ?').pluck(),
      // Where folding could change more than the case, the row is looked at itself.
      likely: db
        .prepare<[from: number, to: number, text: string], [emailId: number, paths: string]>(
          `SELECT email_id, forward_paths FROM origin
           WHERE email_id BETWEEN ? AND ? AND (instr(lower(forward_paths), ?) > 0 OR forward_paths GLOB '*[^ -~]*')`,
        )
        .raw(),
      all: db
        .prepare<[from: number, to: number], [emailId: number, paths: string]>(
          'SELECT email_id, forward_paths FROM origin WHERE email_id BETWEEN ? AND ?',
        )
        .raw(),
    };
  }

  /**
   * @param within only addresses of this domain and of those below it; undefined: all
   * @param mask 1 for each that is in question
   * @returns 1 for each of those of which an address contains the text
   */
  async find(
    emailIds: ArrayLike<number>,
    text: string,
    within: string | undefined,
    mask: Uint8Array,
  ): Promise<Uint8Array> {
    const wanted = foldForSearch(text);
    const found = new Uint8Array(mask.length);
    // The same recipients come again and again.
    const known = new Map<string, boolean>();
    const isFor = (paths: string): boolean => {
      let answer = known.get(paths);
      if (answer === undefined) {
        if (known.size >= IDS_AT_ONCE) known.clear();
        known.set(paths, (answer = isAddressed(paths, wanted, within)));
      }
      return answer;
    };
    const [count, first, last] = extent(emailIds, mask);
    if (count >= MANY && last - first < 10 * count) {
      const matching = await this.#between(first, last, wanted, isFor);
      for (let i = 0; i < mask.length; i++) if (mask[i] === 1 && matching.has(emailIds[i]!)) found[i] = 1;
      return found;
    }
    for (let i = 0, looked = 0; i < mask.length; i++) {
      if (mask[i] !== 1) continue;
      if (++looked % ROWS_AT_ONCE === 0) await nextTurn();
      const paths = this.#statements.one.get(emailIds[i]!);
      if (paths !== undefined && isFor(paths)) found[i] = 1;
    }
    return found;
  }

  async #between(
    first: number,
    last: number,
    wanted: string,
    isFor: (paths: string) => boolean,
  ): Promise<ReadonlySet<number>> {
    const matching = new Set<number>();
    // What JSON writes otherwise is not found in it as it stands.
    const isPlain = /^[ !#-[\]-~]+$/.test(wanted);
    for (let from = first; from <= last; from += IDS_AT_ONCE) {
      const to = Math.min(from + IDS_AT_ONCE - 1, last);
      const rows = isPlain ? this.#statements.likely.all(from, to, wanted) : this.#statements.all.all(from, to);
      for (const [emailId, paths] of rows) if (isFor(paths)) matching.add(emailId);
      await nextTurn();
    }
    return matching;
  }
}

function isAddressed(paths: string, wanted: string, within: string | undefined): boolean {
  const isMeant = (address: string): boolean =>
    within === undefined || `.${address.slice(address.lastIndexOf('@') + 1).toLowerCase()}`.endsWith(`.${within}`);
  return (JSON.parse(paths) as readonly ForwardPath[]).some(
    ({ address }) => foldForSearch(address).includes(wanted) && isMeant(address),
  );
}

/** How many there are in question, the lowest of them and the highest. */
function extent(emailIds: ArrayLike<number>, mask: Uint8Array): readonly [count: number, first: number, last: number] {
  let [count, first, last] = [0, Infinity, 0];
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] !== 1) continue;
    const id = emailIds[i]!;
    count++;
    if (id < first) first = id;
    if (id > last) last = id;
  }
  return [count, first, last];
}
