/**
 * The search language of the message list, in the pages and in the API that is compatible with Mailpit: words and
 * `"phrases"`, all of which must be found; `field:value`; `-` or `!` before a term for its opposite.
 * Pure: text to what the store looks for.
 */
import type { EmailId } from '../store/change.ts';
import type { SearchQuery } from '../store/search-query.ts';

export interface ParsedSearch {
  readonly query: SearchQuery;
  /** `is:read` and `is:unread` ask about all copies of a transaction together. */
  readonly read: boolean | undefined;
  /** `id:`: the transactions that are, or are not, looked for. Which message that is, the store knows. */
  readonly ids: readonly { readonly id: string; readonly negated: boolean }[];
  /** Terms whose value cannot be read, and the rule that each breaks; they were passed over. */
  readonly problems: readonly { readonly term: string; readonly rule: string }[];
}

export interface SearchOptions {
  /** The zone of dates without one, as IANA names it; default UTC. @see isTimeZone */
  readonly timeZone?: string | undefined;
}

/** A search deeper or longer than this is nobody's: each term costs the store a scan. */
const MAX_TERMS = 100;

export function parseSearch(text: string, { timeZone = 'UTC' }: SearchOptions = {}): ParsedSearch {
  const search = new Search(timeZone);
  const terms = splitTerms(text);
  for (const term of terms.slice(0, MAX_TERMS)) search.add(term);
  if (terms.length > MAX_TERMS) search.complain(terms[MAX_TERMS]!, `at most ${MAX_TERMS} terms`);
  return search.result();
}

interface Term {
  /** As written, for messages. */
  readonly text: string;
  readonly negated: boolean;
  /** Lower case; undefined: free text. */
  readonly field: string | undefined;
  /** Without its quotes. */
  readonly value: string;
}

/** Blanks divide terms, except between double quotes; a quote that is never closed reaches to the end. */
export function splitTerms(text: string): readonly Term[] {
  return [...text.matchAll(/(?:"[^"]*(?:"|$)|[^\s"])+/gu)].flatMap(([word]) => toTerm(word) ?? []);
}

function toTerm(text: string): Term | undefined {
  const negated = /^[-!]./su.test(text);
  const rest = negated ? text.slice(1) : text;
  const match = /^([a-z-]+):(.*)$/isu.exec(rest);
  const field = match?.[1]!.toLowerCase();
  if (field !== undefined && FIELDS.has(field)) return { text, negated, field, value: withoutQuotes(match![2]!) };
  const value = withoutQuotes(rest);
  return value === '' || /^[-!]$/.test(text) ? undefined : { text, negated, field: undefined, value };
}

function withoutQuotes(text: string): string {
  return text.replaceAll('"', '').trim();
}

const HEADER_FIELDS = new Map([
  ['to', 'To'],
  ['from', 'From'],
  ['cc', 'Cc'],
  ['reply-to', 'Reply-To'],
  ['subject', 'Subject'],
  ['message-id', 'Message-ID'],
]);
const FIELDS = new Set([
  ...HEADER_FIELDS.keys(),
  ...['addressed', 'bcc', 'tag', 'is', 'has', 'after', 'before', 'larger', 'smaller', 'id'],
]);

const either = (...queries: SearchQuery[]): SearchQuery => ({ type: 'or', queries });

/** A blind copy: the envelope names it, To and Cc do not. */
const unnamedRecipient = (text: string): SearchQuery => ({
  type: 'and',
  queries: [
    { type: 'recipient', text },
    { type: 'not', query: either({ type: 'header', name: 'To', text }, { type: 'header', name: 'Cc', text }) },
  ],
});

const ALL: SearchQuery = { type: 'all' };
const NOTHING: SearchQuery = { type: 'not', query: ALL };

class Search {
  readonly #timeZone: string;
  readonly #queries: SearchQuery[] = [];
  readonly #ids: { id: string; negated: boolean }[] = [];
  readonly #problems: { term: string; rule: string }[] = [];
  #read: boolean | undefined;

  constructor(timeZone: string) {
    this.#timeZone = timeZone;
  }

  complain(term: Term, rule: string): void {
    this.#problems.push({ term: term.text, rule });
  }

  add(term: Term): void {
    // `subject:` while somebody is still typing asks for nothing.
    if (term.value === '') return;
    const query = this.#query(term);
    if (query) this.#queries.push(term.negated ? { type: 'not', query } : query);
  }

  result(): ParsedSearch {
    const queries = this.#queries;
    return {
      query: queries.length === 0 ? ALL : queries.length === 1 ? queries[0]! : { type: 'and', queries },
      read: this.#read,
      ids: this.#ids,
      problems: this.#problems,
    };
  }

