/**
 * Connections that this server makes to others: recorded as those that it accepts.
 */
import { connect } from 'node:net';
import { ConnectionClosed, SocketConnection, TimedOut } from './connection.ts';
import type { Connection } from './connection.ts';
import { plainAddress } from './layers.ts';
import type { ClientTls } from './layers.ts';
import type { Recorder } from './recorder.ts';

export interface DialOptions {
  /** As logs and conversations name it: `delivery`, `check-imap`. */
  readonly service: string;
  readonly protocol: string;
  /** A name or an IP literal. */
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS at once. `starttls`: `connection.startTls()` may be called later. */
  readonly tls: 'none' | 'starttls' | 'implicit';
  /** How the server's certificate is judged; by default it is verified for `host`. */
  readonly clientTls?: ClientTls;
  readonly recorder: Recorder;
  /** Milliseconds for the connection to be made, TLS not counted. Default 30,000. */
  readonly connectMs?: number;
  readonly idleMs: number;
  readonly signal?: AbortSignal;
}

const NEVER = new AbortController().signal;

/**
 * @returns once the connection is made, and for implicit TLS once its handshake has ended; the caller ends it
 * @throws what the system said (`ECONNREFUSED`, `ENOTFOUND`, …), TimedOut, TlsFailed, or the signal's reason
 */
export async function dial(options: DialOptions): Promise<Connection> {
  const { host, port, signal } = options;
  signal?.throwIfAborted();
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    const giveUp = (reason: Error): void => {
      clearTimeout(tooLate);
      signal?.removeEventListener('abort', aborted);
      socket.on('error', () => undefined).destroy();
      reject(reason);
    };
    const aborted = (): void => giveUp(signal?.reason as Error);
    const tooLate = setTimeout(
      () => giveUp(new TimedOut(`no connection to ${host} port ${port}`)),
      options.connectMs ?? 30_000,
    );
    signal?.addEventListener('abort', aborted);
    socket.once('error', giveUp);
    socket.once('connect', () => {
      clearTimeout(tooLate);
      signal?.removeEventListener('abort', aborted);
      socket.off('error', giveUp);
      resolve();
    });
  });
  const conversation = options.recorder.open({
    service: options.service,
    protocol: options.protocol,
    role: 'client',
    local: { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 },
    remote: { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? port },
  });
  const connection = new SocketConnection({
    socket,
    conversation,
    role: 'client',
    draining: signal ?? NEVER,
    idleMs: options.idleMs,
    tls: options.tls === 'none' ? undefined : (options.clientTls ?? { serverName: host, verify: true }),
    wrongPort: undefined,
    expectsTls: options.tls === 'implicit',
  });
  if (signal !== undefined) {
    const aborted = (): void => connection.destroy();
    signal.addEventListener('abort', aborted);
    void connection.closed.then(() => signal.removeEventListener('abort', aborted));
  }
  if (options.tls === 'implicit') await connection.startTls();
  // Between the connection and the handshake the caller may have changed its mind.
  if (signal?.aborted === true) throw new ConnectionClosed('given up', { cause: signal.reason });
  return connection;
}
