/** emailjs-imap-client: the client of mail programs that are web pages. */
import { readFile } from 'node:fs/promises';
import { setDefaultCACertificates } from 'node:tls';
import ImapClient from 'emailjs-imap-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, createMailbox, deposit, letter, mailboxes } from './mail.ts';

let stack: TestStack;
let complaints: unknown[];
beforeEach(async () => {
  stack = await startTestStack();
  // It has no option for an authority.
  setDefaultCACertificates([await readFile(stack.authorityFile!, 'utf8')]);
  complaints = [];
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  expect(complaints).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

function makeClient(service: 'imap' | 'imaps', password = 'glass'): ImapClient {
  const client = new ImapClient('localhost', stack.port(service), {
    auth: { user: address('alice'), pass: password },
    useSecureTransport: service === 'imaps',
    requireTLS: service === 'imap',
  });
  const complain = (messages: readonly unknown[]) => complaints.push(...messages);
  client.createLogger(() => ({ debug: () => undefined, info: () => undefined, warn: complain, error: complain }));
  client.onerror = (error) => complaints.push(error);
  client.client.timeoutEnterIdle = 0;
  return client;
}

const byUid = { byUid: true };

test.each(['imap', 'imaps'] as const)('%s: reads every message as it is stored', async (service) => {
  const client = makeClient(service);
  await client.connect();
  expect(await client.selectMailbox('INBOX', { condstore: true })).toMatchObject({
    exists: 6,
    uidNext: 7,
    readOnly: false,
    highestModseq: expect.stringMatching(/^\d+$/) as string,
  });
  const messages = await client.listMessages(
    'INBOX',
    '1:*',
    ['uid', 'flags', 'envelope', 'bodystructure', 'body.peek[]', 'body.peek[header.fields (subject from)]'],
    byUid,
  );
  const stored = await contents(stack, 'alice', 'INBOX');
  expect(messages.map((message) => message['body[]'])).toEqual(stored.map(({ text }) => text));
  expect(messages.map(({ uid }) => uid)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(messages[0]).toMatchObject({
    flags: ['\\Recent'],
    envelope: { subject: 'dots', from: [{ name: 'Bob', address: 'bob@glass.localhost' }] },
    bodystructure: { type: 'text/plain' },
    'body[header.fields (subject from)]': 'From: Bob <bob@glass.localhost>\r\nSubject: dots\r\n\r\n',
  });
  expect(messages[5]!.bodystructure).toMatchObject({
    type: 'multipart/mixed',
    childNodes: [
      { part: '1', type: 'text/plain' },
      { part: '2', type: 'application/octet-stream' },
      { part: '3', type: 'message/rfc822' },
    ],
  });
  await client.close();
});

test('searches, flags, uploads, copies, moves and deletes, in mailboxes of every script', async () => {
  await createMailbox(stack, 'alice', '日本語/書類');
  const client = makeClient('imaps');
  await client.connect();
  await client.createMailbox('Größe');
  const all = (await client.listMailboxes()).children;
  expect(all.find(({ name }) => name === 'Sent')).toMatchObject({ specialUse: '\\Sent' });
  const size = all.find(({ name }) => name === 'Größe')!;
  const papers = all.find(({ name }) => name === '日本語')!.children.find(({ name }) => name === '書類')!;

  const search = (query: object) => client.search('INBOX', query, byUid);
  expect(await search({ unseen: true, header: ['subject', 'lines'] })).toEqual([5]);
  expect(await search({ or: { subject: 'dots', body: '你好' } })).toEqual([1, 2]);
  expect(await search({ sentsince: new Date('2026-06-30'), larger: 1000 })).toEqual([4]);

  await client.setFlags('INBOX', '1,2', { add: ['\\Seen', 'Work'] }, byUid);
  const [changed] = await client.setFlags('INBOX', '1', { remove: ['Work'] }, byUid);
  expect(changed).toMatchObject({ uid: 1, flags: ['\\Seen', '\\Recent'] });
  await client.upload(size.path, AWKWARD.dots!.toString('latin1'), { flags: ['\\Draft'] });
  await client.copyMessages('INBOX', '2', size.path, byUid);
  await client.moveMessages('INBOX', '4', papers.path, byUid);
  await client.deleteMessages('INBOX', '3,5', byUid);

  const stored = async (mailbox: string) =>
    (await contents(stack, 'alice', mailbox)).map(({ text, flags }) => [text, flags]);
  const text = (name: string) => AWKWARD[name]!.toString('latin1');
  expect(await stored('INBOX')).toEqual([
    [text('dots'), ['\\Seen']],
    [text('eight bits'), ['Work', '\\Seen']],
    [text('parts'), []],
  ]);
  expect(await stored('Größe')).toEqual([
    [text('dots'), ['\\Draft']],
    [text('eight bits'), ['Work', '\\Seen']],
  ]);
  expect(await stored('日本語/書類')).toEqual([[text('a long line'), []]]);
  await client.deleteMailbox('Größe');
  expect(await mailboxes(stack, 'alice')).not.toContain('Größe');
  await client.close();
});

test('hears of new mail and of what others do', async () => {
  const client = makeClient('imaps');
  const updates = new EventTarget();
  client.onupdate = (_, type, value) => updates.dispatchEvent(new CustomEvent(type, { detail: value }));
  const heard = (type: string) =>
    new Promise<unknown>((resolve) => {
      updates.addEventListener(type, (event) => resolve((event as CustomEvent).detail), { once: true });
    });
  await client.connect();
  await client.selectMailbox('INBOX');
  const news = heard('exists');
  await deposit(stack, 'alice', 'INBOX', letter('news'));
  expect(await news).toBe(7);
  const other = makeClient('imaps');
  await other.connect();
  const flagged = heard('fetch');
  await other.setFlags('INBOX', '7', { add: '\\Flagged' }, byUid);
  expect(await flagged).toMatchObject({ '#': 7, flags: ['\\Flagged', '\\Recent'] });
  const removed = heard('expunge');
  await other.deleteMessages('INBOX', '2', byUid);
  expect(await removed).toBe(2);
  await other.close();
  await client.close();
});

test('is refused with a wrong password', async () => {
  const refused = { code: 'AUTHENTICATIONFAILED' };
  await expect(makeClient('imaps', 'wrong').connect()).rejects.toMatchObject(refused);
  expect(complaints).toEqual(['Could not connect to server', expect.objectContaining(refused)]);
  complaints = [];
});
