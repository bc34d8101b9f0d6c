/** What a lesson's file may say, and what its checks find in conversations. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { parseCheck } from '../../src/glass/lessons/check.ts';
import { evaluate } from '../../src/glass/lessons/evaluate.ts';
import { BadLesson, filled } from '../../src/glass/lessons/lesson.ts';
import { loadLessons } from '../../src/glass/lessons/load-lessons.ts';
import { parseLesson } from '../../src/glass/lessons/parse-lesson.ts';
import { renderMarkdown } from '../../src/glass/lessons/render.ts';
import type { Annotation } from '../../src/wire/connection.ts';
import { type Conversation, Recorder } from '../../src/wire/recorder.ts';

const HEAD = '---\ntitle: T\nminutes: 5\nneeds: imap\n---\n';
const values = (name: string): string | undefined => ({ account: 'a.b@glass.localhost' })[name];

function lessonWith(...checks: readonly string[]) {
  return parseLesson(
    'x',
    `${HEAD}\n${checks.map((check, at) => `## Step ${at}\n\n\`\`\`check\n${check}\n\`\`\`\n`).join('\n')}`,
  );
}

/** Lines `C: …`, `S: …`, `TLS`, or a remark. */
type Event = string | Annotation;

function record(recorder: Recorder, service: string, ...events: readonly Event[]): Conversation {
  const protocol = service.replace(/s$/, '').replace('submission', 'smtp');
  const conversation = recorder.open({
    service,
    protocol,
    role: 'server',
    local: { address: '127.0.0.1', port: 1 },
    remote: { address: '127.0.0.1', port: 2 },
  });
  go(conversation, ...events);
  return conversation;
}

function go(conversation: Conversation, ...events: readonly Event[]): void {
  for (const event of events) {
    if (typeof event !== 'string') conversation.annotate(event);
    else if (event === 'TLS') {
      const tls = { version: 'TLSv1.3', cipher: 'X', serverName: undefined, handshakeMs: 1 };
      conversation.tlsStep({ step: 'end', tls });
    } else {
      const view = conversation.tls ? 'ends' : 'both';
      conversation.octets(event.startsWith('C') ? 'in' : 'out', view, Buffer.from(`${event.slice(3)}\r\n`));
    }
  }
}

function done(
  checks: readonly string[],
  conversations: readonly Conversation[],
  more: { began?: number; messages?: number } = {},
): boolean[] {
  return evaluate(lessonWith(...checks), {
    conversations,
    began: more.began ?? 0,
    done: {},
    values,
    messages: () => more.messages ?? 0,
  }).map(({ doneAt }) => doneAt !== undefined);
}

