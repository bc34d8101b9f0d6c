/**
 * Cuts what the two sides of a conversation say into units, as it comes: each octet belongs to exactly one unit, and the
 * units are the same however the octets were cut into pieces on their way. What may be a command or content, which only
 * the other side's answer tells, waits for that answer.
 */
import type { Direction, RecordedEvent, RecordedOctets } from '../../wire/recorder.ts';
import type { Side } from '../spoken.ts';
import { type Frame, type Frames, type Grammar, type Label, type Line, LINES, UNKNOWN } from './grammar.ts';

/** A unit as it lies in the octets. */
export interface Unit {
  readonly side: Side;
  readonly seq: number;
  readonly at: number;
  readonly position: number;
  lastSeq: number;
  octets: number;
  label: Label;
  /** Its first octets, in pieces. */
  readonly pieces: Buffer[];
  kept: number;
  /** The last ones. */
  tail: string;
  ended: boolean;
}

/** What is kept of a unit: four octets for each character that is shown at most. */
const MOST_KEPT = 65_536;
const TAIL = 64;
const LF = 0x0a;
const LF_DOT = '\n.';
const DOT = 0x2e;
const PLUS = 0x2b;
const MINUS = 0x2d;
/** So much of a line is enough to tell, after a gap, whether it begins something. */
const LONGEST_START = 4096;
/** A TLS record: handshake or alert, and the version's first octet (RFC 8446 §5.1). No line of any protocol begins so. */
const TLS_RECORD = /^[\x15\x16]\x03/;
const TLS_TYPES = [0x15, 0x16];

interface Held {
  readonly seq: number;
  readonly at: number;
  readonly position: number;
  readonly octets: Buffer;
}

interface Lane {
  frame: Frame;
  /** The unit that has not ended. */
  open: Unit | undefined;
  /** What has come and is not cut yet. */
  held: Held[];
  /** The position of the next octet. */
  next: number;
  /** A dotted unit, or one after a gap, is at the start of a line. */
  lineStart: boolean;
  /** The end of a dotted unit may have been in a gap. */
  uncertain: boolean;
}

export class Reader implements Frames {
  readonly #grammar: Grammar;
  readonly #client: Direction;
  readonly #lanes: Record<Side, Lane> = { client: newLane(), server: newLane() };
  /** Whose octets are being cut: the others' are cut after that. */
  #running: Side | undefined;
  readonly #due = new Set<Side>();
  /** Units that have ended since they were taken last, in the order in which they began. */
  #ended: Unit[] = [];

  /** @param client the direction of the client's octets */
  constructor(grammar: Grammar, client: Direction) {
    this.#grammar = grammar;
    this.#client = client;
  }

  push(event: RecordedEvent): void {
    switch (event.type) {
      case 'octets':
        if (event.view !== 'network') this.#octets(event);
        return;
      case 'tls':
        if (event.tls.step === 'start') this.#secured();
        return;
      case 'closed':
        this.#grammar.undecided?.(this);
        this.#runDue();
        return;
      case 'annotation':
    }
  }

  /** Those that have ended since this was asked last. */
  takeEnded(): Unit[] {
    return this.#ended.splice(0);
  }

  /** What has not ended, as it stands. */
  unfinished(): Unit[] {
    const found: Unit[] = [];
    for (const side of ['client', 'server'] as const) {
      const { open, held, frame } = this.#lanes[side];
      let unit: Unit | undefined = open && { ...open, pieces: [...open.pieces], label: openLabel(open, frame) };
      for (const piece of held) {
        unit ??= newUnit(side, piece, piece.position, { role: 'unknown', name: '', about: { what: UNDECIDED } });
        take(unit, piece, piece.octets);
      }
      if (unit !== undefined) found.push(unit);
    }
    return found.sort((a, b) => a.seq - b.seq || a.position - b.position);
  }

  expect(side: Side, frame: Frame): void {
    const lane = this.#lanes[side];
    if (this.#running !== side) {
      if (lane.frame.type === 'dotted') this.#end(lane);
      this.#due.add(side);
    }
    lane.frame = frame;
    lane.lineStart = true;
    lane.uncertain = false;
  }

