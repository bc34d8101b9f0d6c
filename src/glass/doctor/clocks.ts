/** Clocks that differ (D10). */
import type { Case } from './case.ts';
import { type Facts, allNoted, noted } from './facts.ts';
import { duration } from './remedies.ts';

/** What signatures, tokens and certificates bear. Milliseconds. */
export const TOLERANCE_MS = 5 * 60_000;
/** Mail may be older than that, tests have old dates: nothing is said about the clock. */
const MOST_MS = 2 * 86_400_000;
const HALF_HOUR_MS = 30 * 60_000;

/** What is said of a difference; positive: theirs is ahead. */
export function differenceWords(ms: number): string {
  return `${duration(Math.abs(ms))} ${ms > 0 ? 'ahead' : 'behind'}`;
}

/** A time zone that is set wrong shifts by half hours. */
export function looksLikeZone(ms: number): boolean {
  const off = Math.abs(ms) % HALF_HOUR_MS;
  return Math.abs(ms) >= HALF_HOUR_MS - TOLERANCE_MS && Math.min(off, HALF_HOUR_MS - off) < 60_000;
}

export const clockDiffers: Case = {
  id: 'D10',
  title: 'The clocks differ',
  seen: 'alert 45, certificate_expired; or the `Date:` of submitted mail, or the clock of the browser that shows these pages, differs by more than five minutes',
  says: 'The clocks differ by 12 minutes.',
  find(facts) {
    return expired(facts) ?? dateDiffers(facts);
  },
};

function expired(facts: Facts): ReturnType<Case['find']> {
  const { end } = facts.handshake ?? {};
  if (end?.step.step !== 'failed' || end.step.alert !== 45) return undefined;
  const made = noted(facts, 'fault');
  return {
    severity: 'problem',
    title: 'Certificate expired, says the program',
    sentence: made
      ? 'Your program refused a certificate that has expired: a fault rule showed it one.'
      : 'Your program says that our certificate has expired or is not valid yet: most likely its clock, or this server’s, is wrong.',
    remedy: made
      ? 'That is the right behaviour. Switch the fault rule off to go on.'
      : 'Set both clocks by the network; if they are right, restart the server, which renews its certificate.',
    evidence: [{ seq: end.seq, shows: 'alert 45, certificate_expired' }],
  };
}

/** Of mail that a user hands in; what servers hand on may be old. */
function dateDiffers(facts: Facts): ReturnType<Case['find']> {
  const { conversation, spoken } = facts;
  const submits =
    /^submissions?$/.test(conversation.service) || (conversation.service === 'smtp' && noted(facts, 'login'));
  if (!submits || allNoted(facts, 'stored').length === 0) return undefined;
  for (const { side, text, at, seq } of spoken) {
    const written = side === 'client' ? /^Date:[ \t]*([^\r\n]{1,80})/im.exec(text)?.[1] : undefined;
    const time = written === undefined ? NaN : Date.parse(written.replace(/\(.*$/, ''));
    if (written === undefined || Number.isNaN(time)) continue;
    const difference = time - (conversation.openedAt + at);
    if (Math.abs(difference) < TOLERANCE_MS || Math.abs(difference) > MOST_MS) return undefined;
    return {
      severity: 'advice',
      sentence: `The message's Date is ${differenceWords(difference)} of this server's clock.${looksLikeZone(difference) ? ' That looks like a time zone that is set wrong.' : ''}`,
      remedy:
        'Set the clock and the time zone of the sending computer by the network; if they are right, this server’s.',
      evidence: [{ seq, shows: `Date: ${written}` }],
    };
  }
  return undefined;
}
