/**
 * GET /api/v1/message/{id}/part/{part}/thumb. Decoding pictures of strangers for a list of thumbnails is not worth a
 * library and its faults: the answer is what Mailpit gives for parts that are no pictures, a blank one.
 */
import { partOf } from '../../message-parts.ts';
import type { HttpParts } from '../../parts.ts';
import type { App } from '../../route.ts';
import { PART_ID, findWhole, notFound } from './request.ts';

/** 180 by 120 white pixels as JPEG. */
const BLANK = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAj/wAALCAB4ALQBAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAf/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AL+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD//2Q==',
  'base64',
);

export function addThumbnail(app: App, { store }: HttpParts): void {
  app.get('/api/v1/message/:id/part/:part/thumb', async (context) => {
    const partId = context.req.param('part');
    const found = PART_ID.test(partId) ? await findWhole(store, context) : undefined;
    if (!found || !partOf(found.tree, partId)) return notFound(context);
    return new Response(BLANK, { headers: { 'Content-Type': 'image/jpeg', 'Cache-Control': 'no-store' } });
  });
}
