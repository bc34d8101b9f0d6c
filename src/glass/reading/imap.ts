/**
 * How IMAP's octets are cut (RFC 9051 §2.2, §4.3): commands and responses are lines, which literals interrupt. A literal
 * that the client announces waits for the server's word, unless it is one of RFC 7888.
 */
import { IMAP_COMMANDS } from '../explain/imap-commands.ts';
import type { Side } from '../spoken.ts';
import { type Frames, type Grammar, type Label, type Line, LINES, UNKNOWN, WAITING } from './grammar.ts';
import { SaslDialogue } from './sasl-dialogue.ts';

/** A literal's announcement at the end of a line: RFC 9051 §4.3, RFC 7888 §4, RFC 3516 §4.4. */
const LITERAL = /(~?)\{(\d{1,15})([+-]?)\}$/;
const TAG = /^[^\x00-\x20\x7f-\xff(){%*"\\+]+$/;
const NUMBERED = /^\* \d+ ([A-Z]+)/i;
const WORD = /^\* ([^\s[(]+)/;

interface Command {
  readonly position: number;
  readonly tag: string;
  readonly name: string;
}

export class ImapGrammar implements Grammar {
  /** Commands that have not been completed, by their tags. */
  readonly #outstanding = new Map<string, Command>();
  /** A command that goes on behind a literal. */
  #unfinished: Command | undefined;
  /** A literal that the client has announced and the server has not asked for. */
  #announced: { readonly octets: number; readonly command: Command; readonly item: string; comes: boolean } | undefined;
  #sasl: { readonly command: Command; readonly dialogue: SaslDialogue } | undefined;
  #idle: Command | undefined;
  /** A response that goes on behind a literal. */
  #response: { readonly name: string; readonly tag: string | null; depth: number } | undefined;
  #greeted = false;

  line(side: Side, line: Line, frames: Frames): Label {
    return side === 'client' ? this.#clientLine(line, frames) : this.#serverLine(line, frames);
  }

  complete(side: Side): void {
    if (side === 'client') this.#announced = undefined;
  }

  plausible(side: Side, text: string): boolean {
    if (side === 'server') return /^(?:\* (?:\d+ )?[A-Z]{2}|\+ |[^\s+*]+ (?:OK|NO|BAD)[ \r\n])/i.test(text);
    return (commandOf(text, 0)?.name ?? '') !== '';
  }

  gap(side: Side): void {
    if (side === 'server') this.#response = undefined;
    else {
      this.#unfinished = this.#announced = this.#sasl = this.#idle = undefined;
    }
  }

  secured(): void {
    this.#outstanding.clear();
    this.#unfinished = this.#announced = this.#sasl = this.#idle = this.#response = undefined;
  }

  undecided(frames: Frames): void {
    if (this.#announced !== undefined) this.#literalComes(frames);
    else frames.expect('client', LINES);
  }

  // The client

  #clientLine(line: Line, frames: Frames): Label {
    const command = this.#unfinished;
    if (command !== undefined) {
      this.#unfinished = undefined;
      this.#literalFollows(line, command, frames);
      return { role: 'continuation', name: '', tag: command.tag, about: { of: command.name } };
    }
    if (this.#sasl !== undefined) {
      const { command: of, dialogue } = this.#sasl;
      frames.expect('client', WAITING);
      return { role: 'sasl', name: dialogue.mechanism, tag: of.tag, about: dialogue.clientSaid(line.text) };
    }
    // RFC 2177 §3: DONE ends the command.
    if (this.#idle !== undefined && /^DONE$/i.test(line.text.trim())) {
      const { tag } = this.#idle;
      this.#idle = undefined;
      return { role: 'continuation', name: 'DONE', tag, about: { of: 'IDLE' } };
    }
    return this.#command(line, frames);
  }

  #command(line: Line, frames: Frames): Label {
    const found = commandOf(line.text, line.position);
    // Whatever it is, its literals are read (§4.3).
    this.#literalFollows(line, found ?? { position: line.position, tag: '', name: '' }, frames);
    if (found === undefined) return UNKNOWN;
    this.#outstanding.set(found.tag, found);
    if (found.name === '') return { ...UNKNOWN, tag: found.tag };
    const label = { role: 'command', name: found.name, tag: found.tag } as const;
    if (found.name === 'IDLE') this.#idle = found;
    if (found.name !== 'AUTHENTICATE' || this.#unfinished !== undefined) return label;
    const [, , mechanism = '', initial] = line.text.trim().split(/ +/);
    const dialogue = new SaslDialogue(mechanism);
    this.#sasl = { command: found, dialogue };
    frames.expect('client', WAITING);
    return initial === undefined ? label : { ...label, about: dialogue.clientSaid(initial) };
  }

  #literalFollows(line: Line, command: Command, frames: Frames): void {
    const literal = LITERAL.exec(line.tail);
    if (literal === null) return;
    this.#unfinished = command;
    this.#announced = { octets: Number(literal[2]), command, item: itemBefore(line.tail), comes: false };
    if (literal[3] !== '') this.#literalComes(frames);
    else frames.expect('client', WAITING);
  }

  #literalComes(frames: Frames): void {
    const announced = this.#announced!;
    announced.comes = true;
    const { octets, command, item } = announced;
    const about = { of: command.name, item };
    frames.expect('client', {
      type: 'octets',
      left: octets,
      label: { role: 'data', name: '', tag: command.tag, about },
    });
  }

  // The server

  #serverLine(line: Line, frames: Frames): Label {
    const response = this.#response;
    if (response !== undefined) {
      const { name, tag, depth } = response;
      const about = { of: name, depth };
      this.#serverLiteralFollows(line, name, tag, depth, frames);
      return { role: 'continuation', name, tag, about };
    }
    const label = this.#newResponse(line, frames);
    // The text of a status response is for people: what looks like an announcement in it is none (§7.1).
    const isStatus = ['OK', 'NO', 'BAD', 'BYE', 'PREAUTH', '+'].includes(label.name);
    if (label.role === 'reply' && !isStatus) this.#serverLiteralFollows(line, label.name, null, 0, frames);
    return label;
  }

  #serverLiteralFollows(line: Line, name: string, tag: string | null, depth: number, frames: Frames): void {
    const literal = LITERAL.exec(line.tail);
    this.#response = undefined;
    if (literal === null) return;
    this.#response = { name, tag, depth: depth + depthOf(line.text) };
    const about = { of: name, item: itemBefore(line.tail) };
    frames.expect('server', {
      type: 'octets',
      left: Number(literal[2]),
      label: { role: 'data', name: '', tag, about },
    });
  }

  #newResponse(line: Line, frames: Frames): Label {
    const { text } = line;
    const isFirst = !this.#greeted;
    this.#greeted = true;
    if (text.startsWith('+')) return this.#request(text, frames);
    if (text.startsWith('* ')) {
      const name = (NUMBERED.exec(text) ?? WORD.exec(text))?.[1]?.toUpperCase() ?? '';
      // A literal or an exchange that was refused before it began: RFC 9051 §7.1.3.
      if (name === 'BAD' || name === 'BYE') this.#refused(frames);
      if (isFirst && ['OK', 'PREAUTH', 'BYE'].includes(name))
        return { role: 'greeting', name, about: { of: 'greeting' } };
      return name === '' ? UNKNOWN : { role: 'reply', name };
    }
    const [, tag, word] = /^(\S+) (OK|NO|BAD)(?= |$)/i.exec(text) ?? [];
    if (tag === undefined || word === undefined) return UNKNOWN;
    const command = this.#outstanding.get(tag);
    this.#outstanding.delete(tag);
    if (command !== undefined) this.#completed(command, frames);
    return {
      role: 'reply',
      name: word.toUpperCase(),
      tag,
      answers: command?.position ?? null,
      about: command === undefined ? {} : { of: command.name },
    };
  }

  /** `+`: RFC 9051 §7.6. */
  #request(text: string, frames: Frames): Label {
    if (this.#announced !== undefined) {
      const { name } = this.#announced.command;
      this.#literalComes(frames);
      return { role: 'continuation', name: '+', about: { of: name, item: 'literal' } };
    }
    if (this.#sasl !== undefined) {
      frames.expect('client', LINES);
      return { role: 'sasl', name: '+', about: this.#sasl.dialogue.serverSaid(text.replace(/^\+ ?/, '')) };
    }
    return { role: 'continuation', name: '+', about: this.#idle === undefined ? {} : { of: 'IDLE' } };
  }

  #completed(command: Command, frames: Frames): void {
    if (this.#sasl?.command === command || this.#announced?.command === command) this.#refused(frames);
    if (this.#idle === command) this.#idle = undefined;
  }

  /** An exchange is over, or a literal is not wanted: what waits are commands. */
  #refused(frames: Frames): void {
    const waits = this.#sasl !== undefined || this.#announced?.comes === false;
    this.#sasl = undefined;
    if (!waits) return;
    this.#announced = this.#unfinished = undefined;
    frames.expect('client', LINES);
  }
}

/** With an empty name for one that nobody knows. */
function commandOf(text: string, position: number): Command | undefined {
  const [tag = '', first = '', second = ''] = text.slice(0, 1000).split(' ');
  if (!TAG.test(tag) || first === '') return undefined;
  const word = first.toUpperCase();
  const name = word === 'UID' ? `UID ${second.toUpperCase()}` : word;
  return { position, tag, name: Object.hasOwn(IMAP_COMMANDS, name) ? name : '' };
}

/** What stands before a literal's announcement: `BODY[]` of `BODY[] {12}`. */
function itemBefore(tail: string): string {
  return /([A-Z0-9.]+(?:\[[^\]]*\])?(?:<\d+>)?) ~?\{\d+[+-]?\}$/i.exec(tail)?.[1]?.toUpperCase() ?? '';
}

/** By how much a piece of a response opens more parentheses than it closes. */
function depthOf(text: string): number {
  let depth = 0;
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '');
  for (const character of bare) {
    if (character === '(') depth++;
    else if (character === ')') depth--;
  }
  return depth;
}
