/**
 * What is known of a conversation, in the order in which it happened: what the ends said, what crossed the network, and
 * what was remarked. It grows as news come, without looking at all of it again, and has a limit.
 */
import type { ConversationEvent, ConversationDetail } from '../http/schemas/conversations.ts';
import type { Spoken } from '../http/schemas/reading.ts';

export type Side = 'client' | 'server';
export type Annotation = Extract<ConversationEvent, { type: 'annotation' }>['annotation'];
export type TlsStep = Extract<ConversationEvent, { type: 'tls' }>['tls'];
type OctetsEvent = Extract<ConversationEvent, { type: 'text' | 'binary' }>;

/**
 * What a record of TLS is, as far as an eavesdropper can tell: `handshake` and `alert` in clear, `encrypted` all that
 * follows; `opaque`: no record, or one that is told from nothing.
 */
export type RecordContent = 'handshake' | 'alert' | 'encrypted' | 'opaque';

interface EntryFields {
  /** `e17`; what else began in that event is `e17-2` and so on. */
  readonly id: string;
  /** Of the events in which it began and ended. */
  readonly seq: number;
  readonly lastSeq: number;
  /** Milliseconds since the conversation was opened. */
  readonly at: number;
}

export interface UnitEntry extends EntryFields {
  readonly type: 'unit';
  readonly unit: Spoken;
  /** It crossed the network as it stands here. */
  readonly isReadable: boolean;
  /** Of what completes a command: how long the server took for it, in milliseconds, and which entry that is. */
  readonly answers: { readonly ms: number; readonly id: string } | undefined;
}

export interface NetworkEntry extends EntryFields {
  readonly type: 'network';
  readonly side: Side;
  readonly content: RecordContent;
  readonly octets: number;
  /** How many octets each record has; of very many, the first ones. */
  readonly records: readonly number[];
  readonly recordCount: number;
  /** The first octets of it, one character each. */
  readonly head: string;
}

export type MissedEntry = EntryFields & {
  readonly type: 'missed';
  readonly events: number;
  /** `server`: not kept. `feed`: not sent, since the page was too slow. `page`: put away here. */
  readonly by: 'server' | 'feed' | 'page';
};

export type Entry =
  | UnitEntry
  | NetworkEntry
  | MissedEntry
  | (EntryFields & { readonly type: 'tls'; readonly tls: TlsStep; readonly handshake: Handshake | undefined })
  | (EntryFields & { readonly type: 'annotation'; readonly annotation: Annotation })
  | (EntryFields & { readonly type: 'closed'; readonly by: 'peer' | 'us'; readonly how: string });

/** Octets of a handshake, from either side. */
export interface Handshake {
  readonly client: number;
  readonly server: number;
}

export type WireNews = Pick<ConversationDetail, 'events' | 'spoken'>;

/** More than these are not kept here: then some go, after the first ones. */
const MOST = 20_000;
const FIRST_KEPT = 500;
const PUT_AWAY = 2000;
const RECORDS_LISTED = 64;
const HEAD = 64;

export class WireLog {
  readonly #client: 'in' | 'out';
  readonly #entries: Entry[] = [];
  /** Where units are, by side and position. Only the end of the log grows. */
  readonly #units = new Map<string, number>();
  /** How many entries went, so that places in `#units` stay right. */
  #putAway = 0;
  readonly #records = { in: new TlsRecords(), out: new TlsRecords() };
  readonly #passed = { client: 0, server: 0 };
  #handshakeFrom: Handshake | undefined;
  /** Since then, what the ends say is carried by a layer. */
  #isLayered = false;
  #lastSeq = 0;
  #isBegun = false;
  #lastId = '';
  #sameId = 1;

