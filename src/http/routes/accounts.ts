/** Accounts, their mailboxes, and mail brought in from elsewhere. */
import { normalizeDomain, splitAddress } from '../../mail/address.ts';
import { parseEnvelope } from '../../mail/envelope.ts';
import { parseDate } from '../../mail/date.ts';
import { parseHeader } from '../../mail/headers.ts';
import { loginAddress } from '../../sasl/login-name.ts';
import type { MailboxId, Uid } from '../../store/change.ts';
import type * as store from '../../store/mail-store.ts';
import type { QuotaLimit } from '../../store/quota.ts';
import { Refusal } from '../../store/refusal.ts';
import { contentResponse } from '../content.ts';
import { addressOf, addressesOf } from '../message-view.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem, badInput } from '../problem.ts';
import { json, limitedBody, route } from '../route.ts';
import {
  type Account,
  type AccountList,
  type Imported,
  type Mailbox,
  type MailboxList,
  type MailboxMessage,
  type MailboxMessageList,
  account,
  accountList,
  accountPath,
  duplicate,
  importQuery,
  imported,
  mailboxList,
  mailboxMessageList,
  mailboxMessagePath,
  mailboxMessagesQuery,
  mailboxPath,
  newAccount,
  newPassword,
  newQuota,
} from '../schemas/accounts.ts';
import { problem } from '../schemas/common.ts';
import { parseSearch } from '../search-language.ts';

export const unknownAccount = { description: 'There is no such account', schema: problem };
const notPermitted = { description: 'Not for this client', schema: problem };

/** @throws HttpProblem 404 */
export async function accountNamed(parts: HttpParts, name: string): Promise<store.Account> {
  const address = loginAddress(name, parts.defaultDomain);
  const found = await parts.store.findAccount(address);
  if (!found) throw new HttpProblem(404, `there is no account ${address}`);
  return found;
}

/** With all its mail and its tokens. */
export async function deleteAccount({ store, tokens }: HttpParts, id: store.Account['id']): Promise<void> {
  await store.deleteAccount(id);
  await tokens?.revokeWhere(({ subject }) => subject === String(id));
}

async function mailboxOf(parts: HttpParts, accountId: store.Account['id'], id: number): Promise<store.Mailbox> {
  const found = await parts.store.findMailbox(accountId, id as MailboxId);
  if (!found) throw new HttpProblem(404, `there is no mailbox ${id} in this account`);
  return found;
}

