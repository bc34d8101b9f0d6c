/**
 * What to look for, as the store understands it: IMAP's SEARCH keys and the HTTP API's search terms are both translated
 * into this. Strings match as substrings, without regard to case and accents; where `casemap` is set, as i;unicode-casemap
 * compares (RFC 5051), which knows accents.
 */
import type { EmailId, ModSeq, UidRange } from './change.ts';

export type SearchQuery =
  | { readonly type: 'all' }
  | { readonly type: 'and' | 'or'; readonly queries: readonly SearchQuery[] }
  | { readonly type: 'not'; readonly query: SearchQuery }
  | { readonly type: 'uids'; readonly uids: readonly UidRange[] }
  /** A flag or keyword, compared without case. */
  | { readonly type: 'flag'; readonly flag: string }
  /** Octets of trace and message together, strictly more or fewer (RFC 9051 §6.4.4). */
  | { readonly type: 'larger' | 'smaller'; readonly octets: number }
  /**
   * `internalDate` and `savedDate` with time: milliseconds since 1970. `since` includes, `before` excludes. IMAP's dates
   * "disregarding time and timezone" are translated into UTC days by the caller.
   */
  | { readonly type: 'internal-date' | 'saved-date'; readonly since?: number; readonly before?: number }
  /** The day in the Date field, disregarding time and zone, as days since 1970-01-01. `since` includes, `before` excludes. */
  | { readonly type: 'sent-day'; readonly since?: number; readonly before?: number }
  /** A header field contains the text; an empty text: has such a field. */
  | { readonly type: 'header'; readonly name: string; readonly text: string; readonly casemap?: true }
  /** Text parts, decoded; not the header (RFC 9051 §6.4.4 BODY). */
  | { readonly type: 'body'; readonly text: string }
  /** Header or body (TEXT). */
  | { readonly type: 'text'; readonly text: string }
  /** One of From, Sender, Reply-To, To, Cc, Bcc, Return-Path. */
  | { readonly type: 'any-address'; readonly text: string }
  /**
   * An address of the SMTP envelope, whether a field names it or not; mail that came otherwise has none. `within`: of this
   * domain, in lower case, or of one below it.
   */
  | { readonly type: 'recipient'; readonly text: string; readonly within?: string | undefined }
  /** A tag of the transaction, whole, compared without case; undefined: any. `owner`: and nobody else has a copy. */
  | { readonly type: 'tag'; readonly tag: string | undefined; readonly owner?: string | undefined }
  /** File names of parts. */
  | { readonly type: 'attachment-name'; readonly text: string }
  | { readonly type: 'has-attachment' | 'has-inline' }
  | { readonly type: 'mod-seq'; readonly since: ModSeq }
  | { readonly type: 'email'; readonly email: EmailId };
