/** The progress of an import: a line on the terminal that is written over; in a pipe, nothing. */
import type { Io } from './command.ts';

const EVERY_MS = 100;

export class Progress {
  imported = 0;
  duplicates = 0;
  refused = 0;
  readonly #io: Io;
  readonly #startedAt = performance.now();
  #shownAt = 0;
  #shown = false;

  constructor(io: Io) {
    this.#io = io;
  }

  show(mailbox: string): void {
    const now = performance.now();
    if (!this.#io.stderr.isTTY || now - this.#shownAt < EVERY_MS) return;
    this.#shownAt = now;
    this.#shown = true;
    const done = this.imported + this.duplicates;
    const rate = Math.round(done / ((now - this.#startedAt) / 1000));
    const line = `${done} messages, ${rate} a second: ${mailbox}`;
    this.#io.stderr.write(`\r\x1B[K${line.slice(0, Math.max(20, this.#io.stderr.columns - 1))}`);
  }

  /** What is written next begins a line of its own. */
  end(): void {
    if (this.#shown) this.#io.stderr.write('\r\x1B[K');
    this.#shown = false;
    this.#shownAt = 0;
  }
}
