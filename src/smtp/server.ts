/** SMTP receiving (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033): a connection becomes a conversation. */
import type { LocalDelivery } from '../delivery/deliver.ts';
import type { Chaos } from '../faults/chaos.ts';
import type { FaultRules } from '../faults/rules.ts';
import type { Credentials } from '../sasl/mechanism.ts';
import type { LoginThrottle } from '../sasl/throttle.ts';
import type { MailStore } from '../store/mail-store.ts';
import type { Connection } from '../wire/connection.ts';
import { DialogueServer } from './dialogue.ts';

export { SMTP_REFUSALS } from './replies.ts';

export interface SmtpOptions {
  readonly service: 'smtp' | 'submission' | 'submissions' | 'lmtp';
  readonly store: Pick<MailStore, 'spool'>;
  readonly delivery: LocalDelivery;
  readonly credentials: Credentials;
  /** `any`: every name and password is accepted. `required`: nothing is taken without a login. */
  readonly auth: 'any' | 'none' | 'required';
  /** Whether STARTTLS is offered. */
  readonly starttls: boolean;
  /** Whether a password may come in clear from this IP address. */
  permitsPlaintextLogin(remoteAddress: string): boolean;
  /** Whether who has logged in may use only its own address as the sender (RFC 6409 §6.1). */
  readonly enforceSender?: boolean;
  readonly maximumMessageOctets: number;
  readonly maximumRecipients: number;
  readonly serverName: string;
  /** The domain of login names without one. */
  readonly defaultDomain: string;
  readonly loginThrottle: LoginThrottle;
  /** What is to go wrong on purpose. */
  readonly faults?: FaultRules | undefined;
  /** Milliseconds before the greeting in which who speaks is sent away; 0, the default: the greeting comes at once. */
  readonly earlyTalkerMs?: number;
  /** Refusals by chance of MAIL, RCPT and AUTH; undefined: none. */
  readonly chaos?: Chaos | undefined;
  /** Milliseconds of silence after which the connection ends. Default 5 minutes (RFC 5321 §4.5.3.2.7). */
  readonly idleMs?: number;
  log(level: 'error' | 'warn' | 'info' | 'debug', message: string, cause?: unknown): void;
}

export interface SmtpListener {
  /** Resolves when the conversation is over; the connection is then to be ended. */
  serve(connection: Connection): Promise<void>;
}

export function smtpServer(options: SmtpOptions): SmtpListener {
  const server = new DialogueServer(options);
  return { serve: (connection) => server.converse(connection) };
}
