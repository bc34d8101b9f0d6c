/**
 * Finds the secrets in HTTP (RFC 9112): in header fields, in JSON and form bodies, in URLs. Framing is not read, so that
 * nothing can be hidden from the veil by framing: a body is searched as the headers are.
 */
import type { Hidden, Stretch } from './veil.ts';

/** Fields whose value is a secret, the scheme of an Authorization excepted. `WWW-Authenticate` is none. */
const FIELD =
  /^[ \t]*(?:(?:proxy-)?authorization|(?:set-)?cookie2?|x-[\w-]*(?:auth|token|secret|passw|key)[\w-]*|[\w-]*(?:token|secret|password|api-?key)[\w-]*)[ \t]*:/i;
const SCHEME = /^[ \t]*(?:basic|bearer|digest|negotiate)(?=[ \t])/i;

/** Names of members and parameters whose value is a secret. */
const NAME = /^pass|pass(?:word|wd|phrase)?$|pwd|secret|token|api[-_]?key|credential|authorization|cookie/i;

/** Where a chunk ends and the next begins (RFC 9112 §7.1): it may stand inside a word. */
const CHUNK_EDGE = /\r\n[0-9a-f]+\r\n/gi;
const EDGE = String.raw`\r\n[0-9a-f]+\r\n`;

/** The name of a JSON member, with what leads to its value (RFC 8259 §4). */
const MEMBER = new RegExp(String.raw`"((?:[^"\\\r\n]|\\.|${EDGE}){1,200})"\s*(?:${EDGE}\s*)?:\s*(?:${EDGE}\s*)?`, 'gi');
/** As far as the value goes, also where its end is missing. */
const VALUE = /"(?:[^"\\]|\\[^])*|\[[^\]]*|\{[^}]*|[^\s,}\]]*/y;
const PARAMETER = new RegExp(String.raw`(?:^|[?&;\s])((?:[\w.[\]%-]|${EDGE}){1,100})=((?:[^&\s;"<>]|${EDGE})+)`, 'gi');
/** `//user:password@host`: RFC 3986 §3.2.1 */
const USER_INFO = /\/\/[^\s/:@"<>]*:([^\s/@"<>]+)@/g;

/** @returns where the secret begins in a line that is such a header field */
export function headerSecret(line: string): number | undefined {
  // No name is longer, and a name of any length would be looked at again for each of its parts.
  const field = FIELD.exec(line.slice(0, 200));
  if (field === null) return undefined;
  const [name] = field;
  return name.length + (SCHEME.exec(line.slice(name.length))?.[0].length ?? 0);
}

/** @param afterGap what comes first may be the rest of a secret that began in the gap: its line is hidden */
export function httpSecrets({ start, octets }: Stretch, afterGap = start > 0): Hidden[] {
  const text = octets.toString('latin1');
  return [...fields(text, afterGap), ...members(text), ...parameters(text)].map((found) => ({
    start: start + found.start,
    end: start + found.end,
  }));
}

function* fields(text: string, afterGap: boolean): Generator<Hidden> {
  let folded = afterGap;
  for (const match of text.matchAll(/[^\n]+/g)) {
    const line = match[0].replace(/\r$/, '');
    // A folded line goes on with the field before it: RFC 9112 §5.2.
    const from: number | undefined =
      folded && (/^[ \t]/.test(line) || (afterGap && match.index === 0)) ? 0 : headerSecret(line);
    folded = from !== undefined;
    if (from !== undefined) yield { start: match.index + from, end: match.index + line.length };
  }
}

function* members(text: string): Generator<Hidden> {
  for (const match of text.matchAll(MEMBER)) {
    if (!NAME.test(unescaped(match[1]!.replaceAll(CHUNK_EDGE, '')))) continue;
    const start = match.index + match[0].length;
    VALUE.lastIndex = start;
    const [value] = VALUE.exec(text)!;
    // The quotation mark may be shown, and tells that there is a string.
    yield { start: start + (value.startsWith('"') ? 1 : 0), end: start + value.length };
  }
}

function unescaped(name: string): string {
  return name.replaceAll(/\\u([0-9a-f]{4})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function* parameters(text: string): Generator<Hidden> {
  for (const match of text.matchAll(PARAMETER)) {
    const name = match[1]!
      .replaceAll(CHUNK_EDGE, '')
      .replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
    const end = match.index + match[0].length;
    if (NAME.test(name)) yield { start: end - match[2]!.length, end };
  }
  for (const match of text.matchAll(USER_INFO)) {
    const end = match.index + match[0].length - 1;
    yield { start: end - match[1]!.length, end };
  }
}
