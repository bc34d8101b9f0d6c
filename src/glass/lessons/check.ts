/**
 * What must have happened for a step to be done, as the lines of a `check` block say it:
 *
 *     after the step before
 *     imap A: client SELECT /inbox/i
 *     imap A: server OK
 *     imap B: not client EXPUNGE
 *     submission: client AUTH under TLS
 *     store: INBOX >= 2
 *
 * A line begins with a service or a protocol, and a letter where several connections of one are meant; what has the same
 * beginning happens on the same connection, and what has another one on another. The lines happen one after the other.
 */
import { BadLesson, PLACEHOLDERS, type Values, filled } from './lesson.ts';

export const NOTES = [
  'login',
  'login-failed',
  'client',
  'refused',
  'stored',
  'appended',
  'selected',
  'looked',
  'read',
  'flags',
  'copied',
  'moved',
  'marked',
  'expunged',
  'api-read',
  'api-marked',
  'api-deleted',
  'settings',
  'revealed',
  'limit',
  'wrong-port',
  'dropped',
  'fault',
] as const;
export type Note = (typeof NOTES)[number];

export type Event =
  | {
      readonly type: 'said';
      readonly side: 'client' | 'server';
      /** Of a command or a reply; undefined: any. FETCH is UID FETCH too. */
      readonly name: string | undefined;
      /** For the text of it; undefined: any. May hold placeholders. */
      readonly pattern: Pattern | undefined;
      readonly how: 'in clear' | 'under TLS' | undefined;
    }
  /** What the session remarked. The pattern is for what it says: a login name, a mailbox, an effect. */
  | { readonly type: 'note'; readonly note: Note; readonly pattern: Pattern | undefined }
  | { readonly type: 'tls'; readonly step: 'end' | 'failed' }
  | { readonly type: 'closed' };

export interface Pattern {
  readonly source: string;
  readonly flags: string;
}

export interface Condition {
  /** A service or a protocol: `submission`, `imap`; `any` is each that speaks of mail. */
  readonly where: string;
  /** Tells connections apart; may be empty. */
  readonly letter: string;
  /** It never happens on that connection. */
  readonly isNot: boolean;
  readonly event: Event;
}

export interface StoreCondition {
  readonly mailbox: string;
  readonly least: number;
}

export interface Check {
  /** Only what happened since the step before was done counts. */
  readonly isAfter: boolean;
  readonly conditions: readonly Condition[];
  /** What holds in the learner's account. */
  readonly store: readonly StoreCondition[];
}

const WHERE: ReadonlySet<string> = new Set([
  ...['any', 'smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s', 'http', 'https', 'lmtp'],
]);

/** @param firstLine where the block's content begins in its file @throws BadLesson */
export function parseCheck(text: string, firstLine: number): Check {
  const conditions: Condition[] = [];
  const store: StoreCondition[] = [];
  let isAfter = false;
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim();
    const at = firstLine + index;
    if (line === '' || line.startsWith('#')) return;
    if (line === 'after the step before') isAfter = true;
    else if (line.startsWith('store:')) store.push(storeCondition(line, at));
    else conditions.push(condition(line, at));
  });
  if (conditions.every(({ isNot }) => isNot)) {
    throw new BadLesson(
      firstLine,
      'a check wants at least one line of something that happens, not only of what does not',
    );
  }
  for (const { where, letter, isNot } of conditions) {
    const isSame = (other: Condition): boolean => other.where === where && other.letter === letter && !other.isNot;
    if (isNot && !conditions.some(isSame)) {
      throw new BadLesson(firstLine, `nothing else says which connection "${[where, letter].join(' ').trim()}" is`);
    }
  }
  return { isAfter, conditions, store };
}

function storeCondition(line: string, at: number): StoreCondition {
  const [, mailbox, least] = /^store: +(\S+) +>= +(\d{1,6})$/.exec(line) ?? [];
  if (mailbox === undefined) throw new BadLesson(at, `"${line}" is not of the form "store: MAILBOX >= NUMBER"`);
  return { mailbox, least: Number(least) };
}

function condition(line: string, at: number): Condition {
  const [, where = '', letter = '', not, rest = ''] = /^([a-z0-9]+)(?: ([A-Z]))?: +(not +)?(.+)$/.exec(line) ?? [];
  if (where === '') throw new BadLesson(at, `"${line}" is not of the form "SERVICE: what happens"`);
  if (!WHERE.has(where)) throw new BadLesson(at, `there is no service or protocol "${where}"`);
  return { where, letter, isNot: not !== undefined, event: event(rest, at) };
}

function event(text: string, at: number): Event {
  if (text === 'tls') return { type: 'tls', step: 'end' };
  if (text === 'tls failed') return { type: 'tls', step: 'failed' };
  if (text === 'closed') return { type: 'closed' };
  const [, word = '', name, source, flags = '', how] =
    /^([a-z-]+)(?: +([A-Z0-9+*.]+(?: [A-Z]+)?))?(?: +\/(.+)\/(i?))?(?: +(in clear|under TLS))?$/.exec(text) ?? [];
  const pattern = source === undefined ? undefined : checkedPattern(source, flags, at);
  if (word === 'client' || word === 'server') {
    if (name === undefined && pattern === undefined)
      throw new BadLesson(at, `"${text}": what is said? A name, a /pattern/ or both`);
    return { type: 'said', side: word, name, pattern, how: how as 'in clear' | 'under TLS' | undefined };
  }
  const note = NOTES.find((each) => each === word);
  if (note === undefined || name !== undefined || how !== undefined) {
    throw new BadLesson(at, `"${text}" is nothing that can happen: client, server, tls, closed, ${NOTES.join(', ')}`);
  }
  return { type: 'note', note, pattern };
}

function checkedPattern(source: string, flags: string, at: number): Pattern {
  for (const [, name = ''] of source.matchAll(/\{\{([^}]*)\}\}/g)) {
    if (!(PLACEHOLDERS as readonly string[]).includes(name)) throw new BadLesson(at, `there is no {{${name}}}`);
  }
  try {
    new RegExp(
      filled(source, () => 'x'),
      flags,
    );
  } catch (error) {
    throw new BadLesson(at, (error as Error).message);
  }
  return { source, flags };
}

/** Values are taken as they are, not as patterns. */
export function regularExpression({ source, flags }: Pattern, values: Values): RegExp {
  const literally = (name: string): string | undefined => values(name)?.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return new RegExp(filled(source, literally), flags);
}
