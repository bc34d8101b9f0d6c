/** What lies in the files that the configuration names: read at the start, wrong ones stop it with one line. */
import { readFile } from 'node:fs/promises';
import { type Config, ConfigError, type Given, type TagRuleText, relayOf, tagRule } from './config.ts';
import { withNames } from './http/compatible/go-names.ts';
import { SERVER_NAMES, serverOf } from './http/compatible/mailhog/servers.ts';
import type { MailpitSettings, Relay } from './http/compatible/mailpit/settings.ts';
import { BadPasswordList, PasswordList } from './sasl/password-list.ts';

export interface ConfigFiles {
  /** Of the web port, of sending over HTTP, and of the SMTP port; undefined: none are asked for. */
  readonly httpLogins: PasswordList | undefined;
  readonly sendLogins: PasswordList | undefined;
  readonly smtpLogins: PasswordList | undefined;
  readonly tagRules: readonly TagRuleText[];
  readonly mailpit: MailpitSettings;
}

/** @throws ConfigError */
export async function readConfigFiles(config: Config): Promise<ConfigFiles> {
  const { mailpit } = config;
  const { sendAuth } = mailpit;
  return {
    httpLogins: await logins(config.httpAuth, '--http-auth-file', config.httpAuthFile),
    sendLogins: sendAuth === 'any' ? undefined : await logins(sendAuth, '--send-auth-file', config.sendAuthFile),
    smtpLogins: await logins(config.smtpLogins, '--smtp-logins-file', config.smtpLoginsFile),
    tagRules: [...config.tagRules, ...(await read('--tag-rules-file', config.tagRulesFile, tagRules, []))],
    mailpit: {
      ...mailpit,
      relay: await read('--relay-config', config.relayFile, relay, mailpit.relay),
      outgoing: await read('--outgoing-smtp', config.outgoingFile, outgoing, mailpit.outgoing),
    },
  };
}

async function logins(
  listed: readonly string[] | undefined,
  flag: string,
  file: string | undefined,
): Promise<PasswordList | undefined> {
  const ofFile = await read(flag, file, (text) => PasswordList.entries(text), []);
  return listed === undefined && file === undefined ? undefined : new PasswordList([...(listed ?? []), ...ofFile]);
}

/** @throws ConfigError that names the flag and the file */
async function read<T>(
  flag: string,
  file: string | undefined,
  parse: (text: string) => T | Promise<T>,
  otherwise: T,
): Promise<T> {
  if (file === undefined) return otherwise;
  try {
    return await parse(await readFile(file, 'utf8'));
  } catch (error) {
    const { message, name } = error as Error;
    const isTold = error instanceof ConfigError || error instanceof BadPasswordList || 'code' in (error as object);
    if (!isTold && name !== 'YAMLParseError' && !(error instanceof SyntaxError)) throw error;
    throw new ConfigError(`${flag} ${file}: ${message.split('\n', 1)[0]!}`, { cause: error });
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';

async function tagRules(text: string): Promise<readonly TagRuleText[]> {
  const { parse } = await import('yaml');
  const content: unknown = parse(text);
  const filters = isRecord(content) ? content.filters : undefined;
  if (!Array.isArray(filters)) throw new ConfigError('it has no list called filters');
  return filters.map((filter: unknown, index) => {
    const { match, tags } = isRecord(filter) ? filter : { match: undefined, tags: undefined };
    const list = Array.isArray(tags) ? tags.map(textOf).join(',') : textOf(tags);
    return tagRule(list, textOf(match), `filter ${index + 1}`);
  });
}

/** As Mailpit names them. */
const RELAY_KEYS: Readonly<Record<string, string>> = {
  host: 'relay-host',
  port: 'relay-port',
  auth: 'relay-auth',
  username: 'relay-user',
  password: 'relay-password',
  secret: 'relay-password',
  'return-path': 'relay-return-path',
  'override-from': 'relay-from',
  'allowed-recipients': 'relay-allowed',
  'recipient-allowlist': 'relay-allowed',
  'blocked-recipients': 'relay-blocked',
  'preserve-message-ids': 'relay-preserve-message-ids',
  'allow-insecure': 'relay-allow-untrusted',
};

async function relay(text: string): Promise<Relay | undefined> {
  const { parse } = await import('yaml');
  const content: unknown = parse(text);
  if (!isRecord(content)) throw new ConfigError('it is no list of settings');
  const given = new Map<string, Given>();
  for (const [key, value] of Object.entries(content)) {
    const setting = RELAY_KEYS[key];
    const written = textOf(value);
    if (setting !== undefined && written !== '')
      given.set(setting, { text: key === 'auth' ? written.toLowerCase() : written, from: key });
  }
  const tls = content.tls === true ? 'implicit' : content.starttls === true ? 'required' : 'offered';
  given.set('relay-tls', { text: tls, from: 'tls' });
  if (!given.has('relay-host')) throw new ConfigError('it names no host');
  return relayOf(given);
}

/** MailHog's: by name. */
function outgoing(text: string): MailpitSettings['outgoing'] {
  const content = withNames(JSON.parse(text), SERVER_NAMES);
  if (!isRecord(content)) throw new ConfigError('it is no JSON object of servers by name');
  return new Map(
    Object.entries(content).map(([name, server]) => {
      const read = isRecord(server) ? serverOf(server) : 'is no JSON object';
      if (typeof read === 'string') throw new ConfigError(`${name}: ${read}`);
      return [name, { ...read, email: isRecord(server) ? textOf(server.Email) : '' }];
    }),
  );
}
