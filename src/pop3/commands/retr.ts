/**
 * RETR: RFC 1939 §5.
 * The trace and the octets of one message, streamed; its surrogate where the session is not in UTF-8 (RFC 6856 §2.1). It
 * is \Seen when the session ends.
 */
import { command } from '../command.ts';
import { told } from '../maildrop-view.ts';
import { ok } from '../grammar/responses.ts';

export const retr = command({
  states: ['transaction'],
  parse: (input) => ({ number: input.sp().messageNumber() }),
  async run({ number }, { state: { view }, annotate }) {
    const message = view.message(number);
    const content = await view.octets(message);
    const [octets] = await view.sizes([message]);
    const read = (): void => {
      view.retrieved(message);
      annotate({ type: 'read', ...told(view.mailbox, [message.uid]), items: 'RETR' });
    };
    return ok(`${octets!} octets`, { content: whole(content, read) });
  },
});

/** @param done called when all has been taken: a client that went away in between has read nothing */
async function* whole(content: AsyncIterable<Uint8Array>, done: () => void): AsyncGenerator<Uint8Array> {
  yield* content;
  done();
}
