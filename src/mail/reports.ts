/**
 * Reports about a message, as octets: delivery status notifications (RFC 3464, and RFC 6533 for addresses that are not
 * ASCII), disposition notifications (RFC 8098), feedback reports (RFC 5965). All are multipart/report (RFC 6522): a text
 * for people, fields for programs, and the message or its header. Pure: who sends a report, when and where to, is given.
 */
import { isAscii as isSevenBit } from 'node:buffer';
import { formatAddress, splitAddress } from './address.ts';
import { fieldsNamed, firstField, parseHeader } from './headers.ts';
import { bufferOver, isAscii } from './octets.ts';

/** What all reports are made of. */
export interface ReportFrame {
  /** Of the From field: for status notifications the mail system, otherwise whoever reports. */
  readonly from: { readonly name: string; readonly address: string };
  readonly to: string;
  /** The host that reports. */
  readonly reportingMta: string;
  readonly date: Date;
  /** With angle brackets. */
  readonly messageId: string;
  /** In no line of the message that is reported. */
  readonly boundary: string;
  /** What is reported, with its trace. */
  readonly message: Uint8Array;
  /** Of the message that is reported: all of it or its header. */
  readonly returns: 'full' | 'headers';
}

export type DeliveryAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';

export interface RecipientStatus {
  readonly address: string;
  /** ORCPT as SMTP had it: `rfc822;` and xtext. */
  readonly originalRecipient?: string | undefined;
  readonly action: DeliveryAction;
  /** RFC 3463: `5.1.1`. */
  readonly status: string;
  /** A reply of SMTP, in one line. */
  readonly diagnostic?: string | undefined;
  /** The host that said so. */
  readonly remoteMta?: string | undefined;
  /** Of what is delayed. */
  readonly willRetryUntil?: Date | undefined;
}

export interface DeliveryReport extends ReportFrame {
  /** ENVID as SMTP had it: xtext. */
  readonly envelopeId?: string | undefined;
  readonly arrivedAt?: Date | undefined;
  /** At least one. */
  readonly recipients: readonly RecipientStatus[];
}

/** Field lines without their line ends. */
type Fields = readonly (readonly [name: string, value: string] | false)[];

// ------------------------------------------------------------------------------------------- delivery: RFC 3464

export function deliveryReport(report: DeliveryReport): Buffer {
  const { recipients, envelopeId, arrivedAt, reportingMta, date } = report;
  const isGlobal = recipients.some(({ address, originalRecipient = '' }) => !isAscii(address + originalRecipient));
  const blocks: Fields[] = [
    [
      envelopeId !== undefined && ['Original-Envelope-Id', oneLine(decodeXtext(envelopeId))], // §2.2.1
      ['Reporting-MTA', `dns; ${reportingMta}`],
      arrivedAt !== undefined && ['Arrival-Date', dateTime(arrivedAt)],
    ],
    ...recipients.map((each) => recipientFields(each, date)),
  ];
  const main = recipients.find(({ action }) => action === 'failed') ?? recipients[0]!;
  return multipartReport(
    report,
    'delivery-status',
    SUBJECTS[main.action],
    humanText(report),
    {
      type: isGlobal ? 'message/global-delivery-status' : 'message/delivery-status', // RFC 6533 §4
      blocks,
    },
    isGlobal,
  );
}

function recipientFields(recipient: RecipientStatus, date: Date): Fields {
  const { address, originalRecipient, action, status, diagnostic, remoteMta, willRetryUntil } = recipient;
  const [, type = '', original = ''] = /^([^;]*);(.*)$/s.exec(originalRecipient ?? '') ?? [];
  return [
    // RFC 3461 §4.2: never without ORCPT; its value is decoded.
    original !== '' && ['Original-Recipient', oneLine(`${type}; ${decodeXtext(original)}`)],
    ['Final-Recipient', `${addressType(address)}; ${address}`],
    ['Action', action],
    ['Status', status],
    remoteMta !== undefined && ['Remote-MTA', `dns; ${oneLine(remoteMta)}`],
    diagnostic !== undefined && ['Diagnostic-Code', `smtp; ${oneLine(diagnostic)}`],
    ['Last-Attempt-Date', dateTime(date)],
    willRetryUntil !== undefined && action === 'delayed' && ['Will-Retry-Until', dateTime(willRetryUntil)],
  ];
}

