/** Journeys of messages that real clients hand in and read, and what a test scope sees of them. */
import { ImapFlow } from 'imapflow';
import Pop3Command from 'node-pop3';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { journey as journeySchema, type Journey } from '../../src/http/schemas/journey.ts';
import type { ConversationDetail } from '../../src/http/schemas/conversations.ts';
import type { MessageList } from '../../src/http/schemas/messages.ts';
import type { MadeScope } from '../../src/http/schemas/scopes.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';

let stack: TestStack;
let url: string;
beforeEach(async () => {
  stack = await startTestStack();
  url = `http://127.0.0.1:${stack.port('http')}`;
});
afterEach(async () => {
  await stack[Symbol.asyncDispose]();
  expect(stack.logged).toEqual([]);
});

async function api<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(`${url}${path}`, init);
  expect(`${path} ${response.status}`).toBe(`${path} 200`);
  return (await response.json()) as T;
}

const withToken = (token: string): RequestInit => ({ headers: { Authorization: `Bearer ${token}` } });

async function journeyOf(id: string, token?: string): Promise<Journey> {
  return journeySchema.parse(
    await api(`/api/glass/messages/${id}/journey`, token === undefined ? {} : withToken(token)),
  );
}

const newest = async (): Promise<string> => (await api<MessageList>('/api/glass/messages')).messages[0]!.id;

async function send(letter: SendMailOptions, service: 'smtp' | 'submissions' = 'smtp'): Promise<string> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: stack.port(service),
    ...(service === 'smtp'
      ? { ignoreTLS: true }
      : { secure: true, tls: { rejectUnauthorized: false }, auth: { user: 'bob@glass.localhost', pass: 'glass' } }),
  });
  await transport.sendMail({ from: 'Bob <bob@glass.localhost>', subject: 'A journey', text: 'Hello.\n', ...letter });
  transport.close();
  return newest();
}

async function imap<T>(user: string, use: (client: ImapFlow) => Promise<T>, pass = 'glass'): Promise<T> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: stack.port('imap'),
    secure: false,
    doSTARTTLS: false,
    auth: { user, pass },
    logger: false,
  });
  await client.connect();
  const done = await use(client);
  await client.logout();
  return done;
}

async function readIt({ address, password }: MadeScope): Promise<void> {
  const read = async (client: ImapFlow): Promise<void> => {
    await client.mailboxOpen('INBOX');
    await client.fetchOne('1', { source: true });
  };
  await imap(address, read, password);
}

/** One word for each step. */
const deeds = ({ steps }: Journey): string[] => steps.map(({ deed }) => deed.type);

/** What stands in the conversation at the line that a step leads to. */
async function lineOf({ line }: Journey['steps'][number]): Promise<string> {
  const detail = await api<ConversationDetail>(`/api/glass/conversations/${line!.conversation}`);
  const event = detail.events.find(({ seq }) => seq === line!.seq);
  return event?.type === 'text' ? event.text : (event?.type ?? 'nothing');
}

