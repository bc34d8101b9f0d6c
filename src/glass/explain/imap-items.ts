/** FETCH items (RFC 9051 §6.4.5, §7.5.2), as they are asked for and as they are answered, and flags. */
import { structureInWords, envelopePartInWords, ENVELOPE_PARTS, textOfValue, type Value } from './imap-values.ts';
import { FETCH_ITEMS, FLAGS } from './imap-words.ts';
import type { Fields } from './fields.ts';
import { findTerm } from './term.ts';
import { listInWords, octetsInWords, quoted, decodedWords } from './words.ts';

export function flagInWords(flag: string): string {
  const found = findTerm(FLAGS, flag.toUpperCase());
  if (found !== undefined) return found.what;
  return flag.startsWith('\\') ? 'a flag that is not explained here' : 'a keyword, with a meaning that clients give it';
}

/** `BODY.PEEK[1.2.HEADER.FIELDS (FROM)]<0.100>` in words. */
export function fetchItem(item: string): string {
  const upper = item.toUpperCase();
  const found = findTerm(FETCH_ITEMS, upper);
  if (found !== undefined) return found.what;
  const [, kind = '', section = '', partial] = /^([A-Z0-9.]+)\[([^\]]*)\]?(?:<([\d.]+)>)?/.exec(upper) ?? [];
  if (kind === '') return 'an item that is not explained here';
  const range = partial === undefined ? '' : `, ${rangeInWords(partial)}`;
  if (kind === 'BINARY.SIZE') return `the size of ${partInWords(section)} once decoded`;
  const decoded = kind.startsWith('BINARY') ? ', decoded' : '';
  const isAsked = kind.endsWith('PEEK');
  const reads = isAsked ? ', without marking the message as read' : '';
  return `${sectionInWords(section)}${decoded}${range}${reads}`;
}

function rangeInWords(partial: string): string {
  const [from, count] = partial.split('.');
  return count === undefined ? `from octet ${from} on` : `${octetsInWords(Number(count))} from ${from} on`;
}

function partInWords(numbers: string): string {
  return numbers === '' ? 'the message' : `part ${numbers}`;
}

function sectionInWords(section: string): string {
  const [, numbers = '', rest = ''] = /^((?:\d+\.?)*)(.*)$/.exec(section) ?? [];
  const part = partInWords(numbers.replace(/\.$/, ''));
  if (rest === '') return numbers === '' ? 'the whole message' : part;
  if (rest === 'TEXT') return `the body of ${part}`;
  if (rest === 'MIME') return `the MIME header of ${part}`;
  if (rest === 'HEADER') return `the header of ${part}`;
  const [, not, names = ''] = /^HEADER\.FIELDS(\.NOT)? \(([^)]*)\)?/.exec(rest) ?? [];
  const listed = listInWords(names.split(' ').map((name) => name.replaceAll('"', '')));
  return not === undefined ? `of the header of ${part}: ${listed}` : `the header of ${part} without ${listed}`;
}

/** One item of a FETCH response with its value; undefined: the value follows behind the unit's end. */
export function fetchValue(
  item: Value & { readonly type: 'atom' | 'string' | 'literal' },
  value: Value | undefined,
  _text: string,
  fields: Fields,
): void {
  const name = item.text.toUpperCase();
  const says = findTerm(FETCH_ITEMS, name)?.what ?? fetchItem(item.text);
  fields.add(item.start, item.end, 'fetch item', says);
  if (value === undefined) return;
  if (value.type === 'literal') fields.add(value.start, value.end, 'literal', `so many octets follow: ${value.text}`);
  else if (name === 'ENVELOPE') envelope(value, fields);
  else if (name === 'BODYSTRUCTURE' || name === 'BODY')
    fields.add(value.start, value.end, 'body structure', structureInWords(value));
  else if (name === 'FLAGS' && value.type === 'list') {
    for (const flag of value.items)
      if (flag.type !== 'list') fields.add(flag.start, flag.end, 'flag', flagInWords(flag.text));
  } else fields.add(value.start, value.end, name.toLowerCase(), valueInWords(name, value));
}

function envelope(value: Value, fields: Fields): void {
  if (value.type !== 'list') return;
  value.items.forEach((part, i) => {
    const name = ENVELOPE_PARTS[i];
    if (name !== undefined) fields.add(part.start, part.end, name, envelopePartInWords(name, part));
  });
}

function valueInWords(name: string, value: Value): string {
  if (value.type === 'list') {
    const inside = value.items.map((item) => textOfValue(item) ?? '').join(' ');
    return inside === '' ? 'none' : inside;
  }
  const text = textOfValue(value);
  if (text === undefined) return 'none';
  if (name.endsWith('SIZE')) return octetsInWords(Number(text));
  if (name === 'INTERNALDATE' || name === 'SAVEDATE') return dateInWords(text);
  return quoted(decodedWords(text));
}

/** `31-Jan-2026 10:00:00 +0000`: RFC 9051 §9, date-time. */
export function dateInWords(text: string): string {
  const [, day, month, year, time, zone] =
    /^ ?(\d{1,2})-([A-Z]{3})-(\d{4})(?: (\d\d:\d\d:\d\d) ([+-]\d{4}))?$/i.exec(text) ?? [];
  if (day === undefined) return text;
  const date = `${day} ${MONTHS[month!.toLowerCase()] ?? month} ${year}`;
  return time === undefined
    ? date
    : `${date}, ${time}, ${zone === '+0000' ? 'universal time' : `${zone} from universal time`}`;
}

const MONTHS: Readonly<Record<string, string>> = {
  jan: 'January',
  feb: 'February',
  mar: 'March',
  apr: 'April',
  may: 'May',
  jun: 'June',
  jul: 'July',
  aug: 'August',
  sep: 'September',
  oct: 'October',
  nov: 'November',
  dec: 'December',
};
