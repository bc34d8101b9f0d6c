/**
 * A client for tests: waits for mail, reads it, takes links and codes out of it, and opens test scopes. It speaks to a
 * running server over HTTP and needs nothing but `fetch`; its types are those of the OpenAPI document.
 */
import type { Problem } from '../http/schemas/common.ts';
import type { ConversationDetail, ConversationList } from '../http/schemas/conversations.ts';
import type { Fault, FaultList, NewFault } from '../http/schemas/faults.ts';
import type { Message, MessageList, MessageSummary } from '../http/schemas/messages.ts';
import type { MadeScope } from '../http/schemas/scopes.ts';
import type { Status } from '../http/schemas/status.ts';
import type { Extracted, Waited, WaitedInVain } from '../http/schemas/waiting.ts';

export type { Fault, NewFault } from '../http/schemas/faults.ts';
export type { Message, MessageList, MessageSummary } from '../http/schemas/messages.ts';
export type { Status } from '../http/schemas/status.ts';
export type { Extracted } from '../http/schemas/waiting.ts';

export interface ConnectOptions {
  /** The control token of the data folder, or that of a test scope. */
  readonly token?: string | undefined;
  /** `user:password` of a server with `--http-auth`. */
  readonly login?: string | undefined;
}

/** Text: is contained, whatever the case, as the search of the server finds it. A pattern is tested here. */
type Wish = string | RegExp;

/** What a message has to be like: all that is given must hold. */
export interface Wanted {
  readonly to?: Wish;
  readonly from?: Wish;
  readonly subject?: Wish;
  /** The text as a reader sees it; of HTML alone, its text. */
  readonly text?: Wish;
  /** Further terms of the search language: `has:attachment is:unread -from:noreply`. */
  readonly query?: string;
}

export interface WaitOptions {
  /** Milliseconds; default 30,000. */
  readonly timeout?: number;
  /** Only what came after this moment, or after a cursor of an earlier answer. Default: what is there counts too. */
  readonly since?: Date | string;
  readonly signal?: AbortSignal;
}

/** The server said no. `problem` is its answer (RFC 9457), if it was one. */
export class GlassmailError extends Error {
  override readonly name = 'GlassmailError';
  readonly status: number;
  readonly problem: Problem | undefined;

  constructor(message: string, status: number, problem: Problem | undefined) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

/** What was waited for did not come. */
export class NoSuchMail extends Error {
  override readonly name = 'NoSuchMail';
  /** What did come meanwhile, newest first. */
  readonly arrived: readonly MessageSummary[];

  constructor(message: string, arrived: readonly MessageSummary[]) {
    super(message);
    this.arrived = arrived;
  }
}

/** @throws Error when nobody answers there, GlassmailError when it is no glassmail or wants a login */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<MailClient> {
  const client = new MailClient(url, options);
  const { name } = await client.status();
  if ((name as string) !== 'glassmail') throw new GlassmailError(`${String(url)} is no glassmail`, 200, undefined);
  return client;
}

const USUAL_TIMEOUT = 30_000;
const LONGEST_WAIT = 600_000;
/** Of so many messages that pass on the server, the patterns are tested here. */
const MOST_TESTED = 1000;

export class MailClient {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string | URL, { token, login }: ConnectOptions = {}) {
    this.url = String(url).replace(/\/+$/, '');
    const basic = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
    const authorization = token === undefined ? basic : `Bearer ${token}`;
    this.#headers = authorization === undefined ? {} : { Authorization: authorization };
  }

  status(): Promise<Status> {
    return this.#get('/api/glass/status');
  }

  /** Newest first. */
  messages(wanted: Wanted & { readonly limit?: number; readonly start?: number } = {}): Promise<MessageList> {
    const { limit = 50, start = 0 } = wanted;
    return this.#get('/api/glass/messages', { query: searchOf(wanted), limit: String(limit), start: String(start) });
  }

  /** @param id of a message, or `latest` */
  message(id: string): Promise<Message> {
    return this.#get(`/api/glass/messages/${encodeURIComponent(id)}`);
  }

  /** Links, one-time codes, and how to unsubscribe. */
  extract(id: string): Promise<Extracted> {
    return this.#get(`/api/glass/messages/${encodeURIComponent(id)}/extract`);
  }

  /** The message as IMAP and POP3 serve it, octet for octet. */
  async source(id: string): Promise<Uint8Array> {
    return this.#octets(`/api/glass/messages/${encodeURIComponent(id)}/source`);
  }

  /** A part, decoded. @param partId as in `attachments` and `parts` of a message */
  async part(id: string, partId: string): Promise<Uint8Array> {
    return this.#octets(`/api/glass/messages/${encodeURIComponent(id)}/parts/${encodeURIComponent(partId)}`);
  }

