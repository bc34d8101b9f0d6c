/**
 * Quota roots: RFC 9208 §3.2. All mailboxes of an account share one, and its name is the account's address: so it is
 * another one for each owner, and whoever may see mailboxes of several can tell whose room is meant. An account without
 * limits has none, for a QUOTA response without a resource cannot be said (§7, quota-list).
 */
import type { Account } from '../store/mail-store.ts';
import { STORAGE_UNIT } from '../store/quota.ts';
import { Refusal } from '../store/refusal.ts';
import type { Context } from './command.ts';
import type { QuotaResource, Response } from './grammar/syntax.ts';

type LoggedIn = Pick<Context<'authenticated' | 'selected'>, 'state' | 'store'>;

/**
 * The account whose root this is: one's own. That of another one is answered as one that does not exist, for what others
 * use is confidential (RFC 9208 §8).
 * @throws Refusal NONEXISTENT
 */
export async function accountOfRoot({ state, store }: LoggedIn, root: string): Promise<Account> {
  const account = await store.findAccount(state.account);
  if (account === undefined || loginForm(account.address) !== loginForm(root)) {
    throw new Refusal('NONEXISTENT', `There is no quota root "${root}": GETQUOTAROOT INBOX tells yours`);
  }
  return account;
}

/**
 * RFC 9208 §4.2.1: what is not limited is not named. STORAGE comes first: some clients look no further.
 * @returns none, or the one of the account's root
 */
export function quotaResponses({ address, quota }: Account): readonly Response[] {
  const { messages, octets, messageLimit, octetLimit } = quota;
  const resources: QuotaResource[] = [];
  if (octetLimit !== undefined) {
    resources.push({ name: 'STORAGE', usage: Math.ceil(octets / STORAGE_UNIT), limit: octetLimit / STORAGE_UNIT });
  }
  if (messageLimit !== undefined) resources.push({ name: 'MESSAGE', usage: messages, limit: messageLimit });
  return resources.length === 0 ? [] : [{ type: 'quota', root: address, resources }];
}

/** As login names are compared. */
const loginForm = (address: string): string => address.normalize('NFC').toLowerCase();
