/**
 * The texts of the page that connects a mail program, each used by the program that it is for: saved where it says, run as it
 * says, with the certificate fetched as it says.
 */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConnectSettings, TextConfiguration } from '../../src/http/schemas/connect.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { address, contents, deposit, letter, subjectOf } from './mail.ts';
import { readMaildir } from './maildir.ts';
import { eventually, giveAway, makeHome, type Outcome, succeed } from './program.ts';
import { openTerminal } from './terminal.ts';

const ALICE = address('alice');

/** Under `starttls` the ports that begin with TLS are closed, so that the texts lead to the others. */
const SECURITIES = { tls: [], starttls: ['imaps', 'pop3s', 'submissions'] } as const;
type Security = keyof typeof SECURITIES;

let stack: TestStack;
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

interface Prepared extends AsyncDisposable {
  readonly path: string;
  readonly configuration: TextConfiguration;
  /** Runs what the page says, as a user does. */
  run(options?: { stdin?: string; neverRoot?: boolean; command?: string }): Promise<Outcome>;
}

async function open(security: Security): Promise<void> {
  stack = await startTestStack(...SECURITIES[security].flatMap((service) => [`--${service}-port`, 'off']));
  await deposit(stack, 'alice', 'INBOX', letter('waiting'));
}

/** A home with the program's files in it, and the authority's certificate. */
async function prepare(program: string): Promise<Prepared> {
  const origin = `http://localhost:${stack.port('http')}`;
  const settings = (await (await fetch(`${origin}/api/glass/connect?account=alice`)).json()) as ConnectSettings;
  const configuration = settings.configurations.find((each) => each.program === program)!;
  const home = await makeHome();
  for (const { name, text } of configuration.files) {
    const file = join(home.path, name.replace(/^~\//, ''));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode: 0o600 });
  }
  const shell = (command: string) => ['-c', command];
  await succeed('sh', shell(configuration.authority!), { home: home.path });
  expect(await readFile(join(home.path, 'glassmail-ca.pem'), 'utf8')).toBe(
    await readFile(stack.authorityFile!, 'utf8'),
  );
  return {
    path: home.path,
    configuration,
    async run({ command = configuration.run!, ...options } = {}) {
      if (options.neverRoot === true) await giveAway(home.path);
      return succeed('sh', shell(command), {
        home: home.path,
        ...options,
        environment: { USER: 'alice', LOGNAME: 'alice' },
      });
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

const subjects = async (account: string, mailbox: string): Promise<(string | undefined)[]> =>
  (await contents(stack, account, mailbox)).map(subjectOf);

/** Every login was made, and under TLS. */
function expectSecret(): void {
  const logins = stack.recorder.list().filter(({ login }) => login !== undefined);
  expect(logins.length).toBeGreaterThan(0);
  for (const { service, tls } of logins) expect([service, tls === undefined]).toEqual([service, false]);
}

describe.each(['tls', 'starttls'] as const)('with %s', (security) => {
  beforeEach(() => open(security));

  test.each(['mutt', 'neomutt'])('%s reads and sends', async (program) => {
    await using home = await prepare(program);
    await mkdir(join(home.path, 'Mail')); // without it mutt stops at a question
    {
      await using terminal = await openTerminal(home.configuration.run!, home.path);
      await terminal.shows('waiting');
    }
    await home.run({ command: `echo Hello | ${home.configuration.run!} -s sent -- ${address('bob')}` });
    expect(await subjects('bob', 'INBOX')).toEqual(['sent']);
    // NeoMutt keeps copies of what was written on its screen only.
    if (program === 'mutt') expect(await subjects('alice', 'Sent')).toEqual(['sent']);
    expectSecret();
  });

  test('aerc reads, sends, and keeps a copy', async () => {
    await using home = await prepare('aerc');
    await cp(join(import.meta.dirname, 'aerc.conf'), join(home.path, '.config', 'aerc', 'aerc.conf'));
    await using terminal = await openTerminal(home.configuration.run!, home.path, { XDG_RUNTIME_DIR: home.path });
    await terminal.shows('waiting');
    await terminal.keys(`:compose -H "To: ${address('bob')}" -H "Subject: sent" Hello`, 'Enter');
    await terminal.shows('Send this email');
    await terminal.keys('y');
    await eventually(async () => (await subjects('alice', 'Sent')).length === 1, 'the copy');
    expect(await subjects('bob', 'INBOX')).toEqual(['sent']);
    expectSecret();
  });

  test('mbsync copies the mailboxes', async () => {
    await using home = await prepare('mbsync');
    await home.run();
    expect((await readMaildir(join(home.path, 'Mail', 'INBOX'))).length).toBe(1);
    expectSecret();
  });

  test('msmtp sends', async () => {
    await using home = await prepare('msmtp');
    await home.run();
    expect(await subjects('alice', 'INBOX')).toEqual(['waiting', 'Hello']);
    expectSecret();
  });

  test('fetchmail fetches, and leaves what is on the server', async () => {
    await using home = await prepare('fetchmail');
    await home.run();
    expect(await readFile(join(home.path, 'fetched.txt'), 'utf8')).toContain('Subject: waiting');
    expect(await subjects('alice', 'INBOX')).toEqual(['waiting']);
    expectSecret();
  });

  test('mpop fetches, and leaves what is on the server', async () => {
    await using home = await prepare('mpop');
    await home.run();
    expect(await readFile(join(home.path, 'fetched.mbox'), 'utf8')).toContain('Subject: waiting');
    expect(await subjects('alice', 'INBOX')).toEqual(['waiting']);
    expectSecret();
  });

  test('curl sends, lists and reads', async () => {
    await using home = await prepare('curl');
    const { stdout } = await home.run();
    expect(stdout).toContain('* LIST ');
    expect(stdout.match(/Subject: waiting/g)?.length).toBe(2);
    expect(await subjects('alice', 'INBOX')).toEqual(['waiting', 'Hello']);
    expectSecret();
  });

  test('openssl s_client speaks by hand', async () => {
    await using home = await prepare('openssl');
    const typed = home.configuration.files[0]!.text;
    const { stdout } = await home.run({ stdin: typed });
    for (const tag of ['a1', 'a2', 'a3']) expect(stdout).toMatch(new RegExp(`^${tag} OK`, 'm'));
    expect(stdout).toContain('* 1 EXISTS');
  });

  test('swaks sends', async () => {
    await using home = await prepare('swaks');
    const { stdout } = await home.run();
    expect(stdout).toMatch(/235 2\.7\.0/);
    expect((await contents(stack, 'alice', 'INBOX')).length).toBe(2);
    expectSecret();
  });

  test.each(['nodemailer', 'imapflow'])('%s, as lines of code', async (program) => {
    await using home = await prepare(program);
    const project = join(import.meta.dirname, '../..');
    await symlink(join(project, 'node_modules'), join(home.path, 'node_modules'));
    const command = home.configuration.run!.replace(/\bnode /, `${process.execPath} `);
    const { stdout } = await home.run({ command });
    if (program === 'imapflow') expect(stdout).toContain('Subject: waiting');
    else expect(await subjects('alice', 'INBOX')).toEqual(['waiting', 'Hello']);
    expectSecret();
  });

  test('Python, as lines of code', async () => {
    await using home = await prepare('python');
    const { stdout } = await home.run();
    expect(stdout.match(/Subject: waiting/g)?.length).toBe(2);
    expect(await subjects('alice', 'INBOX')).toEqual(['waiting', 'Hello']);
    expectSecret();
  });
});

test('getmail fetches, and leaves what is on the server', async () => {
  await open('tls');
  await using home = await prepare('getmail');
  await home.run({ neverRoot: true });
  expect((await readMaildir(join(home.path, 'Mail'))).length).toBe(1);
  expect(await subjects('alice', 'INBOX')).toEqual(['waiting']);
  expectSecret();
});

test('PHP, Java and the frameworks are told ports that are there', async () => {
  await open('tls');
  const origin = `http://localhost:${stack.port('http')}`;
  const settings = (await (await fetch(`${origin}/api/glass/connect?account=${ALICE}`)).json()) as ConnectSettings;
  const ports = (['smtp', 'submissions', 'imaps'] as const).map((service) => String(stack.port(service)));
  for (const program of ['php', 'java', 'spring', 'django', 'rails', 'laravel', 'himalaya']) {
    const { files } = settings.configurations.find((each) => each.program === program)!;
    expect([program, ports.some((port) => files[0]!.text.includes(port))]).toEqual([program, true]);
  }
});
