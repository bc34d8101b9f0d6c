/** Test scopes, as test suites that run in parallel use them: nobody sees anybody else's mail. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import { WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AccountList } from '../../src/http/schemas/accounts.ts';
import type { ConversationList } from '../../src/http/schemas/conversations.ts';
import type { MessageList } from '../../src/http/schemas/messages.ts';
import type { MadeScope, ScopeList, ScopeView } from '../../src/http/schemas/scopes.ts';
import type { Status } from '../../src/http/schemas/status.ts';
import type { Waited } from '../../src/http/schemas/waiting.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';

let stack: TestStack;
let url: string;
beforeEach(async () => {
  stack = await startTestStack();
  url = `http://127.0.0.1:${stack.port('http')}`;
});
afterEach(async () => {
  await stack[Symbol.asyncDispose]();
  expect(stack.logged).toEqual([]);
});

interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

async function api<T>(path: string, init: RequestInit & { token?: string } = {}): Promise<Answer<T>> {
  const response = await fetch(`${url}${path}`, {
    ...init,
    headers: init.token === undefined ? {} : { Authorization: `Bearer ${init.token}` },
  });
  const text = await response.text();
  return { status: response.status, body: (text.startsWith('{') ? JSON.parse(text) : text) as T };
}

async function open(body: object = {}): Promise<MadeScope> {
  const made = await api<MadeScope>('/api/glass/scopes', { method: 'POST', body: JSON.stringify(body) });
  expect(made.status).toBe(201);
  return made.body;
}

/** The header names the last one alone: the others are blind copies. */
async function send(subject: string, ...recipients: string[]): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), ignoreTLS: true });
  const from = 'app@app.test';
  const to = recipients.at(-1)!;
  await transport.sendMail({ from, to, subject, text: 'hello', envelope: { from, to: recipients } });
  transport.close();
}

async function list(token?: string): Promise<string[]> {
  const { body } = await api<MessageList>('/api/glass/messages', token === undefined ? {} : { token });
  return body.messages.map(({ subject }) => subject);
}

describe('a scope', () => {
  test('has a domain, a login and a view of its own', async () => {
    const scope = await open({ name: 'sign-up' });
    expect(scope).toMatchObject({
      name: 'sign-up',
      address: `inbox@${scope.domain}`,
      domain: `${scope.id}.glass.localhost`,
    });
    expect(scope.services.find(({ service }) => service === 'imaps')).toEqual({
      service: 'imaps',
      host: '127.0.0.1',
      port: stack.port('imaps'),
      tls: 'implicit',
    });
    await send('mine', `anybody@${scope.domain}`);
    await send('below', `any+tag@deep.${scope.domain}`);
    await send('not mine', 'alice@glass.localhost');
    expect(await list(scope.token)).toEqual(['below', 'mine']);
    expect(await list()).toEqual(['not mine', 'below', 'mine']);
    const { body: accounts } = await api<AccountList>('/api/glass/accounts', scope);
    expect(accounts.accounts.map(({ address }) => address)).toEqual([scope.address]);
    const { body: status } = await api<Status>('/api/glass/status', scope);
    expect(status).toMatchObject({
      counts: { transactions: 2, messages: 2, accounts: 1 },
      defaultDomain: scope.domain,
    });

    const client = new ImapFlow({
      host: '127.0.0.1',
      port: stack.port('imap'),
      secure: false,
      doSTARTTLS: false,
      auth: { user: scope.address, pass: scope.password },
      logger: false,
    });
    await client.connect();
    expect((await client.mailboxOpen('INBOX')).exists).toBe(2);
    await client.logout();
  });

  test('takes everything along when it is closed, and its token opens nothing any more', async () => {
    const scope = await open();
    await send('mine', scope.address);
    expect((await api(`/api/glass/scopes/${scope.id}`, { method: 'DELETE', token: scope.token })).status).toBe(204);
    expect(await list()).toEqual([]);
    expect((await api('/api/glass/messages', scope)).status).toBe(401);
    expect((await api(`/api/glass/scopes/${scope.id}`)).status).toBe(404);
    const { body } = await api<AccountList>('/api/glass/accounts');
    expect(body.accounts.map(({ address }) => address)).not.toContain(scope.address);
    // The address is one like any other now.
    await send('late', scope.address);
    expect(await list()).toEqual(['late']);
  });

  test('is closed when its time is over; it can be given more, or less', async () => {
    const [short, long, cut] = [await open({ ttlSeconds: 1 }), await open({ ttlSeconds: 20 }), await open()];
    const give = async (scope: MadeScope, ttlSeconds: number): Promise<number> => {
      const { status, body } = await api<ScopeView>(`/api/glass/scopes/${scope.id}`, {
        method: 'PUT',
        body: JSON.stringify({ ttlSeconds }),
        token: scope.token,
      });
      expect(status).toBe(200);
      return Date.parse(body.expiresAt) - Date.parse(scope.expiresAt);
    };
    expect(await give(long, 600)).toBeGreaterThanOrEqual(580_000);
    expect(await give(cut, 1)).toBeLessThan(0);
    const deadline = Date.now() + 20_000;
    let open_: string[];
    do open_ = (await api<ScopeList>('/api/glass/scopes')).body.scopes.map(({ id }) => id);
    while (open_.length > 1 && Date.now() < deadline);
    expect(open_).toEqual([long.id]);
    for (const closed of [short, cut]) expect((await api('/api/glass/messages', closed)).status).toBe(401);
    expect((await api('/api/glass/messages', long)).status).toBe(200);
  });

  test.each([
    [{ ttlSeconds: 0 }, 'ttlSeconds'],
    [{ ttlSeconds: 1e9 }, 'ttlSeconds'],
    [{ name: 5 }, 'name'],
    [{ nam: 'x' }, 'nam'],
  ])('%j is refused, and says why', async (body, named) => {
    const { status, body: answer } = await api<{ detail: string }>('/api/glass/scopes', {
      method: 'POST',
      body: JSON.stringify(body),
    });
    expect(status).toBe(400);
    expect(answer.detail).toContain(named);
  });
});

