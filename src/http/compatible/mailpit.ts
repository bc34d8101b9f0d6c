/**
 * The routes of Mailpit's API v1 that clients of it use to list, search, read and delete: the same paths, shapes and
 * texts, so that a test written for Mailpit works here. Shapes are wider than needed where its clients compare strictly.
 */
import { createHash } from 'node:crypto';
import { fileName } from '../../mail/decode.ts';
import { type Header, firstField, parseHeader } from '../../mail/headers.ts';
import type { MimePart } from '../../mail/mime-tree.ts';
import { bufferOver, guessTextOfBinary, trimBlanks } from '../../mail/octets.ts';
import type { PreviewPart } from '../../mail/preview.ts';
import type { AddressPair, MailStore, TransactionFilter, TransactionSummary } from '../../store/mail-store.ts';
import { bodyOf, contentDisposition, contentResponse, wholeContent } from '../content.ts';
import { partOf, servedOctets, servedTypeWithCharset } from '../message-parts.ts';
import type { HttpParts } from '../parts.ts';
import { type App, type HttpContext, MAX_JSON, json, limitedText } from '../route.ts';
import { isTimeZone, parseSearch } from '../search-language.ts';
import { searchFilter } from '../search.ts';

export function addMailpit(app: App, parts: HttpParts): void {
  const { store } = parts;

  app.get('/api/v1/messages', async (context) => {
    const before = context.req.query('before');
    const page = { ...pageOf(context), ...(before !== undefined && beforeDate(before, context)) };
    return json(await messageList(store, {}, page));
  });

  app.put('/api/v1/messages', async (context) => {
    const body = await looseBody(context.req.raw);
    if (body === undefined) return text('Error: the body must be JSON with Read, IDs or Search', 400);
    const search = typeof body.Search === 'string' ? body.Search.trim() : '';
    const ids = idsOf(body);
    const filter = ids.length === 0 && search !== '' ? await filterOf(store, search, context) : {};
    await store.markTransactions(ids.length > 0 ? ids : undefined, body.Read === true, filter);
    return text('ok');
  });

  app.delete('/api/v1/messages', async (context) => {
    // Nothing, or nothing that can be read, means all.
    const ids = idsOf((await looseBody(context.req.raw)) ?? {});
    await store.deleteTransactions(ids.length > 0 ? ids : undefined);
    return text('ok');
  });

  app.get('/api/v1/search', async (context) => {
    const query = context.req.query('query')?.trim() ?? '';
    if (query === '') return text('Error: no search query', 400);
    const before = context.req.query('before');
    const page = { ...pageOf(context), ...(before !== undefined && beforeDate(before, context)) };
    return json(await messageList(store, await filterOf(store, query, context), page));
  });

  app.delete('/api/v1/search', async (context) => {
    const query = context.req.query('query')?.trim() ?? '';
    if (query === '') return text('Error: no search query', 400);
    await store.deleteTransactions(undefined, await filterOf(store, query, context));
    return text('ok');
  });

  app.get('/api/v1/message/:id', async (context) => {
    const found = await findMessage(store, context);
    const content = found && (await store.findContent(found.transactionId));
    if (!content) return notFound(context);
    const message = await toMessage(found, await wholeContent(content.content), content.tree);
    if (!found.read) await store.markTransactions([found.transactionId], true);
    return json(message);
  });

  app.get('/api/v1/message/:id/headers', async (context) => {
    const found = await findMessage(store, context);
    const content = found && (await store.findContent(found.transactionId));
    if (!content) return notFound(context);
    const octets = await wholeContent(content.content);
    return json(headersOf(octets, parseHeader(octets)));
  });

  app.get('/api/v1/message/:id/raw', async (context) => {
    const found = await findMessage(store, context);
    const content = found && (await store.findContent(found.transactionId));
    if (!content) return notFound(context);
    const download = context.req.query('dl') === '1';
    return contentResponse(content.content, 'text/plain; charset=utf-8', {
      headers: download
        ? { 'Content-Disposition': contentDisposition('attachment', `${found.transactionId}.eml`) }
        : {},
    });
  });

  app.get('/api/v1/message/:id/part/:part', async (context) => {
    const partId = context.req.param('part');
    const found = PART_ID.test(partId) ? await findMessage(store, context) : undefined;
    const content = found && (await store.findContent(found.transactionId));
    const part = content && partOf(content.tree, partId);
    if (!part) return notFound(context);
    return new Response(bodyOf(servedOctets(await wholeContent(content.content), part)), {
      headers: {
        'Content-Type': servedTypeWithCharset(part),
        'Content-Disposition': contentDisposition('inline', fileName(part) ?? ''),
        'Content-Security-Policy': 'sandbox',
        'Cache-Control': 'no-store',
      },
    });
  });

  app.get('/api/v1/info', async () => json(await info(parts)));

  app.options('/api/v1/*', () => text(''));
  app.all('/api/v1/*', () => text('404 page not found', 404));
}

