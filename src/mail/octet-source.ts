/** The octets of a message for those who read on from the first to the last: in memory, or a stretch at a time. */
import { bufferOver } from './octets.ts';

export interface OctetSource {
  readonly length: number;
  /** The octets from `start` on, at least `least` of them if there are as many. They hold until the next call. */
  from(start: number, least: number): Buffer;
}

export function inMemory(octets: Uint8Array): OctetSource {
  const buffer = bufferOver(octets);
  return { length: buffer.length, from: (start) => buffer.subarray(start) };
}