const SUBJECTS: Readonly<Record<DeliveryAction, string>> = {
  failed: 'Undelivered mail returned to sender',
  delayed: 'Delivery is delayed',
  delivered: 'Mail was delivered',
  relayed: 'Mail was handed over to a server that reports nothing',
  expanded: 'Mail was delivered to a mailing list',
};

const SENTENCES: Readonly<Record<DeliveryAction, string>> = {
  failed: 'Your message could not be delivered to:',
  delayed: 'Your message could not be delivered yet. It is not lost, and need not be sent again. Still waiting:',
  delivered: 'Your message was delivered to:',
  relayed: 'Your message was handed over to the server of these recipients, which will tell no more:',
  expanded: 'Your message was delivered to these mailing lists:',
};

function humanText({ recipients, reportingMta, returns }: DeliveryReport): string {
  const actions = [...new Set(recipients.map(({ action }) => action))];
  const paragraphs = actions.map((action) => {
    const those = recipients.filter((each) => each.action === action);
    const lines = those.map(({ address, diagnostic }) =>
      diagnostic === undefined ? `  <${address}>` : `  <${address}>: ${oneLine(diagnostic)}`,
    );
    return [SENTENCES[action], '', ...lines].join('\r\n');
  });
  const rest = returns === 'full' ? 'Your message is attached.' : "Your message's header is attached.";
  return [`This is the mail system of ${reportingMta}.`, ...paragraphs, rest].join('\r\n\r\n');
}

