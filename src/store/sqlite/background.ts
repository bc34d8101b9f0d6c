/**
 * The thread for what has time: it computes what IMAP and the lists need from each new email, hands it to the writer,
 * and then keeps the search index up. Where the system allows it, it yields to all other threads.
 */
import { setPriority } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { databaseFile, openForReading } from './database.ts';
import { MAX_ENCODED } from '../../mail/search-text.ts';
import { derive, DERIVED_TEXTS } from './derive.ts';
import { EMAIL_TO_PARSE, withEmail, type EmailToParse } from './emails.ts';
import type { Answer, Batch, DerivedRow } from './requests.ts';
import { IndexWriter, isDamage } from './search-index.ts';
import { indexedText, type IndexedText } from './search-terms.ts';

export interface BackgroundData {
  readonly folder: string;
  /** What the next email's id was when the store was opened: an index that knows more is not of this mail. */
  readonly nextEmail: number;
  /** To the writer. */
  readonly writer: MessagePort;
}

export type ToBackground =
  /** There are emails up to before this id. */
  | { readonly type: 'wake'; readonly nextEmail: number }
  /** These emails are no more. */
  | { readonly type: 'removed'; readonly emailIds: readonly number[] }
  | { readonly type: 'close' };

export type FromBackground =
  /** The index holds all emails up to `position`; `made`: it is a new one. */
  | { readonly type: 'indexed'; readonly position: number; readonly made: boolean }
  | { readonly type: 'failed'; readonly reason: string };

const EMAILS_AT_ONCE = 100;
const OCTETS_AT_ONCE = 512 * 1024;
/** Characters of text in one commit of the index: it is made in fewer and larger pieces when much is to be done. */
const TEXT_AT_ONCE = 1024 * 1024;

const RETRY = 1000; // milliseconds
/** After so long without anything to do, in milliseconds, the thread ends and gives its memory back. */
const REST = 15_000;

const port = parentPort!;
const { folder, nextEmail: nextWhenOpened, writer } = workerData as BackgroundData;
// On Linux a thread has a priority of its own; elsewhere this would be that of the whole process.
if (process.platform === 'linux') setPriority(0, 19);

const db = openForReading(databaseFile(folder), 2_000);
const selectEmails = db.prepare<[number], EmailRow>(
  `SELECT e.id, ${EMAIL_TO_PARSE} FROM email AS e WHERE e.id > ? ORDER BY e.id`,
);
const selectCounter = db.prepare<[], { store: string; next_email: number }>('SELECT store, next_email FROM counter');
const selectExisting = db.prepare<[number], number>('SELECT 1 FROM email WHERE id = ?').pluck();

interface EmailRow extends EmailToParse {
  readonly id: number;
}

const { store, next_email } = selectCounter.get()!;
let index = IndexWriter.open(folder, store, nextWhenOpened);
/** Up to this id everything is derived. */
let derivedTo = db.prepare<[], number | null>('SELECT max(email_id) FROM derived').pluck().get() ?? 0;
/** Emails from here on do not exist yet. */
let nextEmail = next_email;
const removed: number[] = [];
let closing = false;
let busy = false;
const resting = setTimeout(() => {
  if (busy) return; // `work` begins the time anew
  closing = true;
  close();
}, REST);
let nextRequest = 1;

/** Some of the emails after an id, with what is in memory bounded. */
function emailsAfter(id: number): EmailRow[] {
  const rows: EmailRow[] = [];
  let octets = 0;
  for (const row of selectEmails.iterate(id)) {
    rows.push(row);
    octets += row.size;
    if (rows.length === EMAILS_AT_ONCE || octets >= OCTETS_AT_ONCE) break;
  }
  return rows;
}

async function deriveSome(): Promise<void> {
  const rows = emailsAfter(derivedTo);
  if (rows.length === 0) {
    derivedTo = Math.max(derivedTo, nextEmail - 1);
    return;
  }
  const derived: DerivedRow[] = [];
  for (const row of rows) {
    try {
      derived.push(withEmail(row, folder, DERIVED_TEXTS, (octets, tree) => derive(row.id, octets, tree)));
    } catch (error) {
      // Whoever fetches it computes it then, and hears of the failure.
      reportOf(row.id, `was not derived: ${String(error)}`);
    }
  }
  if (await keep(derived)) derivedTo = rows.at(-1)!.id;
}

