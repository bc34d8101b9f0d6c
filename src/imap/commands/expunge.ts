/**
 * EXPUNGE and UID EXPUNGE: RFC 9051 §6.4.3, §6.4.9; RFC 4315 §2.1; HIGHESTMODSEQ RFC 7162 §3.2.7, §3.2.9.
 * The EXPUNGE (or VANISHED) responses are what has changed: the session tells them before the tagged OK.
 */
import { command, highestModSeq } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import { uidSet } from '../grammar/sequence-set.ts';
import type { SequenceSet } from '../grammar/syntax.ts';
import type { MailboxView } from '../mailbox-view.ts';
import { limited, withinLimit } from '../message-limit.ts';

export const expunge = command({
  states: ['selected'],
  mayExpunge: true,
  parse: (input, name) => ({ set: name === 'UID EXPUNGE' ? input.sp().sequenceSet() : undefined }),

  async *run({ set }, { name, state: { account, view }, store, session }) {
    view.assertWritable();
    // RFC 9738 §3.1: EXPUNGE has no limit, for it cannot be told where to go on.
    const named = set && withinLimit(deletedOf(view, set), session.options);
    const which = named ? { uids: named.uids } : {};
    const { uids, modSeq } = await store.expunge(account, view.id, { ...which, onlyDeleted: true });
    if (uids.length === 0) return yield* limited(ok(`${name} completed`), named?.lowest, session.options);
    view.removes(uids);
    session.connection.annotate({ type: 'expunged', ...view.told(uidSet(uids)) });
    // RFC 7162 §3.2.7: with QRESYNC enabled it must be there.
    const completion = ok(`${name} completed`, session.dialect.qresync ? highestModSeq(modSeq) : undefined);
    return yield* limited(completion, named?.lowest, session.options);
  },
});

function deletedOf(view: MailboxView, set: SequenceSet): Uint32Array {
  const isDeleted = view.flagTest('\\Deleted');
  const { seqNums, uids } = view.findThere(set, 'uid');
  return uids.filter((_, i) => isDeleted(seqNums[i]!));
}
