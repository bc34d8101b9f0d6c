/**
 * A client's command, by recursive descent: RFC 9051 §9, and where older clients differ RFC 3501 §9 and RFC 4466.
 * A method is named as the ABNF rule that it reads. What optional arguments are there, a command finds out with `has`,
 * `keyword` and `take`. Extensions: RFC 3516 BINARY, RFC 5032 WITHIN, RFC 5182 `$`, RFC 7162 CONDSTORE and QRESYNC,
 * RFC 8474 OBJECTID, RFC 8514 SAVEDATE, RFC 6203 FUZZY, RFC 8970 PREVIEW, RFC 9208 QUOTA, RFC 9394 PARTIAL, RFC 9738
 * UIDAFTER and UIDBEFORE. Programs of SORT, THREAD and ESEARCH stand in `search-programs.ts`, annotations in `metadata.ts`.
 *
 * Stricter than some servers: one space is one space (§9 note 2). Milder than the grammar: spaces at the command's end are
 * passed over, quoted strings may hold UTF-8 at all times, and 63-bit numbers above 2^53 - 1 count as 2^53 - 1.
 */
import { isUtf8 } from 'node:buffer';
import { bufferOver } from '../../mail/octets.ts';
import type { ModSeq } from '../../store/change.ts';
import { Refusal } from '../../store/refusal.ts';
import { BadSyntax } from './bad-syntax.ts';
import { decodeMailboxName, normaliseMailboxName } from './mailbox-name.ts';
import { countOf, type NumberRange } from './sequence-set.ts';
import { decodeUnnamed, searchCharset } from './search-charset.ts';
import type { DecodeText } from './search-charset.ts';
import type {
  Day,
  FetchAttribute,
  FetchModifiers,
  MessageLiteral,
  Partial,
  PartialRange,
  ResourceLimit,
  SearchKey,
  SearchOptions,
  SearchProgram,
  SearchReturn,
  Section,
  SelectParameters,
  SequenceRange,
  SequenceSet,
  StatusItem,
  StoreArguments,
} from './syntax.ts';

export interface ParserOptions {
  /** The client may write mailbox names in UTF-8 instead of modified UTF-7: `Dialect.utf8` (RFC 6855 §3). */
  readonly utf8?: boolean;
  /** All text is in UTF-8, and SEARCH must not say otherwise: `Dialect.utf8Accept` (RFC 6855 §3). */
  readonly utf8Accept?: boolean;
  /** How many octets of the command come before these: errors count from the command's start. */
  readonly offset?: number;
}

/** Search keys within search keys. Clients ask for a hundred messages by nesting ORs; nobody needs more than this. */
const MAX_DEPTH = 500;
/** Ranges of a sequence set, neighbours counted as one. */
const MAX_RANGES = 100_000;
const MAX_UINT32 = 4_294_967_295;
const MAX_INT63 = 9_223_372_036_854_775_807n;

