/**
 * GET /api/v1/message/{id}/part/{part}/thumb: of JPEG, PNG and GIF pictures a small one, of everything else a blank one, as
 * Mailpit gives for what it cannot read. WebP is among those here.
 */
import { Worker } from 'node:worker_threads';
import { mediaType } from '../../../mail/mime-tree.ts';
import { wholeContent } from '../../content.ts';
import { partOf, servedOctets } from '../../message-parts.ts';
import type { HttpParts } from '../../parts.ts';
import type { App } from '../../route.ts';
import { PART_ID, findWhole, notFound } from './request.ts';

/** 180 by 120 white pixels as JPEG. */
const BLANK = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAj/wAALCAB4ALQBAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAf/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AL+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD//2Q==',
  'base64',
);

const UNDERSTOOD: ReadonlySet<string> = new Set(['image/jpeg', 'image/jpg', 'image/png', 'image/gif']);
const MOST_OCTETS = 25 * 1024 * 1024;
const LONGEST_MS = 10_000;
const MOST_MEMORY_MB = 512;
/** So many are made at a time: each takes a processor. */
const MOST_AT_ONCE = 2;

export function addThumbnail(app: App, { store }: HttpParts): void {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function inTurn(octets: Uint8Array): Promise<Uint8Array | undefined> {
    if (running >= MOST_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      return await makeThumbnail(octets);
    } finally {
      running--;
      waiting.shift()?.();
    }
  }

  app.get('/api/v1/message/:id/part/:part/thumb', async (context) => {
    const partId = context.req.param('part');
    const found = PART_ID.test(partId) ? await findWhole(store, context) : undefined;
    const part = found && partOf(found.tree, partId);
    if (!part) return notFound(context);
    const octets = UNDERSTOOD.has(mediaType(part)) ? servedOctets(await wholeContent(found.content), part) : undefined;
    const isFit = octets !== undefined && octets.length > 32 && octets.length <= MOST_OCTETS;
    const made = isFit ? await inTurn(octets) : undefined;
    return new Response(Buffer.from(made ?? BLANK), {
      headers: { 'Content-Type': 'image/jpeg', 'Cache-Control': 'no-store' },
    });
  });
}

/** Undefined: it cannot be read, or takes too much. */
function makeThumbnail(octets: Uint8Array): Promise<Uint8Array | undefined> {
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js'; // a checkout, or the package
  const worker = new Worker(new URL(`./picture.${extension}`, import.meta.url), {
    workerData: Uint8Array.from(octets),
    resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB },
    name: 'thumbnail',
  });
  return new Promise((resolve) => {
    const timer = setTimeout(() => void worker.terminate(), LONGEST_MS);
    worker.once('message', (made: Uint8Array | undefined) => {
      resolve(made);
      void worker.terminate();
    });
    worker.once('error', () => resolve(undefined));
    worker.once('exit', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}
