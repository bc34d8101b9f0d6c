/**
 * COPY and UID COPY: RFC 9051 §6.4.7, §6.4.9.
 * All the messages arrive or none does; flags and internal dates are kept.
 */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import { uidSet } from '../grammar/sequence-set.ts';
import { withProgress } from '../in-progress.ts';
import { assertMayKeep } from '../message-limit.ts';

export const copy = command({
  states: ['selected'],
  mayExpunge: true, // only FETCH, STORE and SEARCH may not: §7.5.1
  parse: (input) => ({ set: input.sp().sequenceSet(), mailbox: input.sp().mailbox() }),

  async *run({ set, mailbox }, { tag, name, state: { account, view }, store, session }) {
    const uids = view.uids(set, name === 'UID COPY' ? 'uid' : 'seq');
    assertMayKeep(uids, session.options);
    const copying = () => store.copyMessages(account, view.id, uids, mailbox);
    const {
      mailbox: destination,
      uidValidity,
      sourceUids,
      destinationUids,
      unreadable,
    } = await withProgress(tag, session, copying);
    if (sourceUids.length === 0) return ok('Nothing to copy');
    if (destination === view.id) view.brings(destinationUids);
    const toUids = uidSet(destinationUids);
    session.connection.annotate({
      type: 'copied',
      ...view.told(uidSet(sourceUids)),
      ...{ to: mailbox, toId: destination, toUids },
    });
    // §6.4.7: who may not SELECT the mailbox is not told.
    if (unreadable) return ok('COPY completed');
    return ok('COPY completed', `COPYUID ${uidValidity} ${uidSet(sourceUids)} ${toUids}`);
  },
});
