/** The OAuth provider for tests, and mail clients that log in with what it issues. */
import { createHash, createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { Dialogue } from './dialogue.ts';

const ALICE = 'alice@glass.localhost';
let stack: TestStack;
let url = '';
beforeAll(async () => {
  stack = await startTestStack();
  url = `http://127.0.0.1:${stack.port('http')}`;
});
afterAll(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

interface Answer {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token?: string;
  readonly expires_in: number;
  readonly scope: string;
  readonly error?: string;
  readonly active?: boolean;
}

async function post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers,
    redirect: 'manual',
  });
  const text = await response.text();
  const body = (text.startsWith('{') ? JSON.parse(text) : {}) as Answer;
  return { status: response.status, headers: response.headers, text, body };
}

const token = async (fields: Record<string, string>) => (await post('/oauth/token', fields)).body;
const byPassword = (more: Record<string, string> = {}) =>
  token({ grant_type: 'password', username: 'alice', password: 'glass', client_id: 'app', ...more });

/** @returns what the server said; undefined: it let the client in */
async function imap(user: string, accessToken: string): Promise<string | undefined> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: stack.port('imaps'),
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user, accessToken },
    logger: false,
  });
  try {
    await client.connect();
    await client.logout();
    return undefined;
  } catch (error) {
    client.close();
    return (error as { responseText?: string }).responseText ?? String(error);
  }
}

const smtp = (auth: object) =>
  createTransport({
    host: '127.0.0.1',
    port: stack.port('submissions'),
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { type: 'OAuth2', user: ALICE, ...auth },
  });

const claimsOf = (jwt: string) =>
  JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;

/** The server's words, so that no other failure passes for them. */
const REFUSED = /The name or the password is wrong|The token is not for this service/;

describe('metadata', () => {
  test('leads to every endpoint, and the key verifies a token', async () => {
    const paths = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'];
    const [one, other] = await Promise.all(
      paths.map(async (path): Promise<unknown> => (await fetch(url + path)).json()),
    );
    expect(one).toEqual(other);
    expect(one).toMatchObject({ issuer: url, token_endpoint: `${url}/oauth/token`, jwks_uri: `${url}/oauth/jwks` });
    const { access_token, id_token } = await byPassword({ scope: 'openid imap' });
    const { keys } = (await (await fetch(`${url}/oauth/jwks`)).json()) as { keys: (JsonWebKey & { kid: string })[] };
    const key = createPublicKey({ key: keys[0]!, format: 'jwk' });
    for (const jwt of [access_token, id_token!]) {
      const [header, payload, signature] = jwt.split('.') as [string, string, string];
      expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({
        alg: 'RS256',
        kid: keys[0]!.kid,
      });
      expect(verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))).toBe(
        true,
      );
      expect(claimsOf(jwt)).toMatchObject({ iss: url, email: ALICE, client_id: 'app', scope: 'imap' });
    }
    expect(claimsOf(id_token!).aud).toBe('app');
    expect(keys[0]).not.toHaveProperty('d');
  });
});

