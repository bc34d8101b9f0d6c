/** Lessons: their text with the learner's own addresses in it, and how far he has come, as the conversations show it. */
import { join } from 'node:path';
import { evaluate } from '../../glass/lessons/evaluate.ts';
import { type Block, type Lesson, SERVICE_PLACEHOLDER, type Values, filled } from '../../glass/lessons/lesson.ts';
import { type Lessons, loadLessons } from '../../glass/lessons/load-lessons.ts';
import { loginAddress } from '../../sasl/login-name.ts';
import type { Account } from '../../store/mail-store.ts';
import { hostName } from '../access.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import {
  type Lesson as LessonAnswer,
  type LessonBlock,
  type LessonCheck,
  type LessonList,
  checkBody,
  lesson as lessonSchema,
  lessonCheck,
  lessonList,
  lessonMessage,
  lessonMessageBody,
  lessonPath,
  lessonQuery,
} from '../schemas/lessons.ts';

const unknown = { description: 'There is no such lesson, or no such account', schema: problem };
const broken = { description: "The lesson's file is wrong: the answer names the line", schema: problem };

export const lessonRoutes = [
  route({
    method: 'get',
    path: '/api/glass/lessons',
    group: 'Lessons',
    summary: 'The lessons, in their order',
    answers: { 200: { description: 'Those that can be read, and what is wrong with others', schema: lessonList } },
    async handle(_input, parts) {
      const { lessons, problems } = await load(parts);
      return json({
        lessons: lessons.map((each) => itemOf(each, parts)),
        problems: problems.map((each) => ({ ...each })),
      } satisfies LessonList);
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/lessons/{id}',
    group: 'Lessons',
    summary: 'A lesson, with the addresses of this server in its text',
    params: lessonPath,
    query: lessonQuery,
    answers: { 200: { description: 'The lesson', schema: lessonSchema }, 404: unknown, 409: broken },
    async handle({ params, query, request, client }, parts) {
      const found = await find(params.id, parts);
      const account = await accountOf(query.account, parts);
      const password = client.administers ? await parts.knownPassword?.(account) : undefined;
      const host = shownHost(request.headers.get('host'));
      const values = valuesOf(account, parts, { host, password });
      const { renderMarkdown } = await import('../../glass/lessons/render.ts');
      const shown = numbered((markdown) => renderMarkdown(markdown, values), values);
      return json({
        ...itemOf(found, parts),
        account,
        now: new Date().toISOString(),
        intro: shown(found.intro),
        steps: found.steps.map(({ id, title, blocks, hints, check }) => ({
          id,
          title,
          checked: check !== undefined,
          blocks: shown(blocks),
          hints: hints.map((hint) => renderMarkdown(hint, values)),
        })),
        watchesHttp: found.steps.some(({ check }) => check?.conditions.some(({ where }) => where.startsWith('http'))),
      } satisfies LessonAnswer);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/lessons/{id}/check',
    group: 'Lessons',
    summary: 'Which steps are done, as the recorded conversations show it',
    description: 'Nothing is kept here: what was done before is told by whoever asks, and stays done.',
    params: lessonPath,
    body: checkBody,
    answers: { 200: { description: 'Each step', schema: lessonCheck }, 404: unknown, 409: broken },
    async handle({ params, body }, parts) {
      const found = await find(params.id, parts);
      const address = await accountOf(body.account, parts);
      const began = Date.parse(body.began);
      const counts = await messageCounts(found, address, parts);
      const steps = evaluate(found, {
        conversations: parts.recorder.list().filter(({ closedAt }) => closedAt === undefined || closedAt >= began),
        began,
        done: Object.fromEntries(Object.entries(body.done).map(([id, time]) => [id, Date.parse(time)])),
        values: valuesOf(address, parts, {}),
        messages: (mailbox) => counts.get(mailbox.toUpperCase()) ?? 0,
      });
      return json({
        steps: steps.map(({ id, doneAt, evidence }) => ({
          id,
          done: doneAt === undefined ? null : new Date(doneAt).toISOString(),
          evidence: evidence ?? null,
        })),
      } satisfies LessonCheck);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/lessons/{id}/messages',
    group: 'Lessons',
    summary: 'Have one of the messages of a lesson sent to the learner',
    administration: true,
    params: lessonPath,
    body: lessonMessageBody,
    answers: {
      201: { description: 'It has been delivered', schema: lessonMessage },
      403: { description: 'Not for this client', schema: problem },
      404: unknown,
      409: broken,
    },
    async handle({ params, body, client }, parts) {
      const found = await find(params.id, parts);
      const blocks = [...found.intro, ...found.steps.flatMap((step) => step.blocks)];
      const block = blocks.filter(({ type }) => type === 'message')[body.number];
      if (block?.type !== 'message') throw new HttpProblem(404, `the lesson has no message ${body.number}`);
      const account = await existing(await accountOf(body.account, parts), parts);
      if (!parts.delivery) throw new HttpProblem(404, 'this server takes no mail by HTTP');
      const values = valuesOf(account.address, parts, {});
      await using spool = parts.store.spool();
      await spool.write(Buffer.from(filled(block.message, values)));
      const { transactionId } = await parts.delivery.deliver({
        reversePath: values('other')!,
        recipients: [await parts.delivery.recipient(account.address)],
        content: await spool.finish(),
        receivedAt: new Date(),
        origin: {
          service: 'http',
          conversation: undefined,
          remoteAddress: client.address,
          helo: undefined,
          login: undefined,
          tls: undefined,
        },
        received: undefined,
      });
      return json({ id: transactionId }, 201);
    },
  }),
];

function load({ dataFolder }: HttpParts): Promise<Lessons> {
  return loadLessons([join(dataFolder, 'lessons')]);
}

async function find(id: string, parts: HttpParts): Promise<Lesson> {
  const { lessons, problems } = await load(parts);
  const found = lessons.find((each) => each.id === id);
  if (found) return found;
  const wrong = problems.find((each) => each.id === id);
  if (wrong)
    throw new HttpProblem(409, `the lesson's file ${wrong.file} is wrong in line ${wrong.line}: ${wrong.message}`);
  throw new HttpProblem(404, `there is no lesson ${id}`);
}

function itemOf({ id, title, minutes, needs, steps }: Lesson, parts: HttpParts): LessonList['lessons'][number] {
  const services = parts.services();
  return {
    id,
    title,
    minutes,
    missing: needs.filter((service) => services[service] === undefined),
    steps: steps.map((step) => ({ id: step.id, title: step.title, checked: step.check !== undefined })),
  };
}

/** The address of whoever learns. One that was named must be there. */
async function accountOf(given: string | undefined, parts: HttpParts): Promise<string> {
  if (given !== undefined) return (await existing(loginAddress(given, parts.defaultDomain), parts)).address;
  return parts.firstAccounts?.[0] ?? `alice@${parts.defaultDomain}`;
}

async function existing(address: string, parts: HttpParts): Promise<Account> {
  const account = await parts.store.findAccount(address);
  if (!account) throw new HttpProblem(404, `there is no account ${address}`);
  return account;
}

async function messageCounts(found: Lesson, address: string, parts: HttpParts): Promise<ReadonlyMap<string, number>> {
  if (!found.steps.some(({ check }) => check && check.store.length > 0)) return new Map();
  const account = await parts.store.findAccount(address);
  const mailboxes = account ? await parts.store.listMailboxes(account.id) : [];
  return new Map(mailboxes.map(({ name, messages }) => [name.toUpperCase(), messages]));
}

/** As the reader reaches this server; on this computer by the name that certificates have. */
function shownHost(field: string | null): string {
  const name = hostName(field ?? '') ?? 'localhost';
  return name === '127.0.0.1' || name === '::1' ? 'localhost' : name;
}

function valuesOf(
  account: string,
  parts: HttpParts,
  { host = 'localhost', password }: { readonly host?: string; readonly password?: string | undefined },
): Values {
  const { firstAccounts = [], defaultDomain } = parts;
  const other = firstAccounts.find((each) => each !== account) ?? `bob@${defaultDomain}`;
  const plain = password === undefined ? undefined : Buffer.from(`\0${account}\0${password}`).toString('base64');
  const values: Readonly<Record<string, string>> = {
    account,
    other,
    domain: defaultDomain,
    host,
    password: password ?? '‹password›',
    plain: plain ?? '‹base64 of NUL, account, NUL, password›',
  };
  const services = parts.services();
  return (name) => {
    if (!SERVICE_PLACEHOLDER.test(name)) return Object.hasOwn(values, name) ? values[name] : undefined;
    return String(services[name.split('.', 1)[0]!]?.port ?? 'off');
  };
}

/** @returns what shows blocks; messages are numbered through the lesson */
function numbered(html: (markdown: string) => string, values: Values): (blocks: readonly Block[]) => LessonBlock[] {
  let messages = 0;
  const shown = (block: Block): LessonBlock => {
    switch (block.type) {
      case 'prose':
        return { type: 'html', html: html(block.markdown) };
      case 'try':
        return { ...block, lines: block.lines.map((line) => filled(line, values)) };
      case 'text':
        return { ...block, text: filled(block.text, values) };
      case 'fault':
        return { type: 'fault', rule: block.rule };
      case 'message':
        return { type: 'message', number: messages++, subject: block.subject };
    }
  };
  return (blocks) => blocks.map(shown);
}
