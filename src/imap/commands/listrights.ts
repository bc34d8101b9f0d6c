/** LISTRIGHTS: RFC 4314 §3.4, §3.7. No rights are tied together; `c` and `d` stand by themselves therefore (§2.1.1). */
import { command, LOGGED_IN } from '../command.ts';
import { identifier, printRights } from '../grammar/access-control.ts';
import { ok } from '../grammar/responses.ts';
import { addressOf } from './setacl.ts';

export const listRights = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ mailbox: input.sp().mailbox(), who: identifier(input.sp()) }),

  async *run({ mailbox, who }, { state, store, session }) {
    const { required, optional } = await store.listRights(state.account, mailbox, {
      identifier: addressOf(who.name, session.options.defaultDomain),
      negative: who.negative,
    });
    yield {
      type: 'list-rights',
      name: mailbox,
      identifier: who.given,
      required: printRights(required),
      optional: Array.from(printRights(optional)),
    };
    return ok('LISTRIGHTS completed');
  },
});
