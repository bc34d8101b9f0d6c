/** The envelope beside the header: what the two ends said to one another, and what the message says of itself. */
import { addrSpec, mailboxesOf, sameAddress, type AddressItem } from '../../mail/address.ts';
import { parseEnvelope } from '../../mail/envelope.ts';
import { allFields, decodeEncodedWords, fieldBody, firstField, parseHeader, type Header } from '../../mail/headers.ts';
import { parseReceived, type ReceivedField } from '../../mail/received.ts';
import type { TransactionSummary } from '../../store/mail-store.ts';

/** Recipients, and addresses of a field, that are told one by one. */
const MOST_ADDRESSES = 200;
/** Trace fields that are told. */
const MOST_TRACE = 50;
const LONGEST_VALUE = 2_000;

export interface EnvelopeRecipient {
  readonly address: string;
  /** RFC 3461 §4.1, §4.2. */
  readonly notify: string | null;
  readonly originalRecipient: string | null;
  /** The field that names this address; null: none does, as with a blind copy or a list. */
  readonly field: 'To' | 'Cc' | 'Bcc' | null;
}

export interface EnvelopePaper {
  readonly reversePath: string;
  /** RFC 3461 §4.3, §4.4. */
  readonly returnType: string | null;
  readonly envelopeId: string | null;
  /** The first ones. */
  readonly recipients: readonly EnvelopeRecipient[];
  readonly recipientCount: number;
  /** How many no field names. */
  readonly unnamed: number;
}

export interface Person {
  readonly name: string;
  readonly address: string;
}

export interface HeaderPerson extends Person {
  /** Whether the envelope has it; null: there is none to compare with. */
  readonly inEnvelope: boolean | null;
}

export interface HeaderPaper {
  readonly subject: string;
  readonly messageId: string | null;
  readonly date: string | null;
  readonly program: string | null;
  readonly from: readonly HeaderPerson[];
  readonly sender: readonly HeaderPerson[];
  readonly to: readonly HeaderPerson[];
  readonly cc: readonly HeaderPerson[];
  readonly bcc: readonly HeaderPerson[];
  readonly replyTo: readonly Person[];
  /** Addresses of To, Cc and Bcc; more than are told. */
  readonly addressCount: number;
}

export interface TraceField {
  readonly name: string;
  readonly value: string;
  /** Added on arrival here. */
  readonly own: boolean;
  readonly received: ReceivedField | null;
}

export interface Paper {
  readonly envelope: EnvelopePaper | null;
  readonly header: HeaderPaper;
  readonly trace: readonly TraceField[];
}

/** @param octets trace and header, at least */
export function paper(octets: Uint8Array, traceSize: number, transaction: TransactionSummary | undefined): Paper {
  const header = parseHeader(octets);
  const envelope = parseEnvelope(octets, header);
  const paths = transaction?.forwardPaths;
  const isRecipient = addressTest(paths?.map(({ address }) => address) ?? []);
  const people = (items: readonly AddressItem[], inEnvelope: (address: string) => boolean | null): HeaderPerson[] =>
    mailboxesOf(items)
      .slice(0, MOST_ADDRESSES)
      .map((mailbox) => ({ name: mailbox.name ?? '', address: addrSpec(mailbox) }))
      .map((person) => ({ ...person, inEnvelope: inEnvelope(person.address) }));
  const recipients = (items: readonly AddressItem[]) =>
    people(items, (address) => (transaction ? isRecipient(address) : null));
  const senders = (items: readonly AddressItem[]) =>
    people(items, (address) => (transaction ? sameAddress(address, transaction.reversePath) : null));
  const { to, cc, bcc } = envelope;
  const has = (name: string): boolean => firstField(octets, header, name) !== undefined;
  return {
    envelope: transaction ? envelopePaper(transaction, { To: to, Cc: cc, Bcc: bcc }) : null,
    header: {
      subject: envelope.subject ?? '',
      messageId: envelope.messageId ?? null,
      date: envelope.date ?? null,
      program: programOf(octets, header),
      from: senders(envelope.from),
      // ENVELOPE says From again where these are missing.
      sender: has('Sender') ? senders(envelope.sender) : [],
      to: recipients(to),
      cc: recipients(cc),
      bcc: recipients(bcc),
      replyTo: has('Reply-To')
        ? people(envelope.replyTo, () => null).map(({ name, address }) => ({ name, address }))
        : [],
      addressCount: mailboxesOf([...to, ...cc, ...bcc]).length,
    },
    trace: traceFields(octets, header, traceSize),
  };
}

function envelopePaper(
  { reversePath, returnType, envelopeId, forwardPaths }: TransactionSummary,
  fields: Readonly<Record<'To' | 'Cc' | 'Bcc', readonly AddressItem[]>>,
): EnvelopePaper {
  const tests = (['To', 'Cc', 'Bcc'] as const).map(
    (name) => [name, addressTest(mailboxesOf(fields[name]).map(addrSpec))] as const,
  );
  const fieldOf = (address: string) => tests.find(([, names]) => names(address))?.[0] ?? null;
  return {
    reversePath,
    returnType: returnType ?? null,
    envelopeId: envelopeId ?? null,
    recipients: forwardPaths.slice(0, MOST_ADDRESSES).map(({ address, notify, originalRecipient }) => ({
      address,
      notify: notify ?? null,
      originalRecipient: originalRecipient ?? null,
      field: fieldOf(address),
    })),
    recipientCount: forwardPaths.length,
    unnamed: forwardPaths.filter(({ address }) => fieldOf(address) === null).length,
  };
}

/** Domains without case; local parts too, as accounts are compared here. */
function addressTest(addresses: readonly string[]): (address: string) => boolean {
  const known = new Set(addresses.map((address) => address.toLowerCase()));
  return (address) => known.has(address.toLowerCase());
}

/** What the sender's program calls itself; neither field is of a standard. */
function programOf(octets: Uint8Array, header: Header): string | null {
  for (const name of ['User-Agent', 'X-Mailer']) {
    const [value] = allFields(octets, header, name);
    if (value !== undefined) return decodeEncodedWords(value).slice(0, 100);
  }
  return null;
}

/** RFC 5321 §4.4, RFC 8601: what hosts on the way have written on top. */
const TRACE_NAMES = new Set(['return-path', 'received', 'delivered-to', 'authentication-results', 'received-spf']);

function traceFields(octets: Uint8Array, header: Header, traceSize: number): TraceField[] {
  return header.fields
    .filter(({ name, start }) => start < traceSize || TRACE_NAMES.has(name.toLowerCase()))
    .slice(0, MOST_TRACE)
    .map((field) => {
      const value = fieldBody(octets, field);
      const isReceived = field.name.toLowerCase() === 'received';
      return {
        name: field.name,
        value: value.slice(0, LONGEST_VALUE),
        own: field.start < traceSize,
        received: isReceived ? parseReceived(value) : null,
      };
    });
}
