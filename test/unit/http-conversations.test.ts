import { describe, expect, test } from 'vitest';
import type { ConversationDetail, ConversationList } from '../../src/http/schemas/conversations.ts';
import { searchConversations } from '../../src/glass/conversation-search.ts';
import * as conversationsSchemas from '../../src/http/schemas/conversations.ts';
import { pcapng } from '../../src/glass/export/pcapng.ts';
import { revealAnswer } from '../../src/http/schemas/conversation-exports.ts';
import { Recorder } from '../../src/wire/recorder.ts';
import { readTranscripts } from '../transcripts/read.ts';
import { type Harness, startHttp, TOKEN } from './http-harness.ts';
import type { MemoryStore } from './http-memory-store.ts';
import type { Conversation } from '../../src/wire/recorder.ts';

function record(http: Harness<MemoryStore>, login = 'alice@glass.localhost'): Conversation {
  const conversation = http.recorder.open({
    service: 'imap',
    protocol: 'imap',
    role: 'server',
    local: { address: '127.0.0.1', port: 1143 },
    remote: { address: '127.0.0.1', port: 50_000 },
  });
  conversation.octets('out', 'both', Buffer.from('* OK ready\r\n'));
  conversation.octets('in', 'both', Buffer.from('a1 LOGIN alice top-secret\r\n'));
  conversation.annotate({ type: 'login', login, mechanism: 'LOGIN' });
  conversation.octets('out', 'both', Buffer.from('a1 OK\r\n'));
  return conversation;
}

describe('conversations', () => {
  test('are listed, newest first, by service and account', async () => {
    await using http = await startHttp();
    const first = record(http);
    const second = record(http, 'bob@glass.localhost');
    const list = conversationsSchemas.conversationList.parse(await http.json('/api/glass/conversations'));
    // The request itself is a conversation too.
    expect(list.conversations.map(({ service }) => service)).toEqual(['http', 'imap', 'imap']);
    const ids = async (query: string) =>
      (await http.json<ConversationList>(`/api/glass/conversations?${query}`)).conversations.map(({ id }) => id);
    expect(await ids('service=imap')).toEqual([second.id, first.id]);
    expect(await ids('service=imap&limit=1')).toEqual([second.id]);
    expect(await ids('account=alice')).toEqual([first.id]);
    // However often the pages ask, they leave room for the others.
    expect(await ids('http=false&limit=2')).toEqual([second.id, first.id]);
  });

  test('are shown with their secrets hidden', async () => {
    await using http = await startHttp();
    const conversation = record(http);
    const text = await (await http.get(`/api/glass/conversations/${conversation.id}`)).text();
    expect(text).not.toContain('top-secret');
    const detail = JSON.parse(text) as ConversationDetail;
    conversationsSchemas.conversationDetail.parse(detail);
    expect(detail.login).toBe('alice@glass.localhost');
    expect(detail.events.map(({ type }) => type)).toEqual(['text', 'text', 'annotation', 'text']);
    expect(detail.events[1]).toMatchObject({ direction: 'in', text: expect.stringContaining('•••') as string });
    const later = await http.json<ConversationDetail>(`/api/glass/conversations/${conversation.id}?since=3`);
    expect(later.events.map(({ seq }) => seq)).toEqual([4]);
  });

  test('are found by what was said, but not by what is hidden', async () => {
    await using http = await startHttp();
    const first = record(http);
    const second = record(http);
    // In two pieces, and in another case.
    second.octets('in', 'both', Buffer.from('a2 SELECT "Wint'));
    second.octets('in', 'both', Buffer.from('ermärchen"\r\n'));
    const found = (text: string) =>
      http.json<ConversationList>(`/api/glass/conversations?service=imap&text=${encodeURIComponent(text)}`);
    expect((await found('winterMÄRCHEN')).conversations.map(({ id }) => id)).toEqual([second.id]);
    expect(await found('a1 login')).toMatchObject({ total: 2, unsearched: 0 });
    expect(first.closedAt).toBeUndefined();
    for (const secret of ['top-secret', 'secret', 'p-s']) expect(await found(secret)).toMatchObject({ total: 0 });
  });

  test('are searched for so long and no longer', async () => {
    await using http = await startHttp();
    const all = [record(http), record(http), record(http)];
    expect(await searchConversations(all, 'login', 0)).toEqual({ matches: [all[0]], unsearched: 2 });
    expect(await searchConversations(all, 'login')).toEqual({ matches: all, unsearched: 0 });
  });

  test('that are closed can be deleted', async () => {
    await using http = await startHttp();
    const closed = record(http);
    const open = record(http);
    closed.closed('peer', 'fin');
    const before = await http.json<{ deleted: number }>('/api/glass/conversations', { method: 'DELETE' });
    expect(before.deleted).toBe(1);
    expect((await http.get(`/api/glass/conversations/${closed.id}`)).status).toBe(410);
    expect((await http.get(`/api/glass/conversations/${open.id}`)).status).toBe(200);
  });

  test('that are gone are told from those that never were', async () => {
    await using http = await startHttp();
    const conversation = record(http);
    conversation.closed('peer', 'fin');
    http.recorder.clear();
    expect((await http.get(`/api/glass/conversations/${conversation.id}`)).status).toBe(410);
    expect((await http.get('/api/glass/conversations/zzzzzzzzzz')).status).toBe(404);
  });
});

