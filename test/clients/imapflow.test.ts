/** imapflow: most of what it offers, each result seen in the store too. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { ImapFlow, type FetchMessageObject, type ListResponse } from 'imapflow';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import {
  AWKWARD,
  addFlags,
  address,
  contents,
  deposit,
  letter,
  mailboxes,
  remove,
  subjectOf,
  subscriptions,
} from './mail.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

/** A client that has logged in, and logs out with the test. */
async function connect(
  service: 'imap' | 'imaps' = 'imaps',
  options: { account?: string; password?: string; loginMethod?: 'LOGIN' | 'AUTH=PLAIN' | 'AUTH=LOGIN' } = {},
): Promise<ImapFlow & AsyncDisposable> {
  const { account = 'alice', password = 'glass', loginMethod } = options;
  const client = new ImapFlow({
    host: 'localhost',
    port: stack.port(service),
    secure: service === 'imaps',
    doSTARTTLS: service === 'imap' ? true : undefined,
    tls: { ca: await readFile(stack.authorityFile!, 'utf8') },
    auth: { user: address(account), pass: password, ...(loginMethod && { loginMethod }) },
    logger: false,
  });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.logout() });
}

async function fillInbox(): Promise<void> {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
}

test.each(['imap', 'imaps'] as const)(
  '%s: logs in by every way, and is refused with a wrong password',
  async (service) => {
    for (const loginMethod of ['LOGIN', 'AUTH=PLAIN', 'AUTH=LOGIN'] as const) {
      await using client = await connect(service, { loginMethod });
      expect(client.authenticated).toBeTruthy();
      expect(client.secureConnection).toBe(true);
      expect(client.serverInfo?.name).toBe('glassmail');
    }
    await expect(connect(service, { password: 'wrong' })).rejects.toMatchObject({
      authenticationFailed: true,
      serverResponseCode: 'AUTHENTICATIONFAILED',
    });
  },
);

test('mailboxes: makes, lists, renames, subscribes, removes', async () => {
  await using client = await connect();
  expect(await client.mailboxCreate(['Work', 'Ümläute', '日本語'])).toMatchObject({
    path: 'Work/Ümläute/日本語',
    created: true,
  });
  expect(await client.mailboxCreate('Work')).toMatchObject({ created: false });
  const paths = (list: readonly ListResponse[]) => list.map(({ path }) => path).sort();
  const list = await client.list({ statusQuery: { messages: true, unseen: true, uidNext: true } });
  expect(paths(list)).toEqual(await mailboxes(stack, 'alice'));
  expect(list.find(({ path }) => path === 'INBOX')?.status).toMatchObject({ messages: 0, unseen: 0, uidNext: 1 });
  for (const use of ['\\Sent', '\\Drafts', '\\Trash', '\\Junk', '\\Archive'])
    expect(list.filter(({ specialUse }) => specialUse === use).length, use).toBe(1);

  expect(await client.mailboxRename('Work', 'Arbeit')).toMatchObject({ newPath: 'Arbeit' });
  expect(await mailboxes(stack, 'alice')).toContain('Arbeit/Ümläute/日本語');
  await client.mailboxSubscribe('Arbeit/Ümläute');
  expect(await subscriptions(stack, 'alice')).toContain('Arbeit/Ümläute');
  await client.mailboxUnsubscribe('Arbeit/Ümläute');
  expect(await subscriptions(stack, 'alice')).not.toContain('Arbeit/Ümläute');
  await client.mailboxDelete('Arbeit/Ümläute/日本語');
  expect(await mailboxes(stack, 'alice')).not.toContain('Arbeit/Ümläute/日本語');
  await expect(client.mailboxDelete('Arbeit/Ümläute/日本語')).rejects.toMatchObject({
    serverResponseCode: 'NONEXISTENT',
  });
  await expect(client.mailboxOpen('Nowhere')).rejects.toMatchObject({ responseStatus: 'NO' });
});

