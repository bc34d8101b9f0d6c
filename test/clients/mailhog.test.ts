/** The npm package mailhog, as tests of applications use it: all its calls; and what cypress-mailhog reads. */
import mailhog from 'mailhog';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';

let stack: TestStack;
let hog: ReturnType<typeof mailhog>;
/** A server that messages are released to. */
let world: TestStack;

beforeEach(async () => {
  world = await startTestStack();
  stack = await startTestStack('--release-to', `127.0.0.1:${world.port('smtp')}`);
  hog = mailhog({ host: '127.0.0.1', port: stack.port('http') });
  for (const subject of ['first', 'second', 'third']) await send({ subject: `${subject}-Größe` });
});
afterEach(async () => {
  expect([...stack.logged, ...world.logged]).toEqual([]);
  await stack[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function send({ subject, from = 'shop@example.test' }: { subject: string; from?: string }): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp') });
  await transport.sendMail({
    from: { name: 'Bäckerei', address: from },
    to: 'Alice <alice@glass.localhost>',
    cc: 'carol@other.test',
    bcc: 'secret@other.test',
    replyTo: 'help@example.test',
    subject,
    text: `Grüße: ${subject}\n`,
    html: `<p>${subject}</p>`,
    attachments: [{ filename: 'a.bin', content: Buffer.from([0, 1, 2, 255]) }],
  });
  transport.close();
}

const subjects = (result: { items: { subject: string }[] } | null): string[] =>
  result!.items.map(({ subject }) => subject);
const THREE = ['third-Größe', 'second-Größe', 'first-Größe'];

test('messages: in pages, newest first, decoded', async () => {
  const all = await hog.messages();
  expect(all).toMatchObject({ total: 3, count: 3, start: 0 });
  expect(subjects(all)).toEqual(THREE);
  expect(subjects(await hog.messages(1, 1))).toEqual(['second-Größe']);
  const [message] = all!.items;
  expect(message).toMatchObject({
    subject: 'third-Größe',
    from: 'Bäckerei <shop@example.test>',
    to: 'Alice <alice@glass.localhost>',
    cc: 'carol@other.test',
    replyTo: 'help@example.test',
  });
  expect(message!.date.getTime()).toBeGreaterThan(Date.now() - 60_000);
  expect(message!.deliveryDate.getTime()).toBeGreaterThan(Date.now() - 60_000);
  const [attachment] = message!.attachments;
  expect(attachment).toMatchObject({ name: 'a.bin', encoding: 'base64' });
  expect(Buffer.from(attachment!.Body, 'base64')).toEqual(Buffer.from([0, 1, 2, 255]));
});

test('search, latestFrom, latestTo, latestContaining', async () => {
  await send({ subject: 'from another', from: 'other@example.test' });
  expect(subjects(await hog.search('shop@example.test', 'from'))).toEqual(THREE);
  expect(subjects(await hog.search('second-'))).toEqual(['second-Größe']);
  expect(subjects(await hog.search('shop@example.test', 'from', 1, 1))).toEqual(['second-Größe']);
  expect((await hog.latestFrom('other@example.test'))!.subject).toBe('from another');
  expect((await hog.latestTo('secret@other.test'))!.subject).toBe('from another');
  expect((await hog.latestContaining('first-'))!.subject).toBe('first-Größe');
  expect(await hog.latestTo('nobody@other.test')).toBeFalsy();
});

test('releaseMessage: to the server that is permitted alone', async () => {
  const { ID } = (await hog.latestContaining('second-'))!;
  const port = String(world.port('smtp'));
  const to = { host: '127.0.0.1', port, email: 'reader@blue.test' };
  expect((await hog.releaseMessage(ID, to)).statusCode).toBe(200);
  expect((await hog.releaseMessage(ID, { ...to, username: 'me', password: 'x', mechanism: 'PLAIN' })).statusCode).toBe(
    200,
  );
  const there = mailhog({ host: '127.0.0.1', port: world.port('http') });
  const released = (await there.messages())!;
  expect(subjects(released)).toEqual(['second-Größe', 'second-Größe']);
  expect(released.items[0]!.to).toBe('Alice <alice@glass.localhost>');
  expect((await there.latestTo('reader@blue.test'))!.attachments[0]!.name).toBe('a.bin');

  for (const [config, status] of [
    [{ ...to, host: 'localhost' }, 400],
    [{ ...to, port: '2' }, 400],
    [{ ...to, email: 'nobody' }, 400],
    [{ ...to, username: 'me', password: 'x', mechanism: 'MAGIC' }, 400],
    [{ ...to, port: 'x' }, 400],
  ] as const)
    expect([config, (await hog.releaseMessage(ID, config)).statusCode]).toEqual([config, status]);
  expect((await hog.releaseMessage('unknown', to)).statusCode).toBe(500);
  expect((await there.messages())!.total).toBe(2);
});

test('deleteMessage, deleteAll', async () => {
  const { ID } = (await hog.latestContaining('second-'))!;
  expect((await hog.deleteMessage(ID)).statusCode).toBe(200);
  expect(subjects(await hog.messages())).toEqual(['third-Größe', 'first-Größe']);
  expect((await hog.deleteMessage(ID)).statusCode).toBe(500);
  expect((await hog.deleteAll()).statusCode).toBe(200);
  expect((await hog.messages())!.total).toBe(0);
});

test('what cypress-mailhog reads of a message, and of Jim', async () => {
  const url = `http://127.0.0.1:${stack.port('http')}/api`;
  const json = async (path: string) => (await (await fetch(url + path)).json()) as { items: Message[] };
  interface Message {
    readonly Content: { readonly Headers: Readonly<Record<string, readonly string[]>>; readonly Body: string };
    readonly To: readonly { readonly Mailbox: string; readonly Domain: string }[];
    readonly Raw: { readonly From: string };
    readonly MIME: { readonly Parts: readonly { readonly Body: string }[] };
  }
  const [newest] = (await json('/v2/messages?limit=50')).items;
  expect(newest!.Content.Headers.Subject![0]).toMatch(/^=\?UTF-8\?/i);
  expect(newest!.To.map(({ Mailbox, Domain }) => `${Mailbox}@${Domain}`)).toEqual([
    'alice@glass.localhost',
    'carol@other.test',
    'secret@other.test',
  ]);
  expect(newest!.Raw.From).toBe('shop@example.test');
  expect(newest!.MIME.Parts.length).toBeGreaterThan(1);
  expect((await json('/v2/search?kind=to&query=alice%40glass.localhost')).items).toHaveLength(3);
  const status = async (method: string) => (await fetch(`${url}/v2/jim`, { method })).status;
  expect(await status('GET')).toBe(404);
  expect(await status('POST')).toBe(201);
  expect(await status('GET')).toBe(200);
  expect(await status('DELETE')).toBe(200);
});

test('servers with a name, and Jim from the start, are the operator’s', async () => {
  const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(`${tmpdir()}/glassmail-`);
  onTestFinished(() => rm(folder, { recursive: true }));
  const server = { Email: 'qa@blue.test', Host: '127.0.0.1', Port: String(world.port('smtp')), Password: 'secret' };
  await writeFile(`${folder}/out.json`, JSON.stringify({ qa: { Name: 'qa', ...server } }));
  await using named = await startTestStack('--outgoing-smtp', `${folder}/out.json`, '--invite-jim');
  const url = `http://127.0.0.1:${named.port('http')}/api`;
  const jim = (await (await fetch(`${url}/v2/jim`)).json()) as object;
  expect(jim).toMatchObject({ AcceptChance: 0.99, DisconnectChance: 0.005, LinkSpeedMax: 10_240 });
  expect((await fetch(`${url}/v2/jim`, { method: 'DELETE' })).status).toBe(200);
  const outgoing = await (await fetch(`${url}/v2/outgoing-smtp`)).text();
  expect(JSON.parse(outgoing)).toMatchObject({ qa: { Name: 'qa', Host: '127.0.0.1', Email: 'qa@blue.test' } });
  expect(outgoing).not.toContain('secret');
  const transport = createTransport({ host: '127.0.0.1', port: named.port('smtp') });
  await transport.sendMail({ from: 'a@b.test', to: 'alice@glass.localhost', subject: 'By name', text: 'x' });
  transport.close();
  const { ID } = (await mailhog({ host: '127.0.0.1', port: named.port('http') }).messages())!.items[0]!;
  const release = async (body: object) =>
    (await fetch(`${url}/v1/messages/${ID}/release`, { method: 'POST', body: JSON.stringify(body) })).status;
  expect(await release({ Name: 'qa' })).toBe(200);
  expect(await release({ Name: 'none' })).toBe(400);
  expect(await release({ Host: 'mx.test', Port: '25', Email: 'a@b.test' })).toBe(400);
  const there = mailhog({ host: '127.0.0.1', port: world.port('http') });
  expect((await there.latestTo('qa@blue.test'))!.subject).toBe('By name');
});
