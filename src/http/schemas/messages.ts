/** The shapes of messages. */
import { z } from 'zod';
import { loginName } from './accounts.ts';
import { addressPair, count, nullable, time, yesOrNo, page } from './common.ts';

/** 22 letters and digits: an accepted transaction. Fewer digits: any message by its email id. */
export const messageId = z
  .string()
  .regex(
    /^(?:[0-9A-Za-z]{22}|[1-9][0-9]{0,15}|latest)$/,
    'must be an id from a message list, an email id, or `latest`',
  );
export const messagePath = z.object({ id: messageId });
export const partPath = messagePath.extend({
  partId: z
    .string()
    .regex(/^(?:[1-9][0-9]{0,4}(?:\.[1-9][0-9]{0,4}){0,99})$/, 'must be a part number such as `1.2` (RFC 9051 §6.4.5)'),
});

export const messagesQuery = z.object({
  ...page,
  account: loginName.optional().describe('Only what has a copy in this account.'),
  query: z
    .string()
    .max(5000)
    .default('')
    .describe('Words, `"phrases"`, `from:`, `subject:`, `is:unread`, `has:attachment`, …'),
  tz: z.string().max(100).optional().describe('The time zone of dates in the query, such as `Europe/Berlin`.'),
});

const copy = z
  .object({
    account: z.string().describe("The account's address."),
    mailbox: z.int(),
    mailboxName: z.string(),
    uid: z.int(),
    flags: z.array(z.string()),
  })
  .meta({ id: 'Copy' });
export type Copy = z.infer<typeof copy>;

/** A row of the message list: one accepted transaction, however many recipients. */
export const messageSummary = z
  .object({
    id: z.string(),
    emailId: z.string(),
    messageId: z.string().describe('Without angle brackets.'),
    read: z.boolean().describe('All copies have \\Seen.'),
    from: nullable(addressPair),
    to: z.array(addressPair),
    cc: z.array(addressPair),
    bcc: z.array(addressPair),
    replyTo: z.array(addressPair),
    subject: z.string(),
    receivedAt: time,
    size: count.describe('Trace and received octets together.'),
    attachments: count,
    snippet: z.string(),
    code: nullable(z.string()).describe('What looks like a one-time code.'),
    link: nullable(z.string()).describe('The first link of the snippet.'),
    reversePath: z.string(),
    recipients: z.array(z.string()).describe('The forward-paths of the envelope.'),
    service: z.string().describe('By which way it was handed in: `smtp`, `submission`, `http`, …'),
    tags: z.array(z.string()).describe('In the order of the alphabet.'),
    copies: z.array(copy),
  })
  .meta({ id: 'MessageSummary' });
export type MessageSummary = z.infer<typeof messageSummary>;

export const messageList = z
  .object({
    total: count,
    unread: count,
    matches: count,
    unreadMatches: count,
    start: count,
    messages: z.array(messageSummary).describe('Newest first.'),
    cursor: z.string().describe('For `since` and `cursor`: what comes after this list.'),
  })
  .meta({ id: 'MessageList' });
export type MessageList = z.infer<typeof messageList>;

const headerField = z
  .object({
    name: z.string().describe('As written.'),
    value: z.string().describe('Unfolded, encoded words decoded.'),
    raw: z.string().describe('As it stands in the message, folding included, without its last line end.'),
    trace: z.boolean().describe('Added on arrival here.'),
  })
  .meta({ id: 'HeaderField' });
export type HeaderField = z.infer<typeof headerField>;

const attachment = z
  .object({
    partId: z.string(),
    fileName: z.string().describe('Bidirectional controls are made visible.'),
    contentType: z.string(),
    contentId: z.string().describe('Without angle brackets.'),
    disposition: z.enum(['attachment', 'inline']),
    size: count.describe('Decoded.'),
  })
  .meta({ id: 'Attachment' });
export type Attachment = z.infer<typeof attachment>;

/** A node of the MIME tree (RFC 2046 §5). Offsets count from the start of trace and received octets. */
export interface Part {
  /** As IMAP numbers it (RFC 9051 §6.4.5); empty: the message itself, when it is a multipart. */
  partId: string;
  /** `type/subtype` in lower case. */
  contentType: string;
  charset: string | null;
  encoding: string;
  disposition: string | null;
  fileName: string | null;
  contentId: string | null;
  headerStart: number;
  bodyStart: number;
  end: number;
  parts: Part[];
}
export const part: z.ZodType<Part> = z
  .object({
    partId: z.string(),
    contentType: z.string(),
    charset: nullable(z.string()),
    encoding: z.string(),
    disposition: nullable(z.string()),
    fileName: nullable(z.string()),
    contentId: nullable(z.string()),
    headerStart: count,
    bodyStart: count,
    end: count,
    get parts(): z.ZodArray<z.ZodType<Part>> {
      return z.array(part);
    },
  })
  .meta({ id: 'Part' });

