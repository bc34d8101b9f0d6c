/**
 * Strings as IMAP writes them in ENVELOPE and BODYSTRUCTURE: RFC 9051 §4.3, `string` and `nstring` of §9.
 * Text is held with one character for each octet.
 */

/** Longer strings go as literals: some clients read lines into buffers of a fixed size (RFC 2683 §3.2.1.5). */
const MAX_QUOTED = 1000;

/** `"…"` for short 7-bit text on one line, else a literal with the octets as they are. */
export function imapString(binary: string): string {
  if (binary.length <= MAX_QUOTED && /^[\x01-\x09\x0b\x0c\x0e-\x7f]*$/.test(binary)) {
    return /["\\]/.test(binary) ? `"${binary.replace(/["\\]/g, '\\$&')}"` : `"${binary}"`;
  }
  // CHAR8 has every octet but NUL (RFC 9051 §9): 0x80, which no UTF-8 begins with, stands in its place.
  return `{${binary.length}}\r\n${binary.replaceAll('\0', '\x80')}`;
}

/** NIL for what is absent. */
export function imapNstring(binary: string | undefined): string {
  return binary === undefined ? 'NIL' : imapString(binary);
}

/** Text as its UTF-8 octets, one character for each. */
export function binaryOf(text: string): string {
  return /[^\x00-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}
