/**
 * The ways of saying no, and each protocol's words for them. The names are the response codes of RFC 9051 §7.1
 * (and RFC 5530), plus DISKFULL, for which IMAP has none, BEYONDQUOTA, an OVERQUOTA that lasts, and two that RFC 5464 §5
 * writes in several words. A refusal is thrown, so that what was begun is rolled back;
 * across threads it travels as a value.
 */
export type RefusalCode =
  | 'ALREADYEXISTS'
  | 'ANNOTATIONTOOBIG'
  | 'AUTHENTICATIONFAILED'
  | 'AUTHORIZATIONFAILED'
  | 'BEYONDQUOTA'
  | 'CANNOT'
  | 'DISKFULL'
  | 'EXPUNGEISSUED'
  | 'HASCHILDREN'
  | 'INUSE'
  | 'LIMIT'
  | 'NONEXISTENT'
  | 'NOPERM'
  | 'OVERQUOTA'
  | 'PRIVACYREQUIRED'
  | 'TOOBIG'
  | 'TOOMANYANNOTATIONS'
  | 'TRYCREATE'
  | 'UNAVAILABLE'
  | 'USEATTR';

/** Why one delivery of a transaction was refused; `delivery` is its place among them. */
export interface RefusedDelivery {
  readonly delivery: number;
  readonly code: RefusalCode;
  readonly message: string;
}

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  /** Of a transaction, if it is for some of its deliveries: the others alone might have been taken. */
  readonly deliveries: readonly RefusedDelivery[] | undefined;

  /** @param message one line for people: what was refused, and what to do about it */
  constructor(code: RefusalCode, message: string, deliveries?: readonly RefusedDelivery[]) {
    super(message);
    this.code = code;
    this.deliveries = deliveries;
  }
}

/** Octets of one annotation's value; RFC 5464 §4.1 wants 1024 at least. */
export const LARGEST_ANNOTATION = 65_536;

interface Words {
  /** The response code of NO (RFC 9051 §7.1); undefined: NO without a code. */
  readonly imap: string | undefined;
  /** Reply code and enhanced status code (RFC 5321 §4.2, RFC 3463). */
  readonly smtp: readonly [code: number, enhanced: string];
  /** The extended response code of -ERR (RFC 2449 §8, RFC 3206). */
  readonly pop3: string | undefined;
  readonly http: number;
}

/** What each protocol says for a refusal. */
export const WORDS: Readonly<Record<RefusalCode, Words>> = {
  ALREADYEXISTS: { imap: 'ALREADYEXISTS', smtp: [550, '5.7.1'], pop3: undefined, http: 409 },
  ANNOTATIONTOOBIG: {
    imap: `METADATA MAXSIZE ${LARGEST_ANNOTATION}`,
    smtp: [552, '5.3.4'],
    pop3: undefined,
    http: 413,
  },
  AUTHENTICATIONFAILED: { imap: 'AUTHENTICATIONFAILED', smtp: [535, '5.7.8'], pop3: 'AUTH', http: 401 },
  AUTHORIZATIONFAILED: { imap: 'AUTHORIZATIONFAILED', smtp: [535, '5.7.8'], pop3: 'AUTH', http: 403 },
  BEYONDQUOTA: { imap: 'OVERQUOTA', smtp: [552, '5.2.2'], pop3: undefined, http: 507 },
  CANNOT: { imap: 'CANNOT', smtp: [550, '5.7.1'], pop3: undefined, http: 422 },
  DISKFULL: { imap: 'UNAVAILABLE', smtp: [452, '4.3.1'], pop3: 'SYS/TEMP', http: 507 },
  EXPUNGEISSUED: { imap: 'EXPUNGEISSUED', smtp: [450, '4.2.0'], pop3: undefined, http: 410 },
  HASCHILDREN: { imap: 'HASCHILDREN', smtp: [550, '5.7.1'], pop3: undefined, http: 409 },
  INUSE: { imap: 'INUSE', smtp: [450, '4.2.1'], pop3: 'IN-USE', http: 409 },
  LIMIT: { imap: 'LIMIT', smtp: [452, '4.5.3'], pop3: 'SYS/TEMP', http: 429 },
  NONEXISTENT: { imap: 'NONEXISTENT', smtp: [550, '5.1.1'], pop3: undefined, http: 404 },
  NOPERM: { imap: 'NOPERM', smtp: [550, '5.7.1'], pop3: undefined, http: 403 },
  OVERQUOTA: { imap: 'OVERQUOTA', smtp: [452, '4.2.2'], pop3: undefined, http: 507 },
  PRIVACYREQUIRED: { imap: 'PRIVACYREQUIRED', smtp: [538, '5.7.11'], pop3: 'AUTH', http: 403 },
  TOOBIG: { imap: 'TOOBIG', smtp: [552, '5.3.4'], pop3: undefined, http: 413 },
  TOOMANYANNOTATIONS: { imap: 'METADATA TOOMANY', smtp: [452, '4.5.3'], pop3: undefined, http: 429 },
  TRYCREATE: { imap: 'TRYCREATE', smtp: [550, '5.1.1'], pop3: undefined, http: 404 },
  UNAVAILABLE: { imap: 'UNAVAILABLE', smtp: [451, '4.3.0'], pop3: 'SYS/TEMP', http: 503 },
  USEATTR: { imap: 'USEATTR', smtp: [550, '5.7.1'], pop3: undefined, http: 422 }, // RFC 6154 §3
};
