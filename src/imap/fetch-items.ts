/**
 * The data items of FETCH: RFC 9051 §6.4.5, §7.5.2, RFC 3501 §6.4.5. Each attribute becomes a function once per command;
 * called once per message, it answers without waiting whenever it can.
 */
import { decodePart } from '../mail/decode.ts';
import { parseHeader, selectHeaderFields, type Header } from '../mail/headers.ts';
import { findPart } from '../mail/mime-tree.ts';
import type { MimePart } from '../mail/mime-tree.ts';
import { bufferOver } from '../mail/octets.ts';
import type { Content, FetchedMessage, Wanted } from '../store/mail-store.ts';
import type { FetchAttribute, FetchItem, Partial, Section } from './grammar/syntax.ts';
import type { MailboxView } from './mailbox-view.ts';
import { emailObjectId } from './object-id.ts';

/** What the view knows of every message, without asking the store. */
export type ViewAnswer = (seqNum: number) => FetchItem;
/** Undefined: there is no such item; `UnknownEncoding` is then true of the part that was asked for. */
export type StoreAnswer = (message: FetchedMessage) => FetchItem | undefined | Promise<FetchItem | undefined>;

/** RFC 2045 §6.1; anything else is UNKNOWN-CTE (RFC 3516 §4.3). */
const KNOWN_ENCODINGS = ['7bit', '8bit', 'binary', 'base64', 'quoted-printable'];

const MOST_PREVIEW = 200;

const WHOLE: Section = { path: [] };
const HEADER: Section = { path: [], text: { name: 'HEADER' } };
const TEXT: Section = { path: [], text: { name: 'TEXT' } };

/** Undefined: the store has to be asked. */
export function viewAnswer({ name }: FetchAttribute, view: MailboxView): ViewAnswer | undefined {
  switch (name) {
    case 'UID':
      return (seqNum) => ({ type: 'number', name, value: view.uid(seqNum) });
    case 'FLAGS':
      return (seqNum) => ({ type: 'flags', flags: view.flagsOf(seqNum) });
    case 'INTERNALDATE':
      return (seqNum) => ({ type: 'date', name, date: new Date(view.internalDateOf(seqNum)) });
    case 'RFC822.SIZE':
      return (seqNum) => ({ type: 'number', name, value: view.sizeOf(seqNum) });
    case 'MODSEQ':
      return (seqNum) => ({ type: 'mod-seq', modSeq: view.modSeqOf(seqNum) });
    case 'EMAILID':
      return (seqNum) => ({ type: 'text', name, text: `(${emailObjectId(view.emailIdOf(seqNum))})` });
    case 'THREADID':
      // RFC 8474 §5.2: a server without threads says NIL.
      return () => ({ type: 'text', name, text: 'NIL' });
    case 'BINARY.SIZE':
    case 'BINARY[]':
    case 'BODY':
    case 'BODYSTRUCTURE':
    case 'BODY[]':
    case 'ENVELOPE':
    case 'PREVIEW':
    case 'RFC822':
    case 'RFC822.HEADER':
    case 'RFC822.TEXT':
    case 'SAVEDATE':
      return undefined;
  }
}

/** What of a message has to be asked for, so that `storeAnswer` can answer. */
export function wantedFor(attributes: readonly FetchAttribute[]): Wanted {
  const has = (name: FetchAttribute['name']): boolean => attributes.some((attribute) => attribute.name === name);
  const sections = attributes.map(sectionOf).filter((section) => section !== undefined);
  return {
    envelope: has('ENVELOPE'),
    bodyStructure: has('BODYSTRUCTURE'),
    body: has('BODY'),
    savedDate: has('SAVEDATE'),
    ...previewWanted(attributes),
    content: sections.length > 0,
    tree: sections.some(({ path }) => path.length > 0),
  };
}

