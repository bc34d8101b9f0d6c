/** WebSockets of the tools that are replaced, which say something and hear nothing. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Scope } from '../../delivery/scopes.ts';
import type { HttpParts } from '../parts.ts';
import { scopeView } from '../scope-view.ts';

const PING_MS = 30_000;
const MOST_SOCKETS = 256;

export interface NewsSockets {
  /** Takes over a connection whose right to be here has been checked. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, scope?: Scope): void;
  close(): void;
}

/**
 * What one client is told, message by message, until the signal.
 * @param cursor of what happens after the client was let in
 */
export type Telling = (
  view: HttpParts,
  cursor: string,
  signal: AbortSignal,
  request: IncomingMessage,
) => AsyncIterable<string>;

/** @param whose for the log */
export function newsSockets(parts: HttpParts, whose: string, telling: Telling): NewsSockets {
  const closing = new AbortController();
  const open = new Set<WebSocket>();
  let server: WebSocketServer | undefined;

  const serve = async (socket: WebSocket, view: HttpParts, cursor: string, request: IncomingMessage): Promise<void> => {
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
    // A slow client slows its own news alone: the next message is read when this one has gone out.
    for await (const text of telling(view, cursor, AbortSignal.any([left.signal, closing.signal]), request))
      await new Promise((resolve) => socket.send(text, resolve));
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
      serve(webSocket, view, cursor, request).catch((error: unknown) => {
        parts.log('error', `the news for a client of ${whose}: a fault of ours`, error);
        webSocket.terminate();
      });
    });
  };

  return {
    upgrade(request, socket, head, scope) {
      socket.on('error', () => undefined);
      accept(request, socket, head, scope).catch((error: unknown) => {
        parts.log('error', `the news for a client of ${whose}: a fault of ours`, error);
        socket.destroy();
      });
    },
    close() {
      closing.abort();
      for (const socket of open) socket.close(1001);
    },
  };
}
