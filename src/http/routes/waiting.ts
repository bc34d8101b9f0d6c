/** For tests: an answer as soon as the mail is there, and a stream of what arrives. */
import { z } from 'zod';
import type { MailStore, TransactionEvent, TransactionFilter, TransactionSummary } from '../../store/mail-store.ts';
import type { SearchQuery } from '../../store/search-query.ts';
import { summaryView } from '../message-view.ts';
import { News } from '../news.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem, badInput } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import {
  SEARCH_PARAMETERS,
  type Waited,
  type WaitedInVain,
  streamQuery,
  waitQuery,
  waited,
  waitedInVain,
} from '../schemas/waiting.ts';
import { unknownAccount } from './accounts.ts';
import { filterOf } from './messages.ts';

const TOO_OLD = 'is too old to go on from, or of another server; give a time instead';
/** How many of those that were not waited for are told. */
const MOST_TOLD = 20;
/** So often a quiet stream says something: proxies end what says nothing for a minute. */
const HEARTBEAT_MS = 15_000;
/** How long a reader of the stream waits before it connects again. */
const RETRY_MS = 1000;

export const waitingRoutes = [
  route({
    method: 'get',
    path: '/api/glass/messages/wait',
    group: 'Messages',
    summary: 'Answers as soon as the mail is there: any term of the search language as a parameter',
    query: waitQuery,
    answers: {
      200: { description: 'It is there', schema: waited },
      400: { description: 'A parameter cannot be read', schema: problem },
      404: {
        description: 'It did not arrive in time; `arrived` tells what did. Or there is no such account',
        schema: z.union([waitedInVain, problem]),
      },
      503: { description: 'The server stops', schema: problem },
    },
    async handle({ query, request }, parts) {
      const begun = performance.now();
      const filter = await filterOf(parts, searchOf(query), query.account, query.tz, 'query');
      const timeout = AbortSignal.timeout(query.timeout);
      const gone = AbortSignal.any([request.signal, ...(parts.closing ? [parts.closing] : [])]);
      const since = query.since;
      const present = await parts.store.transactionEvents(undefined);
      const mail = new Awaited(parts.store, filter, query.count);
      let cursor = present.cursor;
      if (since !== undefined && /^[0-9a-f]{8}\./.test(since)) cursor = since;
      else await mail.take(since === undefined ? undefined : new Date(since));
      const start = cursor;
      // First listen, then look: nothing falls between the two.
      using news = new News(parts);
      for (;;) {
        const { events, cursor: reached, tooOld } = await parts.store.transactionEvents(cursor, filter);
        if (tooOld) throw badInput([{ in: 'query', field: 'since', rule: TOO_OLD }]);
        cursor = reached;
        await mail.hear(events);
        const waitedMs = Math.round(performance.now() - begun);
        if (mail.found) {
          return json({ messages: mail.found.map(summaryView), cursor, waitedMs } satisfies Waited);
        }
        if (timeout.aborted) throw await inVain(mail, waitedMs, cursor, since, start, parts.store);
        if (parts.closing?.aborted) throw new HttpProblem(503, 'the server stops', { headers: { 'Retry-After': '1' } });
        if (gone.aborted) return json(null); // nobody hears it
        await news.next(AbortSignal.any([timeout, gone]));
      }
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/messages/stream',
    group: 'Messages',
    summary:
      'What arrives, as server-sent events; each id is a cursor, so that after a reconnect nothing is missing or twice',
    query: streamQuery,
    answers: {
      200: {
        description:
          '`hello` at the beginning; `message` with a message as in the list; `reset`: too much was missed, read the list anew',
        type: 'text/event-stream',
      },
      400: { description: 'A parameter cannot be read', schema: problem },
      404: unknownAccount,
    },
    async handle({ query, request }, parts) {
      const filter = await filterOf(parts, searchOf(query), query.account, query.tz, 'query');
      const cursor = request.headers.get('last-event-id') ?? query.cursor;
      const encoder = new TextEncoder();
      const events = streamOf(parts, filter, cursor, request.signal);
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const step = await events.next();
          if (step.done === true) controller.close();
          else controller.enqueue(encoder.encode(step.value));
        },
        cancel: async () => {
          await events.return(undefined);
        },
      });
      return new Response(body, {
        headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
      });
    },
  }),
];

type Chosen = { readonly query: string } & Readonly<Record<string, unknown>>;

/** The parameters as one search. */
function searchOf(query: Chosen): string {
  const terms = SEARCH_PARAMETERS.flatMap((name) => {
    const value = query[name];
    return typeof value === 'string' && value !== '' ? [`${name}:"${value.replaceAll('"', ' ')}"`] : [];
  });
  return [query.query, ...terms].join(' ');
}

