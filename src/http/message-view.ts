/** A message as the pages show it: the values of the store and of the parsers in the shapes of `schemas/messages.ts`. */
import { type AddressItem, addrSpec, mailboxesOf, parseAddressList } from '../mail/address.ts';
import { decodePart, fileName } from '../mail/decode.ts';
import { type Header, decodeEncodedWords, fieldBody, firstField, parseHeader } from '../mail/headers.ts';
import { isMultipart, type MimePart } from '../mail/mime-tree.ts';
import { bufferOver, guessText } from '../mail/octets.ts';
import type { PreviewPart } from '../mail/preview.ts';
import type { SafeHtml } from '../mail/safe-html.ts';
import type { AddressPair, Content, TransactionSummary } from '../store/mail-store.ts';
import { wholeContent } from './content.ts';
import { charsetOf, hasPlainText, servedType } from './message-parts.ts';
import { findCode, findLink } from './one-time-code.ts';
import type { Address } from './schemas/common.ts';
import type {
  Attachment,
  Copy,
  HeaderField,
  Message,
  MessageSummary,
  MessageTransaction,
  Part,
} from './schemas/messages.ts';

export interface FoundMessage {
  readonly id: string;
  /** When it was asked for by that. */
  readonly emailId: string | undefined;
  readonly transaction: TransactionSummary | undefined;
  readonly content: Content;
  readonly tree: MimePart;
}

// ---------------------------------------------------------------------------------------------------- addresses

export function addressesOf(items: readonly AddressItem[]): Address[] {
  return mailboxesOf(items).map((mailbox) => ({ name: mailbox.name ?? '', address: addrSpec(mailbox) }));
}

export function addressOf(items: readonly AddressItem[]): Address | undefined {
  return addressesOf(items)[0];
}

function pairs(addresses: readonly AddressPair[]): Address[] {
  return addresses.map(({ name, address }) => ({ name, address }));
}

// --------------------------------------------------------------------------------------------------------- list

export function summaryView(transaction: TransactionSummary): MessageSummary {
  const { from, subject, snippet } = transaction;
  return {
    id: transaction.transactionId,
    emailId: String(transaction.emailId),
    messageId: transaction.messageId,
    read: transaction.read,
    from: from ? { name: from.name, address: from.address } : null,
    to: pairs(transaction.to),
    cc: pairs(transaction.cc),
    bcc: pairs(transaction.bcc),
    replyTo: pairs(transaction.replyTo),
    subject,
    receivedAt: transaction.receivedAt.toISOString(),
    size: transaction.traceOctets + transaction.receivedOctets,
    attachments: transaction.attachments,
    snippet,
    code: findCode(subject, snippet) ?? null,
    link: findLink(snippet) ?? null,
    reversePath: transaction.reversePath,
    recipients: transaction.forwardPaths.map(({ address }) => address),
    service: transaction.origin.service,
    tags: [...transaction.tags],
    copies: copiesOf(transaction),
  };
}

function copiesOf(transaction: TransactionSummary): Copy[] {
  return transaction.copies.map(({ address, mailbox, mailboxName, uid, flags }) => ({
    account: address,
    mailbox,
    mailboxName,
    uid,
    flags: [...flags],
  }));
}

// ------------------------------------------------------------------------------------------------------ message

export async function messageView({ id, emailId, transaction, content, tree }: FoundMessage): Promise<Message> {
  const { preview } = await import('../mail/preview.ts');
  const octets = await wholeContent(content);
  const header = parseHeader(octets);
  const shown = await preview(octets, tree);
  const { remote, links } = await shownHtml(shown.html, () => undefined);
  return {
    id,
    emailId: transaction ? String(transaction.emailId) : (emailId ?? null),
    messageId: shown.messageId,
    from: pairs(shown.from)[0] ?? null,
    sender: senderOf(octets, header) ?? null,
    to: pairs(shown.to),
    cc: pairs(shown.cc),
    bcc: pairs(shown.bcc),
    replyTo: pairs(shown.replyTo),
    subject: shown.subject,
    date: shown.date?.toISOString() ?? null,
    dateField: firstField(octets, header, 'Date') ?? null,
    text: shown.text,
    textFromHtml: shown.html !== '' && !hasPlainText(tree),
    html: shown.html !== '',
    remoteReferences: remote.map(({ url, kind }) => ({ url, kind, host: hostOf(url) })),
    remoteCount: remote.length,
    links: links.map(({ href, text, mismatch }) => ({ url: href, host: hostOf(href), text, suspicious: mismatch })),
    code: findCode(shown.subject, shown.text) ?? null,
    headers: headerFields(octets, header, content.traceSize),
    attachments: shown.parts.map(attachmentView),
    parts: partView(tree, []),
    size: content.size,
    traceOctets: content.traceSize,
    receivedOctets: content.size - content.traceSize,
    trace: guessText(octets.subarray(0, content.traceSize)),
    transaction: transaction ? transactionView(transaction) : null,
    copies: transaction ? copiesOf(transaction) : [],
  };
}

