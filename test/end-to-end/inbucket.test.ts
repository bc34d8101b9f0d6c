/** The API of Inbucket: shapes as its documentation shows them, over mail that came by SMTP. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestStack, type TestStack } from '../test-stack.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

const base = (): string => `http://127.0.0.1:${stack.port('http')}`;

async function send(to: string[], subject: string): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp') });
  await transport.sendMail({
    from: 'Shop <shop@app.test>',
    to,
    subject,
    text: `text of ${subject}`,
    html: `<p>${subject}</p>`,
    attachments: [{ filename: 'a.txt', content: 'hay' }],
  });
  transport.close();
}

interface Header {
  readonly mailbox: string;
  readonly id: string;
  readonly subject: string;
  readonly seen: boolean;
}

async function ask(path: string, init: RequestInit = {}): Promise<readonly [status: number, text: string]> {
  const response = await fetch(`${base()}/api/v1/mailbox/${path}`, init);
  return [response.status, await response.text()];
}
const list = async (name: string) => JSON.parse((await ask(name))[1]) as Header[];
const subjects = async (name: string) => (await list(name)).map(({ subject }) => subject);

test('a mailbox by its name: listed, oldest first, read, marked and deleted', async () => {
  expect(await list('swaks')).toEqual([]);
  await send(['swaks@one.test'], 'first');
  await send(['Swaks+tag@two.test', 'other@one.test'], 'second');
  const [first, second] = await list('swaks');
  expect(first).toEqual({
    mailbox: 'swaks',
    id: expect.stringMatching(/^\w{22}$/) as string,
    from: 'Shop <shop@app.test>',
    to: ['<swaks@one.test>'],
    subject: 'first',
    date: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
    'posix-millis': expect.any(Number) as number,
    size: expect.any(Number) as number,
    seen: false,
  });
  expect(second!.subject).toBe('second');
  expect(await subjects('SWAKS@one.test')).toEqual(['first']);
  expect(await subjects('swak')).toEqual([]);

  const [, text] = await ask(`swaks/${first!.id}`);
  const message = JSON.parse(text) as { attachments: { 'download-link': string }[] };
  expect(message).toEqual({
    ...first,
    body: { text: 'text of first', html: '<p>first</p>' },
    header: expect.objectContaining({ Subject: ['first'], To: ['swaks@one.test'] }) as object,
    attachments: [
      {
        filename: 'a.txt',
        'content-type': 'text/plain',
        'download-link': expect.stringContaining(base()) as string,
        'view-link': expect.stringContaining(base()) as string,
        md5: createHash('md5').update('hay').digest('hex'),
      },
    ],
  });
  expect(await (await fetch(message.attachments[0]!['download-link'])).text()).toBe('hay');
  expect((await list('swaks'))[0]!.seen).toBe(false);
  expect(await ask(`swaks/${first!.id}`, { method: 'PATCH', body: '{"seen":true}' })).toEqual([200, '"OK"']);
  expect((await list('swaks')).map(({ seen }) => seen)).toEqual([true, false]);
  expect((await ask('swaks/latest/source'))[1]).toContain('Subject: second\r\n');
  expect(JSON.parse((await ask('swaks/latest'))[1])).toMatchObject({ subject: 'second' });

  // The other recipient keeps the copy.
  expect(await ask(`swaks/${second!.id}`, { method: 'DELETE' })).toEqual([200, '"OK"']);
  expect([await subjects('swaks'), await subjects('other')]).toEqual([['first'], ['second']]);
  expect(await ask('swaks', { method: 'DELETE' })).toEqual([200, '"OK"']);
  expect([await subjects('swaks'), await subjects('other')]).toEqual([[], ['second']]);
});

test('what is not there, and what cannot be read', async () => {
  await send(['swaks@one.test'], 'first');
  const [{ id }] = (await list('swaks')) as [Header];
  for (const path of ['swaks/0123456789012345678901', `other/${id}`, 'swaks/x', 'other/latest', 'swaks/x/source'])
    expect([path, await ask(path)]).toEqual([path, [404, '404 page not found']]);
  expect((await ask(`other/${id}`, { method: 'DELETE' }))[0]).toBe(404);
  expect((await ask(`swaks/${id}`, { method: 'PATCH', body: '{' }))[0]).toBe(400);
  expect((await ask(`swaks/${id}`, { method: 'PATCH', body: 'null' }))[0]).toBe(400);
  expect((await ask('a%20b'))[0]).toBe(400);
  expect((await fetch(`${base()}/api/v1/monitor/messages`)).status).toBe(426);
  expect(await subjects('swaks')).toEqual(['first']);
});

async function heard(path: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`${base().replace('http', 'ws')}/api/${path}`, { headers });
  const said: unknown[] = [];
  let look: () => void = () => undefined;
  socket.on('message', (data: Buffer) => {
    said.push(JSON.parse(data.toString()));
    look();
  });
  await once(socket, 'open');
  const until = async (count: number): Promise<unknown[]> => {
    while (said.length < count) await new Promise<void>((resolve) => (look = resolve));
    return said;
  };
  return { until, said, [Symbol.dispose]: () => socket.terminate() };
}

test('the monitors tell what was there and what comes; version 2 what goes', async () => {
  await send(['swaks@one.test'], 'before');
  using all = await heard('v1/monitor/messages');
  using own = await heard('v1/monitor/messages/swaks');
  using second = await heard('v2/monitor/messages/swaks');
  await send(['other@one.test'], 'for another');
  await send(['swaks@one.test', 'other@two.test'], 'for both');
  expect(await all.until(4)).toMatchObject([
    { mailbox: 'swaks', subject: 'before' },
    { mailbox: 'other', subject: 'for another' },
    { mailbox: 'swaks', subject: 'for both' },
    { mailbox: 'other', subject: 'for both' },
  ]);
  expect(await own.until(2)).toMatchObject([{ subject: 'before' }, { subject: 'for both' }]);
  const [{ id }] = (await list('swaks')) as [Header];
  await ask(`swaks/${id}`, { method: 'DELETE' });
  expect(await second.until(3)).toMatchObject([
    { variant: 'message-stored', identifier: null, header: { subject: 'before' } },
    { variant: 'message-stored', header: { subject: 'for both' } },
    { variant: 'message-deleted', identifier: { mailbox: 'swaks', id }, header: null },
  ]);
});

test('a test scope sees its own mailboxes alone', async () => {
  const made = await fetch(`${base()}/api/glass/scopes`, { method: 'POST', body: '{}' });
  const { domain, token } = (await made.json()) as { domain: string; token: string };
  const headers = { Authorization: `Bearer ${token}` };
  using monitor = await heard('v1/monitor/messages', headers);
  await send(['swaks@one.test'], 'secret');
  await send([`swaks@${domain}`, 'eve@one.test'], 'mine');
  expect(await monitor.until(1)).toMatchObject([{ mailbox: 'swaks', subject: 'mine' }]);
  const [, text] = await ask('swaks', { headers });
  expect((JSON.parse(text) as Header[]).map(({ subject }) => subject)).toEqual(['mine']);
  expect(await ask('eve', { headers })).toEqual([200, '[]']);
  await ask('swaks', { method: 'DELETE', headers });
  expect((await ask('swaks', { headers }))[1]).toBe('[]');
  expect(await subjects('swaks')).toEqual(['secret']);
  expect(await subjects('eve')).toEqual(['mine']);
});
