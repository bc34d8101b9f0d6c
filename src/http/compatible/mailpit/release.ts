/** POST /api/v1/message/{id}/release: a captured message goes out after all, through the relay of the configuration. */
import { randomUUID } from 'node:crypto';
import { addrSpec, mailboxesOf, parseAddressList, splitAddress } from '../../../mail/address.ts';
import { decodeEncodedWords, firstField, parseHeader } from '../../../mail/headers.ts';
import { wholeContent } from '../../content.ts';
import type { HttpParts } from '../../parts.ts';
import type { App } from '../../route.ts';
import { type Found, findWhole, looseBody, notFound, text } from './request.ts';
import type { Relay } from './settings.ts';

/** Nobody waits longer for a relay that does not answer. */
const RELAY_MS = 15_000;

export function addRelease(app: App, { store, mailpit }: HttpParts): void {
  app.post('/api/v1/message/:id/release', async (context) => {
    const relay = mailpit?.relay;
    if (!relay) return text('Message relaying is not configured: see --relay', 400);
    const found = await findWhole(store, context);
    if (!found) return notFound(context);
    const body = await looseBody(context.req.raw);
    const to = Array.isArray(body?.To) ? body.To.map(String) : [];
    const wrong = faultOfRecipients(to, relay);
    if (wrong !== undefined) return text(wrong, 400);
    try {
      await release(found, to.map(bare), relay);
      return text('ok');
    } catch (error) {
      return text(`SMTP error: ${(error as Error).message}`, 400);
    }
  });
}

/** Undefined: these may be sent to. */
export function faultOfRecipients(to: readonly string[], { allowed, blocked }: Relay): string | undefined {
  if (to.length === 0) return 'No valid addresses found';
  const invalid = to.find((address) => !/^[^\s<>,;]+@[^\s<>,;]+$/.test(bare(address)) || !splitAddress(bare(address)));
  if (invalid !== undefined) return `Invalid email address: ${invalid.slice(0, 200)}`;
  const others = allowed ? to.filter((address) => !allowed.test(bare(address))) : [];
  if (others.length > 0) return `Failed: ${counted(others)} do not match the allowlist: ${others.join(', ')}`;
  const hit = blocked ? to.filter((address) => blocked.test(bare(address))) : [];
  return hit.length > 0 ? `Failed: ${counted(hit)} found on blocklist: ${hit.join(', ')}` : undefined;
}

const counted = ({ length }: readonly string[]): string => `${length} ${length === 1 ? 'Address' : 'Addresses'}`;

/** `Name <address>` is understood too. */
function bare(given: string): string {
  return /<([^<>]*)>\s*$/.exec(given)?.[1] ?? given.trim();
}

/** @throws Error what the server said, or that it said nothing */
export async function release(
  { transaction, content }: Pick<Found, 'transaction' | 'content'>,
  to: readonly string[],
  relay: Relay,
): Promise<void> {
  const { createTransport } = await import('nodemailer');
  // As it was received: the trace is of this server, and the next one writes its own (RFC 5321 §4.4).
  const received = (await wholeContent(content)).subarray(content.traceSize);
  const transport = createTransport({
    host: relay.host,
    port: relay.port,
    secure: relay.tls === 'implicit',
    requireTLS: relay.tls === 'required',
    ignoreTLS: relay.tls === 'none',
    tls: { rejectUnauthorized: !relay.allowUntrusted },
    connectionTimeout: RELAY_MS,
    greetingTimeout: RELAY_MS,
    socketTimeout: RELAY_MS,
    ...(relay.auth !== undefined && {
      auth: { user: relay.user, pass: relay.password },
      authMethod: relay.auth.toUpperCase(),
    }),
  });
  const from = relay.returnPath === '' ? senderOf(received, transaction.reversePath) : relay.returnPath;
  try {
    await transport.sendMail({ envelope: { from, to: [...to] }, raw: releasedMessage(received, relay) });
  } finally {
    transport.close();
  }
}

/** Who is told of failures: Sender, else From, else who handed it in. */
function senderOf(octets: Uint8Array, reversePath: string): string {
  const header = parseHeader(octets);
  const field = firstField(octets, header, 'Sender') ?? firstField(octets, header, 'From') ?? '';
  const [mailbox] = mailboxesOf(parseAddressList(decodeEncodedWords(field)));
  return mailbox && mailbox.domain !== '' ? addrSpec(mailbox) : reversePath;
}

/** Without Bcc, with a new Date and, unless it is to be kept, a new Message-ID: to the world it is another message. */
function releasedMessage(octets: Uint8Array, relay: Relay, now = new Date()): Buffer {
  const header = parseHeader(octets);
  const from = firstField(octets, header, 'From');
  const replaced = new Set(['bcc', 'return-path', 'date']);
  const fields = [`Date: ${now.toUTCString().replace('GMT', '+0000')}\r\n`];
  if (!relay.preserveMessageIds) {
    replaced.add('message-id');
    fields.push(`Message-ID: <${randomUUID()}@glassmail>\r\n`);
  }
  if (relay.overrideFrom !== '') {
    replaced.add('from');
    fields.push(`From: <${relay.overrideFrom}>\r\n`);
    if (from !== undefined) fields.push(`X-Original-From: ${from}\r\n`);
  }
  const pieces: Uint8Array[] = [Buffer.from(fields.join(''))];
  let at = header.start;
  for (const field of header.fields) {
    if (!replaced.has(field.name.toLowerCase())) continue;
    pieces.push(octets.subarray(at, field.start));
    at = field.end;
  }
  pieces.push(octets.subarray(at));
  return Buffer.concat(pieces);
}
