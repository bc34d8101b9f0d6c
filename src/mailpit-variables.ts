/**
 * The environment variables of Mailpit that have a counterpart here: a compose file written for it works when the name of
 * its image is changed. Our own variables and flags beat them.
 */

export interface Understood {
  /** Setting to value. */
  readonly settings: ReadonlyMap<string, { readonly text: string; readonly from: string }>;
  /** Lines for the start: what is set and does nothing. */
  readonly notices: readonly string[];
}

/** One variable: the setting that it is, and how its value is written there; undefined: as it stands. */
type Row = readonly [variable: string, setting: string, value?: (text: string) => string | undefined];

const isOn = (text: string): boolean => /^(?:1|true|yes|on)$/i.test(text);
const onOff = (text: string): string => (isOn(text) ? 'on' : 'off');
const ifOn =
  (value: string) =>
  (text: string): string | undefined =>
    isOn(text) ? value : undefined;
export const portOf = (text: string): string | undefined => /:(\d{1,5})$/.exec(text)?.[1];

const ROWS: readonly Row[] = [
  // The database's folder: ours is a folder.
  ['MP_DATABASE', 'data', (text) => text.replace(/\/?[^/]*$/, '') || '.'],
  ['MP_DATA_FILE', 'data', (text) => text.replace(/\/?[^/]*$/, '') || '.'],
  ['MP_MAX_MESSAGES', 'max-messages'],
  ['MP_MAX_AGE', 'max-age'],
  ['MP_MAX_MESSAGE_SIZE', 'max-message-size', (megabytes) => (megabytes === '0' ? '1023M' : `${megabytes}M`)],
  ['MP_QUIET', 'log-level', ifOn('error')],
  ['MP_VERBOSE', 'log-level', ifOn('debug')],
  ['MP_LABEL', 'label'],
  ['MP_UI_BIND_ADDR', 'http-port', portOf],
  ['MP_SMTP_BIND_ADDR', 'smtp-port', portOf],
  ['MP_POP3_BIND_ADDR', 'pop3-port', portOf],
  ['MP_UI_AUTH', 'http-auth'],
  ['MP_UI_AUTH_FILE', 'http-auth-file'],
  ['MP_UI_TLS_CERT', 'tls-certificate'],
  ['MP_UI_TLS_KEY', 'tls-key'],
  ['MP_API_CORS', 'http-cors'],
  ['MP_WEBROOT', 'webroot'],
  ['MP_SEND_API_AUTH', 'send-auth'],
  ['MP_SEND_API_AUTH_FILE', 'send-auth-file'],
  ['MP_SEND_API_AUTH_ACCEPT_ANY', 'send-auth', ifOn('any')],
  ['MP_ALLOW_INTERNAL_HTTP_REQUESTS', 'link-check', ifOn('internal')],
  ['MP_HIDE_DELETE_ALL_BUTTON', 'hide-delete-all', onOff],
  ['MP_SMTP_AUTH', 'smtp-logins'],
  ['MP_SMTP_AUTH_FILE', 'smtp-logins-file'],
  ['MP_SMTP_ALLOWED_RECIPIENTS', 'allowed-recipients'],
  ['MP_SMTP_AUTH_ACCEPT_ANY', 'smtp-auth', ifOn('any')],
  ['MP_SMTP_AUTH_ALLOW_INSECURE', 'allow-plaintext-auth', onOff],
  ['MP_SMTP_MAX_RECIPIENTS', 'max-recipients'],
  ['MP_SMTP_TLS_CERT', 'tls-certificate'],
  ['MP_SMTP_TLS_KEY', 'tls-key'],
  ['MP_ENABLE_CHAOS', 'chaos', onOff],
  ['MP_CHAOS_TRIGGERS', 'chaos-triggers'],
  ['MP_TAG', 'tag-rules'],
  ['MP_TAGS_CONFIG', 'tag-rules-file'],
  [
    'MP_TAGS_DISABLE',
    'tags-disable',
    (text) => text.toLowerCase().replaceAll('xtags', 'x-tags').replaceAll('plus-addressing', 'plus-addresses'),
  ],
  ['MP_TAGS_TITLE_CASE', 'tags-title-case', onOff],
  ['MP_TAGS_USERNAME', 'tags-username', onOff],
  ['MP_WEBHOOK_URL', 'webhook-url'],
  ['MP_WEBHOOK_LIMIT', 'webhook-limit'],
  ['MP_WEBHOOK_DELAY', 'webhook-delay'],
  ['MP_SMTP_RELAY_CONFIG', 'relay-config'],
  ['MP_SMTP_RELAY_HOST', 'relay-host'],
  ['MP_SMTP_RELAY_PORT', 'relay-port'],
  ['MP_SMTP_RELAY_STARTTLS', 'relay-tls', ifOn('required')],
  ['MP_SMTP_RELAY_TLS', 'relay-tls', ifOn('implicit')],
  ['MP_SMTP_RELAY_ALLOW_INSECURE', 'relay-allow-untrusted', onOff],
  ['MP_SMTP_RELAY_AUTH', 'relay-auth', (text) => text.toLowerCase()],
  ['MP_SMTP_RELAY_USERNAME', 'relay-user'],
  ['MP_SMTP_RELAY_PASSWORD', 'relay-password'],
  ['MP_SMTP_RELAY_SECRET', 'relay-password'],
  ['MP_SMTP_RELAY_RETURN_PATH', 'relay-return-path'],
  ['MP_SMTP_RELAY_OVERRIDE_FROM', 'relay-from'],
  ['MP_SMTP_RELAY_ALLOWED_RECIPIENTS', 'relay-allowed'],
  ['MP_SMTP_RELAY_BLOCKED_RECIPIENTS', 'relay-blocked'],
  ['MP_SMTP_RELAY_PRESERVE_MESSAGE_IDS', 'relay-preserve-message-ids', onOff],
];

