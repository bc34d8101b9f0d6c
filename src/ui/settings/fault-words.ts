/** A rule of what is to go wrong, as a sentence. Pure. */
import type { Fault } from '../../http/schemas/faults.ts';

type Values = Readonly<Record<string, unknown>>;

/** `when SMTP RCPT to *@slow.test, then refuse with 451, the first 2 times` */
export function sentenceOf(fault: Fault): string {
  return `when ${placeOf(fault.where)}${peopleOf(fault.whom)}, then ${effectOf(fault.what)}${timesOf(fault)}`;
}

function placeOf(where: Values & { readonly at: string }): string {
  const { at } = where;
  const protocol = text(where.service) || text(where.protocol).toUpperCase();
  const before = protocol === '' ? '' : `${protocol} `;
  switch (at) {
    case 'command':
      return `${before}${text(where.command) || 'any command'}`;
    case 'fetch':
      return `${before}FETCH, RETR or TOP`;
    case 'mailbox':
      return `${before}mailbox ${text(where.mailbox) || 'of any name'}`;
    case 'octets':
      return `${before}after ${text(where.octets)} octets ${where.direction === 'in' ? 'from the client' : 'to the client'}`;
    case 'recipient':
      return `${before}RCPT`;
    case 'capabilities':
      return `${before}capabilities`;
    case 'idle':
      return `${before}IDLE`;
    case 'tls':
      return `${before}TLS handshake`;
    default:
      return `${before}${at}`;
  }
}

const PEOPLE: Readonly<Record<string, string>> = {
  address: 'from',
  login: 'by',
  client: 'with the program',
  sender: 'from',
  recipient: 'to',
  serverName: 'for the name',
};

function peopleOf(whom: Values): string {
  return Object.entries(whom)
    .map(([field, pattern]) => ` ${PEOPLE[field] ?? field} ${text(pattern)}`)
    .join('');
}

function effectOf(what: Values & { readonly type: string }): string {
  switch (what.type) {
    case 'refuse':
      return ['refuse', withWord('with', what.code), text(what.status), withWord('saying', what.text)]
        .filter((part) => part !== '')
        .join(' ');
    case 'delay':
      return `wait ${duration(what.ms)}`;
    case 'slow':
      return `pass ${text(what.octetsPerSecond)} octets a second`;
    case 'cut':
      return `cut the connection ${text(what.when)} the answer${what.how === 'rst' ? ' (RST)' : ''}`.replace(
        'middle the',
        'in the middle of the',
      );
    case 'hide-capability':
      return `hide ${text(what.capability)}`;
    case 'wrong-literal':
      return `announce ${text(what.by)} octets too many in literals`;
    case 'new-uidvalidity':
      return 'give the mailbox a new UIDVALIDITY';
    case 'read-only':
      return 'open it read-only';
    case 'full-mailbox':
      return what.permanent === true ? 'refuse for good: the mailbox is full' : 'refuse: the mailbox is full';
    case 'expired-certificate':
      return 'show an expired certificate';
    case 'duplicate':
      return `deliver ${text(what.copies)} copies`;
    case 'greylist':
      return what.seconds === undefined
        ? `refuse until try ${text(what.tries) || '2'}`
        : `refuse for ${text(what.seconds)} s after the first try`;
    default:
      return what.type;
  }
}

function timesOf({ skip, times, share, seed }: Fault): string {
  const parts = [
    skip === 0 ? '' : `not the first ${skip}`,
    times === null ? '' : times === 1 ? 'once' : `${times} times`,
    share === 1 ? '' : `a share of ${share} (seed ${seed})`,
  ];
  return parts
    .filter((part) => part !== '')
    .map((part) => `, ${part}`)
    .join('');
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function withWord(word: string, value: unknown): string {
  const said = text(value);
  return said === '' ? '' : `${word} ${said}`;
}

function duration(ms: unknown): string {
  const value = Number(ms);
  return value < 1000 ? `${value} ms` : `${value / 1000} s`;
}

/** What the API took for it, to be given again. */
export function draftOf({ name, where, whom, what, skip, times, share, seed, on }: Fault): Values {
  return {
    ...(name !== null && { name }),
    where,
    ...(Object.keys(whom).length > 0 && { whom }),
    what,
    ...(skip !== 0 && { skip }),
    ...(times !== null && { times }),
    ...(share !== 1 && { share, seed }),
    ...(!on && { on }),
  };
}

export const PRESETS = {
  tempfail: {
    where: { at: 'recipient', protocol: 'smtp' },
    whom: { recipient: '*@slow.test' },
    what: { type: 'refuse', code: '451', status: '4.7.1', text: 'Try again later' },
    times: 2,
  },
  slowFetch: { where: { at: 'fetch', protocol: 'imap' }, what: { type: 'delay', ms: 3000 } },
  strip: { where: { at: 'capabilities' }, what: { type: 'hide-capability', capability: 'STARTTLS' } },
  cut: {
    where: { at: 'fetch', protocol: 'imap' },
    what: { type: 'cut', when: 'middle', how: 'rst' },
    times: 1,
  },
  full: { where: { mailbox: 'INBOX' }, whom: { login: 'alice@*' }, what: { type: 'full-mailbox' } },
  greylist: { whom: { sender: '*' }, what: { type: 'greylist', tries: 2 } },
  expired: { where: { at: 'tls', service: 'imaps' }, what: { type: 'expired-certificate' } },
  share: {
    where: { at: 'command', protocol: 'imap', command: 'LOGIN' },
    what: { type: 'refuse', code: 'UNAVAILABLE' },
    share: 0.33,
    seed: 42,
  },
} as const;
