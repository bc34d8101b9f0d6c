/** A message's trace and octets as one sequence of octets, from memory or from a file. */
import { open } from 'node:fs/promises';
import type { Content } from '../mail-store.ts';

const PIECE = 256 * 1024;

export class MemoryContent implements Content {
  readonly size: number;
  readonly traceSize: number;
  readonly octets: Uint8Array;

  constructor(octets: Uint8Array, traceSize: number) {
    this.traceSize = traceSize;
    this.size = octets.length;
    this.octets = octets;
  }

  async *read(start: number, end: number): AsyncIterable<Uint8Array> {
    const last = Math.min(end, this.size);
    for (let at = start; at < last; at += PIECE) yield this.octets.subarray(at, Math.min(at + PIECE, last));
  }
}

export class FileContent implements Content {
  readonly size: number;
  readonly traceSize: number;
  readonly octets = undefined;
  readonly #trace: Uint8Array;
  readonly #path: string;

  /** @param received how many octets the file has */
  constructor(trace: Uint8Array, path: string, received: number) {
    this.#trace = trace;
    this.#path = path;
    this.traceSize = trace.length;
    this.size = trace.length + received;
  }

  async *read(start: number, end: number): AsyncIterable<Uint8Array> {
    const last = Math.min(end, this.size);
    if (start < this.traceSize && start < last) yield this.#trace.subarray(start, Math.min(last, this.traceSize));
    if (last <= this.traceSize) return;
    const file = await open(this.#path, 'r');
    try {
      for (let at = Math.max(start - this.traceSize, 0); at < last - this.traceSize;) {
        const piece = Buffer.allocUnsafe(Math.min(PIECE, last - this.traceSize - at));
        const { bytesRead } = await file.read(piece, 0, piece.length, at);
        if (bytesRead === 0) throw new Error(`${this.#path} is shorter than it was`);
        at += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }
}
