/**
 * Requests made from the server's own OpenAPI document, right ones and hostile ones: no answer is a fault of ours, each
 * refusal says what was wrong, each answer is as the document says. A failure prints the seed that repeats it.
 */
import { once } from 'node:events';
import { Agent } from 'node:http';
import { fc } from '../property.ts';
import { createTransport } from 'nodemailer';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { MailboxList } from '../../src/http/schemas/accounts.ts';
import type { ConversationList } from '../../src/http/schemas/conversations.ts';
import type { MessageList } from '../../src/http/schemas/messages.ts';
import type { MadeScope } from '../../src/http/schemas/scopes.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { Dialogue } from './dialogue.ts';
import {
  type Answered,
  type Asked,
  type Document,
  type Known,
  type Operation,
  type Schema,
  ask,
  hostileText,
  operationsOf,
  requestsFor,
} from './openapi-requests.ts';

let stack: TestStack;
let agent: Agent;
let document: Document;
beforeAll(async () => {
  stack = await startTestStack();
  agent = new Agent({ keepAlive: true });
  document = await get<Document>('/api/openapi.json');
});
afterAll(async () => {
  agent.destroy();
  await stack[Symbol.asyncDispose]();
});

/** What was logged but is no answer to a question for secrets: each of those is logged. */
const faults = (): readonly string[] => stack.logged.filter((line) => !line.includes(' warn reveal: '));

const askServer = (asked: Asked): Promise<Answered> => ask(agent, stack.port('http'), asked);

const bearer = (token?: string): Record<string, string> =>
  token === undefined ? {} : { Authorization: `Bearer ${token}` };

async function get<T>(path: string, token?: string): Promise<T> {
  const { status, text } = await askServer({ method: 'GET', path, headers: bearer(token) });
  expect([path, status]).toEqual([path, 200]);
  return JSON.parse(text) as T;
}

async function post<T>(path: string, body: object, token?: string): Promise<T> {
  const asked = { method: 'POST', path, headers: bearer(token), body: JSON.stringify(body) };
  const { status, text } = await askServer(asked);
  expect([path, Math.floor(status / 100)]).toEqual([path, 2]);
  return JSON.parse(text) as T;
}

/** What was asked for at random goes wrong no more. */
const forgetFaults = (token?: string): Promise<unknown> =>
  askServer({ method: 'DELETE', path: '/api/glass/faults', headers: bearer(token) });

const openScope = (name = ''): Promise<MadeScope> => post('/api/glass/scopes', { name });

/** What an answer of the operation must look like; undefined: there is nothing to say about its body. */
const shapes = new Map<Schema, z.ZodType>();
function shapeOf(schema: Schema): z.ZodType {
  let shape = shapes.get(schema);
  if (!shape) {
    const moved = JSON.stringify({ ...schema, $defs: document.components.schemas });
    shape = z.fromJSONSchema(
      JSON.parse(moved.replaceAll('#/components/schemas/', '#/$defs/')) as z.core.JSONSchema.JSONSchema,
    );
    shapes.set(schema, shape);
  }
  return shape;
}

const problem = z.looseObject({
  type: z.literal('about:blank'),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  errors: z
    .array(z.strictObject({ in: z.enum(['path', 'query', 'body']), field: z.string(), rule: z.string().min(1) }))
    .min(1)
    .optional(),
});

/** No route at all: a name in the path was empty. */
const NOWHERE = /"detail":"there is no [A-Z]+ \/api\//;
/** A path that means another one (RFC 3986 §5.2.4). */
const DOTS = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

/** @param operation undefined: the document does not tell of what was asked */
function checkAnswer(operation: Operation | undefined, { status, type, text }: Answered): void {
  if (status === 431) return; // Header fields or a path over 16 KiB: before there is a route.
  if (!operation?.responses[status]) expect(status).toBeLessThan(500);
  if (operation && !NOWHERE.test(text)) expect(Object.keys(operation.responses)).toContain(String(status));
  if (status >= 400) {
    expect(type).toBe('application/problem+json');
    if (text === '') return; // HEAD
    const said = problem.parse(JSON.parse(text));
    expect(said.status).toBe(status);
    if (status === 400) {
      expect(said.errors).toBeDefined();
      for (const { field, rule } of said.errors!) expect(said.detail).toContain(field === '' ? rule : field);
    }
  }
  if (!operation) return;
  const [media, content] = Object.entries(operation.responses[status]?.content ?? {})[0] ?? [];
  if (media?.endsWith('json') !== true) {
    if (status === 204) expect(text).toBe('');
    return;
  }
  expect(type).toBe(media);
  shapeOf(content!.schema).parse(JSON.parse(text));
}

