/** neomutt: in a terminal (tmux) over IMAP with CONDSTORE, QRESYNC and a cache, and in batch mode over SMTP. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import {
  AWKWARD,
  addFlags,
  address,
  contents,
  createMailbox,
  deposit,
  letter,
  mailboxes,
  modSeq,
  remove,
  subjectOf,
} from './mail.ts';
import { eventually, makeHome, run, succeed } from './program.ts';
import { openTerminal } from './terminal.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

/** @param scheme with `imap` and `smtp` it asks for STARTTLS */
async function makeNeomuttHome(scheme: 'imap' | 'imaps', settings = '') {
  const home = await makeHome();
  await mkdir(join(home.path, 'cache'));
  const smtp = scheme === 'imaps' ? `smtps` : 'smtp';
  const submission = stack.port(scheme === 'imaps' ? 'submissions' : 'submission');
  await writeFile(
    join(home.path, '.neomuttrc'),
    `set folder="${scheme}://localhost:${stack.port(scheme)}/" spool_file="+INBOX" record="+Sent" postponed="+Drafts"
set imap_user="${address('alice')}" imap_pass=glass smtp_pass=glass ssl_force_tls=yes
set smtp_url="${smtp}://${encodeURIComponent(address('alice'))}@localhost:${submission}/"
set ssl_ca_certificates_file="${stack.authorityFile!}" certificate_file=~/certificates
set imap_condstore=yes imap_qresync=yes header_cache=~/cache message_cachedir=~/cache
set from="${address('alice')}" real_name="Alice" use_domain=no
set edit_headers=no editor="touch" confirm_append=no confirm_create=no delete=yes
set sort=mailbox-order wait_key=no mark_old=no move=no quit=yes fast_reply=yes auto_edit=yes include=yes
${settings}
`,
  );
  return home;
}

function lastClientSaid(): string {
  const { events } = stack.recorder.list().at(-1)!.since(0);
  const words = events.flatMap((event) =>
    event.type === 'octets' && event.view === 'ends' && event.direction === 'in' ? [event.octets] : [],
  );
  return Buffer.concat(words).toString();
}

test.each(['imap', 'imaps'] as const)('%s: sends in batch mode', async (scheme) => {
  // It keeps copies in IMAP mailboxes only while it is open.
  await using home = await makeNeomuttHome(scheme, 'set record=""');
  await writeFile(join(home.path, 'bytes.bin'), Buffer.from([0, 1, 2, 255]));
  await succeed('neomutt', ['-s', 'Größe', '-a', 'bytes.bin', '--', address('bob')], {
    home: home.path,
    stdin: '.\n..\nGrüße\n',
  });
  const [message] = await contents(stack, 'bob', 'INBOX');
  expect(message!.text).toContain(`Return-Path: <${address('alice')}>`);
  expect(message!.text).toContain('\r\n.\r\n..\r\n');
  expect(message!.text).toContain('AAEC/w==');
  expect(stack.recorder.list().every(({ tls }) => tls !== undefined)).toBe(true);
});

test('reads, flags, copies, moves, deletes and answers', async () => {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await createMailbox(stack, 'alice', 'Büro');
  await using home = await makeNeomuttHome('imaps');
  await using terminal = await openTerminal('neomutt', home.path);
  await terminal.shows(/Msgs:6/);

  await terminal.keys('1', 'Enter', 'Enter');
  await terminal.shows('...three');
  await terminal.keys('q');
  await terminal.shows(/Msgs:6/);
  await terminal.keys('2', 'Enter', 'Enter');
  await terminal.shows('Grüße, 你好');
  await terminal.keys('q');
  await terminal.shows(/Msgs:6/);
  await terminal.keys('2', 'Enter', 'F');
  await terminal.keys('3', 'Enter', 'd');
  await terminal.keys('4', 'Enter', 'C');
  await terminal.shows('Copy to mailbox');
  await terminal.keys('C-u', '=Büro', 'Enter');
  await eventually(async () => (await contents(stack, 'alice', 'Büro')).length === 1, 'the copied message');
  await terminal.keys('5', 'Enter', 's');
  await terminal.shows('Save to mailbox');
  await terminal.keys('C-u', '=Büro', 'Enter');
  await eventually(async () => (await contents(stack, 'alice', 'Büro')).length === 2, 'the saved message');
  await terminal.keys('$');
  await terminal.shows(/Msgs:4/);

  const left = await contents(stack, 'alice', 'INBOX');
  expect(left.map((message) => [subjectOf(message), message.flags])).toEqual([
    ['dots', ['\\Seen']],
    ['eight bits', ['\\Flagged', '\\Seen']],
    ['a long line', []],
    ['parts', []],
  ]);
  const filed = await contents(stack, 'alice', 'Büro');
  expect(filed.map(({ text }) => text)).toEqual([
    AWKWARD['a long line']!.toString('latin1'),
    AWKWARD['From lines']!.toString('latin1'),
  ]);

  await terminal.keys('1', 'Enter', 'r');
  await terminal.shows('y:Send');
  await terminal.keys('y');
  await eventually(async () => (await contents(stack, 'bob', 'INBOX')).length === 1, 'the answer');
  expect((await contents(stack, 'bob', 'INBOX'))[0]!.text).toContain('In-Reply-To: <dots@glass.localhost>');
  await terminal.shows(/Mail sent/);
  expect((await contents(stack, 'alice', 'Sent')).map(({ flags }) => flags)).toEqual([['\\Seen']]);
  await terminal.keys('q');
  await terminal.ended();
  expect((await contents(stack, 'alice', 'INBOX'))[0]!.flags).toEqual(['\\Answered', '\\Seen']);
});

