/** Prints responses: RFC 1939 §3; their texts are ASCII, or UTF-8 where the client has asked for it (RFC 6856 §2.1, §3.2). */
import { encodeBase64 } from '../../sasl/base64.ts';
import { LineEncoder } from './line-encoder.ts';
import type { Response } from './responses.ts';

/** Short lines leave together. */
const CHUNK = 16_384;
/** RFC 2449 §4: a status line has 512 octets at most, with CRLF. */
const LONGEST_TEXT = 500;

export function statusLine({ status, code, text }: Response, utf8 = false): string {
  const said = utf8 ? text : text.replaceAll(/[^\x00-\x7F]/gu, '?');
  const line = `${status} ${code === undefined ? '' : `[${code}] `}${said.replaceAll(/[\r\n]+/g, ' ')}`;
  if (Buffer.byteLength(line) <= LONGEST_TEXT) return `${line}\r\n`;
  return `${Buffer.from(line)
    .subarray(0, LONGEST_TEXT)
    .toString()
    .replace(/\uFFFD$/, '')}\r\n`;
}

/** In pieces, each to be written before the next is asked for. */
export async function* print(response: Response, utf8 = false): AsyncGenerator<string | Uint8Array> {
  const { lines, content } = response;
  if (content !== undefined) {
    yield statusLine(response, utf8);
    const encoder = new LineEncoder();
    for await (const piece of content) yield* encoder.encode(piece);
    yield encoder.end();
    return;
  }
  let chunk = statusLine(response, utf8);
  if (lines === undefined) {
    yield chunk;
    return;
  }
  for (const line of lines) {
    chunk += line.startsWith('.') ? `.${line}\r\n` : `${line}\r\n`;
    if (chunk.length >= CHUNK) {
      yield chunk;
      chunk = '';
    }
  }
  yield `${chunk}.\r\n`;
}

/** RFC 5034 §4: a challenge is `+`, a space and base 64, which may be empty. */
export function challengeLine(challenge: Uint8Array): string {
  return `+ ${encodeBase64(challenge)}\r\n`;
}
