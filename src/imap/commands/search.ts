/**
 * SEARCH and UID SEARCH: RFC 9051 §6.4.4, RFC 3501 §6.4.4; RETURN RFC 4731, SAVE and `$` RFC 5182, MODSEQ RFC 7162 §3.1.5.
 * How keys are answered stands in `search-keys.ts`.
 */
import type { ModSeq } from '../../store/change.ts';
import { command } from '../command.ts';
import { BadCharset } from '../grammar/search-charset.ts';
import { no, ok } from '../grammar/responses.ts';
import type { SearchReturn } from '../grammar/syntax.ts';
import type { MailboxView } from '../mailbox-view.ts';
import { findMessages, namesModSeq, namesNumbers } from '../search-keys.ts';

export const search = command({
  states: ['selected'],
  mayExpunge: 'uid',
  parse(input, _name, octets) {
    try {
      return { program: input.sp().searchProgram() };
    } catch (error) {
      if (!(error instanceof BadCharset)) throw error;
      // The keys cannot be read, but the command is not wrong: RFC 9051 §6.4.4 wants NO.
      while (input.take(input.peek() || ' '));
      return { refused: error, saves: /^ RETURN \([^)]*\bSAVE\b/i.test(octets.toString('latin1', 0, 100)) };
    }
  },
  namesNumbers: ({ program }) => program !== undefined && namesNumbers(program.key),
  async *run({ program, refused, saves }, { tag, name, state: { view }, store, session }) {
    if (program === undefined) {
      // RFC 9051 §6.4.4.1: a search that was to be saved and got NO leaves nothing saved.
      if (saves) view.save(new Uint32Array(0));
      return no(refused.message, refused.code);
    }
    const { key, returns } = program;
    const usesModSeq = namesModSeq(key);
    // RFC 7162 §3.1: the MODSEQ key enables CONDSTORE.
    if (usesModSeq) session.enable('condstore');
    const seqNums = await findMessages(key, view, store, session.connection.signal);
    const uids = seqNums.map((seqNum) => view.uid(seqNum));
    if (returns?.includes('SAVE')) view.save(asReturned(uids, returns));
    const byUid = name === 'UID SEARCH';
    const modSeq = usesModSeq ? highestModSeq(asReturned(seqNums, returns), view) : undefined;
    yield {
      type: 'search',
      tag,
      uid: byUid,
      returns,
      numbers: byUid ? uids : seqNums,
      ...(modSeq === undefined ? {} : { modSeq }),
    };
    return ok(`${name} completed`);
  },
});

/** All of them, unless only MIN or MAX or both are asked for: RFC 9051 §6.4.4.1 table 4, RFC 4731 §3.2. */
function asReturned(numbers: Uint32Array, returns: readonly SearchReturn[] = []): Uint32Array {
  const min = returns.includes('MIN');
  const max = returns.includes('MAX');
  if (!(min || max) || returns.includes('ALL') || returns.includes('COUNT') || numbers.length === 0) return numbers;
  const ends = [...(min ? [numbers[0]!] : []), ...(max ? [numbers[numbers.length - 1]!] : [])];
  return Uint32Array.from(new Set(ends));
}

function highestModSeq(seqNums: Uint32Array, view: MailboxView): ModSeq | undefined {
  let highest = 0;
  for (const seqNum of seqNums) highest = Math.max(highest, view.modSeqOf(seqNum));
  return highest === 0 ? undefined : (highest as ModSeq);
}
