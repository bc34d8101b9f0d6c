import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { MailhogMessage } from '../../src/http/compatible/mailhog/shapes.ts';
import { Jim } from '../../src/faults/jim.ts';
import { FaultRules } from '../../src/faults/rules.ts';
import { startHttp } from './http-harness.ts';

const CRLF = (text: string) => text.replaceAll('\n', '\r\n');

const PLAIN = CRLF(`Received: from elsewhere.test
From: =?utf-8?q?J=C3=BCrgen?= <j@red.test>
To: Alice <alice@glass.localhost>
Subject: one
Subject: Gr=FC=DFe
 and more
X-Sign: <a> & b

Hello Alice.
`);

const MIXED = CRLF(`From: a@red.test
To: bob@glass.localhost
Message-ID: <m2@red.test>
Subject: mixed
Content-Type: multipart/mixed; boundary="out"

preamble
--out
Content-Type: multipart/alternative; boundary=in

--in
Content-Type: text/plain

=48i
--in--
--out
Content-Type: text/html; name=page.html
Content-Disposition: attachment; filename=page.html
Set-Cookie: a=b
Content-Transfer-Encoding: base64

PGI+PC9iPg==
--out--
`);

interface List {
  readonly total: number;
  readonly count: number;
  readonly start: number;
  readonly items: readonly MailhogMessage[];
}

