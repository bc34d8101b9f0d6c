import { describe, expect, test } from 'vitest';
import { contentDisposition, safeFileName } from '../../src/http/content.ts';
import { visibleControls } from '../../src/http/message-view.ts';
import { findCode, findLink } from '../../src/http/one-time-code.ts';
import type { Changed, Message, MessageList } from '../../src/http/schemas/messages.ts';
import * as messagesSchemas from '../../src/http/schemas/messages.ts';
import { jsonBody, startHttp } from './http-harness.ts';
import { TRACE } from './http-memory-store.ts';

const CRLF = (text: string) => text.replaceAll('\n', '\r\n');

const HOSTILE = CRLF(`From: =?utf-8?q?J=C3=BCrgen?= <j@red.test>
Sender: <robot@red.test>
To: alice@glass.localhost
Subject: Your code
Date: Tue, 3 Nov 2026 11:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p onclick="alert(1)">Code 281734</p><script>alert(1)</script>
<img src="https://spy.test/pixel.gif"><img src="cid:pic">
<a href="https://evil.test/">https://bank.test/</a>
--b
Content-Type: image/png; name="pic.png"
Content-ID: <pic>
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename="=?utf-8?q?in=E2=80=AEgpj.exe?="

binary
--b--
`);

describe('the list of messages', () => {
  test('has the shape that it promises, and finds', async () => {
    await using http = await startHttp();
    await http.store.createAccount({ address: 'alice@glass.localhost', passwordRecord: undefined });
    const id = http.store.put(HOSTILE);
    http.store.put('Subject: other\r\n\r\nVisit https://red.test/a?b=1.\r\n', { recipients: ['bob@glass.localhost'] });
    const all = messagesSchemas.messageList.parse(await http.json('/api/glass/messages'));
    expect(all).toMatchObject({ total: 2, unread: 2, matches: 2, unreadMatches: 2, start: 0 });
    expect(all.messages[0]).toMatchObject({ subject: 'other', link: 'https://red.test/a?b=1', code: null });
    expect(all.messages[1]).toMatchObject({
      id,
      code: '281734',
      from: { name: 'Jürgen', address: 'j@red.test' },
      recipients: ['alice@glass.localhost'],
      copies: [{ account: 'alice@glass.localhost', mailboxName: 'INBOX', uid: 1 }],
    });
    const subjects = async (query: string) =>
      (await http.json<MessageList>(`/api/glass/messages?${query}`)).messages.map(({ subject }) => subject);
    expect(await subjects('account=alice')).toEqual(['Your code']);
    expect(await subjects('query=visit')).toEqual(['other']);
    expect(await subjects(`query=id:${id}`)).toEqual(['Your code']);
    expect(await subjects(`query=-id:${id}`)).toEqual(['other']);
    expect(await subjects('start=1&limit=1')).toEqual(['Your code']);
    expect((await http.get('/api/glass/messages?account=nobody')).status).toBe(404);
  });

  test('marks and deletes what is chosen', async () => {
    await using http = await startHttp();
    const [a, b, c] = ['a', 'b', 'c'].map((subject) => http.store.put(`Subject: ${subject}\r\n\r\n.`));
    const change = (path: string, body: unknown) => http.json<Changed>(path, jsonBody('POST', body));
    expect(await change('/api/glass/messages/mark', { ids: [a, b], read: true })).toEqual({ count: 2 });
    expect((await http.json<MessageList>('/api/glass/messages?query=is:read')).matches).toBe(2);
    expect(await change('/api/glass/messages/mark', { query: 'subject:b', read: false })).toEqual({ count: 1 });
    expect(await change('/api/glass/messages/delete', { query: 'is:unread' })).toEqual({ count: 2 });
    expect((await http.json<MessageList>('/api/glass/messages')).messages.map(({ id }) => id)).toEqual([a]);
    // Nothing chosen is nothing, not all.
    expect(await change('/api/glass/messages/delete', { ids: [] })).toEqual({ count: 0 });
    expect(await change('/api/glass/messages/delete', { query: '' })).toEqual({ count: 1 });
    expect(c).toBeDefined();
  });
});

