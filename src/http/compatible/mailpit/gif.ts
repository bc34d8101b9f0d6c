/**
 * The first picture of a GIF, as the browser shows it before anything moves. Format: GIF89a specification; the codes are
 * LZW of 3 to 12 bits (its appendix F).
 */
import type { Picture } from './picture.ts';

const EXTENSION = 0x21;
const GRAPHIC_CONTROL = 0xf9;
const IMAGE = 0x2c;
/** §20, §18: a palette follows; rows come in four passes. */
const HAS_PALETTE = 0x80;
const INTERLACED = 0x40;
const LONGEST_CODE = 12;
/** Appendix E: where each pass begins, and how many rows it goes on by. */
const PASSES = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

export function isGif(octets: Buffer): boolean {
  return /^GIF8[79]a$/.test(octets.toString('latin1', 0, 6));
}

/** What ends early is shown as far as it goes. @throws RangeError when there is no picture, or one of too many pixels */
export function decodeGif(octets: Buffer, mostPixels: number): Picture {
  const [width, height] = [octets.readUInt16LE(6), octets.readUInt16LE(8)];
  if (width * height === 0 || width * height > mostPixels) throw new RangeError('no pixels, or too many');
  const data = new Uint8Array(width * height * 4);
  let at = 13;
  const palette = (flags: number): Buffer | undefined => {
    if ((flags & HAS_PALETTE) === 0) return undefined;
    const colours = octets.subarray(at, at + 3 * 2 ** ((flags & 7) + 1));
    at += colours.length;
    return colours;
  };
  const common = palette(octets.readUInt8(10));
  let transparent: number | undefined;
  for (;;) {
    const kind = octets.readUInt8(at++);
    if (kind === EXTENSION) {
      const label = octets.readUInt8(at++);
      const blocks = subBlocks(octets, at);
      if (label === GRAPHIC_CONTROL && blocks.data.length >= 4) {
        transparent = (blocks.data[0]! & 1) === 1 ? blocks.data[3] : undefined;
      }
      at = blocks.end;
      continue;
    }
    if (kind !== IMAGE) throw new RangeError('no picture');
    const [left, top] = [octets.readUInt16LE(at), octets.readUInt16LE(at + 2)];
    const [across, down] = [octets.readUInt16LE(at + 4), octets.readUInt16LE(at + 6)];
    const flags = octets.readUInt8(at + 8);
    if (across * down > mostPixels) throw new RangeError('too many pixels');
    at += 9;
    const colours = palette(flags) ?? common;
    if (!colours) throw new RangeError('no palette');
    const codeSize = octets.readUInt8(at);
    const indexes = unpacked(subBlocks(octets, at + 1).data, codeSize, across * down);
    const rows = rowOrder(down, (flags & INTERLACED) !== 0);
    for (const [i, index] of indexes.entries()) {
      const [x, y] = [left + (i % across), top + rows[Math.floor(i / across)]!];
      if (index === transparent || x >= width || y >= height || index * 3 + 2 >= colours.length) continue;
      data.set(colours.subarray(index * 3, index * 3 + 3), (y * width + x) * 4);
      data[(y * width + x) * 4 + 3] = 255;
    }
    return { width, height, data };
  }
}

/** §15: each begins with its length; one of none ends them. */
function subBlocks(octets: Buffer, start: number): { readonly data: Buffer; readonly end: number } {
  const pieces: Buffer[] = [];
  let at = start;
  while (at < octets.length && octets[at] !== 0) {
    pieces.push(octets.subarray(at + 1, at + 1 + octets[at]!));
    at += 1 + octets[at]!;
  }
  return { data: Buffer.concat(pieces), end: at + 1 };
}

function rowOrder(rows: number, isInterlaced: boolean): number[] {
  const all = Array.from({ length: rows }, (_, row) => row);
  return isInterlaced ? PASSES.flatMap(([first, step]) => all.filter((row) => row % step === first)) : all;
}

/** LZW: a code stands for one index, or for what an earlier code stood for with one index more. */
function unpacked(packed: Buffer, codeSize: number, count: number): Uint8Array {
  if (codeSize < 2 || codeSize > 8) throw new RangeError('no code size of GIF');
  const [clear, end] = [1 << codeSize, (1 << codeSize) + 1];
  const indexes = new Uint8Array(count);
  /** Where in `indexes` what a code stands for was written first, and how long it is. */
  const starts = new Uint32Array(1 << LONGEST_CODE);
  const lengths = new Uint32Array(1 << LONGEST_CODE);
  let written = 0;
  let next = end + 1;
  let size = codeSize + 1;
  let before: { readonly start: number; readonly length: number } | undefined;
  let [bits, bitCount] = [0, 0];
  for (const octet of packed) {
    bits |= octet << bitCount;
    bitCount += 8;
    while (bitCount >= size) {
      const code = bits & ((1 << size) - 1);
      bits >>>= size;
      bitCount -= size;
      if (code === end || written >= count) return indexes.subarray(0, written);
      if (code === clear) {
        [next, size, before] = [end + 1, codeSize + 1, undefined];
        continue;
      }
      // The code that is being made: what came before, and its own first index again.
      if (code > next || (code === next && !before)) return indexes.subarray(0, written);
      const start = written;
      if (code < clear) indexes[written++] = code;
      else {
        const [from, length] = code === next ? [before!.start, before!.length + 1] : [starts[code]!, lengths[code]!];
        for (let i = 0; i < length && written < count; i++) indexes[written++] = indexes[from + i]!;
      }
      if (before && next < 1 << LONGEST_CODE) {
        // It begins where the one before began; its last index is the first of this one, which follows there.
        starts[next] = before.start;
        lengths[next] = before.length + 1;
        next++;
        if (next === 1 << size && size < LONGEST_CODE) size++;
      }
      before = { start, length: written - start };
    }
  }
  return indexes.subarray(0, written);
}
