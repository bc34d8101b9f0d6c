/** UIDL: RFC 1939 §7. By its unique ids a client knows what it has retrieved before. */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import type { MaildropView } from '../maildrop-view.ts';

export const uidl = command({
  states: ['transaction'],
  parse: (input) => ({ number: input.optionalSp() ? input.messageNumber() : undefined }),
  run({ number }, { state: { view } }) {
    if (number !== undefined) return ok(`${number} ${view.uniqueId(view.message(number))}`);
    return ok('Unique ids follow', { lines: lines(view) });
  },
});

function* lines(view: MaildropView): Generator<string> {
  for (const message of view.messages()) yield `${message.number} ${view.uniqueId(message)}`;
}
