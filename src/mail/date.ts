/**
 * Dates of messages: RFC 5322 §3.3, the obsolete zones and years of §4.3, and what programs write instead (the order
 * of C's asctime, ISO 8601). Comments are passed over.
 */
import { withoutComments } from './parameters.ts';

export interface Day {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

/** The moment that a date-time names, or undefined if it names none; without a zone it is UTC. */
export function parseDate(text: string): Date | undefined {
  const read = readDay(text);
  if (!read) return undefined;
  const time = TIME.exec(read.rest);
  if (!time) return undefined;
  const [hour, minute, second] = [Number(time[1]), Number(time[2]), Number(time[3] ?? 0)];
  const zone = zoneMinutes(read.zone ?? time[4] ?? '');
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const { year, month, day } = read.day;
  const date = new Date(0);
  // Not Date.UTC, which takes the years up to 99 for those of the 20th century. A leap second runs into the next minute.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute - zone, second);
  return date;
}

/** The date without its time and zone, as SENTBEFORE, SENTON and SENTSINCE compare it (RFC 9051 §6.4.4). */
export function parseSentDay(text: string): Day | undefined {
  return readDay(text)?.day;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** A date is short; what is longer is none. */
const MAX_LENGTH = 1000;

const DATE =
  /^\s*(?:[a-z]{2,12}\.?\s*,?\s*)?(\d{1,2})(?:st|nd|rd|th)?[\s/.-]+([a-z]{3,9})\.?,?[\s/.-]+(\d{2,4})(?!\d),?/i;
const ASCTIME =
  /^\s*(?:[a-z]{2,9}\.?\s*,?\s+)?([a-z]{3,9})\.?\s+(\d{1,2}),?\s+(\d\d?:[\d:]+)\s+(?:([a-z]{1,5}|[+-]\d{4})\s+)?(\d{4})(?!\d)/i;
const ISO = /^\s*(\d{4})-(\d\d)-(\d\d)(?=[T\s]|$)T?/i;
const TIME = /^\s*(\d{1,2})\s*[:.]\s*(\d{1,2})(?:\s*[:.]\s*(\d{1,2}))?(?:[.,]\d+)?\s*([+-]\s?\d\d:?\d\d|[a-z]{1,5})?/i;

/** The day, and the text after it that begins with the time. */
function readDay(text: string): { day: Day; rest: string; zone?: string } | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const plain = withoutComments(text);
  const date = DATE.exec(plain);
  if (date) return dayOf(fullYear(date[3]!), monthNumber(date[2]!), Number(date[1]), plain.slice(date[0].length));
  const asctime = ASCTIME.exec(plain);
  if (asctime) {
    const rest = asctime[4] === undefined ? `${asctime[3]!}${plain.slice(asctime[0].length)}` : asctime[3]!;
    return dayOf(Number(asctime[5]), monthNumber(asctime[1]!), Number(asctime[2]), rest, asctime[4]);
  }
  const iso = ISO.exec(plain);
  return iso ? dayOf(Number(iso[1]), Number(iso[2]), Number(iso[3]), plain.slice(iso[0].length)) : undefined;
}

function dayOf(year: number, month: number, day: number, rest: string, zone?: string) {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  if (day < 1 || day > days) return undefined;
  return { day: { year, month, day }, rest, ...(zone !== undefined && { zone }) };
}

/** 0 if it is none. */
function monthNumber(name: string): number {
  return MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1;
}

/** RFC 5322 §4.3: 00 to 49 are 2000 to 2049; other years of two digits, and all of three, count from 1900. */
function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 2) return year < 50 ? 2000 + year : 1900 + year;
  return digits.length === 3 ? 1900 + year : year;
}

const ZONES: Readonly<Record<string, number>> = {
  EDT: -4,
  EST: -5,
  CDT: -5,
  CST: -6,
  MDT: -6,
  MST: -7,
  PDT: -7,
  PST: -8,
};

/** Minutes east of UTC. Unknown names count as `-0000`, and so do the military letters (RFC 5322 §4.3). */
function zoneMinutes(zone: string): number {
  const offset = /^([+-])\s?(\d\d):?(\d\d)$/.exec(zone);
  if (!offset) return (Object.hasOwn(ZONES, zone.toUpperCase()) ? ZONES[zone.toUpperCase()]! : 0) * 60;
  const minutes = Number(offset[2]) * 60 + Number(offset[3]);
  return offset[1] === '-' ? -minutes : minutes;
}