describe('one message', () => {
  test('is shown with all that the page needs, and stays unread', async () => {
    await using http = await startHttp();
    const id = http.store.put(HOSTILE);
    const message = messagesSchemas.message.parse(await http.json<Message>(`/api/glass/messages/${id}`));
    expect(message).toMatchObject({
      id,
      emailId: '1',
      from: { name: 'Jürgen', address: 'j@red.test' },
      sender: { name: '', address: 'robot@red.test' },
      replyTo: [],
      subject: 'Your code',
      code: '281734',
      date: '2026-11-03T10:00:00.000Z',
      dateField: 'Tue, 3 Nov 2026 11:00:00 +0100',
      html: true,
      textFromHtml: true,
      remoteCount: 1,
      remoteReferences: [{ url: 'https://spy.test/pixel.gif', host: 'spy.test', kind: 'image' }],
      links: [{ url: 'https://evil.test/', host: 'evil.test', text: 'https://bank.test/', suspicious: true }],
      traceOctets: TRACE.length,
      receivedOctets: Buffer.byteLength(HOSTILE),
      trace: TRACE,
      transaction: { service: 'smtp', reversePath: 'sender@app.test', conversation: 'abc', read: false },
    });
    expect(message.headers.slice(0, 3)).toEqual([
      { name: 'Return-Path', value: '<sender@app.test>', raw: 'Return-Path: <sender@app.test>', trace: true },
      expect.objectContaining({ name: 'Received', trace: true }),
      { name: 'From', value: 'Jürgen <j@red.test>', raw: 'From: =?utf-8?q?J=C3=BCrgen?= <j@red.test>', trace: false },
    ]);
    expect(message.attachments).toEqual([
      { partId: '2', fileName: 'pic.png', contentType: 'image/png', contentId: 'pic', disposition: 'inline', size: 8 },
      {
        partId: '3',
        fileName: 'in[U+202E]gpj.exe',
        contentType: 'application/octet-stream',
        contentId: '',
        disposition: 'attachment',
        size: 6,
      },
    ]);
    const { parts } = message;
    expect(parts).toMatchObject({ partId: '', contentType: 'multipart/mixed', headerStart: 0 });
    expect(parts.parts.map(({ partId }) => partId)).toEqual(['1', '2', '3']);
    expect(`${TRACE}${HOSTILE}`.slice(parts.parts[2]!.bodyStart, parts.parts[2]!.end)).toBe('binary');
    expect((await http.json<MessageList>('/api/glass/messages')).unread).toBe(1);
    // The same by its email id, which stays what it is wherever a copy of it is moved to.
    expect(await http.json<Message>('/api/glass/messages/1')).toMatchObject({
      id: '1',
      emailId: '1',
      transaction: { id: 'T000000000000000000001' },
      subject: 'Your code',
    });
    expect((await http.get('/api/glass/messages/9')).status).toBe(404);
    expect((await http.get('/api/glass/messages/T000000000000000000009')).status).toBe(404);
  });

  test('its HTML loads nothing and runs nothing', async () => {
    await using http = await startHttp();
    const id = http.store.put(HOSTILE);
    const response = await http.get(`/api/glass/messages/${id}/html`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    });
    const html = await response.text();
    expect(html).toContain('Code 281734');
    expect(html).toContain('src="data:image/png;base64,iVBORw0KGgo="');
    expect(html).not.toMatch(/onclick|<script|spy\.test|cid:/);
    expect((await http.get(`/api/glass/messages/${id}/html?remote=1`)).status).toBe(403);
    const plain = http.store.put('Subject: x\r\n\r\ny');
    expect((await http.get(`/api/glass/messages/${plain}/html`)).status).toBe(404);
  });

  test('its source, with and without the trace', async () => {
    await using http = await startHttp();
    const id = http.store.put(HOSTILE);
    const source = await http.get(`/api/glass/messages/${id}/source`);
    expect(source.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(source.headers.get('content-security-policy')).toBe('sandbox');
    expect(await source.text()).toBe(TRACE + HOSTILE);
    const received = await http.get(`/api/glass/messages/${id}/source?received=1&download=1`);
    expect(received.headers.get('content-disposition')).toBe(`attachment; filename="${id}.eml"`);
    expect(await received.text()).toBe(HOSTILE);
    const head = await http.get(`/api/glass/messages/${id}/source`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(TRACE + HOSTILE)));
  });

  test('its parts are downloads', async () => {
    await using http = await startHttp();
    const id = http.store.put(HOSTILE);
    const response = await http.get(`/api/glass/messages/${id}/parts/3`);
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="ingpj.exe"');
    expect(response.headers.get('content-security-policy')).toBe('sandbox');
    expect(await response.text()).toBe('binary');
    const html = await http.get(`/api/glass/messages/${id}/parts/1`);
    expect(html.headers.get('content-disposition')).toMatch(/^attachment/);
    expect((await http.get(`/api/glass/messages/${id}/parts/4`)).status).toBe(404);
  });
});

describe('file names', () => {
  test.each([
    ['a.txt', 'attachment; filename="a.txt"'],
    ['Größe "x".pdf', `attachment; filename="Gr__e _x_.pdf"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%22x%22.pdf`],
    ['../../etc/passwd', 'attachment; filename="passwd"'],
    ['C:\\x\\evil.exe', 'attachment; filename="evil.exe"'],
    ['a\r\nSet-Cookie: x', 'attachment; filename="aSet-Cookie: x"'],
    ['..', 'attachment; filename="part"'],
    ['', 'attachment; filename="part"'],
    ['\ud800.txt', `attachment; filename="_.txt"; filename*=UTF-8''%EF%BF%BD.txt`],
  ])('%j', (name, field) => {
    expect(contentDisposition('attachment', name)).toBe(field);
  });
  test('directions that turn a name around are gone from files, and seen on pages', () => {
    expect(safeFileName('in\u202egpj.exe')).toBe('ingpj.exe');
    expect(visibleControls('in\u202egpj.exe')).toBe('in[U+202E]gpj.exe');
  });
});

describe('codes and links', () => {
  test.each([
    ['Your verification code is 281734', '281734'],
    ['281734 is your code', '281734'],
    ['Code: 123-456', '123-456'],
    ['Use the one-time password AB12CD now', 'AB12CD'],
    ['Ihr Bestätigungscode lautet 4711.', '4711'],
    ['Invoice 281734 of 2026', undefined],
    ['confirm your order', undefined],
    ['Please verify by 2026', undefined],
    ['The code is 2026', '2026'],
    ['code for http://x.test/281734', undefined],
    ['Your code expires in 10 minutes. Call 0800 123456 for help: code 9931', '9931'],
  ])('%s', (text, code) => {
    expect(findCode(text)).toBe(code);
  });
  test.each([
    ['see https://red.test/a?b=1.', 'https://red.test/a?b=1'],
    ['(http://red.test/x)', 'http://red.test/x'],
    ['http://red.test/x_(y)', 'http://red.test/x_(y)'],
    ['nothing', undefined],
    ['javascript:alert(1)', undefined],
  ])('%s', (text, link) => {
    expect(findLink(text)).toBe(link);
  });
});
