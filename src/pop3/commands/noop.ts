/** NOOP: RFC 1939 §5. */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';

export const noop = command({
  states: ['transaction'],
  parse: () => undefined,
  run: () => ok('Still here'),
});
