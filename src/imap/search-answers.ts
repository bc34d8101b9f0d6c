/**
 * What SEARCH, SORT and ESEARCH do with the messages that they have found: order them, say of them what was asked for,
 * save them under `$` (RFC 5182, RFC 9394 §3.2), and keep the result up (RFC 5267 §4.3).
 */
import type { ModSeq } from '../store/change.ts';
import type { Context, SessionForCommands } from './command.ts';
import { BadSyntax } from './grammar/bad-syntax.ts';
import { no, untaggedNo } from './grammar/responses.ts';
import type { ReadProgram } from './grammar/search-programs.ts';
import { placesOf } from './grammar/search-results.ts';
import type {
  Completion,
  Response,
  SearchCorrelator,
  SearchOptions,
  SearchProgram,
  SortCriterion,
} from './grammar/syntax.ts';
import type { Found, MailboxView } from './mailbox-view.ts';
import { withProgress } from './in-progress.ts';
import { limitSearch } from './message-limit.ts';
import { relevancyOf } from './relevancy.ts';
import { findMessages, namesModSeq, namesNumbers } from './search-keys.ts';
import { sortedPlaces } from './sorting.ts';

export type Searching = SearchProgram & { readonly criteria?: readonly SortCriterion[] };
type Refused = Extract<ReadProgram<never>, { readonly refused: object }>;

export interface SearchAnswer {
  readonly found: number;
  /** The result, and what is to be said of it. */
  readonly responses: readonly Response[];
  /** The lowest UID that was looked at, where others were not (RFC 9738 §3.1). */
  readonly lowest?: number;
}

/** For commands that search: whether their UID form names messages by number all the same. */
export function programNamesNumbers({ program }: ReadProgram<SearchProgram>): boolean {
  return program !== undefined && namesNumbers(program.key);
}

/** RFC 9051 §6.4.4.1: a search that was to be saved and got NO leaves nothing saved. */
export function refusedSearch({ refused, saves }: Refused, view: MailboxView | undefined): Completion {
  if (saves) view?.save(new Uint32Array(0));
  return no(refused.message, refused.code);
}

/** @throws BadSyntax UPDATE under a tag that has one already; MessageLimitReached of SORT */
export async function answerSearch(
  program: Searching,
  view: MailboxView,
  correlator: SearchCorrelator,
  { store, session }: Pick<Context, 'store' | 'session'>,
): Promise<SearchAnswer> {
  const { returns, partial, criteria, updateAttributes: attributes } = program;
  const { tag, uid: byUid } = correlator;
  const updates = returns?.includes('UPDATE') ?? false;
  // RFC 5267 §4.3
  if (updates && view.contexts.has(tag)) throw new BadSyntax(`The tag ${tag} is in use: its results are kept up`);
  const usesModSeq = namesModSeq(program.key);
  // RFC 7162 §3.1: the MODSEQ key enables CONDSTORE.
  if (usesModSeq) session.enable('condstore');
  const { key, lowest } = await limitSearch(program.key, view, session.options, criteria ? 'refuse' : 'cut');
  const { signal } = session.connection;
  const seqNums = await withProgress(tag, session, (report) => findMessages(key, view, store, signal, report));
  const inMailbox: Found = { seqNums, uids: seqNums.map((seqNum) => view.uid(seqNum)) };
  const { found, scores } = await ordered(inMailbox, program, view, { store, session }, tag);
  if (returns?.includes('SAVE')) view.save(asReturned(found.uids, program).toSorted());
  const modSeq = usesModSeq ? highestModSeq(asReturned(found.seqNums, program), view) : undefined;
  const responses: Response[] = [
    {
      type: 'search',
      ...correlator,
      returns,
      numbers: byUid ? found.uids : found.seqNums,
      sorted: criteria !== undefined,
      ...(partial && { partial }),
      ...(scores && returns?.includes('RELEVANCY') && { scores }),
      ...(modSeq !== undefined && { modSeq }),
    },
  ];
  // Half a result cannot be kept up.
  const isKeptUp = lowest === undefined && updates;
  if (updates && !(isKeptUp && view.contexts.add({ correlator, key, criteria, attributes, uids: found.uids }, view)))
    responses.push(noUpdate(tag));
  return { found: seqNums.length, responses, ...(lowest !== undefined && { lowest }) };
}

/** RFC 5267 §4.3.1 */
export function noUpdate(tag: string): Response {
  return untaggedNo('This result is not kept up', `NOUPDATE "${tag.replace(/["\\]/g, '\\$&')}"`);
}

async function ordered(
  inMailbox: Found,
  { key, returns, criteria }: Searching,
  view: MailboxView,
  { store, session }: Pick<Context, 'store'> & { readonly session: SessionForCommands },
  tag: string,
): Promise<{ found: Found; scores?: Uint8Array }> {
  const sortsBy = criteria?.map((criterion) => criterion.key) ?? [];
  const isScored = [...(returns ?? []), ...sortsBy].includes('RELEVANCY');
  const { signal } = session.connection;
  const scores = isScored ? await relevancyOf(key, inMailbox, view, store, signal) : undefined;
  if (criteria === undefined) return { found: inMailbox, ...(scores && { scores }) };
  const places = await withProgress(tag, session, () => sortedPlaces(inMailbox, criteria, view, store, scores));
  const found: Found = {
    seqNums: places.map((place) => inMailbox.seqNums[place]!),
    uids: places.map((place) => inMailbox.uids[place]!),
  };
  return { found, ...(scores && { scores: Uint8Array.from(places, (place) => scores[place]!) }) };
}

/** Those that the client hears of: RFC 9051 §6.4.4.1 table 4, RFC 4731 §3.2, RFC 9394 §3.2. */
function asReturned(numbers: Uint32Array, { returns = [], partial }: SearchOptions): Uint32Array {
  const min = returns.includes('MIN');
  const max = returns.includes('MAX');
  if (!(min || max || partial) || returns.includes('ALL') || returns.includes('COUNT')) return numbers;
  if (numbers.length === 0) return numbers;
  const some = new Set(partial ? numbers.subarray(...placesOf(partial, numbers.length)) : []);
  if (min) some.add(numbers[0]!);
  if (max) some.add(numbers[numbers.length - 1]!);
  return Uint32Array.from(some);
}

function highestModSeq(seqNums: Uint32Array, view: MailboxView): ModSeq | undefined {
  let highest = 0;
  for (const seqNum of seqNums) highest = Math.max(highest, view.modSeqOf(seqNum));
  return highest === 0 ? undefined : (highest as ModSeq);
}
