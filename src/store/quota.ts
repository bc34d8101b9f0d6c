/**
 * What an account may hold: RFC 9208 §5.1 STORAGE and §5.2 MESSAGE, over all of its mailboxes together. A message counts
 * once for each mailbox that it lies in, with its trace: that is what its owner sees, and what EXPUNGE gives back.
 */
import { Refusal, type RefusedDelivery } from './refusal.ts';

export interface Quota {
  readonly messages: number;
  readonly octets: number;
  /** Undefined: there is no limit. */
  readonly messageLimit: number | undefined;
  /** A multiple of 1024, the unit of STORAGE. */
  readonly octetLimit: number | undefined;
}

/** `default`: what the server gives to every account. */
export type QuotaLimit = number | 'none' | 'default';

/** What is left out stays as it is. Octets are rounded up to a multiple of 1024, as RFC 9208 §3.2 permits. */
export interface QuotaLimits {
  readonly messages?: QuotaLimit | undefined;
  readonly octets?: QuotaLimit | undefined;
}

/** The limits that an account has of which nothing else was said; undefined: none. */
export interface DefaultQuota {
  readonly messages: number | undefined;
  readonly octets: number | undefined;
}

export const UNLIMITED: DefaultQuota = { messages: undefined, octets: undefined };

/** The unit of STORAGE (RFC 9208 §5.1), in octets. */
export const STORAGE_UNIT = 1024;

export const wholeUnits = (octets: number): number => Math.ceil(octets / STORAGE_UNIT) * STORAGE_UNIT;

/** Not even the smallest message would be taken. */
export function isFull({ messages, octets, messageLimit, octetLimit }: Quota): boolean {
  return (messageLimit !== undefined && messages >= messageLimit) || (octetLimit !== undefined && octets >= octetLimit);
}

/**
 * Whether so much more finds room; what is not used further is not looked at, even if too much of it is used already
 * (RFC 8508 §3.4: a replacement that is no larger is always taken). Figures are for the owner alone (RFC 9208 §8): the words hold none.
 * @returns undefined: they do; OVERQUOTA: not now; BEYONDQUOTA: not even if the mailboxes were empty
 */
export function quotaRefusal(address: string, quota: Quota, messages: number, octets: number): Refusal | undefined {
  const { messageLimit = Infinity, octetLimit = Infinity } = quota;
  if (messages > messageLimit || octets > octetLimit) {
    return new Refusal('BEYONDQUOTA', `This is more than the mailboxes of ${address} may hold`);
  }
  const isTooMany = messages > 0 && quota.messages + messages > messageLimit;
  if (isTooMany || (octets > 0 && quota.octets + octets > octetLimit)) {
    return new Refusal('OVERQUOTA', `The mailboxes of ${address} have no room for this: their quota is reached`);
  }
  return undefined;
}

/** One refusal for a transaction that is refused for some of its deliveries: if waiting helps none, then not that one. */
export function refusalOfDeliveries(refused: readonly RefusedDelivery[]): Refusal {
  const { code, message } = refused.find((each) => each.code === 'BEYONDQUOTA') ?? refused[0]!;
  return new Refusal(code, message, refused);
}
