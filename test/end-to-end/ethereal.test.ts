/** nodemailer's test accounts, made by this server instead of ethereal.email. */
import { createTestAccount, createTransport, getTestMessageUrl } from 'nodemailer';
import { afterEach, expect, test, vi } from 'vitest';
import { Pop3Client } from '../../src/cli/pop3-client.ts';
import { startTestStack } from '../test-stack.ts';

afterEach(() => vi.unstubAllEnvs());

test('an account is made, sends, and its message has a page', async () => {
  await using stack = await startTestStack();
  vi.stubEnv('ETHEREAL_API', `http://localhost:${stack.port('http')}/`);
  vi.stubEnv('ETHEREAL_CACHE', 'no');
  const { user, pass, smtp, pop3, web } = await createTestAccount();
  expect(user).toMatch(/^[a-z2-9]{12}@ethereal\.glass\.localhost$/);
  expect(smtp).toEqual({ host: 'localhost', port: stack.port('smtp'), secure: false });
  expect(web).toBe(`http://localhost:${stack.port('http')}`);

  const transport = createTransport({ ...smtp, host: '127.0.0.1', auth: { user, pass } });
  const info = await transport.sendMail({ from: user, to: [user, 'alice@glass.localhost'], subject: 'Hi', text: 'x' });
  transport.close();
  const id = /queued as (\w{22})/.exec(info.response)?.[1] ?? '';
  const url = getTestMessageUrl(info);
  expect(url).toBe(`${web}/message/${id}`);
  const page = await fetch(String(url).replace('localhost', '127.0.0.1'), { redirect: 'manual' });
  expect([page.status, page.headers.get('location')]).toEqual([302, `/mail/${id}`]);

  await using client = await Pop3Client.connect({
    host: '127.0.0.1',
    port: pop3.port,
    tls: 'none',
    timeoutMs: 10_000,
  });
  await client.login(user, pass);
  expect((await client.uidl()).size).toBe(1);
  await client.quit();
});

test('other clients are told the id as the last word', async () => {
  await using stack = await startTestStack();
  const auth = { user: 'alice', pass: 'glass' };
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), auth });
  const info = await transport.sendMail({ from: 'a@b.test', to: 'alice@glass.localhost', text: 'x' });
  transport.close();
  expect(info.response).toMatch(/queued as \w{22}$/);
  expect(getTestMessageUrl(info)).toBe(false);
});

test('domain mode makes none', async () => {
  await using stack = await startTestStack('--domains', 'red.test', '--http-auth', 'a:b');
  vi.stubEnv('ETHEREAL_API', `http://localhost:${stack.port('http')}`);
  vi.stubEnv('ETHEREAL_CACHE', 'no');
  await expect(createTestAccount()).rejects.toThrow();
  const headers = { authorization: `Basic ${btoa('a:b')}` };
  const refused = await fetch(`http://127.0.0.1:${stack.port('http')}/user`, { method: 'POST', headers });
  expect([refused.status, await refused.json()]).toMatchObject([403, { status: 'error' }]);
  expect(await stack.store.listAccounts()).toEqual([]);
});
