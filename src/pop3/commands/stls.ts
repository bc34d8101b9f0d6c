/**
 * STLS: RFC 2595 §4.
 * What was sent in clear before the handshake is not acted on: the connection drops it, and this session forgets USER,
 * UTF8 and LANG. (A client that sends STLS after UTF8 is wrong, RFC 6856 §2.1, but better off with TLS than without.)
 */
import { command } from '../command.ts';
import { err, ok } from '../grammar/responses.ts';

export const stls = command({
  states: ['authorization'], // "only permitted in AUTHORIZATION state"
  parse: () => undefined,
  async run(_, context) {
    if (context.secure) return err('TLS is on already'); // §4 wants just that
    await context.become({ name: 'authorization', login: undefined });
    context.speak({ utf8: false, language: undefined });
    return ok('Begin TLS', { then: 'start-tls' });
  },
});
