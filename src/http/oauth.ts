/**
 * An OAuth 2.0 provider for tests of clients that log in with XOAUTH2 or OAUTHBEARER, in capture mode alone: RFC 6749
 * with PKCE (RFC 7636), metadata (RFC 8414 and OpenID Connect Discovery), revocation (RFC 7009), introspection (RFC 7662).
 *
 * Any client may come, with any secret or none, as any mail may. Users are the accounts: the grant `password` wants
 * theirs; the page for consent asks which account is meant, and with `prompt=none&login_hint=NAME` not even that. What
 * a provider has not: `expires_in` in a request for a token, in seconds, is how long that token lives.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isIP } from 'node:net';
import { type Grant, type TokenIssuer, challengeMet } from '../sasl/issuer.ts';
import { loginAddress } from '../sasl/login-name.ts';
import { verifyPassword } from '../sasl/scram-record.ts';
import { LoginThrottle } from '../sasl/throttle.ts';
import type { TokenScope } from '../sasl/tokens.ts';
import type { Account } from '../store/mail-store.ts';
import { hostAllowed, hostName, isPrivateAddress } from './access.ts';
import type { HttpParts } from './parts.ts';
import { type App, type HttpContext, json, limitedText } from './route.ts';

const MAX_BODY = 64 * 1024;
const SECONDS = { access: 3600, refresh: 90 * 86_400, most: 10 * 365 * 86_400 } as const;
/** How many accounts the page for consent shows; others are typed in. */
const ACCOUNTS_SHOWN = 20;

type Fields = ReadonlyMap<string, string>;

/** RFC 6749 §5.2, §4.1.2.1. */
class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, description: string, status = 400) {
    super(description);
    this.code = code;
    this.status = status;
  }
}

export function addOAuth(app: App, parts: HttpParts): void {
  const { issuer } = parts;
  if (!issuer) return;
  const provider = new Provider(parts, issuer);

  for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
    app.get(path, (context) => json(metadata(originOf(context))));
  }
  app.get('/oauth/jwks', async () => json({ keys: [await issuer.jwk()] }));
  app.get('/oauth/authorize', (context) => provider.authorize(context, new Map(Object.entries(context.req.query()))));
  app.post('/oauth/authorize', async (context) => provider.authorize(context, await form(context), true));
  app.post('/oauth/token', (context) => answered(async () => json(await provider.token(context, await form(context)))));
  app.post('/oauth/revoke', (context) =>
    answered(async () => {
      await provider.revoke(required(await form(context), 'token'));
      return new Response(null, { status: 200, headers: { 'Cache-Control': 'no-store' } });
    }),
  );
  app.post('/oauth/introspect', (context) =>
    answered(async () => json(await provider.introspect(required(await form(context), 'token')))),
  );
}

async function answered(act: () => Promise<Response>): Promise<Response> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    return json({ error: error.code, error_description: error.message }, error.status);
  }
}

function originOf(context: HttpContext): string {
  return new URL(context.req.url).origin;
}

/** A parameter that stands there twice is none (RFC 6749 §3.1). @throws HttpProblem 413 */
async function form(context: HttpContext): Promise<Fields> {
  const given = new URLSearchParams(await limitedText(context.req.raw, MAX_BODY));
  const once = [...new Set(given.keys())].flatMap((name) => {
    const values = given.getAll(name);
    return values.length === 1 ? [[name, values[0]!] as const] : [];
  });
  return new Map([...Object.entries(context.req.query()), ...once]);
}

/** @throws OAuthError invalid_request */
function required(fields: Fields, name: string): string {
  const value = fields.get(name);
  if (value === undefined || value === '') throw new OAuthError('invalid_request', `${name} is missing`);
  return value;
}

class Provider {
  readonly #parts: HttpParts;
  readonly #issuer: TokenIssuer;
  readonly #throttle = new LoginThrottle();

  constructor(parts: HttpParts, issuer: TokenIssuer) {
    this.#parts = parts;
    this.#issuer = issuer;
  }

  // Tokens: RFC 6749 §4, §5, §6

