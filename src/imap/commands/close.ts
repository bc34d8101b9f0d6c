/**
 * CLOSE and UNSELECT: RFC 9051 §6.4.1, §6.4.2.
 * CLOSE removes what is \Deleted without a word, unless the mailbox is read-only or the client has not the right `e`
 * (RFC 4314 §4); UNSELECT removes nothing.
 */
import { uidSet } from '../grammar/sequence-set.ts';
import { command, none } from '../command.ts';
import { ok } from '../grammar/responses.ts';

export const close = command({
  states: ['selected'],
  mayExpunge: false,
  parse: none,

  async *run(_, { state: { account, login, view }, store, session }) {
    if (!view.readOnly && view.may('e')) {
      const { uids } = await store.expunge(account, view.id, { onlyDeleted: true });
      if (uids.length > 0) session.connection.annotate({ type: 'expunged', ...view.told(uidSet(uids)) });
    }
    session.become({ name: 'authenticated', account, login });
    return ok('CLOSE completed');
  },
});

export const unselect = command({
  states: ['selected'],
  mayExpunge: false,
  parse: none,

  async *run(_, { state: { account, login }, session }) {
    session.become({ name: 'authenticated', account, login });
    return ok('UNSELECT completed');
  },
});
