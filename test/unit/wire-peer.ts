/** What the tests of `wire` share: a certificate made for the occasion, listeners on free ports, and a peer that reads. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { makeAuthority, makeServerCertificate } from '../../src/wire/certificate-maker.ts';
import type { Connection } from '../../src/wire/connection.ts';
import type { ServerTls } from '../../src/wire/layers.ts';
import { listen } from '../../src/wire/listener.ts';
import type { ListenOptions, Listener } from '../../src/wire/listener.ts';
import { Recorder } from '../../src/wire/recorder.ts';

const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
const authority = await makeAuthority({
  ...validity,
  commonName: 'Authority of the tests',
  permittedNames: ['localhost'],
  permittedNetworks: ['127.0.0.0/8'],
});
const leaf = await makeServerCertificate({
  ...validity,
  authorityPem: authority.pem,
  authorityKeyPem: authority.keyPem,
  keyPem: undefined,
  names: ['localhost', '127.0.0.1'],
});
const context = createSecureContext({ cert: leaf.pem, key: leaf.keyPem });

export const authorityPem = authority.pem;
export const certificates: ServerTls = {
  secureContext: () => context,
  sniCallback: (_name, callback) => callback(null, context),
};

export interface TestListener extends AsyncDisposable {
  readonly listener: Listener;
  readonly port: number;
  readonly recorder: Recorder;
  /** What `onError` was told. */
  readonly faults: unknown[];
}

/** Its sessions run `serve`; what they do not say is as short as a test needs it. */
export async function testListen(
  serve: (connection: Connection) => Promise<void> | undefined,
  options: Partial<ListenOptions> = {},
): Promise<TestListener> {
  const recorder = options.recorder ?? new Recorder();
  const faults: unknown[] = [];
  const listener = await listen({
    service: 'test',
    protocol: 'imap',
    hosts: ['127.0.0.1'],
    port: 0,
    portOption: '--test-port',
    tls: 'starttls',
    certificates,
    limits: { connections: 100, perAddress: 100 },
    idleMs: 10_000,
    drainMs: 5_000,
    refusals: {},
    onConnection: serve,
    onError: (error) => faults.push(error),
    ...options,
    recorder,
  });
  return {
    listener,
    port: listener.port,
    recorder,
    faults,
    [Symbol.asyncDispose]: () => listener.stop(),
  };
}

/** A client that collects what it is sent. */
export class Peer {
  readonly socket: Socket;
  #pieces: Buffer[] = [];
  #ended = false;
  readonly #changed = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    const change = (): void => {
      for (const look of this.#changed) look();
    };
    socket.on('data', (octets: Buffer) => {
      this.#pieces.push(octets);
      change();
    });
    socket.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#ended = true;
        change();
      });
    }
  }

  static async dial(port: number, host = '127.0.0.1', localAddress = '127.0.0.1'): Promise<Peer> {
    const socket = connect({ port, host, localAddress, noDelay: true });
    const peer = new Peer(socket);
    await once(socket, 'connect');
    return peer;
  }

  static async dialTls(port: number, options: { servername?: string } = {}): Promise<Peer> {
    const socket = connectTls({ port, host: '127.0.0.1', ca: authorityPem, servername: 'localhost', ...options });
    const peer = new Peer(socket);
    await once(socket, 'secureConnect');
    return peer;
  }

  /** Goes on in TLS; what came before is read by then. */
  async startTls(): Promise<Peer> {
    this.socket.removeAllListeners('data');
    const socket: TLSSocket = connectTls({ socket: this.socket, ca: authorityPem, servername: 'localhost' });
    const peer = new Peer(socket);
    await once(socket, 'secureConnect');
    return peer;
  }

  send(octets: Uint8Array | string): void {
    this.socket.write(octets);
  }

  /** Everything up to and with the next `end`, or all that came before the connection ended. */
  async until(end: string): Promise<string> {
    for (;;) {
      const received = Buffer.concat(this.#pieces);
      const at = received.indexOf(end);
      if (at !== -1) return this.#take(received, at + Buffer.byteLength(end));
      if (this.#ended) return this.#take(received, received.length);
      await this.#change();
    }
  }

  line(): Promise<string> {
    return this.until('\r\n');
  }

  /** All that comes until the connection ends. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#change();
    return this.#take(Buffer.concat(this.#pieces), Infinity);
  }

  #take(received: Buffer, count: number): string {
    this.#pieces = [received.subarray(count)];
    return received.subarray(0, count).toString('latin1');
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        this.#changed.delete(look);
        resolve();
      };
      this.#changed.add(look);
    });
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');
