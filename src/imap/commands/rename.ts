/** RENAME: RFC 9051 §6.3.6. Inferior names go along; INBOX keeps its name and loses its messages. */
import { command, LOGGED_IN } from '../command.ts';
import { DELIMITER } from '../grammar/mailbox-name.ts';
import { ok } from '../grammar/responses.ts';
import { oldName } from './list.ts';

export const rename = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ from: input.sp().mailbox(), to: input.sp().mailbox() }),
  async *run({ from, to: wanted }, { state, store, session }) {
    const to = wanted.length > 1 && wanted.endsWith(DELIMITER) ? wanted.slice(0, -1) : wanted;
    await store.renameMailbox(state.account, from, to);
    // §6.3.9.7: the same that other sessions might be told.
    if (session.dialect.rev2) yield oldName(to, from);
    return ok('RENAME completed');
  },
});
