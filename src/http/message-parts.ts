/** The parts of a message as HTTP names and serves them. */
import { type MimePart, findPart, isMultipart, mediaType, partsOf } from '../mail/mime-tree.ts';
import { decodePart } from '../mail/decode.ts';
import { decodedParameter } from '../mail/parameters.ts';
import { bufferOver } from '../mail/octets.ts';

/** @param partId checked to be numbers and dots: RFC 9051 §6.4.5.1 */
export function partOf(tree: MimePart, partId: string): MimePart | undefined {
  return findPart(tree, partId.split('.').map(Number));
}

/** What a download of the part holds: decoded, or as it stands where there is nothing to decode. */
export function servedOctets(octets: Uint8Array, part: MimePart): Uint8Array {
  if (isMultipart(part) || part.message) return bufferOver(octets).subarray(part.bodyStart, part.end);
  return decodePart(octets, part);
}

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/; // RFC 6838 §4.2

/** The media type, safe to be said in a header field. */
export function servedType(part: MimePart): string {
  const type = mediaType(part);
  return MEDIA_TYPE.test(type) ? type : 'application/octet-stream';
}

/** With the charset of a text, as the part names it. */
export function servedTypeWithCharset(part: MimePart): string {
  const type = servedType(part);
  const charset = charsetOf(part);
  const isToken = charset !== undefined && /^[\w!#$%&'*+.^`|~-]{1,40}$/.test(charset);
  return type.startsWith('text/') && isToken ? `${type}; charset=${charset}` : type;
}

export function charsetOf(part: MimePart): string | undefined {
  return decodedParameter(part.parameters, 'charset');
}

/** There is a plain text to be read: not only what the HTML says. */
export function hasPlainText(tree: MimePart): boolean {
  for (const { part } of partsOf(tree)) {
    if (mediaType(part) === 'text/plain' && part.disposition?.type.toLowerCase() !== 'attachment') return true;
  }
  return false;
}
