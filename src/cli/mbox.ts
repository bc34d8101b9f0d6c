/**
 * mbox files: RFC 4155, in the variant "mboxrd", whose quoting of `From ` can be undone. Between programs the format is
 * a custom more than a standard, so reading is lenient. Flags travel in Status and X-Status (mutt, Dovecot, alpine),
 * X-Keywords and X-Mozilla-Status (Thunderbird).
 *
 *     From sender@x.test Thu Jan  1 00:00:00 1970
 *     Status: RO
 *     Subject: …
 *
 *     >From here on, a line that begins so is quoted
 */
import { parseDate } from '../mail/date.ts';
import { LF } from '../mail/octets.ts';
import { UsageError } from './command.ts';

export interface MboxMessage {
  /** With CRLF, without the fields that are the file's own. */
  readonly octets: Buffer;
  readonly flags: readonly string[];
  /** Of the From_ line. */
  readonly date: Date | undefined;
}

const SEPARATOR = Buffer.from('\nFrom ');
/** What is longer without another From_ line is no mbox. */
const LONGEST_MESSAGE = 512 * 1024 * 1024;

/** Whether a file begins as an mbox does. */
export function looksLikeMbox(start: Uint8Array): boolean {
  return isFromLine(Buffer.from(start).toString('latin1').split('\n', 1)[0]!);
}

/**
 * One message after another, so that a large file needs the memory of its largest message.
 * @throws UsageError for a file that is no mbox
 */
