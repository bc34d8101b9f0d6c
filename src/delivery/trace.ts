/**
 * Trace fields: RFC 5321 §4.4. They are complete before the message is stored and the same for all of its recipients.
 */
import { isIPv6 } from 'node:net';

/** How a message came, for its `Received` field. */
export interface Received {
  /** An atom. */
  readonly id: string;
  readonly protocol: 'SMTP' | 'ESMTP' | 'LMTP';
  readonly smtpUtf8: boolean;
  readonly tls: { readonly version: string; readonly cipher: string } | undefined;
}

export interface TraceFields {
  readonly reversePath: string;
  readonly forwardPaths: readonly { readonly address: string }[];
  readonly receivedAt: Date;
  readonly helo: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly login: string | undefined;
  readonly serverName: string;
  /** Undefined: it came by no mail protocol, and has no such field. */
  readonly received: Received | undefined;
}

/** Whole lines, each with CRLF. */
export function traceFields(fields: TraceFields): Buffer {
  const { received } = fields;
  return Buffer.from(`Return-Path: <${fields.reversePath}>\r\n${received ? receivedField(fields, received) : ''}`);
}

function receivedField(fields: TraceFields, received: Received): string {
  const { serverName, forwardPaths, receivedAt } = fields;
  const { tls, id } = received;
  const encrypted = tls ? ` (${tls.version})\r\n\ttls ${tls.cipher}` : '';
  // RFC 5321 §7.6: with several recipients, none is told about the others.
  const recipient = forwardPaths.length === 1 ? `\r\n\tfor <${forwardPaths[0]!.address}>` : '';
  return (
    `Received: from ${clientName(fields)}\r\n` +
    `\tby ${serverName} with ${withProtocol(received, fields.login)} id ${id}` +
    `${recipient}${encrypted};\r\n\t${dateTime(receivedAt)}\r\n`
  );
}

/** What the client called itself, and in brackets where it came from. */
function clientName({ helo, remoteAddress }: TraceFields): string {
  const literal = addressLiteral(remoteAddress);
  if (helo === undefined || !NAME.test(helo)) return literal === undefined ? 'unknown' : `${literal} (${literal})`;
  return literal === undefined ? helo : `${helo} (${literal})`;
}

/** What may stand in a field as it is; clients call themselves all sorts of things. */
const NAME = /^(?:[\w\x80-\u{10ffff}.-]+|\[[\w.:-]+\])$/u;

/** RFC 5321 §4.1.3. */
function addressLiteral(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  return isIPv6(address) ? `[IPv6:${address}]` : `[${address}]`;
}

/** RFC 3848; with SMTPUTF8, RFC 6531 §4.3. What began with HELO has neither TLS nor a login in its name. */
function withProtocol({ protocol, smtpUtf8, tls }: Received, login: string | undefined): string {
  if (protocol === 'SMTP') return protocol;
  const name = smtpUtf8 ? `UTF8${protocol === 'LMTP' ? 'LMTP' : 'SMTP'}` : protocol;
  return `${name}${tls ? 'S' : ''}${login === undefined ? '' : 'A'}`;
}

/** RFC 5322 §3.3. */
function dateTime(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}
