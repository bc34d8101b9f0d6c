/** mpop: POP3 with TLS and STLS into mbox and Maildir. */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, deposit, letter, lf } from './mail.ts';
import { makeHome, run, succeed } from './program.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

/** `settings` comes last, so it wins. */
async function configure(home: string, service: 'pop3' | 'pop3s', settings: string): Promise<void> {
  await writeFile(
    join(home, '.mpoprc'),
    `account default
host localhost
port ${stack.port(service)}
tls on
tls_starttls ${service === 'pop3' ? 'on' : 'off'}
tls_trust_file ${stack.authorityFile!}
user ${address('alice')}
password glass
received_header off
${settings}
`,
    { mode: 0o600 },
  );
}

test.each(['pop3', 'pop3s'] as const)('%s into an mbox file, and again without news', async (service) => {
  await using home = await makeHome();
  await configure(home.path, service, 'delivery mbox mbox\nkeep on');
  const first = await succeed('mpop', [], { home: home.path });
  expect(first.stdout).toContain('6 messages');
  const mbox = await readFile(join(home.path, 'mbox'), 'latin1');
  expect(mbox.match(/^From /gm)?.length).toBe(6);
  for (const [subject, message] of Object.entries(AWKWARD)) {
    const text = lf(message).toString('latin1');
    expect(mbox.includes(text.replace(/^(>*From )/gm, '>$1')), subject).toBe(true);
  }
  await succeed('mpop', [], { home: home.path });
  expect(await readFile(join(home.path, 'mbox'), 'latin1')).toBe(mbox);
  await deposit(stack, 'alice', 'INBOX', letter('news'));
  await succeed('mpop', [], { home: home.path });
  const longer = await readFile(join(home.path, 'mbox'), 'latin1');
  expect(longer.slice(0, mbox.length)).toBe(mbox);
  expect(longer.slice(mbox.length)).toContain('Subject: news');
  expect((await contents(stack, 'alice', 'INBOX')).length).toBe(7);
});

test('into a Maildir, octet for octet, deleting what was fetched', async () => {
  await using home = await makeHome();
  for (const folder of ['Mail', 'Mail/cur', 'Mail/new', 'Mail/tmp']) await mkdir(join(home.path, folder));
  await configure(home.path, 'pop3s', 'delivery maildir Mail\nkeep off\npipelining on');
  await succeed('mpop', [], { home: home.path });
  const files = await readdir(join(home.path, 'Mail/new'));
  const found = await Promise.all(files.map((file) => readFile(join(home.path, 'Mail/new', file), 'latin1')));
  expect(found.sort()).toEqual(
    Object.values(AWKWARD)
      .map((message) => lf(message).toString('latin1'))
      .sort(),
  );
  expect(await contents(stack, 'alice', 'INBOX')).toEqual([]);
});

test('skips what a filter on the header refuses', async () => {
  await using home = await makeHome();
  // The filter gets the header (TOP) and says what becomes of the message: 1 is skip.
  await configure(
    home.path,
    'pop3s',
    'delivery mbox mbox\nkeep on\nfilter if grep -q "Subject: dots"; then exit 1; fi',
  );
  await succeed('mpop', [], { home: home.path });
  const mbox = await readFile(join(home.path, 'mbox'), 'latin1');
  expect(mbox.match(/^Subject: /gm)?.length).toBe(6); // five letters, and the one inside another
  expect(mbox).not.toContain('Subject: dots');
});

test.each(['user', 'plain', 'login', 'scram-sha-256'])('logs in with %s', async (mechanism) => {
  await using home = await makeHome();
  await configure(home.path, 'pop3s', `delivery mbox mbox\nkeep on\nauth ${mechanism}`);
  const { code, stderr } = await run('mpop', [], { home: home.path });
  if (mechanism === 'scram-sha-256' && stderr.includes('not compiled in')) return;
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

test('learns what the server can, and is told of a wrong password', async () => {
  await using home = await makeHome();
  await configure(home.path, 'pop3', 'delivery mbox mbox');
  const { stdout } = await succeed('mpop', ['--serverinfo'], { home: home.path });
  for (const word of ['UIDL', 'TOP', 'PIPELINING']) expect(stdout).toContain(word);
  await configure(home.path, 'pop3s', 'delivery mbox mbox\npassword wrong');
  const refused = await run('mpop', [], { home: home.path });
  expect(refused.code).toBe(77); // EX_NOPERM
  expect((await contents(stack, 'alice', 'INBOX')).length).toBe(6);
});
