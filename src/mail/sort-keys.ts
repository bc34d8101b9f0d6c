/** By what SORT and THREAD order a message: RFC 5256 §2.2, §3, RFC 5957 §3. Texts come as collation keys. */
import type { AddressItem } from './address.ts';
import { baseSubject } from './base-subject.ts';
import { casemapKey } from './collation.ts';
import { parseDate, parseSentDay } from './date.ts';
import { parseEnvelope } from './envelope.ts';
import { allFields, type Header } from './headers.ts';
import { messageIds, referencesOf } from './message-ids.ts';

export interface SortKeys {
  /** Milliseconds since 1970; undefined: no date, and the internal date counts (RFC 5256 §2.2). */
  readonly sentAt: number | undefined;
  /** '' if there is none; so for the other texts. */
  readonly subject: string;
  /** The subject says that it is a reply or was forwarded. */
  readonly isReply: boolean;
  /** The addr-mailbox of the first address, as ENVELOPE has it. */
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  /** What is shown of the first address. */
  readonly displayFrom: string;
  readonly displayTo: string;
  /** Normalised, without angle brackets. */
  readonly messageId: string | undefined;
  /** From the thread's first message to the nearest. */
  readonly references: readonly string[];
}

/** Characters of a text beyond these order nothing: a bound on what is kept. */
const MOST_CHARACTERS = 1000;

export function sortKeys(octets: Uint8Array, header: Header): SortKeys {
  const { date, subject, from, to, cc, inReplyTo, messageId } = parseEnvelope(octets, header);
  const { text, isReply } = baseSubject(subject ?? '');
  return {
    sentAt: date === undefined ? undefined : sentAt(date),
    subject: key(text),
    isReply,
    from: key(mailboxOf(from[0])),
    to: key(mailboxOf(to[0])),
    cc: key(mailboxOf(cc[0])),
    displayFrom: key(displayed(from[0])),
    displayTo: key(displayed(to[0])),
    messageId: messageIds(messageId ?? '')[0],
    references: referencesOf(allFields(octets, header, 'References').join(' '), inReplyTo),
  };
}

/** RFC 5256 §2.2: a time that is wrong counts as midnight, in UTC. */
export function sentAt(date: string): number | undefined {
  const moment = parseDate(date)?.getTime();
  if (moment !== undefined) return moment;
  const day = parseSentDay(date);
  if (day === undefined) return undefined;
  const midnight = new Date(0);
  midnight.setUTCFullYear(day.year, day.month - 1, day.day);
  return midnight.getTime();
}

function key(text: string): string {
  return casemapKey(text.slice(0, MOST_CHARACTERS)).slice(0, 2 * MOST_CHARACTERS);
}

/** In ENVELOPE a group's name stands where the mailbox does (RFC 9051 §7.5.2). */
function mailboxOf(item: AddressItem | undefined): string {
  if (item === undefined) return '';
  return item.type === 'group' ? item.name : item.localPart;
}

/** RFC 5957 §3 */
function displayed(item: AddressItem | undefined): string {
  if (item?.type !== 'mailbox') return mailboxOf(item);
  if (item.name !== undefined && item.name !== '') return item.name;
  return item.domain === '' ? item.localPart : `${item.localPart}@${item.domain}`;
}
