/**
 * How POP3's octets are cut (RFC 1939 §3): commands and responses are lines; a response of several lines ends at a line of
 * one dot. Responses answer the commands in their order (RFC 2449 §6.6).
 */
import { POP3_COMMANDS } from '../explain/pop3-commands.ts';
import type { Side } from '../spoken.ts';
import { type Frames, type Grammar, type Label, type Line, LINES, UNKNOWN, WAITING } from './grammar.ts';
import { SaslDialogue } from './sasl-dialogue.ts';

interface Command {
  readonly position: number;
  readonly name: string;
  readonly argument: string;
  readonly dialogue: SaslDialogue | undefined;
}

export class Pop3Grammar implements Grammar {
  #queue: Command[] = [];
  #greeted = false;
  /** The response whose lines are coming, up to a dot. */
  #list: Command | undefined;

  line(side: Side, line: Line, frames: Frames): Label {
    return side === 'client' ? this.#clientLine(line, frames) : this.#serverLine(line, frames);
  }

  plausible(side: Side, text: string): boolean {
    if (side === 'server') return /^(?:\+OK|-ERR)/i.test(text);
    return Object.hasOwn(POP3_COMMANDS, commandName(text));
  }

  gap(): void {
    this.#queue = [];
    this.#list = undefined;
  }

  uncertain(): void {
    this.#queue = [];
  }

  secured(): void {
    this.gap();
  }

  undecided(frames: Frames): void {
    frames.expect('client', LINES);
  }

  #clientLine(line: Line, frames: Frames): Label {
    const auth = this.#queue.find(({ dialogue }) => dialogue !== undefined);
    if (auth?.dialogue !== undefined) {
      frames.expect('client', WAITING);
      return { role: 'sasl', name: auth.dialogue.mechanism, about: auth.dialogue.clientSaid(line.text.trim()) };
    }
    const name = commandName(line.text);
    const argument = line.text.slice(name.length).trim();
    const [mechanism = '', initial] = argument.split(/ +/);
    const dialogue = name === 'AUTH' && mechanism !== '' ? new SaslDialogue(mechanism) : undefined;
    this.#queue.push({ position: line.position, name, argument, dialogue });
    if (!Object.hasOwn(POP3_COMMANDS, name)) return UNKNOWN;
    if (dialogue === undefined) return { role: 'command', name };
    frames.expect('client', WAITING);
    return { role: 'command', name, ...(initial !== undefined && { about: dialogue.clientSaid(initial) }) };
  }

  #serverLine(line: Line, frames: Frames): Label {
    const list = this.#list;
    if (list !== undefined) {
      if (line.text !== '.') return { role: 'data', name: '', about: { of: list.name } };
      this.#list = undefined;
      return { role: 'continuation', name: '.', answers: list.position, about: { of: list.name } };
    }
    const [head] = this.#queue;
    // RFC 5034 §4: `+` and a blank; some servers leave the blank out.
    if (head?.dialogue !== undefined && /^\+(?: |$)/.test(line.text)) {
      frames.expect('client', LINES);
      return { role: 'sasl', name: '+', about: head.dialogue.serverSaid(line.text.slice(2)) };
    }
    const word = /^(?:\+OK|-ERR)(?= |$)/i.exec(line.text)?.[0].toUpperCase();
    if (word === undefined) return UNKNOWN;
    if (!this.#greeted) {
      this.#greeted = true;
      return { role: 'greeting', name: word, about: { of: 'greeting' } };
    }
    if (head === undefined) return { role: 'reply', name: word };
    this.#queue.shift();
    if (head.dialogue !== undefined) frames.expect('client', LINES);
    if (word === '+OK') this.#linesFollow(head, frames);
    return { role: 'reply', name: word, answers: head.position, about: { of: head.name } };
  }

  /** RFC 1939 §5, RFC 2449 §5, RFC 6856 §3.1; AUTH alone lists mechanisms, though RFC 5034 has it no more. */
  #linesFollow(command: Command, frames: Frames): void {
    const { name, argument, position } = command;
    if (name === 'RETR' || name === 'TOP') {
      const about = { of: name };
      frames.expect('server', {
        type: 'dotted',
        label: { role: 'data', name: '', about: { of: name, item: 'message' } },
        end: { role: 'continuation', name: '.', answers: position, about },
      });
    } else if (name === 'CAPA' || (argument === '' && ['LIST', 'UIDL', 'LANG', 'AUTH'].includes(name)))
      this.#list = command;
  }
}

function commandName(text: string): string {
  return /^[A-Za-z0-9]{1,20}/.exec(text)?.[0].toUpperCase() ?? '';
}
