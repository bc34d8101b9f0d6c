/**
 * Who may ask: the host and origin checks that keep a web page elsewhere from reading the inbox of a developer's machine
 * (DNS rebinding, cross-site requests), the optional login, and the control token. Nothing here writes an answer.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { LoginThrottle } from '../sasl/throttle.ts';
import type { Scope } from '../delivery/scopes.ts';
import type { PasswordList } from '../sasl/password-list.ts';
import type { HttpParts } from './parts.ts';

/**
 * The path that a URL means, below the webroot or not. Some clients write `//view/…`: one slash is meant.
 * @param webroot begins and ends with a slash
 */
export function pathOf(url: string, webroot = '/'): string {
  const start = url.indexOf('/', url.indexOf('//') + 2);
  if (start === -1) return '/';
  const end = url.slice(start).search(/[?#]/);
  const path = end === -1 ? url.slice(start) : url.slice(start, start + end);
  const whole = path.replace(/\/{2,}/g, '/');
  const below = whole.startsWith(webroot) ? whole.slice(webroot.length - 1) : whole;
  // The pages have paths of their own, which may begin alike.
  return BELOW_WEBROOT.test(below) ? below : whole;
}

const BELOW_WEBROOT = /^\/(?:$|(?:api|view)\/|(?:livez|readyz|metrics|user|proxy|search)$)/;

// -------------------------------------------------------------------------------------------------------- hosts

/**
 * The name in a Host field without port, brackets and final dot, in lower case; undefined if it is none.
 * An IPv6 literal keeps nothing but itself.
 */
export function hostName(field: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/@?#\\]+?)\.?)(?::\d{1,5})?$/i.exec(field);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/**
 * Whether a browser that believes to be at this host may see anything. A page of another site can make its own name
 * lead to this machine, but it cannot make one of these do so: IP literals, names without a dot, `localhost`,
 * `*.localhost`, `*.test`, the server's own domains and what the configuration adds (`.name` includes its subdomains).
 */
export function hostAllowed(field: string | undefined, domains: readonly string[], hosts: readonly string[]): boolean {
  // Browsers always say a host; what says none is no browser (HTTP/1.0).
  if (field === undefined || field === '') return true;
  const name = hostName(field);
  if (name === undefined) return false;
  if (isIP(name) !== 0 || !name.includes('.')) return true;
  if (name.endsWith('.localhost') || name.endsWith('.test')) return true;
  return (
    domains.some((domain) => isOrIsBelow(name, domain.toLowerCase())) ||
    hosts.some((host) => {
      const allowed = host.toLowerCase();
      return allowed === '*' || (allowed.startsWith('.') ? isOrIsBelow(name, allowed.slice(1)) : name === allowed);
    })
  );
}

function isOrIsBelow(name: string, domain: string): boolean {
  return name === domain || (domain !== '' && name.endsWith(`.${domain}`));
}

/**
 * Whether a request that changes something, or opens a WebSocket, comes from a page of this server or from no page at
 * all. `Origin: null` (a sandboxed frame, a file) is a page elsewhere.
 */
export function sameOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  // The page's scheme decides which port may be left out: a proxy may have taken TLS off.
  const own = `${protocol}//${host}`;
  return originHost !== '' && URL.canParse(own) && new URL(own).host === originHost;
}

// ---------------------------------------------------------------------------------------------------- addresses

const privateAddresses = new BlockList();
privateAddresses.addSubnet('127.0.0.0', 8);
privateAddresses.addSubnet('10.0.0.0', 8); // RFC 1918 §3
privateAddresses.addSubnet('172.16.0.0', 12);
privateAddresses.addSubnet('192.168.0.0', 16);
privateAddresses.addSubnet('169.254.0.0', 16); // RFC 3927
privateAddresses.addAddress('::1', 'ipv6');
privateAddresses.addSubnet('fc00::', 7, 'ipv6'); // RFC 4193
privateAddresses.addSubnet('fe80::', 10, 'ipv6');

/** Loopback, link-local or private: nobody on the internet. */
export function isPrivateAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const literal = (mapped ?? address).split('%', 1)[0]!;
  const family = isIP(literal);
  return family !== 0 && privateAddresses.check(literal, family === 4 ? 'ipv4' : 'ipv6');
}

// -------------------------------------------------------------------------------------------------------- login

export type Credentials =
  /** The control token, or the login of the configuration; with `scope`: its token. */
  | { readonly type: 'accepted'; readonly scope?: Scope | undefined }
  /** None were given. */
  | { readonly type: 'none' }
  | { readonly type: 'refused' };

/**
 * Compares an Authorization field with the control token (Bearer: RFC 6750 §2.1) and the configured `user:password`
 * (Basic: RFC 7617), in a time that does not tell how much of it was right.
 */
export function credentials(
  field: string | undefined,
  token: string,
  login: string | PasswordList | undefined,
  scopeOf: (token: string) => Scope | undefined = () => undefined,
): Credentials {
  if (field === undefined || field === '') return { type: 'none' };
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(field) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer': {
      if (token !== '' && equal(value, token)) return { type: 'accepted' };
      const scope = scopeOf(value);
      return scope ? { type: 'accepted', scope } : { type: 'refused' };
    }
    case 'basic':
      // Without a configured login there is nothing that a password could be wrong about.
      if (login === undefined) return { type: 'none' };
      return { type: isLogin(Buffer.from(value, 'base64').toString('utf8'), login) ? 'accepted' : 'refused' };
    default:
      return { type: 'none' };
  }
}

