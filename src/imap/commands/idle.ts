/**
 * IDLE: RFC 9051 §6.3.13. What changes is told as soon as it is committed, EXPUNGE too, until the client says DONE.
 */
import { command, LOGGED_IN, none } from '../command.ts';
import type { Yielded } from '../command.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { ok } from '../grammar/responses.ts';

export const idle = command({
  // Clients are seen to IDLE before they SELECT: it waits, and there is nothing to tell.
  states: LOGGED_IN,
  mayExpunge: true,
  parse: none,
  async *run(_, { state, session }) {
    async function* changes(): AsyncGenerator<Yielded> {
      if (state.name === 'selected') await state.view.look();
      yield* session.newsOfSelected(true);
      // RFC 5465 §4: the same that is told without IDLE.
      yield await session.newsOfOthers();
    }
    // First listen, then look: nothing falls between the two.
    using news = session.news(state.account);
    // What comes together with the continuation, Thunderbird does not see before more comes.
    yield* changes();
    await session.continuation('idling');
    while ((await news.next()) === 'changed') yield* changes();
    const answer = (await session.answer()).toString('latin1');
    if (!/^done *$/i.test(answer)) throw new BadSyntax('IDLE ends with a line that says DONE');
    return ok('IDLE completed');
  },
});
