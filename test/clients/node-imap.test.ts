/** imap (node-imap): the client that older Node programs have. */
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import Imap from 'imap';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, deposit, letter, mailboxes } from './mail.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

async function connect(service: 'imap' | 'imaps', password = 'glass'): Promise<Imap> {
  const imap = new Imap({
    user: address('alice'),
    password,
    host: 'localhost',
    port: stack.port(service),
    tls: service === 'imaps',
    autotls: service === 'imap' ? 'always' : 'never',
    tlsOptions: { ca: await readFile(stack.authorityFile!, 'utf8'), servername: 'localhost' },
  });
  imap.connect();
  await once(imap, 'ready');
  return imap;
}

async function disconnect(imap: Imap): Promise<void> {
  imap.end();
  await once(imap, 'close');
}

/** Each message's octets and attributes, in the order in which they come. */
async function fetchAll(
  imap: Imap,
  source: string,
): Promise<{ text: string; attributes: Imap.ImapMessageAttributes }[]> {
  const fetching = imap.fetch(source, { bodies: '', struct: true });
  const messages: { text: string; attributes: Imap.ImapMessageAttributes }[] = [];
  fetching.on('message', (message) => {
    const found = { text: '', attributes: undefined as unknown as Imap.ImapMessageAttributes };
    message.on('body', (stream) => {
      stream.on('data', (chunk: Buffer) => (found.text += chunk.toString('latin1')));
    });
    message.once('attributes', (attributes: Imap.ImapMessageAttributes) => (found.attributes = attributes));
    message.once('end', () => messages.push(found));
  });
  await once(fetching, 'end');
  return messages;
}

/** One call of an interface of callbacks. */
function call<Result>(start: (done: (error?: Error | null, result?: Result) => void) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error) reject(error);
      else resolve(result as Result);
    });
  });
}

test.each(['imap', 'imaps'] as const)('%s: reads, searches, flags, moves, appends, removes', async (service) => {
  const imap = await connect(service);
  const box = await call<Imap.Box>((done) => imap.openBox('INBOX', false, done));
  expect(box).toMatchObject({ name: 'INBOX', messages: { total: 6, new: 6 }, uidnext: 7, persistentUIDs: true });
  const messages = await fetchAll(imap, '1:*');
  const stored = await contents(stack, 'alice', 'INBOX');
  expect(messages.map(({ text }) => text)).toEqual(stored.map(({ text }) => text));
  expect(messages.map(({ attributes }) => attributes.uid)).toEqual([1, 2, 3, 4, 5, 6]);

  const search = (...criteria: unknown[]) => call<number[]>((done) => imap.search(criteria, done));
  expect(await search('UNSEEN', ['SUBJECT', 'lines'])).toEqual([5]);
  expect(await search(['OR', ['HEADER', 'SUBJECT', 'dots'], ['BODY', '你好']])).toEqual([1, 2]);
  expect(await search(['SENTSINCE', 'June 30, 2026'], '!FLAGGED', ['LARGER', '1000'])).toEqual([4]);

  await call((done) => imap.addFlags([1, 2], ['\\Flagged'], done));
  await call((done) => imap.addKeywords([2], ['Work'], done));
  await call((done) => imap.delFlags([1], ['\\Flagged'], done));
  const after = await contents(stack, 'alice', 'INBOX');
  expect(after.slice(0, 2).map(({ flags }) => flags)).toEqual([[], ['Work', '\\Flagged']]);

  await call((done) => imap.addBox('Größe', done));
  expect(await mailboxes(stack, 'alice')).toContain('Größe');
  await call((done) => imap.move([2], 'Größe', done));
  await call((done) => imap.copy([1], 'Größe', done));
  // Without a date: node-imap asks util.isDate, which Node has no longer.
  const options = { mailbox: 'Größe', flags: ['\\Seen'] };
  await call((done) => imap.append(AWKWARD.dots!, options, done));
  const kept = await contents(stack, 'alice', 'Größe');
  expect(kept.map(({ text }) => text)).toEqual([stored[1]!.text, stored[0]!.text, stored[0]!.text]);
  expect(kept[2]!.flags).toEqual(['\\Seen']);
  const boxes = await call<Imap.MailBoxes>((done) => imap.getBoxes(done));
  expect(Object.keys(boxes)).toContain('Größe');

  await call((done) => imap.addFlags([3], '\\Deleted', done));
  await call((done) => imap.expunge([3], done));
  expect((await contents(stack, 'alice', 'INBOX')).map(({ uid }) => uid)).toEqual([1, 4, 5, 6]);
  await call((done) => imap.delBox('Größe', done));
  expect(await mailboxes(stack, 'alice')).not.toContain('Größe');
  await disconnect(imap);
});

test('hears of new mail', async () => {
  const imap = await connect('imaps');
  await call<Imap.Box>((done) => imap.openBox('INBOX', done));
  const arrives = once(imap, 'mail');
  await deposit(stack, 'alice', 'INBOX', letter('news'));
  expect(await arrives).toEqual([1]);
  await disconnect(imap);
});

test('is refused with a wrong password', async () => {
  await expect(connect('imaps', 'wrong')).rejects.toMatchObject({ source: 'authentication' });
});
