/** /view/{id}.html, /view/{id}.txt, and Mailpit's links into its pages, which lead into ours. */
import { htmlDocument } from '../../message-view.ts';
import { wholeContent } from '../../content.ts';
import type { HttpParts } from '../../parts.ts';
import type { App } from '../../route.ts';
import { HTML_POLICY } from '../../routes/messages.ts';
import { filterOf, text } from './request.ts';

export function addView(app: App, { store }: HttpParts): void {
  app.get('/view/:name', async (context) => {
    const [, id = '', extension] = /^([0-9A-Za-z]{22}|latest)(?:\.(html|txt))?$/.exec(context.req.param('name')) ?? [];
    const query = context.req.query('query')?.trim() ?? '';
    const filter = id === 'latest' && query !== '' ? await filterOf(store, query, context) : undefined;
    const transaction = id === '' ? undefined : await store.findTransaction(id, filter);
    const content = transaction && (await store.findContent(transaction.transactionId));
    if (!content) return text(id === 'latest' ? 'Message not found' : '404 page not found', 404);
    const message = { id: transaction.transactionId, emailId: undefined, transaction, ...content };
    if (extension === undefined) return context.redirect(`/mail/${message.id}`);
    if (extension === 'txt') {
      const { preview } = await import('../../../mail/preview.ts');
      return text((await preview(await wholeContent(content.content), content.tree)).text);
    }
    const document = await htmlDocument(message);
    if (document === undefined) return text('This message does not contain a HTML part', 404);
    return new Response(document, {
      headers: {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': HTML_POLICY,
        'Cache-Control': 'no-store',
      },
    });
  });

  // Of its pages alone, for what a message loads from elsewhere: nothing is loaded here.
  app.get('/proxy', () => text('Error: invalid request', 400));

  app.get('/search', (context) => {
    const query = context.req.query('q') ?? '';
    return context.redirect(query === '' ? '/' : `/?${new URLSearchParams({ q: query }).toString()}`);
  });
}
