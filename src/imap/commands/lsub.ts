/** LSUB: RFC 3501 §6.3.9. What LIST (SUBSCRIBED) has replaced. */
import { command, LOGGED_IN } from '../command.ts';
import { DELIMITER } from '../grammar/mailbox-name.ts';
import { ok } from '../grammar/responses.ts';
import { mailboxTree } from './list.ts';

export const lsub = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ reference: input.sp().mailbox(), pattern: input.sp().listMailbox() }),
  async *run({ reference, pattern }, { state, store }) {
    if (pattern === '') {
      yield { type: 'lsub', attributes: ['\\Noselect'], delimiter: DELIMITER, name: '' };
      return ok('LSUB completed');
    }
    if (pattern === undefined) return ok('LSUB completed');
    const tree = await mailboxTree(store, state.account);
    for (const { name, isLevel } of tree.subscribedMatching(reference + pattern)) {
      // A level that is not subscribed itself, but has subscribed names below it, is \Noselect here whether it exists or not.
      const attributes = isLevel ? ['\\Noselect'] : tree.attributes(name, false);
      yield { type: 'lsub', attributes, delimiter: DELIMITER, name };
    }
    return ok('LSUB completed');
  },
});
