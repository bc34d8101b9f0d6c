/** For whom mail was handed in: the addresses of the SMTP envelope (RFC 5321 §3.3), which no field need name. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { foldForSearch } from '../../mail/search-text.ts';
import type { ForwardPath } from '../mail-store.ts';
import type { Database, Statement } from './database.ts';

const ROWS_AT_ONCE = 1000;

export class Addressing {
  readonly #forwardPaths: Statement<[number], string>;

  constructor(db: Database) {
    this.#forwardPaths = db.prepare<[number], string>('SELECT forward_paths FROM origin WHERE email_id = ?').pluck();
  }

  /** @returns 1 for each email of which an address contains the text */
  async find(emailIds: ArrayLike<number>, text: string): Promise<Uint8Array> {
    const wanted = foldForSearch(text);
    const found = new Uint8Array(emailIds.length);
    for (let i = 0; i < emailIds.length; i++) {
      if (i % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await nextTurn();
      const paths = this.#forwardPaths.get(emailIds[i]!);
      if (paths === undefined) continue;
      const addresses = JSON.parse(paths) as readonly ForwardPath[];
      if (addresses.some(({ address }) => foldForSearch(address).includes(wanted))) found[i] = 1;
    }
    return found;
  }
}
