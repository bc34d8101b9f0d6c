/** The whole server inside a test's process: on free ports of this machine, in a folder that goes with it. */
import { readConfig, SERVICES, type Service } from '../config.ts';
import { startStack } from '../stack.ts';
import { MailClient } from './client.ts';

export interface StartOptions {
  /** As on the command line of `glassmail start`; they come last, so they win. */
  readonly flags?: readonly string[];
  /** What the server has to say; default: nothing. */
  readonly log?: (line: string) => void;
}

export class Glassmail extends MailClient implements AsyncDisposable {
  readonly host: string;
  /** By service: `smtp`, `imaps`, …; undefined: it is off. */
  readonly ports: Readonly<Partial<Record<Service, number>>>;
  /** The certificate of the authority that signed the server's, PEM: for `tls.ca`. */
  readonly authorityFile: string | undefined;
  readonly #stop: () => PromiseLike<void>;

  constructor(
    url: string,
    parts: Pick<Glassmail, 'host' | 'ports' | 'authorityFile'> & { readonly stop: () => PromiseLike<void> },
  ) {
    super(url);
    this.host = parts.host;
    this.ports = parts.ports;
    this.authorityFile = parts.authorityFile;
    this.#stop = parts.stop;
  }

  async close(): Promise<void> {
    await this.#stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @throws StartError, ConfigError: one line that says what to change */
export async function startGlassmail({ flags = [], log }: StartOptions = {}): Promise<Glassmail> {
  const host = '127.0.0.1';
  const config = readConfig(
    [
      ...['--data', 'temp', '--durability', 'process', '--host', host, '--log-level', 'warn'],
      ...SERVICES.flatMap((service) => [`--${service}-port`, '0']),
      ...flags,
    ],
    {},
  );
  const stack = await startStack(config, log === undefined ? {} : { log });
  const ports = Object.fromEntries(
    SERVICES.flatMap((service) =>
      stack
        .addresses(service)
        .slice(0, 1)
        .map(({ port }) => [service, port] as const),
    ),
  );
  const url = `http://${host}:${ports.http ?? 0}`;
  return new Glassmail(url, {
    host,
    ports,
    authorityFile: stack.authorityFile,
    stop: () => stack[Symbol.asyncDispose](),
  });
}
