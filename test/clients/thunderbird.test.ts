/**
 * Thunderbird: IMAP and POP3, submission, each by TLS and STARTTLS; all by one that runs on. What it says and hears is
 * looked at in the end: nothing that it asked for was refused.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import {
  AWKWARD,
  address,
  addFlags,
  contents,
  createMailbox,
  deposit,
  letter,
  lf,
  mailboxes,
  remove,
  subjectOf,
  subscribe,
  subscriptions,
} from './mail.ts';
import { eventually } from './program.ts';
import { refusals, spokenLines } from './refusals.ts';
import { type MailAccount, startThunderbird, type Thunderbird } from './thunderbird.ts';

let stack: TestStack;
let thunderbird: Thunderbird;
const opened = new AsyncDisposableStack();

beforeAll(async () => {
  stack = opened.use(await startTestStack('--accounts', 'alice,bob,carol,dave'));
  for (const account of ['alice', 'bob', 'carol', 'dave']) {
    for (const message of Object.values(AWKWARD)) await deposit(stack, account, 'INBOX', message);
  }
  const accounts: MailAccount[] = [
    { account: 'alice', incoming: 'imaps', outgoing: 'submissions' },
    { account: 'bob', incoming: 'imap', outgoing: 'submission' },
    { account: 'carol', incoming: 'pop3s', outgoing: 'submissions' },
    { account: 'dave', incoming: 'pop3', outgoing: 'submission' },
  ];
  thunderbird = opened.use(await startThunderbird(stack, accounts));
}, 90_000);

afterAll(() => opened.disposeAsync());

const subjects = Object.keys(AWKWARD).sort();
const summaryOf = (subject: string) => ({ subject, from: 'Bob <bob@glass.localhost>', tags: [] });

/** Whether an account's IMAP client has come to IDLE in a mailbox, and waits there. */
const isIdle = (account: string, mailbox: string): boolean =>
  spokenLines(stack).some(({ protocol, login, lines }) => {
    const commands = lines.filter(({ by }) => by === 'client').map(({ text }) => text);
    const selected = commands.findLast((text) => / select /i.test(text));
    const isHere = protocol === 'imap' && login === address(account) && selected?.endsWith(` "${mailbox}"`);
    return isHere === true && commands.at(-1)!.endsWith(' IDLE');
  });

