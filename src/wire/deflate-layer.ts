/**
 * Compression between two ends: raw DEFLATE streams (RFC 1951) over the layer below, one each way. What is written
 * together leaves together, so that the peer can read it (a sync flush). Once both streams have ended, the layer passes
 * octets on as they are.
 */
import { once } from 'node:events';
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';
import type { Above, Layer } from './layers.ts';

/** A peer whose few octets become very many is out for our time and memory: so many are borne... */
const BORNE = 64 * 1024 * 1024;
/** ...and so many more for each octet that came. Text is seldom compressed to less than a twentieth. */
const BORNE_FOR_EACH = 100;
/** No printable text begins a block that ends a stream. */
const FIRST_PRINTABLE = 0x20;

const { Z_SYNC_FLUSH } = constants;

export class DeflateLayer implements Layer {
  above: Above;
  readonly #below: Layer;
  readonly #deflate = createDeflateRaw();
  readonly #inflate = createInflateRaw({ finishFlush: Z_SYNC_FLUSH });
  /** `plain`: it has ended. `perhaps-plain`: it is to end, but the octets that say so may still come. */
  #incoming: 'inflated' | 'perhaps-plain' | 'plain' = 'inflated';
  #outgoing: 'deflated' | 'plain' = 'deflated';
  /** What the deflate stream has given and the layer below has not been given. */
  #deflated: Buffer[] = [];
  /** What the inflate stream was given and may not have taken: from its octet `#takenUpTo` to `#fedUpTo`. */
  #fed: Buffer[] = [];
  #fedUpTo = 0;
  #takenUpTo = 0;
  #inflated = 0;
  /** What came after the peer's stream had ended, while this side's has not. */
  #after: Buffer[] | undefined;
  #error: Error | undefined;

  constructor(below: Layer, above: Above) {
    this.#below = below;
    this.above = above;
    this.#deflate.on('readable', this.#collect).on('error', this.#fail);
    this.#inflate.on('data', this.#hasInflated).on('end', this.#streamHasEnded).on('error', this.#fail);
    this.#inflate.on('drain', () => below.resume());
    below.above = {
      received: (octets) => this.#arrived(octets),
      ended: () => this.#peerHasEnded(),
      closed: (error) => {
        this.#deflate.destroy();
        this.#inflate.destroy();
        this.above.closed(this.#error ?? error);
      },
    };
  }

  write(octets: readonly Buffer[], done: () => void): void {
    if (this.#outgoing === 'plain') {
      this.#below.write(octets, done);
      return;
    }
    for (const piece of octets) this.#deflate.write(piece);
    this.#deflate.flush(Z_SYNC_FLUSH, () => this.#pass(done));
  }

  pause(): void {
    if (this.#incoming === 'inflated') this.#inflate.pause();
    else this.#below.pause();
  }

  resume(): void {
    if (this.#incoming === 'inflated') this.#inflate.resume();
    if (!this.#inflate.writableNeedDrain) this.#below.resume();
  }

  end(): void {
    void this.#endOwn().then(() => this.#below.end());
  }

  destroy(): void {
    this.#below.destroy();
  }

  /** Octets that came unasked before this layer was there, compressed in the hope of it. */
  early(octets: Buffer): void {
    if (octets.length > 0) this.#arrived(octets);
  }

  /** Ends this side's stream, after all that was written. The peer ends its own. */
  async finish(): Promise<void> {
    await this.#endOwn();
    if (this.#after === undefined) {
      // The peer's last octets may still be on their way through its stream.
      const ended = once(this.#inflate, 'end').catch(() => undefined);
      await Promise.race([ended, new Promise<void>((resolve) => this.#inflate.flush(resolve))]);
    }
    this.#inflate.resume();
    this.#incoming = 'perhaps-plain';
    if (this.#after !== undefined) this.#becomePlain(this.#after);
  }

  async #endOwn(): Promise<void> {
    if (this.#deflate.destroyed || this.#deflate.writableEnded) return;
    const ended = once(this.#deflate, 'end').catch(() => undefined);
    this.#deflate.end();
    await ended;
    await new Promise<void>((resolve) => this.#pass(resolve));
    this.#outgoing = 'plain';
  }

  // -------------------------------------------------------------------------------------------------- to the peer

  readonly #collect = (): void => {
    for (let piece; (piece = this.#deflate.read() as Buffer | null) !== null;) this.#deflated.push(piece);
  };

  #pass(done: () => void): void {
    this.#collect();
    const pieces = this.#deflated;
    this.#deflated = [];
    if (pieces.length === 0) done();
    else this.#below.write(pieces, done);
  }

  // ------------------------------------------------------------------------------------------------ from the peer

  #arrived(octets: Buffer): void {
    if (this.#incoming === 'plain') this.above.received(octets);
    else if (this.#after !== undefined) this.#after.push(octets);
    else if (this.#incoming === 'perhaps-plain' && octets[0]! >= FIRST_PRINTABLE) this.#becomePlain([octets]);
    else this.#feed(octets);
  }

  #feed(octets: Buffer): void {
    this.#forgetTaken();
    this.#fed.push(octets);
    this.#fedUpTo += octets.length;
    if (!this.#inflate.write(octets)) this.#below.pause();
  }

  readonly #hasInflated = (octets: Buffer): void => {
    this.#inflated += octets.length;
    if (this.#inflated > BORNE + this.#fedUpTo * BORNE_FOR_EACH) {
      this.#fail(new Error('The octets of the peer became too many when they were decompressed'));
    } else if (this.#error === undefined) this.above.received(octets);
  };

  /** Only what the stream has not taken may turn out to come after its end. */
  #forgetTaken(): void {
    while (this.#fed.length > 0 && this.#takenUpTo + this.#fed[0]!.length <= this.#inflate.bytesWritten) {
      this.#takenUpTo += this.#fed.shift()!.length;
    }
  }

  readonly #streamHasEnded = (): void => {
    this.#forgetTaken();
    const [first, ...others] = this.#fed;
    this.#after = first ? [first.subarray(this.#inflate.bytesWritten - this.#takenUpTo), ...others] : [];
    if (this.#incoming === 'perhaps-plain') this.#becomePlain(this.#after);
  };

  #becomePlain(octets: readonly Buffer[]): void {
    this.#incoming = 'plain';
    this.#inflate.destroy();
    this.#fed = [];
    this.#after = undefined;
    this.#below.resume();
    for (const piece of octets) if (piece.length > 0) this.above.received(piece);
  }

  #peerHasEnded(): void {
    if (this.#after !== undefined || this.#inflate.destroyed) {
      this.above.ended();
      return;
    }
    this.#inflate.once('end', () => this.above.ended());
    this.#inflate.end();
  }

  readonly #fail = (error: Error): void => {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#below.destroy();
  };
}
