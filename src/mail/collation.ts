/**
 * i;unicode-casemap (RFC 5051), by which SORT and THREAD compare (RFC 5256 §7): each character in title case, then
 * decomposed. Two texts are equal when their keys are; their order is that of the keys' UTF-8 octets.
 */

/** Simple title case, where it is not what `toUpperCase` gives: the digraphs, and Greek letters with an iota below. */
const TITLE_CASE: ReadonlyMap<string, string> = new Map(titleCases());

function titleCases(): [string, string][] {
  const pairs: [string, string][] = [];
  const add = (letter: number, title: number): void => {
    pairs.push([String.fromCharCode(letter), String.fromCharCode(title)]);
  };
  for (const title of [0x01c5, 0x01c8, 0x01cb, 0x01f2]) {
    for (const letter of [title - 1, title, title + 1]) add(letter, title);
  }
  for (const first of [0x1f80, 0x1f90, 0x1fa0]) for (let i = first; i < first + 8; i++) add(i, i + 8);
  for (const letter of [0x1fb3, 0x1fc3, 0x1ff3]) add(letter, letter + 9);
  // Georgian has capitals, but no titles.
  for (let letter = 0x10d0; letter <= 0x10ff; letter++) add(letter, letter);
  return pairs;
}

/** The key of a text. What is equal but for its case, or for how it is composed, has the same. */
export function casemapKey(text: string): string {
  if (!/[^\x00-\x7f]/.test(text)) return text.toUpperCase();
  return text.replace(/[^\x00-\x7f]|[a-z]+/gu, (letters) => titleCase(letters)).normalize('NFKD');
}

/** Of one character, or of several from a to z. */
function titleCase(letters: string): string {
  const known = TITLE_CASE.get(letters);
  if (known !== undefined) return known;
  const upper = letters.toUpperCase();
  // RFC 5051 knows the simple mapping alone: ß, whose capitals are two letters, stays.
  return upper.length === letters.length ? upper : letters;
}

/**
 * JavaScript orders texts by units of UTF-16, which puts characters beyond U+FFFF before some of those below: this moves
 * the units such that their order is that of UTF-8. The result is for comparing alone.
 */
export function inOctetOrder(key: string): string {
  if (!/[\ud800-\uffff]/.test(key)) return key;
  let text = '';
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    text += String.fromCharCode(unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x0800);
  }
  return text;
}
