/** POP3: a connection becomes a session. RFC 1939, RFC 2449, RFC 2595, RFC 3206, RFC 5034, RFC 6856. */
import type { Credentials } from '../sasl/mechanism.ts';
import type { FaultRules } from '../faults/rules.ts';
import type { LoginThrottle } from '../sasl/throttle.ts';
import type { MailStore } from '../store/mail-store.ts';
import type { Connection } from '../wire/connection.ts';
import type { MaildropOptions } from './maildrop-view.ts';
import { Session } from './session.ts';

export interface Pop3Options {
  readonly store: MailStore;
  readonly credentials: Credentials;
  /** Of login names without one. */
  readonly defaultDomain: string;
  /** Whether passwords may pass in clear on a connection from this IP address. */
  permitsPlaintextLogin(remoteAddress: string): boolean;
  readonly loginThrottle: LoginThrottle;
  /** In the greeting; without angle brackets. */
  readonly serverName: string;
  readonly version: string;
  /** Milliseconds without a command after which a logged-in session ends; at least 10 minutes (RFC 1939 §3), the default. */
  readonly idleMs?: number;
  /** Default: all messages, and what is deleted is gone. */
  readonly maildrop?: MaildropOptions;
  /** So many seconds have to lie between two logins to one maildrop (RFC 2449 §6.5). Default: none. */
  readonly loginDelaySeconds?: number | undefined;
  /**
   * What EXPIRE announces (RFC 2449 §6.7): for how many days messages are kept at least. Default: NEVER. It deletes
   * nothing: whoever lets old mail be deleted tells clients by it.
   */
  readonly expireDays?: number | undefined;
  /** What is to go wrong on purpose. */
  readonly faults?: FaultRules | undefined;
  /** Failed logins after which a connection ends. Default 5. */
  readonly mostFailedLogins?: number;
  /** Milliseconds, never going back; for tests of the login delay. */
  readonly now?: () => number;
  log(level: 'error' | 'warn' | 'info' | 'debug', message: string, cause?: unknown): void;
}

/** What a connection is told that gets no session. */
export const POP3_REFUSALS = {
  tooManyConnections: '-ERR [SYS/TEMP] Too many connections; try again later\r\n',
  expectsTls: '-ERR This port begins with TLS; choose SSL/TLS in your client, or the port for STLS\r\n',
} as const;

/**
 * Runs the session until it has ended.
 * @throws ConnectionClosed, TimedOut, TlsFailed when the peer is lost, which is no error (RFC 1939 §3: closed without a
 * response); anything else is a fault of ours
 */
export async function servePop3(connection: Connection, options: Pop3Options): Promise<void> {
  await new Session(connection, options).run();
}
