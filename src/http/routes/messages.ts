/** The list of accepted messages, and all that a page shows of one. */
import type { EmailId } from '../../store/change.ts';
import type { TransactionFilter } from '../../store/mail-store.ts';
import { extract } from '../extract.ts';
import { bodyOf, contentDisposition, contentResponse, wholeContent } from '../content.ts';
import { fileName } from '../../mail/decode.ts';
import { partOf, servedOctets, servedTypeWithCharset } from '../message-parts.ts';
import { type FoundMessage, htmlDocument, messageView, summaryView } from '../message-view.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import {
  type Changed,
  type DeleteBody,
  type MessageList,
  type TagList,
  changed,
  deleteBody,
  htmlQuery,
  markBody,
  message,
  messageList,
  messagePath,
  messagesQuery,
  partPath,
  sourceQuery,
  tagList,
  tagsBody,
} from '../schemas/messages.ts';
import { extracted } from '../schemas/waiting.ts';
import { parseStrictly, searchFilter } from '../search.ts';
import { accountNamed, unknownAccount } from './accounts.ts';

const badSearch = { description: 'The search cannot be read', schema: problem };
const unknownMessage = { description: 'There is no such message', schema: problem };

/**
 * What stands around message HTML: nothing is loaded from anywhere, nothing runs, nothing is submitted, and the frame
 * has an origin of its own. The document's frame carries the same `sandbox`.
 */
