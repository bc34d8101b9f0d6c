/** Tells another server of each message that arrives: POST of its summary. What it cannot tell is not told again. */
import { setTimeout as wait } from 'node:timers/promises';
import type { HttpParts } from '../../parts.ts';
import type { Webhook } from './settings.ts';
import { toSummary } from './shapes.ts';

const TIMEOUT_MS = 5_000;
const BATCH_MS = 25;

export interface RunningWebhook {
  close(): Promise<void>;
}

/** @param from the cursor of the events that are told already */
export function runWebhook(parts: HttpParts, webhook: Webhook, label: string, from: string): RunningWebhook {
  const { url, perSecond, delaySeconds } = webhook;
  const { store, notifier } = parts;
  const stopping = new AbortController();
  let cursor = from;
  let timer: NodeJS.Timeout | undefined;
  let next = 0;

  const tell = async (transactionId: string): Promise<void> => {
    if (perSecond > 0) {
      const now = performance.now();
      if (now < next) return;
      next = now + 1000 / perSecond;
    }
    if (delaySeconds > 0) await wait(delaySeconds * 1000, undefined, { signal: stopping.signal });
    const transaction = await store.findTransaction(transactionId);
    if (!transaction) return; // gone meanwhile
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(label !== '' && { 'Mailpit-Label': encodeURI(label) }) },
      body: JSON.stringify(toSummary(transaction)),
      redirect: 'manual',
      signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    if (response.status < 200 || response.status > 299) parts.log('warn', `webhook ${url}: ${response.status}`);
  };
  const failed = (error: unknown): void => {
    if (stopping.signal.aborted) return;
    const { message, cause } = error as Error;
    parts.log('warn', `webhook ${url}: ${message}${cause instanceof Error ? ` (${cause.message})` : ''}`);
  };
  const look = async (): Promise<void> => {
    const read = await store.transactionEvents(cursor);
    cursor = read.cursor;
    for (const event of read.events) if (event.type === 'new') tell(event.transactionId).catch(failed);
  };
  let work = look().catch(failed);
  const unsubscribe = notifier.subscribe('all', () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      work = work.then(look).catch(failed);
    }, BATCH_MS).unref();
  });

  return {
    async close() {
      unsubscribe();
      clearTimeout(timer);
      stopping.abort();
      await work;
    },
  };
}
