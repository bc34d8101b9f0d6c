/** mutt: in a terminal (tmux) over IMAP and POP3, and in batch mode over SMTP. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, createMailbox, deposit, letter, lf, mailboxes, subjectOf } from './mail.ts';
import { eventually, makeHome, succeed } from './program.ts';
import { openTerminal } from './terminal.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

async function makeMuttHome(settings = '') {
  const home = await makeHome();
  await mkdir(join(home.path, 'Mail')); // without it mutt stops at a question
  const imaps = `imaps://localhost:${stack.port('imaps')}/`;
  await writeFile(
    join(home.path, '.muttrc'),
    `set folder="${imaps}" spoolfile="+INBOX" record="+Sent" postponed="+Drafts"
set imap_user="${address('alice')}" imap_pass=glass smtp_pass=glass
set smtp_url="smtps://${encodeURIComponent(address('alice'))}@localhost:${stack.port('submissions')}/"
set ssl_ca_certificates_file="${stack.authorityFile!}" certificate_file=~/certificates
set from="${address('alice')}" realname="Alice" use_domain=no
set header_cache="" edit_headers=no editor="touch" confirmappend=no confirmcreate=no delete=yes
set sort=mailbox-order wait_key=no mark_old=no move=no quit=yes fast_reply=yes autoedit=yes include=yes
${settings}
`,
  );
  return home;
}

test.each(['smtps', 'smtp'])('sends in batch mode over %s, with an attachment, and keeps a copy', async (scheme) => {
  const port = stack.port(scheme === 'smtps' ? 'submissions' : 'submission');
  await using home = await makeMuttHome(
    `set smtp_url="${scheme}://${encodeURIComponent(address('alice'))}@localhost:${port}/" ssl_force_tls=yes`,
  );
  await writeFile(join(home.path, 'bytes.bin'), Buffer.from([0, 1, 2, 255]));
  await succeed('mutt', ['-s', 'Größe', '-a', 'bytes.bin', '--', address('bob')], {
    home: home.path,
    stdin: '.\n..\nGrüße\n',
  });
  const [message] = await contents(stack, 'bob', 'INBOX');
  expect(message!.text).toContain(`Return-Path: <${address('alice')}>`);
  expect(message!.text).toContain('\r\n.\r\n..\r\n');
  expect(message!.text).toContain('AAEC/w==');
  const [copy] = await contents(stack, 'alice', 'Sent');
  expect(copy!.flags).toContain('\\Seen');
  expect(copy!.text).toContain('AAEC/w==');
});

test.each(['plain', 'login', 'scram-sha-256'])('authenticates by %s', async (mechanism) => {
  await using home = await makeMuttHome(`set smtp_authenticators="${mechanism}" imap_authenticators="${mechanism}"`);
  const { stderr } = await succeed('mutt', ['-s', 'hello', address('bob')], { home: home.path, stdin: 'hello\n' });
  expect(stderr).toContain(`Authenticating (${mechanism.toUpperCase()})`);
  expect((await contents(stack, 'bob', 'INBOX')).length).toBe(1);
  expect((await contents(stack, 'alice', 'Sent')).length).toBe(1);
});

test('reads, flags, saves, deletes and answers', async () => {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await createMailbox(stack, 'alice', 'Filed');
  await using home = await makeMuttHome();
  await using terminal = await openTerminal('mutt', home.path);
  await terminal.shows('parts');
  await terminal.shows(/Msgs:6/);

  // 1: read.
  await terminal.keys('1', 'Enter', 'Enter');
  await terminal.shows('...three');
  await terminal.keys('q');
  await terminal.shows(/Msgs:6/);
  // 2: flag, with its text in two scripts.
  await terminal.keys('2', 'Enter', 'Enter');
  await terminal.shows('Grüße, 你好');
  await terminal.keys('q');
  await terminal.shows(/Msgs:6/);
  await terminal.keys('2', 'Enter', 'F');
  // 3: delete. 5: save into another mailbox.
  await terminal.keys('3', 'Enter', 'd');
  await terminal.keys('5', 'Enter', 's');
  await terminal.shows('Save to mailbox');
  await terminal.keys('C-u', '=Filed', 'Enter');
  await eventually(async () => (await contents(stack, 'alice', 'Filed')).length === 1, 'the saved message');
  await terminal.keys('$');
  await eventually(async () => (await contents(stack, 'alice', 'INBOX')).length === 4, 'the expunge');
  await terminal.shows(/Msgs:4/);

  const left = await contents(stack, 'alice', 'INBOX');
  expect(left.map((message) => [subjectOf(message), message.flags])).toEqual([
    ['dots', ['\\Seen']],
    ['eight bits', ['\\Flagged', '\\Seen']],
    ['a long line', []],
    ['parts', []],
  ]);
  expect((await contents(stack, 'alice', 'Filed'))[0]!.text).toBe(AWKWARD['From lines']!.toString());

  // Answer the first one.
  await terminal.keys('1', 'Enter', 'r');
  await terminal.shows('y:Send');
  await terminal.keys('y');
  await eventually(async () => (await contents(stack, 'bob', 'INBOX')).length === 1, 'the answer');
  expect((await contents(stack, 'bob', 'INBOX'))[0]!.text).toContain('In-Reply-To: <dots@glass.localhost>');
  await terminal.shows(/Mail sent/);
  await terminal.keys('q');
  await terminal.ended();
  expect((await contents(stack, 'alice', 'INBOX'))[0]!.flags).toEqual(['\\Answered', '\\Seen']);
});

test('sees new mail while it is open, and lists mailboxes', async () => {
  await deposit(stack, 'alice', 'INBOX', letter('the first'));
  await createMailbox(stack, 'alice', 'Büro');
  await using home = await makeMuttHome('set timeout=2 mail_check=1 imap_idle=yes');
  await using terminal = await openTerminal('mutt', home.path);
  await terminal.shows('the first');
  await deposit(stack, 'alice', 'INBOX', letter('the second'));
  await terminal.shows('the second');
  await terminal.keys('c', '?');
  await terminal.shows('Büro');
  await terminal.keys('C');
  await terminal.shows('Create mailbox');
  await terminal.keys('Größe', 'Enter');
  await eventually(async () => (await mailboxes(stack, 'alice')).includes('Größe'), 'the new mailbox');
});

test('searches on the server', async () => {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await using home = await makeMuttHome();
  await using terminal = await openTerminal('mutt', home.path);
  await terminal.shows(/Msgs:6/);
  await terminal.keys('l');
  await terminal.shows('Limit to messages matching');
  await terminal.keys('=b "message in a message"', 'Enter');
  await terminal.shows(/Msgs:6 .*Shown:1|Shown:1|Msgs:1\/6/);
});

test('asks about a certificate that it does not know', async () => {
  await using home = await makeMuttHome('set ssl_ca_certificates_file=""');
  await using terminal = await openTerminal('mutt', home.path);
  await terminal.shows('(r)eject, accept (o)nce');
  await terminal.keys('r');
  await terminal.shows('(no mailbox)');
});

test('reads POP3, and deletes there', async () => {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await using home = await makeMuttHome(
    `set spoolfile="pops://localhost:${stack.port('pop3s')}/" pop_user="${address('alice')}" pop_pass=glass pop_delete=yes`,
  );
  await using terminal = await openTerminal('mutt', home.path);
  await terminal.shows(/Msgs:6/);
  await terminal.keys('1', 'Enter', 'Enter');
  await terminal.shows('...three');
  await terminal.keys('q');
  await terminal.shows(/Msgs:6/);
  await terminal.keys('3', 'Enter', 'd', '$');
  await eventually(async () => (await contents(stack, 'alice', 'INBOX')).length === 5, 'the deletion');
});

test('fetches POP3 mail into a mailbox', async () => {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await using home = await makeMuttHome(
    `set spoolfile=~/mbox mbox_type=mbox pop_host="pops://localhost:${stack.port('pop3s')}" pop_user="${address('alice')}" pop_pass=glass pop_delete=no`,
  );
  await writeFile(join(home.path, 'mbox'), '');
  await using terminal = await openTerminal('mutt', home.path);
  await terminal.shows(/Msgs:0|mbox/);
  await terminal.keys('G');
  await terminal.shows(/Msgs:6/);
  await eventually(async () => {
    const mbox = await readFile(join(home.path, 'mbox'), 'latin1');
    return Object.values(AWKWARD).every((message) => mbox.includes(lf(message).toString('latin1')));
  }, 'the mbox');
  expect((await contents(stack, 'alice', 'INBOX')).length).toBe(6);
});
