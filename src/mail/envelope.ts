/**
 * The envelope of a message: ENVELOPE as IMAP sends it (RFC 9051 §7.5.2, RFC 3501 §7.4.2), and the same decoded.
 *
 * Fields of addresses that stand there more than once are read as one list (RFC 5322 §4.5.3 leaves that to the
 * reader); of the others the first counts.
 */
import { type AddressItem, type Mailbox, parseAddressList } from './address.ts';
import { type Header, binaryFieldBody, decodeEncodedWords, fieldsNamed } from './headers.ts';
import { imapNstring, imapString } from './imap-string.ts';
import { guessTextOfBinary } from './octets.ts';

export { parseDate, parseSentDay } from './date.ts';

export interface Envelope {
  /** As written. */
  readonly date: string | undefined;
  readonly subject: string | undefined;
  readonly from: readonly AddressItem[];
  readonly sender: readonly AddressItem[];
  readonly replyTo: readonly AddressItem[];
  readonly to: readonly AddressItem[];
  readonly cc: readonly AddressItem[];
  readonly bcc: readonly AddressItem[];
  readonly inReplyTo: string | undefined;
  /** With its angle brackets, as written. */
  readonly messageId: string | undefined;
}

/** ENVELOPE's parenthesised list, finished. Encoded words are not decoded: that is the client's part. */
export function envelopeText(octets: Uint8Array, header: Header): Uint8Array {
  return Buffer.from(binaryEnvelope(octets, header), 'latin1');
}

/** As `envelopeText`, one character for each octet. */
export function binaryEnvelope(octets: Uint8Array, header: Header): string {
  const { date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageId } = rawEnvelope(octets, header);
  const addresses = [from, sender, replyTo, to, cc, bcc].map(addressList);
  return `(${[imapNstring(date), imapNstring(subject), ...addresses, imapNstring(inReplyTo), imapNstring(messageId)].join(' ')})`;
}

/** The same fields as strings for people and for JSON: charsets and encoded words decoded. */
export function parseEnvelope(octets: Uint8Array, header: Header): Envelope {
  const raw = rawEnvelope(octets, header);
  const text = (binary: string | undefined) => (binary === undefined ? undefined : guessTextOfBinary(binary));
  const addresses = (items: readonly AddressItem[]) => items.map(decodeItem);
  const subject = text(raw.subject);
  return {
    date: text(raw.date),
    subject: subject === undefined ? undefined : decodeEncodedWords(subject),
    from: addresses(raw.from),
    sender: addresses(raw.sender),
    replyTo: addresses(raw.replyTo),
    to: addresses(raw.to),
    cc: addresses(raw.cc),
    bcc: addresses(raw.bcc),
    inReplyTo: text(raw.inReplyTo),
    messageId: text(raw.messageId),
  };
}

/** One character for each octet, nothing decoded. */
function rawEnvelope(octets: Uint8Array, header: Header): Envelope {
  const first = (name: string) => {
    const field = fieldsNamed(header, name)[0];
    return field && binaryFieldBody(octets, field);
  };
  const list = (name: string) => {
    const bodies = fieldsNamed(header, name).map((field) => binaryFieldBody(octets, field));
    return bodies.length === 0 ? [] : parseAddressList(bodies.join(','));
  };
  const from = list('From');
  // Absent or empty, both mean the same as From: RFC 9051 §7.5.2.
  const orFrom = (items: readonly AddressItem[]) => (items.length === 0 ? from : items);
  return {
    date: first('Date'),
    subject: first('Subject'),
    from,
    sender: orFrom(list('Sender')),
    replyTo: orFrom(list('Reply-To')),
    to: list('To'),
    cc: list('Cc'),
    bcc: list('Bcc'),
    inReplyTo: first('In-Reply-To'),
    messageId: first('Message-ID'),
  };
}

function addressList(items: readonly AddressItem[]): string {
  if (items.length === 0) return 'NIL';
  const structures = items.flatMap((item) =>
    item.type === 'mailbox'
      ? [address(item)]
      : [`(NIL NIL ${imapString(item.name)} NIL)`, ...item.members.map(address), '(NIL NIL NIL NIL)'],
  );
  return `(${structures.join('')})`;
}

/**
 * The local part without its quotes: RFC 9051 §9 addr-mailbox. A missing half is the empty string, since NIL would begin
 * or end a group: §7.5.2.
 */
function address({ name, route, localPart, domain }: Mailbox): string {
  return `(${imapNstring(name)} ${imapNstring(route)} ${imapString(localPart)} ${imapString(domain)})`;
}

function decodeItem(item: AddressItem): AddressItem {
  if (item.type === 'mailbox') return decodeMailbox(item);
  return { ...item, name: decodeEncodedWords(guessTextOfBinary(item.name)), members: item.members.map(decodeMailbox) };
}

function decodeMailbox(mailbox: Mailbox): Mailbox {
  const { name } = mailbox;
  return {
    ...mailbox,
    name: name === undefined ? undefined : decodeEncodedWords(guessTextOfBinary(name)),
    localPart: guessTextOfBinary(mailbox.localPart),
    domain: guessTextOfBinary(mailbox.domain),
  };
}
