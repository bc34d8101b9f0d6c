/** Messages in the shapes of Mailpit's API, wider than needed where its clients compare strictly. */
import { createHash } from 'node:crypto';
import { type Header, firstField, parseHeader } from '../../../mail/headers.ts';
import type { MimePart } from '../../../mail/mime-tree.ts';
import { bufferOver, guessTextOfBinary, trimBlanks } from '../../../mail/octets.ts';
import type { PreviewPart } from '../../../mail/preview.ts';
import type { AddressPair, MailStore, TransactionFilter, TransactionSummary } from '../../../store/mail-store.ts';
import { partOf, servedOctets } from '../../message-parts.ts';
import type { Page } from './request.ts';

export interface MailpitAddress {
  readonly Name: string;
  readonly Address: string;
}

function toAddress({ name, address }: AddressPair): MailpitAddress {
  return { Name: name, Address: address };
}

export async function messageList(store: MailStore, filter: TransactionFilter, page: Page): Promise<object> {
  const list = await store.listTransactions(filter, page);
  return {
    total: list.total,
    unread: list.unread,
    count: list.items.length,
    messages_count: list.matches,
    messages_unread: list.unreadMatches,
    start: page.start,
    tags: (await store.listTags()).map(({ tag }) => tag),
    messages: list.items.map(toSummary),
  };
}

export function toSummary(transaction: TransactionSummary): object {
  return {
    ID: transaction.transactionId,
    MessageID: transaction.messageId,
    Read: transaction.read,
    From: transaction.from ? toAddress(transaction.from) : null,
    To: transaction.to.map(toAddress),
    Cc: transaction.cc.map(toAddress),
    Bcc: blindCopies(transaction).map(toAddress),
    ReplyTo: transaction.replyTo.map(toAddress),
    Subject: transaction.subject,
    Created: transaction.receivedAt.toISOString(),
    Username: transaction.origin.login ?? '',
    Tags: transaction.tags,
    Size: transaction.receivedOctets + transaction.traceOctets,
    Attachments: transaction.attachments,
    Snippet: transaction.snippet.slice(0, 250),
  };
}

/** Bcc as written, and recipients of the envelope that no field of the message names. */
function blindCopies({ to, cc, bcc, forwardPaths }: TransactionSummary): readonly AddressPair[] {
  const named = new Set([...to, ...cc, ...bcc].map(({ address }) => address.toLowerCase()));
  const others = forwardPaths.filter(({ address }) => !named.has(address.toLowerCase()));
  return [...bcc, ...others.map(({ address }) => ({ name: '', address }))];
}

export async function toMessage(transaction: TransactionSummary, octets: Uint8Array, tree: MimePart): Promise<object> {
  const { preview } = await import('../../../mail/preview.ts');
  const shown = await preview(octets, tree);
  const header = parseHeader(octets);
  const from = shown.from[0];
  const named = shown.parts.filter((part) => part.fileName !== '' || part.contentId !== '');
  return {
    ID: transaction.transactionId,
    MessageID: shown.messageId,
    From: from ? toAddress(from) : null,
    To: shown.to.map(toAddress),
    Cc: shown.cc.map(toAddress),
    Bcc: blindCopies(transaction).map(toAddress),
    ReplyTo: shown.replyTo.map(toAddress),
    ReturnPath: transaction.reversePath === '' ? (from?.address ?? '') : transaction.reversePath,
    Subject: shown.subject,
    ListUnsubscribe: listUnsubscribe(shown.listUnsubscribe, octets, header),
    Date: (shown.date ?? transaction.receivedAt).toISOString(),
    Tags: transaction.tags,
    Username: transaction.origin.login ?? '',
    Text: shown.text,
    HTML: shown.html,
    Size: octets.length,
    Inline: named.filter(({ inline }) => inline).map((part) => toPart(octets, tree, part)),
    Attachments: named.filter(({ inline }) => !inline).map((part) => toPart(octets, tree, part)),
  };
}

function toPart(octets: Uint8Array, tree: MimePart, { partId, fileName, contentType, contentId }: PreviewPart): object {
  const part = partOf(tree, partId);
  const decoded = part ? servedOctets(octets, part) : new Uint8Array(0);
  const digest = (algorithm: string) => createHash(algorithm).update(decoded).digest('hex');
  return {
    PartID: partId,
    FileName: fileName === '' ? contentId : fileName,
    ContentType: contentType,
    ContentID: contentId,
    Size: decoded.length,
    Checksums: { MD5: digest('md5'), SHA1: digest('sha1'), SHA256: digest('sha256') },
  };
}

/** RFC 2369 §3.2, RFC 8058. */
function listUnsubscribe(field: string, octets: Uint8Array, header: Header): object {
  const links = [...field.matchAll(/<\s*([^<>\s]+)\s*>/g)].map(([, link]) => link!);
  const faulty = links.filter((link) => !/^(?:https?:\/\/|mailto:)./i.test(link));
  const errors =
    field !== '' && links.length === 0
      ? 'no links in angle brackets'
      : faulty.length > 0
        ? `not a link: ${faulty.join(', ')}`
        : '';
  return {
    Header: field,
    Links: links,
    Errors: errors,
    HeaderPost: firstField(octets, header, 'List-Unsubscribe-Post') ?? '',
  };
}

/** Names as `Message-Id`, in alphabetical order; values unfolded, nothing decoded. */
export function headersOf(octets: Uint8Array, header: Header): Record<string, string[]> {
  const buffer = bufferOver(octets);
  const headers = new Map<string, string[]>();
  for (const { name, bodyStart, end } of header.fields) {
    const value = guessTextOfBinary(trimBlanks(buffer.toString('latin1', bodyStart, end).replace(/\r?\n[ \t]*/g, ' ')));
    const key = canonicalName(guessTextOfBinary(name));
    const values = headers.get(key);
    if (values) values.push(value);
    else headers.set(key, [value]);
  }
  return Object.fromEntries([...headers].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function canonicalName(name: string): string {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name;
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}