describe('two scopes', () => {
  test('see the same message each for itself, and delete it each for itself', async () => {
    const [one, two] = [await open(), await open()];
    await send('for both', one.address, two.address, 'alice@glass.localhost');
    const { body } = await api<MessageList>('/api/glass/messages', one);
    expect(body.messages[0]).toMatchObject({
      recipients: [one.address, 'alice@glass.localhost'],
      copies: [{ account: one.address }],
    });
    const { id } = body.messages[0]!;
    const deleted = await api('/api/glass/messages/delete', {
      method: 'POST',
      body: JSON.stringify({ ids: [id] }),
      token: one.token,
    });
    expect(deleted).toEqual({ status: 200, body: { count: 1 } });
    expect([await list(one.token), await list(two.token), await list()]).toEqual([[], ['for both'], ['for both']]);
    // Mailpit's way of deleting all.
    await api('/api/v1/messages', { method: 'DELETE', token: two.token });
    expect([await list(two.token), await list()]).toEqual([[], ['for both']]);
  });

  test("cannot reach each other's messages, accounts, scopes and conversations by their ids", async () => {
    const [one, two] = [await open(), await open()];
    await send('secret', one.address);
    await send('shared', one.address, two.address);
    const { body } = await api<MessageList>('/api/glass/messages', one);
    const { id, emailId } = body.messages.find(({ subject }) => subject === 'secret')!;
    const { body: all } = await api<ConversationList>('/api/glass/conversations?service=smtp');
    const { body: seen } = await api<ConversationList>('/api/glass/conversations?service=smtp', one);
    expect([all.conversations.length, seen.conversations.length]).toEqual([2, 1]);
    for (const path of [
      `/api/glass/messages/${id}`,
      `/api/glass/messages/${emailId}/source`,
      `/api/v1/message/${id}`,
      `/api/v1/message/${id}/raw`,
      `/api/glass/scopes/${one.id}`,
      `/api/glass/accounts/${one.address}/mailboxes`,
      `/api/glass/conversations/${seen.conversations[0]!.id}`,
    ]) {
      expect([path, (await api(path, two)).status]).toEqual([path, 404]);
      expect([path, (await api(path, one)).status]).toEqual([path, 200]);
    }
    const others = JSON.stringify([
      (await api('/api/glass/messages', two)).body,
      (await api('/api/glass/accounts', two)).body,
      (await api('/api/glass/scopes', two)).body,
      (await api('/api/glass/conversations', two)).body,
      (await api('/api/v1/messages', two)).body,
      (await api('/metrics', two)).body,
    ]);
    expect(others).not.toContain(one.id);
    expect(others).not.toContain('secret');
  });

  test('learn nothing of how the server is set up', async () => {
    const { token } = await open();
    expect((await api('/api/glass/settings', { token })).status).toBe(404);
    expect((await api('/api/glass/settings')).status).toBe(200);
  });

  test('hear of their own mail alone: waiting, stream and feed', async () => {
    const [one, two] = [await open(), await open()];
    const waiting = api<Waited>('/api/glass/messages/wait?timeout=20s', two);
    const feed = new WebSocket(`${url.replace('http', 'ws')}/api/glass/feed`, {
      headers: { Authorization: `Bearer ${two.token}` },
    });
    const heard: string[] = [];
    const arrival = new AbortController();
    feed.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string; arrived?: { subject: string }[] };
      if (message.type === 'hello') feed.send(JSON.stringify({ subscribe: { mail: true, conversations: true } }));
      for (const { subject } of message.arrived ?? []) heard.push(subject);
      if (heard.length > 0) arrival.abort();
    });
    await once(feed, 'open');
    await send('for one', one.address);
    await send('for two', two.address);
    expect((await waiting).body.messages.map(({ subject }) => subject)).toEqual(['for two']);
    if (!arrival.signal.aborted) await once(arrival.signal, 'abort');
    expect(heard).toEqual(['for two']);
    feed.close();
    await once(feed, 'close');
  });
});

