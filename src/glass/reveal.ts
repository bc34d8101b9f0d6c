/** What the veil hides, for those who ask for it explicitly. Whoever calls this has decided that they may have it. */
import type { Conversation } from '../wire/recorder.ts';
import { unveiledReadingOf } from './reading.ts';
import type { Decoded, Field, Spoken } from './spoken.ts';
import { hiddenBetween, veilOf } from './veil.ts';

/** A unit as it was said. */
export interface Revealed extends Pick<
  Spoken,
  'seq' | 'lastSeq' | 'side' | 'position' | 'octets' | 'text' | 'charset'
> {
  /** What was hidden, as characters of the text. */
  readonly secrets: readonly Pick<Field, 'start' | 'end'>[];
  /** What its encoded parts say, with their secrets. */
  readonly decoded: readonly Decoded[];
}

/** The units with secrets that lie in the events with these numbers; undefined: in any. */
export function reveal(conversation: Conversation, seqs: readonly number[] | undefined): Revealed[] {
  const { ends } = veilOf(conversation);
  const client = conversation.role === 'server' ? 'in' : 'out';
  const server = client === 'in' ? 'out' : 'in';
  const revealed: Revealed[] = [];
  for (const unit of unveiledReadingOf(conversation)) {
    const { seq, lastSeq, side, position, octets, text, charset } = unit;
    const isAsked = seqs === undefined || seqs.some((each) => each >= seq && each <= lastSeq);
    const hidden = hiddenBetween(ends[side === 'client' ? client : server], position, position + octets);
    const decoded = unit.meaning?.decoded ?? [];
    if (!isAsked || hidden.length === 0) continue;
    const secrets = hidden.map(({ start, end }) => ({
      start: characters(unit, start - position),
      end: characters(unit, end - position),
    }));
    revealed.push({ seq, lastSeq, side, position, octets, text, charset, secrets, decoded });
  }
  return revealed;
}

/** How many characters of the text so many octets are. */
function characters({ text, charset }: Spoken, octets: number): number {
  if (charset === 'octets') return Math.min(octets, text.length);
  return Math.min(Buffer.from(text).subarray(0, octets).toString('utf8').length, text.length);
}