  #octets(event: RecordedOctets): void {
    const side: Side = event.direction === this.#client ? 'client' : 'server';
    const lane = this.#lanes[side];
    const octets = Buffer.from(event.octets.buffer, event.octets.byteOffset, event.octets.length);
    if (event.position > lane.next) this.#gap(side, event.position - lane.next);
    lane.next = event.position + octets.length;
    if (octets.length === 0) return;
    lane.held.push({ seq: event.seq, at: event.at, position: event.position, octets });
    this.#run(side);
    this.#runDue();
  }

  #runDue(): void {
    for (const side of this.#due) {
      this.#due.delete(side);
      this.#run(side);
    }
  }

  #gap(side: Side, octets: number): void {
    const lane = this.#lanes[side];
    const { frame } = lane;
    this.#flush(side);
    if (frame.type === 'octets' && frame.left > octets) lane.frame = { ...frame, left: frame.left - octets };
    else if (frame.type === 'rest') return;
    else if (frame.type === 'dotted') {
      lane.lineStart = false;
      lane.uncertain = true;
      this.#grammar.uncertain?.(side);
    } else {
      lane.frame = { type: 'lost' };
      lane.lineStart = false;
      this.#grammar.gap?.(side, this);
      this.#due.clear();
    }
  }

  #secured(): void {
    for (const side of ['client', 'server'] as const) {
      this.#flush(side);
      this.#lanes[side].frame = LINES;
    }
    this.#grammar.secured?.(this);
    this.#due.clear();
  }

  /** What has not ended ends here. */
  #flush(side: Side): void {
    const lane = this.#lanes[side];
    const held = lane.held.splice(0);
    for (const piece of held) this.#take(side, piece, piece.octets.length, UNKNOWN);
    if (lane.open !== undefined) {
      lane.open.label = openLabel(lane.open, lane.frame);
      this.#end(lane);
    }
  }

  #run(side: Side): void {
    const before = this.#running;
    this.#running = side;
    const lane = this.#lanes[side];
    while (lane.held.length > 0 && this.#step(side, lane));
    this.#running = before;
  }

  /** @returns false if nothing more can be cut now */
  #step(side: Side, lane: Lane): boolean {
    const { frame } = lane;
    const [first] = lane.held as [Held];
    switch (frame.type) {
      case 'waiting':
        return false;
      case 'rest':
        this.#takeFirst(side, lane, first.octets.length, frame.label);
        return true;
      case 'octets': {
        const count = Math.min(frame.left, first.octets.length);
        const left = frame.left - count;
        lane.frame = { ...frame, left };
        if (count > 0) this.#takeFirst(side, lane, count, frame.label);
        if (left > 0) return true;
        this.#end(lane);
        lane.frame = LINES;
        this.#grammar.complete?.(side, this);
        return true;
      }
      case 'dotted':
        return this.#dotted(side, lane, frame);
      case 'lines':
        return this.#line(side, lane);
      case 'lost':
        return this.#lost(side, lane);
    }
  }

  #line(side: Side, lane: Lane): boolean {
    const [first] = lane.held as [Held];
    if (lane.open === undefined && TLS_TYPES.includes(first.octets[0]!)) {
      const start = peek(lane.held, 2);
      if (start.length < 2) return false;
      if (TLS_RECORD.test(start)) {
        lane.frame = { type: 'rest', label: { role: 'unknown', name: 'TLS' } };
        return true;
      }
    }
    const lf = first.octets.indexOf(LF);
    this.#takeFirst(side, lane, lf === -1 ? first.octets.length : lf + 1, UNKNOWN);
    if (lf === -1) return true;
    const unit = lane.open!;
    // What the grammar says of the next frame is said while this unit still is the open one.
    lane.open = undefined;
    unit.label = this.#grammar.line(side, lineOf(unit), this);
    this.#ends(unit);
    return true;
  }

  #dotted(side: Side, lane: Lane, frame: Frame & { type: 'dotted' }): boolean {
    const [first] = lane.held as [Held];
    if (lane.lineStart && first.octets[0] === DOT) {
      const start = peek(lane.held, 3);
      if (start === '.' || start === '.\r') return false;
      if (start === '.\r\n') {
        this.#end(lane);
        for (let left = 3; left > 0;) {
          const count = Math.min(left, lane.held[0]!.octets.length);
          this.#takeFirst(side, lane, count, frame.end);
          left -= count;
        }
        this.#end(lane);
        lane.frame = LINES;
        this.#grammar.complete?.(side, this);
        return true;
      }
    }
    if (lane.lineStart && lane.uncertain && (first.octets[0] === PLUS || first.octets[0] === MINUS)) {
      const start = peek(lane.held, 4);
      if (start.length < 4 && !start.includes('\n')) return false;
      if (this.#grammar.plausible(side, start)) {
        this.#end(lane);
        lane.frame = LINES;
        return true;
      }
    }
    // Only a line that begins with a dot can be the last.
    const lf = lane.uncertain ? first.octets.indexOf(LF) : first.octets.indexOf(LF_DOT);
    this.#takeFirst(side, lane, lf === -1 ? first.octets.length : lf + 1, frame.label);
    // A bare LF ends no line of a message: RFC 5321 §2.3.8.
    lane.lineStart = lane.open!.tail.endsWith('\r\n');
    return true;
  }

  /** After a gap: the rest of a line, then lines until one is understood. */
  #lost(side: Side, lane: Lane): boolean {
    const [first] = lane.held as [Held];
    if (!lane.lineStart) {
      const lf = first.octets.indexOf(LF);
      this.#takeFirst(side, lane, lf === -1 ? first.octets.length : lf + 1, LOST);
      lane.lineStart = lf !== -1;
      return true;
    }
    const line = lineHeld(lane.held);
    if (line === undefined) return false;
    if (this.#grammar.plausible(side, line)) {
      this.#end(lane);
      lane.frame = LINES;
    } else lane.lineStart = false;
    return true;
  }

  #takeFirst(side: Side, lane: Lane, count: number, label: Label): void {
    const [first] = lane.held as [Held];
    this.#take(side, first, count, label);
    if (count === first.octets.length) lane.held.shift();
    else {
      const { octets, position } = first;
      lane.held[0] = { ...first, octets: octets.subarray(count), position: position + count };
    }
  }

  #take(side: Side, from: Held, count: number, label: Label): void {
    const lane = this.#lanes[side];
    lane.open ??= newUnit(side, from, from.position, label);
    take(lane.open, from, from.octets.subarray(0, count));
  }

  #end(lane: Lane): void {
    if (lane.open !== undefined) this.#ends(lane.open);
    lane.open = undefined;
  }

  #ends(unit: Unit): void {
    unit.ended = true;
    this.#ended.push(unit);
  }
}

