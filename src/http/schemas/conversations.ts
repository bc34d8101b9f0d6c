/** The shapes of recorded conversations. */
import { z } from 'zod';
import type { ConversationEvent } from '../../glass/conversation.ts';
import { loginName } from './accounts.ts';
import { count, digits, endpoint, nullable, page, time, yesOrNo } from './common.ts';
import { diagnosis, spoken } from './reading.ts';

export const octetCounts = z.object({ networkIn: count, networkOut: count, endsIn: count, endsOut: count });
const tlsInfo = z
  .object({
    version: z.string().describe('`TLSv1.3`'),
    cipher: z.string(),
    serverName: z.string().optional().describe('What the client asked for (SNI).'),
    handshakeMs: z.number(),
    certificate: z
      .object({
        subject: z.string(),
        issuer: z.string(),
        names: z.array(z.string()).readonly(),
        validFrom: time,
        validTo: time,
        fingerprint: z.string().describe('SHA-256, in groups of four digits.'),
      })
      .optional()
      .describe('What the server showed of itself.'),
    alpn: z.string().optional().describe('The protocol that was agreed on under TLS (RFC 7301).'),
  })
  .meta({ id: 'TlsInfo' });

const conversationFields = {
  id: z.string(),
  service: z.string().describe('`imaps`, `smtp`, …'),
  protocol: z.string(),
  role: z.enum(['server', 'client']).describe('`server`: the peer is the client.'),
  local: endpoint,
  remote: endpoint,
  opened: time,
  closed: nullable(time),
  closedBy: nullable(z.enum(['peer', 'us'])),
  closedHow: nullable(z.enum(['fin', 'reset', 'timeout', 'error'])),
  tls: nullable(tlsInfo),
  login: nullable(z.string()).describe('As the session said last.'),
  program: nullable(z.string()).describe(
    'What the client calls itself (RFC 2971); `glassmail`: this server asks itself.',
  ),
  octets: octetCounts.describe('All that passed, kept or not.'),
  lastSeq: count.describe('The number of the newest event.'),
  annotations: z.record(z.string(), count).describe('How many of each type.'),
  problem: nullable(z.string()).describe('One sentence, if something went wrong.'),
  diagnoses: z.array(diagnosis).readonly().describe('What the doctor makes of it so far.'),
};
export const conversationItem = z.object(conversationFields).meta({ id: 'ConversationItem' });
export type ConversationItem = z.infer<typeof conversationItem>;

const eventFields = { seq: count, at: z.number().describe('Milliseconds since the conversation was opened.') };
const octetsFields = {
  ...eventFields,
  direction: z.enum(['in', 'out']).describe('`in`: from the peer.'),
  view: z.enum(['network', 'ends', 'both']).describe('`network`: as an eavesdropper has it.'),
  position: count.describe('How many octets passed before in the same direction and view.'),
  octets: count,
  secrets: z.array(z.object({ offset: count, octets: count })).describe('What is hidden.'),
};
const conversationEvent = z
  .discriminatedUnion('type', [
    z.object({
      type: z.literal('text'),
      ...octetsFields,
      text: z.string().describe('With its line ends; each hidden octet is one `•`.'),
      charset: z.enum(['utf-8', 'iso-8859-1']),
    }),
    z.object({ type: z.literal('binary'), ...octetsFields, base64: z.string() }),
    z.object({
      type: z.literal('tls'),
      ...eventFields,
      tls: z.discriminatedUnion('step', [
        z.object({ step: z.literal('start') }),
        z.object({ step: z.literal('end'), tls: tlsInfo }),
        z.object({
          step: z.literal('failed'),
          code: z.string(),
          message: z.string(),
          alert: z.int().optional().describe("The peer's alert (RFC 8446 §6)."),
        }),
      ]),
    }),
    z.object({
      type: z.literal('annotation'),
      ...eventFields,
      annotation: z.looseObject({ type: z.string() }).describe('What the session remarked: its `type` tells.'),
    }),
    z.object({
      type: z.literal('closed'),
      ...eventFields,
      by: z.enum(['peer', 'us']),
      how: z.enum(['fin', 'reset', 'timeout', 'error']),
    }),
  ])
  // Annotations are open here, since each protocol has its own; the type has them all.
  .meta({ id: 'ConversationEvent' }) as unknown as z.ZodType<ConversationEvent>;
export type { ConversationEvent };
export const conversationEvents = z.array(conversationEvent).readonly();

export const missedOctets = z
  .object({ events: count, octets: count })
  .describe('What is not kept: a long conversation keeps its start and its end.');
const handshake = z
  .object({
    clientOctets: count.describe("Of the client's first words."),
    serverOctets: count.describe("Of the server's answer to them."),
    serverName: nullable(z.string()),
    versions: z.array(z.string()).readonly().describe('That the client offers.'),
    alpn: z.array(z.string()).readonly().describe('Protocols that the client offers (RFC 7301).'),
    ciphers: z.number().describe('How many cipher suites the client offers.'),
    keyShares: z.array(z.string()).readonly().describe('Groups for which the client has sent a key.'),
    group: nullable(z.string()).describe('The one that the server took; null in TLS 1.2.'),
    certificateHidden: nullable(z.boolean()).describe('From TLS 1.3 on.'),
  })
  .meta({ id: 'Handshake' })
  .describe('What an eavesdropper saw of the handshake of TLS.');
export const conversationDetail = z
  .object({
    ...conversationFields,
    events: conversationEvents,
    spoken: z.array(spoken).readonly().describe('What the two ends said, in the units of the protocol.'),
    missed: missedOctets,
    handshake: nullable(handshake),
  })
  .meta({ id: 'ConversationDetail' });
export type ConversationDetail = z.infer<typeof conversationDetail>;

export const conversationsQuery = z.object({
  service: z.string().max(100).optional(),
  account: loginName.optional().describe('Those that logged in as this account.'),
  text: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Those in which this was said, in upper or lower case. Hidden secrets are not looked at.'),
  http: yesOrNo.default(true).describe('`false`: without those over HTTP, such as the pages’ own.'),
  limit: page.limit,
});
export const conversationList = z
  .object({
    revision: count.describe('For `since` of the feed.'),
    recording: z.boolean(),
    total: count,
    unsearched: count.describe('How many were not searched for `text`, since that takes too long: the oldest.'),
    conversations: z.array(conversationItem).describe('Newest first.'),
  })
  .meta({ id: 'ConversationList' });
export type ConversationList = z.infer<typeof conversationList>;

export const conversationsDeleted = z
  .object({ deleted: count.describe('How many there were.') })
  .meta({ id: 'ConversationsDeleted' });
export type ConversationsDeleted = z.infer<typeof conversationsDeleted>;

export const conversationPath = z.object({ id: z.string().regex(/^[0-9a-z]{1,11}$/, 'must be a conversation id') });
export const conversationQuery = z.object({
  since: digits({ max: Number.MAX_SAFE_INTEGER }).default(0).describe('Only events with a higher number.'),
});
