/** The columns of `account` that quotas lie in: RFC 9208. */
import { wholeUnits, type DefaultQuota, type Quota, type QuotaLimit } from '../quota.ts';

export interface QuotaRow {
  used_messages: number;
  used_octets: number;
  most_messages: number | null;
  most_octets: number | null;
}

const NO_LIMIT = -1;

export function toQuota(row: QuotaRow, defaults: DefaultQuota): Quota {
  return {
    messages: row.used_messages,
    octets: row.used_octets,
    messageLimit: limitOf(row.most_messages, defaults.messages),
    octetLimit: limitOf(row.most_octets, defaults.octets),
  };
}

function limitOf(kept: number | null, fallback: number | undefined): number | undefined {
  if (kept === null) return fallback;
  return kept === NO_LIMIT ? undefined : kept;
}

export function keptLimit(limit: QuotaLimit): number | null {
  if (limit === 'default') return null;
  return limit === 'none' ? NO_LIMIT : limit;
}

export function inWholeUnits(octets: QuotaLimit): QuotaLimit {
  return typeof octets === 'number' ? wholeUnits(octets) : octets;
}
