/** What a client calls itself. */
import type { Conversation } from '../wire/recorder.ts';

/** Of what it says (IMAP's ID, RFC 2971) the last: a program may tell more once it is logged in. Undefined: nothing. */
export function programOf(conversation: Conversation): string | undefined {
  if (conversation.isOwn) return 'glassmail';
  const said = conversation.annotations().findLast(({ annotation }) => annotation.type === 'client')?.annotation;
  return said?.type === 'client' ? `${said.name} ${said.version}`.trim() : undefined;
}