function asksForTags(query: SearchQuery | undefined): boolean {
  if (query === undefined) return false;
  if ('queries' in query) return query.queries.some(asksForTags);
  return query.type === 'tag' || (query.type === 'not' && asksForTags(query.query));
}

/** The messages that are waited for, as they come and go. */
class Awaited {
  readonly #store: MailStore;
  readonly #filter: TransactionFilter;
  readonly #count: number;
  /** By id, in the order of arrival. */
  readonly #mail = new Map<string, TransactionSummary>();

  constructor(store: MailStore, filter: TransactionFilter, count: number) {
    this.#store = store;
    this.#filter = filter;
    this.#count = count;
  }

  /** Those that are there already. */
  async take(since: Date | undefined): Promise<void> {
    const { items } = await this.#store.listTransactions(this.#filter, { start: 0, limit: this.#count });
    for (const item of items.toReversed())
      if (since === undefined || item.receivedAt >= since) this.#mail.set(item.transactionId, item);
  }

  async hear(events: readonly Pick<TransactionEvent, 'type' | 'transactionId'>[]): Promise<void> {
    for (const { type, transactionId } of events) {
      if (type === 'deleted') this.#mail.delete(transactionId);
      else if (!this.#mail.has(transactionId)) {
        // `is:read` may have become true of one that was there before.
        if (type === 'read' && this.#filter.read === undefined) continue;
        if (type === 'tagged' && !asksForTags(this.#filter.query)) continue;
        const found = await this.#store.findTransaction(transactionId, this.#filter);
        if (found) this.#mail.set(transactionId, found);
      }
    }
  }

  /** As many as were asked for or more, newest first; undefined: not yet. */
  get found(): readonly TransactionSummary[] | undefined {
    return this.#mail.size < this.#count ? undefined : this.some;
  }

  get some(): readonly TransactionSummary[] {
    return [...this.#mail.values()].reverse();
  }
}

/** A 404, for on a 408 HTTP libraries ask again. */
async function inVain(
  mail: Awaited,
  waitedMs: number,
  cursor: string,
  since: string | undefined,
  start: string,
  store: MailStore,
): Promise<HttpProblem> {
  const arrived = await arrivedSince(store, since, start);
  const found = mail.some.length;
  const some =
    found === 0 ? 'no such message' : `${found} such ${found === 1 ? 'message' : 'messages'}, which is too few,`;
  const others =
    arrived.length === 0
      ? 'nothing else did either'
      : `${arrived.length === MOST_TOLD ? 'at least ' : ''}${arrived.length} did: see "arrived"`;
  const members = { arrived: arrived.map(summaryView), cursor } satisfies Partial<WaitedInVain>;
  return new HttpProblem(404, `${some} arrived in ${waitedMs} ms; ${others}`, { members });
}

async function arrivedSince(
  store: MailStore,
  since: string | undefined,
  start: string,
): Promise<readonly TransactionSummary[]> {
  if (since !== undefined && !Number.isNaN(Date.parse(since)) && since.includes('-')) {
    const { items } = await store.listTransactions({}, { start: 0, limit: MOST_TOLD });
    return items.filter(({ receivedAt }) => receivedAt >= new Date(since));
  }
  const { events } = await store.transactionEvents(start);
  const ids = events.flatMap((event) => (event.type === 'new' ? [event.transactionId] : []));
  const found = await Promise.all(ids.slice(-MOST_TOLD).map((id) => store.findTransaction(id)));
  return found.flatMap((transaction) => transaction ?? []).reverse();
}

/** Texts of events, until the client has gone or the server stops. */
async function* streamOf(
  parts: HttpParts,
  filter: TransactionFilter,
  from: string | undefined,
  client: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const { store } = parts;
  const ended = AbortSignal.any([client, ...(parts.closing ? [parts.closing] : [])]);
  let cursor = from ?? (await store.transactionEvents(undefined)).cursor;
  yield `retry: ${RETRY_MS}\n${eventText('hello', cursor, { cursor })}`;
  using news = new News(parts);
  const isOver = (): boolean => ended.aborted;
  while (!isOver()) {
    const { events, cursor: reached, tooOld } = await store.transactionEvents(cursor, filter);
    cursor = reached;
    if (tooOld) yield eventText('reset', cursor, { cursor });
    for (const event of events) {
      if (event.type !== 'new') continue;
      const transaction = await store.findTransaction(event.transactionId);
      if (transaction) yield eventText('message', event.cursor, summaryView(transaction));
      if (isOver()) return;
    }
    const quiet = AbortSignal.timeout(HEARTBEAT_MS);
    await news.next(AbortSignal.any([ended, quiet]));
    // The cursor goes along, so that what was passed over is not looked at again.
    if (quiet.aborted) yield `: still here\nid: ${cursor}\n\n`;
  }
}

const eventText = (event: string, id: string, data: unknown): string =>
  `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
