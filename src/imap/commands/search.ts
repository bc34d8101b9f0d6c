/**
 * SEARCH and UID SEARCH: RFC 9051 §6.4.4, RFC 3501 §6.4.4; RETURN RFC 4731, SAVE and `$` RFC 5182, MODSEQ RFC 7162 §3.1.5,
 * PARTIAL RFC 9394, CONTEXT and UPDATE RFC 5267, RELEVANCY RFC 6203.
 * How keys are answered stands in `search-keys.ts`, what becomes of the messages found in `search-answers.ts`.
 */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import { searchProgram } from '../grammar/search-programs.ts';
import { limited } from '../message-limit.ts';
import { answerSearch, programNamesNumbers, refusedSearch } from '../search-answers.ts';

export const search = command({
  states: ['selected'],
  mayExpunge: 'uid',
  namesNumbers: programNamesNumbers,
  parse: (input) => searchProgram(input.sp()),
  async *run(args, context) {
    const { tag, name } = context;
    const { view } = context.state;
    if (args.program === undefined) return refusedSearch(args, view);
    const { responses, lowest } = await answerSearch(args.program, view, { tag, uid: name === 'UID SEARCH' }, context);
    yield responses;
    // RFC 9051 §7.1: what others have removed, perhaps meanwhile, is not found, but still has its number. UID SEARCH tells it.
    await view.look();
    const code = name === 'SEARCH' && view.hasGone ? 'EXPUNGEISSUED' : undefined;
    return yield* limited(ok(`${name} completed`, code), lowest, context.session.options);
  },
});
