/**
 * What the cases look at: a conversation's events and words, put in the order in which people think of them. Nothing here
 * judges. Made anew when a conversation has gone on.
 */
import type { Annotation } from '../../wire/connection.ts';
import type {
  Conversation,
  RecordedAnnotation,
  RecordedClose,
  RecordedEvent,
  RecordedOctets,
  TlsStep,
} from '../../wire/recorder.ts';
import { type ClientHello, clientHello } from '../hello.ts';
import type { Spoken } from '../spoken.ts';

/** What the doctor has to know of this server, for the remedies to name its own ports and names. */
export interface DoctorContext {
  readonly mode: 'capture' | 'domain';
  readonly defaultDomain: string;
  /** The domains that are served here; in capture mode every other one too. */
  readonly domains: readonly string[];
  /** Where web pages are, for whoever came to another port with a browser. */
  readonly webAddress: () => string | undefined;
  /** What accepts connections, by name: `imaps`. */
  readonly services: () => Readonly<Record<string, DoctorService>>;
  /** The names in the certificate that is shown to a client that asks for none. */
  readonly certificateNames: () => readonly string[];
  /** Whether a client that calls us so is shown a certificate with that name. */
  readonly certifies: (name: string) => boolean;
  /** Whether the certificate is signed by an authority of this server, which nobody knows beforehand. */
  readonly ownAuthority: boolean;
}

export interface DoctorService {
  readonly port: number;
  readonly protocol: string;
  readonly tls: 'none' | 'starttls' | 'implicit';
  readonly addresses: readonly string[];
  /** Connections since the start. */
  readonly accepted: number;
  /** When the last one came, milliseconds since 1970. */
  readonly acceptedAt: number | undefined;
}

/** A command, and the reply that completed it. */
export interface Exchange {
  readonly command: Spoken;
  /** In capitals; without IMAP's tag. Two words where the first is UID. */
  readonly verb: string;
  readonly args: string;
  readonly reply: Spoken | undefined;
  /** What the server said before that reply. */
  readonly before: readonly Spoken[];
}

export interface Handshake {
  readonly seq: number;
  /** Milliseconds since the conversation was opened. */
  readonly at: number;
  readonly end:
    { readonly seq: number; readonly at: number; readonly step: Exclude<TlsStep, { step: 'start' }> } | undefined;
}

export interface Facts {
  readonly conversation: Conversation;
  readonly context: DoctorContext;
  /** Milliseconds since the conversation was opened; events that lie in the future there are none. */
  readonly now: number;
  readonly service: DoctorService | undefined;
  readonly events: readonly RecordedEvent[];
  readonly spoken: readonly Spoken[];
  readonly annotations: readonly RecordedAnnotation[];
  readonly closed: RecordedClose | undefined;
  readonly handshake: Handshake | undefined;
  /** Of the first TLS that the client tried, on whatever port. */
  readonly hello: { readonly seq: number; readonly value: ClientHello } | undefined;
  /** What the client sent first, above TLS or without it. */
  readonly first: RecordedOctets | undefined;
  /** What the server sent first, above TLS or without it. */
  readonly greeting: RecordedOctets | undefined;
  /** In order; none where the client mistook the port. */
  readonly exchanges: readonly Exchange[];
}

export function factsOf(
  conversation: Conversation,
  spoken: readonly Spoken[],
  context: DoctorContext,
  now: number,
): Facts {
  const { events } = conversation.since(0);
  const annotations = events.filter((event) => event.type === 'annotation');
  const octets = events.filter((event) => event.type === 'octets');
  const ofEnds = octets.filter(({ view }) => view !== 'network');
  const mistaken = annotations.some(({ annotation }) => annotation.type === 'wrong-port');
  return {
    conversation,
    context,
    now,
    service: context.services()[conversation.service],
    events,
    spoken,
    annotations,
    closed: events.find((event) => event.type === 'closed'),
    handshake: handshakeOf(events),
    hello: helloOf(octets),
    first: ofEnds.find(({ direction }) => direction === 'in'),
    greeting: ofEnds.find(({ direction }) => direction === 'out'),
    exchanges: mistaken || conversation.protocol === 'http' ? [] : exchangesOf(spoken, conversation.protocol),
  };
}

/** The first of a kind. */
export function noted<Type extends Annotation['type']>(
  { annotations }: Facts,
  type: Type,
): { readonly seq: number; readonly at: number; readonly annotation: Extract<Annotation, { type: Type }> } | undefined {
  return allNoted({ annotations }, type)[0];
}

export function allNoted<Type extends Annotation['type']>(
  { annotations }: Pick<Facts, 'annotations'>,
  type: Type,
): { readonly seq: number; readonly at: number; readonly annotation: Extract<Annotation, { type: Type }> }[] {
  return annotations.flatMap(({ seq, at, annotation }) =>
    annotation.type === type ? [{ seq, at, annotation: annotation as Extract<Annotation, { type: Type }> }] : [],
  );
}

