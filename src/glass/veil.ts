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
  /** Of `ends`, what is hidden until more has come: it may turn out to be no secret. */
  readonly open: Readonly<Record<Direction, readonly Hidden[]>>;
}

/** A stretch of one direction without a gap. */
export interface Stretch {
  readonly start: number;
  readonly octets: Buffer;
}

const DIRECTIONS = ['in', 'out'] as const;

const known = new WeakMap<Conversation, VeilReader>();

/** The veil over a conversation as far as it has come. What was read before is not read again. */
export function veilOf(conversation: Conversation): Veil {
  return veilReaderOf(conversation).veil(conversation.closedAt !== undefined);
}

/** The same, with what it takes to tell what has been hidden belatedly. */
export function veilReaderOf(conversation: Conversation): VeilReader {
  let reader = known.get(conversation);
  if (reader === undefined || reader.isStale) {
    reader = new VeilReader(conversation.protocol, conversation.role === 'server' ? 'in' : 'out');
    known.set(conversation, reader);
  }
  if (reader.seq < conversation.lastSeq) reader.push(conversation.since(reader.seq).events, conversation.lastSeq);
  return reader;
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
  const reader = new VeilReader(context.protocol, context.client);
  reader.push(events, events.at(-1)?.seq ?? 0);
  return reader.veil(context.finished);
}

/** Reads a conversation as it comes, and keeps what is to be hidden. */
export class VeilReader {
  /** Up to which event it has read. */
  seq = 0;
  /** It has judged an end that was none, or taken HTTP for something else: another one must read all anew. */
  isStale = false;
  /** What was hidden in octets that had been shown before: all such ranges, in the order in which they were found. */
  readonly belated: { readonly direction: Direction; readonly range: Hidden }[] = [];
  readonly #client: Direction;
  readonly #protocol: string;
  readonly #lines: LineVeil;
  readonly #ends = { in: new Ranges(), out: new Ranges() };
  readonly #networks = { in: new TlsRecords(), out: new TlsRecords() };
  readonly #http = { in: new HttpText(), out: new HttpText() };
  /** How far each direction has been read. */
  readonly #next = { in: 0, out: 0 };
  /** Whether the client began as one of HTTP; undefined: it cannot be told yet. */
  #speaksHttp: boolean | undefined;
  #clientStart = Buffer.alloc(0);
  /** How many ranges of the line protocols have been taken over. */
  readonly #taken = { client: 0, server: 0 };
  #finished: Veil | undefined;

  constructor(protocol: string, client: Direction) {
    this.#protocol = protocol;
    this.#client = client;
    this.#lines = new LineVeil(protocol);
  }

