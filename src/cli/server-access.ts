/** Accounts and mail by the API of the running server, with the token of its data folder. */
import type { Secret } from '../sasl/secret.ts';
import type { QuotaLimit, QuotaLimits } from '../store/quota.ts';
import type { Account, AccountList, MailboxList, MailboxMessageList } from '../http/schemas/accounts.ts';
import type { Access, AccountLine, MailboxLine, MessageLine, MessageToImport } from './access.ts';
import { UsageError } from './command.ts';
import type { Control } from './control.ts';

/** Messages of a list that are asked for at once: the most that the API gives. */
const PAGE = 1000;
/** A large message takes its time; a server that hangs is told to the user. */
const PATIENCE_MS = 60_000;

/** @throws UsageError when the server has no HTTP port */
export function serverAccess(control: Control, folder: string): Access {
  const { url } = control;
  if (url === undefined) {
    throw new UsageError(
      `The server on ${folder} has its HTTP port off, by which this command would reach it: stop it and try again, or start it with --http-port`,
      1,
    );
  }
  return new ServerAccess(url, control.token);
}

class ServerAccess implements Access {
  readonly place: string;
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
    this.place = `the server at ${url}`;
  }

  async listAccounts(): Promise<readonly AccountLine[]> {
    const { accounts } = await this.#get<AccountList>('/accounts');
    return accounts.map(toLine);
  }

  async addAccount(name: string, password: Secret): Promise<string> {
    const response = await this.#ask('POST', '/accounts', json({ address: name, password: password.reveal() }));
    return ((await response.json()) as { address: string }).address;
  }

  async setPassword(name: string, password: Secret): Promise<void> {
    await this.#ask('PUT', `${account(name)}/password`, json({ password: password.reveal() }));
  }

  async setQuota(name: string, { messages, octets }: QuotaLimits): Promise<AccountLine> {
    const limits = { messages: toJsonLimit(messages), octets: toJsonLimit(octets) };
    const response = await this.#ask('PUT', `${account(name)}/quota`, json(limits));
    return toLine((await response.json()) as Account);
  }

  async deleteAccount(name: string): Promise<void> {
    await this.#ask('DELETE', account(name));
  }

  async listMailboxes(name: string): Promise<readonly MailboxLine[]> {
    return (await this.#get<MailboxList>(`${account(name)}/mailboxes`)).mailboxes;
  }

  async *messages(name: string, { id }: MailboxLine): AsyncGenerator<MessageLine> {
    for (let start = 0; ; start += PAGE) {
      const query = new URLSearchParams({ start: String(start), limit: String(PAGE), order: 'oldest', summary: '0' });
      const list = await this.#get<MailboxMessageList>(`${account(name)}/mailboxes/${id}/messages?${query.toString()}`);
      for (const { uid, flags, internalDate, size } of list.messages) {
        yield { uid, flags, internalDate: new Date(internalDate), size };
      }
      if (list.messages.length < PAGE) return;
    }
  }

  async readMessage(name: string, { id }: MailboxLine, uid: number): Promise<Uint8Array | undefined> {
    const response = await this.#fetch('GET', `${account(name)}/mailboxes/${id}/messages/${uid}/raw`);
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    return new Uint8Array(await (await checked(response)).arrayBuffer());
  }

  async importMessage(name: string, mailbox: string, message: MessageToImport): Promise<'imported' | 'duplicate'> {
    const query = new URLSearchParams({
      mailbox,
      flags: message.flags.join(' '),
      date: message.internalDate.toISOString(),
      key: message.key,
    });
    const response = await this.#ask('POST', `${account(name)}/import?${query.toString()}`, {
      body: message.octets,
      headers: { 'Content-Type': 'message/rfc822' },
    });
    return 'duplicate' in ((await response.json()) as object) ? 'duplicate' : 'imported';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held: each request is on its own.
  }

  async #get<Answer>(path: string): Promise<Answer> {
    return (await (await this.#ask('GET', path)).json()) as Answer;
  }

  async #ask(method: string, path: string, content: Body = {}): Promise<Response> {
    return checked(await this.#fetch(method, path, content));
  }

  async #fetch(method: string, path: string, { body, headers = {} }: Body = {}): Promise<Response> {
    try {
      return await fetch(`${this.#url}/api/glass${path}`, {
        method,
        headers: { ...headers, Authorization: `Bearer ${this.#token}` },
        signal: AbortSignal.timeout(PATIENCE_MS),
        ...(body !== undefined && { body: body as Uint8Array<ArrayBuffer> | string }),
      });
    } catch (error) {
      const reason = (error as Error & { cause?: { code?: string } }).cause?.code ?? (error as Error).message;
      throw new UsageError(`${this.place} does not answer (${reason}): is it still running?`, 1);
    }
  }
}

interface Body {
  readonly body?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
}

const json = (value: object): Body => ({
  body: JSON.stringify(value),
  headers: { 'Content-Type': 'application/json' },
});

/** undefined: not in the JSON. */
const toJsonLimit = (limit: QuotaLimit | undefined): number | 'default' | null | undefined =>
  limit === 'none' ? null : limit;

function toLine({ address, createdAt, quota: { messages, octets, messageLimit, octetLimit } }: Account): AccountLine {
  const quota = { messages, octets, messageLimit: messageLimit ?? undefined, octetLimit: octetLimit ?? undefined };
  return { address, createdAt: new Date(createdAt), quota };
}

const account = (name: string): string => `/accounts/${encodeURIComponent(name)}`;

/** What the server refuses comes as problem details (RFC 9457): their sentence goes to the user. */
async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  const text = await response.text();
  let detail = `status ${response.status}`;
  try {
    detail = (JSON.parse(text) as { detail?: string }).detail ?? detail;
  } catch {
    // Not from our API.
  }
  throw new UsageError(detail, 1);
}
