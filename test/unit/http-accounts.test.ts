import { describe, expect, test } from 'vitest';
import type { AccountList, Imported, MailboxList, MailboxMessageList } from '../../src/http/schemas/accounts.ts';
import * as accountsSchemas from '../../src/http/schemas/accounts.ts';
import * as commonSchemas from '../../src/http/schemas/common.ts';
import { TOKEN, jsonBody, startHttp } from './http-harness.ts';

const RAW =
  'From: Bob <bob@red.test>\r\nTo: alice@glass.localhost\r\nSubject: =?utf-8?q?H=C3=A9?=\r\nDate: Tue, 3 Nov 2026 11:00:00 +0100\r\n\r\nbody\r\n';

describe('accounts', () => {
  test('are added, listed, given another password, deleted', async () => {
    await using http = await startHttp();
    const made = await http.get('/api/glass/accounts', jsonBody('POST', { address: 'Carol', password: 'secret' }));
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe('/api/glass/accounts/carol%40glass.localhost');
    expect(accountsSchemas.account.parse(await made.json()).address).toBe('carol@glass.localhost');
    expect((await http.store.findPasswordRecord('carol@glass.localhost'))?.record).toBe('record of secret');
    const again = await http.get('/api/glass/accounts', jsonBody('POST', { address: 'carol@glass.localhost' }));
    expect(again.status).toBe(409);
    expect(commonSchemas.problem.parse(await again.json()).detail).toContain('carol@glass.localhost');
    await http.get('/api/glass/accounts', jsonBody('POST', { address: 'a@b.example' }));
    const { accounts } = await http.json<AccountList>('/api/glass/accounts');
    expect(accounts.map(({ address }) => address)).toEqual(['a@b.example', 'carol@glass.localhost']);
    const changed = await http.get('/api/glass/accounts/carol/password', jsonBody('PUT', { password: 'other' }));
    expect(changed.status).toBe(204);
    expect((await http.store.findPasswordRecord('carol@glass.localhost'))?.record).toBe('record of other');
    expect((await http.get('/api/glass/accounts/carol', { method: 'DELETE' })).status).toBe(204);
    expect((await http.get('/api/glass/accounts/carol', { method: 'DELETE' })).status).toBe(404);
    expect((await http.get('/api/glass/accounts/carol/password', jsonBody('PUT', { password: 'x' }))).status).toBe(404);
  });

  test('have quotas that are set one by one', async () => {
    await using http = await startHttp();
    await http.get('/api/glass/accounts', jsonBody('POST', { address: 'alice' }));
    const put = (body: object, name = 'alice') => http.get(`/api/glass/accounts/${name}/quota`, jsonBody('PUT', body));
    const limits = async (response: Response) => {
      const { messageLimit, octetLimit } = accountsSchemas.account.parse(await response.json()).quota;
      return [messageLimit, octetLimit];
    };
    expect(await limits(await put({}))).toEqual([null, null]);
    expect(await limits(await put({ messages: 5, octets: 2048 }))).toEqual([5, 2048]);
    expect(await limits(await put({ messages: null }))).toEqual([null, 2048]);
    expect(await limits(await put({ octets: 'default' }))).toEqual([null, null]);
    const { accounts } = await http.json<AccountList>('/api/glass/accounts');
    expect(accounts[0]!.quota).toEqual({ messages: 0, octets: 0, messageLimit: null, octetLimit: null });
    for (const wrong of [{ messages: -1 }, { octets: 1.5 }, { messages: 'many' }, { storage: 1 }]) {
      expect((await put(wrong)).status).toBe(400);
    }
    expect((await put({}, 'nobody')).status).toBe(404);
  });

  test('in domain mode belong to a domain of the server, and need the token', async () => {
    await using http = await startHttp({ mode: 'domain', domains: ['red.test'], defaultDomain: 'red.test' });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const post = (address: string) => http.get('/api/glass/accounts', { ...jsonBody('POST', { address }), headers });
    expect((await post('a@red.test')).status).toBe(201);
    expect((await post('b')).status).toBe(201);
    const wrong = await post('a@blue.test');
    expect(wrong.status).toBe(400);
    expect(commonSchemas.problem.parse(await wrong.json()).errors?.[0]).toMatchObject({ in: 'body', field: 'address' });
    expect((await http.get('/api/glass/accounts', jsonBody('POST', { address: 'x' }))).status).toBe(403);
  });
});

describe('mailboxes', () => {
  test('take mail that is imported, once for each key', async () => {
    await using http = await startHttp();
    await http.get('/api/glass/accounts', jsonBody('POST', { address: 'alice' }));
    const put = (query: string, body: BodyInit = RAW) =>
      http.get(`/api/glass/accounts/alice/import?${query}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'message/rfc822' },
      });
    const first = await put(
      `mailbox=Archive/2026&flags=${encodeURIComponent('\\Seen,$Label1')}&date=2026-01-02T03:04:05%2B01:00&key=k1`,
    );
    expect(first.status).toBe(201);
    const { uid, mailbox }: Imported = accountsSchemas.imported.parse(await first.json());
    expect(uid).toBe(1);
    const again = await put('mailbox=Archive/2026&key=k1');
    expect([again.status, await again.json()]).toEqual([200, { duplicate: true }]);
    expect((await put('mailbox=Archive/2026')).status).toBe(201);

    const { mailboxes } = await http.json<MailboxList>('/api/glass/accounts/alice/mailboxes');
    expect(mailboxes.map(({ name }) => name)).toEqual(['INBOX', 'Archive/2026']);
    accountsSchemas.mailboxList.parse({ mailboxes });
    const path = `/api/glass/accounts/alice/mailboxes/${mailbox}/messages`;
    const list = accountsSchemas.mailboxMessageList.parse(await http.json<MailboxMessageList>(`${path}?order=oldest`));
    expect(list.matches).toBe(2);
    expect(list.messages[0]).toMatchObject({
      uid: 1,
      internalDate: '2026-01-02T02:04:05.000Z',
      flags: ['\\Seen'],
      from: { name: 'Bob', address: 'bob@red.test' },
      subject: 'Hé',
      date: '2026-11-03T10:00:00.000Z',
      size: RAW.length,
    });
    const bare = await http.json<MailboxMessageList>(`${path}?summary=0&limit=1&query=is:unread`);
    expect(bare).toMatchObject({ matches: 1, messages: [{ uid: 2, subject: null, from: null }] });
    const raw = await http.get(`${path}/1/raw`);
    expect([raw.headers.get('content-type'), await raw.text()]).toEqual(['message/rfc822', RAW]);
    for (const missing of [
      `${path}/9/raw`,
      '/api/glass/accounts/alice/mailboxes/99/messages',
      '/api/glass/accounts/nobody/mailboxes',
    ]) {
      expect((await http.get(missing)).status).toBe(404);
    }

    for (const query of ['date=yesterday', 'flags=a(b', 'mailbox=', 'key='])
      expect((await put(query)).status).toBe(400);
    expect((await put('', '')).status).toBe(400);
    expect((await put('', 'x'.repeat(1_000_001))).status).toBe(413);
    expect(http.logged).toEqual([]);
  });
});
