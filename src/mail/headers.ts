/**
 * Header fields: RFC 5322 §2.2 and §3.6, the obsolete blank before the colon of §4.5, encoded words of RFC 2047.
 *
 * A header is not copied: fields are offsets into the octets of the message. What is broken is passed over and stays
 * in the header's octets: a line that has no colon and continues nothing is no field (nor are its continuations), and
 * the header goes on until its empty line. Lines end with CRLF or with LF alone.
 */
import { createRequire } from 'node:module';
import type libmime from 'libmime';
import { bufferOver, CR, guessTextOfBinary, LF, trimBlanks } from './octets.ts';

export interface HeaderField {
  /** As written, without the colon and the blanks before it. */
  readonly name: string;
  readonly start: number;
  /** The offset after the colon. */
  readonly bodyStart: number;
  /** The offset after the field's last line end. */
  readonly end: number;
}

export interface Header {
  readonly fields: readonly HeaderField[];
  readonly start: number;
  /** The offset of the body: after the empty line, or the end of the octets when there is none. */
  readonly end: number;
}

/** Fields beyond this number stay in the header's octets, but are not looked at: a bound on memory. */
const MAX_FIELDS = 50_000;
/** Encoded words of a field longer than this stay as they are. */
const MAX_ENCODED = 256 * 1024;

const COLON = 0x3a;
const SP = 0x20;
const TAB = 0x09;

/**
 * @param endsAt whether the line at this offset ends the header without being part of it: the boundary line of a
 *   multipart whose part has no empty line (the MIME tree asks)
 */
export function parseHeader(
  octets: Uint8Array,
  start = 0,
  end = octets.length,
  endsAt?: (lineStart: number) => boolean,
): Header {
  const buffer = bufferOver(octets);
  const fields: HeaderField[] = [];
  let name: string | undefined;
  let fieldStart = start;
  let bodyStart = start;
  const finish = (at: number) => {
    if (name !== undefined && fields.length < MAX_FIELDS) fields.push({ name, start: fieldStart, bodyStart, end: at });
    name = undefined;
  };
  let line = start;
  while (line < end) {
    const first = buffer[line];
    const newline = buffer.indexOf(LF, line);
    const next = newline === -1 || newline >= end ? end : newline + 1;
    if (first === LF || (first === CR && newline === line + 1)) {
      finish(line);
      return { fields, start, end: next };
    }
    if (endsAt?.(line)) break;
    if (first !== SP && first !== TAB) {
      finish(line);
      // Names are short, and a search with indexOf would run past a line that has no colon.
      let colon = line;
      while (colon < next && buffer[colon] !== COLON) colon++;
      if (colon < next) {
        let nameEnd = colon;
        while (nameEnd > line && (buffer[nameEnd - 1] === SP || buffer[nameEnd - 1] === TAB)) nameEnd--;
        if (nameEnd > line) name = buffer.toString('latin1', line, nameEnd);
        fieldStart = line;
        bodyStart = colon + 1;
      }
    }
    line = next;
  }
  finish(line);
  return { fields, start, end: line };
}

/** The field's body unfolded (RFC 5322 §2.2.3) and trimmed, each octet as one character: what goes back on a wire. */
export function binaryFieldBody(octets: Uint8Array, field: HeaderField): string {
  const body = bufferOver(octets).toString('latin1', field.bodyStart, field.end);
  return trimBlanks(body.includes('\n') ? body.replace(/\r?\n/g, '') : body);
}

/** The field's body unfolded and trimmed; its octets as UTF-8 if they are that, else as windows-1252. */
export function fieldBody(octets: Uint8Array, field: HeaderField): string {
  return guessTextOfBinary(binaryFieldBody(octets, field));
}

/** All fields of that name, compared without case. */
export function fieldsNamed(header: Header, name: string): readonly HeaderField[] {
  const wanted = name.toLowerCase();
  return header.fields.filter((field) => field.name.length === wanted.length && field.name.toLowerCase() === wanted);
}

/** The body of the first field of that name. */
export function firstField(octets: Uint8Array, header: Header, name: string): string | undefined {
  const field = fieldsNamed(header, name)[0];
  return field && fieldBody(octets, field);
}

/** The bodies of all fields of that name, from the top. */
export function allFields(octets: Uint8Array, header: Header, name: string): readonly string[] {
  return fieldsNamed(header, name).map((field) => fieldBody(octets, field));
}

/**
 * The subset that BODY[HEADER.FIELDS (…)] fetches, or with `not` BODY[HEADER.FIELDS.NOT (…)]: the fields as they are,
 * then the empty line; a header that ends without an empty line has none here either (RFC 9051 §6.4.5.1).
 */
export function selectHeaderFields(
  octets: Uint8Array,
  header: Header,
  names: readonly string[],
  not: boolean,
): Uint8Array {
  const buffer = bufferOver(octets);
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const pieces: Uint8Array[] = [];
  for (const field of header.fields) {
    if (wanted.has(field.name.toLowerCase()) !== not) pieces.push(buffer.subarray(field.start, field.end));
  }
  if (endsWithEmptyLine(buffer, header)) pieces.push(Buffer.from('\r\n'));
  return Buffer.concat(pieces);
}

function endsWithEmptyLine(buffer: Buffer, { start, end }: Header): boolean {
  if (end <= start || buffer[end - 1] !== LF) return false;
  const before = end - 2 >= start && buffer[end - 2] === CR ? end - 2 : end - 1;
  return before === start || buffer[before - 1] === LF;
}

// The first encoded word loads the tables of charsets; servers whose mail is ASCII never do.
const require = createRequire(import.meta.url);
let words: typeof libmime | undefined;

/**
 * Text with its encoded words decoded (RFC 2047 §6). Adjacent words are joined before decoding, so that a letter cut
 * in two comes out whole; a charset that nobody knows is read as UTF-8.
 */
export function decodeEncodedWords(text: string): string {
  if (!text.includes('=?') || text.length > MAX_ENCODED) return text;
  words ??= require('libmime') as typeof libmime;
  try {
    return words.decodeWords(text);
  } catch {
    return text;
  }
}
