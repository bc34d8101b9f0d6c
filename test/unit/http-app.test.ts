import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import type { Problem } from '../../src/http/schemas/common.ts';
import type { Status } from '../../src/http/schemas/status.ts';
import * as commonSchemas from '../../src/http/schemas/common.ts';
import * as statusSchemas from '../../src/http/schemas/status.ts';
import { TOKEN, jsonBody, startHttp } from './http-harness.ts';

describe('health', () => {
  test('is told without a login, by any name', async () => {
    let ready = false;
    await using http = await startHttp({ mode: 'domain', ready: () => ready });
    expect(await (await http.get('/livez')).text()).toBe('ok\n');
    expect((await http.get('/readyz')).status).toBe(503);
    ready = true;
    expect((await http.get('/readyz')).status).toBe(200);
    const refused = await http.get('/');
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('GLASSMAIL_HTTP_AUTH');
  });

  test('the metrics have our names and those of Mailpit', async () => {
    await using http = await startHttp();
    http.store.put('Subject: a\r\n\r\nb');
    const text = await (await http.get('/metrics')).text();
    for (const prefix of ['glassmail', 'mailpit']) {
      expect(text).toMatch(new RegExp(`^${prefix}_messages 1$`, 'm'));
      expect(text).toMatch(new RegExp(`^${prefix}_messages_unread 1$`, 'm'));
      expect(text).toMatch(new RegExp(`^${prefix}_database_size_bytes 4096$`, 'm'));
      expect(text).toMatch(new RegExp(`^${prefix}_uptime_seconds (?!0$)[0-9.]+$`, 'm'));
    }
    expect(text).toMatch(/^glassmail_accounts 0$/m);
    http.store.put('Subject: b\r\n\r\nb');
    expect(await (await http.get('/metrics')).text()).toMatch(/^glassmail_messages 2$/m);
  });
});

