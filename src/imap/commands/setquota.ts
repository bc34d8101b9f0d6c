/**
 * SETQUOTA: RFC 9208 §4.1.3. In capture mode whoever logs in sets the limits of the own account, so that a test, or a
 * learner, can fill it up. In domain mode a user who could raise the own limit would have none: there the operator sets them
 * (`glassmail accounts quota`), QUOTASET is not announced, and this is answered NO [NOPERM].
 */
import { Refusal } from '../../store/refusal.ts';
import { STORAGE_UNIT, type QuotaLimit } from '../../store/quota.ts';
import { command, LOGGED_IN } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import type { ResourceLimit } from '../grammar/syntax.ts';
import { accountOfRoot, quotaResponses } from '../quota-root.ts';

/** Greater limits are rounded to this, as §3.2 permits: the octets have to be a number too. */
const MOST_STORAGE = Math.floor(Number.MAX_SAFE_INTEGER / STORAGE_UNIT);

export const setQuota = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ root: input.sp().quotaRootName(), limits: input.sp().setQuotaList() }),
  async *run({ root, limits }, context) {
    const { store, session } = context;
    if (session.options.setQuota !== true) throw new Refusal('NOPERM', 'Only the operator sets quotas here');
    const { id } = await accountOfRoot(context, root);
    for (const { name } of limits) {
      if (name === 'STORAGE' || name === 'MESSAGE') continue;
      throw new Refusal('CANNOT', `There is no limit for ${name} here, but for STORAGE and MESSAGE`);
    }
    // §4.1.3: what is not named is not limited any more.
    const messages = limitOf(limits, 'MESSAGE');
    const storage = limitOf(limits, 'STORAGE');
    const octets = storage === 'none' ? storage : Math.min(storage, MOST_STORAGE) * STORAGE_UNIT;
    await store.setQuota(id, { messages, octets });
    yield quotaResponses(await accountOfRoot(context, root));
    return ok('SETQUOTA completed');
  },
});

/** The last one, if it is named twice. */
function limitOf(limits: readonly ResourceLimit[], wanted: string): Exclude<QuotaLimit, 'default'> {
  return limits.findLast(({ name }) => name === wanted)?.limit ?? 'none';
}
