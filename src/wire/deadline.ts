/**
 * A deadline that is moved far more often than it passes: moving it on costs a clock reading, for the timer underneath
 * is armed anew only when it fires too early.
 */
export class Deadline {
  readonly #passed: () => void;
  #due = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Infinity;

  constructor(passed: () => void) {
    this.#passed = passed;
  }

  /** Calls `passed` once `ms` from now, unless it is set or cleared before. Infinity means never. */
  set(ms: number): void {
    const now = performance.now();
    this.#due = now + ms;
    if (this.#due < this.#timerDue) this.#arm(ms, now);
  }

  /** The timer may still fire once; it finds nothing to do. */
  clear(): void {
    this.#due = Infinity;
  }

  /** For good: nothing is held any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerDue = this.#due = Infinity;
  }

  #arm(ms: number, now: number): void {
    clearTimeout(this.#timer);
    // Longer than that does not fit Node's timers; what is further away is armed again then.
    const delay = Math.min(Math.max(1, Math.ceil(ms)), 0x7fff_ffff);
    this.#timerDue = now + delay;
    this.#timer = setTimeout(this.#fired, delay);
    this.#timer.unref();
  }

  readonly #fired = (): void => {
    this.#timer = undefined;
    this.#timerDue = Infinity;
    if (this.#due === Infinity) return;
    const now = performance.now();
    if (now >= this.#due) {
      this.#due = Infinity;
      this.#passed();
    } else this.#arm(this.#due - now, now);
  };
}