// One character is one octet. Each is tried at a position only (`y`).
const ATOM = /[^\x00-\x20\x7f-\xff(){%*"\\\]]+/y;
const ASTRING_CHARS = /[^\x00-\x20\x7f-\xff(){%*"\\]+/y;
const LIST_CHARS = /[^\x00-\x20\x7f-\xff(){"\\]+/y;
const TAG = /[^\x00-\x20\x7f-\xff(){%*"\\+]+/y;
const ATTRIBUTE = /[A-Za-z0-9.]+/y;
const DIGITS = /[0-9]+/y;
const LITERAL = /\{([0-9]+)\+?\}\r?\n/y;
const LITERAL8 = /~\{([0-9]+)\+?\}\r?\n/y;
const BASE64 = /[A-Za-z0-9+/]*={0,2}/y;
const OBJECT_ID = /[A-Za-z0-9_-]{1,255}/y;
const PARTIAL_RANGE = /(-?)([1-9][0-9]{0,9}):\1([1-9][0-9]{0,9})/y;
const DATE = /([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})/y;
const DATE_TIME =
  /"( [0-9]|[0-9]{1,2})-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"/y;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const SPACE = 0x20;
const MS_PER_DAY = 86_400_000;

const SYSTEM_FLAGS: Readonly<Record<string, string>> = {
  ANSWERED: '\\Answered',
  DELETED: '\\Deleted',
  DRAFT: '\\Draft',
  FLAGGED: '\\Flagged',
  SEEN: '\\Seen',
};

/** FETCH's abbreviations (RFC 9051 §6.4.5): they stand alone, never in a list. */
const MACROS: Readonly<Record<string, readonly FetchAttribute[]>> = {
  ALL: [{ name: 'FLAGS' }, { name: 'INTERNALDATE' }, { name: 'RFC822.SIZE' }, { name: 'ENVELOPE' }],
  FAST: [{ name: 'FLAGS' }, { name: 'INTERNALDATE' }, { name: 'RFC822.SIZE' }],
  FULL: [{ name: 'FLAGS' }, { name: 'INTERNALDATE' }, { name: 'RFC822.SIZE' }, { name: 'ENVELOPE' }, { name: 'BODY' }],
};

const STATUS_ITEMS: ReadonlySet<string> = new Set<StatusItem>([
  'APPENDLIMIT',
  'DELETED',
  'DELETED-STORAGE',
  'HIGHESTMODSEQ',
  'MAILBOXID',
  'MESSAGES',
  'RECENT',
  'SIZE',
  'UIDNEXT',
  'UIDVALIDITY',
  'UNSEEN',
]);

const SEARCH_RETURNS: ReadonlySet<string> = new Set<SearchReturn>([
  'ALL',
  'CONTEXT',
  'COUNT',
  'MAX',
  'MIN',
  'PARTIAL',
  'RELEVANCY',
  'SAVE',
  'UPDATE',
]);

export class Parser {
  readonly #octets: Buffer;
  /** The same octets, each as one character. */
  readonly #text: string;
  readonly #utf8: boolean;
  readonly #utf8Accept: boolean;
  readonly #offset: number;
  /** Before the spaces at the command's end. */
  readonly #end: number;
  #at = 0;

  /** @param octets what follows the command's name, from the space on, literals as they came, without the line's end */
  constructor(octets: Uint8Array, options: ParserOptions = {}) {
    this.#octets = bufferOver(octets);
    this.#text = this.#octets.toString('latin1');
    this.#utf8 = options.utf8 ?? false;
    this.#utf8Accept = options.utf8Accept ?? false;
    this.#offset = options.offset ?? 0;
    let end = octets.length;
    while (end > 0 && octets[end - 1] === SPACE) end--;
    this.#end = end;
  }

  // -------------------------------------------------------------------------------------------- looking ahead

  /** The next character, or an empty string at the end. Takes nothing. */
  peek(): string {
    return this.#text.charAt(this.#at);
  }

  /** Whether the next octets are these, letters in any case. Takes nothing. */
  has(text: string): boolean {
    return this.#text.slice(this.#at, this.#at + text.length).toUpperCase() === text.toUpperCase();
  }

  /** Takes these octets if they come next, letters in any case. @returns whether they did */
  take(text: string): boolean {
    if (!this.has(text)) return false;
    this.#at += text.length;
    return true;
  }

  /** Takes this atom if it comes next and ends there, letters in any case. @returns whether it did */
  keyword(word: string): boolean {
    if (!this.has(word)) return false;
    ATOM.lastIndex = this.#at + word.length;
    if (ATOM.test(this.#text)) return false;
    this.#at += word.length;
    return true;
  }

  /** These octets must come next. */
  expect(text: string): this {
    return this.take(text) ? this : this.#fail(`"${text}"`);
  }

  /** Exactly one space. */
  sp(): this {
    if (this.#text.charCodeAt(this.#at) !== SPACE) this.#fail('a space');
    this.#at++;
    return this;
  }

  /** Whether nothing follows but spaces, which some clients leave behind. */
  atEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Nothing may follow. */
  end(): this {
    return this.atEnd() ? this : this.#fail('the end of the command');
  }

  /** `(a b c)`: one or more, one space between two. */
  list<T>(item: () => T): T[] {
    this.expect('(');
    const items = [item()];
    while (!this.take(')')) {
      this.sp();
      items.push(item());
    }
    return items;
  }

  // -------------------------------------------------------------------------------------------- strings

  atom(what = 'a word'): string {
    return this.#match(ATOM, what);
  }

  tag(): string {
    return this.#match(TAG, 'a tag');
  }

  astring(what = 'a string'): string {
    return this.#isString() ? this.string(what) : this.#match(ASTRING_CHARS, what);
  }

  /** For what is no text: passwords, and texts in a charset. */
  astringOctets(what = 'a string'): Uint8Array {
    if (this.#isString()) return this.#stringOctets(what);
    return Buffer.from(this.#match(ASTRING_CHARS, what), 'latin1');
  }

  /** Quoted, or a literal; other than ASCII letters are UTF-8. */
  string(what = 'a quoted string or a literal'): string {
    const start = this.#at;
    const octets = this.#stringOctets(what);
    return isUtf8(octets) ? octets.toString('utf8') : this.#failAt(start, `${what} in UTF-8`);
  }

  nstring(what = 'a string or NIL'): string | null {
    return this.keyword('NIL') ? null : this.string(what);
  }

  /** Quoted, or a literal of either kind; whatever octets it has (RFC 5464 §5 value). */
  nstringOctets(what = 'a string or NIL'): Uint8Array | null {
    return this.keyword('NIL') ? null : this.#stringOctets(what);
  }

  /** `name` `value`, … or NIL (RFC 2971 §3.3). */
  idParameters(): ReadonlyMap<string, string | null> | null {
    if (this.keyword('NIL')) return null;
    const parameters = new Map<string, string | null>();
    if (this.take('()')) return parameters;
    this.list(() => {
      const field = this.string('a field name');
      parameters.set(field, this.sp().nstring());
    });
    return parameters;
  }

  /** RFC 4648 §4, padded; the octets that it stands for. */
  base64(): Uint8Array {
    const start = this.#at;
    const text = this.#match(BASE64, 'base64');
    if (text === '' || text.length % 4 !== 0) this.#failAt(start, 'base64');
    return Buffer.from(text, 'base64');
  }

  /** AUTHENTICATE's initial response: `=` is an empty one (RFC 9051 §6.2.2). */
  initialResponse(): Uint8Array {
    return this.keyword('=') ? Buffer.alloc(0) : this.base64();
  }

  /** The announcement of a literal whose octets are not here but still with the client; see `Framing`. */
  messageLiteral(): MessageLiteral {
    const binary = this.peek() === '~';
    const size = this.#group(binary ? LITERAL8 : LITERAL, 'a message as a literal, {size}')[1]!;
    if (this.#at < this.#text.length) this.#fail('the octets of the message');
    return { size: Number(size), binary };
  }

  // -------------------------------------------------------------------------------------------- numbers

  number(): number {
    return this.#number(0, 'a number');
  }

  nzNumber(): number {
    return this.#number(1, 'a number above 0');
  }

  number64(): number {
    return this.#number64(0n, 'a number');
  }

  /** mod-sequence-value, from 1 (RFC 7162 §7). */
  modSeq(): ModSeq {
    return this.#number64(1n, 'a mod-sequence above 0') as ModSeq;
  }

  /** mod-sequence-valzer, from 0 (RFC 7162 §7). */
  modSeqOrZero(): ModSeq {
    return this.#number64(0n, 'a mod-sequence') as ModSeq;
  }

  /** Ranges as the client wrote them, neighbours joined. `$` too (RFC 5182). */
  sequenceSet(): SequenceSet {
    if (this.take('$')) return { type: 'saved' };
    const ranges: SequenceRange[] = [];
    do {
      const first = this.#sequenceNumber();
      const last = this.take(':') ? this.#sequenceNumber() : first;
      const before = ranges.at(-1);
      if (before !== undefined && isNeighbour(before, first, last)) {
        ranges[ranges.length - 1] = { first: before.first, last };
      } else if (ranges.push({ first, last }) > MAX_RANGES) {
        this.#fail(`no more than ${MAX_RANGES} ranges`);
      }
    } while (this.take(','));
    return { type: 'set', ranges };
  }

  #sequenceNumber(): number | '*' {
    return this.take('*') ? '*' : this.#number(1, 'a message number, a range or *');
  }

  #number(least: number, what: string): number {
    const start = this.#at;
    const digits = this.#match(DIGITS, what);
    const number = Number(digits);
    // RFC 9051 §9: 32 bits; nz-number does not begin with 0.
    if (number > MAX_UINT32) this.#failAt(start, `${what} below 4294967296`);
    return number < least || (least > 0 && digits.startsWith('0')) ? this.#failAt(start, what) : number;
  }

  #number64(least: bigint, what: string): number {
    const start = this.#at;
    const digits = this.#match(DIGITS, what);
    if (digits.length <= 15) return Number(digits) < least ? this.#failAt(start, what) : Number(digits);
    if (digits.length > 40 || BigInt(digits) > MAX_INT63) this.#failAt(start, `${what} of 63 bits`);
    return BigInt(digits) < least ? this.#failAt(start, what) : Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
  }

  // -------------------------------------------------------------------------------------------- mailboxes

  /**
   * A mailbox name, decoded and normalised. A name that is not valid modified UTF-7 is refused: no mailbox can have it, and
   * a client that forgets to encode learns it before it has made one.
   * @throws BadSyntax, Refusal CANNOT
   */
  mailbox(): string {
    return this.#mailboxName(this.astring('a mailbox name'));
  }

  /** A name with the wildcards `*` and `%`. Undefined: it is no modified UTF-7, so it can match no name. */
  listMailbox(): string | undefined {
    const text = this.#isString() ? this.string('a mailbox pattern') : this.#match(LIST_CHARS, 'a mailbox pattern');
    try {
      return this.#mailboxName(text);
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  /** mbox-or-pat: one pattern, or several in parentheses (RFC 5258 §3); without those that can match no name. */
  listPatterns(): string[] {
    const patterns = this.peek() === '(' ? this.list(() => this.listMailbox()) : [this.listMailbox()];
    return patterns.filter((pattern) => pattern !== undefined);
  }

  statusItems(): StatusItem[] {
    return this.list(() => {
      const start = this.#at;
      const item = this.atom('a status item').toUpperCase();
      return STATUS_ITEMS.has(item) ? (item as StatusItem) : this.#failAt(start, 'a status item such as MESSAGES');
    });
  }

  /** RFC 9208 §7 */
  quotaRootName(): string {
    return this.astring('a quota root');
  }

  /** RFC 9208 §7: `(STORAGE 512 MESSAGE 1000)`, or nothing in the parentheses. */
  setQuotaList(): ResourceLimit[] {
    if (this.take('()')) return [];
    return this.list(() => ({ name: this.atom('a resource').toUpperCase(), limit: this.sp().number64() }));
  }

  /** SELECT's and EXAMINE's parameters, with the space before them, if they are there. */
  selectParameters(): SelectParameters {
    let condstore = false;
    let qresync: SelectParameters['qresync'];
    if (!this.has(' (')) return { condstore };
    this.sp().list(() => {
      if (this.keyword('CONDSTORE')) condstore = true;
      else if (this.keyword('QRESYNC')) qresync = this.sp().#qresync();
      else this.#fail('CONDSTORE or QRESYNC');
    });
    return qresync === undefined ? { condstore } : { condstore, qresync };
  }

  /** RFC 7162 §3.2.5: `(uidvalidity modseq [known-uids] [(seq-numbers uids)])` */
  #qresync(): NonNullable<SelectParameters['qresync']> {
    const uidValidity = this.expect('(').nzNumber();
    const modSeq = this.sp().modSeq();
    const knownUids = this.has(' ') && !this.has(' (') ? { knownUids: this.sp().#numberedSet() } : {};
    const match = this.has(' (') ? { match: this.sp().#matchData() } : {};
    this.expect(')');
    return { uidValidity, modSeq, ...knownUids, ...match };
  }

  /** RFC 7162 §3.2.5.2: pairs of a sequence number and its UID. */
  #matchData(): { seqNums: readonly NumberRange[]; uids: readonly NumberRange[] } {
    const start = this.#at;
    const seqNums = ascendingRanges(this.expect('(').#numberedSet());
    const uids = ascendingRanges(this.sp().#numberedSet());
    this.expect(')');
    if (!seqNums || !uids || countOf(seqNums) !== countOf(uids)) {
      return this.#failAt(start, 'as many sequence numbers as UIDs, both ascending,');
    }
    return { seqNums, uids };
  }

  /** RFC 7162 §7: `*` is not allowed there. */
  #numberedSet(): SequenceSet {
    const start = this.#at;
    const set = this.sequenceSet();
    const plain = set.type === 'set' && set.ranges.every(({ first, last }) => first !== '*' && last !== '*');
    return plain ? set : this.#failAt(start, 'a set of numbers, without *');
  }

  #mailboxName(text: string): string {
    return normaliseMailboxName(this.#utf8 ? text : decodeMailboxName(text));
  }

  // -------------------------------------------------------------------------------------------- messages

  /** A keyword as written, or a system flag as RFC 9051 §2.3.2 writes it. Clients can neither set \Recent nor invent more. */
  flag(): string {
    if (this.peek() !== '\\') return this.atom('a flag');
    const start = this.#at++;
    const name = this.atom('a flag').toUpperCase();
    return (
      SYSTEM_FLAGS[name] ?? this.#failAt(start, 'a keyword or one of \\Answered \\Deleted \\Draft \\Flagged \\Seen')
    );
  }

  flagList(): string[] {
    return this.take('()') ? [] : this.list(() => this.flag());
  }

  /** Everything after STORE's sequence set and its space. */
  storeArguments(): StoreArguments {
    const modifiers: { unchangedSince?: ModSeq } = {};
    if (this.peek() === '(') {
      this.list(() => {
        if (!this.keyword('UNCHANGEDSINCE')) this.#fail('UNCHANGEDSINCE');
        modifiers.unchangedSince = this.sp().modSeqOrZero();
      });
      this.sp();
    }
    const mode = this.take('+') ? 'add' : this.take('-') ? 'remove' : 'replace';
    if (!this.take('FLAGS')) this.#fail('FLAGS, +FLAGS or -FLAGS');
    const silent = this.take('.SILENT');
    this.sp();
    if (this.peek() === '(') return { mode, silent, flags: this.flagList(), ...modifiers };
    const flags = [this.flag()];
    while (!this.atEnd()) flags.push(this.sp().flag());
    return { mode, silent, flags, ...modifiers };
  }

  /** A macro, one attribute, or several in parentheses. */
  fetchAttributes(): readonly FetchAttribute[] {
    if (this.peek() === '(') return this.list(() => this.#fetchAttribute());
    for (const [name, attributes] of Object.entries(MACROS)) if (this.keyword(name)) return attributes;
    return [this.#fetchAttribute()];
  }

  /** FETCH's modifiers, with the space before them, if they are there (RFC 4466 §2.4, RFC 7162 §3.1.4, §3.2.6, RFC 9394). */
  fetchModifiers(): FetchModifiers {
    const modifiers: { changedSince?: ModSeq; vanished?: boolean; partial?: PartialRange } = {};
    if (!this.has(' (')) return modifiers;
    this.sp().list(() => {
      if (this.keyword('CHANGEDSINCE')) modifiers.changedSince = this.sp().modSeq();
      else if (this.keyword('VANISHED')) modifiers.vanished = true;
      else if (modifiers.partial === undefined && this.keyword('PARTIAL')) modifiers.partial = this.sp().partialRange();
      else this.#fail('CHANGEDSINCE, PARTIAL or VANISHED');
    });
    return modifiers;
  }

  #fetchAttribute(): FetchAttribute {
    const start = this.#at;
    const name = this.#match(ATTRIBUTE, 'a fetch attribute').toUpperCase();
    const bracket = this.peek() === '[';
    switch (name) {
      case 'BODY':
      case 'BODY.PEEK':
        if (!bracket && name === 'BODY') return { name };
        return { name: 'BODY[]', peek: name === 'BODY.PEEK', section: this.section(), ...this.#partial() };
      case 'BINARY':
      case 'BINARY.PEEK':
        return { name: 'BINARY[]', peek: name === 'BINARY.PEEK', path: this.#sectionBinary(), ...this.#partial() };
      case 'BINARY.SIZE':
        return { name, path: this.#sectionBinary() };
      case 'PREVIEW':
        return { name, lazy: this.#previewIsLazy() };
      case 'BODYSTRUCTURE':
      case 'EMAILID':
      case 'ENVELOPE':
      case 'FLAGS':
      case 'INTERNALDATE':
      case 'MODSEQ':
      case 'RFC822':
      case 'RFC822.HEADER':
      case 'RFC822.SIZE':
      case 'RFC822.TEXT':
      case 'SAVEDATE':
      case 'THREADID':
      case 'UID':
        return { name };
      default:
        return this.#failAt(start, 'a fetch attribute such as FLAGS or BODY[]');
    }
  }

  /** RFC 8970 §6: ` (LAZY)`, the only modifier that there is. */
  #previewIsLazy(): boolean {
    if (!this.has(' (')) return false;
    this.sp().list(() => {
      if (!this.keyword('LAZY')) this.#fail('LAZY');
    });
    return true;
  }

  /** `[1.2.HEADER]` */
  section(): Section {
    this.expect('[');
    const path = this.#sectionPath();
    if (this.take(']')) return { path };
    if (path.length > 0) this.expect('.');
    const text = this.#sectionText(path.length > 0);
    this.expect(']');
    return { path, text };
  }

  #sectionText(ofPart: boolean): NonNullable<Section['text']> {
    const start = this.#at;
    const name = this.#match(ATTRIBUTE, 'HEADER, TEXT or ]').toUpperCase();
    if (name === 'HEADER' || name === 'TEXT') return { name };
    // MIME is the header of a part, so it needs a part number (RFC 9051 §6.4.5.1).
    if (name === 'MIME' && ofPart) return { name };
    if (name === 'HEADER.FIELDS' || name === 'HEADER.FIELDS.NOT') {
      return { name, fields: this.sp().list(() => this.astring('a header field name')) };
    }
    return this.#failAt(start, `HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT${ofPart ? ', MIME' : ''} or TEXT`);
  }

  #sectionBinary(): number[] {
    this.expect('[');
    const path = this.#sectionPath();
    this.expect(']');
    return path;
  }

  /** `1.2.3`, up to what is no number: `]`, or the dot before a section text. */
  #sectionPath(): number[] {
    const path: number[] = [];
    if (!/[0-9]/.test(this.peek())) return path;
    do {
      path.push(this.nzNumber());
    } while (/^\.[0-9]/.test(this.#text.slice(this.#at, this.#at + 2)) && this.take('.'));
    return path;
  }

  #partial(): { partial?: Partial } {
    if (!this.take('<')) return {};
    const offset = this.number64();
    const count = this.expect('.').#number64(1n, 'a number above 0');
    this.expect('>');
    return { partial: { offset, count } };
  }

  // -------------------------------------------------------------------------------------------- dates

  /** APPEND's date-time: `"17-Jul-1996 02:44:25 -0700"`. */
  dateTime(): Date {
    const start = this.#at;
    const found = this.#group(DATE_TIME, 'a date and time such as "17-Jul-2026 02:44:25 +0000"');
    const [, day, month, year, hours, minutes, seconds, sign, zoneHours, zoneMinutes] = found;
    const wrong = Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 60 || Number(zoneMinutes) > 59;
    if (wrong) this.#failAt(start, 'a time and zone that exist');
    const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -1 : 1);
    const minute = Number(hours) * 60 + Number(minutes) - zone;
    return new Date(this.#day(start, day!, month!, year!) * MS_PER_DAY + (minute * 60 + Number(seconds)) * 1000);
  }

  /** SEARCH's date, with or without quotes. */
  date(): Day {
    const start = this.#at;
    const quoted = this.take('"');
    const [, day, month, year] = this.#group(DATE, 'a date such as 17-Jul-2026');
    if (quoted) this.expect('"');
    return this.#day(start, day!, month!, year!);
  }

  #day(start: number, day: string, month: string, year: string): Day {
    const date = new Date(0);
    const index = MONTHS.indexOf(month.toLowerCase());
    // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
    date.setUTCFullYear(Number(year), index, Number(day));
    const exists = index !== -1 && date.getUTCMonth() === index && date.getUTCDate() === Number(day);
    return exists ? date.getTime() / MS_PER_DAY : this.#failAt(start, 'a date that exists');
  }

  // -------------------------------------------------------------------------------------------- SEARCH

  /** SEARCH's arguments: RETURN's options, CHARSET, and the keys. @throws BadSyntax, BadCharset */
  searchProgram(): SearchProgram {
    const options = this.searchOptions();
    return { ...options, key: this.searchKeys(this.searchCharset()) };
  }

  /** `RETURN (…)`, with the space after it, if it is there. */
  searchOptions(): SearchOptions {
    if (!this.keyword('RETURN')) return { returns: undefined };
    if (this.sp().take('()')) {
      this.sp();
      return { returns: ['ALL'] };
    }
    let partial: PartialRange | undefined;
    let updateAttributes: readonly FetchAttribute[] | undefined;
    const returns = this.list(() => {
      const start = this.#at;
      const option = this.atom('a return option').toUpperCase();
      if (!SEARCH_RETURNS.has(option)) this.#failAt(start, 'a return option such as ALL or COUNT');
      if (option === 'PARTIAL') {
        // RFC 9394 §3.1
        if (partial !== undefined) this.#failAt(start, 'no more than one PARTIAL');
        partial = this.sp().partialRange();
      }
      // RFC 5465 §7
      if (option === 'UPDATE' && this.has(' (')) updateAttributes = this.sp().fetchAttributes();
      return option as SearchReturn;
    });
    if (partial !== undefined && returns.includes('ALL')) this.#fail('either PARTIAL or ALL');
    this.sp();
    return { returns, ...(partial && { partial }), ...(updateAttributes && { updateAttributes }) };
  }

  /** `CHARSET name`, with the space after it, if it is there. @throws BadCharset */
  searchCharset(): DecodeText {
    if (!this.keyword('CHARSET')) return decodeUnnamed;
    if (this.#utf8Accept) this.#fail('no CHARSET after ENABLE UTF8=ACCEPT, but search keys:');
    const decode = searchCharset(this.sp().astring('a charset'));
    this.sp();
    return decode;
  }

  /** One or more keys, up to the end. */
  searchKeys(decode: DecodeText): SearchKey {
    const keys = [this.#searchKey(decode, 0)];
    while (!this.atEnd()) keys.push(this.sp().#searchKey(decode, 0));
    return allOf(keys);
  }

  /** RFC 9394 §4 partial-range. */
  partialRange(): PartialRange {
    const start = this.#at;
    const [, minus, first, last] = this.#group(PARTIAL_RANGE, 'a range such as 1:100 or -1:-100');
    const sign = minus === '-' ? -1 : 1;
    if (Number(first) > MAX_UINT32 || Number(last) > MAX_UINT32) this.#failAt(start, 'numbers below 4294967296');
    return { first: sign * Number(first), last: sign * Number(last) };
  }

  #searchKey(decode: DecodeText, depth: number): SearchKey {
    if (depth > MAX_DEPTH) this.#fail(`no more than ${MAX_DEPTH} search keys within one another`);
    const key = () => this.#searchKey(decode, depth + 1);
    const start = this.#at;
    if (this.peek() === '(') return allOf(this.list(key));
    if (/[0-9*$]/.test(this.peek())) return { name: 'SEQUENCE', set: this.sequenceSet() };
    const name = this.atom('a search key').toUpperCase();
    switch (name) {
      case 'ALL':
      case 'NEW':
      case 'OLD':
      case 'RECENT':
        return { name };
      case 'ANSWERED':
      case 'DELETED':
      case 'DRAFT':
      case 'FLAGGED':
      case 'SEEN':
        return { name: 'FLAG', flag: SYSTEM_FLAGS[name]!, set: true };
      case 'UNANSWERED':
      case 'UNDELETED':
      case 'UNDRAFT':
      case 'UNFLAGGED':
      case 'UNSEEN':
        return { name: 'FLAG', flag: SYSTEM_FLAGS[name.slice(2)]!, set: false };
      case 'KEYWORD':
      case 'UNKEYWORD':
        return { name: 'FLAG', flag: this.sp().atom('a keyword'), set: name === 'KEYWORD' };
      case 'BCC':
      case 'BODY':
      case 'CC':
      case 'FROM':
      case 'SUBJECT':
      case 'TEXT':
      case 'TO':
        return { name, text: decode(this.sp().astringOctets('a text')) };
      case 'HEADER': {
        const field = this.sp().astring('a header field name');
        return { name, field, text: decode(this.sp().astringOctets('a text')) };
      }
      case 'BEFORE':
      case 'ON':
      case 'SENTBEFORE':
      case 'SENTON':
      case 'SENTSINCE':
      case 'SINCE':
      case 'SAVEDBEFORE':
      case 'SAVEDON':
      case 'SAVEDSINCE':
        return { name, day: this.sp().date() };
      // RFC 8514 §4.3: all messages, where the mailbox keeps save dates, and here each does.
      case 'SAVEDATESUPPORTED':
        return { name: 'ALL' };
      case 'OLDER':
      case 'YOUNGER':
        return { name, seconds: this.sp().nzNumber() };
      case 'LARGER':
      case 'SMALLER':
        return { name, octets: this.sp().number64() };
      case 'MODSEQ':
        this.sp();
        // RFC 7162 §3.1.5: which flag's mod-sequence is meant; there is one for all.
        if (this.peek() === '"') this.#entryName();
        return { name, since: this.modSeqOrZero() };
      case 'UID':
        return { name, set: this.sp().sequenceSet() };
      // RFC 9738 §3.2; * would not do: above the last UID, `5:*` names the last message all the same.
      case 'UIDAFTER':
      case 'UIDBEFORE':
        return { name, uid: this.sp().nzNumber() };
      case 'EMAILID':
      case 'THREADID':
        return { name, id: this.sp().#match(OBJECT_ID, 'an object id') };
      case 'OR': {
        this.sp();
        const left = key();
        this.sp();
        return { name, left, right: key() };
      }
      case 'NOT':
      case 'FUZZY':
        this.sp();
        return { name, key: key() };
      default:
        return this.#failAt(start, 'a search key such as UNSEEN or FROM');
    }
  }

  #entryName(): void {
    this.string();
    this.sp();
    if (!this.keyword('priv') && !this.keyword('shared') && !this.keyword('all')) this.#fail('priv, shared or all');
    this.sp();
  }

  // -------------------------------------------------------------------------------------------- octets

  #isString(): boolean {
    const next = this.#text.charCodeAt(this.#at);
    return next === 0x22 || next === 0x7b || (next === 0x7e && this.#text.charCodeAt(this.#at + 1) === 0x7b);
  }

  #stringOctets(what: string): Buffer {
    const next = this.peek();
    if (next === '"') return this.#quoted();
    if (next !== '{' && !this.#isString()) return this.#fail(what);
    const start = this.#at;
    const size = Number(this.#group(next === '~' ? LITERAL8 : LITERAL, what)[1]);
    const end = this.#at + size;
    if (end > this.#octets.length) this.#failAt(start, 'a literal whose octets are all there');
    const octets = this.#octets.subarray(this.#at, end);
    // RFC 9051 §9: a literal holds CHAR8, which NUL is not; a literal8 may.
    if (next === '{' && octets.includes(0)) this.#failAt(start, 'a literal without NUL');
    this.#at = end;
    return octets;
  }

  #quoted(): Buffer {
    const start = this.#at++;
    let unescaped = '';
    let from = this.#at;
    let quote = -1;
    let backslash = -1;
    for (;;) {
      if (quote < this.#at) quote = this.#indexOf('"');
      if (backslash < this.#at) backslash = this.#indexOf('\\');
      if (backslash >= quote) break;
      const special = this.#text.charAt(backslash + 1);
      if (special !== '"' && special !== '\\') return this.#failAt(backslash, '\\" or \\\\');
      unescaped += this.#text.slice(from, backslash) + special;
      this.#at = from = backslash + 2;
    }
    if (quote === this.#text.length) return this.#failAt(start, 'a closing quotation mark for the one');
    if (/[\r\n]/.test(this.#text.slice(start, quote))) return this.#failAt(start, 'one line in a quoted string');
    this.#at = quote + 1;
    const octets = this.#octets.subarray(from, quote);
    return unescaped === '' ? octets : Buffer.concat([Buffer.from(unescaped, 'latin1'), octets]);
  }

  /** Where the character comes next; the text's length if it does not. */
  #indexOf(character: string): number {
    const at = this.#text.indexOf(character, this.#at);
    return at === -1 ? this.#text.length : at;
  }

  #match(rule: RegExp, what: string): string {
    return this.#group(rule, what)[0];
  }

  #group(rule: RegExp, what: string): RegExpExecArray {
    rule.lastIndex = this.#at;
    const found = rule.exec(this.#text);
    if (found === null) return this.#fail(what);
    this.#at = rule.lastIndex;
    return found;
  }

  #fail(expected: string): never {
    return this.#failAt(this.#at, expected);
  }

  #failAt(at: number, expected: string): never {
    throw new BadSyntax(
      `Expected ${expected} at octet ${this.#offset + at + 1}, found ${found(this.#text.charAt(at))}`,
    );
  }
}

/** What an error shows of the command: one character. More might be a password. */
function found(character: string): string {
  if (character === '') return 'the end of the command';
  if (character === ' ') return 'a space';
  if (character === '\r' || character === '\n') return 'the end of the line';
  if (/[\x21-\x7e]/.test(character)) return character === '"' ? 'a quotation mark' : `"${character}"`;
  return `the octet 0x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function allOf(keys: readonly SearchKey[]): SearchKey {
  return keys.length === 1 ? keys[0]! : { name: 'AND', keys };
}

/** Undefined: the set does not ascend. */
function ascendingRanges(set: SequenceSet): NumberRange[] | undefined {
  const ranges = set.type === 'set' ? (set.ranges as readonly NumberRange[]) : [];
  const ascends = ranges.every(({ first, last }, i) => first <= last && (i === 0 || ranges[i - 1]!.last < first));
  return ascends ? [...ranges] : undefined;
}

/** Whether two ranges, both written upwards, are one without a gap. */
function isNeighbour(before: SequenceRange, first: number | '*', last: number | '*'): boolean {
  if (before.first === '*' || before.last === '*' || first === '*' || last === '*') return false;
  return before.first <= before.last && first <= last && first === before.last + 1;
}
