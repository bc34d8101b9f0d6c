/**
 * What an SMTP client sends: lines of commands; a message up to the line with a single dot (RFC 5321 §4.5.2); a chunk of
 * one, in counted octets (RFC 3030 §2).
 * It takes the place of the library's parser, which loses a dot after a bare LF and looks at each octet in JavaScript.
 */
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';

/** Takes the octets of one message, or of one chunk. Neither method rejects. */
export interface DataSink {
  /** @returns what is to be awaited before more may come */
  write(octets: Buffer): Promise<void> | undefined;
  /** Called after the last octet. Resolves once the client has its reply, and commands may follow. */
  end(): Promise<void>;
}

export interface InputListener {
  /** A command without the end of its line. `done` is to be called once; the next command waits for it. */
  line(line: Buffer, done: () => void): void;
  /** A line was longer than `LONGEST_LINE` and is gone. */
  overlong(done: () => void): void;
  /** The client will send no more; an unfinished line or message is lost. */
  ended(): void;
}

/** RFC 4954 §4: 12,288 octets for the lines of AUTH. Others have less, see dialogue.ts. */
export const LONGEST_LINE = 12_288;
/** How many pipelined commands and chunks are answered before other connections get a turn. */
const COMMANDS_IN_A_ROW = 100;

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const NOTHING = Buffer.alloc(0);
const LINE_WITH_DOT = Buffer.from('\r\n.');

export class SmtpInput extends SMTPStream {
  readonly #listener: InputListener;
  #chunk: Buffer = NOTHING;
  /** How much of the chunk is dealt with. */
  #at = 0;
  /** The start of a line, or what may be the start of the end of the data. */
  #held: Buffer = NOTHING;
  #discarding = false;
  #sink: DataSink | undefined;
  /** Of a chunk: how many octets are still to come. */
  #left: number | undefined;
  #isFirstLine = false;
  #inARow = 0;
  #next: (error?: Error | null) => void = () => undefined;

  constructor(listener: InputListener) {
    super({ highWaterMark: 128 * 1024 });
    this.#listener = listener;
  }

  /** From here on octets go to the sink, until the line with a single dot. */
  receive(sink: DataSink): void {
    this.#sink = sink;
    this.#isFirstLine = true;
  }

  /** From here on `octets` octets go to the sink, as they are. */
  receiveOctets(octets: number, sink: DataSink): void {
    this.#sink = sink;
    this.#left = octets;
  }

  /** Nothing is acted on any more. @returns how many octets are thrown away */
  retire(): number {
    this.isClosed = true;
    return this.#chunk.length - this.#at + this.#held.length;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding | 'buffer', next: (error?: Error | null) => void): void {
    this.#chunk = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = NOTHING;
    this.#at = 0;
    this.#next = next;
    this.#run();
  }

  /** The stream has ended: as the library calls it. */
  override _flushData(): void {
    this.#listener.ended();
  }

