/** A connection becomes a session; and what those are told who do not get that far. */
import type { Credentials } from '../sasl/mechanism.ts';
import type { FaultRules } from '../faults/rules.ts';
import type { LoginThrottle } from '../sasl/throttle.ts';
import type { Notifier } from '../notifier/notifier.ts';
import type { SharedMailStore } from '../store/mail-store.ts';
import type { Connection } from '../wire/connection.ts';
import type { MessageLimit } from './message-limit.ts';
import { Session } from './session.ts';

export interface ImapOptions {
  readonly store: SharedMailStore;
  readonly notifier: Notifier;
  readonly credentials: Credentials;
  /** What a login without a domain means. */
  readonly defaultDomain: string;
  /** Whether passwords may come in clear, without TLS, from this address. */
  permitsPlaintextLogin(remoteAddress: string): boolean;
  /** Larger ones are refused with TOOBIG. */
  readonly maximumMessageOctets: number;
  readonly loginThrottle: LoginThrottle;
  /** This host's name, for the greeting. */
  readonly serverName: string;
  /** For ID. */
  readonly version: string;
  /** False: STARTTLS is not announced, for there is no certificate. Default true. */
  readonly canStartTls?: boolean;
  /** False: UNAUTHENTICATE is not offered (RFC 8437 §8 wants that choice). Default true. */
  readonly unauthenticate?: boolean;
  /** Undefined: commands may be about any number of messages. */
  readonly messageLimit?: MessageLimit | undefined;
  /** A URI, the value of the server's annotation `/shared/admin` (RFC 5464 §3.2.1.1). */
  readonly adminContact?: string;
  /** Whether users may set what the server's annotations tell all (RFC 5464 §3.3). Default: they may. */
  readonly serverAnnotations?: 'writable' | 'read-only';
  /** True: whoever logs in may set the own account's quota (RFC 9208 §4.1.3). Default false. */
  readonly setQuota?: boolean;
  /** What is to go wrong on purpose. */
  readonly faults?: FaultRules | undefined;
  /** Default 30 minutes (RFC 9051 §5.4 permits no less). */
  readonly idleMs?: number;
  /** Default 2 minutes. */
  readonly idleBeforeLoginMs?: number;
  /** How often somebody who waits for a long command hears of it (RFC 9585). Default 10 seconds. */
  readonly progressMs?: number;
  /** Default 5; then BYE. */
  readonly mostFailedLogins?: number;
  log(level: 'info' | 'warn' | 'error', message: string, cause?: unknown): void;
}

/** Resolves when the session has ended; never rejects for what a client does. */
export function serveImap(connection: Connection, options: ImapOptions): Promise<void> {
  return new Session(connection, options).run();
}

/** For the listener: whole answers to those who come at the wrong time or the wrong way. */
export const IMAP_REFUSALS = {
  tooManyConnections: '* BYE [UNAVAILABLE] There are too many connections from this address\r\n',
  shuttingDown: '* BYE [UNAVAILABLE] The server is shutting down\r\n',
  expectsTls:
    '* BYE This port begins with TLS: choose "SSL/TLS" as the connection security, or another port for "STARTTLS"\r\n',
} as const;
