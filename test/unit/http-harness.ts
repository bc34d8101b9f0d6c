/** The HTTP service on a free port of 127.0.0.1, over a store in memory or one given. */
import { type HttpOptions, createHttp } from '../../src/http/app.ts';
import { Notifier } from '../../src/notifier/notifier.ts';
import type { MailStore } from '../../src/store/mail-store.ts';
import { listen } from '../../src/wire/listener.ts';
import { Recorder } from '../../src/wire/recorder.ts';
import { type MemoryStore, memoryStore } from './http-memory-store.ts';

export interface Harness<Store extends MailStore> extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly store: Store;
  readonly recorder: Recorder;
  readonly notifier: Notifier;
  /** Faults of ours. */
  readonly logged: unknown[];
  /** A path of this server. */
  get(path: string, init?: RequestInit): Promise<Response>;
  json<T>(path: string, init?: RequestInit): Promise<T>;
  close(): Promise<void>;
}

export const TOKEN = 'control-token';

export function startHttp(options?: Partial<HttpOptions>): Promise<Harness<MemoryStore>> {
  const notifier = options?.notifier ?? new Notifier();
  return startHttpOver(memoryStore(notifier), notifier, options);
}

export async function startHttpOver<Store extends MailStore>(
  store: Store,
  notifier: Notifier,
  options: Partial<HttpOptions> = {},
): Promise<Harness<Store>> {
  const recorder = new Recorder();
  const logged: unknown[] = [];
  const http = createHttp({
    store,
    notifier,
    recorder,
    mode: 'capture',
    domains: ['glass.localhost'],
    defaultDomain: 'glass.localhost',
    maximumMessageOctets: 1_000_000,
    token: TOKEN,
    hosts: [],
    version: '1.2.3',
    dataFolder: '/data',
    services: () => ({ smtp: { address: '127.0.0.1', port: 1025 } }),
    passwordRecord: async (password) => `record of ${password}`,
    ready: () => true,
    log: (_level, message, cause) => logged.push(message, cause),
    ...options,
  });
  const listener = await listen({
    service: 'http',
    protocol: 'http',
    hosts: ['127.0.0.1'],
    port: 0,
    portOption: '--http-port',
    tls: 'none',
    recorder,
    limits: { connections: 1000, perAddress: 1000 },
    idleMs: 60_000,
    drainMs: 2_000,
    refusals: {},
    onConnection: (connection) => http.handle(connection),
    onError: (error) => logged.push(error),
  });
  const url = `http://127.0.0.1:${listener.port}`;
  const close = async (): Promise<void> => {
    await Promise.all([http.close(), listener.stop()]);
  };
  return {
    url,
    port: listener.port,
    store,
    recorder,
    notifier,
    logged,
    get: (path, init) => fetch(`${url}${path}`, init),
    async json<T>(path: string, init?: RequestInit) {
      const response = await fetch(`${url}${path}`, init);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

export const jsonBody = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
