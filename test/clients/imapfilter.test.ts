/** imapfilter: rules in Lua that find messages on the server and act on them there. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, createMailbox, deposit, letter, modSeq, subjectOf } from './mail.ts';
import { eventually, makeHome, run, succeed } from './program.ts';
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

/** Rules begin with `account` and its `inbox`. Without `ssl` it asks for STARTTLS where that is offered. */
async function makeFilterHome(service: 'imap' | 'imaps', password = 'glass') {
  const home = await makeHome();
  const rules = join(home.path, 'rules.lua');
  const options = { home: home.path };
  const write = (lua: string) =>
    writeFile(
      rules,
      `options.timeout = 20
options.charset = 'UTF-8'
options.info = false
account = IMAP {
  server = 'localhost', port = ${stack.port(service)}, username = '${address('alice')}', password = '${password}',
  ${service === 'imaps' ? "ssl = 'auto'" : ''}
}
inbox = account.INBOX
${lua}`,
    );
  const trusting = ['-t', stack.authorityFile!, '-c', rules];
  return Object.assign(home, {
    rules,
    write,
    file: (name: string) => readFile(join(home.path, name)),
    apply: async (lua: string) => {
      await write(lua);
      return succeed('imapfilter', trusting, options);
    },
    tryToApply: async (lua: string) => {
      await write(lua);
      return run('imapfilter', trusting, options);
    },
  });
}

test.each(['imap', 'imaps'] as const)('%s: reads every message as it is stored', async (service) => {
  await using home = await makeFilterHome(service);
  await home.apply(`
for _, found in ipairs(inbox:select_all()) do
  local mailbox, uid = table.unpack(found)
  local file = io.open(uid .. '.eml', 'wb')
  file:write(mailbox[uid]:fetch_message())
  file:close()
end`);
  const stored = await contents(stack, 'alice', 'INBOX');
  expect(stored.length).toBe(6);
  for (const { uid, text } of stored) expect((await home.file(`${uid}.eml`)).toString('latin1')).toBe(text);
  expect(stack.recorder.list().every(({ tls }) => tls !== undefined)).toBe(true);
});

test('searches, flags, files, copies and deletes; the second time nothing is left to do', async () => {
  await createMailbox(stack, 'alice', '日本語/書類');
  await using home = await makeFilterHome('imaps');
  const rules = `
local found = inbox:contain_subject('dots') + inbox:contain_body('你好')
found:mark_flagged()
found:add_flags({ 'Work', '\\\\Seen' })
local unread = inbox:is_unseen()
local lines = unread:contain_subject('From lines')
lines:copy_messages(account['日本語/書類'])
lines:mark_seen()
inbox:is_larger(1000):move_messages(account['Größe'])
inbox:match_subject('no +body'):delete_messages()
print(#inbox:has_keyword('Work'), #inbox:is_flagged(), #inbox:sent_since('30-Jun-2026'))`;
  const first = await home.apply(`account:create_mailbox('Größe')\n${rules}`);
  expect(first.stdout).toContain('2\t2\t4\n');
  const flags = async (mailbox: string) =>
    (await contents(stack, 'alice', mailbox)).map((message) => [subjectOf(message), message.flags]);
  expect(await flags('INBOX')).toEqual([
    ['dots', ['Work', '\\Flagged', '\\Seen']],
    ['eight bits', ['Work', '\\Flagged', '\\Seen']],
    ['From lines', ['\\Seen']],
    ['parts', []],
  ]);
  expect(await flags('Größe')).toEqual([['a long line', []]]);
  expect(await flags('日本語/書類')).toEqual([['From lines', []]]);

  const before = await modSeq(stack, 'alice');
  await home.apply(rules);
  expect(await modSeq(stack, 'alice')).toBe(before);
});

test('lists mailboxes of every script, renames, subscribes, appends', async () => {
  await createMailbox(stack, 'alice', 'Büro');
  // Of some characters it loses a bit in reading: of 語, not of these.
  await createMailbox(stack, 'alice', 'Почта/日本');
  await using home = await makeFilterHome('imaps');
  const { stdout } = await home.apply(`
account:rename_mailbox('Büro', 'Neu/Größe & Maß')
account:subscribe_mailbox('Neu/Größe & Maß')
account['Почта/日本']:append_message('Subject: made here\\r\\n\\r\\nText.\\r\\n', { '\\\\Seen' }, '01-Jul-2026 12:00:00 +0200')
for _, list in ipairs({ 'list_all', 'list_subscribed' }) do
  for _, name in ipairs(account[list](account, '', '*')) do print(list .. ' ' .. name) end
end
print(account['Почта/日本']:check_status())`);
  expect(stdout).toContain('list_all Почта/日本\n');
  expect(stdout).toContain('list_all Neu/Größe & Maß\n');
  expect(stdout).toContain('list_subscribed Neu/Größe & Maß\n');
  expect(stdout).toMatch(/^1\t1\t0\t2$/m);
  expect((await contents(stack, 'alice', 'Почта/日本'))[0]).toMatchObject({
    flags: ['\\Seen'],
    internalDate: new Date('2026-07-01T10:00:00Z'),
    text: 'Subject: made here\r\n\r\nText.\r\n',
  });
});

test('is woken by new mail', async () => {
  await using home = await makeFilterHome('imaps');
  const filtering = home.apply(`
inbox:select_all():mark_seen()
io.open('waiting', 'w'):close()
print(inbox:enter_idle())
for _, found in ipairs(inbox:is_unseen()) do print(inbox[found[2]]:fetch_field('Subject')) end`);
  const waits = () =>
    home.file('waiting').then(
      () => true,
      () => false,
    );
  await eventually(waits, 'the IDLE');
  await deposit(stack, 'alice', 'INBOX', letter('news'));
  const { stdout } = await filtering;
  expect(stdout).toMatch(/^true\t(EXISTS|RECENT)\nSubject: news$/m);
});

test('is refused with a wrong password', async () => {
  await using home = await makeFilterHome('imaps', 'wrong');
  const { code, stderr } = await home.tryToApply('inbox:select_all()');
  expect(code).not.toBe(0);
  expect(stderr).toContain(`authentication of ${address('alice')}@localhost failed`);
});

test('refuses a certificate that it does not know, or asks and remembers the answer', async () => {
  await using home = await makeFilterHome('imap');
  const untrusting = () => run('imapfilter', ['-c', home.rules], { home: home.path });
  await home.write("print('There are ' .. #inbox:select_all() .. '.')");
  expect((await untrusting()).stderr).toContain('certificate verify failed');
  await home.write("options.hostnames = false\nprint('There are ' .. #inbox:select_all() .. '.')");
  {
    await using asked = await openTerminal(`sh -c 'imapfilter -c ${home.rules}; read end'`, home.path);
    await asked.shows('accept (p)ermanently?');
    await asked.keys('p', 'Enter');
    await asked.shows('There are 6.');
  }
  expect((await untrusting()).stdout).toContain('There are 6.');
});
