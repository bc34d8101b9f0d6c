/**
 * UTF8: RFC 6856 §2.1.
 * From now on messages and texts come as they are. Without it, whatever of a header is not ASCII is sent as a surrogate.
 */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';

export const utf8 = command({
  states: ['authorization'],
  parse: () => undefined,
  run(_, { speak }) {
    speak({ utf8: true });
    return ok('Messages and texts come in UTF-8');
  },
});
