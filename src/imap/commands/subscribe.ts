/** SUBSCRIBE and UNSUBSCRIBE: RFC 9051 §6.3.7, §6.3.8. A name may be subscribed whether a mailbox has it or not. */
import { command, LOGGED_IN } from '../command.ts';
import { ok } from '../grammar/responses.ts';

export const subscribe = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ mailbox: input.sp().mailbox() }),

  async *run({ mailbox }, { name, state, store }) {
    await store.setSubscribed(state.account, mailbox, name === 'SUBSCRIBE');
    return ok(`${name} completed`);
  },
});