describe.each([
  ['alice', 'imaps'],
  ['bob', 'imap with STARTTLS'],
])('%s, %s', (account) => {
  const user = address(account);
  const step = (name: string, ...args: readonly unknown[]) => thunderbird.step(name, user, ...args);
  const inbox = () => contents(stack, account, 'INBOX');
  const flagsOf = async (mailbox: string, subject: string) =>
    (await contents(stack, account, mailbox)).find((message) => subjectOf(message) === subject)?.flags;
  /** A mailbox of a test's own, with messages, which Thunderbird has found. */
  async function prepareMailbox(name: string, ...messages: readonly string[]): Promise<void> {
    await createMailbox(stack, account, name);
    await subscribe(stack, account, name); // it shows those alone
    for (const subject of messages) await deposit(stack, account, name, letter(subject));
    await step('folders');
    await step('show', name, messages.length);
  }

  test('lists the folders, and shows what is in the inbox', async () => {
    expect(await step('folders')).toEqual(['Archive', 'Drafts', 'INBOX', 'Junk', 'Sent', 'Trash']);
    const shown = await step('show', 'Inbox', 6);
    expect(shown).toEqual(
      Object.keys(AWKWARD).map((subject) => ({ ...summaryOf(subject), isRead: false, isFlagged: false })),
    );
  });

  test('reads messages, which marks them read', async () => {
    await step('show', 'Inbox', 6);
    expect(await step('read', 'Inbox', 'dots')).toEqual({
      text: expect.stringContaining('.\n..\n...three\n.\n\n.last') as string,
      attachments: [],
    });
    expect(await step('read', 'Inbox', 'eight bits')).toMatchObject({
      text: expect.stringContaining('Grüße, 你好, \u{1F40C}') as string,
    });
    expect(await step('read', 'Inbox', 'parts')).toEqual({
      text: expect.stringContaining('The text.') as string,
      attachments: ['bytes.bin', expect.stringContaining('.eml')],
    });
    await eventually(async () => {
      const read = (await inbox()).filter(({ flags }) => flags.includes('\\Seen')).map(subjectOf);
      return read.join() === 'dots,eight bits,parts';
    }, '\\Seen');
  });

  test('keeps messages for offline use, octet by octet', async () => {
    await step('show', 'Inbox', 6);
    const kept = (await step('downloadForOffline', 'Inbox')) as string[];
    const sent = (await inbox()).map(({ octets }) => lf(octets).toString('latin1'));
    // It puts fields of its own before them.
    const unmarked = kept.map((text) => text.replaceAll('\r\n', '\n').replace(/^(X-Mozilla-.*\n)+/, ''));
    expect(unmarked).toEqual(sent);
  });

  test('marks messages: read, starred, tagged', async () => {
    await prepareMailbox('Marks', 'one', 'two', 'three');
    await step('mark', 'Marks', 'one', { read: true, addTag: '$label1' });
    await step('mark', 'Marks', 'two', { flagged: true });
    await eventually(async () => (await flagsOf('Marks', 'one'))?.join() === '$label1,\\Seen', '$label1');
    await eventually(async () => (await flagsOf('Marks', 'two'))?.join() === '\\Flagged', '\\Flagged');
    await step('mark', 'Marks', 'one', { read: false, removeTag: '$label1' });
    await step('mark', 'Marks', 'two', { flagged: false });
    await eventually(async () => (await flagsOf('Marks', 'one'))?.length === 0, 'no flags');
    await eventually(async () => (await flagsOf('Marks', 'two'))?.length === 0, 'no flags');
    await step('markAllRead', 'Marks');
    await eventually(
      async () => (await contents(stack, account, 'Marks')).every(({ flags }) => flags.join() === '\\Seen'),
      'all read',
    );
  });

  test('moves, copies and deletes', async () => {
    const subjectsIn = async (mailbox: string) => (await contents(stack, account, mailbox)).map(subjectOf).join();
    // It shows at once what it does on the server a little later.
    const holds = (mailbox: string, expected: string) =>
      eventually(async () => (await subjectsIn(mailbox)) === expected, `"${expected}" in ${mailbox}`);
    await createMailbox(stack, account, 'Filed');
    await subscribe(stack, account, 'Filed');
    await prepareMailbox('Desk', 'move me', 'copy me', 'delete me', 'leave me');
    await step('transfer', 'Desk', ['move me'], 'Filed', true);
    await holds('Filed', 'move me');
    await step('transfer', 'Desk', ['copy me'], 'Filed', false);
    await holds('Filed', 'move me,copy me');
    await step('remove', 'Desk', ['delete me']);
    await holds('Trash', 'delete me');
    await holds('Desk', 'copy me,leave me');
    expect((await contents(stack, account, 'Filed'))[0]!.octets).toEqual(letter('move me'));
    expect(await step('show', 'Filed', 2)).toMatchObject([{ subject: 'move me' }, { subject: 'copy me' }]);
    await step('show', 'Trash', 1);
    await step('emptyTrash');
    await holds('Trash', '');
  });

  test('makes folders with names in other scripts, renames and deletes them', async () => {
    await step('makeFolder', '', 'Größe 你好');
    await step('makeFolder', 'Größe 你好', 'Ünter');
    expect(await mailboxes(stack, account)).toEqual(expect.arrayContaining(['Größe 你好', 'Größe 你好/Ünter']));
    await eventually(async () => (await subscriptions(stack, account)).includes('Größe 你好/Ünter'), 'subscription');
    await deposit(stack, account, 'Größe 你好/Ünter', letter('far down'));
    expect(await step('show', 'Größe 你好/Ünter', 1)).toMatchObject([{ subject: 'far down' }]);
    await step('renameFolder', 'Größe 你好', 'Ελληνικά');
    expect(await mailboxes(stack, account)).toEqual(expect.arrayContaining(['Ελληνικά', 'Ελληνικά/Ünter']));
    expect(await step('show', 'Ελληνικά/Ünter', 1)).toMatchObject([{ subject: 'far down' }]);
    await step('removeFolder', 'Ελληνικά/Ünter');
    expect((await mailboxes(stack, account)).filter((name) => name.includes('Ünter'))).not.toContain('Ελληνικά/Ünter');
  });

  test('sees what others do, while it waits with IDLE', async () => {
    await prepareMailbox('Watched', 'old', 'goes away');
    await eventually(() => isIdle(account, 'Watched'), 'IDLE');
    await deposit(stack, account, 'Watched', letter('new'));
    expect(await step('show', 'Watched', 3)).toMatchObject([{ subject: 'old' }, {}, { subject: 'new' }]);
    await eventually(() => isIdle(account, 'Watched'), 'IDLE');
    const [old, goes] = await contents(stack, account, 'Watched');
    await addFlags(stack, account, 'Watched', [old!.uid], ['\\Seen', '\\Flagged', '$label2']);
    await step('untilMarked', 'Watched', 'old', { isRead: true, isFlagged: true, tags: ['$label2'] });
    await remove(stack, account, 'Watched', [goes!.uid]);
    expect(await step('show', 'Watched', 2)).toMatchObject([{ subject: 'old' }, { subject: 'new' }]);
  });

  test('searches on the server', async () => {
    await step('show', 'Inbox', 6);
    expect(await step('search', 'Inbox', 'Body', 'message in a message')).toEqual(['parts']);
    expect(await step('search', 'Inbox', 'Body', '你好')).toEqual(['eight bits']);
    expect(await step('search', 'Inbox', 'Subject', 'O')).toEqual(
      ['From lines', 'a long line', 'dots', 'no body'].sort(),
    );
    expect(await step('search', 'Inbox', 'Sender', 'bob')).toEqual(subjects);
  });

  test('saves a draft, and saves it again in its place', async () => {
    await step('saveDraft', { to: address('dave'), subject: 'first', body: 'Grüße' }, 'second');
    await eventually(async () => {
      const drafts = await contents(stack, account, 'Drafts');
      return drafts.length === 1 && subjectOf(drafts[0]!) === 'second';
    }, 'one draft');
  });

  test('sends, and keeps a copy in Sent', async () => {
    const attachment = join(thunderbird.home, 'octets.bin');
    await writeFile(attachment, Buffer.from([0, 1, 2, 255]));
    const subject = `From ${account}: Größe`;
    await step('send', { to: address('erin'), subject, body: 'Grüße\n.\n..\n', attachment });
    const sent = (await contents(stack, account, 'Sent')).at(-1)!;
    expect(sent.flags).toContain('\\Seen');
    const received = (await contents(stack, 'erin', 'INBOX')).at(-1)!;
    expect(received.text).toContain(`Return-Path: <${user}>`);
    for (const { text } of [sent, received]) expect(text).toContain('AAEC/w==');
    expect(received.text.slice(received.text.indexOf('Message-ID:'))).toBe(
      sent.text.slice(sent.text.indexOf('Message-ID:')),
    );
  });
});

