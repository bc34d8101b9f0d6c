/** GETQUOTA: RFC 9208 §4.1.1. */
import { command, LOGGED_IN } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import { accountOfRoot, quotaResponse } from '../quota-root.ts';

export const getQuota = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ root: input.sp().quotaRootName() }),
  async *run({ root }, context) {
    yield quotaResponse(await accountOfRoot(context, root));
    return ok('GETQUOTA completed');
  },
});
