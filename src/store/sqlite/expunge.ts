/** EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9), and POP3's removal of what was marked. */
import type { ModSeq } from '../change.ts';
import type { Ledger } from './ledger.ts';
import type { MessageRows } from './message-rows.ts';
import type { Requests } from './requests.ts';
import { CopyCounts } from './transaction-counts.ts';

export class ExpungeWrites {
  readonly #ledger: Ledger;
  readonly #rows: MessageRows;
  readonly #counts: CopyCounts;

  constructor(ledger: Ledger, rows: MessageRows) {
    this.#ledger = ledger;
    this.#rows = rows;
    this.#counts = new CopyCounts(ledger);
  }

  expunge({
    account: id,
    mailbox: mailboxId,
    uids,
    onlyDeleted,
  }: Requests['expunge']['request']): Requests['expunge']['result'] {
    const account = this.#ledger.account(id);
    const mailbox = this.#ledger.mailbox(account, mailboxId);
    const nothing = { uids: new Uint32Array(), modSeq: account.modSeq as ModSeq };
    if (onlyDeleted && mailbox.deleted === 0) return nothing;
    const selected = this.#rows.select(
      mailbox,
      uids,
      onlyDeleted ? (flagSet) => this.#ledger.flagSets.get(flagSet).deleted : undefined,
    );
    if (selected.uids.length === 0) return nothing;
    const modSeq = this.#ledger.nextModSeq(account);
    this.#rows.addCounts(mailbox, selected, this.#counts, -1);
    this.#rows.remove(mailbox, selected, this.#rows.sums(selected), modSeq);
    this.#counts.apply(id);
    return { uids: selected.uids, modSeq: modSeq as ModSeq };
  }
}
