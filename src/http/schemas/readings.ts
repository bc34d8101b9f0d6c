/** The shapes of one message as each protocol has it. */
import { z } from 'zod';
import { count, nullable } from './common.ts';

const said = z
  .array(z.object({ by: z.enum(['client', 'server']), text: z.string().describe('Without its line end.') }))
  .describe('The dialogue without the octets of the message; the token of the login is left out.');

const octets = z
  .object({
    text: z.string().describe('With its line ends, as UTF-8 if it is that, else as windows-1252.'),
    octets: count.describe('Of the whole.'),
    shown: count.describe('How many of them `text` is.'),
  })
  .meta({ id: 'ShownOctets' });
export type ShownOctets = z.infer<typeof octets>;

const asked = {
  conversation: nullable(z.string()).describe('The connection by which this server asked itself.'),
  service: z.string(),
  said,
  problem: nullable(z.string()).describe('Why there is nothing to show.'),
};

export const readings = z
  .object({
    received: nullable(octets).describe('As SMTP or a client brought it, without what was added on arrival.'),
    traceOctets: count.describe('Added on arrival: IMAP, POP3 and HTTP begin with them.'),
    imap: z.object({
      ...asked,
      items: z
        .array(z.object({ name: z.string(), value: z.string() }))
        .describe('Of the FETCH response, in its order (RFC 9051 §7.5.2).'),
      literal: nullable(z.string()).describe('How the octets were announced: `BODY[] {2147}`.'),
      body: nullable(octets),
    }),
    pop3: z.object({
      ...asked,
      status: nullable(z.string()).describe('The answer to STAT.'),
      uniqueId: nullable(z.string()).describe('From UIDL.'),
      command: nullable(z.enum(['RETR', 'TOP'])).describe('TOP where RETR would have marked the message as read.'),
      body: nullable(octets).describe('As it came: dot-stuffed, with the final dot (RFC 1939 §3).'),
      stuffed: count.describe('Lines that got a dot in front.'),
    }),
  })
  .meta({ id: 'Readings' });
export type Readings = z.infer<typeof readings>;
