/**
 * Who gets this message: addresses become accounts, trace fields are written, and the store accepts the whole or nothing.
 * SMTP, LMTP, the queue and HTTP all hand mail in here.
 */
import { addrSpec, normalizeDomain, splitAddress } from '../mail/address.ts';
import type { AccountId } from '../store/change.ts';
import type { Accepted, Account, ForwardPath, MailStore, NewAccount, Origin, Spooled } from '../store/mail-store.ts';
import { isFull, quotaRefusal } from '../store/quota.ts';
import { Refusal } from '../store/refusal.ts';
import type { ScopeRegistry } from './scopes.ts';
import { automaticTags, distinctTags, type Tagging } from './tags.ts';
import { traceFields, type Received } from './trace.ts';

export interface DeliveryOptions {
  readonly store: Pick<MailStore, 'findAccount' | 'accept'>;
  /** `all`: every domain is local, and who has no account gets one with the first message. Otherwise in any case. */
  readonly domains: readonly string[] | 'all';
  /** Of `postmaster` alone. */
  readonly defaultDomain: string;
  /** The password of accounts that are made for recipients; undefined: nobody can log in to them. */
  readonly defaultPasswordRecord?: string;
  /** Test scopes: all mail for the domain of one goes to its account. */
  readonly scopes?: Pick<ScopeRegistry, 'byDomain'>;
  /** Mail for addresses that do not match is refused; undefined: for none. */
  readonly permitted?: RegExp | undefined;
  /** In `Received` fields. */
  readonly serverName: string;
  /** Which tags messages bring along; undefined: none. */
  readonly tagging?: Tagging;
}

/** Somebody who can be delivered to. */
export interface Recipient {
  /** As given. */
  readonly address: string;
  /** The account, or one that is made when the message is committed. */
  readonly account: AccountId | NewAccount;
  /** The test scope that it belongs to. */
  readonly scope?: string | undefined;
}

export interface IncomingMail {
  /** Without brackets; empty: the null reverse-path. */
  readonly reversePath: string;
  readonly returnType?: string | undefined;
  readonly envelopeId?: string | undefined;
  readonly recipients: readonly (Recipient & {
    readonly notify?: string | undefined;
    readonly originalRecipient?: string | undefined;
    /** How often it is stored for this recipient: more than once is a fault on purpose. Default 1. */
    readonly copies?: number | undefined;
  })[];
  readonly content: Spooled;
  readonly receivedAt: Date;
  readonly origin: Origin;
  /** Undefined: it came by no mail protocol, and gets no `Received` field. */
  readonly received: Received | undefined;
  /** Beside those that it brings along. */
  readonly tags?: readonly string[];
}

export interface LocalDelivery {
  /**
   * @param octets how large the message will be, if that is known
   * @throws Refusal NONEXISTENT (nobody of that name), NOPERM (not a domain of ours), OVERQUOTA, BEYONDQUOTA (no room for
   * it; there may be none for it later, for this promises nothing)
   */
  recipient(address: string, octets?: number): Promise<Recipient>;
  /** Resolves once it is durable; each account gets one copy, or none does. @throws Refusal as the store's `accept` */
  deliver(mail: IncomingMail): Promise<Accepted>;
  /** To those who have room for it. @throws Refusal what is wrong for all of them alike */
  deliverToEach(mail: IncomingMail): Promise<Delivered>;
}

export interface Delivered {
  /** Undefined: nobody has room. */
  readonly accepted: Accepted | undefined;
  readonly refused: ReadonlyMap<Recipient, Refusal>;
}