export function storeAnswer(attribute: FetchAttribute): StoreAnswer {
  switch (attribute.name) {
    case 'ENVELOPE':
      return ({ envelope }) => ({ type: 'text', name: 'ENVELOPE', text: envelope! });
    case 'BODYSTRUCTURE':
      return ({ bodyStructure }) => ({ type: 'text', name: 'BODYSTRUCTURE', text: bodyStructure! });
    case 'BODY':
      return ({ body }) => ({ type: 'text', name: 'BODY', text: body! });
    case 'SAVEDATE':
      return ({ savedDate: date }) =>
        date ? { type: 'date', name: 'SAVEDATE', date } : { type: 'text', name: 'SAVEDATE', text: 'NIL' };
    case 'PREVIEW':
      return ({ preview }) => ({ type: 'nstring', name: 'PREVIEW', text: previewText(preview) });
    case 'RFC822':
      return sectionAnswer('RFC822', WHOLE, undefined);
    case 'RFC822.HEADER':
      return sectionAnswer('RFC822.HEADER', HEADER, undefined);
    case 'RFC822.TEXT':
      return sectionAnswer('RFC822.TEXT', TEXT, undefined);
    case 'BODY[]':
      return sectionAnswer(nameOf(attribute), attribute.section, attribute.partial);
    case 'BINARY[]':
      return binaryAnswer(nameOf(attribute), attribute.path, attribute.partial);
    case 'BINARY.SIZE':
      return binarySizeAnswer(`BINARY.SIZE[${attribute.path.join('.')}]`, attribute.path);
    case 'EMAILID':
    case 'FLAGS':
    case 'INTERNALDATE':
    case 'MODSEQ':
    case 'RFC822.SIZE':
    case 'THREADID':
    case 'UID':
      throw new Error(`${attribute.name} is answered by the view`);
  }
}

/** RFC 8970 §4.1: with LAZY, what is not at hand is not waited for. */
function previewWanted(attributes: readonly FetchAttribute[]): Pick<Wanted, 'preview'> {
  const previews = attributes.filter((attribute) => attribute.name === 'PREVIEW');
  if (previews.length === 0) return {};
  return { preview: previews.every(({ lazy }) => lazy) ? 'if-kept' : 'always' };
}

/** RFC 8970 §3.3: 200 characters of Unicode should do. */
function previewText(preview: string | undefined): string | undefined {
  return preview === undefined || preview.length <= MOST_PREVIEW
    ? preview
    : Array.from(preview).slice(0, MOST_PREVIEW).join('');
}

/** RFC 9051 §6.4.5: without PEEK, \Seen is set. */
export function setsSeen(attribute: FetchAttribute): boolean {
  if (attribute.name === 'BODY[]' || attribute.name === 'BINARY[]') return !attribute.peek;
  return attribute.name === 'RFC822' || attribute.name === 'RFC822.TEXT';
}

/** Whether somebody who gets it has the message or a part of it before him, not just its header. */
export function isRead(attribute: FetchAttribute): boolean {
  const section = sectionOf(attribute);
  return section !== undefined && attribute.name !== 'BINARY.SIZE' && (section.text?.name ?? 'TEXT') === 'TEXT';
}

/** Whether it tells what a list shows of a message. */
export function isLooked(attribute: FetchAttribute): boolean {
  const { name } = attribute;
  if (name === 'ENVELOPE' || name === 'BODYSTRUCTURE' || name === 'BODY' || name === 'PREVIEW') return true;
  return name !== 'BINARY.SIZE' && sectionOf(attribute) !== undefined;
}

const MOST_NAMES = 200;

/** What of messages themselves was asked for, for those who watch; long lists are cut. */
export function namesOf(attributes: readonly FetchAttribute[]): string {
  const names = attributes.filter((attribute) => isRead(attribute) || isLooked(attribute)).map(toldName);
  const text = names.join(' ');
  return text.length <= MOST_NAMES ? text : `${text.slice(0, MOST_NAMES)}…`;
}

function toldName(attribute: FetchAttribute): string {
  return attribute.name === 'BODY[]' || attribute.name === 'BINARY[]' ? nameOf(attribute) : attribute.name;
}

