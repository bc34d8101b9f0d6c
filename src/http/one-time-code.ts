/** What testers look for in a message: the code that it carries, and its first link. Pure guesses from its text. */

/** Words beside a code, in some languages that applications write. */
const CODE_WORDS =
  /code|passcode|password|pin\b|otp|token|verif|confirm|one[- ]time|einmal|bestätig|código|verifica|kode|codice|код|验证码|認証/iu;
const CANDIDATE =
  /(?<![\p{L}\p{N}.,:/#@&=?%+-])(?:\d{3}[- ]\d{3}|\d{4,8}|(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{5,10}|[A-Z0-9]{4}-[A-Z0-9]{4})(?![\p{L}\p{N}/@%=-]|[.,:]\d)/gu;
/** What a candidate looks like: `1234`, `123-456` or `123 456`, `A1B2C3`, `AB12-CD34`. */
export const CODE_RULES = ['digits', 'grouped-digits', 'capitals-and-digits', 'grouped-capitals'] as const;
const YEAR = /^(?:19|20)\d\d$/;
/** What stands right before a code that looks like a year. */
const ANNOUNCES = /(?:code|pin|otp)(?: is)?:?\s*$/i;
/** How far from such a word a code may stand. */
const NEAR = 80;
const LONGEST = 10_000;

export interface FoundCode {
  readonly code: string;
  readonly rule: (typeof CODE_RULES)[number];
  /** The word that announces it, as written, and how many characters lie between the two. */
  readonly word: string;
  readonly distance: number;
}

/** The code in a subject or a text; the one nearest to a word that announces it. Years alone are none. */
export function findCode(...texts: readonly string[]): string | undefined {
  for (const text of texts) {
    const [found] = findCodes(text);
    if (found) return found.code;
  }
  return undefined;
}

/** Each once, those nearest to an announcing word first. */
export function findCodes(wholeText: string): readonly FoundCode[] {
  const text = wholeText.slice(0, LONGEST);
  const words = [...text.matchAll(new RegExp(CODE_WORDS, 'giu'))];
  const found = new Map<string, FoundCode>();
  for (const { 0: code, index } of words.length === 0 ? [] : text.matchAll(CANDIDATE)) {
    const nearest = words.reduce((best, word) => (gap(word, index) < gap(best, index) ? word : best));
    const distance = gap(nearest, index);
    if (distance > NEAR || (YEAR.test(code) && !ANNOUNCES.test(text.slice(Math.max(0, index - 20), index)))) continue;
    if (distance >= (found.get(code)?.distance ?? Infinity)) continue;
    found.set(code, { code, rule: ruleOf(code), word: nearest[0], distance });
  }
  return [...found.values()].sort((a, b) => a.distance - b.distance);
}

const gap = (word: RegExpExecArray, index: number): number => Math.abs(word.index - index);

function ruleOf(code: string): FoundCode['rule'] {
  if (/^\d+$/.test(code)) return 'digits';
  if (/^\d+[- ]\d+$/.test(code)) return 'grouped-digits';
  return code.includes('-') ? 'grouped-capitals' : 'capitals-and-digits';
}

/** The first address of a web page in a text. */
export function findLink(text: string): string | undefined {
  return findLinks(text.slice(0, LONGEST))[0];
}

/** The addresses of web pages in a text, each once. */
export function findLinks(text: string): readonly string[] {
  const links = new Set<string>();
  for (const [found] of text.matchAll(/\bhttps?:\/\/[^\s<>"'\\^`{|}\x00-\x20\x7f]{1,2000}/giu)) {
    // What ends a sentence does not belong to it; a closing bracket only if the address has opened it.
    let link = found.replace(/[.,;:!?…]+$/u, '');
    if (link.endsWith(')') && !link.includes('(')) link = link.slice(0, -1);
    if (URL.canParse(link)) links.add(link);
  }
  return [...links];
}