const remoteReference = z
  .object({
    url: z.string(),
    host: z.string(),
    kind: z.enum(['image', 'media', 'style', 'frame', 'script', 'object']),
  })
  .meta({ id: 'RemoteReference' });
export type RemoteReference = z.infer<typeof remoteReference>;

const link = z
  .object({
    url: z.string(),
    host: z.string().describe('As it is asked for: punycode.'),
    text: z.string(),
    suspicious: z.boolean().describe('The text names another host than the link leads to.'),
  })
  .meta({ id: 'Link' });
export type Link = z.infer<typeof link>;

/** How a message arrived. Null for mail that a client appended. */
const transaction = z
  .object({
    id: z.string(),
    receivedAt: time,
    reversePath: z.string(),
    forwardPaths: z.array(
      z.object({ address: z.string(), notify: nullable(z.string()), originalRecipient: nullable(z.string()) }),
    ),
    service: z.string(),
    conversation: nullable(z.string()).describe('The id of its recorded connection.'),
    remoteAddress: nullable(z.string()),
    helo: nullable(z.string()),
    login: nullable(z.string()),
    tls: nullable(z.string()),
    read: z.boolean(),
    tags: z.array(z.string()),
  })
  .meta({ id: 'MessageTransaction' });
export type MessageTransaction = z.infer<typeof transaction>;

/** All that the page shows of one message. */
export const message = z
  .object({
    id: z.string(),
    emailId: nullable(z.string()),
    messageId: z.string(),
    from: nullable(addressPair),
    sender: nullable(addressPair),
    to: z.array(addressPair),
    cc: z.array(addressPair),
    bcc: z.array(addressPair),
    replyTo: z.array(addressPair),
    subject: z.string(),
    date: nullable(time).describe("The Date field's moment, if it can be read."),
    dateField: nullable(z.string()).describe('As written.'),
    text: z.string().describe('The text part, or what the HTML part says.'),
    textFromHtml: z.boolean(),
    html: z.boolean().describe('There is an HTML part: see `/api/glass/messages/{id}/html`.'),
    remoteReferences: z.array(remoteReference),
    remoteCount: count,
    links: z.array(link),
    code: nullable(z.string()),
    headers: z.array(headerField),
    attachments: z.array(attachment),
    parts: part,
    size: count,
    traceOctets: count,
    receivedOctets: count,
    trace: z.string(),
    transaction: nullable(transaction),
    copies: z.array(copy),
  })
  .meta({ id: 'Message' });
export type Message = z.infer<typeof message>;

export const htmlQuery = z.object({
  remote: yesOrNo.default(false).describe('1: with remote images, where the server has a proxy for them.'),
});
export const sourceQuery = z.object({
  download: yesOrNo.default(false),
  received: yesOrNo.default(false).describe('1: the octets as received, without the trace.'),
});

const chosen = {
  ids: z.array(messageId).max(100_000).optional(),
  query: z.string().max(5000).optional().describe('All that a search finds.'),
  account: loginName.optional(),
  tz: z.string().max(100).optional(),
};
const oneChoice = [
  (body: { ids?: unknown; query?: unknown }) => (body.ids === undefined) !== (body.query === undefined),
  'either `ids` or `query` is needed (an empty query means all)',
] as const;
export const markBody = z
  .strictObject({ ...chosen, read: z.boolean() })
  .refine(...oneChoice)
  .meta({ id: 'MarkMessages' });
export type MarkBody = z.infer<typeof markBody>;
export const deleteBody = z
  .strictObject(chosen)
  .refine(...oneChoice)
  .meta({ id: 'DeleteMessages' });
export type DeleteBody = z.infer<typeof deleteBody>;

export const tagsBody = z
  .strictObject({
    tags: z
      .array(
        z
          .string()
          .regex(
            /^[A-Za-z0-9\-_.@](?:[A-Za-z0-9\-_.@ ]{0,98}[A-Za-z0-9\-_.@])?$/,
            'must be 1 to 100 letters, digits, blanks and -_.@',
          ),
      )
      .max(100),
  })
  .meta({ id: 'SetTags' });
export const tagList = z.object({ tags: z.array(z.string()) }).meta({ id: 'Tags' });
export type TagList = z.infer<typeof tagList>;

export const changed = z.object({ count }).meta({ id: 'Changed' });
export type Changed = z.infer<typeof changed>;
