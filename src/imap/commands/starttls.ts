/**
 * STARTTLS: RFC 9051 §6.2.1.
 * The connection drops what the client sent before the handshake: nothing that came in clear is acted on under TLS.
 */
import { command, none } from '../command.ts';
import { bad, ok } from '../grammar/responses.ts';

export const starttls = command({
  states: ['not-authenticated'],
  mayExpunge: false,
  parse: none,

  async *run(_, { session }) {
    if (session.connection.secure) return bad('TLS is in use already');
    session.afterwards('start-tls');
    return ok('Begin TLS negotiation now');
  },
});
