/** What a mail program is told of this server: by which name to reach it, which services it has, and how they are protected. */
import { isIP } from 'node:net';
import type { Endpoint } from '../../wire/connection.ts';
import { hostName } from '../access.ts';

export interface OfferedService {
  readonly service: string;
  readonly protocol: 'imap' | 'pop3' | 'smtp';
  readonly port: number;
  /** `tls`: from the first octet. */
  readonly security: 'tls' | 'starttls';
}

/**
 * In the order in which programs should choose: reading before sending, IMAP before POP3, and TLS from the first octet
 * before STARTTLS (RFC 8314 §3). What has neither is never offered: a password would cross the network readable.
 */
const SERVICES = [
  ['imaps', 'imap', 'tls'],
  ['imap', 'imap', 'starttls'],
  ['pop3s', 'pop3', 'tls'],
  ['pop3', 'pop3', 'starttls'],
  ['submissions', 'smtp', 'tls'],
  ['submission', 'smtp', 'starttls'],
] as const;

/** @param endpoints those that accept, by their services' names */
export function offeredServices(endpoints: Readonly<Record<string, Endpoint>>): OfferedService[] {
  return SERVICES.flatMap(([service, protocol, security]) => {
    const port = endpoints[service]?.port;
    return port === undefined ? [] : [{ service, protocol, port, security }];
  });
}

/** Labels of letters, digits, hyphens and (compose services have them) underscores; the last one is no number. */
const DNS_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*(?=[a-z0-9_-]*[a-z_])[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Names under which programs look for their settings, and which nobody shall enter as a server's name. */
const LOOKUP_NAMES = /^(?:autoconfig|autodiscover|ua-auto-config)\.(?=.)/;

/**
 * The name to write into documents for one who has reached this server by `host` (a Host field, a name or an address).
 * On this computer that is `localhost`: every program finds it, while only browsers find `glass.localhost`.
 * @returns undefined for what is no host
 */
export function serverName(host: string): string | undefined {
  const found = hostName(host) ?? (isIP(host) === 6 ? host.toLowerCase() : undefined);
  if (found === undefined) return undefined;
  const name = found.replace(LOOKUP_NAMES, '');
  if (isIP(name) === 4) return name.startsWith('127.') ? 'localhost' : name;
  if (isIP(name) === 6) return name === '::1' ? 'localhost' : name;
  if (!DNS_NAME.test(name)) return undefined;
  return name === 'localhost' || name.endsWith('.localhost') ? 'localhost' : name;
}

/** As it stands in a URL: brackets around IPv6 (RFC 3986 §3.2.2). */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
