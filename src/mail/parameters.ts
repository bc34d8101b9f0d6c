/**
 * Fields of the form `value; name=value; …`: Content-Type and Content-Disposition, RFC 2045 §5.1, RFC 2183 §2,
 * and their continued and encoded parameters, RFC 2231.
 *
 * Read as leniently as mail is written: blanks around `=`, unquoted values with blanks, missing semicolons.
 */
import { decodeCharset } from './charset.ts';
import { decodeEncodedWords } from './headers.ts';
import { isBlank, trimBlanks } from './octets.ts';

export type Parameter = readonly [name: string, value: string];

export interface ParameterisedValue {
  /** What stands before the first semicolon, without comments. */
  readonly value: string;
  /** In the order of the field; names and values as written, quoted strings without their quotes. */
  readonly parameters: readonly Parameter[];
}

/** `text` is a field's body, unfolded. */
export function parseParameterised(text: string): ParameterisedValue {
  const reader = new Reader(text);
  const value = reader.value();
  const parameters: Parameter[] = [];
  while (!reader.atEnd()) {
    const parameter = reader.parameter();
    if (parameter) parameters.push(parameter);
  }
  return { value, parameters };
}

/** Without its comments (RFC 5322 §3.2.2), which count as a blank; quoted strings keep what looks like one. */
export function withoutComments(text: string): string {
  if (!text.includes('(')) return text;
  const reader = new Reader(text);
  return reader.withoutComments();
}

/**
 * The first parameter of that name, decoded for reading: continuations joined and charsets decoded (RFC 2231), encoded
 * words decoded too, which RFC 2047 §5 forbids here and many programs write.
 */
export function decodedParameter(parameters: readonly Parameter[], name: string): string | undefined {
  const found = joinContinuations(parameters).filter(([key]) => {
    const lower = key.toLowerCase();
    return lower === name || lower === `${name}*`;
  });
  // Where both forms are given, the extended one is meant for those who understand it.
  const [key, value] = found.find(([key]) => key.endsWith('*')) ?? found[0] ?? [];
  if (key === undefined || value === undefined) return undefined;
  return key.endsWith('*') ? decodeExtended(value) : decodeEncodedWords(value);
}

/**
 * Parameters with their continuations joined (RFC 2231 §3): `name*0`, `name*1` become `name`, at the place of the first.
 * With `name*0*` they become `name*`, whose value stays in the form charset'language'percent-encoded (§4).
 */
export function joinContinuations(parameters: readonly Parameter[]): readonly Parameter[] {
  if (!parameters.some(([name]) => name.includes('*'))) return parameters;
  const segments = new Map<string, Map<number, { value: string; encoded: boolean }>>();
  const joined: ([string, string] | string)[] = [];
  for (const [name, value] of parameters) {
    const match = /^([^*]+)\*(\d{1,4})(\*?)$/.exec(name);
    if (!match) {
      joined.push([name, value]);
      continue;
    }
    const key = match[1]!.toLowerCase();
    let parts = segments.get(key);
    if (!parts) {
      parts = new Map();
      segments.set(key, parts);
      joined.push(match[1]!);
    }
    const index = Number(match[2]);
    if (!parts.has(index)) parts.set(index, { value, encoded: match[3] === '*' });
  }
  return joined.map((entry) => {
    if (typeof entry !== 'string') return entry;
    const parts = segments.get(entry.toLowerCase())!;
    const encoded = parts.get(0)?.encoded ?? false;
    let value = '';
    for (let index = 0; parts.has(index); index++) {
      const part = parts.get(index)!;
      value += encoded && !part.encoded ? percentEncode(part.value) : part.value;
    }
    // Without a segment 0 nothing can be joined: what there is, in its order.
    if (!parts.has(0)) for (const part of parts.values()) value += part.value;
    return [encoded ? `${entry}*` : entry, value];
  });
}

