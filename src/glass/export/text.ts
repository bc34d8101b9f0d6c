/** A conversation as text for people: who said what, and when. Secrets are hidden. */
import type { Conversation, RecordedEvent } from '../../wire/recorder.ts';
import { readingOf } from '../reading.ts';
import type { Spoken } from '../spoken.ts';

interface Line {
  readonly seq: number;
  readonly at: number;
  readonly text: string;
}

export function conversationAsText(conversation: Conversation): string {
  const { events, missed } = conversation.since(0);
  const lines = [...readingOf(conversation).flatMap(spokenLines), ...events.flatMap(remarks)];
  lines.sort((a, b) => a.seq - b.seq);
  const times = lines.map(({ at, text }) => `${(at / 1000).toFixed(3).padStart(9)}  ${text}\n`);
  return [...heading(conversation, missed.octets), ...times].join('');
}

export function heading(conversation: Conversation, missed: number): string[] {
  const { service, local, remote, role, openedAt, login, id } = conversation;
  const [client, server] = role === 'server' ? [remote, local] : [local, remote];
  const lines = [
    `# ${service}: ${client.address} port ${client.port} to ${server.address} port ${server.port}`,
    `# ${new Date(openedAt).toISOString()}, conversation ${id}${login === undefined ? '' : `, logged in as ${login}`}`,
    '# Seconds since the connection was opened. Each • is a hidden octet.',
  ];
  if (missed > 0)
    lines.push(`# In the middle ${missed} octets were not kept: what is missing is not marked line by line.`);
  return lines.map((line) => `${line}\n`);
}

function spokenLines({ seq, at, side, text, role, octets }: Spoken): Line[] {
  const who = side === 'client' ? 'C:' : 'S:';
  const pieces = role === 'data' ? text.split(/\r?\n/) : [text];
  if (role === 'data' && pieces.at(-1) === '') pieces.pop();
  const shown = pieces.map((piece) => ({ seq, at, text: `${who} ${printable(piece)}` }));
  const rest = octets - Buffer.byteLength(text);
  if (text.length >= 16_000 && rest > 2) shown.push({ seq, at, text: `# and ${rest} octets more` });
  return shown;
}

/** What happened beside what was said. */
function remarks(event: RecordedEvent): Line[] {
  const { seq, at } = event;
  switch (event.type) {
    case 'octets':
      return [];
    case 'tls': {
      const { tls } = event;
      if (tls.step === 'start') return [{ seq, at, text: '# TLS begins' }];
      if (tls.step === 'failed') return [{ seq, at, text: `# TLS has failed: ${tls.message}` }];
      const { version, cipher, serverName } = tls.tls;
      return [
        { seq, at, text: `# ${version}, ${cipher}${serverName === undefined ? '' : `, server name ${serverName}`}` },
      ];
    }
    case 'annotation':
      return [{ seq, at, text: `# ${printable(JSON.stringify(event.annotation))}` }];
    case 'closed':
      return [{ seq, at, text: `# closed by ${event.by === 'peer' ? 'the peer' : 'us'} (${event.how})` }];
  }
}

/** Control characters as escapes, so that a terminal obeys none. */
export function printable(text: string): string {
  return text.replace(
    /[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
