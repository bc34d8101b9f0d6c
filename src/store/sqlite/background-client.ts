/** The background thread as the rest of the store sees it: started when there is something to do, and told to look again. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { BackgroundData, FromBackground, ToBackground } from './background.ts';
import { workerFile } from './worker-file.ts';
import type { WriterClient } from './writer-client.ts';

/** Wakes are gathered for so long, in milliseconds: thousands of messages may arrive in a second. */
const PAUSE = 25;
/** So long after the thread has failed, in milliseconds, another one is started. */
const RECOVERY = 10_000;

export interface BackgroundReports {
  /** The search index was opened or made anew. */
  made(): void;
  log(line: string): void;
}

interface Waiting {
  readonly position: number;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

export class BackgroundClient {
  readonly #folder: string;
  readonly #writer: WriterClient;
  readonly #reports: BackgroundReports;
  readonly #nextWhenOpened: number;
  #worker: Worker | undefined;
  #exited: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #removed: number[] = [];
  #closing = false;
  #restsUntil = 0;
  #waiting: Waiting[] = [];
  /** The search index holds emails up to this id, as far as is known here. */
  position = 0;

  constructor(folder: string, writer: WriterClient, reports: BackgroundReports) {
    this.#folder = folder;
    this.#writer = writer;
    this.#reports = reports;
    this.#nextWhenOpened = writer.nextEmail;
  }

  /** There may be new emails. */
  wake(): void {
    if (this.#closing) return;
    this.#timer ??= setTimeout(() => this.#wakeNow(), PAUSE).unref();
  }

  removed(emailIds: readonly number[]): void {
    this.#removed.push(...emailIds);
    this.wake();
  }

  /** Resolves when the index holds all that is committed now. */
  async indexed(signal: AbortSignal | undefined): Promise<void> {
    const position = this.#writer.nextEmail - 1;
    signal?.throwIfAborted();
    if (position <= 0 || this.position >= position) return;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const waiting: Waiting = { position, resolve: () => resolve(undefined), reject };
    const abort = (): void => reject(signal!.reason as Error);
    this.#waiting.push(waiting);
    signal?.addEventListener('abort', abort);
    this.#wakeNow();
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    if (!this.#writer.isAlive)
      await this.#worker?.terminate(); // it may wait for an answer that never comes
    else if (this.#worker) this.#post({ type: 'close' });
    await this.#exited;
    this.#giveUp(new Error('the store is closed'));
  }

  #wakeNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closing || !this.#writer.isAlive || performance.now() < this.#restsUntil) return;
    if (!this.#worker) this.#start();
    if (this.#removed.length > 0) this.#post({ type: 'removed', emailIds: this.#removed.splice(0) });
    this.#post({ type: 'wake', nextEmail: this.#writer.nextEmail });
  }

  #start(): void {
    const { port1, port2 } = new MessageChannel();
    this.#writer.connectBackground(port1);
    // A thread that is started again finds what the one before it has indexed.
    const nextEmail = Math.max(this.#nextWhenOpened, this.position + 1);
    const workerData: BackgroundData = { folder: this.#folder, nextEmail, writer: port2 };
    const worker = new Worker(workerFile('background'), {
      workerData,
      transferList: [port2],
      name: 'store-background',
    });
    this.#worker = worker;
    worker.on('message', (message: FromBackground) => this.#hear(message));
    worker.on('error', (error) => {
      this.#reports.log(`store: the background thread ended: ${String(error)}`);
      this.#restsUntil = performance.now() + RECOVERY;
      this.#giveUp(error as Error);
    });
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#worker = undefined; // the next wake starts another
        // It may have come too late for one that was about to rest.
        if (this.position < this.#writer.nextEmail - 1) this.wake();
        resolve();
      });
    });
    worker.unref();
  }

  #post(message: ToBackground): void {
    this.#worker!.postMessage(message);
  }

  #hear(message: FromBackground): void {
    if (message.type === 'failed') {
      this.#reports.log(`store: ${message.reason}`);
      return;
    }
    this.position = message.position;
    if (message.made) this.#reports.made();
    for (const { position, resolve } of this.#waiting) if (message.position >= position) resolve();
  }

  #giveUp(reason: Error): void {
    for (const { reject } of this.#waiting) reject(reason);
  }
}
