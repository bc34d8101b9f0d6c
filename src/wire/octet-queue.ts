/**
 * Octets that have come and wait to be read, in the pieces in which they came. Lines and counted octets are taken from its
 * front; nothing is copied unless a line or a count spans pieces.
 */
import type { Line } from './connection.ts';

const LF = 0x0a;
const CR = 0x0d;
const NOTHING = Buffer.alloc(0);

export class OctetQueue {
  #pieces: Buffer[] = [];
  /** The first piece that is not used up, and how much of it is. */
  #first = 0;
  #offset = 0;
  #length = 0;
  /** Pieces before this one hold no LF. */
  #searched = 0;
  /** The start of a line over its limit, whose rest is being discarded. */
  #overlong: Buffer | undefined;
  /** The octet that was taken last: the CR of a line's end may lie in another piece than its LF. */
  #lastTaken = 0;

  /** Octets that wait. */
  get length(): number {
    return this.#length;
  }

  push(octets: Buffer): void {
    if (octets.length === 0) return;
    this.#pieces.push(octets);
    this.#length += octets.length;
  }

  /** Up to `count` octets, without copying: what is left of the first piece. */
  takePiece(count: number): Buffer {
    if (this.#length === 0 || count === 0) return NOTHING;
    const piece = this.#pieces[this.#first]!;
    const taken = piece.subarray(this.#offset, Math.min(piece.length, this.#offset + count));
    this.#lastTaken = taken[taken.length - 1]!;
    this.#advance(taken.length);
    return taken;
  }

  /** Exactly `count` octets; the caller has seen that they are here. */
  take(count: number): Buffer {
    const piece = this.takePiece(count);
    if (piece.length === count) return piece;
    const whole = Buffer.allocUnsafe(count);
    let filled = piece.copy(whole);
    while (filled < count) filled += this.takePiece(count - filled).copy(whole, filled);
    return whole;
  }

  drop(count: number): void {
    let left = count;
    while (left > 0) left -= this.takePiece(left).length;
  }

  /** All that waits, in one piece. */
  peek(): Buffer {
    if (this.#length === 0) return NOTHING;
    const head = this.#pieces[this.#first]!.subarray(this.#offset);
    if (head.length === this.#length) return head;
    return Buffer.concat([head, ...this.#pieces.slice(this.#first + 1)], this.#length);
  }

  /** The next line without its end, or undefined while there is none. The limit does not count the line's end. */
  takeLine(limit: number): Line | undefined {
    let before = 0;
    for (let i = this.#first; i < this.#pieces.length; i++) {
      const piece = this.#pieces[i]!;
      const start = i === this.#first ? this.#offset : 0;
      if (i >= this.#searched) {
        const lf = piece.indexOf(LF, start);
        if (lf !== -1) return this.#cutLine(before + lf - start, limit);
        this.#searched = i + 1;
      }
      before += piece.length - start;
    }
    // One more than the limit may be the CR of a line that just fits.
    if (this.#overlong !== undefined) this.drop(this.#length);
    else if (this.#length > limit + 1) {
      this.#overlong = Buffer.from(this.take(limit));
      this.drop(this.#length);
    }
    return undefined;
  }

  #cutLine(length: number, limit: number): Line {
    if (this.#overlong !== undefined) {
      const octets = this.#overlong;
      this.#overlong = undefined;
      this.drop(length);
      const bare = this.#lastTaken !== CR;
      this.drop(1);
      return { octets, bare, overlong: true };
    }
    const line = this.take(length);
    this.drop(1);
    const bare = length === 0 || line[length - 1] !== CR;
    const end = bare ? length : length - 1;
    return end > limit
      ? { octets: line.subarray(0, limit), bare, overlong: true }
      : { octets: bare ? line : line.subarray(0, end), bare, overlong: false };
  }

  #advance(count: number): void {
    this.#length -= count;
    this.#offset += count;
    const piece = this.#pieces[this.#first]!;
    if (this.#offset < piece.length) return;
    this.#pieces[this.#first] = NOTHING;
    this.#first++;
    this.#offset = 0;
    if (this.#first === this.#pieces.length) {
      this.#pieces.length = 0;
      this.#first = 0;
      this.#searched = 0;
    } else if (this.#first > 256 && this.#first * 2 > this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#first);
      this.#searched = Math.max(0, this.#searched - this.#first);
      this.#first = 0;
    }
  }
}