describe('the API of MailHog', () => {
  test('lists messages as they came, newest first', async () => {
    await using http = await startHttp();
    const id = http.store.put(PLAIN, { recipients: ['alice@glass.localhost', 'hidden@glass.localhost'] });
    http.store.put(MIXED);
    const response = await http.get('/api/v2/messages');
    expect(response.headers.get('content-type')).toBe('text/json');
    const list = (await response.json()) as List;
    expect(list).toMatchObject({ total: 2, count: 2, start: 0 });
    expect(list.items.map(({ Content }) => Content.Headers.Subject)).toEqual([['mixed'], ['Gr=FC=DFe and more']]);
    const [, plain] = list.items;
    expect(plain).toEqual({
      ID: id,
      From: { Relays: null, Mailbox: 'sender', Domain: 'app.test', Params: '' },
      To: [
        { Relays: null, Mailbox: 'alice', Domain: 'glass.localhost', Params: '' },
        { Relays: null, Mailbox: 'hidden', Domain: 'glass.localhost', Params: '' },
      ],
      Content: {
        Headers: {
          From: ['=?utf-8?q?J=C3=BCrgen?= <j@red.test>'],
          'Message-ID': [id],
          Received: ['from elsewhere.test', 'by glass.localhost; Tue, 3 Nov 2026 10:00:00 +0000'],
          'Return-Path': ['<sender@app.test>'],
          Subject: ['Gr=FC=DFe and more'],
          To: ['Alice <alice@glass.localhost>'],
          'X-Sign': ['<a> & b'],
        },
        Body: 'Hello Alice.\r\n',
        Size: PLAIN.length,
        MIME: null,
      },
      Created: plain!.Created,
      MIME: null,
      Raw: {
        From: 'sender@app.test',
        To: ['alice@glass.localhost', 'hidden@glass.localhost'],
        Data: PLAIN,
        Helo: 'app.test',
      },
    });
    expect(new Date(plain!.Created).getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  test('takes a multipart apart at its boundaries, and nothing else', async () => {
    await using http = await startHttp();
    const id = http.store.put(MIXED);
    const message = await http.json<MailhogMessage>(`/api/v1/messages/${id}`);
    expect(message.Content.Headers['Message-ID']).toEqual(['<m2@red.test>']);
    const parts = message.MIME!.Parts;
    expect(parts.map(({ Body }) => Body)).toEqual(['preamble', expect.stringContaining('--in'), 'PGI+PC9iPg==', '--']);
    expect(parts[1]!.MIME!.Parts).toEqual([
      { Headers: { 'Content-Type': ['text/plain'] }, Body: '=48i', Size: 32, MIME: null },
      { Headers: {}, Body: '--', Size: 2, MIME: null },
    ]);
    const download = await http.get(`/api/v1/messages/${id}/mime/part/2/download`);
    expect(download.headers.get('content-type')).toBe('text/html; name=page.html');
    expect(download.headers.get('content-disposition')).toBe('attachment; filename=page.html');
    expect(download.headers.get('content-security-policy')).toBe('sandbox');
    expect(download.headers.get('set-cookie')).toBeNull();
    expect(await download.text()).toBe('<b></b>');
    expect((await http.get(`/api/v1/messages/${id}/mime/part/9/download`)).status).toBe(404);
  });

  test('has pages of at most 250', async () => {
    await using http = await startHttp();
    for (let i = 0; i < 60; i++) http.store.put(`Subject: ${i}\r\n\r\n`);
    const page = async (query: string) => {
      const { total, count, start, items } = await http.json<List>(`/api/v2/messages?${query}`);
      expect(items).toHaveLength(count);
      return [total, count, start];
    };
    expect(await page('')).toEqual([60, 50, 0]);
    expect(await page('start=55&limit=5000')).toEqual([60, 5, 55]);
    expect(await page('limit=-1&start=-3')).toEqual([60, 50, 0]);
    expect(await page('limit=nonsense&start=60')).toEqual([60, 0, 60]);
  });

  test.each([
    ['from', 'SENDER@app', ['mixed', 'Gr=FC=DFe and more']],
    ['from', 'j@red', ['Gr=FC=DFe and more']],
    ['to', 'hidden@', ['Gr=FC=DFe and more']],
    ['to', 'bob@glass', ['mixed']],
    ['containing', 'hello alice', ['Gr=FC=DFe and more']],
    ['containing', 'nowhere', []],
  ])('searches %s %s', async (kind, query, subjects) => {
    await using http = await startHttp();
    http.store.put(PLAIN, { recipients: ['hidden@glass.localhost'] });
    http.store.put(MIXED);
    const response = await http.get(`/api/v2/search?${new URLSearchParams({ kind, query })}`);
    expect(response.headers.get('content-type')).toBe('application/json');
    const { total, items } = (await response.json()) as List;
    expect(items.map(({ Content }) => Content.Headers.Subject![0])).toEqual(subjects);
    expect(total).toBe(subjects.length);
  });

  test('refuses other kinds of search', async () => {
    await using http = await startHttp();
    for (const query of ['kind=subject&query=a', 'query=a', 'kind=to', '']) {
      expect((await http.get(`/api/v2/search?${query}`)).status).toBe(400);
    }
  });

  test('deletes one message or all; what is not there is null, or 500, or 404', async () => {
    await using http = await startHttp();
    const [first, second] = [http.store.put(PLAIN), http.store.put(MIXED)];
    const gone = await http.get(`/api/v1/messages/${first}`, { method: 'DELETE' });
    expect([gone.status, await gone.text()]).toEqual([200, '']);
    expect((await http.get(`/api/v1/messages/${first}`, { method: 'DELETE' })).status).toBe(500);
    expect(await http.json(`/api/v1/messages/${first}`)).toBeNull();
    expect((await http.get(`/api/v1/messages/${first}/download`)).status).toBe(404);
    const download = await http.get(`/api/v1/messages/${second}/download`);
    expect(download.headers.get('content-type')).toBe('message/rfc822');
    expect(download.headers.get('content-disposition')).toBe(`attachment; filename="${second}.eml"`);
    expect(await download.text()).toContain(MIXED);
    const ids = (await http.json<List>('/api/v2/messages')).items.map(({ ID }) => ID);
    expect(ids).toEqual([second]);
    expect(await (await http.get('/api/v1/messages', { method: 'DELETE' })).text()).toBe('ok');
    http.store.put(PLAIN);
    // As the npm package asks, which would take `ok` for JSON.
    const bare = request(`${http.url}/api/v1/messages`, { method: 'DELETE' }).end();
    const [answer] = (await once(bare, 'response')) as [IncomingMessage];
    expect([answer.statusCode, await text(answer)]).toEqual([200, '']);
    expect(await http.json<List>('/api/v2/messages')).toEqual({ total: 0, count: 0, start: 0, items: [] });
  });

  test('answers the bare list of v1 when it is asked to', async () => {
    await using http = await startHttp({ apiV1: 'mailhog' });
    expect(await http.json('/api/v1/messages')).toEqual([]);
    const ids = [http.store.put(PLAIN), http.store.put(MIXED)];
    const list = await http.json<readonly MailhogMessage[]>('/api/v1/messages');
    expect(list.map(({ ID }) => ID)).toEqual(ids.toReversed());
    expect(await http.json('/api/v1/search?query=mixed')).toMatchObject({ messages_count: 1 });
  });

  test('Jim comes, is changed and goes, each of his habits a fault rule', async () => {
    const faults = new FaultRules();
    await using http = await startHttp({ faults, jim: new Jim(faults) });
    const ask = async (method: string, body?: unknown) => {
      const response = await http.get('/api/v2/jim', {
        method,
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      return [response.status, await response.text()] as const;
    };
    expect(await ask('GET')).toEqual([404, '']);
    expect(await ask('PUT', {})).toEqual([404, '']);
    expect(await ask('DELETE')).toEqual([404, '']);
    expect(await ask('POST', '{')).toEqual([400, 'the body must be JSON, or empty']);
    expect(await ask('POST', { AcceptChance: 2 })).toEqual([400, 'AcceptChance must be from 0 to 1']);
    expect(await ask('POST', { rejectSenderChance: 1 })).toEqual([201, '']);
    expect(await ask('POST')).toEqual([400, 'Jim is here already']);
    expect(await http.json('/api/v2/jim')).toEqual({
      DisconnectChance: 0.005,
      AcceptChance: 0.99,
      LinkSpeedAffect: 0.1,
      LinkSpeedMin: 1024,
      LinkSpeedMax: 10_240,
      RejectSenderChance: 1,
      RejectRecipientChance: 0.05,
      RejectAuthChance: 0.05,
    });
    expect(faults.list().map(({ where, what, share }) => [where.at, where.command, what.type, share])).toEqual([
      ['connection', undefined, 'cut', expect.closeTo(0.01)],
      ['connection', undefined, 'slow', 0.1],
      ['command', 'MAIL', 'refuse', 1],
      ['command', 'RCPT', 'refuse', 0.05],
      ['command', 'AUTH', 'refuse', 0.05],
      ['command', undefined, 'cut', 0.005],
    ]);
    // What is not said is zero: nobody is let in.
    expect(await ask('PUT', { RejectRecipientChance: 0.5 })).toEqual([200, '']);
    expect(faults.list().map(({ where, what, share }) => [where.command, what.type, share])).toEqual([
      [undefined, 'cut', 1],
      ['RCPT', 'refuse', 0.5],
    ]);
    expect(await ask('DELETE')).toEqual([200, '']);
    expect(faults.size).toBe(0);
    expect((await ask('GET'))[0]).toBe(404);
  });

  test('releases nothing, has no Jim and no servers to hand mail over to', async () => {
    await using http = await startHttp();
    const id = http.store.put(PLAIN);
    const release = (path: string, body: string) =>
      http.get(`/api/v1/messages/${path}/release`, { method: 'POST', body });
    expect((await release(id, '{"Email":"a@b.test","Host":"mx.test","Port":"25"}')).status).toBe(400);
    expect((await release(id, '{')).status).toBe(400);
    expect((await release('unknown', '{}')).status).toBe(500);
    expect((await http.get('/api/v2/jim')).status).toBe(404);
    expect(await http.json('/api/v2/outgoing-smtp')).toEqual({});
    expect((await http.get('/api/v2/messages', { method: 'OPTIONS' })).status).toBe(200);
  });

  test('tells of each new message over its WebSocket', async () => {
    await using http = await startHttp();
    http.store.put(PLAIN);
    const socket = new WebSocket(`ws://127.0.0.1:${http.port}/api/v2/websocket`);
    await once(socket, 'open');
    const heard = once(socket, 'message') as Promise<[Buffer]>;
    const id = http.store.put(MIXED);
    const message = JSON.parse(String((await heard)[0])) as MailhogMessage;
    expect(message).toMatchObject({ ID: id, Content: { Headers: { Subject: ['mixed'] } } });
    const closed = once(socket, 'close');
    await http.close();
    expect((await closed)[0]).toBe(1001);
    expect(http.logged).toEqual([]);
  });

  test('tells of each new message as events', async () => {
    await using http = await startHttp();
    const leaving = new AbortController();
    const response = await http.get('/api/v1/events', { signal: leaving.signal });
    const id = http.store.put(MIXED);
    let said = '';
    for await (const piece of response.body!) {
      said += Buffer.from(piece).toString();
      if (said.endsWith('data: }\n\n')) break;
    }
    const lines = said.split('\n').filter((line) => line.startsWith('data: '));
    expect(lines.length).toBeGreaterThan(10);
    const message = JSON.parse(lines.map((line) => line.slice(6)).join('\n')) as MailhogMessage;
    expect(message).toMatchObject({ ID: id, Raw: { Data: MIXED } });
    leaving.abort();
  });
});
