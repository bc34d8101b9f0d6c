/**
 * The shapes of our own routes under `/api/glass` and of the feed: they check what comes in, and the OpenAPI document is
 * made from them. Times are RFC 3339 in UTC, sizes in octets. What a route answers has every field: what is unknown
 * is null. The browser's code imports the types alone.
 */
import { z } from 'zod';
import type { ConversationEvent } from '../glass/conversation.ts';
import { SCOPE_TTL } from '../delivery/scopes.ts';
import { POINTS } from '../faults/rule.ts';
import { ruleDraft } from '../faults/rule-schema.ts';
import { CODE_RULES } from './one-time-code.ts';
import { saslprep } from '../sasl/saslprep.ts';
import { STORAGE_UNIT } from '../store/quota.ts';
import { TOKEN_LENGTH, TOKEN_SCOPES, TOKEN_SYNTAX } from '../sasl/tokens.ts';

// ---------------------------------------------------------------------------------------------------- in common

/** What the store gives out to go on from. */
const CURSOR = /^[0-9a-f]{8}\.\d{1,16}\.\d{1,16}$/;

const count = z.int().nonnegative();
const time = z.iso.datetime();
const nullable = <T extends z.ZodType>(type: T) => z.union([type, z.null()]);

/** RFC 9457, with one entry for each field that breaks a rule. */
export const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().describe('The words of the status code.'),
    status: z.int(),
    detail: z.string().describe('What was wrong, and where possible what to do about it.'),
    errors: z
      .array(
        z.object({
          in: z.enum(['path', 'query', 'body']),
          field: z.string().describe('Empty: the whole.'),
          rule: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problem>;

/** A number in a path or a query: digits alone. */
const digits = (rule: { readonly min?: number; readonly max: number }) =>
  z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .pipe(
      z
        .int()
        .min(rule.min ?? 0)
        .max(rule.max),
    )
    .meta({ type: 'integer', minimum: rule.min ?? 0, maximum: rule.max });

const yesOrNo = z.enum(['0', '1', 'true', 'false']).transform((text) => text === '1' || text === 'true');

export const page = {
  start: digits({ max: Number.MAX_SAFE_INTEGER }).default(0).describe('How many to pass over.'),
  limit: digits({ max: 1000 }).default(50).describe('How many to answer at most.'),
};

const endpoint = z.object({ address: z.string(), port: z.int().min(0).max(65_535) }).meta({ id: 'Endpoint' });

export const addressPair = z
  .object({ name: z.string().describe('Decoded; may be empty.'), address: z.string() })
  .meta({ id: 'Address' });
export type Address = z.infer<typeof addressPair>;

// ------------------------------------------------------------------------------------------------------- status

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
    remoteImages: z.boolean().describe('Whether remote images of HTML mail can be asked for.'),
    maximumMessageOctets: count,
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

// ----------------------------------------------------------------------------------------------------- accounts

/** Loose on purpose: the store and delivery decide what an address may be. */
const loginName = z
  .string()
  .min(1)
  .max(320)
  .regex(/^[^\s\x00-\x1f\x7f<>]+$/u, 'must not hold blanks, control characters or angle brackets');
const password = z
  .string()
  .min(1)
  .max(1024)
  .refine((text) => saslprep(text), 'must not hold control characters, nor letters of two directions (RFC 4013)');

export const accountPath = z.object({
  address: loginName.describe('The full address; a local part alone means the default domain.'),
});

export const quota = z
  .object({
    messages: count.describe('In all mailboxes together; each copy counts.'),
    octets: count,
    messageLimit: count.nullable().describe('null: none.'),
    octetLimit: count.nullable(),
  })
  .meta({ id: 'Quota' });
export type Quota = z.infer<typeof quota>;

export const account = z
  .object({
    address: z.string(),
    createdAt: time,
    modSeq: count.describe("The change log's present number."),
    quota,
  })
  .meta({ id: 'Account' });
export type Account = z.infer<typeof account>;
export const accountList = z.object({ accounts: z.array(account) }).meta({ id: 'AccountList' });
export type AccountList = z.infer<typeof accountList>;

const quotaLimit = (limit: z.ZodType<number, number>) =>
  z
    .union([limit, z.null(), z.literal('default')])
    .optional()
    .describe('null: no limit; default: as the settings of the server say; left out: as it is.');
/** Octets are limited in whole units, rounded up. */
const MOST_OCTETS = Math.floor(Number.MAX_SAFE_INTEGER / STORAGE_UNIT) * STORAGE_UNIT;
export const newQuota = z
  .strictObject({ messages: quotaLimit(count), octets: quotaLimit(count.max(MOST_OCTETS)) })
  .meta({ id: 'NewQuota' });
export type NewQuota = z.infer<typeof newQuota>;

export const newAccount = z
  .strictObject({
    address: loginName,
    password: password.optional().describe('Without one nobody can log in.'),
  })
  .meta({ id: 'NewAccount' });
export type NewAccount = z.infer<typeof newAccount>;

export const newPassword = z.strictObject({ password }).meta({ id: 'NewPassword' });
export type NewPassword = z.infer<typeof newPassword>;

/** A flag or keyword: RFC 9051 §9, `flag`. */
const FLAG = /^\\?[^\x00-\x20\x7f-\uffff(){%*"\\\],]+$/;

export const importQuery = z.object({
  mailbox: z.string().min(1).max(1000).default('INBOX').describe('Its name, levels divided by `/`; made if missing.'),
  flags: z
    .string()
    .max(2000)
    .refine((text) => text.split(/[ ,]+/).every((flag) => flag === '' || FLAG.test(flag)), {
      message: 'must be flags, divided by blanks or commas',
    })
    .default('')
    .describe('Such as `\\Seen \\Flagged $Label1`.'),
  date: z.iso.datetime({ offset: true }).optional().describe('The internal date; absent: now.'),
  key: z.string().min(1).max(500).optional().describe('The same key is not imported twice into one mailbox.'),
});

export const imported = z
  .object({ uid: z.int().positive(), mailbox: z.int(), uidValidity: z.int() })
  .meta({ id: 'Imported' });
export type Imported = z.infer<typeof imported>;
export const duplicate = z.object({ duplicate: z.literal(true) }).meta({ id: 'Duplicate' });

export const mailbox = z
  .object({
    id: z.int(),
    name: z.string().describe('Levels divided by `/`.'),
    uidValidity: z.int(),
    uidNext: z.int(),
    highestModSeq: z.int(),
    subscribed: z.boolean(),
    specialUse: z.array(z.string()).describe('RFC 6154: `\\Sent`, …'),
    messages: count,
    unseen: count,
    octets: count,
  })
  .meta({ id: 'Mailbox' });
export type Mailbox = z.infer<typeof mailbox>;
export const mailboxList = z.object({ mailboxes: z.array(mailbox) }).meta({ id: 'MailboxList' });
export type MailboxList = z.infer<typeof mailboxList>;

export const mailboxPath = accountPath.extend({ id: digits({ min: 1, max: Number.MAX_SAFE_INTEGER }) });
export const mailboxMessagePath = mailboxPath.extend({ uid: digits({ min: 1, max: 0xffff_ffff }) });

export const mailboxMessagesQuery = z.object({
  ...page,
  order: z.enum(['newest', 'oldest']).default('newest').describe('By UID.'),
  query: z.string().max(5000).optional().describe('The search language of the message list.'),
  summary: yesOrNo
    .default(true)
    .describe('0: without `from`, `to`, `subject` and `date`, which cost a look into each message.'),
});

export const mailboxMessage = z
  .object({
    uid: z.int(),
    emailId: z.string().describe('Takes the place of `id` in `/api/glass/messages/{id}`.'),
    flags: z.array(z.string()),
    internalDate: time,
    size: count,
    modSeq: z.int(),
    from: nullable(addressPair),
    to: z.array(addressPair),
    subject: nullable(z.string()),
    date: nullable(time).describe("The Date field's."),
  })
  .meta({ id: 'MailboxMessage' });
export type MailboxMessage = z.infer<typeof mailboxMessage>;
export const mailboxMessageList = z
  .object({ mailbox, modSeq: z.int(), matches: count, start: count, messages: z.array(mailboxMessage) })
  .meta({ id: 'MailboxMessageList' });
export type MailboxMessageList = z.infer<typeof mailboxMessageList>;

// ------------------------------------------------------------------------------------------------------- tokens

export const token = z
  .object({
    id: z.string().describe('The first 16 hexadecimal digits of the SHA-256 of the token.'),
    prefix: z.string().describe('How it begins; at most a quarter of it, so it may be empty.'),
    login: z.string().describe("The account's address."),
    scopes: z.array(z.enum(TOKEN_SCOPES)).describe('What it opens; `mail` is everything.'),
    createdAt: time,
    expiresAt: nullable(time).describe('Null: never.'),
    expired: z.boolean().describe('Clients that use it are told to fetch another one.'),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof token>;
export const tokenList = z.object({ tokens: z.array(token) }).meta({ id: 'TokenList' });
export type TokenList = z.infer<typeof tokenList>;

export const newToken = z
  .strictObject({
    login: loginName.describe('An account; a local part alone means the default domain.'),
    token: z
      .string()
      .min(TOKEN_LENGTH.least)
      .max(TOKEN_LENGTH.most)
      .regex(TOKEN_SYNTAX, 'must be letters, digits and - . _ ~ + /, with = at its end alone (RFC 6750 §2.1)')
      .optional()
      .describe('Absent: a random one.'),
    scopes: z.array(z.enum(TOKEN_SCOPES)).min(1).max(TOKEN_SCOPES.length).optional().describe('Absent: `mail`.'),
    expiresAt: z.iso.datetime({ offset: true }).optional().describe('Absent: it does not expire.'),
  })
  .meta({ id: 'NewToken' });
export type NewToken = z.infer<typeof newToken>;

export const madeToken = token
  .extend({ token: z.string().describe('Shown here and never again.') })
  .meta({ id: 'MadeToken' });
export type MadeToken = z.infer<typeof madeToken>;

export const tokenPath = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/, 'must be an id from the list of tokens') });

// ----------------------------------------------------------------------------------------------------- messages

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

// ------------------------------------------------------------------------------------------------------- scopes

const scopeId = z.string().regex(/^[a-z][a-z0-9]{9}$/, 'must be the id of a scope');
export const scopePath = z.object({ id: scopeId });

const ttlSeconds = z
  .int()
  .min(1)
  .max(SCOPE_TTL.most / 1000)
  .describe('How long it lives, in seconds.');

export const newScope = z.strictObject({
  name: z.string().max(200).default('').describe('What to call it, such as the name of the test.'),
  ttlSeconds: ttlSeconds.default(SCOPE_TTL.usual / 1000),
});

export const scopeChange = z.strictObject({ ttlSeconds });

export const scope = z
  .object({
    id: scopeId,
    name: z.string(),
    address: z.string().describe('The login; mail to it, and to every address of the domain, arrives here.'),
    domain: z.string().describe('Of it and of all names below it, every address is this scope’s.'),
    createdAt: time,
    expiresAt: time.describe('Then it is closed, with everything in it.'),
  })
  .meta({ id: 'Scope' });
export type ScopeView = z.infer<typeof scope>;

export const scopeList = z.object({ scopes: z.array(scope) }).meta({ id: 'ScopeList' });
export type ScopeList = z.infer<typeof scopeList>;

export const madeScope = scope
  .extend({
    password: z.string().describe('Of the login. Shown once.'),
    token: z.string().describe('As `Authorization: Bearer …`, it shows this scope alone. Shown once.'),
    services: z.array(
      z.object({
        service: z.string(),
        host: z.string().describe('As this request was addressed.'),
        port: z.int(),
        tls: z.enum(['none', 'starttls', 'implicit']),
      }),
    ),
  })
  .meta({ id: 'MadeScope' });
export type MadeScope = z.infer<typeof madeScope>;

// ------------------------------------------------------------------------------------------------------- faults

export const newFault = ruleDraft.meta({ id: 'NewFault' });
export type NewFault = z.input<typeof newFault>;

export const fault = z
  .object({
    id: z.string(),
    name: nullable(z.string()),
    scope: nullable(z.string()).describe('The test scope that it is for alone.'),
    where: z.looseObject({ at: z.enum(POINTS) }),
    whom: z.looseObject({}).describe('Empty: everybody.'),
    what: z.looseObject({ type: z.string() }),
    skip: count,
    times: nullable(count).describe('null: without end.'),
    share: z.number(),
    seed: count,
    matches: count.describe('How often where and whom were right.'),
    hits: count.describe('How often something was made to fail.'),
  })
  .meta({ id: 'Fault' });
export type Fault = z.infer<typeof fault>;
export const faultList = z.object({ faults: z.array(fault) }).meta({ id: 'FaultList' });
export type FaultList = z.infer<typeof faultList>;
export const faultPath = z.object({ id: z.string().regex(/^\d{1,15}$/, 'must be the id of a rule') });
export const faultCount = z.object({ count }).meta({ id: 'FaultCount' });

// ------------------------------------------------------------------------------------------- waiting, extraction

/** Terms of the search language that may stand as parameters of their own. */
export const SEARCH_PARAMETERS = [
  ...['to', 'from', 'cc', 'bcc', 'addressed', 'reply-to', 'subject', 'message-id', 'is', 'has', 'tag'],
  ...['after', 'before', 'larger', 'smaller'],
] as const;

const chosenMail = {
  query: messagesQuery.shape.query,
  account: messagesQuery.shape.account,
  tz: messagesQuery.shape.tz,
  ...Object.fromEntries(
    SEARCH_PARAMETERS.map((name) => [name, z.string().max(1000).optional().describe(`As \`${name}:\` in a search.`)]),
  ),
};

/** `30s`, `500ms`, `2m`, or seconds. */
const duration = z
  .string()
  .regex(/^\d{1,7}(?:\.\d{1,3})?(?:ms|s|m)?$/, 'must be a time such as 30s, 500ms or 2m')
  .transform((text) => {
    const [, number, unit] = /^([\d.]+)(ms|s|m)?$/.exec(text)!;
    return Number(number) * (unit === 'ms' ? 1 : unit === 'm' ? 60_000 : 1000);
  })
  .pipe(z.number().max(600_000, 'must be ten minutes at most'))
  .meta({ type: 'string', pattern: '^\\d{1,7}(?:\\.\\d{1,3})?(?:ms|s|m)?$', example: '30s' });

export const waitQuery = z.strictObject({
  ...chosenMail,
  count: digits({ min: 1, max: 1000 }).default(1).describe('How many messages to wait for.'),
  since: z
    .union([z.iso.datetime({ offset: true }), z.string().regex(CURSOR, 'must be a time (RFC 3339) or a cursor')])
    .optional()
    .describe('Only what arrived from this time on, or after this cursor. Without it, what is there already counts.'),
  timeout: duration.default(30_000).describe('How long to wait at most: `30s`, `500ms`, `2m`; ten minutes at most.'),
});

export const waited = z
  .object({
    messages: z
      .array(messageSummary)
      .describe('As many as were waited for, or more if more came at once; newest first.'),
    cursor: z.string().describe('For `since`: what comes after these.'),
    waitedMs: count,
  })
  .meta({ id: 'Waited' });
export type Waited = z.infer<typeof waited>;

export const waitedInVain = problem
  .extend({
    arrived: z.array(messageSummary).describe('What arrived meanwhile, or since `since`, newest first, at most 20.'),
    cursor: z.string(),
  })
  .meta({ id: 'WaitedInVain' });
export type WaitedInVain = z.infer<typeof waitedInVain>;

export const streamQuery = z.strictObject({
  ...chosenMail,
  cursor: z
    .string()
    .regex(CURSOR, 'must be a cursor')
    .optional()
    .describe('Go on after it; `Last-Event-ID` does the same and wins. Without it: from now on.'),
});

export const extracted = z
  .object({
    links: z
      .array(
        z.object({
          url: z.string(),
          host: z.string(),
          text: z.string().describe('What a reader sees instead; empty in plain text.'),
          in: z.enum(['html', 'text', 'list-unsubscribe']),
        }),
      )
      .describe('Each once, in the order of the message; HTML first.'),
    codes: z
      .array(
        z.object({
          code: z.string().describe('As written.'),
          rule: z.enum(CODE_RULES).describe('What it looks like.'),
          word: z.string().describe('The word beside it that announces a code.'),
          distance: count.describe('Characters between the two.'),
          in: z.enum(['subject', 'text']),
        }),
      )
      .describe('Likely ones first.'),
    listUnsubscribe: nullable(
      z.object({
        header: z.string().describe('The field as written.'),
        links: z.array(z.string()).describe('RFC 2369 §3.2: `https:` and `mailto:`.'),
        oneClick: z.boolean().describe('RFC 8058: a POST to the `https:` link suffices.'),
      }),
    ),
  })
  .meta({ id: 'Extracted' });
export type Extracted = z.infer<typeof extracted>;

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

const reportAddress = z
  .string()
  .max(320)
  .regex(/^[^\s\x00-\x1f\x7f<>]+@[^\s\x00-\x1f\x7f<>@]+$/u, 'must be an address, without angle brackets');
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\x00-\x1f\x7f]+$/, 'must be one line');
export const newReport = z
  .strictObject({
    type: z
      .enum(['failed', 'delayed', 'delivered', 'relayed', 'displayed', 'deleted', 'complaint'])
      .default('failed')
      .describe(
        'A delivery status (RFC 3464); `displayed` and `deleted`: a disposition (RFC 8098); `complaint`: feedback (RFC 5965).',
      ),
    recipient: reportAddress.optional().describe('Whom it is about. Absent: all recipients of the message.'),
    status: z
      .string()
      .regex(/^[245]\.\d{1,3}\.\d{1,3}$/, 'must be a status code such as 5.1.1 (RFC 3463)')
      .optional(),
    diagnostic: line(900).optional().describe('What the other server is to have said: `550 5.1.1 No such user`.'),
    remoteMta: line(255).optional().describe('The other server.'),
    feedback: z.enum(['abuse', 'fraud', 'virus', 'other', 'not-spam']).optional().describe('Of a complaint.'),
    return: z.enum(['full', 'headers']).optional().describe('Absent: as RET says, else by size.'),
    to: reportAddress
      .optional()
      .describe('Absent: the reverse-path; for a disposition the field Disposition-Notification-To.'),
  })
  .refine(({ type, status }) => status === undefined || (STATUS_CLASSES[type] ?? '').includes(status[0]!), {
    path: ['status'],
    message: 'must begin with 5 or 4 if it failed, with 4 if it is delayed, with 2 if it was delivered or relayed',
  })
  .meta({ id: 'NewReport' });
export type NewReport = z.output<typeof newReport>;
/** RFC 3463 §3.1, RFC 3464 §2.3.4: what expired in the queue failed with 4.4.7. */
const STATUS_CLASSES: Readonly<Partial<Record<string, string>>> = {
  failed: '54',
  delayed: '4',
  delivered: '2',
  relayed: '2',
};

export const madeReport = z
  .object({ id: z.string().describe('The report, as a message.'), type: z.string(), to: z.string() })
  .meta({ id: 'MadeReport' });
export type MadeReport = z.infer<typeof madeReport>;

export const changed = z.object({ count }).meta({ id: 'Changed' });
export type Changed = z.infer<typeof changed>;

// ------------------------------------------------------------------------------------------------ conversations

const octetCounts = z.object({ networkIn: count, networkOut: count, endsIn: count, endsOut: count });
const tlsInfo = z
  .object({
    version: z.string().describe('`TLSv1.3`'),
    cipher: z.string(),
    serverName: z.string().optional().describe('What the client asked for (SNI).'),
    handshakeMs: z.number(),
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
  octets: octetCounts.describe('All that passed, kept or not.'),
  lastSeq: count.describe('The number of the newest event.'),
  annotations: z.record(z.string(), count).describe('How many of each type.'),
  problem: nullable(z.string()).describe('One sentence, if something went wrong.'),
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
const conversationEvents = z.array(conversationEvent).readonly();

const missedOctets = z
  .object({ events: count, octets: count })
  .describe('What is not kept: a long conversation keeps its start and its end.');
export const conversationDetail = z
  .object({ ...conversationFields, events: conversationEvents, missed: missedOctets })
  .meta({ id: 'ConversationDetail' });
export type ConversationDetail = z.infer<typeof conversationDetail>;

export const conversationsQuery = z.object({
  service: z.string().max(100).optional(),
  account: loginName.optional().describe('Those that logged in as this account.'),
  limit: page.limit,
});
export const conversationList = z
  .object({
    revision: count.describe('For `since` of the feed.'),
    recording: z.boolean(),
    total: count,
    conversations: z.array(conversationItem).describe('Newest first.'),
  })
  .meta({ id: 'ConversationList' });
export type ConversationList = z.infer<typeof conversationList>;

export const conversationPath = z.object({ id: z.string().regex(/^[0-9a-z]{1,11}$/, 'must be a conversation id') });
export const conversationQuery = z.object({
  since: digits({ max: Number.MAX_SAFE_INTEGER }).default(0).describe('Only events with a higher number.'),
});

// --------------------------------------------------------------------------------------------------------- feed

/** What the page sends: which news it wants, and what it knows already. Each message replaces the subscription. */
export const feedRequest = z
  .object({
    subscribe: z
      .object({
        mail: z.boolean().default(false),
        account: loginName.optional().describe('Only news of mail with a copy in this account.'),
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
  total: count,
  unread: count,
});
const conversationNews = z.object({
  type: z.literal('conversation'),
  revision: count,
  conversations: z.array(conversationItem).describe('Those that are new or have changed.'),
  missed: count.describe('Conversations that came and went unseen.'),
});
const eventNews = z.object({
  type: z.literal('event'),
  conversation: z.string(),
  gone: z.boolean().describe('It is no longer kept.'),
  lastSeq: count,
  events: conversationEvents,
  missed: missedOctets,
});
const missedNews = z.object({
  type: z.literal('missed'),
  n: count.describe('News not sent, because the page took them too slowly: read the lists anew.'),
});
const feedError = z.object({ type: z.literal('error'), detail: z.string() });
const clockNews = z.object({ type: z.literal('clock'), now: time, differenceMs: z.number() });

export const feedMessage = z
  .discriminatedUnion('type', [hello, mailNews, conversationNews, eventNews, missedNews, feedError, clockNews])
  .meta({ id: 'FeedMessage' });
export type FeedMessage = z.infer<typeof feedMessage>;
export type MailNews = z.infer<typeof mailNews>;
export type ConversationNews = z.infer<typeof conversationNews>;
export type EventNews = z.infer<typeof eventNews>;
