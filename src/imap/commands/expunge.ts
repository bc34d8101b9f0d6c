/**
 * EXPUNGE and UID EXPUNGE: RFC 9051 §6.4.3, §6.4.9; RFC 4315 §2.1; HIGHESTMODSEQ RFC 7162 §3.2.7, §3.2.9.
 * The EXPUNGE (or VANISHED) responses are what has changed: the session tells them before the tagged OK.
 */
import { command, highestModSeq } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import { uidSet } from '../grammar/sequence-set.ts';

export const expunge = command({
  states: ['selected'],
  mayExpunge: true,
  parse: (input, name) => ({ set: name === 'UID EXPUNGE' ? input.sp().sequenceSet() : undefined }),

  async *run({ set }, { name, state: { account, view }, store, session }) {
    view.assertWritable();
    const named = set === undefined ? {} : { uids: view.find(set, 'uid').uids };
    const { uids, modSeq } = await store.expunge(account, view.id, { ...named, onlyDeleted: true });
    if (uids.length === 0) return ok(`${name} completed`);
    view.removes(uids);
    session.connection.annotate({ type: 'expunged', mailbox: view.name, uids: uidSet(uids) });
    // RFC 7162 §3.2.7: with QRESYNC enabled it must be there.
    return ok(`${name} completed`, session.dialect.qresync ? highestModSeq(modSeq) : undefined);
  },
});
