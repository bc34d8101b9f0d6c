/**
 * POST /api/v1/send: a message as JSON. It is composed by nodemailer and handed in as any delivery; since no mail protocol
 * brought it, it has no Received field.
 */
import { splitAddress } from '../../../mail/address.ts';
import type { LocalDelivery } from '../../../delivery/deliver.ts';
import type { Origin } from '../../../store/mail-store.ts';
import type { HttpParts } from '../../parts.ts';
import { problemOf } from '../../problem.ts';
import { type App, type HttpContext, json, limitedText } from '../../route.ts';
import { z } from 'zod';
import { withNames } from '../go-names.ts';

const NAMES = [
  ...['From', 'To', 'Cc', 'Bcc', 'ReplyTo', 'Subject', 'Text', 'HTML', 'Attachments', 'Tags', 'Headers'],
  ...['Email', 'Name', 'Content', 'Filename', 'ContentType', 'ContentID'],
];

/** What makes the message itself: given by fields of their own. */
const RESTRICTED = new Set(
  ['To', 'From', 'Cc', 'Bcc', 'Reply-To', 'Date', 'Subject', 'Content-Type', 'Mime-Version'].map((name) =>
    name.toLowerCase(),
  ),
);

const absentAsDefault = <T extends z.ZodType>(schema: T, value: z.input<T>) =>
  z.preprocess((given) => given ?? value, schema);
const person = z.object({ Email: z.string(), Name: absentAsDefault(z.string(), '') });
const people = absentAsDefault(z.array(person).max(1000), []);
const string = absentAsDefault(z.string(), '');

const sendBody = z.object({
  From: person,
  To: people,
  Cc: people,
  Bcc: absentAsDefault(z.array(z.string()).max(1000), []),
  ReplyTo: people,
  Subject: string,
  Text: string,
  HTML: string,
  Attachments: absentAsDefault(
    z.array(z.object({ Content: string, Filename: string, ContentType: string, ContentID: string })).max(1000),
    [],
  ),
  Tags: absentAsDefault(z.array(z.string()).max(1000), []),
  Headers: absentAsDefault(z.record(z.string(), z.string()), {}),
});
type SendBody = z.output<typeof sendBody>;

/** What the client has to be told; the message is for it. */
class CannotSend extends Error {}

export function addSend(app: App, parts: HttpParts): void {
  app.post('/api/v1/send', async (context) => {
    try {
      if (!parts.delivery) throw new CannotSend('this server takes no mail by HTTP');
      // Base64 and JSON make it larger than it will be.
      const body = await limitedText(context.req.raw, Math.ceil(parts.maximumMessageOctets * 1.5));
      return json({ ID: await send(read(body), parts, parts.delivery, origin(context)) });
    } catch (error) {
      const problem = error instanceof CannotSend ? { status: 400, message: error.message } : problemOf(error);
      if (!problem) throw error;
      const headers: Record<string, string> = problem.status === 413 ? { Connection: 'close' } : {};
      return json({ Error: problem.message }, problem.status === 413 ? 413 : 400, headers);
    }
  });
}

function read(text: string): SendBody {
  let value: unknown;
  try {
    value = withNames(JSON.parse(text), NAMES);
  } catch (error) {
    throw new CannotSend(`the body must be JSON: ${(error as Error).message}`);
  }
  const result = sendBody.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new CannotSend(`${path.map(String).join('.') || 'body'}: ${message}`);
}

async function send(body: SendBody, parts: HttpParts, delivery: LocalDelivery, origin: Origin): Promise<string> {
  checkAddresses(body);
  const octets = await compose(body);
  if (octets.length > parts.maximumMessageOctets) {
    throw new CannotSend(`the message is larger than ${parts.maximumMessageOctets} octets`);
  }
  const to = [...body.To.map(({ Email }) => Email), ...body.Cc.map(({ Email }) => Email), ...body.Bcc];
  const distinct = [...new Map(to.map((address) => [address.toLowerCase(), address])).values()];
  if (distinct.length === 0) throw new CannotSend('no recipients: give To, Cc or Bcc');
  const recipients = await Promise.all(distinct.map((address) => delivery.recipient(address)));
  await using spool = parts.store.spool();
  await spool.write(octets);
  const { transactionId } = await delivery.deliver({
    reversePath: body.From.Email,
    recipients,
    content: await spool.finish(),
    receivedAt: new Date(),
    origin,
    received: undefined,
    tags: body.Tags,
  });
  return transactionId;
}

