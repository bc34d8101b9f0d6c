/**
 * A message as people see it: its addresses and its text, its attachments, the line of it that lists show.
 *
 * `preview` reads texts with mailparser, loaded when it is first asked for; `summary` does without. Part numbers, sizes
 * and names come from the MIME tree, so that they are those of IMAP.
 */
import { type AddressItem, addrSpec, mailboxesOf } from './address.ts';
import { decodePart, fileName, partText } from './decode.ts';
import { type Envelope, parseDate, parseEnvelope } from './envelope.ts';
import { firstField, type Header, parseHeader } from './headers.ts';
import { textOfHtml } from './html-text.ts';
import { isMultipart, type MimePart, mediaType, partsOf } from './mime-tree.ts';
import { bufferOver } from './octets.ts';

export interface PreviewAddress {
  /** '' if there is none. */
  readonly name: string;
  readonly address: string;
}

export interface PreviewPart {
  /** As in BODY[1.2]. */
  readonly partId: string;
  /** '' if there is none. */
  readonly fileName: string;
  /** In lower case, without parameters. */
  readonly contentType: string;
  /** Without angle brackets; '' if there is none. */
  readonly contentId: string;
  /** In lower case; '' if there is none. */
  readonly disposition: string;
  /** Octets after decoding. */
  readonly size: number;
  /** Part of the text (a picture in HTML) and no attachment of its own. */
  readonly inline: boolean;
}

export interface Summary {
  readonly from: readonly PreviewAddress[];
  readonly to: readonly PreviewAddress[];
  readonly cc: readonly PreviewAddress[];
  readonly bcc: readonly PreviewAddress[];
  /** Empty when the message has no Reply-To: no default here. */
  readonly replyTo: readonly PreviewAddress[];
  /** '' if there is none. */
  readonly subject: string;
  /** Without angle brackets; '' if there is none. */
  readonly messageId: string;
  readonly date: Date | undefined;
  /** Parts that are attachments and not inline. */
  readonly attachments: number;
  /** At most 250 characters on one line. */
  readonly snippet: string;
}

export interface Preview extends Omit<Summary, 'attachments'> {
  /** Of the Return-Path, without angle brackets; '' if there is none or if it is `<>`. */
  readonly returnPath: string;
  /** The field as it is, '' if there is none. */
  readonly listUnsubscribe: string;
  /** The plain text; what HTML says in words when there is no plain text. */
  readonly text: string;
  /** As the sender wrote it: never for a page without `safeHtml`. */
  readonly html: string;
  readonly parts: readonly PreviewPart[];
}

const MAX_SNIPPET = 250;
/** Characters of text that are made from HTML. */
const MAX_TEXT = 4 * 1024 * 1024;
/** Encoded octets of a text that are read for its first line. */
const SNIPPET_OCTETS = 64 * 1024;
/** Encoded octets of HTML that a summary looks through for the parts that it shows. */
export const INLINE_TEXT = 1024 * 1024;

/** What a page shows of one message. `tree` is that of the octets. */
export async function preview(octets: Uint8Array, tree: MimePart): Promise<Preview> {
  const header = parseHeader(octets, tree.start, tree.bodyStart);
  const { text, html } = await texts(octets, tree);
  const isInline = inlineTest(html);
  return {
    ...people(octets, header),
    returnPath: (firstField(octets, header, 'Return-Path') ?? '').replace(/^<|>$/g, ''),
    listUnsubscribe: firstField(octets, header, 'List-Unsubscribe') ?? '',
    text,
    html,
    parts: attachmentsOf(tree).map(({ part, path }) => previewPart(octets, part, path, isInline(part))),
    snippet: snippetOf(text, html),
  };
}

/** What a list of messages shows, at a fraction of the cost: no text is read further than its beginning. */
export function summary(octets: Uint8Array, tree: MimePart): Summary {
  const header = parseHeader(octets, tree.start, tree.bodyStart);
  const { plain, html } = textParts(tree);
  const attached = attachmentsOf(tree);
  // Only parts with a Content-ID can be referenced, and only then the HTML is looked through.
  const isReferable = attached.some(({ part }) => part.id !== undefined);
  const isInline = inlineTest(html && isReferable ? partText(octets, html, INLINE_TEXT) : '');
  const text = plain ? partText(octets, plain, SNIPPET_OCTETS) : '';
  return {
    ...people(octets, header),
    attachments: attached.filter(({ part }) => !isInline(part)).length,
    snippet: snippetOf(text, html && isBlankText(text) ? partText(octets, html, SNIPPET_OCTETS) : ''),
  };
}