export const accountRoutes = [
  route({
    method: 'get',
    path: '/api/glass/accounts',
    group: 'Accounts',
    summary: 'All accounts',
    answers: { 200: { description: 'In the order of addresses', schema: accountList } },
    async handle(_input, parts) {
      const accounts = (await parts.store.listAccounts()).map(toAccount);
      accounts.sort((a, b) => (a.address < b.address ? -1 : 1));
      return json({ accounts } satisfies AccountList);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/accounts',
    group: 'Accounts',
    summary: 'Add an account',
    administration: true,
    body: newAccount,
    answers: {
      201: { description: 'The account', schema: account },
      400: { description: 'The address or the password cannot be one', schema: problem },
      403: notPermitted,
      409: { description: 'There is such an account already', schema: problem },
    },
    async handle({ body }, parts) {
      const address = localAddress(parts, body.address);
      const passwordRecord = body.password === undefined ? undefined : await parts.passwordRecord(body.password);
      const made = await parts.store.createAccount({ address, passwordRecord });
      const location = `/api/glass/accounts/${encodeURIComponent(made.address)}`;
      return json(toAccount(made), 201, { Location: location });
    },
  }),
  route({
    method: 'put',
    path: '/api/glass/accounts/{address}/password',
    group: 'Accounts',
    summary: 'Give an account another password',
    administration: true,
    params: accountPath,
    body: newPassword,
    answers: { 204: { description: 'It counts from now on' }, 403: notPermitted, 404: unknownAccount },
    async handle({ params, body }, parts) {
      const { id } = await accountNamed(parts, params.address);
      await parts.store.setPasswordRecord(id, await parts.passwordRecord(body.password));
      return new Response(null, { status: 204 });
    },
  }),
  route({
    method: 'put',
    path: '/api/glass/accounts/{address}/quota',
    group: 'Accounts',
    summary: 'Limit what an account may hold (RFC 9208)',
    administration: true,
    params: accountPath,
    body: newQuota,
    answers: { 200: { description: 'The account', schema: account }, 403: notPermitted, 404: unknownAccount },
    async handle({ params, body }, parts) {
      const { id } = await accountNamed(parts, params.address);
      await parts.store.setQuota(id, { messages: limitOf(body.messages), octets: limitOf(body.octets) });
      return json(toAccount(await accountNamed(parts, params.address)));
    },
  }),
  route({
    method: 'delete',
    path: '/api/glass/accounts/{address}',
    group: 'Accounts',
    summary: 'Delete an account with all its mail',
    administration: true,
    params: accountPath,
    answers: { 204: { description: 'It is gone' }, 403: notPermitted, 404: unknownAccount },
    async handle({ params }, parts) {
      const { id } = await accountNamed(parts, params.address);
      await deleteAccount(parts, id);
      return new Response(null, { status: 204 });
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/accounts/{address}/import',
    group: 'Accounts',
    summary: 'Put a message into a mailbox as it is, without a delivery',
    administration: true,
    params: accountPath,
    query: importQuery,
    bodyType: 'message/rfc822',
    answers: {
      200: { description: 'A message with this key is there already', schema: duplicate },
      201: { description: 'Where it lies', schema: imported },
      403: notPermitted,
      404: unknownAccount,
      413: { description: 'It is larger than a message may be', schema: problem },
      507: { description: 'The account has no room for it', schema: problem },
    },
    async handle({ params, query, request }, parts) {
      const { id } = await accountNamed(parts, params.address);
      await using spool = parts.store.spool();
      for await (const octets of limitedBody(request, parts.maximumMessageOctets)) await spool.write(octets);
      const content = await spool.finish();
      if (content.size === 0) throw badInput([{ in: 'body', field: '', rule: 'must be a message, not empty' }]);
      const message = {
        content,
        flags: query.flags.split(/[ ,]+/).filter((flag) => flag !== ''),
        internalDate: query.date === undefined ? new Date() : new Date(query.date),
        ...(query.key !== undefined && { importKey: query.key }),
      };
      const { mailbox, uidValidity, uids } = await appendMaking(parts.store, id, query.mailbox, message);
      const uid = uids[0];
      if (uid === undefined) return json({ duplicate: true });
      return json({ uid, mailbox, uidValidity } satisfies Imported, 201);
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/accounts/{address}/mailboxes',
    group: 'Accounts',
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
    method: 'get',
    path: '/api/glass/accounts/{address}/mailboxes/{id}/messages',
    group: 'Accounts',
    summary: 'The messages of a mailbox, also those that clients put there',
    params: mailboxPath,
    query: mailboxMessagesQuery,
    answers: { 200: { description: 'A page of the mailbox', schema: mailboxMessageList }, 404: unknownAccount },
    async handle({ params, query }, parts) {
      const { id } = await accountNamed(parts, params.address);
      const mailbox = await mailboxOf(parts, id, params.id);
      const snapshot = await parts.store.snapshot(id, mailbox.id);
      const rows = await rowsFound(parts, id, snapshot, query.query);
      if (query.order === 'newest') rows.reverse();
      const wanted = rows.slice(query.start, query.start + query.limit);
      const summaries = query.summary ? await summariesOf(parts, id, snapshot, wanted) : new Map<number, Summary>();
      return json({
        mailbox: toMailbox(snapshot.mailbox),
        modSeq: snapshot.modSeq,
        matches: rows.length,
        start: query.start,
        messages: wanted.map((row) => ({
          uid: snapshot.uids[row]!,
          emailId: String(snapshot.emailIds[row]!),
          flags: [...parts.store.flagSet(snapshot.flagSets[row]!)],
          internalDate: new Date(snapshot.internalDates[row]!).toISOString(),
          size: snapshot.sizes[row]!,
          modSeq: snapshot.modSeqs[row]!,
          ...(summaries.get(snapshot.uids[row]!) ?? NO_SUMMARY),
        })),
      } satisfies MailboxMessageList);
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/accounts/{address}/mailboxes/{id}/messages/{uid}/raw',
    group: 'Accounts',
    summary: 'A message of a mailbox, as IMAP and POP3 serve it',
    params: mailboxMessagePath,
    answers: { 200: { description: 'Its octets', type: 'message/rfc822' }, 404: unknownAccount },
    async handle({ params }, parts) {
      const { id } = await accountNamed(parts, params.address);
      const mailbox = await mailboxOf(parts, id, params.id);
      for await (const batch of parts.store.fetchMessages(id, mailbox.id, [params.uid], { content: true })) {
        for (const { content } of batch) if (content) return contentResponse(content, 'message/rfc822');
      }
      throw new HttpProblem(404, `there is no message ${params.uid} in this mailbox`);
    },
  }),
];

/** The address of an account to be. @throws HttpProblem 400 */
export function localAddress(parts: HttpParts, name: string): string {
  const address = loginAddress(name, parts.defaultDomain);
  const split = splitAddress(address);
  const wrong = (rule: string) => badInput([{ in: 'body', field: 'address', rule }]);
  if (!split) throw wrong('must be local-part@domain');
  const domain = normalizeDomain(split.domain);
  if (parts.mode === 'domain' && !parts.domains.some((own) => normalizeDomain(own) === domain)) {
    throw wrong(`must have a domain of this server: ${parts.domains.join(', ')}`);
  }
  return address;
}

async function appendMaking(
  mailStore: store.MailStore,
  id: store.Account['id'],
  mailbox: string,
  message: store.NewMessage,
): Promise<store.Appended> {
  try {
    return await mailStore.appendMessages(id, mailbox, [message]);
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'TRYCREATE')) throw error;
  }
  try {
    await mailStore.createMailbox(id, mailbox);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === 'CANNOT') throw badInput([{ in: 'query', field: 'mailbox', rule: error.message }]);
    // Somebody else was faster.
    if (error.code !== 'ALREADYEXISTS') throw error;
  }
  return mailStore.appendMessages(id, mailbox, [message]);
}

/** The rows of a snapshot that a search finds, ascending; without one, all. */
async function rowsFound(
  parts: HttpParts,
  id: store.Account['id'],
  snapshot: store.MailboxSnapshot,
  text: string | undefined,
): Promise<number[]> {
  const all = Array.from({ length: snapshot.count }, (_, row) => row);
  if (text === undefined || text.trim() === '') return all;
  const { query, read, problems } = parseSearch(text);
  if (problems.length > 0) {
    throw badInput(problems.map(({ term, rule }) => ({ in: 'query', field: 'query', rule: `${term}: ${rule}` })));
  }
  const found = new Set(await parts.store.searchMessages(id, snapshot.mailbox.id, query));
  return all.filter((row) => {
    const isRead = () => parts.store.flagSet(snapshot.flagSets[row]!).includes('\\Seen');
    return found.has(snapshot.uids[row]!) && (read === undefined || isRead() === read);
  });
}

type Summary = Pick<MailboxMessage, 'from' | 'to' | 'subject' | 'date'>;
const NO_SUMMARY: Summary = { from: null, to: [], subject: null, date: null };
/** Headers that are longer are cut: a list shows what is at their start. */
const SUMMARY_OCTETS = 64 * 1024;

async function summariesOf(
  parts: HttpParts,
  id: store.Account['id'],
  snapshot: store.MailboxSnapshot,
  rows: readonly number[],
): Promise<Map<number, Summary>> {
  const summaries = new Map<number, Summary>();
  const uids = rows.map((row) => snapshot.uids[row]!);
  for await (const batch of parts.store.fetchMessages(id, snapshot.mailbox.id, uids, { content: true })) {
    for (const { uid, content } of batch) if (content) summaries.set(uid satisfies Uid, await summaryOf(content));
  }
  return summaries;
}

async function summaryOf(content: store.Content): Promise<Summary> {
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

function limitOf(given: number | 'default' | null | undefined): QuotaLimit | undefined {
  return given === null ? 'none' : given;
}

function toAccount({ address, createdAt, modSeq, quota }: store.Account): Account {
  const { messages, octets, messageLimit = null, octetLimit = null } = quota;
  return { address, createdAt: createdAt.toISOString(), modSeq, quota: { messages, octets, messageLimit, octetLimit } };
}

function toMailbox(mailbox: store.Mailbox): Mailbox {
  const { id, name, uidValidity, uidNext, highestModSeq, subscribed, messages, unseen, octets } = mailbox;
  const specialUse = [...mailbox.specialUse];
  return { id, name, uidValidity, uidNext, highestModSeq, subscribed, specialUse, messages, unseen, octets };
}
