/**
 * Accepts connections for one service: the same port on every host given, limits, TLS from the first octet where the port
 * begins with it, an orderly stop. What a connection says is its session's business.
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Server as HttpServer } from 'node:http';
import { ConnectionClosed, SocketConnection, TimedOut } from './connection.ts';
import type { Connection, Endpoint } from './connection.ts';
import { HANDSHAKE, firstOctets } from './first-octets.ts';
import { TlsFailed, plainAddress } from './layers.ts';
import type { ServerTls } from './layers.ts';
import type { Interference } from './interference.ts';
import type { Recorder } from './recorder.ts';

export interface ListenOptions {
  /** As logs and conversations name it: `imaps`. */
  readonly service: string;
  /** What is spoken: `imap`, `pop3`, `smtp`, `lmtp`, `http`. */
  readonly protocol: string;
  /** IP literals or names: the same port is bound on each. A host that this machine lacks is left out, with a notice. */
  readonly hosts: readonly string[];
  /** 0 picks a free one. */
  readonly port: number;
  /** The option that sets the port, for the message when it is taken: `--imap-port`. */
  readonly portOption: string;
  readonly tls: 'none' | 'starttls' | 'implicit';
  /** Needed unless `tls` is `none`. */
  readonly certificates?: ServerTls;
  readonly recorder: Recorder;
  /** How many connections may be open at once: in all, and from one address. */
  readonly limits: { readonly connections: number; readonly perAddress: number };
  /** Milliseconds that a read waits by default, and that a peer may take nothing. */
  readonly idleMs: number;
  /** Where TLS is expected: milliseconds of silence after which the client is told so. Default 5,000. */
  readonly silenceMs?: number;
  /** Milliseconds that `stop` waits for sessions to end. Default 8,000. */
  readonly drainMs?: number;
  /** What a client is told, octets that end with CRLF. Without one, the connection just ends. */
  readonly refusals: {
    readonly tooMany?: Uint8Array | string;
    readonly tooManyFromAddress?: Uint8Array | string;
    /** To a client that speaks in clear, or waits for a greeting, on a port that begins with TLS. */
    readonly tlsExpected?: Uint8Array | string;
    /** To a browser on a mail port: a whole HTTP response. Leave it out on HTTP ports. */
    readonly http?: Uint8Array | string;
  };
  /** On a plain port, a first TLS record gets an alert. Default true. */
  readonly explain?: boolean;
  /** Who may make connections fail; looked at for each. Undefined, or undefined from it: nobody. */
  readonly interference?: (() => Interference | undefined) | undefined;
  /** Runs the session. Once its promise resolves the connection is ended; without a promise, whoever took it ends it. */
  onConnection(connection: Connection): Promise<void> | undefined;
  /** A session failed by a fault of ours. Lost peers, deadlines and failed handshakes do not come here. */
  onError(error: unknown, connection: Connection): void;
  /** A line for the log: a host that was left out. */
  onNotice?(text: string): void;
}

export interface Listener extends AsyncDisposable {
  readonly service: string;
  readonly port: number;
  /** What is bound, in the order of the hosts. */
  readonly addresses: readonly Endpoint[];
  /** How many are open now. */
  readonly connections: number;
  /** How many came since the start. */
  readonly accepted: number;
  /** When the last one came, milliseconds since 1970. */
  readonly acceptedAt: number | undefined;
  /** Stops accepting, lets sessions end, then ends them. Idempotent. */
  stop(): Promise<void>;
}

/** The port cannot be bound: one line that says which and what to do. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen';
}

/** A port picked on the first host may be taken on the second: how often another one is picked. */
const PICKS = 20;
/** So many refusals at once are said in TLS; beyond that connections are cut, for handshakes are what a flood would cost. */
const REFUSALS_AT_ONCE = 32;

/** @throws CannotListen */
export async function listen(options: ListenOptions): Promise<Listener> {
  const listener = new SocketListener(options);
  await listener.bind();
  return listener;
}

