/**
 * SASLprep (RFC 4013), by which the same password typed on two systems becomes the same octets. The tables are those of
 * RFC 3454; code points that were unassigned then are let through, for Unicode has gone on since.
 */
// RFC 4013 §2.1: other spaces become SPACE (table C.1.2), what is commonly mapped to nothing goes (table B.1).
const SPACES = /[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/g;
const NOTHING = /[\u00AD\u034F\u1806\u180B-\u180D\u200C\u200D\u2060\uFE00-\uFE0F\uFEFF]/g;
// RFC 4013 §2.3: controls C.2, private use C.3, non-characters C.4, surrogates C.5, inappropriate C.6 and C.7,
// display changing C.8, tags C.9.
const PROHIBITED =
  /[\u0000-\u001F\u007F-\u009F\u0340\u0341\u06DD\u070F\u180E\u200E\u200F\u2028-\u202E\u2061-\u2063\u206A-\u206F\u2FF0-\u2FFB\uE000-\uF8FF\uFFF9-\uFFFD\u{1D173}-\u{1D17A}\u{E0001}\u{E0020}-\u{E007F}\u{F0000}-\u{10FFFF}\p{Noncharacter_Code_Point}\p{Cs}]/u;
// RFC 3454 §6 by today's scripts: right-to-left letters, and letters of any other script.
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const LETTER = /\p{L}/gu;

/** @returns undefined when the text contains what RFC 4013 §2.3 or the rule for two directions (§2.4) prohibits */
export function saslprep(text: string): string | undefined {
  // Most passwords are ASCII, which is mapped to itself.
  if (/^[\x20-\x7E]*$/.test(text)) return text;
  const prepared = text.replace(SPACES, ' ').replace(NOTHING, '').normalize('NFKC');
  if (PROHIBITED.test(prepared)) return undefined;
  if (RIGHT_TO_LEFT.test(prepared)) {
    // A string with right-to-left letters has no others, and begins and ends with one (RFC 3454 §6).
    const letters = prepared.match(LETTER) ?? [];
    const characters = Array.from(prepared);
    if (letters.some((letter) => !RIGHT_TO_LEFT.test(letter))) return undefined;
    if (!RIGHT_TO_LEFT.test(characters[0]!) || !RIGHT_TO_LEFT.test(characters.at(-1)!)) return undefined;
  }
  return prepared;
}
