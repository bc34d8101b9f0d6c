/** Mailboxes over HTTP, beside an IMAP client that sees the same; in the whole server, for they meet in its store alone. */
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Mailbox, MailboxList, MailboxMessageList } from '../../src/http/schemas/accounts.ts';
import { mailbox as mailboxSchema, mailboxMessage, mailboxMessageList } from '../../src/http/schemas/accounts.ts';
import { problem } from '../../src/http/schemas/common.ts';
import type { MessagesMoved, MessagesRestored } from '../../src/http/schemas/mailboxes.ts';
import { flagsChanged, messagesMoved, messagesRestored } from '../../src/http/schemas/mailboxes.ts';
import type { MessageList } from '../../src/http/schemas/messages.ts';
import type { MadeScope } from '../../src/http/schemas/scopes.ts';
import { threadOrder, threadsOf } from '../../src/http/threads.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { jsonBody } from './http-harness.ts';

const ALICE = 'alice@glass.localhost';
const FIRST = ['INBOX', 'Archive', 'Drafts', 'Junk', 'Sent', 'Trash'];

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(async () => {
  await stack[Symbol.asyncDispose]();
  expect(stack.logged).toEqual([]);
});

const ask = (path: string, init?: RequestInit): Promise<Response> =>
  fetch(`http://127.0.0.1:${stack.port('http')}/api/glass${path}`, init);

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  const answer = await ask(path, init);
  expect([path, answer.status]).toEqual([path, answer.status < 300 ? answer.status : 200]);
  return (await answer.json()) as T;
}

const at = (mailbox: Mailbox, rest = ''): string => `/accounts/${ALICE}/mailboxes/${mailbox.id}${rest}`;
const post = <T>(path: string, body: unknown): Promise<T> => json<T>(path, jsonBody('POST', body));

async function mailboxes(address = ALICE): Promise<readonly Mailbox[]> {
  return (await json<MailboxList>(`/accounts/${address}/mailboxes`)).mailboxes;
}

async function named(name: string): Promise<Mailbox> {
  const found = (await mailboxes()).find((mailbox) => mailbox.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

const list = (mailbox: Mailbox, query = ''): Promise<MailboxMessageList> =>
  json<MailboxMessageList>(at(mailbox, `/messages?order=oldest&${query}`));

async function send(...letters: readonly object[]): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), ignoreTLS: true, pool: true });
  for (const letter of letters) {
    await transport.sendMail({ from: 'Shop <shop@app.test>', to: ALICE, text: 'hello', ...letter });
  }
  transport.close();
}

async function imap(): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: stack.port('imap'),
    secure: false,
    doSTARTTLS: false,
    auth: { user: ALICE, pass: 'glass' },
    logger: false,
  });
  await client.connect();
  return client;
}

describe('a mailbox', () => {
  test('is made with those above it, renamed, deleted; IMAP has the same', async () => {
    const made = await ask(`/accounts/${ALICE}/mailboxes`, jsonBody('POST', { name: 'Work/2026' }));
    expect(made.status).toBe(201);
    const { id } = mailboxSchema.parse(await made.json());
    expect(made.headers.get('location')).toBe(`/api/glass/accounts/${encodeURIComponent(ALICE)}/mailboxes/${id}`);
    expect((await mailboxes()).map(({ name }) => name)).toEqual([...FIRST, 'Work', 'Work/2026']);
    const client = await imap();
    expect((await client.list()).map(({ path }) => path)).toContain('Work/2026');
    const renamed = await json<Mailbox>(at(await named('Work')), jsonBody('PUT', { name: 'Büro' }));
    expect(renamed.name).toBe('Büro');
    expect((await client.list()).map(({ path }) => path)).toEqual(expect.arrayContaining(['Büro', 'Büro/2026']));
    expect((await ask(at(await named('Büro/2026')), { method: 'DELETE' })).status).toBe(204);
    expect((await client.list()).map(({ path }) => path)).not.toContain('Büro/2026');
    await client.logout();
  });

  test.each<[string, string, object, number]>([
    ['POST', '', { name: 'INBOX' }, 409],
    ['POST', '', { name: 'inbox' }, 409],
    ['POST', '', { name: '' }, 400],
    ['POST', '', { name: 'a\0b' }, 422],
    ['POST', '', { name: '//' }, 422],
    ['POST', '', { name: 'x'.repeat(1001) }, 400],
    ['POST', '', { name: 'Mine', specialUse: '\\Everything' }, 400],
    ['POST', '', { nome: 'x' }, 400],
    ['PUT', '/inbox', { name: 'Other' }, 422],
    ['DELETE', '/inbox', {}, 422],
    ['PUT', '/999', { name: 'Other' }, 404],
    ['POST', '/inbox/move', { uids: [1], to: 'Nowhere' }, 404],
    ['POST', '/inbox/move', { to: 'INBOX' }, 400],
    ['POST', '/inbox/move', { uids: [1], query: '', to: 'INBOX' }, 400],
    ['POST', '/inbox/move', { uids: [0], to: 'INBOX' }, 400],
    ['POST', '/inbox/flags', { uids: [1], add: ['a(b'] }, 400],
    ['POST', '/inbox/flags', { query: 'larger:soup', add: ['\\Seen'] }, 400],
    ['POST', '/inbox/expunge', {}, 400],
  ])('%s %s %j is refused with %i', async (method, path, body, status) => {
    const inbox = await named('INBOX');
    const target = `/accounts/${ALICE}/mailboxes${path.replace('inbox', String(inbox.id))}`;
    const answer = await ask(target, jsonBody(method, body));
    expect(problem.parse(await answer.json()).status).toBe(status);
    expect((await mailboxes()).map(({ name }) => name)).toEqual(FIRST);
  });
});