  /** @param client which direction the client's octets have */
  constructor(client: 'in' | 'out') {
    this.#client = client;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  add({ events, spoken }: WireNews): void {
    const news = events.filter(({ seq }) => seq > this.#lastSeq);
    const layered = new Map<number, boolean>();
    for (const event of news) {
      if (isOctets(event) && event.view !== 'network') layered.set(event.seq, event.view === 'ends');
    }
    let next = 0;
    const speakUntil = (seq: number): void => {
      for (; next < spoken.length && spoken[next]!.seq <= seq; next++) this.#addUnit(spoken[next]!, layered);
    };
    for (const event of news) {
      // A unit that has grown began earlier; one that is new comes where it began.
      speakUntil(event.seq - 1);
      // Events are numbered without gaps: what is not here was not kept, or not sent.
      const expected = this.#lastSeq + 1;
      if (event.seq > expected) this.#addMissed(expected, event.seq - expected, event.at);
      this.#lastSeq = event.seq;
      this.#addEvent(event);
    }
    speakUntil(Number.MAX_SAFE_INTEGER);
    this.#isBegun = true;
    if (this.#entries.length > MOST) this.#makeRoom();
  }

  #addUnit(unit: Spoken, layered: ReadonlyMap<number, boolean>): void {
    const key = `${unit.side}${unit.position}`;
    const place = this.#units.get(key);
    const before = place === undefined ? undefined : this.#entries[place - this.#putAway];
    if (before?.type === 'unit') {
      this.#entries[place! - this.#putAway] = { ...before, unit, lastSeq: unit.lastSeq };
      return;
    }
    this.#isLayered = layered.get(unit.seq) ?? this.#isLayered;
    const { seq, lastSeq, at } = unit;
    const answers = this.#answered(unit);
    this.#units.set(key, this.#putAway + this.#entries.length);
    this.#push({ type: 'unit', id: this.#id(seq), seq, lastSeq, at, unit, isReadable: !this.#isLayered, answers });
  }

  /** Of several lines, the last one tells how long it took: RFC 5321 §4.2.1. */
  #answered({ answers, at, role, text }: Spoken): UnitEntry['answers'] {
    if (answers === null || role !== 'reply' || /^\d{3}-/.test(text)) return undefined;
    const place = this.#units.get(`client${answers}`);
    const command = place === undefined ? undefined : this.#entries[place - this.#putAway];
    return command === undefined ? undefined : { ms: at - command.at, id: command.id };
  }

  #addEvent(event: ConversationEvent): void {
    const { seq, at } = event;
    switch (event.type) {
      case 'text':
      case 'binary':
        this.#addOctets(event);
        return;
      case 'tls': {
        const { client, server } = this.#passed;
        const from = this.#handshakeFrom;
        const handshake = from && { client: client - from.client, server: server - from.server };
        if (event.tls.step === 'start') this.#handshakeFrom = { client, server };
        this.#push({ type: 'tls', id: this.#id(seq), seq, lastSeq: seq, at, tls: event.tls, handshake });
        return;
      }
      case 'annotation':
        // What is hidden shows by its marks.
        if (event.annotation.type === 'secret') return;
        this.#push({ type: 'annotation', id: this.#id(seq), seq, lastSeq: seq, at, annotation: event.annotation });
        return;
      case 'closed':
        this.#push({ type: 'closed', id: this.#id(seq), seq, lastSeq: seq, at, by: event.by, how: event.how });
    }
  }

  #addOctets(event: OctetsEvent): void {
    const side = event.direction === this.#client ? 'client' : 'server';
    if (event.view !== 'ends') this.#passed[side] += event.octets;
    if (event.view !== 'network') return;
    for (const record of this.#records[event.direction].read(event)) this.#addRecord(record, event, side);
  }

  #addRecord({ content, octets, begins, head }: RecordPiece, { seq, at }: OctetsEvent, side: Side): void {
    const before = this.#entries.at(-1);
    if (before?.type === 'network' && before.side === side && (before.content === content || !begins)) {
      const records = [...before.records];
      if (!begins && records.length === before.recordCount) records[records.length - 1]! += octets;
      else if (begins && records.length < RECORDS_LISTED) records.push(octets);
      this.#entries[this.#entries.length - 1] = {
        ...before,
        lastSeq: seq,
        octets: before.octets + octets,
        records,
        recordCount: before.recordCount + (begins ? 1 : 0),
        head: before.head.length < HEAD ? (before.head + head).slice(0, HEAD) : before.head,
      };
      return;
    }
    const fields = { id: this.#id(seq), seq, lastSeq: seq, at, side, content, octets };
    this.#push({ type: 'network', ...fields, records: [octets], recordCount: 1, head: head.slice(0, HEAD) });
  }

  #addMissed(seq: number, events: number, at: number): void {
    const by = this.#isBegun ? 'feed' : 'server';
    this.#push({ type: 'missed', id: `m${seq}`, seq, lastSeq: seq + events - 1, at, events, by });
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
  }

  #id(seq: number): string {
    const id = `e${seq}`;
    if (id !== this.#lastId) {
      this.#lastId = id;
      this.#sameId = 1;
      return id;
    }
    this.#sameId++;
    return `${id}-${this.#sameId}`;
  }

  /** A long conversation keeps its start and its end here, too. */
  #makeRoom(): void {
    const before = this.#entries[FIRST_KEPT];
    const isGap = before?.type === 'missed' && before.by === 'page';
    const count = PUT_AWAY + (isGap ? 1 : 0);
    const gone = this.#entries.slice(FIRST_KEPT, FIRST_KEPT + count);
    const { seq, at } = gone[0]!;
    const lastSeq = gone.at(-1)!.lastSeq;
    const events = lastSeq - seq + 1;
    for (const entry of gone) if (entry.type === 'unit') this.#units.delete(`${entry.unit.side}${entry.unit.position}`);
    this.#entries.splice(FIRST_KEPT, count, { type: 'missed', id: `m${seq}`, seq, lastSeq, at, events, by: 'page' });
    this.#putAway += count - 1;
    // Those at the start have moved against all others.
    for (let at = 0; at < FIRST_KEPT; at++) {
      const entry = this.#entries[at]!;
      if (entry.type === 'unit') this.#units.set(`${entry.unit.side}${entry.unit.position}`, this.#putAway + at);
    }
  }
}

