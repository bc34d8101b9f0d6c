/** Whether there is news of mail, for one who looks again and again. */
import type { HttpParts } from './parts.ts';

export class News implements Disposable {
  readonly #end: () => void;
  #isNew = false;
  #wake: (() => void) | undefined;

  constructor({ notifier }: Pick<HttpParts, 'notifier'>) {
    this.#end = notifier.subscribe('all', () => {
      this.#isNew = true;
      this.#wake?.();
    });
  }

  /** Resolves when there is some, or when the signal says so. */
  async next(signal: AbortSignal): Promise<void> {
    if (!this.#isNew && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.#wake = undefined;
    }
    this.#isNew = false;
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}
