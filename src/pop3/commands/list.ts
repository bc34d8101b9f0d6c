/** LIST: RFC 1939 §5. The octets of one message, or of each that is not marked, as RETR sends them. */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';

export const list = command({
  states: ['transaction'],
  parse: (input) => ({ number: input.optionalSp() ? input.messageNumber() : undefined }),
  async run({ number }, { state: { view } }) {
    const messages = number === undefined ? [...view.messages()] : [view.message(number)];
    const sizes = await view.sizes(messages);
    if (number !== undefined) return ok(`${number} ${sizes[0]!}`);
    const octets = sizes.reduce((sum, size) => sum + size, 0);
    const lines = messages.map((message, i) => `${message.number} ${sizes[i]!}`);
    return ok(`${messages.length} messages (${octets} octets)`, { lines });
  },
});
