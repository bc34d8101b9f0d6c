/** The writing thread as the rest of the store sees it: requests that were made in one turn of the loop go together. */
import { Worker, type MessagePort } from 'node:worker_threads';
import { Refusal } from '../refusal.ts';
import type { Answer, Batch, Envelope, Outcome, RequestName, Requests } from './requests.ts';
import { workerFile } from './worker-file.ts';
import type { WriterData } from './writer.ts';

/** Bounds of one message to the thread. Two are under way at most: while one commits, the next is there already. */
const MOST_IN_BATCH = 200;
const MOST_OCTETS_IN_BATCH = 2 * 1024 * 1024;
const MOST_BATCHES = 2;
const SMALLEST_BUFFER = 1024 * 1024;
const BUFFERS_KEPT = 3;

interface Waiting {
  readonly name: RequestName;
  readonly request: unknown;
  readonly parts: readonly Uint8Array[];
  readonly octets: number;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

interface Sent {
  readonly waiting: Waiting;
  readonly batch: SentBatch;
}

interface SentBatch {
  unanswered: number;
  readonly buffer: SharedArrayBuffer | undefined;
}

export interface Reports {
  /** An account has reached a MODSEQ; called before those who asked for it hear of it. */
  reached(account: number, modSeq: number): void;
  /** There are new emails. */
  arrived(): void;
  /** Files of large messages that no email names any more. */
  unneeded(files: readonly string[]): void;
  /** Emails that are no more. */
  removed(emailIds: readonly number[]): void;
  /** The thread is gone, and nobody has closed it: nothing can be written any more. Called once. */
  failed(reason: Error): void;
}

export class WriterClient {
  readonly #worker: Worker;
  readonly #reports: Reports;
  readonly #mostOctets: number;
  readonly #queue: Waiting[] = [];
  readonly #sent = new Map<number, Sent>();
  readonly #buffers: SharedArrayBuffer[] = [];
  #room: (() => void)[] = [];
  #nextId = 1;
  #batches = 0;
  #octets = 0;
  #scheduled = false;
  #failure: Error | undefined;
  #closing = false;
  #closed: Promise<void>;
  /** The id after the newest email's. */
  nextEmail = 1;

  private constructor(worker: Worker, reports: Reports, mostOctets: number) {
    this.#worker = worker;
    this.#reports = reports;
    this.#mostOctets = mostOctets;
    worker.on('message', (answer: Answer) => this.#hear(answer));
    let cause: Error | undefined;
    worker.on('error', (error) => (cause = error as Error));
    this.#closed = new Promise((resolve) => {
      // What it answered before its end has been heard by now.
      worker.once('exit', () => {
        if (this.#closing) this.#fail(new Error('the store is closed'));
        else {
          this.#fail(new Refusal('UNAVAILABLE', 'The store has failed; try again later'));
          reports.failed(cause ?? new Error('the thread that writes has ended'));
        }
        resolve();
      });
    });
  }

  /** Resolves when the database is open. @throws Error with one line for the operator */
  static async open(data: WriterData, reports: Reports, mostOctets: number): Promise<WriterClient> {
    const worker = new Worker(workerFile('writer'), { workerData: data, name: 'store-writer' });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    worker.removeAllListeners('error');
    return new WriterClient(worker, reports, mostOctets);
  }

