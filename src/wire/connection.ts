/**
 * One peer on one connection, over layers: the network's octets below, what the two ends say above.
 * A protocol pulls lines and octets from it and awaits its writes, so that a slow peer slows its own session alone.
 * It knows no protocol.
 */
import type { Duplex } from 'node:stream';

/** What the TLS layer agreed on, for `Received` fields (RFC 8314 §4.3), logs and pages. */
export interface TlsInfo {
  /** As Node names it: `TLSv1.3`. */
  readonly version: string;
  /** As RFC 8447 registers it: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** The name that the client asked for (RFC 6066 §3), if any. */
  readonly serverName: string | undefined;
  /** Milliseconds from the first octet of the handshake to its end. */
  readonly handshakeMs: number;
}

export interface Endpoint {
  /** An IP literal without brackets; IPv4-mapped addresses are given as IPv4. */
  readonly address: string;
  readonly port: number;
}

/**
 * A remark that a session leaves on its connection, for those who watch: told apart by `type`.
 * It never carries a secret.
 */
export type Annotation =
  | { readonly type: 'login'; readonly login: string; readonly mechanism: string }
  | { readonly type: 'login-failed'; readonly login: string; readonly mechanism: string; readonly reason: string }
  | { readonly type: 'stored'; readonly emailId: string; readonly transactionId: string; readonly octets: number }
  | { readonly type: 'selected'; readonly mailbox: string }
  | { readonly type: 'read'; readonly mailbox: string; readonly uids: string }
  | { readonly type: 'flags'; readonly mailbox: string; readonly uids: string }
  | { readonly type: 'expunged'; readonly mailbox: string; readonly uids: string }
  | { readonly type: 'secret'; readonly direction: 'in' | 'out'; readonly position: number; readonly octets: number }
  | { readonly type: 'limit'; readonly limit: string }
  | { readonly type: 'error'; readonly message: string };

/** A line as it came, without its end. `bare` tells that it ended in LF alone, `overlong` that the rest was discarded. */
export interface Line {
  readonly octets: Uint8Array;
  readonly bare: boolean;
  readonly overlong: boolean;
}

/** The peer is gone, or the connection was ended by us: no error, the session just ends. */
export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed';
}

/** The peer said nothing (or took nothing) for longer than the deadline. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

export interface Connection extends AsyncDisposable {
  /** The conversation's id, unique for the life of the data folder. */
  readonly id: string;
  /** The name of the listener that accepted it: `imap`, `imaps`, `submission`, … */
  readonly service: string;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Undefined until a TLS handshake has ended. */
  readonly tls: TlsInfo | undefined;
  readonly secure: boolean;
  /** Aborted once the peer is gone or the connection ended. */
  readonly signal: AbortSignal;
  /** Aborted when the server stops: an idle session says good-bye at once, a busy one after its command. */
  readonly draining: AbortSignal;

  /**
   * The next line, up to CRLF (or LF alone). A line over `limit` octets is discarded to its end and comes back
   * shortened and `overlong`.
   * @throws ConnectionClosed at the end of the stream, TimedOut after `timeoutMs` (default: the listener's idle time).
   */
  readLine(limit: number, timeoutMs?: number): Promise<Line>;
  /** Exactly `count` octets, in one piece: for small literals. */
  read(count: number): Promise<Uint8Array>;
  /** `count` octets in the pieces in which they come: for literals that go to a spool. */
  readPieces(count: number): AsyncIterable<Uint8Array>;
  /** How many octets can be read without waiting: non-zero after a command means that the client pipelines. */
  readonly buffered: number;
  /** Resolves when `octets` wait, rejects as `readLine` does; takes nothing. For IDLE. */
  waitReadable(signal?: AbortSignal): Promise<void>;
  /**
   * Strings are written as UTF-8. Several writes in one turn of the loop leave as one. Resolves when what waits to be
   * sent is under its limit again; a peer that takes nothing for the listener's idle time is ended.
   */
  write(octets: Uint8Array | string): Promise<void>;
  /** Resolves when all that was written has left. */
  flush(): Promise<void>;
  /**
   * Turns what follows into TLS: after the line that permitted it has been written. Octets that the peer sent before the
   * handshake are dropped, and an annotation says so (RFC 3501 §6.2.1, RFC 2595 §4: nothing sent before is acted on).
   */
  startTls(): Promise<TlsInfo>;
  /** RFC 9266 tls-exporter channel binding, 32 octets; undefined without TLS 1.3. */
  channelBinding(): Uint8Array | undefined;
  annotate(annotation: Annotation): void;
  /** A Node stream over this connection's octets, for libraries that want one. Once taken, the reading methods above are not to be used. */
  duplex(): Duplex;
  /** Ends: sends what waits, then FIN. Idempotent. */
  end(): Promise<void>;
  /** Ends at once, with RST where the system permits it. */
  destroy(): void;
}
