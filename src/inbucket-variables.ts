/** The environment variables of Inbucket that have a counterpart here, as those of Mailpit. Our own beat them. */
import { type Understood, hostsOf, portOf } from './mailpit-variables.ts';

/** Each with the port that it is without. */
const ADDRESSES = [
  ['INBUCKET_SMTP_ADDR', 'smtp-port', '2500'],
  ['INBUCKET_POP3_ADDR', 'pop3-port', '1100'],
  ['INBUCKET_WEB_ADDR', 'http-port', '9000'],
] as const;
const DOMAIN = ['INBUCKET_SMTP_DOMAIN', 'INBUCKET_POP3_DOMAIN'];
const LEVEL = 'INBUCKET_LOGLEVEL';
/** What is so here anyway, or is seen on its pages alone. */
const NEEDLESS =
  /^INBUCKET_(?:MAILBOXNAMING|WEB_(?:UIDIR|GREETINGFILE|MONITOR\w+|PPROF)|STORAGE_(?:TYPE|PARAMS)|LUA_PATH)$/;

export function inbucketVariables(environment: NodeJS.ProcessEnv): Understood {
  const given = Object.keys(environment).filter(
    (name) => /^INBUCKET_[A-Z0-9_]+$/.test(name) && environment[name] !== '',
  );
  const settings = new Map<string, { text: string; from: string }>();
  const [first] = given;
  // Who configures Inbucket looks for it at its ports.
  if (first !== undefined)
    for (const [variable, setting, usual] of ADDRESSES) {
      const port = portOf(environment[variable] ?? '');
      settings.set(setting, port === undefined ? { text: usual, from: first } : { text: port, from: variable });
    }
  const hosts = hostsOf(
    environment,
    ADDRESSES.map(([variable]) => variable),
  );
  if (hosts) settings.set('host', hosts);
  const [from] = DOMAIN.filter((variable) => given.includes(variable));
  if (from !== undefined) settings.set('server-name', { text: environment[from]!, from });
  const level = /^(?:debug|info|warn|error)$/i.exec(environment[LEVEL] ?? '')?.[0].toLowerCase();
  if (level !== undefined) settings.set('log-level', { text: level, from: LEVEL });
  const known = new Set<string>([...ADDRESSES.map(([variable]) => variable), ...DOMAIN, LEVEL]);
  const strange = given.filter((name) => !known.has(name) && !NEEDLESS.test(name));
  const notices =
    strange.length === 0 ? [] : [`of Inbucket's variables, these change nothing here: ${strange.sort().join(', ')}`];
  return { settings, notices };
}
