/**
 * Conversations as values for the HTTP API: what was recorded, with its secrets hidden.
 */
import type { Annotation, Endpoint, TlsInfo } from '../wire/connection.ts';
import type {
  CloseManner,
  Conversation,
  Direction,
  Missed,
  RecordedEvent,
  RecordedOctets,
  TlsStep,
  View,
} from '../wire/recorder.ts';
import type { Diagnosis } from './doctor/diagnosis.ts';
import type { Visit } from './doctor/doctor.ts';
import { handshakeOf, type Handshake } from './handshake.ts';
import { programOf } from './program.ts';
import { readingOf } from './reading.ts';
import { charsetOf, shownParts, textOf } from './shown.ts';
import type { Spoken } from './spoken.ts';
import { hiddenIn, veilOf } from './veil.ts';
import type { Hidden, Veil } from './veil.ts';

/** A line of the list. Times are RFC 3339 in UTC. */
export interface ConversationItem {
  readonly id: string;
  readonly service: string;
  readonly protocol: string;
  /** `server`: the peer is the client. */
  readonly role: 'server' | 'client';
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly opened: string;
  readonly closed: string | null;
  readonly closedBy: 'peer' | 'us' | null;
  readonly closedHow: CloseManner | null;
  readonly tls: TlsInfo | null;
  /** Who is logged in, as the session said last. */
  readonly login: string | null;
  /** What the client calls itself. */
  readonly program: string | null;
  /** Octets that passed, kept or not. */
  readonly octets: {
    readonly networkIn: number;
    readonly networkOut: number;
    readonly endsIn: number;
    readonly endsOut: number;
  };
  /** The number of the newest event. */
  readonly lastSeq: number;
  /** How many annotations there are of each type, and what the last one with a problem says. */
  readonly annotations: Readonly<Record<string, number>>;
  readonly problem: string | null;
  /** What the doctor makes of it so far. */
  readonly diagnoses: readonly Diagnosis[];
}

export type ConversationEvent =
  | TextEvent
  | BinaryEvent
  | { readonly type: 'tls'; readonly seq: number; readonly at: number; readonly tls: TlsStep }
  | { readonly type: 'annotation'; readonly seq: number; readonly at: number; readonly annotation: Annotation }
  | {
      readonly type: 'closed';
      readonly seq: number;
      readonly at: number;
      readonly by: 'peer' | 'us';
      readonly how: CloseManner;
    };

interface OctetsEvent {
  readonly seq: number;
  /** Milliseconds since the conversation was opened. */
  readonly at: number;
  readonly direction: Direction;
  readonly view: View;
  /** How many octets passed before these in the same direction and view. */
  readonly position: number;
  readonly octets: number;
  /** What is hidden, as octets from this event's first one. */
  readonly secrets: readonly { readonly offset: number; readonly octets: number }[];
}

export interface TextEvent extends OctetsEvent {
  readonly type: 'text';
  /** With its line ends. Each hidden octet is one `•`. */
  readonly text: string;
  readonly charset: 'utf-8' | 'iso-8859-1';
}

export interface BinaryEvent extends OctetsEvent {
  readonly type: 'binary';
  /** Each hidden octet is a zero. */
  readonly base64: string;
}

export interface ConversationDetail extends ConversationItem {
  readonly events: readonly ConversationEvent[];
  /** What the two ends said, in the units of the protocol. */
  readonly spoken: readonly Spoken[];
  /** What was asked for and is not kept: a long conversation keeps its start and its end. */
  readonly missed: Missed;
  /** What an eavesdropper saw of the handshake of TLS. */
  readonly handshake: Handshake | null;
}

