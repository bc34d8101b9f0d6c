/** STATUS: RFC 9051 §6.3.11; HIGHESTMODSEQ RFC 7162 §3.1.7, MAILBOXID RFC 8474 §4.3, DELETED-STORAGE RFC 9208 §4.1.4. */
import type { AccountId } from '../../store/change.ts';
import { Refusal } from '../../store/refusal.ts';
import type { Mailbox, MailStore } from '../../store/mail-store.ts';
import { pathPrefixHint } from '../path-prefix.ts';
import { command, LOGGED_IN } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import type { Response, StatusItem } from '../grammar/syntax.ts';
import { mailboxObjectId } from '../object-id.ts';

export const status = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ mailbox: input.sp().mailbox(), items: input.sp().statusItems() }),
  async *run({ mailbox: name, items }, { state, store, session }) {
    if (items.includes('HIGHESTMODSEQ')) session.enable('condstore');
    const mailbox = await store.findMailbox(state.account, name, 'r');
    if (!mailbox) throw new Refusal('NONEXISTENT', `There is no mailbox "${name}"${pathPrefixHint(name)}`);
    yield await statusOf(store, state.account, mailbox, items, session.options.maximumMessageOctets);
    return ok('STATUS completed');
  },
});

/** As this account sees it. @param appendLimit the largest message that is taken, the same for all mailboxes (RFC 7889 §3) */
export async function statusOf(
  store: MailStore,
  account: AccountId,
  mailbox: Mailbox,
  items: readonly StatusItem[],
  appendLimit: number,
): Promise<Response> {
  const recent = items.includes('RECENT') ? await countRecent(store, account, mailbox) : 0;
  const deletedOctets = items.includes('DELETED-STORAGE') ? await sumOfDeleted(store, account, mailbox) : 0;
  const values: Readonly<Record<StatusItem, number | string>> = {
    APPENDLIMIT: appendLimit,
    DELETED: mailbox.deleted,
    'DELETED-STORAGE': deletedOctets,
    HIGHESTMODSEQ: mailbox.highestModSeq,
    MAILBOXID: mailboxObjectId(mailbox.id),
    MESSAGES: mailbox.messages,
    RECENT: recent,
    SIZE: mailbox.octets,
    UIDNEXT: mailbox.uidNext,
    UIDVALIDITY: mailbox.uidValidity,
    UNSEEN: mailbox.unseen,
  };
  return { type: 'mailbox-status', name: mailbox.name, items: items.map((item) => [item, values[item]] as const) };
}

/** RFC 9208 §4.1.4: octets that EXPUNGE would give back. */
async function sumOfDeleted(store: MailStore, account: AccountId, { id, deleted }: Mailbox): Promise<number> {
  if (deleted === 0) return 0;
  const { flagSets, sizes, count } = await store.snapshot(account, id);
  /** By flag set, for there are few. */
  const isDeleted = new Map<number, boolean>();
  let octets = 0;
  for (let i = 0; i < count; i++) {
    const flagSet = flagSets[i]!;
    let counts = isDeleted.get(flagSet);
    if (counts === undefined) isDeleted.set(flagSet, (counts = store.flagSet(flagSet).includes('\\Deleted')));
    if (counts) octets += sizes[i]!;
  }
  return octets;
}

/** RFC 3501 §6.3.10: those that a SELECT would find to be \Recent. */
async function countRecent(
  store: MailStore,
  account: AccountId,
  { id, firstRecentUid, uidNext }: Mailbox,
): Promise<number> {
  if (firstRecentUid >= uidNext) return 0;
  const { uids, count } = await store.snapshot(account, id);
  let recent = 0;
  while (recent < count && uids[count - recent - 1]! >= firstRecentUid) recent++;
  return recent;
}
