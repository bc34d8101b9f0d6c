/** Rows of messages by sets of UIDs: in few statements when the UIDs are neighbours. */
import { CHANGE, type Ledger, type MailboxState } from './ledger.ts';
import type { CopyCounts } from './transaction-counts.ts';
import { toRuns } from './uid-ranges.ts';

/** Messages of a mailbox. The arrays are parallel, in ascending UID order. */
export interface Selected {
  readonly uids: Uint32Array;
  readonly flagSets: Uint32Array;
  readonly modSeqs: Float64Array;
  readonly sizes: Uint32Array;
  readonly emailIds: Float64Array;
  /** [first, last, …] such that a statement over each run finds exactly these messages: gaps hold no message. */
  readonly runs: readonly number[];
}

export interface Sums {
  readonly count: number;
  readonly octets: number;
  readonly unseen: number;
  readonly deleted: number;
}

/** More runs than this (two numbers each) are not gone through one by one. */
const MOST_RUNS = 50;
export const isMany = (runs: readonly number[]): boolean => runs.length > 2 * MOST_RUNS;
export const toJson = (numbers: ArrayLike<number>): string => JSON.stringify(Array.from(numbers));

type Row = [uid: number, flagSet: number, modSeq: number, size: number, emailId: number];

export class MessageRows {
  readonly #ledger: Ledger;
  readonly #statements;

  constructor(ledger: Ledger) {
    const { db } = ledger;
    this.#ledger = ledger;
    this.#statements = {
      select: db
        .prepare<[number, number, number], Row>(
          'SELECT uid, flag_set, mod_seq, size, email_id FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ? ORDER BY uid',
        )
        .raw(),
      // UIDs come as JSON: one statement for many of them.
      selectListed: db
        .prepare<[number, string], Row>(
          `SELECT uid, flag_set, mod_seq, size, email_id FROM message
           WHERE mailbox_id = ? AND uid IN (SELECT value FROM json_each(?)) ORDER BY uid`,
        )
        .raw(),
      delete: db.prepare<[number, number, number]>('DELETE FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ?'),
      deleteListed: db.prepare<[number, string]>(
        'DELETE FROM message WHERE mailbox_id = ? AND uid IN (SELECT value FROM json_each(?))',
      ),
    };
  }

  /** @param uids ascending; undefined: all  @param test which of them to take, by their flag set */
  select(mailbox: MailboxState, uids: Uint32Array | undefined, test?: (flagSet: number) => boolean): Selected {
    const asked = uids ? toRuns(uids) : [1, 0xffff_ffff];
    const rows: Row[] = [];
    const runs: number[] = [];
    let run = -2; // the place in `asked` of the run that the last row is in
    let open = false; // whether the next row of that run prolongs the last of `runs`
    for (const row of this.#read(mailbox, asked, uids)) {
      const uid = row[0];
      if (run < 0 || uid > asked[run + 1]!) {
        do run += 2;
        while (uid > asked[run + 1]!);
        open = false;
      }
      if (test && !test(row[1])) {
        open = false;
        continue;
      }
      rows.push(row);
      if (open) runs[runs.length - 1] = uid;
      else runs.push(uid, uid);
      open = true;
    }
    return toSelected(rows, runs);
  }

  #read(mailbox: MailboxState, runs: readonly number[], uids: Uint32Array | undefined): Row[] {
    if (uids && isMany(runs)) return this.#statements.selectListed.all(mailbox.id, toJson(uids));
    const rows: Row[] = [];
    for (let i = 0; i < runs.length; i += 2) {
      for (const row of this.#statements.select.all(mailbox.id, runs[i]!, runs[i + 1]!)) rows.push(row);
    }
    return rows;
  }

  sums({ flagSets, sizes }: Selected): Sums {
    let [octets, unseen, deleted] = [0, 0, 0];
    for (let i = 0; i < flagSets.length; i++) {
      const set = this.#ledger.flagSets.get(flagSets[i]!);
      octets += sizes[i]!;
      if (!set.seen) unseen++;
      if (set.deleted) deleted++;
    }
    return { count: flagSets.length, octets, unseen, deleted };
  }

  /** Deletes the rows, with counters and a row of the log; what becomes of their emails is the caller's to decide. */
  remove(mailbox: MailboxState, selected: Selected, sums: Sums, modSeq: number): void {
    const { runs, uids } = selected;
    if (isMany(runs)) this.#statements.deleteListed.run(mailbox.id, toJson(uids));
    else for (let i = 0; i < runs.length; i += 2) this.#statements.delete.run(mailbox.id, runs[i]!, runs[i + 1]!);
    mailbox.messages -= sums.count;
    mailbox.octets -= sums.octets;
    mailbox.unseen -= sums.unseen;
    mailbox.deleted -= sums.deleted;
    this.#ledger.release(mailbox, sums.count, sums.octets);
    this.#ledger.logMessages(modSeq, mailbox, CHANGE.expunged, toRuns(selected.uids));
  }

  /** Each of these messages, while its row is there, has one copy more or fewer. */
  addCounts(mailbox: MailboxState, { emailIds, flagSets, runs }: Selected, counts: CopyCounts, sign: 1 | -1): void {
    const sets = new Set(flagSets);
    if ((runs.length / 2) * sets.size < emailIds.length) {
      for (let i = 0; i < runs.length; i += 2) {
        for (const set of sets) {
          const { seen } = this.#ledger.flagSets.get(set);
          counts.addRange(mailbox.id, runs[i]!, runs[i + 1]!, set, sign, seen ? 0 : sign);
        }
      }
      return;
    }
    for (let i = 0; i < emailIds.length; i++) {
      const { seen } = this.#ledger.flagSets.get(flagSets[i]!);
      counts.add(emailIds[i]!, sign, seen ? 0 : sign);
    }
  }
}

function toSelected(rows: readonly Row[], runs: readonly number[]): Selected {
  const selected = {
    uids: new Uint32Array(rows.length),
    flagSets: new Uint32Array(rows.length),
    modSeqs: new Float64Array(rows.length),
    sizes: new Uint32Array(rows.length),
    emailIds: new Float64Array(rows.length),
    runs,
  };
  // By index: `from` with a function takes ten times as long.
  for (let i = 0; i < rows.length; i++) {
    const [uid, flagSet, modSeq, size, emailId] = rows[i]!;
    selected.uids[i] = uid;
    selected.flagSets[i] = flagSet;
    selected.modSeqs[i] = modSeq;
    selected.sizes[i] = size;
    selected.emailIds[i] = emailId;
  }
  return selected;
}
