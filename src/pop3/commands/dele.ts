/** DELE: RFC 1939 §5. Marks; QUIT deletes. */
import { command } from '../command.ts';
import { told } from '../maildrop-view.ts';
import { ok } from '../grammar/responses.ts';

export const dele = command({
  states: ['transaction'],
  parse: (input) => ({ number: input.sp().messageNumber() }),
  run({ number }, { state: { view }, annotate }) {
    const message = view.message(number);
    view.mark(message);
    annotate({ type: 'marked', ...told(view.mailbox, [message.uid]) });
    return ok(`Message ${number} is marked; QUIT deletes it`);
  },
});