/** RFC 3461 §4: `+` and two hexadecimal digits are an octet. */
export function decodeXtext(text: string): string {
  const octets = text.replace(/(?:\+[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('+', ''), 'hex').toString(),
  );
  return octets;
}

// ---------------------------------------------------------------------------------------- disposition: RFC 8098

export interface DispositionReport extends ReportFrame {
  readonly disposition: 'displayed' | 'deleted' | 'dispatched' | 'processed';
  /** Whose mailbox it lies in. */
  readonly recipient: string;
  readonly originalRecipient?: string | undefined;
  /** The program: `glassmail`. */
  readonly product: string;
}

export function dispositionReport(report: DispositionReport): Buffer {
  const { disposition, recipient, originalRecipient, product, reportingMta, message } = report;
  const messageId = firstField(message, parseHeader(message), 'Message-ID');
  const [, type = '', original = ''] = /^([^;]*);(.*)$/s.exec(originalRecipient ?? '') ?? [];
  const fields: Fields = [
    ['Reporting-UA', `${reportingMta}; ${product}`],
    original !== '' && ['Original-Recipient', oneLine(`${type}; ${decodeXtext(original)}`)],
    ['Final-Recipient', `${addressType(recipient)}; ${recipient}`],
    messageId !== undefined && ['Original-Message-ID', oneLine(messageId)],
    ['Disposition', `manual-action/MDN-sent-manually; ${disposition}`], // §3.2.6
  ];
  const text = `The message to <${recipient}> was ${disposition}. This is no promise that it was read or understood.`;
  const isGlobal = !isAscii(recipient);
  return multipartReport(
    report,
    'disposition-notification',
    `${disposition[0]!.toUpperCase()}${disposition.slice(1)}: ${subjectOf(message)}`,
    text,
    {
      type: isGlobal ? 'message/global-disposition-notification' : 'message/disposition-notification',
      blocks: [fields],
    },
    isGlobal,
  );
}

// ------------------------------------------------------------------------------------------- feedback: RFC 5965

export interface FeedbackReport extends ReportFrame {
  readonly feedback: 'abuse' | 'fraud' | 'virus' | 'other' | 'not-spam';
  readonly reversePath?: string | undefined;
  readonly recipients: readonly string[];
  readonly arrivedAt?: Date | undefined;
  readonly sourceAddress?: string | undefined;
  /** Name and version of the program. */
  readonly product: string;
}

export function feedbackReport(report: FeedbackReport): Buffer {
  const { feedback, reversePath, recipients, arrivedAt, sourceAddress, product, reportingMta } = report;
  const domain = splitAddress(reversePath ?? '')?.domain;
  const fields: Fields = [
    ['Feedback-Type', feedback],
    ['User-Agent', product],
    ['Version', '1'],
    reversePath !== undefined && ['Original-Mail-From', `<${reversePath}>`],
    ...recipients.map((address) => ['Original-Rcpt-To', `<${address}>`] as const),
    arrivedAt !== undefined && ['Arrival-Date', dateTime(arrivedAt)],
    ['Reporting-MTA', `dns; ${reportingMta}`],
    sourceAddress !== undefined && ['Source-IP', sourceAddress],
    domain !== undefined && ['Reported-Domain', domain],
  ];
  const text = `This is an abuse report about a message that ${reportingMta} received; its kind is ${feedback}. The message is attached.`;
  // §2: the subject is that of the message.
  return multipartReport(report, 'feedback-report', `FW: ${subjectOf(report.message)}`, text, {
    type: 'message/feedback-report',
    blocks: [fields],
  });
}

// -------------------------------------------------------------------------------------- multipart/report: RFC 6522

function multipartReport(
  frame: ReportFrame,
  reportType: string,
  subject: string,
  text: string,
  machine: { readonly type: string; readonly blocks: readonly Fields[] },
  isGlobal = false,
): Buffer {
  const { boundary, message, returns } = frame;
  const returned = returns === 'full' ? bufferOver(message) : headerOf(message);
  const machineText = machine.blocks.map(fieldLines).join('\r\n');
  const types =
    returns === 'full' ? ['message/rfc822', 'message/global'] : ['text/rfc822-headers', 'message/global-headers'];
  const type = types[isGlobal ? 1 : 0]!;
  const pieces = [
    part('text/plain; charset=utf-8', Buffer.from(`${text}\r\n`)),
    part(machine.type, Buffer.from(machineText)),
    part(type, returned),
  ];
  // RFC 2045 §6.4: what contains eight bits says so.
  const encoding = pieces.some(({ isEightBit }) => isEightBit) ? '8bit' : '7bit';
  const header = fieldLines([
    ['From', formatAddress({ name: frame.from.name, ...(splitAddress(frame.from.address) ?? NOWHERE) })],
    ['To', frame.to],
    ['Subject', oneLine(subject)],
    ['Date', dateTime(frame.date)],
    ['Message-ID', frame.messageId],
    ...references(message),
    ['Auto-Submitted', 'auto-replied'], // RFC 3834 §5
    ['MIME-Version', '1.0'],
    ['Content-Type', `multipart/report; report-type=${reportType};\r\n\tboundary="${boundary}"`],
    ['Content-Transfer-Encoding', encoding],
  ]);
  return Buffer.concat([
    Buffer.from(`${header}\r\n`),
    ...pieces.flatMap(({ head, body }) => [Buffer.from(`--${boundary}\r\n${head}\r\n`), body, Buffer.from('\r\n')]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}

const NOWHERE = { localPart: 'postmaster', domain: 'localhost' };

function part(
  type: string,
  body: Buffer,
): { readonly head: string; readonly body: Buffer; readonly isEightBit: boolean } {
  const isEightBit = !isSevenBit(body);
  return {
    head: fieldLines([['Content-Type', type], isEightBit && ['Content-Transfer-Encoding', '8bit']]),
    body,
    isEightBit,
  };
}

function headerOf(message: Uint8Array): Buffer {
  return bufferOver(message).subarray(0, parseHeader(message).end);
}

/** RFC 5322 §3.6.4: the report answers the message. */
function references(message: Uint8Array): Fields {
  const messageId = firstField(message, parseHeader(message), 'Message-ID');
  if (messageId === undefined || !/^<[^<>\s]{1,900}>$/.test(messageId)) return [];
  return [
    ['In-Reply-To', messageId],
    ['References', messageId],
  ];
}

/** As it is written there, encoded words and all. */
function subjectOf(message: Uint8Array): string {
  const header = parseHeader(message);
  return fieldsNamed(header, 'Subject').length === 0 ? '(no subject)' : firstField(message, header, 'Subject')!;
}

function fieldLines(fields: Fields): string {
  return fields.map((field) => (field === false ? '' : `${field[0]}: ${field[1]}\r\n`)).join('');
}

/** RFC 5322 §2.1.1: nothing of what others have said begins a line of its own or makes one too long. */
function oneLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, 900);
}

function addressType(address: string): string {
  return isAscii(address) ? 'rfc822' : 'utf-8';
}

/** RFC 5322 §3.3. */
function dateTime(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}
