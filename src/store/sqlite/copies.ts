/** COPY and MOVE (RFC 9051 §6.4.7, §6.4.8): octets stay where they are, a copy is a row. All arrive or none. */
import type { MailboxId, ModSeq } from '../change.ts';
import type { Destination } from '../mail-store.ts';
import { Refusal } from '../refusal.ts';
import { ALL_RIGHTS, type Rights } from '../rights.ts';
import type { Statement } from './database.ts';
import type { FlagSet } from './flag-sets.ts';
import { CHANGE, type AccountState, type Ledger, type MailboxState } from './ledger.ts';
import { possibleName } from './mailbox-name.ts';
import type { MessageRows } from './message-rows.ts';
import { type Selected } from './message-rows.ts';
import type { CopiedUids, Requests } from './requests.ts';
import { CopyCounts } from './transaction-counts.ts';

interface Target {
  readonly account: AccountState;
  readonly mailbox: MailboxState;
  readonly rights: Rights;
}

interface Numbered {
  readonly modSeq: number;
}

export class CopyWrites {
  readonly #ledger: Ledger;
  readonly #rows: MessageRows;
  readonly #counts: CopyCounts;
  /** Copies a run of UIDs: [mailbox, what to add to the run's first row number, MODSEQ, saved date, from, first, last]. */
  readonly #copyRun: Statement<[number, number, number, number, number, number, number]>;

  readonly #replaceSet: Statement<[number, number, number, number]>;

  constructor(ledger: Ledger, rows: MessageRows) {
    this.#ledger = ledger;
    this.#rows = rows;
    this.#counts = new CopyCounts(ledger);
    this.#copyRun = ledger.db.prepare(
      `INSERT INTO message (mailbox_id, uid, email_id, flag_set, mod_seq, size, internal_date, saved_date)
       SELECT ?, ? + row_number() OVER (ORDER BY uid), email_id, flag_set, ?, size, internal_date, ?
       FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ?`,
    );
    this.#replaceSet = ledger.db.prepare(
      'UPDATE message SET flag_set = ? WHERE mailbox_id = ? AND uid >= ? AND flag_set = ?',
    );
  }

  copy({ account: id, from, uids, to, move }: Requests['copy']['request']): CopiedUids {
    const account = this.#ledger.account(id);
    const source = this.#ledger.mailbox(account, from);
    const target = typeof to === 'string' ? this.#named(account, to) : this.#target(to);
    const selected = this.#rows.select(source, uids);
    // What moves within an account fills it no further (RFC 6851 §4.1): so a full one can be tidied up.
    if (!move || target.account !== account) {
      const { count, octets } = this.#rows.sums(selected);
      this.#ledger.checkRoom(target.account, count, octets);
    }
    if (selected.uids.length === 0) {
      return {
        mailbox: target.mailbox.id as MailboxId,
        uidValidity: target.mailbox.uidValidity,
        source: selected.uids,
        firstUid: target.mailbox.uidNext,
        modSeq: account.modSeq as ModSeq,
      };
    }
    const modSeq = this.#ledger.nextModSeq(account);
    const arrives = target.account === account ? modSeq : this.#ledger.nextModSeq(target.account);
    return this.#transfer({ account, mailbox: source, modSeq }, { ...target, modSeq: arrives }, selected, move);
  }

  #named(account: AccountState, to: string): Target {
    const name = possibleName(to);
    const mailbox = name === undefined ? undefined : this.#ledger.findMailboxByName(account.id, name);
    if (!mailbox) throw new Refusal('TRYCREATE', `There is no mailbox ${to}`);
    return { account, mailbox, rights: ALL_RIGHTS };
  }

  #target({ account: id, mailbox, rights }: Destination): Target {
    const account = this.#ledger.account(id);
    return { account, mailbox: this.#ledger.mailbox(account, mailbox), rights };
  }

  /** Every message of a mailbox into another one. */
  moveAll(account: AccountState, source: MailboxState, destination: MailboxState, modSeq: number): void {
    const selected = this.#rows.select(source, undefined);
    if (selected.uids.length === 0) return;
    const to = { account, mailbox: destination, rights: ALL_RIGHTS, modSeq };
    this.#transfer({ account, mailbox: source, modSeq }, to, selected, true);
  }

  #transfer(
    { account, mailbox: source, modSeq }: Omit<Target, 'rights'> & Numbered,
    to: Target & Numbered,
    selected: Selected,
    move: boolean,
  ): CopiedUids {
    const destination = to.mailbox;
    const lost = this.#lostFlags(selected, to.rights);
    const arriving =
      lost.size === 0 ? selected : { ...selected, flagSets: selected.flagSets.map((set) => lost.get(set)?.id ?? set) };
    const firstUid = this.#ledger.arrive(to.account, destination, this.#rows.sums(arriving), to.modSeq);
    const now = Math.floor(Date.now() / 1000);
    let copied = 0;
    for (let i = 0; i < selected.runs.length; i += 2) {
      const [first, last] = [selected.runs[i]!, selected.runs[i + 1]!];
      const { changes } = this.#copyRun.run(
        destination.id,
        firstUid - 1 + copied,
        to.modSeq,
        now,
        source.id,
        first,
        last,
      );
      copied += changes;
    }
    if (!move) this.#rows.addCounts(source, selected, this.#counts, 1);
    for (const [before, after] of lost) this.#loseFlags(destination, firstUid, before, after);
    if (move) this.#rows.remove(source, selected, this.#rows.sums(selected), modSeq);
    this.#ledger.logMessages(to.modSeq, destination, CHANGE.arrived, [firstUid, firstUid + copied - 1]);
    if (!move || lost.size > 0) this.#counts.apply(account.id);
    return {
      mailbox: destination.id as MailboxId,
      uidValidity: destination.uidValidity,
      source: selected.uids,
      firstUid,
      modSeq: modSeq as ModSeq,
    };
  }

  /** RFC 4314 §4: what flag sets become, of which not all flags may be copied. */
  #lostFlags({ flagSets }: Selected, rights: Rights): ReadonlyMap<number, FlagSet> {
    const lost = new Map<number, FlagSet>();
    if (rights === ALL_RIGHTS) return lost;
    for (const id of new Set(flagSets)) {
      const before = this.#ledger.flagSets.get(id);
      const after = this.#ledger.flagSets.permitted(before, rights);
      if (after !== before) lost.set(id, after);
    }
    return lost;
  }

  /** Of what has just arrived. What a set becomes has nothing more to lose, so the order of the sets does not matter. */
  #loseFlags(mailbox: MailboxState, firstUid: number, before: number, after: FlagSet): void {
    if (this.#ledger.flagSets.get(before).seen && !after.seen) {
      this.#counts.addRange(mailbox.id, firstUid, mailbox.uidNext - 1, before, 0, 1);
    }
    this.#replaceSet.run(after.id, mailbox.id, firstUid, before);
  }
}
