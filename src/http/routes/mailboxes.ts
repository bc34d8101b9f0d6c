/** The mailboxes of an account and the messages in them: what IMAP clients see, and see change. */
import { parseEnvelope } from '../../mail/envelope.ts';
import { parseDate } from '../../mail/date.ts';
import { parseHeader } from '../../mail/headers.ts';
import type { AccountId, MailboxId, Uid } from '../../store/change.ts';
import type * as store from '../../store/mail-store.ts';
import { Refusal } from '../../store/refusal.ts';
import { contentResponse } from '../content.ts';
import { addressOf, addressesOf } from '../message-view.ts';
import { findCode, findLink } from '../one-time-code.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem, badInput } from '../problem.ts';
import { json, route } from '../route.ts';
import {
  type Mailbox,
  type MailboxList,
  type MailboxMessage,
  type MailboxMessageList,
  accountPath,
  mailbox as mailboxSchema,
  mailboxList,
  mailboxMessage,
  mailboxMessageList,
  mailboxMessagePath,
  mailboxMessagesQuery,
  mailboxPath,
} from '../schemas/accounts.ts';
import { problem } from '../schemas/common.ts';
import {
  type ChosenMessages,
  type FlagsChanged,
  type MessagesMoved,
  type MessagesRestored,
  chosenMessages,
  flagsBody,
  flagsChanged,
  messagesMoved,
  messagesRestored,
  moveBody,
  newMailbox,
  renamedMailbox,
} from '../schemas/mailboxes.ts';
import { type Changed, changed } from '../schemas/messages.ts';
import { parseSearch } from '../search-language.ts';
import { isTrash, keepOrigins, originsIn, specialMailbox } from '../special-mailboxes.ts';
import { threadOrder, threadsOf } from '../threads.ts';
import { accountNamed, unknownAccount } from './accounts.ts';

const unknownMailbox = { description: 'There is no such account or mailbox', schema: problem };
const nameTaken = { description: 'There is a mailbox of that name already', schema: problem };
const impossibleName = { description: 'No mailbox can have that name', schema: problem };
const tooMany = { description: 'There are too many mailboxes or keywords', schema: problem };
const full = { description: 'The account has no room for it', schema: problem };

export interface Place {
  readonly account: store.Account;
  readonly mailbox: store.Mailbox;
}

/** @throws HttpProblem 404 */
export async function placeOf(
  parts: HttpParts,
  { address, id }: { readonly address: string; readonly id: number },
): Promise<Place> {
  const account = await accountNamed(parts, address);
  const mailbox = await parts.store.findMailbox(account.id, id as MailboxId);
  if (!mailbox) throw new HttpProblem(404, `there is no mailbox ${id} in this account`);
  return { account, mailbox };
}

