import { describe, expect, test } from 'vitest';
import * as commonSchemas from '../../src/http/schemas/common.ts';
import * as tokensSchemas from '../../src/http/schemas/tokens.ts';
import { TokenRegistry } from '../../src/sasl/tokens.ts';
import { Refusal } from '../../src/store/refusal.ts';
import { TOKEN, jsonBody, startHttp } from './http-harness.ts';

const nowhere = { load: async () => undefined, save: async () => undefined };

async function start(options: Parameters<typeof startHttp>[0] = {}) {
  const tokens = await TokenRegistry.open(nowhere);
  const http = await startHttp({ tokens, ...options });
  await http.store.createAccount({ address: 'alice@glass.localhost', passwordRecord: undefined });
  return Object.assign(http, {
    tokens,
    post: (body: unknown, headers?: Record<string, string>) => {
      const init = jsonBody('POST', body);
      return http.get('/api/glass/tokens', headers === undefined ? init : { ...init, headers });
    },
    list: async () => tokensSchemas.tokenList.parse(await http.json('/api/glass/tokens')).tokens,
  });
}

describe('tokens', () => {
  test('are made, listed without their secret, and revoked', async () => {
    await using http = await start();
    expect(await http.list()).toEqual([]);
    const response = await http.post({ login: 'Alice' });
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { token, ...made } = tokensSchemas.madeToken.parse(await response.json());
    expect(response.headers.get('location')).toBe(`/api/glass/tokens/${made.id}`);
    expect(made).toMatchObject({ login: 'alice@glass.localhost', scopes: ['mail'], expiresAt: null, expired: false });
    expect(await http.list()).toEqual([made]);
    expect(await (await http.get('/api/glass/tokens')).text()).not.toContain(token);
    const [account] = await http.store.listAccounts();
    const verified = http.tokens.verify(token, 'imap', 'alice@glass.localhost');
    expect(verified).toMatchObject({ type: 'valid', token: { subject: String(account!.id) } });

    expect((await http.get(`/api/glass/tokens/${made.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await http.get(`/api/glass/tokens/${made.id}`, { method: 'DELETE' })).status).toBe(404);
    expect(http.tokens.verify(token, 'imap').type).toBe('refused');
    expect(await http.list()).toEqual([]);
  });

  test('may be chosen, bound to services and to a time', async () => {
    await using http = await start();
    const given = { token: 'ya29.token-of-a-test', scopes: ['imap', 'pop3'], expiresAt: '2026-01-02T03:04:05+01:00' };
    const made = tokensSchemas.madeToken.parse(await (await http.post({ login: 'alice', ...given })).json());
    const utc = '2026-01-02T02:04:05.000Z';
    expect(made).toMatchObject({ ...given, prefix: 'ya29.', expiresAt: utc, expired: true });
    const again = await http.post({ login: 'alice', ...given });
    expect(again.status).toBe(409);
    expect(commonSchemas.problem.parse(await again.json()).detail).not.toContain(given.token);
  });

  test.each([
    [{}, 'login'],
    [{ login: 'alice', token: 'short' }, 'token'],
    [{ login: 'alice', token: 'has blanks in it' }, 'token'],
    [{ login: 'alice', token: 'x'.repeat(4097) }, 'token'],
    [{ login: 'alice', scopes: [] }, 'scopes'],
    [{ login: 'alice', scopes: ['http'] }, 'scopes.0'],
    [{ login: 'alice', expiresAt: 'tomorrow' }, 'expiresAt'],
    [{ login: 'alice', scope: 'imap' }, ''],
  ])('refuses %j', async (body, field) => {
    await using http = await start();
    const response = await http.post(body);
    expect(response.status).toBe(400);
    expect(commonSchemas.problem.parse(await response.json()).errors?.[0]).toMatchObject({ in: 'body', field });
    expect(http.tokens.size).toBe(0);
  });

  test('belong to accounts', async () => {
    await using http = await start();
    expect((await http.post({ login: 'nobody' })).status).toBe(404);
    expect((await http.get('/api/glass/tokens/..', { method: 'DELETE' })).status).toBe(404);
    expect((await http.get('/api/glass/tokens/0123', { method: 'DELETE' })).status).toBe(400);
    expect(http.logged).toEqual([]);
  });

  test('go with their account', async () => {
    await using http = await start();
    await http.store.createAccount({ address: 'bob@glass.localhost', passwordRecord: undefined });
    await http.post({ login: 'alice' });
    await http.post({ login: 'bob' });
    expect((await http.get('/api/glass/accounts/alice', { method: 'DELETE' })).status).toBe(204);
    expect((await http.list()).map(({ login }) => login)).toEqual(['bob@glass.localhost']);
    expect(http.logged).toEqual([]);
  });

  test('that cannot be kept are not given out', async () => {
    const save = async (): Promise<void> => {
      throw new Refusal('DISKFULL', 'tokens.json cannot be written');
    };
    await using http = await start({ tokens: await TokenRegistry.open({ ...nowhere, save }) });
    expect((await http.post({ login: 'alice' })).status).toBe(507);
    expect(await http.list()).toEqual([]);
    expect(http.logged).toEqual([]);
  });

  test('are for administrators: for none of it is another client good enough', async () => {
    await using http = await start({ mode: 'domain', domains: ['glass.localhost'], auth: 'operator:secret' });
    const paths = [
      ['GET', '/api/glass/tokens'],
      ['POST', '/api/glass/tokens'],
      ['DELETE', '/api/glass/tokens/0123456789abcdef'],
    ] as const;
    for (const [method, path] of paths) expect((await http.get(path, { method })).status).toBe(401);
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    expect((await http.post({ login: 'alice' }, headers)).status).toBe(201);
    // A token of an account opens no page and no API.
    const { token } = tokensSchemas.madeToken.parse(await (await http.post({ login: 'alice' }, headers)).json());
    const asClient = { headers: { authorization: `Bearer ${token}` } };
    expect((await http.get('/api/glass/tokens', asClient)).status).toBe(401);
  });

  test('are not found where the server keeps none, and described in the API', async () => {
    await using http = await startHttp();
    expect((await http.get('/api/glass/tokens')).status).toBe(404);
    const { paths } = await http.json<{ paths: Record<string, object> }>('/api/openapi.json');
    expect(Object.keys(paths['/api/glass/tokens']!)).toEqual(['get', 'post']);
    expect(Object.keys(paths['/api/glass/tokens/{id}']!)).toEqual(['delete']);
  });
});