/** @returns false when the writer could not: a full disk, for example */
function keep(rows: DerivedRow[]): Promise<boolean> {
  const id = nextRequest++;
  const batch: Batch = {
    envelopes: [{ id, name: 'keepDerived', request: { rows: packed(rows) }, start: 0, octets: 0 }],
    packed: undefined,
  };
  return new Promise((resolve) => {
    writer.once('message', ({ outcomes }: Answer) => resolve(outcomes[0]![1].type === 'done'));
    writer.postMessage(batch);
  });
}

/** Views of one buffer: a view that travels alone takes along all of the buffer that it lies in. */
function packed(rows: readonly DerivedRow[]): DerivedRow[] {
  const names = ['envelope', 'body', 'bodyStructure', 'tree'] as const;
  let size = 0;
  for (const row of rows) for (const name of names) size += row[name].length;
  const buffer = new Uint8Array(size);
  let at = 0;
  const place = (octets: Uint8Array): Uint8Array => {
    buffer.set(octets, at);
    at += octets.length;
    return buffer.subarray(at - octets.length, at);
  };
  return rows.map((row) => ({
    ...row,
    envelope: place(row.envelope),
    body: place(row.body),
    bodyStructure: place(row.bodyStructure),
    tree: place(row.tree),
  }));
}

async function indexSome(): Promise<void> {
  const texts: (readonly [number, IndexedText | undefined])[] = [];
  let position = index.position;
  let size = 0;
  while (size < TEXT_AT_ONCE) {
    const rows = emailsAfter(position);
    if (rows.length === 0) {
      position = Math.max(position, nextEmail - 1);
      break;
    }
    for (const row of rows) {
      const text = textOf(row);
      texts.push([row.id, text]);
      size += text ? text.body.length + text.headers.length : 0;
      position = row.id;
    }
    await nextTurn();
    if (closing || derivedTo < nextEmail - 1) break; // what is waited for first comes first
  }
  index.add(texts, position);
  port.postMessage({ type: 'indexed', position, made: false } satisfies FromBackground);
}

function textOf(row: EmailRow): IndexedText | undefined {
  try {
    return withEmail(row, folder, MAX_ENCODED, indexedText);
  } catch (error) {
    reportOf(row.id, `was not indexed: ${String(error)}`);
    return undefined; // marked, and read by each search
  }
}

/** What an earlier run could not remove any more. */
async function sweepIndex(): Promise<void> {
  let from = 0;
  while (!closing) {
    const ids = index.idsAfter(from, 2000);
    if (ids.length === 0) return;
    removed.push(...ids.filter((id) => selectExisting.get(id) === undefined));
    from = ids.at(-1)!;
    await nextTurn();
  }
}

/** An email that has gone meanwhile has taken its file along: that is no fault. */
function reportOf(id: number, reason: string): void {
  if (selectExisting.get(id) !== undefined) report(`email ${id} ${reason}`);
}

function report(reason: string): void {
  port.postMessage({ type: 'failed', reason } satisfies FromBackground);
}

async function step(): Promise<boolean> {
  if (derivedTo < nextEmail - 1) {
    const before = derivedTo;
    await deriveSome();
    if (derivedTo > before) return true;
    setTimeout(() => void work(), RETRY).unref(); // the disk is full, for example
    return false;
  }
  if (index.position < nextEmail - 1) {
    await indexSome();
    return true;
  }
  if (removed.length > 0) {
    index.remove(removed.splice(0, 500));
    return true;
  }
  return false;
}

async function work(): Promise<void> {
  if (busy) return;
  busy = true;
  try {
    while (!closing && (await step())) await nextTurn();
  } catch (error) {
    mend(error);
  } finally {
    busy = false;
  }
  if (closing) close();
  else resting.refresh();
}

/** A damaged index is made anew, from the mail. */
function mend(error: unknown): void {
  report(String(error));
  if (!isDamage(error)) return;
  index.close();
  index = IndexWriter.make(folder, store);
  port.postMessage({ type: 'indexed', position: 0, made: true } satisfies FromBackground);
  setImmediate(() => void work());
}

function close(): void {
  clearTimeout(resting);
  index.close();
  db.close();
  writer.close();
  port.close();
}

port.on('message', (message: ToBackground) => {
  switch (message.type) {
    case 'wake':
      nextEmail = Math.max(nextEmail, message.nextEmail);
      void work();
      return;
    case 'removed':
      removed.push(...message.emailIds);
      void work();
      return;
    case 'close':
      closing = true;
      if (!busy) close();
  }
});

port.postMessage({ type: 'indexed', position: index.position, made: true } satisfies FromBackground);
void sweepIndex().then(work);
