/** The server's own routes, as functions. What it refuses becomes an `ApiError` with words for the reader. */
import type { AccountList } from '../http/schemas/accounts.ts';
import type { Problem } from '../http/schemas/common.ts';
import type { RevealAnswer } from '../http/schemas/conversation-exports.ts';
import type { ConversationDetail, ConversationList, ConversationsDeleted } from '../http/schemas/conversations.ts';
import type { Changed, DeleteBody, MarkBody, Message, MessageList } from '../http/schemas/messages.ts';
import type { Status } from '../http/schemas/status.ts';
import { texts } from './texts.ts';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** 0: nobody answered. */
  readonly status: number;
  /** Further members of the problem document. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.status = status;
    this.members = members;
  }
}

export interface ListWish {
  /** The search language of the list; empty: everything. */
  readonly query: string;
  /** An account's address; undefined: all accounts. */
  readonly account: string | undefined;
}

export async function fetchStatus(): Promise<Status> {
  return (await get('/status')) as Status;
}

export async function fetchAccounts(): Promise<AccountList> {
  return (await get('/accounts')) as AccountList;
}

/** @param limit 0: only the counts */
export async function fetchMessages(
  { query, account }: ListWish,
  start: number,
  limit: number,
  signal?: AbortSignal,
): Promise<MessageList> {
  const search = new URLSearchParams({ start: String(start), limit: String(limit), tz: timeZone() });
  if (query !== '') search.set('query', query);
  if (account !== undefined) search.set('account', account);
  return (await get(`/messages?${search.toString()}`, signal)) as MessageList;
}

export async function fetchMessage(id: string, signal: AbortSignal): Promise<Message> {
  return (await get(`/messages/${encodeURIComponent(id)}`, signal)) as Message;
}

/** Messages by their ids, or all that a wish finds. */
export type Chosen = { readonly ids: readonly string[] } | ListWish;

export async function markMessages(chosen: Chosen, read: boolean): Promise<Changed> {
  const body: MarkBody = { ...choiceBody(chosen), read };
  return (await post('/messages/mark', body)) as Changed;
}

export async function deleteMessages(chosen: Chosen): Promise<Changed> {
  const body: DeleteBody = choiceBody(chosen);
  return (await post('/messages/delete', body)) as Changed;
}

/** @param http whether those over HTTP are among them @param text only those in which this was said */
export async function fetchConversations(
  limit: number,
  http: boolean,
  text?: string,
  signal?: AbortSignal,
): Promise<ConversationList> {
  const search = new URLSearchParams({
    limit: String(limit),
    ...(!http && { http: 'false' }),
    ...(text !== undefined && { text }),
  });
  return (await get(`/conversations?${search.toString()}`, signal)) as ConversationList;
}

/** @returns undefined for one that is no longer kept */
export async function conversationExport(id: string, format: string): Promise<Blob | undefined> {
  try {
    return await (await answered(exportPath(id, format), {})).blob();
  } catch (error) {
    if (error instanceof ApiError && error.status === 410) return undefined;
    throw error;
  }
}

/** The secrets of what was said in these events. The server remarks that it was asked. */
export async function revealSecrets(id: string, seq: readonly number[]): Promise<RevealAnswer> {
  return (await post(`/conversations/${encodeURIComponent(id)}/reveal`, { seq })) as RevealAnswer;
}

/** Those that are open stay. */
export async function deleteConversations(): Promise<ConversationsDeleted> {
  return (await (await answered('/api/glass/conversations', { method: 'DELETE' })).json()) as ConversationsDeleted;
}

export async function fetchConversation(id: string, signal: AbortSignal): Promise<ConversationDetail> {
  return (await get(`/conversations/${encodeURIComponent(id)}`, signal)) as ConversationDetail;
}

export interface Source {
  readonly octets: Uint8Array;
  /** There is more than was asked for. */
  readonly cut: boolean;
}

/** The octets of a message as it is kept, from its start. */
export async function fetchSource(id: string, atMost: number, signal: AbortSignal): Promise<Source> {
  const response = await answered(sourcePath(id), { signal });
  const reader = response.body!.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  let isAll = false;
  while (length <= atMost) {
    const { done, value } = await reader.read();
    if (done) {
      isAll = true;
      break;
    }
    pieces.push(value);
    length += value.length;
  }
  if (!isAll) await reader.cancel();
  const octets = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  return { octets: octets.subarray(0, atMost), cut: octets.length > atMost };
}

// ------------------------------------------------------------------------------------------- addresses of routes

export const htmlPath = (id: string): string => `/api/glass/messages/${encodeURIComponent(id)}/html`;
const sourcePath = (id: string): string => `/api/glass/messages/${encodeURIComponent(id)}/source`;
export const downloadPath = (id: string): string => `${sourcePath(id)}?download=1`;
export const partPath = (id: string, partId: string): string =>
  `/api/glass/messages/${encodeURIComponent(id)}/parts/${encodeURIComponent(partId)}`;
/** @param keys with the secrets of TLS, so that the file can be decrypted */
export const exportPath = (id: string, format: string, keys = false): string =>
  `/api/glass/conversations/${encodeURIComponent(id)}/export?as=${format}${keys ? '&keys=1' : ''}`;
export const mailboxPath = (account: string, mailbox: number): string =>
  `/accounts/${encodeURIComponent(account)}/mailboxes/${mailbox}`;
export const messagePath = (id: string): string => `/api/glass/messages/${encodeURIComponent(id)}`;

// ------------------------------------------------------------------------------------------------------ requests

/** What an error says to the reader, whatever kind it is. */
export function wordsOf(error: unknown): string {
  return error instanceof ApiError
    ? error.message
    : texts.problems.ours(error instanceof Error ? error.message : texts.problems.unknown);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

function timeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function choiceBody(chosen: Chosen): DeleteBody {
  if ('ids' in chosen) return { ids: [...chosen.ids] };
  const { query, account } = chosen;
  return { query, tz: timeZone(), ...(account !== undefined && { account }) };
}

export async function get(path: string, signal?: AbortSignal): Promise<unknown> {
  return (await answered(`/api/glass${path}`, signal ? { signal } : {})).json();
}

export async function post(path: string, body: unknown): Promise<unknown> {
  return send('POST', path, body);
}

/** @param path below `/api/glass` @returns what was answered; undefined: nothing (204) */
export async function send(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
  const json = { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await answered(`/api/glass${path}`, { method, ...(body !== undefined && json) });
  return response.status === 204 ? undefined : response.json();
}

export async function answered(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, cache: 'no-store' });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, texts.problems.unreachable);
  }
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/** The `detail` of the problem document (RFC 9457), with the rules that were broken. */
async function refusalOf(response: Response): Promise<ApiError> {
  const { status } = response;
  try {
    const { detail, errors, ...members } = (await response.json()) as Problem;
    const words = errors?.map((error) =>
      error.in === 'body' && error.field !== '' ? `${error.field}: ${error.rule}` : error.rule,
    );
    return new ApiError(status, words && words.length > 0 ? words.join('; ') : detail, { ...members, errors });
  } catch {
    return new ApiError(status, texts.problems.status(status));
  }
}
