/** One session of the console: what passes over its WebSocket, and what is being written. */
import type {
  ConsoleEnded,
  ConsoleMessage,
  ConsoleNews,
  ConsoleRequest,
  ConsoleTls,
} from '../../http/schemas/console.ts';
import { Store } from '../store.ts';
import { Draft } from './draft.ts';
import { texts } from './texts.ts';

export type Service = 'smtp' | 'submission' | 'imap' | 'pop3';
export type Beginning = 'later' | 'at-once';
export type Unit = ConsoleNews['spoken'][number];

export interface SessionState {
  readonly phase: 'connecting' | 'open' | 'ended';
  readonly opened: Extract<ConsoleMessage, { type: 'opened' }> | undefined;
  /** Its id in Wire. */
  readonly conversation: string | undefined;
  /** In the order in which they began. */
  readonly units: readonly Unit[];
  readonly bands: readonly ConsoleTls[];
  readonly standing: ConsoleNews['standing'] | undefined;
  readonly hints: ConsoleNews['hints'];
  readonly octetsLeft: number;
  readonly ended: ConsoleEnded | undefined;
  readonly problem: string | undefined;
}

const EMPTY: SessionState = {
  phase: 'connecting',
  opened: undefined,
  conversation: undefined,
  units: [],
  bands: [],
  standing: undefined,
  hints: [],
  octetsLeft: 0,
  ended: undefined,
  problem: undefined,
};

/** Commands that carry a password: what follows their name is not remembered. */
const SECRET = /^((?:\S+ +)?(?:LOGIN +\S+|AUTH(?:ENTICATE)? +\S+|PASS|APOP +\S+))(?: .*)?$/i;
const MOST_REMEMBERED = 100;

/** Lines of all sessions of a protocol, the newest last. */
const remembered = new Map<string, string[]>();

let sessions = 0;

export class Session {
  /** Tells sessions apart. */
  readonly number = ++sessions;
  readonly service: Service;
  readonly beginning: Beginning;
  readonly store = new Store<SessionState>(EMPTY);
  readonly draft = new Draft();
  readonly #socket: WebSocket;
  /** What was put into the line by itself, and so may be replaced. */
  #prefilled = '';
  #recalled: number | undefined;
  #whenReady: (() => void) | undefined;

