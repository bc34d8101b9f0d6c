/**
 * Octets of a named charset as text: the labels of the WHATWG, UTF-7 (RFC 2152), and what libmime knows besides
 * (code pages of DOS, for one). Nothing throws: an unknown name means UTF-8 if the octets are that, else windows-1252.
 */
import { createRequire } from 'node:module';
import type * as libmimeCharset from 'libmime/lib/charset.js';
import { bufferOver, guessText } from './octets.ts';

const require = createRequire(import.meta.url);
let charsets: typeof libmimeCharset | undefined;

/** `label` as the message says it, in any case. Text that calls itself US-ASCII and is not is treated as unlabelled. */
export function decodeCharset(octets: Uint8Array, label: string | undefined): string {
  const name = label?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'us-ascii' || name === 'ascii' || name.length > 40) return guessText(octets);
  if (/^(unicode-1-1-)?utf-?7$/.test(name)) return decodeUtf7(bufferOver(octets).toString('latin1'));
  try {
    return new TextDecoder(name).decode(octets);
  } catch {
    return decodeRareCharset(octets, name);
  }
}

function decodeRareCharset(octets: Uint8Array, name: string): string {
  charsets ??= require('libmime/lib/charset.js') as typeof libmimeCharset;
  try {
    if (new charsets.DecodeStream(name).supported) return charsets.decode(bufferOver(octets), name);
  } catch {
    // As if it had no name.
  }
  return guessText(octets);
}

/** RFC 2152 §2: `+…-` holds base64 of UTF-16 without padding, `+-` is a plus. */
function decodeUtf7(binary: string): string {
  return binary.replace(/\+([A-Za-z0-9+/]*)-?/g, (_, base64: string) => {
    if (base64 === '') return '+';
    const utf16 = Buffer.from(base64, 'base64');
    const whole = utf16.subarray(0, utf16.length & ~1);
    return Buffer.from(whole).swap16().toString('utf16le');
  });
}