  /**
   * Resolves as soon as such a message is there, the newest if there are several.
   * @throws NoSuchMail when none has come in time
   */
  async waitFor(wanted: Wanted, options: WaitOptions = {}): Promise<Message> {
    const { timeout = USUAL_TIMEOUT, since, signal } = options;
    const deadline = performance.now() + timeout;
    const tested = new Set<string>();
    const newest = async (summaries: readonly MessageSummary[]): Promise<Message | undefined> => {
      for (const summary of summaries) {
        if (tested.has(summary.id)) continue;
        tested.add(summary.id);
        const message = await this.#tested(summary, wanted);
        if (message) return message;
      }
      return undefined;
    };
    let cursor: string;
    let arrived: readonly MessageSummary[] = [];
    if (typeof since === 'string') cursor = since;
    else {
      const present = await this.messages({ ...wanted, limit: MOST_TESTED });
      const from = since?.toISOString() ?? '';
      const found = await newest(present.messages.filter(({ receivedAt }) => receivedAt >= from));
      if (found) return found;
      ({ cursor } = present);
    }
    do {
      const left = Math.min(Math.max(0, Math.round(deadline - performance.now())), LONGEST_WAIT);
      const news = await this.#waitOnce(searchOf(wanted), cursor, left, signal);
      ({ cursor } = news);
      if ('arrived' in news) {
        arrived = [...news.arrived, ...arrived];
        continue;
      }
      const found = await newest(news.messages);
      if (found) return found;
      arrived = [...news.messages, ...arrived];
    } while (performance.now() < deadline);
    const told = arrived.map(({ subject, recipients }) => `"${subject}" to ${recipients.join(', ')}`).join('; ');
    throw new NoSuchMail(
      `no message with ${described(wanted)} came within ${timeout} ms; ${told === '' ? 'nothing else came either' : `this did: ${told}`}`,
      arrived,
    );
  }