describe('the messages of a mailbox', () => {
  test('have what a list shows, flags that change, and a guard against changes that were not seen', async () => {
    await send(
      { subject: 'Your code is 281734', text: 'https://shop.test/a is the first link' },
      { subject: 'With a file', attachments: [{ filename: 'a.txt', content: 'x' }] },
    );
    const inbox = await named('INBOX');
    const { messages, unreadMatches, modSeq } = mailboxMessageList.parse(await list(inbox));
    expect(unreadMatches).toBe(2);
    expect(messages).toMatchObject([
      { uid: 1, code: '281734', link: 'https://shop.test/a', attachments: 0, thread: null },
      { uid: 2, code: null, attachments: 1, snippet: 'hello', from: { name: 'Shop', address: 'shop@app.test' } },
    ]);
    const change = { uids: [1, 9], add: ['\\Flagged', '$Label1'], remove: ['\\Seen'] };
    const changed = flagsChanged.parse(await post(at(inbox, '/flags'), change));
    expect(changed).toMatchObject({ count: 1, gone: [9], modified: [] });
    const one = mailboxMessage.parse(await json(at(inbox, '/messages/1')));
    expect(one.flags).toEqual(expect.arrayContaining(['\\Flagged', '$Label1']));
    const late = { uids: [1, 2], add: ['\\Answered'], unchangedSince: modSeq };
    expect(await post(at(inbox, '/flags'), late)).toMatchObject({ count: 1, modified: [1] });
    expect((await json<{ flags: string[] }>(at(inbox, '/messages/1'))).flags).not.toContain('\\Answered');
    expect(await post(at(inbox, '/flags'), { query: 'is:unread', add: ['\\Seen'] })).toMatchObject({ count: 2 });
    expect((await list(inbox)).unreadMatches).toBe(0);
    expect((await ask(at(inbox, '/messages/9'))).status).toBe(404);
    expect((await list(inbox, 'uid=2')).messages.map(({ uid }) => uid)).toEqual([2]);
    expect((await list(inbox, 'uid=9')).matches).toBe(0);
  });

  test('go to the trash and back to where they were, while an IMAP client in IDLE sees it', async () => {
    await send({ subject: 'one' }, { subject: 'two' });
    const inbox = await named('INBOX');
    await post(`/accounts/${ALICE}/mailboxes`, { name: 'Work' });
    await post<MessagesMoved>(at(inbox, '/move'), { uids: [2], to: 'Work' });
    const client = await imap();
    await client.mailboxOpen('INBOX');
    const expunged = Promise.withResolvers<undefined>();
    const exists = Promise.withResolvers<number>();
    client.on('expunge', () => expunged.resolve(undefined));
    client.on('exists', ({ count }: { count: number }) => exists.resolve(count));
    void client.idle();
    const gone = messagesMoved.parse(await post<MessagesMoved>(at(inbox, '/trash'), { uids: [1, 7] }));
    expect(gone).toMatchObject({ mailbox: { name: 'Trash', specialUse: ['\\Trash'] }, moved: [{ from: 1, to: 1 }] });
    await expunged.promise;
    await post<MessagesMoved>(at(await named('Work'), '/trash'), { query: '' });
    const trash = await named('Trash');
    expect(trash.messages).toBe(2);
    expect((await ask(at(trash, '/trash'), jsonBody('POST', { uids: [1] }))).status).toBe(409);
    const back = messagesRestored.parse(await post<MessagesRestored>(at(trash, '/restore'), { query: '' }));
    expect(back.mailboxes.map(({ mailbox, moved }) => [mailbox.name, moved.length])).toEqual([
      ['INBOX', 1],
      ['Work', 1],
    ]);
    expect(await exists.promise).toBe(1);
    await client.logout();
  });

  test('whose mailbox is no more are restored to INBOX; for good means for good', async () => {
    await send({ subject: 'one' });
    const inbox = await named('INBOX');
    await post(`/accounts/${ALICE}/mailboxes`, { name: 'Work' });
    await post(at(inbox, '/move'), { uids: [1], to: 'Work' });
    const work = await named('Work');
    await post(at(work, '/trash'), { query: '' });
    await ask(at(work), { method: 'DELETE' });
    const trash = await named('Trash');
    const { mailboxes: back } = await post<MessagesRestored>(at(trash, '/restore'), { query: '' });
    expect(back.map(({ mailbox }) => mailbox.name)).toEqual(['INBOX']);
    expect(await post(at(inbox, '/expunge'), { query: '' })).toEqual({ count: 1 });
    expect((await list(inbox)).matches).toBe(0);
  });

  test('a client that writes nonsense where origins are kept takes nothing away', async () => {
    await send({ subject: 'one' });
    const inbox = await named('INBOX');
    await post(at(inbox, '/trash'), { query: '' });
    const trash = await named('Trash');
    const alice = (await stack.store.findAccount(ALICE))!;
    for (const nonsense of ['{', '[1]', '[[1]]', '{"1":2}', '[["a",{}]]']) {
      const value = new Map([['/private/vendor/glassmail/origins', Buffer.from(nonsense)]]);
      await stack.store.setAnnotations(alice.id, trash.id as never, value);
      const { mailboxes: back } = await post<MessagesRestored>(at(trash, '/restore'), { query: '' });
      expect(back.map(({ mailbox }) => mailbox.name)).toEqual(['INBOX']);
      await post(at(inbox, '/trash'), { query: '' });
    }
  });

  test('stand together by their threads', async () => {
    const reply = (id: string, to: string) => ({ messageId: `<${id}@a.test>`, inReplyTo: `<${to}@a.test>` });
    await send(
      { subject: 'Plan', messageId: '<p1@a.test>' },
      { subject: 'Welcome', messageId: '<w1@a.test>' },
      { subject: 'Re: Plan', ...reply('p2', 'p1') },
      { subject: 'Welcome', messageId: '<w2@a.test>' },
      { subject: 'Another word', ...reply('p3', 'p2'), references: ['<p1@a.test>', '<p2@a.test>'] },
    );
    const { messages } = await json<MailboxMessageList>(at(await named('INBOX'), '/messages?threads=1'));
    expect(messages.map(({ uid, thread }) => [uid, thread?.id, thread?.messages])).toEqual([
      [1, 1, 3],
      [3, 1, 3],
      [5, 1, 3],
      [4, 4, 1],
      [2, 2, 1],
    ]);
  });

  test('opened by its email id, a message knows how it came', async () => {
    await send({ subject: 'one' });
    const { messages } = await json<MessageList>('/messages');
    const { emailId, id } = messages[0]!;
    expect(await json(`/messages/${emailId}`)).toMatchObject({
      id: emailId,
      transaction: { id },
      copies: [{ uid: 1 }],
    });
  });
});

