/** What a reading of a conversation consists of. */

export type Side = 'client' | 'server';

/** A part of a unit's text, and what it says. Characters from `start`, `end` excluded. */
export interface Field {
  readonly start: number;
  readonly end: number;
  /** As the RFC names it: `tag`, `reverse-path`, `sequence set`. */
  readonly name: string;
  /** What this one says, in plain words: `messages 1 to 4`. */
  readonly says: string;
}

export interface RfcSection {
  readonly number: number;
  /** `6.4.7`, `Appendix A`; empty: the whole document. */
  readonly section: string;
}

/** What an encoded part of a unit says, such as a response of SASL: never a secret. */
export interface Decoded {
  readonly name: string;
  readonly value: string;
}

export interface Meaning {
  /** One sentence in plain words. */
  readonly what: string;
  readonly fields: readonly Field[];
  readonly rfc: RfcSection | null;
  readonly decoded: readonly Decoded[];
}

/**
 * What a unit is. `greeting`: the server's first words. `command`, `reply`: with its `name`. `continuation`: a part of a
 * command or of a reply that goes on over several units. `data`: content (a message, a literal). `sasl`: an exchange of
 * authentication. `unknown`: it could not be understood.
 */
export type Role = 'greeting' | 'command' | 'reply' | 'continuation' | 'data' | 'sasl' | 'unknown';

export interface Spoken {
  /** Of the event in which it begins, and of the one with its newest octet. */
  readonly seq: number;
  readonly lastSeq: number;
  /** Milliseconds since the conversation was opened. */
  readonly at: number;
  readonly side: Side;
  /** Of its first octet in its direction of what the ends say: with `side` its identity, for it may grow. */
  readonly position: number;
  /** With its line end. */
  readonly octets: number;
  /** Without its line end; each hidden octet is one `•`. Cut after 16,384 characters. */
  readonly text: string;
  /** `octets`: each character beyond ASCII stands for one octet. */
  readonly charset: 'utf-8' | 'octets';
  /** `none`: it has not ended yet, or is no line. */
  readonly end: 'crlf' | 'lf' | 'none';
  readonly secret: boolean;
  readonly role: Role;
  /** Of a command in upper case (`UID FETCH`, `MAIL`, `RETR`), of a reply its code or word (`250`, `OK`, `+OK`, `FETCH`); empty if there is none. */
  readonly name: string;
  /** IMAP's tag of a command, and of the response that completes it. */
  readonly tag: string | null;
  /** Of a reply that completes a command: where that command begins in the client's octets. */
  readonly answers: number | null;
  readonly meaning: Meaning | null;
}
