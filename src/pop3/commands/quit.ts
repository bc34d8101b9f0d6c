/**
 * QUIT: RFC 1939 §4, §6.
 * In TRANSACTION it is the way into UPDATE: the marked messages are removed, all or none. Whatever comes of that, the
 * maildrop is unlocked and the connection closed.
 */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import type { Response } from '../grammar/responses.ts';
import type { Context, TransactionState } from '../command.ts';
import { told, uidSet } from '../maildrop-view.ts';

export const quit = command({
  states: ['authorization', 'transaction'],
  parse: () => undefined,
  async run(_, context): Promise<Response> {
    if (context.state.name === 'authorization') return ok('Good-bye', { then: 'close' });
    return update(context as Context<TransactionState>);
  },
});

async function update({ state: { view }, annotate, become }: Context<TransactionState>): Promise<Response> {
  try {
    const { uids, movedTo } = await view.update();
    if (uids.length > 0) {
      const which = told(view.mailbox, uids);
      if (!movedTo) annotate({ type: 'expunged', ...which });
      else annotate({ type: 'moved', ...which, to: movedTo.name, toId: movedTo.id, toUids: uidSet(movedTo.uids) });
    }
    const messages = uids.length === 1 ? '1 message' : `${uids.length} messages`;
    const done = movedTo === undefined ? 'deleted' : `moved to ${movedTo.name}`;
    return ok(`Good-bye; ${messages} ${done}`, { then: 'close' });
  } finally {
    // Before the answer: a client that connects again at once finds the maildrop free.
    await become({ name: 'authorization', login: undefined });
  }
}
