/**
 * A POP3 command line: RFC 1939 §3, RFC 2449 §3.
 *
 *     command = keyword *(SP param)
 *
 * Blanks at the end and several in a row are borne, for clients typed by hand send them; a password keeps its own.
 */
import { bufferOver } from '../../mail/octets.ts';

/** The client's octets are wrong: -ERR. The message is for people. */
export class BadSyntax extends Error {
  override readonly name = 'BadSyntax';
}

export class Parser {
  readonly #octets: Buffer;
  #position = 0;

  /** @param line without its end */
  constructor(line: Uint8Array) {
    this.#octets = bufferOver(line);
  }

  get atEnd(): boolean {
    return this.#position === this.#octets.length;
  }

  /** In capitals; keywords are compared without case (RFC 1939 §3). Empty when the line does not begin with one. */
  keyword(): string {
    let end = 0;
    while (isKeywordChar(this.#octets[end])) end++;
    if (end < this.#octets.length && this.#octets[end] !== SP) return '';
    this.#position = end;
    return this.#octets.toString('latin1', 0, end).toUpperCase();
  }

  /** An argument has to follow. */
  sp(): this {
    if (!this.#blanks()) throw new BadSyntax('An argument is missing');
    return this;
  }

  /** @returns whether an argument follows */
  optionalSp(): boolean {
    return this.#blanks();
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#blanks()) throw new BadSyntax('That is an argument too many');
  }

  /** From 1 on (RFC 1939 §5: messages are numbered in base 10 from 1). */
  messageNumber(): number {
    const number = this.number();
    if (number === 0) throw new BadSyntax('Messages are numbered from 1');
    return number;
  }

  number(): number {
    const text = this.word();
    if (!/^[0-9]{1,10}$/.test(text)) throw new BadSyntax(`A number is wanted here, not ${quote(text)}`);
    return Number(text);
  }

  /** Up to the next blank: printable ASCII. */
  word(): string {
    const end = this.#octets.indexOf(SP, this.#position);
    const text = this.#octets.toString('latin1', this.#position, end === -1 ? this.#octets.length : end);
    this.#position += text.length;
    if (!/^[\x21-\x7E]+$/.test(text)) throw new BadSyntax('Arguments are printable ASCII characters');
    return text;
  }

  /** All that is left, blanks too: the octets of a name or a password (RFC 1939 §7, PASS). */
  rest(): Uint8Array {
    const rest = this.#octets.subarray(this.#position);
    this.#position = this.#octets.length;
    return rest;
  }

  /** One space, as before a password: what follows it belongs to the argument. */
  oneSp(): this {
    if (this.#octets[this.#position] !== SP) throw new BadSyntax('An argument is missing');
    this.#position++;
    return this;
  }

  #blanks(): boolean {
    const start = this.#position;
    while (this.#octets[this.#position] === SP) this.#position++;
    return this.#position > start && !this.atEnd;
  }
}

const SP = 0x20;

/** Letters, and the digit of UTF8 (RFC 6856 §2.1). */
function isKeywordChar(octet: number | undefined): boolean {
  if (octet === undefined) return false;
  return (octet >= 0x30 && octet <= 0x39) || ((octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7a);
}

/** What a client sent, fit for a line of text. */
export function quote(text: string): string {
  const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  return JSON.stringify(shown.replaceAll(/[\x7F-\xFF]/g, '?'));
}