export async function shownHtml(html: string, cid: (id: string) => string | undefined): Promise<SafeHtml> {
  if (html === '') return { html: '', remote: [], links: [] };
  const { safeHtml } = await import('../mail/safe-html.ts');
  return safeHtml(html, { cid, allowRemote: false });
}

/** As it is asked for: names in punycode; '' for what has no host. */
export function hostOf(url: string): string {
  const absolute = url.startsWith('//') ? `https:${url}` : url;
  return URL.canParse(absolute) ? new URL(absolute).host : '';
}

/** Pictures of the message that its document carries, in octets; those beyond are left out. */
const MAX_PICTURES = 25 * 1024 * 1024;

/** The HTML of a message as a document that asks nobody for anything; undefined: it has none. */
export async function htmlDocument({ content, tree }: FoundMessage): Promise<string | undefined> {
  const { findContentId, preview } = await import('../mail/preview.ts');
  const octets = await wholeContent(content);
  const { html } = await preview(octets, tree);
  if (html === '') return undefined;
  let left = MAX_PICTURES;
  const clean = await shownHtml(html, (id) => {
    const part = findContentId(tree, id);
    if (!part || part.end - part.bodyStart > left) return undefined;
    const picture = bufferOver(decodePart(octets, part));
    left -= picture.length;
    return `data:${servedType(part)};base64,${picture.toString('base64')}`;
  });
  return `<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>Message</title>\n</head>\n<body>\n${clean.html}\n</body>\n</html>\n`;
}

/** Only where there is such a field: an ENVELOPE would repeat From. */
function senderOf(octets: Uint8Array, header: Header): Address | undefined {
  const field = firstField(octets, header, 'Sender');
  return field === undefined ? undefined : addressOf(parseAddressList(decodeEncodedWords(field)));
}

/** A header of tens of thousands of fields is cut: nobody reads it, and the source has it whole. */
const FIELDS_SHOWN = 2_000;

function headerFields(octets: Uint8Array, header: Header, traceSize: number): HeaderField[] {
  const buffer = bufferOver(octets);
  return header.fields.slice(0, FIELDS_SHOWN).map((field) => ({
    name: field.name,
    value: decodeEncodedWords(fieldBody(octets, field)),
    raw: guessText(buffer.subarray(field.start, field.end)).replace(/\r?\n$/, ''),
    trace: field.start < traceSize,
  }));
}

function attachmentView({ partId, contentType, fileName, contentId, inline, size }: PreviewPart): Attachment {
  return {
    partId,
    fileName: visibleControls(fileName),
    contentType,
    contentId,
    disposition: inline ? 'inline' : 'attachment',
    size,
  };
}

/** Controls that turn the direction of what follows make `txt.exe` look like `exe.txt`: they are shown as what they are. */
export function visibleControls(text: string): string {
  return text.replace(
    /[\x00-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `[U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
  );
}

function partView(part: MimePart, path: readonly number[]): Part {
  const own = path.length === 0 && !isMultipart(part) ? [1] : path;
  return {
    partId: own.join('.'),
    contentType: servedType(part),
    charset: charsetOf(part) ?? null,
    encoding: part.encoding?.trim().toLowerCase() ?? '7bit', // RFC 2045 §6.1
    disposition: part.disposition?.type.trim().toLowerCase() ?? null,
    fileName: fileName(part) ?? null,
    contentId: part.id?.trim().replace(/^<|>$/g, '') ?? null,
    headerStart: part.start,
    bodyStart: part.bodyStart,
    end: part.end,
    parts: [
      ...part.children.map((child, index) => partView(child, [...own, index + 1])),
      ...(part.message ? [partView(part.message, isMultipart(part.message) ? own : [...own, 1])] : []),
    ],
  };
}

function transactionView(transaction: TransactionSummary): MessageTransaction {
  const { origin } = transaction;
  return {
    id: transaction.transactionId,
    receivedAt: transaction.receivedAt.toISOString(),
    reversePath: transaction.reversePath,
    forwardPaths: transaction.forwardPaths.map(({ address, notify, originalRecipient }) => ({
      address,
      notify: notify ?? null,
      originalRecipient: originalRecipient ?? null,
    })),
    service: origin.service,
    conversation: origin.conversation ?? null,
    remoteAddress: origin.remoteAddress ?? null,
    helo: origin.helo ?? null,
    login: origin.login ?? null,
    tls: origin.tls ?? null,
    read: transaction.read,
    tags: [...transaction.tags],
  };
}
