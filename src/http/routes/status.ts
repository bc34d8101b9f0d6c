import { json, route } from '../route.ts';
import { type Status, status } from '../schemas/status.ts';

const startedAt = new Date(Date.now() - process.uptime() * 1000).toISOString();

export const statusRoutes = [
  route({
    method: 'get',
    path: '/api/glass/status',
    group: 'Server',
    summary: 'What this server is, where it listens, and how much it holds',
    answers: { 200: { description: 'The state of the server', schema: status } },
    async handle({ client }, parts) {
      const figures = await parts.store.figures();
      const conversations = parts.recorder.list();
      return json({
        name: 'glassmail',
        version: parts.version,
        mode: parts.mode,
        ready: parts.ready(),
        startedAt,
        domains: [...parts.domains],
        defaultDomain: parts.defaultDomain,
        services: Object.entries(parts.services()).map(([service, { address, port }]) => ({ service, address, port })),
        login: parts.auth !== undefined,
        administration: client.administers,
        recording: parts.recorder.recording,
        faults: parts.faults?.countOn(parts.scope?.id) ?? 0,
        remoteImages: false,
        maximumMessageOctets: parts.maximumMessageOctets,
        retention: parts.retention ? { removed: parts.retention.removed } : null,
        counts: {
          accounts: figures.accounts,
          messages: figures.messages,
          transactions: figures.transactions,
          unreadTransactions: figures.unreadTransactions,
          octets: figures.octets,
          databaseOctets: figures.databaseOctets,
          unindexed: figures.unindexed,
          conversations: conversations.length,
          openConversations: conversations.filter(({ closedAt }) => closedAt === undefined).length,
        },
      } satisfies Status);
    },
  }),
];
