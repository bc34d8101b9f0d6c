/** RSET: RFC 1939 §5. Unmarks all. */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';

export const rset = command({
  states: ['transaction'],
  parse: () => undefined,
  run(_, { state: { view } }) {
    view.unmarkAll();
    return ok(`Nothing is marked; there are ${view.count} messages`);
  },
});
