/** Which events of a conversation are the lines that an annotation stands for. */
import type { Conversation, Moment } from '../../wire/recorder.ts';

export class Lines {
  /** Of what the two ends said. */
  readonly #moments: readonly Moment[];
  readonly #client: 'in' | 'out';
  /** Undefined: nothing is missing. */
  readonly #kept: ReadonlySet<number> | undefined;

  constructor(conversation: Conversation) {
    const moments = conversation.moments();
    this.#moments = moments.filter(({ view }) => view !== 'network');
    this.#client = conversation.role === 'server' ? 'in' : 'out';
    if (conversation.gapOctets > 0) {
      this.#kept = new Set([...moments, ...conversation.annotations()].map(({ seq }) => seq));
    }
  }

  /** The client's newest words up to a number: the command that was being answered then. Undefined: they are not kept. */
  command(seq: number): Moment | undefined {
    const found = this.#moments.findLast((each) => each.direction === this.#client && each.seq <= seq);
    if (!found || !this.#kept) return found;
    for (let between = found.seq; between < seq; between++) if (!this.#kept.has(between)) return undefined;
    return found;
  }

  /** The server's first words after a number. */
  answer(seq: number): Moment | undefined {
    const found = this.#moments.find((each) => each.direction !== this.#client && each.seq > seq);
    if (!found || !this.#kept) return found;
    for (let between = seq; between < found.seq; between++) if (!this.#kept.has(between)) return undefined;
    return found;
  }
}