function isLogin(given: string, login: string | PasswordList): boolean {
  if (typeof login === 'string') return equal(given, login);
  const colon = given.indexOf(':');
  return colon > 0 && login.knows(given.slice(0, colon), given.slice(colon + 1));
}

/** Hashes take their time: what the verdict looks up is found out before. */
export async function checkPassword(
  asking: Asking,
  { auth, sendLogins }: Pick<Rules, 'auth' | 'sendLogins'>,
): Promise<void> {
  const [, value] = /^basic +(\S+)$/i.exec(asking.header('authorization') ?? '') ?? [];
  const logins = asking.path === SEND_PATH ? (sendLogins ?? auth) : auth;
  if (value === undefined || logins === undefined || typeof logins === 'string') return;
  const given = Buffer.from(value, 'base64').toString('utf8');
  const colon = given.indexOf(':');
  if (colon > 0) await logins.check(given.slice(0, colon), given.slice(colon + 1));
}

/** Digests are compared, so that the lengths do not tell either. */
function equal(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

const OPEN_PATHS: ReadonlySet<string> = new Set([
  '/livez',
  '/readyz',
  '/mail/config-v1.1.xml',
  '/.well-known/autoconfig/mail/config-v1.1.xml',
  '/ca.crt',
  '/ca.pem',
]);

/**
 * Health, for those who watch the process, and what sets mail programs up: they have no login, and ask by any name. What
 * they get is no secret, and no page elsewhere can read it: nothing here permits other origins.
 */
function isOpenPath(path: string): boolean {
  return OPEN_PATHS.has(path) || isAutodiscover(path) || /^\/connect\/[^/]+\.mobileconfig$/.test(path);
}

/** Its path is written in any case. */
export function isAutodiscover(path: string): boolean {
  return /^\/autodiscover\/autodiscover\.(?:xml|json(?:\/.*)?)$/i.test(path);
}

// ------------------------------------------------------------------------------------------------------ verdict

/** A request as far as access is concerned. */
export interface Asking {
  readonly method: string;
  readonly path: string;
  readonly upgrade: boolean;
  readonly address: string | undefined;
  header(name: string): string | undefined;
}

export type Verdict =
  /** `scope`: that view alone. */
  | { readonly type: 'permitted'; readonly administers: boolean; readonly scope?: Scope | undefined }
  | {
      readonly type: 'refused';
      readonly status: 401 | 403 | 421;
      /** One line for people. */
      readonly detail: string;
      readonly challenge?: string;
      /** A password or token was given, and was wrong. */
      readonly wrongCredentials?: true;
    };

type Rules = Pick<
  HttpParts,
  'mode' | 'domains' | 'defaultDomain' | 'hosts' | 'token' | 'auth' | 'sendLogins' | 'scopes' | 'mailpit' | 'cors'
>;

export function judge(asking: Asking, rules: Rules): Verdict {
  if (isOpenPath(asking.path)) return { type: 'permitted', administers: false };
  // A page elsewhere that may ask: it says so before, and brings no login along (Fetch §4.8).
  if (isPreflight(asking) && isForeignPage(asking, rules)) return { type: 'permitted', administers: false };
  return checkOrigin(asking, rules) ?? checkSender(asking, rules) ?? checkLogin(asking, rules);
}

const refused = (status: 403 | 421, detail: string): Verdict => ({ type: 'refused', status, detail });

/** A page of another origin to which the operator has opened the API. */
export function isForeignPage(asking: Pick<Asking, 'path' | 'header'>, { cors = [] }: Pick<Rules, 'cors'>): boolean {
  const origin = asking.header('origin');
  return (
    origin !== undefined &&
    asking.path.startsWith('/api/') &&
    (cors.includes('*') || cors.includes(origin.toLowerCase()))
  );
}

function isPreflight(asking: Asking): boolean {
  return asking.method === 'OPTIONS' && asking.header('access-control-request-method') !== undefined;
}

/** Undefined: it comes from no page, or from one of ours. */
function checkOrigin(asking: Asking, rules: Rules): Verdict | undefined {
  const host = asking.header('host');
  if (!hostAllowed(host, [rules.defaultDomain, ...rules.domains], rules.hosts)) {
    const name = printable(hostName(host ?? '') ?? host ?? '');
    // 421 Misdirected Request: RFC 9110 §15.5.20.
    return refused(421, `this server does not answer to the host name ${name}; GLASSMAIL_HTTP_HOSTS adds it`);
  }
  if (isForeignPage(asking, rules)) return undefined;
  const changes = asking.upgrade || (asking.method !== 'GET' && asking.method !== 'HEAD');
  if (changes && !sameOrigin(asking.header('origin'), host)) {
    return refused(403, 'a page of another site may not do this: its Origin is not this host');
  }
  const site = asking.header('sec-fetch-site');
  const isElsewhere = site === 'cross-site' || site === 'same-site';
  // Links from elsewhere may lead here; what a page elsewhere embeds or fetches may not.
  if (isElsewhere && (changes || asking.header('sec-fetch-mode') !== 'navigate')) {
    return refused(403, 'a page of another site may not do this (Sec-Fetch-Site)');
  }
  return undefined;
}

/** Sending may have logins of its own: then no other counts there. Undefined: it has none, or this is no sending. */
function checkSender(asking: Asking, { mailpit, sendLogins, token, scopes }: Rules): Verdict | undefined {
  const logins = asking.path === SEND_PATH ? (sendLogins ?? mailpit?.sendAuth) : undefined;
  if (logins === undefined) return undefined;
  const field = asking.header('authorization');
  const bearer = credentials(field, token, undefined, (value) => scopes?.byToken(value));
  if (bearer.type === 'accepted') return { type: 'permitted', administers: false, scope: bearer.scope };
  const accepts = (login: string | PasswordList): boolean => credentials(field, token, login).type === 'accepted';
  if (logins === 'any' || (Array.isArray(logins) ? logins : [logins]).some(accepts))
    return { type: 'permitted', administers: false };
  return {
    type: 'refused',
    status: 401,
    detail: 'sending needs its own login',
    challenge: 'Basic realm="glassmail", charset="UTF-8"',
    ...(field !== undefined && { wrongCredentials: true }),
  };
}

const SEND_PATH = '/api/v1/send';

function checkLogin(asking: Asking, { mode, token, auth, scopes }: Rules): Verdict {
  const given = credentials(asking.header('authorization'), token, auth, (value) => scopes?.byToken(value));
  if (given.type === 'accepted') return { type: 'permitted', administers: true, scope: given.scope };
  if (given.type === 'refused' || auth !== undefined) {
    return {
      type: 'refused',
      status: 401,
      detail: given.type === 'refused' ? 'the login or the token is wrong' : 'a login is needed',
      challenge: auth === undefined ? 'Bearer realm="glassmail"' : 'Basic realm="glassmail", charset="UTF-8"',
      ...(given.type === 'refused' && { wrongCredentials: true }),
    };
  }
  if (mode === 'domain') {
    return refused(
      403,
      'in domain mode the pages and the API need a login: set GLASSMAIL_HTTP_AUTH=user:password (or --http-auth)',
    );
  }
  return { type: 'permitted', administers: isPrivateAddress(asking.address) };
}

/** Whoever guesses waits longer and longer for the answer. */
export async function holdBack(verdict: Verdict, address: string | undefined, throttle: LoginThrottle): Promise<void> {
  if (verdict.type === 'permitted' || !verdict.wrongCredentials || address === undefined) return;
  throttle.failed(address);
  const delay = throttle.delayMs(address);
  if (delay > 0) await wait(delay, undefined, { ref: false });
}

function printable(text: string): string {
  return text.slice(0, 255).replace(/[^\x21-\x7e]/g, '?');
}
