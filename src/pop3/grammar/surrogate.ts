/**
 * The surrogate of a message whose header fields hold more than ASCII, for a client that has not asked for UTF-8:
 * RFC 6856 §2.1, by the rules of RFC 6858.
 *
 * Header fields only, those of MIME parts among them. Bodies stay as they are: text of eight bits is MIME (RFC 2045 §2.8),
 * which POP3 has always carried. Signatures over the header (DKIM) do not outlive it; the stored message does not change.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { addrSpec, parseAddressList, type Mailbox } from '../../mail/address.ts';
import { binaryFieldBody, parseHeader, type HeaderField } from '../../mail/headers.ts';
import { bufferOver, guessTextOfBinary } from '../../mail/octets.ts';
import { parseParameterised } from '../../mail/parameters.ts';
import type { MimePart } from '../../mail/mime-tree.ts';

/** Where a header lies: from its first field to behind its empty line. */
export interface HeaderRange {
  readonly start: number;
  readonly end: number;
}

/** A header is rewritten in one piece; of one larger than this, what is not ASCII is just replaced. */
const LARGEST_HEADER = 1024 * 1024;

/** The headers of a message and of its parts, those of messages within included, in their order. */
export function headerRanges(tree: MimePart): readonly HeaderRange[] {
  const ranges: HeaderRange[] = [];
  const waiting = [tree];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part.bodyStart > part.start) ranges.push({ start: part.start, end: part.bodyStart });
    for (const child of part.children) waiting.push(child);
    if (part.message !== undefined) waiting.push(part.message);
  }
  return ranges.sort((a, b) => a.start - b.start);
}

/** @param pieces the whole message, in order; what comes out may share their memory */
export async function* surrogate(
  pieces: AsyncIterable<Uint8Array>,
  headers: readonly HeaderRange[],
): AsyncGenerator<Uint8Array> {
  let position = 0;
  let next = 0;
  let gathered: Buffer[] = [];
  for await (const piece of pieces) {
    let left = bufferOver(piece);
    while (left.length > 0) {
      while (next < headers.length && headers[next]!.end <= position) next++;
      const header = headers[next];
      const inHeader = header !== undefined && position >= header.start;
      const until = header === undefined ? Infinity : inHeader ? header.end : header.start;
      const taken = left.subarray(0, until - position);
      left = left.subarray(taken.length);
      position += taken.length;
      if (!inHeader) yield taken;
      else if (header.end - header.start > LARGEST_HEADER) yield replaced(taken);
      else gathered.push(taken);
      if (inHeader && position === header.end) {
        if (gathered.length > 0) yield surrogateHeader(gathered.length === 1 ? gathered[0]! : Buffer.concat(gathered));
        gathered = [];
      }
    }
  }
  // The message is shorter than its tree says: nobody may be kept waiting for the rest.
  for (const piece of gathered) yield replaced(piece);
}

/** @param octets a header with its empty line */
export function surrogateHeader(octets: Buffer): Buffer {
  if (isAscii(octets)) return octets;
  const pieces: Buffer[] = [];
  let position = 0;
  for (const field of parseHeader(octets).fields) {
    if (isAscii(octets.subarray(field.start, field.end))) continue;
    // What stands between fields is no field, and no client's to read.
    pieces.push(replaced(octets.subarray(position, field.start)), Buffer.from(surrogateField(octets, field)));
    position = field.end;
  }
  pieces.push(replaced(octets.subarray(position)));
  return Buffer.concat(pieces);
}

const ADDRESSES = /^(?:(?:resent-)?(?:from|sender|to|cc|bcc)|reply-to|mail-followup-to|disposition-notification-to)$/i;
const PARAMETERISED = /^content-(?:type|disposition)$/i;
/** Fields whose syntax has no place for encoded words (RFC 2047 §5): removed, by RFC 6858 §2.4. */
const STRUCTURED =
  /^(?:received|(?:resent-)?message-id|in-reply-to|references|(?:resent-)?date|mime-version|content-(?:id|transfer-encoding|location|language|md5|base)|dkim-signature|authentication-results|arc-[\w-]+|list-(?!id$)[\w-]+|auto-submitted|delivered-to|x-original-to)$/i;

/** In ASCII, with its line end; '' when it is left out. */
function surrogateField(octets: Buffer, field: HeaderField): string {
  const { name } = field;
  // A field's name is ASCII (RFC 5322 §2.2, RFC 6532 §3.2), so that is none.
  if (/[^\x21-\x7E]/.test(name) || STRUCTURED.test(name)) return '';
  const binary = binaryFieldBody(octets, field);
  if (/^return-path$/i.test(name)) return `${name}: <${INVALID_ADDRESS}>\r\n`;
  const text = guessTextOfBinary(binary);
  if (ADDRESSES.test(name)) return folded(name, addresses(text), ',');
  if (PARAMETERISED.test(name)) return folded(name, parameters(text), ';');
  return folded(name, unstructured(binary), '');
}