  /** @param parts octets that go along, in the order in which the request counts them; not to be changed any more */
  send<Name extends RequestName>(
    name: Name,
    request: Requests[Name]['request'],
    parts: readonly Uint8Array[] = [],
  ): Promise<Requests[Name]['result']> {
    if (this.#failure) return Promise.reject(this.#failure);
    let octets = 0;
    for (const part of parts) octets += part.length;
    this.#octets += octets;
    return new Promise((resolve, reject) => {
      this.#queue.push({ name, request, parts, octets, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves at once, or when enough of what waits is committed: so a busy disk slows whoever sends. */
  async room(): Promise<void> {
    while (this.#octets > this.#mostOctets && !this.#failure) {
      await new Promise<void>((resolve) => this.#room.push(resolve));
    }
  }

  /** Whether the thread is there and will answer. */
  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  /** Another thread's way to the writer, for what has time. */
  connectBackground(port: MessagePort): void {
    this.#worker.postMessage({ background: port }, [port]);
  }

  /** Resolves when all that was asked for is done and the database is closed. */
  async close(): Promise<void> {
    this.#closing = true;
    while (this.#queue.length > 0 && !this.#failure) {
      this.#sendBatch();
      if (this.#queue.length > 0) await new Promise<void>((resolve) => this.#room.push(resolve));
    }
    this.#worker.postMessage('close');
    await this.#closed;
  }

  #schedule(): void {
    if (this.#scheduled || this.#batches >= MOST_BATCHES) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#queue.length > 0 && this.#batches < MOST_BATCHES) this.#sendBatch();
    });
  }

  #sendBatch(): void {
    let count = 0;
    let octets = 0;
    while (count < this.#queue.length && count < MOST_IN_BATCH && octets < MOST_OCTETS_IN_BATCH) {
      octets += this.#queue[count]!.octets;
      count++;
    }
    const some = this.#queue.splice(0, count);
    const buffer = octets > 0 ? this.#buffer(octets) : undefined;
    const batch: SentBatch = { unanswered: count, buffer };
    this.#batches++;
    this.#worker.postMessage({ envelopes: this.#pack(some, batch), packed: buffer } satisfies Batch);
  }

  #pack(some: readonly Waiting[], batch: SentBatch): Envelope[] {
    const target = batch.buffer && new Uint8Array(batch.buffer);
    let at = 0;
    return some.map((waiting) => {
      const id = this.#nextId++;
      const start = at;
      for (const part of waiting.parts) {
        target?.set(part, at); // no buffer: nothing but empty parts
        at += part.length;
      }
      this.#sent.set(id, { waiting, batch });
      return { id, name: waiting.name, request: waiting.request, start, octets: waiting.octets };
    });
  }

  /** Shared with the thread instead of handed over, so that its pages are used again and again. */
  #buffer(octets: number): SharedArrayBuffer {
    const index = this.#buffers.findIndex((buffer) => buffer.byteLength >= octets);
    if (index >= 0) return this.#buffers.splice(index, 1)[0]!;
    let size = SMALLEST_BUFFER;
    while (size < octets) size *= 2;
    return new SharedArrayBuffer(size);
  }

  #hear(answer: Answer): void {
    if (answer.nextEmail > this.nextEmail) {
      this.nextEmail = answer.nextEmail;
      this.#reports.arrived();
    }
    const { reached } = answer;
    for (let i = 0; i < reached.length; i += 2) this.#reports.reached(reached[i]!, reached[i + 1]!);
    if (answer.unneeded.length > 0) this.#reports.unneeded(answer.unneeded);
    if (answer.removed.length > 0) this.#reports.removed(answer.removed);
    for (const [id, outcome] of answer.outcomes) this.#settle(id, outcome);
    if (this.#queue.length > 0) this.#schedule();
    if (this.#room.length > 0 && this.#octets <= this.#mostOctets) this.#wake();
  }

  #settle(id: number, outcome: Outcome): void {
    const { waiting, batch } = this.#sent.get(id)!;
    this.#sent.delete(id);
    this.#octets -= waiting.octets;
    if (--batch.unanswered === 0) this.#batchDone(batch);
    if (outcome.type === 'done') waiting.resolve(outcome.result as never);
    else waiting.reject(toError(outcome));
  }

  #batchDone({ buffer }: SentBatch): void {
    this.#batches--;
    const worthKeeping = buffer && buffer.byteLength <= 2 * MOST_OCTETS_IN_BATCH && this.#buffers.length < BUFFERS_KEPT;
    if (worthKeeping) this.#buffers.push(buffer);
  }

  #wake(): void {
    const waiting = this.#room;
    this.#room = [];
    for (const resolve of waiting) resolve();
  }

  #fail(error: Error): void {
    this.#failure = error;
    for (const { waiting } of this.#sent.values()) waiting.reject(error);
    for (const waiting of this.#queue) waiting.reject(error);
    this.#sent.clear();
    this.#queue.length = 0;
    this.#wake();
  }
}

function toError(outcome: Exclude<Outcome, { type: 'done' }>): Error {
  if (outcome.type === 'refused') return new Refusal(outcome.code, outcome.message, outcome.deliveries);
  const error = new Error(outcome.message);
  if (outcome.stack !== undefined) error.stack = outcome.stack;
  return error;
}