/** Whether BINARY can be answered: RFC 3516 §4.3. */
export function hasUnknownEncoding(attribute: FetchAttribute, { tree }: FetchedMessage): boolean {
  if (attribute.name !== 'BINARY[]' && attribute.name !== 'BINARY.SIZE') return false;
  const encoding = attribute.path.length === 0 || !tree ? undefined : findPart(tree, attribute.path)?.encoding;
  return encoding !== undefined && !KNOWN_ENCODINGS.includes(encoding.toLowerCase());
}

function sectionOf(attribute: FetchAttribute): Section | undefined {
  if (attribute.name === 'BODY[]') return attribute.section;
  if (attribute.name === 'BINARY[]' || attribute.name === 'BINARY.SIZE') return { path: attribute.path };
  return { RFC822: WHOLE, 'RFC822.HEADER': HEADER, 'RFC822.TEXT': TEXT }[attribute.name as string];
}

// ------------------------------------------------------------------------------------------------------- BODY[…]

type Span = readonly [start: number, end: number];
type SectionText = NonNullable<Section['text']>;

function sectionAnswer(name: string, { path, text }: Section, partial: Partial | undefined): StoreAnswer {
  if (path.length > 0) return partAnswer(name, path, text, partial);
  if (text === undefined) return ({ content }) => slice(name, content!, [0, content!.size], partial);
  return ({ content }) => {
    const answer = (octets: Uint8Array): FetchItem => {
      const header = parseHeader(octets);
      if (text.name === 'TEXT') return slice(name, content!, [header.end, content!.size], partial);
      return headerItem(name, octets, header, text, partial);
    };
    return content!.octets ? answer(content!.octets) : readHeader(content!).then(answer);
  };
}

function partAnswer(
  name: string,
  path: readonly number[],
  text: SectionText | undefined,
  partial: Partial | undefined,
): StoreAnswer {
  return ({ content, tree }) => {
    const span = spanOf(findPart(tree!, path), text);
    // RFC 9051 §7.5.2: NIL is for what does not exist.
    if (span === undefined) return { type: 'octets', name, octets: undefined };
    if (text === undefined || !('fields' in text)) return slice(name, content!, span, partial);
    const [start, end] = span;
    if (content!.octets) {
      return headerItem(name, content!.octets, parseHeader(content!.octets, start, end), text, partial);
    }
    return gather(content!, start, end).then((octets) => headerItem(name, octets, parseHeader(octets), text, partial));
  };
}

/** Which octets of the message a section names (RFC 9051 §6.4.5.1); undefined: there is no such part. */
function spanOf(part: MimePart | undefined, text: SectionText | undefined): Span | undefined {
  if (part === undefined) return undefined;
  if (text === undefined) return [part.bodyStart, part.end];
  if (text.name === 'MIME') return [part.start, part.bodyStart];
  // HEADER and TEXT of a part mean the message inside: only message/rfc822 and message/global have one.
  const { message } = part;
  if (message === undefined) return undefined;
  return text.name === 'TEXT' ? [message.bodyStart, message.end] : [message.start, message.bodyStart];
}

function headerItem(
  name: string,
  octets: Uint8Array,
  header: Header,
  text: SectionText,
  partial: Partial | undefined,
): FetchItem {
  const selected =
    'fields' in text
      ? selectHeaderFields(octets, header, text.fields, text.name === 'HEADER.FIELDS.NOT')
      : octets.subarray(header.start, header.end);
  return { type: 'octets', name, octets: selected.subarray(...cut([0, selected.length], partial)) };
}

function slice(name: string, content: Content, span: Span, partial: Partial | undefined): FetchItem {
  const [start, end] = cut(span, partial);
  if (content.octets) return { type: 'octets', name, octets: content.octets.subarray(start, end) };
  return { type: 'stream', name, size: end - start, octets: content.read(start, end) };
}

/** RFC 9051 §6.4.5: a partial fetch beyond the end gives an empty string. */
function cut([start, end]: Span, partial: Partial | undefined): Span {
  if (partial === undefined) return [start, end];
  const from = Math.min(start + partial.offset, end);
  return [from, Math.min(from + partial.count, end)];
}