function handshakeOf(events: readonly RecordedEvent[]): Handshake | undefined {
  const start = events.find((event) => event.type === 'tls' && event.tls.step === 'start');
  if (start === undefined) return undefined;
  for (const event of events) {
    if (event.type !== 'tls' || event.tls.step === 'start') continue;
    return { seq: start.seq, at: start.at, end: { seq: event.seq, at: event.at, step: event.tls } };
  }
  return { seq: start.seq, at: start.at, end: undefined };
}

/** Enough for the largest ClientHello, with keys that quantum computers do not break and a ticket. */
const HELLO_OCTETS = 16_384;

function helloOf(octets: readonly RecordedOctets[]): Facts['hello'] {
  const below = octets.filter(({ direction, view }) => direction === 'in' && view !== 'ends');
  const index = below.findIndex(({ octets: [first, second] }) => first === 0x16 && second === 0x03);
  if (index === -1) return undefined;
  const pieces: Uint8Array[] = [];
  for (let i = index, length = 0; i < below.length && length < HELLO_OCTETS; length += below[i++]!.octets.length) {
    pieces.push(below[i]!.octets);
  }
  const value = clientHello(Buffer.concat(pieces));
  return value && { seq: below[index]!.seq, value };
}

/** Commands with their replies. What is content is passed over, however finely it was read. */
function exchangesOf(spoken: readonly Spoken[], protocol: string): Exchange[] {
  const found: { command: Spoken; verb: string; args: string; reply: Spoken | undefined; before: Spoken[] }[] = [];
  const open: (typeof found)[number][] = [];
  /** Up to this position of the client's octets a literal goes on, and then the rest of its command. */
  let literalEnd = -1;
  let inMessage = false;
  let isGreeted = false;
  for (const unit of spoken) {
    // However early the client has spoken, the server's first words answer none of it.
    if (unit.side === 'server' && !isGreeted) {
      isGreeted = true;
      continue;
    }
    if (unit.side === 'server') {
      if (inMessage && !/^[1-5]\d\d[ -]/.test(unit.text)) continue;
      inMessage = false;
      const [first] = open;
      const of = protocol === 'imap' ? open.find(({ command }) => completes(unit.text, command.text)) : first;
      if (of === undefined || !isFinal(unit.text, protocol)) {
        first?.before.push(unit);
        continue;
      }
      of.reply = unit;
      open.splice(open.indexOf(of), 1);
      // RFC 5321 §4.1.1.4: what follows is the message, and its reply comes after it.
      if (protocol !== 'imap' && unit.text.startsWith('354')) inMessage = true;
      continue;
    }
    if (inMessage || unit.role === 'data' || unit.role === 'sasl' || unit.role === 'continuation') continue;
    if (unit.position < literalEnd) continue;
    const isRest = unit.position === literalEnd;
    const literal = protocol === 'imap' ? /\{(\d{1,9})\+?\}$/.exec(unit.text) : null;
    literalEnd = literal === null ? -1 : unit.position + unit.octets + Number(literal[1]);
    if (isRest) continue;
    // In an exchange of SASL the client's lines are answers, and nothing of them is a command.
    if (open.some(({ verb, before }) => verb.startsWith('AUTH') && before.length > 0) && !/\s/.test(unit.text))
      continue;
    const exchange = { command: unit, ...wordsOf(unit.text, protocol), reply: undefined, before: [] };
    found.push(exchange);
    open.push(exchange);
  }
  return found;
}

function completes(reply: string, command: string): boolean {
  const tag = /^\S+/.exec(command)?.[0];
  return tag !== undefined && reply.startsWith(`${tag} `);
}

function isFinal(text: string, protocol: string): boolean {
  if (protocol === 'imap') return true;
  if (protocol === 'pop3') return /^(?:\+OK|-ERR)/i.test(text);
  return /^[1-5]\d\d(?: |$)/.test(text) && !text.startsWith('334');
}

function wordsOf(text: string, protocol: string): { readonly verb: string; readonly args: string } {
  const words = protocol === 'imap' ? /^\S*\s+((?:UID\s+)?\S+)\s*(.*)$/i.exec(text) : /^\s*(\S+)\s*(.*)$/.exec(text);
  return { verb: (words?.[1] ?? '').toUpperCase().replace(/\s+/, ' '), args: words?.[2] ?? '' };
}

/** Octets as `16 03 01`, the first of them. */
export function hex(octets: Uint8Array, most = 12): string {
  const shown = Buffer.from(octets.subarray(0, most))
    .toString('hex')
    .replace(/..(?!$)/g, '$& ');
  return octets.length > most ? `${shown} …` : shown;
}
