/**
 * A message as MailHog shows it: raw. Header values and bodies are not decoded, a field that is repeated keeps its last
 * value, and the parts of a multipart are what lies between its boundaries, read without regard to anything else.
 */
import { binaryFieldBody, parseHeader } from '../../../mail/headers.ts';
import { MAX_DEPTH, MAX_PARTS } from '../../../mail/mime-tree.ts';
import { bufferOver } from '../../../mail/octets.ts';
import type { MailStore, TransactionSummary } from '../../../store/mail-store.ts';
import { wholeContent } from '../../content.ts';

export interface MailhogPath {
  readonly Relays: null;
  readonly Mailbox: string;
  readonly Domain: string;
  readonly Params: '';
}

export interface MailhogContent {
  readonly Headers: Readonly<Record<string, readonly string[]>>;
  readonly Body: string;
  readonly Size: number;
  readonly MIME: MailhogMime | null;
}

export interface MailhogMime {
  readonly Parts: readonly MailhogContent[];
}

export interface MailhogMessage {
  readonly ID: string;
  readonly From: MailhogPath;
  readonly To: readonly MailhogPath[];
  readonly Content: MailhogContent;
  readonly Created: string;
  readonly MIME: MailhogMime | null;
  readonly Raw: { readonly From: string; readonly To: readonly string[]; readonly Data: string; readonly Helo: string };
}

/** Undefined: it has gone meanwhile. */
export async function mailhogMessage(
  store: MailStore,
  transaction: TransactionSummary,
): Promise<MailhogMessage | undefined> {
  const { transactionId, reversePath, forwardPaths, receivedAt, origin } = transaction;
  const found = await store.findContent(transactionId);
  if (!found) return undefined;
  const octets = bufferOver(await wholeContent(found.content));
  const trace = octets.subarray(0, found.content.traceSize);
  const received = octets.subarray(found.content.traceSize);
  const data = received.toString('utf8');
  const content = contentOf(data);
  const headers = { ...content.Headers, ...withTrace(content.Headers, trace) };
  headers['Message-ID'] ??= [transactionId]; // without brackets, as there
  return {
    ID: transactionId,
    From: pathOf(reversePath),
    To: forwardPaths.map(({ address }) => pathOf(address)),
    Content: { ...content, Headers: headers, Size: received.length },
    Created: receivedAt.toISOString(),
    MIME: isMultipart(content) ? mimeOf(content, { left: MAX_PARTS }, 0) : null,
    Raw: { From: reversePath, To: forwardPaths.map(({ address }) => address), Data: data, Helo: origin.helo ?? '' },
  };
}

function pathOf(address: string): MailhogPath {
  const at = address.lastIndexOf('@');
  const [mailbox, domain] = at === -1 ? [address, ''] : [address.slice(0, at), address.slice(at + 1)];
  return { Relays: null, Mailbox: mailbox, Domain: domain, Params: '' };
}

/** What the server added: after what of the same name the message brought along. */
function withTrace(headers: MailhogContent['Headers'], trace: Uint8Array): Record<string, readonly string[]> {
  const added: Record<string, readonly string[]> = {};
  for (const field of parseHeader(trace).fields) {
    added[field.name] = [...(added[field.name] ?? headers[field.name] ?? []), utf8(binaryFieldBody(trace, field))];
  }
  return added;
}

const utf8 = (binary: string): string => Buffer.from(binary, 'latin1').toString('utf8');

/** A header up to the first empty line, and the rest; without an empty line it is all body. */
export function contentOf(text: string): MailhogContent {
  const end = text.indexOf('\r\n\r\n');
  const size = Buffer.byteLength(text);
  if (end === -1) return { Headers: {}, Body: text, Size: size, MIME: null };
  const octets = Buffer.from(text.slice(0, end + 2));
  const headers = new Map<string, readonly string[]>();
  for (const field of parseHeader(octets).fields) headers.set(field.name, [utf8(binaryFieldBody(octets, field))]);
  return { Headers: Object.fromEntries(headers), Body: text.slice(end + 4), Size: size, MIME: null };
}

/** Only by a name and a value in exactly this case. */
function isMultipart({ Headers: headers }: MailhogContent): boolean {
  return headers['Content-Type']?.[0]?.startsWith('multipart/') ?? false;
}

/**
 * A preamble makes a first part, and the end a last one whose body is `--`.
 * @param budget how many parts the whole message may still have: a message of boundaries alone would have millions
 */
function mimeOf(content: MailhogContent, budget: { left: number }, depth: number): MailhogMime {
  const boundary = boundaryOf(content.Headers['Content-Type']?.[0] ?? '');
  if (boundary === '' || depth > MAX_DEPTH) return { Parts: [] };
  const parts: MailhogContent[] = [];
  for (const piece of content.Body.split(`--${boundary}`, MAX_PARTS)) {
    if (piece === '') continue;
    if (budget.left-- <= 0) break;
    const part = contentOf(withoutLineEnds(piece));
    parts.push(isMultipart(part) ? { ...part, MIME: mimeOf(part, budget, depth + 1) } : part);
  }
  return { Parts: parts };
}

function withoutLineEnds(text: string): string {
  const isLineEnd = (at: number): boolean => text[at] === '\r' || text[at] === '\n';
  let [start, end] = [0, text.length];
  while (start < end && isLineEnd(start)) start++;
  while (end > start && isLineEnd(end - 1)) end--;
  return text.slice(start, end);
}

function boundaryOf(contentType: string): string {
  const [, quoted, token] = /boundary="([^"]*)"|boundary=([^\s;]*)/i.exec(contentType) ?? [];
  return quoted ?? token ?? '';
}
