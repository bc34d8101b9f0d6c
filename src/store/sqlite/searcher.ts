/**
 * The thread that looks into messages: it asks the search index, and reads what the index cannot answer for. It works in
 * small steps, between which it hears of new searches and of those that are given up.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { databaseFile, largeFolder, openForReading } from './database.ts';
import { MAX_ENCODED } from '../../mail/search-text.ts';
import { derive, DERIVED_TEXTS, PART } from './derive.ts';
import { EMAIL_TO_PARSE, withEmail, type EmailToParse } from './emails.ts';
import type { DerivedRow } from './requests.ts';
import { has, IndexReader, type Found } from './search-index.ts';
import { fold, isSentIn, matches, needsHeaderOnly, type Term } from './search-terms.ts';

export interface SearcherData {
  readonly folder: string;
}

export interface SearchRequest {
  readonly id: number;
  readonly term: Term;
  readonly emailIds: Float64Array;
}

export type ToSearcher =
  | ({ readonly type: 'search' } & SearchRequest)
  | { readonly type: 'abort'; readonly id: number }
  /** What is derived from a large email, when somebody wants it at once. */
  | { readonly type: 'derive'; readonly id: number; readonly emailId: number }
  /** There is an index now, or another one. Before this, whatever lies in its file is not asked. */
  | { readonly type: 'use-index' }
  | { readonly type: 'close' };

export interface SearcherAnswer {
  readonly id: number;
  /** One octet for each email id, 0 or 1. */
  readonly matches?: Uint8Array;
  readonly derived?: DerivedRow;
  /** It goes on: which part of what has to be read has been, from 0 to 1. */
  readonly progress?: number;
  /** With neither of them nor this: it was given up, or the email is gone. */
  readonly failure?: string;
}

/** Fewer candidates than this are read, whatever the index could say. */
const WORTH_ASKING = 16;
/** From so many on, what is derived is walked over. */
const MANY = 2_000;
const DERIVED_AT_ONCE = 10_000;
/** How long a step may take, in milliseconds. */
const STEP = 10;
/** How often whoever waits hears how far it is, in milliseconds. */
const TELL = 500;
/** Octets of a message that hold all of almost any header. */
const HEADER_OCTETS = 16 * 1024;

const port = parentPort!;
const { folder } = workerData as SearcherData;
const db = openForReading(databaseFile(folder), 2_000);
const selectEmail = db.prepare<[number], EmailToParse>(`SELECT ${EMAIL_TO_PARSE} FROM email AS e WHERE e.id = ?`);
const selectBeginning = db.prepare<[number, number], { trace: Buffer; file: string | null; octets: Buffer | null }>(
  'SELECT trace, file, substr(octets, 1, ?) AS octets FROM email WHERE id = ?',
);
const selectDerived = db
  .prepare<[number], [sentDay: number | null, parts: number]>('SELECT sent_day, parts FROM derived WHERE email_id = ?')
  .raw();

// The planner would take the wide rows, which have the same order.
const selectDerivedRange = db
  .prepare<[number, number], [emailId: number, sentDay: number | null, parts: number]>(
    'SELECT email_id, sent_day, parts FROM derived INDEXED BY derived_parts WHERE email_id BETWEEN ? AND ?',
  )
  .raw();

let index: IndexReader | undefined;
let hasIndex = false;
const running = new Set<number>();

/** The index as it stands: what is indexed after this is read, as is all without an index. */
function presentIndex(): IndexReader | undefined {
  if (hasIndex) index ??= IndexReader.open(folder);
  index?.refresh();
  return index;
}

async function search({ id, term, emailIds }: SearchRequest): Promise<Uint8Array | undefined> {
  const wanted = 'text' in term ? fold(term.text) : '';
  const result = new Uint8Array(emailIds.length);
  const rest = isDerived(term)
    ? await answerFromDerived(id, term, emailIds, result)
    : await answerFromIndex(id, term, wanted, emailIds, result);
  let end = performance.now() + STEP;
  let told = end;
  let done = 0;
  for (const at of rest) {
    if (await matchesEmail(term, wanted, emailIds[at]!)) result[at] = 1;
    done++;
    if (performance.now() < end) continue;
    if (end > told + TELL) {
      port.postMessage({ id, progress: done / rest.length } satisfies SearcherAnswer);
      told = end;
    }
    await nextTurn();
    if (!running.has(id)) return undefined;
    end = performance.now() + STEP;
  }
  return result;
}

/** Sets what the index knows. @returns the places of those that are to be read */
async function answerFromIndex(
  id: number,
  term: Term,
  wanted: string,
  emailIds: Float64Array,
  result: Uint8Array,
): Promise<ArrayLike<number> & Iterable<number>> {
  if (emailIds.length < WORTH_ASKING) return placesOf(emailIds);
  let reader: IndexReader | undefined;
  let found: Found | undefined;
  try {
    reader = presentIndex();
    if (!reader) return placesOf(emailIds);
    found = await lookUp(id, reader, term, wanted, emailIds);
  } catch {
    index = undefined;
    return placesOf(emailIds); // a damaged index is mended in the background; the mail itself is whole
  }
  if (!found) return placesOf(emailIds);
  return toBeRead(reader, found, emailIds, result);
}

