/** What a unit says, for somebody who learns the protocol. What is not known is said to be. */
import type { About } from '../reading/grammar.ts';
import type { Meaning, RfcSection, Role, Side } from '../spoken.ts';
import { Fields } from './fields.ts';
import { explainHttp } from './http.ts';
import { IMAP_COMMANDS } from './imap-commands.ts';
import { explainImap } from './imap.ts';
import { POP3_COMMANDS } from './pop3-commands.ts';
import { explainPop3 } from './pop3.ts';
import { SMTP_COMMANDS } from './smtp-commands.ts';
import { explainSmtp } from './smtp.ts';

/** A unit as far as its meaning depends on it. */
export interface Explained {
  readonly protocol: string;
  readonly side: Side;
  readonly role: Role;
  readonly name: string;
  /** Without secrets. */
  readonly text: string;
  readonly octets: number;
  readonly about: About;
}

type Said = Pick<Meaning, 'what' | 'rfc'>;
type Explain = (unit: Explained, fields: Fields) => Said | null;

const EXPLAINERS: Readonly<Record<string, Explain>> = {
  imap: explainImap,
  pop3: explainPop3,
  smtp: explainSmtp,
  lmtp: explainSmtp,
  http: explainHttp,
};

/** What stands for a secret whose length is nobody's business. */
const HIDDEN_VALUE = '•••••';

/** @param unveils decoded secrets are told */
export function meaningOf(unit: Explained, unveils: boolean): Meaning | null {
  const { about, protocol, role } = unit;
  const fields = new Fields();
  const isHttp = unit.role !== 'unknown' && HTTP_WORD.test(unit.text) && protocol !== 'http';
  const explain = isHttp || about.item === 'field' ? explainHttp : EXPLAINERS[protocol];
  const decoded = (about.decoded ?? []).map(({ name, value, secret }) => ({
    name,
    value: secret === true && !unveils ? HIDDEN_VALUE : value,
  }));
  if (role === 'unknown') return { ...unknown(unit), fields: [], decoded };
  const said = role === 'sasl' ? exchange(unit, fields) : explain?.(unit, fields);
  if (said === null || said === undefined) return null;
  // A command that logs in says at once who it is.
  const rfc = role === 'command' && about.rfc !== undefined ? said.rfc : (said.rfc ?? about.rfc ?? null);
  return { what: said.what, fields: fields.sorted, rfc, decoded };
}

const HTTP_WORD = /^(?:HTTP\/\d|[A-Z]+ \S+ HTTP\/\d)/;

/** A step of SASL: the grammar has decoded it, since its text is hidden. */
function exchange({ about, side, text }: Explained, fields: Fields): Said {
  if (side === 'client') fields.add(0, text.length, 'response', 'in base64');
  const prefix = /^(?:\+|334)/.exec(text)?.[0].length ?? 0;
  if (side === 'server') {
    fields.add(0, prefix, 'challenge', 'the server waits for an answer of the login');
    fields.add(prefix + 1, text.length, 'challenge', 'in base64');
  }
  return { what: about.what ?? 'A step of the login.', rfc: about.rfc ?? { number: 4422, section: '3' } };
}

// ----------------------------------------------------------------------------------------------------- not known

const PROTOCOLS: Readonly<Record<string, string>> = {
  imap: 'IMAP',
  pop3: 'POP3',
  smtp: 'SMTP',
  lmtp: 'LMTP',
  http: 'HTTP',
};

function unknown({ about, name, text, protocol, side, octets }: Explained): Said {
  if (about.what !== undefined) return { what: about.what, rfc: null };
  const port = PROTOCOLS[protocol] ?? protocol.toUpperCase();
  if (name === 'TLS') {
    if (side === 'server' || text.startsWith('\x15')) {
      return {
        what: 'An alert of TLS: a client that began with TLS is told in its own words that this port begins in clear.',
        rfc: rfc(8446, '6'),
      };
    }
    return { what: 'The beginning of TLS, on a port that begins in clear.', rfc: rfc(8446, '4.1.2') };
  }
  if (text.trim() === '') return { what: 'An empty line, which is no command.', rfc: null };
  if (side === 'server')
    return {
      what: `This is nothing that ${port} has${octets > 1000 ? '' : ', or it is not explained here'}.`,
      rfc: null,
    };
  const other = mistaken(text, protocol);
  if (other !== undefined) return { what: `This is ${other}, on a port of ${port}.`, rfc: null };
  return { what: `This is no command that ${port} has, or it is not explained here.`, rfc: null };
}

/** What a client speaks that has mistaken the port. */
function mistaken(text: string, protocol: string): string | undefined {
  const [first = '', second = ''] = text.trim().toUpperCase().split(/\s+/);
  if (HTTP_WORD.test(text)) return 'a request of HTTP';
  if (first.startsWith('SSH-')) return 'the greeting of SSH';
  if (protocol !== 'imap' && Object.hasOwn(IMAP_COMMANDS, second) && second !== '') return 'a command of IMAP';
  if (protocol !== 'smtp' && protocol !== 'lmtp' && Object.hasOwn(SMTP_COMMANDS, first)) return 'a command of SMTP';
  if (protocol !== 'pop3' && Object.hasOwn(POP3_COMMANDS, first)) return 'a command of POP3';
  return undefined;
}

function rfc(number: number, section: string): RfcSection {
  return { number, section };
}
