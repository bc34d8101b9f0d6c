/**
 * The thread with the only connection that writes. Requests that arrived while a commit ran share the next one: no
 * timer, and one sync for all of them (group commit). Each is all or nothing: what can be refused is refused before the
 * request has written anything; should a request fail after that, or the disk be full, the whole group is rolled back
 * and done again one by one, so that only those fail that must.
 */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import type { DefaultQuota } from '../quota.ts';
import { Refusal } from '../refusal.ts';
import { AccountWrites } from './accounts.ts';
import { AclWrites } from './acl.ts';
import { AnnotationRows, AnnotationWrites } from './annotations.ts';
import { CopyWrites } from './copies.ts';
import { openForWriting, type Durability } from './database.ts';
import { DeliveryWrites } from './deliveries.ts';
import { DerivedWrites } from './derived.ts';
import { ExpungeWrites } from './expunge.ts';
import { FlagWrites } from './flags.ts';
import { Garbage } from './garbage.ts';
import { Ledger } from './ledger.ts';
import { MailboxWrites } from './mailboxes.ts';
import { MessageRows } from './message-rows.ts';
import type { Answer, Batch, Envelope, Outcome, RequestName, Requests } from './requests.ts';
import { TagWrites } from './tags.ts';
import { TransactionWrites } from './transaction-writes.ts';

export interface WriterData {
  readonly folder: string;
  readonly durability: Durability;
  readonly quota: DefaultQuota;
  /** For tests: how large the database may become, in pages. */
  readonly maximumPages: number | undefined;
}

/** Bounds of one commit: they keep the wait of the last who joined it short. */
const MOST_IN_GROUP = 200;
const MOST_OCTETS_IN_GROUP = 8 * 1024 * 1024;
/** The background gets one commit in so many, however busy it is. */
const LATER_AFTER = 50;

const port = parentPort!;
const { folder, durability, quota, maximumPages } = workerData as WriterData;
const db = openForWriting(folder, durability);
if (maximumPages !== undefined) db.pragma(`max_page_count = ${maximumPages}`);

const begin = db.prepare('BEGIN IMMEDIATE');
const commit = db.prepare('COMMIT');
const rollback = db.prepare('ROLLBACK');

const ledger = new Ledger(db, quota);
const rows = new MessageRows(ledger);
const copies = new CopyWrites(ledger, rows);
const annotationRows = new AnnotationRows(ledger);
const acl = new AclWrites(ledger);
const mailboxes = new MailboxWrites(ledger, copies, annotationRows, acl);
const accounts = new AccountWrites(ledger, mailboxes, annotationRows, acl);
const annotations = new AnnotationWrites(ledger, annotationRows, mailboxes);
const expunge = new ExpungeWrites(ledger, rows);
const tags = new TagWrites(ledger);
const deliveries = new DeliveryWrites(ledger, accounts, mailboxes, expunge, tags);
const flags = new FlagWrites(ledger, rows);
const transactions = new TransactionWrites(ledger, flags, expunge);
const derived = new DerivedWrites(ledger);
const garbage = new Garbage(ledger);
let commits = 0;

type Handlers = {
  readonly [Name in RequestName]: (request: Requests[Name]['request'], packed: Uint8Array) => Requests[Name]['result'];
};

const HANDLERS: Handlers = {
  accept: (request, packed) => deliveries.accept(request, packed),
  append: (request, packed) => {
    if (request.replaced) mayHaveGarbage = true;
    return deliveries.append(request, packed);
  },
  copy: (request) => copies.copy(request),
  storeFlags: (request) => flags.store(request),
  expunge: (request) => expunge.expunge(request),
  createAccount: (request) => accounts.create(request),
  setPasswordRecord: (request) => accounts.setPasswordRecord(request),
  setQuota: (request) => accounts.setQuota(request),
  deleteAccount: (request) => accounts.delete(request),
  createMailbox: (request) => mailboxes.create(request),
  deleteMailbox: (request) => mailboxes.delete(request),
  renameMailbox: (request) => mailboxes.rename(request),
  renewUidValidity: (request) => mailboxes.renewUidValidity(request),
  setSubscribed: (request) => mailboxes.setSubscribed(request),
  setAnnotations: (request, packed) => annotations.set(request, packed),
  changeAcl: (request) => acl.change(request),
  claimRecent: (request) => mailboxes.claimRecent(request),
  markTransactions: (request) => transactions.mark(request),
  deleteTransactions: (request) => transactions.delete(request),
  setTags: (request) => tags.set(request),
  renameTag: (request) => tags.rename(request),
  keepDerived: (request) => derived.keep(request),
  inspect: ({ maximumPages: pages }) => {
    if (pages !== undefined) db.pragma(`max_page_count = ${pages}`);
    return {
      synchronous: db.pragma('synchronous', { simple: true }) as number,
      journalMode: db.pragma('journal_mode', { simple: true }) as string,
      commits,
    };
  },
};

/** A request, where its octets lie, and the port that waits for its answer. */
interface Waiting {
  readonly envelope: Envelope;
  readonly packed: Uint8Array;
  readonly from: MessagePort;
}