describe('mail clients', () => {
  test('imapflow logs in with a token, as its own account alone', async () => {
    const { access_token } = await byPassword();
    expect(await imap(ALICE, access_token)).toBeUndefined();
    expect(await imap('bob@glass.localhost', access_token)).toMatch(REFUSED);
    expect(await imap(ALICE, `${access_token.slice(0, -8)}AAAAAAAA`)).toMatch(REFUSED);
  });

  test('IMAP, POP3 and SMTP take one by both mechanisms, and not one that was revoked', async () => {
    /** @returns whether the client was let in */
    const login = async (service: 'imaps' | 'pop3s' | 'submissions', mechanism: string, jwt: string) => {
      using client = await Dialogue.open(stack.port(service), 'tls');
      await client.until(/^.*\r\n/);
      if (service === 'submissions') await client.ask('EHLO test', /^250 .*\r\n/m);
      const said =
        mechanism === 'XOAUTH2'
          ? `user=${ALICE}\x01auth=Bearer ${jwt}\x01\x01`
          : `n,a=${ALICE},\x01host=localhost\x01auth=Bearer ${jwt}\x01\x01`;
      // No initial response: the command line of POP3 is too short for a token.
      await client.ask(`${service === 'imaps' ? 'a AUTHENTICATE' : 'AUTH'} ${mechanism}`, /^(?:\+|334) .*\r\n/m);
      const answer = await client.ask(Buffer.from(said).toString('base64'), /^.*\r\n/m);
      if (/^(?:\+|334) eyJ/.test(answer)) return false; // its error, as JSON
      expect(answer).toMatch(/^(?:a OK|\+OK|235) /);
      return true;
    };
    const { access_token } = await byPassword();
    const every = async () => {
      const outcomes: boolean[] = [];
      for (const service of ['imaps', 'pop3s', 'submissions'] as const)
        for (const mechanism of ['XOAUTH2', 'OAUTHBEARER'])
          outcomes.push(await login(service, mechanism, access_token));
      return outcomes;
    };
    expect(await every()).toEqual(Array(6).fill(true));
    await post('/oauth/revoke', { token: access_token });
    expect(await every()).toEqual(Array(6).fill(false));
  });

  test('nodemailer sends with one, fetched with a refresh token when it has none or an old one', async () => {
    const { refresh_token } = await byPassword();
    const client = { clientId: 'app', clientSecret: 'x', refreshToken: refresh_token, accessUrl: `${url}/oauth/token` };
    const transport = smtp(client);
    const info = await transport.sendMail({ from: ALICE, to: 'bob@glass.localhost', text: 'with a token' });
    expect(info.accepted).toEqual(['bob@glass.localhost']);
    transport.close();
    const { access_token } = await byPassword({ expires_in: '0' });
    const old = smtp({ ...client, accessToken: access_token });
    await old.sendMail({ from: ALICE, to: 'bob@glass.localhost', text: 'with another' });
    old.close();
    const none = smtp({ accessToken: access_token });
    await expect(none.sendMail({ from: ALICE, to: ALICE, text: 'x' })).rejects.toThrow();
    none.close();
  });

  test('a token that has expired, was revoked or is for another service opens nothing', async () => {
    expect(await imap(ALICE, (await byPassword({ expires_in: '0' })).access_token)).toMatch(REFUSED);
    const smtpOnly = await byPassword({ scope: 'https://outlook.office.com/SMTP.Send offline_access' });
    expect(smtpOnly.scope).toBe('smtp');
    expect(await imap(ALICE, smtpOnly.access_token)).toMatch(REFUSED);
    // A refresh token is none that opens a mailbox.
    const { access_token, refresh_token } = await byPassword();
    expect(await imap(ALICE, refresh_token)).toMatch(REFUSED);
    expect((await post('/oauth/revoke', { token: access_token })).status).toBe(200);
    expect(await imap(ALICE, access_token)).toMatch(REFUSED);
    expect((await post('/oauth/introspect', { token: access_token })).body).toEqual({ active: false });
    const again = await token({ grant_type: 'refresh_token', refresh_token });
    expect(await imap(ALICE, again.access_token)).toBeUndefined();
    // RFC 7009 §2.1: all that came of the grant goes with it.
    await post('/oauth/revoke', { token: refresh_token });
    expect(await imap(ALICE, again.access_token)).toMatch(REFUSED);
    expect((await token({ grant_type: 'refresh_token', refresh_token })).error).toBe('invalid_grant');
  });

  test('the token of an account that is gone opens no other of its name', async () => {
    const made = await stack.store.createAccount({ address: 'gone@glass.localhost', passwordRecord: undefined });
    const { access_token } = await token({ grant_type: 'client_credentials', client_id: 'x', username: 'gone' });
    expect(await imap('gone@glass.localhost', access_token)).toBeUndefined();
    await stack.store.deleteAccount(made.id);
    await stack.store.createAccount({ address: 'gone@glass.localhost', passwordRecord: undefined });
    expect(await imap('gone@glass.localhost', access_token)).toMatch(REFUSED);
  });

  test("an application's own token is for every account", async () => {
    const answer = await token({
      grant_type: 'client_credentials',
      client_id: 'daemon',
      scope: 'https://outlook.office365.com/.default',
    });
    expect(answer).not.toHaveProperty('refresh_token');
    expect(await imap(ALICE, answer.access_token)).toBeUndefined();
    expect(await imap('bob', answer.access_token)).toBeUndefined();
    expect(await imap('nobody@glass.localhost', answer.access_token)).toMatch(REFUSED);
  });
});

