/**
 * What passed on the wire, which way and when: a bounded ring of conversations for those who watch.
 * It holds raw octets, secrets included: every way out of it goes through the veil (`glass/veil.ts`).
 */
import type { Annotation, Endpoint, TlsInfo } from './connection.ts';
import { OctetLog, SlabPool, type Piece } from './octet-log.ts';

/** Seen from this machine: `in` is what the peer sent. */
export type Direction = 'in' | 'out';

/** `network`: below the first layer, as an eavesdropper has it. `ends`: above the last. `both`: there is no layer, they are the same. */
export type View = 'network' | 'ends' | 'both';

/** Octets that passed together. */
export interface RecordedOctets {
  readonly type: 'octets';
  /** The event's number in its conversation, from 1. */
  readonly seq: number;
  /** Milliseconds since the conversation was opened. */
  readonly at: number;
  readonly direction: Direction;
  readonly view: View;
  /** How many octets had passed before these in the same direction and view. */
  readonly position: number;
  readonly octets: Uint8Array;
}

/** `RecordedOctets` without the octets. */
export type Moment = Pick<RecordedOctets, 'seq' | 'at' | 'direction' | 'view'>;

export interface RecordedAnnotation {
  readonly type: 'annotation';
  readonly seq: number;
  readonly at: number;
  readonly annotation: Annotation;
}

export type TlsStep =
  | { readonly step: 'start' }
  | { readonly step: 'end'; readonly tls: TlsInfo }
  /** `code` as Node names it (`ERR_SSL_TLSV1_ALERT_UNKNOWN_CA`); `alert` is the peer's alert (RFC 8446 §6), if it sent one. */
  | { readonly step: 'failed'; readonly code: string; readonly message: string; readonly alert: number | undefined };

export interface RecordedTls {
  readonly type: 'tls';
  readonly seq: number;
  readonly at: number;
  readonly tls: TlsStep;
}

export interface RecordedClose {
  readonly type: 'closed';
  readonly seq: number;
  readonly at: number;
  readonly by: 'peer' | 'us';
  readonly how: CloseManner;
}

/** `fin`: in order. `reset`: RST. `timeout`: a deadline passed. `error`: anything else, such as an unreachable network. */
export type CloseManner = 'fin' | 'reset' | 'timeout' | 'error';

export type RecordedEvent = RecordedOctets | RecordedAnnotation | RecordedTls | RecordedClose;

/** What a slice of a conversation's events lacks, because its middle was not kept. */
export interface Missed {
  readonly events: number;
  readonly octets: number;
}

export interface RecorderOptions {
  /** Octets of memory for all conversations together; 0 turns the recording off. */
  readonly capacity?: number;
  /** Octets of memory for one conversation: half for its start, half for its end. */
  readonly perConversation?: number;
  /** The number of the first conversation. It follows the clock, so that a later start of the server never repeats one. */
  readonly firstNumber?: number;
}

const MEBIBYTE = 1 << 20;
/** What an annotation or a step of TLS costs beside its texts. */
const NOTE_COST = 256;
const COPY_COST = 64;
const CONVERSATION_COST = 1024;
/** How many annotations and TLS events are kept of a conversation's start, and as many of its end. */
const NOTES_KEPT = 256;
/** Lines of the key log: five of a handshake of TLS 1.3, and one for each update of keys. */
const KEYS_KEPT = 64;

