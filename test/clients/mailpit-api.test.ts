/** mailpit-api: the client of Mailpit's API, as tests of applications use it. */
import { isDeepStrictEqual } from 'node:util';
import { MailpitClient } from 'mailpit-api';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
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

test('sends, exactly the fields that were asked for, and by its own login name', async () => {
  const { events, until } = await listen(stack);
  const png = Buffer.from('89504e470d0a1a0a', 'hex').toString('base64');
  const { ID } = await new MailpitClient(`http://localhost:${stack.port('http')}`, {
    auth: { username: 'tester', password: 'x' },
  }).sendMessage({
    From: { Email: 'sender@example.test', Name: 'Größe' },
    To: [{ Email: 'alice@glass.localhost', Name: 'Alice' }],
    Cc: [{ Email: 'cc@example.test' }],
    Bcc: ['bob@glass.localhost'],
    ReplyTo: [{ Email: 'noreply@example.test', Name: 'No Reply' }],
    Subject: 'Sent Größe',
    Text: 'Text Größe',
    HTML: '<p style="text-align:center">HTML <img src="cid:pic"> <a href="https://example.test/">link</a></p>',
    Tags: ['one', 'two words'],
    Headers: { 'List-Unsubscribe': '<https://example.test/leave>' },
    Attachments: [
      { Content: png, Filename: 'a.png' },
      { Content: `data:image/png;base64,${png}`, Filename: 'b.png', ContentID: 'pic', ContentType: 'image/png' },
    ],
  });
  const message = await mailpit.getMessageSummary(ID);
  expect(message).toMatchObject({
    ID,
    From: { Name: 'Größe', Address: 'sender@example.test' },
    To: [{ Name: 'Alice', Address: 'alice@glass.localhost' }],
    Cc: [{ Name: '', Address: 'cc@example.test' }],
    Bcc: [{ Name: '', Address: 'bob@glass.localhost' }],
    ReplyTo: [{ Name: 'No Reply', Address: 'noreply@example.test' }],
    ReturnPath: 'sender@example.test',
    Subject: 'Sent Größe',
    Text: expect.stringContaining('Text Größe') as string,
    Tags: ['one', 'two words'],
    Username: 'tester',
    Attachments: [{ FileName: 'a.png', ContentType: 'image/png', Size: 8 }],
    Inline: [{ FileName: 'b.png', ContentID: 'pic' }],
  });
  expect(Object.keys(await mailpit.getMessageHeaders(ID))).toEqual(
    'Bcc Cc Content-Type Date From List-Unsubscribe Message-Id Mime-Version Reply-To Return-Path Subject To'.split(' '),
  );
  expect((await contents(stack, 'bob', 'INBOX')).length).toBe(4);
  await until(({ Type }) => Type === 'stats' && events.some((event) => event.Type === 'new'));
  const news = events.find(({ Type }) => Type === 'new')!.Data as { ID: string };
  expect(news).toEqual(
    (await mailpit.searchMessages({ query: 'tag:one' })).messages.map((each) => ({ ...each, Read: false }))[0],
  );
});

