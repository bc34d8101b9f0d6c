/** Whether the server's own reader understands what was said in a dialogue: dialogues are real, and it has no excuse. */
import { readingOf, type Spoken } from '../../src/glass/reading.ts';
import type { Conversation } from '../../src/wire/recorder.ts';

/** @returns what was not understood, or is not explained: nothing, if all is well */
export function notUnderstood(conversation: Conversation): string[] {
  const units = readingOf(conversation);
  return units.flatMap((unit, i) => {
    const { side, role, text, meaning } = unit;
    if (role === 'unknown') {
      return side === 'client' && isRefused(unit, units.slice(i + 1)) ? [] : [`unknown: ${side} ${text}`];
    }
    if (meaning === null || meaning.what === '') return [`without a meaning: ${side} ${role} ${text}`];
    if (meaning.what.includes('not explained') && !isRefused(unit, units.slice(i + 1)) && meaning.rfc?.number !== 9110) {
      return [`not explained: ${side} ${role} ${text}`];
    }
    const outside = meaning.fields.find(({ start, end, says }) => start >= end || end > text.length || says === '');
    return outside === undefined ? [] : [`field ${JSON.stringify(outside)} of ${text}`];
  });
}

/** The server has said no to it, or has ended the connection, or the line never ended. */
function isRefused({ position, end }: Spoken, later: readonly Spoken[]): boolean {
  if (end === 'none') return true;
  const replies = later.filter(({ side }) => side === 'server');
  const answer = replies.find(({ answers }) => answers === position) ?? replies[0];
  return answer === undefined || /^(?:NO|BAD|BYE|-ERR|[45]\d\d)$/.test(answer.name);
}
