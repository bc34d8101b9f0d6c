/** nodemailer: how Node programs send, against the port for applications and against both for submission. */
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Service } from '../../src/config.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { address, contents, subjectOf } from './mail.ts';

let stack: TestStack;
let ca: string;
beforeEach(async () => {
  stack = await startTestStack();
  ca = await readFile(stack.authorityFile!, 'utf8');
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

const alice = () => ({ user: address('alice'), pass: 'glass' });
const settings = (service: Service) => ({
  host: 'localhost',
  port: stack.port(service),
  secure: service === 'submissions',
  requireTLS: service === 'submission',
  tls: { ca },
});
const letter = (subject: string) => ({ from: address('alice'), to: address('bob'), subject, text: '.\n..\nHello\n' });

test.each<[Service, object]>([
  ['smtp', {}],
  ['smtp', { auth: { user: 'anybody', pass: 'anything' } }],
  ['submission', { auth: { user: 'alice@glass.localhost', pass: 'glass' } }],
  ['submissions', { auth: { user: 'alice@glass.localhost', pass: 'glass' } }],
  ['submissions', { auth: { user: 'alice', pass: 'glass' }, authMethod: 'LOGIN' }],
])('sends over %s %j', async (service, login) => {
  const transport = createTransport({ ...settings(service), ...login });
  expect(await transport.verify()).toBe(true);
  const sent = await transport.sendMail(letter('hello'));
  expect(sent.accepted).toEqual([address('bob')]);
  expect(sent.response).toMatch(/^250 2\.0\.0 Ok: queued as \w{22}$/);
  const [message] = await contents(stack, 'bob', 'INBOX');
  expect(subjectOf(message!)).toBe('hello');
  expect(message!.text.endsWith('\r\n\r\n.\r\n..\r\nHello\r\n')).toBe(true);
});

test('is told of a wrong password, of and of a missing one', async () => {
  const wrong = createTransport({ ...settings('submissions'), auth: { ...alice(), pass: 'wrong' } });
  await expect(wrong.sendMail(letter('no'))).rejects.toMatchObject({ code: 'EAUTH', responseCode: 535 });
  const none = createTransport(settings('submissions'));
  await expect(none.sendMail(letter('no'))).rejects.toMatchObject({ responseCode: 530 });
});

test('is told which of several recipients are none', async () => {
  await using red = await startTestStack('--domains', 'red.test', '--accounts', 'alice,bob', '--password', 'glass');
  const transport = createTransport({
    host: 'localhost',
    port: red.port('submissions'),
    secure: true,
    tls: { ca: await readFile(red.authorityFile!, 'utf8') },
    auth: { user: 'alice', pass: 'glass' },
  });
  const sent = await transport.sendMail({
    from: 'alice@red.test',
    to: ['bob@red.test', 'nobody@red.test', 'bob@elsewhere.test'],
    subject: 'to one of three',
    text: 'Hello',
  });
  expect(sent.accepted).toEqual(['bob@red.test']);
  expect(sent.rejectedErrors?.map(({ response }) => response)).toEqual([
    expect.stringMatching(/^550 5\.1\.1 /),
    expect.stringMatching(/^550 5\.7\.1 /),
  ]);
  expect(red.logged).toEqual([]);
});

test('a pool of connections sends two hundred messages', async () => {
  const transport = createTransport({
    ...settings('submissions'),
    auth: alice(),
    pool: true,
    maxConnections: 4,
    maxMessages: 60,
  });
  await Promise.all(Array.from({ length: 200 }, (_, number) => transport.sendMail(letter(`number ${number}`))));
  transport.close();
  const subjects = (await contents(stack, 'bob', 'INBOX')).map(subjectOf);
  expect(subjects.sort()).toEqual(Array.from({ length: 200 }, (_, number) => `number ${number}`).sort());
});

test('delivery status notifications (RFC 3461)', async () => {
  const transport = createTransport({ ...settings('submissions'), auth: alice() });
  const sent = await transport.sendMail({
    ...letter('DSN'),
    dsn: { id: 'a+b=c', return: 'headers', notify: ['success', 'failure', 'delay'], recipient: address('alice') },
  });
  const found = await stack.store.findTransaction(sent.response.split(' ').at(-1)!);
  expect(found).toMatchObject({
    reversePath: address('alice'),
    forwardPaths: [{ address: address('bob'), notify: 'SUCCESS,FAILURE,DELAY' }],
  });
});

test('addresses and headers in UTF-8 (RFC 6531)', async () => {
  const transport = createTransport({ ...settings('submissions'), auth: alice() });
  await transport.sendMail({
    from: address('alice'),
    to: 'Größe <größe@glass.localhost>',
    subject: '你好 \u{1F40C}',
    text: 'Grüße',
  });
  const [message] = await contents(stack, 'größe', 'INBOX');
  expect(message!.text).toMatch(/^Subject: =\?UTF-8\?/m);
});

test('attachments, alternatives and inline images arrive as they were', async () => {
  const transport = createTransport({ ...settings('submission'), auth: alice() });
  const bytes = randomBytes(100_000);
  await transport.sendMail({
    ...letter('parts'),
    html: '<p>Hello <img src="cid:picture"></p>',
    attachments: [
      { filename: 'bytes.bin', content: bytes },
      { filename: 'Größe.txt', content: 'the text' },
      { filename: 'picture.png', content: Buffer.from('89504e470d0a1a0a', 'hex'), cid: 'picture' },
    ],
  });
  const [message] = await contents(stack, 'bob', 'INBOX');
  const encoded = /filename=bytes\.bin\r\n\r\n([A-Za-z0-9+/=\r\n]+?)\r\n--/.exec(message!.text.replaceAll('"', ''));
  expect(Buffer.from(encoded?.[1] ?? '', 'base64').equals(bytes)).toBe(true);
});

test('streams twenty megabytes, octet for octet', async () => {
  const transport = createTransport({ ...settings('submissions'), auth: alice() });
  const head = Buffer.from('From: alice@glass.localhost\r\nTo: bob@glass.localhost\r\nSubject: large\r\n\r\n');
  const line = Buffer.from(`.${randomBytes(35).toString('hex')}\r\n`);
  const block = Buffer.alloc(line.length * 1000, line);
  const blocks = Math.ceil((20 * 1024 * 1024) / block.length);
  const digest = createHash('sha256').update(head);
  for (let number = 0; number < blocks; number++) digest.update(block);
  const sent = await transport.sendMail({
    envelope: { from: address('alice'), to: address('bob') },
    raw: Readable.from(
      (function* () {
        yield head;
        for (let number = 0; number < blocks; number++) yield block;
      })(),
    ),
  });
  expect(sent.response).toMatch(/^250 /);
  const [message] = await contents(stack, 'bob', 'INBOX');
  const received = message!.octets.subarray(-(head.length + blocks * block.length));
  expect(createHash('sha256').update(received).digest('hex')).toBe(digest.digest('hex'));
});

test('a message over the limit is refused, and the next one is not', async () => {
  await using small = await startTestStack('--max-message-size', '100K');
  const transport = createTransport({ host: 'localhost', port: small.port('smtp'), pool: true, maxConnections: 1 });
  const large = { ...letter('too large'), text: 'x'.repeat(76).concat('\n').repeat(3000) };
  await expect(transport.sendMail(large)).rejects.toMatchObject({ responseCode: 552 });
  await transport.sendMail(letter('small'));
  transport.close();
  expect((await contents(small, 'bob', 'INBOX')).map(subjectOf)).toEqual(['small']);
});
