/** Looks for words in what was said, as it leaves through the veil: what is hidden is not found. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Conversation, Direction } from '../wire/recorder.ts';
import { eventValue } from './conversation.ts';
import { veilOf } from './veil.ts';

/** A search works for so long at once before it gives others a turn, and for so long in all. Milliseconds. */
const SLICE_MS = 8;
const MOST_MS = 500;

export interface ConversationSearch {
  /** In the order in which they were given. */
  readonly matches: Conversation[];
  /** Of those that were given, the last ones that there was no time for. */
  readonly unsearched: number;
}

/** @param text upper and lower case are alike */
export async function searchConversations(
  conversations: readonly Conversation[],
  text: string,
  mostMs = MOST_MS,
): Promise<ConversationSearch> {
  const wanted = text.toLowerCase();
  const matches: Conversation[] = [];
  let worked = 0;
  let since = performance.now();
  for (const [index, conversation] of conversations.entries()) {
    if (isSaidIn(conversation, wanted)) matches.push(conversation);
    const slice = performance.now() - since;
    if (worked + slice > mostMs) return { matches, unsearched: conversations.length - index - 1 };
    if (slice > SLICE_MS) {
      worked += slice;
      await turn();
      since = performance.now();
    }
  }
  return { matches, unsearched: 0 };
}

/** Also what came in several pieces, as long as nothing in between was let go. */
function isSaidIn(conversation: Conversation, wanted: string): boolean {
  const said: Record<Direction, { text: string; end: number }> = {
    in: { text: '', end: 0 },
    out: { text: '', end: 0 },
  };
  const veil = veilOf(conversation);
  for (const event of conversation.since(0).events) {
    if (event.type !== 'octets' || event.view === 'network') continue;
    const value = eventValue(event, veil);
    if (value.type !== 'text') continue;
    const { direction, position, octets, text } = value;
    const before = said[direction];
    // A line end that nobody can look for keeps apart what does not belong together.
    before.text += (position === before.end ? '' : '\0') + text;
    before.end = position + octets;
  }
  return said.in.text.toLowerCase().includes(wanted) || said.out.text.toLowerCase().includes(wanted);
}
