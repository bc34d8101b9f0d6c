/** Values in plain words. */
import { decodeEncodedWords } from '../../mail/headers.ts';

export function octetsInWords(octets: number): string {
  return `${octets.toLocaleString('en')} ${octets === 1 ? 'octet' : 'octets'}`;
}

export function countInWords(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : several}`;
}

/** `1:4,7` → `messages 1 to 4 and 7`; `*` is the last one. @param what `message` or `UID` */
export function setInWords(set: string, what: string): string {
  if (set === '$') return 'the result of the last search that was kept';
  const number = (text: string): string => (text === '*' ? 'the last one' : text);
  const parts = set.split(',').map((part) => {
    const [from = '', to] = part.split(':');
    if (to === undefined) return number(from);
    return to === '*' ? `${number(from)} to the last one` : `${number(from)} to ${number(to)}`;
  });
  const shown = parts.length > 8 ? [...parts.slice(0, 7), `${parts.length - 7} more ranges`] : parts;
  const isOne = parts.length === 1 && !set.includes(':');
  if (set === '1:*') return `all ${what}s`;
  if (isOne && set === '*') return `the last ${what}`;
  return `${what}${isOne ? '' : 's'} ${listInWords(shown)}`;
}

export function listInWords(items: readonly string[]): string {
  if (items.length < 2) return items[0] ?? '';
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

export function quoted(text: string): string {
  const plain = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return `“${plain}”`;
}

/** The text under RFC 2047's encoding. */
export function decodedWords(text: string): string {
  return text.includes('=?') ? decodeEncodedWords(text) : text;
}
