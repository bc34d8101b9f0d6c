/** Mail that comes in over SMTP, seen over HTTP: by a client of Mailpit's API, by our own routes, by the feed. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { fc } from '../property.ts';
import { MailpitClient } from 'mailpit-api';
import { type Transporter, createTransport } from 'nodemailer';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import * as accountsSchemas from '../../src/http/schemas/accounts.ts';
import * as conversationsSchemas from '../../src/http/schemas/conversations.ts';
import * as feedSchemas from '../../src/http/schemas/feed.ts';
import * as messagesSchemas from '../../src/http/schemas/messages.ts';
import { type TestStack, startTestStack } from '../test-stack.ts';

const transport = (stack: TestStack): Transporter => createTransport({ host: '127.0.0.1', port: stack.port('smtp') });
const base = (stack: TestStack): string => `http://127.0.0.1:${stack.port('http')}`;

async function get(stack: TestStack, path: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(base(stack) + path, init);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

const post = (body: unknown): RequestInit => ({ method: 'POST', body: JSON.stringify(body) });

describe('mail that came by SMTP', () => {
  test('is one entry however many recipients, and is found, read and deleted in all its copies', async () => {
    await using stack = await startTestStack();
    const mail = new MailpitClient(base(stack));
    await transport(stack).sendMail({
      from: 'Jürgen <j@red.test>',
      to: ['Alice <alice@glass.localhost>', 'bob@glass.localhost'],
      bcc: 'new@somewhere.test',
      subject: 'Größe 9',
      text: 'Hello, your code is 281734.\n',
      html: '<p>Hello, your code is <b>281734</b>. <img src="cid:logo"><img src="https://spy.test/x.gif"></p>',
      attachments: [
        { filename: 'logo.png', cid: 'logo', content: Buffer.from('89504e470d0a1a0a', 'hex') },
        { filename: 'Rechnung ö.txt', content: 'Summe: 9 €' },
      ],
    });
    const found = await mail.waitForMessage(
      { query: 'subject:größe to:alice has:attachment code' },
      { timeout: 10_000 },
    );
    expect(found).toMatchObject({
      From: { Name: 'Jürgen', Address: 'j@red.test' },
      Bcc: [{ Name: '', Address: 'new@somewhere.test' }],
      Subject: 'Größe 9',
      ReturnPath: 'j@red.test',
    });
    const attachment = found.Attachments[0]!;
    expect(attachment.FileName).toBe('Rechnung ö.txt');
    expect(await (await mail.getMessageAttachment(found.ID, attachment.PartID)).text()).toBe('Summe: 9 €');
    expect(found.Inline).toMatchObject([{ ContentID: 'logo', Size: 8 }]);
    const source = await mail.getMessageSource(found.ID);
    expect(source).toMatch(/^Return-Path: <j@red\.test>\r\n/);
    const received = await fetch(`${base(stack)}/api/glass/messages/${found.ID}/source?received=1`);
    expect(source.endsWith(await received.text())).toBe(true);
    expect(Buffer.byteLength(source)).toBe(found.Size);
    expect(await mail.listMessages()).toMatchObject({ total: 1, unread: 0 });

    const list = messagesSchemas.messageList.parse(await get(stack, '/api/glass/messages?account=bob'));
    expect(list.messages[0]).toMatchObject({ id: found.ID, code: '281734', read: true });
    expect(list.messages[0]!.copies.map(({ account }) => account).sort()).toEqual([
      'alice@glass.localhost',
      'bob@glass.localhost',
      'new@somewhere.test',
    ]);
    const message = messagesSchemas.message.parse(await get(stack, `/api/glass/messages/${found.ID}`));
    expect(message.remoteReferences.map(({ host }) => host)).toEqual(['spy.test']);
    const conversation = conversationsSchemas.conversationDetail.parse(
      await get(stack, `/api/glass/conversations/${message.transaction!.conversation}`),
    );
    expect(conversation.events.some((event) => event.type === 'annotation' && event.annotation.type === 'stored')).toBe(
      true,
    );
    const html = await (await fetch(`${base(stack)}/api/glass/messages/${found.ID}/html`)).text();
    expect(html).toContain('data:image/png;base64,');
    expect(html).not.toContain('spy.test');

    expect(await get(stack, '/api/glass/messages/delete', post({ ids: [found.ID] }))).toEqual({ count: 1 });
    expect(await mail.listMessages()).toMatchObject({ total: 0, messages: [] });
    await expect(mail.getMessageSummary()).rejects.toThrow(/404/);
    expect(stack.logged).toEqual([]);
  });

  test('is found by every term of the search language', async () => {
    await using stack = await startTestStack();
    const mail = new MailpitClient(base(stack));
    const smtp = transport(stack);
    await smtp.sendMail({
      from: 'shop@red.test',
      to: 'alice@glass.localhost',
      cc: 'carl@glass.localhost',
      replyTo: 'desk@red.test',
      messageId: '<one@red.test>',
      subject: 'Invoice nine',
      text: 'Total: 9 euros',
    });
    await smtp.sendMail({
      from: 'boss@blue.test',
      to: 'bob@glass.localhost',
      subject: 'Lunch',
      text: 'x'.repeat(5000),
      attachments: [{ filename: 'menu.pdf', content: 'pdf' }],
    });
    const subjects = async (query: string) =>
      (await mail.searchMessages({ query })).messages.map(({ Subject }) => Subject);
    const one = ['Invoice nine'];
    const two = ['Lunch'];
    const table: readonly (readonly [string, readonly string[]])[] = [
      ['invoice', one],
      ['euros', one],
      ['"invoice nine"', one],
      ['"nine invoice"', []],
      ['menu.pdf', two],
      ['from:shop@red.test', one],
      ['-from:shop', two],
      ['!from:shop', two],
      ['to:bob', two],
      ['cc:carl', one],
      ['reply-to:desk', one],
      ['addressed:desk', one],
      ['addressed:glass.localhost', [...two, ...one]],
      ['subject:INVOICE', one],
      ['message-id:one@red', one],
      ['has:attachment', two],
      ['-has:attachments', one],
      ['larger:4k', two],
      ['smaller:4k', one],
      ['tag:none', []],
      ['is:tagged', []],
      ['is:unread', [...two, ...one]],
      ['is:read', []],
      ['before:2020-01-01', []],
      ['after:2020-01-01 lunch', two],
      ['invoice lunch', []],
    ];
    for (const [query, expected] of table) expect([query, await subjects(query)]).toEqual([query, expected]);
    await mail.setReadStatus({ Read: true, Search: 'invoice' });
    expect(await subjects('is:read')).toEqual(one);
    expect(await subjects('is:unread')).toEqual(two);
    await mail.deleteMessagesBySearch({ query: 'is:read' });
    expect(await subjects('addressed:glass.localhost')).toEqual(two);
    expect((await mail.listMessages()).total).toBe(1);
  });

  test('is announced by the feed', async () => {
    await using stack = await startTestStack();
    const socket = new WebSocket(`ws://127.0.0.1:${stack.port('http')}/api/glass/feed`);
    const messages: feedSchemas.FeedMessage[] = [];
    let look: () => void = () => undefined;
    socket.on('message', (data: Buffer) => {
      messages.push(feedSchemas.feedMessage.parse(JSON.parse(data.toString())));
      look();
    });
    const until = async (found: (message: feedSchemas.FeedMessage) => boolean): Promise<void> => {
      while (!messages.some(found)) await new Promise<void>((resolve) => (look = resolve));
    };
    await until(({ type }) => type === 'hello');
    socket.send(JSON.stringify({ subscribe: { mail: true, conversations: true } }));
    await transport(stack).sendMail({ from: 'a@red.test', to: 'alice@glass.localhost', subject: 'news', text: '.' });
    await until((message) => message.type === 'mail' && message.arrived[0]?.subject === 'news');
    await until(
      (message) => message.type === 'conversation' && message.conversations.some(({ service }) => service === 'smtp'),
    );
    const [entry] = messagesSchemas.messageList.parse(await get(stack, '/api/glass/messages')).messages;
    await get(stack, '/api/glass/messages/mark', post({ query: '', read: true }));
    await until((message) => message.type === 'mail' && message.read.some(({ id, read }) => id === entry!.id && read));
    await get(stack, '/api/glass/messages/delete', post({ query: '' }));
    await until((message) => message.type === 'mail' && message.deleted.includes(entry!.id) && message.total === 0);
    const closed = once(socket, 'close');
    socket.close();
    await closed;
    expect(stack.logged).toEqual([]);
  });
});

describe('whatever is asked', () => {
  test('is answered, and never by a fault of ours', async () => {
    await using stack = await startTestStack();
    await transport(stack).sendMail({ from: 'a@red.test', to: 'alice@glass.localhost', subject: 'one', text: 'two' });
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.toWellFormed()),
      fc.constantFrom(
        'a%_b',
        "'; DROP TABLE message;--",
        '"*"',
        'NEAR(a b)',
        'two',
        '2026-01-01',
        '9999999999m',
        '\u0000',
        'İ',
      ),
    );
    const field = fc.constantFrom(
      '',
      '-',
      'to:',
      'from:',
      'subject:',
      '!has:',
      'is:',
      'larger:',
      '-before:',
      'after:',
      'addressed:',
      'message-id:',
      'id:',
      'tag:',
    );
    const query = fc.array(
      fc.tuple(field, value).map(([name, text]) => `${name}"${text}"`),
      { maxLength: 4 },
    );
    const number = fc.constantFrom('0', '1', '50', '1000', '999999999999999', '-1', 'x');
    await fc.assert(
      fc.asyncProperty(query, number, number, async (terms, start, limit) => {
        const parameters = new URLSearchParams({ query: terms.join(' '), start, limit }).toString();
        for (const path of ['/api/v1/search', '/api/v1/messages', '/api/v1/message/latest', '/api/glass/messages']) {
          const response = await fetch(`${base(stack)}${path}?${parameters}`);
          await response.arrayBuffer();
          expect([200, 400, 404]).toContain(response.status);
        }
      }),
      { numRuns: 100 },
    );
    expect(stack.logged).toEqual([]);
  });

  test('is the same over TLS', async () => {
    await using stack = await startTestStack();
    const ca = await readFile(stack.authorityFile!);
    const options = { host: 'localhost', port: stack.port('https'), ca };
    const [response] = (await once(request({ ...options, path: '/readyz' }).end(), 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.resume();
    const origin = `https://localhost:${stack.port('https')}`;
    const socket = new WebSocket(`wss://localhost:${stack.port('https')}/api/glass/feed`, { ca, origin });
    const [hello] = (await once(socket, 'message')) as [Buffer];
    expect(feedSchemas.feedMessage.parse(JSON.parse(hello.toString())).type).toBe('hello');
    socket.terminate();
    const certificate = await fetch(`${base(stack)}/ca.pem`);
    expect(certificate.headers.get('content-type')).toBe('application/x-pem-file');
    expect(await certificate.text()).toBe(ca.toString());
  });
});

describe('mail that is imported', () => {
  test('lies in its mailbox, large as it may be', async () => {
    await using stack = await startTestStack();
    const raw = `Subject: big\r\n\r\n${'0123456789abcdef'.repeat(64)}\r\n`.padEnd(3_000_000, 'line of text\r\n');
    const path = '/api/glass/accounts/alice';
    const put = (key: string) =>
      fetch(`${base(stack)}${path}/import?mailbox=Archive/2026&flags=%5CSeen&key=${key}`, {
        method: 'POST',
        body: raw,
      });
    const first = await put('k');
    expect(first.status).toBe(201);
    const { mailbox, uid } = accountsSchemas.imported.parse(await first.json());
    expect(await (await put('k')).json()).toEqual({ duplicate: true });
    const list = accountsSchemas.mailboxMessageList.parse(await get(stack, `${path}/mailboxes/${mailbox}/messages`));
    expect(list).toMatchObject({ matches: 1, mailbox: { name: 'Archive/2026' } });
    expect(list.messages[0]).toMatchObject({ uid, subject: 'big', flags: ['\\Seen'], size: raw.length });
    const back = await fetch(`${base(stack)}${path}/mailboxes/${mailbox}/messages/${uid}/raw`);
    expect((await back.text()) === raw).toBe(true);
    const shown = messagesSchemas.message.parse(await get(stack, `/api/glass/messages/${list.messages[0]!.emailId}`));
    expect(shown).toMatchObject({ subject: 'big', transaction: null });
    // What a client puts into a mailbox is no accepted mail.
    expect(messagesSchemas.messageList.parse(await get(stack, '/api/glass/messages')).total).toBe(0);
    expect(stack.logged).toEqual([]);
  });
});