export function createDelivery(options: DeliveryOptions): LocalDelivery {
  const { store, domains, defaultDomain } = options;
  const local = domains === 'all' ? undefined : new Set(domains.map(normalizeDomain));

  async function recipient(given: string, octets?: number): Promise<Recipient> {
    if (options.permitted?.test(given) === false) throw new Refusal('NOPERM', `Mail for ${given} is not taken here`);
    const { localPart, domain } = partsOf(given, defaultDomain);
    const scope = options.scopes?.byDomain(domain);
    if (scope) {
      refuseFull(given, (await store.findAccount(scope.account))?.quota, octets);
      return { address: given, account: scope.account, scope: scope.id };
    }
    if (local && !local.has(domain))
      throw new Refusal('NOPERM', `${domain} is not a domain of this server, which does not relay`);
    const address = addrSpec({ localPart, domain });
    const account = (await store.findAccount(address)) ?? (await findWithoutTag(localPart, domain));
    refuseFull(given, account?.quota, octets);
    return { address: given, account: account?.id ?? newAccount(localPart, address) };
  }

  /** `user+tag@` goes to `user@` where that account exists. */
  async function findWithoutTag(localPart: string, domain: string) {
    const plus = localPart.indexOf('+');
    return plus > 0 ? store.findAccount(addrSpec({ localPart: localPart.slice(0, plus), domain })) : undefined;
  }

  function newAccount(localPart: string, address: string): NewAccount {
    if (!local) return { address, passwordRecord: options.defaultPasswordRecord };
    // RFC 5321 §4.5.1: mail for the postmaster is accepted, always; nobody can log in until a password is set.
    if (localPart === 'postmaster') return { address, passwordRecord: undefined };
    throw new Refusal('NONEXISTENT', `There is no account ${address}`);
  }

  async function deliver(mail: IncomingMail): Promise<Accepted> {
    return accept(mail, distinct(mail.recipients));
  }

  async function deliverToEach(mail: IncomingMail): Promise<Delivered> {
    const refused = new Map<Recipient, Refusal>();
    let { recipients } = mail;
    // Each round leaves somebody out.
    while (recipients.length > 0) {
      const accounts = distinct(recipients);
      try {
        return { accepted: await accept({ ...mail, recipients }, accounts), refused };
      } catch (error) {
        if (!(error instanceof Refusal) || error.deliveries === undefined) throw error;
        const reasons = new Map(
          error.deliveries.map(({ delivery, code, message }) => [
            keyOf(accounts[delivery]!),
            new Refusal(code, message),
          ]),
        );
        recipients = recipients.filter((each) => {
          const reason = reasons.get(keyOf(each.account));
          if (reason) refused.set(each, reason);
          return reason === undefined;
        });
      }
    }
    return { accepted: undefined, refused };
  }

  async function accept(mail: IncomingMail, accounts: readonly (AccountId | NewAccount)[]): Promise<Accepted> {
    const { reversePath, returnType, envelopeId, recipients, content, receivedAt, origin, received } = mail;
    const forwardPaths = recipients.map(forwardPath);
    const { helo, remoteAddress, login } = origin;
    const { serverName, tagging } = options;
    const automatic = tagging ? await automaticTags(mail, tagging) : [];
    const tags = distinctTags([...(mail.tags ?? []), ...automatic]);
    return store.accept({
      reversePath,
      ...(returnType === undefined ? {} : { returnType }),
      ...(envelopeId === undefined ? {} : { envelopeId }),
      forwardPaths,
      deliveries: accounts.map((account) => ({ account, mailbox: 'INBOX' })),
      trace: traceFields({
        reversePath,
        forwardPaths,
        receivedAt,
        helo,
        remoteAddress,
        login,
        serverName,
        received,
      }),
      content,
      receivedAt,
      origin,
      ...(tags.length === 0 ? {} : { tags }),
    });
  }

  return { recipient, deliver, deliverToEach };
}

/** All in lower case, the domain in its ASCII form: accounts are compared without case. */
function partsOf(address: string, defaultDomain: string): { localPart: string; domain: string } {
  const parts = splitAddress(address) ?? { localPart: address, domain: defaultDomain };
  return { localPart: parts.localPart.toLowerCase(), domain: normalizeDomain(parts.domain) };
}

/** @throws Refusal OVERQUOTA, BEYONDQUOTA */
function refuseFull(address: string, quota: Account['quota'] | undefined, octets: number | undefined): void {
  // A message of an unknown size is as small as can be.
  if (!quota || (octets === undefined && !isFull(quota))) return;
  const refusal = quotaRefusal(address, quota, 1, octets ?? 1);
  if (refusal) throw refusal;
}

/** Each account once, however many addresses led to it; or so often as a fault wants it. */
function distinct(recipients: IncomingMail['recipients']): (AccountId | NewAccount)[] {
  if (recipients.length === 1 && recipients[0]!.copies === undefined) return [recipients[0]!.account];
  const accounts = new Map<number | string, { readonly account: AccountId | NewAccount; readonly copies: number }>();
  for (const { account, copies = 1 } of recipients) {
    const key = keyOf(account);
    accounts.set(key, { account, copies: Math.max(copies, accounts.get(key)?.copies ?? 1) });
  }
  return [...accounts.values()].flatMap(({ account, copies }) => Array.from({ length: copies }, () => account));
}

const keyOf = (account: AccountId | NewAccount): number | string =>
  typeof account === 'number' ? account : account.address;

function forwardPath({ address, notify, originalRecipient }: IncomingMail['recipients'][number]): ForwardPath {
  return {
    address,
    ...(notify === undefined ? {} : { notify }),
    ...(originalRecipient === undefined ? {} : { originalRecipient }),
  };
}
