/**
 * Finds the secrets in what a client of a line protocol says: IMAP, POP3, SMTP, LMTP. The commands of each are looked for
 * on every port, because a client that has mistaken the port gives its password away all the same; and a refused or
 * malformed command hides as much as a good one.
 */
import { headerSecret } from './veil-http.ts';
import type { Hidden } from './veil.ts';

const LF = 0x0a;
const CR = 0x0d;

/** A tag, or two words of somebody who is not sure, may stand before a command. */
const BEFORE = String.raw`^\s*(?:\S+\s+){0,2}["']?`;

/** LOGIN: RFC 9051 §6.2.3. */
const LOGIN = new RegExp(`${BEFORE}LOGIN(?![\\w-])["']?`, 'i');
/** PASS: RFC 1939 §7; and what people type instead. */
const PASS = new RegExp(`${BEFORE}PASS(?:W(?:OR)?D)?(?:["']?\\s+|[:=]\\s*)(?=\\S)`, 'i');
/** APOP: RFC 1939 §7. The digest answers a challenge that was recorded too, so that passwords can be tried against it. */
const APOP = new RegExp(`${BEFORE}APOP\\s+(?:\\S+\\s+(?=\\S))?(?=\\S)`, 'i');
/** More than the name that USER takes. */
const USER = /^\s*USER\s+\S+\s+(?=\S)/i;
/** AUTHENTICATE: RFC 9051 §6.2.2. AUTH: RFC 4954 §4, RFC 5034 §4. */
const AUTH = /^\s*(?:\S+\s+)?["']?AUTH(?:ENTICATE)?["']?(?:$|[\s=:]\s*)/i;

/** Mechanisms (RFC 4422 §3.1) that may be shown. Another word after AUTH may be a misplaced secret. */
const MECHANISM =
  /^(?:PLAIN|LOGIN|XOAUTH2?|OAUTHBEARER|SCRAM-SHA(?:-\d+|3-\d+)(?:-PLUS)?|CRAM-MD5|DIGEST-MD5|EXTERNAL|ANONYMOUS|GSSAPI|NTLM|KERBEROS_V[45])(?=\s|$)/i;

/** The start of any command of IMAP. A literal on another line belongs to something that was not understood. */
const COMMAND = /^\s*[^\s"(){}]+\s+[a-z]+(?:\s|$)/i;

/** What stands alone on a line in these protocols; `)`: behind a literal, as in `UTF8 (~{5}` of RFC 6855 §4. */
const LONE_COMMAND =
  /^(?:\)|DONE|NOOP|QUIT|RSET|HELP|DATA|STLS|STARTTLS|CAPA|CAPABILITY|STAT|LIST|UIDL|LAST|UTF8|EHLO|HELO|LHLO|IDLE|LOGOUT|LOGIN|EXPUNGE|\*)$/i;

/** So many octets of base64 alone on a line may be a secret even where no login was seen. */
const LONE_SECRET = 12;

/** `{5}`, `{5+}`, `~{5}` at a line's end: RFC 9051 §4.3, RFC 7888. */
const LITERAL = /\{(\d{1,10})([+-]?)\}$/;

/** What follows is counted and no line, a message's chunk: RFC 3030 §2. */
const BDAT = /^BDAT +(\d{1,15})(?: +LAST)?\s*$/i;

/** `v=`, in base64 or (with mechanisms that are not wrapped in it) as it is. */
const SERVER_SIGNATURE = /\b(?:dj[01][A-Za-z0-9+/]{8,}=*|v=[A-Za-z0-9+/]{20,}=*)/g;

interface Line {
  /** Position of its first octet, and of the one behind its LF. */
  readonly start: number;
  readonly next: number;
  /** Without its end, one character for each octet. */
  readonly text: string;
}

/** What the client's next octets are. */
type State =
  | { readonly name: 'commands' }
  /** Every line, until the server ends the exchange. */
  | { readonly name: 'auth'; readonly tag: string }
  /** A message, until its end or the server's reply. */
  | { readonly name: 'data' }
  | {
      readonly name: 'literal';
      readonly end: number;
      readonly tag: string;
      /** Of a LOGIN: its name may be shown, all else not. */
      readonly login: 'name' | 'password' | undefined;
      /** The server has asked for it, or will read it without asking. Until then it may be the next commands as well. */
      readonly certain: boolean;
    }
  /** The line behind a literal of LOGIN: the password, or an announcement of it. */
  | { readonly name: 'login-continued'; readonly tag: string };

const COMMANDS: State = { name: 'commands' };

export class LineVeil {
  readonly #protocol: string;
  readonly #hidden: Hidden[] = [];
  #state: State = COMMANDS;
  /** A line of the client that has not ended. */
  #partial: Buffer[] = [];
  #partialStart = 0;
  #next = 0;
  /** The rest of a line that began in a gap. */
  #afterGap = false;
  /** From the first login on, a word alone on its line may be a belated part of it. */
  #loginSeen = false;
  #serverPartial = '';
  #serverStart = 0;
  #serverEnd = 0;
  readonly #serverHidden: Hidden[] = [];

  /** @param protocol what the server speaks: `imap`, `pop3`, `smtp`, `lmtp` */
  constructor(protocol: string) {
    this.#protocol = protocol;
  }

  /** @param serverNext where the server's next octets begin that were kept: whether it spoke in a gap of the client's */
  clientSent(position: number, octets: Buffer, serverNext: number | undefined): void {
    if (position > this.#next) this.#gap(position, serverNext === this.#serverEnd);
    this.#next = position + octets.length;
    for (let at = 0; at < octets.length;) {
      const state = this.#state;
      if (state.name === 'literal') {
        const left = state.end - (position + at);
        if (left > 0) {
          const piece = octets.subarray(at, at + left);
          this.#literal(state, position + at, piece);
          at += piece.length;
          continue;
        }
        this.#state = state.login === undefined ? COMMANDS : { name: 'login-continued', tag: state.tag };
      }
      at = this.#line(position, octets, at);
    }
  }

  serverSent(position: number, octets: Buffer): void {
    if (position > this.#serverEnd) this.#serverPartial = '';
    this.#serverEnd = position + octets.length;
    if (this.#serverPartial === '') this.#serverStart = position;
    // Where nothing is awaited of it, a mailbox's worth of FETCH is not looked at.
    const awaited = this.#state.name !== 'commands' || this.#protocol === 'smtp' || this.#protocol === 'lmtp';
    const from = awaited ? 0 : octets.lastIndexOf(LF) + 1;
    if (from > 0) {
      this.#serverPartial = '';
      this.#serverStart = position + from;
    }
    const lines = (this.#serverPartial + octets.toString('latin1', from)).split('\n');
    this.#serverPartial = lines.pop()!;
    for (const line of lines) {
      this.#serverSaid(line, this.#serverStart);
      this.#serverStart += line.length + 1;
    }
    // So long a line is a part of a message; nothing that is awaited begins in it.
    if (this.#serverPartial.length > 65_536) this.#serverPartial = '';
  }

  /** What has been found so far; more is added at the end of both. */
  found(): { readonly client: readonly Hidden[]; readonly server: readonly Hidden[] } {
    return { client: this.#hidden, server: this.#serverHidden };
  }

  /**
   * What is to be hidden beside what has been found, because it has not ended.
   * @param finished nothing follows; otherwise a line that has not ended is hidden whole, until its end shows what it is
   */
  finish(finished: boolean): { readonly client: readonly Hidden[]; readonly server: readonly Hidden[] } {
    const length = this.#partial.reduce((sum, piece) => sum + piece.length, 0);
    const next = this.#partialStart + length;
    const client: Hidden[] = [];
    if (this.#afterGap || (!finished && this.#state.name !== 'data'))
      client.push({ start: this.#partialStart, end: next });
    else if (length > 0 && finished) {
      this.#clientSaid({ start: this.#partialStart, next, text: Buffer.concat(this.#partial).toString('latin1') });
    }
    return { client, server: this.#proofsIn(this.#serverPartial, this.#serverStart) };
  }

  #hide(start: number, end: number): void {
    if (end > start) this.#hidden.push({ start, end });
  }

  /** Octets that were not kept: what they were is decided for hiding, unless it is known to go on as it was. */
  #gap(position: number, serverWasSilent: boolean): void {
    const state = this.#state;
    const rest = this.#partial.splice(0).reduce((sum, { length }) => sum + length, 0);
    if (state.name === 'literal' && state.certain && state.end > position) return;
    if (state.name === 'data' && serverWasSilent) return;
    this.#hide(this.#partialStart, this.#partialStart + rest);
    if (state.name !== 'auth' || !serverWasSilent) this.#state = COMMANDS;
    this.#afterGap = true;
    this.#loginSeen = true;
  }

  #literal(state: State & { name: 'literal' }, start: number, octets: Buffer): void {
    if (state.login === 'password') this.#hide(start, start + octets.length);
    if (state.certain || state.login !== undefined) return;
    // The server may read it as commands yet.
    let at = 0;
    for (const text of octets.toString('latin1').split('\n')) {
      const from = simpleSecret(text) ?? LOGIN.exec(text)?.[0].length;
      if (from !== undefined) this.#hide(start + at + from, start + at + text.length);
      at += text.length + 1;
    }
  }

  /** Takes octets up to the end of a line. @returns where to go on */
  #line(position: number, octets: Buffer, at: number): number {
    if (this.#partial.length === 0) this.#partialStart = position + at;
    const lf = octets.indexOf(LF, at);
    const piece = octets.subarray(at, lf === -1 ? undefined : lf);
    if (lf === -1) {
      this.#partial.push(piece);
      return octets.length;
    }
    const line = this.#partial.length === 0 ? piece : Buffer.concat([...this.#partial, piece]);
    this.#partial = [];
    const text = line.toString('latin1', 0, line.at(-1) === CR ? line.length - 1 : line.length);
    const whole = { start: this.#partialStart, next: position + lf + 1, text };
    if (this.#afterGap) this.#cutLine(whole);
    else this.#clientSaid(whole);
    return lf + 1;
  }

  /** The end of a line whose start is gone. A literal that it announces may be a password. */
  #cutLine(line: Line): void {
    this.#afterGap = false;
    this.#hide(line.start, line.start + line.text.length);
    if (this.#state.name !== 'commands') return;
    if (/^\d*[+-]?\}$/.test(line.text)) this.#state = { name: 'login-continued', tag: '' };
    else this.#literalFollows(line, '', 'password');
  }

  #clientSaid(line: Line): void {
    const state = this.#state;
    const end = line.start + line.text.length;
    switch (state.name) {
      case 'data':
        // Anything that a server might take for the end is taken for it: too early hides too much, too late too little.
        if (line.text === '.') this.#state = COMMANDS;
        return;
      case 'auth':
        // `*` gives the exchange up: RFC 4954 §4, RFC 9051 §6.2.2.
        if (line.text !== '*') this.#hide(line.start, end);
        return;
      case 'login-continued':
        this.#hide(line.start, end);
        this.#state = COMMANDS;
        this.#literalFollows(line, state.tag, 'password');
        return;
      case 'commands':
      case 'literal':
        this.#command(line, end);
    }
  }

  #command(line: Line, end: number): void {
    const { text, start } = line;
    const tag = /^\s*(\S*)/.exec(text)![1]!;
    const from = simpleSecret(text);
    const login = from === undefined ? LOGIN.exec(text) : null;
    if (from !== undefined) {
      this.#loginSeen = true;
      this.#hide(start + from, end);
      if (AUTH.test(text)) this.#state = { name: 'auth', tag };
    } else if (login !== null) {
      this.#loginSeen = true;
      this.#login(line, login[0].length, tag);
    } else if (this.#isLoneSecret(text.trim())) this.#hide(start, end);
    else if (this.#protocol !== 'imap' && BDAT.test(text)) {
      const octets = Number(BDAT.exec(text)![1]);
      this.#state = { name: 'literal', end: line.next + octets, tag: '', login: undefined, certain: true };
    } else if (this.#protocol === 'imap') this.#literalFollows(line, tag, COMMAND.test(text) ? undefined : 'password');
  }

  /** A word alone on its line, which could be a part of a login whose start was not understood. */
  #isLoneSecret(word: string): boolean {
    if (word === '' || /[\s<>:]/.test(word) || LONE_COMMAND.test(word) || LITERAL.test(word)) return false;
    return this.#loginSeen || (word.length >= LONE_SECRET && /^[A-Za-z0-9+/=_-]+$/.test(word));
  }

  /**
   * LOGIN's arguments, which begin at `from`. Behind the first, which is the user's name, all is hidden. A lone one may be
   * a password, and what is not well-formed may be anything: hidden.
   */
  #login(line: Line, from: number, tag: string): void {
    const rest = line.text.slice(from);
    if (/^\s+~?\{\d+[+-]?\}$/.test(rest)) {
      this.#literalFollows(line, tag, 'name');
      return;
    }
    const name = /^\s+(?:"(?:[^"\\]|\\.)*"|[^\s"{(]\S*)(?=\s+\S)/.exec(rest)?.[0].length ?? 0;
    this.#hide(line.start + from + name, line.start + line.text.length);
    this.#literalFollows(line, tag, 'password');
  }

  #literalFollows(line: Line, tag: string, login: 'name' | 'password' | undefined): void {
    const literal = LITERAL.exec(line.text);
    if (literal === null) return;
    const end = line.next + Number(literal[1]);
    this.#state = { name: 'literal', end, tag, login, certain: literal[2] !== '' };
  }

  /** The server's signature in SCRAM (RFC 5802 §3): passwords can be tried against it as against the client's proof. */
  #proofs(line: string, start: number): void {
    this.#serverHidden.push(...this.#proofsIn(line, start));
  }

  #proofsIn(line: string, start: number): Hidden[] {
    if (!this.#loginSeen) return [];
    return [...line.matchAll(SERVER_SIGNATURE)].map((match) => ({
      start: start + match.index,
      end: start + match.index + match[0].length,
    }));
  }

  #serverSaid(line: string, start: number): void {
    this.#proofs(line, start);
    const state = this.#state;
    switch (state.name) {
      case 'commands':
        // RFC 5321 §4.3.2; and 334 tells of an exchange (RFC 4954 §4) although its command was not recognised.
        if (line.startsWith('354')) this.#state = { name: 'data' };
        else if (line.startsWith('334')) this.#state = { name: 'auth', tag: '' };
        return;
      case 'data':
        this.#state = COMMANDS;
        return;
      case 'auth':
        if (this.#endsExchange(line, state.tag)) this.#state = COMMANDS;
        return;
      case 'literal':
        if (line.startsWith('+')) this.#state = { ...state, certain: true };
        // Refused before it was sent. A client that sends it nevertheless is covered by what is hidden after a login.
        else if (!state.certain && refuses(line, state.tag)) this.#state = COMMANDS;
        return;
      case 'login-continued':
        if (refuses(line, state.tag)) this.#state = COMMANDS;
    }
  }

  #endsExchange(line: string, tag: string): boolean {
    switch (this.#protocol) {
      case 'imap':
        return line.startsWith(`${tag} `) || /^\* (?:BAD|BYE)/i.test(line);
      case 'pop3':
        return /^(?:\+OK|-ERR)/i.test(line);
      default:
        return /^\d{3}/.test(line) && !line.startsWith('334');
    }
  }
}

function refuses(line: string, tag: string): boolean {
  return (
    /^(?:\* (?:BAD|BYE)|-ERR|[45]\d\d)/i.test(line) || (line.startsWith(`${tag} `) && /^\S+ (?:NO|BAD)/i.test(line))
  );
}

/** @returns where the secret begins in a line that has it to its end */
function simpleSecret(text: string): number | undefined {
  const auth = AUTH.exec(text);
  if (auth !== null) {
    const [before] = auth;
    return before.length + (MECHANISM.exec(text.slice(before.length))?.[0].length ?? 0);
  }
  const found = PASS.exec(text) ?? APOP.exec(text) ?? USER.exec(text);
  return found?.[0].length ?? headerSecret(text);
}
