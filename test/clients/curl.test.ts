/** curl: SMTP, IMAP, POP3 and HTTP, in clear, with STARTTLS and with TLS. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Service } from '../../src/config.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, createMailbox, deposit, letter } from './mail.ts';
import { makeHome, run, succeed } from './program.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

/** Debian's curl is built without SCRAM; others have it. */
const SCRAM = (await succeed('curl', ['--version'])).stdout.includes('gsasl') ? ['SCRAM-SHA-256'] : [];

/** How each service is addressed; STARTTLS is asked for with `--ssl-reqd`. */
const SCHEMES: Readonly<Partial<Record<Service, string>>> = {
  smtp: 'smtp',
  submission: 'smtp',
  submissions: 'smtps',
  imap: 'imap',
  imaps: 'imaps',
  pop3: 'pop3',
  pop3s: 'pop3s',
  http: 'http',
  https: 'https',
};

const url = (service: Service, path = ''): string => `${SCHEMES[service]}://localhost:${stack.port(service)}/${path}`;

/** Each run is logged in as this account. */
function curl(account: string, ...args: readonly string[]) {
  return succeed('curl', [
    '--silent',
    '--show-error',
    '--verbose',
    '--cacert',
    stack.authorityFile!,
    '--user',
    `${address(account)}:glass`,
    ...args,
  ]);
}

describe('SMTP', () => {
  const send = async (service: Service, file: string, ...args: string[]) =>
    curl('bob', url(service), '--mail-from', address('bob'), '--mail-rcpt', address('alice'), '-T', file, ...args);

  test.each<[string, Service, string[]]>([
    ['in clear', 'smtp', []],
    ['with STARTTLS', 'submission', ['--ssl-reqd']],
    ['with TLS', 'submissions', []],
    ['with AUTH PLAIN', 'submissions', ['--login-options', 'AUTH=PLAIN']],
    ['with AUTH LOGIN', 'submissions', ['--login-options', 'AUTH=LOGIN']],
    ...SCRAM.map((name): [string, Service, string[]] => [
      `with AUTH ${name}`,
      'submissions',
      ['--login-options', `AUTH=${name}`],
    ]),
  ])('hands a message in %s', async (how, service, args) => {
    await using home = await makeHome();
    const file = join(home.path, 'message');
    const message = letter(`curl sends ${how}`, '.dot\n..\n.\nend\n');
    await writeFile(file, message);
    const { stderr } = await send(service, file, ...args);
    expect(stderr).toMatch(/< 250 2\.0\.0 Ok: queued as \w{22}/);
    expect(stderr).toMatch(/< 235 2\.7\.0/);
    if (args[1]?.startsWith('AUTH=')) expect(stderr).toContain(`> AUTH ${args[1].slice(5)}`);
    const [last] = (await contents(stack, 'alice', 'INBOX')).slice(-1);
    expect(last!.text.slice(-message.length)).toBe(message.toString('latin1'));
  });

  test('names several recipients, and says who was refused', async () => {
    await using home = await makeHome();
    const file = join(home.path, 'message');
    await writeFile(file, letter('to two'));
    const { stderr } = await send(
      'submissions',
      file,
      '--mail-rcpt',
      address('bob'),
      '--mail-rcpt',
      'no good@',
      '--mail-rcpt-allowfails',
    );
    expect(stderr).toMatch(/< 50[13] 5\.1\.3/);
    const [last] = (await contents(stack, 'bob', 'INBOX')).slice(-1);
    expect(last!.octets.toString()).toContain('Subject: to two');
  });

  test('VRFY and HELP are answered', async () => {
    const verify = await run('curl', ['-v', '--silent', '--mail-rcpt', 'alice', url('smtp')]);
    expect(verify.stderr).toMatch(/< 252 /);
    const help = await run('curl', ['-v', '--silent', '-X', 'HELP', url('smtp')]);
    expect(help.stderr).toMatch(/< 214 /);
  });
});

