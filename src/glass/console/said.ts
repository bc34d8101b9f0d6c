/** What was said, in order, as those read it who follow a dialogue: whole lines, and the handshakes between them. */
import type { Spoken } from '../reading.ts';
import type { Handshake } from './standing.ts';

export type Said =
  | { readonly type: 'client' | 'server'; readonly text: string; readonly position: number; readonly octets: number }
  | { readonly type: 'handshake' };

export function* said(spoken: readonly Spoken[], handshakes: readonly Handshake[]): Generator<Said> {
  const ahead = [...handshakes];
  for (const unit of spoken) {
    while (ahead.length > 0 && ahead[0]!.seq < unit.seq) {
      ahead.shift();
      yield { type: 'handshake' };
    }
    yield { type: unit.side, text: unit.text, position: unit.position, octets: unit.octets };
  }
  for (let left = ahead.length; left > 0; left--) yield { type: 'handshake' };
}

/** A server's challenge (RFC 4648 §4) as text; empty if it is none. */
export function challengeText(base64: string): string {
  const text = Buffer.from(base64.trim(), 'base64').toString('utf8');
  return /^[\x20-\x7e]*$/.test(text) ? text : '';
}

/** Octets that the client owes: a literal or a chunk. Positions count in what it has said. */
export class Owed {
  #until = 0;

  /** @param from where they begin */
  begin(from: number, octets: number): void {
    this.#until = from + octets;
  }

  /** @returns what of this is no content: undefined if all of it is */
  take({
    position,
    octets,
    text,
  }: {
    readonly position: number;
    readonly octets: number;
    readonly text: string;
  }): string | undefined {
    if (position >= this.#until) return text;
    const end = position + octets;
    if (end <= this.#until) return undefined;
    // The rest of the line goes on with the command.
    return Buffer.from(text)
      .subarray(this.#until - position)
      .toString('utf8');
  }

  /** @param sent how many octets the client has said so far */
  left(sent: number): number {
    return Math.max(0, this.#until - sent);
  }
}
