/** What a protocol's grammar tells the reader: where units end, and what they are. */
import type { Decoded, RfcSection, Role, Side } from '../spoken.ts';

/** How the next octets of one side are to be cut. */
export type Frame =
  | { readonly type: 'lines' }
  /** So many octets are one unit. */
  | { readonly type: 'octets'; readonly left: number; readonly label: Label }
  /** All up to a line that is one dot (RFC 5321 §4.1.1.4, RFC 1939 §3). */
  | { readonly type: 'dotted'; readonly label: Label; readonly end: Label }
  /** All that follows is one unit. */
  | { readonly type: 'rest'; readonly label: Label }
  /** The other side decides what comes next: until it has spoken, nothing is cut. */
  | { readonly type: 'waiting' }
  /** Where this is cannot be told: all up to a line that begins as one should. */
  | { readonly type: 'lost' };

/** What a unit is. */
export interface Label {
  readonly role: Role;
  readonly name: string;
  readonly tag?: string | null;
  readonly answers?: number | null;
  readonly about?: About;
}

/** What an explanation needs beyond the unit's own text. */
export interface About {
  /** The command that it belongs to, or answers: `UID FETCH`. */
  readonly of?: string;
  /** Whose content it is, in the RFC's word: `BODY[]`. */
  readonly item?: string;
  /** What was said before in the same command or response, as far as it matters to what follows. */
  readonly depth?: number;
  /** What it says under its encoding. Secrets are `null`. */
  readonly decoded?: readonly DecodedSecret[];
  /** A sentence that the grammar knows better than the tables. */
  readonly what?: string;
  readonly rfc?: RfcSection;
  /** For whom a reply of LMTP is. */
  readonly recipient?: string;
  /** Of a reply that has several lines: not the first one. */
  readonly later?: boolean;
}

/** `secret`: its value is only for those who asked for it explicitly. */
export interface DecodedSecret extends Decoded {
  readonly secret?: boolean;
}

/** A line that has ended, one character for each octet, without its end. */
export interface Line {
  /** At most its first 65,536 octets. */
  readonly text: string;
  /** Its last octets, whatever its length. */
  readonly tail: string;
  readonly position: number;
  readonly seq: number;
  readonly at: number;
}

/** How a grammar tells the reader what is to come. */
export interface Frames {
  expect(side: Side, frame: Frame): void;
}

/** One conversation's grammar, with what it has to remember. What it is given may be anything: it throws nothing. */
export interface Grammar {
  /** A line of this side has ended. */
  line(side: Side, line: Line, frames: Frames): Label;
  /** A unit of a known length, or a dotted one with its end, is complete. */
  complete?(side: Side, frames: Frames): void;
  /** Whether a line could begin something, after a gap. */
  plausible(side: Side, text: string): boolean;
  /** Octets of this side are missing, and it is not known where what comes next belongs. */
  gap?(side: Side, frames: Frames): void;
  /** As `gap`, in content whose end may be missing. */
  uncertain?(side: Side): void;
  /** TLS begins: what was agreed on before is over. */
  secured?(frames: Frames): void;
  /** The conversation has ended while the client's octets wait for a decision: what they most probably are. */
  undecided?(frames: Frames): void;
}

export const LINES: Frame = { type: 'lines' };
export const WAITING: Frame = { type: 'waiting' };
export const UNKNOWN: Label = { role: 'unknown', name: '' };
