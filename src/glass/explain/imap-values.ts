/** IMAP's values as they lie in a text, read tolerantly: a unit may end in the middle of one, where a literal stands. */
import { decodeMailboxName } from '../../imap/grammar/mailbox-name.ts';
import { decodedWords, listInWords, octetsInWords, quoted } from './words.ts';

/** A value and where it lies. A list that is not closed ends with the text. */
export type Value =
  | { readonly type: 'list'; readonly start: number; readonly end: number; readonly items: readonly Value[] }
  /** `text`: without quotation marks. `literal`: the announcement of one. */
  | {
      readonly type: 'atom' | 'string' | 'literal';
      readonly start: number;
      readonly end: number;
      readonly text: string;
    };

const TOKEN = /\(|\)|"(?:[^"\\]|\\.)*"?|~?\{\d+[+-]?\}$|•+|[^\s()"•]+/y;
/** Deeper than a message may be nested. */
const DEEPEST = 64;

/** @param from where in the text to begin; positions count from the text's start */
export function valuesOf(text: string, from = 0): Value[] {
  const stack: { start: number; items: Value[] }[] = [{ start: from, items: [] }];
  let at = from;
  const close = (end: number): void => {
    const list = stack.pop()!;
    stack.at(-1)!.items.push({ type: 'list', start: list.start, end, items: list.items });
  };
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++;
      continue;
    }
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) break;
    const start = at;
    at += token.length;
    if (token === '(') {
      if (stack.length < DEEPEST) stack.push({ start, items: [] });
    } else if (token === ')') {
      if (stack.length > 1) close(at);
    } else stack.at(-1)!.items.push(atomOf(text, token, start));
    const last = stack.at(-1)!.items.at(-1);
    // A section has blanks and parentheses of its own: `BODY[HEADER.FIELDS (FROM TO)]<0>`.
    if (last?.type === 'atom' && last.end === at && last.text.includes('[') && !last.text.includes(']')) {
      const end = sectionEnd(text, last.start);
      stack.at(-1)!.items.pop();
      stack.at(-1)!.items.push({ type: 'atom', start: last.start, end, text: text.slice(last.start, end) });
      at = end;
    }
  }
  while (stack.length > 1) close(text.length);
  return stack[0]!.items;
}

function atomOf(text: string, token: string, start: number): Value {
  const end = start + token.length;
  if (token.startsWith('"')) {
    const isWhole = token.length > 1 && token.endsWith('"');
    return { type: 'string', start, end, text: token.slice(1, isWhole ? -1 : undefined).replace(/\\(.)/g, '$1') };
  }
  if (/^~?\{\d+[+-]?\}$/.test(token) && end === text.length) return { type: 'literal', start, end, text: token };
  return { type: 'atom', start, end, text: token };
}

function sectionEnd(text: string, from: number): number {
  const close = text.indexOf(']', from);
  if (close === -1) return text.length;
  return close + 1 + (/^<[\d.]*>?/.exec(text.slice(close + 1, close + 40))?.[0].length ?? 0);
}

/** The text of an atom or string; undefined for NIL, a list, a literal. */
export function textOfValue(value: Value | undefined): string | undefined {
  if (value === undefined || value.type === 'list' || value.type === 'literal') return undefined;
  return value.type === 'atom' && value.text.toUpperCase() === 'NIL' ? undefined : value.text;
}

/** As people write it, out of modified UTF-7 (RFC 3501 §5.1.3). */
export function mailboxInWords(name: string): string {
  let decoded = name;
  try {
    decoded = decodeMailboxName(name);
  } catch {
    // What is no modified UTF-7 is shown as it is.
  }
  const isInbox = /^inbox$/i.test(name);
  return isInbox ? 'INBOX, where mail arrives' : `the mailbox ${quoted(decoded)}`;
}

/** RFC 9051 §7.5.2: date, subject, from, sender, reply-to, to, cc, bcc, in-reply-to, message-id. */
export const ENVELOPE_PARTS = [
  'date',
  'subject',
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'in-reply-to',
  'message-id',
];

export function envelopePartInWords(part: string, value: Value): string {
  if (value.type === 'literal') return 'follows as a literal';
  if (value.type === 'list') return addressesInWords(value.items);
  const text = textOfValue(value);
  if (text === undefined) return 'none';
  return part === 'subject' ? quoted(decodedWords(text)) : text;
}

/** RFC 9051 §7.5.2: name, source route, mailbox, host; a group begins without a host. */
function addressesInWords(items: readonly Value[]): string {
  const found: string[] = [];
  for (const item of items.slice(0, 20)) {
    if (item.type !== 'list') continue;
    const [name, , local, host] = item.items;
    const [shown, mailbox, domain] = [textOfValue(name), textOfValue(local), textOfValue(host)];
    if (domain === undefined) {
      if (mailbox !== undefined) found.push(`the group ${quoted(decodedWords(mailbox))}`);
      continue;
    }
    const address = `${mailbox ?? ''}@${domain}`;
    found.push(shown === undefined ? address : `${decodedWords(shown)} <${address}>`);
  }
  return found.length === 0 ? 'nobody' : listInWords(found);
}

/** RFC 9051 §7.5.2: a body, or the bodies of a multipart and its subtype. */
export function structureInWords(value: Value, depth = 0): string {
  if (value.type !== 'list' || depth > 8) return 'a part';
  const [first] = value.items;
  if (first?.type === 'list') {
    const parts = value.items.filter((item) => item.type === 'list');
    const subtypeAt = value.items.findIndex((item) => item.type !== 'list');
    const subtype = (textOfValue(value.items[subtypeAt]) ?? 'mixed').toLowerCase();
    const bodies = parts.filter((item) => subtypeAt === -1 || value.items.indexOf(item) < subtypeAt);
    return `multipart/${subtype} of ${bodies.map((body) => structureInWords(body, depth + 1)).join('; ')}`;
  }
  const [type, subtype, parameters, , , encoding, octets] = value.items;
  const media = `${textOfValue(type) ?? '?'}/${textOfValue(subtype) ?? '?'}`.toLowerCase();
  const details = [parameter(parameters, 'charset'), textOfValue(encoding)?.toLowerCase()];
  const size = Number(textOfValue(octets) ?? Number.NaN);
  if (Number.isFinite(size)) details.push(octetsInWords(size));
  const name = parameter(parameters, 'name');
  const inside =
    media === 'message/rfc822' && value.items[8]?.type === 'list'
      ? `, in it ${structureInWords(value.items[8], depth + 1)}`
      : '';
  const shown = details.filter((detail) => detail !== undefined).join(', ');
  return `${media}${name === undefined ? '' : ` ${quoted(decodedWords(name))}`}${shown === '' ? '' : ` (${shown})`}${inside}`;
}

function parameter(list: Value | undefined, name: string): string | undefined {
  if (list?.type !== 'list') return undefined;
  const at = list.items.findIndex((item, i) => i % 2 === 0 && textOfValue(item)?.toLowerCase() === name);
  return at === -1 ? undefined : textOfValue(list.items[at + 1]);
}