describe.each([
  ['carol', 'pop3s'],
  ['dave', 'pop3 with STLS'],
])('%s, %s', (account) => {
  const user = address(account);

  test('fetches mail, and fetches what is new alone the next time', async () => {
    const before = await contents(stack, account, 'INBOX');
    await thunderbird.step('getMail', user);
    expect(await thunderbird.step('show', user, 'Inbox', before.length)).toMatchObject(
      before.slice(0, 6).map((message) => ({ subject: subjectOf(message) })),
    );
    await deposit(stack, account, 'INBOX', letter('the next'));
    await thunderbird.step('getMail', user);
    await thunderbird.step('show', user, 'Inbox', before.length + 1);
    expect(await thunderbird.step('read', user, 'Inbox', 'the next')).toMatchObject({
      text: expect.stringContaining('This is the next.') as string,
    });
    expect((await contents(stack, account, 'INBOX')).length).toBe(before.length + 1);
  });
});

/** Its other connections may have this in their queue yet when one has renamed or deleted the folder: its own race. */
const LATE = /^imaps?: \d+ select "(?:Größe 你好|Ελληνικά)(?:\/Ünter)?" -> \d+ NO \[NONEXISTENT\] /;

test('ends its conversations in order, and nothing that it asked for was refused', async () => {
  await thunderbird.quit();
  expect(refusals(stack).filter((refusal) => !LATE.test(refusal))).toEqual([]);
  expect(stack.logged).toEqual([]);
});
