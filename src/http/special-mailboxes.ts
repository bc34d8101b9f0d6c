/** The mailboxes that an account has for a purpose (RFC 6154 §2), and where messages in \Trash came from. */
import type { AccountId, MailboxId } from '../store/change.ts';
import type { MailStore, Mailbox, SpecialUse } from '../store/mail-store.ts';
import { Refusal } from '../store/refusal.ts';

/** One whose name says it counts as well; one is made where there is none. */
export async function specialMailbox(
  store: MailStore,
  account: AccountId,
  use: Extract<SpecialUse, '\\Trash' | '\\Sent'>,
): Promise<Mailbox> {
  const name = use.slice(1);
  const mailboxes = await store.listMailboxes(account);
  const found = mailboxes.find(({ specialUse }) => specialUse.includes(use)) ?? mailboxes.find(isNamed(name));
  if (found) return found;
  try {
    return await store.createMailbox(account, name, [use]);
  } catch (error) {
    // Somebody else was faster.
    const made = error instanceof Refusal && error.code === 'ALREADYEXISTS' && (await store.findMailbox(account, name));
    if (made) return made;
    throw error;
  }
}

export function isTrash(mailbox: Mailbox): boolean {
  return mailbox.specialUse.includes('\\Trash') || isNamed('Trash')(mailbox);
}

const isNamed =
  (wanted: string) =>
  ({ name }: Mailbox): boolean =>
    name.toLowerCase() === wanted.toLowerCase();

// ------------------------------------------------------------------------------------------------------- origins

/**
 * An annotation of the mailbox with \Trash (RFC 5464 §3.2.1): JSON, the key of the mailbox that each UID was moved from.
 * A keyword would be seen by every program, and be known to the store for ever.
 */
const ORIGINS = '/private/vendor/glassmail/origins';
/** The value stays below what an annotation may have; the oldest are forgotten. */
const MOST_ORIGINS = 3000;

/** One at a time for each account, since each change reads what is there. */
const changing = new Map<AccountId, Promise<unknown>>();

export async function originsIn(store: MailStore, trash: Mailbox): Promise<ReadonlyMap<number, MailboxId>> {
  const [found] = await store.findAnnotations(trash.account, trash.id, { entries: [ORIGINS], depth: 0 });
  if (found?.value === undefined) return new Map();
  try {
    const entries = JSON.parse(Buffer.from(found.value).toString('utf8')) as unknown;
    // Anybody may write annotations: what is no pair of numbers tells nothing.
    return new Map((Array.isArray(entries) ? entries : []).filter(isPair));
  } catch {
    return new Map();
  }
}

function isPair(entry: unknown): entry is [number, MailboxId] {
  return Array.isArray(entry) && entry.length === 2 && entry.every((number) => Number.isSafeInteger(number));
}

/** `uids` of `trash` came from `from`; of those that have left it nothing is kept. */
export function keepOrigins(store: MailStore, trash: Mailbox, uids: readonly number[], from: MailboxId): Promise<void> {
  const change = async (): Promise<void> => {
    const { uids: present, count } = await store.snapshot(trash.account, trash.id);
    const there = new Set(present.subarray(0, count));
    const known = [...(await originsIn(store, trash))].filter(([uid]) => there.has(uid));
    const entries = [...known, ...uids.map((uid): [number, MailboxId] => [uid, from])].slice(-MOST_ORIGINS);
    const value = Buffer.from(JSON.stringify(entries));
    await store.setAnnotations(trash.account, trash.id, new Map([[ORIGINS, value]]));
  };
  const done = (changing.get(trash.account) ?? Promise.resolve()).then(change);
  const settled = done.catch(() => undefined);
  changing.set(trash.account, settled);
  void settled.then(() => {
    if (changing.get(trash.account) === settled) changing.delete(trash.account);
  });
  return done;
}
