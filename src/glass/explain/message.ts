/** A message as content, in one sentence: who wrote it, and about what. */
import type { Meaning, RfcSection } from '../spoken.ts';
import type { Fields } from './fields.ts';
import { decodedWords, quoted } from './words.ts';

/** @param what without a full stop at its end */
export function messageInWords(text: string, what: string, rfc: RfcSection): Pick<Meaning, 'what' | 'rfc'> {
  const from = headerField(text, 'from');
  const subject = headerField(text, 'subject');
  const parts = [
    from === undefined ? '' : `from ${decodedWords(from)}`,
    subject === undefined ? '' : `subject ${quoted(decodedWords(subject))}`,
  ];
  const shown = parts.filter((part) => part !== '').join(', ');
  return { what: shown === '' ? `${what}.` : `${what}: ${shown}.`, rfc };
}

function headerField(text: string, name: string): string | undefined {
  const header = text.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const found = new RegExp(`^${name}:[ \\t]*((?:[^\\r\\n]|\\r?\\n[ \\t])*)`, 'im').exec(header)?.[1];
  return found
    ?.replace(/\r?\n[ \t]+/g, ' ')
    .trim()
    .slice(0, 300);
}

/** A dot at the start of a line has a second one on the way: RFC 5321 §4.5.2, RFC 1939 §3. */
export function stuffedDots(text: string, fields: Fields): number {
  let count = 0;
  for (const match of text.matchAll(/^\.\./gm)) {
    if (count++ < 50)
      fields.add(
        match.index,
        match.index + 1,
        'dot',
        'added on the way, so that the line is no end; taken off on arrival',
      );
  }
  return count;
}

/** `dotted`, beside what the message is. */
export function dotsInWords(count: number): string {
  if (count === 0) return '';
  return count === 1
    ? ' One line begins with a dot, which is doubled.'
    : ` ${count} lines begin with a dot, which is doubled.`;
}
