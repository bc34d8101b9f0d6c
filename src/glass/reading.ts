/**
 * What was said in a conversation, in the units that its protocol has: lines, literals, messages. Everything that
 * explains, diagnoses, teaches or exports reads these and not the octets. Secrets are hidden already.
 */
import type { Conversation } from '../wire/recorder.ts';
import { MARK, conversationText, type TextEvent } from './conversation.ts';

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

export interface Meaning {
  /** One sentence in plain words. */
  readonly what: string;
  readonly fields: readonly Field[];
  readonly rfc: { readonly number: number; readonly section: string } | null;
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

const MOST_CHARACTERS = 16_384;

const known = new WeakMap<Conversation, { readonly seq: number; readonly spoken: readonly Spoken[] }>();

/** All that was said, as far as it is kept, in the order in which it began. */
export function readingOf(conversation: Conversation): readonly Spoken[] {
  const before = known.get(conversation);
  if (before?.seq === conversation.lastSeq) return before.spoken;
  const spoken = read(conversation);
  known.set(conversation, { seq: conversation.lastSeq, spoken });
  return spoken;
}

function read(conversation: Conversation): Spoken[] {
  const client = conversation.role === 'server' ? 'in' : 'out';
  const spoken: Spoken[] = [];
  const open: Partial<Record<Side, number>> = {};
  for (const event of conversationText(conversation)) {
    const side: Side = event.direction === client ? 'client' : 'server';
    let position = event.position;
    for (const piece of event.text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
      const index = open[side];
      const before = index === undefined ? undefined : spoken[index];
      const next = before?.end === 'none' && before.position + before.octets === position ? before : undefined;
      const unit = unitOf(event, side, position, piece, next, spoken.length === 0);
      if (next) spoken[index!] = unit;
      else open[side] = spoken.push(unit) - 1;
      position = unit.position + unit.octets;
    }
  }
  return spoken;
}

function unitOf(
  event: TextEvent,
  side: Side,
  position: number,
  piece: string,
  before: Spoken | undefined,
  isFirst: boolean,
): Spoken {
  const [, body = '', ending = ''] = /^([^]*?)(\r?\n)?$/.exec(piece)!;
  const isOctets = event.charset === 'iso-8859-1';
  const hides = event.secrets.length > 0;
  const octets = isOctets ? piece.length : Buffer.byteLength(hides ? piece.replaceAll(MARK, '.') : piece);
  const whole = (before?.text ?? '') + body;
  const isCut = ending === '\n' && whole.endsWith('\r');
  return {
    seq: before?.seq ?? event.seq,
    lastSeq: event.seq,
    at: before?.at ?? event.at,
    side,
    position: before?.position ?? position,
    octets: (before?.octets ?? 0) + octets,
    text: (isCut ? whole.slice(0, -1) : whole).slice(0, MOST_CHARACTERS),
    charset: isOctets || before?.charset === 'octets' ? 'octets' : 'utf-8',
    end: ending === '\r\n' || isCut ? 'crlf' : ending === '\n' ? 'lf' : 'none',
    secret: (before?.secret ?? false) || (hides && body.includes(MARK)),
    role: side === 'client' ? 'command' : isFirst ? 'greeting' : 'reply',
    name: /^\S*/.exec(whole)![0].toUpperCase(),
    tag: null,
    answers: null,
    meaning: null,
  };
}