  push(events: readonly RecordedEvent[], seq: number): void {
    this.seq = seq;
    const before = { ...this.#next };
    const octets = events.filter((event) => event.type === 'octets');
    const ends = octets.filter(({ view }) => view !== 'network');
    if (ends.length > 0 && this.#finished !== undefined) this.isStale = true;
    for (const event of octets) if (event.view === 'network') this.#networks[event.direction].push(event);
    this.#lookAtStart(ends);
    this.#pushLines(ends);
    for (const event of ends) {
      this.#http[event.direction].push(event);
      this.#next[event.direction] = event.position + event.octets.length;
    }
    this.#takeHttp(before);
    this.#takeLines();
    for (const event of events) {
      if (event.type !== 'annotation' || event.annotation.type !== 'secret') continue;
      const { direction, position, octets: count } = event.annotation;
      this.#hide(direction, { start: position, end: position + count }, before);
    }
  }

  /** @param finished nothing follows */
  veil(finished: boolean): Veil {
    if (this.#finished !== undefined) return this.#finished;
    const isHttp = this.#protocol === 'http' && this.#speaksHttp === true;
    const open = isHttp ? { client: [], server: [] } : this.#lines.finish(finished);
    if (finished) this.#takeLines();
    const server = this.#client === 'in' ? 'out' : 'in';
    const veil: Veil = {
      ends: {
        [this.#client]: this.#ends[this.#client].with(open.client),
        [server]: this.#ends[server].with(open.server),
      } as Record<Direction, readonly Hidden[]>,
      network: { in: this.#networks.in.hidden(), out: this.#networks.out.hidden() },
      open: { [this.#client]: open.client, [server]: open.server } as Record<Direction, readonly Hidden[]>,
    };
    if (finished) this.#finished = veil;
    return veil;
  }

  #lookAtStart(ends: readonly RecordedOctets[]): void {
    if (this.#speaksHttp !== undefined) return;
    for (const { direction, octets } of ends) {
      if (direction !== this.#client || this.#clientStart.length >= 16) continue;
      this.#clientStart = Buffer.concat([this.#clientStart, octets.subarray(0, 16)]);
    }
    const found = firstOctets(this.#clientStart.subarray(0, 16));
    if (found === 'undecided') return;
    this.#speaksHttp = found === 'http';
  }

  /** A client may have mistaken the port: each is read as what it speaks, and as what it should speak. */
  #pushLines(ends: readonly RecordedOctets[]): void {
    if (this.#protocol === 'http' && this.#speaksHttp === true) return;
    const spoken = ends.filter(({ direction }) => direction !== this.#client);
    let replies = 0;
    for (const { direction, position, octets } of ends) {
      const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
      if (direction === this.#client) this.#lines.clientSent(position, buffer, spoken[replies]?.position);
      else {
        this.#lines.serverSent(position, buffer);
        replies++;
      }
    }
  }

  #takeHttp(before: Readonly<Record<Direction, number>>): void {
    const isHttp = this.#protocol === 'http' || this.#speaksHttp === true;
    for (const direction of DIRECTIONS) {
      const text = this.#http[direction];
      if (isHttp) for (const range of text.secrets()) this.#hide(direction, range, before);
      else if (this.#speaksHttp === false) text.forget();
    }
  }

  #takeLines(): void {
    const { client, server } = this.#lines.found();
    const other = this.#client === 'in' ? 'out' : 'in';
    for (const range of client.slice(this.#taken.client)) this.#ends[this.#client].add(range);
    for (const range of server.slice(this.#taken.server)) this.#ends[other].add(range);
    this.#taken.client = client.length;
    this.#taken.server = server.length;
  }

  #hide(direction: Direction, range: Hidden, before: Readonly<Record<Direction, number>>): void {
    const from = this.#ends[direction].add(range);
    if (from !== undefined && from < before[direction]) this.belated.push({ direction, range });
  }
}

/** Ranges in order that do not overlap. */
class Ranges {
  #ranges: Hidden[] = [];

  /** @returns the first position that is hidden by that and was not before, if any */
  add(range: Hidden): number | undefined {
    if (range.end <= range.start) return undefined;
    const ranges = this.#ranges;
    let at = ranges.length;
    while (at > 0 && ranges[at - 1]!.end >= range.start) at--;
    // From `at` on they end at this one's start or behind it.
    let { start, end } = range;
    let first = start;
    let behind = at;
    for (; behind < ranges.length && ranges[behind]!.start <= end; behind++) {
      const each = ranges[behind]!;
      if (each.start <= range.start && each.end >= range.end) return undefined;
      if (each.start <= first) first = each.end;
      start = Math.min(start, each.start);
      end = Math.max(end, each.end);
    }
    // What was given away is not changed.
    if (at === ranges.length) ranges.push({ start, end });
    else ranges.splice(at, behind - at, { start, end });
    return first;
  }

  with(more: readonly Hidden[]): readonly Hidden[] {
    const all = new Ranges();
    all.#ranges = [...this.#ranges];
    for (const range of more) all.add(range);
    return all.#ranges;
  }
}

/** The parts of an event that are hidden, relative to its first octet. */
export function hiddenIn(veil: Veil, event: RecordedOctets): Hidden[] {
  const ranges = veil[event.view === 'network' ? 'network' : 'ends'][event.direction];
  const { position } = event;
  return hiddenBetween(ranges, position, position + event.octets.length).map(({ start, end }) => ({
    start: start - position,
    end: end - position,
  }));
}

/** The parts between two positions that are hidden. */
export function hiddenBetween(ranges: readonly Hidden[], from: number, to: number): Hidden[] {
  // The first range that ends behind the start: they are in order and do not overlap.
  let low = 0;
  for (let high = ranges.length; low < high;) {
    const middle = (low + high) >> 1;
    if (ranges[middle]!.end <= from) low = middle + 1;
    else high = middle;
  }
  const found: Hidden[] = [];
  for (let i = low; i < ranges.length && ranges[i]!.start < to; i++) {
    found.push({ start: Math.max(from, ranges[i]!.start), end: Math.min(to, ranges[i]!.end) });
  }
  return found;
}

/** How far back HTTP is searched again when more has come: further than a head is long. */
const SEARCHED_AGAIN = 65_536;

/**
 * One direction's octets, searched for the secrets of HTTP. More octets can make more of what came before a secret: the
 * last part is searched again with them, and a secret that had not ended from its beginning.
 */
class HttpText {
  #stretch: { start: number; pieces: Uint8Array[]; octets: number; afterGap: boolean } | undefined;
  #gone: Stretch[] = [];
  #isNew = false;

  push({ position, octets }: RecordedOctets): void {
    const stretch = this.#stretch;
    this.#isNew = true;
    if (stretch !== undefined && stretch.start + stretch.octets === position) {
      stretch.pieces.push(octets);
      stretch.octets += octets.length;
      return;
    }
    if (stretch !== undefined) this.#gone.push({ start: stretch.start, octets: Buffer.concat(stretch.pieces) });
    this.#stretch = { start: position, pieces: [octets], octets: octets.length, afterGap: position > 0 };
  }

  /** It is no HTTP: nothing is kept of it. */
  forget(): void {
    this.#stretch = undefined;
    this.#gone = [];
  }

  /** What has been found since the last time; some of it again. */
  secrets(): Hidden[] {
    const stretch = this.#stretch;
    if (!this.#isNew || stretch === undefined) return [];
    this.#isNew = false;
    const octets = Buffer.concat(stretch.pieces);
    const found = httpSecrets({ start: stretch.start, octets }, stretch.afterGap);
    const end = stretch.start + octets.length;
    const open = found.find((range) => range.end >= end - 2)?.start ?? end;
    // A name leads to its secret, on the same line or the one before.
    const from = Math.max(0, Math.min(open - stretch.start - 512, octets.length - SEARCHED_AGAIN));
    const line = from === 0 ? 0 : octets.lastIndexOf('\n', from) + 1;
    this.#stretch = {
      start: stretch.start + line,
      pieces: [octets.subarray(line)],
      octets: octets.length - line,
      afterGap: stretch.afterGap && line === 0,
    };
    return [...this.#gone.splice(0).flatMap((gone) => httpSecrets(gone)), ...found];
  }
}

/**
 * TLS records need no veil (RFC 8446 §5.1: type, version, length). From where something else stands, such as the commands
 * of a client that goes on in clear after STARTTLS, all is hidden. After a gap records cannot be told any more: what began
 * as TLS is taken for TLS still.
 */
class TlsRecords {
  /** Where the next record begins. */
  #next: number | undefined;
  /** From where on all is hidden. */
  #from: number | undefined;
  #end = 0;
  #head = Buffer.alloc(0);
  #hasGap = false;

  push({ position, octets }: RecordedOctets): void {
    this.#next ??= position;
    if (this.#end > 0 && position > this.#end) this.#hasGap = true;
    this.#end = position + octets.length;
    if (this.#from !== undefined || this.#hasGap) return;
    const start = position - this.#head.length;
    const all =
      this.#head.length === 0
        ? Buffer.from(octets.buffer, octets.byteOffset, octets.length)
        : Buffer.concat([this.#head, octets]);
    let at = this.#next - start;
    for (; at < all.length;) {
      const type = all[at]!;
      if (type < 0x14 || type > 0x18 || (all[at + 1] ?? 3) !== 3) {
        this.#from = start + at;
        return;
      }
      if (at + 5 > all.length) break;
      at += 5 + all.readUInt16BE(at + 3);
    }
    this.#next = start + at;
    this.#head = at < all.length ? Buffer.from(all.subarray(at)) : Buffer.alloc(0);
  }

  hidden(): readonly Hidden[] {
    return this.#from === undefined ? [] : [{ start: this.#from, end: this.#end }];
  }
}
