/**
 * GETQUOTAROOT: RFC 9208 §4.1.2. The mailbox need not exist: what would be made under that name has the same root. What
 * counts is the room of whoever owns the mailbox.
 */
import { command, LOGGED_IN } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import { quotaResponses } from '../quota-root.ts';
import { Refusal } from '../../store/refusal.ts';

export const getQuotaRoot = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ mailbox: input.sp().mailbox() }),
  async *run({ mailbox: name }, { state, store }) {
    // §6: what others use is for those who may read what they have.
    const mailbox = await store.findMailbox(state.account, name, 'r');
    const owner = await store.findAccount(mailbox?.account ?? state.account);
    if (!owner) throw new Refusal('NONEXISTENT', 'The account is gone');
    const quotas = quotaResponses(owner);
    const roots = quotas.length === 0 ? [] : [owner.address];
    yield [{ type: 'quotaroot', mailbox: mailbox?.name ?? name, roots }, ...quotas];
    return ok('GETQUOTAROOT completed');
  },
});
