/** LSUB: RFC 3501 §6.3.9. What LIST (SUBSCRIBED) has replaced. */
import { command, LOGGED_IN } from '../command.ts';
import { DELIMITER } from '../grammar/mailbox-name.ts';
import { ok } from '../grammar/responses.ts';
import { checkPatterns, mailboxTree } from './list.ts';

export const lsub = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse(input) {
    const reference = input.sp().mailbox();
    const pattern = input.sp().listMailbox();
    checkPatterns([pattern ?? '']);
    return { reference, pattern };
  },
  async *run({ reference, pattern }, { state, store, session }) {
    if (pattern === '') {
      yield { type: 'lsub', attributes: ['\\Noselect'], delimiter: DELIMITER, name: '' };
      return ok('LSUB completed');
    }
    if (pattern === undefined) return ok('LSUB completed');
    const tree = await mailboxTree(store, state.account);
    for (const { name, isLevel } of await tree.subscribedMatching(reference + pattern, session.connection.signal)) {
      // A level that is not subscribed itself, but has subscribed names below it, is \Noselect here whether it exists or not.
      const attributes = isLevel ? ['\\Noselect'] : tree.attributes(name, false);
      yield { type: 'lsub', attributes, delimiter: DELIMITER, name };
    }
    return ok('LSUB completed');
  },
});
