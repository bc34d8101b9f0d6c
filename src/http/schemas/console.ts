/** The shapes of what passes over the WebSocket `/api/glass/console`: one of them is one session with a service of ours. */
import { z } from 'zod';
import { count, nullable } from './common.ts';
import { spoken } from './reading.ts';

const CONSOLE_SERVICES = ['smtp', 'submission', 'imap', 'pop3'] as const;

/** What the page sends. `open` comes first, and once. */
export const consoleRequest = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('open'),
      service: z.enum(CONSOLE_SERVICES).describe('By its name: there is no way to name an address.'),
      tls: z.enum(['later', 'at-once']).describe('`at-once`: the port that begins with TLS.'),
    }),
    z.strictObject({
      type: z.literal('send'),
      text: z.string().min(1).max(262_144).describe('Octets for the server, line ends with them.'),
      charset: z
        .enum(['utf-8', 'octets'])
        .default('utf-8')
        .describe('`octets`: each character, of U+00FF at most, is one octet.'),
    }),
    z.strictObject({ type: z.literal('end') }),
  ])
  .meta({ id: 'ConsoleRequest' });
export type ConsoleRequest = z.input<typeof consoleRequest>;

const hint = z
  .object({
    command: z.string(),
    template: z.string().describe('Without tag and line end; `‹…›` is to be filled in.'),
    what: z.string(),
    rfc: z.object({ number: z.int(), section: z.string() }),
    usual: z.boolean(),
  })
  .meta({ id: 'ConsoleHint' });
export type ConsoleHint = z.infer<typeof hint>;

const expected = z.discriminatedUnion('type', [
  z.object({ type: z.literal('greeting') }),
  z.object({ type: z.literal('command') }),
  z.object({ type: z.literal('reply') }),
  z.object({ type: z.literal('message') }).describe('Up to a line with a full stop alone.'),
  z.object({ type: z.literal('octets'), octets: count }).describe('So many; then the line goes on.'),
  z.object({ type: z.literal('sasl'), mechanism: z.string(), prompt: z.string() }),
  z.object({ type: z.literal('idle') }),
  z.object({ type: z.literal('handshake') }),
  z.object({ type: z.literal('nothing') }),
]);

const opened = z.object({
  type: z.literal('opened'),
  service: z.string().describe('The listener: `imaps`.'),
  port: z.int(),
  verified: z.boolean().describe('Whether certificates are checked: those of the own authority are.'),
  endsAt: z.iso.datetime(),
  octets: count.describe('So many may pass, both ways together.'),
});
const conversation = z.object({
  type: z.literal('conversation'),
  id: z.string().describe("The listener's side of this session, as it is recorded."),
});
const news = z.object({
  type: z.literal('news'),
  spoken: z.array(spoken).readonly().describe('Units that are new or have grown; secrets are hidden.'),
  standing: z.object({
    protocol: z.enum(['smtp', 'imap', 'pop3']),
    state: z.string(),
    expects: expected,
    secure: z.boolean(),
    announced: nullable(z.array(z.string()).readonly()),
    nextTag: z.string().describe('IMAP: one that has not been used.'),
    mailbox: nullable(z.string()),
  }),
  hints: z.array(hint).readonly(),
  octetsLeft: count,
});
const tls = z.object({
  type: z.literal('tls'),
  seq: count.describe('What has a higher number was said after it.'),
  at: z.number(),
  step: z.enum(['end', 'failed']),
  version: nullable(z.string()),
  cipher: nullable(z.string()),
  handshakeMs: nullable(z.number()),
  detail: nullable(z.string()),
});
const ended = z.object({
  type: z.literal('ended'),
  reason: z.enum(['server', 'reader', 'time', 'octets', 'unreachable', 'tls', 'stopping', 'fault']),
  detail: z.string(),
});
const refused = z.object({ type: z.literal('error'), detail: z.string() });

export const consoleMessage = z
  .discriminatedUnion('type', [opened, conversation, news, tls, ended, refused])
  .meta({ id: 'ConsoleMessage' });
export type ConsoleMessage = z.infer<typeof consoleMessage>;
export type ConsoleNews = z.infer<typeof news>;
export type ConsoleTls = z.infer<typeof tls>;
export type ConsoleEnded = z.infer<typeof ended>;
