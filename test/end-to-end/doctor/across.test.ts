/** What several conversations show, what a test scope may see of it, what the feed tells, and that who does all right is left alone. */
import { readFileSync } from 'node:fs';
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import Pop3Command from 'node-pop3';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { FeedMessage } from '../../../src/http/schemas/feed.ts';
import { startTestStack, type TestStack } from '../../test-stack.ts';
import { Talker, diagnoses, seen } from './visit.ts';

const HELLO = { from: 'alice@glass.localhost', to: 'bob@glass.localhost', subject: 'x', text: 'x' };
const auth = { user: 'alice@glass.localhost', pass: 'glass' };

test('those who do all right on every port have no problem, and no advice but about what they did', async () => {
  await using stack = await startTestStack();
  const tls = { ca: readFileSync(stack.authorityFile!), servername: 'localhost' };
  const host = '127.0.0.1';
  for (const [service, options] of [
    ['smtp', {}],
    ['submission', { auth, requireTLS: true }],
    ['submissions', { auth, secure: true }],
  ] as const) {
    const transport = createTransport({ host, port: stack.port(service), tls, ...options });
    await transport.sendMail(HELLO);
    transport.close();
  }
  for (const service of ['imap', 'imaps'] as const) {
    const client = new ImapFlow({
      host,
      port: stack.port(service),
      secure: service === 'imaps',
      tls,
      auth,
      logger: false,
    });
    await client.connect();
    await client.list();
    await client.mailboxOpen('INBOX');
    await client.append('Sent', 'Subject: x\r\n\r\nx\r\n', ['\\Seen']);
    await client.search({ all: true });
    await client.logout();
  }
  for (const service of ['pop3', 'pop3s'] as const) {
    const client = new Pop3Command({
      ...{ host, port: stack.port(service), tls: service === 'pop3s', tlsOptions: tls },
      ...{ user: 'bob@glass.localhost', password: 'glass', servername: 'localhost' },
    });
    await client.UIDL();
    await client.RETR(1);
    await client.QUIT();
  }
  await fetch(`http://127.0.0.1:${stack.port('http')}/api/glass/status`);
  const found = await diagnoses(stack, '?limit=1000');
  expect(found.conversations.filter(({ diagnoses: of }) => of.some(({ severity }) => severity !== 'note'))).toEqual([]);
  expect(found.counts).toMatchObject({ problem: 0, advice: 0 });
  expect(stack.logged).toEqual([]);
});

test('D21: which port nothing has come to, and how many came to the others', async () => {
  await using stack = await startTestStack('--record', '0');
  const talker = await Talker.clear(stack.port('imap'));
  await talker.hears(/OK/);
  const { across, services } = await diagnoses(stack);
  const silent = across.filter(({ id }) => id === 'D21');
  expect(silent.map(({ service }) => service)).toEqual([
    'smtp',
    'submission',
    'submissions',
    'imaps',
    'pop3',
    'pop3s',
    'lmtp',
  ]);
  expect(silent[3]).toMatchObject({ severity: 'note', evidence: [] });
  expect(silent[3]!.remedy).toContain(`docker compose port glassmail ${stack.port('imaps')}`);
  // Also what is not recorded is counted.
  expect(services.find(({ service }) => service === 'imap')).toMatchObject({ connections: 1, tls: 'starttls' });
  expect(Date.parse(services.find(({ service }) => service === 'imap')!.last!)).toBeLessThanOrEqual(Date.now());
  expect(services.find(({ service }) => service === 'imaps')).toMatchObject({ connections: 0, last: null });
  await talker.leaves();
});

test('D23: a server on one of the two loopback addresses alone says so', async () => {
  await using stack = await startTestStack();
  const { across } = await diagnoses(stack);
  expect(across.find(({ id }) => id === 'D23')!.sentence).toContain('listens on 127.0.0.1 alone');
  await using both = await startTestStack('--host', '127.0.0.1,::1');
  if (both.addresses('imap').length < 2) return; // A machine without IPv6.
  expect((await diagnoses(both)).across.map(({ id }) => id)).not.toContain('D23');
});