  constructor(service: Service, beginning: Beginning) {
    this.service = service;
    this.beginning = beginning;
    const { protocol, host } = location;
    this.#socket = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/api/glass/console`);
    this.#socket.addEventListener('open', () => this.#say({ type: 'open', service, tls: beginning }));
    this.#socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#heard(JSON.parse(data) as ConsoleMessage);
    });
    this.#socket.addEventListener('close', ({ reason }) => {
      if (this.store.latest.ended) return;
      const detail = reason === '' ? texts.unreachable : reason;
      this.store.update({ phase: 'ended', ended: { type: 'ended', reason: 'unreachable', detail } });
    });
  }

  close(): void {
    this.#socket.close();
  }

  get isImap(): boolean {
    return this.service === 'imap';
  }

  // What is written

  setLine(line: string): void {
    this.#recalled = undefined;
    this.draft.write({ line, note: undefined });
  }

  setText(text: string): void {
    this.draft.write({ text });
  }

  /** Puts a command in, with a tag where one is wanted. @param note what it is for */
  put(command: string, note?: string): void {
    const { standing } = this.store.latest;
    const { line } = this.draft.shown();
    const wantsTag = this.isImap && standing?.expects.type === 'command';
    this.#recalled = undefined;
    this.draft.write({ line: wantsTag ? `${tagOf(line) ?? standing.nextTag} ${command}` : command, note });
  }

  /** As it stands, tag and all; once the server has greeted, if it has not yet. */
  putLine(line: string): void {
    const put = (): void => this.setLine(line);
    if (this.store.latest.standing) put();
    else this.#whenReady = put;
  }

  insertOctets(text: string): void {
    const { line, rawOctets } = this.draft.shown();
    this.draft.write({ line: line + text, rawOctets: rawOctets || text.includes('\\x') });
  }

  /** @param by -1: the one before */
  recall(by: 1 | -1): boolean {
    const lines = remembered.get(this.service) ?? [];
    const { line } = this.draft.shown();
    if (this.#recalled === undefined && by === 1) return false;
    if (this.#recalled === undefined && line !== '' && line !== this.#prefilled) return false;
    const at = (this.#recalled ?? lines.length) + by;
    if (at < 0) return true;
    const recalled = lines[at];
    this.#recalled = recalled === undefined ? undefined : at;
    const tag = this.isImap && recalled !== undefined ? `${this.store.latest.standing?.nextTag ?? ''} ` : '';
    this.draft.write({ line: recalled === undefined ? this.#prefilled : tag + recalled, note: undefined });
    return true;
  }

  // What is sent

  sendLine(): void {
    const { standing } = this.store.latest;
    const { line, rawOctets } = this.draft.shown();
    if (standing?.expects.type !== 'sasl') this.#remember(line);
    this.#recalled = undefined;
    this.#prefilled = '';
    this.draft.write({ line: '', note: undefined, rawOctets: false });
    this.store.update({ problem: undefined });
    if (rawOctets) this.#say({ type: 'send', text: `${rawText(line)}\r\n`, charset: 'octets' });
    else this.#say({ type: 'send', text: `${line}\r\n` });
  }

  /** Several lines at once. */
  sendLines(lines: readonly string[]): void {
    this.#say({ type: 'send', text: lines.map((line) => `${line}\r\n`).join('') });
  }

  /** With its full stops doubled, and the one that ends it (RFC 5321 §4.5.2). */
  sendMessage(): void {
    const { text } = this.draft.shown();
    const body = wire(text).replace(/^\./gm, '..');
    this.draft.write({ text: '' });
    this.store.update({ problem: undefined });
    this.#say({ type: 'send', text: `${body}${body === '' || body.endsWith('\r\n') ? '' : '\r\n'}.\r\n` });
  }

  sendOctets(): void {
    const { text } = this.draft.shown();
    this.draft.write({ text: '' });
    this.store.update({ problem: undefined });
    // A literal is a part of a line, which goes on; a chunk stands alone (RFC 3030 §2).
    this.#say({ type: 'send', text: wire(text) + (this.isImap ? '\r\n' : '') });
  }

  startTls(): void {
    const { standing } = this.store.latest;
    const command = this.service === 'pop3' ? 'STLS' : 'STARTTLS';
    this.sendLines([this.isImap ? `${standing?.nextTag ?? 'a1'} ${command}` : command]);
  }

  #say(request: ConsoleRequest): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(request));
  }

  #remember(line: string): void {
    const bare = this.isImap ? line.replace(/^\S+ +/, '') : line;
    const kept = bare.replace(SECRET, '$1 ').trim();
    if (kept === '') return;
    const lines = (remembered.get(this.service) ?? []).filter((each) => each !== kept);
    remembered.set(this.service, [...lines, kept].slice(-MOST_REMEMBERED));
  }

  // What is heard

  #heard(message: ConsoleMessage): void {
    switch (message.type) {
      case 'opened':
        this.store.update({ opened: message, phase: 'open', octetsLeft: message.octets });
        return;
      case 'conversation':
        this.store.update({ conversation: message.id });
        return;
      case 'tls':
        this.store.update({ bands: [...this.store.latest.bands, message] });
        return;
      case 'error':
        this.store.update({ problem: message.detail });
        return;
      case 'ended':
        this.store.update({ phase: 'ended', ended: message, hints: [] });
        return;
      case 'news':
        this.#news(message);
    }
  }

  #news({ spoken, standing, hints, octetsLeft }: ConsoleNews): void {
    const { units } = this.store.latest;
    const { line } = this.draft.shown();
    const fresh = new Map(spoken.map((unit) => [keyOf(unit), unit]));
    const grown = units.map((unit) => {
      const newer = fresh.get(keyOf(unit));
      if (newer) fresh.delete(keyOf(unit));
      return newer ?? unit;
    });
    const isPristine = line === '' || line === this.#prefilled;
    this.store.update({ units: [...grown, ...fresh.values()], standing, hints, octetsLeft });
    if (isPristine && this.#recalled === undefined) {
      this.#prefilled = this.isImap && standing.expects.type === 'command' ? `${standing.nextTag} ` : '';
      this.draft.write({ line: this.#prefilled });
    }
    if (standing.expects.type === 'command') {
      this.#whenReady?.();
      this.#whenReady = undefined;
    }
  }
}

export const keyOf = ({ side, position }: Unit): string => `${side}${position}`;

/** As it goes: lines end in CR LF. */
export const wire = (text: string): string => text.replace(/\r?\n/g, '\r\n');

const tagOf = (line: string): string | undefined => /^(\S+) *$/.exec(line)?.[1];

/** Each character one octet: UTF-8, and `\xNN` for what is no text. */
function rawText(line: string): string {
  return line
    .split(/(\\x[0-9a-f]{2})/i)
    .map((piece) =>
      /^\\x[0-9a-f]{2}$/i.test(piece)
        ? String.fromCharCode(Number.parseInt(piece.slice(2), 16))
        : [...new TextEncoder().encode(piece)].map((octet) => String.fromCharCode(octet)).join(''),
    )
    .join('');
}
