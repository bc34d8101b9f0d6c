/**
 * Mailbox names on the wire: modified UTF-7 for clients of IMAP4rev1 (RFC 3501 §5.1.3), and the patterns of LIST
 * (RFC 9051 §6.3.9). Inside, a name is Unicode in NFC with `/` between its levels.
 */
import { Refusal } from '../../store/refusal.ts';
import { BadSyntax } from './bad-syntax.ts';

export const DELIMITER = '/';

/** `Entwürfe` → `Entw&APw-rfe`. */
export function encodeMailboxName(name: string): string {
  if (!/[^\x20-\x25\x27-\x7e]/.test(name)) return name;
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${encodeRun(run)}-`));
}

/**
 * `Entw&APw-rfe` → `Entwürfe`. What no encoder would have written is wrong: letters of base64 that RFC 3501 §5.1.3 does
 * not permit, half a surrogate pair, printable US-ASCII or a missing end in a shifted run.
 * @throws BadSyntax for octets that a name cannot have, Refusal CANNOT for what is well formed but no modified UTF-7
 */
export function decodeMailboxName(text: string): string {
  if (/[^\x00-\x7f]/.test(text)) {
    throw new BadSyntax(
      'A mailbox name with other than ASCII letters is in modified UTF-7 or comes after ENABLE UTF8=ACCEPT',
    );
  }
  if (!text.includes('&')) return text;
  let name = '';
  let position = 0;
  for (;;) {
    const shift = text.indexOf('&', position);
    if (shift === -1) return name + text.slice(position);
    const end = text.indexOf('-', shift);
    if (end === -1) throw badRun();
    name += text.slice(position, shift) + (end === shift + 1 ? '&' : decodeRun(text.slice(shift + 1, end)));
    position = end + 1;
  }
}

/** NFC; INBOX in any case is INBOX (RFC 9051 §5.1), and so is the first level of `inbox/2026`, which lies below it. */
export function normaliseMailboxName(name: string): string {
  const composed = name.normalize('NFC');
  return /^inbox(?=\/|$)/i.test(composed) ? `INBOX${composed.slice(5)}` : composed;
}

/**
 * Whether a LIST pattern matches a name: `*` any characters, `%` any but the delimiter (RFC 9051 §6.3.9).
 * It looks at each pair of a wanted and a present character once at most, whatever the pattern.
 */
export function matchPattern(pattern: string, name: string, delimiter: string): boolean {
  // Wildcards side by side are one, so that a pattern without too many letters is no longer than twice the name.
  const simple = pattern.replace(/[*%]{2,}/g, (run) => (run.includes('*') ? '*' : '%'));
  if (simple === '*') return true;
  if (!/[*%]/.test(simple)) return simple === name;
  if (simple.replace(/[*%]/g, '').length > name.length) return false;
  // reached[i]: the pattern so far can match the first i characters.
  const reached = new Uint8Array(name.length + 1);
  reached[0] = 1;
  for (const wanted of simple.split('')) {
    if (wanted === '*') reached.fill(1, firstReached(reached));
    else if (wanted === '%') {
      for (let i = 0; i < name.length; i++) if (reached[i] === 1 && name[i] !== delimiter) reached[i + 1] = 1;
    } else {
      for (let i = name.length; i > 0; i--) reached[i] = reached[i - 1] === 1 && name[i - 1] === wanted ? 1 : 0;
      reached[0] = 0;
    }
  }
  return reached[name.length] === 1;
}

function firstReached(reached: Uint8Array): number {
  const first = reached.indexOf(1);
  return first === -1 ? reached.length : first;
}

function encodeRun(run: string): string {
  const base64 = Buffer.from(run, 'utf16le').swap16().toString('base64');
  return base64.replace(/=+$/, '').replaceAll('/', ',');
}

function decodeRun(base64: string): string {
  if (!/^[A-Za-z0-9+,]+$/.test(base64)) throw badRun();
  const octets = Buffer.from(base64.replaceAll(',', '/'), 'base64');
  if (octets.length % 2 !== 0) throw badRun();
  const text = octets.swap16().toString('utf16le');
  // Only what an encoder would have made of the text: no bits to spare, and nothing shifted that needs no shift.
  if (!text.isWellFormed() || /[\x20-\x7e]/.test(text) || encodeRun(text) !== base64) throw badRun();
  return text;
}

function badRun(): Refusal {
  return new Refusal('CANNOT', 'The mailbox name is not valid modified UTF-7 (an ampersand is written &-)');
}
