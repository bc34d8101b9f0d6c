/**
 * Paths: RFC 5321 §4.1.2, with the letters of RFC 6531 §3.3. A path is read from the front of the text that follows
 * `FROM:` or `TO:`; what comes after it is left for the parameters.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { BadSyntax } from './bad-syntax.ts';

export interface Path {
  /** `local-part@domain` as given, without brackets and source route; empty: the null reverse-path. */
  readonly address: string;
  /** What follows the path. */
  readonly rest: string;
}

/** RFC 5321 §4.5.3.1.3 asks for 256 at least; tests are fond of longer ones. */
const LONGEST_MAILBOX = 512;

const ATOM = /[\w!#$%&'*+/=?^`{|}~\x80-\u{10ffff}-]+/u.source;
const LABEL = /[\p{L}\p{M}\p{N}_](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}_])?/u.source;
const DOMAIN = `${LABEL}(?:\\.${LABEL})*`;
// RFC 5321 §4.1.2: Quoted-string, in which a blank, an `@` and nearly everything else may stand.
const QUOTED_STRING = /"(?:[ !#-[\]-~\x80-\u{10ffff}]|\\[ -~])+"/u.source;
const LITERAL = /\[[!-Z^-~]+\]/.source;

const SOURCE_ROUTE = new RegExp(`@(?:${DOMAIN}|${LITERAL})(?:,@(?:${DOMAIN}|${LITERAL}))*:`, 'uy');
const LOCAL_PART = new RegExp(`(?:${ATOM}(?:\\.${ATOM})*|${QUOTED_STRING})@`, 'uy');
const MAILBOX_DOMAIN = new RegExp(`(?:${DOMAIN}|${LITERAL})>`, 'uy');

/** @throws BadSyntax */
export function reversePath(text: string): Path {
  if (text.startsWith('<>')) return { address: '', rest: restAfter(text, 2, '5.1.7') };
  return path(text, '5.1.7');
}

/** @throws BadSyntax */
export function forwardPath(text: string): Path {
  // RFC 5321 §4.1.1.3: postmaster without a domain, in any case.
  const postmaster = /^<(postmaster)>/i.exec(text);
  if (postmaster) return { address: postmaster[1]!, rest: restAfter(text, postmaster[0].length, '5.1.3') };
  return path(text, '5.1.3');
}

function path(text: string, status: string): Path {
  if (!text.startsWith('<'))
    throw new BadSyntax(501, status, 'An address stands in angle brackets: <user@example.org>');
  const start = skip(SOURCE_ROUTE, text, 1) ?? 1; // RFC 5321 §4.1.1.3: accepted and ignored
  const at = skip(LOCAL_PART, text, start);
  if (at === undefined) throw new BadSyntax(501, status, 'The part of the address before its @ is not well formed');
  const end = skip(MAILBOX_DOMAIN, text, at);
  const domain = end === undefined ? '' : text.slice(at, end - 1);
  if (end === undefined || !isPossible(domain)) {
    throw new BadSyntax(501, status, 'The part of the address after its @ is not well formed');
  }
  if (end - 1 - start > LONGEST_MAILBOX) throw new BadSyntax(501, status, 'The address is too long');
  return { address: text.slice(start, end - 1), rest: restAfter(text, end, status) };
}

/** @returns where the match that begins at `index` ends */
function skip(pattern: RegExp, text: string, index: number): number | undefined {
  pattern.lastIndex = index;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function restAfter(text: string, end: number, status: string): string {
  const rest = text.slice(end);
  if (rest !== '' && !rest.startsWith(' ')) throw new BadSyntax(501, status, 'A blank is missing after the address');
  return rest;
}

/** RFC 5321 §4.1.3: what stands in an address literal. */
function isPossible(domain: string): boolean {
  if (!domain.startsWith('[')) return true;
  const literal = domain.slice(1, -1);
  if (/^IPv6:/i.test(literal)) return isIPv6(literal.slice(5));
  return isIPv4(literal) || /^[a-z0-9-]*[a-z0-9]:./i.test(literal);
}
