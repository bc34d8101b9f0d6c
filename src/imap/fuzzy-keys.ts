/**
 * FUZZY: RFC 6203 §3. What is looked for is taken word by word, in any order, and a word is also found with another
 * ending; in subjects and addresses, which are short, with a letter that is wrong, missing or too many, too. Keys that
 * name no text mean what they always mean (§5).
 */
import type { SearchKey } from './grammar/syntax.ts';

export type TextKey = Extract<SearchKey, { readonly text: string }>;

/** Of a text that somebody looks for; the others are passed over. */
const MOST_WORDS = 16;
/** A piece shorter than this is everywhere. */
const PIECE = 3;

/** A key that finds all that the fuzzy key finds. */
export function loosened(key: SearchKey): SearchKey {
  if (key.name === 'AND') return { name: 'AND', keys: key.keys.map(loosened) };
  if (key.name === 'OR') return { name: 'OR', left: loosened(key.left), right: loosened(key.right) };
  if (key.name === 'NOT') return { name: 'NOT', key: loosened(key.key) };
  if (key.name === 'FUZZY') return loosened(key.key);
  if (!('text' in key)) return key;
  const words = wordsOf(key.text);
  return words.length === 0 ? key : allOf(words.map((word) => anyOf(variants(key, word))));
}

export function wordsOf(text: string): readonly string[] {
  return text.match(/[\p{L}\p{M}\p{N}]+/gu)?.slice(0, MOST_WORDS) ?? [];
}

/** The word without its ending. */
export function stemOf(word: string): string {
  const letters = Array.from(word);
  const ending = letters.length >= 9 ? 3 : letters.length >= 6 ? 2 : letters.length === 5 ? 1 : 0;
  return letters.slice(0, letters.length - ending).join('');
}

export function withText(key: TextKey, text: string): SearchKey {
  return { ...key, text };
}

function variants(key: TextKey, word: string): readonly SearchKey[] {
  const stem = withText(key, stemOf(word));
  if (key.name === 'BODY') return [stem];
  if (key.name !== 'TEXT') return [stem, ...piecesOf(word).map((piece) => withText(key, piece))];
  const inHeader = (['SUBJECT', 'FROM', 'TO'] as const).flatMap((name) =>
    piecesOf(word).map((text): SearchKey => ({ name, text })),
  );
  return [stem, ...inHeader];
}

/** One wrong letter leaves one of them whole. */
function piecesOf(word: string): readonly string[] {
  const letters = Array.from(word);
  if (letters.length <= PIECE) return [];
  const half = Math.max(PIECE, letters.length >> 1);
  return [letters.slice(0, half).join(''), letters.slice(-half).join('')];
}

function anyOf(keys: readonly SearchKey[]): SearchKey {
  return keys.reduce((left, right) => ({ name: 'OR', left, right }));
}

function allOf(keys: readonly SearchKey[]): SearchKey {
  return keys.length === 1 ? keys[0]! : { name: 'AND', keys };
}
