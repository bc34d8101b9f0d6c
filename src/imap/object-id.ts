/**
 * OBJECTID: RFC 8474. The store's keys as the object ids that clients see: a letter for the kind, so that no id of one
 * kind is one of another, and the number.
 */
import type { EmailId, MailboxId } from '../store/change.ts';

/** RFC 8474 §4: stays the same when the mailbox is renamed. */
export function mailboxObjectId(mailbox: MailboxId): string {
  return `F${mailbox}`;
}

/** RFC 8474 §5.1: the same for all copies of the same octets. */
export function emailObjectId(email: number): string {
  return `M${email}`;
}

/** Undefined: no email has this id. */
export function parseEmailObjectId(id: string): EmailId | undefined {
  return /^M[1-9][0-9]{0,14}$/.test(id) ? (Number(id.slice(1)) as EmailId) : undefined;
}