test('two hundred scopes in parallel do not see each other', async () => {
  const scopes = await Promise.all(Array.from({ length: 200 }, (_, i) => open({ name: `test ${i}` })));
  await Promise.all(
    Array.from({ length: 10 }, async (_, worker) => {
      for (let i = worker; i < scopes.length; i += 10) await send(`for ${i}`, scopes[i]!.address);
    }),
  );
  const found = await Promise.all(scopes.map(({ token }) => list(token)));
  expect(found).toEqual(scopes.map((_, i) => [`for ${i}`]));
}, 120_000);

test('scopes outlive the server; what belongs to none does not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glassmail-scopes-'));
  const restart = async (): Promise<void> => {
    await stack[Symbol.asyncDispose]();
    stack = await startTestStack('--data', folder);
    url = `http://127.0.0.1:${stack.port('http')}`;
  };
  await restart();
  const scope = await open();
  await send('mine', scope.address);
  await restart();
  expect(await list(scope.token)).toEqual(['mine']);
  await stack[Symbol.asyncDispose]();
  await writeFile(join(folder, 'scopes.json'), '{"scopes":[]}');
  await restart();
  expect((await api('/api/glass/messages', scope)).status).toBe(401);
  expect(await list()).toEqual([]);
  await stack[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('of a message that others have too', () => {
  test('a scope waits until it has read its own copy', async () => {
    const [one, two] = [await open(), await open()];
    await send('for both', one.address, two.address);
    const { body } = await api<MessageList>('/api/glass/messages', one);
    const { id } = body.messages[0]!;
    const waiting = (scope: MadeScope, timeout: string) =>
      api<Waited>(`/api/glass/messages/wait?is=read&timeout=${timeout}`, scope);
    const own = waiting(one, '20s');
    const mark = (scope: MadeScope, read: boolean) =>
      api('/api/glass/messages/mark', {
        method: 'POST',
        body: JSON.stringify({ ids: [id], read }),
        token: scope.token,
      });
    await mark(one, true);
    expect((await own).body.messages).toMatchObject([{ id, read: true }]);
    expect((await waiting(two, '50ms')).status).toBe(404);
    expect((await api<MessageList>('/api/glass/messages', two)).body.messages).toMatchObject([{ read: false }]);
    // To everybody it is unread as long as one copy is.
    const all = await api<MessageList>('/api/glass/messages');
    expect(all.body.messages).toMatchObject([{ read: false }]);
  });

  test('neither the addresses of others are found, nor their tags', async () => {
    const [one, two] = [await open(), await open()];
    await send('for both', one.address, two.address.replace('@', '+hidden@'));
    await send('for one', one.address.replace('@', '+own@'));
    const found = async (scope: MadeScope | undefined, query: string) => {
      const path = `/api/glass/messages?query=${encodeURIComponent(query)}`;
      const { body } = await api<MessageList>(path, scope);
      return body.messages.map(({ subject }) => subject);
    };
    expect(await found(undefined, `addressed:${two.domain}`)).toEqual(['for both']);
    // The field To names the last recipient alone; the envelope is what must not be found by.
    expect(await found(one, `bcc:${two.domain}`)).toEqual([]);
    expect(await found(two, `bcc:${one.domain}`)).toEqual([]);
    expect(await found(two, `addressed:${one.domain}`)).toEqual([]);
    expect(await found(one, `bcc:${one.domain}`)).toEqual(['for both']);
    expect(await found(undefined, 'tag:hidden')).toEqual(['for both']);
    expect(await found(one, 'tag:hidden')).toEqual([]);
    expect(await found(one, 'is:tagged')).toEqual(['for one']);
    const tags = async (scope: MadeScope) =>
      (await (await fetch(`${url}/api/v1/tags`, bearer(scope))).json()) as unknown;
    expect([await tags(one), await tags(two)]).toEqual([['own'], []]);
    const { body } = await api<MessageList>('/api/glass/messages', two);
    const put = { method: 'PUT', body: JSON.stringify({ IDs: [body.messages[0]!.id], Tags: ['mine'] }) };
    await fetch(`${url}/api/v1/tags`, { ...put, ...bearer(two) });
    expect(await found(undefined, 'tag:hidden')).toEqual(['for both']);
    expect([await tags(one), await tags(two)]).toEqual([['own'], []]);
  });
});

const bearer = ({ token }: MadeScope): RequestInit => ({ headers: { Authorization: `Bearer ${token}` } });

test('a scope whose mailbox is full refuses at RCPT', async () => {
  await using small = await startTestStack('--quota-messages', '1');
  const base = `http://127.0.0.1:${small.port('http')}`;
  const made = await fetch(`${base}/api/glass/scopes`, { method: 'POST', body: '{}' });
  const { address } = (await made.json()) as MadeScope;
  const transport = createTransport({ host: '127.0.0.1', port: small.port('smtp') });
  const mail = { from: 'a@b.test', to: address, subject: 'x', text: 'y' };
  await transport.sendMail(mail);
  await expect(transport.sendMail(mail)).rejects.toMatchObject({
    command: 'RCPT TO',
    response: expect.stringMatching(/^452 4\.2\.2 /) as string,
  });
  expect(small.logged).toEqual([]);
});