  /** Every message that arrives from now on, until the signal says so. Reconnects by itself; nothing is missing or twice. */
  async *stream(
    wanted: Pick<Wanted, 'query'> & Partial<Record<'to' | 'from' | 'subject', string>>,
    signal: AbortSignal,
  ) {
    let lastId: string | undefined;
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      try {
        const response = await this.#ask('/api/glass/messages/stream', {
          parameters: { query: searchOf(wanted) },
          headers: lastId === undefined ? {} : { 'Last-Event-ID': lastId },
          signal,
        });
        for await (const { event, id, data } of eventsOf(response)) {
          lastId = id;
          if (event === 'message') yield JSON.parse(data) as MessageSummary;
        }
      } catch (error) {
        if (isOver()) return;
        if (error instanceof GlassmailError) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
  }

  /** Deletes what is like that; without anything, all. @returns how many */
  async delete(wanted: Wanted = {}): Promise<number> {
    const query = searchOf(wanted);
    const { count } = await this.#post<{ count: number }>('/api/glass/messages/delete', { query });
    return count;
  }

  /** What passed on the wire, newest first, secrets hidden. */
  conversations(parameters: { readonly service?: string; readonly account?: string } = {}): Promise<ConversationList> {
    return this.#get('/api/glass/conversations', { ...parameters });
  }

  conversation(id: string): Promise<ConversationDetail> {
    return this.#get(`/api/glass/conversations/${encodeURIComponent(id)}`);
  }

  /**
   * Makes something go wrong on purpose, from the next command, connection or message on: for everybody, or with the
   * token of a scope for its own mail and logins alone. Take it back with `remove`, or hold it with `await using`.
   * @throws GlassmailError whose problem names the field that is wrong
   */
  async fail(rule: NewFault): Promise<Failure> {
    return new Failure(this, await this.#post<Fault>('/api/glass/faults', rule));
  }

  /** The rules in force, in the order of their making, with how often each was hit. */
  async faults(): Promise<readonly Fault[]> {
    return (await this.#get<FaultList>('/api/glass/faults')).faults;
  }

  fault(id: string): Promise<Fault> {
    return this.#get(`/api/glass/faults/${encodeURIComponent(id)}`);
  }

  /** One that is gone already is no error. */
  async removeFault(id: string): Promise<void> {
    await this.request('DELETE', `/api/glass/faults/${encodeURIComponent(id)}`).catch(unlessMissing);
  }

  /** All of them; with the token of a scope, its own. */
  removeFaults(): Promise<void> {
    return this.request('DELETE', '/api/glass/faults');
  }

  /** Opens a test scope: an address and a login whose mail nobody else sees. Close it, or hold it with `await using`. */
  async scope(options: { readonly name?: string; readonly ttlSeconds?: number } = {}): Promise<MailScope> {
    return new MailScope(this.url, await this.#post<MadeScope>('/api/glass/scopes', options));
  }

  async #tested(summary: MessageSummary, wanted: Wanted): Promise<Message | undefined> {
    const names = ({ name, address }: { name: string; address: string }): string => `${name} <${address}>`;
    if (!passes(summary.subject, wanted.subject)) return undefined;
    if (!passes(summary.from ? names(summary.from) : '', wanted.from)) return undefined;
    if (!passes([...summary.to.map(names), ...summary.recipients].join('\n'), wanted.to)) return undefined;
    const message = await this.message(summary.id);
    return passes(message.text, wanted.text) ? message : undefined;
  }

  async #waitOnce(
    query: string,
    since: string | undefined,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<Waited | WaitedInVain> {
    const parameters = { query, timeout: `${timeout}ms`, ...(since === undefined ? {} : { since }) };
    try {
      const response = await this.#ask('/api/glass/messages/wait', { parameters, signal });
      return (await response.json()) as Waited;
    } catch (error) {
      if (error instanceof GlassmailError && error.problem && 'arrived' in error.problem)
        return error.problem as WaitedInVain;
      throw error;
    }
  }

  async #get<T>(path: string, parameters: Readonly<Record<string, string | undefined>> = {}): Promise<T> {
    return (await (await this.#ask(path, { parameters })).json()) as T;
  }

  async #post<T>(path: string, body: object): Promise<T> {
    return (await (await this.#ask(path, { method: 'POST', body })).json()) as T;
  }

  async #octets(path: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#ask(path, {})).arrayBuffer());
  }

  /** @throws GlassmailError */
  protected async request(method: string, path: string): Promise<void> {
    await (await this.#ask(path, { method })).arrayBuffer();
  }

  async #ask(
    path: string,
    ask: {
      readonly method?: string;
      readonly parameters?: Readonly<Record<string, string | undefined>>;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: object;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<Response> {
    const given = Object.entries(ask.parameters ?? {}).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const address = `${this.url}${path}${given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`}`;
    let response: Response;
    try {
      response = await fetch(address, {
        method: ask.method ?? 'GET',
        headers: { ...this.#headers, ...ask.headers },
        ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
        ...(ask.signal === undefined ? {} : { signal: ask.signal }),
      });
    } catch (error) {
      ask.signal?.throwIfAborted();
      throw new Error(`nobody answers at ${this.url}: is glassmail running, and its HTTP port reachable?`, {
        cause: error,
      });
    }
    if (response.ok) return response;
    const text = await response.text();
    const isProblem = response.headers.get('content-type') === 'application/problem+json';
    const problem = isProblem ? (JSON.parse(text) as Problem) : undefined;
    throw new GlassmailError(`${address}: ${problem?.detail ?? text.trim()}`, response.status, problem);
  }
}

/** A test scope: the same calls, which see its own mail alone. */
export class MailScope extends MailClient implements AsyncDisposable {
  readonly id: string;
  /** The login; mail to it, and to any address of the domain, arrives here. */
  readonly address: string;
  readonly domain: string;
  readonly password: string;
  readonly token: string;
  /** Where each protocol listens. */
  readonly services: MadeScope['services'];

  constructor(url: string, { id, address, domain, password, token, services }: MadeScope) {
    super(url, { token });
    this.id = id;
    this.address = address;
    this.domain = domain;
    this.password = password;
    this.token = token;
    this.services = services;
  }

  /** An address of this scope. */
  addressFor(localPart: string): string {
    return `${localPart}@${this.domain}`;
  }

  /** Removes everything in it. One that has expired is closed already. */
  async close(): Promise<void> {
    await this.request('DELETE', `/api/glass/scopes/${this.id}`).catch(unlessMissing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A rule of what is to go wrong, as long as it is in force. */
export class Failure implements AsyncDisposable {
  readonly #client: MailClient;
  readonly id: string;
  /** As the server understood it. */
  readonly rule: Fault;

  constructor(client: MailClient, rule: Fault) {
    this.#client = client;
    this.id = rule.id;
    this.rule = rule;
  }

  /** How often something was made to fail by now. */
  async hits(): Promise<number> {
    return (await this.#client.fault(this.id)).hits;
  }

  remove(): Promise<void> {
    return this.#client.removeFault(this.id);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.remove();
  }
}

/** A scope that has expired refuses its token, too. */
function unlessMissing(error: unknown): void {
  if (!(error instanceof GlassmailError && (error.status === 404 || error.status === 401))) throw error;
}

const RECONNECT_MS = 500;

/** What the server can look for; patterns are tested here. */
function searchOf(wanted: Wanted): string {
  const term = (prefix: string, wish: Wish | undefined): string[] =>
    typeof wish === 'string' && wish !== '' ? [`${prefix}"${wish.replaceAll('"', ' ')}"`] : [];
  const { to, from, subject, text, query } = wanted;
  return [
    ...term('addressed:', to),
    ...term('from:', from),
    ...term('subject:', subject),
    ...term('', text),
    ...(query === undefined || query === '' ? [] : [query]),
  ].join(' ');
}

function passes(value: string, wish: Wish | undefined): boolean {
  return !(wish instanceof RegExp) || new RegExp(wish.source, wish.flags.replace(/[gy]/g, '')).test(value);
}

function described(wanted: Wanted): string {
  const entries = Object.entries(wanted).map(([name, wish]) => `${name} ${String(wish)}`);
  return entries.length === 0 ? 'anything' : entries.join(', ');
}

/** Server-sent events; comments are passed over. */
async function* eventsOf(response: Response): AsyncGenerator<{ event: string; id: string; data: string }> {
  let text = '';
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + piece).split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
      if (field('event') !== '') yield { event: field('event'), id: field('id'), data: field('data') };
    }
  }
}
