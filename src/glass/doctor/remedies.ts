/** The words for a setting to change, with the ports of this server. */
import type { DoctorContext, Facts } from './facts.ts';

const WITH_TLS: Readonly<Record<string, string>> = {
  imap: 'imaps',
  pop3: 'pop3s',
  submission: 'submissions',
  smtp: 'submissions',
  http: 'https',
};
const BEGINS_CLEAR: Readonly<Record<string, string>> = {
  imaps: 'imap',
  pop3s: 'pop3',
  submissions: 'submission',
  https: 'http',
};

const PROTOCOLS: Readonly<Record<string, string>> = {
  imap: 'IMAP',
  pop3: 'POP3',
  smtp: 'SMTP',
  lmtp: 'LMTP',
  http: 'HTTP',
};

/** `IMAP`, as people write it. */
export function protocolName(protocol: string): string {
  return PROTOCOLS[protocol] ?? protocol;
}

/** `port 1993`; undefined: it is switched off. */
export function port(context: DoctorContext, service: string | undefined): string | undefined {
  const found = service === undefined ? undefined : context.services()[service];
  return found && `port ${found.port}`;
}

/** The port beside this one that begins with TLS. */
export function tlsPort({ context, conversation }: Facts): string | undefined {
  return port(context, WITH_TLS[conversation.service]);
}

/** The port beside this one that begins in clear. */
export function clearPort({ context, conversation }: Facts): string | undefined {
  return port(context, BEGINS_CLEAR[conversation.service]);
}

/** Alternatives in a sentence: `choose a, or b`. */
export function choose(...ways: readonly (string | undefined | false)[]): string {
  const there = ways.filter((way) => typeof way === 'string');
  return there.length === 0 ? 'This server has no port for that.' : `Choose ${there.join(', or ')}.`;
}

/** `a, b and c`; many are cut. */
export function list(names: readonly string[], most = 6): string {
  const shown = names.slice(0, most);
  if (names.length > most) shown.push(`${names.length - most} more`);
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)!}`;
}

/** `12 minutes`, of milliseconds. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [count, unit] =
    seconds < 120
      ? [seconds, 'second']
      : seconds < 7200
        ? [Math.round(seconds / 60), 'minute']
        : seconds < 172_800
          ? [Math.round(seconds / 3600), 'hour']
          : [Math.round(seconds / 86_400), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
