/** What one connection has said so far, for the commands that ask for it: RFC 5321 §3 and §4.1.4. */
import type { Recipient } from '../delivery/deliver.ts';
import type { Plan, SessionFaults } from '../faults/session-faults.ts';
import type { Connection } from '../wire/connection.ts';
import type { MailParameters, RcptParameters } from './grammar/parameters.ts';
import type { IncomingMessage } from './incoming-message.ts';
import type { Reply } from './replies.ts';
import type { SmtpOptions } from './server.ts';

export interface Greeted {
  /** The argument of EHLO, HELO or LHLO, as given. */
  readonly name: string;
  readonly command: 'EHLO' | 'HELO' | 'LHLO';
}

/** From MAIL to the end of the message: RFC 5321 §3.3. */
export interface MailTransaction {
  readonly reversePath: string;
  readonly parameters: MailParameters;
  /** The number of the newest event of the conversation when it began. */
  readonly seq: number;
  /** By their addresses in lower case: who is named twice gets one copy. */
  readonly recipients: Map<string, Recipient & RcptParameters>;
  /** The address of every RCPT that was accepted, in their order, repetitions too: LMTP replies to each (RFC 2033 §4.2). */
  readonly accepted: string[];
  /** LMTP: replies to those, by their addresses in lower case, who were refused the message that others got. */
  readonly refused: Map<string, Reply>;
  /** From DATA or the first BDAT on. */
  message: IncomingMessage | undefined;
}

export interface SmtpSession {
  readonly options: SmtpOptions;
  readonly connection: Connection;
  greeted: Greeted | undefined;
  /** The login that succeeded: the account's address, or with `auth: 'any'` what the client gave. */
  login: string | undefined;
  failedLogins: number;
  /** How many messages were begun. */
  messages: number;
  transaction: MailTransaction | undefined;
  readonly faults: SessionFaults | undefined;
  /** Extensions that were left out of the last EHLO; in capitals. */
  hidden: readonly string[];
  /** What is to go wrong when the answer to the present command has been given. */
  due: Plan | undefined;
}

export function startSession(options: SmtpOptions, connection: Connection): SmtpSession {
  return {
    options,
    connection,
    greeted: undefined,
    login: undefined,
    failedLogins: 0,
    messages: 0,
    transaction: undefined,
    faults: options.faults?.of(connection),
    hidden: [],
    due: undefined,
  };
}

/** RFC 5321 §4.1.1.5: what was gathered is thrown away, chunks of a message too (RFC 3030 §2). */
export function endTransaction(session: SmtpSession): void {
  session.transaction?.message?.abort();
  session.transaction = undefined;
}

/** RFC 3207 §4.2: what was learnt before TLS is forgotten. */
export function forget(session: SmtpSession): void {
  endTransaction(session);
  session.greeted = undefined;
  session.login = undefined;
}
