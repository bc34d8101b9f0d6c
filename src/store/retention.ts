/**
 * Removes the oldest accepted messages: those beyond a number, those beyond an age. Off unless it is asked for; what it
 * removes it counts and tells.
 */
import type { Notifier } from '../notifier/notifier.ts';
import type { MailStore, TransactionFilter } from './mail-store.ts';

export interface RetentionRules {
  /** Accepted messages that are kept; undefined: all. */
  readonly messages: number | undefined;
  /** Milliseconds for which they are kept; undefined: for ever. */
  readonly ageMs: number | undefined;
}

export interface RetentionOptions {
  readonly store: Pick<MailStore, 'listTransactions' | 'deleteTransactions'>;
  readonly notifier: Notifier;
  readonly rules: RetentionRules;
  log(level: 'info' | 'error', message: string, cause?: unknown): void;
  /** Milliseconds between two looks at the age. Default one minute. */
  readonly everyMs?: number;
}

/** After news, so long is waited for more, in milliseconds. */
const BATCH_MS = 1000;
const AT_ONCE = 500;

export class Retention implements AsyncDisposable {
  readonly #options: RetentionOptions;
  readonly #listeners = new Set<(count: number) => void>();
  readonly #unsubscribe: () => void;
  readonly #interval: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #removed = 0;
  #closed = false;
  #work: Promise<void> = Promise.resolve();

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#unsubscribe = options.notifier.subscribe('all', () => {
      this.#timer ??= setTimeout(() => this.#look(), BATCH_MS).unref();
    });
    this.#interval = setInterval(() => this.#look(), options.everyMs ?? 60_000).unref();
    this.#look();
  }

  /** How many messages were removed since the start. */
  get removed(): number {
    return this.#removed;
  }

  /** @returns what ends it */
  watch(listener: (count: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks now. Resolves when what had to go is gone. */
  async run(): Promise<void> {
    this.#look();
    await this.#work;
  }

  #look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#work = this.#work
      .then(() => this.#remove())
      .catch((error: unknown) => this.#options.log('error', 'retention: old messages stay', error));
  }

  async #remove(): Promise<void> {
    const { store, rules } = this.#options;
    let count = 0;
    if (rules.ageMs !== undefined) {
      const before = Date.now() - rules.ageMs;
      count += await store.deleteTransactions(undefined, { query: { type: 'internal-date', before } });
    }
    while (rules.messages !== undefined && !this.#closed) {
      const all: TransactionFilter = {};
      const { items } = await store.listTransactions(all, { start: rules.messages, limit: AT_ONCE });
      if (items.length === 0) break;
      count += await store.deleteTransactions(items.map(({ transactionId }) => transactionId));
    }
    if (count === 0) return;
    this.#removed += count;
    this.#options.log('info', `retention: ${count} old message${count === 1 ? '' : 's'} removed`);
    for (const listener of this.#listeners) listener(count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    clearInterval(this.#interval);
    clearTimeout(this.#timer);
    await this.#work;
  }
}
