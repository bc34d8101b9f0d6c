/**
 * Mailpit's API v1: the same paths, shapes and texts, so that a test written for Mailpit works here. Lists, searches,
 * reading, marking and deleting are in this file, the rest in those beside it.
 */
import { fileName } from '../../mail/decode.ts';
import { parseHeader } from '../../mail/headers.ts';
import { bodyOf, contentDisposition, contentResponse, wholeContent } from '../content.ts';
import { partOf, servedOctets, servedTypeWithCharset } from '../message-parts.ts';
import type { HttpOptions, HttpParts } from '../parts.ts';
import { type App, json } from '../route.ts';
import { addChaos } from './mailpit/chaos.ts';
import { addDocument } from './mailpit/document.ts';
import { addHtmlCheck } from './mailpit/html-check.ts';
import { addLinkCheck } from './mailpit/link-check.ts';
import { addRelease } from './mailpit/release.ts';
import { PART_ID, filterOf, findWhole, idsOf, looseBody, notFound, pageOf, text } from './mailpit/request.ts';
import { addSend } from './mailpit/send.ts';
import { NO_SETTINGS } from './mailpit/settings.ts';
import { headersOf, messageList, toMessage } from './mailpit/shapes.ts';
import { addTags } from './mailpit/tags.ts';
import { addThumbnail } from './mailpit/thumbnail.ts';
import { addView } from './mailpit/view.ts';

export function addMailpit(app: App, parts: HttpOptions): void {
  addMessages(app, parts);
  addMessage(app, parts);
  addTags(app, parts);
  addSend(app, parts);
  addRelease(app, parts);
  addChaos(app, parts);
  addHtmlCheck(app, parts);
  addLinkCheck(app, parts);
  addThumbnail(app, parts);
  addView(app, parts);
  addDocument(app, parts);
  app.get('/api/v1/info', async () => json(await info(parts)));
  app.get('/api/v1/webui', () => json(configuration(parts)));
  app.get('/api/v1/', (context) => context.redirect('/api/docs'));
  app.options('/api/v1/*', () => text(''));
  app.all('/api/v1/*', () => text('404 page not found', 404));
}

function addMessages(app: App, { store, mailpitEvents }: HttpOptions): void {
  app.get('/api/v1/messages', async (context) => json(await messageList(store, {}, pageOf(context))));

  app.put('/api/v1/messages', async (context) => {
    const body = await looseBody(context.req.raw);
    if (body === undefined) return text('Error: the body must be JSON with Read, IDs or Search', 400);
    const search = typeof body.Search === 'string' ? body.Search.trim() : '';
    const ids = idsOf(body);
    const read = body.Read === true;
    const filter = ids.length === 0 && search !== '' ? await filterOf(store, search, context) : {};
    const before = await Promise.all(ids.slice(0, MOST_TOLD).map((id) => store.findTransaction(id)));
    await store.markTransactions(ids.length > 0 ? ids : undefined, read, filter);
    const again = before.flatMap((found) => (found?.read === read ? [found.transactionId] : []));
    mailpitEvents?.markedAgain(again, read);
    return text('ok');
  });

  app.delete('/api/v1/messages', async (context) => {
    // Nothing, or nothing that can be read, means all.
    const ids = idsOf((await looseBody(context.req.raw)) ?? {});
    const deleted = ids.length === 0 ? mailpitEvents?.deletingAll() : undefined;
    try {
      await store.deleteTransactions(ids.length > 0 ? ids : undefined);
    } finally {
      deleted?.();
    }
    return text('ok');
  });

  app.get('/api/v1/search', async (context) => {
    const query = context.req.query('query')?.trim() ?? '';
    if (query === '') return text('Error: no search query', 400);
    return json(await messageList(store, await filterOf(store, query, context), pageOf(context)));
  });

  app.delete('/api/v1/search', async (context) => {
    const query = context.req.query('query')?.trim() ?? '';
    if (query === '') return text('Error: no search query', 400);
    await store.deleteTransactions(undefined, await filterOf(store, query, context));
    return text('ok');
  });
}

/** Of so many that were read or unread already, events tell. */
const MOST_TOLD = 200;

function addMessage(app: App, { store }: HttpParts): void {
  app.get('/api/v1/message/:id', async (context) => {
    const found = await findWhole(store, context);
    if (!found) return notFound(context);
    const { transaction, content, tree } = found;
    const message = await toMessage(transaction, await wholeContent(content), tree);
    if (!transaction.read) await store.markTransactions([transaction.transactionId], true);
    return json(message);
  });

  app.get('/api/v1/message/:id/headers', async (context) => {
    const found = await findWhole(store, context);
    if (!found) return notFound(context);
    const octets = await wholeContent(found.content);
    return json(headersOf(octets, parseHeader(octets)));
  });

  app.get('/api/v1/message/:id/raw', async (context) => {
    const found = await findWhole(store, context);
    if (!found) return notFound(context);
    const download = context.req.query('dl') === '1';
    return contentResponse(found.content, 'text/plain; charset=utf-8', {
      headers: download
        ? { 'Content-Disposition': contentDisposition('attachment', `${found.transaction.transactionId}.eml`) }
        : {},
    });
  });

  app.get('/api/v1/message/:id/part/:part', async (context) => {
    const partId = context.req.param('part');
    const found = PART_ID.test(partId) ? await findWhole(store, context) : undefined;
    const part = found && partOf(found.tree, partId);
    if (!part) return notFound(context);
    return new Response(bodyOf(servedOctets(await wholeContent(found.content), part)), {
      headers: {
        'Content-Type': servedTypeWithCharset(part),
        'Content-Disposition': contentDisposition('inline', fileName(part) ?? ''),
        'Content-Security-Policy': 'sandbox',
        'Cache-Control': 'no-store',
      },
    });
  });
}

// -------------------------------------------------------------------------------------------------- information

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
    Tags: Object.fromEntries((await parts.store.listTags()).map(({ tag, count }) => [tag, count])),
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

/** What pages other than ours would ask to know which buttons to show. */
function configuration({ mailpit = NO_SETTINGS, chaos }: HttpParts): object {
  const { relay } = mailpit;
  return {
    Label: mailpit.label,
    MessageRelay: {
      Enabled: relay !== undefined,
      SMTPServer: relay ? `${relay.host}:${relay.port}` : '',
      ReturnPath: relay?.returnPath ?? '',
      AllowedRecipients: relay?.allowed?.source ?? '',
      BlockedRecipients: relay?.blocked?.source ?? '',
      OverrideFrom: relay?.overrideFrom ?? '',
      PreserveMessageIDs: relay?.preserveMessageIds ?? false,
      // Its former name, which clients still compare.
      RecipientAllowlist: relay?.allowed?.source ?? '',
    },
    SpamAssassin: false,
    ChaosEnabled: chaos !== undefined,
    DuplicatesIgnored: false,
    HideDeleteAllButton: mailpit.hideDeleteAll,
  };
}
