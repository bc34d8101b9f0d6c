/** The octets of what was said, out of its text: which of them are hidden, and which character each belongs to. Pure. */
import type { Spoken } from '../http/schemas/reading.ts';

/** What the server puts in the place of a hidden octet. */
export const MARK = '•';

export interface Octet {
  /** Undefined: hidden. */
  readonly value: number | undefined;
  /** Which character of the text it belongs to; the text's length for its line end. */
  readonly character: number;
}

type Said = Pick<Spoken, 'text' | 'charset' | 'secret' | 'end'>;

export function octetsOf({ text, charset, secret, end }: Said, most = Number.MAX_SAFE_INTEGER): Octet[] {
  const octets: Octet[] = [];
  const encoder = new TextEncoder();
  for (let at = 0; at < text.length && octets.length < most;) {
    const char = String.fromCodePoint(text.codePointAt(at)!);
    if (secret && char === MARK) octets.push({ value: undefined, character: at });
    else if (charset === 'octets') octets.push({ value: char.charCodeAt(0) & 0xff, character: at });
    else for (const value of encoder.encode(char)) octets.push({ value, character: at });
    at += char.length;
  }
  const ending = end === 'crlf' ? [13, 10] : end === 'lf' ? [10] : [];
  return [...octets, ...ending.map((value) => ({ value, character: text.length }))].slice(0, most);
}

export interface Base64Word {
  readonly start: number;
  readonly end: number;
  readonly says: string;
}

/** Words of a line that are base64 of readable text (RFC 4648 §4), as SASL has them. */
export function base64Words(text: string): Base64Word[] {
  const found: Base64Word[] = [];
  for (const match of text.matchAll(/(?<=^|\s)[A-Za-z0-9+/]{8,}={0,2}(?=\s|$)/g)) {
    const [word] = match;
    const says = word.length % 4 === 0 ? readable(word) : undefined;
    if (says !== undefined) found.push({ start: match.index, end: match.index + word.length, says });
  }
  return found;
}

function readable(word: string): string | undefined {
  try {
    const octets = Uint8Array.from(atob(word), (char) => char.charCodeAt(0));
    const text = new TextDecoder('utf-8', { fatal: true }).decode(octets);
    // NUL and SOH separate fields: RFC 4616 §2, RFC 7628 §3.1. Any other control, and it was no text.
    return /[\x02-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
