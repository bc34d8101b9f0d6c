/**
 * The filter over the list of conversations: words, all of which must be found. `user:alice`, `port:1143`, `has:tls`,
 * `has:problem`, `problem:D08`, `is:open`; a minus before one means its opposite. `text:LOGIN` is the server's to find.
 */
import type { ConversationItem } from '../http/schemas/conversations.ts';
import { formatEndpoint } from './format.ts';
import { serviceName } from './texts.ts';

export interface ConversationFilter {
  /** What must have been said; undefined: anything. */
  readonly text: string | undefined;
  readonly passes: (item: ConversationItem) => boolean;
}

interface Word {
  readonly field: string;
  readonly value: string;
  readonly isOpposite: boolean;
}

const FIELDS = ['user', 'port', 'has', 'is', 'problem', 'text'];

export function filterOf(query: string): ConversationFilter {
  const words = wordsOf(query);
  const text = words.findLast(({ field, value }) => field === 'text' && value !== '')?.value;
  const others = words.filter(({ field }) => field !== 'text');
  return {
    text,
    passes: (item) => others.every((word) => passesWord(item, word) !== word.isOpposite),
  };
}

/** A value with blanks in it stands in double quotes. */
function wordsOf(query: string): Word[] {
  const found: Word[] = [];
  for (const [, minus = '', name = '', quoted, bare = ''] of query.matchAll(
    /(-?)(?:([a-z]+):)?(?:"([^"]*)"?|(\S*))/gi,
  )) {
    const field = name.toLowerCase();
    const isField = FIELDS.includes(field);
    const value = quoted ?? bare;
    const whole = isField || field === '' ? value : `${name}:${value}`;
    if (whole === '' && !isField) continue;
    found.push({
      field: isField ? field : '',
      value: field === 'text' ? whole : whole.toLowerCase(),
      isOpposite: minus !== '',
    });
  }
  return found;
}

export function hasProblem({ problem, diagnoses }: ConversationItem): boolean {
  return problem !== null || diagnoses.some(({ severity }) => severity === 'problem');
}

function passesWord(item: ConversationItem, { field, value, isOpposite }: Word): boolean {
  // Half a word, while it is being written, holds nothing back.
  if (value === '') return !isOpposite;
  switch (field) {
    case 'user':
      return item.login?.toLowerCase().includes(value) ?? false;
    case 'port':
      return String(item.local.port).startsWith(value);
    case 'has':
      return value === 'tls' ? item.tls !== null : value === 'problem' ? hasProblem(item) : false;
    case 'is':
      return value === 'open' ? item.closed === null : value === 'closed' ? item.closed !== null : false;
    case 'problem':
      return item.diagnoses.some(({ id, title }) => id.toLowerCase() === value || title.toLowerCase().includes(value));
    default:
      return textOf(item).includes(value);
  }
}

function textOf(item: ConversationItem): string {
  const { service, protocol, remote, local, tls, login, program, problem, id, diagnoses } = item;
  const parts = [id, service, protocol, serviceName(service), formatEndpoint(remote), formatEndpoint(local)];
  const found = diagnoses.map((diagnosis) => `${diagnosis.id} ${diagnosis.title}`);
  const more = [tls ? `${tls.version} ${tls.cipher}` : 'plain', login ?? '', program ?? '', problem ?? '', ...found];
  return [...parts, ...more].join(' ').toLowerCase();
}
