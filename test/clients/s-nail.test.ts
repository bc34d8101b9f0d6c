/** s-nail: sends with SMTP, reads IMAP and POP3 mailboxes in batch mode. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, createMailbox, deposit, subjectOf } from './mail.ts';
import { makeHome, run, succeed } from './program.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

const login = encodeURIComponent(address('alice'));

async function makeNailHome(settings = '') {
  const home = await makeHome();
  await writeFile(
    join(home.path, '.mailrc'),
    `set v15-compat tls-verify=strict tls-ca-file=${stack.authorityFile!} tls-ca-no-defaults
set sendwait quiet from=${address('alice')} ${settings}
`,
    { mode: 0o600 },
  );
  const options = { home: home.path, environment: { MAILRC: join(home.path, '.mailrc'), USER: 'alice' } };
  return Object.assign(home, {
    /** Runs commands in a mailbox. */
    read: (url: string, ...commands: string[]) =>
      succeed('s-nail', ['-n', '-R', '-N', '-#', '-f', url], {
        ...options,
        stdin: [...commands, 'exit', ''].join('\n'),
      }),
    change: (url: string, ...commands: string[]) =>
      succeed('s-nail', ['-n', '-#', '-f', url], { ...options, stdin: [...commands, 'quit', ''].join('\n') }),
    send: (text: string, ...args: string[]) => succeed('s-nail', ['-n', ...args], { ...options, stdin: text }),
    trySend: (text: string, ...args: string[]) => run('s-nail', ['-n', ...args], { ...options, stdin: text }),
  });
}

describe.each<['submission' | 'submissions', string, string]>([
  ['submission', 'submission', 'plain'],
  ['submissions', 'smtps', 'plain'],
  ['submissions', 'smtps', 'login'],
])('sends over %s', (service, scheme, mechanism) => {
  test(`with AUTH ${mechanism}`, async () => {
    const mta = `${scheme}://${login}:glass@localhost:${stack.port(service)}`;
    await using home = await makeNailHome(
      `mta=${mta} smtp-auth=${mechanism} ${service === 'submission' ? 'smtp-use-starttls' : ''}`,
    );
    await writeFile(join(home.path, 'bytes.bin'), Buffer.from([0, 1, 2, 255]));
    await home.send('.\n..\nGrüße\n', '-s', 'Größe', '-a', join(home.path, 'bytes.bin'), address('bob'));
    const [message] = await contents(stack, 'bob', 'INBOX');
    const text = message!.octets.toString();
    expect(text).toContain(`Return-Path: <${address('alice')}>`);
    expect(text).toMatch(/^Subject: =\?utf-8\?[QB]\?/im);
    expect(text).toContain('AAEC/w==');
  });
});

test('is refused with a wrong password', async () => {
  await using home = await makeNailHome(`mta=smtps://${login}:wrong@localhost:${stack.port('submissions')}`);
  const { code, stderr } = await home.trySend('hello\n', '-s', 'no', address('bob'));
  expect(code).not.toBe(0);
  expect(stderr).toContain('535');
  expect(await contents(stack, 'bob', 'INBOX')).toEqual([]);
});

describe.each(['imap', 'imaps', 'pop3', 'pop3s'] as const)('reads %s', (service) => {
  const url = () =>
    `${service}://${login}:glass@localhost:${stack.port(service)}${service.startsWith('imap') ? '/INBOX' : ''}`;
  const security = { imap: 'imap-use-starttls', imaps: '', pop3: 'pop3-use-starttls', pop3s: '' }[service];

  beforeEach(async () => {
    for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  });

  test('the list, and each message', async () => {
    await using home = await makeNailHome(security);
    const list = await home.read(url(), 'from *');
    for (const subject of Object.keys(AWKWARD)) expect(list.stdout).toContain(subject);
    const { stdout } = await home.read(url(), 'Show 1', 'type 2');
    expect(stdout).toContain('\n.\n..\n...three\n.\n\n.last\n');
    expect(stdout).toContain('Grüße, 你好, \u{1F40C}');
    await home.read(url(), `copy * ${home.path}/mbox`);
    const raw = await home.read(`${home.path}/mbox`, 'from *');
    expect(raw.stdout).toContain('dots');
  });

  test('deletes', async () => {
    await using home = await makeNailHome(security);
    await home.change(url(), 'delete 1 3');
    const left = await contents(stack, 'alice', 'INBOX');
    expect(left.map(subjectOf)).toEqual(['eight bits', 'a long line', 'From lines', 'parts']);
  });
});

test('IMAP: searches, flags, and files into another mailbox', async () => {
  await createMailbox(stack, 'alice', 'Filed');
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await using home = await makeNailHome();
  const url = `imaps://${login}:glass@localhost:${stack.port('imaps')}`;
  await home.change(`${url}/INBOX`, 'flag 2', 'seen 4', `move 1 ${url}/Filed`);
  // It uploads a copy of its own making, with one more line end.
  const [filed] = await contents(stack, 'alice', 'Filed');
  expect(filed!.text.trimEnd()).toBe(AWKWARD.dots!.toString().trimEnd());
  const left = await contents(stack, 'alice', 'INBOX');
  expect(left.length).toBe(5);
  expect(left[0]!.flags).toContain('\\Flagged');
  expect(left[2]!.flags).toContain('\\Seen');
});

test('IMAP: keeps a copy of what it sends', async () => {
  const imap = `imaps://${login}:glass@localhost:${stack.port('imaps')}/Sent`;
  const mta = `smtps://${login}:glass@localhost:${stack.port('submissions')}`;
  await using home = await makeNailHome(`mta=${mta} record=${imap}`);
  await home.send('The text.\n', '-s', 'with a copy', address('bob'));
  const [copy] = await contents(stack, 'alice', 'Sent');
  expect(copy!.octets.toString()).toContain('Subject: with a copy');
});
