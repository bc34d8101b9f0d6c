/** swaks: SMTP in clear, with STARTTLS, with TLS, and refusals. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { address, contents } from './mail.ts';
import { makeHome, run, succeed } from './program.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

const login = ['--auth-user', 'alice@glass.localhost', '--auth-password', 'glass'];

test('hands in without a login', async () => {
  const { stdout } = await succeed('swaks', [
    '--server',
    '127.0.0.1',
    '--port',
    `${stack.port('smtp')}`,
    '--from',
    'a@b.test',
    '--to',
    'alice@glass.localhost',
  ]);
  expect(stdout).toMatch(/250 2\.0\.0 Ok: queued as \w{22}/);
});

test.each(['PLAIN', 'LOGIN'])('submits with STARTTLS and AUTH %s', async (mechanism) => {
  const { stdout } = await succeed('swaks', [
    '--server',
    '127.0.0.1',
    '--port',
    `${stack.port('submission')}`,
    '--tls',
    '--auth',
    mechanism,
    ...login,
    '--from',
    'alice@glass.localhost',
    '--to',
    'bob@glass.localhost',
  ]);
  expect(stdout).toMatch(/235 2\.7\.0/);
  expect(stdout).toMatch(/250 2\.0\.0 Ok: queued as/);
});

test('submits with TLS from the first octet', async () => {
  const { stdout } = await succeed('swaks', [
    '--server',
    '127.0.0.1',
    '--port',
    `${stack.port('submissions')}`,
    '--tls-on-connect',
    '--auth',
    'PLAIN',
    ...login,
    '--from',
    'alice@glass.localhost',
    '--to',
    'bob@glass.localhost',
  ]);
  expect(stdout).toMatch(/250 2\.0\.0 Ok: queued as/);
});

test('is refused with a wrong password, and told so', async () => {
  const { code, stdout } = await run('swaks', [
    '--server',
    '127.0.0.1',
    '--port',
    `${stack.port('submissions')}`,
    '--tls-on-connect',
    '--auth',
    'PLAIN',
    '--auth-user',
    'alice@glass.localhost',
    '--auth-password',
    'wrong',
    '--to',
    'bob@glass.localhost',
  ]);
  expect(code).not.toBe(0);
  expect(stdout).toMatch(/535 5\.7\.8/);
});

test('is refused without a login on submission', async () => {
  const { code, stdout } = await run('swaks', [
    '--server',
    '127.0.0.1',
    '--port',
    `${stack.port('submissions')}`,
    '--tls-on-connect',
    '--from',
    'alice@glass.localhost',
    '--to',
    'bob@glass.localhost',
  ]);
  expect(code).not.toBe(0);
  expect(stdout).toMatch(/530 5\.7\.0/);
});

test('pipelines its commands', async () => {
  const { stdout } = await succeed('swaks', [
    '--server',
    '127.0.0.1',
    '--port',
    `${stack.port('smtp')}`,
    '--pipeline',
    '--from',
    'a@b.test',
    '--to',
    ['alice', 'bob', 'carol', 'dave'].map(address).join(','),
  ]);
  // Four recipients and DATA go out before the first reply is read.
  expect(stdout).toMatch(/( -> RCPT TO:.*\n){4} -> DATA\n/);
  expect(stdout.match(/<-  250 2\.1\.5/g)?.length).toBe(4);
  for (const account of ['alice', 'bob', 'carol', 'dave'])
    expect((await contents(stack, account, 'INBOX')).length).toBeGreaterThan(0);
});

test('hands one message in for five hundred recipients', async () => {
  const names = Array.from({ length: 500 }, (_, index) => `many${index}`);
  await succeed('swaks', [
    '--server',
    '127.0.0.1',
    '--port',
    `${stack.port('smtp')}`,
    '--pipeline',
    '--from',
    'a@b.test',
    '--to',
    names.map(address).join(','),
    '--h-Subject',
    'for many',
  ]);
  for (const name of [names[0]!, names[499]!]) {
    const [message] = await contents(stack, name, 'INBOX');
    expect(message!.octets.toString()).toContain('\r\nSubject: for many\r\n');
  }
});

test('adds an attachment, and a body from a file with lines of dots', async () => {
  await using home = await makeHome();
  await writeFile(join(home.path, 'body'), 'one\n.\n..\ntwo\n');
  await succeed(
    'swaks',
    [
      '--server',
      '127.0.0.1',
      '--port',
      `${stack.port('smtp')}`,
      '--from',
      'a@b.test',
      '--to',
      address('bob'),
      '--body',
      '@body',
      '--attach',
      '@/dev/null',
    ],
    { home: home.path },
  );
  const message = (await contents(stack, 'bob', 'INBOX')).at(-1)!.octets.toString();
  expect(message).toContain('\r\none\r\n.\r\n..\r\ntwo\r\n');
  expect(message).toContain('multipart/mixed');
});