// ---------------------------------------------------------------------------------------------------- one server

/**
 * Requests for each operation (FUZZ_RUNS: more of them), and the time after which the rest is left out, in ms: some wait
 * by their nature. It is ample for a first request on a machine that has much to do.
 */
const RUNS = Number(process.env.FUZZ_RUNS ?? 50);
const LIMIT_MS = RUNS * 40;

describe('whatever is asked', () => {
  let scope: MadeScope;
  /** Whose life may be cut short. */
  let short: MadeScope;
  const BOB = 'bob@glass.localhost';
  let ids: Record<'message' | 'scope' | 'mailbox' | 'uid' | 'conversation', readonly string[]>;

  beforeAll(async () => {
    [scope, short] = [await openScope('fuzz'), await openScope('short')];
    await send({ subject: 'one', to: [BOB, scope.address], helo: 'one.test' });
    await send({ subject: 'two', to: ['alice@glass.localhost', `deep@x.${scope.domain}`], helo: 'two.test' });
    const { messages } = await get<MessageList>('/api/glass/messages');
    const { mailboxes } = await get<MailboxList>(`/api/glass/accounts/${BOB}/mailboxes`);
    const { conversations } = await get<ConversationList>('/api/glass/conversations');
    ids = {
      message: messages.flatMap(({ id, emailId }) => [id, emailId]),
      scope: [scope.id],
      mailbox: mailboxes.map(({ id }) => String(id)),
      uid: ['1'],
      conversation: conversations.map(({ id }) => id),
    };
  });

  /** What the parameters of an operation may name: of what can be deleted, nothing that the others need. */
  function knownTo({ method, path }: Operation): Known {
    const kind = /^\/api\/glass\/(\w+)s\//.exec(path)?.[1] as 'message' | 'scope' | 'conversation' | 'account';
    const id = kind === 'account' ? ids.mailbox : ids[kind];
    const account = path.endsWith('/quota') ? ['alice'] : [BOB, 'bob', scope.address];
    if (method === 'DELETE') return {};
    if (method === 'PUT' && kind === 'scope') return { id: [short.id] };
    if (path === '/api/glass/messages/delete') return { account: [BOB] };
    return {
      id,
      uid: ids.uid,
      partId: ['1', '1.1'],
      address: account,
      account: [BOB],
      login: [BOB],
      mailbox: ['INBOX'],
    };
  }

  /** Nobody waits for long, and nothing is deleted but what is Bob's. */
  function harmless(operation: Operation, asked: Asked): Asked {
    const url = new URL(asked.path, 'http://host');
    if (url.pathname.endsWith('/wait') && /^[\d.]+(?:ms|s|m)?$/.test(url.searchParams.get('timeout') ?? '1')) {
      return { ...asked, path: asked.path.replace(/\?|$/, '?timeout=0s&') };
    }
    if (operation.path !== '/api/glass/messages/delete' || typeof asked.body !== 'string') return asked;
    try {
      const body = JSON.parse(asked.body) as Record<string, unknown> | null;
      if (typeof body?.query !== 'string' || 'account' in body) return asked;
      return { ...asked, body: JSON.stringify({ ...body, account: BOB }) };
    } catch {
      return asked;
    }
  }

  test(
    'of our own routes is answered as the document says',
    async () => {
      const answered = new Map<string, number>();
      for (const operation of operationsOf(document)) {
        const name = `${operation.method} ${operation.path}`;
        // Some operations ask our own ports, where a rule made at random may delay them for minutes.
        if (!operation.path.includes('/faults')) await forgetFaults();
        const requests = requestsFor(operation, document, knownTo(operation));
        await fc.assert(
          fc.asyncProperty(requests, fc.boolean(), async (request, inScope) => {
            const asked = harmless(operation, request);
            const headers = { ...asked.headers, ...(inScope && bearer(scope.token)) };
            const logged = faults().length;
            const answer = await askServer({ ...asked, headers });
            const isMeant = asked.method === operation.method && !DOTS.test(asked.path);
            checkAnswer(isMeant ? operation : undefined, answer);
            if (answer.status < 300) answered.set(name, (answered.get(name) ?? 0) + 1);
            expect(faults().slice(logged)).toEqual([]);
          }),
          { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS },
        );
      }
      await forgetFaults();
      expect(({} as Record<string, unknown>).a).toBeUndefined();
      // Else nothing but refusals would have been tried.
      expect(answered.size).toBeGreaterThan(operationsOf(document).length / 2);
    },
    RUNS * 6000,
  );

  test.each([
    ['POST', '/api/glass/accounts', { address: 'x@a.test', password: 'a\0' }, 'body password'],
    ['PUT', '/api/glass/accounts/alice/quota', { octets: Number.MAX_SAFE_INTEGER }, 'body octets'],
    ['GET', '/api/glass/messages/wait?since=00000000.0.0', undefined, 'query since'],
    ['POST', '/api/glass/accounts/alice/import?mailbox=..%2F', {}, 'query mailbox'],
  ])('%s %s %j is refused for its %s', async (method, path, body, named) => {
    const { status, text } = await askServer({ method, path, headers: {}, body: JSON.stringify(body) });
    const { detail, errors } = problem.parse(JSON.parse(text));
    expect([status, detail.startsWith(`${named}: `), errors?.length]).toEqual([400, true, 1]);
  });
});