const PART_ID = /^[1-9]\d{0,4}(?:\.[1-9]\d{0,4}){0,99}$/;

function text(body: string, status = 200): Response {
  return new Response(body, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
  });
}

function notFound(context: HttpContext): Response {
  return text(context.req.param('id') === 'latest' ? 'Message not found' : '404 page not found', 404);
}

// -------------------------------------------------------------------------------------------------------- input

/** A JSON object; undefined: there is none. @throws HttpProblem 413 */
async function looseBody(request: Request): Promise<Readonly<Record<string, unknown>> | undefined> {
  const body = await limitedText(request, MAX_JSON);
  if (body.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function idsOf(body: Readonly<Record<string, unknown>>): string[] {
  const ids = body.IDs;
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
}

interface Page {
  readonly start: number;
  readonly limit: number;
  readonly before?: Date;
}

/** A limit of 0 means all; a number that is none, the default. */
function pageOf(context: HttpContext): Page {
  const number = (name: string, otherwise: number) => {
    const given = context.req.query(name) ?? '';
    return /^\d{1,15}$/.test(given) ? Number(given) : otherwise;
  };
  const limit = number('limit', 50);
  return { start: number('start', 0), limit: limit === 0 ? Number.MAX_SAFE_INTEGER : limit };
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
function filterOf(store: MailStore, query: string, context: HttpContext): Promise<TransactionFilter> {
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

// ------------------------------------------------------------------------------------------------------- output

interface MailpitAddress {
  readonly Name: string;
  readonly Address: string;
}

function toAddress({ name, address }: AddressPair): MailpitAddress {
  return { Name: name, Address: address };
}

async function messageList(store: MailStore, filter: TransactionFilter, page: Page): Promise<object> {
  const list = await store.listTransactions(filter, page);
  return {
    total: list.total,
    unread: list.unread,
    count: list.items.length,
    messages_count: list.matches,
    messages_unread: list.unreadMatches,
    start: page.start,
    tags: [],
    messages: list.items.map(toSummary),
  };
}

export function toSummary(transaction: TransactionSummary): object {
  return {
    ID: transaction.transactionId,
    MessageID: transaction.messageId,
    Read: transaction.read,
    From: transaction.from ? toAddress(transaction.from) : null,
    To: transaction.to.map(toAddress),
    Cc: transaction.cc.map(toAddress),
    Bcc: blindCopies(transaction).map(toAddress),
    ReplyTo: transaction.replyTo.map(toAddress),
    Subject: transaction.subject,
    Created: transaction.receivedAt.toISOString(),
    Username: transaction.origin.login ?? '',
    Tags: [],
    Size: transaction.receivedOctets + transaction.traceOctets,
    Attachments: transaction.attachments,
    Snippet: transaction.snippet.slice(0, 250),
  };
}

/** Bcc as written, and recipients of the envelope that no field of the message names. */
function blindCopies({ to, cc, bcc, forwardPaths }: TransactionSummary): readonly AddressPair[] {
  const named = new Set([...to, ...cc, ...bcc].map(({ address }) => address.toLowerCase()));
  const others = forwardPaths.filter(({ address }) => !named.has(address.toLowerCase()));
  return [...bcc, ...others.map(({ address }) => ({ name: '', address }))];
}

async function toMessage(transaction: TransactionSummary, octets: Uint8Array, tree: MimePart): Promise<object> {
  const { preview } = await import('../../mail/preview.ts');
  const shown = await preview(octets, tree);
  const header = parseHeader(octets);
  const from = shown.from[0];
  const named = shown.parts.filter((part) => part.fileName !== '' || part.contentId !== '');
  return {
    ID: transaction.transactionId,
    MessageID: shown.messageId,
    From: from ? toAddress(from) : null,
    To: shown.to.map(toAddress),
    Cc: shown.cc.map(toAddress),
    Bcc: blindCopies(transaction).map(toAddress),
    ReplyTo: shown.replyTo.map(toAddress),
    ReturnPath: transaction.reversePath === '' ? (from?.address ?? '') : transaction.reversePath,
    Subject: shown.subject,
    ListUnsubscribe: listUnsubscribe(shown.listUnsubscribe, octets, header),
    Date: (shown.date ?? transaction.receivedAt).toISOString(),
    Tags: [],
    Username: transaction.origin.login ?? '',
    Text: shown.text,
    HTML: shown.html,
    Size: octets.length,
    Inline: named.filter(({ inline }) => inline).map((part) => toPart(octets, tree, part)),
    Attachments: named.filter(({ inline }) => !inline).map((part) => toPart(octets, tree, part)),
  };
}

function toPart(octets: Uint8Array, tree: MimePart, { partId, fileName, contentType, contentId }: PreviewPart): object {
  const part = partOf(tree, partId);
  const decoded = part ? servedOctets(octets, part) : new Uint8Array(0);
  const digest = (algorithm: string) => createHash(algorithm).update(decoded).digest('hex');
  return {
    PartID: partId,
    FileName: fileName === '' ? contentId : fileName,
    ContentType: contentType,
    ContentID: contentId,
    Size: decoded.length,
    Checksums: { MD5: digest('md5'), SHA1: digest('sha1'), SHA256: digest('sha256') },
  };
}

/** RFC 2369 §3.2, RFC 8058. */
function listUnsubscribe(field: string, octets: Uint8Array, header: Header): object {
  const links = [...field.matchAll(/<\s*([^<>\s]+)\s*>/g)].map(([, link]) => link!);
  const faulty = links.filter((link) => !/^(?:https?:\/\/|mailto:)./i.test(link));
  const errors =
    field !== '' && links.length === 0
      ? 'no links in angle brackets'
      : faulty.length > 0
        ? `not a link: ${faulty.join(', ')}`
        : '';
  return {
    Header: field,
    Links: links,
    Errors: errors,
    HeaderPost: firstField(octets, header, 'List-Unsubscribe-Post') ?? '',
  };
}

/** Names as `Message-Id`, in alphabetical order; values unfolded, nothing decoded. */
function headersOf(octets: Uint8Array, header: Header): Record<string, string[]> {
  const buffer = bufferOver(octets);
  const headers = new Map<string, string[]>();
  for (const { name, bodyStart, end } of header.fields) {
    const value = guessTextOfBinary(trimBlanks(buffer.toString('latin1', bodyStart, end).replace(/\r?\n[ \t]*/g, ' ')));
    const key = canonicalName(guessTextOfBinary(name));
    const values = headers.get(key);
    if (values) values.push(value);
    else headers.set(key, [value]);
  }
  return Object.fromEntries([...headers].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function canonicalName(name: string): string {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name;
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

async function info(parts: HttpParts): Promise<object> {
  const figures = await parts.store.figures();
  const smtp = parts.smtpFigures?.();
  return {
    Version: `v${parts.version}`,
    LatestVersion: `v${parts.version}`,
    Database: parts.dataFolder,
    DatabaseSize: figures.databaseOctets,
    Messages: figures.transactions,
    Unread: figures.unreadTransactions,
    Tags: {},
    RuntimeStats: {
      Uptime: Math.floor(process.uptime()),
      Memory: process.memoryUsage.rss(),
      MessagesDeleted: figures.deletedTransactions,
      SMTPAccepted: smtp?.accepted ?? figures.transactions + figures.deletedTransactions,
      SMTPAcceptedSize: smtp?.acceptedOctets ?? figures.octets,
      SMTPRejected: smtp?.rejected ?? 0,
      SMTPIgnored: 0,
    },
  };
}