/** For `onConnection` of an HTTP port: hands the connection to Node's HTTP server, which is never bound to a port itself. */
export function serveHttp(server: HttpServer): (connection: Connection) => undefined {
  return (connection) => {
    server.emit('connection', connection.duplex({ allowHalfOpen: true }));
  };
}

class SocketListener implements Listener {
  readonly #options: ListenOptions;
  #servers: Server[] = [];
  readonly #open = new Set<SocketConnection>();
  readonly #perAddress = new Map<string, number>();
  readonly #draining = new AbortController();
  readonly #refused = new Set<SocketConnection>();
  #stopped: Promise<void> | undefined;
  accepted = 0;
  acceptedAt: number | undefined;
  addresses: readonly Endpoint[] = [];

  constructor(options: ListenOptions) {
    if (options.tls !== 'none' && options.certificates === undefined)
      throw new Error(`${options.service}: no certificates`);
    this.#options = options;
  }

  get service(): string {
    return this.#options.service;
  }

  get port(): number {
    return this.addresses[0]?.port ?? 0;
  }

  get connections(): number {
    return this.#open.size;
  }

  async bind(): Promise<void> {
    for (let picks = 1; ; picks++) {
      try {
        await this.#bindHosts();
        return;
      } catch (error) {
        const closed = this.#closeServers();
        this.#destroyAll();
        await closed;
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EADDRINUSE' && this.#options.port === 0 && picks < PICKS) continue;
        throw error instanceof CannotListen ? error : this.#cannotListen(error as NodeJS.ErrnoException);
      }
    }
  }

