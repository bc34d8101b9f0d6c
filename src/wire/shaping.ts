/**
 * What is done to a connection on purpose: octets pass at a rate, wait, or stop at an exact place. It counts what the two
 * ends say, so that a place in an answer means the same with TLS and without. A connection that nobody interferes with
 * has none of this.
 */

/** How a connection is cut: FIN after what has been said, or RST. */
export type CutManner = 'fin' | 'rst';

/** Something that is to happen once so many octets have passed. */
export interface Mark {
  /** `out`: what this side has said. */
  readonly direction: 'in' | 'out';
  /** Counted from the first octet of the connection. */
  readonly octets: number;
  reached(): void;
}

/** What shaping needs of its connection. */
export interface Shaped {
  /** Sends on. */
  send(): void;
  /** Reads on. */
  read(): void;
  cut(how: CutManner): void;
}

/** So often a slowed connection moves, per second. */
const STEPS = 20;

export class Shaping {
  readonly #shaped: Shaped;
  #octetsPerSecond = Infinity;
  /** By direction: how much has passed, and before which time nothing more does. */
  readonly #passed = { in: 0, out: 0 };
  readonly #notBefore = { in: 0, out: 0 };
  readonly #timers: { in: NodeJS.Timeout | undefined; out: NodeJS.Timeout | undefined } = {
    in: undefined,
    out: undefined,
  };
  /** Where what is said ends; `half`: in the middle of what is said next. */
  #end: { at: number | 'half'; readonly how: CutManner } | undefined;
  /** Not reached yet. */
  #marks: readonly Mark[] = [];

  constructor(shaped: Shaped) {
    this.#shaped = shaped;
  }

  slow(octetsPerSecond: number): void {
    this.#octetsPerSecond = octetsPerSecond;
  }

  /** Nothing passes for so long, either way. */
  hold(ms: number): void {
    const until = performance.now() + ms;
    this.#notBefore.in = Math.max(this.#notBefore.in, until);
    this.#notBefore.out = Math.max(this.#notBefore.out, until);
  }

  cutAfter(octets: number | 'half', how: CutManner): void {
    this.#end = { at: octets === 'half' ? octets : this.#passed.out + octets, how };
  }

  mark(mark: Mark): void {
    this.#marks = [...this.#marks, mark];
  }

  /** How many of the octets that wait may pass now; 0: the connection hears when they may, or is cut. */
  room(direction: 'in' | 'out', waiting: number): number {
    this.#look(direction);
    const passed = this.#passed[direction];
    if (direction === 'out' && this.#end?.at === 'half') this.#end.at = passed + Math.floor(waiting / 2);
    if ((direction === 'out' && this.#isOver()) || this.#isHeld(direction)) return 0;
    let room = waiting;
    if (direction === 'out' && typeof this.#end?.at === 'number') room = Math.min(room, this.#end.at - passed);
    for (const mark of this.#marks) {
      if (mark.direction === direction) room = Math.min(room, mark.octets - passed);
    }
    return Math.min(room, Math.max(1, Math.ceil(this.#octetsPerSecond / STEPS)));
  }

  /** So many octets have left, or have come. */
  moved(direction: 'in' | 'out', octets: number): void {
    this.#passed[direction] += octets;
    const owed = (octets * 1000) / this.#octetsPerSecond;
    if (owed > 0) this.#notBefore[direction] = Math.max(this.#notBefore[direction], performance.now() + owed);
    this.#look(direction);
    if (direction === 'out') this.#isOver();
  }

  stop(): void {
    clearTimeout(this.#timers.in);
    clearTimeout(this.#timers.out);
    this.#marks = [];
  }

  #isOver(): boolean {
    if (typeof this.#end?.at !== 'number' || this.#passed.out < this.#end.at) return false;
    this.#shaped.cut(this.#end.how);
    return true;
  }

  #isHeld(direction: 'in' | 'out'): boolean {
    const wait = this.#notBefore[direction] - performance.now();
    if (wait <= 0) return false;
    this.#timers[direction] ??= setTimeout(
      () => {
        this.#timers[direction] = undefined;
        if (this.#isHeld(direction)) return;
        if (direction === 'out') this.#shaped.send();
        else this.#shaped.read();
      },
      Math.min(Math.ceil(wait), 0x7fff_ffff),
    );
    return true;
  }

  #look(direction: 'in' | 'out'): void {
    const isReached = (mark: Mark): boolean => mark.direction === direction && this.#passed[direction] >= mark.octets;
    if (!this.#marks.some(isReached)) return;
    const reached = this.#marks.filter(isReached);
    this.#marks = this.#marks.filter((mark) => !isReached(mark));
    for (const mark of reached) mark.reached();
  }
}
