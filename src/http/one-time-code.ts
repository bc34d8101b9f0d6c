/** What testers look for in a message: the code that it carries, and its first link. Pure guesses from its text. */

/** Words beside a code, in some languages that applications write. */
const CODE_WORDS =
  /code|passcode|password|pin\b|otp|token|verif|confirm|one[- ]time|einmal|bestätig|código|verifica|kode|codice|код|验证码|認証/iu;
/** 4 to 8 digits, also `123-456` or `123 456`, or 5 to 10 capitals and digits mixed. */
const CANDIDATE =
  /(?<![\p{L}\p{N}.,:/#@&=?%+-])(?:\d{3}[- ]\d{3}|\d{4,8}|(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{5,10}|[A-Z0-9]{4}-[A-Z0-9]{4})(?![\p{L}\p{N}/@%=-]|[.,:]\d)/gu;
const YEAR = /^(?:19|20)\d\d$/;
/** What stands right before a code that looks like a year. */
const ANNOUNCES = /(?:code|pin|otp)(?: is)?:?\s*$/i;
/** How far from such a word a code may stand. */
const NEAR = 80;
const LONGEST = 10_000;

/** The code in a subject or a text; the one nearest to a word that announces it. Years alone are none. */
export function findCode(...texts: readonly string[]): string | undefined {
  for (const text of texts) {
    const found = codeIn(text.slice(0, LONGEST));
    if (found !== undefined) return found;
  }
  return undefined;
}

function codeIn(text: string): string | undefined {
  const words = [...text.matchAll(new RegExp(CODE_WORDS, 'giu'))].map((match) => match.index);
  if (words.length === 0) return undefined;
  let best: { readonly code: string; readonly distance: number } | undefined;
  for (const { 0: code, index } of text.matchAll(CANDIDATE)) {
    const distance = Math.min(...words.map((word) => Math.abs(word - index)));
    if (distance > NEAR || (YEAR.test(code) && !ANNOUNCES.test(text.slice(Math.max(0, index - 20), index)))) continue;
    if (!best || distance < best.distance) best = { code, distance };
  }
  return best?.code;
}

/** The first address of a web page in a text. */
export function findLink(text: string): string | undefined {
  const found = /\bhttps?:\/\/[^\s<>"'\\^`{|}\x00-\x20\x7f]{1,2000}/iu.exec(text.slice(0, LONGEST))?.[0];
  // What ends a sentence does not belong to it; a closing bracket only if the address has opened it.
  let link = found?.replace(/[.,;:!?…]+$/u, '');
  if (link !== undefined && link.endsWith(')') && !link.includes('(')) link = link.slice(0, -1);
  return link !== undefined && URL.canParse(link) ? link : undefined;
}
