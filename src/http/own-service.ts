/**
 * Connections from this server to its own listeners, so that what the pages do for somebody goes the way of any client and
 * shows on the wire.
 */
import { type Socket, connect } from 'node:net';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import type { Endpoint } from '../wire/connection.ts';
import type { HttpParts } from './parts.ts';
import { HttpProblem } from './problem.ts';

export interface OwnService {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: 'none' | 'implicit';
}

const CONNECT_MS = 5_000;
const LOOPBACK = /^(?:127\.|::1$)/;

/**
 * The first of these services that accepts connections; one in clear only on this machine's loopback, where nobody listens.
 * @throws HttpProblem 503 when all are off
 */
export function ownService(parts: HttpParts, names: readonly string[]): OwnService {
  const services = parts.services();
  for (const name of names) {
    const endpoint = services[name];
    if (!endpoint) continue;
    const host = reachable(endpoint);
    const tls = /^(?:imap|pop3|submission|http)s$/.test(name) ? 'implicit' : 'none';
    if (tls === 'implicit' || LOOPBACK.test(host) || name.startsWith('submission') || name === 'smtp') {
      return { name, host, port: endpoint.port, tls };
    }
  }
  throw new HttpProblem(503, `this server does not listen for ${names[0] ?? 'it'}: its port is off`);
}

/** Where a listener on all addresses can be reached. */
function reachable({ address }: Endpoint): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

/** How our own certificate is judged: by our own authority; one of the operator's files may name whatever it does. */
export function ownTls(parts: HttpParts): { ca?: string; servername?: string; rejectUnauthorized: boolean } {
  const ca = parts.certificates?.authorityPem;
  return ca === undefined ? { rejectUnauthorized: false } : { ca, servername: 'localhost', rejectUnauthorized: true };
}

/** The caller ends it. @throws HttpProblem 502 */
export async function connectTo(parts: HttpParts, service: OwnService): Promise<Socket> {
  const { host, port, name } = service;
  const socket = connect({ host, port, noDelay: true });
  try {
    await opened(socket, 'connect');
    if (service.tls === 'none') return socket;
    const secure = connectTls({ socket, ...ownTls(parts) });
    await opened(secure, 'secureConnect');
    return secure;
  } catch (error) {
    socket.destroy();
    throw new HttpProblem(502, `the ${name} port of this server cannot be reached: ${(error as Error).message}`);
  }
}

function opened(socket: Socket | TLSSocket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const tooLate = setTimeout(() => reject(new Error('it does not answer')), CONNECT_MS);
    const ended = (error?: Error): void => {
      clearTimeout(tooLate);
      socket.off('error', ended).off('close', closed).off(event, ended);
      socket.on('error', () => undefined);
      if (error) reject(error);
      else resolve();
    };
    const closed = (): void => ended(new Error('it ended the connection'));
    socket
      .once('error', ended)
      .once('close', closed)
      .once(event, () => ended());
  });
}

/** The id of the conversation that a connection of ours is, which is marked as such; null: it is not recorded, or not for these eyes. */
export function conversationOf(parts: HttpParts, service: OwnService, localPort: number | undefined): string | null {
  const found = parts.recorder
    .list()
    .findLast((each) => each.role === 'server' && each.remote.port === localPort && each.local.port === service.port);
  // Else it would pass for somebody's mail program, with its mistakes and its steps.
  if (found) found.isOwn = true;
  return found?.id ?? null;
}
