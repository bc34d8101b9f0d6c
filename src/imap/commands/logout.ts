/** LOGOUT: RFC 9051 §6.1.3. BYE comes before the tagged OK. */
import { command, EVERYWHERE, none } from '../command.ts';
import { bye, ok } from '../grammar/responses.ts';

export const logout = command({
  states: EVERYWHERE,
  mayExpunge: false,
  parse: none,
  async *run(_, { session }) {
    session.become({ name: 'logout' });
    yield bye('Logging out');
    return ok('LOGOUT completed');
  },
});
