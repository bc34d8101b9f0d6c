/** GETACL: RFC 4314 §3.3, §3.6. Identifiers are whole addresses here, however SETACL had them. */
import { command, LOGGED_IN } from '../command.ts';
import { printRights } from '../grammar/access-control.ts';
import { ok } from '../grammar/responses.ts';

export const getAcl = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ mailbox: input.sp().mailbox() }),

  async *run({ mailbox }, { state, store }) {
    const entries = await store.getAcl(state.account, mailbox);
    yield {
      type: 'acl',
      name: mailbox,
      entries: entries.map(({ identifier, negative, rights }) => [
        negative ? `-${identifier}` : identifier,
        printRights(rights),
      ]),
    };
    return ok('GETACL completed');
  },
});
