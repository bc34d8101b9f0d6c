/**
 * GET /api/v1/message/{id}/link-check: asks each link of a message whether it is there. Off unless it is permitted: a
 * stranger's message decides whom this server calls, so loopback, private and other special addresses are refused, after
 * the look-up of the name and before the connection, in redirects likewise.
 */
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { STATUS_CODES, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, type LookupFunction, isIP } from 'node:net';
import { wholeContent } from '../../content.ts';
import type { HttpParts } from '../../parts.ts';
import { type App, json } from '../../route.ts';
import { findWhole, notFound, text } from './request.ts';

export interface CheckedLink {
  readonly URL: string;
  /** 0: it was not asked, or did not answer. */
  readonly StatusCode: number;
  readonly Status: string;
}

export interface CheckOptions {
  readonly follow: boolean;
  /** Whether addresses may be asked that are not public. */
  readonly internal: boolean;
  readonly signal: AbortSignal;
}

const MAX_LINKS = 200;
const AT_ONCE = 5;
const LINK_MS = 10_000;
const MAX_REDIRECTS = 5;

export function addLinkCheck(app: App, { store, mailpit }: HttpParts): void {
  app.get('/api/v1/message/:id/link-check', async (context) => {
    const permitted = mailpit?.linkCheck ?? 'off';
    if (permitted === 'off') {
      return text('The link check is off, for it makes this server call others: set GLASSMAIL_LINK_CHECK=public', 400);
    }
    const found = await findWhole(store, context);
    if (!found) return notFound(context);
    const { preview } = await import('../../../mail/preview.ts');
    const shown = await preview(await wholeContent(found.content), found.tree);
    const follow = ['1', 'true'].includes(context.req.query('follow') ?? '');
    const options = { follow, internal: permitted === 'internal', signal: context.req.raw.signal };
    const links = await checkLinks(linksOf(shown.html, shown.text), options);
    const failed = links.filter(({ StatusCode }) => StatusCode === 0 || StatusCode >= 400);
    return json({ Errors: failed.length, Links: links });
  });
}

/** What a message links to or shows: each once, in the order in which it is written. */
export function linksOf(html: string, plain: string): string[] {
  const fromHtml = [...html.matchAll(/\s(?:href|src|background)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi)].map(
    ([, double, single, bare]) => decodeAmpersands(double ?? single ?? bare ?? ''),
  );
  const fromStyles = [...html.matchAll(/url\(\s*["']?(https?:[^"')]+)/gi)].map(([, url]) => decodeAmpersands(url!));
  const fromText = [...plain.matchAll(/\bhttps?:\/\/[^\s<>"')\]]{1,2000}/gi)].map(([url]) =>
    url.replace(/[.,;:!?]+$/, ''),
  );
  const links = [...fromHtml, ...fromStyles, ...fromText]
    .map((link) => link.trim())
    .filter((link) => /^https?:\/\//i.test(link) && URL.canParse(link));
  return [...new Set(links)].slice(0, MAX_LINKS);
}

const decodeAmpersands = (url: string): string => url.replaceAll(/&(?:amp|#38|#x26);/gi, '&');

async function checkLinks(links: readonly string[], options: CheckOptions): Promise<CheckedLink[]> {
  const checked: CheckedLink[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < links.length) {
      const at = next++;
      checked[at] = await checkLink(links[at]!, options);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return checked;
}

async function checkLink(link: string, options: CheckOptions): Promise<CheckedLink> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(LINK_MS)]);
  try {
    let url = link;
    for (let redirects = 0; ; redirects++) {
      const { status, location } = await ask(url, options.internal, signal);
      const leadsOn = status >= 300 && status < 400 && location !== undefined && options.follow;
      if (!leadsOn) return { URL: link, StatusCode: status, Status: STATUS_CODES[status] ?? '' };
      if (redirects >= MAX_REDIRECTS) throw new Error('too many redirects');
      url = new URL(location, url).href;
    }
  } catch (error) {
    const reason = signal.aborted ? 'no answer in time' : (error as Error).message;
    return { URL: link, StatusCode: 0, Status: reason.slice(0, 200) };
  }
}

interface Asked {
  readonly status: number;
  readonly location: string | undefined;
}

/** HEAD; GET where that is not understood. @throws Error with one line for people */
async function ask(url: string, internal: boolean, signal: AbortSignal): Promise<Asked> {
  const asked = await askOnce('HEAD', url, internal, signal);
  return asked.status === 405 || asked.status === 501 ? askOnce('GET', url, internal, signal) : asked;
}

function askOnce(method: string, url: string, internal: boolean, signal: AbortSignal): Promise<Asked> {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return Promise.reject(new Error(`${protocol} is not asked`));
  // A literal is connected to without a look-up.
  const literal = hostname.replace(/^\[|\]$/g, '');
  if (!internal && isIP(literal) !== 0 && isSpecialAddress(literal)) return Promise.reject(refused(literal));
  return new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method,
      signal,
      agent: false,
      lookup: internal ? lookup : publicLookup,
      headers: { 'User-Agent': 'glassmail link check', Accept: '*/*' },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      resolve({ status: response.statusCode ?? 0, location: response.headers.location });
      response.destroy(); // nothing of it is read
    });
    request.end();
  });
}

const refused = (address: string): Error => new Error(`blocked: ${address} is not a public address`);

/** As `lookup`, but what it finds is what is connected to: no second look-up can lead elsewhere. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true } as LookupOptions & { all: true }, (error, found) => {
    const special = error ? undefined : found.find(({ address }) => isSpecialAddress(address));
    if (error) callback(error, '', 0);
    else if (special) callback(refused(special.address), '', 0);
    else if (options.all) callback(null, found);
    else first(found, callback);
  });
};

function first(found: readonly LookupAddress[], callback: Parameters<LookupFunction>[2]): void {
  const [{ address, family } = { address: '', family: 0 }] = found;
  callback(null, address, family);
}

/** What is no host of the internet: RFC 6890, RFC 4193, RFC 4291, and the forms that carry an IPv4 address. */
const special = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  special.addSubnet(net, bits);
}

const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');
const notGlobal = new BlockList();
notGlobal.addSubnet('2001::', 23, 'ipv6'); // RFC 6890; Teredo among them
notGlobal.addSubnet('2001:db8::', 32, 'ipv6');
notGlobal.addSubnet('2002::', 16, 'ipv6'); // 6to4
notGlobal.addSubnet('3fff::', 20, 'ipv6');

export function isSpecialAddress(address: string): boolean {
  const literal = address.split('%', 1)[0]!;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(literal)?.[1];
  if (mapped !== undefined) return special.check(mapped);
  if (isIP(literal) === 4) return special.check(literal);
  // Of IPv6, only global unicast: everything else is local, or means an IPv4 address.
  return !global.check(literal, 'ipv6') || notGlobal.check(literal, 'ipv6');
}