test('finds in its cache what has not changed, and hears what has', async () => {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await using home = await makeNeomuttHome('imap');
  const visit = async (...seen: readonly (string | RegExp)[]) => {
    await using terminal = await openTerminal('neomutt', home.path);
    for (const what of seen) await terminal.shows(what);
    await terminal.keys('q');
    await terminal.ended();
  };
  await visit(/Msgs:6/, /1 +N .*dots/);
  const before = await modSeq(stack, 'alice');
  await addFlags(stack, 'alice', 'INBOX', [1], ['\\Flagged']);
  await remove(stack, 'alice', 'INBOX', [2]);
  await deposit(stack, 'alice', 'INBOX', letter('news'));
  const changed = await modSeq(stack, 'alice');
  await visit(/Msgs:6/, /1 +N +!.*dots/, /2 +N .*no body/, /6 +N .*news/);
  expect(lastClientSaid()).toMatch(/ UID FETCH 1:6 \(FLAGS\) \(CHANGEDSINCE \d+ VANISHED\)/);
  expect(lastClientSaid()).not.toContain('FETCH 1:6 (UID FLAGS INTERNALDATE');
  // A visit changes nothing.
  expect(await modSeq(stack, 'alice')).toBe(changed);
  expect(changed).toBeGreaterThan(before);
});

test('sees new mail while it is open, lists mailboxes and makes one', async () => {
  await deposit(stack, 'alice', 'INBOX', letter('the first'));
  await createMailbox(stack, 'alice', '日本語');
  await using home = await makeNeomuttHome('imaps', 'set timeout=2 mail_check=1 imap_idle=yes');
  await using terminal = await openTerminal('neomutt', home.path);
  await terminal.shows('the first');
  await deposit(stack, 'alice', 'INBOX', letter('the second'));
  await terminal.shows('the second');
  await terminal.keys('c', '?');
  await terminal.shows('Mailboxes');
  await terminal.keys('C-i');
  await terminal.shows('日本語');
  await terminal.keys('C');
  await terminal.shows('Create mailbox');
  await terminal.keys('Größe', 'Enter');
  await eventually(async () => (await mailboxes(stack, 'alice')).includes('Größe'), 'the new mailbox');
});

test('searches on the server', async () => {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await using home = await makeNeomuttHome('imaps');
  await using terminal = await openTerminal('neomutt', home.path);
  await terminal.shows(/Msgs:6/);
  await terminal.keys('l');
  await terminal.shows('Limit to messages matching');
  await terminal.keys('=b "message in a message"', 'Enter');
  await terminal.shows(/Msgs:1\/6/);
});

test('is refused with a wrong password', async () => {
  await using home = await makeNeomuttHome('imaps', 'set imap_pass=wrong smtp_pass=wrong record=""');
  const { code, stderr, stdout } = await run('neomutt', ['-s', 'no', address('bob')], {
    home: home.path,
    stdin: 'no\n',
  });
  expect(code).not.toBe(0);
  expect(stdout + stderr).toMatch(/authentication failed/i);
  await using terminal = await openTerminal('neomutt', home.path);
  await terminal.shows(/authentication failed/i);
});
