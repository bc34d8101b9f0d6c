/** The mailboxes of accounts, and what is done to the messages in them. It writes to `state` and to nothing else. */
import type { Mailbox, MailboxList, MailboxMessage, MailboxMessageList } from '../http/schemas/accounts.ts';
import type { FlagsBody, MessagesMoved, MessagesRestored } from '../http/schemas/mailboxes.ts';
import type { Changed } from '../http/schemas/messages.ts';
import { ApiError, type Chosen, get, mailboxPath, post, send } from './api.ts';
import type { ListAnswer } from './mail-list.ts';
import { mailTexts } from './mail-texts.ts';
import { type ListRow, type Wish, state } from './state.ts';

const accountPath = (account: string): string => `/accounts/${encodeURIComponent(account)}/mailboxes`;

// ---------------------------------------------------------------------------------------------------------- reading

export async function loadMailboxes(account: string): Promise<readonly Mailbox[]> {
  const { mailboxes } = (await get(accountPath(account))) as MailboxList;
  state.update({ mailboxes: new Map(state.latest.mailboxes).set(account, mailboxes) });
  return mailboxes;
}

function knownMailbox(account: string, name: string): Mailbox | undefined {
  return state.latest.mailboxes.get(account)?.find((mailbox) => mailbox.name === name);
}

/** @throws ApiError 404 */
export async function mailboxNamed(account: string, name: string): Promise<Mailbox> {
  const known = knownMailbox(account, name) ?? (await loadMailboxes(account)).find((mailbox) => mailbox.name === name);
  if (!known) throw new ApiError(404, mailTexts.mailbox.missing(name));
  return known;
}

export async function fetchMailboxPage(
  wish: Wish,
  start: number,
  limit: number,
  signal: AbortSignal,
): Promise<ListAnswer> {
  const { account = '', mailbox: name = '', query, threads = false } = wish;
  const mailbox = await mailboxNamed(account, name);
  const search = new URLSearchParams({ start: String(start), limit: String(limit) });
  if (query !== '') search.set('query', query);
  if (threads) search.set('threads', '1');
  const path = `${mailboxPath(account, mailbox.id)}/messages?${search.toString()}`;
  const answer = (await get(path, signal)) as MailboxMessageList;
  const { matches, unreadMatches, messages } = answer;
  return { matches, unreadMatches, messages: messages.map(rowOf) };
}

export async function fetchCopy(
  account: string,
  mailbox: number,
  uid: number,
  signal: AbortSignal,
): Promise<MailboxMessage | undefined> {
  // Of the list: that a message has gone is no error.
  const path = `${mailboxPath(account, mailbox)}/messages?uid=${uid}`;
  return ((await get(path, signal)) as MailboxMessageList).messages[0];
}

function rowOf(message: MailboxMessage): ListRow {
  const { uid, emailId, flags, internalDate, size, from, to, subject, snippet, attachments, code, link } = message;
  return {
    id: String(uid),
    emailId,
    read: flags.includes('\\Seen'),
    from,
    subject: subject ?? '',
    receivedAt: internalDate,
    size,
    attachments,
    snippet,
    code,
    link,
    reversePath: '',
    recipients: to.map(({ address }) => address),
    tags: [],
    copies: [],
    copy: { uid, flags, thread: message.thread },
  };
}

// ---------------------------------------------------------------------------------------------------------- changing

/** Where messages lie that something is done to. */
export interface Place {
  readonly account: string;
  readonly mailbox: Mailbox;
}

/** @returns undefined: what is listed is no mailbox */
export function listedPlace(): Place | undefined {
  const { account, mailbox: name } = state.latest.list.wish ?? {};
  if (account === undefined || name === undefined) return undefined;
  const mailbox = knownMailbox(account, name);
  return mailbox && { account, mailbox };
}

const choice = (chosen: Chosen) => ('ids' in chosen ? { uids: chosen.ids.map(Number) } : { query: chosen.query });
const at = ({ account, mailbox }: Place, what: string): string => `${mailboxPath(account, mailbox.id)}/${what}`;

export async function changeFlags(
  place: Place,
  chosen: Chosen,
  add: readonly string[],
  taken: readonly string[],
): Promise<void> {
  const body: FlagsBody = { ...choice(chosen), add: [...add], remove: [...taken] };
  await post(at(place, 'flags'), body);
}

export async function moveTo(place: Place, chosen: Chosen, to: string): Promise<MessagesMoved> {
  return (await post(at(place, 'move'), { ...choice(chosen), to })) as MessagesMoved;
}

export async function moveToTrash(place: Place, chosen: Chosen): Promise<MessagesMoved> {
  return (await post(at(place, 'trash'), choice(chosen))) as MessagesMoved;
}

export async function restore(place: Place, chosen: Chosen): Promise<MessagesRestored> {
  return (await post(at(place, 'restore'), choice(chosen))) as MessagesRestored;
}

export async function expunge(place: Place, chosen: Chosen): Promise<number> {
  return ((await post(at(place, 'expunge'), choice(chosen))) as Changed).count;
}

export async function createMailbox(account: string, name: string): Promise<Mailbox> {
  const made = (await post(accountPath(account), { name })) as Mailbox;
  await loadMailboxes(account);
  return made;
}

export async function renameMailbox({ account, mailbox }: Place, name: string): Promise<Mailbox> {
  const renamed = (await send('PUT', mailboxPath(account, mailbox.id), { name })) as Mailbox;
  await loadMailboxes(account);
  return renamed;
}

export async function deleteMailbox({ account, mailbox }: Place): Promise<void> {
  await send('DELETE', mailboxPath(account, mailbox.id));
  await loadMailboxes(account);
}

// ------------------------------------------------------------------------------------------------------------- order

export const isTrash = ({ name, specialUse }: Mailbox): boolean =>
  specialUse.includes('\\Trash') || name.toLowerCase() === 'trash';

const USES = ['\\Drafts', '\\Sent', '\\Junk', '\\Trash', '\\Archive'] as const;
export type Use = (typeof USES)[number] | 'inbox' | undefined;

export function useOf({ name, specialUse }: Mailbox): Use {
  return name === 'INBOX' ? 'inbox' : USES.find((use) => specialUse.includes(use));
}

export interface Branch {
  readonly mailbox: Mailbox;
  /** The last level of its name, or more where there is no mailbox above it. */
  readonly label: string;
  readonly depth: number;
}

/** Those with a use first, then by name; a mailbox stands below the one that its name names. */
export function mailboxTree(mailboxes: readonly Mailbox[]): Branch[] {
  const names = new Set(mailboxes.map(({ name }) => name));
  const parentOf = (name: string): string | undefined => {
    for (let cut = name.lastIndexOf('/'); cut > 0; cut = name.lastIndexOf('/', cut - 1)) {
      if (names.has(name.slice(0, cut))) return name.slice(0, cut);
    }
    return undefined;
  };
  const children = new Map<string | undefined, Mailbox[]>();
  for (const mailbox of mailboxes) {
    const parent = parentOf(mailbox.name);
    children.set(parent, [...(children.get(parent) ?? []), mailbox]);
  }
  const rank = (mailbox: Mailbox): number => {
    const use = useOf(mailbox);
    return use === 'inbox' ? -1 : use === undefined ? USES.length : USES.indexOf(use);
  };
  const below = (parent: string | undefined, depth: number): Branch[] =>
    (children.get(parent) ?? [])
      .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
      .flatMap((mailbox) => [
        { mailbox, label: mailbox.name.slice(parent === undefined ? 0 : parent.length + 1), depth },
        ...below(mailbox.name, depth + 1),
      ]);
  return below(undefined, 0);
}