// -------------------------------------------------------------------------------------------------- no requests

describe('what is hardly HTTP', () => {
  const head = (line: string, ...fields: string[]): string => [line, ...fields, '', ''].join('\r\n');
  const HOST = 'Host: localhost';

  test.each<[string, string]>([
    ['NUL in the path', head('GET /api/glass/\0 HTTP/1.1', HOST)],
    ['octets over 127 in the path', head('GET /api/glass/messages/\xff\xfe HTTP/1.1', HOST)],
    ['no path', head('GET  HTTP/1.1', HOST)],
    ['another version', head('GET / HTTP/9.9', HOST)],
    ['no Host', head('GET /api/glass/status HTTP/1.1')],
    ['two Hosts', head('GET /api/glass/status HTTP/1.1', HOST, 'Host: evil.example')],
    ['a Host that is none', head('GET /api/glass/status HTTP/1.1', 'Host: a b[')],
    ['HTTP/1.0', head('GET /api/glass/status HTTP/1.0')],
    ['an absolute URL', head('GET http://evil.example/api/glass/status HTTP/1.1', 'Host: evil.example')],
    ['an absolute URL that is none', head('GET http://[::1/ HTTP/1.1', HOST)],
    ['a path of `//`', head('GET //evil.example/api HTTP/1.1', HOST)],
    ['OPTIONS *', head('OPTIONS * HTTP/1.1', HOST)],
    ['CONNECT', head('CONNECT localhost:25 HTTP/1.1', HOST)],
    ['TRACE', head('TRACE /api/glass/status HTTP/1.1', HOST)],
    ['a method that is none', head('BREW /pot HTTP/1.1', HOST)],
    ['both lengths', head('POST /api/glass/scopes HTTP/1.1', HOST, 'Content-Length: 5', 'Transfer-Encoding: chunked')],
    ['a negative length', head('POST /api/glass/scopes HTTP/1.1', HOST, 'Content-Length: -1')],
    ['a length beyond all', head('POST /api/glass/scopes HTTP/1.1', HOST, `Content-Length: ${'9'.repeat(30)}`)],
    ['a chunk that is none', `${head('POST /api/glass/scopes HTTP/1.1', HOST, 'Transfer-Encoding: chunked')}zz\r\n`],
    ['a header of 100 KB', head('GET / HTTP/1.1', HOST, `X-A: ${'a'.repeat(100_000)}`)],
    ['10,000 header fields', head('GET / HTTP/1.1', HOST, ...Array.from({ length: 10_000 }, () => 'a:b'))],
    ['an upgrade to nothing', head('GET /api/glass/feed HTTP/1.1', HOST, 'Connection: Upgrade', 'Upgrade: x')],
    [
      'a WebSocket without a key',
      head('GET /api/glass/feed HTTP/1.1', HOST, 'Connection: Upgrade', 'Upgrade: websocket'),
    ],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('%s', async (_, octets) => {
    const logged = faults().length;
    using dialogue = await Dialogue.open(stack.port('http'));
    dialogue.send(octets);
    dialogue.finish();
    const said = await dialogue.rest();
    if (said !== '') expect(said).toMatch(/^HTTP\/1\.1 [1-4]\d\d |^\x15\x03/);
    expect(faults().slice(logged)).toEqual([]);
    await get('/api/glass/status');
  });
});

// ---------------------------------------------------------------------------------------------------- two scopes

const TEXT: Schema = { type: 'string' };
const LIST: Schema = { type: 'array', items: TEXT };
const CHOICE: Operation['requestBody'] = {
  content: {
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          ...{ IDs: LIST, Read: { type: 'boolean' }, Search: TEXT, Tags: LIST, Name: TEXT, To: LIST },
          ...{ From: { type: 'object', properties: { Email: TEXT, Name: TEXT } }, Subject: TEXT },
        },
      },
    },
  },
};

