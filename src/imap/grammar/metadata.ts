/** The arguments of GETMETADATA and SETMETADATA: RFC 5464 §3.2, §5. */
import { BadSyntax } from './bad-syntax.ts';
import type { Parser } from './parser.ts';
import type { GetMetadata } from './syntax.ts';

/** `/` before each component; no `*`, no `%`, nothing but printable ASCII. */
const ENTRY = /^\/(private|shared)(\/[^\x00-\x1f\x7f-\uffff*%/]+)*$/i;
const LONGEST_ENTRY = 1000; // octets
/** Entries that one command names. */
const MOST_ENTRIES = 1000;

/** `[(options)] mailbox entries`; the examples of §4.2 have the options after the mailbox. @throws BadSyntax */
export function getMetadata(input: Parser): GetMetadata & { readonly mailbox: string } {
  const before = input.peek() === '(' ? options(input) : undefined;
  if (before) input.sp();
  const mailbox = input.mailbox();
  input.sp();
  const after = before === undefined && startsOptions(input) ? options(input) : undefined;
  if (after) input.sp();
  const entries = metadataEntries(input);
  // The examples of §4.4.1 write several without parentheses.
  while (!input.atEnd()) entries.push(metadataEntry(input.sp()));
  return { mailbox, entries, ...(before ?? after ?? { depth: 0 }) };
}

/**
 * `mailbox (entry value …)`. An entry that is named twice gets its last value.
 * @returns by entries in lower case; null: to be removed
 * @throws BadSyntax
 */
export function setMetadata(input: Parser): {
  readonly mailbox: string;
  readonly changes: ReadonlyMap<string, Uint8Array | null>;
} {
  const mailbox = input.mailbox();
  const changes = new Map<string, Uint8Array | null>();
  input.sp().list(() => {
    const entry = metadataEntry(input).toLowerCase();
    assertHasValue(entry);
    changes.set(entry, input.sp().nstringOctets('a value: a string, a literal or NIL'));
    if (changes.size > MOST_ENTRIES) throw new BadSyntax(`One command sets ${MOST_ENTRIES} entries at most`);
  });
  return { mailbox, changes };
}

/** One entry, or several in parentheses. @throws BadSyntax */
export function metadataEntries(input: Parser): string[] {
  const entries = input.peek() === '(' ? input.list(() => metadataEntry(input)) : [metadataEntry(input)];
  if (entries.length > MOST_ENTRIES) throw new BadSyntax(`One command names ${MOST_ENTRIES} entries at most`);
  return entries;
}

/** §3.2: what is no entry name is BAD in any command. */
function metadataEntry(input: Parser): string {
  const entry = input.astring('an entry name such as /shared/comment');
  if (entry.length > LONGEST_ENTRY) throw new BadSyntax(`An entry name has ${LONGEST_ENTRY} octets at most`);
  if (!ENTRY.test(entry)) {
    throw new BadSyntax(
      'An entry name begins with /private or /shared, is in ASCII, and has no * or % and no empty component',
    );
  }
  return entry;
}

/** §3.2: two components at least, and four for vendors. Others may be asked for what lies below them. */
function assertHasValue(entry: string): void {
  const [, , second, ...others] = entry.split('/');
  if (second === undefined) throw new BadSyntax(`${entry} alone is no entry: /comment or the like has to follow`);
  if (second === 'vendor' && others.length < 2) {
    throw new BadSyntax('An entry of a vendor has its token and a name, as in /shared/vendor/acme/colour');
  }
}

function startsOptions(input: Parser): boolean {
  return input.has('(MAXSIZE ') || input.has('(DEPTH ');
}

function options(input: Parser): Omit<GetMetadata, 'entries'> {
  let depth: GetMetadata['depth'] = 0;
  let maximumOctets: number | undefined;
  input.list(() => {
    if (input.keyword('MAXSIZE')) maximumOctets = input.sp().number();
    else if (input.keyword('DEPTH')) depth = readDepth(input.sp());
    else throw new BadSyntax('GETMETADATA has the options MAXSIZE and DEPTH, and no others');
  });
  return { depth, ...(maximumOctets !== undefined && { maximumOctets }) };
}

function readDepth(input: Parser): GetMetadata['depth'] {
  if (input.keyword('0')) return 0;
  if (input.keyword('1')) return 1;
  if (input.keyword('infinity')) return 'infinity';
  throw new BadSyntax('DEPTH is 0, 1 or infinity');
}
