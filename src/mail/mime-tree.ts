/**
 * The parts of a message with their offsets: RFC 2045, RFC 2046 §5.1 and §5.2, with the fields of RFC 1864, RFC 2183,
 * RFC 2557, RFC 3282 and RFC 6532.
 *
 * One pass from the first octet to the last, without recursion and without a copy: the next boundary line is found by
 * the search for LF and two hyphens. Every offset counts from the start of the octets that were parsed. Of a large
 * message only a stretch need be in memory at a time.
 *
 * How broken messages are read:
 * - A line is a boundary line if it begins with two hyphens and a boundary (RFC 2046 §5.1.1: the rest of the line does
 *   not matter). Of several open boundaries the longest that fits is meant, of equal ones the innermost.
 * - A boundary line of an outer multipart ends all that is open within, as the end of the octets does.
 * - A Content-Type that cannot be used counts as text/plain (RFC 2045 §5.2): one without subtype, a multipart without
 *   boundary.
 * - Past the limits nothing is taken apart: a multipart or message nested deeper than MAX_DEPTH is an
 *   application/octet-stream, and the MAX_PARTS-th part has all the octets that follow it.
 */
import { binaryFieldBody, fieldBody, fieldsNamed, type Header, parseHeader } from './headers.ts';
import { inMemory, type OctetSource } from './octet-source.ts';
import { bufferOver, CR, LF, trimBlanks } from './octets.ts';
import { type Parameter, parseParameterised, withoutComments } from './parameters.ts';

export interface Disposition {
  readonly type: string;
  readonly parameters: readonly Parameter[];
}

export interface MimePart {
  /** The offset of its header; of the message's own for the root and for `message`. */
  readonly start: number;
  /** The offset after the header's empty line. */
  readonly bodyStart: number;
  /** The line end before a boundary line belongs to the boundary: RFC 2046 §5.1.1. */
  readonly end: number;
  /** Line ends in the body of text and of messages; 0 for other types. */
  readonly lines: number;
  /** Type, subtype, parameters and all other fields are as written, not lowered and not decoded (but octets as text). */
  readonly type: string;
  readonly subtype: string;
  readonly parameters: readonly Parameter[];
  readonly id: string | undefined;
  readonly description: string | undefined;
  readonly encoding: string | undefined;
  readonly md5: string | undefined;
  readonly disposition: Disposition | undefined;
  readonly language: readonly string[];
  readonly location: string | undefined;
  /** Parts of a multipart, in their order; empty for all others. */
  readonly children: readonly MimePart[];
  /** The message inside message/rfc822 or message/global; its header starts where this part's body does. */
  readonly message: MimePart | undefined;
}

/** Multiparts and messages inside one another. */
export const MAX_DEPTH = 100;
export const MAX_PARTS = 10_000;

/** The media type in lower case, such as `text/plain`. */
export function mediaType(part: Pick<MimePart, 'type' | 'subtype'>): string {
  return `${part.type}/${part.subtype}`.toLowerCase();
}

export function isMultipart(part: Pick<MimePart, 'type'>): boolean {
  return part.type.toLowerCase() === 'multipart';
}

/** The tree of a whole message, header and body. */
export function parseMimeTree(octets: Uint8Array | OctetSource): MimePart {
  return new TreeParser(octets instanceof Uint8Array ? inMemory(octets) : octets).parse();
}

/**
 * The part that IMAP numbers so (RFC 9051 §6.4.5.1); the root for an empty path.
 *
 * The parts of a message are 1, 2, … if it is a multipart; else its body is part 1, and what comes back is the message
 * itself, whose `bodyStart` and `end` delimit it. Below a message/rfc822 the numbers are those of the message inside,
 * and HEADER, TEXT and HEADER.FIELDS behind the number mean its `message`; MIME means the octets from `start` to
 * `bodyStart` of the part found.
 */