  readonly #run = (): void => {
    // A chunk of no octets ends without waiting for any.
    while (!this.isClosed && (this.#at < this.#chunk.length || this.#left === 0)) {
      if (this.#sink !== undefined) {
        if (!(this.#left === undefined ? this.#takeData(this.#sink) : this.#takeOctets(this.#sink, this.#left))) return;
      } else if (!this.#takeLine()) return;
    }
    this.#goOn();
  };

  readonly #goOn = (): void => {
    this.#chunk = NOTHING;
    this.#at = 0;
    this.#next();
  };

  /** @returns false when `#run` is to be called later */
  #takeLine(): boolean {
    const chunk = this.#chunk;
    const start = this.#at;
    // RFC 5321 §2.3.8 has CRLF alone. People who type into nc send LF; between commands that can do no harm.
    const lf = chunk.indexOf(LF, start);
    if (lf === -1) {
      this.#discarding ||= chunk.length - start > LONGEST_LINE + 1;
      if (!this.#discarding) this.#held = Buffer.from(chunk.subarray(start));
      this.#at = chunk.length;
      return true;
    }
    this.#at = lf + 1;
    const end = lf > start && chunk[lf - 1] === CR ? lf - 1 : lf;
    const turn = { isInside: true, isAnswered: false };
    const done = (): void => {
      if (turn.isInside) turn.isAnswered = true;
      else this.#runOn(); // most of what is awaited takes no turn of the loop
    };
    if (this.#discarding || end - start > LONGEST_LINE) {
      this.#discarding = false;
      this.#listener.overlong(done);
    } else this.#listener.line(chunk.subarray(start, end), done);
    turn.isInside = false;
    if (!turn.isAnswered) return false;
    if (!this.#turnIsOver()) return true;
    setImmediate(this.#run);
    return false;
  }

  #runOn(): void {
    if (this.#turnIsOver()) setImmediate(this.#run);
    else this.#run();
  }

  #turnIsOver(): boolean {
    if (++this.#inARow < COMMANDS_IN_A_ROW) return false;
    this.#inARow = 0;
    return true;
  }

  /** @returns false when `#run` is to be called later */
  #takeData(sink: DataSink): boolean {
    const isEnd = this.#findEnd();
    const content = this.#content;
    this.#content = NOTHING;
    return this.#give(sink, content, isEnd);
  }

  /** @returns false when `#run` is to be called later */
  #takeOctets(sink: DataSink, left: number): boolean {
    const content = this.#chunk.subarray(this.#at, this.#at + left);
    this.#at += content.length;
    this.#left = left - content.length;
    return this.#give(sink, content, this.#left === 0);
  }

  #give(sink: DataSink, content: Buffer, isEnd: boolean): boolean {
    const pending = content.length === 0 ? undefined : sink.write(content);
    if (isEnd) {
      void this.#endData(sink, pending);
      return false;
    }
    if (pending === undefined) return true;
    void pending.then(this.#run);
    return false;
  }

  async #endData(sink: DataSink, pending: Promise<void> | undefined): Promise<void> {
    if (pending !== undefined) await pending;
    await sink.end();
    this.#sink = undefined;
    this.#left = undefined;
    this.#runOn();
  }

  /** What `#findEnd` found to be content, without the dots that were added for the transport. */
  #content: Buffer = NOTHING;

  /**
   * Reads on, up to the end of the data (true) or of the chunk (false). Only CRLF.CRLF ends a message: a dot beside a
   * bare CR or LF is content (RFC 5321 §4.1.1.4), or a message could be smuggled into another.
   */
  #findEnd(): boolean {
    const chunk = this.#chunk;
    let copy: Buffer | undefined;
    let copied = 0;
    let from = this.#at;
    const take = (to: number, isLast: boolean): void => {
      if (copy === undefined && isLast) this.#content = chunk.subarray(from, to);
      else {
        // The chunk itself is not written to: whoever records the conversation holds it too.
        copy ??= Buffer.allocUnsafe(chunk.length - from);
        copied += chunk.copy(copy, copied, from, to);
        if (isLast) this.#content = copy.subarray(0, copied);
      }
    };
    for (;;) {
      // A message begins as if after CRLF: a first line with a single dot ends an empty one.
      let dot = from;
      if (!this.#isFirstLine) {
        const found = chunk.indexOf(LINE_WITH_DOT, from);
        if (found === -1) break;
        dot = found + 2;
      }
      if (chunk[dot] === DOT) {
        const rest = chunk.length - dot;
        if (rest >= 3 && chunk[dot + 1] === CR && chunk[dot + 2] === LF) {
          take(dot, true);
          this.#at = dot + 3;
          return true;
        }
        if (rest === 1 || (rest === 2 && chunk[dot + 1] === CR)) {
          return this.#hold(take, this.#isFirstLine ? dot : dot - 2);
        }
        take(dot, false);
        from = dot + 1;
      }
      this.#isFirstLine = false;
    }
    const last = chunk[chunk.length - 1];
    const before = chunk.length - from >= 2 ? chunk[chunk.length - 2] : undefined;
    const heldOctets = last === CR ? 1 : last === LF && before === CR ? 2 : 0;
    return this.#hold(take, Math.max(from, chunk.length - heldOctets));
  }

  #hold(take: (to: number, isLast: boolean) => void, from: number): false {
    take(from, true);
    this.#held = Buffer.from(this.#chunk.subarray(from));
    this.#at = this.#chunk.length;
    return false;
  }
}
