/**
 * Octets of a message as Node's Buffer sees them, without a copy, and as text when no charset is named.
 */
import { isUtf8 } from 'node:buffer';

export const LF = 0x0a;
export const CR = 0x0d;

const windows1252 = new TextDecoder('windows-1252');

/** The same memory with the methods of a Buffer. */
export function bufferOver(octets: Uint8Array): Buffer {
  return Buffer.isBuffer(octets) ? octets : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}

/** UTF-8 if that is what the octets are, else windows-1252, in which every sequence of octets is a text. */
export function guessText(octets: Uint8Array): string {
  const buffer = bufferOver(octets);
  return isUtf8(buffer) ? buffer.toString('utf8') : windows1252.decode(buffer);
}

/** As `guessText`, for octets that are held as a string of characters up to U+00FF. */
export function guessTextOfBinary(binary: string): string {
  return isAscii(binary) ? binary : guessText(Buffer.from(binary, 'latin1'));
}

export function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}

/** Without blanks, tabs and line ends at both ends. `trim()` would also take 0xA0, the half of many a UTF-8 letter. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === LF || code === CR;
}