function checkAddresses({ From, To, Cc, Bcc, ReplyTo }: SendBody): void {
  const check = (field: string, addresses: readonly string[]): void => {
    const wrong = addresses.find((address) => !isAddress(address));
    if (wrong !== undefined) throw new CannotSend(`invalid ${field} address: ${wrong.slice(0, 200)}`);
  };
  const emails = (list: SendBody['To']): string[] => list.map(({ Email }) => Email);
  check('From', [From.Email]);
  check('To', emails(To));
  check('Cc', emails(Cc));
  check('Bcc', Bcc);
  check('Reply-To', emails(ReplyTo));
}

/** One address and no list of them, fit for an envelope. */
function isAddress(address: string): boolean {
  const parts = splitAddress(address);
  return parts !== undefined && parts.localPart !== '' && parts.domain !== '' && !/[\s<>,;\x00-\x1f\x7f]/.test(address);
}

async function compose(body: SendBody): Promise<Buffer> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const address = ({ Email, Name }: SendBody['From']) => ({ name: Name, address: Email });
  const { message } = await transport.sendMail({
    from: address(body.From),
    to: body.To.map(address),
    cc: body.Cc.map(address),
    bcc: body.Bcc.map((email) => ({ name: '', address: email })),
    replyTo: body.ReplyTo.map(address),
    subject: body.Subject,
    text: body.Text,
    ...(body.HTML !== '' && { html: body.HTML }),
    headers: headersOf(body),
    attachments: body.Attachments.map(attachment),
    keepBcc: true,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as Parameters<typeof transport.sendMail>[0]);
  return withoutDefaults(message as Buffer);
}

function headersOf({ Headers }: SendBody): { key: string; value: string }[] {
  return Object.entries(Headers).map(([key, value]) => {
    if (RESTRICTED.has(key.toLowerCase())) throw new CannotSend(`cannot overwrite header: "${key}"`);
    if (!/^[\x21-\x39\x3b-\x7e]{1,100}$/.test(key)) throw new CannotSend(`invalid header name: "${key.slice(0, 100)}"`);
    return { key, value };
  });
}

function attachment({ Content, Filename, ContentType, ContentID }: SendBody['Attachments'][number]): object {
  // Browsers read files as data: URLs.
  const base64 = Content.slice(Content.lastIndexOf(',') + 1).replace(/[\r\n]/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 === 1) {
    throw new CannotSend(`error decoding base64 attachment "${Filename}"`);
  }
  return {
    content: Buffer.from(base64, 'base64'),
    filename: Filename,
    ...(ContentType !== '' && { contentType: ContentType }),
    ...(ContentID !== '' && { cid: ContentID, contentDisposition: 'inline' }),
  };
}

/** 7bit is what a message without the field has (RFC 2045 §6.1); clients compare the fields with those of Mailpit. */
function withoutDefaults(message: Buffer): Buffer {
  const end = message.indexOf('\r\n\r\n');
  const header = message.toString('latin1', 0, end + 2).replace(/^Content-Transfer-Encoding: 7bit\r\n/im, '');
  return Buffer.concat([Buffer.from(header, 'latin1'), message.subarray(end + 2)]);
}

function origin(context: HttpContext): Origin {
  const [, given = ''] = /^basic +(\S+)$/i.exec(context.req.header('authorization') ?? '') ?? [];
  const login = Buffer.from(given, 'base64').toString('utf8').split(':', 1)[0]!;
  const { address } = context.get('client');
  return {
    service: 'http',
    conversation: undefined,
    remoteAddress: address,
    helo: undefined,
    login: login === '' ? undefined : login,
    tls: undefined,
  };
}
