/**
 * The arguments of SEARCH and of what extends it: SORT and THREAD (RFC 5256 §5, RFC 5267 §5), and the command ESEARCH
 * (RFC 7377 §4).
 */
import { BadSyntax } from './bad-syntax.ts';
import type { Parser } from './parser.ts';
import { BadCharset, searchCharset } from './search-charset.ts';
import type {
  MultisearchProgram,
  SearchKey,
  SearchOptions,
  SearchProgram,
  SearchSource,
  SortCriterion,
  SortKey,
  SortProgram,
  ThreadProgram,
} from './syntax.ts';

/** A charset that is not known is no error of syntax: NO, not BAD (RFC 9051 §6.4.4). `saves`: RETURN (SAVE) was asked for. */
export type ReadProgram<Program> =
  | { readonly program: Program; readonly refused?: undefined }
  | { readonly program?: undefined; readonly refused: BadCharset; readonly saves: boolean };

const SORT_KEYS: ReadonlySet<string> = new Set<SortKey>([
  'ARRIVAL',
  'CC',
  'DATE',
  'DISPLAYFROM',
  'DISPLAYTO',
  'FROM',
  'RELEVANCY',
  'SIZE',
  'SUBJECT',
  'TO',
]);
const THREAD_ALGORITHMS = ['ORDEREDSUBJECT', 'REFERENCES'] as const;
const SIMPLE_SOURCES = ['inboxes', 'personal', 'selected', 'subscribed'] as const;
const NAMING_SOURCES = ['mailboxes', 'subtree-one', 'subtree'] as const;

/** All of these: @throws BadSyntax */
export function searchProgram(input: Parser): ReadProgram<SearchProgram> {
  const options = input.searchOptions();
  return withKeys(input, options, {}, () => input.searchKeys(input.searchCharset()));
}

/** `[RETURN (…)] (criteria) charset keys` */
export function sortProgram(input: Parser): ReadProgram<SortProgram> {
  const options = input.searchOptions();
  const criteria = input.list(() => sortCriterion(input));
  const read = withKeys(input, options, { criteria }, () => keysInCharset(input.sp()));
  // RFC 6203 §6: only where something has a relevancy.
  if (read.program && criteria.some(({ key }) => key === 'RELEVANCY')) assertFuzzy(read.program.key);
  return read;
}

/** `algorithm charset keys` */
export function threadProgram(input: Parser): ReadProgram<ThreadProgram> {
  const algorithm = THREAD_ALGORITHMS.find((name) => input.keyword(name));
  if (algorithm === undefined) throw new BadSyntax(`Threads are made by ${THREAD_ALGORITHMS.join(' or ')}`);
  return withKeys(input, { returns: undefined }, { algorithm }, () => keysInCharset(input.sp()));
}

/** `[IN (sources)] [RETURN (…)] [CHARSET …] keys` */
export function multisearchProgram(input: Parser): ReadProgram<MultisearchProgram> {
  const sources = searchSources(input);
  const options = input.searchOptions();
  return withKeys(input, options, { sources }, () => input.searchKeys(input.searchCharset()));
}

function isFuzzy(key: SearchKey): boolean {
  if (key.name === 'AND') return key.keys.some(isFuzzy);
  if (key.name === 'OR') return isFuzzy(key.left) || isFuzzy(key.right);
  return key.name === 'FUZZY' || (key.name === 'NOT' && isFuzzy(key.key));
}

function withKeys<Arguments extends object>(
  input: Parser,
  options: SearchOptions,
  args: Arguments,
  keys: () => SearchKey,
): ReadProgram<SearchProgram & Arguments> {
  const { returns } = options;
  try {
    const key = keys();
    if (returns?.includes('RELEVANCY')) assertFuzzy(key);
    return { program: { ...options, ...args, key } };
  } catch (error) {
    if (!(error instanceof BadCharset)) throw error;
    // What the keys say cannot be known.
    while (input.take(input.peek() || ' '));
    return { refused: error, saves: returns?.includes('SAVE') ?? false };
  }
}

/** RFC 5256 §5 search-criteria: the charset is always there. */
function keysInCharset(input: Parser): SearchKey {
  const decode = searchCharset(input.astring('a charset such as UTF-8'));
  return input.sp().searchKeys(decode);
}

function sortCriterion(input: Parser): SortCriterion {
  const reverse = input.keyword('REVERSE');
  if (reverse) input.sp();
  const key = input.atom('a sort criterion').toUpperCase();
  if (!SORT_KEYS.has(key)) throw new BadSyntax(`There is no sort criterion ${key.slice(0, 40)}`);
  return { key: key as SortKey, reverse };
}

/** RFC 6203 §4 */
function assertFuzzy(key: SearchKey): void {
  if (!isFuzzy(key)) throw new BadSyntax('RELEVANCY needs a search key FUZZY');
}

/** RFC 7377 §4; no scope options have been defined. */
function searchSources(input: Parser): readonly SearchSource[] {
  if (!input.keyword('IN')) return [{ name: 'selected' }];
  const sources = input.sp().list((): SearchSource => {
    const simple = SIMPLE_SOURCES.find((name) => input.keyword(name));
    if (simple !== undefined) return { name: simple };
    const name = NAMING_SOURCES.find((each) => input.keyword(each));
    if (name === undefined) throw new BadSyntax('ESEARCH looks IN (selected personal mailboxes "a" subtree "b" …)');
    input.sp();
    const mailboxes = input.peek() === '(' ? input.list(() => input.mailbox()) : [input.mailbox()];
    return { name, mailboxes };
  });
  input.sp();
  return sources;
}
