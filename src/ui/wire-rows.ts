/** The events of a conversation as rows for the eye: pieces put together into lines, long runs folded. Pure. */
import type { ConversationEvent } from '../http/schemas/conversations.ts';

export type Lens = 'server' | 'eavesdropper';
export type Side = 'client' | 'server';

type OctetsEvent = Extract<ConversationEvent, { type: 'text' | 'binary' }>;
type TextEvent = Extract<ConversationEvent, { type: 'text' }>;
export type Annotation = Extract<ConversationEvent, { type: 'annotation' }>['annotation'];
export type TlsStep = Extract<ConversationEvent, { type: 'tls' }>['tls'];

interface RowFields {
  /** Of the event in which it began. */
  readonly seq: number;
  /** Milliseconds since the conversation was opened. */
  readonly at: number;
}

export interface LineRow extends RowFields {
  readonly type: 'line';
  readonly side: Side;
  /** Without its end; hidden octets as `•`. */
  readonly text: string;
  /** Each character beyond ASCII stands for one octet. */
  readonly isOctets: boolean;
  readonly octets: number;
  readonly hasSecret: boolean;
  /** `none`: it has not ended yet, or never did. */
  readonly end: 'crlf' | 'lf' | 'none';
}

export type WireRow =
  | LineRow
  /** A run of lines of one side, of which the first ones are shown before. */
  | (RowFields & {
      readonly type: 'fold';
      readonly side: Side;
      readonly lines: readonly LineRow[];
      readonly octets: number;
    })
  /** What is no text, or what TLS hides. */
  | (RowFields & {
      readonly type: 'octets';
      readonly side: Side;
      readonly octets: number;
      readonly content: 'binary' | RecordContent;
    })
  | (RowFields & { readonly type: 'tls'; readonly tls: TlsStep })
  | (RowFields & { readonly type: 'annotation'; readonly annotation: Annotation })
  | (RowFields & { readonly type: 'silence'; readonly ms: number })
  | (RowFields & { readonly type: 'closed'; readonly by: 'peer' | 'us'; readonly how: string });

/** A run of more lines than this is folded behind its first ones. */
const FOLD_OVER = 14;
const BEFORE_FOLD = 3;
/** What the records of TLS that a row stands for are: `opaque` where that cannot be told. */
export type RecordContent = 'handshake' | 'encrypted' | 'opaque';

const SILENCE_MS = 1000;
/** What the server puts in the place of a hidden octet. */
const MARK = '•';

/** @param client which direction the client's octets have */
export function wireRows(events: readonly ConversationEvent[], lens: Lens, client: 'in' | 'out'): WireRow[] {
  const rows: WireRow[] = [];
  const records = { in: new TlsRecords(), out: new TlsRecords() };
  for (const event of events) {
    if (isHidden(event, lens)) continue;
    const before = rows.at(-1);
    if (before && event.at - before.at > SILENCE_MS) {
      rows.push({ type: 'silence', seq: event.seq, at: event.at, ms: event.at - before.at });
    }
    if ((event.type === 'text' || event.type === 'binary') && event.view === 'network') {
      addRecords(rows, event, sideOf(event, client), records[event.direction]);
    } else addEvent(rows, event, client);
  }
  return folded(rows);
}

/** The two ends see what TLS carries, the network what carries it. What sessions remark, an eavesdropper does not hear. */
function isHidden(event: ConversationEvent, lens: Lens): boolean {
  switch (event.type) {
    case 'text':
    case 'binary':
      return event.view === (lens === 'server' ? 'network' : 'ends');
    case 'annotation':
      return lens === 'eavesdropper' || event.annotation.type === 'secret';
    case 'tls':
    case 'closed':
      return false;
  }
}

function addEvent(rows: WireRow[], event: ConversationEvent, client: 'in' | 'out'): void {
  const { seq, at } = event;
  switch (event.type) {
    case 'text':
      addLines(rows, event, sideOf(event, client));
      return;
    case 'binary':
      addOctets(rows, event, sideOf(event, client), 'binary', event.octets);
      return;
    case 'tls':
      rows.push({ type: 'tls', seq, at, tls: event.tls });
      return;
    case 'annotation':
      rows.push({ type: 'annotation', seq, at, annotation: event.annotation });
      return;
    case 'closed':
      rows.push({ type: 'closed', seq, at, by: event.by, how: event.how });
  }
}

function sideOf({ direction }: OctetsEvent, client: 'in' | 'out'): Side {
  return direction === client ? 'client' : 'server';
}

type OctetsContent = 'binary' | RecordContent;

