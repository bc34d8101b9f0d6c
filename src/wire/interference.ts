/** Where somebody else may make a connection fail before there is a session: before its first octet, and in TLS. */
import type { Connection } from './connection.ts';
import type { CutManner } from './shaping.ts';

export interface TlsFault {
  /** Milliseconds before the handshake begins. */
  readonly delayMs?: number | undefined;
  /** The certificate that is shown has expired. */
  readonly expired?: boolean | undefined;
  /** `middle`: in the middle of the server's first flight. */
  readonly cut?: { readonly when: 'before' | 'middle' | 'after'; readonly how: CutManner } | undefined;
}

export interface Interference {
  /** Asked once a connection is accepted. Undefined: nothing is to be waited for. */
  opened(connection: Connection): Promise<void> | undefined;
  /**
   * Asked before each handshake, and in it once more when the client names the server (RFC 6066 §3): of what that tells
   * all but the delay counts.
   */
  handshake(connection: Connection, serverName: string | undefined): TlsFault | undefined;
}