  async #bindHosts(): Promise<void> {
    const { hosts } = this.#options;
    const lacking: string[] = [];
    let { port } = this.#options;
    const addresses: Endpoint[] = [];
    for (const host of hosts) {
      try {
        const server = await this.#bindHost(host, port);
        this.#servers.push(server);
        const bound = server.address() as { address: string; port: number };
        port = bound.port;
        addresses.push({ address: bound.address, port });
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') throw error;
        lacking.push(host);
      }
    }
    if (addresses.length === 0) {
      throw new CannotListen(`${this.service}: this machine has none of the addresses ${hosts.join(', ')} (--host)`);
    }
    for (const host of lacking)
      this.#options.onNotice?.(`${this.service}: this machine has no address ${host}, left out`);
    this.addresses = addresses;
  }

  #bindHost(host: string, port: number): Promise<Server> {
    // Replies leave gathered, so nothing is gained by the kernel's waiting for more. allowHalfOpen: a client that sends
    // all it has and then FIN still gets its answers.
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 });
    server.on('connection', (socket) => this.#accept(socket));
    // `::` takes IPv4 too unless that is bound beside it.
    const ipv6Only = host.includes(':') && this.#options.hosts.some((other) => !other.includes(':'));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only, backlog: 1024 }, () => {
        server.off('error', reject);
        // Out of file descriptors, most likely: those that are connected go on being served.
        server.on('error', (error) => this.#options.onNotice?.(`${this.service}: ${error.message}`));
        resolve(server);
      });
    });
  }

  #cannotListen(error: NodeJS.ErrnoException & { address?: string; port?: number }): CannotListen {
    const { service, portOption } = this.#options;
    const where = `${error.address ?? this.#options.hosts.join(', ')} port ${error.port ?? this.#options.port}`;
    const why =
      error.code === 'EADDRINUSE'
        ? `another program uses it; choose another port with ${portOption}`
        : error.code === 'EACCES'
          ? `the system does not permit it; choose a port from 1024 on with ${portOption}`
          : error.message;
    return new CannotListen(`${service}: cannot listen on ${where}: ${why}`, { cause: error });
  }

  #accept(socket: Socket): void {
    const options = this.#options;
    // A peer that has left already has no address any more.
    if (socket.remoteAddress === undefined) {
      socket.on('error', () => undefined).destroy();
      return;
    }
    this.accepted++;
    this.acceptedAt = Date.now();
    const remote = { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 };
    const local = { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 };
    const { service, protocol } = options;
    const conversation = options.recorder.open({ service, protocol, role: 'server', local, remote });
    const interference = options.interference?.();
    const connection = new SocketConnection({
      socket,
      conversation,
      role: 'server',
      draining: this.#draining.signal,
      idleMs: options.idleMs,
      tls: options.certificates,
      wrongPort: options.explain === false ? undefined : options.refusals,
      expectsTls: options.tls === 'implicit',
      interference,
    });
    const fromAddress = this.#perAddress.get(remote.address) ?? 0;
    const { limits, refusals } = options;
    if (this.#open.size >= limits.connections) this.#refuse(connection, 'connections', refusals.tooMany);
    else if (fromAddress >= limits.perAddress) {
      this.#refuse(connection, 'connections from one address', refusals.tooManyFromAddress ?? refusals.tooMany);
    } else this.#serve(connection, fromAddress, interference);
  }

  #serve(connection: SocketConnection, fromAddress: number, interference: Interference | undefined): void {
    const { address } = connection.remote;
    this.#open.add(connection);
    this.#perAddress.set(address, fromAddress + 1);
    void connection.closed.then(() => {
      this.#open.delete(connection);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
    void this.#run(connection, interference);
  }

  async #run(connection: SocketConnection, interference: Interference | undefined): Promise<void> {
    try {
      const interfered = interference?.opened(connection);
      if (interfered !== undefined) await interfered;
      if (this.#options.tls === 'implicit' && !(await this.#beginTls(connection))) return;
      const session = this.#options.onConnection(connection);
      if (session === undefined) return;
      await session;
      await connection.end();
    } catch (error) {
      if (error instanceof ConnectionClosed || error instanceof TimedOut) void connection.end();
      else if (error instanceof TlsFailed) connection.destroy();
      else {
        connection.annotate({ type: 'error', message: 'the session failed' });
        this.#options.onError(error, connection);
        connection.destroy();
      }
    }
  }

  /** @returns false when the client was told that this port begins with TLS */
  async #beginTls(connection: SocketConnection): Promise<boolean> {
    const explain = this.#options.explain !== false;
    try {
      await connection.waitReadable(undefined, this.#options.silenceMs ?? 5_000);
    } catch (error) {
      if (!(error instanceof TimedOut) || !explain) throw error;
      connection.explainWrongPort('silence');
      return false;
    }
    const first = connection.peek();
    if (explain && first[0] !== HANDSHAKE) {
      connection.explainWrongPort(firstOctets(first) === 'http' ? 'http' : 'plaintext');
      return false;
    }
    await connection.startTls();
    return true;
  }

  #refuse(connection: SocketConnection, limit: string, refusal: Uint8Array | string | undefined): void {
    connection.annotate({ type: 'limit', limit });
    if (refusal === undefined || this.#refused.size >= REFUSALS_AT_ONCE) {
      connection.destroy();
      return;
    }
    this.#refused.add(connection);
    void connection.closed.then(() => this.#refused.delete(connection));
    const say = async (): Promise<void> => {
      if (this.#options.tls === 'implicit') await connection.startTls();
      void connection.write(refusal);
      await connection.end();
    };
    say().catch(() => connection.destroy());
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #drain(): Promise<void> {
    const closed = this.#closeServers();
    this.#draining.abort();
    const tooLate = setTimeout(() => this.#destroyAll(), this.#options.drainMs ?? 8_000);
    await closed;
    clearTimeout(tooLate);
    // A server counts a socket as closed a moment before the socket says so.
    await Promise.all([...this.#open, ...this.#refused].map((connection) => connection.closed));
  }

  #destroyAll(): void {
    for (const connection of [...this.#open, ...this.#refused]) connection.destroy();
  }

  async #closeServers(): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    this.#servers = [];
  }
}