describe('threads', () => {
  test('are joined by whoever names both, in any order', () => {
    // 3 names 1 and 2; 0 has no id; 4 is a reply by its subject alone.
    const keys = {
      messageIds: Float64Array.of(0, 11, 12, 13, 14),
      references: Float64Array.of(11, 12),
      starts: Uint32Array.of(0, 0, 0, 0, 2, 2),
      replies: Uint8Array.of(0, 0, 0, 0, 1),
    };
    const first = threadsOf(keys, [7, 1, 2, 3, 7]);
    expect([...first]).toEqual([0, 1, 1, 1, 0]);
    expect(threadOrder([0, 1, 2, 3, 4], first)).toEqual([0, 4, 1, 2, 3]);
    expect(threadOrder([1, 4], first)).toEqual([4, 1]);
  });
});

describe('a scope', () => {
  test('does to its own accounts all of that, and nothing to those of others', async () => {
    const mine = await post<MadeScope>('/scopes', { name: 'mine' });
    const headers = { ...(jsonBody('POST', {}).headers as object), Authorization: `Bearer ${mine.token}` };
    await send({ subject: 'theirs' }, { subject: 'mine', to: mine.address });
    const theirs = await named('INBOX');
    const own = (await mailboxes(mine.address)).find(({ name }) => name === 'INBOX')!;
    const as = (path: string, body: unknown) => ask(path, { ...jsonBody('POST', body), headers });
    for (const path of ['/flags', '/trash', '/restore', '/expunge', '/messages/1/readings']) {
      expect((await as(at(theirs, path), { uids: [1] })).status).toBe(404);
      // Their mailbox as if it were one of its own account.
      expect((await as(`/accounts/${mine.address}/mailboxes/${theirs.id}${path}`, { uids: [1] })).status).toBe(404);
    }
    expect((await as('/compose', { from: ALICE, to: mine.address })).status).toBe(404);
    expect((await list(theirs)).messages).toHaveLength(1);
    expect((await as(`/accounts/${mine.address}/mailboxes/${own.id}/trash`, { uids: [1] })).status).toBe(200);
  });
});