/** One recorded connection. Written by its connection through `Recorder`, read by everybody else. */
export class Conversation {
  readonly id: string;
  readonly number: number;
  readonly service: string;
  readonly protocol: string;
  readonly role: 'server' | 'client';
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** The same by the clock that only goes on: by it moments of several conversations are compared. */
  readonly openedTick: number;
  closedAt: number | undefined;
  closedBy: 'peer' | 'us' | undefined;
  closedHow: CloseManner | undefined;
  tls: TlsInfo | undefined;
  /** This server is at both ends: it asks its own port for somebody who looks at its pages. */
  isOwn = false;
  /** The login that the session announced last. */
  login: string | undefined;
  /** All that it announced: one connection may serve several (RFC 8437). */
  readonly logins = new Set<string>();
  /** The test scopes whose mail passed; '' for everything that belongs to none. */
  readonly scopes = new Set<string>();
  /** Octets that passed, kept or not. */
  readonly passed = { networkIn: 0, networkOut: 0, endsIn: 0, endsOut: 0 };
  /** The recorder's revision at which this conversation was opened, and at which it changed last. */
  openedRevision = 0;
  revision = 0;
  /** The recorder's order of change: which one changed next before this one, and next after it. */
  older: Conversation | undefined;
  newer: Conversation | undefined;

  readonly #recorder: Recorder;
  readonly #half: number;
  #seq = 0;
  #noteSeq = 0;
  #cost = CONVERSATION_COST;
  /** False once the ring has let it go: a connection that lives on writes nothing more. */
  #kept = true;
  readonly #head: OctetLog;
  readonly #tail: OctetLog;
  #gapOctets = 0;
  readonly #keyLog: string[] = [];
  readonly #notes: (RecordedAnnotation | RecordedTls | RecordedClose)[] = [];
  #lateNotes: (RecordedAnnotation | RecordedTls | RecordedClose)[] = [];

  constructor(
    recorder: Recorder,
    number: number,
    opening: ConversationOpening,
    perConversation: number,
    memory: SlabPool,
  ) {
    this.#recorder = recorder;
    this.#head = new OctetLog(memory);
    this.#tail = new OctetLog(memory);
    this.#half = perConversation / 2;
    this.openedTick = performance.now();
    this.number = number;
    this.id = conversationId(number);
    this.service = opening.service;
    this.protocol = opening.protocol;
    this.role = opening.role;
    this.local = opening.local;
    this.remote = opening.remote;
    this.openedAt = Date.now();
  }

  /** The number of the newest event. */
  get lastSeq(): number {
    return this.#seq;
  }

  /** That of the newest event that is no octets: until it changes, a conversation has only grown. */
  get noteSeq(): number {
    return this.#noteSeq;
  }

  /** Octets of memory that it takes, estimated. */
  get cost(): number {
    return this.#cost;
  }

  /** Octets of both views that were not kept. */
  get gapOctets(): number {
    return this.#gapOctets;
  }

