/** What the server refused in the conversations that the recorder kept: a client that works as it should gives no cause. */
import { conversationDetail } from '../../src/glass/conversation.ts';
import type { TestStack } from '../test-stack.ts';

/** By the protocols' names. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  imap: /^(?:[^\s*+]\S*|\*) (?:NO|BAD) /,
  pop3: /^-ERR/,
  smtp: /^[45]\d\d[ -]/,
};

/** A line that someone said, secrets hidden. */
interface Line {
  readonly by: 'client' | 'server';
  readonly text: string;
}

export interface SpokenConversation {
  /** The login name, once there is one. */
  readonly login: string | null;
  readonly service: string;
  readonly protocol: string;
  readonly lines: readonly Line[];
}

/** Whole conversations as their lines, in the order in which they were spoken. @throws when one is not kept whole */
export function spokenLines(stack: TestStack): SpokenConversation[] {
  return stack.recorder
    .list()
    .filter(({ protocol }) => protocol in REFUSED)
    .map((conversation) => {
      const { service, protocol, login, events, missed } = conversationDetail(conversation);
      if (missed.events > 0) throw new Error(`The conversation ${conversation.id} was not kept whole`);
      const lines: { by: Line['by']; text: string }[] = [];
      let isOpen = false;
      for (const event of events) {
        if (event.type === 'annotation' || event.type === 'tls' || event.type === 'closed') continue;
        if (event.view === 'network') continue;
        const text = event.type === 'text' ? event.text : Buffer.from(event.base64, 'base64').toString('latin1');
        const by = event.direction === 'in' ? 'client' : 'server';
        for (const [index, part] of text.split('\r\n').entries()) {
          const last = lines.at(-1);
          if (index === 0 && isOpen && last?.by === by) last.text += part;
          else lines.push({ by, text: part });
        }
        isOpen = !text.endsWith('\r\n');
        if (!isOpen) lines.pop();
      }
      return { service, protocol, login, lines };
    });
}

/** Each refusal behind the client's line before it; for the end of a test. */
export function refusals(stack: TestStack): string[] {
  return spokenLines(stack).flatMap(({ service, protocol, lines }) => {
    const refused = REFUSED[protocol]!;
    return lines.flatMap(({ by, text }, index) => {
      if (by !== 'server' || !refused.test(text)) return [];
      const asked = lines.slice(0, index).findLast((line) => line.by === 'client');
      return [`${service}: ${asked?.text ?? ''} -> ${text}`];
    });
  });
}

/** The last lines of every conversation, for the message of a failure. */
export function lastLines(stack: TestStack): string {
  return spokenLines(stack)
    .map(({ service, lines }) =>
      [`${service}:`, ...lines.slice(-16).map(({ by, text }) => `  ${by}: ${text.slice(0, 200)}`)].join('\n'),
    )
    .join('\n');
}