/** They ask for what is so here anyway, or for nothing that a client could notice. */
const NEEDLESS: ReadonlySet<string> = new Set([
  'MP_BLOCK_REMOTE_CSS_AND_FONTS',
  'MP_COMPRESSION',
  'MP_DISABLE_AUTO_VACUUM',
  'MP_DISABLE_HTTP_COMPRESSION',
  'MP_DISABLE_LINK_CHECK_RATE_LIMIT',
  'MP_DISABLE_VERSION_CHECK',
  'MP_DISABLE_WAL',
  'MP_ENABLE_PROMETHEUS',
  'MP_SMTP_DISABLE_RDNS',
]);

const BIND = ['MP_UI_BIND_ADDR', 'MP_SMTP_BIND_ADDR', 'MP_POP3_BIND_ADDR'];

export function mailpitVariables(environment: NodeJS.ProcessEnv): Understood {
  const settings = new Map<string, { text: string; from: string }>();
  const done = new Set(NEEDLESS);
  const notices: string[] = [];
  for (const [variable, setting, value = (text: string) => text] of ROWS) {
    const given = environment[variable];
    if (given === undefined || given === '') continue;
    const text = value(given);
    // A switch that is off is understood too.
    if (text !== undefined || /^(?:0|false|no|off)$/i.test(given)) done.add(variable);
    if (text !== undefined && text !== '') settings.set(setting, { text, from: variable });
  }
  // Its one web port speaks TLS then. Commands beside this server use another one, which nobody needs to know.
  if (settings.has('tls-certificate') && environment.MP_UI_TLS_CERT) {
    const from = 'MP_UI_TLS_CERT';
    settings.set('https-port', settings.get('http-port') ?? { text: '8025', from });
    settings.set('http-port', { text: '0', from });
  }
  const hosts = hostsOf(environment, BIND);
  if (hosts) settings.set('host', hosts);
  // Mailpit's SMTP port offers STARTTLS when it has a certificate.
  const certificate = settings.get('tls-certificate');
  if (certificate && environment.MP_SMTP_TLS_CERT)
    settings.set('smtp-starttls', { text: 'on', from: certificate.from });
  if (environment.MP_SMTP_TLS_CERT && (environment.MP_UI_TLS_CERT ?? certificate?.text) !== certificate?.text)
    notices.push('MP_UI_TLS_CERT: there is one certificate here, that of MP_SMTP_TLS_CERT');
  const strange = Object.keys(environment).filter(
    (name) => /^MP_[A-Z0-9_]+$/.test(name) && environment[name] !== '' && !done.has(name),
  );
  if (strange.length > 0)
    notices.push(`of Mailpit's variables, these change nothing here: ${strange.sort().join(', ')}`);
  return { settings, notices };
}

/** All services listen on the same addresses here: on those that any of the three names. */
export function hostsOf(
  environment: NodeJS.ProcessEnv,
  bind: readonly string[],
): { text: string; from: string } | undefined {
  const given = bind.filter((variable) => portOf(environment[variable] ?? '') !== undefined);
  if (given.length === 0) return undefined;
  const hosts = given.map((variable) => environment[variable]!.replace(/:\d{1,5}$/, '').replace(/^\[(.*)\]$/, '$1'));
  const everywhere = hosts.some((host) => host === '' || host === '0.0.0.0' || host === '::');
  const named = hosts.map((host) => (host === 'localhost' ? '127.0.0.1,::1' : host));
  return { text: everywhere ? '0.0.0.0,::' : [...new Set(named)].join(','), from: given.join(', ') };
}
