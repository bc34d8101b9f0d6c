/** Mail that lies in an account of another IMAP server. */
import { readFile } from 'node:fs/promises';
import type { ImapFlow, ListResponse } from 'imapflow';
import type { Secret } from '../sasl/secret.ts';
import { UsageError } from './command.ts';
import type { SourceMessage } from './import-files.ts';

export interface ImapSource {
  readonly host: string;
  readonly port: number;
  /** `tls`: from the first octet. `starttls`: demanded. `none`: never. */
  readonly tls: 'tls' | 'starttls' | 'none';
  readonly user: string;
  /** PEM file of authorities to trust beside the usual ones. */
  readonly ca: string | undefined;
}

/** Messages that are asked for at once. */
const BATCH = 50;

/** @param url `imaps://user@host:993` or `imap://…` @throws UsageError */
export function imapSource(
  url: string,
  flags: { readonly insecure: boolean; readonly ca?: string | undefined },
): ImapSource {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.hostname === '' || parsed.username === '') {
    throw new UsageError(`${url}: write imaps://USER@HOST, with %40 for an @ in the user's name`);
  }
  if (parsed.password !== '') {
    throw new UsageError(
      'A password in the address ends up in the history of the shell: leave it out, it is asked for',
    );
  }
  const implicit = parsed.protocol === 'imaps:';
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? (implicit ? 993 : 143) : Number(parsed.port),
    tls: implicit ? 'tls' : flags.insecure ? 'none' : 'starttls',
    user: decodeURIComponent(parsed.username),
    ca: flags.ca,
  };
}

/**
 * All its mailboxes, or one; read only, so that nothing there is marked as seen.
 * @throws UsageError when the server cannot be reached or refuses the login
 */
export async function* readImap(
  source: ImapSource,
  password: Secret,
  only: string | undefined,
): AsyncGenerator<SourceMessage> {
  const client = await connect(source, password);
  try {
    for (const mailbox of await mailboxesOf(client, only)) yield* messages(client, mailbox, source);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${source.host} broke off: ${saidBy(error)}; run the same again, it goes on from there`, 1);
  } finally {
    await client.logout().catch(() => undefined);
  }
}

async function connect({ host, port, tls, user, ca }: ImapSource, password: Secret): Promise<ImapFlow> {
  const { ImapFlow } = await import('imapflow');
  const client = new ImapFlow({
    host,
    port,
    secure: tls === 'tls',
    ...(tls !== 'tls' && { doSTARTTLS: tls === 'starttls' }),
    auth: { user, pass: password.reveal() },
    ...(ca !== undefined && { tls: { ca: await readFile(ca) } }),
    logger: false,
    // One connection does one thing; it need not wait for news.
    disableAutoIdle: true,
  });
  client.on('error', () => undefined); // the call that fails by it says it
  try {
    await client.connect();
  } catch (error) {
    const said = saidBy(error);
    const cure = /certificate|issuer|altnames/i.test(said) ? '; --ca FILE names the authority to trust' : '';
    throw new UsageError(`${host} port ${port}: ${said}${cure}`, 1);
  }
  return client;
}

async function mailboxesOf(client: ImapFlow, only: string | undefined): Promise<readonly ListResponse[]> {
  const all = (await client.list()).filter(({ flags }) => !flags.has('\\Noselect') && !flags.has('\\NonExistent'));
  if (only === undefined) {
    // What is said to hold all the mail (RFC 6154: \All) would bring each message twice.
    return all.filter(({ specialUse }) => specialUse !== '\\All');
  }
  const found = all.find(({ path, name }) => path === only || name === only);
  if (found === undefined) {
    throw new UsageError(`There is no mailbox ${only}; there are ${all.map(({ path }) => path).join(', ')}`, 1);
  }
  return [found];
}

async function* messages(
  client: ImapFlow,
  { path, delimiter }: ListResponse,
  { host }: ImapSource,
): AsyncGenerator<SourceMessage> {
  const { exists } = await client.mailboxOpen(path, { readOnly: true });
  const levels = levelsOf(path, delimiter, client.namespace?.prefix ?? '');
  for (let first = 1; first <= exists; first += BATCH) {
    const range = `${first}:${Math.min(first + BATCH - 1, exists)}`;
    for await (const { uid, flags, internalDate, source } of client.fetch(range, {
      uid: true,
      flags: true,
      internalDate: true,
      source: true,
    })) {
      if (source === undefined) continue;
      yield {
        levels,
        octets: source,
        flags: [...(flags ?? [])].filter((flag) => flag !== '\\Recent'),
        date: internalDate === undefined ? undefined : new Date(internalDate),
        origin: `${host} ${path}, UID ${uid}`,
      };
    }
  }
}

/** Some servers put all personal mailboxes below INBOX (RFC 2342): that level is theirs and stays behind. */
export function levelsOf(path: string, delimiter: string, prefix: string): readonly string[] {
  if (path.toUpperCase() === 'INBOX') return ['INBOX'];
  const own = prefix !== '' && path.startsWith(prefix) ? path.slice(prefix.length) : path;
  return delimiter === '' ? [own] : own.split(delimiter);
}

function saidBy(error: unknown): string {
  const { responseText, code, message } = error as Error & { responseText?: string; code?: string };
  return responseText ?? (code === undefined ? message : `${message} (${code})`);
}