describe('a message that a program submits', () => {
  test('is followed to its readers, each step to its lines', async () => {
    const id = await send({ to: 'Alice <alice@glass.localhost>', bcc: 'carol@glass.localhost' }, 'submissions');
    await imap('alice@glass.localhost', async (client) => {
      await client.mailboxOpen('INBOX');
      await client.fetchOne('1', { envelope: true });
      await client.fetchOne('1', { source: true });
      await client.messageFlagsAdd('1', ['\\Flagged']);
      await client.mailboxCreate('Archive');
      await client.messageMove('1', 'Archive');
    });
    const pop3 = new Pop3Command({
      ...{ user: 'carol@glass.localhost', password: 'glass' },
      ...{ host: '127.0.0.1', port: stack.port('pop3') },
    });
    await pop3.RETR(1);
    await pop3.command('DELE', '1');
    await pop3.QUIT();
    const journey = await journeyOf(id);
    expect(deeds(journey)).toEqual([
      ...['connected', 'tls', 'login', 'envelope', 'data', 'stored', 'stored', 'accepted'],
      ...['looked', 'read', 'flags', 'moved'],
      ...['read', 'marked', 'expunged'],
    ]);
    expect(journey).toMatchObject({ state: 'stored', arrival: 'handed-in', complete: true, omitted: 0 });
    const lines = await Promise.all(journey.steps.map(lineOf));
    expect(lines[3]).toMatch(/^MAIL FROM:<bob@glass.localhost>/);
    expect(lines[4]).toMatch(/^MAIL[^]*DATA\r\n$/);
    expect(lines[7]).toMatch(/^250 /);
    expect(lines[8]).toMatch(/FETCH 1 .*ENVELOPE/);
    expect(lines[9]).toMatch(/FETCH 1 .*BODY\.PEEK\[\]/);
    expect(lines[10]).toMatch(/STORE 1 \+FLAGS .*\\Flagged/);
    expect(lines[11]).toMatch(/MOVE 1 .*Archive/);
    expect(lines.slice(12)).toEqual(['RETR 1\r\n', 'DELE 1\r\n', 'QUIT\r\n']);
    const times = journey.steps.map(({ ms }) => ms);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBe(0);
    expect(
      journey.participants.map(({ kind, service, account, mailbox }) => [kind, service ?? mailbox, account]),
    ).toEqual([
      ['sender', 'submissions', 'bob@glass.localhost'],
      ['service', 'submissions', null],
      ['mailbox', 'Archive', 'alice@glass.localhost'],
      ['mailbox', 'INBOX', 'alice@glass.localhost'],
      ['mailbox', 'INBOX', 'carol@glass.localhost'],
      ['reader', 'imap', 'alice@glass.localhost'],
      ['reader', 'pop3', 'carol@glass.localhost'],
    ]);
    expect(journey.participants[5]!.program).toMatch(/^imapflow \d/);
    expect(journey.copies).toMatchObject([
      { account: 'alice@glass.localhost', mailbox: 'Archive', uid: 1, flags: ['\\Flagged'], unexplained: [] },
    ]);
    expect(journey.envelope).toMatchObject({
      reversePath: 'bob@glass.localhost',
      recipients: [
        { address: 'alice@glass.localhost', field: 'To' },
        { address: 'carol@glass.localhost', field: null },
      ],
      unnamed: 1,
    });
    expect(journey.trace[1]).toMatchObject({ name: 'Received', own: true, received: { with: 'ESMTPSA' } });
    expect(journey.octets?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('that is gone keeps what the recording tells', async () => {
    const id = await send({ to: 'alice@glass.localhost' });
    await api('/api/glass/messages/delete', {
      method: 'POST',
      headers: { 'user-agent': 'tidy/1.0' },
      body: JSON.stringify({ ids: [id] }),
    });
    const journey = await journeyOf(id);
    expect(journey).toMatchObject({ state: 'gone', copies: [], header: null, envelope: null, octets: null });
    expect(deeds(journey)).toEqual(['connected', 'envelope', 'data', 'stored', 'accepted', 'expunged']);
    expect(journey.participants.at(-1)).toMatchObject({ kind: 'reader', service: 'http', program: 'tidy/1.0' });
  });

  test('whose conversation is not recorded has what the store knows, and says so', async () => {
    await stack[Symbol.asyncDispose]();
    stack = await startTestStack('--record', 'off');
    url = `http://127.0.0.1:${stack.port('http')}`;
    const id = await send({ to: 'alice@glass.localhost' });
    await imap('alice@glass.localhost', async (client) => {
      await client.mailboxOpen('INBOX');
      await client.messageFlagsAdd('1', ['\\Flagged']);
    });
    const journey = await journeyOf(id);
    expect(journey).toMatchObject({
      recording: false,
      complete: false,
      arrival: 'handed-in',
      origin: { state: 'gone' },
    });
    expect(journey.steps.map(({ deed, line }) => [deed.type, line])).toEqual([
      ['envelope', null],
      ['data', null],
      ['stored', null],
    ]);
    expect(journey.copies).toMatchObject([{ flags: ['\\Flagged'], unexplained: ['\\Flagged'] }]);
  });
});

describe('other ways in', () => {
  test('a client appends: no envelope, and the flags it brought are no riddle', async () => {
    const emailId = await imap('alice@glass.localhost', async (client) => {
      await client.append('INBOX', 'Subject: kept\r\n\r\nHello.\r\n', ['\\Seen']);
      await client.mailboxOpen('INBOX');
      const found = await client.fetchOne('1', { threadId: true });
      return (found as { emailId?: string }).emailId!;
    });
    const journey = await journeyOf(/\d+$/.exec(emailId)![0]);
    expect(journey).toMatchObject({ arrival: 'appended', complete: true, envelope: null, header: { subject: 'kept' } });
    expect(deeds(journey)).toEqual(['appended']);
    expect(await lineOf(journey.steps[0]!)).toContain('Subject: kept');
    expect(journey.copies).toMatchObject([{ flags: ['\\Seen'], unexplained: [] }]);
  });

  test('HTTP hands one in, and reads it', async () => {
    const from = { Email: 'app@app.test' };
    const body = JSON.stringify({ From: from, To: [{ Email: 'alice@glass.localhost' }], Subject: 'x', Text: 'y' });
    const { ID } = await api<{ ID: string }>('/api/v1/send', { method: 'POST', body });
    await api(`/api/v1/message/${ID}`, { headers: { 'user-agent': 'a-test/2' } });
    const journey = await journeyOf(ID);
    expect(deeds(journey)).toEqual(['connected', 'envelope', 'data', 'stored', 'accepted', 'read', 'flags']);
    expect(await lineOf(journey.steps[1]!)).toContain('POST /api/v1/send');
    expect(journey.steps.at(-2)!.deed).toMatchObject({ type: 'read', request: `GET /api/v1/message/${ID}` });
    expect(journey.participants.at(-1)).toMatchObject({ kind: 'reader', program: 'a-test/2' });
    // Whoever looks at the journey has not read the message.
    expect(deeds(await journeyOf(ID))).toHaveLength(7);
  });

  test('a recipient that is refused stands in the journey of those who got it', async () => {
    const made = await fetch(`${url}/api/glass/faults`, {
      method: 'POST',
      body: JSON.stringify({
        where: { at: 'recipient' },
        whom: { recipient: 'bad@glass.localhost' },
        what: { type: 'refuse', code: '550', text: 'No such person' },
      }),
    });
    expect(made.status, await made.text()).toBe(201);
    const id = await send({ to: 'alice@glass.localhost, bad@glass.localhost' });
    const refused = (await journeyOf(id)).steps.find(({ deed }) => deed.type === 'refused');
    expect(refused?.deed).toMatchObject({
      recipient: '<bad@glass.localhost>',
      reply: expect.stringContaining('550') as string,
    });
    expect(await lineOf(refused!)).toContain('RCPT TO:<bad@glass.localhost>');
  });

  test('there never was such a message', async () => {
    for (const id of ['AAAAAAAAAAAAAAAAAAAAAA', '999999', 'latest']) {
      expect((await fetch(`${url}/api/glass/messages/${id}/journey`)).status).toBe(404);
    }
  });
});

describe('many', () => {
  test('recipients are one column, and the first copies', async () => {
    const to = Array.from({ length: 300 }, (_, n) => `r${n}@many.test`);
    const id = await send({ to: 'list@many.test', envelope: { from: 'bob@glass.localhost', to } });
    const journey = await journeyOf(id);
    expect(journey.copyCount).toBe(300);
    expect(journey.copies).toHaveLength(200);
    expect(journey.participants.filter(({ kind }) => kind === 'mailboxes')).toMatchObject([{ count: 300 }]);
    expect(journey.participants.filter(({ kind }) => kind === 'mailbox')).toEqual([]);
    expect(journey.steps.filter(({ deed }) => deed.type === 'stored')).toMatchObject([{ deed: { copies: 300 } }]);
    expect(journey.envelope).toMatchObject({ recipientCount: 300, unnamed: 300 });
  });

  test('readings are cut in their middle', async () => {
    const id = await send({ to: 'alice@glass.localhost' });
    for (let n = 0; n < 700; n++) await (await fetch(`${url}/api/glass/messages/${id}`)).arrayBuffer();
    const journey = await journeyOf(id);
    expect(journey.steps).toHaveLength(600);
    expect(journey.omitted).toBeGreaterThan(0);
    expect(journey.steps[0]!.deed.type).toBe('connected');
  });
});

describe('a test scope', () => {
  test('sees the journey of its own mail, and nobody else in it', async () => {
    const open = async (): Promise<MadeScope> =>
      (await (await fetch(`${url}/api/glass/scopes`, { method: 'POST', body: '{}' })).json()) as MadeScope;
    const [scope, other] = [await open(), await open()];
    const to = [scope.address, other.address];
    const common = await send({ to: scope.address, envelope: { from: 'app@app.test', to } });
    await readIt(scope);
    await readIt(other);
    // The operator sees both readers, the scope its own, and not the conversation that brought mail for others too.
    expect(deeds(await journeyOf(common)).filter((type) => type === 'read')).toHaveLength(2);
    const seen = await journeyOf(common, scope.token);
    expect(JSON.stringify(seen)).not.toContain(other.id);
    expect(seen).toMatchObject({ origin: { state: 'hidden' }, copyCount: 1, envelope: { recipientCount: 1 } });
    expect(deeds(seen)).toEqual(['envelope', 'data', 'stored', 'read']);
    expect(seen.steps.map(({ line }) => line === null)).toEqual([true, true, true, false]);
    const others = await send({ to: other.address });
    const refused = await fetch(`${url}/api/glass/messages/${others}/journey`, {
      headers: { Authorization: `Bearer ${scope.token}` },
    });
    expect(refused.status).toBe(404);
    // Also once it is gone, and only the recording tells of it.
    await api('/api/glass/messages/delete', { method: 'POST', body: JSON.stringify({ ids: [others, common] }) });
    for (const id of [others, common]) {
      const headers = { Authorization: `Bearer ${scope.token}` };
      expect((await fetch(`${url}/api/glass/messages/${id}/journey`, { headers })).status).toBe(404);
      expect((await journeyOf(id)).state).toBe('gone');
    }
  });
});