  /** @throws OAuthError */
  async token(context: HttpContext, fields: Fields): Promise<object> {
    const issuer = originOf(context);
    const seconds = lifetime(fields);
    const kind = required(fields, 'grant_type');
    const refresh = kind === 'refresh_token' ? required(fields, 'refresh_token') : undefined;
    const { grant, id } = await this.#granted(kind, context, fields);
    const wanted = fields.get('scope') ?? '';
    const answer: Record<string, unknown> = {
      access_token: await this.#issuer.issue('access', grant, id, issuer, seconds),
      token_type: 'Bearer',
      expires_in: seconds,
      scope: grant.scopes.join(' '),
    };
    // §4.4.3: an application that acts for itself needs none.
    if (kind !== 'client_credentials') {
      answer.refresh_token = refresh ?? (await this.#issuer.issue('refresh', grant, id, issuer, SECONDS.refresh));
    }
    if (/\bopenid\b/.test(wanted)) answer.id_token = await this.#issuer.issue('id', grant, id, issuer, seconds);
    return answer;
  }

  async #granted(kind: string, context: HttpContext, fields: Fields): Promise<{ grant: Grant; id: string }> {
    const client = clientOf(context, fields);
    const scopes = scopesOf(fields.get('scope'));
    const fresh = (account: Account | undefined): { grant: Grant; id: string } => ({
      grant: { login: account?.address, subject: account ? String(account.id) : client, client, scopes },
      id: this.#issuer.newGrant(),
    });
    switch (kind) {
      case 'password':
        return fresh(await this.#byPassword(context, required(fields, 'username'), required(fields, 'password')));
      case 'client_credentials':
        return fresh(await this.#byClient(context, fields, client));
      case 'refresh_token': {
        const claims = this.#issuer.verify(required(fields, 'refresh_token'), 'refresh');
        const account = claims?.email === undefined ? undefined : await this.#parts.store.findAccount(claims.email);
        if (!claims || !account || String(account.id) !== claims.sub)
          throw invalidGrant('the refresh token is not valid');
        const before = claims.scope.split(' ') as TokenScope[];
        const narrowed = fields.has('scope') ? scopes : before;
        // §6: never more than was granted.
        if (!before.includes('mail') && narrowed.some((scope) => !before.includes(scope)))
          throw new OAuthError('invalid_scope', `what was granted is: ${claims.scope}`);
        return {
          grant: { login: account.address, subject: claims.sub, client: claims.client_id, scopes: narrowed },
          id: claims.grant,
        };
      }
      case 'authorization_code': {
        const pending = this.#issuer.takeCode(required(fields, 'code'));
        if (!pending) throw invalidGrant('the code is not valid any more');
        if (pending.redirectUri !== fields.get('redirect_uri')) throw invalidGrant('redirect_uri is another one');
        if (pending.grant.client !== client) throw invalidGrant('the code is for another client');
        if (!challengeMet(pending.challenge, fields.get('code_verifier')))
          throw invalidGrant('code_verifier does not fit code_challenge');
        return { grant: pending.grant, id: pending.id };
      }
      default:
        throw new OAuthError('unsupported_grant_type', `there are ${GRANT_TYPES.join(', ')}`);
    }
  }

  async #byPassword(context: HttpContext, username: string, password: string): Promise<Account> {
    const peer = context.get('client').address ?? '';
    const found = await this.#parts.store.findPasswordRecord(loginAddress(username, this.#parts.defaultDomain));
    // The view of a scope knows no accounts but its own.
    const account = found && (await this.#parts.store.findAccount(found.account.id));
    if (found && account && (await verifyPassword(found.record, password))) {
      this.#throttle.succeeded(peer);
      return account;
    }
    this.#throttle.failed(peer);
    await wait(this.#throttle.delayMs(peer), undefined, { ref: false });
    throw invalidGrant('the name or the password is wrong');
  }

  /** The account that `username` or the client's own name means; otherwise all of them, as for Exchange's applications. */
  async #byClient(context: HttpContext, fields: Fields, client: string): Promise<Account | undefined> {
    const { store, defaultDomain, scope } = this.#parts;
    if (!context.get('client').administers)
      throw new OAuthError('unauthorized_client', 'not for this client: see the control token', 401);
    const username = fields.get('username');
    const account = await store.findAccount(loginAddress(username ?? client, defaultDomain));
    if (!account && (username !== undefined || scope)) throw invalidGrant(`there is no account ${username ?? client}`);
    return account;
  }

  /** Of what is not a token of ours, or not one that is seen from here, nothing is said (RFC 7009 §2.2). */
  async revoke(token: string): Promise<void> {
    const claims = this.#issuer.verify(token, 'access') ?? this.#issuer.verify(token, 'refresh');
    if (claims && (await this.#sees(claims.email))) this.#issuer.revoke(claims);
  }

  /** RFC 7662 §2.2. */
  async introspect(token: string): Promise<object> {
    const claims = this.#issuer.verify(token, 'access') ?? this.#issuer.verify(token, 'refresh');
    if (!claims || !(await this.#sees(claims.email))) return { active: false };
    const { scope, client_id, email, exp, iat, sub, aud, iss, jti, use } = claims;
    const type = use === 'access' ? { token_type: 'Bearer' } : {};
    return { active: true, scope, client_id, username: email, ...type, exp, iat, sub, aud, iss, jti };
  }

  async #sees(login: string | undefined): Promise<boolean> {
    return login === undefined
      ? this.#parts.scope === undefined
      : (await this.#parts.store.findAccount(login)) !== undefined;
  }

  // Consent: RFC 6749 §4.1.1

  async authorize(context: HttpContext, fields: Fields, isChosen = false): Promise<Response> {
    const redirectUri = fields.get('redirect_uri') ?? '';
    const { store, defaultDomain, domains, hosts } = this.#parts;
    // §4.1.2.1: nobody is sent to an address that is not known to be one of the client's. Here: to one nearby.
    if (!context.get('client').administers) return page('Not for this client: see the control token.', 403);
    if (!isNearby(redirectUri, [defaultDomain, ...domains], hosts)) {
      const where = 'this computer, a private address, a .test or .localhost name, or a scheme of an app';
      return page(`redirect_uri must lead to ${where}.`, 400);
    }
    const back = (answer: Readonly<Record<string, string>>): Response => {
      const url = new URL(redirectUri);
      const state = fields.get('state');
      for (const [name, value] of Object.entries({ ...answer, ...(state !== undefined && { state }) }))
        url.searchParams.set(name, value);
      url.searchParams.set('iss', originOf(context)); // RFC 9207 §2
      return new Response(null, { status: 302, headers: { Location: url.href, 'Cache-Control': 'no-store' } });
    };
    const refuse = (error: string, description: string): Response => back({ error, error_description: description });
    if (fields.get('response_type') !== 'code') return refuse('unsupported_response_type', 'response_type is code');
    const client = fields.get('client_id') ?? '';
    if (client === '') return refuse('invalid_request', 'client_id is missing');
    const method = fields.get('code_challenge_method') ?? 'plain';
    if (method !== 'plain' && method !== 'S256')
      return refuse('invalid_request', 'code_challenge_method is S256 or plain');
    if (isChosen && fields.has('deny')) return refuse('access_denied', 'nobody wanted it');

    const silent = fields.get('prompt') === 'none';
    const name = isChosen ? fields.get('account') : silent ? fields.get('login_hint') : undefined;
    const account = name === undefined ? undefined : await store.findAccount(loginAddress(name, defaultDomain));
    if (silent && !account) return refuse('login_required', 'login_hint names no account');
    if (!account) return this.#consentPage(fields, isChosen ? `There is no account ${name ?? ''}.` : undefined);
    const value = fields.get('code_challenge');
    const scopes = scopesOf(fields.get('scope'));
    const code = this.#issuer.newCode({
      grant: { login: account.address, subject: String(account.id), client, scopes },
      redirectUri,
      challenge: value === undefined ? undefined : { method, value },
    });
    return back({ code });
  }

  async #consentPage(fields: Fields, complaint: string | undefined): Promise<Response> {
    const accounts = (await this.#parts.store.listAccounts()).slice(0, ACCOUNTS_SHOWN);
    const hint = fields.get('login_hint') ?? '';
    const kept = [...fields].filter(([name]) => name !== 'account' && name !== 'deny');
    return page(
      [
        '<h1>Which account?</h1>',
        complaint === undefined ? '' : `<p role="alert">${escape(complaint)}</p>`,
        `<p><b>${escape(fields.get('client_id') ?? '')}</b> wants to read and send the mail of an account of this server.</p>`,
        '<form method="post" action="/oauth/authorize">',
        ...kept.map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`),
        ...accounts.map(({ address }) => {
          return `<p><button name="account" value="${escape(address)}">${escape(address)}</button></p>`;
        }),
        '</form>',
        '<form method="post" action="/oauth/authorize">',
        ...kept.map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`),
        `<p><label>Another: <input name="account" value="${escape(hint)}"></label> <button>Allow</button> <button name="deny" value="1">Deny</button></p>`,
        '</form>',
      ].join('\n'),
      complaint === undefined ? 200 : 400,
    );
  }
}

const invalidGrant = (description: string): OAuthError => new OAuthError('invalid_grant', description);

// ------------------------------------------------------------------------------------------------------- requests

/** §2.3.1: in the Authorization field, or in the body. Nobody checks the secret. @throws OAuthError invalid_client */
function clientOf(context: HttpContext, fields: Fields): string {
  const [, basic] = /^Basic +(\S+)$/i.exec(context.req.header('authorization') ?? '') ?? [];
  const name = basic === undefined ? fields.get('client_id') : Buffer.from(basic, 'base64').toString().split(':')[0];
  // RFC 6749 §2.3.1 has it encoded as in a form; most clients do not.
  const client = name?.includes('%') ? decodeForm(name) : name;
  return client === undefined || client === '' ? 'anonymous' : client.slice(0, 200);
}

function decodeForm(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** @throws OAuthError invalid_request */
function lifetime(fields: Fields): number {
  const given = fields.get('expires_in');
  if (given === undefined) return SECONDS.access;
  if (!/^\d{1,9}$/.test(given) || Number(given) > SECONDS.most)
    throw new OAuthError('invalid_request', 'expires_in is a number of seconds');
  return Number(given);
}

/** Our own names, and those that clients of the large providers ask for. What says nothing of mail is passed over. */
function scopesOf(text = ''): readonly TokenScope[] {
  const found = new Set<TokenScope>();
  for (const word of text.split(' ')) {
    if (word === 'mail' || word === 'imap' || word === 'pop3' || word === 'smtp') found.add(word);
    else if (/IMAP\.AccessAs/i.test(word)) found.add('imap');
    else if (/POP\.AccessAs/i.test(word)) found.add('pop3');
    else if (/SMTP\.Send/i.test(word)) found.add('smtp');
    else if (/^https:\/\/mail\.google\.com\/?$|\/\.default$/.test(word)) found.add('mail');
  }
  return found.size === 0 ? ['mail'] : [...found];
}

const GRANT_TYPES = ['authorization_code', 'refresh_token', 'password', 'client_credentials'];

/** RFC 8414 §2, OpenID Connect Discovery §3. */
function metadata(origin: string): object {
  const at = (name: string): string => `${origin}/oauth/${name}`;
  return {
    issuer: origin,
    authorization_endpoint: at('authorize'),
    token_endpoint: at('token'),
    jwks_uri: at('jwks'),
    revocation_endpoint: at('revoke'),
    introspection_endpoint: at('introspect'),
    response_types_supported: ['code'],
    grant_types_supported: GRANT_TYPES,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['mail', 'imap', 'pop3', 'smtp', 'openid', 'email', 'offline_access'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_post', 'client_secret_basic'],
    code_challenge_methods_supported: ['S256', 'plain'],
    authorization_response_iss_parameter_supported: true,
  };
}

/** A code opens a mailbox, so it goes nowhere but to this computer and those around it, or to an app (RFC 8252 §7). */
function isNearby(uri: string, domains: readonly string[], hosts: readonly string[]): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, host } = new URL(uri);
  if (protocol !== 'http:' && protocol !== 'https:') return /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:$/.test(protocol);
  const name = hostName(host) ?? '';
  return isIP(name) === 0 ? name !== '' && hostAllowed(host, domains, hosts) : isPrivateAddress(name);
}

// ----------------------------------------------------------------------------------------------------------- page

function page(body: string, status: number): Response {
  const text = `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>glassmail: access</title>\n${body}\n</html>\n`;
  return new Response(text, {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
  });
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
