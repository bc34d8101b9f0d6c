/** What a compose file for other tools switches on: logins from files, tags by rule, pages of other origins, a webroot. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash } from 'bcryptjs';
import { MailpitClient } from 'mailpit-api';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestStack, type TestStack } from '../test-stack.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glassmail-files-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const base = (stack: TestStack): string => `http://127.0.0.1:${stack.port('http')}`;
const basic = (login: string) => ({ Authorization: `Basic ${btoa(login)}` });

async function send(stack: TestStack, more: SendMailOptions = {}, login?: { user: string; pass: string }) {
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), ...(login && { auth: login }) });
  await transport.sendMail({ from: 'a@red.test', to: 'alice@glass.localhost', subject: 'x', text: 'y', ...more });
  transport.close();
}

describe('logins', () => {
  test('of the web, of sending, and of SMTP, listed and from files', async () => {
    const auth = await file('auth', `file:${await hash('hashed', 4)}\n`);
    const sender = await file('send', 'sender:one\n');
    const smtp = await file('smtp', `mailer:${await hash('two', 4)}\n`);
    await using stack = await startTestStack(
      ...['--http-auth', 'listed:plain', '--http-auth-file', auth, '--send-auth-file', sender],
      ...['--smtp-logins', 'app:secret', '--smtp-logins-file', smtp],
    );
    const status = async (login: string | undefined, path = '/api/v1/info', init: RequestInit = {}) =>
      (await fetch(base(stack) + path, { ...init, headers: login === undefined ? {} : basic(login) })).status;
    expect(await status('listed:plain')).toBe(200);
    expect(await status('file:hashed')).toBe(200);
    expect(await status('file:hashed')).toBe(200);
    for (const login of [undefined, 'file:plain', 'listed:hashed', 'sender:one', ':', 'file'])
      expect([login, await status(login)]).toEqual([login, 401]);
    const body = JSON.stringify({ From: { Email: 'a@red.test' }, To: [{ Email: 'alice@glass.localhost' }] });
    expect(await status('sender:one', '/api/v1/send', { method: 'POST', body })).toBe(200);
    expect(await status('listed:plain', '/api/v1/send', { method: 'POST', body })).toBe(401);
    const socket = new WebSocket(`ws://127.0.0.1:${stack.port('http')}/api/events`, { headers: basic('file:hashed') });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.terminate();

    await expect(send(stack)).rejects.toMatchObject({ responseCode: 530 });
    await expect(send(stack, {}, { user: 'app', pass: 'wrong' })).rejects.toMatchObject({ responseCode: 535 });
    // An account is no such login.
    await expect(send(stack, {}, { user: 'alice', pass: 'glass' })).rejects.toMatchObject({ responseCode: 535 });
    await send(stack, { from: 'anybody@else.test' }, { user: 'app', pass: 'secret' });
    await send(stack, {}, { user: 'mailer', pass: 'two' });
    expect(stack.logged).toEqual([]);
  });

  test.each([
    ['nobody\n', '--http-auth-file', 'line 1: must be name:password'],
    ['filters: 7', '--tag-rules-file', 'it has no list called filters'],
    ['filters: [{match: "larger:much", tags: A}]', '--tag-rules-file', 'filter 1: larger:much: '],
    ['a: [', '--tag-rules-file', ''],
    ['port: 25', '--relay-config', 'it names no host'],
    ['host: x\nauth: magic', '--relay-config', 'auth: "magic" is not one of'],
    ['{', '--outgoing-smtp', ''],
    ['{"x": {"Host": "a b"}}', '--outgoing-smtp', 'x: Host must be'],
  ])('a file with %j stops the start: %s', async (text, flag, message) => {
    const path = await file('wrong', text);
    const failure = await startTestStack(flag, path).catch((error: unknown) => error as Error);
    expect((failure as Error).message).toContain(`${flag} ${path}: ${message}`);
    expect((failure as Error).message).not.toContain('\n');
  });

  test('a file that is not there stops it too', async () => {
    await expect(startTestStack('--http-auth-file', join(folder, 'none'))).rejects.toThrow('no such file');
  });
});

test('tags by rule are there when the message is acknowledged, beside those that it brings along', async () => {
  const rules = await file('tags.yml', 'filters:\n  - match: subject:order\n    tags: Order, Shop\n');
  await using stack = await startTestStack(
    '--tag-rules',
    'Red=from:@red.test Big="larger:5k"',
    '--tag-rules-file',
    rules,
  );
  const mailpit = new MailpitClient(base(stack));
  const tagsOf = async (more: SendMailOptions) => {
    await send(stack, more);
    return (await mailpit.getMessageSummary()).Tags;
  };
  expect(await tagsOf({ subject: 'Your order', to: 'alice+own@glass.localhost' })).toEqual([
    'Order',
    'own',
    'Red',
    'Shop',
  ]);
  expect(await tagsOf({ from: 'a@blue.test', text: 'x'.repeat(6000) })).toEqual(['Big']);
  expect(await tagsOf({ from: 'a@blue.test' })).toEqual([]);
  const sent = await mailpit.sendMessage({
    From: { Email: 'a@red.test' },
    To: [{ Email: 'alice@glass.localhost' }],
    Tags: ['Given'],
  });
  expect((await mailpit.getMessageSummary(sent.ID)).Tags).toEqual(['Given', 'Red']);
  expect(stack.logged).toEqual([]);
});

test('mail for other addresses than those permitted is refused', async () => {
  await using stack = await startTestStack('--allowed-recipients', '@(red|glass)\\.');
  await send(stack);
  await expect(send(stack, { to: 'a@blue.test' })).rejects.toMatchObject({
    responseCode: 550,
    response: '550 5.7.1 Mail for a@blue.test is not taken here',
  });
  expect(stack.logged).toEqual([]);
});

describe('pages of other origins', () => {
  const page = { Origin: 'http://localhost:3000', 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'cors' };

  test('may call the API where that is permitted, and say so before', async () => {
    await using stack = await startTestStack('--http-cors', 'http://localhost:3000', '--http-auth', 'a:b');
    const ask = (path: string, init: RequestInit) => fetch(base(stack) + path, init);
    const before = await ask('/api/v1/messages', {
      method: 'OPTIONS',
      headers: { ...page, 'Access-Control-Request-Method': 'DELETE' },
    });
    expect([before.status, before.headers.get('access-control-allow-origin')]).toEqual([204, page.Origin]);
    expect(before.headers.get('access-control-allow-methods')).toContain('DELETE');
    const read = await ask('/api/v1/messages', { headers: { ...page, ...basic('a:b') } });
    expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, page.Origin]);
    const wrong = await ask('/api/glass/messages', { headers: page });
    expect([wrong.status, wrong.headers.get('access-control-allow-origin')]).toEqual([401, page.Origin]);
    const deleted = await ask('/api/v1/messages', { method: 'DELETE', headers: { ...page, ...basic('a:b') } });
    expect(deleted.status).toBe(200);
    // The pages themselves, and strangers, are none of theirs.
    expect((await ask('/', { headers: { ...page, ...basic('a:b') } })).status).toBe(403);
    const stranger = { ...page, Origin: 'http://evil.test', ...basic('a:b') };
    expect((await ask('/api/v1/messages', { headers: stranger })).status).toBe(403);
    const asked = await ask('/api/v1/messages', {
      method: 'OPTIONS',
      headers: { ...stranger, 'Access-Control-Request-Method': 'DELETE' },
    });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    expect(stack.logged).toEqual([]);
  });

  test('may not otherwise', async () => {
    await using stack = await startTestStack();
    const answer = await fetch(`${base(stack)}/api/v1/messages`, { headers: page });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  test('any of them, and with the token of a scope', async () => {
    await using stack = await startTestStack('--http-cors', '*');
    const made = await fetch(`${base(stack)}/api/glass/scopes`, { method: 'POST', headers: page, body: '{}' });
    const { token } = (await made.json()) as { token: string };
    const headers = { ...page, Authorization: `Bearer ${token}` };
    const answer = await fetch(`${base(stack)}/api/glass/messages`, { headers });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, page.Origin]);
  });
});

test('the API answers below the webroot too, and the WebSocket with it', async () => {
  await using stack = await startTestStack('--webroot', '/mail/pit');
  await send(stack);
  const below = new MailpitClient(`${base(stack)}/mail/pit`);
  expect((await below.listMessages()).total).toBe(1);
  expect(await below.getMessageSummary('latest')).toMatchObject({ Subject: 'x' });
  expect((await new MailpitClient(base(stack)).listMessages()).total).toBe(1);
  expect((await fetch(`${base(stack)}/mail/pit/readyz`)).status).toBe(200);
  const page = await fetch(`${base(stack)}/mail/pit`, { headers: { Accept: 'text/html' } });
  expect(page.headers.get('content-type')).toContain('text/html');
  const socket = new WebSocket(`ws://127.0.0.1:${stack.port('http')}/mail/pit/api/events`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.terminate();
  expect(stack.logged).toEqual([]);
});
