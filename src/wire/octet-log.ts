/**
 * Octets that passed, and when, as the recorder keeps them: copied, in slabs of memory that conversations have one after
 * the other, and without an object for each piece. Left where they came in, each would hold back what lies beside it, and
 * what is let go again would wait for the garbage collector, which is late for memory outside its own heap.
 */

const LARGEST_SLAB = 16 * 1024;
/** A conversation of a few lines takes no more than it needs: its slabs double from here on. */
const FIRST_SLAB = 1024;
const FIRST_ROWS = 8;

/** Slabs of one size. They lie in one piece of memory, of which the system gives what is used. */
export class SlabPool {
  readonly slab: number;
  readonly #capacity: number;
  /** Shared, though nobody shares it: that V8 does not count, or it would let as much again become garbage. */
  #memory: SharedArrayBuffer | undefined;
  /** Where in `#memory` there are slabs that nobody has had yet. */
  #unused = 0;
  readonly #free: Uint8Array[] = [];

  /** @param perLog how much one log takes at most, about: its slabs are a small part of it */
  constructor(capacity: number, perLog: number) {
    this.slab = Math.max(FIRST_SLAB, Math.min(LARGEST_SLAB, 2 ** Math.floor(Math.log2(perLog / 16))));
    this.#capacity = Math.floor(capacity / this.slab) * this.slab;
  }

  take(): Uint8Array {
    const free = this.#free.pop();
    if (free) return free;
    if (this.#unused === this.#capacity) return new Uint8Array(this.slab);
    this.#memory ??= new SharedArrayBuffer(this.#capacity);
    this.#unused += this.slab;
    return new Uint8Array(this.#memory, this.#unused - this.slab, this.slab);
  }

  give(slab: Uint8Array): void {
    if (slab.buffer === this.#memory) this.#free.push(slab);
  }
}

/** What is known of a piece; the meaning of the numbers is its owner's. */
export interface Piece {
  readonly seq: number;
  readonly at: number;
  readonly kind: number;
  readonly position: number;
}

/** Rows of numbers: seq, at, kind, position, length. */
const COLUMNS = 5;
const LENGTH = 4;

/** Pieces in the order in which they came, of which the oldest may go again. */
export class OctetLog {
  readonly #pool: SlabPool;
  /** The octets lie from `#start` in the first to before `#end` in the last. */
  readonly #slabs: Uint8Array[] = [];
  #start = 0;
  #end = 0;
  #nextSlab = FIRST_SLAB;
  #rows = new Float64Array(0);
  #firstRow = 0;
  #lastRow = 0;
  /** Octets of memory that it takes. */
  memory = 0;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** How many there are. */
  get count(): number {
    return this.#lastRow - this.#firstRow;
  }

  /** The numbers of the oldest and of the newest one; 0 if there is none. */
  get firstSeq(): number {
    return this.count === 0 ? 0 : this.#rows[COLUMNS * this.#firstRow]!;
  }

  get lastSeq(): number {
    return this.count === 0 ? 0 : this.#rows[COLUMNS * (this.#lastRow - 1)]!;
  }

  /** The octets are copied. */
  push(seq: number, at: number, kind: number, position: number, octets: Uint8Array): void {
    if (COLUMNS * (this.#lastRow + 1) > this.#rows.length) this.#makeRows();
    const row = COLUMNS * this.#lastRow++;
    this.#rows[row] = seq;
    this.#rows[row + 1] = at;
    this.#rows[row + 2] = kind;
    this.#rows[row + 3] = position;
    this.#rows[row + LENGTH] = octets.length;
    this.#copy(octets);
  }

  /** The oldest one goes. @returns how many octets it had */
  shift(): number {
    const length = this.#rows[COLUMNS * this.#firstRow++ + LENGTH]!;
    this.#start += length;
    while (this.#slabs.length > 1 && this.#start >= this.#slabs[0]!.length) {
      const slab = this.#slabs.shift()!;
      this.#start -= slab.length;
      this.#give(slab);
    }
    return length;
  }

  clear(): void {
    for (const slab of this.#slabs.splice(0)) this.#give(slab);
    this.#start = this.#end = 0;
    this.#rows = new Float64Array(0);
    this.#firstRow = this.#lastRow = 0;
    this.memory = 0;
  }

  /** Those with a higher number, with their octets in memory of their own. */
  *since(seq: number): Generator<Piece & { readonly octets: Uint8Array }> {
    const rows = this.#rows;
    let start = this.#start;
    for (let row = COLUMNS * this.#firstRow; row < COLUMNS * this.#lastRow; row += COLUMNS) {
      const length = rows[row + LENGTH]!;
      const [number, at, kind, position] = [rows[row]!, rows[row + 1]!, rows[row + 2]!, rows[row + 3]!];
      if (number > seq) yield { seq: number, at, kind, position, octets: this.#octets(start, length) };
      start += length;
    }
  }

  /** All of them, without their octets. */
  *heads(): Generator<Piece> {
    const rows = this.#rows;
    for (let row = COLUMNS * this.#firstRow; row < COLUMNS * this.#lastRow; row += COLUMNS) {
      yield { seq: rows[row]!, at: rows[row + 1]!, kind: rows[row + 2]!, position: rows[row + 3]! };
    }
  }

  /** @param start counted from the first octet of the first slab */
  #octets(start: number, length: number): Uint8Array {
    const octets = Buffer.allocUnsafe(length);
    let from = start;
    let filled = 0;
    for (const slab of this.#slabs) {
      if (filled === length) break;
      if (from < slab.length) {
        const piece = slab.subarray(from, from + length - filled);
        octets.set(piece, filled);
        filled += piece.length;
      }
      from = Math.max(0, from - slab.length);
    }
    return octets;
  }

  #copy(octets: Uint8Array): void {
    for (let at = 0; at < octets.length;) {
      let slab = this.#slabs.at(-1);
      if (slab === undefined || this.#end === slab.length) {
        slab = this.#addSlab();
        this.#end = 0;
      }
      const count = Math.min(slab.length - this.#end, octets.length - at);
      slab.set(count === octets.length ? octets : octets.subarray(at, at + count), this.#end);
      this.#end += count;
      at += count;
    }
  }

  #addSlab(): Uint8Array {
    const slab = this.#nextSlab < this.#pool.slab ? new Uint8Array(this.#nextSlab) : this.#pool.take();
    this.#nextSlab = Math.min(2 * this.#nextSlab, this.#pool.slab);
    this.#slabs.push(slab);
    this.memory += slab.length;
    return slab;
  }

  #give(slab: Uint8Array): void {
    this.memory -= slab.length;
    this.#pool.give(slab);
  }

  /** Room for one more row: where those that went were, or in twice the memory. */
  #makeRows(): void {
    const rows = this.#rows.subarray(COLUMNS * this.#firstRow, COLUMNS * this.#lastRow);
    if (2 * this.count < this.#lastRow) this.#rows.set(rows);
    else {
      this.memory -= this.#rows.byteLength;
      this.#rows = new Float64Array(Math.max(COLUMNS * FIRST_ROWS, 2 * rows.length));
      this.#rows.set(rows);
      this.memory += this.#rows.byteLength;
    }
    this.#lastRow = this.count;
    this.#firstRow = 0;
  }
}
