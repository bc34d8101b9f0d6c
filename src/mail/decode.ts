/**
 * What a part holds: its transfer encoding undone (RFC 2045 §6), and text in its charset.
 *
 * As lenient as readers of mail must be: characters that base64 does not know are passed over, padding in the middle
 * begins anew, broken quoted-printable stays as it is, and an unknown encoding counts as none.
 */
import { createRequire } from 'node:module';
import type libqp from 'libqp';
import { decodeCharset } from './charset.ts';
import type { MimePart } from './mime-tree.ts';
import { bufferOver } from './octets.ts';
import { decodedParameter } from './parameters.ts';

const require = createRequire(import.meta.url);
let quotedPrintable: typeof libqp | undefined;

/** Padding more often than this is no text that was encoded in pieces. */
const MAX_PIECES = 10_000;

/**
 * The content of a part that is neither multipart nor message, decoded.
 *
 * @param limit how many encoded octets are read at most; what they decode to is then the beginning of the content
 */
export function decodePart(octets: Uint8Array, part: MimePart, limit = Infinity): Uint8Array {
  const body = bufferOver(octets).subarray(part.bodyStart, Math.min(part.end, part.bodyStart + limit));
  const encoding = part.encoding?.toLowerCase();
  if (encoding === 'base64') return decodeBase64(body.toString('latin1'));
  if (encoding !== 'quoted-printable') return body;
  quotedPrintable ??= require('libqp') as typeof libqp;
  return quotedPrintable.decode(body);
}

/**
 * The text of a part, in its declared charset. Text without one, or said to be US-ASCII, is read as UTF-8 if it is
 * that, else as windows-1252. `limit` is that of `decodePart`.
 */
export function partText(octets: Uint8Array, part: MimePart, limit = Infinity): string {
  const content = decodePart(octets, part, limit);
  const text = decodeCharset(content, decodedParameter(part.parameters, 'charset'));
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** The name of the file that the part says it is: RFC 2183 §2.3, or the older `name` of its Content-Type. */
export function fileName(part: MimePart): string | undefined {
  const name = part.disposition && decodedParameter(part.disposition.parameters, 'filename');
  const found = name ?? decodedParameter(part.parameters, 'name');
  return found === '' ? undefined : found;
}

function decodeBase64(text: string): Uint8Array {
  const padding = text.indexOf('=');
  if (padding === -1 || /^[=\s]*$/.test(text.slice(padding))) return Buffer.from(text, 'base64');
  // Node ends at the first padding.
  const pieces = text.split(/=+/, MAX_PIECES);
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64')));
}