export async function* readMbox(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<MboxMessage> {
  let held = Buffer.alloc(0);
  let searched = 0;
  let first = true;
  for await (const chunk of chunks) {
    held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
    if (first && held.length >= 5) {
      if (!held.subarray(0, 5).equals(Buffer.from('From '))) throw new UsageError(`${name} is no mbox file`, 1);
      first = false;
    }
    for (;;) {
      const at = held.indexOf(SEPARATOR, searched);
      const lineEnd = at === -1 ? -1 : held.indexOf(LF, at + 1);
      if (lineEnd === -1) {
        searched = at === -1 ? Math.max(0, held.length - SEPARATOR.length) : at;
        break;
      }
      if (!isFromLine(held.toString('latin1', at + 1, lineEnd))) {
        searched = at + 1;
        continue;
      }
      const message = readMessage(held.subarray(0, at + 1));
      if (message !== undefined) yield message;
      held = held.subarray(at + 1);
      searched = 0;
    }
    if (held.length > LONGEST_MESSAGE)
      throw new UsageError(`${name}: a message of more than 512 MiB, or no mbox file`, 1);
  }
  if (held.length === 0) return;
  if (first) throw new UsageError(`${name} is no mbox file`, 1);
  const last = readMessage(held);
  if (last !== undefined) yield last;
}

/**
 * `From sender date`, where the date is asctime's; Thunderbird writes `From - date`, or `From ` alone. A sentence that
 * begins with this word is none.
 */
function isFromLine(line: string): boolean {
  return /^From (?:\S+ +)?(?:\w{3},? +)?\w{3} +\d{1,2} +\d{1,2}:\d\d.*\d{4}|^From *-? *\r?$/.test(line);
}

/** From its From_ line to before the next. @returns undefined for one that Thunderbird has deleted */
function readMessage(octets: Buffer): MboxMessage | undefined {
  const text = octets.toString('latin1');
  const fromEnd = text.indexOf('\n') + 1;
  const fromLine = fromEnd === 0 ? text : text.slice(0, fromEnd);
  // The blank line before the next From_ line belongs to the file (RFC 4155, appendix A).
  const body = text
    .slice(fromLine.length)
    .replace(/(^|\n)\r?\n$/, '$1')
    .replaceAll(/^>(>*From )/gm, '$1')
    .replaceAll(/\r?\n/g, '\r\n');
  const headerEnd = /(?:^|\r\n)\r\n/.exec(body);
  const header = headerEnd === null ? body : body.slice(0, headerEnd.index + (headerEnd.index === 0 ? 0 : 2));
  const { kept, status } = takeStatus(header);
  if (status.mozilla & MOZILLA_EXPUNGED) return undefined;
  return {
    octets: Buffer.from(kept + body.slice(header.length), 'latin1'),
    flags: flagsOf(status),
    date: parseDate(fromLine.replace(/^From (?:- +|\S+@\S* +|(?!\w{3} )\S+ +)?/, '').trim()),
  };
}

interface Status {
  readonly letters: string;
  readonly keywords: readonly string[];
  readonly mozilla: number;
}

/** Fields that this file format adds; Thunderbird's stay, for it may look for them again. */
const OWN_FIELD = /^(?:Status|X-Status|X-Keywords):[^\r]*\r\n(?:[ \t][^\r]*\r\n)*/gim;

function takeStatus(header: string): { readonly kept: string; readonly status: Status } {
  const value = (name: string): string =>
    new RegExp(`^${name}:((?:[^\\r]|\\r\\n[ \\t])*)`, 'im').exec(header)?.[1]?.trim() ?? '';
  const status = {
    letters: value('Status') + value('X-Status'),
    keywords: value('X-Keywords')
      .split(/[\s,]+/)
      .filter((keyword) => /^[^\x00-\x20\x7F-\xFF(){%*"\\\]]+$/.test(keyword)),
    mozilla: Number.parseInt(value('X-Mozilla-Status') || '0', 16) || 0,
  };
  return { kept: header.replaceAll(OWN_FIELD, ''), status };
}

// nsMsgMessageFlags of Thunderbird.
const MOZILLA_READ = 0x0001;
const MOZILLA_REPLIED = 0x0002;
const MOZILLA_MARKED = 0x0004;
const MOZILLA_EXPUNGED = 0x0008;
const MOZILLA_FORWARDED = 0x1000;

function flagsOf({ letters, keywords, mozilla }: Status): string[] {
  const flags: string[] = [];
  if (letters.includes('R') || mozilla & MOZILLA_READ) flags.push('\\Seen');
  if (letters.includes('A') || mozilla & MOZILLA_REPLIED) flags.push('\\Answered');
  if (letters.includes('F') || mozilla & MOZILLA_MARKED) flags.push('\\Flagged');
  if (letters.includes('T')) flags.push('\\Draft');
  if (letters.includes('D')) flags.push('\\Deleted');
  if (mozilla & MOZILLA_FORWARDED) flags.push('$Forwarded');
  return [...flags, ...keywords];
}

/**
 * A message as a part of an mbox file: From_ line, status fields, LF, a blank line after it.
 * @param sender of the From_ line; empty: MAILER-DAEMON (RFC 4155, appendix A)
 */
export function writeMboxMessage(
  octets: Uint8Array,
  { sender, date, flags }: { readonly sender: string; readonly date: Date; readonly flags: readonly string[] },
): Buffer {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
    .toString('latin1')
    .replaceAll('\r\n', '\n');
  const blank = text.startsWith('\n') ? 0 : text.indexOf('\n\n') + 1;
  const headerEnd = blank === 0 && !text.startsWith('\n') ? text.length : blank;
  const header = text.slice(0, headerEnd).replaceAll(/^(?:Status|X-Status|X-Keywords):.*\n(?:[ \t].*\n)*/gim, '');
  const withStatus = header + statusFields(flags) + text.slice(headerEnd);
  const whole = withStatus.endsWith('\n') ? withStatus : `${withStatus}\n`;
  const from = `From ${/^[\x21-\x7E]+$/.test(sender) ? sender : 'MAILER-DAEMON'} ${asctime(date)}\n`;
  return Buffer.from(`${from}${whole.replaceAll(/^(>*From )/gm, '>$1')}\n`, 'latin1');
}

function statusFields(flags: readonly string[]): string {
  const has = (flag: string): boolean => flags.some((one) => one.toLowerCase() === flag);
  const letters = [
    has('\\answered') ? 'A' : '',
    has('\\flagged') ? 'F' : '',
    has('\\draft') ? 'T' : '',
    has('\\deleted') ? 'D' : '',
  ].join('');
  const keywords = flags.filter((flag) => !flag.startsWith('\\'));
  return [
    `Status: ${has('\\seen') ? 'RO' : 'O'}\n`,
    letters === '' ? '' : `X-Status: ${letters}\n`,
    keywords.length === 0 ? '' : `X-Keywords: ${keywords.join(' ')}\n`,
  ].join('');
}

/** In UTC (RFC 4155, appendix A): `Thu Jan  1 00:00:00 1970`. */
function asctime(date: Date): string {
  const [, weekday, day, month, year, time] = /^(\w+), (\d+) (\w+) (\d+) (\S+)/.exec(date.toUTCString())!;
  return `${weekday!} ${month!} ${String(Number(day)).padStart(2)} ${time!} ${year!}`;
}
