/**
 * What may come in SMTP: RFC 5321 §4.1.4. The library that speaks it has no table of its own: this one names the states of
 * each command as `smtp/commands/` keep them, and what the server has announced decides about extensions.
 */
import { type Hint, type HintEntry, toHint, usualFirst } from './hint.ts';
import type { Standing, StateName } from './standing.ts';

interface Entry extends HintEntry {
  readonly states: readonly StateName[];
  /** The extension that the server must have announced. */
  readonly needs?: string;
}

const ANYTIME: readonly StateName[] = ['connected', 'greeted', 'mail', 'rcpt'];

export const SMTP_HINTS: Readonly<Record<string, Entry>> = {
  EHLO: {
    states: ANYTIME,
    template: 'EHLO ‹name›',
    what: 'Say who you are, and ask what the server can do. It begins anew: a message that was begun is forgotten.',
    rfc: [5321, '4.1.1.1'],
  },
  HELO: {
    states: ANYTIME,
    template: 'HELO ‹name›',
    what: 'The same as EHLO in the words of 1982, without extensions.',
    rfc: [5321, '4.1.1.1'],
  },
  STARTTLS: {
    states: ['greeted'],
    needs: 'STARTTLS',
    template: 'STARTTLS',
    what: 'Ask to go on under TLS. After the 220 comes a handshake, and then EHLO again.',
    rfc: [3207, '4'],
  },
  AUTH: {
    states: ['greeted'],
    needs: 'AUTH',
    template: 'AUTH PLAIN ‹base64 of NUL, account, NUL, password›',
    what: 'Log in. PLAIN packs the name and the password into base64, which anybody can undo.',
    rfc: [4954, '4'],
  },
  MAIL: {
    states: ['greeted'],
    template: 'MAIL FROM:<‹account›>',
    what: 'Begin a message: where a bounce would go. It is the envelope, not the From: line that people see.',
    rfc: [5321, '4.1.1.2'],
  },
  RCPT: {
    states: ['mail', 'rcpt'],
    template: 'RCPT TO:<‹other›>',
    what: 'One recipient. Say it again for each further one.',
    rfc: [5321, '4.1.1.3'],
  },
  DATA: {
    states: ['rcpt'],
    template: 'DATA',
    what: 'Announce the message itself: headers, an empty line, the text, and a full stop alone on a line.',
    rfc: [5321, '4.1.1.4'],
  },
  BDAT: {
    states: ['rcpt'],
    needs: 'CHUNKING',
    template: 'BDAT ‹octets› LAST',
    what: 'The message in counted pieces instead of DATA: no full stop ends it.',
    rfc: [3030, '2'],
  },
  RSET: {
    states: ANYTIME,
    template: 'RSET',
    what: 'Forget the message that was begun; the connection and a login stay.',
    rfc: [5321, '4.1.1.5'],
  },
  NOOP: {
    states: ANYTIME,
    template: 'NOOP',
    what: 'Do nothing, and hear that the server is there.',
    rfc: [5321, '4.1.1.9'],
  },
  VRFY: {
    states: ['greeted', 'mail', 'rcpt'],
    template: 'VRFY ‹other›',
    what: 'Ask whether an address exists. Hardly any server tells: it would help those who collect addresses.',
    rfc: [5321, '4.1.1.6'],
  },
  HELP: { states: ANYTIME, template: 'HELP', what: 'Ask for help; the answer is for people.', rfc: [5321, '4.1.1.8'] },
  QUIT: {
    states: ANYTIME,
    template: 'QUIT',
    what: 'Say good-bye. The server says 221 and closes the connection.',
    rfc: [5321, '4.1.1.10'],
  },
};

const USUAL: Readonly<Partial<Record<StateName, readonly string[]>>> = {
  connected: ['EHLO', 'QUIT'],
  greeted: ['STARTTLS', 'AUTH', 'MAIL', 'QUIT'],
  mail: ['RCPT', 'RSET', 'QUIT'],
  rcpt: ['DATA', 'RCPT', 'RSET', 'QUIT'],
};

export function smtpHints({ state, announced = [] }: Standing): readonly Hint[] {
  const words = new Set(announced.map((line) => line.split(' ', 1)[0]));
  const usual = USUAL[state] ?? [];
  return Object.entries(SMTP_HINTS)
    .filter(([, { states, needs }]) => states.includes(state) && (needs === undefined || words.has(needs)))
    .map(([command, entry]) => toHint(command, entry, usual.includes(command)))
    .sort(usualFirst(usual));
}
