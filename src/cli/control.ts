/**
 * The server that runs on a data folder, as it left word of itself: `control.json`, written when all listeners accept and
 * removed at the stop. It holds the token that opens the administration, so only the folder's owner reads it.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError } from './command.ts';

export interface ServiceAddress {
  /** An IP literal that a client can connect to. */
  readonly host: string;
  readonly port: number;
}

export interface Control {
  /** Of the pages and the API; undefined: the server was told to have none. */
  readonly url: string | undefined;
  readonly token: string;
  readonly pid: number;
  readonly mode: 'capture' | 'domain' | undefined;
  /** Where each service accepts; those that are off are missing. */
  readonly services: Readonly<Partial<Record<string, ServiceAddress>>>;
  /** PEM file of the authority that signed the server's certificate. */
  readonly authority: string | undefined;
  /** The first configured account, and in capture mode its password. */
  readonly account: string | undefined;
  readonly password: string | undefined;
}

const CONTROL_FILE = 'control.json';

/** The data folder: a flag over the environment over the default. @throws UsageError */
export function dataFolder(flag: string | undefined, environment: NodeJS.ProcessEnv): string {
  const folder = flag ?? environment.GLASSMAIL_DATA ?? './data';
  if (folder === 'temp') {
    throw new UsageError('--data temp is a folder that each start makes anew: give the one that the start has printed');
  }
  return resolve(folder);
}

/** @returns undefined when no server runs on the folder @throws UsageError when its word cannot be read */
export async function readControl(folder: string): Promise<Control | undefined> {
  const file = join(folder, CONTROL_FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UsageError(`${file} cannot be read (${code ?? 'error'}): run this as the user who runs the server`, 1);
  }
  const control = parse(text);
  if (control === undefined)
    throw new UsageError(`${file} is damaged: stop the server, remove the file, start again`, 1);
  // A server that was killed leaves its word behind.
  return isRunning(control.pid) ? control : undefined;
}

function parse(text: string): Control | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { url, token, pid, mode, services, authority, account, password } = value as Record<string, unknown>;
  if (typeof token !== 'string' || typeof pid !== 'number') return undefined;
  return {
    url: textOf(url),
    token,
    pid,
    mode: mode === 'capture' || mode === 'domain' ? mode : undefined,
    services: serviceAddresses(services),
    authority: textOf(authority),
    account: textOf(account),
    password: textOf(password),
  };
}

function serviceAddresses(value: unknown): Partial<Record<string, ServiceAddress>> {
  const addresses: Partial<Record<string, ServiceAddress>> = {};
  if (typeof value !== 'object' || value === null) return addresses;
  for (const [service, address] of Object.entries(value as Record<string, unknown>)) {
    if (typeof address !== 'object' || address === null) continue;
    const { host, port } = address as Record<string, unknown>;
    if (typeof host === 'string' && typeof port === 'number') addresses[service] = { host: reachable(host), port };
  }
  return addresses;
}

/** What is bound to every address is reached by the loopback one. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Of addresses without one: that of the running server, or as configured here, or that of capture mode. */
export async function defaultDomain(control: Control | undefined, environment: NodeJS.ProcessEnv): Promise<string> {
  const account = control?.account?.split('@').at(-1);
  const running = account ?? (control === undefined ? undefined : await domainOf(control));
  const configured = environment.GLASSMAIL_DOMAINS?.split(',')[0]?.trim();
  return running ?? (configured === undefined || configured === '' ? 'glass.localhost' : configured);
}

async function domainOf({ url, token }: Control): Promise<string | undefined> {
  if (url === undefined) return undefined;
  try {
    const response = await fetch(`${url}/api/glass/status`, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(5000),
    });
    return ((await response.json()) as { defaultDomain?: string }).defaultDomain;
  } catch {
    // What is done next meets the same trouble, and says it.
    return undefined;
  }
}
