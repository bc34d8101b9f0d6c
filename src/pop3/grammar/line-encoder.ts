/**
 * A message's octets as the lines of a multi-line response: RFC 1939 §3.
 *
 * Every line ends with CRLF. Octets are stored as they came, so some messages hold LF alone: those are sent as CRLF, and
 * a last line without an end gets one, as §11 foresees for local conventions. To send them as they are would leave it to
 * each client whether LF, full stop, LF is the end of the response; and what follows would be read as responses.
 * Lines that begin with a full stop get a second one. CR alone is an octet like any other.
 */
import { LF, CR, bufferOver } from '../../mail/octets.ts';

const DOT = 0x2e;
const CRLF = Buffer.from('\r\n');
const STOP = Buffer.from('.');

export class LineEncoder {
  /** At the start of a line, as after LF. */
  #last: number = LF;

  /** The encoding of the next piece, in order; mostly the piece itself. */
  encode(piece: Uint8Array): Uint8Array[] {
    const octets = bufferOver(piece);
    const { length } = octets;
    if (length === 0) return [];
    const out: Uint8Array[] = [];
    let taken = 0;
    if (this.#last === LF && octets[0] === DOT) out.push(STOP);
    for (let at = octets.indexOf(LF); at !== -1; at = octets.indexOf(LF, at + 1)) {
      if ((at === 0 ? this.#last : octets[at - 1]) !== CR) {
        if (at > taken) out.push(octets.subarray(taken, at));
        out.push(CRLF);
        taken = at + 1;
      }
      if (octets[at + 1] === DOT) {
        if (at + 1 > taken) out.push(octets.subarray(taken, at + 1));
        out.push(STOP);
        taken = at + 1;
      }
    }
    if (length > taken) out.push(octets.subarray(taken));
    this.#last = octets[length - 1]!;
    return out;
  }

  /** What the last line lacks, and the full stop that ends the response. */
  end(): Uint8Array {
    return Buffer.from(this.#last === LF ? '.\r\n' : '\r\n.\r\n');
  }
}

/** Counts what LineEncoder sends, without the full stops: the size of a message in LIST and STAT (RFC 1939 §11). */
export class LineCounter {
  #last: number = LF;
  #octets = 0;

  add(piece: Uint8Array): void {
    const octets = bufferOver(piece);
    const { length } = octets;
    if (length === 0) return;
    let bare = 0;
    for (let at = octets.indexOf(LF); at !== -1; at = octets.indexOf(LF, at + 1)) {
      if ((at === 0 ? this.#last : octets[at - 1]) !== CR) bare++;
    }
    this.#octets += length + bare;
    this.#last = octets[length - 1]!;
  }

  /** With the end of the last line. */
  get total(): number {
    return this.#octets + (this.#last === LF ? 0 : 2);
  }
}
