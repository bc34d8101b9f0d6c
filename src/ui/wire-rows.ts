/** Rows for the eye, out of what is known of a conversation: what a lens shows, long runs folded, silence measured. Pure. */
import type { Diagnosis } from '../http/schemas/reading.ts';
import type { Entry, NetworkEntry, Side, UnitEntry } from './wire-log.ts';

export type Lens = 'server' | 'eavesdropper' | 'both';

interface RowFields {
  readonly id: string;
  readonly seq: number;
  readonly lastSeq: number;
}

export type WireRow =
  | (RowFields & {
      readonly type: 'entry';
      readonly entry: Entry;
      /** With both lenses: what carried it over the network. */
      readonly carrier: NetworkEntry | undefined;
      /** It came together with the row before. */
      readonly isSameMoment: boolean;
    })
  /** Stands for lines of one side, of which the first ones are shown before; open, they follow it. */
  | (RowFields & {
      readonly type: 'fold';
      readonly side: Side;
      readonly lines: number;
      readonly octets: number;
      /** Of the rows behind it. */
      readonly ids: string[];
      readonly isOpen: boolean;
    })
  | (RowFields & { readonly type: 'silence'; readonly ms: number })
  | (RowFields & { readonly type: 'diagnosis'; readonly diagnosis: Diagnosis });

/** A run of more lines than this is folded behind its first ones. */
const FOLD_OVER = 14;
const BEFORE_FOLD = 3;
const SILENCE_MS = 1000;

export interface WireRowsOptions {
  readonly lens: Lens;
  /** The side of this machine: what it says is told before it crosses the network, what it hears after. */
  readonly ours: Side;
  readonly diagnoses: readonly Diagnosis[];
  /** Ids of the folds that are open. */
  readonly open: ReadonlySet<string>;
}

export function wireRows(entries: readonly Entry[], { lens, ours, diagnoses, open }: WireRowsOptions): WireRow[] {
  const rows: WireRow[] = [];
  /** What stands before has its carrier. */
  let carried = 0;
  const waiting = diagnoses.map((diagnosis) => ({ diagnosis, seq: placeOf(diagnosis) }));
  if (lens === 'eavesdropper') waiting.length = 0;
  waiting.sort((a, b) => a.seq - b.seq);
  let nextDiagnosis = 0;
  const diagnoseUntil = (seq: number): void => {
    for (; nextDiagnosis < waiting.length && waiting[nextDiagnosis]!.seq < seq; nextDiagnosis++) {
      const { diagnosis, seq: at } = waiting[nextDiagnosis]!;
      rows.push({ type: 'diagnosis', id: `diagnosis-${diagnosis.id}`, seq: at, lastSeq: at, diagnosis });
    }
  };
  let run: Run | undefined;
  let before: Entry | undefined;
  for (const entry of entries) {
    if (!isShown(entry, lens)) continue;
    if (before !== undefined && entry.at - before.at > SILENCE_MS) {
      const ms = entry.at - before.at;
      rows.push({ type: 'silence', id: `silence-${entry.id}`, seq: entry.seq, lastSeq: entry.seq, ms });
      run = undefined;
    }
    const rowCount = rows.length;
    diagnoseUntil(entry.seq);
    if (rows.length > rowCount) run = undefined;
    if (lens === 'both' && entry.type === 'network' && entry.side === ours && carries(rows, carried, entry)) {
      carried = rows.length;
      before = entry;
      continue;
    }
    if (entry.type !== 'unit') run = undefined;
    else {
      run = run?.side === entry.unit.side ? run : { side: entry.unit.side, from: rows.length, length: 0 };
      run.length++;
    }
    const { id, seq, lastSeq } = entry;
    const isSameMoment = before?.seq === seq && rows.at(-1)?.type !== 'silence';
    rows.push({ type: 'entry', id, seq, lastSeq, entry, carrier: undefined, isSameMoment });
    before = entry;
    if (lens === 'both' && entry.type === 'unit' && entry.unit.side !== ours && adoptsCarrier(rows, entry)) {
      if (run?.length === 1) run = { ...run, from: rows.length - 1 };
    }
    if (run && run.length > FOLD_OVER) fold(rows, run, open);
  }
  diagnoseUntil(Number.POSITIVE_INFINITY);
  return rows;
}