describe('every answer', () => {
  test('carries the policy of the pages', async () => {
    await using http = await startHttp();
    for (const path of ['/', '/api/glass/status', '/api/v1/messages', '/nothing', '/api/nothing']) {
      const { headers } = await http.get(path);
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'self'; connect-src 'self' ws: wss:; frame-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
      );
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  test('a refusal names what to do, in the form of the route', async () => {
    await using http = await startHttp();
    // fetch does not send another Host, so this is said by hand.
    const lines = await raw(
      http.port,
      'GET /api/glass/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    expect(lines).toContain('HTTP/1.1 421');
    expect(lines).toContain('application/problem+json');
    expect(lines).toContain('GLASSMAIL_HTTP_HOSTS');
    const elsewhere = await http.get('/api/v1/messages', { method: 'DELETE', headers: { origin: 'http://evil.test' } });
    expect(elsewhere.status).toBe(403);
    expect(elsewhere.headers.get('content-type')).toContain('text/plain');
  });

  test('a path that nobody serves is 404 in the form of its API', async () => {
    await using http = await startHttp();
    const ours = await http.get('/api/glass/nothing');
    expect(ours.status).toBe(404);
    expect(commonSchemas.problem.parse(await ours.json()).status).toBe(404);
    const theirs = await http.get('/api/v1/nothing');
    expect([theirs.status, await theirs.text()]).toEqual([404, '404 page not found']);
  });

  test('a fault of ours is 500 without its cause, and logged with it', async () => {
    await using http = await startHttp();
    http.store.fail(new Error('the secret reason'));
    for (const path of ['/api/glass/messages', '/api/v1/messages', '/api/glass/status', '/metrics']) {
      const response = await http.get(path);
      expect(response.status).toBe(500);
      expect(await response.text()).not.toContain('secret');
    }
    expect(http.logged).toHaveLength(8);
    expect(String(http.logged[1])).toContain('the secret reason');
  });
});

describe('the login', () => {
  const authorization = `Basic ${Buffer.from('user:password').toString('base64')}`;

  test('is asked for everywhere but on health', async () => {
    await using http = await startHttp({ auth: 'user:password' });
    for (const path of ['/', '/api/glass/status', '/api/v1/messages', '/metrics', '/assets/x.js', '/api/docs']) {
      const response = await http.get(path);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Basic /);
      expect((await http.get(path, { headers: { authorization } })).status).not.toBe(401);
    }
    expect((await http.get('/livez')).status).toBe(200);
    expect((await http.json<Status>('/api/glass/status', { headers: { authorization } })).login).toBe(true);
    const wrong = await http.get('/', { headers: { authorization: 'Basic eDp5' } });
    expect(wrong.status).toBe(401);
  });

  test('the control token opens everything', async () => {
    await using http = await startHttp({ auth: 'user:password', mode: 'domain' });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const status = await http.json<Status>('/api/glass/status', { headers });
    expect(status.administration).toBe(true);
    expect((await http.get('/api/glass/status', { headers: { authorization: 'Bearer no' } })).status).toBe(401);
  });
});

describe('the status', () => {
  test('has the shape that it promises', async () => {
    await using http = await startHttp();
    http.store.put('Subject: a\r\n\r\nb');
    const status = statusSchemas.status.parse(await http.json('/api/glass/status'));
    expect(status).toMatchObject({
      version: '1.2.3',
      mode: 'capture',
      ready: true,
      services: [{ service: 'smtp', address: '127.0.0.1', port: 1025 }],
      administration: true,
      login: false,
      counts: { transactions: 1, unreadTransactions: 1, openConversations: 1 },
    });
  });
});

describe('the document', () => {
  test('lists every route with parameters, bodies and answers that resolve', async () => {
    await using http = await startHttp();
    const document = await http.json<{
      paths: Record<string, Record<string, { parameters: { name: string; schema: { type?: string } }[] }>>;
      components: { schemas: Record<string, unknown> };
    }>('/api/openapi.json');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(operations).toContain('post /api/glass/accounts/{address}/import');
    expect(operations).toContain('get /api/glass/conversations/{id}');
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target!);
    expect(references.length).toBeGreaterThan(10);
    for (const target of references) {
      expect(target).toMatch(/^#\/components\/schemas\//);
      expect(Object.keys(document.components.schemas)).toContain(target.split('/').at(-1));
    }
    const { parameters } = document.paths['/api/glass/messages']!.get!;
    expect(parameters.find(({ name }) => name === 'limit')?.schema).toMatchObject({ type: 'integer', maximum: 1000 });
    const html = await (await http.get('/api/docs')).text();
    for (const operation of operations) expect(html).toContain(operation.split(' ')[1]);
    expect(html).not.toMatch(/<script|style=|https?:\/\//);
    expect((await http.get('/api/docs.css')).headers.get('content-type')).toContain('text/css');
  });
});

describe('pages', () => {
  test('say what to run when they are not built', async () => {
    await using http = await startHttp({ pagesFolder: '/nonexistent' });
    const response = await http.get('/wire/abc');
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('npm run build:ui');
  });

  test('are one document for all page addresses, and hashed files are kept for ever', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'glassmail-pages-'));
    try {
      await mkdir(join(folder, 'dist/assets'), { recursive: true });
      await writeFile(join(folder, 'secret.txt'), 'secret');
      await writeFile(join(folder, 'dist/index.html'), '<title>glassmail</title>');
      await writeFile(join(folder, 'dist/assets/index-abc.js'), 'console.log(1);\n'.repeat(100));
      await writeFile(join(folder, 'dist/icon.svg'), '<svg/>');
      await using http = await startHttp({ pagesFolder: join(folder, 'dist') });
      for (const path of [
        '/',
        '/mail/abc/journey',
        '/wire/x',
        '/connect/thunderbird',
        '/lab/bad-network',
        '/settings/faults',
      ]) {
        const response = await http.get(path);
        expect([response.status, await response.text()]).toEqual([200, '<title>glassmail</title>']);
        expect(response.headers.get('cache-control')).toBe('no-cache');
      }
      const asset = await http.get('/assets/index-abc.js');
      expect(asset.headers.get('content-type')).toContain('text/javascript');
      expect(asset.headers.get('cache-control')).toContain('immutable');
      expect(asset.headers.get('content-encoding')).toBe('gzip');
      expect(await asset.text()).toHaveLength(1600);
      expect((await http.get('/icon.svg')).status).toBe(200);
      for (const path of ['/assets/none.js', '/mailbox', '/x/y', '/assets/'])
        expect((await http.get(path)).status).toBe(404);
      // A browser gets the page that says so; the API's own answers stay what they are.
      const navigation = { headers: { Accept: 'text/html,*/*' } };
      const unknown = await http.get('/mailbox', navigation);
      expect([unknown.status, await unknown.text()]).toEqual([404, '<title>glassmail</title>']);
      expect(await (await http.get('/api/glass/none', navigation)).text()).not.toContain('<title>');
      for (const path of [
        '/../secret.txt',
        '/assets/../../secret.txt',
        '/assets/..%2f..%2fsecret.txt',
        '/%2e%2e/secret.txt',
        '/assets/%2e%2e/%2e%2e/secret.txt',
        '//secret.txt',
        '/..%5csecret.txt',
      ]) {
        const answer = await raw(http.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
        expect(answer).not.toContain('\r\nsecret');
        expect(answer).toMatch(/^HTTP\/1\.1 40[04]/);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('bad input', () => {
  test('is 400 with the field and the rule', async () => {
    await using http = await startHttp();
    const table: readonly (readonly [path: string, init: RequestInit, field: string])[] = [
      ['/api/glass/messages?limit=-1', {}, 'limit'],
      ['/api/glass/messages?limit=1001', {}, 'limit'],
      ['/api/glass/messages?start=1e3', {}, 'start'],
      ['/api/glass/messages?query=larger:x', {}, 'query'],
      ['/api/glass/messages?tz=Nowhere', {}, 'tz'],
      ['/api/glass/messages/..%2f..', {}, 'id'],
      ['/api/glass/messages/0', {}, 'id'],
      ['/api/glass/messages/1/parts/0', {}, 'partId'],
      ['/api/glass/messages/1/source?received=maybe', {}, 'received'],
      ['/api/glass/conversations/ABC', {}, 'id'],
      ['/api/glass/conversations/abc?since=-', {}, 'since'],
      ['/api/glass/accounts', jsonBody('POST', {}), 'address'],
      ['/api/glass/accounts', jsonBody('POST', { address: 'a b' }), 'address'],
      ['/api/glass/accounts', jsonBody('POST', { address: 'a', password: 3 }), 'password'],
      ['/api/glass/accounts', jsonBody('POST', { address: 'a', more: 3 }), ''],
      ['/api/glass/accounts', { method: 'POST', body: '{' }, ''],
      ['/api/glass/accounts', { method: 'POST' }, ''],
      ['/api/glass/messages/mark', jsonBody('POST', { read: true }), ''],
      ['/api/glass/messages/mark', jsonBody('POST', { read: 'yes', ids: [] }), 'read'],
      ['/api/glass/messages/delete', jsonBody('POST', { ids: ['x'] }), 'ids.0'],
      ['/api/glass/messages/delete', jsonBody('POST', { ids: [], query: '' }), ''],
    ];
    for (const [path, init, field] of table) {
      const response = await http.get(path, init);
      expect([path, response.status]).toEqual([path, 400]);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      const problem: Problem = commonSchemas.problem.parse(await response.json());
      expect([path, problem.errors?.[0]?.field]).toEqual([path, field]);
      expect(problem.detail).toContain(problem.errors![0]!.rule);
    }
    expect(http.logged).toEqual([]);
  });

  test('a body that is too large is 413, and others are served on', async () => {
    await using http = await startHttp();
    const huge = await http.get('/api/glass/accounts', { method: 'POST', body: 'x'.repeat(5 * 1024 * 1024 + 1) });
    expect(huge.status).toBe(413);
    const chunks = await http.get('/api/v1/messages', {
      method: 'PUT',
      body: endless(10_000_000),
      duplex: 'half',
    } as RequestInit);
    expect(chunks.status).toBe(413);
    expect((await http.get('/livez')).status).toBe(200);
    expect(http.logged).toEqual([]);
  });

  test('what is no HTTP gets 400 or 431, and others are served on', async () => {
    await using http = await startHttp();
    expect(await raw(http.port, 'NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    expect(await raw(http.port, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431/,
    );
    expect(await raw(http.port, 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 4/);
    expect(await raw(http.port, 'GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 4/,
    );
    expect(await raw(http.port, 'GET /livez HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200/);
    expect((await http.get('/livez')).status).toBe(200);
    expect(http.logged).toEqual([]);
  });

  test('no request whatever is a fault of ours', async () => {
    await using http = await startHttp();
    http.store.put('Subject: a\r\n\r\nb');
    const segment = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }).map((text) => encodeURIComponent(text.toWellFormed())),
      fc.constantFrom(
        'messages',
        'message',
        'latest',
        'search',
        'accounts',
        'raw',
        'part',
        '1',
        'headers',
        'conversations',
        'html',
        'parts',
        'mailboxes',
        'import',
        'tags',
        'send',
        'chaos',
        'release',
        'thumb',
        'html-check',
        'link-check',
        'webui',
        'view',
        'latest.html',
        'latest.txt',
        '%',
        '%ff',
        '..',
        'T000000000000000000001',
      ),
    );
    const path = fc
      .tuple(fc.constantFrom('/api/v1/', '/api/glass/', '/', '/api/'), fc.array(segment, { maxLength: 5 }))
      .map(([start, rest]) => start + rest.join('/'));
    const query = fc.dictionary(
      fc.constantFrom('query', 'start', 'limit', 'tz', 'before', 'account', 'since', 'received', 'flags', 'date'),
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.constantFrom('-1', '0', '99999999999999999999', 'NaN', 'before:x', 'is:read', 'a"b'),
      ),
      { maxKeys: 3 },
    );
    const body = fc.oneof(
      fc.constantFrom(
        '{"Tags":["a",1,"b/c"],"IDs":["latest"]}',
        '{"Name":"x"}',
        '{"From":{"Email":"a@red.test"},"To":[{"Email":"b@red.test"}]}',
        '{"From":{"Email":"a"},"Attachments":[{}],"Headers":{"":""}}',
        '{"Sender":{"ErrorCode":"x"},"Recipient":7}',
        '{"To":[1,"a@b"]}',
      ),
      fc.constant(undefined),
      fc.string({ maxLength: 30 }),
      fc.json(),
      fc.constantFrom('{"IDs":[1]}', '{"IDs":{}}', '{"Read":1,"Search":2}', 'null', '[]', '{"ids":["latest"]}'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'),
        path,
        query,
        body,
        async (method, where, parameters, sent) => {
          const search = new URLSearchParams(
            Object.entries(parameters).map(([name, value]) => [name, value.toWellFormed()]),
          ).toString();
          const hasBody = method !== 'GET' && method !== 'HEAD' && sent !== undefined;
          const response = await http.get(`${where}?${search}`, { method, ...(hasBody && { body: sent }) });
          await response.arrayBuffer();
          // MailHog's own word for a message that it does not know is a 500; ours would stand in the log, below.
          const mailhogs = /^\/api\/v1\/messages\/[^/]+(\/release)?$/.test(where) && /^(DELETE|POST)$/.test(method);
          expect([200, 201, 204, 400, 403, 404, 410, 409, 413, 426, 503, ...(mailhogs ? [500] : [])]).toContain(
            response.status,
          );
        },
      ),
      { numRuns: 400 },
    );
    expect(http.logged).toEqual([]);
  });
});

describe('stopping', () => {
  test('ends idle connections at once and answers what runs', async () => {
    const reached = Promise.withResolvers<undefined>();
    const release = Promise.withResolvers<undefined>();
    const http = await startHttp({
      passwordRecord: async (password) => {
        reached.resolve(undefined);
        await release.promise;
        return password;
      },
    });
    await (await http.get('/livez')).text();
    const running = http.get('/api/glass/accounts', jsonBody('POST', { address: 'carol', password: 'x' }));
    await reached.promise;
    const closed = http.close();
    release.resolve(undefined);
    const answer = await running;
    expect(answer.status).toBe(201);
    await answer.text();
    await closed;
    await expect(http.get('/livez')).rejects.toThrow();
    await http.close();
  });
});

/** Says something on a connection of its own. @returns all that came back until the server ended it */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    socket.setEncoding('latin1').on('data', (piece: string) => (answer += piece));
    socket
      .on('error', reject)
      .on('end', () => socket.end())
      .on('close', () => resolve(answer));
  });
}

/** A body whose length nobody is told. */
function endless(octets: number): ReadableStream<Uint8Array> {
  let left = octets;
  return new ReadableStream({
    pull(controller) {
      if ((left -= 100_000) < 0) controller.close();
      else controller.enqueue(new Uint8Array(100_000).fill(0x78));
    },
  });
}
