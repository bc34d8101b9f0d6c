/**
 * GREENMAIL_OPTS, the Java properties by which GreenMail's image is told what to do, as the variables of Mailpit. Our own
 * variables beat it.
 */
import type { Understood } from './mailpit-variables.ts';

const PREFIX = '-Dgreenmail.';
/** Its protocol, our service, and the port without `test`. */
const SERVICES = new Map([
  ['smtp', { service: 'smtp', port: 25 }],
  ['smtps', { service: 'submissions', port: 465 }],
  ['imap', { service: 'imap', port: 143 }],
  ['imaps', { service: 'imaps', port: 993 }],
  ['pop3', { service: 'pop3', port: 110 }],
  ['pop3s', { service: 'pop3s', port: 995 }],
]);
/** They ask for what is so here anyway, or for nothing that a client could notice. Both kinds of login are taken here. */
const NEEDLESS = /^(?:setup\.test\.\w+|users\.login|startup\.timeout|sieve\.ignore\.detail|api\.hostname)$/;

export function greenmailVariables(environment: NodeJS.ProcessEnv): Understood {
  const from = 'GREENMAIL_OPTS';
  const settings = new Map<string, { text: string; from: string }>();
  const strange: string[] = [];
  const options = (environment[from] ?? '').split(/\s+/).filter((word) => word !== '');
  const set = (setting: string, text: string) => settings.set(setting, { text, from });
  // Who configures GreenMail looks for it at its ports.
  if (options.length > 0) set('ports', 'greenmail').set('accounts', { text: '', from });
  for (const option of options) {
    const [, name = '', value = ''] = /^-Dgreenmail\.([\w.]+)(?:=(.*))?$/.exec(option) ?? [];
    const [, standard] = /^setup\.(\w+)$/.exec(name) ?? [];
    const [, protocol, what] = /^(\w+)\.(port|hostname)$/.exec(name) ?? [];
    const service = SERVICES.get(protocol ?? '')?.service;
    if (standard !== undefined) {
      for (const [its, ours] of SERVICES)
        if (standard === 'all' || standard === its) set(`${ours.service}-port`, String(ours.port));
    } else if (name === 'users') setUsers(value, set);
    else if (name === 'auth.disabled') set('login-check', 'none');
    else if (name === 'verbose') set('log-level', 'debug');
    else if (name === 'hostname' || (service !== undefined && what === 'hostname')) set('host', hostsOf(value));
    else if (name === 'api.port') set('http-port', value);
    else if (service !== undefined) set(`${service}-port`, value);
    else if (!NEEDLESS.test(name)) strange.push(option.startsWith(PREFIX) ? name : option);
  }
  const notices =
    strange.length === 0 ? [] : [`in GREENMAIL_OPTS, these change nothing here: ${strange.sort().join(', ')}`];
  return { settings, notices };
}

/** `login:password@domain` or `login:password`. The domain of the first is the one in which a login without any is looked for. */
function setUsers(text: string, set: (setting: string, text: string) => void): void {
  const accounts: string[] = [];
  for (const user of text.split(',')) {
    const [, login, password, domain] = /^([^:]+):(.*?)(?:@([^@]*))?$/.exec(user) ?? [];
    if (login === undefined || password === undefined) continue;
    if (domain !== undefined && accounts.length === 0) set('default-domain', domain);
    const address = domain === undefined || login.includes('@') ? login : `${login}@${domain}`;
    accounts.push(`${address}:${password}`);
  }
  set('accounts', accounts.join(','));
}

function hostsOf(host: string): string {
  return host === '0.0.0.0' ? '0.0.0.0,::' : host === 'localhost' ? '127.0.0.1,::1' : host;
}
