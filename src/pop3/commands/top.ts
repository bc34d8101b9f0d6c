/** TOP: RFC 1939 §7. The headers, the blank line and n lines of the body. It leaves \Seen alone. */
import { command } from '../command.ts';
import { told } from '../maildrop-view.ts';
import { ok } from '../grammar/responses.ts';
import { top as topOf } from '../grammar/top.ts';

export const top = command({
  states: ['transaction'],
  parse: (input) => ({ number: input.sp().messageNumber(), lines: input.sp().number() }),
  async run({ number, lines }, { state: { view }, annotate }) {
    const message = view.message(number);
    const content = await view.octets(message);
    annotate({ type: 'looked', ...told(view.mailbox, [message.uid]), items: `TOP ${lines}` });
    return ok('The top follows', { content: topOf(content, lines) });
  },
});
