/**
 * Responses as octets: RFC 9051 §7 and §9, RFC 3501 §7 for clients that have not enabled IMAP4rev2. What the client has
 * enabled, its dialect, decides how a thing is said: mailbox names in modified UTF-7 or UTF-8, SEARCH or ESEARCH
 * (RFC 4731), EXPUNGE or VANISHED (RFC 7162 §3.2.10), FETCH or UIDFETCH (RFC 9586).
 *
 * Short texts are gathered into slabs of memory, so that a thousand FETCH responses leave as one piece; large octets are
 * passed on as they are. What has been handed out is never written to again.
 */
import { bufferOver } from '../../mail/octets.ts';
import { encodeMailboxName } from './mailbox-name.ts';
import { esearchData, threadData, updateData } from './search-results.ts';
import { rangesToSet } from './sequence-set.ts';
import type { Completion, Dialect, FetchItem, ListEntry, Response, SearchCorrelator, SearchResult } from './syntax.ts';

type FetchResponse = Extract<Response, { type: 'fetch' }>;
type Streamed = Extract<FetchItem, { type: 'stream' }>;

const SLAB = 65_536;
/** Text is encoded in runs of this many characters at least, if there are as many. */
const RUN = 4096;
/** Longer values of annotations are literals: some clients read lines of bounded length. */
const LONGEST_QUOTED = 1024;
/** From here on octets are passed on without a copy. */
const LARGE = 8192;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const SECONDS_PER_DAY = 86_400;

export class ResponseWriter {
  /** May be replaced between two responses. */
  dialect: Dialect;
  /** A fault on purpose: literals of messages announce so many octets more than come. */
  literalBy = 0;
  /** What has been said and not yet encoded; each character is one octet. */
  #text = '';
  #slab = Buffer.alloc(0);
  /** How large the next one will be: small at first, for most commands have little to say. */
  #slabSize = RUN;
  /** The octets of the slab from `#start` to before `#end` are said and not yet in `#pieces`. */
  #start = 0;
  #end = 0;
  #pieces: Uint8Array[] = [];
  #piecesLength = 0;
  /** Flag sets are shared between messages: their texts are found by identity. */
  readonly #flagTexts = new WeakMap<readonly string[], string>();
  #lastFlags: readonly string[] | undefined;
  #lastFlagText = '';

  constructor(dialect: Dialect) {
    this.dialect = dialect;
  }

  /** Octets that wait to be taken: from 64 KiB on it is time. */
  get pending(): number {
    return this.#piecesLength + this.#end - this.#start + this.#text.length;
  }

