/** What tests of applications do: they wait for mail over HTTP, follow it as a stream, and take out what they need. */
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MessageSummary } from '../../src/http/schemas/messages.ts';
import type { Extracted, Waited, WaitedInVain } from '../../src/http/schemas/waiting.ts';
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

async function send(subject: string, fields: { to?: string; text?: string; html?: string; headers?: object } = {}) {
  const { to = 'alice@app.test', text = 'hello', html, headers } = fields;
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), ignoreTLS: true });
  await transport.sendMail({
    from: 'app@app.test',
    to,
    subject,
    text,
    ...(html === undefined ? {} : { html }),
    ...(headers === undefined ? {} : { headers: headers as Record<string, string> }),
  });
  transport.close();
}

async function wait(parameters: Record<string, string>): Promise<Waited> {
  const response = await fetch(`${url}/api/glass/messages/wait?${new URLSearchParams(parameters).toString()}`);
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as Waited;
}

const subjects = ({ messages }: Waited): string[] => messages.map(({ subject }) => subject);

describe('waiting', () => {
  test('for what is there already, and for what comes', async () => {
    await send('Reset your password');
    expect(subjects(await wait({ to: 'alice@app.test', subject: 'reset' }))).toEqual(['Reset your password']);
    const waiting = wait({ subject: 'welcome', to: 'bob@app.test' });
    await send('Welcome', { to: 'carol@app.test' });
    await send('Welcome', { to: 'bob@app.test' });
    const { messages } = await waiting;
    expect(messages.map(({ recipients }) => recipients)).toEqual([['bob@app.test']]);
  });

  test('for several, and for those after a moment or a cursor', async () => {
    await send('one');
    const { cursor } = await wait({});
    const three = wait({ count: '2', since: cursor });
    await send('two');
    await send('three');
    expect(subjects(await three)).toEqual(['three', 'two']);
    const moment = new Date(Date.now() + 1).toISOString();
    while (new Date().toISOString() <= moment) await Promise.resolve();
    const later = wait({ since: moment });
    await send('four');
    expect(subjects(await later)).toEqual(['four']);
    expect(subjects(await wait({ query: '"thr" -subject:four', since: '2020-01-01T00:00:00Z' }))).toEqual(['three']);
  });

  test('for what is deleted before there are enough of it', async () => {
    const two = wait({ count: '2' });
    await send('first');
    await fetch(`${url}/api/v1/messages`, { method: 'DELETE' });
    await send('second');
    await send('third');
    expect(subjects(await two)).toEqual(['third', 'second']);
  });

  test('two hundred at once, each for its own', async () => {
    const all = Array.from({ length: 200 }, (_, i) => wait({ to: `user${i}@app.test` }));
    await Promise.all(
      Array.from({ length: 20 }, async (_, worker) => {
        for (let i = worker; i < 200; i += 20) await send(`for ${i}`, { to: `user${i}@app.test` });
      }),
    );
    expect((await Promise.all(all)).map(subjects)).toEqual(Array.from({ length: 200 }, (_, i) => [`for ${i}`]));
  });

  test('in vain: a 404 that tells what did arrive', async () => {
    await send('before');
    const { cursor } = await wait({});
    await send('something else');
    const parameters = new URLSearchParams({ subject: 'nothing', since: cursor, timeout: '50ms' });
    const response = await fetch(`${url}/api/glass/messages/wait?${parameters.toString()}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    const body = (await response.json()) as WaitedInVain;
    expect(body.detail).toMatch(/^no such message arrived in \d+ ms; 1 did: see "arrived"$/);
    expect(body.arrived.map(({ subject }) => subject)).toEqual(['something else']);
    expect(
      subjects(
        await wait({ since: body.cursor, timeout: '0s', count: '1' }).catch(() => ({
          messages: [] as MessageSummary[],
          cursor: '',
          waitedMs: 0,
        })),
      ),
    ).toEqual([]);
  });

  test.each([
    ['timeout=soon', 'timeout'],
    ['timeout=11m', 'timeout'],
    ['count=0', 'count'],
    ['since=yesterday', 'since'],
    ['too=alice', 'too'],
    ['larger=big', 'larger'],
    ['account=nobody@app.test', 'nobody@app.test'],
  ])('%s is refused, and says why', async (parameters, named) => {
    const response = await fetch(`${url}/api/glass/messages/wait?${parameters}`);
    expect(response.status).toBe(parameters.startsWith('account') ? 404 : 400);
    expect(((await response.json()) as { detail: string }).detail).toContain(named);
  });

  test('ends when the client leaves, and when the server stops', async () => {
    const leaving = new AbortController();
    const left = fetch(`${url}/api/glass/messages/wait`, { signal: leaving.signal }).catch((error: unknown) => error);
    const stays = fetch(`${url}/api/glass/messages/wait?timeout=60s`);
    // Both are being served once another request on the same server has been answered.
    await fetch(`${url}/livez`);
    leaving.abort();
    expect(await left).toBeInstanceOf(Error);
    await stack[Symbol.asyncDispose]();
    expect((await stays).status).toBe(503);
  });
});

interface StreamEvent {
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
}

/** The events of a stream until it is closed; comments are passed over. */
async function* eventsOf(
  parameters: string,
  lastEventId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const response = await fetch(`${url}/api/glass/messages/stream?${parameters}`, {
    signal,
    headers: lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId },
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  let text = '';
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      if (field('event') !== undefined)
        yield { event: field('event')!, id: field('id')!, data: JSON.parse(field('data')!) };
    }
  }
}

describe('the stream', () => {
  test('tells each message once, over reconnects at any point', async () => {
    let lastEventId: string | undefined;
    const heard: string[] = [];
    let sent = 0;
    for (let round = 0; round < 8; round++) {
      const leaving = new AbortController();
      const events = eventsOf('to=alice', lastEventId, leaving.signal);
      const hello = (await events.next()).value as StreamEvent;
      expect(hello.event).toBe('hello');
      lastEventId = hello.id;
      // Some of them come while nobody listens.
      const sending = (async () => {
        for (let i = 0; i < 5; i++) await send(`n${sent++}`, { to: i === 2 ? 'bob@app.test' : 'alice@app.test' });
      })();
      for (let take = 0; take < (round % 3) + 1; take++) {
        const { event, id, data } = (await events.next()).value as StreamEvent;
        expect(event).toBe('message');
        lastEventId = id;
        heard.push((data as MessageSummary).subject);
      }
      leaving.abort();
      await events.return(undefined).catch(() => undefined);
      await sending;
    }
    const wanted = Array.from({ length: sent }, (_, i) => `n${i}`).filter((_, i) => i % 5 !== 2);
    const last = new AbortController();
    for await (const { event, data } of eventsOf('to=alice', lastEventId, last.signal)) {
      if (event === 'message') heard.push((data as MessageSummary).subject);
      if (heard.length === wanted.length) break;
    }
    last.abort();
    expect(heard).toEqual(wanted);
  });

  test('a cursor of another store: begin anew', async () => {
    const events = eventsOf('cursor=00000000.1.1', undefined, AbortSignal.timeout(10_000));
    expect(((await events.next()).value as StreamEvent).event).toBe('hello');
    expect(((await events.next()).value as StreamEvent).event).toBe('reset');
    await send('then');
    expect((((await events.next()).value as StreamEvent).data as MessageSummary).subject).toBe('then');
    await events.return(undefined);
  });
});

test('extraction: links, codes and how to unsubscribe', async () => {
  await send('Your code is 483920', {
    text: 'Or type AB12-CD34 as your passcode. See https://app.test/help. We are here since 1999.',
    html: '<p>Click <a href="https://app.test/reset?t=1">here</a>, or <a href="https://app.test/help">help</a>.</p><p>Or type AB12-CD34 as your passcode.</p>',
    headers: {
      'List-Unsubscribe': '<mailto:leave@app.test>, <https://app.test/leave?u=1>',
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  });
  const { messages } = await wait({});
  const response = await fetch(`${url}/api/glass/messages/${messages[0]!.id}/extract`);
  expect((await response.json()) as Extracted).toEqual({
    links: [
      { url: 'https://app.test/reset?t=1', host: 'app.test', text: 'here', in: 'html' },
      { url: 'https://app.test/help', host: 'app.test', text: 'help', in: 'html' },
      { url: 'mailto:leave@app.test', host: '', text: '', in: 'list-unsubscribe' },
      { url: 'https://app.test/leave?u=1', host: 'app.test', text: '', in: 'list-unsubscribe' },
    ],
    codes: [
      { code: '483920', rule: 'digits', word: 'code', distance: 8, in: 'subject' },
      { code: 'AB12-CD34', rule: 'grouped-capitals', word: 'passcode', distance: 18, in: 'text' },
    ],
    listUnsubscribe: {
      header: '<mailto:leave@app.test>, <https://app.test/leave?u=1>',
      links: ['mailto:leave@app.test', 'https://app.test/leave?u=1'],
      oneClick: true,
    },
  });
  expect((await fetch(`${url}/api/glass/messages/0123456789abcdefABCDEF/extract`)).status).toBe(404);
});