test('fetches: octets, envelope, structure, parts, headers, downloads', async () => {
  await fillInbox();
  await using client = await connect();
  await client.mailboxOpen('INBOX', { readOnly: true });
  const fetched = await client.fetchAll('1:*', {
    uid: true,
    flags: true,
    size: true,
    envelope: true,
    bodyStructure: true,
    internalDate: true,
    source: true,
    headers: ['subject', 'message-id'],
    threadId: true,
  });
  const stored = await contents(stack, 'alice', 'INBOX');
  expect(fetched.map(({ uid }) => uid)).toEqual(stored.map(({ uid }) => uid));
  fetched.forEach((message, index) => {
    const { text, octets, internalDate } = stored[index]!;
    const subject = Object.keys(AWKWARD)[index]!;
    expect(message.source!.toString('latin1')).toBe(text);
    expect(message.size).toBe(octets.length);
    expect(message.internalDate).toEqual(internalDate);
    expect(message.envelope).toMatchObject({
      subject,
      date: new Date('2026-07-01T10:00:00Z'),
      from: [{ name: 'Bob', address: 'bob@glass.localhost' }],
      to: [{ name: 'Alice', address: 'alice@glass.localhost' }],
    });
    expect(message.headers!.toString()).toContain(`Subject: ${subject}\r\n`);
    expect(message.emailId).toBeTruthy();
  });
  const parts = fetched[5]!.bodyStructure!;
  expect(parts).toMatchObject({
    type: 'multipart/mixed',
    childNodes: [
      { part: '1', type: 'text/plain', parameters: { charset: 'utf-8' } },
      { part: '2', type: 'application/octet-stream', disposition: 'attachment' },
      { part: '3', type: 'message/rfc822', envelope: { subject: 'inside' } },
    ],
  });
  const attachment = await client.download('6', '2');
  expect(attachment.meta).toMatchObject({ contentType: 'application/octet-stream', filename: 'bytes.bin' });
  const chunks: Buffer[] = [];
  for await (const chunk of attachment.content as AsyncIterable<Buffer>) chunks.push(chunk);
  expect(Buffer.concat(chunks)).toEqual(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  const partial = (await client.fetchOne('1', { source: { start: 4, maxLength: 10 } })) as FetchMessageObject;
  expect(partial.source!.toString()).toBe(AWKWARD.dots!.toString().slice(4, 14));
  const texts = (await client.fetchOne('6', { bodyParts: ['1', '3.text', '3.header'] })) as FetchMessageObject;
  expect(texts.bodyParts!.get('1')!.toString()).toBe('The text.');
  expect(texts.bodyParts!.get('3.header')!.toString()).toBe('Subject: inside\r\n\r\n');
  // All of this left the flags alone.
  expect((await contents(stack, 'alice', 'INBOX')).map(({ flags }) => flags)).toEqual(stored.map(() => []));
});

test('flags, copies, moves, deletes', async () => {
  await fillInbox();
  await using client = await connect();
  await client.mailboxCreate('Kept');
  await client.mailboxOpen('INBOX');
  await client.messageFlagsAdd('1:3', ['\\Seen', '$Important']);
  await client.messageFlagsRemove('2', ['\\Seen'], { uid: true });
  await client.messageFlagsSet({ uid: '4' }, ['\\Answered']);
  expect((await contents(stack, 'alice', 'INBOX')).map(({ flags }) => flags)).toEqual([
    ['$Important', '\\Seen'],
    ['$Important'],
    ['$Important', '\\Seen'],
    ['\\Answered'],
    [],
    [],
  ]);
  const copied = await client.messageCopy({ seen: true }, 'Kept');
  expect(copied).toMatchObject({
    destination: 'Kept',
    uidMap: new Map([
      [1, 1],
      [3, 2],
    ]),
  });
  const moved = await client.messageMove('5:6', 'Kept', { uid: true });
  expect(moved).toMatchObject({
    uidMap: new Map([
      [5, 3],
      [6, 4],
    ]),
  });
  await client.messageDelete('4', { uid: true });
  expect((await contents(stack, 'alice', 'INBOX')).map(({ uid }) => uid)).toEqual([1, 2, 3]);
  const kept = await contents(stack, 'alice', 'Kept');
  expect(kept.map(subjectOf)).toEqual(['dots', 'no body', 'From lines', 'parts']);
  expect(kept.map(({ text }) => text)).toEqual(
    ['dots', 'no body', 'From lines', 'parts'].map((subject) => AWKWARD[subject]!.toString()),
  );
  expect(await client.status('Kept', { messages: true, unseen: true, highestModseq: true })).toMatchObject({
    messages: 4,
    unseen: 2,
  });
});

test('appends, with flags and a date, small and large', async () => {
  await using client = await connect();
  await client.mailboxOpen('INBOX');
  const date = new Date('2020-02-29T23:59:58Z');
  const appended = await client.append('INBOX', AWKWARD['eight bits']!, ['\\Seen', 'Work'], date);
  expect(appended).toMatchObject({ destination: 'INBOX', uid: 1, seq: 1 });
  const [message] = await contents(stack, 'alice', 'INBOX');
  expect(message).toMatchObject({ flags: ['Work', '\\Seen'], internalDate: date });
  expect(message!.octets.equals(AWKWARD['eight bits']!)).toBe(true);
  const large = Buffer.concat([letter('large'), Buffer.from('0123456789abcdef\r\n'.repeat(300_000))]);
  await client.append('INBOX', large);
  const back = (await client.fetchOne('2', { source: true })) as FetchMessageObject;
  expect(back.source!.equals(large)).toBe(true);
  await expect(client.append('Nowhere', 'Subject: x\r\n\r\nx\r\n')).rejects.toMatchObject({
    serverResponseCode: 'TRYCREATE',
  });
});

test('searches', async () => {
  await fillInbox();
  await addFlags(stack, 'alice', 'INBOX', [2, 3], ['\\Flagged', 'Work']);
  await addFlags(stack, 'alice', 'INBOX', [1], ['\\Seen', '\\Answered']);
  await using client = await connect();
  await client.mailboxOpen('INBOX');
  const today = new Date();
  const search = (query: Parameters<ImapFlow['search']>[0]) => client.search(query, { uid: true });
  const all = [1, 2, 3, 4, 5, 6];
  expect(await search({ all: true })).toEqual(all);
  expect(await search({ seq: '2:3' })).toEqual([2, 3]);
  expect(await search({ uid: '4:*' })).toEqual([4, 5, 6]);
  expect(await search({ seen: false })).toEqual([2, 3, 4, 5, 6]);
  expect(await search({ answered: true })).toEqual([1]);
  expect(await search({ flagged: true, keyword: 'Work' })).toEqual([2, 3]);
  expect(await search({ unKeyword: 'Work' })).toEqual([1, 4, 5, 6]);
  expect(await search({ from: 'BOB', to: 'alice@glass', subject: 'LINE' })).toEqual([4, 5]);
  expect(await search({ body: '你好' })).toEqual([2]);
  expect(await search({ body: 'message in a message' })).toEqual([6]);
  expect(await search({ text: 'eight.bits@' })).toEqual([2]);
  expect(await search({ header: { 'message-id': 'dots', subject: true } })).toEqual([1]);
  expect(await search({ larger: 1000 })).toEqual([4]);
  expect(await search({ smaller: 200, not: { subject: 'dots' } })).toEqual(
    Object.values(AWKWARD).flatMap((message, index) => (message.length < 200 && index > 0 ? [index + 1] : [])),
  );
  expect(await search({ sentOn: '2026-07-01' })).toEqual(all);
  expect(await search({ sentBefore: new Date('2026-07-01') })).toEqual([]);
  expect(await search({ since: new Date(today.getTime() - 86_400_000) })).toEqual(all);
  expect(await search({ or: [{ subject: 'dots' }, { subject: 'parts' }] })).toEqual([1, 6]);
  expect(await search({ or: [{ subject: 'dots' }, { subject: 'parts', seen: false }, { flagged: true }] })).toEqual([
    1, 2, 3, 6,
  ]);
  expect(await search({ subject: 'nothing of this' })).toEqual([]);
  const { emailId } = (await client.fetchOne('3', { flags: true, threadId: true, uid: true })) as FetchMessageObject;
  expect(await search({ emailId: emailId! })).toEqual([3]);
  expect(await client.search({ all: true }, { returnOptions: ['MIN', 'MAX', 'COUNT', 'ALL'] })).toMatchObject({
    min: 1,
    max: 6,
    count: 6,
    all: '1:6',
  });
});

test('hears of what happens, while it waits with IDLE', async () => {
  await deposit(stack, 'alice', 'INBOX', letter('the first'));
  await deposit(stack, 'alice', 'INBOX', letter('the second'));
  await using client = await connect();
  await client.mailboxOpen('INBOX');
  const idling = client.idle();
  const arrives = once(client, 'exists');
  await deposit(stack, 'alice', 'INBOX', letter('the third'));
  expect((await arrives)[0]).toMatchObject({ path: 'INBOX', count: 3, prevCount: 2 });
  const flagged = once(client, 'flags');
  await addFlags(stack, 'alice', 'INBOX', [2], ['\\Flagged']);
  expect((await flagged)[0]).toMatchObject({ path: 'INBOX', seq: 2, flags: new Set(['\\Flagged']) });
  const expunged = once(client, 'expunge');
  await remove(stack, 'alice', 'INBOX', [1]);
  expect((await expunged)[0]).toMatchObject({ path: 'INBOX', seq: 1 });
  const [message] = await client.fetchAll('2', { envelope: true }); // breaks the IDLE
  expect(message!.envelope!.subject).toBe('the third');
  await idling;
});

test('fetches only what changed (CONDSTORE)', async () => {
  await fillInbox();
  await using client = await connect();
  const mailbox = await client.mailboxOpen('INBOX');
  const { highestModseq } = mailbox;
  expect(highestModseq).toBeTypeOf('bigint');
  await addFlags(stack, 'alice', 'INBOX', [2, 5], ['\\Flagged']);
  const changed = await client.fetchAll('1:*', { uid: true, flags: true }, { changedSince: highestModseq! });
  expect(changed.map(({ uid, flags }) => [uid, flags!.has('\\Flagged')])).toEqual([
    [2, true],
    [5, true],
  ]);
  expect(await client.search({ modseq: highestModseq! + 1n }, { uid: true })).toEqual([2, 5]);
  // Not over somebody else's change.
  const [second] = changed;
  await addFlags(stack, 'alice', 'INBOX', [2], ['\\Answered']);
  await client.messageFlagsAdd('2', ['Late'], { uid: true, unchangedSince: second!.modseq! });
  expect((await contents(stack, 'alice', 'INBOX'))[1]!.flags).toEqual(['\\Answered', '\\Flagged']);
  // Fetching again from the newest number brings nothing.
  const status = await client.status('INBOX', { highestModseq: true });
  expect(
    await client.fetchAll('1:*', { uid: true }, { changedSince: (status as { highestModseq: bigint }).highestModseq }),
  ).toEqual([]);
});

test('quota: what is used, what there may be, and what is over', async () => {
  await deposit(stack, 'alice', 'INBOX', letter('the first'));
  const { id } = (await stack.store.findAccount(address('alice')))!;
  await using client = await connect();
  // Nothing is limited, so there is no root.
  expect(await client.getQuota()).toEqual({ path: 'INBOX' });
  await stack.store.setQuota(id, { octets: 2048, messages: 2 });
  expect(await client.getQuota('Sent')).toEqual({
    path: 'Sent',
    quotaRoot: address('alice'),
    storage: { usage: 1024, limit: 2048, status: '50%' },
    message: { usage: 1, limit: 2, status: '50%' },
  });
  const tooLarge = client.append('Sent', `Subject: large\r\n\r\n${'x'.repeat(2000)}\r\n`);
  await expect(tooLarge).rejects.toMatchObject({ serverResponseCode: 'OVERQUOTA' });
  expect((await contents(stack, 'alice', 'Sent')).length).toBe(0);
});

test('a hundred mailboxes and a thousand messages', async () => {
  await using client = await connect();
  for (let number = 0; number < 100; number++) await client.mailboxCreate(`Many/${number}`);
  expect((await client.list()).length).toBeGreaterThan(100);
  for (let number = 0; number < 1000; number++) await deposit(stack, 'alice', 'Many/7', letter(`number ${number}`));
  await client.mailboxOpen('Many/7');
  const subjects: string[] = [];
  for await (const { envelope } of client.fetch('1:*', { envelope: true })) subjects.push(envelope!.subject!);
  expect(subjects).toEqual(Array.from({ length: 1000 }, (_, number) => `number ${number}`));
  await client.messageMove('1:*', 'Many/8');
  expect((await contents(stack, 'alice', 'Many/8')).length).toBe(1000);
  expect((await contents(stack, 'alice', 'Many/7')).length).toBe(0);
});