  /** All that waits, in order. */
  take(): Uint8Array[] {
    this.#cut();
    const pieces = this.#pieces;
    // A session that rests does not hold 64 KiB; one that has much to say gets them again.
    this.#slabSize = this.#piecesLength > RUN ? SLAB : RUN;
    if (this.#slab.length > RUN) this.#newSlab(Buffer.alloc(0));
    this.#pieces = [];
    this.#piecesLength = 0;
    return pieces;
  }

  /** `tag OK [code] text` */
  completion(tag: string, completion: Completion): void {
    this.#text += `${tag} `;
    this.#status(completion.status, completion.code, completion.text);
  }

  /** `+ text`: the client may go on (RFC 9051 §7.6). */
  continuation(text: string): void {
    this.#say(`+ ${this.#oneLine(text)}\r\n`);
  }

  /** An untagged response without streams. */
  response(response: Response): void {
    switch (response.type) {
      case 'fetch':
        this.#fetch(response);
        break;
      case 'status':
        this.#text += '* ';
        this.#status(response.status, response.code, response.text);
        break;
      case 'capability':
        this.#line(words('CAPABILITY', response.names));
        break;
      case 'enabled':
        this.#line(words('ENABLED', response.names));
        break;
      case 'flags':
        this.#line(`FLAGS (${response.flags.join(' ')})`);
        break;
      case 'exists':
        this.#line(`${response.count} EXISTS`);
        break;
      case 'recent':
        this.#line(`${response.count} RECENT`);
        break;
      case 'expunged':
        if (this.dialect.qresync || this.dialect.uidOnly) this.#vanished('', response.uids);
        else for (const seqNum of response.seqNums) this.#line(`${seqNum} EXPUNGE`);
        break;
      case 'vanished-earlier':
        this.#vanished('(EARLIER) ', response.uids);
        break;
      case 'list':
      case 'lsub':
        this.#list(response.type.toUpperCase(), response);
        break;
      case 'mailbox-status': {
        const items = response.items.map(
          ([name, value]) => `${name} ${typeof value === 'string' ? `(${value})` : value}`,
        );
        this.#line(`STATUS ${this.#mailbox(response.name)} (${items.join(' ')})`);
        break;
      }
      case 'metadata':
        this.#metadata(response);
        break;
      case 'metadata-changed':
        this.#line(`METADATA ${this.#mailbox(response.mailbox)} ${response.entries.map(astring).join(' ')}`);
        break;
      case 'quota': {
        const resources = response.resources.map(({ name, usage, limit }) => `${name} ${usage} ${limit}`);
        this.#line(`QUOTA ${this.#string(response.root)} (${resources.join(' ')})`);
        break;
      }
      case 'quotaroot': {
        const roots = response.roots.map((root) => this.#string(root));
        this.#line(words(`QUOTAROOT ${this.#mailbox(response.mailbox)}`, roots));
        break;
      }
      case 'search':
        this.#search(response);
        break;
      case 'search-update':
        this.#line(`ESEARCH ${this.#correlator(response)}${updateData(response.changes)}`);
        break;
      case 'thread':
        this.#line(`THREAD${threadData(response.forest)}`);
        break;
      case 'namespace': {
        const { personal, others, shared } = response;
        this.#line(`NAMESPACE ${[personal, others, shared].map((list) => this.#namespaces(list)).join(' ')}`);
        break;
      }
      case 'acl': {
        const entries = response.entries.map(([name, rights]) => ` ${this.#astring(name)} ${this.#astring(rights)}`);
        this.#line(`ACL ${this.#mailbox(response.name)}${entries.join('')}`);
        break;
      }
      case 'list-rights': {
        const { name, identifier, required, optional } = response;
        const words = [identifier, required, ...optional].map((word) => this.#astring(word));
        this.#line(`LISTRIGHTS ${this.#mailbox(name)} ${words.join(' ')}`);
        break;
      }
      case 'my-rights':
        this.#line(`MYRIGHTS ${this.#mailbox(response.name)} ${this.#astring(response.rights)}`);
        break;
      case 'id':
        this.#line(`ID ${this.#idParameters(response.parameters)}`);
        break;
      case 'raw':
        this.#line(encodeUtf8(response.text));
        break;
    }
  }

  /**
   * Any response, with streams: yields all that waits and the response, in pieces as they come.
   * A stream that is not as long as it said ends the connection: what follows could not be told from it.
   */
  async *streaming(response: Response): AsyncGenerator<Uint8Array, void, undefined> {
    if (response.type !== 'fetch') this.response(response);
    else {
      this.#text += this.dialect.uidOnly ? `* ${response.uid} UIDFETCH (` : `* ${response.seqNum} FETCH (`;
      let first = true;
      for (const item of response.items) {
        if (!first) this.#text += ' ';
        first = false;
        if (item.type === 'stream') yield* this.#stream(item);
        else this.#item(item);
      }
      this.#say(')\r\n');
    }
    yield* this.take();
  }

  // ------------------------------------------------------------------------------------------------ FETCH

  #fetch(response: FetchResponse): void {
    this.#text += this.dialect.uidOnly ? `* ${response.uid} UIDFETCH (` : `* ${response.seqNum} FETCH (`;
    let first = true;
    for (const item of response.items) {
      if (!first) this.#text += ' ';
      first = false;
      this.#item(item);
    }
    this.#say(')\r\n');
  }

  #item(item: FetchItem): void {
    switch (item.type) {
      case 'number':
        this.#text += `${item.name} ${item.value}`;
        return;
      case 'flags':
        this.#text += this.#flags(item.flags);
        return;
      case 'text':
        this.#text += `${item.name} `;
        if (typeof item.text === 'string') this.#text += encodeUtf8(item.text);
        else this.#octets(item.text);
        return;
      case 'date':
        this.#text += `${item.name} "${dateTime(item.date)}"`;
        return;
      case 'nstring':
        this.#text += `${item.name} ${item.text === undefined ? 'NIL' : this.#string(item.text)}`;
        return;
      case 'mod-seq':
        this.#text += `MODSEQ (${item.modSeq})`;
        return;
      case 'octets':
        if (item.octets === undefined) this.#text += `${item.name} NIL`;
        else {
          this.#text += `${item.name} ${item.binary === true ? '~' : ''}{${this.#announced(item.octets.length)}}\r\n`;
          this.#octets(item.binary === true ? item.octets : withoutNul(item.octets));
        }
        return;
      case 'stream':
        throw new Error('A response with a stream is printed by streaming()');
    }
  }

  async *#stream(item: Streamed): AsyncGenerator<Uint8Array, void, undefined> {
    this.#text += `${item.name} ${item.binary === true ? '~' : ''}{${this.#announced(item.size)}}\r\n`;
    yield* this.take();
    let left = item.size;
    for await (const piece of item.octets) {
      left -= piece.length;
      if (left < 0) break;
      yield item.binary === true ? piece : withoutNul(piece);
    }
    if (left !== 0) throw new Error(`${item.name}: ${item.size} octets were announced, and ${item.size - left} came`);
  }

