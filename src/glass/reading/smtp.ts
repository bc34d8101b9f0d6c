/**
 * How SMTP's octets are cut (RFC 5321 §4.1.1.4, §4.2.1; RFC 3030 §2; LMTP: RFC 2033 §4): commands are lines, replies are
 * one line or several and answer the commands in their order (RFC 2920 §3.1), a message ends at a line of one dot.
 */
import { SMTP_COMMANDS } from '../explain/smtp-commands.ts';
import type { Side } from '../spoken.ts';
import { type Frames, type Grammar, type Label, type Line, LINES, UNKNOWN, WAITING } from './grammar.ts';
import { SaslDialogue } from './sasl-dialogue.ts';

interface Command {
  readonly position: number;
  readonly name: string;
  readonly argument: string;
  /** Of DATA: it was permitted, and one more reply will follow the content (LMTP: one for each recipient). */
  content: boolean;
  dialogue: SaslDialogue | undefined;
}

export class SmtpGrammar implements Grammar {
  readonly #isLmtp: boolean;
  /** Commands that wait for their reply. */
  #queue: Command[] = [];
  #greeted = false;
  /** The reply whose lines are coming: which command it answers. */
  #reply: { readonly code: string; readonly label: Label } | undefined;
  /** Forward-paths that were accepted in this transaction, as given. */
  #recipients: string[] = [];
  /** Those for whom LMTP has not replied yet. */
  #unanswered: string[] = [];
  /** The end of the content may have been in a gap. */
  #uncertain = false;

  constructor(isLmtp: boolean) {
    this.#isLmtp = isLmtp;
  }

  line(side: Side, line: Line, frames: Frames): Label {
    return side === 'client' ? this.#clientLine(line, frames) : this.#serverLine(line, frames);
  }

  complete(side: Side): void {
    if (side === 'client') this.#uncertain = false;
  }

  plausible(side: Side, text: string): boolean {
    if (side === 'server') return /^[2-5]\d\d[ -]/.test(text);
    return Object.hasOwn(SMTP_COMMANDS, commandName(text));
  }

  gap(): void {
    this.#queue = [];
    this.#reply = undefined;
    this.#unanswered = [];
  }

  uncertain(): void {
    this.#uncertain = true;
  }

  secured(): void {
    this.gap();
    this.#recipients = [];
  }

  undecided(frames: Frames): void {
    const waits = this.#queue.find(({ name }) => name === 'DATA');
    if (waits === undefined) frames.expect('client', LINES);
    else frames.expect('client', { type: 'dotted', label: contentOf(waits), end: endOf(waits) });
  }

