/**
 * The HTTP API of Inbucket, v1: a mailbox by its name, its messages, their text. What it is about stands in
 * `inbucket/mailboxes.ts`; its WebSockets are in `inbucket/monitor.ts`.
 */
import type { TransactionSummary } from '../../store/mail-store.ts';
import { contentResponse, wholeContent } from '../content.ts';
import type { HttpParts } from '../parts.ts';
import { type App, type HttpContext, MAX_JSON, json, limitedText } from '../route.ts';
import { withNames } from './go-names.ts';
import { type MailboxName, mailboxName, messageIn, messagesIn, removeFrom } from './inbucket/mailboxes.ts';
import { toHeader, toMessage } from './inbucket/shapes.ts';

export function addInbucket(app: App, parts: HttpParts): void {
  const { store } = parts;
  const PATH = '/api/v1/mailbox/:name';

  app.get(PATH, async (context) => {
    const mailbox = mailboxOf(context);
    if (!mailbox) return WRONG_NAME();
    return json((await messagesIn(parts, mailbox)).map((message) => toHeader(message, mailbox.name)));
  });

  app.delete(PATH, async (context) => {
    const mailbox = mailboxOf(context);
    if (!mailbox) return WRONG_NAME();
    await removeFrom(parts, mailbox, await messagesIn(parts, mailbox));
    return json('OK');
  });

  app.get(`${PATH}/:id/source`, (context) =>
    withMessage(context, async (found) => {
      const content = await store.findContent(found.transactionId);
      return content ? contentResponse(content.content, 'text/plain; charset=utf-8') : NOT_FOUND();
    }),
  );

  app.get(`${PATH}/:id`, (context) =>
    withMessage(context, async (found, { name }) => {
      const content = await store.findContent(found.transactionId);
      if (!content) return NOT_FOUND();
      const base = new URL(context.req.url).origin;
      return json(await toMessage(found, name, await wholeContent(content.content), content.tree, base));
    }),
  );

  app.patch(`${PATH}/:id`, (context) =>
    withMessage(context, async (found) => {
      let body: unknown;
      try {
        body = withNames(JSON.parse(await limitedText(context.req.raw, MAX_JSON)), ['seen']);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
      if (typeof body !== 'object' || body === null) return text('the body must be JSON, such as {"seen": true}', 400);
      // It marks as seen, and never the other way.
      if ((body as { seen?: unknown }).seen === true) await store.markTransactions([found.transactionId], true);
      return json('OK');
    }),
  );

  app.delete(`${PATH}/:id`, (context) =>
    withMessage(context, async (found, mailbox) => {
      await removeFrom(parts, mailbox, [found]);
      return json('OK');
    }),
  );

  async function withMessage(
    context: HttpContext,
    answer: (found: TransactionSummary, mailbox: MailboxName) => Promise<Response>,
  ): Promise<Response> {
    const mailbox = mailboxOf(context);
    if (!mailbox) return WRONG_NAME();
    const found = await messageIn(parts, mailbox, context.req.param('id') ?? '');
    return found ? answer(found, mailbox) : NOT_FOUND();
  }
}

const mailboxOf = (context: HttpContext): MailboxName | undefined => mailboxName(context.req.param('name') ?? '');

const NOT_FOUND = (): Response => text('404 page not found', 404);
const WRONG_NAME = (): Response => text('this is no name of a mailbox', 400);

function text(body: string, status: number): Response {
  return new Response(body, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
  });
}
