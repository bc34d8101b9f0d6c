/** Octets as text, without the secrets in them. */
import { isUtf8 } from 'node:buffer';
import type { Hidden } from './veil.ts';

/** What stands for a hidden octet. */
export const MARK = '•';

export interface ShownPart {
  readonly part: Buffer;
  /** How many octets are hidden behind it. */
  readonly marks: number;
}

/** What is shown, each part followed by as many marks as octets are hidden behind it. */
export function shownParts(octets: Buffer, hidden: readonly Hidden[]): ShownPart[] {
  const parts: ShownPart[] = [];
  let at = 0;
  for (const { start, end } of hidden) {
    parts.push({ part: octets.subarray(at, start), marks: end - start });
    at = end;
  }
  parts.push({ part: octets.subarray(at), marks: 0 });
  return parts;
}

export function textOf(parts: readonly ShownPart[], charset: 'utf-8' | 'iso-8859-1'): string {
  const encoding = charset === 'utf-8' ? 'utf8' : 'latin1';
  return parts.map(({ part, marks }) => part.toString(encoding) + MARK.repeat(marks)).join('');
}

/** @returns undefined for what is no text */
export function charsetOf(parts: readonly ShownPart[]): 'utf-8' | 'iso-8859-1' | undefined {
  if (parts.some(({ part }) => /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]/.test(part.toString('latin1')))) return undefined;
  // A character may be cut by the end of a piece; then it is shown as its octets.
  return parts.every(({ part }) => isUtf8(part)) ? 'utf-8' : 'iso-8859-1';
}
