/** Rows of `sort_key`: what orders an email in SORT and THREAD, computed from its octets and kept. */
import { hash } from 'node:crypto';
import { parseHeader } from '../../mail/headers.ts';
import { sortKeys } from '../../mail/sort-keys.ts';
import type { Database } from './database.ts';

export interface SortKeyRow {
  /** Seconds since 1970. */
  readonly sentAt: number | null;
  readonly baseSubject: string;
  readonly isReply: boolean;
  readonly fromMailbox: string;
  readonly toMailbox: string;
  readonly ccMailbox: string;
  readonly fromDisplay: string;
  readonly toDisplay: string;
  readonly messageId: number;
  /** Doubles, least octet first. */
  readonly referenceIds: Uint8Array | null;
}

export function sortKeyRow(octets: Uint8Array): SortKeyRow {
  const keys = sortKeys(octets, parseHeader(octets));
  return {
    sentAt: keys.sentAt === undefined ? null : Math.floor(keys.sentAt / 1000),
    baseSubject: keys.subject,
    isReply: keys.isReply,
    fromMailbox: keys.from,
    toMailbox: keys.to,
    ccMailbox: keys.cc,
    fromDisplay: keys.displayFrom,
    toDisplay: keys.displayTo,
    messageId: keys.messageId === undefined ? 0 : idNumber(keys.messageId),
    referenceIds: keys.references.length === 0 ? null : encodeNumbers(keys.references.map(idNumber)),
  };
}

/**
 * A number for a message id, so that threads are made without texts. Of a million ids no two have the same with a
 * probability of 1 - 10^-4, and nobody can choose one that has a given number: that takes 2^53 trials.
 */
function idNumber(id: string): number {
  const digest = hash('sha256', id, 'buffer');
  return digest.readUIntBE(0, 6) * 32 + (digest[6]! >> 3) || 1;
}

function encodeNumbers(numbers: readonly number[]): Uint8Array {
  const octets = new Uint8Array(8 * numbers.length);
  const view = new DataView(octets.buffer);
  numbers.forEach((number, i) => {
    view.setFloat64(8 * i, number, true);
  });
  return octets;
}

export function decodeNumbers(octets: Uint8Array): Float64Array {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return Float64Array.from({ length: octets.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
}

export class SortKeyWrites {
  readonly #insert;

  constructor(db: Database) {
    // The email may have gone meanwhile.
    this.#insert = db.prepare<[number, number | null, string, number, ...string[], number, Uint8Array | null, number]>(
      `INSERT OR REPLACE INTO sort_key (email_id, sent_at, base_subject, is_reply, from_mailbox, to_mailbox, cc_mailbox,
         from_display, to_display, message_id, reference_ids)
       SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM email WHERE id = ?)`,
    );
  }

  keep(emailId: number, row: SortKeyRow): void {
    this.#insert.run(
      emailId,
      row.sentAt,
      row.baseSubject,
      row.isReply ? 1 : 0,
      row.fromMailbox,
      row.toMailbox,
      row.ccMailbox,
      row.fromDisplay,
      row.toDisplay,
      row.messageId,
      row.referenceIds,
      emailId,
    );
  }
}
