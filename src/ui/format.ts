/** Sizes, counts and times in the reader's own conventions. */

const number = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 2 });

export function formatCount(count: number): string {
  return number.format(count);
}

/** `1 message`, `2 messages`. */
export function counted(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Short, in decimal units: `2.1 kB`. */
export function formatOctets(octets: number): string {
  let value = octets;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? formatCount(Math.round(value)) : short.format(value)} ${UNITS[unit]!}`;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const absolute = new Intl.DateTimeFormat(undefined, {
  ...{ weekday: 'short', year: 'numeric', month: 'short', day: 'numeric' },
  ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'longOffset' },
});
const exactClock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const minutesAgo = new Intl.RelativeTimeFormat(undefined, { numeric: 'always', style: 'narrow' });
const now = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'narrow' });

/** As short as a list wants it; what lies in the future, by a wrong clock, is written out. */
export function formatRelative(at: number, nowAt: number): string {
  const age = nowAt - at;
  if (age < -MINUTE) return day.format(at);
  if (age < MINUTE) return now.format(0, 'second');
  if (age < HOUR) return minutesAgo.format(-Math.floor(age / MINUTE), 'minute');
  const date = new Date(at);
  const today = new Date(nowAt);
  if (date.toDateString() === today.toDateString()) return clock.format(at);
  if (age < 6 * DAY) return weekday.format(at);
  return date.getFullYear() === today.getFullYear() ? dayOfYear.format(at) : day.format(at);
}

/** With seconds and the offset from UTC. */
export function formatAbsolute(at: number): string {
  return absolute.format(at);
}

export function formatClock(at: number): string {
  return exactClock.format(at);
}

/** How long something took: `3.6 ms`, `1.204 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 999.95) return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
  if (ms < MINUTE) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${Math.round((ms % MINUTE) / 1000)} s`;
  return `${Math.floor(ms / HOUR)} h ${Math.round((ms % HOUR) / MINUTE)} min`;
}

/** An address and port as it is written: brackets around IPv6 (RFC 3986 §3.2.2). */
export function formatEndpoint({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `TLSv1.3` as people write it: `TLS 1.3`. */
export function formatTlsVersion(version: string): string {
  return version.replace(/^TLSv/, 'TLS ');
}
