/**
 * The part of a message that TOP asks for: RFC 1939 §7. The headers, the blank line, and the first lines of the body.
 */
import { CR, LF, bufferOver } from '../../mail/octets.ts';

/** @param lines how many of the body */
export async function* top(pieces: AsyncIterable<Uint8Array>, lines: number): AsyncGenerator<Uint8Array> {
  /** How many octets the line so far has, CR not counted as one: a blank line has none. */
  let lineOctets = 0;
  let left = lines;
  let inBody = false;
  for await (const piece of pieces) {
    const octets = bufferOver(piece);
    let start = 0;
    for (let at = octets.indexOf(LF); at !== -1; at = octets.indexOf(LF, start)) {
      lineOctets += textOctets(octets, start, at);
      start = at + 1;
      if (inBody) left--;
      else if (lineOctets === 0) inBody = true;
      lineOctets = 0;
      if (inBody && left <= 0) {
        yield octets.subarray(0, start);
        return;
      }
    }
    lineOctets += textOctets(octets, start, octets.length);
    yield octets;
  }
}

/** A CR at the end does not count: it may be half of the line's end. One in the midst of a line does no harm. */
function textOctets(octets: Buffer, start: number, end: number): number {
  return end > start && octets[end - 1] === CR ? end - start - 1 : end - start;
}
