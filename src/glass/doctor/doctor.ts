/** What the doctor makes of a conversation so far. */
import type { Conversation } from '../../wire/recorder.ts';
import type { Diagnosis } from './diagnosis.ts';

/** In the order in which they showed. */
export function diagnosesOf(conversation: Conversation): readonly Diagnosis[] {
  return conversation.closedAt === undefined ? [] : [];
}