function percentEncode(text: string): string {
  return text.replace(/[^\w.!$&+^`{}|~-]/gu, (char) =>
    Buffer.from(char, 'utf8')
      .toString('hex')
      .replace(/../g, (hex) => `%${hex.toUpperCase()}`),
  );
}

function decodeExtended(value: string): string {
  const match = /^([^']*)'[^']*'([^]*)$/.exec(value);
  const octets = percentDecode(match ? match[2]! : value);
  return decodeCharset(octets, match?.[1] === '' ? undefined : match?.[1]);
}

function percentDecode(text: string): Uint8Array {
  const binary = Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(binary, 'latin1');
}

/** One pass over the text: an unclosed comment or quoted string is looked for once, and from then on read as text. */
class Reader {
  readonly #text: string;
  #at = 0;
  #commentsClose = true;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  value(): string {
    let value = '';
    while (!this.atEnd()) {
      const char = this.#text[this.#at]!;
      if (char === ';') break;
      if (char === '(' && this.#comment()) value += ' ';
      else if (char === '"') value += this.#quotedString();
      else {
        value += char;
        this.#at++;
      }
    }
    return trimBlanks(value);
  }

  parameter(): Parameter | undefined {
    this.#skip();
    const name = this.#name();
    if (this.#text[this.#at] !== '=') return undefined;
    this.#at++;
    this.#blanks();
    const value = this.#text[this.#at] === '"' ? this.#quotedString() : this.#unquoted();
    return name === '' ? undefined : [name, value];
  }

  withoutComments(): string {
    let result = '';
    while (!this.atEnd()) {
      const char = this.#text[this.#at]!;
      if (char === '(' && this.#comment()) result += ' ';
      else {
        const start = this.#at;
        if (char === '"') this.#quotedString();
        else this.#at++;
        result += this.#text.slice(start, this.#at);
      }
    }
    return result;
  }

  #name(): string {
    const start = this.#at;
    while (!this.atEnd() && !/[=;\s(]/.test(this.#text[this.#at]!)) this.#at++;
    const name = this.#text.slice(start, this.#at);
    this.#blanks();
    // What is neither a parameter nor a semicolon, such as the rest after a quoted string, is passed over.
    if (this.#at === start && !this.atEnd() && this.#text[this.#at] !== '=') this.#at++;
    return name;
  }

  #unquoted(): string {
    let value = '';
    while (!this.atEnd()) {
      const char = this.#text[this.#at]!;
      if (char === ';') break;
      if (isBlank(char.charCodeAt(0))) {
        // A comment stands after a blank: `Invoice(1).pdf` is a name. A missing semicolon shows by the next `name=`.
        this.#blanks();
        NEXT_PARAMETER.lastIndex = this.#at;
        if (NEXT_PARAMETER.test(this.#text)) break;
        value += ' ';
      } else {
        value += char;
        this.#at++;
      }
    }
    return trimBlanks(value);
  }

  #skip(): void {
    while (!this.atEnd()) {
      const char = this.#text[this.#at]!;
      if (char === ';' || isBlank(char.charCodeAt(0))) this.#at++;
      else if (char !== '(' || !this.#comment()) return;
    }
  }

  #blanks(): void {
    while (!this.atEnd()) {
      const char = this.#text[this.#at]!;
      if (isBlank(char.charCodeAt(0))) this.#at++;
      else if (char !== '(' || !this.#comment()) return;
    }
  }

  #quotedString(): string {
    const start = ++this.#at;
    let value = '';
    let from = start;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined || char === '"') break;
      if (char === '\\' && this.#at + 1 < this.#text.length) {
        value += this.#text.slice(from, this.#at);
        from = this.#at + 1;
        this.#at++;
      }
      this.#at++;
    }
    value += this.#text.slice(from, this.#at);
    this.#at++;
    return value;
  }

  /** Steps over a comment with those inside it; false if it never closes. */
  #comment(): boolean {
    if (!this.#commentsClose) return false;
    const end = commentEnd(this.#text, this.#at);
    if (end === -1) this.#commentsClose = false;
    else this.#at = end;
    return end !== -1;
  }
}

const NEXT_PARAMETER = /[A-Za-z0-9*-]{1,60}=/y;

/** The offset after the comment that opens at `start`, or -1 if it never closes. */
export function commentEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 0x5c) at++;
    else if (char === 0x28) depth++;
    else if (char === 0x29 && --depth === 0) return at + 1;
  }
  return -1;
}
