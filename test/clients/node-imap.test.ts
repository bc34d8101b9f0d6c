/** imap (node-imap): the client that older Node programs have. */
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { promisify } from 'node:util';
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
    message.once('attributes', (attributes) => (found.attributes = attributes));
    message.once('end', () => messages.push(found));
  });
  await once(fetching, 'end');
  return messages;
}

test.each(['imap', 'imaps'] as const)('%s: reads, searches, flags, moves, appends, removes', async (service) => {
  const imap = await connect(service);
  const box = await promisify(
    imap.openBox.bind(imap) as (
      name: string,
      readOnly: boolean,
      done: (error: Error | null, box: Imap.Box) => void,
    ) => void,
  )('INBOX', false);
  expect(box).toMatchObject({ name: 'INBOX', messages: { total: 6, new: 6 }, uidnext: 7, persistentUIDs: true });
  const messages = await fetchAll(imap, '1:*');
  const stored = await contents(stack, 'alice', 'INBOX');
  expect(messages.map(({ text }) => text)).toEqual(stored.map(({ text }) => text));
  expect(messages.map(({ attributes }) => attributes.uid)).toEqual([1, 2, 3, 4, 5, 6]);

  const search = promisify(imap.search.bind(imap));
  expect(await search(['UNSEEN', ['SUBJECT', 'lines']])).toEqual([5]);
  expect(await search([['OR', ['HEADER', 'SUBJECT', 'dots'], ['BODY', '你好']]])).toEqual([1, 2]);
  expect(await search([['SENTSINCE', 'June 30, 2026'], '!FLAGGED', ['LARGER', '1000']])).toEqual([4]);

  await promisify((source: number[], flags: string[], done: (error: Error) => void) =>
    imap.addFlags(source, flags, done),
  )([1, 2], ['\\Flagged']);
  await promisify((source: number[], words: string[], done: (error: Error) => void) =>
    imap.addKeywords(source, words, done),
  )([2], ['Work']);
  await promisify((source: number[], flags: string[], done: (error: Error) => void) =>
    imap.delFlags(source, flags, done),
  )([1], ['\\Flagged']);
  const after = await contents(stack, 'alice', 'INBOX');
  expect(after.slice(0, 2).map(({ flags }) => flags)).toEqual([[], ['Work', '\\Flagged']]);

  await promisify(imap.addBox.bind(imap))('Größe');
  expect(await mailboxes(stack, 'alice')).toContain('Größe');
  await promisify((source: number[], name: string, done: (error: Error) => void) => imap.move(source, name, done))(
    [2],
    'Größe',
  );
  await promisify((source: number[], name: string, done: (error: Error) => void) => imap.copy(source, name, done))(
    [1],
    'Größe',
  );
  expect((await contents(stack, 'alice', 'Größe')).map(({ text }) => text)).toEqual([stored[1]!.text, stored[0]!.text]);
  await promisify((data: Buffer, options: Imap.AppendOptions, done: (error: Error) => void) =>
    imap.append(data, options, done),
  )(AWKWARD.dots!, { mailbox: 'Größe', flags: ['\\Seen'], date: new Date('2026-07-01T10:00:00Z') });
  expect((await contents(stack, 'alice', 'Größe'))[2]).toMatchObject({
    text: stored[0]!.text,
    flags: ['\\Seen'],
    internalDate: new Date('2026-07-01T10:00:00Z'),
  });
  const boxes = await promisify((done: (error: Error | null, boxes: Imap.MailBoxes) => void) => imap.getBoxes(done))();
  expect(Object.keys(boxes)).toContain('Größe');

  await promisify((source: number[], flags: string, done: (error: Error) => void) =>
    imap.addFlags(source, flags, done),
  )([3], '\\Deleted');
  await promisify((uids: number[], done: (error: Error) => void) => imap.expunge(uids, done))([3]);
  expect((await contents(stack, 'alice', 'INBOX')).map(({ uid }) => uid)).toEqual([1, 4, 5, 6]);
  await promisify(imap.delBox.bind(imap))('Größe');
  expect(await mailboxes(stack, 'alice')).not.toContain('Größe');
  await disconnect(imap);
});

test('hears of new mail, and of mail that goes', async () => {
  const imap = await connect('imaps');
  await promisify((name: string, done: (error: Error | null, box: Imap.Box) => void) => imap.openBox(name, done))(
    'INBOX',
  );
  const arrives = once(imap, 'mail');
  await deposit(stack, 'alice', 'INBOX', letter('news'));
  expect(await arrives).toEqual([1]);
  await disconnect(imap);
});

test('is refused with a wrong password', async () => {
  await expect(connect('imaps', 'wrong')).rejects.toMatchObject({ source: 'authentication' });
});