  /** Octets of the events between these two numbers are not kept; undefined: all are. */
  get gap(): { readonly after: number; readonly before: number } | undefined {
    if (this.#gapOctets === 0) return undefined;
    return { after: this.#head.lastSeq, before: this.#tail.firstSeq };
  }

  /** Every event that is kept and has a number above `seq`, in order. */
  since(seq: number): { readonly events: RecordedEvent[]; readonly missed: Missed } {
    const events: RecordedEvent[] = [];
    for (const log of [this.#head, this.#tail]) for (const piece of log.since(seq)) events.push(toRecorded(piece));
    for (const event of this.#notes) if (event.seq > seq) events.push(event);
    for (const event of this.#lateNotes) if (event.seq > seq) events.push(event);
    events.sort((a, b) => a.seq - b.seq);
    const missed = Math.max(0, this.#seq - seq) - events.length;
    return { events, missed: { events: missed, octets: missed === 0 ? 0 : this.#gapOctets } };
  }

  /** When which octets passed, as far as it is kept; in order. */
  moments(): readonly Moment[] {
    return [...this.#head.heads(), ...this.#tail.heads()].map(({ seq, at, kind }) => ({
      seq,
      at,
      direction: directionOf(kind),
      view: viewOf(kind),
    }));
  }

  /** Every annotation that is kept, in order. */
  annotations(): readonly RecordedAnnotation[] {
    return [...this.#notes, ...this.#lateNotes].filter((event) => event.type === 'annotation');
  }

  /** Every step of TLS that is kept, in order. */
  tlsSteps(): readonly RecordedTls[] {
    return [...this.#notes, ...this.#lateNotes].filter((event) => event.type === 'tls');
  }

  /** False with the recording off, or once it was let go. */
  get recording(): boolean {
    return this.#kept;
  }

  /** Keeps a copy. */
  octets(direction: Direction, view: View, octets: Uint8Array): void {
    if (!this.#kept) return;
    const { passed } = this;
    let position: number;
    if (direction === 'in') {
      position = view === 'network' ? passed.networkIn : passed.endsIn;
      if (view !== 'ends') passed.networkIn += octets.length;
      if (view !== 'network') passed.endsIn += octets.length;
    } else {
      position = view === 'network' ? passed.networkOut : passed.endsOut;
      if (view !== 'ends') passed.networkOut += octets.length;
      if (view !== 'network') passed.endsOut += octets.length;
    }
    const isStart = this.#tail.count === 0 && this.#head.memory + octets.length <= this.#half;
    const log = isStart ? this.#head : this.#tail;
    const before = log.memory;
    log.push(++this.#seq, this.#now(), kindOf(direction, view), position, octets);
    if (!isStart) this.#trimTail();
    this.#changed(log.memory - before);
  }

  /** Says whose mail passes. @param scope undefined: nobody's in particular */
  concerns(scope: string | undefined): void {
    this.scopes.add(scope ?? '');
  }

  annotate(annotation: Annotation): void {
    if (!this.#kept) return;
    if (annotation.type === 'login') {
      this.login = annotation.login;
      this.logins.add(annotation.login);
    }
    this.#note({ type: 'annotation', seq: ++this.#seq, at: this.#now(), annotation });
  }

  tlsStep(tls: TlsStep): void {
    if (!this.#kept) return;
    if (tls.step === 'end') this.tls = tls.tls;
    this.#note({ type: 'tls', seq: ++this.#seq, at: this.#now(), tls });
  }

  /** With these lines (the form of SSLKEYLOGFILE, as NSS has it) what passed under TLS can be read: they are secrets. */
  get keyLog(): readonly string[] {
    return this.#keyLog;
  }

  /** Keeps a line of TLS's key log. */
  tlsKey(line: string): void {
    if (!this.#kept || this.#keyLog.length >= KEYS_KEPT) return;
    this.#keyLog.push(line);
    this.#changed(2 * line.length);
  }

  closed(by: 'peer' | 'us', how: CloseManner): void {
    if (!this.#kept || this.closedAt !== undefined) return;
    this.closedAt = Date.now();
    this.closedBy = by;
    this.closedHow = how;
    this.#note({ type: 'closed', seq: ++this.#seq, at: this.#now(), by, how });
    this.#recorder.closed(this);
  }

  /** What is thought of it has changed, though nothing has passed: those who watch look again. */
  touch(): void {
    if (this.#kept) this.#changed(0);
  }

  /** The ring lets it go: others have its memory now. */
  release(): void {
    this.#kept = false;
    this.#keyLog.length = 0;
    this.#head.clear();
    this.#tail.clear();
  }

  /** Stops the recording and forgets what there is: for a connection that would only show the watcher to himself. */
  discard(): void {
    if (this.#kept) this.#recorder.discard(this);
  }

  #now(): number {
    return performance.now() - this.openedTick;
  }

  #trimTail(): void {
    while (this.#tail.memory > this.#half && this.#tail.count > 1) this.#gapOctets += this.#tail.shift();
  }

  #note(event: RecordedAnnotation | RecordedTls | RecordedClose): void {
    const cost = NOTE_COST + (event.type === 'annotation' ? textLength(event.annotation) : 0);
    this.#noteSeq = event.seq;
    if (this.#notes.length < NOTES_KEPT) {
      this.#notes.push(event);
      this.#changed(cost);
      return;
    }
    this.#lateNotes.push(event);
    let freed = 0;
    // In halves, so that a session of many annotations does not shift the list each time.
    if (this.#lateNotes.length > 2 * NOTES_KEPT) {
      for (const old of this.#lateNotes.splice(0, NOTES_KEPT)) {
        freed += NOTE_COST + (old.type === 'annotation' ? textLength(old.annotation) : 0);
      }
    }
    this.#changed(cost - freed);
  }

  #changed(cost: number): void {
    this.#cost += cost;
    this.#recorder.grown(this, cost);
  }
}

const VIEWS: readonly View[] = ['network', 'ends', 'both'];

const kindOf = (direction: Direction, view: View): number => 2 * VIEWS.indexOf(view) + (direction === 'in' ? 0 : 1);

const directionOf = (kind: number): Direction => (kind % 2 === 0 ? 'in' : 'out');
const viewOf = (kind: number): View => VIEWS[kind >> 1]!;

function toRecorded({ seq, at, kind, position, octets }: Piece & { readonly octets: Uint8Array }): RecordedOctets {
  return {
    type: 'octets',
    seq,
    at,
    direction: directionOf(kind),
    view: viewOf(kind),
    position,
    octets,
  };
}

export interface ConversationOpening {
  readonly service: string;
  /** `imap`, `smtp`, …: which grammar reads it. */
  readonly protocol: string;
  readonly role: 'server' | 'client';
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface ConversationChanges {
  readonly revision: number;
  /** In the order of opening. */
  readonly changed: Conversation[];
  readonly missed: number;
  readonly cleared: boolean;
}

export class Recorder {
  readonly capacity: number;
  readonly #perConversation: number;
  #nextNumber: number;
  #revision = 0;
  #cost = 0;
  readonly #memory: SlabPool;
  /** In the order of opening. */
  readonly #open = new Map<string, Conversation>();
  /** In the order of closing: the first ones go first. */
  readonly #closed = new Map<string, Conversation>();
  /** At which revisions the conversations were opened that have gone: the newest of them. */
  readonly #goneRevisions: number[] = [];
  /** That changed last; from here on each knows the one before. */
  #newest: Conversation | undefined;
  /** When the closed ones were let go because somebody wished it. */
  #clearedRevision = 0;
  readonly #watchers = new Set<() => void>();
  #announced = false;

  constructor(options: RecorderOptions = {}) {
    this.capacity = options.capacity ?? 64 * MEBIBYTE;
    this.#perConversation = options.perConversation ?? MEBIBYTE;
    this.#memory = new SlabPool(this.capacity, this.#perConversation / 2);
    this.#nextNumber = options.firstNumber ?? Date.now() * 1000;
  }

  get recording(): boolean {
    return this.capacity > 0;
  }

  /** Octets of memory taken, estimated. */
  get cost(): number {
    return this.#cost;
  }

  /** Grows with every event. */
  get revision(): number {
    return this.#revision;
  }

  /** Begins a conversation. With the recording off it still has its id, but keeps nothing. */
  open(opening: ConversationOpening): Conversation {
    const conversation = new Conversation(this, this.#nextNumber++, opening, this.#perConversation, this.#memory);
    if (!this.recording) {
      conversation.release();
      return conversation;
    }
    this.#open.set(conversation.id, conversation);
    conversation.openedRevision = this.#revision + 1;
    this.grown(conversation, CONVERSATION_COST);
    return conversation;
  }

  /** `gone`: it was recorded (or came before a restart) and is no longer kept. `undefined`: there never was one. */
  find(id: string): Conversation | 'gone' | undefined {
    const kept = this.#open.get(id) ?? this.#closed.get(id);
    if (kept !== undefined) return kept;
    const number = conversationNumber(id);
    return number !== undefined && number < this.#nextNumber ? 'gone' : undefined;
  }

  /** All that are kept, in the order of opening. */
  list(): Conversation[] {
    return [...this.#closed.values(), ...this.#open.values()].sort((a, b) => a.number - b.number);
  }

  /**
   * What changed after a revision: the feed's one question.
   * `missed` counts conversations that were opened after it and are gone already (it stops at 1,024). `cleared`: closed
   * ones were let go because somebody wished it. Costs as much as there are changes, not as many as are kept.
   */
  since(revision: number): ConversationChanges {
    const changed: Conversation[] = [];
    for (let next = this.#newest; next !== undefined && next.revision > revision; next = next.older) changed.push(next);
    let missed = 0;
    // In the order of going, which is nearly that of opening.
    for (const opened of this.#goneRevisions) if (opened > revision) missed++;
    return {
      revision: this.#revision,
      changed: changed.sort((a, b) => a.number - b.number),
      missed,
      cleared: this.#clearedRevision > revision,
    };
  }

  /** Calls `look` after something changed, once per turn of the loop. @returns the way to end that */
  watch(look: () => void): () => void {
    this.#watchers.add(look);
    return () => this.#watchers.delete(look);
  }

  /** Lets the closed conversations go, or those of them that are meant. @returns how many */
  clear(isMeant: (conversation: Conversation) => boolean = () => true): number {
    const meant = [...this.#closed.values()].filter(isMeant);
    for (const conversation of meant) this.#remove(conversation);
    if (meant.length > 0) {
      this.#clearedRevision = ++this.#revision;
      if (this.#watchers.size > 0 && !this.#announced) this.#announce();
    }
    return meant.length;
  }

  /** Called by a conversation that took `cost` octets more. */
  grown(conversation: Conversation, cost: number): void {
    conversation.revision = ++this.#revision;
    if (this.#newest !== conversation) {
      this.#unlink(conversation);
      conversation.older = this.#newest;
      if (this.#newest) this.#newest.newer = conversation;
      this.#newest = conversation;
    }
    this.#cost += cost;
    if (this.#cost > this.capacity) this.#makeRoom(conversation);
    if (this.#watchers.size > 0 && !this.#announced) this.#announce();
  }

  closed(conversation: Conversation): void {
    if (this.#open.delete(conversation.id)) this.#closed.set(conversation.id, conversation);
  }

  discard(conversation: Conversation): void {
    this.#remove(conversation);
  }

  #makeRoom(current: Conversation): void {
    for (const kept of [this.#closed, this.#open]) {
      for (const conversation of kept.values()) {
        if (this.#cost <= this.capacity) return;
        if (conversation !== current) this.#remove(conversation);
      }
    }
  }

  #remove(conversation: Conversation): void {
    conversation.release();
    this.#open.delete(conversation.id);
    this.#closed.delete(conversation.id);
    this.#unlink(conversation);
    this.#cost -= conversation.cost;
    this.#goneRevisions.push(conversation.openedRevision);
    if (this.#goneRevisions.length > 2048) this.#goneRevisions.splice(0, 1024);
  }

  #unlink(conversation: Conversation): void {
    const { older, newer } = conversation;
    if (older) older.newer = newer;
    if (newer) newer.older = older;
    if (this.#newest === conversation) this.#newest = older;
    conversation.older = conversation.newer = undefined;
  }

  #announce(): void {
    this.#announced = true;
    setImmediate(() => {
      this.#announced = false;
      for (const look of this.#watchers) look();
    });
  }
}

function conversationId(number: number): string {
  return number.toString(36);
}

function conversationNumber(id: string): number | undefined {
  if (!/^[0-9a-z]{1,11}$/.test(id)) return undefined;
  const number = Number.parseInt(id, 36);
  return conversationId(number) === id ? number : undefined;
}

function textLength(annotation: Annotation): number {
  let length = 0;
  for (const value of Object.values(annotation)) if (typeof value === 'string') length += 2 * value.length;
  if (annotation.type === 'stored') length += COPY_COST * annotation.copies.length;
  return length;
}
