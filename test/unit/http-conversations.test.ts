import { describe, expect, test } from 'vitest';
import type { ConversationDetail, ConversationList } from '../../src/http/schemas/conversations.ts';
import * as conversationsSchemas from '../../src/http/schemas/conversations.ts';
import { type Harness, startHttp } from './http-harness.ts';
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

  test('that are gone are told from those that never were', async () => {
    await using http = await startHttp();
    const conversation = record(http);
    conversation.closed('peer', 'fin');
    http.recorder.clear();
    expect((await http.get(`/api/glass/conversations/${conversation.id}`)).status).toBe(410);
    expect((await http.get('/api/glass/conversations/zzzzzzzzzz')).status).toBe(404);
  });
});
