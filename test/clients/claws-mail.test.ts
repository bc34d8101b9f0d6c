/**
 * Claws Mail: IMAP and POP3, submission, each by TLS and STARTTLS; all by one that runs on. What it says and hears is
 * looked at in the end: nothing that it asked for was refused. What it does by its menus alone (marks, moves into other
 * folders, searches) is left out.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { type ClawsMail, imapCache, OWN_MAIL, startClawsMail } from './claws-mail.ts';
import { AWKWARD, address, contents, deposit, letter, lf } from './mail.ts';
import { refusals, spokenLines } from './refusals.ts';

let stack: TestStack;
let claws: ClawsMail;
const opened = new AsyncDisposableStack();

beforeAll(async () => {
  stack = opened.use(await startTestStack('--accounts', 'alice,bob,carol,dave'));
  for (const account of ['alice', 'bob', 'carol', 'dave']) {
    for (const message of Object.values(AWKWARD)) await deposit(stack, account, 'INBOX', message);
  }
  claws = opened.use(
    await startClawsMail(stack, [
      { account: 'alice', incoming: 'imaps', outgoing: 'submissions' },
      { account: 'bob', incoming: 'imap', outgoing: 'submission' },
      { account: 'carol', incoming: 'pop3s', outgoing: 'submissions' },
      { account: 'dave', incoming: 'pop3', outgoing: 'submission' },
    ]),
  );
});

afterAll(() => opened.disposeAsync());

/** It ends the lines of what it keeps as this machine does. */
const textOf = (octets: Buffer): string => lf(octets).toString('latin1');
const awkward = Object.values(AWKWARD).map(textOf);

describe.each([
  ['alice', 'imaps'],
  ['bob', 'imap with STARTTLS'],
])('%s, %s', (account) => {
  test('lists the folders, and shows what is new in the inbox, and what comes later', async () => {
    const folders = [...(await claws.status()).keys()].filter((name) => name.startsWith(`#imap/${account}/`));
    const expected = ['Archive', 'Drafts', 'INBOX', 'Junk', 'Queue', 'Sent', 'Trash']; // the queue is its own
    expect(folders.sort()).toEqual(expected.map((name) => `#imap/${account}/${name}`));
    const before = (await contents(stack, account, 'INBOX')).length;
    await claws.receiveAll();
    expect((await claws.status()).get(`#imap/${account}/INBOX`)).toBe(before);
    await deposit(stack, account, 'INBOX', letter('the next'));
    await claws.receiveAll();
    expect((await claws.status()).get(`#imap/${account}/INBOX`)).toBe(before + 1);
  });

  test('reads messages, octet by octet, which marks them read', async () => {
    const inbox = (await contents(stack, account, 'INBOX')).slice(0, awkward.length);
    for (const { uid } of inbox) {
      await claws.select(`#imap/${account}/INBOX`, uid);
      await claws.until('\\Seen', async () => {
        const message = (await contents(stack, account, 'INBOX')).find((one) => one.uid === uid);
        return message!.flags.join() === '\\Seen';
      });
    }
    const kept = await claws.kept(imapCache(account, 'INBOX'));
    expect(inbox.map(({ uid }) => textOf(kept.get(uid)!))).toEqual(awkward);
  });

  test('deletes: into the trash', async () => {
    const [first] = await contents(stack, account, 'INBOX');
    await claws.select(`#imap/${account}/INBOX`, first!.uid);
    await claws.press('Claws Mail', 'Delete');
    await claws.until('a message in Trash', async () => (await contents(stack, account, 'Trash')).length === 1);
    expect((await contents(stack, account, 'Trash'))[0]!.octets).toEqual(first!.octets);
    await claws.until(
      'its leaving INBOX',
      async () => (await contents(stack, account, 'INBOX'))[0]!.uid !== first!.uid,
    );
  });
});

describe.each([
  ['carol', 'pop3s'],
  ['dave', 'pop3 with STLS'],
])('%s, %s', (account) => {
  test('fetches mail, and fetches what is new alone the next time', async () => {
    const fetched = async () => [...(await claws.kept(`${OWN_MAIL}/${account}`)).values()].map(textOf);
    await claws.receiveAll();
    const first = await fetched();
    expect([...first].sort()).toEqual([...awkward].sort()); // in an order of its own
    await deposit(stack, account, 'INBOX', letter('the next'));
    await claws.receiveAll();
    expect(await fetched()).toEqual([...first, textOf(letter('the next'))]);
    expect((await contents(stack, account, 'INBOX')).length).toBe(awkward.length + 1);
  });
});

test.each([
  ['alice', 'submissions', 'Sent'],
  ['bob', 'submission with STARTTLS', 'Sent'],
  ['carol', 'submissions', undefined],
  ['dave', 'submission with STARTTLS', undefined],
])('%s sends, %s, and keeps a copy', async (account, _, sent) => {
  const subject = `From ${account}: Größe`;
  const count = async () => (await contents(stack, 'erin', 'INBOX').catch(() => [])).length;
  const before = await count();
  const copiesBefore = (await claws.kept(`${OWN_MAIL}/sent`)).size;
  await claws.compose(`From: ${address(account)}
To: ${address('erin')}
Subject: ${subject}

Grüße
.
..
`);
  await claws.press(`${subject} - Compose message`, 'ctrl+Return');
  await claws.until('the message', async () => (await count()) === before + 1);
  const received = (await contents(stack, 'erin', 'INBOX')).at(-1)!.text;
  expect(received).toContain(`Return-Path: <${address(account)}>`);
  expect(received).toContain('Gr=C3=BC=C3=9Fe\r\n.\r\n..\r\n');
  if (sent === undefined) {
    await claws.until('the copy', async () => (await claws.kept(`${OWN_MAIL}/sent`)).size === copiesBefore + 1);
  } else {
    await claws.until('the copy', async () => (await contents(stack, account, sent)).length === 1);
    const [copy] = await contents(stack, account, sent);
    expect(copy!.flags).toContain('\\Seen');
    expect(copy!.text.slice(copy!.text.indexOf('Date:'))).toBe(received.slice(received.indexOf('Date:')));
  }
});

test('ends its conversations in order, and nothing that it asked for was refused', async () => {
  await claws.exit();
  const spoken = spokenLines(stack);
  const services = new Set(spoken.map(({ service }) => service));
  expect([...services].sort()).toEqual(['imap', 'imaps', 'pop3', 'pop3s', 'submission', 'submissions']);
  for (const { service, lines } of spoken) {
    const isPlainAtFirst = !service.endsWith('s');
    expect(lines.some(({ by, text }) => by === 'client' && /\b(STARTTLS|STLS)$/.test(text))).toBe(isPlainAtFirst);
  }
  expect(refusals(stack)).toEqual([]);
  expect(stack.logged).toEqual([]);
});
