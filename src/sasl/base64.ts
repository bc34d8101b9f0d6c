/**
 * Base 64 as SASL profiles use it: RFC 4648 §4, without line breaks; `=` alone is the empty response
 * (RFC 4954 §4, RFC 4959 §3, RFC 5034 §4).
 */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** @returns undefined when it is not base 64: Buffer alone would skip what it does not know */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text === '=') return new Uint8Array(0);
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** For challenges. */
export function encodeBase64(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('base64');
}
