/** fetchmail: POP3 and IMAP, into a script that takes each message. */
import { chmod, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, createMailbox, deposit, letter, lf } from './mail.ts';
import { eventually, makeHome, run, succeed } from './program.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

type Service = 'pop3' | 'pop3s' | 'imap' | 'imaps';

/** A home with `.fetchmailrc`, and a script that puts each message into a file of the folder `mail`. */
async function makeFetchmailHome(service: Service, options: string) {
  const { protocol, server } = service.startsWith('pop3')
    ? { protocol: 'POP3', server: 'uidl' }
    : { protocol: 'IMAP', server: '' };
  const home = await makeHome();
  const path = home.path;
  await mkdir(join(path, 'mail'));
  await writeFile(join(path, 'take'), `#!/bin/sh\ncat >"$(mktemp "${path}/mail/XXXXXX")"\n`);
  await chmod(join(path, 'take'), 0o700);
  const tls = service.endsWith('s') ? 'ssl' : `sslproto "TLS1.2+"`; // the latter: by STARTTLS or STLS
  await writeFile(
    join(path, '.fetchmailrc'),
    `set no bouncemail
poll localhost protocol ${protocol} port ${stack.port(service)} ${server}
  user "${address('alice')}" password "glass" is root here
  ${tls} sslcertck sslcertfile "${stack.authorityFile!}"
  no rewrite nodropstatus
  mda "${path}/take"
  ${options}
`,
    { mode: 0o600 },
  );
  return Object.assign(home, {
    /** 0: fetched something; 1: nothing new. */
    fetch: async (...args: string[]) =>
      run('fetchmail', ['--invisible', '--nosyslog', '-v', ...args], {
        home: path,
        environment: { USER: 'root', LOGNAME: 'root' },
      }),
    /** What has been delivered so far, sorted. */
    delivered: async () => {
      const files = await readdir(join(path, 'mail'));
      return (await Promise.all(files.map((file) => readFile(join(path, 'mail', file), 'latin1')))).sort();
    },
  });
}

const expected = Object.values(AWKWARD)
  .map((message) => lf(message).toString('latin1'))
  .sort();

describe.each<[Service, string]>([
  ['pop3', 'STLS'],
  ['pop3s', 'TLS'],
  ['imap', 'STARTTLS'],
  ['imaps', 'TLS'],
])('%s with %s', (service) => {
  test('keeps the mail, and fetches it once', async () => {
    await using home = await makeFetchmailHome(service, 'keep');
    const first = await home.fetch();
    expect(first.code, first.stdout + first.stderr).toBe(0);
    expect(await home.delivered()).toEqual(expected);
    expect((await contents(stack, 'alice', 'INBOX')).length).toBe(6);
    const second = await home.fetch();
    expect(second.code, second.stdout).toBe(1);
    expect((await home.delivered()).length).toBe(6);
    await deposit(stack, 'alice', 'INBOX', letter('news'));
    expect((await home.fetch()).code).toBe(0);
    expect((await home.delivered()).length).toBe(7);
    expect((await contents(stack, 'alice', 'INBOX')).length).toBe(7);
  });

  test('takes the mail away', async () => {
    await using home = await makeFetchmailHome(service, 'no keep fetchall');
    expect((await home.fetch()).code).toBe(0);
    expect(await home.delivered()).toEqual(expected);
    expect(await contents(stack, 'alice', 'INBOX')).toEqual([]);
    expect((await home.fetch()).code).toBe(1);
  });

  test('a message that its script refuses stays', async () => {
    await using home = await makeFetchmailHome(service, 'no keep fetchall');
    await writeFile(join(home.path, 'take'), '#!/bin/sh\nexit 75\n');
    await home.fetch();
    expect((await contents(stack, 'alice', 'INBOX')).length).toBe(6);
  });

  test('a wrong password', async () => {
    await using home = await makeFetchmailHome(service, 'keep');
    const file = join(home.path, '.fetchmailrc');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"glass"', '"wrong"'));
    expect((await home.fetch()).code).toBe(3); // PS_AUTHFAIL
  });
});

test('IMAP: another mailbox, and the flag of what was fetched', async () => {
  await createMailbox(stack, 'alice', 'Büro/Ablage');
  await deposit(stack, 'alice', 'Büro/Ablage', letter('filed'));
  await using home = await makeFetchmailHome('imaps', 'keep folder "B&APw-ro/Ablage"');
  expect((await home.fetch()).code).toBe(0);
  expect((await home.delivered()).map((message) => message.includes('Subject: filed'))).toEqual([true]);
  expect((await contents(stack, 'alice', 'Büro/Ablage'))[0]!.flags).toEqual(['\\Seen']);
});

test('IMAP: a limit on the size leaves the larger ones', async () => {
  await using home = await makeFetchmailHome('imaps', 'keep limit 500');
  await home.fetch();
  const small = expected.filter((message) => message.replaceAll('\n', '\r\n').length <= 500);
  expect(await home.delivered()).toEqual(small);
});

test('IMAP: waits with IDLE and fetches what arrives', async () => {
  await using home = await makeFetchmailHome('imaps', 'no keep idle');
  const waiting = home.fetch('--timeout', '60');
  await eventually(async () => (await home.delivered()).length === 6);
  await deposit(stack, 'alice', 'INBOX', letter('arrives while it waits'));
  await eventually(async () => (await home.delivered()).length === 7);
  await succeed('fetchmail', ['--quit'], { home: home.path });
  await waiting;
});
