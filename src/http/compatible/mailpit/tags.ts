/** Tags: words by which people find messages again. */
import { cleanTag, distinctTags } from '../../../delivery/tags.ts';
import type { HttpOptions } from '../../parts.ts';
import { type App, json } from '../../route.ts';
import { idsOf, looseBody, text } from './request.ts';

export function addTags(app: App, { store, mailpitEvents }: HttpOptions): void {
  app.get('/api/v1/tags', async () => json((await store.listTags()).map(({ tag }) => tag)));

  app.put('/api/v1/tags', async (context) => {
    const body = await looseBody(context.req.raw);
    if (body === undefined) return text('the body must be JSON with Tags and IDs', 400);
    const tags = Array.isArray(body.Tags) ? body.Tags.filter((tag) => typeof tag === 'string') : [];
    await store.setTags(idsOf(body), distinctTags(tags));
    return text('ok');
  });

  app.put('/api/v1/tags/:tag', async (context) => {
    const body = await looseBody(context.req.raw);
    const to = typeof body?.Name === 'string' ? cleanTag(body.Name) : '';
    if (to === '') return text(`invalid tag name: ${typeof body?.Name === 'string' ? body.Name : ''}`, 400);
    const count = await store.renameTag(context.req.param('tag'), to);
    if (count === 0) return text(`tag not found: ${context.req.param('tag')}`, 400);
    mailpitEvents?.pruned();
    return text('ok');
  });

  app.delete('/api/v1/tags/:tag', async (context) => {
    await store.renameTag(context.req.param('tag'), undefined);
    mailpitEvents?.pruned();
    return text('ok');
  });
}
