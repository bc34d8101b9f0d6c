/** CAPABILITY: RFC 9051 §6.1.1. What there is to announce stands in `capabilities.ts`. */
import { command, EVERYWHERE, none } from '../command.ts';
import { ok } from '../grammar/responses.ts';

export const capability = command({
  states: EVERYWHERE,
  mayExpunge: true,
  parse: none,
  async *run(_, { session }) {
    yield { type: 'capability', names: session.capabilities() };
    return ok('CAPABILITY completed');
  },
});