const NO_OCTETS = new Uint8Array();
const NOTHING: Answer = { outcomes: [], reached: [], nextEmail: 0, unneeded: [], removed: [] };
const waiting: Waiting[] = [];
/** Batches of the background: served when nobody else waits. */
const later: Waiting[] = [];
let background: MessagePort | undefined;
let mayHaveGarbage = true;
let closing = false;
let groups = 0;

function take(batch: Batch, from: MessagePort): void {
  const queue = from === port ? waiting : later;
  for (const envelope of batch.envelopes) {
    // A Buffer, for that is what better-sqlite3 binds without looking further.
    const packed = batch.packed ? Buffer.from(batch.packed, envelope.start, envelope.octets) : NO_OCTETS;
    queue.push({ envelope, packed, from });
  }
}

/** What arrived since, without going back to the loop. */
function takeArrived(): void {
  for (let message; (message = receiveMessageOnPort(port));) hear(message.message as FromMain);
  if (!background) return;
  for (let message; (message = receiveMessageOnPort(background));) take(message.message as Batch, background);
}

function nextGroup(): Waiting[] {
  const laterIsDue = ++groups % LATER_AFTER === 0 && later.length > 0;
  const queue = waiting.length > 0 && !laterIsDue ? waiting : later;
  let octets = 0;
  let count = 0;
  while (count < queue.length && count < MOST_IN_GROUP && octets < MOST_OCTETS_IN_GROUP) {
    octets += queue[count]!.packed.length;
    count++;
  }
  return queue.splice(0, count);
}

function run(): void {
  for (;;) {
    takeArrived();
    const group = nextGroup();
    if (group.length > 0) answer(group[0]!.from, commitGroup(group));
    else if (closing || !collectGarbage()) break;
  }
  if (closing) close();
}

function answer(to: MessagePort, message: Answer): void {
  to.postMessage(message);
  // Main waits to hear of every commit, also of those that the background asked for.
  if (to !== port && message.reached.length > 0) port.postMessage({ ...message, outcomes: [] });
}

function commitGroup(group: readonly Waiting[]): Answer {
  let outcomes: (readonly [number, Outcome])[];
  let reached: number[];
  try {
    begin.run();
    outcomes = group.map((each) => [each.envelope.id, handle(each)] as const);
    reached = ledger.flush();
    commit.run();
    commits++;
  } catch (error) {
    undo();
    if (group.length > 1) return singly(group);
    outcomes = [[group[0]!.envelope.id, toOutcome(error)]];
    reached = [];
  }
  return { ...NOTHING, outcomes, reached, nextEmail: ledger.counters.next_email };
}

function singly(group: readonly Waiting[]): Answer {
  const answers = group.map((each) => commitGroup([each]));
  return {
    ...NOTHING,
    outcomes: answers.flatMap(({ outcomes }) => outcomes),
    reached: answers.flatMap(({ reached }) => reached),
    nextEmail: ledger.counters.next_email,
  };
}

function undo(): void {
  // SQLITE_FULL and I/O errors may have rolled the transaction back already.
  if (db.inTransaction) rollback.run();
  ledger.forget();
}

function handle({ envelope, packed }: Waiting): Outcome {
  const before = ledger.writes;
  try {
    const handler = HANDLERS[envelope.name] as (request: unknown, packed: Uint8Array) => unknown;
    const result = handler(envelope.request, packed);
    if (REMOVING.has(envelope.name)) mayHaveGarbage = true;
    return { type: 'done', result };
  } catch (error) {
    if (error instanceof Refusal && ledger.writes === before) return toOutcome(error);
    throw error;
  }
}

const REMOVING: ReadonlySet<RequestName> = new Set(['expunge', 'deleteAccount', 'deleteMailbox', 'deleteTransactions']);

function toOutcome(error: unknown): Outcome {
  if (error instanceof Refusal) {
    const { code, message, deliveries } = error;
    return { type: 'refused', code, message, deliveries };
  }
  const { code, message, stack } = error as { code?: string; message: string; stack?: string };
  if (code === 'SQLITE_FULL') {
    return { type: 'refused', code: 'DISKFULL', message: 'The disk is full', deliveries: undefined };
  }
  return { type: 'failed', message: code === undefined ? message : `${code}: ${message}`, stack };
}

/** @returns whether there may be more */
function collectGarbage(): boolean {
  if (!mayHaveGarbage) return false;
  try {
    begin.run();
    const { emailIds, files } = garbage.collect();
    ledger.flush();
    commit.run();
    mayHaveGarbage = emailIds.length > 0;
    if (mayHaveGarbage)
      port.postMessage({ ...NOTHING, nextEmail: ledger.counters.next_email, unneeded: files, removed: emailIds });
  } catch {
    // A full disk: what is garbage stays so, and the next removal tries again.
    undo();
    mayHaveGarbage = false;
  }
  return mayHaveGarbage;
}

type FromMain = Batch | { readonly background: MessagePort } | 'close';

function hear(message: FromMain): void {
  if (message === 'close') {
    closing = true;
  } else if ('background' in message) {
    background = message.background;
    background.on('message', (batch: Batch) => {
      take(batch, background!);
      run();
    });
  } else {
    take(message, port);
  }
}

/** Nothing waits any more. */
function close(): void {
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  background?.close();
  port.close();
}

port.on('message', (message: FromMain) => {
  hear(message);
  run();
});
port.postMessage('open');
// What an earlier run could not finish.
setImmediate(run);
