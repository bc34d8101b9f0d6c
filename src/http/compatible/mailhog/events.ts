/** News for clients of MailHog: each message as it arrives, over a WebSocket or as server-sent events. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Scope } from '../../../delivery/scopes.ts';
import { News } from '../../news.ts';
import type { HttpParts } from '../../parts.ts';
import { scopeView } from '../../scope-view.ts';
import { type MailhogMessage, mailhogMessage } from './shapes.ts';

const KEEPALIVE_MS = 60_000;
const PING_MS = 30_000;
const MOST_SOCKETS = 256;

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

export interface MailhogSockets {
  /** Takes over a connection whose right to be here has been checked. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, scope?: Scope): void;
  close(): void;
}

/** `GET /api/v2/websocket`: each message as bare JSON. */
export function mailhogSockets(parts: HttpParts): MailhogSockets {
  const closing = new AbortController();
  const open = new Set<WebSocket>();
  let server: WebSocketServer | undefined;

  const serve = async (socket: WebSocket, view: HttpParts, cursor: string): Promise<void> => {
    const left = new AbortController();
    let isAlive = true;
    const ping = setInterval(() => {
      if (!isAlive) socket.terminate();
      isAlive = false;
      socket.ping();
    }, PING_MS);
    ping.unref();
    socket.on('pong', () => (isAlive = true));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(ping);
      open.delete(socket);
      left.abort();
    });
    for await (const news of arrivals(view, cursor, AbortSignal.any([left.signal, closing.signal]))) {
      // A slow client slows its own news alone: the next message is read when this one has gone out.
      if (typeof news === 'object') await new Promise((resolve) => socket.send(JSON.stringify(news), resolve));
    }
    socket.close(1001);
  };

  const accept = async (request: IncomingMessage, socket: Duplex, head: Buffer, scope?: Scope): Promise<void> => {
    const ws = await import('ws');
    const view = scope && parts.scopes ? scopeView(parts, parts.scopes, scope) : parts;
    const { cursor } = await view.store.transactionEvents(undefined);
    server ??= new ws.WebSocketServer({ noServer: true, clientTracking: false, maxPayload: 1024 });
    if (closing.signal.aborted || socket.destroyed) {
      socket.destroy();
      return;
    }
    server.handleUpgrade(request, socket, head, (webSocket) => {
      if (open.size >= MOST_SOCKETS) {
        webSocket.close(1013, 'too many');
        return;
      }
      open.add(webSocket);
      serve(webSocket, view, cursor).catch((error: unknown) => {
        parts.log('error', 'the news for a client of MailHog: a fault of ours', error);
        webSocket.terminate();
      });
    });
  };

  return {
    upgrade(request, socket, head, scope) {
      socket.on('error', () => undefined);
      accept(request, socket, head, scope).catch((error: unknown) => {
        parts.log('error', 'the news for a client of MailHog: a fault of ours', error);
        socket.destroy();
      });
    },
    close() {
      closing.abort();
      for (const socket of open) socket.close(1001);
    },
  };
}
