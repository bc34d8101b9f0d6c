/** DELE: RFC 1939 §5. Marks; QUIT deletes. */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';

export const dele = command({
  states: ['transaction'],
  parse: (input) => ({ number: input.sp().messageNumber() }),
  run({ number }, { state: { view } }) {
    view.mark(view.message(number));
    return ok(`Message ${number} is marked; QUIT deletes it`);
  },
});
