/** The shapes of mail that a page writes. */
import { z } from 'zod';
import { loginName } from './accounts.ts';
import { nullable, problem } from './common.ts';
import { messageId } from './messages.ts';

const noControls = /^[^\x00-\x08\x0a-\x1f\x7f]*$/;
/** As it stands in a header field: `Bob <bob@red.test>, carol`. */
const addresses = z.string().max(20_000).regex(noControls, 'must be one line').default('');

const attachment = z.strictObject({
  fileName: z.string().min(1).max(255),
  contentType: z
    .string()
    .max(200)
    .regex(/^(?:[\w!#$&^.+-]+\/[\w!#$&^.+-]+)?$/, 'must be a media type such as `text/plain`')
    .default(''),
  base64: z.base64(),
});

export const composeBody = z
  .strictObject({
    from: loginName.describe('An account of this server, in whose name it is handed in.'),
    name: z.string().max(200).regex(noControls, 'must be one line').default('').describe("The writer's name."),
    to: addresses.describe('As in a header field; a local part alone means the default domain.'),
    cc: addresses,
    bcc: addresses.describe('Not shown to the others; the copy in Sent has it.'),
    subject: z.string().max(2000).regex(noControls, 'must be one line').default(''),
    text: z.string().max(2_000_000).default(''),
    attachments: z.array(attachment).max(50).default([]),
    answers: z
      .strictObject({
        id: messageId,
        kind: z.enum(['reply', 'forward']),
        mailbox: z.int().positive().optional().describe('Of the copy that gets \\Answered or $Forwarded.'),
        uid: z.int().positive().max(0xffff_ffff).optional(),
      })
      .optional()
      .describe('The message that this one belongs to: In-Reply-To and References (RFC 5322 §3.6.4).'),
  })
  .meta({ id: 'Compose' });
export type ComposeBody = z.input<typeof composeBody>;

const handedInFields = {
  transactionId: nullable(z.string()).describe('Its id in the list of messages; null: this server did not tell.'),
  conversation: nullable(z.string()).describe('Of the connection by which it was handed in.'),
  service: z.string().describe('`submission`, `submissions` or `smtp`.'),
  reply: z.string().describe('What the server said at the end.'),
  refused: z
    .array(z.object({ address: z.string(), reply: z.string() }))
    .describe('Recipients that the server refused, while it took the others.'),
};
export const handedIn = z.object(handedInFields).meta({ id: 'HandedIn' });
export type HandedIn = z.infer<typeof handedIn>;

export const composed = z
  .object({
    ...handedInFields,
    messageId: z.string().describe('Without angle brackets.'),
    sent: nullable(z.object({ account: z.string(), mailbox: z.int(), mailboxName: z.string(), uid: z.int() })).describe(
      'Where its copy lies; null: it could not be stored.',
    ),
  })
  .meta({ id: 'Composed' });
export type Composed = z.infer<typeof composed>;

/** A problem, and what our own port said. */
export const notHandedIn = problem
  .extend({
    reply: nullable(z.string()).optional().describe('Reply code and text; null: there was none.'),
    command: nullable(z.string()).optional().describe('What it answers.'),
    conversation: nullable(z.string()).optional(),
  })
  .meta({ id: 'NotHandedIn' });

export const redeliverBody = z
  .strictObject({ to: addresses.describe('Absent or empty: the recipients that it had.') })
  .meta({ id: 'Redeliver' });
