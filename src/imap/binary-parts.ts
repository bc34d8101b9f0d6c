/**
 * APPEND takes NUL in a literal8 (RFC 3516 §4.4), but no string of IMAP can hold it, and what BODY fetches has to be what
 * BODYSTRUCTURE describes (§6). So parts that hold NUL are kept in base64, which loses nothing; all others stay as they are.
 */
import { fieldsNamed, parseHeader } from '../mail/headers.ts';
import { type MimePart, parseMimeTree, partsOf } from '../mail/mime-tree.ts';
import { bufferOver } from '../mail/octets.ts';

/** RFC 2045 §6.2: encodings that say that nothing is encoded. */
const PLAIN: readonly (string | undefined)[] = [undefined, '7bit', '8bit', 'binary'];

/** RFC 3516 §4.4: a message that cannot be kept for the octets in it. */
export class BinaryRefused extends Error {
  override readonly name = 'BinaryRefused';
  readonly code = 'UNKNOWN-CTE';
}

/** What stands between two offsets becomes something else. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly octets: Uint8Array;
}

/** @returns undefined: NUL is where it cannot be encoded: in a header, between parts, or in what is encoded already */
export function encodeBinaryParts(message: Uint8Array): Buffer | undefined {
  const octets = bufferOver(message);
  const edits: Edit[] = [];
  for (const { part } of partsOf(parseMimeTree(octets))) {
    const encoding = part.encoding?.toLowerCase();
    const isLeaf = part.children.length === 0 && part.message === undefined;
    const body = octets.subarray(part.bodyStart, part.end);
    if (isLeaf && body.includes(0)) {
      if (!PLAIN.includes(encoding)) return undefined;
      edits.push(encodingOf(octets, part, 'base64'));
      edits.push({ start: part.bodyStart, end: part.end, octets: base64Lines(body, part.end === octets.length) });
    } else if (!isLeaf && encoding === 'binary') edits.push(encodingOf(octets, part, '8bit'));
  }
  const encoded = edited(octets, edits);
  return encoded.includes(0) ? undefined : encoded;
}

/** Puts one Content-Transfer-Encoding in the place of those that are there, or behind the other fields. */
function encodingOf(octets: Buffer, part: MimePart, encoding: string): Edit {
  const header = parseHeader(octets, part.start, part.bodyStart);
  const field = Buffer.from(`Content-Transfer-Encoding: ${encoding}\r\n`);
  const [present] = fieldsNamed(header, 'Content-Transfer-Encoding');
  if (present) return { start: present.start, end: present.end, octets: field };
  const end = header.fields.at(-1)?.end ?? part.start;
  return { start: end, end, octets: field };
}

/** RFC 2045 §6.8: lines of 76 characters. */
function base64Lines(octets: Buffer, isLast: boolean): Buffer {
  const lines = octets.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n');
  return Buffer.from(isLast ? `${lines}\r\n` : lines);
}

function edited(octets: Buffer, edits: readonly Edit[]): Buffer {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    pieces.push(octets.subarray(at, edit.start), edit.octets);
    at = edit.end;
  }
  return Buffer.concat([...pieces, octets.subarray(at)]);
}
