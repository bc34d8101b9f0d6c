/**
 * Thumbnails of JPEG, PNG and GIF pictures. Runs in a thread of its own, for what it decodes comes from strangers: it may take
 * long or much memory, and is ended then.
 */
import { parentPort, workerData } from 'node:worker_threads';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { decodeGif, isGif } from './gif.ts';

/** Eight bits each of red, green, blue and alpha. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export const WIDTH = 180;
export const HEIGHT = 120;
/** Larger ones are not decoded. */
const MOST_PIXELS = 40_000_000;
const QUALITY = 70;

/** @throws when it is none that is understood here */
export function decodePicture(octets: Uint8Array): Picture {
  const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  if (buffer.readUInt32BE(0) === 0x8950_4e47) {
    // The dimensions come first: what would fill the memory is not begun.
    if (buffer.readUInt32BE(16) * buffer.readUInt32BE(20) > MOST_PIXELS) throw new RangeError('too many pixels');
    return PNG.sync.read(buffer);
  }
  if (isGif(buffer)) return decodeGif(buffer, MOST_PIXELS);
  const maxResolutionInMP = MOST_PIXELS / 1_000_000;
  return jpeg.decode(buffer, { useTArray: true, maxResolutionInMP, maxMemoryUsageInMB: 400 });
}

/** JPEG of 180 by 120: cut to that shape, or whole on white when it is smaller. */
export function thumbnail(picture: Picture): Buffer {
  const { width, height } = picture;
  const isSmall = width < WIDTH || height < HEIGHT;
  const across = WIDTH / width;
  const down = HEIGHT / height;
  // Smaller ones are never made larger.
  const scale = isSmall ? Math.min(across, down, 1) : Math.max(across, down);
  const [left, top] = [(WIDTH - width * scale) / 2, (HEIGHT - height * scale) / 2];
  const data = Buffer.alloc(WIDTH * HEIGHT * 4, 0xff);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const colour = averageOf(picture, (x - left) / scale, (y - top) / scale, 1 / scale);
      if (colour) data.set(colour, (y * WIDTH + x) * 4);
    }
  }
  return jpeg.encode({ data, width: WIDTH, height: HEIGHT }, QUALITY).data;
}

/** Of the pixels of a square, on white; undefined: it lies beside the picture. */
function averageOf({ width, height, data }: Picture, x: number, y: number, size: number): number[] | undefined {
  const [fromX, fromY] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))];
  const toX = Math.min(width, Math.max(Math.floor(x) + 1, Math.floor(x + size)));
  const toY = Math.min(height, Math.max(Math.floor(y) + 1, Math.floor(y + size)));
  if (x + size <= 0 || y + size <= 0 || fromX >= toX || fromY >= toY) return undefined;
  const sums: [number, number, number] = [0, 0, 0];
  for (let row = fromY; row < toY; row++) {
    for (let column = fromX; column < toX; column++) {
      const at = (row * width + column) * 4;
      const alpha = data[at + 3]! / 255;
      for (const [i, sum] of sums.entries()) sums[i] = sum + data[at + i]! * alpha + 255 * (1 - alpha);
    }
  }
  const count = (toX - fromX) * (toY - fromY);
  return [...sums.map((sum) => Math.round(sum / count)), 255];
}

// As a thread: one picture, one answer.
if (parentPort && workerData instanceof Uint8Array) {
  try {
    parentPort.postMessage(thumbnail(decodePicture(workerData)));
  } catch {
    parentPort.postMessage(undefined);
  }
}
