/** The shapes of accounts, their quotas and mailboxes. */
import { z } from 'zod';
import { saslprep } from '../../sasl/saslprep.ts';
import { STORAGE_UNIT } from '../../store/quota.ts';
import { addressPair, count, digits, nullable, time, yesOrNo, page } from './common.ts';

/** Loose on purpose: the store and delivery decide what an address may be. */
export const loginName = z
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
export const FLAG = /^\\?[^\x00-\x20\x7f-\uffff(){%*"\\\],]+$/;

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
    .describe('0: without what costs a look into each message: `from`, `subject`, `snippet`, …'),
  uid: digits({ min: 1, max: 0xffff_ffff }).optional().describe('This message alone, if it is there.'),
  threads: yesOrNo
    .default(false)
    .describe('1: messages of one thread stand together, the thread with the newest message first.'),
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
    snippet: z.string(),
    attachments: count,
    code: nullable(z.string()).describe('What looks like a one-time code.'),
    link: nullable(z.string()).describe('The first link of the snippet.'),
    thread: nullable(
      z.object({
        id: z.int().describe('The UID of its first message in this mailbox.'),
        messages: count.describe('How many of it are in this mailbox.'),
      }),
    ).describe('Null unless `threads` was asked for.'),
  })
  .meta({ id: 'MailboxMessage' });
export type MailboxMessage = z.infer<typeof mailboxMessage>;
export const mailboxMessageList = z
  .object({
    mailbox,
    modSeq: z.int(),
    matches: count,
    unreadMatches: count.describe('Of those, how many have no \\Seen.'),
    start: count,
    messages: z.array(mailboxMessage),
  })
  .meta({ id: 'MailboxMessageList' });
export type MailboxMessageList = z.infer<typeof mailboxMessageList>;
