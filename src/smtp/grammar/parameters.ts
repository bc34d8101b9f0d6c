/**
 * The parameters after a path: RFC 5321 §4.1.1.11. Of MAIL: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531),
 * RET and ENVID (RFC 3461), AUTH (RFC 4954), REQUIRETLS (RFC 8689). Of RCPT: NOTIFY and ORCPT (RFC 3461).
 */
import { BadSyntax } from './bad-syntax.ts';

export interface MailParameters {
  readonly size: number | undefined;
  readonly smtpUtf8: boolean;
  readonly requireTls: boolean;
  /** RET, in capitals. */
  readonly returnType: 'FULL' | 'HDRS' | undefined;
  /** ENVID, as given. */
  readonly envelopeId: string | undefined;
}

export interface RcptParameters {
  /** NOTIFY, in capitals. */
  readonly notify: string | undefined;
  /** ORCPT, as given. */
  readonly originalRecipient: string | undefined;
}

/** Keyword in capitals → value; undefined: it came without one. */
type Parameters = ReadonlyMap<string, string | undefined>;

const NONE: Parameters = new Map();
const NO_MAIL_PARAMETERS: MailParameters = {
  size: undefined,
  smtpUtf8: false,
  requireTls: false,
  returnType: undefined,
  envelopeId: undefined,
};
const NO_RCPT_PARAMETERS: RcptParameters = { notify: undefined, originalRecipient: undefined };

// RFC 3461 §4; `=` is not xtext, but variable envelope return paths are given with it.
const XTEXT = /^(?:[!-*,-~\x80-\u{10ffff}]|\+[0-9A-F]{2})+$/u;
const PARAMETER = /^([a-z0-9][a-z0-9-]*)(?:=([!-~\x80-\u{10ffff}]+))?$/iu;
const ORCPT = /^[a-z0-9][a-z0-9-]*;(.+)$/iu;
const NOTIFY = /^(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*)$/;

/** @throws BadSyntax 555 for a parameter that is not known, 501 for one with a wrong value */
export function mailParameters(text: string): MailParameters {
  const given = parameters(text);
  if (given === NONE) return NO_MAIL_PARAMETERS;
  allow(given, ['SIZE', 'BODY', 'SMTPUTF8', 'RET', 'ENVID', 'AUTH', 'REQUIRETLS']);
  const size = value(given, 'SIZE', /^\d{1,20}$/);
  value(given, 'BODY', /^(?:7BIT|8BITMIME)$/i);
  // RFC 4954 §5: whoever submits is not trusted to say for whom; the value is checked and let go.
  value(given, 'AUTH', XTEXT);
  for (const bare of ['SMTPUTF8', 'REQUIRETLS']) if (given.get(bare) !== undefined) throw wrong(bare);
  return {
    size: size === undefined ? undefined : Number(size),
    smtpUtf8: given.has('SMTPUTF8'),
    requireTls: given.has('REQUIRETLS'),
    returnType: value(given, 'RET', /^(?:FULL|HDRS)$/i)?.toUpperCase() as 'FULL' | 'HDRS' | undefined,
    envelopeId: value(given, 'ENVID', XTEXT, 100), // RFC 3461 §4.4
  };
}

/** @throws BadSyntax as `mailParameters` does */
export function rcptParameters(text: string): RcptParameters {
  const given = parameters(text);
  if (given === NONE) return NO_RCPT_PARAMETERS;
  allow(given, ['NOTIFY', 'ORCPT']);
  const originalRecipient = value(given, 'ORCPT', ORCPT, 500); // RFC 3461 §4.2
  if (originalRecipient !== undefined && !XTEXT.test(ORCPT.exec(originalRecipient)![1]!)) throw wrong('ORCPT');
  const notify = given.get('NOTIFY')?.toUpperCase();
  if (given.has('NOTIFY') && !NOTIFY.test(notify ?? '')) throw wrong('NOTIFY');
  return { notify, originalRecipient };
}

function parameters(text: string): Parameters {
  if (text.trim() === '') return NONE;
  const given = new Map<string, string | undefined>();
  for (const word of text.trim().split(/ +/)) {
    const match = PARAMETER.exec(word);
    if (!match) throw new BadSyntax(501, '5.5.4', `What follows the address is not KEYWORD=value: ${word}`);
    const keyword = match[1]!.toUpperCase();
    if (given.has(keyword)) throw new BadSyntax(501, '5.5.4', `${keyword} is given twice`);
    given.set(keyword, match[2]);
  }
  return given;
}

/** RFC 5321 §4.1.1.11: 555 for what was not announced. */
function allow(given: Parameters, known: readonly string[]): void {
  for (const keyword of given.keys()) {
    if (!known.includes(keyword)) throw new BadSyntax(555, '5.5.4', `The parameter ${keyword} is not known here`);
  }
}

function value(given: Parameters, keyword: string, pattern: RegExp, longest = Infinity): string | undefined {
  if (!given.has(keyword)) return undefined;
  const text = given.get(keyword);
  if (text === undefined || text.length > longest || !pattern.test(text)) throw wrong(keyword);
  return text;
}

function wrong(keyword: string): BadSyntax {
  return new BadSyntax(501, '5.5.4', `The value of ${keyword} is not well formed`);
}
