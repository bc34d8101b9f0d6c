/** The shapes of what can be done to mailboxes and to the messages in them. */
import { z } from 'zod';
import { FLAG, mailbox } from './accounts.ts';
import { count } from './common.ts';

const name = z.string().min(1).max(1000).describe('Levels divided by `/`.');

export const newMailbox = z
  .strictObject({
    name,
    specialUse: z.enum(['\\Archive', '\\Drafts', '\\Junk', '\\Sent', '\\Trash']).optional().describe('RFC 6154 §2.'),
  })
  .meta({ id: 'NewMailbox' });
export type NewMailbox = z.infer<typeof newMailbox>;
export const renamedMailbox = z.strictObject({ name }).meta({ id: 'RenamedMailbox' });

const uid = z.int().min(1).max(0xffff_ffff);
const chosen = {
  uids: z.array(uid).min(1).max(100_000).optional(),
  query: z.string().max(5000).optional().describe('All that a search of the mailbox finds.'),
};
const oneChoice = [
  (body: { uids?: unknown; query?: unknown }) => (body.uids === undefined) !== (body.query === undefined),
  'either `uids` or `query` is needed (an empty query means all)',
] as const;
export const chosenMessages = z
  .strictObject(chosen)
  .refine(...oneChoice)
  .meta({ id: 'ChosenMessages' });
export type ChosenMessages = z.infer<typeof chosenMessages>;

const flags = z
  .array(z.string().min(1).max(200).regex(FLAG, 'must be a flag or a keyword (RFC 9051 §2.3.2)'))
  .max(50)
  .default([]);
export const flagsBody = z
  .strictObject({
    ...chosen,
    add: flags.describe('Such as `\\Seen`, `\\Flagged`, `$Label1`.'),
    remove: flags,
    unchangedSince: count.optional().describe('Messages that have changed since this MODSEQ stay as they are.'),
  })
  .refine(...oneChoice)
  .meta({ id: 'ChangeFlags' });
export type FlagsBody = z.input<typeof flagsBody>;
export const flagsChanged = z
  .object({
    count: count.describe('Those whose flags are now as asked.'),
    modified: z.array(z.int()).describe('UIDs that `unchangedSince` spared.'),
    gone: z.array(z.int()).describe('UIDs that are no longer there.'),
    modSeq: z.int(),
  })
  .meta({ id: 'FlagsChanged' });
export type FlagsChanged = z.infer<typeof flagsChanged>;

export const moveBody = z
  .strictObject({ ...chosen, to: name.describe('The name of a mailbox of the same account.') })
  .refine(...oneChoice)
  .meta({ id: 'MoveMessages' });

const moved = z.array(z.object({ from: z.int(), to: z.int() })).describe('UIDs before and after.');
export const messagesMoved = z.object({ mailbox, moved }).meta({ id: 'MessagesMoved' });
export type MessagesMoved = z.infer<typeof messagesMoved>;
export const messagesRestored = z
  .object({ mailboxes: z.array(z.object({ mailbox, moved })) })
  .meta({ id: 'MessagesRestored' });
export type MessagesRestored = z.infer<typeof messagesRestored>;
