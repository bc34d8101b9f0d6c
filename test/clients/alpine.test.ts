/** alpine: in a terminal (tmux), the IMAP and SMTP of the University of Washington's c-client. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, createMailbox, deposit, letter, mailboxes, subjectOf } from './mail.ts';
import { makeHome } from './program.ts';
import { openTerminal } from './terminal.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

/** @param security for both services: `tls` is STARTTLS, `ssl` implicit */
async function openAlpine(security: 'tls' | 'ssl', trusted = true) {
  const home = await makeHome();
  const [imap, submission] =
    security === 'tls' ? (['imap', 'submission'] as const) : (['imaps', 'submissions'] as const);
  const options = `/${security}/user="${address('alice')}"`;
  const server = `{localhost:${stack.port(imap)}${options}}`;
  await writeFile(
    join(home.path, '.pinerc'),
    `user-domain=glass.localhost
customized-hdrs=From: Alice <${address('alice')}>
inbox-path=${server}INBOX
folder-collections=Mail ${server}[]
default-fcc=${server}Sent
smtp-server=localhost:${stack.port(submission)}${options}
${trusted ? `system-certs-file=${stack.authorityFile!}` : ''}
unknown-character-set=UTF-8
feature-list=enable-flag-cmd,enable-aggregate-command-set,expunge-without-confirm,quit-without-confirm,
  send-without-confirm,quell-user-lookup-in-passwd-file,disable-password-file-saving,mark-fcc-seen
initial-keystroke-list=i
sort-key=arrival
last-version-used=7.26
`,
  );
  const terminal = await openTerminal('alpine -nowrite_password_cache', home.path);
  return {
    ...terminal,
    async logIn(password = 'glass') {
      await terminal.shows('ENTER PASSWORD');
      await terminal.keys(password, 'Enter');
    },
    async [Symbol.asyncDispose]() {
      await terminal[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

test.each(['tls', 'ssl'] as const)('/%s: reads, flags, saves, deletes and answers', async (security) => {
  await createMailbox(stack, 'alice', 'Büro');
  await using alpine = await openAlpine(security);
  await alpine.logIn();
  await alpine.shows('opened with 6 messages');
  await alpine.keys('1', 'Enter', 'Enter');
  await alpine.shows('...three');
  await alpine.keys('<');
  await alpine.shows('MESSAGE INDEX');
  await alpine.keys('2', 'Enter', 'Enter');
  await alpine.shows('Grüße, 你好');
  await alpine.keys('<');
  await alpine.shows('MESSAGE INDEX');
  await alpine.keys('*');
  await alpine.shows('Flag New');
  await alpine.keys('*');
  await alpine.shows('Flagged message 2');
  await alpine.keys('3', 'Enter', 'd');
  await alpine.shows('Message 3 marked for deletion');
  // It takes names of other letters from its list alone.
  await alpine.keys('5', 'Enter', 's');
  await alpine.shows('SAVE Msg #5');
  await alpine.keys('C-t');
  await alpine.shows('Büro');
  await alpine.keys('w');
  await alpine.shows('Word to search for');
  await alpine.keys('Büro', 'Enter');
  await alpine.shows('Found');
  await alpine.keys('s');
  await alpine.shows('SAVE Msg #5');
  await alpine.keys('Enter');
  await alpine.shows(/D +5 Jul/);
  await alpine.keys('x');
  await alpine.shows('2 messages expunged');
  expect((await contents(stack, 'alice', 'Büro')).map(({ text }) => text)).toEqual([
    AWKWARD['From lines']!.toString('latin1'),
  ]);

  await alpine.keys('1', 'Enter', 'r');
  await alpine.shows('Include original message');
  await alpine.keys('n');
  await alpine.shows('Reply to all');
  await alpine.keys('n');
  await alpine.shows('COMPOSE MESSAGE REPLY');
  await alpine.keys('C-x');
  await alpine.logIn();
  // What it says of sending may be written over at once by what it says of the flag.
  await alpine.shows(/^ *A +1 Jul/m);
  expect((await contents(stack, 'bob', 'INBOX'))[0]!.text).toContain('In-Reply-To: <dots@glass.localhost>');
  expect((await contents(stack, 'alice', 'Sent')).map(({ flags }) => flags)).toEqual([['\\Seen']]);
  await alpine.keys('q');
  await alpine.ended();
  expect((await contents(stack, 'alice', 'INBOX')).map((message) => [subjectOf(message), message.flags])).toEqual([
    ['dots', ['\\Answered', '\\Seen']],
    ['eight bits', ['\\Flagged', '\\Seen']],
    ['a long line', []],
    ['parts', []],
  ]);
});

test('sees new mail, searches on the server, lists mailboxes of every script and makes one', async () => {
  await createMailbox(stack, 'alice', '日本語/書類');
  await using alpine = await openAlpine('ssl');
  await alpine.logIn();
  await alpine.shows('opened with 6 messages');
  await deposit(stack, 'alice', 'INBOX', letter('news'));
  await alpine.keys('C-l'); // looks for new mail
  await alpine.shows('New mail!');
  await alpine.keys('\\;'); // a bare one is tmux' own
  await alpine.shows('SELECT criteria');
  await alpine.keys('t');
  await alpine.shows('Select based on');
  await alpine.keys('a');
  await alpine.shows('String in message TEXT');
  await alpine.keys('message in a message', 'Enter');
  await alpine.shows(/^X +N? +6 .*parts/m);
  await alpine.keys('l');
  await alpine.shows('日本語');
  await alpine.keys('a');
  await alpine.shows('Folder name to add');
  await alpine.keys('Made here', 'Enter');
  await alpine.shows('Made here[');
  expect(await mailboxes(stack, 'alice')).toContain('Made here');
});

test('is refused with a wrong password', async () => {
  await using alpine = await openAlpine('ssl');
  await alpine.logIn('wrong');
  await alpine.shows('Retrying');
});

test('asks about a certificate that it does not know', async () => {
  await using alpine = await openAlpine('ssl', false);
  await alpine.shows('unable to get local issuer certificate');
});
