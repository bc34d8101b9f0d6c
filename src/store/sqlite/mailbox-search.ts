/** SEARCH in a mailbox (RFC 9051 §6.4.4): the snapshot's arrays are the candidates. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MailboxSnapshot } from '../mail-store.ts';
import type { SearchQuery } from '../search-query.ts';
import { Addressing } from './addressing.ts';
import type { Database } from './database.ts';
import { Search, type Candidates, type Report } from './search.ts';
import type { SearcherClient } from './searcher-client.ts';
import { TagReads } from './tags.ts';

const ROWS_AT_ONCE = 4_000;

export class MailboxSearch {
  readonly #searcher: SearcherClient;
  readonly #flagSet: (id: number) => readonly string[];
  readonly #addressing: Addressing;
  readonly #tags: TagReads;
  readonly #selectSavedDates;

  constructor(db: Database, searcher: SearcherClient, flagSet: (id: number) => readonly string[]) {
    this.#searcher = searcher;
    this.#flagSet = flagSet;
    this.#addressing = new Addressing(db);
    this.#tags = new TagReads(db);
    this.#selectSavedDates = db
      .prepare<[number, number, number], [uid: number, savedDate: number]>(
        'SELECT uid, saved_date FROM message WHERE mailbox_id = ? AND uid > ? ORDER BY uid LIMIT ?',
      )
      .raw();
  }

  /** @returns the UIDs that match, ascending */
  async search(
    snapshot: MailboxSnapshot,
    query: SearchQuery,
    signal: AbortSignal | undefined,
    report?: Report,
  ): Promise<Uint32Array> {
    const found = await new Search(this.#candidates(snapshot), this.#searcher, signal, report).run(query);
    const uids = new Uint32Array(snapshot.count);
    let count = 0;
    for (let i = 0; i < snapshot.count; i++) if (found[i] === 1) uids[count++] = snapshot.uids[i]!;
    return uids.slice(0, count);
  }

  #candidates(snapshot: MailboxSnapshot): Candidates {
    return {
      count: snapshot.count,
      emailIds: snapshot.emailIds,
      uids: snapshot.uids,
      modSeqs: snapshot.modSeqs,
      internalDates: snapshot.internalDates,
      sizes: () => snapshot.sizes,
      flagged: (flag) => this.#flagged(snapshot, flag.toLowerCase()),
      addressedTo: (text, within, mask) => this.#addressing.find(snapshot.emailIds, text, within, mask),
      tagged: (tag) => this.#tags.among(snapshot.emailIds.subarray(0, snapshot.count), tag),
      savedDates: () => this.#savedDates(snapshot),
    };
  }

  #flagged({ count, flagSets }: MailboxSnapshot, flag: string): Uint8Array {
    const hasFlag: (0 | 1)[] = []; // by flag set
    const found = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const set = flagSets[i]!;
      found[i] = hasFlag[set] ??= this.#flagSet(set).some((each) => each.toLowerCase() === flag) ? 1 : 0;
    }
    return found;
  }

  async #savedDates({ mailbox, count, uids }: MailboxSnapshot): Promise<Float64Array> {
    const dates = new Float64Array(count).fill(NaN); // what is gone was saved at no time
    let at = 0;
    let last = 0;
    for (;;) {
      const rows = this.#selectSavedDates.all(mailbox.id, last, ROWS_AT_ONCE);
      for (const [uid, savedDate] of rows) {
        while (at < count && uids[at]! < uid) at++;
        if (at < count && uids[at] === uid) dates[at] = savedDate * 1000;
        last = uid;
      }
      if (rows.length < ROWS_AT_ONCE || at >= count) return dates;
      await nextTurn();
    }
  }
}
