/** STAT: RFC 1939 §5. How many messages, and their octets as RETR sends them; marked ones do not count. */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';

export const stat = command({
  states: ['transaction'],
  parse: () => undefined,
  async run(_, { state: { view } }) {
    const sizes = await view.sizes([...view.messages()]);
    return ok(`${sizes.length} ${sizes.reduce((sum, size) => sum + size, 0)}`);
  },
});
