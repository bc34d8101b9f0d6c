/** The shapes of how the server is set up. */
import { z } from 'zod';
import { count, endpoint, nullable } from './common.ts';

const listener = z
  .object({
    service: z.string().describe('`smtp`, `submission`, `imaps`, …'),
    protocol: z.string(),
    tls: z.enum(['none', 'starttls', 'implicit']),
    addresses: z.array(endpoint).readonly(),
    open: count.describe('Connections at this moment.'),
    sinceStart: count.describe('Connections since the start.'),
  })
  .meta({ id: 'Listener' });
export type ListenerView = z.infer<typeof listener>;

export const settings = z
  .object({
    listeners: z.array(listener).readonly(),
    off: z.array(z.string()).readonly().describe('Services without a listener.'),
    limits: z.object({
      connections: count.describe('Of one service.'),
      connectionsPerAddress: count,
      messageOctets: count,
      recipients: count.describe('Of one message.'),
    }),
    data: z.object({
      folder: z.string(),
      durability: z
        .enum(['power', 'process'])
        .describe('What an acknowledged message survives: a power cut, or the end of the process.'),
    }),
    recordOctets: count.describe('Memory for conversations; 0: nothing is recorded.'),
    retention: z.object({
      messages: nullable(count).describe('So many are kept; null: all.'),
      ageMs: nullable(count).describe('So long they are kept; null: for ever.'),
      removed: count.describe('How many have been removed since the start.'),
    }),
    authority: nullable(
      z.object({
        sha256: z.string().describe('In groups of four digits.'),
        names: z.array(z.string()).readonly().describe('What the certificate of the server names.'),
      }),
    ).describe('null: the certificate comes from elsewhere.'),
  })
  .meta({ id: 'Settings' });
export type Settings = z.infer<typeof settings>;