describe.each<[Service, string[]]>([
  ['imap', []],
  ['imap', ['--ssl-reqd']],
  ['imaps', []],
])('IMAP on %s %s', (service, security) => {
  const imap = (path: string, ...args: string[]) => curl('alice', url(service, path), ...security, ...args);
  const mailbox = `curl ${service}${security.join('')}`;
  const path = encodeURIComponent(mailbox);

  beforeAll(async () => {
    await createMailbox(stack, 'alice', mailbox);
    for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', mailbox, message);
  });

  test('LIST', async () => {
    const { stdout } = await imap('');
    expect(stdout).toMatch(/^\* LIST \([^)]*\) "\/" "?INBOX"?\r$/m);
    expect(stdout).toContain(`"/" "${mailbox}"\r\n`);
  });

  test('each message by its UID, octet for octet', async () => {
    await using home = await makeHome();
    const file = join(home.path, 'message');
    let uid = 1;
    for (const [subject, message] of Object.entries(AWKWARD)) {
      await imap(`${path};UID=${uid++}`, '-o', file);
      expect((await readFile(file)).equals(message), subject).toBe(true);
    }
  });

  test('by sequence number, and one section', async () => {
    const text = await imap(`${path};MAILINDEX=6;SECTION=1`);
    expect(text.stdout).toBe('The text.');
    const header = await imap(`${path};MAILINDEX=1;SECTION=HEADER.FIELDS (SUBJECT)`.replaceAll(' ', '%20'));
    expect(header.stdout).toContain('Subject: dots\r\n');
  });

  test('SEARCH', async () => {
    expect((await imap(`${path}?SUBJECT%20dots`)).stdout).toBe('* SEARCH 1\r\n');
    expect((await imap(`${path}?ALL`)).stdout).toBe('* SEARCH 1 2 3 4 5 6\r\n');
    expect((await imap(path, '-X', 'UID SEARCH TEXT "message in a message"')).stdout).toBe('* SEARCH 6\r\n');
    expect((await imap(`${path}?SUBJECT%20nothing`)).stdout).toMatch(/^\* SEARCH ?\r\n$/);
  });

  test('APPEND by upload, then deletes by STORE and EXPUNGE', async () => {
    await using home = await makeHome();
    const file = join(home.path, 'message');
    await writeFile(file, AWKWARD['eight bits']!);
    await imap(path, '-T', file);
    const after = await contents(stack, 'alice', mailbox);
    expect(after.length).toBe(7);
    expect(after[6]!.octets.equals(AWKWARD['eight bits']!)).toBe(true);
    expect(after[6]!.flags).toEqual(['\\Seen']);
    const { stdout } = await imap(path, '-X', 'UID STORE 7 +FLAGS.SILENT (\\Deleted)');
    expect(stdout).toBe('');
    expect((await imap(path, '-X', 'EXPUNGE')).stdout).toContain('* 7 EXPUNGE\r\n');
    expect((await contents(stack, 'alice', mailbox)).length).toBe(6);
  });

  test('a mailbox and a message that are not there', async () => {
    const nowhere = await run('curl', [
      '--silent',
      '-k',
      '-u',
      `${address('alice')}:glass`,
      url(service, 'Nowhere;UID=1'),
    ]);
    expect(nowhere.code).not.toBe(0);
    const nothing = await run('curl', [
      '--silent',
      '-k',
      '-u',
      `${address('alice')}:glass`,
      url(service, `${path};UID=99`),
    ]);
    expect(nothing.code).toBe(78); // "the resource referenced does not exist"
  });

  test.each(['PLAIN', 'LOGIN', ...SCRAM])('login by AUTH=%s', async (mechanism) => {
    const { stderr } = await imap('', '--login-options', `AUTH=${mechanism}`);
    expect(stderr).toMatch(new RegExp(`> \\w+ AUTHENTICATE ${mechanism}`));
  });

  test('a wrong password is refused', async () => {
    const { code } = await run('curl', [
      '--silent',
      '-k',
      '-u',
      `${address('alice')}:wrong`,
      url(service),
      ...security,
    ]);
    expect(code).toBe(67); // "login denied"
  });
});

