/**
 * The HTTP API of MailHog, v1 and v2, for tests that were written for it: the same paths, shapes and texts.
 *
 * It shares port and prefix with Mailpit's API, and both are served at once. Only two requests are asked in the same way
 * of both: `GET /api/v1/messages`, which answers as Mailpit (`--api-v1 mailhog`: as MailHog), and `DELETE
 * /api/v1/messages`, which deletes for both and answers Mailpit's `ok`. The npm package `mailhog` takes a body for JSON
 * and fails on that; it is known by saying neither what it accepts nor what it sends, and gets an empty body.
 *
 * What differs: a message is served as it is kept, with its fields in order; unknown messages and parts are 404 where
 * MailHog drops the connection; beyond the end a list is empty. Messages are released to servers that the operator has
 * named alone.
 */
import type { TransactionFilter, TransactionSummary } from '../../store/mail-store.ts';
import type { SearchQuery } from '../../store/search-query.ts';
import { bodyOf, contentDisposition, contentResponse, streamOf } from '../content.ts';
import type { HttpParts } from '../parts.ts';
import { type App, type HttpContext, json } from '../route.ts';
import { eventStream } from './mailhog/events.ts';
import { addJim } from './mailhog/jim.ts';
import { addRelease } from './mailhog/release.ts';
import { type MailhogContent, mailhogMessage } from './mailhog/shapes.ts';

export function addMailhog(app: App, parts: HttpParts): void {
  const { store } = parts;

  if (parts.apiV1 === 'mailhog') {
    app.get('/api/v1/messages', async () => {
      const { items } = await store.listTransactions({}, { start: 0, limit: MOST_OF_V1 });
      return jsonStream(messages(parts, items, '[', ']'), 'text/json');
    });
  }

  app.delete('/api/v1/messages', async (context, next) => {
    const says = (name: string): boolean => context.req.header(name) !== undefined;
    if (parts.apiV1 !== 'mailhog' && (says('accept') || says('content-type'))) return next();
    await store.deleteTransactions(undefined);
    return text('');
  });

  app.get('/api/v1/messages/:id', async (context) => {
    const found = await find(parts, context);
    return json(found ? ((await mailhogMessage(store, found)) ?? null) : null);
  });

  app.delete('/api/v1/messages/:id', async (context) => {
    const found = await find(parts, context);
    if (!found) return text('', 500);
    await store.deleteTransactions([found.transactionId]);
    return text('');
  });

  app.get('/api/v1/messages/:id/download', async (context) => {
    const found = await find(parts, context);
    const content = found && (await store.findContent(found.transactionId));
    if (!content) return text('there is no such message', 404);
    const name = contentDisposition('attachment', `${found.transactionId}.eml`);
    return contentResponse(content.content, 'message/rfc822', { headers: { 'Content-Disposition': name } });
  });

  app.get('/api/v1/messages/:id/mime/part/:part/download', async (context) => {
    const found = await find(parts, context);
    const message = found && (await mailhogMessage(store, found));
    const number = context.req.param('part');
    const part = /^\d{1,5}$/.test(number) ? message?.MIME?.Parts[Number(number)] : undefined;
    return part ? partResponse(part) : text('there is no such part', 404);
  });

  app.get('/api/v1/events', async (context) => {
    const body = streamOf(await eventStream(parts, context.req.raw.signal));
    const type = 'text/event-stream';
    return new Response(body, { headers: { 'Content-Type': type, 'Cache-Control': 'no-store' } });
  });

  app.get('/api/v2/messages', (context) => list(parts, {}, context, 'text/json'));

  app.get('/api/v2/search', async (context) => {
    const filter = filterOf(context.req.query('kind') ?? '', context.req.query('query') ?? '');
    return filter ? list(parts, filter, context, 'application/json') : text('', 400);
  });

  addRelease(app, parts);
  addJim(app, parts);
  app.options('/api/v2/*', () => text(''));
}

const MOST_OF_V1 = 1000;
const [PAGE, LARGEST_PAGE] = [50, 250];

function text(body: string, status = 200): Response {
  return new Response(body, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
  });
}

function find({ store }: HttpParts, context: HttpContext): Promise<TransactionSummary | undefined> {
  const id = context.req.param('id') ?? '';
  return /^[0-9A-Za-z]{22}$/.test(id) ? store.findTransaction(id) : Promise.resolve(undefined);
}

/** Undefined: no such kind, or nothing to look for. */
function filterOf(kind: string, text: string): TransactionFilter | undefined {
  if (text === '') return undefined;
  const either = (...queries: SearchQuery[]): TransactionFilter => ({ query: { type: 'or', queries } });
  const header = (name: string): SearchQuery => ({ type: 'header', name, text });
  switch (kind) {
    case 'from':
      return either(header('Return-Path'), header('From'));
    case 'to':
      return either({ type: 'recipient', text }, header('To'));
    case 'containing':
      return { query: { type: 'text', text } };
    default:
      return undefined;
  }
}

async function list(
  parts: HttpParts,
  filter: TransactionFilter,
  context: HttpContext,
  type: string,
): Promise<Response> {
  const start = Math.max(numberOf(context, 'start', 0), 0);
  const asked = numberOf(context, 'limit', PAGE);
  const limit = Math.min(asked <= 0 ? PAGE : asked, LARGEST_PAGE);
  const { matches, items } = await parts.store.listTransactions(filter, { start, limit });
  const head = { total: matches, count: items.length, start };
  return jsonStream(messages(parts, items, `${JSON.stringify(head).slice(0, -1)},"items":[`, ']}'), type);
}

function numberOf(context: HttpContext, name: string, otherwise: number): number {
  const given = context.req.query(name) ?? '';
  return /^-?\d{1,15}$/.test(given) ? Number(given) : otherwise;
}

/** One after the other, as fast as the client reads: all of them at once may be many gigabytes. */
async function* messages(
  { store }: HttpParts,
  items: readonly TransactionSummary[],
  before: string,
  after: string,
): AsyncGenerator<Uint8Array> {
  let separator = before;
  for (const item of items) {
    const message = await mailhogMessage(store, item);
    if (!message) continue;
    yield Buffer.from(separator + JSON.stringify(message));
    separator = ',';
  }
  yield Buffer.from((separator === ',' ? '' : before) + after);
}

function jsonStream(pieces: AsyncIterable<Uint8Array>, type: string): Response {
  return new Response(streamOf(pieces), { headers: { 'Content-Type': type, 'Cache-Control': 'no-store' } });
}

/** What of a part's header says something about its content; nothing else of it becomes a header of ours. */
const PART_FIELDS = ['Content-Type', 'Content-Disposition', 'Content-ID', 'Content-Transfer-Encoding'];

/** Only base64 is decoded. */
function partResponse({ Headers: fields, Body: body }: MailhogContent): Response {
  const headers = new Headers({
    'Content-Type': 'application/octet-stream',
    'Content-Security-Policy': 'sandbox',
    'Cache-Control': 'no-store',
  });
  for (const name of PART_FIELDS) {
    const value = fields[name]?.[0];
    if (value !== undefined && /^[\x20-\x7e]{1,2000}$/.test(value)) headers.set(name, value);
  }
  const isBase64 = fields['Content-Transfer-Encoding']?.[0]?.toLowerCase() === 'base64';
  return new Response(bodyOf(Buffer.from(body, isBase64 ? 'base64' : 'utf8')), { headers });
}
