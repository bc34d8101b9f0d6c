/** getmail6: IMAP and POP3, in clear and with TLS, into a Maildir. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, createMailbox, deposit, letter, lf } from './mail.ts';
import { makeMaildir, readMaildir } from './maildir.ts';
import { giveAway, makeHome, run, succeed } from './program.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

const RETRIEVERS = {
  pop3: 'SimplePOP3Retriever',
  pop3s: 'SimplePOP3SSLRetriever',
  imap: 'SimpleIMAPRetriever',
  imaps: 'SimpleIMAPSSLRetriever',
} as const;

async function makeGetmailHome(
  service: keyof typeof RETRIEVERS,
  retriever: string,
  options: string,
  password = 'glass',
) {
  const home = await makeHome();
  await mkdir(join(home.path, '.getmail'), { mode: 0o700 });
  await makeMaildir(join(home.path, 'Mail'));
  await writeFile(
    join(home.path, '.getmail', 'getmailrc'),
    `[retriever]
type = ${RETRIEVERS[service]}
server = localhost
port = ${stack.port(service)}
username = ${address('alice')}
password = ${password}
${service.endsWith('s') ? `ca_certs = ~/ca.pem` : ''}
${retriever}

[destination]
type = Maildir
path = ~/Mail/

[options]
delivered_to = false
received = false
${options}
`,
    { mode: 0o600 },
  );
  await copyFile(stack.authorityFile!, join(home.path, 'ca.pem'));
  await giveAway(home.path);
  return Object.assign(home, {
    fetch: () => succeed('getmail', [], { home: home.path, neverRoot: true }),
    /** Sorted; without the two fields that getmail adds to each message. */
    delivered: async () =>
      (await readMaildir(join(home.path, 'Mail'))).map(({ octets }) =>
        octets
          .toString('latin1')
          .replace(/^Return-Path: .*\n/, '')
          .replace(/^X-getmail-retrieved-from-mailbox: .*\n/m, ''),
      ),
  });
}

const expected = Object.values(AWKWARD)
  .map((message) => lf(message).toString('latin1'))
  .sort();

describe.each(['pop3', 'pop3s', 'imap', 'imaps'] as const)('%s', (service) => {
  test('leaves the mail on the server, and fetches it once', async () => {
    await using home = await makeGetmailHome(service, '', 'read_all = false\ndelete = false');
    const first = await home.fetch();
    expect(first.stdout).toContain('6 messages');
    expect((await home.delivered()).sort()).toEqual(expected);
    const second = await home.fetch();
    expect(second.stdout).toMatch(/ 0 messages \(0 bytes\) retrieved, 6 skipped/);
    await deposit(stack, 'alice', 'INBOX', letter('news'));
    expect((await home.fetch()).stdout).toMatch(/ 1 messages \(\d+ bytes\) retrieved, 6 skipped/);
    expect((await home.delivered()).length).toBe(7);
    expect((await contents(stack, 'alice', 'INBOX')).length).toBe(7);
  });

  test('takes the mail away', async () => {
    await using home = await makeGetmailHome(service, '', 'read_all = true\ndelete = true');
    await home.fetch();
    expect((await home.delivered()).sort()).toEqual(expected);
    expect(await contents(stack, 'alice', 'INBOX')).toEqual([]);
  });

  test('a wrong password', async () => {
    await using home = await makeGetmailHome(service, '', '', 'wrong');
    const { stdout, stderr } = await run('getmail', [], { home: home.path, neverRoot: true });
    expect(stdout + stderr).toMatch(/credential|login|auth/i);
    expect(await home.delivered()).toEqual([]);
  });
});

test('IMAP: all mailboxes, with names in every script, marked as read', async () => {
  for (const name of ['Büro', '日本語/書類']) {
    await createMailbox(stack, 'alice', name);
    await deposit(stack, 'alice', name, letter(`in ${name.codePointAt(0)}`));
  }
  await using home = await makeGetmailHome('imaps', 'mailboxes = ALL\nuse_peek = false', 'delete_after = 30');
  expect((await home.fetch()).stdout).toContain('8 messages');
  for (const name of ['Büro', '日本語/書類', 'INBOX'])
    for (const { flags } of await contents(stack, 'alice', name)) expect(flags).toContain('\\Seen');
});

test('IMAP: what is deleted goes to the trash', async () => {
  await createMailbox(stack, 'alice', 'Gone');
  await using home = await makeGetmailHome('imaps', 'move_on_delete = Gone', 'delete = true');
  await home.fetch();
  expect(await contents(stack, 'alice', 'INBOX')).toEqual([]);
  expect((await contents(stack, 'alice', 'Gone')).map(({ octets }) => lf(octets).toString('latin1')).sort()).toEqual(
    expected,
  );
});
