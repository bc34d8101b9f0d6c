/**
 * IMAP as it comes over the wire, for tests that compare servers: a client that says anything, also what is wrong, and
 * answers as values that are equal when two servers mean the same.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One response: the text of its line or lines, literals as they came; one character is one octet. */
export type RawResponse = string;

export interface WireAnswer {
  readonly untagged: readonly RawResponse[];
  /** Without the tag. */
  readonly completion: RawResponse;
}

/** What an answer that never comes ends in. */
const PATIENCE = 20_000;

export class WireClient implements AsyncDisposable {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;
  #tags = 0;
  #asked = '';
  #validity = '1';
  #modSeq: string | undefined;
  greeting = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (octets: Buffer) => {
      this.#received = Buffer.concat([this.#received, octets]);
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  static async open(port: number): Promise<WireClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const client = new WireClient(socket);
    client.greeting = await client.response();
    return client;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Puts a tag in front and a line end behind, and takes all up to the tagged response. What follows `{size}` is sent when
   * the server asks for it. `<validity>` is the UIDVALIDITY that was heard last, `<modseq>` the first HIGHESTMODSEQ.
   */
  async command(command: string): Promise<WireAnswer> {
    const tag = `t${++this.#tags}`;
    const text = command.replaceAll('<validity>', this.#validity).replaceAll('<modseq>', this.#modSeq ?? '1');
    this.#asked = text.slice(0, 200);
    const pieces = `${tag} ${text}\r\n`.split(/(?<=\{\d+\}\r\n)/);
    this.send(Buffer.from(pieces.shift()!, 'latin1'));
    const untagged: RawResponse[] = [];
    for (;;) {
      const response = await this.response();
      if (response.startsWith(`${tag} `)) return { untagged, completion: response.slice(tag.length + 1) };
      if (!response.startsWith('+ ')) untagged.push(response);
      else this.send(Buffer.from(pieces.shift() ?? '', 'latin1'));
    }
  }

  send(octets: string | Buffer): void {
    this.#socket.write(octets);
  }

  /** @throws when the server ends the connection, or nothing comes for long */
  async response(): Promise<RawResponse> {
    for (;;) {
      const end = endOfResponse(this.#received);
      if (end !== undefined) {
        const response = this.#received.toString('latin1', 0, end - 2);
        this.#received = this.#received.subarray(end);
        this.#validity = /^\* OK \[UIDVALIDITY (\d+)\]/.exec(response)?.[1] ?? this.#validity;
        this.#modSeq ??= /^\* OK \[HIGHESTMODSEQ (\d+)\]/.exec(response)?.[1];
        return response;
      }
      if (this.#ended) throw new Error(`The server ended the connection after ${this.#asked}`);
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      timer = setTimeout(() => {
        reject(new Error(`Nothing more came for ${this.#asked}: ${this.#received.toString('latin1').slice(0, 500)}`));
      }, PATIENCE);
    }).finally(() => clearTimeout(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    const closed = once(this.#socket, 'close');
    this.#socket.destroy();
    await closed;
  }
}

/** What a server has said, response by response; what is cut off at the end is left out. */
export function wholeResponses(octets: Buffer): RawResponse[] {
  const responses: RawResponse[] = [];
  for (let rest = octets, end = endOfResponse(rest); end !== undefined; end = endOfResponse(rest)) {
    responses.push(rest.toString('latin1', 0, end - 2));
    rest = rest.subarray(end);
  }
  return responses;
}

/** Where the next response begins; undefined: it is not all there. */
function endOfResponse(octets: Buffer): number | undefined {
  for (let from = 0; ;) {
    const end = octets.indexOf('\r\n', from);
    if (end === -1) return undefined;
    const literal = /\{(\d+)\}$/.exec(octets.toString('latin1', Math.max(from, end - 24), end));
    if (literal === null) return end + 2;
    from = end + 2 + Number(literal[1]);
    if (from > octets.length) return undefined;
  }
}

// -------------------------------------------------------------------------------------------------------- as values

/** `atom`: NIL, numbers, flags and all else without quotes; `string`: quoted or literal, which mean the same. */
export type Token =
  | { readonly type: 'atom'; readonly text: string }
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'list'; readonly items: readonly Token[] };

/** @throws on what is not a response */
export function tokensOf(text: RawResponse): readonly Token[] {
  let at = 0;
  const tokens = list('');
  if (at < text.length) throw new Error(`Left over: ${text.slice(at)}`);
  return tokens;

  function list(end: string): Token[] {
    const items: Token[] = [];
    for (;;) {
      while (text[at] === ' ') at++;
      if (at >= text.length && end === '') return items;
      if (text[at] === end) {
        at++;
        return items;
      }
      items.push(token());
    }
  }
  function token(): Token {
    const char = text[at];
    if (char === undefined) throw new Error(`Ends within parentheses: ${text}`);
    if (char === '(') {
      at++;
      return { type: 'list', items: list(')') };
    }
    if (char === '"') return { type: 'string', text: quoted() };
    const literal = /~?\{(\d+)\}\r\n/y;
    literal.lastIndex = at;
    const found = literal.exec(text);
    if (found) {
      at = literal.lastIndex + Number(found[1]);
      return { type: 'string', text: text.slice(literal.lastIndex, at) };
    }
    return { type: 'atom', text: atom() };
  }
  function quoted(): string {
    const found = /"((?:[^"\\\r\n]|\\["\\])*)"/y;
    found.lastIndex = at;
    const match = found.exec(text);
    if (!match) throw new Error(`No quoted string: ${text.slice(at)}`);
    at = found.lastIndex;
    return match[1]!.replace(/\\(.)/g, '$1');
  }
  /** With what stands in its brackets: `BODY[HEADER.FIELDS ("a b")]<0>`. */
  function atom(): string {
    let atom = '';
    while (at < text.length && !/[ ()"]/.test(text[at]!)) {
      if (text[at] === '[') {
        const inside = /(?:[^\]"]|"(?:[^"\\\r\n]|\\["\\])*")*/y;
        inside.lastIndex = at;
        atom += inside.exec(text)![0];
        at = inside.lastIndex;
        if (text[at] !== ']') throw new Error(`No closing bracket: ${text.slice(at)}`);
      }
      atom += text[at++]!;
    }
    if (atom === '') throw new Error(`Nothing where something should be: ${text.slice(at)}`);
    return atom;
  }
}

export function printToken(token: Token): string {
  if (token.type === 'list') return `(${token.items.map(printToken).join(' ')})`;
  return token.type === 'atom' ? token.text : JSON.stringify(token.text);
}

const atomText = (token: Token | undefined): string => (token?.type === 'atom' ? token.text : '');

/**
 * An answer as lines that are equal when they mean the same: strings in one spelling, flags in order and system flags in
 * one case, FETCH's items by name and a line each, dates as moments. UIDVALIDITY and mod-sequences, which each server chooses, are V and M.
 */
export function meaningOf({ untagged, completion }: WireAnswer): string[] {
  return [...expunged(untagged.flatMap(meaningOfUntagged)), status('', completion)];
}

/** EXPUNGE may come in any order, and its numbers depend on it: here they are those from before, in one line. */
function expunged(lines: readonly string[]): string[] {
  const gone: number[] = [];
  const others: string[] = [];
  for (const line of lines) {
    const number = /^\* (\d+) EXPUNGE$/.exec(line)?.[1];
    if (number === undefined) {
      others.push(line);
      continue;
    }
    let before = Number(number);
    for (const other of gone.toSorted((a, b) => a - b)) if (other <= before) before++;
    gone.push(before);
  }
  return gone.length === 0 ? others : [`* EXPUNGED ${gone.sort((a, b) => a - b).join(' ')}`, ...others];
}

function meaningOfUntagged(response: RawResponse): string[] {
  const text = response.replace(/^\* /, '');
  const word = /^[A-Z]+/i.exec(text)?.[0].toUpperCase() ?? '';
  if (['OK', 'NO', 'BAD', 'BYE'].includes(word)) {
    const line = status('* ', text);
    // What is only said, without a code, says nothing to a program.
    return line === '* OK' ? [] : [line];
  }
  const tokens = tokensOf(text);
  const [first, second, third] = tokens;
  if (word === 'CAPABILITY') return ['* CAPABILITY'];
  if (word === 'FLAGS') return [`* FLAGS ${flags(second!)}`];
  if (word === 'SEARCH')
    return [
      `* ${tokens
        .map(printToken)
        .join(' ')
        .replace(/MODSEQ \d+/, 'MODSEQ M')}`,
    ];
  if (word === 'ESEARCH') return [`* ${esearch(tokens)}`];
  if (word === 'LIST' || word === 'LSUB') return [list(tokens)];
  if (word === 'STATUS') return [`* STATUS ${name(second!)} ${statusItems(third!)}`];
  if (atomText(second).toUpperCase() === 'FETCH') {
    return fetchItems(third!).map((item) => `* ${atomText(first)} FETCH ${item}`);
  }
  return [`* ${tokens.map(printToken).join(' ')}`];
}

function status(start: string, text: string): string {
  const [, word = '', code = ''] = /^(\w+)(?: \[((?:[^\]"]|"[^"]*")*)\])?/.exec(text) ?? [];
  if (code === '' || /^(CAPABILITY|MAILBOXID)/i.test(code)) return `${start}${word}`;
  const [key, ...values] = tokensOf(code);
  const name = atomText(key).toUpperCase();
  const printed = values.map(printToken);
  if (name === 'UIDVALIDITY') return `${start}${word} [UIDVALIDITY V]`;
  if (name === 'HIGHESTMODSEQ') return `${start}${word} [HIGHESTMODSEQ M]`;
  if (name === 'PERMANENTFLAGS') return `${start}${word} [PERMANENTFLAGS ${flags(values[0]!)}]`;
  if (name === 'APPENDUID' || name === 'COPYUID') printed[0] = 'V';
  return `${start}${word} [${[name, ...printed].join(' ')}]`;
}

function flags(token: Token): string {
  if (token.type !== 'list') return printToken(token);
  const names = token.items.map((item) => printToken(item));
  return `(${names
    .map((flag) => (flag.startsWith('\\') ? `\\${flag[1]!.toUpperCase()}${flag.slice(2).toLowerCase()}` : flag))
    .sort()
    .join(' ')})`;
}

function fetchItems(token: Token): string[] {
  if (token.type !== 'list') return [printToken(token)];
  const items: string[] = [];
  for (let i = 0; i < token.items.length; i += 2) {
    const name = atomText(token.items[i]).toUpperCase().replaceAll('"', '');
    const value = token.items[i + 1];
    if (value === undefined) throw new Error(`FETCH without a value for ${name}`);
    if (name === 'FLAGS') items.push(`FLAGS ${flags(value)}`);
    else if (name === 'MODSEQ') items.push('MODSEQ (M)');
    else if (name === 'INTERNALDATE' && value.type === 'string') items.push(`${name} ${moment(value.text)}`);
    else items.push(`${name} ${printToken(value)}`);
  }
  return items.sort();
}

const moment = (text: string): string =>
  new Date(
    text
      .trim()
      .replaceAll('-', ' ')
      .replace(/ (\d{4})$/, ' -$1'),
  ).toISOString();

function statusItems(token: Token): string {
  if (token.type !== 'list') return printToken(token);
  const items: string[] = [];
  for (let i = 0; i < token.items.length; i += 2) {
    const name = atomText(token.items[i]).toUpperCase();
    const value = name === 'UIDVALIDITY' ? 'V' : name === 'HIGHESTMODSEQ' ? 'M' : printToken(token.items[i + 1]!);
    items.push(`${name} ${value}`);
  }
  return `(${items.sort().join(' ')})`;
}

function esearch(tokens: readonly Token[]): string {
  const printed = tokens.map(printToken);
  const tag = tokens[1]?.type === 'list' ? 1 : 0;
  const isUid = atomText(tokens[tag + 1]).toUpperCase() === 'UID';
  const pairs: string[] = [];
  for (let i = tag + (isUid ? 2 : 1); i < printed.length; i += 2) {
    pairs.push(`${printed[i]!.toUpperCase()} ${printed[i]!.toUpperCase() === 'MODSEQ' ? 'M' : printed[i + 1]!}`);
  }
  return ['ESEARCH', ...(tag ? ['(TAG)'] : []), ...(isUid ? ['UID'] : []), ...pairs.sort()].join(' ');
}

/** INBOX in one case; names as strings, however they were written. */
function name(token: Token): string {
  const text = token.type === 'list' ? printToken(token) : token.text;
  return JSON.stringify(/^inbox$/i.test(text) ? 'INBOX' : text);
}

function list([kind, attributes, delimiter, mailbox, ...extended]: readonly Token[]): string {
  const tail = extended.map((token) => ` ${printToken(token).replaceAll('"', '')}`).join('');
  return `* ${atomText(kind).toUpperCase()} ${flags(attributes!)} ${printToken(delimiter!)} ${name(mailbox!)}${tail}`;
}

// ----------------------------------------------------------------------------------------------------- differences

/** A line of one answer and what stands for it in the other; undefined: nothing does. */
export interface Difference {
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

/**
 * In what two meanings differ, line by line: lines are about the same if they name the same thing. Of lines about the same
 * thing, such as two FETCH responses for the flags of one message, the order counts.
 */
export function differencesOf(ours: readonly string[], theirs: readonly string[]): Difference[] {
  const [one, other] = [keyed(ours), keyed(theirs)];
  const differences: Difference[] = [];
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    if (one.get(key) !== other.get(key)) differences.push({ ours: one.get(key), theirs: other.get(key) });
  }
  return differences;
}

function keyed(lines: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of lines) {
    const key = keyOf(line);
    let number = 1;
    while (found.has(`${key} ${number}`)) number++;
    found.set(`${key} ${number}`, line);
  }
  return found;
}

function keyOf(line: string): string {
  if (!line.startsWith('* ')) return 'completion';
  const fetched = /^\* \d+ FETCH [^[ ]+(\[[^\]]*\])?/.exec(line);
  if (fetched) return fetched[0];
  if (/^\* (LIST|LSUB) /.test(line)) return `${line.slice(0, 6)} ${/"(?:[^"\\]|\\.)*"$/.exec(line)?.[0] ?? ''}`;
  return /^\* (OK \[\w+|\d+ \w+|\w+)/.exec(line)?.[0].replace(/\d+/, '') ?? line;
}
