/**
 * Each lesson is played as it is written: the commands of its `try` blocks are typed into the console, its messages are
 * sent, its faults are switched on, and after each step its check must hold; before, it must not.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadLessons } from '../../src/glass/lessons/load-lessons.ts';
import type { Lesson, LessonBlock, LessonCheck, LessonList } from '../../src/http/schemas/lessons.ts';
import { ConsoleClient } from '../console-client.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';

let stack: TestStack;
let url: string;

beforeAll(async () => {
  stack = await startTestStack();
  url = `http://127.0.0.1:${stack.port('http')}/api/glass`;
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  expect(stack.logged).toEqual([]);
});

async function api<T>(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body !== undefined && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** The consoles that one lesson has open. */
class Desk implements Disposable {
  readonly #open = new Map<string, ConsoleClient>();

  async console({ service, letter }: { readonly service: string; readonly letter: string }): Promise<ConsoleClient> {
    const key = `${service} ${letter}`;
    const there = this.#open.get(key);
    if (there && there.messages.at(-1)?.type !== 'ended') return there;
    const isAtOnce = service.endsWith('s') && service !== 'pop3';
    const name = (isAtOnce ? service.slice(0, -1) : service) as 'smtp' | 'submission' | 'imap' | 'pop3';
    const opened = await ConsoleClient.open(stack.port('http'), name, isAtOnce ? 'at-once' : 'later');
    this.#open.set(key, opened);
    await opened.until('command');
    return opened;
  }

  /** Those that wait to be told. */
  idling(): ConsoleClient[] {
    return [...this.#open.values()].filter((each) => {
      const news = each.messages.findLast(({ type }) => type === 'news');
      return news?.type === 'news' && news.standing.expects.type === 'idle';
    });
  }

  [Symbol.dispose](): void {
    for (const each of this.#open.values()) each[Symbol.dispose]();
  }
}

/** What a server may wait for after any line; the session may also be over. */
const ANYTHING = ['command', 'message', 'octets', 'sasl', 'idle', 'nothing'] as const;

async function type(session: ConsoleClient, text: string): Promise<void> {
  const isStartTls = /^STLS$|STARTTLS$/.test(text);
  session.say({ type: 'send', text: `${text}\r\n` });
  try {
    if (isStartTls) await session.next('tls');
    await session.until(...ANYTHING);
  } catch (error) {
    // QUIT, or a fault that cuts the connection.
    if (!(error as Error).message.startsWith('the session has ended')) throw error;
  }
}

async function play(block: LessonBlock, lesson: Lesson, desk: Desk): Promise<void> {
  switch (block.type) {
    case 'html':
      // The one thing that is done in another window.
      if (block.html.includes('the browser asks for it by HTTP')) {
        const { messages } = await api<{ messages: { id: string }[] }>('/messages');
        await api(`/messages/${messages[0]!.id}`);
      }
      return;
    case 'try': {
      const session = await desk.console(block.console);
      for (const line of block.lines) await type(session, line);
      return;
    }
    case 'text': {
      const session = await desk.console(block.console);
      const isMail = /^(smtp|submission)/.test(block.console.service);
      // As the console does it: RFC 5321 §4.5.2.
      const text = isMail ? `${block.text.replace(/^\./gm, '..')}\n.` : block.text;
      await type(session, text.replaceAll('\n', '\r\n'));
      return;
    }
    case 'fault':
      await api('/faults', block.rule);
      return;
    case 'message': {
      const waiting = desk.idling();
      await api(`/lessons/${lesson.id}/messages`, { number: block.number });
      await Promise.all(waiting.map((session) => session.next('news')));
    }
  }
}

/** What was done may be recorded in the turn after. Each question is recorded too, and the next one comes after it. */
async function until(ask: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 50; tries++) if (await ask()) return;
  throw new Error(`${what} is not done`);
}

const { lessons: own, problems } = await loadLessons();

test('there are at least ten, and every file is one', () => {
  expect(problems).toEqual([]);
  expect(own.length).toBeGreaterThanOrEqual(10);
});

describe('played as it is written', () => {
  test.each(own.map(({ id }) => id))('%s', async (id) => {
    const lesson = await api<Lesson>(`/lessons/${id}`);
    expect(lesson.missing).toEqual([]);
    expect(JSON.stringify(lesson)).not.toMatch(/\{\{|‹|<script|onerror/);
    const began = new Date().toISOString();
    const done: Record<string, string> = {};
    const states = (): Promise<LessonCheck> => api(`/lessons/${id}/check`, { began, done });
    const isDone = async (step: string): Promise<boolean> => {
      const { steps } = await states();
      const found = steps.find((each) => each.id === step)!;
      if (found.done !== null) done[step] = found.done;
      if (found.done !== null) expect(found.evidence).not.toBeNull();
      return found.done !== null;
    };
    using desk = new Desk();
    for (const { done: early } of (await states()).steps) expect(early).toBeNull();
    for (const block of lesson.intro) await play(block, lesson, desk);
    for (const step of lesson.steps) {
      if (step.checked) expect([step.id, await isDone(step.id)]).toEqual([step.id, false]);
      for (const block of step.blocks) await play(block, lesson, desk);
      if (step.checked) await until(() => isDone(step.id), step.id);
    }
    const checked = lesson.steps.filter((step) => step.checked).map((step) => step.id);
    expect(Object.keys(done)).toEqual(checked);
    expect(checked.length).toBeGreaterThanOrEqual(3);
    await api('/faults', undefined, 'DELETE');
  });
});

describe('the routes', () => {
  test('list the lessons in their order', async () => {
    const { lessons, problems: wrong } = await api<LessonList>('/lessons');
    expect(wrong).toEqual([]);
    expect(lessons[0]).toMatchObject({ id: 'send-by-hand', minutes: 10, missing: [] });
    expect(lessons.map(({ id }) => id)).toEqual(own.map(({ id }) => id));
  });

  test('a lesson that there is not, an account that there is not, a message that there is not', async () => {
    expect((await fetch(`${url}/lessons/nonsense`)).status).toBe(404);
    expect((await fetch(`${url}/lessons/send-by-hand?account=nobody`)).status).toBe(404);
    await expect(api('/lessons/send-by-hand/messages', { number: 7 })).rejects.toThrow('has no message 7');
    await expect(api('/lessons/send-by-hand/check', { began: 'yesterday' })).rejects.toThrow('400');
  });

  test('a service that is off is named', async () => {
    await using small = await startTestStack('--imap-port', 'off');
    const response = await fetch(`http://127.0.0.1:${small.port('http')}/api/glass/lessons`);
    const { lessons } = (await response.json()) as LessonList;
    expect(lessons.find(({ id }) => id === 'read-by-imap')!.missing).toEqual(['imap']);
  });

  test('a scope sees its own conversations alone', async () => {
    const scope = await api<{ token: string; address: string }>('/scopes', {});
    const began = new Date().toISOString();
    using desk = new Desk();
    const session = await desk.console({ service: 'smtp', letter: '' });
    await type(session, 'EHLO me');
    const ask = async (headers: Record<string, string>): Promise<LessonCheck> => {
      const response = await fetch(`${url}/lessons/send-by-hand/check`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify({ began }),
      });
      return (await response.json()) as LessonCheck;
    };
    expect((await ask({})).steps[0]!.done).not.toBeNull();
    expect((await ask({ Authorization: `Bearer ${scope.token}` })).steps[0]!.done).toBeNull();
  });
});