export const HTML_POLICY = [
  'sandbox allow-popups allow-popups-to-escape-sandbox',
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  'font-src data:',
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join('; ');

/** @throws HttpProblem 404 */
export async function findMessage(parts: HttpParts, id: string): Promise<FoundMessage> {
  const { store } = parts;
  const isEmailId = /^\d{1,16}$/.test(id);
  const email = isEmailId ? { query: { type: 'email', email: Number(id) as EmailId } as const } : undefined;
  const transaction = await store.findTransaction(email ? 'latest' : id, email);
  const key = email ? email.query.email : transaction?.transactionId;
  const found = key === undefined ? undefined : await store.findContent(key);
  if (!found) throw new HttpProblem(404, id === 'latest' ? 'there is no message yet' : `there is no message ${id}`);
  return {
    id: isEmailId ? id : (transaction?.transactionId ?? id),
    emailId: isEmailId ? id : undefined,
    transaction,
    ...found,
  };
}

export const messageRoutes = [
  route({
    method: 'get',
    path: '/api/glass/messages',
    group: 'Messages',
    summary: 'Accepted messages, one entry however many recipients, newest first',
    query: messagesQuery,
    answers: { 200: { description: 'A page of the list', schema: messageList }, 400: badSearch, 404: unknownAccount },
    async handle({ query }, parts) {
      const filter = await filterOf(parts, query.query, query.account, query.tz, 'query');
      // First the cursor: what comes while the list is read is told twice rather than never.
      const { cursor } = await parts.store.transactionEvents(undefined);
      const list = await parts.store.listTransactions(filter, { start: query.start, limit: query.limit });
      return json({
        total: list.total,
        unread: list.unread,
        matches: list.matches,
        unreadMatches: list.unreadMatches,
        start: query.start,
        messages: list.items.map(summaryView),
        cursor,
      } satisfies MessageList);
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/messages/{id}',
    group: 'Messages',
    summary: 'All that a page shows of a message; marks nothing as read',
    params: messagePath,
    answers: { 200: { description: 'The message', schema: message }, 404: unknownMessage },
    async handle({ params }, parts) {
      return json(await messageView(await findMessage(parts, params.id)));
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/messages/{id}/extract',
    group: 'Messages',
    summary: 'What tests look for in a message: links, one-time codes, how to unsubscribe',
    params: messagePath,
    answers: { 200: { description: 'What was found', schema: extracted }, 404: unknownMessage },
    async handle({ params }, parts) {
      return json(await extract(await findMessage(parts, params.id)));
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/messages/{id}/html',
    group: 'Messages',
    summary: "The message's HTML, sanitised, for a sandboxed frame",
    params: messagePath,
    query: htmlQuery,
    answers: {
      200: { description: 'A document that loads nothing', type: 'text/html' },
      403: { description: 'Remote images are not loaded: see `remoteImages` of the status', schema: problem },
      404: unknownMessage,
    },
    async handle({ params, query }, parts) {
      if (query.remote) throw new HttpProblem(403, 'this server has no proxy for images, so it loads no remote ones');
      const document = await htmlDocument(await findMessage(parts, params.id));
      if (document === undefined) throw new HttpProblem(404, 'this message has no HTML');
      return new Response(document, {
        headers: {
          'Content-Type': 'text/html; charset=utf-8',
          'Content-Security-Policy': HTML_POLICY,
          'Referrer-Policy': 'no-referrer',
          'X-Content-Type-Options': 'nosniff',
          'Cross-Origin-Resource-Policy': 'same-origin',
          'Cache-Control': 'no-store',
        },
      });
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/messages/{id}/source',
    group: 'Messages',
    summary: 'The message as IMAP and POP3 serve it, or as it was received',
    params: messagePath,
    query: sourceQuery,
    answers: { 200: { description: 'Its octets', type: 'text/plain' }, 404: unknownMessage },
    async handle({ params, query }, parts) {
      const { id, content } = await findMessage(parts, params.id);
      const disposition: Record<string, string> = query.download
        ? { 'Content-Disposition': contentDisposition('attachment', `${id}.eml`) }
        : {};
      return contentResponse(content, query.download ? 'message/rfc822' : 'text/plain; charset=utf-8', {
        start: query.received ? content.traceSize : 0,
        headers: disposition,
      });
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/messages/{id}/parts/{partId}',
    group: 'Messages',
    summary: 'A part, decoded, as a download',
    params: partPath,
    answers: { 200: { description: 'Its octets', type: 'application/octet-stream' }, 404: unknownMessage },
    async handle({ params }, parts) {
      const { content, tree } = await findMessage(parts, params.id);
      const part = partOf(tree, params.partId);
      if (!part) throw new HttpProblem(404, `the message has no part ${params.partId}`);
      return new Response(bodyOf(servedOctets(await wholeContent(content), part)), {
        headers: {
          'Content-Type': servedTypeWithCharset(part),
          'Content-Disposition': contentDisposition('attachment', fileName(part) ?? `part-${params.partId}`),
          'Content-Security-Policy': 'sandbox',
          'X-Content-Type-Options': 'nosniff',
          'Cache-Control': 'no-store',
        },
      });
    },
  }),
  route({
    method: 'put',
    path: '/api/glass/messages/{id}/tags',
    group: 'Messages',
    summary: 'Give a message other tags',
    params: messagePath,
    body: tagsBody,
    answers: {
      200: { description: 'Those that it has now', schema: tagList },
      404: unknownMessage,
      422: { description: 'One of them cannot be a tag', schema: problem },
    },
    async handle({ params, body }, parts) {
      const { transaction } = await findMessage(parts, params.id);
      if (!transaction) throw new HttpProblem(404, 'only messages that were handed in have tags');
      const id = transaction.transactionId;
      await parts.store.setTags([id], body.tags);
      return json({ tags: [...((await parts.store.findTransaction(id))?.tags ?? [])] } satisfies TagList);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/messages/mark',
    group: 'Messages',
    summary: 'Mark messages as read or unread, in all their copies',
    body: markBody,
    answers: { 200: { description: 'How many', schema: changed }, 400: badSearch, 404: unknownAccount },
    async handle({ body }, parts) {
      const filter = await chosenBy(body, parts);
      const count = await parts.store.markTransactions(body.ids && [...body.ids], body.read, filter);
      return json({ count } satisfies Changed);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/messages/delete',
    group: 'Messages',
    summary: 'Delete messages, in all their copies',
    body: deleteBody,
    answers: { 200: { description: 'How many', schema: changed }, 400: badSearch, 404: unknownAccount },
    async handle({ body }, parts) {
      const count = await parts.store.deleteTransactions(body.ids && [...body.ids], await chosenBy(body, parts));
      return json({ count } satisfies Changed);
    },
  }),
];

function chosenBy(body: DeleteBody, parts: HttpParts): Promise<TransactionFilter> {
  return filterOf(parts, body.query ?? '', body.account, body.tz, 'body');
}

/** What a search asks for. @throws HttpProblem 400 for terms that cannot be read, 404 for an account that is not there */
export async function filterOf(
  parts: HttpParts,
  query: string,
  accountName: string | undefined,
  timeZone: string | undefined,
  where: 'query' | 'body',
): Promise<TransactionFilter> {
  const search = parseStrictly(query, timeZone, where);
  const account = accountName === undefined ? undefined : await accountNamed(parts, accountName);
  return searchFilter(parts.store, search, account?.id);
}
