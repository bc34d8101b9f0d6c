/**
 * What is said to an SMTP client: reply codes of RFC 5321 §4.2.3, enhanced status codes of RFC 3463 and RFC 5248.
 * RFC 2034 §4 wants the latter on every 2xx, 4xx and 5xx reply but the greeting and the answers to HELO and EHLO.
 */
import type { Connection } from '../wire/connection.ts';
import type { Chaos, ChaosPoint } from '../faults/chaos.ts';
import { Refusal, WORDS } from '../store/refusal.ts';
import { BadSyntax } from './grammar/bad-syntax.ts';

export interface Reply {
  readonly code: number;
  /** RFC 3463; undefined where RFC 2034 has none. */
  readonly status?: string;
  /** Several lines make a multi-line reply. */
  readonly text: string | readonly string[];
}

export function reply(code: number, status: string, text: string): Reply {
  return { code, status, text };
}

export const SENDER_OK = reply(250, '2.1.0', 'Sender ok');
export const RECIPIENT_OK = reply(250, '2.1.5', 'Recipient ok');
export const GO_AHEAD: Reply = { code: 354, text: 'End data with <CR><LF>.<CR><LF>' };
export const FLUSHED = reply(250, '2.0.0', 'Flushed');
export const READY_FOR_TLS = reply(220, '2.0.0', 'Ready to start TLS');
export const LOGGED_IN = reply(235, '2.7.0', 'Authentication successful');
export const WILL_ACCEPT = reply(252, '2.1.5', 'Cannot VRFY user, but will accept message and attempt delivery');
export const HELP = reply(
  214,
  '2.0.0',
  'EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP AUTH STARTTLS; see RFC 5321',
);
export const NOT_IMPLEMENTED = reply(502, '5.5.1', 'Command not implemented');
export const SHUTTING_DOWN = reply(421, '4.3.2', 'Service shutting down');
export const IDLE_TOO_LONG = reply(421, '4.4.2', 'Nothing was said for too long, closing connection');
export const TOO_MANY_ERRORS = reply(421, '4.7.0', 'Too many errors, closing connection');
export const TOO_MANY_COMMANDS = reply(421, '4.7.0', 'Too many commands without a message, closing connection');
export const TOO_MANY_LOGINS = reply(421, '4.7.0', 'Too many failed logins, closing connection');
export const OUR_FAULT = reply(451, '4.3.0', 'Local error in processing');

/** @param forTests nodemailer looks for an id in brackets at the end, others take the last word for the id */
export function queued(transactionId: string, forTests: boolean): Reply {
  const suffix = forTests ? ` [STATUS=new MSGID=${transactionId}]` : '';
  return reply(250, '2.0.0', `Ok: queued as ${transactionId}${suffix}`);
}

export function tooLarge(maximumOctets: number): Reply {
  const [code, status] = WORDS.TOOBIG.smtp;
  return reply(code, status, `The message is larger than ${maximumOctets} octets`);
}

/** A refusal by chance, in the words of Mailpit, which has no enhanced status code there. Undefined: go on. */
export function struck({ options, connection }: Struck, point: ChaosPoint): Reply | undefined {
  const code = options.chaos?.strike(point);
  if (code === undefined) return undefined;
  connection.annotate({ type: 'fault', rule: 'chaos', effect: 'refuse', at: point });
  return { code, text: `Chaos ${point} error` };
}

interface Struck {
  readonly options: { readonly chaos?: Chaos | undefined };
  readonly connection: Pick<Connection, 'annotate'>;
}

/** What is said for what was thrown; undefined: it is a fault of ours, to be logged. */
export function replyFor(error: unknown): Reply | undefined {
  if (error instanceof BadSyntax) return reply(error.code, error.status, error.message);
  if (!(error instanceof Refusal)) return undefined;
  const [code, status] = WORDS[error.code].smtp;
  return reply(code, status, error.message);
}

/** What listeners say before there is a session. */
export const SMTP_REFUSALS = {
  tooManyConnections: '421 4.7.0 Too many connections, try again later\r\n',
  expectsTls: '554 5.7.0 This port begins with TLS; choose SSL/TLS in the client, or the port with STARTTLS\r\n',
} as const;