/** Mailpit's routes, which are in no document of ours. */
const MAILPIT: readonly Operation[] = [
  ['GET', '/api/v1/messages', 'start', 'limit', 'before', 'tz'],
  ['GET', '/api/v1/search', 'query', 'start', 'limit', 'before', 'tz'],
  ['GET', '/api/v1/message/{id}', 'query'],
  ['GET', '/api/v1/message/{id}/headers'],
  ['GET', '/api/v1/message/{id}/raw', 'dl'],
  ['GET', '/api/v1/message/{id}/part/{partId}'],
  ['GET', '/api/v1/info'],
  ['GET', '/metrics'],
  ['GET', '/api/v1/message/{id}/part/{partId}/thumb'],
  ['GET', '/api/v1/message/{id}/html-check'],
  ['GET', '/api/v1/message/{id}/link-check'],
  ['GET', '/api/v1/tags'],
  ['GET', '/api/v1/webui'],
  ['GET', '/api/v1/chaos'],
  ['GET', '/view/{id}', 'embed'],
  ['GET', '/view/{id}.html'],
  ['GET', '/view/{id}.txt'],
  ['POST', '/api/v1/send'],
  ['POST', '/api/v1/message/{id}/release'],
  ['PUT', '/api/v1/tags'],
  ['PUT', '/api/v1/tags/{tag}'],
  ['DELETE', '/api/v1/tags/{tag}'],
  ['PUT', '/api/v1/messages'],
  ['DELETE', '/api/v1/messages'],
  ['DELETE', '/api/v1/search', 'query'],
].map(([method, path, ...query]) => ({
  method: method!,
  path: path!,
  parameters: [
    ...[...path!.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name: name!, in: 'path' as const, schema: TEXT })),
    ...query.map((name) => ({ name, in: 'query' as const, schema: TEXT })),
  ],
  ...(method !== 'GET' && { requestBody: CHOICE }),
  responses: {},
}));
describe('of two scopes', () => {
  let mine: MadeScope;
  let theirs: MadeScope;
  /** Words of the one scope that the other must never see. */
  let secrets: readonly string[];
  /** What names things of that scope. */
  let known: Known;
  const word = (what: string): string => `${what}${Math.random().toString(36).slice(2, 10)}`;

  beforeAll(async () => {
    const scopeName = word('name');
    [mine, theirs] = [await openScope('mine'), await openScope(scopeName)];
    const words = ['subject', 'text', 'from', 'to', 'helo', 'file', 'account', 'box', 'blind', 'header', 'rule'].map(
      word,
    );
    const [subject, text, from, to, helo, file, account, box, blind, header, rule] = words as [string, ...string[]];
    await send({
      ...{
        subject: subject,
        text: `${text} http://${text}.test/ code 482913`,
        from: `${from}@app.test`,
        helo: `${helo}.test`,
      },
      ...{ to: [`${to}@${theirs.domain}`], file: `${file}.txt`, headers: { 'X-Word': header! } },
      login: { user: theirs.address, pass: theirs.password },
    });
    await send({ subject: 'to both', to: [mine.address, `${blind}@${theirs.domain}`] });
    await send({ subject: 'to me', to: [mine.address] });
    await post('/api/glass/accounts', { address: `${account}@${theirs.domain}`, password: 'glass' }, theirs.token);
    const message = { method: 'POST', headers: bearer(theirs.token), body: `Subject: ${subject}\r\n\r\n${text}\r\n` };
    const address = theirs.address;
    await askServer({ ...message, path: `/api/glass/accounts/${address}/import?mailbox=${box}` });
    await post('/api/glass/faults', { name: rule, what: { type: 'delay', ms: 1 } }, theirs.token);
    const watched = await readBoth(theirs, mine);

    const { messages } = await get<MessageList>('/api/glass/messages', theirs.token);
    const { mailboxes } = await get<MailboxList>(`/api/glass/accounts/${address}/mailboxes`, theirs.token);
    const { conversations } = await get<ConversationList>('/api/glass/conversations', theirs.token);
    const ids = messages.filter((each) => each.subject === subject).flatMap(({ id, emailId }) => [id, emailId]);
    const conversationIds = [...conversations.map(({ id }) => id), watched];
    const accounts = [address, `${account}@${theirs.domain}`];
    secrets = [...words, scopeName, theirs.id, theirs.token, theirs.password, ids[0]!, ...conversationIds];
    known = {
      id: [...ids, theirs.id, ...mailboxes.map(({ id }) => String(id)), ...conversationIds, 'latest'],
      ID: ids,
      ...{ uid: ['1'], partId: ['1', '2'], address: accounts, account: accounts, login: accounts, mailbox: [box!] },
      ...{
        query: [subject, text!, `to:${to}`, `addressed:${blind}`, `from:${from}`],
        to: [to!, blind!],
        subject: [subject],
      },
      ...{ cursor: ['00000000.0.0'], since: ['2000-01-01T00:00:00Z'], timeout: ['0s'] },
    };
  });

  /** One IMAP connection that shows the mail of the one and then logs in as the other. @returns its conversation */
  async function readBoth(first: MadeScope, second: MadeScope): Promise<string> {
    const before = new Set(
      (await get<ConversationList>('/api/glass/conversations?limit=1000')).conversations.map(({ id }) => id),
    );
    using imap = await Dialogue.open(stack.port('imap'));
    await imap.until(/^\* OK .*\r\n/m);
    await imap.ask(`a LOGIN ${first.address} ${first.password}`, /^a OK .*\r\n/m);
    await imap.ask('b SELECT INBOX', /^b OK .*\r\n/m);
    await imap.ask('c FETCH 1 BODY.PEEK[]', /^c OK .*\r\n/m);
    await imap.ask('d UNAUTHENTICATE', /^d OK .*\r\n/m);
    await imap.ask(`e LOGIN ${second.address} ${second.password}`, /^e OK .*\r\n/m);
    const { conversations } = await get<ConversationList>('/api/glass/conversations?service=imap');
    return conversations.find(({ id }) => !before.has(id))!.id;
  }

  /** Which of the secrets an answer tells to whoever did not know them. */
  function told(asked: Asked, { headers, text }: Answered): readonly string[] {
    const question = `${asked.path} ${Buffer.from(asked.body ?? '').toString()}`.toLowerCase();
    const answer = `${JSON.stringify(headers)} ${text}`.toLowerCase();
    return secrets.filter(
      (secret) => answer.includes(secret.toLowerCase()) && !question.includes(secret.toLowerCase()),
    );
  }

  test(
    'the one sees nothing of the other, by any route',
    async () => {
      const operations = [...operationsOf(document), ...MAILPIT];
      const reads = operations.filter(({ method }) => method === 'GET');
      const seen = new Set<string>();
      for (const operation of reads) {
        for (const path of pathsOf(operation, known)) {
          const asking = (token: string): Asked => ({ method: 'GET', path, headers: bearer(token) });
          const ours = asking(mine.token);
          expect([path, told(ours, await askServer(ours))]).toEqual([path, []]);
          const others = asking(theirs.token);
          for (const secret of told(others, await askServer(others))) seen.add(secret);
        }
      }
      // They themselves see all of it, but what is shown once, and the connection that was not theirs alone.
      expect(secrets.filter((secret) => !seen.has(secret)).sort()).toEqual(
        [theirs.token, theirs.password, secrets.at(-1)!].sort(),
      );

      const before = (await get<MessageList>('/api/glass/messages', theirs.token)).messages;
      for (const operation of [...reads, ...operations.filter((each) => !reads.includes(each))]) {
        await fc.assert(
          fc.asyncProperty(requestsFor(operation, document, known), async (request) => {
            const asked = { ...request, headers: { ...request.headers, ...bearer(mine.token) } };
            if (/\/wait\b/.test(asked.path)) asked.path = asked.path.replace(/\?|$/, '?timeout=0s&');
            const answer = await askServer(asked);
            expect(told(asked, answer)).toEqual([]);
            expect(answer.status).not.toBe(500);
          }),
          { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS },
        );
      }
      await forgetFaults(mine.token);
      expect((await get<MessageList>('/api/glass/messages', theirs.token)).messages).toEqual(before);
      expect(faults()).toEqual([]);
    },
    RUNS * 6000,
  );

  test('nor by a WebSocket, whatever it is asked', async () => {
    const url = `ws://127.0.0.1:${stack.port('http')}`;
    const sockets = ['/api/glass/feed', '/api/events'].map(
      (path) => new WebSocket(url + path, { headers: bearer(mine.token) }),
    );
    let heard = '';
    const missed = Promise.withResolvers<undefined>();
    const news = sockets.map((socket) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      socket.on('message', (data: Buffer) => {
        heard += data.toString();
        if (data.includes('"tooOld":true')) missed.resolve(undefined);
        if (data.includes('the last one')) resolve(undefined);
      });
      return promise;
    });
    await Promise.all(sockets.map((socket) => once(socket, 'open')));
    const requests: unknown[] = [
      ...known.id!.map((conversation) => ({ subscribe: { mail: true, conversations: true, conversation } })),
      ...known.account!.map((account) => ({ subscribe: { mail: true, conversations: true, account } })),
      {
        subscribe: { conversations: true },
        since: { revision: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER },
      },
      ...fc.sample(hostileText, 50),
      ...fc.sample(fc.jsonValue(), 50),
      // The cursor of another server: the answer is that much was missed.
      { subscribe: { mail: true, conversations: true }, since: { cursor: '00000000.0.0', revision: 0, seq: 0 } },
    ];
    for (const request of requests) sockets[0]!.send(typeof request === 'string' ? request : JSON.stringify(request));
    sockets[0]!.send(Buffer.from([0xff, 0x00]));
    sockets[1]!.send('{"Type":"stats"}');
    await missed.promise;
    await send({ subject: secrets[0]!, text: secrets[1]!, to: [`${secrets[3]}@${theirs.domain}`], helo: secrets[4]! });
    await send({ subject: 'the last one', to: [mine.address] });
    await Promise.all(news);
    const asked = { method: 'GET', path: known.account!.join() + known.id!.join(), headers: {} };
    expect(told(asked, { status: 101, headers: {}, type: '', text: heard })).toEqual([]);
    for (const socket of sockets) socket.terminate();
    expect(faults()).toEqual([]);
  });
});