function isOctets(event: ConversationEvent): event is OctetsEvent {
  return event.type === 'text' || event.type === 'binary';
}

interface RecordPiece {
  readonly content: RecordContent;
  readonly octets: number;
  /** It is the beginning of a record, or of what is none. */
  readonly begins: boolean;
  readonly head: string;
}

/**
 * The records in one direction (RFC 8446 §5.1: type, version, length), as far as an eavesdropper can tell them apart:
 * application data is all that he sees once keys are agreed.
 */
class TlsRecords {
  /** Where the next octets are expected; undefined: anywhere, for what came before was in clear. */
  #position: number | undefined;
  /** Of a record that is not complete. */
  #left = 0;
  #content: RecordContent = 'opaque';
  #header: number[] = [];
  #isLost = false;

  *read(event: OctetsEvent): Generator<RecordPiece> {
    const isNext = event.position === (this.#position ?? event.position);
    if (event.type === 'text' || event.secrets.length > 0 || !isNext) this.#isLost = true;
    this.#position = event.position + event.octets;
    if (this.#isLost || event.type === 'text') {
      const head = event.type === 'binary' ? atob(event.base64.slice(0, 88)) : '';
      yield { content: 'opaque', octets: event.octets, begins: true, head };
      return;
    }
    const octets = atob(event.base64);
    let at = 0;
    while (at < octets.length) {
      const start = at;
      const begins = this.#left === 0 && this.#header.length === 0;
      if (this.#left === 0) {
        // Five octets, which may come in pieces themselves.
        while (this.#header.length < 5 && at < octets.length) this.#header.push(octets.charCodeAt(at++));
        if (!this.#begin()) {
          yield { content: 'opaque', octets: octets.length - start, begins, head: octets.slice(start, start + HEAD) };
          return;
        }
      }
      const here = Math.min(this.#left, octets.length - at);
      this.#left -= here;
      at += here;
      yield {
        content: this.#content,
        octets: at - start,
        begins,
        head: octets.slice(start, Math.min(at, start + HEAD)),
      };
    }
  }

  /** False: what came is no record. */
  #begin(): boolean {
    const [type = 0, major = 3, , high = 0, low = 0] = this.#header;
    this.#isLost = type < 20 || type > 24 || major !== 3;
    this.#content = type === 23 ? 'encrypted' : type === 21 ? 'alert' : 'handshake';
    if (this.#header.length === 5) {
      this.#left = high * 256 + low;
      this.#header = [];
    }
    return !this.#isLost;
  }
}
