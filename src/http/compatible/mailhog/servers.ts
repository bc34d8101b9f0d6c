/** SMTP servers as MailHog writes them, in requests and in its file of servers with a name. */
import type { Relay } from '../mailpit/settings.ts';

export const SERVER_NAMES = ['Name', 'Save', 'Email', 'Host', 'Port', 'Username', 'Password', 'Mechanism'];

const AUTH: Readonly<Record<string, Relay['auth']>> = {
  '': 'plain',
  PLAIN: 'plain',
  CRAMMD5: 'cram-md5',
  'CRAM-MD5': 'cram-md5',
};

/** STARTTLS where it is offered. @returns a line that says what is wrong */
export function serverOf(given: Readonly<Record<string, unknown>>): Relay | string {
  const host = textOf(given.Host);
  const port = textOf(given.Port) === '' ? 25 : Number(textOf(given.Port));
  const user = textOf(given.Username);
  const auth = AUTH[textOf(given.Mechanism).toUpperCase()];
  if (!/^[^\s/]+$/.test(host)) return 'Host must be the name of an SMTP server';
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return 'Port must be from 1 to 65535';
  if (user !== '' && auth === undefined) return 'Mechanism must be PLAIN or CRAMMD5';
  return {
    host,
    port,
    tls: 'offered',
    allowUntrusted: false,
    auth: user === '' ? undefined : auth,
    user,
    password: textOf(given.Password),
    returnPath: '',
    overrideFrom: '',
    allowed: undefined,
    blocked: undefined,
    preserveMessageIds: true,
  };
}

export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';
