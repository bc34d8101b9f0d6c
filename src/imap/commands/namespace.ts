/** NAMESPACE: RFC 9051 §6.3.10. One's own mailboxes, without a prefix; there are no others yet. */
import { command, LOGGED_IN, none } from '../command.ts';
import { DELIMITER } from '../grammar/mailbox-name.ts';
import { ok } from '../grammar/responses.ts';

export const namespace = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: none,
  async *run() {
    yield { type: 'namespace', personal: [['', DELIMITER]], others: [], shared: [] };
    return ok('NAMESPACE completed');
  },
});
