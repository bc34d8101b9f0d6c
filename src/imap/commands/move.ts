/**
 * MOVE and UID MOVE: RFC 9051 §6.4.8, §6.4.9; RFC 6851.
 * All the messages move or none does, but for those beyond the limit of RFC 9738. COPYUID comes untagged and before the
 * EXPUNGE responses (RFC 6851 §4.3), which the session tells before the tagged OK.
 */
import { command, highestModSeq } from '../command.ts';
import { ok, untaggedOk } from '../grammar/responses.ts';
import { uidSet } from '../grammar/sequence-set.ts';
import { withProgress } from '../in-progress.ts';
import { limited, withinLimit } from '../message-limit.ts';

export const move = command({
  states: ['selected'],
  mayExpunge: true,
  parse: (input) => ({ set: input.sp().sequenceSet(), mailbox: input.sp().mailbox() }),
  async *run({ set, mailbox }, { tag, name, state: { account, view }, store, session }) {
    view.assertWritable();
    const named = view.uids(set, name === 'UID MOVE' ? 'uid' : 'seq');
    const { uids, lowest } = withinLimit(named, session.options);
    const moving = () => store.moveMessages(account, view.id, uids, mailbox);
    const {
      mailbox: destination,
      uidValidity,
      sourceUids,
      destinationUids,
      modSeq,
      unreadable,
    } = await withProgress(tag, session, moving);
    if (sourceUids.length === 0) return yield* limited(ok('Nothing to move'), lowest, session.options);
    const moved = uidSet(sourceUids);
    view.removes(sourceUids);
    if (destination === view.id) view.brings(destinationUids);
    // RFC 9051 §6.4.7: who may not SELECT the other mailbox is not told.
    const toUids = uidSet(destinationUids);
    if (!unreadable) yield untaggedOk('Moved', `COPYUID ${uidValidity} ${moved} ${toUids}`);
    session.connection.annotate({ type: 'moved', ...view.told(moved), to: mailbox, toId: destination, toUids });
    const completion = ok(`${name} completed`, session.dialect.qresync ? highestModSeq(modSeq) : undefined);
    return yield* limited(completion, lowest, session.options);
  },
});
