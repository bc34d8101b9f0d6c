/** What Mailpit's API is asked: its pages, searches and ids, and its way of saying no. */
import type { Content, MailStore, TransactionFilter, TransactionSummary } from '../../../store/mail-store.ts';
import type { MimePart } from '../../../mail/mime-tree.ts';
import { type HttpContext, MAX_JSON, limitedText } from '../../route.ts';
import { withNames } from '../go-names.ts';
import { isTimeZone, parseSearch } from '../../search-language.ts';
import { searchFilter } from '../../search.ts';

export const PART_ID = /^[1-9]\d{0,4}(?:\.[1-9]\d{0,4}){0,99}$/;

export function text(body: string, status = 200): Response {
  return new Response(body, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
  });
}

export function notFound(context: HttpContext): Response {
  return text(context.req.param('id') === 'latest' ? 'Message not found' : '404 page not found', 404);
}

const NAMES = [
  ...['IDs', 'Read', 'Search', 'Tags', 'Name', 'To'],
  ...['Sender', 'Recipient', 'Authentication', 'ErrorCode', 'Probability'],
];

/** A JSON object; undefined: there is none. @throws HttpProblem 413 */
export async function looseBody(request: Request): Promise<Readonly<Record<string, unknown>> | undefined> {
  const body = await limitedText(request, MAX_JSON);
  if (body.trim() === '') return {};
  try {
    const value = withNames(JSON.parse(body), NAMES);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

export function idsOf(body: Readonly<Record<string, unknown>>): string[] {
  const ids = body.IDs;
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
}

export interface Page {
  readonly start: number;
  readonly limit: number;
  readonly before?: Date;
}

/** A limit of 0 means all; a number that is none, the default. */
export function pageOf(context: HttpContext): Page {
  const number = (name: string, otherwise: number) => {
    const given = context.req.query(name) ?? '';
    return /^\d{1,15}$/.test(given) ? Number(given) : otherwise;
  };
  const limit = number('limit', 50);
  const before = context.req.query('before');
  return {
    start: number('start', 0),
    limit: limit === 0 ? Number.MAX_SAFE_INTEGER : limit,
    ...(before !== undefined && beforeDate(before, context)),
  };
}

function zoneOf(context: HttpContext): string {
  const zone = context.req.query('tz') ?? '';
  return zone !== '' && isTimeZone(zone) ? zone : 'UTC';
}

function beforeDate(value: string, context: HttpContext): { readonly before?: Date } {
  const { query } = parseSearch(`before:"${value.replaceAll('"', '')}"`, { timeZone: zoneOf(context) });
  return query.type === 'internal-date' && query.before !== undefined ? { before: new Date(query.before) } : {};
}

/** Terms that cannot be read are passed over. */
export function filterOf(store: MailStore, query: string, context: HttpContext): Promise<TransactionFilter> {
  return searchFilter(store, parseSearch(query, { timeZone: zoneOf(context) }));
}

async function findMessage(store: MailStore, context: HttpContext): Promise<TransactionSummary | undefined> {
  const id = context.req.param('id') ?? '';
  if (id === 'latest') {
    const query = context.req.query('query')?.trim() ?? '';
    return store.findTransaction('latest', query === '' ? undefined : await filterOf(store, query, context));
  }
  return /^[0-9A-Za-z]{22}$/.test(id) ? store.findTransaction(id) : undefined;
}

export interface Found {
  readonly transaction: TransactionSummary;
  readonly content: Content;
  readonly tree: MimePart;
}

/** The message of the path, or the newest: `latest`, of those that `query` finds. */
export async function findWhole(store: MailStore, context: HttpContext): Promise<Found | undefined> {
  const transaction = await findMessage(store, context);
  const content = transaction && (await store.findContent(transaction.transactionId));
  return content && { transaction, ...content };
}
