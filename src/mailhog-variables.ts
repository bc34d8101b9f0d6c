/** The environment variables of MailHog that have a counterpart here, as those of Mailpit. Our own beat them. */
import { type Understood, hostsOf, portOf } from './mailpit-variables.ts';

const isOn = (text: string): boolean => /^(?:1|true|yes|on)$/i.test(text);

const ROWS: readonly (readonly [variable: string, setting: string, value?: (text: string) => string | undefined])[] = [
  ['MH_SMTP_BIND_ADDR', 'smtp-port', portOf],
  // Its pages and its API may have a port each; here both are at the first one's.
  ['MH_API_BIND_ADDR', 'http-port', portOf],
  ['MH_UI_BIND_ADDR', 'http-port', portOf],
  ['MH_HOSTNAME', 'server-name'],
  ['MH_CORS_ORIGIN', 'http-cors'],
  ['MH_UI_WEB_PATH', 'webroot'],
  ['MH_AUTH_FILE', 'http-auth-file'],
  ['MH_OUTGOING_SMTP', 'outgoing-smtp'],
  ['MH_INVITE_JIM', 'invite-jim', (text) => (isOn(text) ? 'on' : 'off')],
];

const BIND = ['MH_SMTP_BIND_ADDR', 'MH_API_BIND_ADDR', 'MH_UI_BIND_ADDR'];
/** Where mail lies is the matter of this server; what pages call needs no host. */
const NEEDLESS = /^MH_(?:STORAGE|MAILDIR_PATH|MONGO_\w+|API_HOST)$/;

export function mailhogVariables(environment: NodeJS.ProcessEnv): Understood {
  const settings = new Map<string, { text: string; from: string }>();
  const strange: string[] = [];
  for (const [variable, given = ''] of Object.entries(environment)) {
    if (!/^MH_[A-Z0-9_]+$/.test(variable) || given === '') continue;
    const row = ROWS.find(([known]) => known === variable);
    const text = row && (row[2] ?? String)(given);
    if (row && text !== undefined) settings.set(row[1], { text, from: variable });
    else if (!NEEDLESS.test(variable)) strange.push(variable);
  }
  const hosts = hostsOf(environment, BIND);
  if (hosts) settings.set('host', hosts);
  // Who configures MailHog has clients that expect its list.
  const [first] = settings.values();
  if (first) settings.set('api-v1', { text: 'mailhog', from: first.from });
  const notices =
    strange.length === 0 ? [] : [`of MailHog's variables, these change nothing here: ${strange.sort().join(', ')}`];
  return { settings, notices };
}
