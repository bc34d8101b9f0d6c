/**
 * What mail programs ask a domain's web server for to set themselves up, and the certificate to trust. They ask by any host
 * name, and before they have a login: nothing here tells whether an account exists, and nothing holds a password.
 */
import { normalizeDomain, splitAddress } from '../../mail/address.ts';
import { loginAddress } from '../../sasl/login-name.ts';
import type { Annotation } from '../../wire/connection.ts';
import { hostAllowed } from '../access.ts';
import { bodyOf } from '../content.ts';
import type { HttpOptions, HttpParts } from '../parts.ts';
import { HttpProblem } from '../problem.ts';
import { type App, type HttpContext, limitedText } from '../route.ts';
import { loginName } from '../schemas/accounts.ts';
import { autoconfigXml } from './autoconfig.ts';
import { autodiscoverError, autodiscoverXml, readAutodiscover } from './autodiscover.ts';
import { offeredServices, serverName, urlHost } from './offer.ts';
import { profilePlist } from './profile.ts';

const AUTODISCOVER_PATH = '/autodiscover/autodiscover.xml';

/** What an Autodiscover request may have, in octets: the real ones have 400. */
const MAX_REQUEST = 64 * 1024;

export function addSetupDocuments(app: App, options: HttpOptions): void {
  const services = () => offeredServices(options.services());
  const tell = (context: HttpContext, by: Extract<Annotation, { type: 'settings' }>['by'], login: string): void =>
    options.annotate?.(context.env.incoming, { type: 'settings', by, login });

  app.on('GET', ['/mail/config-v1.1.xml', '/.well-known/autoconfig/mail/config-v1.1.xml'], (context) => {
    const host = hostOf(context);
    const asked = context.req.query('emailaddress') ?? '';
    const address = asked === '' ? undefined : setupAddress(asked, options);
    tell(context, 'autoconfig', address ?? '');
    const offered = services();
    if (!isWhole(offered)) throw notOffered();
    const domain = address === undefined ? options.defaultDomain : splitAddress(address)!.domain;
    return document(autoconfigXml({ host, domain, services: offered }), 'text/xml; charset=utf-8');
  });

  app.post(AUTODISCOVER_PATH, async (context) => {
    const host = hostOf(context);
    const request = readAutodiscover(await limitedText(context.req.raw, MAX_REQUEST));
    const type = 'text/xml; charset=utf-8';
    if (request.type === 'unsupported') return document(autodiscoverError(601, 'This schema is not known here'), type);
    if (request.type === 'invalid') return document(autodiscoverError(600, 'There is no EMailAddress'), type, 400);
    const address = setupAddress(request.address, options);
    tell(context, 'autodiscover', address);
    return document(autodiscoverXml(host, address, services()), type);
  });
  // Who asks in clear is to be led to HTTPS: the settings themselves are answered to POST alone.
  app.get(AUTODISCOVER_PATH, (context) => {
    const host = hostOf(context);
    const port = options.services().https?.port;
    const { incoming } = context.env;
    const isTls = incoming !== undefined && 'encrypted' in incoming.socket && incoming.socket.encrypted === true;
    if (port === undefined || isTls) {
      return new Response('the settings are answered to POST\n', {
        status: 405,
        headers: { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8', Allow: 'POST' },
      });
    }
    const Location = `https://${urlHost(host)}:${port}${AUTODISCOVER_PATH}`;
    return new Response(null, { status: 302, headers: { ...HEADERS, Location } });
  });
  // Newer Outlooks ask here first, and with an answer would not go on to the form above.
  app.get('/autodiscover/autodiscover.json/*', () => {
    throw new HttpProblem(404, 'settings are found at /autodiscover/autodiscover.xml');
  });

  app.get('/connect/:file{.+\\.mobileconfig}', (context) => {
    const account = setupAddress(context.req.param('file').slice(0, -'.mobileconfig'.length), options);
    const wanted = context.req.query('host');
    const host = wanted === undefined ? hostOf(context) : wantedHost(wanted, options);
    tell(context, 'profile', account);
    const authority = options.certificates?.authorityDer;
    const plist = profilePlist({ host, account, services: services(), authority });
    if (plist === undefined) throw notOffered();
    return document(plist, 'application/x-apple-aspen-config');
  });

  app.get('/ca.crt', (context) => {
    const der = options.certificates?.authorityDer;
    return der ? document(der, 'application/x-x509-ca-cert') : context.notFound();
  });
  app.get('/ca.pem', (context) => {
    const pem = options.certificates?.authorityPem;
    return pem === undefined ? context.notFound() : document(pem, 'application/x-pem-file');
  });
}

const HEADERS = { 'Cache-Control': 'no-store' } as const;

function document(body: string | Uint8Array, type: string, status = 200): Response {
  return new Response(typeof body === 'string' ? body : bodyOf(Buffer.from(body)), {
    status,
    headers: { ...HEADERS, 'Content-Type': type },
  });
}

function isWhole(services: ReturnType<typeof offeredServices>): boolean {
  const sends = services.some(({ protocol }) => protocol === 'smtp');
  return sends && services.some(({ protocol }) => protocol !== 'smtp');
}

function notOffered(): HttpProblem {
  return new HttpProblem(404, 'this server has no TLS services to read mail by and to send it by');
}

/** The name by which the client has reached us. @throws HttpProblem 400 */
function hostOf(context: HttpContext): string {
  const name = serverName(context.req.header('host') ?? 'localhost');
  if (name === undefined) throw new HttpProblem(400, 'the Host field holds no host name');
  return name;
}

/**
 * Another name than the one by which we were reached, for the telephone beside this computer. A link elsewhere must not
 * make a profile of ours lead to anybody's server. @throws HttpProblem 400
 */
function wantedHost(text: string, { domains, defaultDomain, hosts }: HttpParts): string {
  const name = serverName(text);
  if (name === undefined || !hostAllowed(urlHost(name), [defaultDomain, ...domains], hosts)) {
    throw new HttpProblem(400, 'host: must be a name or an address of this server');
  }
  return name;
}

/** @throws HttpProblem 400 for what is no address, 404 for one that is no business of ours */
function setupAddress(text: string, { mode, domains, defaultDomain }: HttpParts): string {
  const parsed = loginName.safeParse(text);
  const address = parsed.success ? loginAddress(parsed.data, defaultDomain) : '';
  const domain = splitAddress(address)?.domain;
  if (domain === undefined || serverName(normalizeDomain(domain)) === undefined) {
    throw new HttpProblem(400, 'this is no address');
  }
  const isOurs = mode === 'capture' || domains.some((own) => normalizeDomain(own) === normalizeDomain(domain));
  if (!isOurs) throw new HttpProblem(404, 'this server has no mail of that domain');
  return address;
}