describe('an authorization code', () => {
  const verifier = 'a'.repeat(50);
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const redirect_uri = 'http://localhost:9/callback?x=1';
  const asked = {
    response_type: 'code',
    client_id: 'mail app',
    redirect_uri,
    scope: 'imap',
    state: 's&t',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
  const authorize = (more: Record<string, string>) =>
    fetch(`${url}/oauth/authorize?${new URLSearchParams({ ...asked, ...more })}`, { redirect: 'manual' });
  const locationOf = (headers: Headers) => new URL(headers.get('location')!).searchParams;
  const exchange = (code: string, more: Record<string, string> = {}) =>
    token({
      grant_type: 'authorization_code',
      code,
      redirect_uri,
      client_id: 'mail app',
      code_verifier: verifier,
      ...more,
    });

  test('comes after consent, once, to the one who asked', async () => {
    const shown = await authorize({ client_id: '<script>' });
    const html = await shown.text();
    expect(shown.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(html).toContain(`value="${ALICE.replace(/[&<>"']/g, '')}"`);
    expect(html).not.toContain('<script>');
    const { status, headers } = await post('/oauth/authorize', { ...asked, account: ALICE });
    const { code, state, iss, x } = Object.fromEntries(locationOf(headers)) as Record<string, string>;
    expect([status, state, iss, x]).toEqual([302, 's&t', url, '1']);
    const answer = await exchange(code!);
    expect(answer.scope).toBe('imap');
    expect(await imap(ALICE, answer.access_token)).toBeUndefined();
    expect((await exchange(code!)).error).toBe('invalid_grant');
    // RFC 6749 §4.1.2: somebody else has had the code, so what came of it ends.
    expect(await imap(ALICE, answer.access_token)).toMatch(REFUSED);
  });

  test('comes without a page where the request says who', async () => {
    const silent = await authorize({ prompt: 'none', login_hint: 'alice' });
    const code = locationOf(silent.headers).get('code')!;
    const wrong = await exchange(code, { code_verifier: 'b'.repeat(50) });
    expect(wrong.error).toBe('invalid_grant');
    const nobody = await authorize({ prompt: 'none', login_hint: 'nobody' });
    expect(locationOf(nobody.headers).get('error')).toBe('login_required');
  });

  test.each([[{ redirect_uri: 'http://localhost:1/' }], [{ client_id: 'another' }], [{ code_verifier: '' }]])(
    'is not exchanged with %j',
    async (more) => {
      const code = locationOf((await authorize({ prompt: 'none', login_hint: 'alice' })).headers).get('code')!;
      expect((await exchange(code, more)).error).toBe('invalid_grant');
    },
  );

  test('goes to nobody far away, and says what is wrong', async () => {
    for (const uri of [
      '',
      'https://evil.example/',
      'http://8.8.8.8/',
      'javascript:alert(1)',
      'data:text/html,x',
      'nothing',
    ]) {
      const { status, headers } = await authorize({ redirect_uri: uri, prompt: 'none', login_hint: 'alice' });
      expect([uri, status, headers.get('location')]).toEqual([uri, 400, null]);
    }
    expect((await authorize({ redirect_uri: 'com.example.app:/cb', prompt: 'none', login_hint: 'alice' })).status).toBe(
      302,
    );
    const denied = await post('/oauth/authorize', { ...asked, deny: '1' });
    expect(locationOf(denied.headers).get('error')).toBe('access_denied');
    expect(locationOf((await authorize({ response_type: 'token' })).headers).get('error')).toBe(
      'unsupported_response_type',
    );
    const elsewhere = await post('/oauth/authorize', { ...asked, account: ALICE }, { origin: 'https://evil.example' });
    expect(elsewhere.status).toBe(403);
  });
});

describe('errors of RFC 6749 §5.2', () => {
  test.each([
    [{}, 'invalid_request'],
    [{ grant_type: 'magic' }, 'unsupported_grant_type'],
    [{ grant_type: 'password', username: 'alice' }, 'invalid_request'],
    [{ grant_type: 'password', username: 'alice', password: 'wrong' }, 'invalid_grant'],
    [{ grant_type: 'password', username: 'nobody', password: 'glass' }, 'invalid_grant'],
    [{ grant_type: 'refresh_token', refresh_token: 'a.b.c' }, 'invalid_grant'],
    [{ grant_type: 'authorization_code', code: 'x', redirect_uri: 'y' }, 'invalid_grant'],
    [{ grant_type: 'password', username: 'alice', password: 'glass', expires_in: '-1' }, 'invalid_request'],
  ])('%j', async (fields, error) => {
    const { status, body, headers } = await post('/oauth/token', fields);
    expect([status, body.error, headers.get('cache-control')]).toEqual([400, error, 'no-store']);
  });

  test('a refresh gives no more than was granted', async () => {
    const { refresh_token } = await byPassword({ scope: 'imap smtp' });
    expect((await token({ grant_type: 'refresh_token', refresh_token, scope: 'smtp' })).scope).toBe('smtp');
    expect((await token({ grant_type: 'refresh_token', refresh_token, scope: 'mail' })).error).toBe('invalid_scope');
  });
});

test('a test scope is issued tokens for its own accounts, and sees no others', async () => {
  const made = await fetch(`${url}/api/glass/scopes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"t"}',
  });
  const scope = (await made.json()) as { token: string; address: string; password: string };
  const inside = { authorization: `Bearer ${scope.token}` };
  const others = await byPassword();
  expect((await post('/oauth/introspect', { token: others.access_token })).body.active).toBe(true);
  expect((await post('/oauth/introspect', { token: others.access_token }, inside)).body).toEqual({ active: false });
  await post('/oauth/revoke', { token: others.access_token }, inside);
  expect(await imap(ALICE, others.access_token)).toBeUndefined();
  const tries = [
    { grant_type: 'password', username: ALICE, password: 'glass' },
    { grant_type: 'client_credentials', client_id: 'daemon' },
    { grant_type: 'client_credentials', client_id: 'daemon', username: ALICE },
    { grant_type: 'refresh_token', refresh_token: others.refresh_token },
  ];
  for (const fields of tries) expect((await post('/oauth/token', fields, inside)).body.error).toBe('invalid_grant');
  const page = await fetch(`${url}/oauth/authorize?response_type=code&client_id=a&redirect_uri=http://localhost/`, {
    headers: inside,
  });
  const html = await page.text();
  expect([html.includes(scope.address), html.includes(ALICE)]).toEqual([true, false]);
  const own = await post(
    '/oauth/token',
    { grant_type: 'client_credentials', client_id: 'd', username: scope.address },
    inside,
  );
  expect(await imap(scope.address, own.body.access_token)).toBeUndefined();
});

test('domain mode issues nothing', async () => {
  await using site = await startTestStack('--domains', 'red.test', '--http-auth', 'a:b');
  const headers = { authorization: `Basic ${btoa('a:b')}` };
  for (const path of ['/.well-known/openid-configuration', '/oauth/jwks', '/oauth/authorize']) {
    expect((await fetch(`http://127.0.0.1:${site.port('http')}${path}`, { headers })).status).toBe(404);
  }
});