describe('secrets on request', () => {
  const revealed = async (
    http: Harness<MemoryStore>,
    id: string,
    body: unknown,
    headers: Record<string, string> = {},
  ) =>
    fetch(`${http.url}/api/glass/conversations/${id}/reveal`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });

  test('are told, logged and remarked', async () => {
    await using http = await startHttp();
    const conversation = record(http);
    const plain = Buffer.from('\0bob\0other-secret').toString('base64');
    conversation.octets('in', 'both', Buffer.from(`a2 AUTHENTICATE PLAIN ${plain}\r\n`));
    const answer = await revealed(http, conversation.id, { seq: [2] });
    expect(answer.status).toBe(200);
    const { revealed: units } = revealAnswer.parse(await answer.json());
    expect(units.map(({ text, secrets }) => [text, secrets])).toEqual([
      ['a1 LOGIN alice top-secret', [{ start: 14, end: 25 }]],
    ]);
    const all = revealAnswer.parse(await (await revealed(http, conversation.id, {})).json());
    expect(all.revealed.at(-1)!.decoded).toEqual([
      { name: 'user name', value: 'bob' },
      { name: 'password', value: 'other-secret' },
    ]);
    expect(conversation.annotations().filter(({ annotation }) => annotation.type === 'revealed')).toHaveLength(2);
    expect(http.logged.join('\n')).toMatch(/reveal: text of conversation .* went to 127\.0\.0\.1/);
    expect(http.logged.join('\n')).not.toContain('secret-');
  });

  test('need the rights of an administrator, also where they are octets of a file', async () => {
    await using http = await startHttp({ mode: 'domain', auth: undefined });
    const conversation = record(http);
    // Nobody gets this far without a login there, but a later way in might.
    expect((await revealed(http, conversation.id, {})).status).toBe(403);
    expect((await http.get(`/api/glass/conversations/${conversation.id}/export?as=pcapng`)).status).toBe(403);
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await revealed(http, conversation.id, {}, headers)).status).toBe(200);
    expect((await http.get(`/api/glass/conversations/${conversation.id}/export?as=pcapng`, { headers })).status).toBe(
      200,
    );
  });

  test('wrong questions get problems', async () => {
    await using http = await startHttp();
    const conversation = record(http);
    for (const body of [{ seq: [] }, { seq: ['1'] }, { seq: [0] }, { other: 1 }, []]) {
      expect((await revealed(http, conversation.id, body)).status).toBe(400);
    }
    expect((await revealed(http, 'zzzzzzzzzz', {})).status).toBe(404);
  });
});

describe('files', () => {
  test.each(['text', 'json', 'fixture'])('%s has no secret', async (as) => {
    await using http = await startHttp();
    const conversation = record(http);
    conversation.closed('peer', 'fin');
    const answer = await http.get(`/api/glass/conversations/${conversation.id}/export?as=${as}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="glassmail-imap-[0-9a-z]+\.\w+"$/);
    const text = await answer.text();
    expect(text).toContain('LOGIN alice');
    expect(text).not.toContain('top-secret');
    expect(http.logged).toEqual([]);
  });

  test('text has times, who spoke, and the end', async () => {
    await using http = await startHttp();
    const conversation = record(http);
    conversation.closed('peer', 'fin');
    const text = await (await http.get(`/api/glass/conversations/${conversation.id}/export`)).text();
    expect(text).toMatch(/^# imap: 127\.0\.0\.1 port 50000 to 127\.0\.0\.1 port 1143\n/);
    expect(text).toMatch(/\n +\d+\.\d{3} {2}S: \* OK ready\n +\d+\.\d{3} {2}C: a1 LOGIN alice•+\n/);
    expect(text).toMatch(/# closed by the peer \(fin\)\n$/);
  });

  test('a fixture is a transcript that the runner reads', async () => {
    await using http = await startHttp();
    const conversation = record(http);
    conversation.octets('in', 'both', Buffer.from('a2 APPEND INBOX {11+}\r\na: b\r\n\r\nc\r\n\r\n'));
    conversation.octets('out', 'both', Buffer.from('a2 OK [APPENDUID 1 1] done\r\n'));
    const text = await (await http.get(`/api/glass/conversations/${conversation.id}/export?as=fixture`)).text();
    const [transcript] = readTranscripts('export.md', text);
    expect(
      transcript!.steps.map((step) =>
        step.type === 'send' || step.type === 'expect' ? `${step.type} ${step.text}` : step.type,
      ),
    ).toEqual([
      'expect * OK {...}',
      expect.stringMatching(/^send a1 LOGIN alice•+$/) as string,
      'expect a1 OK {...}',
      'send a2 APPEND INBOX {11+}',
      'send <m1>',
      'send ',
      'expect a2 OK [APPENDUID 1 1] {...}',
    ]);
    expect(transcript!.messages.get('m1')?.toString()).toBe('a: b\r\n\r\nc\r\n');
  });

  test('a gap is a missing segment, and is said', () => {
    const recorder = new Recorder({ perConversation: 8192 });
    const conversation = recorder.open({
      service: 'imap',
      protocol: 'imap',
      role: 'server',
      local: { address: '::1', port: 1143 },
      remote: { address: 'fe80::1%eth0', port: 50_000 },
    });
    for (let i = 0; i < 400; i++) conversation.octets('out', 'both', Buffer.alloc(100, 'x'));
    expect(pcapng([conversation], false).toString('latin1')).toMatch(/\d+ octets before these were not kept/);
  });

  test('several at once, by service', async () => {
    await using http = await startHttp();
    record(http);
    record(http, 'bob@glass.localhost');
    const several = await http.json<unknown[]>('/api/glass/conversations/export?as=json&service=imap');
    expect(several).toHaveLength(2);
    expect((await http.get('/api/glass/conversations/export?as=zip')).status).toBe(400);
  });
});
