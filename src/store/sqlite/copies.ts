/** COPY and MOVE (RFC 9051 §6.4.7, §6.4.8): octets stay where they are, a copy is a row. All arrive or none. */
import type { MailboxId, ModSeq } from '../change.ts';
import { Refusal } from '../refusal.ts';
import type { Statement } from './database.ts';
import { CHANGE, type AccountState, type Ledger, type MailboxState } from './ledger.ts';
import { possibleName } from './mailbox-name.ts';
import type { MessageRows } from './message-rows.ts';
import { type Selected } from './message-rows.ts';
import type { CopiedUids, Requests } from './requests.ts';
import { CopyCounts } from './transaction-counts.ts';

export class CopyWrites {
  readonly #ledger: Ledger;
  readonly #rows: MessageRows;
  readonly #counts: CopyCounts;
  /** Copies a run of UIDs: [mailbox, what to add to the run's first row number, MODSEQ, saved date, from, first, last]. */
  readonly #copyRun: Statement<[number, number, number, number, number, number, number]>;

  constructor(ledger: Ledger, rows: MessageRows) {
    this.#ledger = ledger;
    this.#rows = rows;
    this.#counts = new CopyCounts(ledger);
    this.#copyRun = ledger.db.prepare(
      `INSERT INTO message (mailbox_id, uid, email_id, flag_set, mod_seq, size, internal_date, saved_date)
       SELECT ?, ? + row_number() OVER (ORDER BY uid), email_id, flag_set, ?, size, internal_date, ?
       FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ?`,
    );
  }

  copy({ account: id, from, uids, to, move }: Requests['copy']['request']): CopiedUids {
    const account = this.#ledger.account(id);
    const source = this.#ledger.mailbox(account, from);
    const name = possibleName(to);
    const destination = name === undefined ? undefined : this.#ledger.findMailboxByName(id, name);
    if (!destination) throw new Refusal('TRYCREATE', `There is no mailbox ${to}`);
    const selected = this.#rows.select(source, uids);
    // What moves within an account fills it no further (RFC 6851 §4.1): so a full one can be tidied up.
    if (!move || source.account !== destination.account) {
      const { count, octets } = this.#rows.sums(selected);
      this.#ledger.checkRoom(this.#ledger.account(destination.account), count, octets);
    }
    if (selected.uids.length === 0) {
      return {
        mailbox: destination.id as MailboxId,
        uidValidity: destination.uidValidity,
        source: selected.uids,
        firstUid: destination.uidNext,
        modSeq: account.modSeq as ModSeq,
      };
    }
    return this.#transfer(account, source, destination, selected, move, this.#ledger.nextModSeq(account));
  }

  /** Every message of a mailbox into another one. */
  moveAll(account: AccountState, source: MailboxState, destination: MailboxState, modSeq: number): void {
    const selected = this.#rows.select(source, undefined);
    if (selected.uids.length > 0) this.#transfer(account, source, destination, selected, true, modSeq);
  }

  #transfer(
    account: AccountState,
    source: MailboxState,
    destination: MailboxState,
    selected: Selected,
    move: boolean,
    modSeq: number,
  ): CopiedUids {
    const sums = this.#rows.sums(selected);
    const firstUid = this.#ledger.arrive(account, destination, sums, modSeq);
    const now = Math.floor(Date.now() / 1000);
    let copied = 0;
    for (let i = 0; i < selected.runs.length; i += 2) {
      const [first, last] = [selected.runs[i]!, selected.runs[i + 1]!];
      const { changes } = this.#copyRun.run(destination.id, firstUid - 1 + copied, modSeq, now, source.id, first, last);
      copied += changes;
    }
    if (move) this.#rows.remove(source, selected, sums, modSeq);
    else this.#rows.addCounts(source, selected, this.#counts, 1);
    this.#ledger.logMessages(modSeq, destination, CHANGE.arrived, [firstUid, firstUid + copied - 1]);
    if (!move) this.#counts.apply(account.id);
    return {
      mailbox: destination.id as MailboxId,
      uidValidity: destination.uidValidity,
      source: selected.uids,
      firstUid,
      modSeq: modSeq as ModSeq,
    };
  }
}
