/** msmtp: submission with its own configuration file. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { address, contents, letter, lf } from './mail.ts';
import { makeHome, run, succeed } from './program.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

/** The folder with a `.msmtprc`, in which every line of `settings` stands too. */
async function home(service: 'submission' | 'submissions', settings = '') {
  const folder = await makeHome();
  await writeFile(
    join(folder.path, '.msmtprc'),
    `account default
host localhost
port ${stack.port(service)}
tls on
tls_starttls ${service === 'submission' ? 'on' : 'off'}
tls_trust_file ${stack.authorityFile!}
auth on
user ${address('bob')}
password glass
from ${address('bob')}
${settings}
`,
    { mode: 0o600 },
  );
  return folder;
}

test.each(['submission', 'submissions'] as const)('sends over %s, octet for octet', async (service) => {
  await using folder = await home(service);
  const message = letter(`over ${service}`, '.\n..\n.dot\nGrüße\n');
  await succeed('msmtp', [address('alice')], { home: folder.path, stdin: lf(message).toString() });
  const last = (await contents(stack, 'alice', 'INBOX')).at(-1)!;
  expect(last.text.slice(-message.length)).toBe(message.toString('latin1'));
  expect(last.octets.toString()).toContain(`Return-Path: <${address('bob')}>`);
});

test.each(['plain', 'login', 'scram-sha-256'])('logs in with %s', async (mechanism) => {
  await using folder = await home('submissions', `auth ${mechanism}`);
  const { code, stderr } = await run('msmtp', ['--debug', address('alice')], {
    home: folder.path,
    stdin: 'Subject: hello\n\nhello\n',
  });
  // Built without a SASL library, msmtp has no SCRAM: "support for authentication method scram-sha-256 is not compiled in".
  if (mechanism === 'scram-sha-256' && stderr.includes('not compiled in')) return;
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

test('takes the recipients from the message, and keeps Bcc to itself', async () => {
  await using folder = await home('submissions');
  await succeed('msmtp', ['--read-recipients'], {
    home: folder.path,
    stdin: `To: ${address('alice')}\nBcc: ${address('secret')}\nSubject: two recipients\n\nHello\n`,
  });
  const [copy] = await contents(stack, 'secret', 'INBOX');
  expect(copy!.octets.toString()).toContain('\r\nSubject: two recipients\r\n');
  expect(copy!.octets.toString()).not.toContain(address('secret'));
});

test('asks for notifications (RFC 3461)', async () => {
  await using folder = await home('submissions', 'dsn_notify failure,delay\ndsn_return headers');
  await succeed('msmtp', [address('alice')], { home: folder.path, stdin: 'Subject: DSN\n\nHello\n' });
  expect((await contents(stack, 'alice', 'INBOX')).at(-1)!.octets.toString()).toContain('Subject: DSN');
});

test('learns what the server can', async () => {
  await using folder = await home('submission');
  const { stdout } = await succeed('msmtp', ['--serverinfo'], { home: folder.path });
  expect(stdout).toMatch(/SIZE \d+/);
  expect(stdout).toContain('PIPELINING');
  expect(stdout).toContain('DSN');
  expect(stdout).toMatch(/AUTH:\s+Supported authentication methods:\s+PLAIN/);
});

test('is told of a wrong password, and of a certificate that it does not know', async () => {
  await using folder = await home('submissions', 'password wrong');
  const refused = await run('msmtp', [address('alice')], { home: folder.path, stdin: 'Subject: no\n\nno\n' });
  expect(refused.code).toBe(77); // EX_NOPERM
  expect(refused.stderr).toContain('535 5.7.8');
  const distrusts = await run('msmtp', ['--tls-trust-file=system', address('alice')], {
    home: folder.path,
    stdin: 'Subject: no\n\nno\n',
  });
  expect(distrusts.code).not.toBe(0);
  expect(distrusts.stderr).toContain('certificate');
});

test('nothing of this was a fault of the server', () => {
  expect(stack.logged).toEqual([]);
});
