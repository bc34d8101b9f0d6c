/** Work over many messages is done in turns: whoever has worked for some milliseconds lets others go first. */
import { setImmediate as nextTurn } from 'node:timers/promises';

const TURN_MS = 5;

export class Turns {
  #since = performance.now();

  /** To be awaited every thousand steps or so. */
  async give(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return;
    await nextTurn();
    this.#since = performance.now();
  }
}
