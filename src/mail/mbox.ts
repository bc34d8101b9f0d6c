/**
 * Mailboxes as one file of messages: RFC 4155, in the quoting of mboxrd, which alone can be undone. `From ` lines
 * separate the messages; lines of a message that look like one have `>` before them.
 */
import { parseDate } from './date.ts';
import { bufferOver, LF } from './octets.ts';

export interface MboxMessage {
  /** With CRLF line ends and without the quoting. */
  readonly octets: Uint8Array;
  /** The envelope sender that the separator names; '' if it names none. */
  readonly from: string;
  /** When it arrived, by the separator. */
  readonly date: Date | undefined;
}

/** A line longer than this is no separator, and is not waited for. */
const MAX_LINE = 64 * 1024;
const LINE_AND_FROM = Buffer.from('\nFrom ');

/**
 * The messages of a file in mboxrd or mboxo, with LF or CRLF; what stands before the first separator is passed over.
 * One message is held in memory at a time. A separator counts after an empty line and if it has a time of day and a
 * year: programs that quote nothing are common, and so are sentences that begin with `From `.
 */
export async function* readMbox(stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<MboxMessage> {
  const reader = new MboxReader();
  for await (const chunk of stream) yield* reader.read(bufferOver(chunk), false);
  yield* reader.read(Buffer.alloc(0), true);
}

class MboxReader {
  #separator: string | undefined;
  /** What has been read of the current message. */
  #pieces: Buffer[] = [];
  /** The beginning of a line whose end has not come. */
  #tail: Buffer = Buffer.alloc(0);
  /** The last octets before what is read next, one character each: a file begins as if after an empty line. */
  #before = '\n\n';

  /** The messages that end in this chunk; with `isLast` also the one that ends with the file. */
  *read(chunk: Buffer, isLast: boolean): Generator<MboxMessage> {
    const held = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    let end = isLast ? held.length : held.lastIndexOf(LF) + 1;
    if (held.length - end > MAX_LINE) end = held.length;
    const lines = held.subarray(0, end);
    this.#tail = held.subarray(end);

    let start = 0;
    let found = this.#nextSeparator(lines, 0);
    while (found) {
      this.#pieces.push(lines.subarray(start, found.start));
      yield* this.#message();
      this.#separator = found.line;
      start = found.end;
      found = this.#nextSeparator(lines, start);
    }
    this.#pieces.push(lines.subarray(start));
    this.#before = (this.#before + lines.toString('latin1', Math.max(0, lines.length - 3))).slice(-3);
    if (isLast) yield* this.#message();
  }

  *#message(): Generator<MboxMessage> {
    const octets = Buffer.concat(this.#pieces);
    this.#pieces = [];
    if (this.#separator !== undefined) yield { ...readSeparator(this.#separator), octets: unquoted(octets) };
  }

  #nextSeparator(lines: Buffer, from: number): { start: number; end: number; line: string } | undefined {
    const begins = from === 0 && lines.toString('latin1', 0, 5) === 'From ';
    for (let start = begins ? 0 : lineWithFrom(lines, from); start !== -1; start = lineWithFrom(lines, start)) {
      const newline = lines.indexOf(LF, start);
      const end = newline === -1 ? lines.length : newline + 1;
      const line = lines.toString('latin1', start, Math.min(end, start + 1000));
      const before = this.#before + lines.toString('latin1', Math.max(0, start - 3), start);
      if (/\n\r?\n$/.test(before) && /\d:\d\d.*\d{4}|\d{4}.*\d:\d\d/.test(line)) return { start, end, line };
    }
    return undefined;
  }
}

function lineWithFrom(lines: Buffer, after: number): number {
  const newline = lines.indexOf(LINE_AND_FROM, after);
  return newline === -1 ? -1 : newline + 1;
}

/** `From sender date`. */
function readSeparator(line: string): { from: string; date: Date | undefined } {
  const rest = line.slice('From '.length).trim();
  const date = /\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*$/i.exec(rest);
  if (date) return { from: rest.slice(0, date.index).trim(), date: parseDate(date[0]) };
  const blank = rest.search(/\s/);
  return blank === -1
    ? { from: rest, date: undefined }
    : { from: rest.slice(0, blank), date: parseDate(rest.slice(blank)) };
}

function unquoted(octets: Buffer): Uint8Array {
  const text = octets
    .toString('latin1')
    .replace(/(^|\n)\r?\n$/, '$1') // the empty line belongs to the separator
    .replace(/(^|\n)>(>*From )/g, '$1$2')
    .replace(/\r?\n/g, '\r\n');
  return Buffer.from(text, 'latin1');
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A message as it stands in a file of mboxrd: its separator, its lines with LF and quoted, an empty line. */
export function mboxEntry(octets: Uint8Array, sender: string, date: Date): Uint8Array {
  const text = bufferOver(octets)
    .toString('latin1')
    .replace(/\r\n/g, '\n')
    .replace(/(^|\n)(>*From )/g, '$1>$2');
  const from = Buffer.from(sender.replace(/\s+/g, '-') || 'MAILER-DAEMON', 'utf8').toString('latin1');
  const end = text === '' || text.endsWith('\n') ? '\n' : '\n\n';
  return Buffer.from(`From ${from} ${asctime(date)}\n${text}${end}`, 'latin1');
}

/** RFC 4155 appendix A: in UTC, as C's asctime writes it. */
function asctime(date: Date): string {
  const [day, month] = [DAYS[date.getUTCDay()], MONTHS[date.getUTCMonth()]];
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${day} ${month} ${String(date.getUTCDate()).padStart(2)} ${time.join(':')} ${date.getUTCFullYear()}`;
}
