/** What may come in POP3: the states are those of the server's own table, the words are for people. */
import { COMMANDS } from '../../pop3/commands/table.ts';
import { type Hint, type HintEntry, toHint, usualFirst } from './hint.ts';
import type { Standing, StateName } from './standing.ts';

export const POP3_HINTS: Readonly<Record<string, HintEntry>> = {
  USER: { template: 'USER ‹account›', what: 'Your name; the password follows with PASS.', rfc: [1939, '7'] },
  PASS: {
    template: 'PASS ‹password›',
    what: 'Your password, as it is: without TLS everybody on the way can read it.',
    rfc: [1939, '7'],
  },
  QUIT: {
    template: 'QUIT',
    what: 'Say good-bye. What DELE has marked is deleted now, and not before.',
    rfc: [1939, '6'],
  },
  STAT: { template: 'STAT', what: 'How many messages there are, and how large they are together.', rfc: [1939, '5'] },
  LIST: { template: 'LIST', what: 'The number and the size of each message.', rfc: [1939, '5'] },
  RETR: {
    template: 'RETR ‹1›',
    what: 'The whole message, up to a line with a full stop alone. It stays on the server.',
    rfc: [1939, '5'],
  },
  DELE: {
    template: 'DELE ‹1›',
    what: 'Mark a message as deleted. It goes with QUIT; RSET takes the mark back.',
    rfc: [1939, '5'],
  },
  NOOP: { template: 'NOOP', what: 'Do nothing, and hear that the server is there.', rfc: [1939, '5'] },
  RSET: { template: 'RSET', what: 'Take back all marks of DELE.', rfc: [1939, '5'] },
  APOP: {
    template: 'APOP ‹account› ‹digest›',
    what: 'A login by an MD5 digest. This server has none: it would need the password in clear.',
    rfc: [1939, '7'],
  },
  TOP: { template: 'TOP ‹1› ‹10›', what: 'The headers of a message, and so many lines of its text.', rfc: [1939, '7'] },
  UIDL: {
    template: 'UIDL',
    what: 'A name of each message that stays the same: by it a program knows what it has fetched already.',
    rfc: [1939, '7'],
  },
  CAPA: { template: 'CAPA', what: 'Ask what the server can do.', rfc: [2449, '5'] },
  STLS: { template: 'STLS', what: 'Ask to go on under TLS. After the +OK comes a handshake.', rfc: [2595, '4'] },
  AUTH: {
    template: 'AUTH PLAIN ‹base64 of NUL, account, NUL, password›',
    what: 'Log in by a SASL mechanism. AUTH alone lists them.',
    rfc: [5034, '4'],
  },
  UTF8: { template: 'UTF8', what: 'From now on messages may come with UTF-8 in their headers.', rfc: [6856, '2.1'] },
  LANG: { template: 'LANG', what: 'In which languages the server can speak to you.', rfc: [6856, '3.2'] },
};

const USUAL: readonly string[] = [
  'CAPA',
  'STLS',
  'USER',
  'PASS',
  'STAT',
  'LIST',
  'UIDL',
  'RETR',
  'DELE',
  'RSET',
  'QUIT',
];

export function pop3Hints({ state, secure }: Standing): readonly Hint[] {
  return [...COMMANDS]
    .filter(([name, { states }]) => (states as readonly StateName[]).includes(state) && !(secure && name === 'STLS'))
    .map(([name]) => toHint(name, POP3_HINTS[name]!, USUAL.includes(name)))
    .sort(usualFirst(USUAL));
}
