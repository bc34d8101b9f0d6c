/**
 * Gathers one command whole, before anybody looks at what it says: its lines, its literals with the continuation requests
 * that they need (RFC 9051 §4.3, §7.6; RFC 7888), all within limits. So a command that is wrong never misaligns the next.
 *
 * The session calls `next()` for each command. What it gets is a command or a refusal; a refusal has been read to its end
 * already, so the session only prints it (untagged if it has no tag) and, if it is fatal, says BYE.
 *
 * Message literals (APPEND, REPLACE) may be large. `next()` stops before them: the command carries `messageLiteral`, and
 * its octets end with the literal's announcement, `{310}` and the line's end, which `Parser.messageLiteral()` reads. Then
 *   - `messageOctets()` asks the client for the octets, if it waits to be asked, and yields them as they come;
 *   - `rest()`, after them, goes on with the same command: `{ octets }` up to the command's end, or up to the next message
 *     literal (MULTIAPPEND, CATENATE);
 *   - `abandon()` instead of either, when the command has failed already: reads on to the command's end without asking for
 *     anything. False: more octets are on their way than will be thrown away, and the session says BYE.
 * The session calls `abandon()` after every command with a message literal, however it ended; it does nothing when the
 * command's end has been reached.
 */
import type { Connection } from '../wire/connection.ts';
import { bufferOver } from '../mail/octets.ts';
import { LARGEST_ANNOTATION, WORDS } from '../store/refusal.ts';
import { BadSyntax } from './grammar/bad-syntax.ts';
import { Parser } from './grammar/parser.ts';
import { bad, no } from './grammar/responses.ts';
import type { Completion, MessageLiteral } from './grammar/syntax.ts';

/** All in octets. */
export interface FramingLimits {
  /** A line, from one literal to the next. */
  readonly line: number;
  /** A literal that is not a message. */
  readonly literal: number;
  /** A command without its message literals. */
  readonly command: number;
  /** One message literal. */
  readonly message: number;
  /** How much of a non-synchronising literal over its limit is read and thrown away; beyond: BYE (RFC 7888 §4). */
  readonly discard: number;
}

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;

/** Before login: names, passwords, SASL responses, and ID, which may have 30 fields of 30 and 1024 octets (RFC 2971 §3.3). */
export const LIMITS_BEFORE_LOGIN: FramingLimits = {
  line: 40 * KIBIBYTE,
  literal: 4 * KIBIBYTE,
  command: 40 * KIBIBYTE,
  message: 0,
  discard: 64 * KIBIBYTE,
};

/** After login. Clients that synchronise large mailboxes name thousands of UIDs in one line. */
export const LIMITS_AFTER_LOGIN: FramingLimits = {
  line: 64 * KIBIBYTE,
  literal: 64 * KIBIBYTE,
  command: 256 * KIBIBYTE,
  message: 50 * MEBIBYTE,
  discard: 64 * MEBIBYTE,
};

/** Names of commands whose literals are messages, and how many arguments come before the first of them. */
const ARGUMENTS_BEFORE_MESSAGE: Readonly<Record<string, number>> = { APPEND: 1, REPLACE: 2, 'UID REPLACE': 2 };

export interface FramedCommand {
  readonly type: 'command';
  readonly tag: string;
  /** In capitals; of a UID command both words: `UID COPY`. Not necessarily a name that anybody knows. */
  readonly name: string;
  /** What follows the name, from the space on, literals as they came; without the line's end. */
  readonly octets: Uint8Array;
  /** How many octets of the command come before `octets`: errors count from the command's start. */
  readonly offset: number;
  /** The octets end with the announcement of this literal, and its octets are still to be taken. */
  readonly messageLiteral?: MessageLiteral;
}

/** The rest of a command after a message literal. */
export interface FramedRest {
  readonly type: 'rest';
  readonly octets: Uint8Array;
  readonly offset: number;
  readonly messageLiteral?: MessageLiteral;
}

export interface FramingRefusal {
  readonly type: 'refusal';
  /** Undefined: the tag is not known, and the refusal goes out as an untagged BAD (RFC 9051 §7.1.3). */
  readonly tag: string | undefined;
  readonly completion: Completion;
  /** What follows cannot be told from a command: BYE, and the connection is ended. */
  readonly fatal: boolean;
}

type Framed = FramedRest | FramingRefusal;

interface LiteralAhead extends MessageLiteral {
  /** The client waits for a continuation request before it sends the octets. */
  readonly synchronising: boolean;
}

interface CommandLine {
  readonly octets: Uint8Array;
  /** The same, each octet as one character. */
  readonly text: string;
  readonly overlong: boolean;
}

