/**
 * UNAUTHENTICATE: RFC 8437. Back to before the login, on the same connection: what was selected, enabled and compressed
 * is so no more; TLS stays. A client may send its next login without waiting.
 */
import { command, LOGGED_IN, none } from '../command.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { ok } from '../grammar/responses.ts';

export const unauthenticate = command({
  states: LOGGED_IN,
  mayExpunge: false,
  parse: none,

  async *run(_, { session }) {
    // §3: BAD where it is not announced, and NO nowhere.
    if (session.options.unauthenticate === false) throw new BadSyntax('UNAUTHENTICATE has been turned off here');
    session.become({ name: 'not-authenticated' });
    session.afterwards('forget');
    return ok('Logged out, and ready for another login');
  },
});