function addOctets(rows: WireRow[], event: OctetsEvent, side: Side, content: OctetsContent, octets: number): void {
  const { seq, at } = event;
  const before = rows.at(-1);
  if (before?.type === 'octets' && before.side === side && before.content === content) {
    rows[rows.length - 1] = { ...before, octets: before.octets + octets };
  } else rows.push({ type: 'octets', seq, at, side, octets, content });
}

function addRecords(rows: WireRow[], event: OctetsEvent, side: Side, records: TlsRecords): void {
  for (const { content, octets } of records.read(event)) addOctets(rows, event, side, content, octets);
}

/**
 * The records in one direction (RFC 8446 §5.1: type, version, length), as far as an eavesdropper can tell them apart:
 * application data is all that he sees once keys are agreed.
 */
class TlsRecords {
  /** Where the next octets are expected. */
  #position = 0;
  /** Of a record that is not complete. */
  #left = 0;
  #content: RecordContent = 'opaque';
  #header: number[] = [];
  #isLost = false;

  *read(event: OctetsEvent): Generator<{ readonly content: RecordContent; readonly octets: number }> {
    if (event.type === 'text' || event.secrets.length > 0 || event.position !== this.#position) this.#isLost = true;
    this.#position = event.position + event.octets;
    if (this.#isLost || event.type === 'text') {
      yield { content: 'opaque', octets: event.octets };
      return;
    }
    const octets = atob(event.base64);
    let at = 0;
    while (at < octets.length) {
      const start = at;
      if (this.#left === 0) {
        // Five octets, which may come in pieces themselves.
        while (this.#header.length < 5 && at < octets.length) this.#header.push(octets.charCodeAt(at++));
        if (!this.#begin()) {
          yield { content: 'opaque', octets: octets.length - start };
          return;
        }
      }
      const here = Math.min(this.#left, octets.length - at);
      this.#left -= here;
      at += here;
      yield { content: this.#content, octets: at - start };
    }
  }

  /** False: what came is no record. */
  #begin(): boolean {
    const [type = 0, major = 3, , high = 0, low = 0] = this.#header;
    this.#isLost = type < 20 || type > 24 || major !== 3;
    this.#content = type === 23 ? 'encrypted' : 'handshake';
    if (this.#header.length === 5) {
      this.#left = high * 256 + low;
      this.#header = [];
    }
    return !this.#isLost;
  }
}

function addLines(rows: WireRow[], event: TextEvent, side: Side): void {
  const { seq, at } = event;
  const isOctets = event.charset === 'iso-8859-1';
  // Where nothing is hidden, a bullet is a bullet.
  const hides = event.secrets.length > 0;
  for (const piece of event.text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const [, text = '', ending = ''] = /^([^]*?)(\r?\n)?$/.exec(piece)!;
    const end = ending === '\r\n' ? 'crlf' : ending === '\n' ? 'lf' : 'none';
    const octets = isOctets ? piece.length : utf8Length(piece, hides);
    const before = rows.at(-1);
    if (before?.type === 'line' && before.side === side && before.end === 'none') {
      // The rest of a line that came in pieces.
      const whole = before.text + text;
      const isCut = whole.endsWith('\r') && end === 'lf';
      rows[rows.length - 1] = {
        ...before,
        text: isCut ? whole.slice(0, -1) : whole,
        isOctets: before.isOctets || isOctets,
        octets: before.octets + octets,
        hasSecret: before.hasSecret || (hides && text.includes(MARK)),
        end: isCut ? 'crlf' : end,
      };
    } else
      rows.push({ type: 'line', seq, at, side, text, isOctets, octets, hasSecret: hides && text.includes(MARK), end });
  }
}

/** @param hides a mark stands for one hidden octet */
function utf8Length(text: string, hides: boolean): number {
  let length = 0;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    length += code < 0x80 || (hides && char === MARK) ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}

function folded(rows: readonly WireRow[]): WireRow[] {
  const result: WireRow[] = [];
  for (let at = 0; at < rows.length;) {
    const run = runFrom(rows, at);
    if (run.length > FOLD_OVER) {
      const hidden = run.slice(BEFORE_FOLD);
      const { seq, side } = hidden[0]!;
      result.push(...run.slice(0, BEFORE_FOLD));
      const octets = hidden.reduce((sum, line) => sum + line.octets, 0);
      result.push({ type: 'fold', seq, at: hidden[0]!.at, side, lines: hidden, octets });
      at += run.length;
    } else {
      result.push(rows[at]!);
      at++;
    }
  }
  return result;
}

function runFrom(rows: readonly WireRow[], start: number): LineRow[] {
  const run: LineRow[] = [];
  for (let at = start; at < rows.length; at++) {
    const row = rows[at]!;
    if (row.type !== 'line' || (run[0] && row.side !== run[0].side)) break;
    run.push(row);
  }
  return run;
}
