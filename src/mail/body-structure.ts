/**
 * BODYSTRUCTURE, and BODY without its extension data: RFC 9051 §7.5.2, RFC 3501 §7.4.2, `body` of §9.
 *
 * Types, encodings and parameters are as the message writes them; what is absent gets its default (RFC 2045 §5.2 and
 * §6.1; text without a charset is said to be us-ascii, RFC 2046 §4.1.2). Continued parameters are joined (RFC 2231 §3).
 * Those with a charset keep it and their percent signs under the name `name*`: the SHOULD of RFC 9051 §7.5.2 to decode
 * them is left, because clients expect that form behind that name, and because IMAP4rev1 has no UTF-8 to decode them to.
 */
import { binaryEnvelope } from './envelope.ts';
import { parseHeader } from './headers.ts';
import { binaryOf, imapNstring, imapString } from './imap-string.ts';
import { type Disposition, isMultipart, type MimePart } from './mime-tree.ts';
import { joinContinuations, type Parameter } from './parameters.ts';

/**
 * The finished text. `octets` are those that the tree was parsed from; only headers of nested messages are read.
 *
 * @param extensible true for BODYSTRUCTURE, false for BODY
 */
export function bodyStructureText(octets: Uint8Array, tree: MimePart, extensible: boolean): Uint8Array {
  return Buffer.from(body(octets, tree, extensible), 'latin1');
}

function body(octets: Uint8Array, part: MimePart, extensible: boolean): string {
  return isMultipart(part) ? multipart(octets, part, extensible) : singlePart(octets, part, extensible);
}

// The grammar wants one body at least (RFC 9051 §9, body-type-mpart): an empty text for a multipart that has none.
const EMPTY = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0)';
const EMPTY_EXTENSIBLE = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)';

function multipart(octets: Uint8Array, part: MimePart, extensible: boolean): string {
  let text = '(';
  for (const child of part.children) text += body(octets, child, extensible);
  if (part.children.length === 0) text += extensible ? EMPTY_EXTENSIBLE : EMPTY;
  text += ` ${string(part.subtype)}`;
  if (extensible) text += ` ${parameterList(part.parameters)} ${dispositionToLocation(part)}`;
  return `${text})`;
}

function singlePart(octets: Uint8Array, part: MimePart, extensible: boolean): string {
  const isText = part.type.toLowerCase() === 'text';
  const parameters =
    isText && !part.parameters.some(([name]) => /^charset(\*|$)/i.test(name))
      ? [...part.parameters, ['charset', 'us-ascii'] as const]
      : part.parameters;
  let text = `(${string(part.type)} ${string(part.subtype)} ${parameterList(parameters)}`;
  text += ` ${nstring(part.id)} ${nstring(part.description)} ${string(part.encoding ?? '7bit')} ${part.end - part.bodyStart}`;
  if (part.message) {
    const header = parseHeader(octets, part.message.start, part.message.bodyStart);
    text += ` ${binaryEnvelope(octets, header)} ${body(octets, part.message, extensible)} ${part.lines}`;
  } else if (isText) text += ` ${part.lines}`;
  if (extensible) text += ` ${nstring(part.md5)} ${dispositionToLocation(part)}`;
  return `${text})`;
}

function dispositionToLocation({ disposition, language, location }: MimePart): string {
  const languages = language.length === 0 ? 'NIL' : `(${language.map(string).join(' ')})`;
  return `${dispositionText(disposition)} ${languages} ${nstring(location)}`;
}

function dispositionText(disposition: Disposition | undefined): string {
  return disposition ? `(${string(disposition.type)} ${parameterList(disposition.parameters)})` : 'NIL';
}

function parameterList(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return 'NIL';
  return `(${joinContinuations(parameters)
    .flatMap(([name, value]) => [string(name), string(value)])
    .join(' ')})`;
}

function string(text: string): string {
  return imapString(binaryOf(text));
}

function nstring(text: string | undefined): string {
  return imapNstring(text === undefined ? undefined : binaryOf(text));
}
