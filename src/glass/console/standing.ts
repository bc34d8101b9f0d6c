/**
 * Where a conversation stands: in which state its session is, and what the server waits for. It is told from the dialogue
 * alone, as a client has to tell it: RFC 5321 §4.1.4, RFC 9051 §3, RFC 1939 §3.
 */
import type { Spoken } from '../reading.ts';
import { imapStanding } from './imap-standing.ts';
import { pop3Standing } from './pop3-standing.ts';
import { smtpStanding } from './smtp-standing.ts';

export type ConsoleProtocol = 'smtp' | 'imap' | 'pop3';

export type StateName =
  /** RFC 9051 §3. */
  | 'not-authenticated'
  | 'authenticated'
  | 'selected'
  /** RFC 1939 §3. */
  | 'authorization'
  | 'transaction'
  /** SMTP: before EHLO, after it, after MAIL, after RCPT. */
  | 'connected'
  | 'greeted'
  | 'mail'
  | 'rcpt'
  /** The server has said good-bye. */
  | 'over';

/** What the server takes next. */
export type Expected =
  | { readonly type: 'greeting' }
  | { readonly type: 'command' }
  /** It is its turn. */
  | { readonly type: 'reply' }
  /** A message, up to a line with a full stop alone (RFC 5321 §4.1.1.4). */
  | { readonly type: 'message' }
  /** So many octets: a literal (RFC 9051 §4.3), or a chunk (RFC 3030 §2). */
  | { readonly type: 'octets'; readonly octets: number }
  /** An answer in base64. `prompt` is what the server asked, decoded where it is text. */
  | { readonly type: 'sasl'; readonly mechanism: string; readonly prompt: string }
  /** RFC 9051 §6.3.13: nothing but DONE. */
  | { readonly type: 'idle' }
  /** The server has permitted TLS: a handshake, and nothing else. */
  | { readonly type: 'handshake' }
  | { readonly type: 'nothing' };

export interface Standing {
  readonly protocol: ConsoleProtocol;
  readonly state: StateName;
  readonly expects: Expected;
  readonly secure: boolean;
  /** What the server announced last, in capitals; undefined: it has not been asked in this state of the connection. */
  readonly announced: readonly string[] | undefined;
  /** IMAP: tags used so far. */
  readonly tags: readonly string[];
  readonly mailbox: string | undefined;
}

/** A handshake that has ended: whatever has a higher number than the event was said under TLS. */
export interface Handshake {
  readonly seq: number;
}

export function standingOf(
  protocol: ConsoleProtocol,
  spoken: readonly Spoken[],
  handshakes: readonly Handshake[],
): Standing {
  switch (protocol) {
    case 'smtp':
      return smtpStanding(spoken, handshakes);
    case 'imap':
      return imapStanding(spoken, handshakes);
    case 'pop3':
      return pop3Standing(spoken, handshakes);
  }
}
