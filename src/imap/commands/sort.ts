/**
 * SORT and UID SORT: RFC 5256 §3; RETURN RFC 5267 §3 (ESORT), PARTIAL and UPDATE RFC 5267 §4, DISPLAYFROM and DISPLAYTO
 * RFC 5957, RELEVANCY RFC 6203 §6. The order is made in `sorting.ts`.
 */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import { sortProgram } from '../grammar/search-programs.ts';
import { answerSearch, programNamesNumbers, refusedSearch } from '../search-answers.ts';

export const sort = command({
  states: ['selected'],
  // RFC 5256 §3: as with SEARCH.
  mayExpunge: 'uid',
  namesNumbers: programNamesNumbers,
  parse: (input) => sortProgram(input.sp()),
  async *run(args, context) {
    const { tag, name } = context;
    const { view } = context.state;
    if (args.program === undefined) return refusedSearch(args, view);
    const { responses } = await answerSearch(args.program, view, { tag, uid: name === 'UID SORT' }, context);
    yield responses;
    await view.look();
    return ok(`${name} completed`, name === 'SORT' && view.hasGone ? 'EXPUNGEISSUED' : undefined);
  },
});
