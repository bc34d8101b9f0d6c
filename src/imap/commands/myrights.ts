/** MYRIGHTS: RFC 4314 §3.5, §3.8. */
import { Refusal } from '../../store/refusal.ts';
import { ALL_RIGHTS } from '../../store/rights.ts';
import { command, LOGGED_IN } from '../command.ts';
import { printRights } from '../grammar/access-control.ts';
import { ok } from '../grammar/responses.ts';

export const myRights = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ mailbox: input.sp().mailbox() }),

  async *run({ mailbox: name }, { state, store }) {
    const mailbox = await store.findMailbox(state.account, name);
    if (!mailbox) throw new Refusal('NONEXISTENT', `There is no mailbox ${name}`);
    yield { type: 'my-rights', name, rights: printRights(mailbox.rights ?? ALL_RIGHTS) };
    return ok('MYRIGHTS completed');
  },
});
