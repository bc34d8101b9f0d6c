/**
 * SETACL and DELETEACL: RFC 4314 §3.1, §3.2. The owner of a mailbox has all rights and keeps them; everybody else has what
 * the list gives: to their address and to `anyone` together, without what it takes from `-address` and `-anyone`.
 */
import { ALL_RIGHTS, ANYONE } from '../../store/rights.ts';
import { loginAddress } from '../../sasl/login-name.ts';
import { command, LOGGED_IN } from '../command.ts';
import { identifier, modRights } from '../grammar/access-control.ts';
import { ok } from '../grammar/responses.ts';

export const setAcl = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input, name) => ({
    mailbox: input.sp().mailbox(),
    who: identifier(input.sp()),
    change: name === 'SETACL' ? modRights(input.sp()) : ({ mode: 'remove', rights: ALL_RIGHTS } as const),
  }),

  async *run({ mailbox, who, change }, { name, state, store, session }) {
    const { negative } = who;
    await store.setAcl(state.account, mailbox, {
      identifier: addressOf(who.name, session.options.defaultDomain),
      negative,
      ...change,
    });
    return ok(`${name} completed`);
  },
});

/** §2: what LOGIN takes is an identifier, so a local part alone is one. */
export function addressOf(name: string, defaultDomain: string): string {
  return name === ANYONE ? name : loginAddress(name, defaultDomain);
}