export function findPart(tree: MimePart, path: readonly number[]): MimePart | undefined {
  let part: MimePart = tree;
  let isMessage = true;
  for (const number of path) {
    let within = part;
    if (!isMessage && part.message) {
      within = part.message;
      isMessage = true;
    }
    const next = isMultipart(within) ? within.children[number - 1] : isMessage && number === 1 ? within : undefined;
    if (!next) return undefined;
    part = next;
    isMessage = false;
  }
  return part;
}

/** Every part with the path that `findPart` takes; multiparts and the messages inside parts come before their parts. */
export function* partsOf(tree: MimePart): Generator<{ readonly part: MimePart; readonly path: readonly number[] }> {
  const waiting: { part: MimePart; path: readonly number[] }[] = [{ part: tree, path: isMultipart(tree) ? [] : [1] }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { part, path } = next;
    yield next;
    if (part.message) waiting.push({ part: part.message, path: isMultipart(part.message) ? path : [...path, 1] });
    for (let index = part.children.length - 1; index >= 0; index--) {
      waiting.push({ part: part.children[index]!, path: [...path, index + 1] });
    }
  }
}

type Kind = 'leaf' | 'multipart' | 'message';

/** A part whose end is not known yet. */
interface OpenPart {
  readonly start: number;
  readonly bodyStart: number;
  readonly fields: ContentFields;
  readonly kind: Kind;
  readonly boundary: string | undefined;
  readonly linesBefore: number;
  readonly children: MimePart[];
  message: MimePart | undefined;
  /** A multipart whose closing boundary line has come: what follows is its epilogue. */
  isClosed: boolean;
}

class TreeParser {
  readonly #source: OctetSource;
  readonly #open: OpenPart[] = [];
  readonly #boundaries = new Boundaries();
  #count = 0;
  /** Line ends before `#countedTo`: counted once, from the first octet on. */
  #lines = 0;
  #countedTo = 0;

  constructor(source: OctetSource) {
    this.#source = source;
  }

  parse(): MimePart {
    let position = this.#openPart(0, 'text/plain');
    for (let found = this.#nextBoundary(position); found; found = this.#nextBoundary(position)) {
      position = this.#delimiter(found);
    }
    return this.#close(0, this.#source.length)!;
  }

  /** Opens a part whose header starts here, and the message inside it; returns where its body starts. */
  #openPart(start: number, defaultType: string): number {
    let position = start;
    for (let type = defaultType; ; type = 'text/plain') {
      this.#count++;
      const { octets, header } = this.#headerAt(position);
      const fields = contentFields(octets, header, type);
      const kind = kindOf(fields);
      const isOpaque = kind !== 'leaf' && (this.#open.length >= MAX_DEPTH || this.#count >= MAX_PARTS);
      const part: OpenPart = {
        start: position,
        bodyStart: position + header.end,
        fields: isOpaque ? { ...fields, ...OPAQUE } : fields,
        kind: isOpaque ? 'leaf' : kind,
        boundary: kind === 'multipart' && !isOpaque ? boundaryOctets(octets, header) : undefined,
        linesBefore: this.#linesUpTo(position + header.end),
        children: [],
        message: undefined,
        isClosed: false,
      };
      this.#open.push(part);
      if (part.boundary !== undefined) this.#boundaries.add(part.boundary, this.#open.length - 1);
      position = part.bodyStart;
      if (part.kind !== 'message') return position;
    }
  }

  /** The header that starts here, counted from its own first octet. */
  #headerAt(start: number): { readonly octets: Buffer; readonly header: Header } {
    for (let least = SHORT_HEADER; ; least *= 2) {
      const octets = this.#source.from(start, least);
      const header = parseHeader(octets, 0, octets.length, (line) => this.#isBoundary(octets, line));
      if (header.end < octets.length || start + octets.length === this.#source.length) return { octets, header };
    }
  }

  #delimiter({ line, level, isClosing }: Delimiter): number {
    const before = line > 1 && this.#source.from(line - 2, 1)[0] === CR ? line - 2 : line - 1;
    // Where nothing lies between a header and the boundary line, the line end before it is the header's own.
    this.#close(level + 1, Math.max(before, this.#open.at(-1)!.bodyStart));
    const next = this.#nextLine(line);
    const multipart = this.#open[level]!;
    if (isClosing) {
      this.#boundaries.remove(multipart.boundary!, level);
      multipart.isClosed = true;
      return next;
    }
    return this.#openPart(next, mediaType(multipart.fields) === 'multipart/digest' ? 'message/rfc822' : 'text/plain');
  }