/** Octets from the message's first to at least the end of its header. */
async function readHeader(content: Content): Promise<Uint8Array> {
  let octets: Uint8Array = Buffer.alloc(0);
  for await (const piece of content.read(0, content.size)) {
    octets = Buffer.concat([octets, piece]);
    if (parseHeader(octets).end < octets.length) break;
  }
  return octets;
}

async function gather(content: Content, start: number, end: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content.read(start, end)) pieces.push(piece);
  return Buffer.concat(pieces);
}

// ------------------------------------------------------------------------------------------------------- BINARY[…]

function binaryAnswer(name: string, path: readonly number[], partial: Partial | undefined): StoreAnswer {
  // RFC 9051 §6.4.5: without a part it is the whole message, where there is nothing to decode.
  if (path.length === 0) return wholeBinaryAnswer(name, partial);
  return (message) =>
    ifDecoded(message, path, (decoded) => {
      if (decoded === undefined) return { type: 'octets', name, octets: undefined };
      const octets = decoded.subarray(...cut([0, decoded.length], partial));
      // RFC 9051 §7.5.2: a literal8 only where there is a NUL.
      return { type: 'octets', name, octets, binary: octets.includes(0) };
    });
}

function wholeBinaryAnswer(name: string, partial: Partial | undefined): StoreAnswer {
  const whole = sectionAnswer(name, WHOLE, partial);
  return (message) => {
    const item = whole(message) as Extract<FetchItem, { type: 'octets' | 'stream' }>;
    // What streams has not been looked at: a literal8 may hold anything.
    return { ...item, binary: item.type === 'stream' || (item.octets?.includes(0) ?? false) };
  };
}

function binarySizeAnswer(name: string, path: readonly number[]): StoreAnswer {
  if (path.length === 0) return ({ size }) => ({ type: 'number', name, value: size });
  return (message) => ifDecoded(message, path, (decoded) => ({ type: 'number', name, value: decoded?.length ?? 0 }));
}

/** Calls `answer` with the decoded content of a part, or undefined if there is no such part. */
function ifDecoded(
  message: FetchedMessage,
  path: readonly number[],
  answer: (decoded: Uint8Array | undefined) => FetchItem,
): FetchItem | Promise<FetchItem> {
  const content = message.content!;
  const part = findPart(message.tree!, path);
  if (part === undefined) return answer(undefined);
  if (content.octets !== undefined) return answer(decode(content.octets, part));
  return gather(content, part.bodyStart, part.end).then((body) =>
    answer(decode(body, { ...part, start: 0, bodyStart: 0, end: body.length })),
  );
}

function decode(octets: Uint8Array, part: MimePart): Uint8Array {
  const decoded = decodePart(octets, part);
  const isEncoded = /^(base64|quoted-printable)$/i.test(part.encoding ?? '');
  if (!isEncoded || part.type.toLowerCase() !== 'text') return decoded;
  // RFC 9051 §7.5.2: lines of text end with CRLF here, however they were encoded.
  const text = bufferOver(decoded).toString('latin1');
  return /(^|[^\r])\n/.test(text) ? Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1') : decoded;
}

// ----------------------------------------------------------------------------------------------------------- names

/** As the client asked for it, without PEEK and the count of a partial (RFC 9051 §7.5.2). */
function nameOf(attribute: Extract<FetchAttribute, { name: 'BODY[]' | 'BINARY[]' }>): string {
  const inside = attribute.name === 'BODY[]' ? sectionName(attribute.section) : attribute.path.join('.');
  const origin = attribute.partial ? `<${attribute.partial.offset}>` : '';
  return `${attribute.name.slice(0, -2)}[${inside}]${origin}`;
}

function sectionName({ path, text }: Section): string {
  const words = [...path.map(String)];
  if (text) words.push('fields' in text ? `${text.name} (${text.fields.map(fieldName).join(' ')})` : text.name);
  return words.join('.');
}

function fieldName(field: string): string {
  return /^[A-Za-z0-9!#$&'+,./:;<=>?@^_`|~-]+$/.test(field) ? field : `"${field.replace(/["\\]/g, '\\$&')}"`;
}
