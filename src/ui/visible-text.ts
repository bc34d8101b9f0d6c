/** Text of strangers on the page: what would turn or hide the text around it is shown as what it is. */

/** C0 and C1 controls but tab and line ends, and what embeds or overrides a direction (UAX #9 §2). */
const DANGEROUS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
/** In names of people, files and hosts, marks that nobody sees are as bad. */
const INVISIBLE = /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function codePoint(char: string): string {
  return `[U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** For subjects and bodies. */
export function visibleText(text: string): string {
  return text.replace(DANGEROUS, codePoint);
}

/** For names and addresses. */
export function visibleName(text: string): string {
  return text.replace(INVISIBLE, codePoint);
}

/**
 * For a line of a protocol: control characters as pictures (U+2400 block), octets that are no UTF-8 as `\xNN`.
 * @param isOctets each character stands for an octet
 */
export function visibleLine(text: string, isOctets: boolean): string {
  const pictured = text.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, (char) =>
    char === '\x7f' ? '\u2421' : String.fromCodePoint(0x2400 + char.charCodeAt(0)),
  );
  // The mark of a hidden octet is no octet.
  const octets = isOctets
    ? pictured.replace(/[\x80-\xff]/g, (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase()}`)
    : pictured;
  return octets.replace(DANGEROUS, codePoint);
}
