import { createHash } from 'node:crypto';
import { MailpitClient } from 'mailpit-api';
import { describe, expect, test } from 'vitest';
import { type Harness, startHttp, jsonBody } from './http-harness.ts';
import { TRACE, type MemoryStore } from './http-memory-store.ts';

const CRLF = (text: string) => text.replaceAll('\n', '\r\n');

const PLAIN = CRLF(`Date: Tue, 3 Nov 2026 11:00:00 +0100
From: =?utf-8?q?J=C3=BCrgen?= <j@red.test>
To: Alice <alice@glass.localhost>, bob@glass.localhost
Cc: carol@red.test
Reply-To: Desk <desk@red.test>
Subject: =?utf-8?q?Rechnung_=E2=82=AC9?=
Message-ID: <m1@red.test>
List-Unsubscribe: <mailto:u@red.test>, <https://red.test/u?x=1>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
X-Folded: one
 two
x-odd-NAME: a
X-Odd-Name: b

Hello Alice, your code is 281734.
`);

const PICTURE = Buffer.from('89504e470d0a1a0a', 'hex');
const MIXED = CRLF(`From: a@red.test
To: alice@glass.localhost
Subject: mixed
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=out

--out
Content-Type: multipart/related; boundary=in

--in
Content-Type: text/html; charset=utf-8

<p>Hi <img src="cid:pic@red.test"></p>
--in
Content-Type: image/png
Content-ID: <pic@red.test>
Content-Disposition: inline; filename="pic.png"
Content-Transfer-Encoding: base64

${PICTURE.toString('base64')}
--in--
--out
Content-Type: text/html; name="page.html"
Content-Disposition: attachment; filename="page.html"
Content-Transfer-Encoding: quoted-printable

<b>=C3=A9</b>
--out--
`);

const client = (http: Harness<MemoryStore>) => new MailpitClient(http.url);