/** Sets what has been derived. @returns the places of those that are to be looked up one by one */
async function answerFromDerived(
  id: number,
  term: DerivedTerm,
  emailIds: Float64Array,
  result: Uint8Array,
): Promise<Iterable<number> & { readonly length: number }> {
  const [first, last] = extent(emailIds);
  if (emailIds.length < MANY || last - first > 10 * emailIds.length) return placesOf(emailIds);
  const known = new Map<number, boolean>();
  for (let from = first; from <= last; from += DERIVED_AT_ONCE) {
    const rows = selectDerivedRange.all(from, Math.min(from + DERIVED_AT_ONCE - 1, last));
    for (const [emailId, sentDay, parts] of rows) known.set(emailId, matchesDerived(term, sentDay, parts));
    await nextTurn();
    if (!running.has(id)) return [];
  }
  const rest: number[] = [];
  for (let at = 0; at < emailIds.length; at++) {
    const answer = known.get(emailIds[at]!);
    if (answer === undefined) rest.push(at);
    else if (answer) result[at] = 1;
  }
  return rest;
}

type DerivedTerm = Extract<Term, { readonly type: 'sent-day' | 'has-attachment' | 'has-inline' }>;

const isDerived = (term: Term): term is DerivedTerm =>
  term.type === 'sent-day' || term.type === 'has-attachment' || term.type === 'has-inline';

function matchesDerived(term: DerivedTerm, sentDay: number | null, parts: number): boolean {
  if (term.type === 'sent-day') return isSentIn(term, sentDay);
  return (parts & (term.type === 'has-attachment' ? PART.attachment : PART.inline)) !== 0;
}

/** All of them. */
const placesOf = ({ length }: Float64Array): Uint32Array => new Uint32Array(length).map((_, at) => at);

function extent(emailIds: Float64Array): readonly [first: number, last: number] {
  let [first, last] = [Infinity, 0];
  for (const emailId of emailIds) {
    if (emailId < first) first = emailId;
    if (emailId > last) last = emailId;
  }
  return [first, last];
}

async function lookUp(id: number, reader: IndexReader, term: Term, wanted: string, emailIds: Float64Array) {
  const [first, last] = extent(emailIds);
  if (reader.position < first) return undefined;
  const steps = reader.lookUp(term, wanted, first, Math.min(last, reader.position));
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await nextTurn();
    if (!running.has(id)) return undefined;
  }
}

function toBeRead(reader: IndexReader, found: Found, emailIds: Float64Array, result: Uint8Array): number[] {
  const rest: number[] = [];
  for (let at = 0; at < emailIds.length; at++) {
    const emailId = emailIds[at]!;
    if (emailId > reader.position || reader.unparsed.has(emailId)) rest.push(at);
    else if (!has(found, emailId)) {
      if (found.partial) rest.push(at);
    } else if (found.exact && !(found.doubtful && has(found.doubtful, emailId))) result[at] = 1;
    else rest.push(at);
  }
  return rest;
}

async function matchesEmail(term: Term, wanted: string, emailId: number): Promise<boolean> {
  if (isDerived(term)) {
    const derived = selectDerived.get(emailId);
    if (derived) return matchesDerived(term, ...derived);
  }
  if (needsHeaderOnly(term)) {
    const header = await headerOf(emailId);
    if (header) return matches(term, wanted, header);
  }
  const row = selectEmail.get(emailId);
  if (!row) return false; // gone meanwhile
  return withEmail(row, folder, MAX_ENCODED, (octets, tree) => matches(term, wanted, octets, tree));
}

/** The header and a little more; undefined when it is longer than usual. */
async function headerOf(emailId: number): Promise<Uint8Array | undefined> {
  const row = selectBeginning.get(HEADER_OCTETS, emailId);
  if (!row) return undefined;
  const octets = row.file === null ? row.octets : await beginningOf(join(largeFolder(folder), row.file));
  return octets?.includes('\r\n\r\n') ? Buffer.concat([row.trace, octets]) : undefined;
}

async function beginningOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(HEADER_OCTETS), 0, HEADER_OCTETS, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function deriveNow(emailId: number): Promise<DerivedRow | undefined> {
  const row = selectEmail.get(emailId);
  return row && withEmail(row, folder, DERIVED_TEXTS, (octets, tree) => derive(emailId, octets, tree));
}

/** Answers with what `work` resolves to, or with its failure. */
async function answer(id: number, work: Promise<Omit<SearcherAnswer, 'id'>>): Promise<void> {
  running.add(id);
  const result = await work.catch((error: unknown) => ({ failure: String((error as Error).stack) }));
  running.delete(id);
  port.postMessage({ id, ...result } satisfies SearcherAnswer);
}

port.on('message', (message: ToSearcher) => {
  switch (message.type) {
    case 'search':
      void answer(
        message.id,
        search(message).then((found) => (found ? { matches: found } : {})),
      );
      return;
    case 'derive':
      void answer(
        message.id,
        deriveNow(message.emailId).then((derived) => (derived ? { derived } : {})),
      );
      return;
    case 'abort':
      running.delete(message.id);
      return;
    case 'use-index':
      hasIndex = true;
      index = undefined; // searches that still use it end with it
      return;
    case 'close':
      running.clear();
      index?.close();
      db.close();
      port.close();
  }
});