interface Run {
  readonly side: Side;
  /** The place of its first row. */
  readonly from: number;
  length: number;
}

/** Where the last of what shows it is. */
function placeOf({ evidence }: Diagnosis): number {
  return evidence.reduce((last, { seq }) => Math.max(last, seq), 0);
}

/** The two ends see what TLS carries, the network what carries it. What sessions remark, an eavesdropper does not hear. */
export function isShown(entry: Entry, lens: Lens): boolean {
  switch (entry.type) {
    case 'unit':
      return lens !== 'eavesdropper' || entry.isReadable;
    case 'network':
      return lens !== 'server';
    case 'annotation':
      return lens !== 'eavesdropper';
    case 'tls':
    case 'closed':
    case 'missed':
      return true;
  }
}

/** The row that a new entry makes has become too many: it goes behind the fold, which begins with it if there is none. */
function fold(rows: WireRow[], run: Run, open: ReadonlySet<string>): void {
  const at = run.from + BEFORE_FOLD;
  const place = rows[at]!;
  if (place.type !== 'fold') {
    const hidden = rows.slice(at);
    const octets = hidden.reduce((sum, row) => sum + octetsOf(row), 0);
    const isOpen = open.has(`fold-${place.id}`);
    const { lastSeq } = hidden.at(-1)!;
    const { id, seq } = place;
    const head: WireRow = {
      type: 'fold',
      id: `fold-${id}`,
      seq,
      lastSeq,
      side: run.side,
      lines: hidden.length,
      ids: hidden.map((row) => row.id),
      octets,
      isOpen,
    };
    rows.splice(at, isOpen ? 0 : hidden.length, head);
    return;
  }
  const last = rows.at(-1)!;
  place.ids.push(last.id);
  rows[at] = { ...place, lines: place.lines + 1, octets: place.octets + octetsOf(last), lastSeq: last.lastSeq };
  if (!place.isOpen) rows.pop();
}

function octetsOf(row: WireRow): number {
  return row.type === 'entry' && row.entry.type === 'unit' ? row.entry.unit.octets : 0;
}

// ------------------------------------------------------------------------- both lenses: what was said, and what carried it

/** What crossed the network carries the lines before it: the first of them shows it. False: there are none. */
function carries(rows: WireRow[], from: number, entry: NetworkEntry): boolean {
  let first: number | undefined;
  for (let at = rows.length - 1; at >= from; at--) {
    const row = rows[at]!;
    if (!isCarriedUnit(row) || row.entry.unit.side !== entry.side) break;
    first = at;
  }
  if (first === undefined) return false;
  rows[first] = { ...(rows[first] as EntryRow), carrier: entry };
  return true;
}

/** A line of which the carrier came just before it: they become one row. */
function adoptsCarrier(rows: WireRow[], entry: UnitEntry): boolean {
  const [carrier, row] = [rows.at(-2), rows.at(-1) as EntryRow];
  if (entry.isReadable || carrier?.type !== 'entry' || carrier.entry.type !== 'network') return false;
  if (carrier.entry.side !== entry.unit.side) return false;
  rows.splice(-2, 2, { ...row, carrier: carrier.entry, isSameMoment: carrier.isSameMoment });
  return true;
}

type EntryRow = Extract<WireRow, { type: 'entry' }>;

function isCarriedUnit(row: WireRow): row is EntryRow & { readonly entry: UnitEntry } {
  return row.type === 'entry' && row.entry.type === 'unit' && !row.entry.isReadable;
}

// ------------------------------------------------------------------------------------------------- permanent links

/** The row that an address means (`e17`, `e17-2`), or the nearest one. @returns -1 for what is no such address */
export function rowAt(rows: readonly WireRow[], address: string): number {
  const wanted = /^e(\d{1,15})(-\d+)?$/.exec(address);
  if (!wanted) return -1;
  const exact = rows.findIndex(
    (row) => row.id === address || (row.type === 'fold' && !row.isOpen && row.ids.includes(address)),
  );
  if (exact !== -1) return exact;
  const seq = Number(wanted[1]);
  const first = rows.findIndex(
    (row) => (row.type === 'entry' || (row.type === 'fold' && !row.isOpen)) && row.lastSeq >= seq,
  );
  return first === -1 ? rows.length - 1 : first;
}