describe('the API of Mailpit, asked by a client of it', () => {
  test('lists, newest first, with all the fields', async () => {
    await using http = await startHttp();
    http.store.put(PLAIN, { recipients: ['alice@glass.localhost', 'hidden@glass.localhost'] });
    http.store.put(MIXED);
    const list = await client(http).listMessages();
    expect(list).toMatchObject({
      total: 2,
      unread: 2,
      count: 2,
      messages_count: 2,
      messages_unread: 2,
      start: 0,
      tags: [],
    });
    expect(list.messages.map(({ Subject }) => Subject)).toEqual(['mixed', 'Rechnung €9']);
    const [, plain] = list.messages;
    expect(plain).toEqual({
      ID: plain!.ID,
      MessageID: 'm1@red.test',
      Read: false,
      From: { Name: 'Jürgen', Address: 'j@red.test' },
      To: [
        { Name: 'Alice', Address: 'alice@glass.localhost' },
        { Name: '', Address: 'bob@glass.localhost' },
      ],
      Cc: [{ Name: '', Address: 'carol@red.test' }],
      Bcc: [{ Name: '', Address: 'hidden@glass.localhost' }],
      ReplyTo: [{ Name: 'Desk', Address: 'desk@red.test' }],
      Subject: 'Rechnung €9',
      Created: plain!.Created,
      Username: '',
      Tags: [],
      Size: TRACE.length + Buffer.byteLength(PLAIN),
      Attachments: 0,
      Snippet: 'Hello Alice, your code is 281734.',
    });
    expect(plain!.ID).toMatch(/^[0-9A-Za-z]{22}$/);
    expect(Date.parse(plain!.Created)).toBeGreaterThan(Date.now() - 60_000);
    expect((await client(http).listMessages(1, 1)).messages.map(({ Subject }) => Subject)).toEqual(['Rechnung €9']);
    expect((await client(http).listMessages(0, 0)).messages).toHaveLength(2);
  });

  test('reads a message, and marks it', async () => {
    await using http = await startHttp();
    const id = http.store.put(PLAIN);
    const message = await client(http).getMessageSummary(id);
    expect(message).toMatchObject({
      ID: id,
      MessageID: 'm1@red.test',
      From: { Name: 'Jürgen', Address: 'j@red.test' },
      ReturnPath: 'sender@app.test',
      Subject: 'Rechnung €9',
      ListUnsubscribe: {
        Header: '<mailto:u@red.test>, <https://red.test/u?x=1>',
        Links: ['mailto:u@red.test', 'https://red.test/u?x=1'],
        Errors: '',
        HeaderPost: 'List-Unsubscribe=One-Click',
      },
      Date: '2026-11-03T10:00:00.000Z',
      HTML: '',
      Attachments: [],
      Inline: [],
      Tags: [],
    });
    expect(message.Text.trim()).toBe('Hello Alice, your code is 281734.');
    expect((await client(http).listMessages()).unread).toBe(0);
    // Without an id: the newest.
    const newest = http.store.put(MIXED);
    expect((await client(http).getMessageSummary()).ID).toBe(newest);
  });

  test('a message that there is not', async () => {
    await using http = await startHttp();
    await expect(client(http).getMessageSummary()).rejects.toThrow(/404.*Message not found/s);
    for (const rest of ['', '/headers', '/raw', '/part/1']) {
      const response = await http.get(`/api/v1/message/T000000000000000000009${rest}`);
      expect([response.status, await response.text()]).toEqual([404, '404 page not found']);
    }
    const id = http.store.put(PLAIN);
    for (const part of ['2', '1.1', '0', 'x', '9'.repeat(40)]) {
      expect((await http.get(`/api/v1/message/${id}/part/${part}`)).status).toBe(404);
    }
  });

  test('headers: canonical names in order, values unfolded and not decoded', async () => {
    await using http = await startHttp();
    http.store.put(PLAIN);
    const headers = await client(http).getMessageHeaders();
    expect(Object.keys(headers)).toEqual([...Object.keys(headers)].sort());
    expect(headers).toMatchObject({
      'Message-Id': ['<m1@red.test>'],
      Subject: ['=?utf-8?q?Rechnung_=E2=82=AC9?='],
      'X-Folded': ['one two'],
      'X-Odd-Name': ['a', 'b'],
      'Return-Path': ['<sender@app.test>'],
    });
  });

  test('the source is the trace and the octets, exactly', async () => {
    await using http = await startHttp();
    const id = http.store.put(`${PLAIN}ÿ${'long line '.repeat(500)}`);
    expect(await client(http).getMessageSource(id)).toBe(`${TRACE}${PLAIN}ÿ${'long line '.repeat(500)}`);
    const download = await http.get(`/api/v1/message/${id}/raw?dl=1`);
    expect(download.headers.get('content-disposition')).toBe(`attachment; filename="${id}.eml"`);
    expect(download.headers.get('content-length')).toBe(String((await download.arrayBuffer()).byteLength));
    expect(download.headers.get('content-security-policy')).toBe('sandbox');
  });

  test('parts: pictures of the text, attachments, their sums and their octets', async () => {
    await using http = await startHttp();
    const id = http.store.put(MIXED);
    const message = await client(http).getMessageSummary(id);
    const sha256 = createHash('sha256').update(PICTURE).digest('hex');
    expect(message.HTML).toContain('cid:pic@red.test');
    expect(message.Inline).toHaveLength(1);
    expect(message.Inline[0]).toMatchObject({
      FileName: 'pic.png',
      ContentType: 'image/png',
      ContentID: 'pic@red.test',
      Size: 8,
      Checksums: { SHA256: sha256, MD5: createHash('md5').update(PICTURE).digest('hex') },
    });
    expect(message.Attachments).toMatchObject([{ FileName: 'page.html', ContentType: 'text/html', Size: 9 }]);
    const picture = await client(http).getMessageAttachment(id, message.Inline[0]!.PartID);
    expect([picture.type, Buffer.from(await picture.arrayBuffer())]).toEqual(['image/png', PICTURE]);
    // HTML of a stranger, from our own origin: nothing of it may run.
    const page = await http.get(`/api/v1/message/${id}/part/${message.Attachments[0]!.PartID}`);
    expect(await page.text()).toBe('<b>é</b>');
    expect(page.headers.get('content-security-policy')).toBe('sandbox');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('searches, waits, and takes the newest that is found', async () => {
    await using http = await startHttp();
    const old = http.store.put(PLAIN, { receivedAt: new Date('2026-01-01T12:00:00Z') });
    http.store.put(MIXED);
    const mail = client(http);
    const none = await mail.searchMessages({ query: 'from:j@red.test subject:mixed' });
    expect(none).toMatchObject({ total: 2, messages_count: 0, count: 0, messages: [] });
    expect(await mail.searchMessages({ query: 'from:j@red.test' })).toMatchObject({
      total: 2,
      messages_count: 1,
      count: 1,
    });
    expect((await mail.searchMessages({ query: '-from:j@red.test' })).messages).toHaveLength(1);
    expect((await mail.searchMessages({ query: 'has:attachment' })).messages.map(({ Subject }) => Subject)).toEqual([
      'mixed',
    ]);
    expect((await mail.searchMessages({ query: 'before:2026-02-01' })).messages.map(({ ID }) => ID)).toEqual([old]);
    // Noon in UTC is the evening of that day in Tokyo: 21 o'clock.
    expect((await mail.searchMessages({ query: 'before:"2026-01-01 20:00"', tz: 'Asia/Tokyo' })).messages).toHaveLength(
      0,
    );
    expect((await mail.searchMessages({ query: 'before:"2026-01-01 22:00"', tz: 'Asia/Tokyo' })).messages).toHaveLength(
      1,
    );
    expect((await mail.searchMessages({ query: 'before:nonsense', tz: 'Nowhere' })).messages).toHaveLength(2);
    expect((await mail.waitForMessage({ query: 'subject:mixed' })).Subject).toBe('mixed');
    const latest = await http.json<{ ID: string }>('/api/v1/message/latest?query=before:2026-02-01');
    expect(latest.ID).toBe(old);
    expect((await mail.searchMessages({ query: 'is:unread' })).messages).toHaveLength(0);
    const empty = await http.get('/api/v1/search?query=%20');
    expect([empty.status, await empty.text()]).toEqual([400, 'Error: no search query']);
  });

  test('marks by id, by search, and all', async () => {
    await using http = await startHttp();
    const ids = [http.store.put(PLAIN), http.store.put(MIXED), http.store.put(MIXED)];
    const mail = client(http);
    expect(await mail.setReadStatus({ Read: true, IDs: [ids[0]!] })).toBe('ok');
    expect((await mail.listMessages()).unread).toBe(2);
    await mail.setReadStatus({ Read: true, Search: 'subject:mixed' });
    expect((await mail.listMessages()).unread).toBe(0);
    await mail.setReadStatus();
    expect((await mail.listMessages()).unread).toBe(3);
    expect((await http.get('/api/v1/messages', { method: 'PUT', body: '{' })).status).toBe(400);
    expect((await mail.listMessages()).unread).toBe(3);
  });

  test('deletes by id, by search, and all', async () => {
    await using http = await startHttp();
    const ids = [http.store.put(PLAIN), http.store.put(MIXED), http.store.put(MIXED)];
    const mail = client(http);
    expect(await mail.deleteMessages({ IDs: [ids[1]!] })).toBe('ok');
    expect((await mail.listMessages()).messages.map(({ ID }) => ID)).toEqual([ids[2], ids[0]]);
    expect(await mail.deleteMessagesBySearch({ query: 'subject:mixed' })).toBe('ok');
    expect((await mail.listMessages()).messages.map(({ ID }) => ID)).toEqual([ids[0]]);
    // Go takes names in any case: this is about one message, not all.
    await http.get('/api/v1/messages', jsonBody('DELETE', { ids: ['0123456789012345678901'] }));
    expect((await mail.listMessages()).messages.map(({ ID }) => ID)).toEqual([ids[0]]);
    await http.get('/api/v1/messages', jsonBody('PUT', { ids: [ids[0]], read: true }));
    expect((await mail.listMessages()).unread).toBe(0);
    expect((await http.get('/api/v1/search', { method: 'DELETE' })).status).toBe(400);
    http.store.put(MIXED);
    // No body, and one that nobody can read, mean all.
    expect(await mail.deleteMessages()).toBe('ok');
    expect((await mail.listMessages()).total).toBe(0);
    http.store.put(MIXED);
    await http.get('/api/v1/messages', { method: 'DELETE', body: 'unreadable' });
    expect((await mail.listMessages()).total).toBe(0);
    expect((await mail.getInfo()).Messages).toBe(0);
  });

  test('the information, and what is not there', async () => {
    await using http = await startHttp();
    http.store.put(PLAIN);
    const info = await client(http).getInfo();
    expect(info).toMatchObject({ Version: 'v1.2.3', Messages: 1, Unread: 1, DatabaseSize: 4096, Tags: {} });
    expect(Object.keys(info.RuntimeStats).sort()).toEqual(
      ['MessagesDeleted', 'Memory', 'SMTPAccepted', 'SMTPAcceptedSize', 'SMTPIgnored', 'SMTPRejected', 'Uptime'].sort(),
    );
    const options = await http.get('/api/v1/messages', { method: 'OPTIONS' });
    expect([options.status, await options.text()]).toEqual([200, '']);
    expect((await http.get('//api//v1//messages')).status).toBe(200);
    const view = await http.get('//view/latest.txt');
    expect([view.status, view.url.endsWith('//view/latest.txt')]).toEqual([200, true]);
    expect((await http.get('/proxy?data=eDpodHRwOi8veC50ZXN0Lw==')).status).toBe(400);
    const { swagger, paths } = await http.json<{ swagger: string; paths: Record<string, Record<string, unknown>> }>(
      '/api/v1/swagger.json',
    );
    expect(swagger).toBe('2.0');
    // Whatever is named there is there.
    const id = http.store.put(PLAIN);
    for (const path of Object.keys(paths).filter((each) => paths[each]!.get !== undefined)) {
      const asked = path.replace('{ID}', id).replace('{PartID}', '1');
      const answer = await (await http.get(`${asked}?query=x`)).text();
      expect([asked, answer]).not.toEqual([asked, '404 page not found']);
    }
    expect((await http.get('/api/v1/messages', { method: 'HEAD' })).status).toBe(200);
  });
});
