/**
 * Hides secrets in what was recorded, on every way out. It reads the client's octets as the protocols' grammars have them,
 * put together over the pieces in which they came, and where it is not sure it hides. The recording itself stays as it is.
 */
import { firstOctets } from '../wire/first-octets.ts';
import type { Conversation, Direction, RecordedEvent, RecordedOctets } from '../wire/recorder.ts';
import { httpSecrets } from './veil-http.ts';
import { LineVeil } from './veil-lines.ts';

/** Octets to hide: positions in one direction of one view, `end` excluded. */
export interface Hidden {
  readonly start: number;
  readonly end: number;
}

/** What to hide of a conversation. The ends' ranges hold for `both`, too. */
export interface Veil {
  readonly ends: Readonly<Record<Direction, readonly Hidden[]>>;
  readonly network: Readonly<Record<Direction, readonly Hidden[]>>;
}

/** A stretch of one direction without a gap. */
export interface Stretch {
  readonly start: number;
  readonly octets: Buffer;
}

const DIRECTIONS = ['in', 'out'] as const;
const NOTHING = Buffer.alloc(0);

const known = new WeakMap<Conversation, { readonly seq: number; readonly veil: Veil }>();

/** The veil over a conversation as far as it has come. */
export function veilOf(conversation: Conversation): Veil {
  const before = known.get(conversation);
  if (before?.seq === conversation.lastSeq) return before.veil;
  const veil = makeVeil(conversation.since(0).events, {
    protocol: conversation.protocol,
    client: conversation.role === 'server' ? 'in' : 'out',
    finished: conversation.closedAt !== undefined,
  });
  known.set(conversation, { seq: conversation.lastSeq, veil });
  return veil;
}

export interface VeilContext {
  readonly protocol: string;
  /** Which direction the client's octets have. */
  readonly client: Direction;
  /** Nothing follows: an unfinished line is judged as it stands. Until then it is hidden. */
  readonly finished: boolean;
}

/** @param events all that is kept of a conversation, in order */
export function makeVeil(events: readonly RecordedEvent[], context: VeilContext): Veil {
  const octets = events.filter((event) => event.type === 'octets');
  const ends = octets.filter(({ view }) => view !== 'network');
  const hidden = endsHidden(ends, context);
  for (const event of events) {
    if (event.type !== 'annotation' || event.annotation.type !== 'secret') continue;
    const { direction, position, octets: count } = event.annotation;
    hidden[direction].push({ start: position, end: position + count });
  }
  const network = octets.filter(({ view }) => view === 'network');
  return {
    ends: { in: merged(hidden.in), out: merged(hidden.out) },
    network: { in: notTls(stretches(network, 'in')), out: notTls(stretches(network, 'out')) },
  };
}

/** The parts of an event that are hidden, relative to its first octet. */
export function hiddenIn(veil: Veil, event: RecordedOctets): Hidden[] {
  const ranges = veil[event.view === 'network' ? 'network' : 'ends'][event.direction];
  const end = event.position + event.octets.length;
  // The first range that ends behind the event's start: they are in order and do not overlap.
  let low = 0;
  for (let high = ranges.length; low < high;) {
    const middle = (low + high) >> 1;
    if (ranges[middle]!.end <= event.position) low = middle + 1;
    else high = middle;
  }
  const found: Hidden[] = [];
  for (let i = low; i < ranges.length && ranges[i]!.start < end; i++) {
    const range = ranges[i]!;
    found.push({
      start: Math.max(0, range.start - event.position),
      end: Math.min(event.octets.length, range.end - event.position),
    });
  }
  return found;
}

function endsHidden(events: readonly RecordedOctets[], context: VeilContext): Record<Direction, Hidden[]> {
  const { client, protocol } = context;
  const hidden: Record<Direction, Hidden[]> = { in: [], out: [] };
  const speaksHttp = firstOctets(stretches(events, client)[0]?.octets.subarray(0, 16) ?? NOTHING) === 'http';
  // A client may have mistaken the port: each is read as what it speaks, and as what it should speak.
  if (protocol === 'http' || speaksHttp) {
    for (const direction of DIRECTIONS) hidden[direction].push(...stretches(events, direction).flatMap(httpSecrets));
  }
  if (!speaksHttp) {
    const lines = new LineVeil(protocol);
    const spoken = events.filter(({ direction }) => direction !== client);
    let replies = 0;
    for (const { direction, position, octets } of events) {
      const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
      if (direction === client) lines.clientSent(position, buffer, spoken[replies]?.position);
      else {
        lines.serverSent(position, buffer);
        replies++;
      }
    }
    const found = lines.finish(context.finished);
    hidden[client].push(...found.client);
    hidden[client === 'in' ? 'out' : 'in'].push(...found.server);
  }
  return hidden;
}

function stretches(events: readonly RecordedOctets[], direction: Direction): Stretch[] {
  const found: { start: number; end: number; pieces: Uint8Array[] }[] = [];
  for (const event of events) {
    if (event.direction !== direction) continue;
    const last = found.at(-1);
    if (last?.end === event.position) {
      last.pieces.push(event.octets);
      last.end += event.octets.length;
    } else found.push({ start: event.position, end: event.position + event.octets.length, pieces: [event.octets] });
  }
  return found.map(({ start, pieces }) => ({ start, octets: Buffer.concat(pieces) }));
}

/**
 * TLS records need no veil (RFC 8446 §5.1: type, version, length). From where something else stands, such as the commands
 * of a client that goes on in clear after STARTTLS, all is hidden. After a gap records cannot be told any more: what began
 * as TLS is taken for TLS still.
 */
function notTls(network: readonly Stretch[]): Hidden[] {
  const [first, ...later] = network;
  if (first === undefined) return [];
  const { start, octets } = first;
  for (let at = 0; at < octets.length;) {
    const type = octets[at]!;
    if (type < 0x14 || type > 0x18 || (octets[at + 1] ?? 3) !== 3) {
      const rest = later.map((stretch) => ({ start: stretch.start, end: stretch.start + stretch.octets.length }));
      return [{ start: start + at, end: start + octets.length }, ...rest];
    }
    if (at + 5 > octets.length) break;
    at += 5 + octets.readUInt16BE(at + 3);
  }
  return [];
}

function merged(ranges: readonly Hidden[]): Hidden[] {
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else if (end > start) result.push({ start, end });
  }
  return result;
}
