/** POP3 responses as values: RFC 1939 §3; response codes: RFC 2449 §8, RFC 3206. `writer.ts` prints them. */

export type ResponseCode = 'IN-USE' | 'LOGIN-DELAY' | 'AUTH' | 'SYS/TEMP' | 'SYS/PERM';

export interface Response {
  readonly status: '+OK' | '-ERR';
  /** Those of a fault on purpose may be any. */
  readonly code?: ResponseCode | (string & {});
  /** Without CR and LF. */
  readonly text: string;
  /** Makes it a multi-line response: lines of ASCII without their ends. */
  readonly lines?: Iterable<string>;
  /** Makes it a multi-line response: the octets of a message, however their lines end. */
  readonly content?: AsyncIterable<Uint8Array>;
  /** What the session does once it is written. */
  readonly then?: 'close' | 'start-tls';
}

export function ok(text: string, more: Pick<Response, 'lines' | 'content' | 'then'> = {}): Response {
  return { status: '+OK', text, ...more };
}

export function err(text: string, code?: Response['code']): Response {
  return { status: '-ERR', text, ...(code !== undefined && { code }) };
}