/** RFC 9051 §9 tag: 1*<any ASTRING-CHAR except "+"> */
const TAG = /^[^\x00-\x20\x7f-\xff(){%*"\\+]+$/;
const CRLF = Buffer.from('\r\n');
const SHAPE = 'a command is a tag, a space, a name and its arguments';

export class Framing {
  /** The session sets others after login. */
  limits: FramingLimits;
  readonly #connection: Connection;
  readonly #messageCommands: ReadonlySet<string>;
  #tag = '';
  #name = '';
  /** Octets of the present command that have been gathered or handed on as a message. */
  #position = 0;
  /** Of these, those that were gathered. */
  #gathered = 0;
  /** Octets of the present command that were thrown away. */
  #discarded = 0;
  /** The message literal before which the present command stands. */
  #ahead: { readonly literal: LiteralAhead; left: number; requested: boolean } | undefined;
  /** A message literal of the present command has been taken. */
  #taken = false;
  /** The present command's end has not been read. */
  #open = false;
  /** It will not be read: what comes next cannot be told from a command. */
  #lost = false;

  /** @param messageCommands commands whose literals are handed on instead of being gathered */
  constructor(
    connection: Connection,
    limits: FramingLimits = LIMITS_BEFORE_LOGIN,
    messageCommands: ReadonlySet<string> = new Set(['APPEND', 'REPLACE', 'UID REPLACE']),
  ) {
    this.#connection = connection;
    this.limits = limits;
    this.#messageCommands = messageCommands;
  }

  /**
   * The next command. Continuation requests are written at once: what the session has to say to the command before has
   * been written by then.
   * @throws ConnectionClosed, TimedOut after `timeoutMs` without a line
   */
  async next(timeoutMs?: number): Promise<FramedCommand | FramingRefusal> {
    if (this.#open) throw new Error('The command before has not been read to its end');
    this.#position = this.#gathered = this.#discarded = 0;
    this.#taken = false;
    const line = await this.#readLine(timeoutMs);
    this.#open = true;
    const [head = '', tag = '', name = ''] = /^([^ ]*)(?: (uid [^ ]+|[^ ]*))?/i.exec(line.text) ?? [];
    // A tag that fills a line over its limit may have been cut.
    this.#tag = line.overlong && tag.length === line.text.length ? '' : tag;
    this.#name = name.toUpperCase();
    if (!TAG.test(this.#tag)) {
      return this.#refuse(line, bad(`${line.text === '' ? 'Empty line' : 'No tag'}: ${SHAPE}`));
    }
    if (!/^[\x21-\x7e ]+$/.test(name)) return this.#refuse(line, bad(`No command name: ${SHAPE}`));
    const framed = await this.#gather(line, head.length);
    return framed.type === 'refusal' ? framed : { ...framed, type: 'command', tag, name: this.#name };
  }

  /** The octets of the message literal as they come. They may be left half read: `abandon()` sees to the others. */
  async *messageOctets(): AsyncGenerator<Uint8Array, void, undefined> {
    const ahead = this.#ahead;
    if (ahead === undefined) throw new Error('No message literal is expected here');
    await this.#request(ahead.literal);
    ahead.requested = true;
    if (ahead.left === 0) return;
    for await (const piece of this.#connection.readPieces(ahead.left)) {
      ahead.left -= piece.length;
      yield piece;
    }
  }

  /** The command's octets after a message literal that has been read to its end. */
  async rest(): Promise<FramedRest | FramingRefusal> {
    if (this.#ahead === undefined || this.#ahead.left > 0) throw new Error('The message literal has not been read');
    this.#position += this.#ahead.literal.size;
    this.#ahead = undefined;
    this.#taken = true;
    return this.#gather(await this.#readLine(), 0);
  }

  /** Reads to the command's end, without asking the client for anything. @returns false: the session says BYE */
  async abandon(): Promise<boolean> {
    if (!this.#open) return !this.#lost;
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead === undefined) return this.#skip(await this.#readLine());
    if (ahead.literal.synchronising && !ahead.requested) return this.#end(true);
    return (await this.#discard(ahead.left)) ? this.#skip(await this.#readLine()) : this.#end(false);
  }

  async #readLine(timeoutMs?: number): Promise<CommandLine> {
    const { octets, overlong } = await this.#connection.readLine(this.limits.line, timeoutMs);
    return { octets, overlong, text: bufferOver(octets).toString('latin1') };
  }

  /** From a line's octet `from` to the command's end, or to the next message literal. */
  async #gather(line: CommandLine, from: number): Promise<Framed> {
    const offset = this.#position + from;
    const pieces: Uint8Array[] = [];
    for (let start = from; ; start = 0) {
      this.#position += line.octets.length;
      this.#gathered += line.octets.length;
      const wrong = this.#wrongWith(line);
      if (wrong !== undefined) return this.#refuse(line, wrong);
      pieces.push(line.octets.subarray(start));
      const literal = literalAhead(line.text);
      if (literal === undefined) {
        this.#end(true);
        return { type: 'rest', octets: joined(pieces), offset };
      }
      pieces.push(CRLF);
      this.#position += CRLF.length;
      if (this.#takesMessage(pieces)) return this.#messageAhead(line, literal, joined(pieces), offset);
      if (literal.size > this.limits.literal || this.#gathered + literal.size > this.limits.command) {
        const most = Math.max(0, Math.min(this.limits.literal, this.limits.command - this.#gathered));
        return this.#refuse(line, this.#tooBig(literal.size, most));
      }
      await this.#request(literal);
      if (literal.size > 0) pieces.push(await this.#connection.read(literal.size));
      this.#position += literal.size;
      this.#gathered += literal.size;
      line = await this.#readLine();
    }
  }

  #wrongWith(line: CommandLine): Completion | undefined {
    if (line.overlong) return bad(`Line too long: ${this.limits.line} octets are the most`);
    if (this.#gathered > this.limits.command) {
      return bad(`Command too long: ${this.limits.command} octets are the most`);
    }
    // RFC 9051 §9: NUL must not be used anywhere but in literal8.
    if (line.octets.includes(0)) return bad('A command must not contain NUL');
    return undefined;
  }

  #tooBig(size: number, most: number): Completion {
    // RFC 5464 §4.3: of a value NO, with what is the most.
    if (this.#name === 'SETMETADATA' && size > LARGEST_ANNOTATION) {
      const { imap } = WORDS.ANNOTATIONTOOBIG;
      return no(`A value has at most ${LARGEST_ANNOTATION} octets`, imap);
    }
    return bad(`Literal too big: ${most} octets are the most here`, 'TOOBIG');
  }

  /** Whether the literal that the pieces announce is a message: it is not, in the place of a mailbox name or a URL. */
  #takesMessage(pieces: readonly Uint8Array[]): boolean {
    if (this.limits.message === 0 || !this.#messageCommands.has(this.#name)) return false;
    const before = joined(pieces);
    // RFC 4469 §5: CATENATE's parts are `URL astring` and `TEXT literal`.
    if (/[ (]URL \{[0-9]+\+?\}\r\n$/i.test(before.toString('latin1', Math.max(0, before.length - 40)))) return false;
    if (this.#taken) return true;
    try {
      const input = new Parser(before);
      for (let i = ARGUMENTS_BEFORE_MESSAGE[this.#name] ?? 1; i > 0; i--) input.sp().astringOctets();
      return true;
    } catch (error) {
      if (error instanceof BadSyntax) return false;
      throw error;
    }
  }

  async #messageAhead(line: CommandLine, literal: LiteralAhead, octets: Buffer, offset: number): Promise<Framed> {
    if (literal.size > this.limits.message) {
      return this.#refuse(line, no(`Message too big: ${this.limits.message} octets are the most`, 'TOOBIG'));
    }
    this.#ahead = { literal, left: literal.size, requested: false };
    const { size, binary } = literal;
    return { type: 'rest', octets, offset, messageLiteral: { size, binary } };
  }

  async #request(literal: LiteralAhead): Promise<void> {
    if (literal.synchronising) await this.#connection.write(`+ Ready for ${literal.size} octets\r\n`);
  }

  /** Refuses a command whose octets have been read up to and with `line`. */
  async #refuse(line: CommandLine, completion: Completion): Promise<FramingRefusal> {
    const fatal = !(await this.#skip(line));
    return { type: 'refusal', tag: TAG.test(this.#tag) ? this.#tag : undefined, completion, fatal };
  }

  /** Reads past what follows a line unasked: literals that do not wait for a continuation request, and more lines. */
  async #skip(line: CommandLine): Promise<boolean> {
    for (;;) {
      // Whether an overlong line ended in a literal cannot be known. No client is known to send such a one.
      const literal = line.overlong ? undefined : literalAhead(line.text);
      // To a client that waits to be asked, the tagged response says no (RFC 9051 §4.3).
      if (literal === undefined || literal.synchronising) return this.#end(true);
      if (!(await this.#discard(literal.size))) return this.#end(false);
      line = await this.#readLine();
    }
  }

  async #discard(count: number): Promise<boolean> {
    this.#discarded += count;
    if (this.#discarded > this.limits.discard) return false;
    if (count === 0) return true;
    let left = count;
    for await (const piece of this.#connection.readPieces(count)) left -= piece.length;
    return left === 0;
  }

  #end(goesOn: boolean): boolean {
    this.#open = false;
    this.#lost = !goesOn;
    return goesOn;
  }
}

/** RFC 9051 §9 literal, literal8; RFC 7888 §8: `+` for one that comes unasked. A size is as large as its digits say. */
function literalAhead(text: string): LiteralAhead | undefined {
  if (!text.endsWith('}')) return undefined;
  const found = /(~?)\{([0-9]+)(\+?)\}$/.exec(text.slice(Math.max(0, text.lastIndexOf('{') - 1)));
  if (found === null) return undefined;
  return { size: Number(found[2]), binary: found[1] === '~', synchronising: found[3] === '' };
}

function joined(pieces: readonly Uint8Array[]): Buffer {
  return pieces.length === 1 ? bufferOver(pieces[0]!) : Buffer.concat(pieces);
}
