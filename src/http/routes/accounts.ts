/** Accounts, and mail brought into them from elsewhere. */
import { normalizeDomain, splitAddress } from '../../mail/address.ts';
import { loginAddress } from '../../sasl/login-name.ts';
import type * as store from '../../store/mail-store.ts';
import type { QuotaLimit } from '../../store/quota.ts';
import { Refusal } from '../../store/refusal.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem, badInput } from '../problem.ts';
import { json, limitedBody, route } from '../route.ts';
import {
  type Account,
  type AccountList,
  type Imported,
  account,
  accountList,
  accountPath,
  duplicate,
  importQuery,
  imported,
  newAccount,
  newPassword,
  newQuota,
} from '../schemas/accounts.ts';
import { problem } from '../schemas/common.ts';

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

function limitOf(given: number | 'default' | null | undefined): QuotaLimit | undefined {
  return given === null ? 'none' : given;
}

function toAccount({ address, createdAt, modSeq, quota }: store.Account): Account {
  const { messages, octets, messageLimit = null, octetLimit = null } = quota;
  return { address, createdAt: createdAt.toISOString(), modSeq, quota: { messages, octets, messageLimit, octetLimit } };
}
