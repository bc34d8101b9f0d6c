/** mailpit-api: the client of Mailpit's API, as tests of applications use it. */
import { MailpitClient } from 'mailpit-api';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { address, contents } from './mail.ts';

let stack: TestStack;
let mailpit: MailpitClient;
beforeEach(async () => {
  stack = await startTestStack();
  mailpit = new MailpitClient(`http://localhost:${stack.port('http')}`);
  const transport = createTransport({ host: 'localhost', port: stack.port('smtp') });
  for (const subject of ['first', 'second', 'third']) {
    await transport.sendMail({
      from: 'The shop <shop@example.test>',
      to: ['Alice <alice@glass.localhost>', 'bob@glass.localhost'],
      cc: 'carol@other.test',
      bcc: 'secret@other.test',
      replyTo: 'help@example.test',
      subject: `The ${subject} Größe`,
      text: `This is the ${subject} text.\n`,
      html: `<p>This is the <b>${subject}</b> text. <a href="https://example.test/${subject}">Go</a></p>`,
      headers: { 'X-Order': `order-${subject}`, 'List-Unsubscribe': '<https://example.test/leave>' },
      attachments: subject === 'second' ? [{ filename: 'Größe.bin', content: Buffer.from([0, 1, 2, 255]) }] : [],
    });
  }
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

const subjects = (list: { messages: { Subject: string }[] }): string[] => list.messages.map(({ Subject }) => Subject);

test('lists, newest first, in pages', async () => {
  const list = await mailpit.listMessages();
  expect(list).toMatchObject({ total: 3, unread: 3, messages_count: 3, start: 0 });
  expect(subjects(list)).toEqual(['The third Größe', 'The second Größe', 'The first Größe']);
  expect(list.messages[1]).toMatchObject({
    From: { Name: 'The shop', Address: 'shop@example.test' },
    To: [
      { Name: 'Alice', Address: 'alice@glass.localhost' },
      { Name: '', Address: 'bob@glass.localhost' },
    ],
    Cc: [{ Name: '', Address: 'carol@other.test' }],
    Bcc: [{ Name: '', Address: 'secret@other.test' }],
    ReplyTo: [{ Name: '', Address: 'help@example.test' }],
    Attachments: 1,
    Read: false,
    Snippet: expect.stringContaining('This is the second text.') as string,
  });
  expect(subjects(await mailpit.listMessages(1, 1))).toEqual(['The second Größe']);
});

test('searches', async () => {
  const search = async (query: string) => subjects(await mailpit.searchMessages({ query }));
  const all = ['The third Größe', 'The second Größe', 'The first Größe'];
  expect(await search('subject:second')).toEqual(['The second Größe']);
  expect(await search('"the FIRST text"')).toEqual(['The first Größe']);
  expect(await search('from:shop@example.test to:bob')).toEqual(all);
  expect(await search('größe !second')).toEqual(['The third Größe', 'The first Größe']);
  expect(await search('has:attachment')).toEqual(['The second Größe']);
  expect(await search('is:unread cc:carol')).toEqual(all);
  expect(await search('nothing of this')).toEqual([]);
  expect((await mailpit.waitForMessage({ query: 'subject:third' })).Subject).toBe('The third Größe');
  expect((await mailpit.waitForMessages({ query: 'to:alice', count: 3, exact: true })).messages_count).toBe(3);
});

test('finds blind copies, whom only the envelope names', async () => {
  for (const query of ['bcc:secret', 'addressed:secret'])
    expect((await mailpit.searchMessages({ query })).messages_count, query).toBe(3);
});

test('a message: summary, headers, source, parts', async () => {
  const { messages } = await mailpit.searchMessages({ query: 'subject:second' });
  const id = messages[0]!.ID;
  const message = await mailpit.getMessageSummary(id);
  expect(message).toMatchObject({
    ID: id,
    Subject: 'The second Größe',
    ReturnPath: 'shop@example.test',
    Text: expect.stringContaining('This is the second text.') as string,
    HTML: expect.stringContaining('<b>second</b>') as string,
    ListUnsubscribe: { Links: ['https://example.test/leave'] },
    Attachments: [{ FileName: 'Größe.bin', ContentType: 'application/octet-stream', Size: 4 }],
  });
  const part = await mailpit.getMessageAttachment(id, message.Attachments[0]!.PartID);
  expect(part.type).toBe('application/octet-stream');
  expect(Buffer.from(await part.arrayBuffer())).toEqual(Buffer.from([0, 1, 2, 255]));
  const headers = await mailpit.getMessageHeaders(id);
  expect(headers['X-Order']).toEqual(['order-second']);
  expect(headers.Received?.length).toBe(1);
  const [stored] = (await contents(stack, 'alice', 'INBOX')).filter(({ text }) => text.includes('order-second'));
  expect(await mailpit.getMessageSource(id)).toBe(stored!.octets.toString());
  expect((await mailpit.getMessageSummary()).Subject).toBe('The third Größe'); // latest
  await expect(mailpit.getMessageSummary('0123456789abcdefghijkl')).rejects.toThrow('404');
});

test('marks as read and unread, seen by IMAP', async () => {
  const { messages } = await mailpit.listMessages();
  const flags = async () => (await contents(stack, 'bob', 'INBOX')).map((message) => message.flags);
  await mailpit.getMessageSummary(messages[0]!.ID); // opening is reading
  expect(await flags()).toEqual([[], [], ['\\Seen']]);
  await mailpit.setReadStatus({ IDs: [messages[1]!.ID], Read: true });
  expect(await flags()).toEqual([[], ['\\Seen'], ['\\Seen']]);
  expect((await mailpit.listMessages()).unread).toBe(1);
  await mailpit.setReadStatus({ Search: 'subject:second', Read: false });
  expect(await flags()).toEqual([[], [], ['\\Seen']]);
  await mailpit.setReadStatus({ Read: true });
  expect(await flags()).toEqual([['\\Seen'], ['\\Seen'], ['\\Seen']]);
});

test('deletes by id, by search, and all', async () => {
  const { messages } = await mailpit.listMessages();
  expect(await mailpit.deleteMessages({ IDs: [messages[0]!.ID] })).toBe('ok');
  expect((await contents(stack, 'alice', 'INBOX')).length).toBe(2);
  expect(await mailpit.deleteMessagesBySearch({ query: 'subject:first' })).toBe('ok');
  expect(subjects(await mailpit.listMessages())).toEqual(['The second Größe']);
  expect(await mailpit.deleteMessages()).toBe('ok');
  for (const account of ['alice', 'bob']) expect(await contents(stack, account, 'INBOX')).toEqual([]);
  expect(await mailpit.listMessages()).toMatchObject({ total: 0, messages: [] });
});

test('tells about the server', async () => {
  expect(await mailpit.getInfo()).toMatchObject({ Messages: 3, Unread: 3, RuntimeStats: { SMTPAccepted: 3 } });
});

test('what an IMAP client deletes is gone here too', async () => {
  for (const account of ['alice', 'bob', 'carol@other.test', 'secret@other.test']) {
    const found = await stack.store.findAccount(account.includes('@') ? account : address(account));
    const inbox = await stack.store.findMailbox(found!.id, 'INBOX');
    await stack.store.expunge(found!.id, inbox!.id, { onlyDeleted: false });
  }
  expect((await mailpit.listMessages()).total).toBe(0);
});
