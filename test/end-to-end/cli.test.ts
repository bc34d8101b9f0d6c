/** The commands, beside a running server and on its folder alone. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accounts } from '../../src/cli/accounts.ts';
import { check } from '../../src/cli/check.ts';
import { UsageError, type CliCommand, type Io } from '../../src/cli/command.ts';
import { readControl } from '../../src/cli/control.ts';
import { exportMail } from '../../src/cli/export.ts';
import { importMail } from '../../src/cli/import.ts';
import { Pop3Client, Pop3Error } from '../../src/cli/pop3-client.ts';
import { send } from '../../src/cli/send.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glassmail-cli-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(command: CliCommand, args: readonly string[], input = ''): Promise<Outcome> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input, 'latin1');
  const io = { stdin, stdout, stderr, environment: {} } as unknown as Io;
  const code = await command.run(args, io).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(`${error.message}\n`);
    return error.exitCode;
  });
  const text = (stream: PassThrough): string => String(stream.read() ?? '');
  return { code, out: text(stdout), err: text(stderr) };
}

async function rawMessages(stack: TestStack, user = 'alice'): Promise<string[]> {
  await using client = await Pop3Client.connect({
    host: '127.0.0.1',
    port: stack.port('pop3'),
    tls: 'none',
    timeoutMs: 10_000,
  });
  await client.login(user, 'glass');
  const messages: string[] = [];
  for (const number of (await client.uidl()).keys()) messages.push((await client.retrieve(number)).toString('latin1'));
  await client.quit();
  return messages;
}

describe('glassmail check', () => {
  it('finds all well, and leaves nothing behind', async () => {
    await using stack = await startTestStack();
    const { code, out } = await run(check, ['--data', stack.folder]);
    expect(out).toMatch(/All is well: 16 of 16\n$/);
    expect(code).toBe(0);
    expect(await rawMessages(stack)).toEqual([]);
    expect(stack.logged).toEqual([]);
  });

  it('says what is wrong and what to do about it', async () => {
    await using stack = await startTestStack('--pop3-port', 'off');
    const { code, out } = await run(check, ['--data', stack.folder, '--user', 'alice', '--password', 'wrong']);
    expect(code).toBe(1);
    expect(out).toMatch(/^FAILED .*IMAP under TLS[^]*check --user and --password/m);
    // It is this server that was checked: what it has seen of the other side is told, too.
    expect(out).toMatch(/^The server has seen:\n +imaps: .*\(D1[34]\)\n/m);
    expect(out).toMatch(/^ok .*SMTP without login/m);
    expect(out).toMatch(/^off .*POP3 with STLS/m);
    const untrusted = await run(check, [
      ...['--host', '127.0.0.1', '--user', 'alice', '--password', 'glass', '--imaps-port', `${stack.port('imaps')}`],
      ...['smtp', 'submission', 'submissions', 'imap', 'pop3', 'pop3s', 'http'].flatMap((one) => [
        `--${one}-port`,
        'off',
      ]),
    ]);
    expect(untrusted.out).toContain('The certificate is not trusted');
    expect(untrusted.code).toBe(1);
  });
});

describe('glassmail send', () => {
  it('composes', async () => {
    await using stack = await startTestStack();
    const attachment = join(folder, 'a.txt');
    await writeFile(attachment, 'attached');
    const { code, out } = await run(send, [
      ...['--data', stack.folder, '--to', 'alice', '--cc', 'Bob <bob@glass.localhost>', '--subject', 'Grüße'],
      ...['--text', 'hello', '--html', '<b>hello</b>', '--attach', attachment, '--header', 'X-Colour: red'],
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(/^accepted for alice@glass\.localhost, bob@glass\.localhost: 250/);
    const [message = ''] = await rawMessages(stack);
    for (const part of [
      'From: alice@glass.localhost',
      'Subject: =?UTF-8?',
      'X-Colour: red',
      'filename=a.txt',
      '<b>hello</b>',
    ]) {
      expect(message).toContain(part);
    }
    expect(await rawMessages(stack, 'bob')).toHaveLength(1);
  });

  it('sends a finished message as it is, without Bcc', async () => {
    await using stack = await startTestStack();
    const lines = [
      'From: a@b.test',
      'To: alice@glass.localhost',
      'Bcc: bob@glass.localhost,',
      ' c@glass.localhost',
      '',
      '.',
      'é',
    ];
    const { out } = await run(send, ['--data', stack.folder, '-'], `${lines.join('\n')}\n`);
    expect(out).toContain('bob@glass.localhost, c@glass.localhost');
    const [message = ''] = await rawMessages(stack, 'bob');
    expect(message.endsWith('\r\nFrom: a@b.test\r\nTo: alice@glass.localhost\r\n\r\n.\r\né\r\n')).toBe(true);
  });

  it('logs in under TLS, trusting the authority of the server that runs here', async () => {
    await using stack = await startTestStack();
    const login = ['--data', stack.folder, '--user', 'bob', '--password', 'glass', '--from', 'bob', '--to', 'alice'];
    for (const tls of ['starttls', 'implicit']) expect((await run(send, [...login, '--tls', tls])).code).toBe(0);
    const wrong = await run(send, [...login, '--tls', 'implicit', '--password', 'wrong']);
    expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/refused: 535/) as string });
    expect(await rawMessages(stack)).toHaveLength(2);
  });

  it('names what is wrong', async () => {
    const nowhere = ['--data', join(folder, 'nowhere')];
    expect((await run(send, nowhere)).err).toContain('--to alice');
    expect((await run(send, [...nowhere, '--too', 'alice'])).err).toContain('did you mean --to?');
    expect((await run(send, [...nowhere, '--to', 'a', '--port', '99999'])).err).toContain('--port 99999: a port is');
    expect((await run(send, [...nowhere, '--to', 'a', '--tls', 'on'])).err).toContain(
      'one of none, starttls, implicit',
    );
    expect((await run(send, [...nowhere, '--subject', 'x', '-'])).err).toContain('--subject is for composing');
    expect((await run(send, [...nowhere, '--to', 'a', '--header', 'x'])).err).toContain('write --header');
    const refused = await run(send, [...nowhere, '--to', 'a', '--host', '127.0.0.1', '--port', '1']);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringContaining('Nothing listens on 127.0.0.1 port 1') as string,
    });
  });
});

describe('glassmail accounts', () => {
  it('works beside a server and without', async () => {
    const data = join(folder, 'accounts');
    const at = ['--data', data];
    {
      await using stack = await startTestStack('--data', data);
      expect((await run(accounts, ['list', ...at])).out).toBe('alice@glass.localhost\nbob@glass.localhost\n');
      const added = await run(accounts, ['add', 'Carol', ...at, '--password-stdin'], 'glass\n');
      expect(added).toMatchObject({ code: 0, out: 'carol@glass.localhost is there\n' });
      expect(await rawMessages(stack, 'carol')).toEqual([]);
      await run(accounts, ['passwd', 'carol', ...at, '--password-stdin'], 'other\n');
      await expect(rawMessages(stack, 'carol')).rejects.toThrow(Pop3Error);
      expect((await stat(join(data, 'control.json'))).mode & 0o777).toBe(0o600);
    }
    expect(await readControl(data)).toBeUndefined();
    await run(accounts, ['passwd', 'carol', ...at, '--password-stdin'], 'glass\n');
    await run(accounts, ['add', 'dave', ...at, '--password-stdin'], 'glass\n');
    expect((await run(accounts, ['delete', 'bob', ...at])).err).toContain('Nothing was deleted');
    expect((await run(accounts, ['delete', 'bob', ...at, '--yes'])).code).toBe(0);
    expect((await run(accounts, ['list', ...at])).out).toBe(
      'alice@glass.localhost\ncarol@glass.localhost\ndave@glass.localhost\n',
    );
    await using stack = await startTestStack('--data', data);
    expect(await rawMessages(stack, 'carol')).toEqual([]);
    expect(await rawMessages(stack, 'dave')).toEqual([]);
  });

  it('shows and sets quotas, beside a server and without', async () => {
    const data = join(folder, 'quotas');
    const quota = async (...args: string[]) => run(accounts, ['quota', 'alice', ...args, '--data', data]);
    {
      await using stack = await startTestStack('--data', data, '--quota-messages', '7');
      const { id } = (await stack.store.findAccount('alice@glass.localhost'))!;
      const octets = Buffer.alloc(1536, 'x');
      const content = { size: octets.length, octets, file: undefined };
      await stack.store.appendMessages(id, 'INBOX', [{ content, flags: [], internalDate: new Date() }]);
      expect((await quota()).out).toBe('alice@glass.localhost  1 of 7 messages, 1.5 KB\n');
      expect((await quota('--storage', '1G', '--messages', '10000')).out).toBe(
        'alice@glass.localhost  1 of 10000 messages, 1.5 KB of 1 GB\n',
      );
      expect((await run(accounts, ['list', '--data', data])).out).toBe(
        'alice@glass.localhost  1 of 10000 messages, 1.5 KB of 1 GB\nbob@glass.localhost  0 of 7 messages, 0 KB\n',
      );
      expect((await quota('--messages', 'default', '--storage', 'none')).out).toContain('1 of 7 messages, 1.5 KB\n');
    }
    expect((await quota('--storage', '10M')).out).toBe('alice@glass.localhost  1 messages, 1.5 KB of 10 MB\n');
    expect((await run(accounts, ['list', '--data', data])).out).toBe(
      'alice@glass.localhost  1 messages, 1.5 KB of 10 MB\nbob@glass.localhost\n',
    );
    expect(await quota('--storage', 'much')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--storage much') as string,
    });
    expect((await quota('--messages', '1K')).err).toContain('--messages 1K');
    expect((await run(accounts, ['quota', 'nobody', '--data', data])).err).toContain('no account nobody@');
    expect((await run(accounts, ['add', 'x', '--storage', '1', '--data', data])).err).toContain('quota NAME');
  });

  it('names what is wrong', async () => {
    await using stack = await startTestStack();
    const at = ['--data', stack.folder];
    expect((await run(accounts, ['add', 'alice', ...at, '--password-stdin'], 'x')).err).toMatch(/already/);
    expect((await run(accounts, ['passwd', 'nobody', ...at, '--password-stdin'], 'x')).err).toMatch(
      /no account nobody@/,
    );
    expect((await run(accounts, ['add', 'x', ...at, '--password-stdin'], '')).err).toContain('The password is empty');
    expect((await run(accounts, ['add', 'x', ...at])).err).toContain('--password-stdin');
    expect((await run(accounts, ['add', ...at])).err).toContain('takes one name');
    expect((await run(accounts, ['frob', ...at])).err).toContain('one of list, add, passwd, quota, delete');
    expect((await run(accounts, ['list', '--data', join(folder, 'nowhere')])).err).toContain('There is no data folder');
    await writeFile(join(folder, 'control.json'), '{');
    expect((await run(accounts, ['list', '--data', folder])).err).toContain('control.json is damaged');
    // A server that was killed: its process is no more.
    await writeFile(
      join(folder, 'control.json'),
      JSON.stringify({ url: 'http://127.0.0.1:1', token: 'x', pid: 2 ** 22 + 1 }),
    );
    expect(await readControl(folder)).toBeUndefined();
    await rm(join(folder, 'control.json'));
  });
});

describe('glassmail import and export', () => {
  it('carry mail from account to account: mbox, .eml, IMAP; and again brings nothing twice', async () => {
    await using stack = await startTestStack();
    const at = ['--data', stack.folder];
    for (const subject of ['one', 'two']) {
      await run(send, [...at, '--to', 'alice', '--subject', subject, '--text', 'From here\n.\n>From there']);
    }
    const sent = await rawMessages(stack); // \Seen now
    const mbox = join(folder, 'backup');
    expect((await run(exportMail, [...at, '--account', 'alice', '--to', mbox])).out).toMatch(
      /^2 messages of \d mailboxes\n/,
    );
    const eml = join(folder, 'eml');
    const toEml = ['--account', 'alice', '--mailbox', 'inbox', '--format', 'eml', '--to', eml];
    expect((await run(exportMail, [...at, ...toEml])).out).toBe('2 messages of 1 mailbox\n');
    expect((await readFile(join(eml, '00000001.eml'))).toString('latin1')).toBe(sent[0]);
    expect((await run(exportMail, [...at, ...toEml])).err).toContain('nothing is overwritten');

    const into = (account: string, ...more: string[]): Promise<Outcome> =>
      run(importMail, [...at, '--account', account, ...more], 'glass\n');
    expect((await into('bob', mbox)).out).toBe('2 imported; 1 mailbox\n');
    expect(await rawMessages(stack, 'bob')).toEqual(sent);
    expect((await into('bob', eml)).out).toBe('0 imported, 2 were there already; 1 mailbox\n');
    expect((await into('bob', '--mailbox', 'Old/2020', eml)).out).toBe('2 imported; 1 mailbox\n');

    await run(accounts, ['add', 'carol', ...at, '--password-stdin'], 'glass');
    const imap = ['--password-stdin', '--ca', stack.authorityFile!, `imaps://bob@127.0.0.1:${stack.port('imaps')}`];
    expect((await into('carol', ...imap)).out).toBe('4 imported; 2 mailboxes\n');
    expect((await into('carol', ...imap)).out).toBe('0 imported, 4 were there already; 2 mailboxes\n');
    expect((await into('carol', '--from', 'INBOX', '--mailbox', 'Copy', ...imap)).out).toBe('2 imported; 1 mailbox\n');
    expect(await rawMessages(stack, 'carol')).toEqual(sent);
    const carol = (await stack.store.findAccount('carol@glass.localhost'))!;
    const alice = (await stack.store.findAccount('alice@glass.localhost'))!;
    const [copied, original] = await Promise.all(
      [carol, alice].map(async ({ id }) => stack.store.snapshot(id, (await stack.store.findMailbox(id, 'INBOX'))!.id)),
    );
    expect(stack.store.flagSet(copied!.flagSets[0]!)).toEqual(['\\Seen']);
    expect(copied!.internalDates.subarray(0, 2)).toEqual(original!.internalDates.subarray(0, 2));
    expect((await stack.store.findMailbox(carol.id, 'Old/2020'))?.messages).toBe(2);
    expect(stack.logged).toEqual([]);
  });

  it('name what is wrong', async () => {
    await using stack = await startTestStack('--max-message-size', '2000');
    const at = ['--data', stack.folder];
    expect((await run(importMail, [...at, folder])).err).toContain('--account is missing');
    expect((await run(importMail, [...at, '--account', 'alice'])).err).toContain('What is to be imported?');
    expect((await run(importMail, [...at, '--account', 'nobody', folder])).err).toMatch(/no account nobody@/);
    const plain = ['--account', 'alice', `imap://bob@127.0.0.1:${stack.port('imap')}`, '--password-stdin'];
    expect((await run(importMail, [...at, ...plain], 'glass')).err).toContain('--ca FILE');
    expect((await run(importMail, [...at, ...plain, '--insecure'], 'wrong')).err).toMatch(/password is wrong/);
    expect((await run(exportMail, [...at, '--account', 'alice'])).err).toContain('--to is missing');
    expect((await run(exportMail, [...at, '--account', 'alice', '--to', 'x', '--mailbox', 'No'])).err).toContain(
      'there are INBOX',
    );
    // One that is refused does not hold the others back.
    const file = join(folder, 'three.mbox');
    const message = (text: string): string => `From - Thu Jan  1 00:00:00 1970\nSubject: x\n\n${text}\n\n`;
    await writeFile(file, message('small') + message('large '.repeat(1000)) + message('another small'));
    const { code, out, err } = await run(importMail, [...at, '--account', 'alice', file]);
    expect(out).toBe('2 imported, 1 refused; 1 mailbox\n');
    expect(err).toContain(`${file}, message 2: `);
    expect(code).toBe(1);
  });
});