test('refuses to send what cannot be sent, in JSON', async () => {
  const send = async (body: unknown) => {
    const response = await fetch(`http://localhost:${stack.port('http')}/api/v1/send`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return [response.status, await response.json()] as [number, unknown];
  };
  const good = { From: { Email: 'a@red.test' }, To: [{ Email: 'b@red.test' }] };
  expect(await send({ ...good, Headers: { subject: 'x' } })).toEqual([
    400,
    { Error: 'cannot overwrite header: "subject"' },
  ]);
  expect(await send({ ...good, To: [{ Email: 'a, b@red.test' }] })).toEqual([
    400,
    { Error: 'invalid To address: a, b@red.test' },
  ]);
  expect(await send({ ...good, To: [] })).toEqual([400, { Error: 'no recipients: give To, Cc or Bcc' }]);
  expect(await send({ ...good, Attachments: [{ Content: '%%', Filename: 'x' }] })).toEqual([
    400,
    { Error: 'error decoding base64 attachment "x"' },
  ]);
  for (const wrong of ['', '{', 'null', '[]', { From: 1 }, { ...good, Headers: { 'a b': 'x' } }]) {
    expect(await send(wrong)).toEqual([400, { Error: expect.any(String) as string }]);
  }
  expect((await mailpit.listMessages()).total).toBe(3);
  // A line break in a value begins no field of its own.
  const [status] = await send({ ...good, Subject: 'x\r\nX-Evil: 1', Headers: { 'X-A': 'a\r\nX-Evil: 2' } });
  expect(status).toBe(200);
  expect(await mailpit.getMessageHeaders()).not.toHaveProperty('X-Evil');
});

test('tags: set, listed, searched, renamed, removed', async () => {
  const { messages } = await mailpit.listMessages();
  const [third, second] = messages.map(({ ID }) => ID);
  const before = await mailpit.getMessageSource(third);
  expect(await mailpit.setTags({ IDs: [third!, second!], Tags: ['Blue', 'red/green'] })).toBe('ok');
  expect(await mailpit.getTags()).toEqual(['Blue', 'red green']);
  expect((await mailpit.listMessages()).tags).toEqual(['Blue', 'red green']);
  expect((await mailpit.getInfo()).Tags).toEqual({ Blue: 2, 'red green': 2 });
  expect(subjects(await mailpit.searchMessages({ query: 'tag:blue' }))).toEqual([
    'The third Größe',
    'The second Größe',
  ]);
  expect(subjects(await mailpit.searchMessages({ query: '!is:tagged' }))).toEqual(['The first Größe']);
  expect(await mailpit.renameTag('red green', 'Green & more')).toBe('ok');
  expect((await mailpit.getMessageSummary(third)).Tags).toEqual(['Blue', 'Green more']);
  await expect(mailpit.renameTag('unknown', 'x')).rejects.toThrow('400');
  expect(await mailpit.deleteTag('Green more')).toBe('ok');
  expect(await mailpit.setTags({ IDs: [second!] })).toBe('ok');
  expect(await mailpit.getTags()).toEqual(['Blue']);
  expect(await mailpit.getMessageSource(third)).toBe(before);
});

test('tags come from plus-addresses and X-Tags, and the octets stay as they were', async () => {
  const transport = createTransport({ host: 'localhost', port: stack.port('smtp') });
  const raw = 'From: a@red.test\r\nTo: bob@glass.localhost\r\nX-Tags: one, two\r\nSubject: tagged\r\n\r\n.\r\n';
  await transport.sendMail({ envelope: { from: 'a@red.test', to: 'alice+signup@glass.localhost' }, raw });
  const { messages } = await mailpit.searchMessages({ query: 'tag:signup tag:one' });
  expect(messages.map(({ Tags }) => Tags)).toEqual([['one', 'signup', 'two']]);
  expect((await mailpit.getMessageSource()).endsWith(raw)).toBe(true);
});

test('thumbnails, checks, and what is switched off', async () => {
  const { messages } = await mailpit.searchMessages({ query: 'subject:second' });
  const { ID } = messages[0]!;
  const { Attachments } = await mailpit.getMessageSummary(ID);
  const thumbnail = await mailpit.getAttachmentThumbnail(ID, Attachments[0]!.PartID);
  expect(thumbnail.type).toBe('image/jpeg');
  expect(Buffer.from(await thumbnail.arrayBuffer()).toString('hex', 0, 3)).toBe('ffd8ff');
  const check = await mailpit.htmlCheck(ID);
  expect(Object.keys(check).sort()).toEqual(['Platforms', 'Total', 'Warnings']);
  expect(check.Total.Nodes).toBeGreaterThan(0);
  expect(check.Total.Supported).toBe(100);
  await expect(mailpit.linkCheck(ID)).rejects.toThrow(/400.*link check is off/s);
  await expect(mailpit.spamAssassinCheck(ID)).rejects.toThrow('404');
  await expect(mailpit.releaseMessage(ID, { To: ['a@red.test'] })).rejects.toThrow(/400.*not configured/s);
  await expect(mailpit.getChaosTriggers()).rejects.toThrow(/400.*Chaos is not enabled/s);
  await expect(mailpit.setChaosTriggers({})).rejects.toThrow('Chaos is not enabled');
  expect(await mailpit.getConfiguration()).toEqual({
    Label: '',
    MessageRelay: {
      Enabled: false,
      SMTPServer: '',
      ReturnPath: '',
      AllowedRecipients: '',
      BlockedRecipients: '',
      OverrideFrom: '',
      PreserveMessageIDs: false,
      RecipientAllowlist: '',
    },
    SpamAssassin: false,
    ChaosEnabled: false,
    DuplicatesIgnored: false,
    HideDeleteAllButton: false,
  });
});

test('a message as a page and as text', async () => {
  expect(await mailpit.renderMessageHTML()).toContain('<b>third</b>');
  expect(await mailpit.renderMessageText()).toContain('This is the third text.');
  const base = `http://localhost:${stack.port('http')}`;
  const latest = await fetch(`${base}//view/latest.html?query=subject:first`);
  expect(await latest.text()).toContain('<b>first</b>');
  expect(latest.headers.get('content-security-policy')).toMatch(/^sandbox/);
  const { messages } = await mailpit.listMessages();
  const redirected = await fetch(`${base}/view/latest`, { redirect: 'manual' });
  expect([redirected.status, redirected.headers.get('location')]).toEqual([302, `/mail/${messages[0]!.ID}`]);
  expect((await fetch(`${base}/view/0123456789abcdefghijkl.html`)).status).toBe(404);
});

test('WebSocket events: stats first, then what happens', async () => {
  const { events, until } = await listen(stack);
  expect(events[0]).toEqual({ Type: 'stats', Data: { Total: 3, Unread: 3, Version: expect.any(String) as string } });
  const [third, second, first] = (await mailpit.listMessages()).messages.map(({ ID }) => ID);
  const told = (Type: string, Data: unknown) =>
    until((event) => event.Type === Type && isDeepStrictEqual(event.Data, Data));
  await mailpit.setReadStatus({ IDs: [first!], Read: true });
  await told('update', { ID: first, Read: true });
  events.length = 0;
  await mailpit.setReadStatus({ IDs: [first!], Read: true }); // once more: told, though nothing has changed
  await told('update', { ID: first, Read: true });
  await mailpit.setTags({ IDs: [second!], Tags: ['t'] });
  await told('update', { ID: second, Tags: ['t'] });
  await mailpit.renameTag('t', 'u');
  await told('prune', null);
  await mailpit.deleteMessages({ IDs: [third!] });
  await told('delete', { ID: third });
  await until(({ Type, Data }) => Type === 'stats' && (Data as { Total: number }).Total === 2);
  events.length = 0;
  await mailpit.deleteMessages();
  await told('truncate', null);
  expect(events.filter(({ Type }) => Type === 'delete')).toEqual([]);
  await mailpit.deleteMessages();
  await until(() => events.filter(({ Type }) => Type === 'truncate').length === 2);
});

interface MailpitEvent {
  readonly Type: string;
  readonly Data: unknown;
}

/** Connected: the first event has come. */
async function listen(server: TestStack) {
  const socket = new WebSocket(`ws://localhost:${server.port('http')}/api/events`);
  onTestFinished(() => socket.terminate());
  const events: MailpitEvent[] = [];
  let look: () => void = () => undefined;
  socket.on('message', (data: Buffer) => {
    events.push(JSON.parse(data.toString()) as MailpitEvent);
    look();
  });
  const until = async (found: (event: MailpitEvent) => boolean): Promise<void> => {
    while (!events.some(found)) await new Promise<void>((resolve) => (look = resolve));
  };
  await until(({ Type }) => Type === 'stats');
  return { events, until };
}
