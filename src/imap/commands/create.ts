/**
 * CREATE: RFC 9051 §6.3.4; MAILBOXID RFC 8474 §4.1.
 * The store makes missing superior names too.
 */
import { command, LOGGED_IN } from '../command.ts';
import { DELIMITER } from '../grammar/mailbox-name.ts';
import { ok } from '../grammar/responses.ts';
import { mailboxObjectId } from '../object-id.ts';
import { oldName } from './list.ts';

export const create = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ mailbox: input.sp().mailbox() }),
  async *run({ mailbox: wanted }, { state, store, session }) {
    // A delimiter at the end declares that inferior names will follow (§6.3.4); any mailbox may have those here.
    const name = wanted.length > 1 && wanted.endsWith(DELIMITER) ? wanted.slice(0, -1) : wanted;
    const { id } = await store.createMailbox(state.account, name);
    if (name !== wanted && session.dialect.rev2) yield oldName(name, wanted);
    return ok('CREATE completed', `MAILBOXID (${mailboxObjectId(id)})`);
  },
});