  #clientLine(line: Line, frames: Frames): Label {
    const auth = this.#queue.find(({ dialogue }) => dialogue !== undefined);
    if (auth?.dialogue !== undefined) {
      frames.expect('client', WAITING);
      return { role: 'sasl', name: auth.dialogue.mechanism, about: auth.dialogue.clientSaid(line.text.trim()) };
    }
    const name = commandName(line.text);
    const argument = line.text.slice(name.length).trim();
    const command: Command = { position: line.position, name, argument, content: false, dialogue: undefined };
    this.#queue.push(command);
    if (!Object.hasOwn(SMTP_COMMANDS, name)) return UNKNOWN;
    const label: Label = { role: 'command', name };
    if (name === 'DATA') frames.expect('client', WAITING);
    else if (name === 'BDAT') this.#chunkFollows(command, frames);
    else if (name === 'AUTH') {
      const [mechanism = '', initial] = argument.split(/ +/);
      command.dialogue = new SaslDialogue(mechanism);
      frames.expect('client', WAITING);
      if (initial !== undefined) return { ...label, about: command.dialogue.clientSaid(initial) };
    }
    return label;
  }

  #chunkFollows(command: Command, frames: Frames): void {
    const octets = /^(\d{1,15})(?: +LAST)?$/i.exec(command.argument)?.[1];
    if (octets === undefined || Number(octets) === 0) return;
    const label: Label = { role: 'data', name: '', about: { of: 'BDAT', item: 'message' } };
    frames.expect('client', { type: 'octets', left: Number(octets), label });
  }

  #serverLine(line: Line, frames: Frames): Label {
    const [, code, separator] = /^([2-5]\d\d)([ -]|$)/.exec(line.text) ?? [];
    if (code === undefined) return UNKNOWN;
    const isLast = separator !== '-';
    const before = this.#reply;
    // All lines of a reply have its code: RFC 5321 §4.2.1.
    if (before?.code === code) {
      if (isLast) this.#reply = undefined;
      return { ...before.label, role: 'continuation', about: { ...before.label.about, later: true } };
    }
    const label = this.#newReply(code, frames);
    const about = label.about ?? {};
    if (label.role === 'sasl') {
      const head = this.#queue[0];
      return { ...label, about: head?.dialogue?.serverSaid(line.text.slice(4)) ?? about };
    }
    this.#reply = isLast ? undefined : { code, label };
    return label;
  }

  /** Once per reply: what it answers, and what that means for the client's next octets. */
  #newReply(code: string, frames: Frames): Label {
    if (!this.#greeted) {
      this.#greeted = true;
      return { role: 'greeting', name: code, about: { of: 'greeting' } };
    }
    const [head] = this.#queue;
    if (head === undefined) return { role: 'reply', name: code };
    const label: Label = { role: 'reply', name: code, answers: head.position, about: { of: head.name } };
    if (head.dialogue !== undefined && code === '334') {
      frames.expect('client', LINES);
      return { ...label, role: 'sasl' };
    }
    if (head.name === 'DATA' && !head.content) return this.#dataReply(head, code, label, frames);
    if (head.name === 'DATA' && this.#uncertain) {
      this.#uncertain = false;
      frames.expect('client', LINES);
    }
    return this.#finalReply(head, code, label, frames);
  }

  #dataReply(head: Command, code: string, label: Label, frames: Frames): Label {
    if (code !== '354') {
      this.#queue.shift();
      frames.expect('client', LINES);
      return label;
    }
    head.content = true;
    this.#unanswered = [...this.#recipients];
    frames.expect('client', { type: 'dotted', label: contentOf(head), end: endOf(head) });
    return label;
  }

  #finalReply(head: Command, code: string, label: Label, frames: Frames): Label {
    const ok = code.startsWith('2');
    if (this.#isLmtp && (head.name === 'DATA' || (head.name === 'BDAT' && /LAST$/i.test(head.argument)))) {
      if (head.name === 'BDAT' && this.#unanswered.length === 0) this.#unanswered = [...this.#recipients];
      const recipient = this.#unanswered.shift();
      if (this.#unanswered.length === 0) this.#completed(head);
      return recipient === undefined ? label : { ...label, about: { of: head.name, recipient } };
    }
    if (head.dialogue !== undefined) {
      head.dialogue = undefined;
      frames.expect('client', LINES);
    }
    if (head.name === 'RCPT' && ok) this.#recipients.push(/<([^>]*)>/.exec(head.argument)?.[1] ?? '');
    this.#completed(head);
    return label;
  }

  #completed(head: Command): void {
    this.#queue.shift();
    if (['DATA', 'RSET', 'EHLO', 'HELO', 'LHLO', 'MAIL'].includes(head.name)) this.#recipients = [];
    else if (head.name === 'BDAT' && /LAST$/i.test(head.argument)) this.#recipients = [];
  }
}

function commandName(text: string): string {
  return /^[A-Za-z]{1,20}/.exec(text)?.[0].toUpperCase() ?? '';
}

const contentOf = ({ name }: Command): Label => ({ role: 'data', name: '', about: { of: name, item: 'message' } });
const endOf = ({ name }: Command): Label => ({ role: 'continuation', name: '.', about: { of: name } });
