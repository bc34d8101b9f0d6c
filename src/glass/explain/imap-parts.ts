/** Parts that several of IMAP's commands and responses have. */
import type { RfcSection } from '../spoken.ts';
import { mechanismInWords } from './authentication.ts';
import type { Fields } from './fields.ts';
import { flagInWords } from './imap-items.ts';
import { mailboxInWords, textOfValue, type Value } from './imap-values.ts';
import { CAPABILITY_VALUES, CAPABILITY_WORDS, RIGHTS } from './imap-words.ts';
import { findTerm } from './term.ts';
import { listInWords } from './words.ts';

export function capabilityInWords(word: string): string {
  const upper = word.toUpperCase();
  const [name = '', value] = upper.split('=', 2);
  if (name === 'AUTH' && value !== undefined) return `a login by ${value}: ${mechanismInWords(value)}`;
  const found = findTerm(CAPABILITY_VALUES, upper) ?? findTerm(CAPABILITY_WORDS, name);
  if (found === undefined) return 'a capability that is not explained here';
  const number = value !== undefined && /^\d+$/.test(value) ? ` (${Number(value).toLocaleString('en')})` : '';
  return `${found.what}${number} · RFC ${found.rfc?.number}`;
}

export function flags(values: readonly Value[], fields: Fields): string | undefined {
  for (const value of values) {
    if (value.type === 'list') flags(value.items, fields);
    else fields.add(value.start, value.end, value.text.startsWith('\\') ? 'flag' : 'keyword', flagInWords(value.text));
  }
  return undefined;
}

/** Names the first value as the mailbox that it is. */
export function mailboxField(value: Value | undefined, fields: Fields): string | undefined {
  if (value === undefined || value.type === 'list') return undefined;
  if (value.type === 'literal') {
    fields.add(value.start, value.end, 'mailbox', 'the name follows as a literal');
    return undefined;
  }
  const says = value.text === '' ? 'the server itself' : mailboxInWords(value.text);
  fields.add(value.start, value.end, 'mailbox', says);
  return says;
}

export function idPairs(values: readonly Value[], fields: Fields): string | undefined {
  const [list] = values;
  if (list?.type !== 'list') return;
  for (let i = 0; i + 1 < list.items.length; i += 2) {
    const [key, value] = [list.items[i]!, list.items[i + 1]!];
    fields.add(key.start, value.end, textOfValue(key) ?? '', textOfValue(value) ?? 'not told');
  }
  return undefined;
}

export function rightsInWords(letters: string): string {
  const known = (letters.match(/[a-z]/g) ?? []).flatMap((letter) => RIGHTS[letter] ?? []);
  return known.length === 0 ? 'none' : listInWords(known);
}

export function section(number: number, where: string): RfcSection {
  return { number, section: where };
}