export const mailboxRoutes = [
  route({
    method: 'get',
    path: '/api/glass/accounts/{address}/mailboxes',
    group: 'Mailboxes',
    summary: 'The mailboxes of an account',
    params: accountPath,
    answers: { 200: { description: 'INBOX first', schema: mailboxList }, 404: unknownAccount },
    async handle({ params }, parts) {
      const { id } = await accountNamed(parts, params.address);
      const mailboxes = (await parts.store.listMailboxes(id)).map(toMailbox);
      return json({ mailboxes } satisfies MailboxList);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/accounts/{address}/mailboxes',
    group: 'Mailboxes',
    summary: 'Make a mailbox, with those above it',
    params: accountPath,
    body: newMailbox,
    answers: {
      201: { description: 'The mailbox', schema: mailboxSchema },
      404: unknownAccount,
      409: nameTaken,
      422: impossibleName,
      429: tooMany,
    },
    async handle({ params, body }, parts) {
      const account = await accountNamed(parts, params.address);
      const made = await parts.store.createMailbox(account.id, body.name, body.specialUse && [body.specialUse]);
      // As LIST of most programs shows it: those that are subscribed.
      await parts.store.setSubscribed(account.id, made.name, true);
      const found = (await parts.store.findMailbox(account.id, made.id)) ?? made;
      const location = `/api/glass/accounts/${encodeURIComponent(account.address)}/mailboxes/${made.id}`;
      return json(toMailbox(found), 201, { Location: location });
    },
  }),
  route({
    method: 'put',
    path: '/api/glass/accounts/{address}/mailboxes/{id}',
    group: 'Mailboxes',
    summary: 'Rename a mailbox, with those below it',
    params: mailboxPath,
    body: renamedMailbox,
    answers: {
      200: { description: 'The mailbox', schema: mailboxSchema },
      404: unknownMailbox,
      409: nameTaken,
      422: impossibleName,
      429: tooMany,
    },
    async handle({ params, body }, parts) {
      const { account, mailbox } = await placeOf(parts, params);
      // RFC 9051 §6.3.6 has its messages moved away: nobody who presses "rename" means that.
      if (mailbox.name === 'INBOX') throw new HttpProblem(422, 'INBOX keeps its name');
      await parts.store.renameMailbox(account.id, mailbox.name, body.name);
      const renamed = await parts.store.findMailbox(account.id, mailbox.id);
      return json(toMailbox(renamed ?? { ...mailbox, name: body.name }));
    },
  }),
  route({
    method: 'delete',
    path: '/api/glass/accounts/{address}/mailboxes/{id}',
    group: 'Mailboxes',
    summary: 'Delete a mailbox with its messages; those below it stay',
    params: mailboxPath,
    answers: {
      204: { description: 'It is gone' },
      404: unknownMailbox,
      422: { description: 'INBOX stays', schema: problem },
    },
    async handle({ params }, parts) {
      const { account, mailbox } = await placeOf(parts, params);
      await parts.store.deleteMailbox(account.id, mailbox.name);
      await parts.store.setSubscribed(account.id, mailbox.name, false);
      return new Response(null, { status: 204 });
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/accounts/{address}/mailboxes/{id}/messages',
    group: 'Mailboxes',
    summary: 'The messages of a mailbox, also those that clients put there',
    params: mailboxPath,
    query: mailboxMessagesQuery,
    answers: { 200: { description: 'A page of the mailbox', schema: mailboxMessageList }, 404: unknownMailbox },
    async handle({ params, query }, parts) {
      const { account, mailbox } = await placeOf(parts, params);
      const snapshot = await parts.store.snapshot(account.id, mailbox.id);
      const all = await rowsFound(parts, account.id, snapshot, query.query);
      const found = query.uid === undefined ? all : all.filter((row) => snapshot.uids[row] === query.uid);
      const threads = query.threads ? await threadsIn(parts, account.id, snapshot) : undefined;
      const ordered = threads ? threadOrder(found, threads.first) : [...found];
      if (!threads && query.order === 'newest') ordered.reverse();
      if (threads && query.order === 'oldest') ordered.sort((a, b) => threads.first[a]! - threads.first[b]! || a - b);
      const wanted = ordered.slice(query.start, query.start + query.limit);
      return json({
        mailbox: toMailbox(snapshot.mailbox),
        modSeq: snapshot.modSeq,
        matches: found.length,
        unreadMatches: found.filter((row) => !isRead(parts, snapshot, row)).length,
        start: query.start,
        messages: await messagesIn(parts, account.id, snapshot, wanted, { summary: query.summary, threads }),
      } satisfies MailboxMessageList);
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/accounts/{address}/mailboxes/{id}/messages/{uid}',
    group: 'Mailboxes',
    summary: 'A message of a mailbox: its flags, and what a list shows of it',
    params: mailboxMessagePath,
    answers: { 200: { description: 'As in the list', schema: mailboxMessage }, 404: unknownMailbox },
    async handle({ params }, parts) {
      const { account, mailbox } = await placeOf(parts, params);
      const snapshot = await parts.store.snapshot(account.id, mailbox.id);
      const row = rowOf(snapshot, params.uid);
      const [found] = row === undefined ? [] : await messagesIn(parts, account.id, snapshot, [row], { summary: true });
      if (!found) throw noMessage(params.uid);
      return json(found satisfies MailboxMessage);
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/accounts/{address}/mailboxes/{id}/messages/{uid}/raw',
    group: 'Mailboxes',
    summary: 'A message of a mailbox, as IMAP and POP3 serve it',
    params: mailboxMessagePath,
    answers: { 200: { description: 'Its octets', type: 'message/rfc822' }, 404: unknownMailbox },
    async handle({ params }, parts) {
      const { account, mailbox } = await placeOf(parts, params);
      for await (const batch of parts.store.fetchMessages(account.id, mailbox.id, [params.uid], { content: true })) {
        for (const { content } of batch) if (content) return contentResponse(content, 'message/rfc822');
      }
      throw noMessage(params.uid);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/accounts/{address}/mailboxes/{id}/flags',
    group: 'Mailboxes',
    summary: 'Add and remove flags and keywords',
    params: mailboxPath,
    body: flagsBody,
    answers: {
      200: { description: 'What has changed', schema: flagsChanged },
      404: unknownMailbox,
      422: { description: 'No message can have such a flag', schema: problem },
      429: tooMany,
    },
    async handle({ params, body }, parts) {
      const { account, mailbox } = await placeOf(parts, params);
      const uids = await chosenIn(parts, account.id, mailbox, body);
      const guard =
        body.unchangedSince === undefined
          ? {}
          : { unchangedSince: body.unchangedSince as store.FlagChange['unchangedSince'] };
      let done: store.FlagsStored | undefined;
      for (const mode of ['add', 'remove'] as const) {
        if (body[mode].length === 0) continue;
        // The second change would meet the numbers that the first has given.
        const spared = new Set(done?.modified);
        const left = done ? uids.filter((uid) => !spared.has(uid as Uid)) : uids;
        const change = { mode, flags: body[mode], ...(done ? {} : guard) } as store.FlagChange;
        const next = await parts.store.storeFlags(account.id, mailbox.id, left, change);
        done = { ...next, modified: done?.modified ?? next.modified };
      }
      const { stored = [], modified = [], gone = [], modSeq = mailbox.highestModSeq } = done ?? {};
      return json({ count: stored.length, modified: [...modified], gone: [...gone], modSeq } satisfies FlagsChanged);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/accounts/{address}/mailboxes/{id}/move',
    group: 'Mailboxes',
    summary: 'Move messages to another mailbox of the account',
    params: mailboxPath,
    body: moveBody,
    answers: { 200: { description: 'Where they are now', schema: messagesMoved }, 404: unknownMailbox, 507: full },
    async handle({ params, body }, parts) {
      const { account, mailbox } = await placeOf(parts, params);
      const target = await parts.store.findMailbox(account.id, body.to);
      if (!target) throw new HttpProblem(404, 'there is no mailbox of the name `to` in this account');
      const uids = await chosenIn(parts, account.id, mailbox, body);
      return json(await moved(parts, account.id, mailbox, uids, target));
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/accounts/{address}/mailboxes/{id}/trash',
    group: 'Mailboxes',
    summary: 'Move messages to the mailbox with \\Trash, which is made if there is none',
    params: mailboxPath,
    body: chosenMessages,
    answers: {
      200: { description: 'Where they are now', schema: messagesMoved },
      404: unknownMailbox,
      409: { description: 'That is where they are', schema: problem },
      507: full,
    },
    async handle({ params, body }, parts) {
      const { account, mailbox } = await placeOf(parts, params);
      if (isTrash(mailbox)) throw new HttpProblem(409, 'they are in the trash already; expunge deletes for good');
      const uids = await chosenIn(parts, account.id, mailbox, body);
      const trash = await specialMailbox(parts.store, account.id, '\\Trash');
      const answer = await moved(parts, account.id, mailbox, uids, trash);
      const there = answer.moved.map(({ to }) => to);
      if (there.length > 0) await orForget(keepOrigins(parts.store, trash, there, mailbox.id));
      return json(answer satisfies MessagesMoved);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/accounts/{address}/mailboxes/{id}/restore',
    group: 'Mailboxes',
    summary: 'Move messages back from the trash to where they came from',
    description: 'To INBOX, if that is not known or is no more.',
    params: mailboxPath,
    body: chosenMessages,
    answers: { 200: { description: 'Where they are now', schema: messagesRestored }, 404: unknownMailbox, 507: full },
    async handle({ params, body }, parts) {
      const { account, mailbox } = await placeOf(parts, params);
      const uids = await chosenIn(parts, account.id, mailbox, body);
      const origins = await originsIn(parts.store, mailbox);
      const byTarget = new Map<MailboxId | undefined, number[]>();
      for (const uid of uids) {
        const origin = origins.get(uid);
        const known = byTarget.get(origin);
        if (known) known.push(uid);
        else byTarget.set(origin, [uid]);
      }
      const mailboxes: MessagesRestored['mailboxes'] = [];
      for (const [origin, wanted] of byTarget) {
        const before = origin === undefined ? undefined : await parts.store.findMailbox(account.id, origin);
        const target = before ?? (await parts.store.findMailbox(account.id, 'INBOX'));
        if (target) mailboxes.push(await moved(parts, account.id, mailbox, wanted, target));
      }
      return json({ mailboxes } satisfies MessagesRestored);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/accounts/{address}/mailboxes/{id}/expunge',
    group: 'Mailboxes',
    summary: 'Delete messages for good',
    params: mailboxPath,
    body: chosenMessages,
    answers: { 200: { description: 'How many', schema: changed }, 404: unknownMailbox },
    async handle({ params, body }, parts) {
      const { account, mailbox } = await placeOf(parts, params);
      const uids = await chosenIn(parts, account.id, mailbox, body);
      const { uids: gone } = await parts.store.expunge(account.id, mailbox.id, { uids, onlyDeleted: false });
      return json({ count: gone.length } satisfies Changed);
    },
  }),
];

const noMessage = (uid: number): HttpProblem => new HttpProblem(404, `there is no message ${uid} in this mailbox`);

// ------------------------------------------------------------------------------------------------------------ moves

async function moved(
  parts: HttpParts,
  account: AccountId,
  from: store.Mailbox,
  uids: readonly number[],
  to: store.Mailbox,
): Promise<MessagesMoved> {
  const done = uids.length === 0 ? undefined : await parts.store.moveMessages(account, from.id, uids, to.name);
  const target = await parts.store.findMailbox(account, to.id);
  return {
    mailbox: toMailbox(target ?? to),
    moved: (done?.sourceUids ?? []).map((uid, index) => ({ from: uid, to: done!.destinationUids[index]! })),
  };
}

/** Without room for an annotation they are restored to INBOX: no reason to keep what was to be deleted. */
async function orForget(keeping: Promise<void>): Promise<void> {
  try {
    await keeping;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

// ------------------------------------------------------------------------------------------------------------- rows

/** Ascending. @throws HttpProblem 400 */
async function chosenIn(
  parts: HttpParts,
  account: AccountId,
  mailbox: store.Mailbox,
  { uids, query }: ChosenMessages,
): Promise<number[]> {
  if (uids) return [...new Set(uids)].sort((a, b) => a - b);
  const snapshot = await parts.store.snapshot(account, mailbox.id);
  return (await rowsFound(parts, account, snapshot, query, 'body')).map((row) => snapshot.uids[row]!);
}

function isRead({ store }: HttpParts, { flagSets }: store.MailboxSnapshot, row: number): boolean {
  return store.flagSet(flagSets[row]!).includes('\\Seen');
}

function rowOf({ uids, count }: store.MailboxSnapshot, uid: number): number | undefined {
  const row = uids.subarray(0, count).indexOf(uid);
  return row === -1 ? undefined : row;
}

/** The rows of a snapshot that a search finds, ascending; without one, all. */
async function rowsFound(
  parts: HttpParts,
  id: AccountId,
  snapshot: store.MailboxSnapshot,
  text: string | undefined,
  where: 'query' | 'body' = 'query',
): Promise<number[]> {
  const all = Array.from({ length: snapshot.count }, (_, row) => row);
  if (text === undefined || text.trim() === '') return all;
  const { query, read, problems } = parseSearch(text);
  if (problems.length > 0) {
    throw badInput(problems.map(({ term, rule }) => ({ in: where, field: 'query', rule: `${term}: ${rule}` })));
  }
  const found = new Set(await parts.store.searchMessages(id, snapshot.mailbox.id, query));
  return all.filter(
    (row) => found.has(snapshot.uids[row]!) && (read === undefined || isRead(parts, snapshot, row) === read),
  );
}

interface Threads {
  /** By row: the first row of its thread. */
  readonly first: ArrayLike<number>;
  /** By that row: how many there are. */
  readonly sizes: ReadonlyMap<number, number>;
}

async function threadsIn({ store }: HttpParts, id: AccountId, snapshot: store.MailboxSnapshot): Promise<Threads> {
  const uids = snapshot.uids.slice(0, snapshot.count);
  const [keys, subjects] = await Promise.all([
    store.threadKeys(id, snapshot.mailbox.id, uids),
    store.sortKeys(id, snapshot.mailbox.id, uids, 'subject'),
  ]);
  const first = threadsOf(keys, subjects);
  const sizes = new Map<number, number>();
  for (const row of first) sizes.set(row, (sizes.get(row) ?? 0) + 1);
  return { first, sizes };
}

type Summary = Pick<MailboxMessage, 'from' | 'to' | 'subject' | 'date' | 'snippet' | 'attachments' | 'code' | 'link'>;
const NO_SUMMARY: Summary = {
  from: null,
  to: [],
  subject: null,
  date: null,
  snippet: '',
  attachments: 0,
  code: null,
  link: null,
};
/** Headers that are longer are cut: a list shows what is at their start. */
const SUMMARY_OCTETS = 64 * 1024;

async function messagesIn(
  parts: HttpParts,
  id: AccountId,
  snapshot: store.MailboxSnapshot,
  rows: readonly number[],
  { summary, threads }: { readonly summary: boolean; readonly threads?: Threads | undefined },
): Promise<MailboxMessage[]> {
  const summaries = summary ? await summariesOf(parts, id, snapshot, rows) : new Map<number, Summary>();
  return rows.map((row) => {
    const uid = snapshot.uids[row]!;
    const first = threads?.first[row];
    return {
      uid,
      emailId: String(snapshot.emailIds[row]!),
      flags: [...parts.store.flagSet(snapshot.flagSets[row]!)],
      internalDate: new Date(snapshot.internalDates[row]!).toISOString(),
      size: snapshot.sizes[row]!,
      modSeq: snapshot.modSeqs[row]!,
      ...(summaries.get(uid) ?? NO_SUMMARY),
      thread: first === undefined ? null : { id: snapshot.uids[first]!, messages: threads?.sizes.get(first) ?? 1 },
    };
  });
}

async function summariesOf(
  parts: HttpParts,
  id: AccountId,
  snapshot: store.MailboxSnapshot,
  rows: readonly number[],
): Promise<Map<number, Summary>> {
  const summaries = new Map<number, Summary>();
  const uids = rows.map((row) => snapshot.uids[row]!).sort((a, b) => a - b);
  const wanted = { content: true, tree: true, preview: 'always' } as const;
  const { attachmentsIn } = await import('../../mail/preview.ts');
  for await (const batch of parts.store.fetchMessages(id, snapshot.mailbox.id, uids, wanted)) {
    for (const { uid, content, tree, preview = '' } of batch) {
      if (!content) continue;
      const { subject, ...header } = await summaryOf(content);
      summaries.set(uid satisfies Uid, {
        ...header,
        subject,
        snippet: preview,
        attachments: tree ? attachmentsIn(tree) : 0,
        code: findCode(subject ?? '', preview) ?? null,
        link: findLink(preview) ?? null,
      });
    }
  }
  return summaries;
}

async function summaryOf(content: store.Content): Promise<Pick<Summary, 'from' | 'to' | 'subject' | 'date'>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content.read(0, Math.min(content.size, SUMMARY_OCTETS))) pieces.push(piece);
  const octets = Buffer.concat(pieces);
  const envelope = parseEnvelope(octets, parseHeader(octets));
  const date = envelope.date === undefined ? undefined : parseDate(envelope.date);
  return {
    from: addressOf(envelope.from) ?? null,
    to: addressesOf(envelope.to),
    subject: envelope.subject ?? null,
    date: date?.toISOString() ?? null,
  };
}

export function toMailbox(mailbox: store.Mailbox): Mailbox {
  const { id, name, uidValidity, uidNext, highestModSeq, subscribed, messages, unseen, octets } = mailbox;
  const specialUse = [...mailbox.specialUse];
  return { id, name, uidValidity, uidNext, highestModSeq, subscribed, specialUse, messages, unseen, octets };
}