  #query(term: Term): SearchQuery | undefined {
    const { field, value } = term;
    if (field === undefined) return freeText(value);
    const header = HEADER_FIELDS.get(field);
    if (header !== undefined) return { type: 'header', name: header, text: value };
    switch (field) {
      case 'addressed':
        return either({ type: 'any-address', text: value }, { type: 'recipient', text: value });
      case 'bcc':
        return either({ type: 'header', name: 'Bcc', text: value }, unnamedRecipient(value));
      case 'tag':
        return { type: 'tag', tag: value };
      case 'is':
        return this.#is(term);
      case 'has':
        return this.#has(term);
      case 'after':
      case 'before':
        return this.#date(term, field);
      case 'larger':
      case 'smaller':
        return this.#size(term, field);
      default:
        return this.#id(term);
    }
  }

  #is(term: Term): SearchQuery | undefined {
    switch (term.value.toLowerCase()) {
      case 'read':
        this.#mustBeRead(!term.negated);
        return undefined;
      case 'unread':
        this.#mustBeRead(term.negated);
        return undefined;
      case 'tagged':
        return { type: 'tag', tag: undefined };
      default:
        this.complain(term, '`is:` is followed by read, unread or tagged');
        return undefined;
    }
  }

  /** All terms must hold, so one answer for the whole search suffices; two that contradict each other find nothing. */
  #mustBeRead(read: boolean): void {
    if (this.#read !== undefined && this.#read !== read) this.#queries.push(NOTHING);
    this.#read = read;
  }

  #has(term: Term): SearchQuery | undefined {
    switch (term.value.toLowerCase()) {
      case 'attachment':
      case 'attachments':
        return { type: 'has-attachment' };
      case 'inline':
      case 'inlines':
        return { type: 'has-inline' };
      default:
        this.complain(term, '`has:` is followed by attachment or inline');
        return undefined;
    }
  }

  #date(term: Term, field: 'after' | 'before'): SearchQuery | undefined {
    const at = parseMoment(term.value, this.#timeZone);
    if (at === undefined) {
      this.complain(term, `\`${field}:\` is followed by a date such as 2026-03-31 or "2026-03-31 14:00"`);
      return undefined;
    }
    return { type: 'internal-date', ...(field === 'after' ? { since: at } : { before: at }) };
  }

  #size(term: Term, type: 'larger' | 'smaller'): SearchQuery | undefined {
    const match = /^(\d{1,12}(?:\.\d{1,3})?) ?(k|kb|m|mb|b)?$/i.exec(term.value);
    if (!match) {
      this.complain(term, `\`${type}:\` is followed by a number of octets, or one with k, kb, m or mb`);
      return undefined;
    }
    const unit = UNITS[match[2]?.[0]?.toLowerCase() ?? 'b']!;
    return { type, octets: Math.round(Number(match[1]) * unit) };
  }

  #id(term: Term): SearchQuery | undefined {
    if (/^[1-9][0-9]{0,14}$/.test(term.value)) return { type: 'email', email: Number(term.value) as EmailId };
    if (/^[0-9A-Za-z]{22}$/.test(term.value)) this.#ids.push({ id: term.value, negated: term.negated });
    else this.complain(term, '`id:` is followed by the id of a message');
    return undefined;
  }
}

const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 * 1024 };

/** Not in all of the header: what a `Received` says is not what people look for. */
function freeText(text: string): SearchQuery {
  return {
    type: 'or',
    queries: [
      { type: 'header', name: 'Subject', text },
      { type: 'any-address', text },
      { type: 'attachment-name', text },
      { type: 'body', text },
    ],
  };
}

// -------------------------------------------------------------------------------------------------------- dates

const ISO =
  /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)? *(Z|[+-]\d{2}:?\d{2})?$/i;

/** Milliseconds since 1970 of a date with or without time and zone; undefined: it cannot be read. */
export function parseMoment(text: string, timeZone: string): number | undefined {
  const match = ISO.exec(text.trim());
  if (!match) return parseWrittenDate(text.trim(), timeZone);
  const groups = match.slice(1, 7) as (string | undefined)[];
  const [year, month, day, hour = 0, minute = 0, second = 0] = groups.map((part) => Number(part ?? 0));
  const milliseconds = Math.floor(Number(`0.${match[7] ?? '0'}`) * 1000);
  if (hour > 24 || minute > 59 || second > 60) return undefined;
  const wall = Date.UTC(year!, month! - 1, day, hour, minute, second, milliseconds);
  // 2026-02-31 would silently become another day.
  if (new Date(Date.UTC(year!, month! - 1, day)).getUTCMonth() !== month! - 1) return undefined;
  if (match[8] === undefined) return fromWallClock(wall, timeZone);
  if (/^z$/i.test(match[8])) return wall;
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(match[8])!;
  return wall - (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** `31 Jan 2026`, `Jan 31, 2026 14:00`, `Sat, 31 Jan 2026 14:00:00 +0100`. */
function parseWrittenDate(text: string, timeZone: string): number | undefined {
  if (!/[a-z]{3}/i.test(text) || !/\b\d{4}\b/.test(text) || text.length > 60) return undefined;
  const hasZone = /(?:[+-]\d{2}:?\d{2}|\b(?:UTC|GMT|Z))$/i.test(text);
  const at = Date.parse(hasZone ? text : `${text} UTC`);
  if (Number.isNaN(at)) return undefined;
  return hasZone ? at : fromWallClock(at, timeZone);
}

/** @param wall the moment at which a clock in UTC would show what the clock in that zone shows */
function fromWallClock(wall: number, timeZone: string): number {
  if (timeZone === 'UTC') return wall;
  // Twice, since the offset at the first guess may be the one from before a change of the clocks.
  const guess = wall - zoneOffset(wall, timeZone);
  return wall - zoneOffset(guess, timeZone);
}

/** By how many milliseconds that zone's clocks are ahead of UTC. */
function zoneOffset(at: number, timeZone: string): number {
  const parts = new Map(
    formatter(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return wall - Math.floor(at / 1000) * 1000;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** @throws RangeError for a zone that nobody knows */
function formatter(timeZone: string): Intl.DateTimeFormat {
  let known = formatters.get(timeZone);
  if (!known) {
    const numeric = 'numeric';
    known = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      hourCycle: 'h23',
      ...{ year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric },
    });
    if (formatters.size >= 100) formatters.clear();
    formatters.set(timeZone, known);
  }
  return known;
}

export function isTimeZone(name: string): boolean {
  try {
    formatter(name);
    return true;
  } catch {
    return false;
  }
}