const UNDECIDED = 'What this is depends on the answer of the other side, which has not come yet.';
const LOST: Label = {
  role: 'unknown',
  name: '',
  about: { what: 'What came before this was not kept, so that its place cannot be told.' },
};

function newLane(): Lane {
  return { frame: LINES, open: undefined, held: [], next: 0, lineStart: true, uncertain: false };
}

function newUnit(side: Side, from: Held, position: number, label: Label): Unit {
  const { seq, at } = from;
  return { side, seq, at, position, lastSeq: seq, octets: 0, label, pieces: [], kept: 0, tail: '', ended: false };
}

function take(unit: Unit, from: Held, octets: Buffer): void {
  unit.lastSeq = Math.max(unit.lastSeq, from.seq);
  unit.octets += octets.length;
  if (unit.kept < MOST_KEPT) {
    const piece = octets.subarray(0, MOST_KEPT - unit.kept);
    unit.pieces.push(piece);
    unit.kept += piece.length;
  }
  unit.tail = (unit.tail + octets.toString('latin1', Math.max(0, octets.length - TAIL))).slice(-TAIL);
}

/** A line that has not ended is not judged yet. */
function openLabel(unit: Unit, frame: Frame): Label {
  if (frame.type !== 'lines' || unit.label !== UNKNOWN) return unit.label;
  return { ...UNKNOWN, about: { what: 'This line has not ended yet.' } };
}

function lineOf(unit: Unit): Line {
  const octets = unit.pieces.length === 1 ? unit.pieces[0]! : Buffer.concat(unit.pieces);
  const withoutEnd = (text: string): string => text.replace(/\r?\n$/, '');
  const { position, seq, at } = unit;
  return { text: withoutEnd(octets.toString('latin1')), tail: withoutEnd(unit.tail), position, seq, at };
}

/** The first octets that are held, as characters. */
function peek(held: readonly Held[], count: number): string {
  let found = '';
  for (const { octets } of held) {
    if (found.length >= count) break;
    found += octets.toString('latin1', 0, count - found.length);
  }
  return found;
}

/** The first line that is held, if it has ended or is too long for one. */
function lineHeld(held: readonly Held[]): string | undefined {
  let found = '';
  for (const { octets } of held) {
    const lf = octets.indexOf(LF);
    found += octets.toString('latin1', 0, lf === -1 ? octets.length : lf);
    if (lf !== -1 || found.length > LONGEST_START) return found.replace(/\r$/, '');
  }
  return undefined;
}
