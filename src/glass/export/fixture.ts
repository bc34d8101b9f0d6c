/**
 * A conversation as a transcript for tests: Markdown with a setup, messages and a dialogue of `C:` and `S:` lines, which a
 * runner of transcripts can play against a server. Texts that are for people are any texts. Secrets are hidden: whoever
 * plays it puts his own in.
 */
import type { Conversation, RecordedEvent } from '../../wire/recorder.ts';
import { readingOf } from '../reading.ts';
import type { Spoken } from '../spoken.ts';
import { heading, printable } from './text.ts';

interface Step {
  readonly seq: number;
  readonly lines: readonly string[];
}

export function conversationAsFixture(conversation: Conversation): string {
  const { events, missed } = conversation.since(0);
  const messages: string[] = [];
  const units = readingOf(conversation);
  const steps: Step[] = units.map((unit) => ({ seq: unit.seq, lines: linesOf(unit, messages) }));
  const tls = conversation.service.endsWith('s') ? [] : events.flatMap(tlsLine);
  const dialogue = [...steps, ...tls].sort((a, b) => a.seq - b.seq).flatMap(({ lines }) => lines);
  const setup = `\`\`\`setup\nservice: ${conversation.service}\n\`\`\`\n`;
  const blocks = messages.map((message, i) => `\`\`\`\`message m${i + 1}\n${message}\`\`\`\`\n`);
  const title = `# A conversation of ${conversation.service}\n\n${heading(conversation, missed.octets)
    .map((line) => line.replace('# ', ''))
    .join('')}`;
  return [title, '## As it was\n', ...blocks, setup, `\`\`\`\`\n${dialogue.join('\n')}\n\`\`\`\`\n`].join('\n');
}

function tlsLine(event: RecordedEvent): Step[] {
  return event.type === 'tls' && event.tls.step === 'end' ? [{ seq: event.seq, lines: ['C: <tls>'] }] : [];
}

function linesOf(unit: Spoken, messages: string[]): string[] {
  const { side, role, text, secret, octets } = unit;
  const who = side === 'client' ? 'C:' : 'S:';
  const remark = secret ? ['# a secret stood here'] : [];
  if (role === 'data' && octets > 0 && /\r?\n/.test(text)) {
    messages.push(text.replace(/\r\n/g, '\n').replace(/\n?$/, '\n'));
    const ends = text.endsWith('\n') ? [] : ['# its last line had no end'];
    return [...remark, ...ends, `${who} <m${messages.length}>`];
  }
  const said = side === 'server' ? anyText(unit) : text;
  return [...remark, `${who} ${printable(said)}`];
}

/** What is for people is not compared. */
function anyText({ text, name, role, tag }: Spoken): string {
  if (role === 'sasl') return text.replace(/^(\+|334) .+$/, '$1 {...}');
  const status = /^(?:OK|NO|BAD|BYE|PREAUTH|\+OK|-ERR|\d{3})$/.test(name);
  if (!status || (role !== 'reply' && role !== 'greeting')) return text;
  const imap = /^(\S+ (?:OK|NO|BAD|BYE|PREAUTH))(?: (\[[^\]]*\]))?(?: .*)?$/.exec(text);
  if (imap && (tag !== null || text.startsWith('* ')))
    return `${imap[1]}${imap[2] === undefined ? '' : ` ${imap[2]}`} {...}`;
  const code = /^(\+OK|-ERR|\d{3}[ -](?:\d\.\d{1,3}\.\d{1,3})?)/.exec(text)?.[0];
  if (code === undefined || code.length >= text.length) return text;
  return /^\+OK \d/.test(text) ? text : `${code.trimEnd()}${code.endsWith('-') ? '' : ' '}{...}`;
}