/** A read with each combination of what its path may name. */
function pathsOf({ path, parameters }: Operation, known: Known): readonly string[] {
  let paths = [path];
  for (const { name } of parameters.filter((each) => each.in === 'path'))
    paths = paths.flatMap((each) => known[name]!.map((value) => each.replace(`{${name}}`, value)));
  if (path.endsWith('/wait')) return ['?timeout=0s', '?timeout=0s&count=1000'].map((query) => path + query);
  return path === '/api/v1/search' ? known.query!.map((query) => `${path}?query=${query}`) : paths;
}

// ---------------------------------------------------------------------------------------------------- deliveries

interface Mail {
  readonly subject: string;
  /** The envelope's; the header names the first alone. */
  readonly to: readonly string[];
  readonly from?: string;
  readonly text?: string;
  readonly helo?: string;
  readonly file?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly login?: { readonly user: string; readonly pass: string };
}

async function send({ to, from = 'app@app.test', helo = 'app.test', login, ...mail }: Mail): Promise<void> {
  const transport = createTransport({
    ...{ host: '127.0.0.1', port: stack.port(login ? 'submissions' : 'smtp'), secure: login !== undefined, name: helo },
    ...{ ignoreTLS: true, tls: { rejectUnauthorized: false } },
    ...(login && { auth: login }),
  });
  const { file = 'a.txt', text = 'hello', subject, headers = {} } = mail;
  const attachments = [{ filename: file, content: text }];
  const envelope = { from, to: [...to] };
  await transport.sendMail({ from, to: to[0]!, subject, text, html: `<p>${text}</p>`, headers, attachments, envelope });
  transport.close();
}
