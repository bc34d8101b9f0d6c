/** News for clients of MailHog: each message as it arrives, over a WebSocket or as server-sent events. */
import { News } from '../../news.ts';
import type { HttpParts } from '../../parts.ts';
import { type NewsSockets, newsSockets } from '../news-sockets.ts';
import { type MailhogMessage, mailhogMessage } from './shapes.ts';

const KEEPALIVE_MS = 60_000;

/** What has arrived since the cursor and arrives later, until the signal; `quiet`: nothing did for a minute. */
async function* arrivals(
  parts: HttpParts,
  from: string,
  signal: AbortSignal,
): AsyncGenerator<MailhogMessage | 'begun' | 'quiet'> {
  const { store } = parts;
  let cursor = from;
  using news = new News(parts);
  yield 'begun';
  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    const { events, cursor: reached } = await store.transactionEvents(cursor);
    cursor = reached;
    for (const event of events) {
      const transaction = event.type === 'new' ? await store.findTransaction(event.transactionId) : undefined;
      const message = transaction && (await mailhogMessage(store, transaction));
      if (isOver()) return;
      if (message) yield message;
    }
    const quiet = AbortSignal.timeout(KEEPALIVE_MS);
    await news.next(AbortSignal.any([signal, quiet]));
    if (quiet.aborted) yield 'quiet';
  }
}

/** `GET /api/v1/events`: a message is as many `data:` lines as its indented JSON has. */
export async function eventStream(parts: HttpParts, client: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const ended = AbortSignal.any([client, ...(parts.closing ? [parts.closing] : [])]);
  // Before the answer begins: who has its header hears of all that arrives from then on.
  const { cursor } = await parts.store.transactionEvents(undefined);
  return (async function* () {
    for await (const news of arrivals(parts, cursor, ended)) yield Buffer.from(eventText(news));
  })();
}

function eventText(news: MailhogMessage | 'begun' | 'quiet'): string {
  // What has begun is told at once, so that the client sees the answer's header.
  if (news === 'begun') return ': here\n\n';
  if (news === 'quiet') return 'keepalive: \n\n';
  const lines = JSON.stringify(news, undefined, 2).split('\n');
  return `${lines.map((line) => `data: ${line}`).join('\n')}\n\n`;
}

/** `GET /api/v2/websocket`: each message as bare JSON. */
export function mailhogSockets(parts: HttpParts): NewsSockets {
  return newsSockets(parts, 'MailHog', async function* (view, cursor, signal) {
    for await (const news of arrivals(view, cursor, signal)) if (typeof news === 'object') yield JSON.stringify(news);
  });
}