/** RFC 6858 §2.1. */
const INVALID_ADDRESS = 'invalid@internationalized-address.invalid';

function addresses(text: string): readonly string[] {
  return parseAddressList(text).map((item) => {
    if (item.type === 'mailbox') return mailbox(item);
    return `${phrase(item.name)}: ${item.members.map(mailbox).join(', ')};`;
  });
}

function mailbox({ name, localPart, domain }: Mailbox): string {
  const address = addrSpec({ localPart, domain });
  if (isPlain(address)) return name === undefined || name === '' ? address : `${phrase(name)} <${address}>`;
  // The name shows what the address was.
  return `${phrase(name === undefined || name === '' ? address : `${name} <${address}>`)} <${INVALID_ADDRESS}>`;
}

function phrase(text: string): string {
  if (!isPlain(text)) return encodedWords(Buffer.from(text), 'utf-8').join(' ');
  return /^[\w!#$%&'*+/=?^`{|}~ -]+$/.test(text) ? text : quoted(text);
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Content-Type and Content-Disposition: parameters in the form of RFC 2231 §4, which RFC 6858 §2.2 would remove. */
function parameters(text: string): readonly string[] {
  const { value, parameters } = parseParameterised(text);
  return [
    value.replaceAll(/[^\x20-\x7E]/gu, '?'),
    ...parameters.map(([name, given]) => {
      const key = name.replaceAll(/[^\x21-\x7E]/gu, '');
      if (isPlain(given)) return key.endsWith('*') ? `${key}=${given}` : `${key}=${quoted(given)}`;
      const encoded = encodeURIComponent(given.toWellFormed()).replaceAll(/['()*]/g, percent);
      return key.endsWith('*') ? `${key}=${encoded}` : `${key}*=utf-8''${encoded}`;
    }),
  ];
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Words that are not ASCII, with the blanks between them, become encoded words; the others stay readable (RFC 2047 §5). */
function unstructured(binary: string): readonly string[] {
  const octets = Buffer.from(binary, 'latin1');
  // RFC 1428 §3 names what nobody knows.
  const charset = isUtf8(octets) ? 'utf-8' : 'unknown-8bit';
  return [...binary.matchAll(/[^ \t]*[\x80-\xFF][^ \t]*(?:[ \t]+[^ \t]*[\x80-\xFF][^ \t]*)*|[^ \t]+/g)].flatMap(
    ([words]) => (isPlain(words) ? words : encodedWords(Buffer.from(words, 'latin1'), charset)),
  );
}

/** RFC 2047 §2, §4.1: each at most 75 characters, and of whole letters (§5). */
function encodedWords(octets: Buffer, charset: 'utf-8' | 'unknown-8bit'): readonly string[] {
  const words: string[] = [];
  for (let start = 0; start < octets.length;) {
    let end = Math.min(start + OCTETS_IN_WORD, octets.length);
    // Not in the midst of a letter: 10xxxxxx goes on with one.
    if (charset === 'utf-8') while (end < octets.length && end > start + 1 && (octets[end]! & 0xc0) === 0x80) end--;
    words.push(`=?${charset}?B?${octets.toString('base64', start, end)}?=`);
    start = end;
  }
  return words;
}

/** Base 64 in fours: 45 octets are 60 characters, and `=?unknown-8bit?B?` and `?=` are 19 more, so 39 it is. */
const OCTETS_IN_WORD = 39;

const LINE = 78;

/** RFC 5322 §2.2.3: lines of 78 characters at most where there is a place to fold. */
function folded(name: string, parts: readonly string[], separator: string): string {
  let text = `${name}:`;
  let line = text.length;
  for (const [i, part] of parts.entries()) {
    const piece = i < parts.length - 1 ? part + separator : part;
    const folds = line + 1 + piece.length > LINE && line > name.length + 1;
    text += folds ? `\r\n ${piece}` : ` ${piece}`;
    line = folds ? piece.length + 1 : line + 1 + piece.length;
  }
  return `${text}\r\n`;
}

function isPlain(text: string): boolean {
  return !/[^\x20-\x7E]/.test(text);
}

/** What is no field: each octet that is not ASCII becomes a question mark. */
function replaced(octets: Buffer): Buffer {
  if (isAscii(octets)) return octets;
  return Buffer.from(octets.toString('latin1').replaceAll(/[\x80-\xFF]/g, '?'), 'latin1');
}
