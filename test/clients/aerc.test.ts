/** aerc: in a terminal (tmux), IMAP and SMTP as Go speaks them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, createMailbox, deposit, letter, mailboxes, subjectOf } from './mail.ts';
import { eventually, makeHome } from './program.ts';
import { openTerminal } from './terminal.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

/** @param scheme with `imap` it asks for STARTTLS, for both services */
async function openAerc(scheme: 'imap' | 'imaps', { password = 'glass', trusted = true } = {}) {
  const home = await makeHome();
  const folder = join(home.path, '.config', 'aerc');
  await mkdir(folder, { recursive: true });
  const login = `${encodeURIComponent(address('alice'))}:${password}`;
  const submission = scheme === 'imaps' ? 'submissions' : 'submission';
  await writeFile(
    join(folder, 'accounts.conf'),
    `[glass]
source = ${scheme}://${login}@localhost:${stack.port(scheme)}
outgoing = ${scheme === 'imaps' ? 'smtps' : 'smtp'}://${login}@localhost:${stack.port(submission)}
smtp-starttls = ${scheme === 'imap' ? 'yes' : 'no'}
from = Alice <${address('alice')}>
copy-to = Sent
cache-headers = true
`,
    { mode: 0o600 },
  );
  await writeFile(
    join(folder, 'aerc.conf'),
    `[general]
log-file = ~/aerc.log
log-level = warn
[ui]
reverse-msglist-order = true
dirlist-delay = 0s
completion-popovers = false
next-message-on-delete = false
[triggers]
new-email = exec true
[viewer]
pager = cat
[compose]
editor = touch
[filters]
text/plain = cat
`,
  );
  const terminal = await openTerminal('aerc', home.path, {
    XDG_RUNTIME_DIR: home.path,
    ...(trusted ? { SSL_CERT_FILE: stack.authorityFile! } : {}),
  });
  return {
    ...terminal,
    /** A command, as a user types it. */
    command: (text: string) => terminal.keys(`:${text}`, 'Enter'),
    /** What it found wrong. */
    log: () => readFile(join(home.path, 'aerc.log'), 'utf8'),
    async [Symbol.asyncDispose]() {
      await terminal[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

const flagsIn = async (mailbox: string) =>
  (await contents(stack, 'alice', mailbox)).map((message) => [subjectOf(message), message.flags]);

test.each(['imap', 'imaps'] as const)('%s: reads, flags, copies, moves and deletes', async (scheme) => {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await createMailbox(stack, 'alice', 'Büro');
  await using aerc = await openAerc(scheme);
  await aerc.shows(/dots[^]*eight bits[^]*parts/);
  await aerc.keys('Enter');
  await aerc.shows('...three');
  await aerc.command('close');
  await aerc.command('select 1');
  await aerc.keys('Enter');
  await aerc.shows('Grüße, 你好');
  await aerc.command('close');
  await aerc.command('flag');
  await aerc.command('select 3');
  await aerc.command('copy Büro');
  await aerc.shows(/copied/i);
  await aerc.command('select 4');
  await aerc.command('move Büro');
  await eventually(async () => (await contents(stack, 'alice', 'INBOX')).length === 5, 'the move');
  await aerc.command('select 2');
  await aerc.command('delete');
  await eventually(async () => (await contents(stack, 'alice', 'INBOX')).length === 4, 'the deletion');
  expect(await flagsIn('INBOX')).toEqual([
    ['dots', ['\\Seen']],
    ['eight bits', ['\\Flagged', '\\Seen']],
    ['a long line', []],
    ['parts', []],
  ]);
  expect((await contents(stack, 'alice', 'Büro')).map(({ text }) => text)).toEqual([
    AWKWARD['a long line']!.toString('latin1'),
    AWKWARD['From lines']!.toString('latin1'),
  ]);
  expect(await aerc.log()).toBe('');
});

test.each(['imap', 'imaps'] as const)('%s: sends and answers, and keeps copies', async (scheme) => {
  await deposit(stack, 'alice', 'INBOX', letter('a question'));
  await using aerc = await openAerc(scheme);
  await aerc.shows('a question');
  await aerc.command(`compose -H "To: ${address('bob')}" -H "Subject: Größe" Grüße`);
  await aerc.shows('Send this email');
  await aerc.keys('y');
  await eventually(async () => (await contents(stack, 'alice', 'Sent')).length === 1, 'the copy');
  const [message] = await contents(stack, 'bob', 'INBOX');
  expect(message!.text).toMatch(/^Subject: =\?utf-8\?q\?Gr=C3=B6=C3=9Fe\?=\r$/im);
  await aerc.shows('a question');
  await aerc.command('reply -q');
  await aerc.shows('Send this email');
  await aerc.keys('y');
  await eventually(async () => (await contents(stack, 'alice', 'Sent')).length === 2, 'the second copy');
  expect((await contents(stack, 'bob', 'INBOX'))[1]!.text).toContain('In-Reply-To: <a.question@glass.localhost>');
  await eventually(async () => (await flagsIn('INBOX'))[0]![1]!.includes('\\Answered'), 'the flag');
  expect(await aerc.log()).toBe('');
});

test('sees new mail, searches, lists mailboxes of every script and makes one', async () => {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await createMailbox(stack, 'alice', '日本語/書類');
  await using aerc = await openAerc('imaps');
  await aerc.shows(/dots[^]*parts/);
  await aerc.shows('日本語');
  await deposit(stack, 'alice', 'INBOX', letter('news'));
  await aerc.shows('news');
  await aerc.command('filter -b message in a message');
  await aerc.shows(/^(?![^]*dots)[^]*parts/);
  await aerc.command('mkdir Größe');
  await aerc.shows('(no messages)');
  expect(await mailboxes(stack, 'alice')).toContain('Größe');
  expect(await aerc.log()).toBe('');
});

test('is refused with a wrong password', async () => {
  await using aerc = await openAerc('imaps', { password: 'wrong' });
  await aerc.shows('The name or the password is wrong');
});

test('refuses a certificate that it does not know', async () => {
  await using aerc = await openAerc('imaps', { trusted: false });
  await aerc.shows('certificate');
});
