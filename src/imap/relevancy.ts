/**
 * How well messages match what was looked for with FUZZY, from 1 to 100: RFC 6203 §4. The text as it is counts most, then
 * its words, then what has only their beginnings; and what the subject says counts more than what the body says.
 */
import type { MailStore } from '../store/mail-store.ts';
import { stemOf, withText, wordsOf, type TextKey } from './fuzzy-keys.ts';
import type { SearchKey } from './grammar/syntax.ts';
import type { Found, MailboxView } from './mailbox-view.ts';
import { findMessages, uidKey } from './search-keys.ts';

const EXACT = 100;
/** The share of a word that is there, that is there with another ending, or that is there in part. */
const WORD = 80;
const STEM = 50;
const PIECE = 25;
/** Of the points for what is found elsewhere than in the subject, where all of the message was asked for. */
const OUTSIDE_SUBJECT = 0.8;

/** Tells which of the messages a key finds: one octet for each. */
type Ask = (key: SearchKey) => Promise<Uint8Array>;
type Scores = Float64Array;

/** @param found what the key has found  @returns a score for each */
export async function relevancyOf(
  key: SearchKey,
  found: Found,
  view: MailboxView,
  store: MailStore,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const among = uidKey(found.uids);
  const places = new Map(Array.from(found.seqNums, (seqNum, place) => [seqNum, place] as const));
  const ask: Ask = async (asked) => {
    const matches = new Uint8Array(found.seqNums.length);
    const seqNums = await findMessages({ name: 'AND', keys: [among, asked] }, view, store, signal);
    for (const seqNum of seqNums) matches[places.get(seqNum)!] = 1;
    return matches;
  };
  const scores = await scoresOf(key, false, ask);
  // RFC 6203 §4: 1 to 100.
  return Uint8Array.from(found.seqNums, (_, i) => Math.max(1, Math.round(scores?.[i] ?? EXACT)));
}

/** Undefined: the key says nothing of how relevant a message is. */
async function scoresOf(key: SearchKey, fuzzy: boolean, ask: Ask): Promise<Scores | undefined> {
  if (key.name === 'FUZZY') return scoresOf(key.key, true, ask);
  if (key.name === 'AND') return combined(await all(key.keys, fuzzy, ask), mean);
  if (key.name === 'OR') return combined(await all([key.left, key.right], fuzzy, ask), best);
  return fuzzy && 'text' in key ? textScores(key, ask) : undefined;
}

async function all(keys: readonly SearchKey[], fuzzy: boolean, ask: Ask): Promise<Scores[]> {
  const scores: Scores[] = [];
  for (const key of keys) {
    const some = await scoresOf(key, fuzzy, ask);
    if (some) scores.push(some);
  }
  return scores;
}

function combined(scores: readonly Scores[], combine: (values: readonly number[]) => number): Scores | undefined {
  return scores[0]?.map((_, i) => combine(scores.map((each) => each[i]!)));
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const best = (values: readonly number[]): number => Math.max(...values);

async function textScores(key: TextKey, ask: Ask): Promise<Scores> {
  const exact = await ask(key);
  const points = new Float64Array(exact.length);
  const words = wordsOf(key.text);
  for (const word of words) {
    const whole = await ask(withText(key, word));
    const stem = await ask(withText(key, stemOf(word)));
    whole.forEach((has, i) => (points[i]! += (has ? WORD : stem[i] ? STEM : PIECE) / words.length));
  }
  const scores = points.map((sum, i) => (exact[i] ? EXACT : sum));
  if (key.name !== 'TEXT') return scores;
  const inSubject = await ask({ name: 'SUBJECT', text: key.text });
  return scores.map((score, i) => (inSubject[i] ? score : score * OUTSIDE_SUBJECT));
}