test('D29: a user with many connections', async () => {
  await using stack = await startTestStack();
  const talkers = await Promise.all(Array.from({ length: 11 }, () => Talker.clear(stack.port('imap'))));
  for (const talker of talkers) await talker.says('a LOGIN alice@glass.localhost glass', /a OK/);
  const many = (await diagnoses(stack)).across.find(({ id }) => id === 'D29')!;
  expect(many.sentence).toContain('alice@glass.localhost has 11 IMAP connections open');
  expect(many.conversations).toHaveLength(10);
  await Promise.all(talkers.map((talker) => talker.leaves()));
});

interface Page {
  readonly socket: WebSocket;
  readonly messages: FeedMessage[];
}

async function page(stack: TestStack): Promise<Page> {
  const socket = new WebSocket(`ws://127.0.0.1:${stack.port('http')}/api/glass/feed`);
  const messages: FeedMessage[] = [];
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString('utf8')) as FeedMessage));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { socket, messages };
}

test('D10: the clock of the browser, as the page says it', async () => {
  await using stack = await startTestStack();
  const { socket, messages } = await page(stack);
  socket.send(JSON.stringify({ clock: Date.now() + 12 * 60_000 }));
  await expect.poll(() => messages.some(({ type }) => type === 'clock')).toBe(true);
  const found = (await diagnoses(stack)).across.find(({ id }) => id === 'D10')!;
  expect(found.sentence).toContain('12 minutes ahead');
  socket.send(JSON.stringify({ clock: Date.now() }));
  await expect.poll(() => messages.filter(({ type }) => type === 'clock').length).toBe(2);
  expect((await diagnoses(stack)).across.map(({ id }) => id)).not.toContain('D10');
  socket.close();
});

test('the feed sends a conversation again when time alone has brought a diagnosis', async () => {
  await using stack = await startTestStack();
  const { socket, messages } = await page(stack);
  socket.send(JSON.stringify({ subscribe: { conversations: true } }));
  const talker = await Talker.tls(stack.port('imaps'), { servername: 'localhost' });
  await talker.hears(/OK/);
  const found = (): readonly string[] =>
    messages.flatMap((message) =>
      message.type === 'conversation'
        ? message.conversations.flatMap(({ diagnoses: of }) => of.map(({ id }) => id))
        : [],
    );
  await expect.poll(() => messages.some(({ type }) => type === 'conversation')).toBe(true);
  expect(found()).not.toContain('D08b');
  // The client stays silent, and nobody asks.
  await expect.poll(found).toContain('D08b');
  await talker.leaves();
  socket.close();
});

test('a test scope sees diagnoses of its own conversations, and nothing of how busy the server is', async () => {
  await using stack = await startTestStack();
  const base = `http://127.0.0.1:${stack.port('http')}/api/glass`;
  const made = await fetch(`${base}/scopes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({}),
  });
  const scope = (await made.json()) as { token: string; address: string; password: string };
  const others = await Talker.clear(stack.port('pop3'));
  await others.says('USER alice', /\+OK Now/);
  await others.says('PASS wrong', /-ERR/);
  const own = await Talker.clear(stack.port('imap'));
  await own.says(`a LOGIN ${scope.address} ${scope.password}`, /a OK/);
  await own.says('b SELECT INBOX.Sent', /b NO/);
  await seen(stack, 'pop3', 'D14');
  const mine = await diagnoses(stack, '', { headers: { authorization: `Bearer ${scope.token}` } });
  expect(mine.conversations.map(({ service }) => service)).toEqual(['imap']);
  expect(mine.conversations[0]!.diagnoses.map(({ id }) => id)).toContain('D18');
  expect(mine.across).toEqual([]);
  expect(mine.services).toEqual([]);
  await Promise.all([others.leaves(), own.leaves()]);
});

test('filters: account, since, severity, limit', async () => {
  await using stack = await startTestStack();
  const failed = await Talker.clear(stack.port('imap'));
  await failed.says('a LOGIN carol wrong', /a NO/);
  const about = async (query: string): Promise<number> => (await diagnoses(stack, query)).conversations.length;
  expect(await about('?account=carol')).toBe(1);
  expect(await about('?account=carol@glass.localhost&severity=problem')).toBe(1);
  expect(await about('?account=bob')).toBe(0);
  expect(await about('?account=carol&limit=0')).toBe(0);
  expect((await diagnoses(stack, '?account=carol&limit=0')).counts.problem).toBeGreaterThan(0);
  expect(await about(`?since=${new Date(Date.now() + 1000).toISOString()}`)).toBe(0);
  await failed.leaves();
});
