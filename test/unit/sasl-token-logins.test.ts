/** Tokens in the whole server: registered over HTTP, used by clients that others have written, kept over a restart. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { UsageError, type Io } from '../../src/cli/command.ts';
import { tokens } from '../../src/cli/tokens.ts';
import { madeToken, type NewToken } from '../../src/http/schemas/tokens.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { jsonBody } from './http-harness.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glassmail-tokens-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const start = (): Promise<TestStack> => startTestStack('--data', folder);

async function register(stack: TestStack, body: NewToken): Promise<{ readonly id: string; readonly token: string }> {
  const response = await fetch(`http://127.0.0.1:${stack.port('http')}/api/glass/tokens`, jsonBody('POST', body));
  expect(response.status).toBe(201);
  return madeToken.parse(await response.json());
}

/** Of `glassmail tokens`. */
async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end('first-line\nsecond-line\n');
  const io = { stdin, stdout, stderr, environment: {} } as unknown as Io;
  const code = await tokens.run([...args, '--data', folder], io).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(error.message);
    return error.exitCode;
  });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

/** @returns the mailboxes that the client is shown, or what the server said instead */
async function imap(stack: TestStack, user: string, accessToken: string): Promise<string> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: stack.port('imaps'),
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user, accessToken },
    logger: false,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const names = (await client.list()).map(({ path }) => path);
    await client.logout();
    return names.includes('INBOX') ? 'logged in' : 'no INBOX';
  } catch (error) {
    const { oauthError, serverResponseCode } = error as {
      oauthError?: { status: string };
      serverResponseCode?: string;
    };
    return `refused ${serverResponseCode ?? String(error)} ${oauthError?.status ?? ''}`.trim();
  }
}

async function submission(stack: TestStack, user: string, accessToken: string): Promise<string> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: stack.port('submissions'),
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { type: 'OAuth2', user, accessToken },
  });
  try {
    await transport.verify();
    return 'logged in';
  } catch (error) {
    return `refused ${(error as { responseCode?: number }).responseCode ?? String(error)}`;
  } finally {
    transport.close();
  }
}

const alice = 'alice@glass.localhost';

it('clients log in with a token of their account, and with no other', async () => {
  await using stack = await start();
  const { token } = await register(stack, { login: 'alice' });
  expect(await imap(stack, alice, token)).toBe('logged in');
  expect(await imap(stack, 'Alice', token)).toBe('logged in');
  expect(await submission(stack, alice, token)).toBe('logged in');
  expect(await imap(stack, 'bob', token)).toMatch(/^refused AUTHENTICATIONFAILED/);
  expect(await imap(stack, alice, `${token}x`)).toMatch(/^refused AUTHENTICATIONFAILED/);
  expect(await submission(stack, alice, 'glass')).toBe('refused 535');
  expect(stack.logged).toEqual([]);
});

it('a token is for the services that it was made for', async () => {
  await using stack = await start();
  const { token } = await register(stack, { login: 'alice', scopes: ['smtp'] });
  expect(await submission(stack, alice, token)).toBe('logged in');
  expect(await imap(stack, alice, token)).toMatch(/^refused AUTHENTICATIONFAILED/);
});

it('tokens are there after a restart, in a file of the server’s own', async () => {
  let token = '';
  {
    await using stack = await start();
    ({ token } = await register(stack, { login: 'alice' }));
    const file = join(folder, 'tokens.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain(token);
  }
  await using stack = await start();
  expect(await imap(stack, alice, token)).toBe('logged in');
});

it('a token of an account that was deleted does not open the next one of its name', async () => {
  await using stack = await start();
  const { token } = await register(stack, { login: 'alice' });
  const { id } = (await stack.store.findAccount(alice))!;
  await stack.store.deleteAccount(id);
  expect(await imap(stack, alice, token)).toMatch(/^refused/);
  await stack.store.createAccount({ address: alice, passwordRecord: undefined });
  expect(await imap(stack, alice, token)).toMatch(/^refused/);
  expect(await imap(stack, alice, (await register(stack, { login: 'alice' })).token)).toBe('logged in');
});

it('glassmail tokens adds, lists and revokes them beside the server', async () => {
  expect(await run('list')).toMatchObject({ code: 1, err: expect.stringContaining('No server runs on ') as string });
  await using stack = await start();
  expect(await run()).toEqual({ code: 0, out: '', err: 'There are no tokens; glassmail tokens add NAME\n' });
  const added = await run('add', 'alice', '--scopes', 'imap,pop3', '--expires', '90d');
  const token = added.out.trim();
  expect(added.err).toContain(`alice@glass.localhost  imap,pop3  expires `);
  expect(await imap(stack, alice, token)).toBe('logged in');
  const { out } = await run('list');
  expect(out).toMatch(/^[0-9a-f]{16} {2}alice@glass\.localhost {2}imap,pop3 {2}expires \S+ {2}\S{6}…\n$/);
  expect(out).not.toContain(token);
  expect((await run('revoke', out.slice(0, 16))).code).toBe(0);
  expect(await imap(stack, alice, token)).toMatch(/^refused/);
  const given = await run('add', 'bob', '--token-stdin');
  expect([given.out, given.err]).toEqual(['first-line\n', expect.stringMatching(/mail {2}never expires {2}fi…\n$/)]);
  for (const [args, code, err] of [
    [['add', 'nobody'], 1, 'there is no account nobody@glass.localhost'],
    [['revoke', 'x'], 1, 'must be an id'],
    [['revoke', '0123456789abcdef'], 1, 'there is no token'],
    [['add', 'bob', '--token-stdin'], 1, 'registered already'],
    [['add'], 2, 'it is list, add NAME or revoke ID'],
    [['drop', 'x'], 2, 'it is list, add NAME or revoke ID'],
    [['add', 'bob', '--scopes', 'imap,http'], 2, '--scopes http: it is one of'],
    [['add', 'bob', '--expires', 'soon'], 2, '--expires soon: give 30m'],
  ] as const) {
    expect(await run(...args)).toEqual({ code, out: '', err: expect.stringContaining(err) as string });
  }
});

it('a file that cannot be read stops the start with a line that says so', async () => {
  await writeFile(join(folder, 'tokens.json'), '{');
  await expect(start()).rejects.toThrow(/^the file of tokens cannot be read: /);
});
