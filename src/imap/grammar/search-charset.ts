/** The charsets that SEARCH's texts may be in (RFC 9051 §6.4.4: US-ASCII and UTF-8 are a MUST). */
import { isUtf8 } from 'node:buffer';
import { BadSyntax } from './bad-syntax.ts';

/** As BADCHARSET lists them; `TextDecoder` knows each by this name. */
const SEARCH_CHARSETS: readonly string[] = [
  'UTF-8',
  'US-ASCII',
  'ISO-8859-1',
  'ISO-8859-15',
  'WINDOWS-1252',
  'KOI8-R',
  'ISO-2022-JP',
];

/** SEARCH named a charset that is not known here: NO [BADCHARSET (…)], never BAD (RFC 9051 §6.4.4). */
export class BadCharset extends Error {
  override readonly name = 'BadCharset';
  /** What the client may ask for instead. */
  readonly supported: readonly string[] = SEARCH_CHARSETS;
  /** The response code, without its brackets. */
  readonly code = `BADCHARSET (${SEARCH_CHARSETS.join(' ')})`;

  constructor() {
    super('Search texts cannot be read in that charset');
  }
}

export type DecodeText = (octets: Uint8Array) => string;

/** @throws BadCharset if the name is not in the list */
export function searchCharset(name: string): DecodeText {
  const known = name.toUpperCase();
  if (!SEARCH_CHARSETS.includes(known)) throw new BadCharset();
  return known === 'UTF-8' || known === 'US-ASCII' ? decodeUtf8 : decodeAs(known);
}

/**
 * Texts without a charset: clients send UTF-8 there, and US-ASCII is a part of it. Others are in a charset that nobody has
 * named: to NO, Jakarta Mail searches by itself instead, and to BAD it gives up.
 * @throws BadCharset
 */
export function decodeUnnamed(octets: Uint8Array): string {
  if (!isUtf8(octets)) throw new BadCharset();
  return decodeUtf8(octets);
}

/** @throws BadSyntax */
function decodeUtf8(octets: Uint8Array): string {
  if (!isUtf8(octets)) throw new BadSyntax('A text with other than ASCII letters is not valid UTF-8');
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('utf8');
}

function decodeAs(charset: string): DecodeText {
  const decoder = new TextDecoder(charset, { fatal: true });
  return (octets) => {
    try {
      return decoder.decode(octets);
    } catch {
      throw new BadSyntax(`A text is not valid ${charset}`);
    }
  };
}
