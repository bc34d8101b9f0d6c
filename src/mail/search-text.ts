/**
 * What the search index takes of a message, and how text is folded before it is compared.
 */
import { type AddressItem, addrSpec } from './address.ts';
import { fileName, partText } from './decode.ts';
import { parseEnvelope } from './envelope.ts';
import { decodeEncodedWords, fieldBody, parseHeader } from './headers.ts';
import { textOfHtml } from './html-text.ts';
import { type MimePart, mediaType, partsOf } from './mime-tree.ts';

export interface SearchText {
  readonly subject: string;
  /** Names and addresses, decoded, separated by commas. */
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
  /** Every header field of the message and of its parts, decoded, as lines `name: body`. */
  readonly headers: string;
  /** Every text part decoded, attached ones and those of nested messages too; HTML reduced to its text. */
  readonly body: string;
  readonly attachmentNames: string[];
}

/** Text beyond this number of characters is not searched: a bound on the index and on the work for one message. */
export const MAX_SEARCH_TEXT = 4 * 1024 * 1024;
/** Encoded octets that are read of a text for it: base64 and tags take more than they hold. */
export const MAX_ENCODED = 2 * MAX_SEARCH_TEXT;

/** Not folded: `foldForSearch` does that to both sides. */
export function searchText(octets: Uint8Array, tree: MimePart): SearchText {
  const envelope = parseEnvelope(octets, parseHeader(octets, tree.start, tree.bodyStart));
  const attachmentNames: string[] = [];
  let headers = '';
  let body = '';
  let room = MAX_SEARCH_TEXT;
  for (const { part } of partsOf(tree)) {
    const name = fileName(part);
    if (name !== undefined) attachmentNames.push(name.slice(0, 1000));
    if (room > 0) {
      const lines = headerLines(octets, part).slice(0, room);
      headers += lines;
      room -= lines.length;
    }
    if (room > 0 && part.type.toLowerCase() === 'text') {
      const text = plainText(octets, part, room).slice(0, room);
      body += body === '' ? text : `\n${text}`;
      room -= text.length;
    }
  }
  return {
    subject: envelope.subject ?? '',
    from: addresses(envelope.from),
    to: addresses(envelope.to),
    cc: addresses(envelope.cc),
    bcc: addresses(envelope.bcc),
    headers,
    body,
    attachmentNames,
  };
}

/** The text of a text part, without its markup. */
function plainText(octets: Uint8Array, part: MimePart, limit = MAX_SEARCH_TEXT): string {
  const text = partText(octets, part, MAX_ENCODED);
  const subtype = mediaType(part);
  return subtype === 'text/html' || subtype === 'text/xhtml' ? textOfHtml(text, limit) : text;
}

function headerLines(octets: Uint8Array, part: MimePart): string {
  const header = parseHeader(octets, part.start, Math.min(part.bodyStart, part.start + MAX_ENCODED));
  let lines = '';
  for (const field of header.fields) lines += `${field.name}: ${decodeEncodedWords(fieldBody(octets, field))}\n`;
  return lines;
}

function addresses(items: readonly AddressItem[]): string {
  return items
    .map((item) => {
      if (item.type === 'group') return `${item.name}: ${addresses(item.members)};`;
      return item.name === undefined ? addrSpec(item) : `${item.name} <${addrSpec(item)}>`;
    })
    .join(', ');
}

/**
 * Text as it is compared in searches: without case and without accents.
 *
 * IMAP asks for i;unicode-casemap (RFC 5051): title case, then compatibility decomposition. This goes one step on and
 * drops the accents of Latin, Greek and Cyrillic and the vowel points of Hebrew and Arabic, so that `munchen` finds
 * `München`; signs that are letters of their own (the vowels of Indian scripts, the voicing marks of Japanese) stay.
 * Folding what is folded changes nothing. Whatever i;unicode-casemap finds in a text is found in the folded text too:
 * that is why it stays decomposed.
 */
export function foldForSearch(text: string): string {
  if (!/[^\x00-\x7f]/.test(text)) return text.toLowerCase();
  return (
    text
      .normalize('NFKD')
      .replace(ACCENTS, '')
      // ß becomes SS only in upper case, ẞ becomes ß only in lower.
      .toLowerCase()
      .toUpperCase()
      .toLowerCase()
      .normalize('NFKD')
      .replace(ACCENTS, '')
      .replaceAll('ς', 'σ') // lower case of Σ depends on its place in the word
  );
}

const ACCENTS =
  /[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u00ad]+/g;
