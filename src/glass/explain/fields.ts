/** Gathers what the parts of a unit's text say. */
import type { Field, RfcSection } from '../spoken.ts';

/** More parts than these are not pointed at: a list of thousands says the same of each. */
const MOST = 200;

export class Fields {
  readonly found: Field[] = [];
  /** Where it is written what the most telling part means, if it is elsewhere than the whole. */
  rfc: RfcSection | null = null;

  add(start: number, end: number, name: string, says: string): void {
    if (end > start && this.found.length < MOST) this.found.push({ start, end, name, says });
  }

  /** In the order of the text; of two that overlap, the longer one first. */
  get sorted(): Field[] {
    return this.found.sort((a, b) => a.start - b.start || b.end - a.end);
  }
}

/** Marks each match of a word with what it says. */
export function addWords(
  fields: Fields,
  text: string,
  from: number,
  says: (word: string) => readonly [name: string, says: string],
): void {
  for (const match of text.slice(from).matchAll(/\S+/g)) {
    const start = from + match.index;
    const [name, what] = says(match[0]);
    fields.add(start, start + match[0].length, name, what);
  }
}
