/**
 * What threads that parse have in memory of a large message: not all of it. Its parts are found a stretch at a time; then
 * what is looked at of them, headers and the beginnings of texts, is read to its place among zeros that nobody touches,
 * and that take no memory.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { partsOf, type MimePart } from '../../mail/mime-tree.ts';
import type { OctetSource } from '../../mail/octet-source.ts';

const STRETCH = 256 * 1024;

export class LargeOctets implements OctetSource, Disposable {
  readonly length: number;
  readonly #trace: Buffer;
  readonly #path: string;
  readonly #file: number;
  /** The octets from `#start` to before `#end`. */
  #held = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** @param size of trace and file */
  constructor(trace: Buffer, path: string, size: number) {
    this.length = size;
    this.#trace = trace;
    this.#path = path;
    this.#file = openSync(path, 'r');
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  from(start: number, least: number): Buffer {
    if (start < this.#start || Math.min(start + least, this.length) > this.#end) this.#hold(start, least);
    return this.#held.subarray(start - this.#start, this.#end - this.#start);
  }

  #hold(start: number, least: number): void {
    const size = Math.max(STRETCH, least);
    if (this.#held.length < size) this.#held = Buffer.allocUnsafe(size);
    this.#start = start;
    this.#end = Math.min(start + size, this.length);
    this.#read(start, this.#end, this.#held, 0);
  }

  /** What of the message is looked at once its tree is known. @param texts how much is read of each text, in octets */
  excerpt(tree: MimePart, texts: number): Buffer<ArrayBuffer> {
    const octets = Buffer.alloc(this.length);
    for (const { part } of partsOf(tree)) {
      const isText = part.type.toLowerCase() === 'text';
      const end = isText ? Math.min(part.end, part.bodyStart + texts) : part.bodyStart;
      this.#read(part.start, end, octets, part.start);
    }
    return octets;
  }

  #read(start: number, end: number, target: Buffer, offset: number): void {
    const traceSize = this.#trace.length;
    let at = start;
    if (at < traceSize) at += this.#trace.copy(target, offset, at, Math.min(end, traceSize));
    while (at < end) {
      const count = readSync(this.#file, target, offset + at - start, end - at, at - traceSize);
      if (count === 0) throw new Error(`${this.#path} is shorter than it was`);
      at += count;
    }
  }
}
