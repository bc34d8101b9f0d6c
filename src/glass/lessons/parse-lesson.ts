/** A lesson's file: Markdown, whose headings are the steps and whose fenced blocks are what is done and checked. */
import { type Token, marked } from 'marked';
import { BadRules, parseRules } from '../../faults/rule-schema.ts';
import { type Check, parseCheck } from './check.ts';
import {
  BadLesson,
  type Block,
  type ConsoleName,
  type Lesson,
  PLACEHOLDERS,
  SERVICE_PLACEHOLDER,
  type Step,
} from './lesson.ts';

const SERVICES: readonly string[] = ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s'];

interface Draft {
  readonly line: number;
  readonly title: string;
  readonly blocks: Block[];
  readonly hints: string[];
  check: Check | undefined;
}

/** @param id from the file's name @throws BadLesson */
export function parseLesson(id: string, text: string): Lesson {
  const source = text.replaceAll('\r\n', '\n');
  const { fields, body, firstLine } = frontMatter(source);
  checkPlaceholders(source);
  const intro: Draft = { line: firstLine, title: '', blocks: [], hints: [], check: undefined };
  const drafts: Draft[] = [];
  let line = firstLine;
  for (const token of marked.lexer(body)) {
    const draft = drafts.at(-1) ?? intro;
    if (token.type === 'heading' && (token as { depth?: number }).depth === 2) {
      drafts.push({ line, title: String((token as { text?: string }).text), blocks: [], hints: [], check: undefined });
    } else if (token.type === 'heading' && (token as { depth?: number }).depth === 1) {
      throw new BadLesson(line, 'the title stands in the first lines; a step begins with ##');
    } else addToken(token, draft, line);
    line += token.raw.split('\n').length - 1;
  }
  if (intro.check || intro.hints.length > 0)
    throw new BadLesson(firstLine, 'checks and hints belong to a step, below its ## heading');
  if (!drafts.some(({ check }) => check)) throw new BadLesson(firstLine, 'no step has a check');
  const steps = drafts.map(toStep);
  const twice = steps.find((step, index) => steps.findIndex((other) => other.id === step.id) !== index);
  if (twice) throw new BadLesson(firstLine, `two steps are called "${twice.title}"`);
  return { id, ...fields, intro: intro.blocks, steps };
}

function toStep({ line, title, blocks, hints, check }: Draft): Step {
  const id = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  if (id === '') throw new BadLesson(line, 'a heading needs letters');
  return { id, title, blocks, hints, check };
}

function frontMatter(source: string): {
  readonly fields: Pick<Lesson, 'title' | 'minutes' | 'needs'>;
  readonly body: string;
  readonly firstLine: number;
} {
  const lines = source.split('\n');
  const end = lines.indexOf('---', 1);
  if (lines[0] !== '---' || end === -1)
    throw new BadLesson(1, 'the file begins with --- and title:, minutes: and needs:, and again ---');
  const given = new Map<string, string>();
  lines.slice(1, end).forEach((line, index) => {
    const [, name, value] = /^([a-z]+): *(.*)$/.exec(line) ?? [];
    if (name === undefined) throw new BadLesson(index + 2, `"${line}" is not of the form "name: value"`);
    if (!['title', 'minutes', 'needs'].includes(name))
      throw new BadLesson(index + 2, `there is no ${name}: title, minutes and needs`);
    given.set(name, value!.trim());
  });
  const title = given.get('title') ?? '';
  if (title === '') throw new BadLesson(1, 'the title is missing');
  const minutes = Number(given.get('minutes'));
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > 120)
    throw new BadLesson(1, 'minutes must be a number from 1 to 120');
  const needs = (given.get('needs') ?? '').split(/[ ,]+/).filter((name) => name !== '');
  const unknown = needs.find((name) => !SERVICES.includes(name) && name !== 'http');
  if (unknown !== undefined) throw new BadLesson(1, `needs: there is no service ${unknown}`);
  return { fields: { title, minutes, needs }, body: lines.slice(end + 1).join('\n'), firstLine: end + 2 };
}

function checkPlaceholders(source: string): void {
  source.split('\n').forEach((line, index) => {
    for (const [, name = ''] of line.matchAll(/\{\{([^{}]*)\}\}/g)) {
      if ((PLACEHOLDERS as readonly string[]).includes(name) || SERVICE_PLACEHOLDER.test(name)) continue;
      throw new BadLesson(
        index + 1,
        `there is no {{${name}}}: ${PLACEHOLDERS.join(', ')}, or a service's name and .port`,
      );
    }
  });
}

function addToken(token: Token, draft: Draft, line: number): void {
  const last = draft.blocks.at(-1);
  if (token.type === 'space' && last?.type !== 'prose') return;
  if (token.type !== 'code') {
    if (last?.type === 'prose')
      draft.blocks[draft.blocks.length - 1] = { type: 'prose', markdown: last.markdown + token.raw };
    else draft.blocks.push({ type: 'prose', markdown: token.raw });
    return;
  }
  const { lang = '', text } = token as { lang?: string; text: string };
  const [kind = '', ...rest] = lang.trim().split(/ +/);
  switch (kind) {
    case 'check':
      if (draft.check) throw new BadLesson(line, 'a step has one check');
      draft.check = parseCheck(text, line + 1);
      return;
    case 'hint':
      draft.hints.push(text);
      return;
    case 'try':
      draft.blocks.push({ type: 'try', console: consoleName(rest, line), lines: text.split('\n') });
      return;
    case 'text':
      draft.blocks.push({ type: 'text', console: consoleName(rest, line), text });
      return;
    case 'fault':
      draft.blocks.push({ type: 'fault', rule: faultRule(text, line) });
      return;
    case 'message':
      draft.blocks.push(message(text, line));
      return;
    case '':
    case 'said':
      draft.blocks.push({ type: 'prose', markdown: token.raw });
      return;
    default:
      throw new BadLesson(
        line,
        `there is no block "${kind}": try, text, check, hint, fault, message, or said for what is only shown`,
      );
  }
}

function consoleName([service = '', letter = '', ...more]: readonly string[], line: number): ConsoleName {
  if (!SERVICES.includes(service)) throw new BadLesson(line, `"${service}" is none of ${SERVICES.join(', ')}`);
  if (!/^[A-Z]?$/.test(letter) || more.length > 0)
    throw new BadLesson(line, 'after the service one capital letter may follow');
  return { service: service as ConsoleName['service'], letter };
}

function faultRule(text: string, line: number) {
  try {
    return parseRules(`[${text}]`)[0]!;
  } catch (error) {
    if (error instanceof BadRules) throw new BadLesson(line + 1, error.message);
    throw error;
  }
}

function message(text: string, line: number): Block {
  const subject = /^subject: *(.*)$/im.exec(text.split('\n\n', 1)[0]!)?.[1];
  if (subject === undefined || !text.includes('\n\n'))
    throw new BadLesson(line + 1, 'a message has headers with a Subject, an empty line, and text');
  return { type: 'message', subject, message: `${text.replaceAll('\n', '\r\n')}\r\n` };
}
