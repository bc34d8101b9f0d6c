/**
 * DELETE: RFC 9051 §6.3.5. Inferior names stay.
 * Sessions that have the mailbox selected lose it: this one goes back to the authenticated state, others end with BYE
 * (RFC 2180 §3.3).
 */
import { command, LOGGED_IN } from '../command.ts';
import { ok, untaggedOk } from '../grammar/responses.ts';

export const deleteMailbox = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ mailbox: input.sp().mailbox() }),
  async *run({ mailbox: name }, { state, store, session }) {
    const { account, login } = state;
    const mailbox = await store.findMailbox(account, name);
    await store.deleteMailbox(account, name);
    if (state.name === 'selected' && state.view.id === mailbox?.id) {
      session.become({ name: 'authenticated', account, login });
      yield untaggedOk('The selected mailbox is gone', 'CLOSED');
    }
    return ok('DELETE completed');
  },
});