  /** Ends every part from this level on; the outermost of them is returned. */
  #close(level: number, end: number): MimePart | undefined {
    let part: MimePart | undefined;
    while (this.#open.length > level) {
      const open = this.#open.pop()!;
      if (open.boundary !== undefined && !open.isClosed) this.#boundaries.remove(open.boundary, this.#open.length);
      const isCounted = open.kind === 'message' || open.fields.type.toLowerCase() === 'text';
      part = {
        start: open.start,
        bodyStart: open.bodyStart,
        end,
        lines: isCounted ? this.#linesUpTo(end) - open.linesBefore : 0,
        ...open.fields,
        children: open.children,
        message: open.message,
      };
      const parent = this.#open.at(-1);
      if (parent?.kind === 'message') parent.message = part;
      else parent?.children.push(part);
    }
    return part;
  }

  #nextBoundary(from: number): Delimiter | undefined {
    // Past the limit boundary lines mean nothing: the last part takes the rest.
    if (this.#boundaries.isEmpty || this.#count >= MAX_PARTS) return undefined;
    const needed = LINE_AND_HYPHENS.length + this.#boundaries.longest + 2;
    for (let at = Math.max(0, from - 1); ;) {
      const octets = this.#source.from(at, needed);
      const isLast = at + octets.length === this.#source.length;
      let newline = octets.indexOf(LINE_AND_HYPHENS);
      while (newline !== -1 && (isLast || octets.length - newline >= needed)) {
        const found = this.#boundaries.match(octets, newline + 1);
        if (found) return { ...found, line: at + newline + 1 };
        newline = octets.indexOf(LINE_AND_HYPHENS, newline + LINE_AND_HYPHENS.length);
      }
      if (isLast) return undefined;
      at += newline === -1 ? octets.length - LINE_AND_HYPHENS.length + 1 : newline;
    }
  }

  #isBoundary(octets: Buffer, line: number): boolean {
    if (octets[line] !== HYPHEN || octets[line + 1] !== HYPHEN) return false;
    return this.#count < MAX_PARTS && this.#boundaries.match(octets, line) !== undefined;
  }

  /** The offset after the end of the line that this one lies in. */
  #nextLine(offset: number): number {
    for (let at = offset; at < this.#source.length;) {
      const octets = this.#source.from(at, 1);
      const newline = octets.indexOf(LF);
      if (newline !== -1) return at + newline + 1;
      at += octets.length;
    }
    return this.#source.length;
  }

  #linesUpTo(offset: number): number {
    while (this.#countedTo < offset) {
      const octets = this.#source.from(this.#countedTo, 1).subarray(0, offset - this.#countedTo);
      for (let at = octets.indexOf(LF); at !== -1; at = octets.indexOf(LF, at + 1)) this.#lines++;
      this.#countedTo += octets.length;
    }
    return this.#lines;
  }
}

/** How many octets of a header are asked for at first, should the source have no more at hand. */
const SHORT_HEADER = 128;
const HYPHEN = 0x2d;
const LINE_AND_HYPHENS = Buffer.from('\n--');
const OPAQUE = { type: 'application', subtype: 'octet-stream', parameters: [] } as const;

interface Delimiter {
  readonly line: number;
  /** The place of its multipart among the open parts. */
  readonly level: number;
  readonly isClosing: boolean;
}

/** The boundaries of the open multiparts. A line is looked up once for each length that one of them has. */
class Boundaries {
  /** The levels that have this boundary, the innermost last. */
  readonly #levels = new Map<string, number[]>();
  /** How many begin with this octet: most lines need no look-up. */
  readonly #firstOctets = new Uint8Array(256);
  /** The lengths of the boundaries, the longest first. */
  #lengths: readonly number[] = [];

