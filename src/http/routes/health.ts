/** For those who watch the process: alive, ready, and figures for Prometheus. */
import type { Gauge, Registry } from 'prom-client';
import type { HttpParts } from '../parts.ts';
import type { App } from '../route.ts';

export function addHealth(app: App, parts: HttpParts): void {
  app.get('/livez', () => plain('ok\n'));
  app.get('/readyz', () => (parts.ready() ? plain('ok\n') : plain('not ready yet\n', 503)));

  let metrics: Promise<Metrics> | undefined;
  app.get('/metrics', async () => {
    metrics ??= makeMetrics();
    const { registry, gauges, tags } = await metrics;
    const figures = await figuresNow(parts);
    for (const { key, gauge } of gauges) gauge.set(key === undefined ? 0 : figures[key]);
    for (const gauge of tags) gauge.reset();
    for (const { tag, count } of await parts.store.listTags()) for (const gauge of tags) gauge.set({ tag }, count);
    return new Response(await registry.metrics(), {
      headers: { 'Content-Type': registry.contentType, 'Cache-Control': 'no-store' },
    });
  });
}

function plain(body: string, status = 200): Response {
  return new Response(body, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
  });
}

interface Figures {
  readonly messages: number;
  readonly unread: number;
  readonly databaseOctets: number;
  readonly deleted: number;
  readonly accepted: number;
  readonly acceptedOctets: number;
  readonly rejected: number;
  readonly accounts: number;
  readonly copies: number;
  readonly unindexed: number;
  readonly removed: number;
  readonly conversations: number;
  readonly uptime: number;
  readonly memory: number;
}

/** Under our prefix and, where Mailpit has the same figure, under its name. */
const BOTH = [
  ['messages', 'Accepted messages that are kept', 'messages'],
  ['messages_unread', 'Accepted messages that nobody has read', 'unread'],
  ['database_size_bytes', 'Size of the database in octets', 'databaseOctets'],
  ['messages_deleted_total', 'Accepted messages deleted', 'deleted'],
  ['smtp_accepted_total', 'Messages accepted', 'accepted'],
  ['smtp_accepted_size_bytes_total', 'Octets of messages accepted', 'acceptedOctets'],
  ['smtp_rejected_total', 'Messages refused', 'rejected'],
  ['smtp_ignored_total', 'Messages passed over', undefined],
  ['uptime_seconds', 'Seconds since the start', 'uptime'],
  ['memory_usage_bytes', 'Resident memory in octets', 'memory'],
] as const;
const OURS = [
  ['accounts', 'Accounts', 'accounts'],
  ['mailbox_messages', 'Messages in all mailboxes', 'copies'],
  ['messages_unindexed', 'Messages that the search index does not hold yet', 'unindexed'],
  ['messages_removed_total', 'Messages that the limits on number and age removed', 'removed'],
  ['conversations', 'Recorded conversations that are kept', 'conversations'],
] as const;

interface Metrics {
  readonly registry: Registry;
  readonly gauges: readonly { readonly key: keyof Figures | undefined; readonly gauge: Gauge }[];
  /** One value for each tag. */
  readonly tags: readonly Gauge<'tag'>[];
}

async function makeMetrics(): Promise<Metrics> {
  const { Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const gauge = (name: string, help: string, key: keyof Figures | undefined) => ({
    key,
    gauge: new Gauge({ name, help, registers: [registry] }),
  });
  const both = BOTH.flatMap(([name, help, key]) => [
    gauge(`glassmail_${name}`, help, key),
    gauge(`mailpit_${name}`, help, key),
  ]);
  const tags = ['glassmail_', 'mailpit_'].map(
    (prefix) =>
      new Gauge({
        name: `${prefix}tag_messages`,
        help: 'Messages with a tag',
        labelNames: ['tag'],
        registers: [registry],
      }),
  );
  return {
    registry,
    tags,
    gauges: [...both, ...OURS.map(([name, help, key]) => gauge(`glassmail_${name}`, help, key))],
  };
}

async function figuresNow(parts: HttpParts): Promise<Figures> {
  const figures = await parts.store.figures();
  const smtp = parts.smtpFigures?.();
  return {
    messages: figures.transactions,
    unread: figures.unreadTransactions,
    databaseOctets: figures.databaseOctets,
    deleted: figures.deletedTransactions,
    accepted: smtp?.accepted ?? figures.transactions + figures.deletedTransactions,
    acceptedOctets: smtp?.acceptedOctets ?? figures.octets,
    rejected: smtp?.rejected ?? 0,
    accounts: figures.accounts,
    copies: figures.messages,
    unindexed: figures.unindexed,
    removed: parts.retention?.removed ?? 0,
    conversations: parts.recorder.list().length,
    uptime: process.uptime(),
    memory: process.memoryUsage.rss(),
  };
}
