/** The shapes of what the server says of itself. */
import { z } from 'zod';
import { count, nullable, time } from './common.ts';

export const status = z
  .object({
    name: z.literal('glassmail'),
    version: z.string(),
    mode: z.enum(['capture', 'domain']),
    ready: z.boolean(),
    startedAt: time,
    domains: z.array(z.string()).describe('The local ones; empty in capture mode, where every domain is local.'),
    defaultDomain: z.string(),
    services: z
      .array(
        z.object({
          service: z.string().describe('`smtp`, `submission`, `imaps`, …'),
          address: z.string(),
          port: z.int(),
        }),
      )
      .describe('Every address that accepts connections.'),
    login: z.boolean().describe('Whether the pages ask for a login.'),
    administration: z.boolean().describe('Whether this client may add, change and delete accounts.'),
    recording: z.boolean(),
    faults: count.describe('How many rules make something go wrong on purpose.'),
    remoteImages: z.boolean().describe('Whether remote images of HTML mail can be asked for.'),
    maximumMessageOctets: count,
    retention: nullable(z.object({ removed: count.describe('Since the start.') })).describe(
      'What removes old messages by itself; null: nothing does.',
    ),
    counts: z.object({
      accounts: count,
      messages: count,
      transactions: count.describe('Entries of the message list.'),
      unreadTransactions: count,
      octets: count,
      databaseOctets: count,
      unindexed: count.describe('Messages that the search index does not hold yet.'),
      conversations: count.describe('Those that are kept.'),
      openConversations: count,
    }),
  })
  .meta({ id: 'Status' });
export type Status = z.infer<typeof status>;
