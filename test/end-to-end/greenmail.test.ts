/** A test that was written for GreenMail, against the whole server. */
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import { describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { Pop3Client } from '../../src/cli/pop3-client.ts';

const user = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

function apiOf(stack: TestStack, token?: string) {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return async (path: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) => {
    const url = `http://127.0.0.1:${stack.port('http')}${path}`;
    const response = await fetch(url, { ...init, headers: { ...init.headers, ...headers } });
    return { status: response.status, body: (await response.json()) as unknown };
  };
}

async function sendMail(stack: TestStack, to: string, subject: string): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), ignoreTLS: true });
  await transport.sendMail({ from: 'x@red.test', to, subject, text: `for ${to}`, messageId: '<m1@red.test>' });
  transport.close();
}

describe('the API of GreenMail', () => {
  test('makes users, shows their mail, deletes them', async () => {
    await using stack = await startTestStack();
    const api = apiOf(stack);
    expect(await api('/api/service/readiness')).toEqual({ status: 200, body: { message: 'Service running' } });
    const foo = { login: 'foo@example.test', email: 'foo@example.test' };
    const made = await api('/api/user', user({ email: 'foo@example.test', login: 'foo', password: 'secret' }));
    expect(made).toEqual({ status: 200, body: foo });
    expect((await api('/api/user')).body).toEqual([
      { login: 'alice', email: 'alice@glass.localhost' },
      { login: 'bob', email: 'bob@glass.localhost' },
      foo,
    ]);
    await sendMail(stack, 'foo@example.test', 'Grüße');
    const expected = {
      uid: '1',
      'Message-ID': '<m1@red.test>',
      subject: 'Grüße',
      contentType: 'text/plain; charset=utf-8',
      mimeMessage: expect.stringMatching(/^Return-Path: <x@red.test>\r\n[^]*\r\nfor foo@example.test\r\n$/) as unknown,
    };
    for (const path of ['messages', 'messages/', 'messages/INBOX', 'messages/inbox/']) {
      const { status, body } = await api(`/api/user/foo@example.test/${path}`);
      expect({ status, body }).toMatchObject({ status: 200, body: [expected] });
    }
    const pop3 = { host: '127.0.0.1', port: stack.port('pop3'), tls: 'none', timeoutMs: 10_000 } as const;
    await using client = await Pop3Client.connect(pop3);
    await client.login('foo@example.test', 'secret');
    await client.quit();
    expect((await api('/api/user/foo@example.test', { method: 'DELETE' })).status).toBe(200);
    expect((await api('/api/user/foo@example.test/messages')).status).toBe(400);
  });

  test('says 400 and why', async () => {
    await using stack = await startTestStack();
    const api = apiOf(stack);
    expect(await api('/api/user/nobody', { method: 'DELETE' })).toEqual({
      status: 400,
      body: { message: 'there is no account nobody@glass.localhost' },
    });
    expect((await api('/api/user/nobody/messages')).body).toEqual({ message: "User 'nobody' not found" });
    expect((await api('/api/user/alice/messages/Nowhere/')).body).toEqual({ message: "Folder 'Nowhere' not found" });
    const twice = await api('/api/user', user({ email: 'alice@glass.localhost', login: 'alice', password: 'x' }));
    expect(twice.status).toBe(400);
    for (const body of ['', '{', '[]', 'null', '{"email":"a@b.test"}', '{"email":"@","password":"x"}']) {
      expect([body, (await api('/api/user', { method: 'POST', body })).status]).toEqual([body, 400]);
    }
    expect(stack.logged).toEqual([]);
  });

  test('tells where it listens', async () => {
    await using stack = await startTestStack();
    const { body } = await apiOf(stack)('/api/configuration');
    const { serverSetups } = body as { serverSetups: { port: number; protocol: string; isSecure: boolean }[] };
    expect(serverSetups).toContainEqual(
      expect.objectContaining({ port: stack.port('imaps'), address: '127.0.0.1', protocol: 'imaps', isSecure: true }),
    );
    expect(serverSetups.map(({ protocol }) => protocol).sort()).toEqual([
      'imap',
      'imaps',
      'pop3',
      'pop3s',
      'smtp',
      'smtps',
    ]);
  });

  test('purges mail and resets, and leaves what belongs to others alone', async () => {
    await using stack = await startTestStack();
    const api = apiOf(stack);
    const scope = (await api('/api/glass/scopes', user({ name: 'another test' }))).body as {
      token: string;
      address: string;
    };
    const inside = apiOf(stack, scope.token);
    const count = async (name: string, ask = api) =>
      ((await ask(`/api/user/${name}/messages`)).body as readonly unknown[]).length;
    await sendMail(stack, 'alice@glass.localhost', 'one');
    await sendMail(stack, 'new@elsewhere.test', 'two');
    await sendMail(stack, scope.address, 'three');
    expect((await api('/api/mail/purge', { method: 'POST' })).status).toBe(200);
    expect([await count('alice'), await count('new@elsewhere.test'), await count(scope.address, inside)]).toEqual([
      0, 0, 1,
    ]);
    await sendMail(stack, 'alice@glass.localhost', 'four');
    expect((await inside('/api/service/reset', { method: 'POST' })).status).toBe(200);
    expect([await count('alice'), await count(scope.address, inside)]).toEqual([1, 0]);
    expect((await inside('/api/user')).body).toEqual([{ login: 'inbox', email: scope.address }]);
    expect((await inside('/api/user/alice@glass.localhost/messages')).status).toBe(400);
    expect((await api('/api/service/reset', { method: 'POST' })).status).toBe(200);
    const left = (await api('/api/user')).body as readonly { email: string }[];
    expect(left.map(({ email }) => email)).toEqual(['alice@glass.localhost', 'bob@glass.localhost']);
    expect(await count('alice')).toBe(0);
  });
});

