/** NAMESPACE: RFC 9051 §6.3.10. One's own mailboxes, without a prefix, and those that others share (RFC 4314). */
import { OTHER_USERS } from '../../store/other-users.ts';
import { command, LOGGED_IN, none } from '../command.ts';
import { DELIMITER } from '../grammar/mailbox-name.ts';
import { ok } from '../grammar/responses.ts';

export const namespace = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: none,
  async *run() {
    const others = [[OTHER_USERS + DELIMITER, DELIMITER]] as const;
    yield { type: 'namespace', personal: [['', DELIMITER]], others, shared: [] };
    return ok('NAMESPACE completed');
  },
});
