/** The shapes of what passes over the WebSocket `/api/glass/feed`. */
import { z } from 'zod';
import { loginName } from './accounts.ts';
import { count, time } from './common.ts';
import { conversationEvents, conversationItem, missedOctets, octetCounts } from './conversations.ts';
import { messageSummary } from './messages.ts';
import { spoken } from './reading.ts';

/** What the page sends: which news it wants, and what it knows already. Each message replaces the subscription. */
export const feedRequest = z
  .object({
    subscribe: z
      .object({
        mail: z.boolean().default(false),
        account: loginName.optional().describe('Only news of mail with a copy in this account.'),
        mailboxes: z.boolean().default(false).describe('Which accounts have changed, whatever it was.'),
        conversations: z.boolean().default(false),
        conversation: z
          .string()
          .regex(/^[0-9a-z]{1,11}$/)
          .optional()
          .describe('The events of this one too.'),
      })
      .optional(),
    since: z
      .object({
        cursor: z.string().max(1000).optional().describe('From `hello` or `mail`.'),
        revision: count.optional().describe('From `hello` or `conversation`.'),
        seq: count.optional().describe('Of the conversation.'),
      })
      .optional(),
    clock: z.number().optional().describe("The page's clock, milliseconds since 1970."),
  })
  .meta({ id: 'FeedRequest' });
export type FeedRequest = z.input<typeof feedRequest>;

const hello = z.object({
  type: z.literal('hello'),
  version: z.string(),
  cursor: z.string().describe('Where the mail feed stands.'),
  revision: count.describe('Where the conversations stand.'),
  now: time,
});
const mailNews = z.object({
  type: z.literal('mail'),
  cursor: z.string(),
  tooOld: z.boolean().describe('The log does not reach back to `since`: read the list anew.'),
  arrived: z.array(messageSummary),
  read: z.array(z.object({ id: z.string(), read: z.boolean() })),
  deleted: z.array(z.string()),
  tagged: z.array(z.object({ id: z.string(), tags: z.array(z.string()) })),
  total: count,
  unread: count,
});
const mailboxNews = z.object({
  type: z.literal('mailboxes'),
  accounts: z.array(z.string()).describe('Addresses: read their mailboxes anew.'),
});
const conversationNews = z.object({
  type: z.literal('conversation'),
  revision: count,
  conversations: z.array(conversationItem).describe('Those that are new or have changed.'),
  grown: z
    .array(z.object({ id: z.string(), octets: octetCounts, lastSeq: count }))
    .describe('Those of which nothing has changed but how much was said: told now and then.'),
  missed: count.describe('Conversations that came and went unseen.'),
  cleared: z.boolean().describe('Closed ones were deleted: read the list anew.'),
});
const eventNews = z.object({
  type: z.literal('event'),
  conversation: z.string(),
  gone: z.boolean().describe('It is no longer kept.'),
  lastSeq: count,
  events: conversationEvents,
  spoken: z.array(spoken).readonly().describe('Units that are new or have grown.'),
  missed: missedOctets,
});
const missedNews = z.object({
  type: z.literal('missed'),
  n: count.describe('News not sent, because the page took them too slowly: read the lists anew.'),
});
const feedError = z.object({ type: z.literal('error'), detail: z.string() });
const clockNews = z.object({ type: z.literal('clock'), now: time, differenceMs: z.number() });

export const feedMessage = z
  .discriminatedUnion('type', [
    hello,
    mailNews,
    mailboxNews,
    conversationNews,
    eventNews,
    missedNews,
    feedError,
    clockNews,
  ])
  .meta({ id: 'FeedMessage' });
export type FeedMessage = z.infer<typeof feedMessage>;
export type MailNews = z.infer<typeof mailNews>;
export type MailboxNews = z.infer<typeof mailboxNews>;
export type ConversationNews = z.infer<typeof conversationNews>;
export type EventNews = z.infer<typeof eventNews>;
