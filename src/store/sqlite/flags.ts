/** STORE (RFC 9051 §6.4.6, RFC 7162 §3.1.3): flag set by flag set, not message by message. */
import type { ModSeq } from '../change.ts';
import type { Statement } from './database.ts';
import { checkFlags, type FlagSet } from './flag-sets.ts';
import { CHANGE, type Ledger, type MailboxState } from './ledger.ts';
import { isMany, toJson, type MessageRows, type Selected } from './message-rows.ts';
import type { Requests } from './requests.ts';
import { CopyCounts } from './transaction-counts.ts';
import { toRuns } from './uid-ranges.ts';

interface Transition {
  readonly from: FlagSet;
  readonly to: FlagSet;
}

export class FlagWrites {
  readonly #ledger: Ledger;
  readonly #rows: MessageRows;
  readonly #counts: CopyCounts;
  readonly #update: Statement<[number, number, number, number, number, number]>;
  readonly #updateListed: Statement<[number, number, number, string]>;

  constructor(ledger: Ledger, rows: MessageRows) {
    this.#ledger = ledger;
    this.#rows = rows;
    this.#counts = new CopyCounts(ledger);
    this.#update = ledger.db.prepare(
      `UPDATE message SET flag_set = ?, mod_seq = ?
       WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND flag_set = ?`,
    );
    this.#updateListed = ledger.db.prepare(
      `UPDATE message SET flag_set = ?, mod_seq = ?
       WHERE mailbox_id = ? AND uid IN (SELECT value FROM json_each(?))`,
    );
  }

  store(request: Requests['storeFlags']['request']): Requests['storeFlags']['result'] {
    const { account: id, uids, unchangedSince = Infinity } = request;
    const account = this.#ledger.account(id);
    const mailbox = this.#ledger.mailbox(account, request.mailbox);
    checkFlags(request.flags);
    const selected = this.#rows.select(mailbox, uids);
    const stored: number[] = [];
    const modified: number[] = [];
    const transitions = new Map<number, Transition>();
    const changed: number[] = [];
    for (let i = 0; i < selected.uids.length; i++) {
      const uid = selected.uids[i]!;
      if (selected.modSeqs[i]! > unchangedSince) {
        modified.push(uid);
        continue;
      }
      stored.push(uid);
      const { from, to } = this.#transition(transitions, selected.flagSets[i]!, request);
      if (from !== to) changed.push(i);
    }
    let modSeq = account.modSeq;
    const runs = toRuns(changed.map((index) => selected.uids[index]!));
    if (changed.length > 0) {
      modSeq = this.#ledger.nextModSeq(account);
      this.#change(mailbox, selected, changed, transitions, modSeq);
      this.#ledger.logMessages(modSeq, mailbox, CHANGE.flags, runs);
      this.#counts.apply(id);
    }
    return {
      stored: Uint32Array.from(stored),
      modified: Uint32Array.from(modified),
      gone: without(uids, selected.uids),
      modSeq: modSeq as ModSeq,
      changed: { runs, transitions: new Map(Array.from(transitions, ([from, { to }]) => [from, to.id])) },
    };
  }

  #transition(known: Map<number, Transition>, from: number, { mode, flags, only }: Requests['storeFlags']['request']) {
    let transition = known.get(from);
    if (!transition) {
      const set = this.#ledger.flagSets.get(from);
      known.set(from, (transition = { from: set, to: this.#ledger.flagSets.change(set, mode, flags, only) }));
    }
    return transition;
  }

  /**
   * @param changed indices into `selected`. No flag set is both left and reached by the same command, so the order of
   * the statements does not matter.
   */
  #change(
    mailbox: MailboxState,
    selected: Selected,
    changed: readonly number[],
    transitions: ReadonlyMap<number, Transition>,
    modSeq: number,
  ): void {
    for (const [flagSet, { from, to }] of transitions) {
      if (from === to) continue;
      const unread = from.seen === to.seen ? 0 : from.seen ? 1 : -1;
      const ranges = spans(selected, changed, flagSet);
      let changes = 0;
      if (isMany(ranges)) {
        const uids = toJson(changed.filter((i) => selected.flagSets[i] === flagSet).map((i) => selected.uids[i]!));
        if (unread !== 0) this.#counts.addListed(mailbox.id, uids, 0, unread);
        ({ changes } = this.#updateListed.run(to.id, modSeq, mailbox.id, uids));
      } else {
        for (let i = 0; i < ranges.length; i += 2) {
          const [first, last] = [ranges[i]!, ranges[i + 1]!];
          if (unread !== 0) this.#counts.addRange(mailbox.id, first, last, flagSet, 0, unread);
          changes += this.#update.run(to.id, modSeq, mailbox.id, first, last, flagSet).changes;
        }
      }
      mailbox.unseen += changes * unread;
      mailbox.deleted += changes * (Number(to.deleted) - Number(from.deleted));
    }
  }
}

/** Ranges [first, last, …] of UIDs in which all messages of this flag set are to be changed, as few as possible. */
function spans({ uids, flagSets, runs }: Selected, changed: readonly number[], flagSet: number): number[] {
  const ranges: number[] = [];
  let run = 0; // the place in `runs` of the run that the last range is in
  let next = 0; // the index up to which every message of this flag set was in `changed`
  for (const index of changed) {
    if (flagSets[index] !== flagSet) continue;
    const uid = uids[index]!;
    let joins = ranges.length > 0 && uid <= runs[run + 1]!;
    for (let between = next; joins && between < index; between++) joins = flagSets[between] !== flagSet;
    if (joins) {
      ranges[ranges.length - 1] = uid;
    } else {
      ranges.push(uid, uid);
      while (uid > runs[run + 1]!) run += 2;
    }
    next = index + 1;
  }
  return ranges;
}

/** Those of `asked` that are not `present`; both ascend. */
function without(asked: Uint32Array, present: Uint32Array): Uint32Array {
  if (asked.length === present.length) return new Uint32Array();
  const missing: number[] = [];
  let at = 0;
  for (const uid of asked) {
    while (at < present.length && present[at]! < uid) at++;
    if (present[at] !== uid) missing.push(uid);
  }
  return Uint32Array.from(missing);
}