  #announced(octets: number): number {
    return Math.max(0, octets + this.literalBy);
  }

  #flags(flags: readonly string[]): string {
    if (flags === this.#lastFlags) return this.#lastFlagText;
    let text = this.#flagTexts.get(flags);
    if (text === undefined) {
      text = `FLAGS (${flags.join(' ')})`;
      this.#flagTexts.set(flags, text);
    }
    this.#lastFlags = flags;
    this.#lastFlagText = text;
    return text;
  }

  // ------------------------------------------------------------------------------------- other responses

  #status(status: string, code: string | undefined, text: string): void {
    let line = this.#oneLine(text);
    // RFC 9051 §7.1: text that began with a bracket would be read as a code; and there is always some text.
    if (line.startsWith('[')) line = `(${line.slice(1)}`;
    if (line === '') line = status === 'OK' ? 'Completed' : 'No reason given';
    const inBrackets = code === undefined ? '' : `[${this.#oneLine(code)}] `;
    this.#say(`${status} ${inBrackets}${line}\r\n`);
  }

  #vanished(earlier: string, uids: readonly { readonly first: number; readonly last: number }[]): void {
    if (uids.length > 0) this.#line(`VANISHED ${earlier}${rangesToSet(uids)}`);
  }

  #list(name: string, entry: ListEntry): void {
    const delimiter = entry.delimiter === null ? 'NIL' : quoted(entry.delimiter);
    const extended = entry.extended === undefined ? '' : ` ${encodeUtf8(entry.extended)}`;
    this.#line(`${name} (${entry.attributes.join(' ')}) ${delimiter} ${this.#mailbox(entry.name)}${extended}`);
  }

  /** RFC 5464 §5 value: a quoted string where it is plain text, a literal for other octets, a literal8 where NUL is among them. */
  #metadata({ mailbox, values }: Extract<Response, { type: 'metadata' }>): void {
    this.#text += `* METADATA ${this.#mailbox(mailbox)} (`;
    let first = true;
    for (const [entry, value] of values) {
      this.#text += `${first ? '' : ' '}${astring(entry)} `;
      first = false;
      if (value === null) this.#text += 'NIL';
      else this.#value(bufferOver(value));
    }
    this.#say(')\r\n');
  }

  #value(value: Buffer): void {
    const text = value.length <= LONGEST_QUOTED ? value.toString('latin1') : undefined;
    if (text !== undefined && /^[\x20-\x7e]*$/.test(text)) {
      this.#text += quoted(text);
      return;
    }
    this.#text += `${value.includes(0) ? '~' : ''}{${value.length}}\r\n`;
    this.#octets(value);
  }

  #search(result: SearchResult): void {
    const sorted = result.sorted ?? false;
    if (result.returns === undefined && (sorted || !this.dialect.rev2)) {
      const modSeq = result.modSeq === undefined || result.numbers.length === 0 ? '' : ` (MODSEQ ${result.modSeq})`;
      this.#text += sorted ? '* SORT' : '* SEARCH';
      for (let i = 0; i < result.numbers.length; i++) {
        this.#text += ` ${result.numbers[i]!}`;
        if (i % 512 === 0) this.#encode();
      }
      this.#say(`${modSeq}\r\n`);
      return;
    }
    const returns = new Set(result.returns ?? ['ALL']);
    // RFC 9051 §6.4.4: RETURN (SAVE) alone is answered by the tagged OK alone.
    if (returns.size === 1 && returns.has('SAVE')) return;
    this.#line(`ESEARCH ${this.#correlator(result)}${esearchData(result, returns)}`);
  }

  #correlator({ tag, uid, mailbox }: SearchCorrelator): string {
    const of =
      mailbox === undefined ? '' : ` MAILBOX ${this.#mailbox(mailbox.name)} UIDVALIDITY ${mailbox.uidValidity}`;
    return `(TAG ${quoted(tag)}${of})${uid ? ' UID' : ''}`;
  }

  #namespaces(list: readonly (readonly [prefix: string, delimiter: string])[]): string {
    if (list.length === 0) return 'NIL';
    const names = list.map(
      ([prefix, delimiter]) => `(${this.#string(this.#encodedName(prefix))} ${quoted(delimiter)})`,
    );
    return `(${names.join('')})`;
  }

  #idParameters(parameters: ReadonlyMap<string, string | null> | null): string {
    if (parameters === null) return 'NIL';
    const pairs = [...parameters].map(
      ([field, value]) => `${this.#string(field)} ${value === null ? 'NIL' : this.#string(value)}`,
    );
    return `(${pairs.join(' ')})`;
  }

  // --------------------------------------------------------------------------------------------- strings

  #encodedName(name: string): string {
    return this.dialect.utf8 || this.dialect.rev2 ? name : encodeMailboxName(name);
  }

  /** A mailbox name as an atom where it looks like one, else as a string. */
  #mailbox(name: string): string {
    return this.#astring(this.#encodedName(name));
  }

  #astring(text: string): string {
    return isPlainAtom(text) ? text : this.#string(text);
  }

  /** Quoted where that is allowed, else a literal. */
  #string(text: string): string {
    const allowed = this.dialect.utf8 || this.dialect.rev2 ? /^[^\0\r\n]*$/ : /^[\x01-\x09\x0b\x0c\x0e-\x7f]*$/;
    const octets = encodeUtf8(text);
    return allowed.test(text) ? quoted(octets) : `{${octets.length}}\r\n${octets}`;
  }

  /** Without line ends; other than ASCII only for those who can read it (RFC 9051 §9 text). */
  #oneLine(text: string): string {
    if (/^[\x20-\x7e]*$/.test(text)) return text;
    const line = text.replace(/[\x00-\x1f\x7f]+/g, ' ');
    return this.dialect.utf8 || this.dialect.rev2 ? encodeUtf8(line) : line.replace(/[^\x20-\x7e]/gu, '?');
  }

  // ----------------------------------------------------------------------------------------------- octets

  #line(text: string): void {
    this.#say(`* ${text}\r\n`);
  }

  #say(text: string): void {
    this.#text += text;
    if (this.#text.length > RUN) this.#encode();
  }

  /** Text into the slab. */
  #encode(): void {
    const { length } = this.#text;
    if (length === 0) return;
    this.#makeRoom(length);
    this.#slab.write(this.#text, this.#end, 'latin1');
    this.#end += length;
    this.#text = '';
  }

  #octets(octets: Uint8Array): void {
    if (octets.length >= LARGE) {
      this.#cut();
      this.#pieces.push(octets);
      this.#piecesLength += octets.length;
      return;
    }
    this.#encode();
    this.#makeRoom(octets.length);
    this.#slab.set(octets, this.#end);
    this.#end += octets.length;
  }

  #makeRoom(length: number): void {
    if (this.#slab.length - this.#end >= length) return;
    this.#cutSlab();
    this.#newSlab(Buffer.allocUnsafeSlow(Math.max(this.#slabSize, length)));
    this.#slabSize = SLAB;
  }

  #newSlab(slab: Buffer<ArrayBuffer>): void {
    this.#slab = slab;
    this.#start = 0;
    this.#end = 0;
  }

  #cut(): void {
    this.#encode();
    this.#cutSlab();
  }

  #cutSlab(): void {
    if (this.#end === this.#start) return;
    this.#pieces.push(this.#slab.subarray(this.#start, this.#end));
    this.#piecesLength += this.#end - this.#start;
    this.#start = this.#end;
  }
}

