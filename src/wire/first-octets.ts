/**
 * What a client's very first octets say about a mistaken port. Pure: the listener decides what to answer.
 */

/** `undecided`: more octets are needed, the client has sent the start of something telling. */
export type FirstOctets = 'tls' | 'http' | 'other' | 'undecided';

const METHODS = ['GET ', 'POST ', 'HEAD ', 'PUT ', 'OPTIONS ', 'PROPFIND '];

/** A TLS record of type handshake, any version: RFC 8446 §5.1. */
export const HANDSHAKE = 0x16;
const MAJOR_VERSION = 0x03;

/** TLS alert `fatal protocol_version` (RFC 8446 §6, §6.2): every client understands it, and fails at once instead of waiting. */
export const WRONG_PORT_ALERT = Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]);

export function firstOctets(octets: Uint8Array): FirstOctets {
  if (octets.length === 0) return 'undecided';
  if (octets[0] === HANDSHAKE) {
    if (octets.length === 1) return 'undecided';
    return octets[1] === MAJOR_VERSION ? 'tls' : 'other';
  }
  return firstLine(octets);
}

/** HTTP/1.1 request lines (RFC 9112 §3). `GET` may also be the tag of an IMAP command, so the target's start decides. */
function firstLine(octets: Uint8Array): FirstOctets {
  const start = String.fromCharCode(...octets.subarray(0, 16));
  for (const method of METHODS) {
    if (start.length < method.length + 1) {
      if ((method + '/').startsWith(start)) return 'undecided';
    } else if (start.startsWith(method)) {
      return /^[/*h]/i.test(start.slice(method.length)) ? 'http' : 'other';
    }
  }
  return 'other';
}
