/** THREAD and UID THREAD: RFC 5256 §3. The trees are made in `threading.ts`. */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import { threadProgram } from '../grammar/search-programs.ts';
import { withProgress } from '../in-progress.ts';
import { limitSearch } from '../message-limit.ts';
import { programNamesNumbers, refusedSearch } from '../search-answers.ts';
import { findMessages, namesModSeq } from '../search-keys.ts';
import { sortedPlaces } from '../sorting.ts';
import { threadByReferences, threadBySubject } from '../threading.ts';

export const thread = command({
  states: ['selected'],
  mayExpunge: 'uid',
  namesNumbers: programNamesNumbers,
  parse: (input) => threadProgram(input.sp()),
  async *run(args, { tag, name, state: { account, view }, store, session }) {
    if (args.program === undefined) return refusedSearch(args, view);
    const { key, algorithm } = args.program;
    if (namesModSeq(key)) session.enable('condstore');
    await limitSearch(key, view, session.options, 'refuse');
    const { signal } = session.connection;
    const forest = await withProgress(tag, session, async (report) => {
      const seqNums = await findMessages(key, view, store, signal, report);
      const uids = seqNums.map((seqNum) => view.uid(seqNum));
      const order = await sortedPlaces({ seqNums, uids }, [{ key: 'DATE', reverse: false }], view, store);
      const subjects = await store.sortKeys(account, view.id, uids, 'subject');
      const numbers = name === 'UID THREAD' ? uids : seqNums;
      if (algorithm === 'ORDEREDSUBJECT') return threadBySubject(numbers, order, subjects);
      return threadByReferences(numbers, order, subjects, await store.threadKeys(account, view.id, uids));
    });
    yield { type: 'thread', forest };
    await view.look();
    return ok(`${name} completed`, name === 'THREAD' && view.hasGone ? 'EXPUNGEISSUED' : undefined);
  },
});
