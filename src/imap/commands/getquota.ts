/** GETQUOTA: RFC 9208 §4.1.1. */
import { Refusal } from '../../store/refusal.ts';
import { command, LOGGED_IN } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import { accountOfRoot, quotaResponses } from '../quota-root.ts';

export const getQuota = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ root: input.sp().quotaRootName() }),
  async *run({ root }, context) {
    const quotas = quotaResponses(await accountOfRoot(context, root));
    if (quotas.length === 0) throw new Refusal('NONEXISTENT', 'Nothing is limited, so there is no quota root');
    yield quotas;
    return ok('GETQUOTA completed');
  },
});
