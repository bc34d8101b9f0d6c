/** The searching thread as the rest of the store sees it: started by the first that needs it. */
import { Worker } from 'node:worker_threads';
import type { DerivedRow } from './requests.ts';
import type { SearcherAnswer, SearcherData, ToSearcher } from './searcher.ts';
import type { Term } from './search-terms.ts';
import { workerFile } from './worker-file.ts';

/** After so long without a search, in milliseconds, the thread ends and gives its memory back. */
const REST = 60_000;

interface Running {
  readonly resolve: (answer: SearcherAnswer) => void;
  readonly reject: (reason: Error) => void;
  readonly progress: ((part: number) => void) | undefined;
}

export class SearcherClient {
  readonly #folder: string;
  readonly #running = new Map<number, Running>();
  #worker: Worker | undefined;
  #resting: NodeJS.Timeout | undefined;
  #exited: Promise<void> | undefined;
  #nextId = 1;
  #closed = false;
  #hasIndex = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * @param progress is called now and then while emails are read: which part of them has been, from 0 to 1
   * @returns one octet for each email, 1 if it matches
   */
  async search(
    term: Term,
    emailIds: Float64Array,
    signal: AbortSignal | undefined,
    progress?: (part: number) => void,
  ): Promise<Uint8Array> {
    const { matches } = await this.#ask((id) => ({ type: 'search', id, term, emailIds }), signal, progress);
    if (!matches) throw new Error('the search was given up');
    return matches;
  }

  /** What is derived from an email too large for this thread; undefined: it is gone. */
  async derive(emailId: number): Promise<DerivedRow | undefined> {
    return (await this.#ask((id) => ({ type: 'derive', id, emailId }), undefined)).derived;
  }

  /** The index has been found to be that of this mail, or was made anew. */
  useIndex(): void {
    this.#hasIndex = true;
    this.#post({ type: 'use-index' });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#resting);
    this.#post({ type: 'close' });
    await this.#exited;
  }

  async #ask(
    toMessage: (id: number) => ToSearcher,
    signal: AbortSignal | undefined,
    progress?: (part: number) => void,
  ): Promise<SearcherAnswer> {
    signal?.throwIfAborted();
    if (this.#closed) throw new Error('the store is closed');
    this.#worker ??= this.#start();
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<SearcherAnswer>();
    this.#running.set(id, { resolve, reject, progress });
    const abort = (): void => {
      reject(signal!.reason as Error);
      this.#post({ type: 'abort', id });
    };
    signal?.addEventListener('abort', abort);
    this.#post(toMessage(id));
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#running.delete(id);
      this.#resting ??= setTimeout(() => this.#rest(), REST).unref();
      this.#resting.refresh();
    }
  }

  #rest(): void {
    if (this.#running.size > 0) return; // what ends later begins the time anew
    this.#post({ type: 'close' });
    this.#worker = undefined; // the next search starts another
  }

  #start(): Worker {
    const workerData: SearcherData = { folder: this.#folder };
    const worker = new Worker(workerFile('searcher'), { workerData, name: 'store-searcher' });
    worker.on('message', (answer: SearcherAnswer) => {
      if (answer.progress !== undefined) this.#running.get(answer.id)?.progress?.(answer.progress);
      else if (answer.failure === undefined) this.#running.get(answer.id)?.resolve(answer);
      else this.#running.get(answer.id)?.reject(new Error(answer.failure));
    });
    worker.on('error', (error) => this.#giveUp(error as Error));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        resolve();
        if (this.#worker !== worker) return; // another has taken its place
        this.#worker = undefined;
        this.#giveUp(new Error('the store is closed'));
      });
    });
    worker.unref();
    if (this.#hasIndex) worker.postMessage({ type: 'use-index' } satisfies ToSearcher);
    return worker;
  }

  #post(message: ToSearcher): void {
    this.#worker?.postMessage(message);
  }

  #giveUp(reason: Error): void {
    for (const { reject } of this.#running.values()) reject(reason);
  }
}
