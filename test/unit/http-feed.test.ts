import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Doctor } from '../../src/glass/doctor/doctor.ts';
import type { ConversationDetail } from '../../src/http/schemas/conversations.ts';
import { type FeedMessage, type FeedRequest, feedMessage } from '../../src/http/schemas/feed.ts';
import { type Harness, TOKEN, jsonBody, startHttp } from './http-harness.ts';
import type { Conversation } from '../../src/wire/recorder.ts';
import type { MemoryStore } from './http-memory-store.ts';

type Of<Type extends FeedMessage['type']> = Extract<FeedMessage, { type: Type }>;

/** A page's end of the feed. */
class Page implements Disposable {
  readonly socket: WebSocket;
  readonly #messages: FeedMessage[] = [];
  #look: () => void = () => undefined;

  constructor(http: Harness<MemoryStore>, headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${http.port}/api/glass/feed`, { headers });
    this.socket.on('message', (data: Buffer) => {
      this.#messages.push(feedMessage.parse(JSON.parse(data.toString())));
      this.#look();
    });
    this.socket.on('error', () => undefined);
  }

  say(request: FeedRequest): void {
    this.socket.send(JSON.stringify(request));
  }

  /** The next message of that type; others before it are passed over. */
  async next<Type extends FeedMessage['type']>(type: Type): Promise<Of<Type>> {
    for (;;) {
      while (this.#messages.length > 0) {
        const message = this.#messages.shift()!;
        if (message.type === type) return message as Of<Type>;
      }
      await new Promise<void>((resolve) => (this.#look = resolve));
    }
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

function record(http: Harness<MemoryStore>): Conversation {
  return http.recorder.open({
    service: 'pop3',
    protocol: 'pop3',
    role: 'server',
    local: { address: '127.0.0.1', port: 1110 },
    remote: { address: '127.0.0.1', port: 50_000 },
  });
}

async function openPage(http: Harness<MemoryStore>): Promise<Page> {
  const page = new Page(http);
  await page.next('hello');
  return page;
}

describe('the feed', () => {
  test('says hello, then what is new in the mail', async () => {
    await using http = await startHttp();
    using page = new Page(http);
    const hello = await page.next('hello');
    expect(hello.version).toBe('1.2.3');
    page.say({ subscribe: { mail: true } });
    const id = http.store.put('Subject: first\r\n\r\n.');
    const news = await page.next('mail');
    expect(news).toMatchObject({ arrived: [{ id, subject: 'first' }], read: [], deleted: [], total: 1, unread: 1 });
    await http.get('/api/glass/messages/mark', jsonBody('POST', { ids: [id], read: true }));
    expect(await page.next('mail')).toMatchObject({ arrived: [], read: [{ id, read: true }], unread: 0 });
    await http.get('/api/glass/messages/delete', jsonBody('POST', { ids: [id] }));
    expect(await page.next('mail')).toMatchObject({ deleted: [id], total: 0 });
  });

  test('goes on after a break from where the page stood', async () => {
    await using http = await startHttp();
    let cursor: string;
    {
      using page = new Page(http);
      ({ cursor } = await page.next('hello'));
    }
    const ids = [http.store.put('Subject: a\r\n\r\n.'), http.store.put('Subject: b\r\n\r\n.')];
    using page = await openPage(http);
    page.say({ subscribe: { mail: true }, since: { cursor } });
    expect((await page.next('mail')).arrived.map(({ id }) => id)).toEqual(ids);
    page.say({ subscribe: { mail: true }, since: { cursor: '1000' } });
    expect((await page.next('mail')).tooOld).toBe(true);
  });

  test('sends only what was asked for', async () => {
    await using http = await startHttp();
    await http.store.createAccount({ address: 'alice@glass.localhost', passwordRecord: undefined });
    using page = await openPage(http);
    page.say({ subscribe: { mail: true, account: 'alice' }, clock: Date.now() });
    expect(Math.abs((await page.next('clock')).differenceMs)).toBeLessThan(10_000);
    http.store.put('Subject: other\r\n\r\n.', { recipients: ['bob@glass.localhost'] });
    http.store.put('Subject: mine\r\n\r\n.');
    expect((await page.next('mail')).arrived.map(({ subject }) => subject)).toEqual(['mine']);
  });

  test('shows conversations as they come and grow, and not itself', async () => {
    await using http = await startHttp();
    using page = await openPage(http);
    page.say({ subscribe: { conversations: true } });
    const { length } = http.recorder.list();
    expect(length).toBe(0);
    const conversation = record(http);
    const news = await page.next('conversation');
    expect(news.conversations).toMatchObject([{ id: conversation.id, service: 'pop3', closed: null }]);
    page.say({ subscribe: { conversation: conversation.id } });
    conversation.octets('in', 'both', Buffer.from('PASS top-secret\r\n'));
    const events = await page.next('event');
    expect(events).toMatchObject({
      conversation: conversation.id,
      gone: false,
      lastSeq: 1,
      events: [{ type: 'text' }],
    });
    expect(JSON.stringify(events)).not.toContain('top-secret');
    conversation.closed('peer', 'fin');
    expect((await page.next('event')).events).toMatchObject([{ type: 'closed', by: 'peer' }]);
    http.recorder.clear();
    page.say({ subscribe: { conversation: conversation.id } });
    expect(await page.next('event')).toMatchObject({ gone: true });
  });

  test('tells of a conversation that only grows now and then, and then only how much', async () => {
    await using http = await startHttp();
    using page = await openPage(http);
    page.say({ subscribe: { conversations: true } });
    const conversation = record(http);
    expect((await page.next('conversation')).conversations).toMatchObject([{ id: conversation.id }]);
    for (let i = 0; i < 40; i++) conversation.octets('in', 'both', Buffer.from('x'));
    const grown = await page.next('conversation');
    expect(grown).toMatchObject({ conversations: [], grown: [{ id: conversation.id, lastSeq: 40 }] });
    expect(grown.revision).toBe(http.recorder.revision);
    conversation.octets('in', 'both', Buffer.from('x'));
    conversation.annotate({ type: 'login', login: 'alice', mechanism: 'LOGIN' });
    const news = await page.next('conversation');
    expect(news).toMatchObject({ conversations: [{ login: 'alice', lastSeq: 42 }], grown: [], cleared: false });
    conversation.closed('peer', 'fin');
    await page.next('conversation');
    http.recorder.clear();
    expect(await page.next('conversation')).toMatchObject({ conversations: [], grown: [], cleared: true });
  });

  test('tells what the doctor finds in each of many conversations, however long he thinks', async () => {
    const doctor = new Doctor({
      mode: 'capture',
      defaultDomain: 'glass.localhost',
      domains: ['glass.localhost'],
      webAddress: () => undefined,
      services: () => ({}),
      certificateNames: () => [],
      certifies: () => false,
      ownAuthority: true,
    });
    await using http = await startHttp({ doctor });
    using page = await openPage(http);
    page.say({ subscribe: { conversations: true } });
    const sick = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const conversation = record(http);
      conversation.octets('in', 'both', Buffer.from('EHLO me\r\n'.repeat(300)));
      sick.add(conversation.id);
    }
    while (sick.size > 0) {
      const { conversations } = await page.next('conversation');
      for (const { id, diagnoses } of conversations) if (diagnoses.length > 0) sick.delete(id);
    }
    doctor.close();
  });

  test('sends the newest events and says how many it left out', async () => {
    await using http = await startHttp();
    const conversation = record(http);
    for (let i = 1; i <= 2500; i++) conversation.octets('in', 'both', Buffer.from(`n${i}\r\n`));
    using page = await openPage(http);
    page.say({ subscribe: { conversation: conversation.id }, since: { seq: 100 } });
    const news = await page.next('event');
    expect(news).toMatchObject({ lastSeq: 2500, missed: { events: 1400 } });
    expect(news.events).toHaveLength(1000);
    expect(news.events[0]).toMatchObject({ seq: 1501 });
    expect(news.spoken.map(({ text }) => text).slice(0, 2)).toEqual(['n1501', 'n1502']);
  });

  test('what is said comes whole, however the reading waits for the other side', async () => {
    await using http = await startHttp();
    const dialogues: readonly (readonly ['imap' | 'smtp', readonly string[]])[] = [
      [
        'imap',
        [
          'S* OK ready',
          'Ca1 AUTHENTICATE PLAIN',
          'S+ ',
          'CAGFsaWNlAGdsYXNz',
          'Sa1 OK done',
          'Ca2 APPEND INBOX {5}',
          'S+ go on',
          'Chello',
          'Ca3 SELECT {5+}\r\nINBOX',
          'Sa3 OK selected',
          'Ca4 FETCH 1 BODY[]',
          'S* 1 FETCH (BODY[] {4}\r\nabcd)',
          'Sa4 OK done',
        ],
      ],
      [
        'smtp',
        [
          'S220 hi',
          'CEHLO me',
          'S250 me',
          'CAUTH LOGIN',
          'S334 VXNlcm5hbWU6',
          'CYQ==',
          'S334 UGFzc3dvcmQ6',
          'CYg==',
          'S235 ok',
        ]
          .concat(['CMAIL FROM:<a@b.test>\r\nRCPT TO:<b@b.test>\r\nDATA', 'S250 ok', 'S250 ok', 'S354 go'])
          .concat(['CSubject: x\r\n\r\nbody\r\n.', 'S250 taken', 'CQUIT', 'S221 bye']),
      ],
    ];
    for (const [protocol, lines] of dialogues) {
      const conversation = http.recorder.open({
        service: protocol,
        protocol,
        role: 'server',
        local: { address: '127.0.0.1', port: 1 },
        remote: { address: '127.0.0.1', port: 2 },
      });
      using page = await openPage(http);
      page.say({ subscribe: { conversation: conversation.id } });
      const told = new Map<string, object>();
      for (const line of lines) {
        // Each half of a line by itself, and a look after each.
        const direction = line.startsWith('S') ? 'out' : 'in';
        const octets = Buffer.from(`${line.slice(1)}\r\n`);
        for (const piece of [octets.subarray(0, 4), octets.subarray(4)]) {
          conversation.octets(direction, 'both', piece);
          const { spoken } = await page.next('event');
          for (const unit of spoken) told.set(`${unit.side} ${unit.position}`, unit);
        }
      }
      conversation.closed('peer', 'fin');
      for (const unit of (await page.next('event')).spoken) told.set(`${unit.side} ${unit.position}`, unit);
      const { spoken } = await http.json<ConversationDetail>(`/api/glass/conversations/${conversation.id}`);
      expect(spoken.length).toBeGreaterThan(10);
      for (const unit of spoken) expect(told.get(`${unit.side} ${unit.position}`)).toEqual(unit);
      expect(told.size).toBe(spoken.length);
    }
  });

  test('a page that missed too much is told how much, and reads anew', async () => {
    await using http = await startHttp();
    using page = new Page(http);
    const { cursor } = await page.next('hello');
    for (let i = 0; i < 250; i++) http.store.put(`Subject: ${i}\r\n\r\n.`);
    page.say({ subscribe: { mail: true }, since: { cursor } });
    expect(await page.next('missed')).toEqual({ type: 'missed', n: 250 });
    expect(await page.next('mail')).toMatchObject({ tooOld: true, arrived: [], total: 250 });
  });

  test('nonsense gets an error, and the page is served on', async () => {
    await using http = await startHttp();
    using page = await openPage(http);
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '{"subscribe":1}',
      '{"subscribe":{"conversation":"../x"}}',
      '{"since":{"cursor":5}}',
    ]) {
      page.socket.send(text);
      expect((await page.next('error')).detail).not.toBe('');
    }
    page.socket.send(Buffer.from([0, 1, 2]));
    await page.next('error');
    page.say({ subscribe: { mail: true, account: 'nobody' } });
    expect((await page.next('error')).detail).toContain('nobody@glass.localhost');
    page.say({ subscribe: { mail: true } });
    http.store.put('Subject: a\r\n\r\n.');
    expect((await page.next('mail')).arrived).toHaveLength(1);
    page.socket.send('x'.repeat(100_000));
    expect((await once(page.socket, 'close'))[0]).toBe(1009);
    expect(http.logged).toEqual([]);
  });

  test('a page that takes nothing is not sent more and more: its news wait as a question', async () => {
    await using http = await startHttp();
    const conversation = http.recorder.open({
      service: 'imap',
      protocol: 'imap',
      role: 'server',
      local: { address: '127.0.0.1', port: 1143 },
      remote: { address: '127.0.0.1', port: 50_000 },
    });
    using slow = await openPage(http);
    using fast = await openPage(http);
    for (const page of [slow, fast]) page.say({ subscribe: { conversation: conversation.id } });
    slow.socket.pause();
    // More than what the system itself keeps of a connection that nobody reads.
    const rounds = 80;
    const line = Buffer.from(`${'x'.repeat(300_000)}\r\n`);
    for (let round = 0; round < rounds; round++) {
      conversation.octets('out', 'both', line);
      await fast.next('event');
    }
    slow.socket.resume();
    let seen = 0;
    let missed = 0;
    let seq = 0;
    while (seq < rounds) {
      const news = await slow.next('event');
      seen += news.events.length;
      missed += news.missed.events;
      seq = news.lastSeq;
    }
    // It has been told of everything, but the conversation keeps a megabyte: most of it was never sent.
    expect(seen + missed).toBe(rounds);
    expect(missed).toBeGreaterThan(0);
  });

  test('pages elsewhere cannot open it; a login is asked for', async () => {
    await using http = await startHttp({ auth: 'user:password' });
    const refusal = async (headers: Readonly<Record<string, string>>): Promise<number> => {
      const { socket } = new Page(http, headers);
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
      socket.terminate();
      return response.statusCode;
    };
    const authorization = `Basic ${Buffer.from('user:password').toString('base64')}`;
    expect(await refusal({})).toBe(401);
    expect(await refusal({ authorization, origin: 'http://evil.test' })).toBe(403);
    expect(await refusal({ authorization, origin: 'null' })).toBe(403);
    expect(await refusal({ authorization, host: 'evil.example' })).toBe(421);
    using mine = new Page(http, { authorization, origin: `http://127.0.0.1:${http.port}` });
    await mine.next('hello');
    using tool = new Page(http, { authorization: `Bearer ${TOKEN}` });
    await tool.next('hello');
    expect((await http.get('/api/glass/feed', { headers: { authorization } })).status).toBe(426);
  });

  test('ends with the server', async () => {
    const http = await startHttp();
    const page = await openPage(http);
    const closed = once(page.socket, 'close');
    await http.close();
    expect((await closed)[0]).toBe(1001);
  });
});