/** @param visit undefined: there is no doctor */
export function conversationItem(conversation: Conversation, visit?: Visit): ConversationItem {
  const { closedAt } = conversation;
  const annotations = conversation.annotations();
  return {
    id: conversation.id,
    service: conversation.service,
    protocol: conversation.protocol,
    role: conversation.role,
    local: conversation.local,
    remote: conversation.remote,
    opened: new Date(conversation.openedAt).toISOString(),
    closed: closedAt === undefined ? null : new Date(closedAt).toISOString(),
    closedBy: conversation.closedBy ?? null,
    closedHow: conversation.closedHow ?? null,
    tls: conversation.tls ?? null,
    login: conversation.login ?? null,
    program: programOf(conversation) ?? null,
    octets: { ...conversation.passed },
    lastSeq: conversation.lastSeq,
    annotations: counts(annotations.map(({ annotation }) => annotation.type)),
    problem: annotations.map(({ annotation }) => problemOf(annotation)).findLast((problem) => problem !== null) ?? null,
    diagnoses: visit?.diagnosesOf(conversation) ?? [],
  };
}

/** @param since only events with a higher number, and what was said in them; 0 for all */
export function conversationDetail(conversation: Conversation, since = 0, visit?: Visit): ConversationDetail {
  const { events, missed } = conversation.since(since);
  const veil = veilOf(conversation);
  return {
    ...conversationItem(conversation, visit),
    events: events.map((event) => eventValue(event, veil)),
    spoken: spokenSince(conversation, since),
    missed,
    handshake: handshakeOf(conversation),
  };
}

/** Units that are new or have grown in events with a higher number. */
export function spokenSince(conversation: Conversation, since: number): Spoken[] {
  return readingOf(conversation).filter(({ lastSeq }) => lastSeq > since);
}

export function eventValue(event: RecordedEvent, veil: Veil): ConversationEvent {
  switch (event.type) {
    case 'octets':
      return octetsValue(event, hiddenIn(veil, event));
    case 'tls':
      return { type: 'tls', seq: event.seq, at: event.at, tls: event.tls };
    case 'annotation':
      return { type: 'annotation', seq: event.seq, at: event.at, annotation: event.annotation };
    case 'closed':
      return { type: 'closed', seq: event.seq, at: event.at, by: event.by, how: event.how };
  }
}

function octetsValue(event: RecordedOctets, hidden: readonly Hidden[]): TextEvent | BinaryEvent {
  const octets = Buffer.from(event.octets.buffer, event.octets.byteOffset, event.octets.length);
  const common = {
    seq: event.seq,
    at: event.at,
    direction: event.direction,
    view: event.view,
    position: event.position,
    octets: octets.length,
    secrets: hidden.map(({ start, end }) => ({ offset: start, octets: end - start })),
  };
  // Judged and decoded without the secrets, so that nothing of them shows through.
  const shown = shownParts(octets, hidden);
  const charset = charsetOf(shown);
  if (charset === undefined) {
    const copy = Buffer.from(octets);
    for (const { start, end } of hidden) copy.fill(0, start, end);
    return { type: 'binary', ...common, base64: copy.toString('base64') };
  }
  return { type: 'text', ...common, text: textOf(shown, charset), charset };
}

function counts(types: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const type of types) found[type] = (found[type] ?? 0) + 1;
  return found;
}

/** One sentence for the list; the doctor has more to say. */
function problemOf(annotation: Annotation): string | null {
  switch (annotation.type) {
    case 'login-failed':
      return `login of ${annotation.login} failed: ${annotation.reason}`;
    case 'limit':
      return `limit reached: ${annotation.limit}`;
    case 'wrong-port':
      return WRONG_PORT[annotation.found];
    case 'dropped':
      return `${annotation.octets} octets were sent before TLS and dropped`;
    case 'fault':
      return `made to fail by rule ${annotation.rule}: ${annotation.effect} at ${annotation.at}`;
    case 'error':
      return annotation.message;
    case 'login':
    case 'client':
    case 'refused':
    case 'stored':
    case 'settings':
    case 'selected':
    case 'appended':
    case 'looked':
    case 'read':
    case 'flags':
    case 'marked':
    case 'copied':
    case 'moved':
    case 'expunged':
    case 'api-read':
    case 'api-marked':
    case 'api-deleted':
    case 'secret':
    case 'revealed':
      return null;
  }
}

const WRONG_PORT = {
  tls: 'the client began with TLS on a port that begins in clear',
  http: 'a browser or HTTP client on a mail port',
  plaintext: 'the client began in clear on a port that begins with TLS',
  silence: 'the client waited for a greeting on a port that begins with TLS',
} as const;