test('the port for SMTP over TLS takes mail without a login there', async () => {
  await using stack = await startTestStack('--ports', 'greenmail');
  const tls = { rejectUnauthorized: false };
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('submissions'), secure: true, tls });
  const { accepted } = await transport.sendMail({ from: 'x@red.test', to: 'alice@glass.localhost', text: 'x' });
  transport.close();
  expect(accepted).toEqual(['alice@glass.localhost']);
});

describe('logins as GreenMail has them', () => {
  const imap = (stack: TestStack, login: string, pass: string) =>
    new ImapFlow({
      host: '127.0.0.1',
      port: stack.port('imap'),
      auth: { user: login, pass },
      doSTARTTLS: false,
      logger: false,
    });

  test('without a check: every name and password, and the account is made', async () => {
    await using stack = await startTestStack('--login-check', 'none', '--default-domain', 'app.test');
    await sendMail(stack, 'eve@app.test', 'before');
    const client = imap(stack, 'eve', 'anything');
    await client.connect();
    expect(await client.status('INBOX', { messages: true })).toMatchObject({ messages: 1 });
    await client.logout();
    const fresh = imap(stack, 'new@other.test', 'whatever');
    await fresh.connect();
    expect((await fresh.list()).map(({ path }) => path)).toContain('INBOX');
    await fresh.logout();
    const pop3 = await Pop3Client.connect({
      host: '127.0.0.1',
      port: stack.port('pop3'),
      tls: 'none',
      timeoutMs: 5000,
    });
    await pop3.login('eve', 'another');
    await pop3.quit();
    const submission = createTransport({
      host: '127.0.0.1',
      port: stack.port('submission'),
      tls: { rejectUnauthorized: false },
      auth: { user: 'sender@app.test', pass: 'x' },
    });
    expect(await submission.verify()).toBe(true);
    submission.close();
    const api = apiOf(stack);
    expect((await api('/api/configuration')).body).toMatchObject({ authenticationDisabled: true });
    expect((await api('/api/user')).body).toContainEqual({ login: 'new@other.test', email: 'new@other.test' });
    // What is no address names nobody.
    for (const login of ['a b', '@', '\u0001@x']) await expect(imap(stack, login, 'x').connect()).rejects.toThrow();
    expect(stack.logged).toEqual([]);
  });

  test('accounts with passwords of their own', async () => {
    await using stack = await startTestStack('--accounts', 'one:first,two@b.test:se:cond,three');
    for (const [login, password] of [
      ['one', 'first'],
      ['two@b.test', 'se:cond'],
      ['three', 'glass'],
    ] as const) {
      const client = imap(stack, login, password);
      await client.connect();
      await client.logout();
    }
    await expect(imap(stack, 'one', 'glass').connect()).rejects.toThrow();
  });
});