  get isEmpty(): boolean {
    return this.#lengths.length === 0;
  }

  add(boundary: string, level: number): void {
    const levels = this.#levels.get(boundary) ?? [];
    this.#levels.set(boundary, levels);
    levels.push(level);
    this.#firstOctets[boundary.charCodeAt(0)]!++;
    this.#measure();
  }

  remove(boundary: string, level: number): void {
    const levels = this.#levels.get(boundary)?.filter((other) => other !== level) ?? [];
    if (levels.length === 0) this.#levels.delete(boundary);
    else this.#levels.set(boundary, levels);
    this.#firstOctets[boundary.charCodeAt(0)]!--;
    this.#measure();
  }

  /** How long the longest of them is. */
  get longest(): number {
    return this.#lengths[0] ?? 0;
  }

  /** `line` is the offset of a line that begins with two hyphens. */
  match(octets: Buffer, line: number): Omit<Delimiter, 'line'> | undefined {
    const first = octets[line + 2];
    if (first === undefined || this.#firstOctets[first] === 0) return undefined;
    const text = octets.toString('latin1', line + 2, line + 4 + this.#lengths[0]!);
    for (const length of this.#lengths) {
      const level = this.#levels.get(text.slice(0, length))?.at(-1);
      if (level !== undefined) return { level, isClosing: text.startsWith('--', length) };
    }
    return undefined;
  }

  #measure(): void {
    const lengths = new Set(Array.from(this.#levels.keys(), (boundary) => boundary.length));
    this.#lengths = [...lengths].sort((one, other) => other - one);
  }
}

type ContentFields = Pick<
  MimePart,
  | 'type'
  | 'subtype'
  | 'parameters'
  | 'id'
  | 'description'
  | 'encoding'
  | 'md5'
  | 'disposition'
  | 'language'
  | 'location'
>;

/** The fields of a part's header that describe its content. Of a field that stands there twice the first counts. */
function contentFields(octets: Buffer, header: Header, defaultType: string): ContentFields {
  const bodies = new Map<string, string>();
  for (const field of header.fields) {
    // "content-" in the octets would be a comparison for each field; its first letter rules most of them out.
    if (field.name.length < 10 || (field.name.charCodeAt(0) | 0x20) !== 0x63) continue;
    const name = field.name.toLowerCase();
    if (name.startsWith('content-') && !bodies.has(name)) bodies.set(name, fieldBody(octets, field));
  }
  const disposition = bodies.get('content-disposition');
  const parsed = disposition === undefined ? undefined : parseParameterised(disposition);
  return {
    ...contentType(bodies.get('content-type'), defaultType),
    id: bodies.get('content-id'),
    description: bodies.get('content-description'),
    encoding: token(bodies.get('content-transfer-encoding')),
    md5: bodies.get('content-md5'),
    disposition: parsed?.value ? { type: parsed.value, parameters: parsed.parameters } : undefined,
    language: languages(bodies.get('content-language')),
    // Blanks in a folded URI are no part of it: RFC 2557 §4.1.
    location: bodies.get('content-location')?.replace(/[ \t\r\n]+/g, ''),
  };
}

function contentType(text: string | undefined, defaultType: string) {
  if (text !== undefined) {
    const { value, parameters } = parseParameterised(text);
    const match = /^([^\s/]+)\s*\/\s*([^\s/]\S*)/.exec(value);
    const found = match && { type: match[1]!, subtype: match[2]!, parameters };
    if (found && (kindOf(found) !== 'multipart' || boundaryOf(parameters) !== '')) return found;
    return { type: 'text', subtype: 'plain', parameters: US_ASCII };
  }
  const [type, subtype] = defaultType.split('/') as [string, string];
  return { type, subtype, parameters: type === 'text' ? US_ASCII : [] };
}

// RFC 2045 §5.2.
const US_ASCII: readonly Parameter[] = [['charset', 'us-ascii']];

function kindOf(fields: Pick<MimePart, 'type' | 'subtype'>): Kind {
  const type = mediaType(fields);
  if (type.startsWith('multipart/')) return 'multipart';
  // RFC 6532 §3.7: message/global is message/rfc822 with UTF-8 headers.
  return type === 'message/rfc822' || type === 'message/global' ? 'message' : 'leaf';
}

/** '' where there is none. A boundary does not end with a blank: RFC 2046 §5.1.1. */
function boundaryOf(parameters: readonly Parameter[]): string {
  const value = parameters.find(([name]) => name.toLowerCase() === 'boundary')?.[1] ?? '';
  return trimBlanks(`.${value.slice(0, MAX_BOUNDARY)}`).slice(1);
}

/** The boundary as it stands in the octets, one character each. */
function boundaryOctets(octets: Buffer, header: Header): string | undefined {
  const field = fieldsNamed(header, 'Content-Type')[0];
  return field && (boundaryOf(parseParameterised(binaryFieldBody(octets, field)).parameters) || undefined);
}

/** RFC 2046 permits 70 octets; what is longer is compared by its beginning. */
const MAX_BOUNDARY = 500;

function token(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const { value } = parseParameterised(text);
  return value === '' ? undefined : value;
}

/** RFC 3282 §2: tags between commas. */
function languages(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  return withoutComments(text)
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
    .slice(0, 100);
}

/** The first element of what `encodeMimeTree` writes. */
const VERSION = 1;

type Row = readonly [
  offsets: readonly [start: number, headerLength: number, bodyLength: number, lines: number],
  type: string,
  subtype: string,
  parameters: readonly Parameter[],
  rest?: {
    id?: string;
    d?: string;
    e?: string;
    m?: string;
    dt?: string;
    dp?: readonly Parameter[];
    la?: readonly string[];
    lo?: string;
    c?: Row[];
    r?: Row;
  },
];

/** The tree in the form that the store keeps beside a message: JSON, its version first. */
export function encodeMimeTree(tree: MimePart): Uint8Array {
  return Buffer.from(JSON.stringify([VERSION, toRow(tree)]), 'utf8');
}

/** What `encodeMimeTree` wrote; throws on another version, after which the tree is to be parsed anew. */
export function decodeMimeTree(octets: Uint8Array): MimePart {
  const [version, row] = JSON.parse(bufferOver(octets).toString('utf8')) as [number, Row];
  if (version !== VERSION) throw new Error(`MIME tree of version ${version}, not ${VERSION}`);
  return toPart(row);
}

function toRow(part: MimePart): Row {
  const { id, description, encoding, md5, disposition, language, location, children, message } = part;
  const rest: NonNullable<Row[4]> = {
    ...(id !== undefined && { id }),
    ...(description !== undefined && { d: description }),
    ...(encoding !== undefined && { e: encoding }),
    ...(md5 !== undefined && { m: md5 }),
    ...(disposition && { dt: disposition.type }),
    ...(disposition && disposition.parameters.length > 0 && { dp: disposition.parameters }),
    ...(language.length > 0 && { la: language }),
    ...(location !== undefined && { lo: location }),
    ...(children.length > 0 && { c: children.map(toRow) }),
    ...(message && { r: toRow(message) }),
  };
  const offsets = [part.start, part.bodyStart - part.start, part.end - part.bodyStart, part.lines] as const;
  const row = [offsets, part.type, part.subtype, part.parameters] as const;
  return Object.keys(rest).length === 0 ? row : [...row, rest];
}

function toPart([[start, headerLength, bodyLength, lines], type, subtype, parameters, rest = {}]: Row): MimePart {
  return {
    start,
    bodyStart: start + headerLength,
    end: start + headerLength + bodyLength,
    lines,
    type,
    subtype,
    parameters,
    id: rest.id,
    description: rest.d,
    encoding: rest.e,
    md5: rest.m,
    disposition: rest.dt === undefined ? undefined : { type: rest.dt, parameters: rest.dp ?? [] },
    language: rest.la ?? [],
    location: rest.lo,
    children: rest.c?.map(toPart) ?? [],
    message: rest.r && toPart(rest.r),
  };
}