describe.each<[Service, string[]]>([
  ['pop3', []],
  ['pop3', ['--ssl-reqd']],
  ['pop3s', []],
])('POP3 on %s %s', (service, security) => {
  const pop3 = (path: string, ...args: string[]) => curl('carol', url(service, path), ...security, ...args);

  beforeAll(async () => {
    if (await stack.store.findAccount(address('carol'))) return;
    // The first message makes the account.
    await succeed(
      'curl',
      ['--silent', url('smtp'), '--mail-from', 'a@b.test', '--mail-rcpt', address('carol'), '-T', '-'],
      {
        stdin: letter('for carol').toString(),
      },
    );
    for (const message of Object.values(AWKWARD)) await deposit(stack, 'carol', 'INBOX', message);
  });

  test('LIST and UIDL', async () => {
    const sizes = (await contents(stack, 'carol', 'INBOX')).map(({ octets }, index) => `${index + 1} ${octets.length}`);
    expect((await pop3('')).stdout.split('\r\n')).toEqual([...sizes, '']);
    const uidl = (await pop3('', '-X', 'UIDL')).stdout.trim().split('\r\n');
    expect(uidl.length).toBe(7);
    expect(new Set(uidl.map((line) => line.split(' ')[1])).size).toBe(7);
    expect((await pop3('', '-X', 'UIDL')).stdout.trim().split('\r\n')).toEqual(uidl);
  });

  test('RETR, octet for octet', async () => {
    await using home = await makeHome();
    const file = join(home.path, 'message');
    let number = 2;
    for (const [subject, message] of Object.entries(AWKWARD)) {
      await pop3(`${number++}`, '-o', file);
      expect((await readFile(file)).toString('latin1'), subject).toBe(message.toString('latin1'));
    }
  });

  test('TOP', async () => {
    const { stdout } = await pop3('', '-X', 'TOP 2 3');
    expect(stdout).toBe(letter('dots', '.\n..\n...three\n').toString());
    expect((await pop3('', '-X', 'TOP 2 0')).stdout).toBe(letter('dots', '').toString());
  });

  test.each(['PLAIN', 'LOGIN', ...SCRAM])('login by AUTH=%s', async (mechanism) => {
    const { stderr } = await pop3('', '--login-options', `AUTH=${mechanism}`);
    expect(stderr).toContain(`> AUTH ${mechanism}`);
  });

  test('DELE', async () => {
    const before = (await contents(stack, 'carol', 'INBOX')).length;
    const uid = await deposit(stack, 'carol', 'INBOX', letter('to be deleted'));
    await pop3('', '-X', `DELE ${before + 1}`, '--head');
    const after = await contents(stack, 'carol', 'INBOX');
    expect(after.map((message) => message.uid)).not.toContain(uid);
    expect(after.length).toBe(before);
  });
});

describe('HTTP', () => {
  test.each<Service>(['http', 'https'])('the API on %s: list and raw', async (service) => {
    await using home = await makeHome();
    await writeFile(join(home.path, 'message'), AWKWARD.dots!);
    await curl(
      'bob',
      url('smtp'),
      '--mail-from',
      'a@b.test',
      '--mail-rcpt',
      address('alice'),
      '-T',
      join(home.path, 'message'),
    );
    const { stdout } = await curl('alice', '--fail', url(service, 'api/v1/messages?limit=1'));
    const [message] = (JSON.parse(stdout) as { messages: { ID: string; Subject: string }[] }).messages;
    expect(message!.Subject).toBe('dots');
    await curl('alice', '--fail', url(service, `api/v1/message/${message!.ID}/raw`), '-o', join(home.path, 'raw'));
    const raw = await readFile(join(home.path, 'raw'), 'latin1');
    expect(raw.slice(-AWKWARD.dots!.length)).toBe(AWKWARD.dots!.toString());
    expect((await contents(stack, 'alice', 'INBOX')).at(-1)!.text).toBe(raw);
  });

  test.each<Service>(['submissions', 'imaps', 'pop3s'])('on the %s port gets a hint', async (service) => {
    const { stdout } = await succeed('curl', ['--silent', '--include', `http://localhost:${stack.port(service)}/`]);
    expect(stdout).toMatch(/^HTTP\/1\.1 400 /);
    expect(stdout).toContain(`http://localhost:${stack.port('http')}/`);
  });

  test.each<Service>(['smtp', 'submission', 'imap', 'pop3'])(
    'on the %s port gets a hint after the greeting',
    async (service) => {
      const { stdout } = await succeed('curl', ['--silent', '--http0.9', `http://localhost:${stack.port(service)}/`]);
      expect(stdout).toContain('\r\nHTTP/1.1 400 ');
      expect(stdout).toContain(`http://localhost:${stack.port('http')}/`);
    },
  );
});

test('nothing of this was a fault of the server', () => {
  expect(stack.logged).toEqual([]);
});
