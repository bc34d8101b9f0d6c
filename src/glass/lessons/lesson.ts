/** A lesson: text, things to do, and what must have happened on the wire for each of them to be done. */
import type { RuleDraft } from '../../faults/rule.ts';
import type { Check } from './check.ts';

/** A console in the lesson: a listener's name, and a letter where there are several of one. */
export interface ConsoleName {
  readonly service: 'smtp' | 'submission' | 'submissions' | 'imap' | 'imaps' | 'pop3' | 'pop3s';
  readonly letter: string;
}

export type Block =
  /** Markdown. */
  | { readonly type: 'prose'; readonly markdown: string }
  /** Commands to type, one each line. */
  | { readonly type: 'try'; readonly console: ConsoleName; readonly lines: readonly string[] }
  /** What to write into a message or a literal. */
  | { readonly type: 'text'; readonly console: ConsoleName; readonly text: string }
  /** Something that can be made to go wrong, and right again. */
  | { readonly type: 'fault'; readonly rule: RuleDraft }
  /** A message that somebody sends to the learner: RFC 5322, lines with CR LF. */
  | { readonly type: 'message'; readonly subject: string; readonly message: string };

export interface Step {
  /** From its title: `say-hello`. Progress is kept under it. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
  /** Markdown, for those who are stuck. */
  readonly hints: readonly string[];
  /** Undefined: there is nothing to do but to read. */
  readonly check: Check | undefined;
}

export interface Lesson {
  /** The file's name without number and ending: `send-by-hand`. */
  readonly id: string;
  readonly title: string;
  readonly minutes: number;
  /** Services without which it cannot be done. */
  readonly needs: readonly string[];
  readonly intro: readonly Block[];
  readonly steps: readonly Step[];
}

/** What is wrong with a lesson's file: for whoever wrote it. */
export class BadLesson extends Error {
  override readonly name = 'BadLesson';
  /** From 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** What may stand in `{{…}}`. Those with a full stop begin with a service's name. */
export const PLACEHOLDERS = ['account', 'other', 'domain', 'host', 'password', 'plain'] as const;
export const SERVICE_PLACEHOLDER = /^(smtp|submissions?|imaps?|pop3s?|https?)\.port$/;

export type Values = (name: string) => string | undefined;

/** Puts values in; what has none stays as it is. */
export function filled(text: string, values: Values): string {
  return text.replace(/\{\{([a-z0-9.]+)\}\}/g, (whole, name: string) => values(name) ?? whole);
}