describe('checks', () => {
  const login = { type: 'login', login: 'a.b@glass.localhost', mechanism: 'LOGIN' } as const;

  test('find what was said, in its order', () => {
    const recorder = new Recorder();
    const one = record(recorder, 'imap', 'S: * OK hi', 'C: a1 SELECT INBOX', 'S: * 1 EXISTS', 'S: a1 OK done');
    expect(done(['imap: client SELECT'], [one])).toEqual([true]);
    expect(done(['imap: client SELECT\nimap: server EXISTS\nimap: server OK'], [one])).toEqual([true]);
    expect(done(['imap: server EXISTS\nimap: client SELECT'], [one])).toEqual([false]);
    expect(done(['imap: client SELECT /inbox/i'], [one])).toEqual([true]);
    expect(done(['imap: client SELECT /inbox/'], [one])).toEqual([false]);
    expect(done(['imap: client FETCH'], [one])).toEqual([false]);
    expect(done(['pop3: client SELECT'], [one])).toEqual([false]);
    expect(done(['imaps: client SELECT'], [one])).toEqual([false]);
    expect(done(['any: client SELECT'], [one])).toEqual([true]);
  });

  test('a reply that comes in one piece with others has its order too', () => {
    const recorder = new Recorder();
    const one = record(recorder, 'imap', 'S: * OK hi', 'C: a1 LIST "" *', 'S: * LIST () "/" INBOX\r\na1 OK done');
    expect(done(['imap: client LIST\nimap: server LIST\nimap: server OK'], [one])).toEqual([true]);
  });

  test('FETCH is UID FETCH too, and not the other way round', () => {
    const recorder = new Recorder();
    const one = record(recorder, 'imap', 'S: * OK hi', 'C: a1 UID FETCH 1 FLAGS');
    expect(done(['imap: client FETCH', 'imap: client UID FETCH'], [one])).toEqual([true, true]);
    const other = record(recorder, 'imap', 'S: * OK hi', 'C: a1 FETCH 1 FLAGS');
    expect(done(['imap: client FETCH', 'imap: client UID FETCH'], [other])).toEqual([true, false]);
  });

  test('tell what was readable from what was not', () => {
    const recorder = new Recorder();
    const clear = record(recorder, 'pop3', 'S: +OK hi', 'C: USER a', 'S: +OK', 'C: PASS b', 'S: +OK');
    const hidden = record(
      recorder,
      'pop3',
      'S: +OK hi',
      'C: STLS',
      'S: +OK',
      'TLS',
      'C: USER a',
      'S: +OK',
      'C: PASS b',
      'S: +OK',
    );
    expect(done(['pop3: client PASS in clear', 'pop3: client PASS under TLS', 'pop3: tls'], [clear])).toEqual([
      true,
      false,
      false,
    ]);
    expect(done(['pop3: client PASS in clear', 'pop3: client PASS under TLS', 'pop3: tls'], [hidden])).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('hear what the session remarked, whether before its answer or after', () => {
    const recorder = new Recorder();
    const before = record(recorder, 'imap', 'S: * OK hi', 'C: a1 LOGIN a b', login, 'S: a1 OK');
    const after = record(recorder, 'imap', 'S: * OK hi', 'C: a1 LOGIN a b', 'S: a1 OK', login);
    const check = 'imap: client LOGIN\nimap: login /{{account}}/\nimap: server OK';
    expect(done([check], [before])).toEqual([true]);
    expect(done([check], [after])).toEqual([true]);
    expect(done(['imap: login /bob/'], [before])).toEqual([false]);
  });

  test('a value is taken as it is, not as a pattern', () => {
    const recorder = new Recorder();
    const one = record(recorder, 'smtp', 'S: 220 hi', 'C: RCPT TO:<aXb@glass.localhost>');
    expect(done(['smtp: client RCPT /{{account}}/'], [one])).toEqual([false]);
  });

  test('all lines with one beginning happen on one connection, others on another', () => {
    const recorder = new Recorder();
    const first = record(recorder, 'imap', 'S: * OK hi', 'C: a1 SELECT INBOX');
    const second = record(recorder, 'imap', 'S: * OK hi', 'C: a1 EXPUNGE');
    expect(done(['imap: client SELECT\nimap: client EXPUNGE'], [first, second])).toEqual([false]);
    expect(done(['imap A: client SELECT\nimap B: client EXPUNGE'], [first, second])).toEqual([true]);
    expect(done(['imap A: client SELECT\nimap B: client SELECT'], [first, second])).toEqual([false]);
    expect(done(['imap A: client SELECT\nimap B: client EXPUNGE'], [second])).toEqual([false]);
  });

  test('what must not happen on it', () => {
    const recorder = new Recorder();
    const kept = record(recorder, 'pop3', 'S: +OK hi', 'C: RETR 1', 'S: +OK', 'S: .', 'C: QUIT');
    const check = 'pop3: client RETR\npop3: not client DELE\npop3: client QUIT';
    expect(done([check], [kept])).toEqual([true]);
    const lost = record(recorder, 'pop3', 'S: +OK hi', 'C: RETR 1', 'S: +OK', 'S: .', 'C: DELE 1', 'S: +OK', 'C: QUIT');
    expect(done([check], [lost])).toEqual([false]);
    expect(done([check], [lost, kept])).toEqual([true]);
  });

  test('what was before does not count', () => {
    const recorder = new Recorder();
    const one = record(recorder, 'smtp', 'S: 220 hi', 'C: EHLO me', 'S: 250 hi');
    expect(done(['smtp: client EHLO'], [one], { began: Date.now() + 60_000 })).toEqual([false]);
  });

  test('after the step before', () => {
    const recorder = new Recorder();
    const one = record(recorder, 'smtp', 'S: 220 hi', 'C: NOOP', 'S: 250 ok', 'C: EHLO me', 'S: 250 hi');
    const lesson = lessonWith('smtp: client EHLO', 'after the step before\nsmtp: client NOOP');
    const situation = { conversations: [one], began: 0, values, messages: () => 0 };
    const ask = (known: Record<string, number>) =>
      evaluate(lesson, { ...situation, done: known }).map(({ doneAt }) => doneAt !== undefined);
    expect(ask({})).toEqual([true, false]);
    // The first step was done long ago, and is no longer recorded.
    expect(ask({ 'step-0': 1 })).toEqual([true, true]);
    expect(
      evaluate(lessonWith('pop3: client NOOP', 'after the step before\nsmtp: client NOOP'), {
        ...situation,
        done: {},
      }).map((each) => each.doneAt),
    ).toEqual([undefined, undefined]);
  });

  test('what the account holds', () => {
    const recorder = new Recorder();
    const one = record(recorder, 'imap', 'S: * OK hi', 'C: a1 NOOP');
    expect(done(['imap: client NOOP\nstore: INBOX >= 2'], [one], { messages: 1 })).toEqual([false]);
    expect(done(['imap: client NOOP\nstore: INBOX >= 2'], [one], { messages: 2 })).toEqual([true]);
  });

  test('the first moment at which it holds is the moment of the step, with its evidence', () => {
    const recorder = new Recorder();
    const first = record(recorder, 'smtp', 'S: 220 hi', 'C: EHLO a', 'S: 250 hi');
    // Conversations know when they were opened to the millisecond.
    for (const until = Date.now() + 3; Date.now() < until;);
    const second = record(recorder, 'smtp', 'S: 220 hi', 'C: EHLO b', 'S: 250 hi');
    const lesson = lessonWith('smtp: client EHLO');
    const [step] = evaluate(lesson, { conversations: [second, first], began: 0, done: {}, values, messages: () => 0 });
    expect(step!.evidence!.conversation).toBe(first.id);
    expect(step!.doneAt).toBeGreaterThan(1_600_000_000_000);
  });

  test('many conversations do not make it slow', () => {
    const recorder = new Recorder();
    const many = Array.from({ length: 300 }, () =>
      record(recorder, 'imap', 'S: * OK hi', 'C: a1 SELECT INBOX', 'S: a1 OK'),
    );
    const begun = performance.now();
    expect(done(['imap A: client SELECT\nimap B: client SELECT\nimap A: client NOOP'], many)).toEqual([false]);
    expect(done(['imap A: client SELECT\nimap B: client SELECT'], many)).toEqual([true]);
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

describe('a wrong file is told, with its line', () => {
  const step = '## S\n\n```check\nsmtp: client EHLO\n```\n';
  test.each([
    ['no front matter', '# hello\n', 1, '---'],
    ['no title', '---\nminutes: 5\n---\n', 1, 'title'],
    ['minutes in words', '---\ntitle: T\nminutes: ten\n---\n', 1, 'minutes'],
    ['an unknown field', '---\ntitle: T\nminutes: 5\nauthor: me\n---\n', 4, 'author'],
    ['an unknown service', '---\ntitle: T\nminutes: 5\nneeds: gopher\n---\n', 1, 'gopher'],
    ['no step with a check', `${HEAD}\n## S\n\ntext\n`, 6, 'no step has a check'],
    ['a check outside of a step', `${HEAD}\n\`\`\`check\nsmtp: client EHLO\n\`\`\`\n${step}`, 6, 'heading'],
    ['two checks', `${HEAD}${step}\n\`\`\`check\nsmtp: client NOOP\n\`\`\`\n`, 12, 'one check'],
    ['two steps of one name', `${HEAD}${step}\n${step}`, 6, 'two steps'],
    ['a title of the first level', `${HEAD}# T\n${step}`, 6, '##'],
    ['a block of no kind', `${HEAD}${step}\n\`\`\`chekc\nx\n\`\`\`\n`, 12, 'chekc'],
    ['an unknown console', `${HEAD}${step}\n\`\`\`try gopher\nx\n\`\`\`\n`, 12, 'gopher'],
    ['a rule that is none', `${HEAD}${step}\n\`\`\`fault\n{"what":{"type":"explode"}}\n\`\`\`\n`, 13, 'rule 1'],
    ['a message without a subject', `${HEAD}${step}\n\`\`\`message\nhello\n\`\`\`\n`, 13, 'Subject'],
    ['an unknown placeholder', `${HEAD}${step}\nyour {{pasword}}\n`, 12, 'pasword'],
  ])('%s', (_name, text, line, words) => {
    let wrong: unknown;
    try {
      parseLesson('x', text);
    } catch (error) {
      wrong = error;
    }
    expect(wrong).toBeInstanceOf(BadLesson);
    expect((wrong as BadLesson).message).toContain(words);
    expect((wrong as BadLesson).line).toBe(line);
  });

  test.each([
    ['smtp client EHLO', 'SERVICE: what happens'],
    ['gopher: client EHLO', 'gopher'],
    ['smtp: klient EHLO', 'nothing that can happen'],
    ['smtp: client', 'what is said'],
    ['smtp: client /(/', 'Invalid regular expression'],
    ['smtp: client /{{nobody}}/', 'nobody'],
    ['smtp: stored EHLO', 'nothing that can happen'],
    ['smtp: not client EHLO', 'something that happens'],
    ['smtp: client EHLO\nimap: not client LOGIN', 'which connection'],
    ['store: INBOX', 'MAILBOX >= NUMBER'],
    ['store: INBOX >= 1', 'something that happens'],
  ])('the check %j', (text, words) => {
    expect(() => parseCheck(text, 7)).toThrow(words);
  });
});

describe('text', () => {
  test('paragraphs, placeholders and nothing that acts', () => {
    const lesson = parseLesson(
      'x',
      `${HEAD}One.\n\nTwo, **{{account}}**.\n\n<script>alert(1)</script><img src=x onerror=alert(1)>\n\n[go](javascript:alert(1)) [mail](/mail)\n\n## S\n\n\`\`\`check\nsmtp: client EHLO\n\`\`\`\n`,
    );
    const [block] = lesson.intro;
    expect(lesson.intro).toHaveLength(1);
    const html = renderMarkdown(block!.type === 'prose' ? block!.markdown : '', () => '<b>"x"&');
    expect(html).toContain('<p>One.</p>');
    expect(html).toContain('<strong>&lt;b&gt;&quot;x&quot;&amp;</strong>');
    expect(html).not.toMatch(/script|onerror|javascript/);
    expect(html).toContain('<a href="/mail" target="_blank" rel="noreferrer">mail</a>');
    expect(filled('{{a}} {{b}}', (name) => (name === 'a' ? '1' : undefined))).toBe('1 {{b}}');
  });
});

describe('files', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });

  test('are read in the order of their names, changed ones anew, wrong ones told', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'glassmail-lessons-'));
    folders.push(folder);
    const text = (title: string) =>
      `---\ntitle: ${title}\nminutes: 5\n---\n## S\n\n\`\`\`check\nsmtp: client EHLO\n\`\`\`\n`;
    await writeFile(join(folder, '02-second.md'), text('Second'));
    await writeFile(join(folder, '01-first.md'), text('First'));
    await writeFile(join(folder, '03-bad.md'), 'nothing');
    await writeFile(join(folder, '04-first.md'), text('Another first'));
    await writeFile(join(folder, 'notes.txt'), 'nothing');
    const { lessons, problems } = await loadLessons([join(folder, 'missing')], folder);
    expect(lessons.map(({ id, title }) => [id, title])).toEqual([
      ['first', 'First'],
      ['second', 'Second'],
    ]);
    expect(problems.map(({ file, line }) => [file, line])).toEqual([
      ['lessons/03-bad.md', 1],
      ['lessons/04-first.md', 1],
    ]);
    await writeFile(join(folder, '03-bad.md'), text('Good now'));
    expect((await loadLessons([], folder)).lessons.map(({ title }) => title)).toContain('Good now');
  });
});
