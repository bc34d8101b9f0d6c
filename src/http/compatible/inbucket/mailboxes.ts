/**
 * Inbucket's mailboxes: a name before an `@`, whatever comes after it; here a whole address is understood too, and means
 * itself alone. What follows a plus is no part of the name. A message is in the mailbox of each recipient.
 */
import { splitAddress } from '../../../mail/address.ts';
import type { TransactionSummary } from '../../../store/mail-store.ts';
import type { HttpParts } from '../../parts.ts';

/** What is asked for by a name of the path; undefined: it is none. */
export interface MailboxName {
  /** As answers have it. */
  readonly name: string;
  readonly localPart: string;
  readonly domain: string | undefined;
}

export function mailboxName(given: string): MailboxName | undefined {
  const text = given.trim().toLowerCase();
  if (text === '' || text.length > 320 || /[\s\x00-\x1f\x7f]/.test(text)) return undefined;
  const parts = splitAddress(text);
  const localPart = withoutTag(parts?.localPart ?? text);
  return { name: parts ? `${localPart}@${parts.domain}` : localPart, localPart, domain: parts?.domain };
}

const withoutTag = (localPart: string): string => localPart.replace(/(.)\+.*$/s, '$1');

export function isOf(address: string, { localPart, domain }: MailboxName): boolean {
  const parts = splitAddress(address.toLowerCase());
  if (!parts || withoutTag(parts.localPart) !== localPart) return false;
  return domain === undefined || parts.domain === domain;
}

/** To a test scope the recipients are of no concern that are not its own. */
export function ownPart(transaction: TransactionSummary, { scope }: Pick<HttpParts, 'scope'>): TransactionSummary {
  if (!scope) return transaction;
  const isOwn = (address: string): boolean =>
    `.${splitAddress(address)?.domain ?? ''}`.toLowerCase().endsWith(`.${scope.domain}`);
  return { ...transaction, forwardPaths: transaction.forwardPaths.filter(({ address }) => isOwn(address)) };
}

/** The mailboxes that a message came into, each by its name alone. */
export function mailboxesOf(transaction: TransactionSummary): readonly MailboxName[] {
  const names = transaction.forwardPaths.flatMap(({ address }) => {
    const name = mailboxName(splitAddress(address)?.localPart ?? address);
    return name && isIn(transaction, name) ? [name] : [];
  });
  return [...new Map(names.map((name) => [name.name, name])).values()];
}

/** Its own copy may have been deleted, while others have theirs. */
export function isIn({ forwardPaths, copies }: TransactionSummary, mailbox: MailboxName): boolean {
  const named = forwardPaths.filter(({ address }) => isOf(address, mailbox));
  if (named.length === 0) return false;
  // Mail for a test scope has one copy, under another name.
  const others = copies.some((copy) => !forwardPaths.some(({ address }) => sameMailbox(address, copy.address)));
  return others || copies.length === 0 || copies.some(({ address }) => isOf(address, mailbox));
}

function sameMailbox(one: string, other: string): boolean {
  const name = mailboxName(one);
  return name !== undefined && isOf(other, name);
}

/** Oldest first. */
export async function messagesIn(parts: HttpParts, mailbox: MailboxName): Promise<readonly TransactionSummary[]> {
  const filter = { query: { type: 'recipient', text: mailbox.localPart } } as const;
  const { items } = await parts.store.listTransactions(filter, { start: 0, limit: Number.MAX_SAFE_INTEGER });
  return items.filter((item) => isIn(ownPart(item, parts), mailbox)).reverse();
}

/** @param id `latest` is the newest */
export async function messageIn(
  parts: HttpParts,
  mailbox: MailboxName,
  id: string,
): Promise<TransactionSummary | undefined> {
  if (id === 'latest') return (await messagesIn(parts, mailbox)).at(-1);
  const found = /^[0-9A-Za-z]{22}$/.test(id) ? await parts.store.findTransaction(id) : undefined;
  return found && isIn(ownPart(found, parts), mailbox) ? found : undefined;
}

/** Of a message that others have too, their copies stay. */
export async function removeFrom(
  { store }: HttpParts,
  mailbox: MailboxName,
  messages: readonly TransactionSummary[],
): Promise<void> {
  const whole: string[] = [];
  for (const { transactionId, copies } of messages) {
    const own = copies.filter(({ address }) => isOf(address, mailbox));
    if (own.length === 0 || own.length === copies.length) whole.push(transactionId);
    else
      for (const { account, mailbox: box, uid } of own)
        await store.expunge(account, box, { uids: [uid], onlyDeleted: false });
  }
  if (whole.length > 0) await store.deleteTransactions(whole);
}