/** One line of at most 250 characters: the beginning of the text, or of what the HTML says when there is no text. */
export function snippetOf(text: string, html: string): string {
  const source = isBlankText(text) ? textOfHtml(html.slice(0, 4 * SNIPPET_OCTETS), 4 * MAX_SNIPPET) : text;
  // Mailings fill the line that lists show with blanks that have no width.
  const line = source
    .slice(0, 16 * MAX_SNIPPET)
    .replace(/[\u00ad\u034f\u200b-\u200f\u2060\ufeff]/g, '')
    .replace(/[\s\u00a0\u2007\x00-\x1f\x7f]+/g, ' ')
    .trim();
  if (line.length <= MAX_SNIPPET) return line;
  // Not in the middle of a pair of surrogates.
  return `${line.slice(0, MAX_SNIPPET - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function isBlankText(text: string): boolean {
  return !/\S/.test(text);
}

/** The leaf part with that Content-ID, given without angle brackets: what `cid:` in HTML means (RFC 2392). */
export function findContentId(tree: MimePart, contentId: string): MimePart | undefined {
  for (const { part } of partsOf(tree)) if (contentIdOf(part) === contentId && contentId !== '') return part;
  return undefined;
}

function people(octets: Uint8Array, header: Header): Omit<Summary, 'attachments' | 'snippet'> {
  const envelope: Envelope = parseEnvelope(octets, header);
  const hasReplyTo = (firstField(octets, header, 'Reply-To') ?? '') !== '';
  return {
    from: previewAddresses(envelope.from),
    to: previewAddresses(envelope.to),
    cc: previewAddresses(envelope.cc),
    bcc: previewAddresses(envelope.bcc),
    replyTo: hasReplyTo ? previewAddresses(envelope.replyTo) : [],
    subject: envelope.subject ?? '',
    messageId: (envelope.messageId ?? '').replace(/^<|>$/g, ''),
    date: envelope.date === undefined ? undefined : parseDate(envelope.date),
  };
}

function previewAddresses(items: readonly AddressItem[]): readonly PreviewAddress[] {
  return mailboxesOf(items).map((mailbox) => ({ name: mailbox.name ?? '', address: addrSpec(mailbox) }));
}

async function texts(octets: Uint8Array, tree: MimePart): Promise<{ text: string; html: string }> {
  try {
    const { simpleParser } = await import('mailparser');
    const mail = await simpleParser(bufferOver(octets), {
      skipTextToHtml: true,
      // Its conversion takes the square of the depth of hostile HTML.
      skipHtmlToText: true,
      keepCidLinks: true, // safeHtml resolves them
      checksumAlgo: false,
    });
    const html = typeof mail.html === 'string' ? mail.html : '';
    const text = mail.text ?? '';
    return { text: isBlankText(text) ? textOfHtml(html, MAX_TEXT) : text, html };
  } catch {
    // Beyond mailparser's limits: the first texts, as the tree has them.
    const { plain, html } = textParts(tree);
    return { text: plain ? partText(octets, plain) : '', html: html ? partText(octets, html) : '' };
  }
}

/** The first plain text and the first HTML that are no attachments. */
function textParts(tree: MimePart): { plain: MimePart | undefined; html: MimePart | undefined } {
  let plain: MimePart | undefined;
  let html: MimePart | undefined;
  for (const { part } of partsOf(tree)) {
    if (!isText(part)) continue;
    if (mediaType(part) === 'text/html') html ??= part;
    else plain ??= part;
  }
  return { plain, html };
}

/** Shown as the message itself, as Mailpit has it: text without a file name that does not call itself an attachment. */
function isText(part: MimePart): boolean {
  const type = mediaType(part);
  if (type !== 'text/plain' && type !== 'text/html') return false;
  return part.disposition?.type.toLowerCase() !== 'attachment' && fileName(part) === undefined;
}

/** How many parts are attachments, as far as that can be told without the text: those with a Content-ID belong to it. */
export function attachmentsIn(tree: MimePart): number {
  return attachmentsOf(tree).filter(({ part }) => contentIdOf(part) === '').length;
}

/** Every leaf that is not the text; a message that is attached is one part, whatever it holds. */
function attachmentsOf(tree: MimePart): { part: MimePart; path: readonly number[] }[] {
  const found: { part: MimePart; path: readonly number[] }[] = [];
  let inside = -1;
  for (const { part, path } of partsOf(tree)) {
    // Parts come in the order of the octets: what begins before this end lies in an attached message.
    if (part.start < inside) continue;
    if (part.message) inside = part.end;
    if (!isMultipart(part) && !isText(part)) found.push({ part, path });
  }
  return found;
}

function previewPart(octets: Uint8Array, part: MimePart, path: readonly number[], inline: boolean): PreviewPart {
  return {
    partId: path.join('.'),
    fileName: fileName(part) ?? '',
    contentType: mediaType(part),
    contentId: contentIdOf(part),
    disposition: part.disposition?.type.toLowerCase() ?? '',
    size: part.message ? part.end - part.bodyStart : decodePart(octets, part).length,
    inline,
  };
}

function contentIdOf(part: MimePart): string {
  return (part.id ?? '').trim().replace(/^<|>$/g, '');
}

/** Inline: with a Content-ID that the HTML refers to, or with one and the disposition `inline`. */
function inlineTest(html: string): (part: MimePart) => boolean {
  const referenced = new Set<string>();
  for (const [, id] of html.matchAll(/cid:([^"'\s>)]{1,500})/gi)) referenced.add(percentDecoded(id!));
  return (part) => {
    const id = contentIdOf(part);
    return id !== '' && (referenced.has(id) || part.disposition?.type.toLowerCase() === 'inline');
  };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