/** Whether a response is to be printed by `streaming`. */
export function hasStream(response: Response): boolean {
  return response.type === 'fetch' && response.items.some((item) => item.type === 'stream');
}

/** CHAR8 has every octet but NUL (RFC 9051 §4.3.1, §9): as in ENVELOPE, 0x80 stands in its place. */
function withoutNul(octets: Uint8Array): Uint8Array {
  return bufferOver(octets).includes(0) ? Uint8Array.from(octets, (octet) => octet || 0x80) : octets;
}

/** RFC 9051 §9 date-time, in UTC: `17-Jul-1996 02:44:25 +0000`. */
export function dateTime(date: Date): string {
  const seconds = Math.floor(date.getTime() / 1000);
  const inDay = seconds - Math.floor(seconds / SECONDS_PER_DAY) * SECONDS_PER_DAY;
  const time = `${two(Math.floor(inDay / 3600))}:${two(Math.floor(inDay / 60) % 60)}:${two(inDay % 60)}`;
  const day = String(date.getUTCDate()).padStart(2, ' ');
  return `${day}-${MONTHS[date.getUTCMonth()]!}-${String(date.getUTCFullYear()).padStart(4, '0')} ${time} +0000`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

function words(first: string, others: readonly string[]): string {
  return [first, ...others].join(' ');
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function astring(text: string): string {
  return isPlainAtom(text) ? text : quoted(text);
}

/** Something that no reader takes for anything else: no wildcard, no bracket, not NIL. */
function isPlainAtom(text: string): boolean {
  return /^[A-Za-z0-9&+,./_$'=@#:!?~^`|;<>-]+$/.test(text) && text.toUpperCase() !== 'NIL';
}

/** As UTF-8, each octet one character. */
function encodeUtf8(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text : bufferOver(Buffer.from(text, 'utf8')).toString('latin1');
}
