/** Mail that a page writes: handed in over our own submission port, so that it goes the way of all mail. */
import { randomUUID } from 'node:crypto';
import { type Mailbox, addrSpec, mailboxesOf, parseAddressList, splitAddress } from '../../mail/address.ts';
import { firstField, parseHeader } from '../../mail/headers.ts';
import { messageIds, referencesOf } from '../../mail/message-ids.ts';
import type { MailboxId } from '../../store/change.ts';
import type { Account, Content } from '../../store/mail-store.ts';
import { Refusal } from '../../store/refusal.ts';
import { handIn } from '../hand-in.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem, badInput } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import {
  type Composed,
  type HandedIn,
  composeBody,
  composed,
  handedIn,
  notHandedIn,
  redeliverBody,
} from '../schemas/compose.ts';
import { messagePath } from '../schemas/messages.ts';
import { specialMailbox } from '../special-mailboxes.ts';
import { accountNamed } from './accounts.ts';
import { findMessage } from './messages.ts';
import type { z } from 'zod';

type Letter = z.output<typeof composeBody>;

/** Of the header of the message that is answered. */
const HEADER_OCTETS = 256 * 1024;
const MOST_RECIPIENTS = 1000;

const serverRefused = { description: 'The server refused it for good; `reply` has its words', schema: notHandedIn };
const notNow = { description: 'The server refused it for now, or its port is off', schema: notHandedIn };
const unreachable = { description: 'The port could not be asked', schema: notHandedIn };

export const composeRoutes = [
  route({
    method: 'post',
    path: '/api/glass/compose',
    group: 'Messages',
    summary: 'Write a message and hand it in over the submission port',
    description:
      'The server logs in to its own submission port with a token that lives as long as this request, so that the message goes the way of all mail and the conversation is recorded. A copy goes to the mailbox with \\Sent.',
    body: composeBody,
    answers: {
      201: { description: 'The server has taken it', schema: composed },
      404: { description: 'There is no such account, or no message to answer', schema: problem },
      413: { description: 'It is larger than a message may be', schema: problem },
      422: serverRefused,
      502: unreachable,
      503: notNow,
    },
    async handle({ body }, parts) {
      const account = await accountNamed(parts, body.from);
      const to = recipients(parts, body, 'to');
      const cc = recipients(parts, body, 'cc');
      const bcc = recipients(parts, body, 'bcc');
      const all = [...new Set([...to, ...cc, ...bcc].map(addrSpec))];
      if (all.length === 0)
        throw badInput([{ in: 'body', field: 'to', rule: 'must name somebody, or cc or bcc must' }]);
      const answered = body.answers && (await findMessage(parts, body.answers.id));
      const ancestors = answered && (await ancestorsIn(answered.content));
      const domain = splitAddress(account.address)?.domain ?? parts.defaultDomain;
      const messageId = `${randomUUID()}@${domain}`;
      const raw = await compose(body, account, { to, cc, messageId, ancestors });
      if (raw.length > parts.maximumMessageOctets) {
        throw new HttpProblem(413, `a message may have ${parts.maximumMessageOctets} octets at most`);
      }
      const taken = await handIn(parts, { from: account.address, to: all, raw, login: account.address });
      const sent = await keepCopy(parts, account, withBcc(raw, bcc));
      await markAnswered(parts, account, body.answers);
      return json({ ...taken, messageId, sent } satisfies Composed, 201);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/messages/{id}/redeliver',
    group: 'Messages',
    summary: 'Hand a message in once more over the SMTP port, with the octets as they were received',
    params: messagePath,
    body: redeliverBody,
    answers: {
      201: { description: 'The server has taken it', schema: handedIn },
      404: { description: 'There is no such message', schema: problem },
      422: serverRefused,
      502: unreachable,
      503: notNow,
    },
    async handle({ params, body }, parts) {
      const { transaction, content } = await findMessage(parts, params.id);
      const given = recipients(parts, body, 'to').map(addrSpec);
      const to = given.length > 0 ? given : (transaction?.forwardPaths.map(({ address }) => address) ?? []);
      if (to.length === 0) {
        throw badInput([{ in: 'body', field: 'to', rule: 'must name somebody: no transaction brought this message' }]);
      }
      const raw = await octetsOf(content, content.traceSize, content.size);
      const taken = await handIn(parts, { from: transaction?.reversePath ?? '', to, raw, login: undefined });
      return json(taken satisfies HandedIn, 201);
    },
  }),
];

// -------------------------------------------------------------------------------------------------------- addresses

/** @throws HttpProblem 400 */
function recipients<Field extends string>(
  parts: HttpParts,
  body: Readonly<Record<Field, string>>,
  field: Field,
): readonly Mailbox[] {
  const wrong = (rule: string) => badInput([{ in: 'body', field, rule }]);
  const found = mailboxesOf(parseAddressList(body[field])).map((mailbox) => {
    // A name alone is read as a local part with nothing behind it.
    const whole = mailbox.domain === '' ? { ...mailbox, domain: parts.defaultDomain } : mailbox;
    if (!isDeliverable(whole))
      throw wrong(`must hold addresses; ${JSON.stringify(addrSpec(mailbox).slice(0, 200))} is none`);
    return whole;
  });
  if (found.length === 0 && body[field].trim() !== '') throw wrong('must hold addresses, divided by commas');
  if (found.length > MOST_RECIPIENTS) throw wrong(`must hold ${MOST_RECIPIENTS} addresses at most`);
  return found;
}

/** What RFC 5321 §4.1.2 lets into a path. */
function isDeliverable({ localPart, domain, name = '' }: Mailbox): boolean {
  const isClean = !/[\x00-\x1f\x7f<>]/.test(localPart + domain) && !/[\x00-\x08\x0a-\x1f\x7f]/.test(name);
  return (
    isClean && localPart !== '' && localPart.length <= 64 && /^(?:\[[^\s[\]]+\]|[^\s"(),:;@[\\\]]{1,255})$/.test(domain)
  );
}

// ---------------------------------------------------------------------------------------------------------- message

interface Making {
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  readonly messageId: string;
  readonly ancestors: Ancestors | undefined;
}

/** Without Bcc: RFC 5322 §3.6.3. */
async function compose(body: Letter, account: Account, { to, cc, messageId, ancestors }: Making): Promise<Buffer> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const address = (mailbox: Mailbox) => ({ name: mailbox.name ?? '', address: addrSpec(mailbox) });
  const { message } = await transport.sendMail({
    from: { name: body.name, address: account.address },
    to: to.map(address),
    cc: cc.map(address),
    subject: body.subject,
    text: body.text,
    messageId: `<${messageId}>`,
    date: new Date(),
    ...(ancestors && {
      ...(body.answers?.kind === 'reply' && ancestors.own !== undefined && { inReplyTo: `<${ancestors.own}>` }),
      references: ancestors.all.map((id) => `<${id}>`),
    }),
    attachments: body.attachments.map(({ fileName, contentType, base64 }) => ({
      filename: fileName,
      content: Buffer.from(base64, 'base64'),
      ...(contentType !== '' && { contentType }),
    })),
    headers: { 'User-Agent': 'glassmail' },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return message as Buffer;
}

interface Ancestors {
  /** The Message-ID of the message that is answered. */
  readonly own: string | undefined;
  /** RFC 5322 §3.6.4: its References, or else its In-Reply-To, and its Message-ID. */
  readonly all: readonly string[];
}

async function ancestorsIn(content: Content): Promise<Ancestors> {
  const octets = await octetsOf(content, 0, Math.min(content.size, HEADER_OCTETS));
  const header = parseHeader(octets);
  const field = (name: string): string | undefined => firstField(octets, header, name);
  const [own] = messageIds(field('Message-ID') ?? '');
  const before = referencesOf(field('References'), field('In-Reply-To'));
  const all = [...before, ...(own === undefined ? [] : [own])];
  // What would break the line of a header is named by nobody.
  return { own, all: all.filter((id) => /^[\x21-\x7e]{1,900}$/.test(id)) };
}

/** The sender's own copy tells whom else it went to. */
function withBcc(raw: Buffer, bcc: readonly Mailbox[]): Buffer {
  if (bcc.length === 0) return raw;
  return Buffer.concat([Buffer.from(`Bcc: ${bcc.map(addrSpec).join(',\r\n ')}\r\n`), raw]);
}

// ------------------------------------------------------------------------------------------------------ after that

/** The message has gone out: that its copy finds no room is told, and undoes nothing. */
async function keepCopy(parts: HttpParts, account: Account, octets: Buffer): Promise<Composed['sent']> {
  const { store } = parts;
  try {
    const mailbox = await specialMailbox(store, account.id, '\\Sent');
    await using spool = store.spool();
    await spool.write(octets);
    const message = { content: await spool.finish(), flags: ['\\Seen'], internalDate: new Date() };
    const { uids } = await store.appendMessages(account.id, mailbox.id, [message]);
    const [uid] = uids;
    if (uid === undefined) return null;
    return { account: account.address, mailbox: mailbox.id, mailboxName: mailbox.name, uid };
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** \Answered (RFC 9051 §2.3.2), $Forwarded (RFC 5550 §2.8): on the writer's own copy alone. */
async function markAnswered({ store }: HttpParts, account: Account, answers: Letter['answers']): Promise<void> {
  if (answers?.mailbox === undefined || answers.uid === undefined) return;
  const mailbox = await store.findMailbox(account.id, answers.mailbox as MailboxId);
  if (!mailbox) return;
  const flag = answers.kind === 'reply' ? '\\Answered' : '$Forwarded';
  await store.storeFlags(account.id, mailbox.id, [answers.uid], { mode: 'add', flags: [flag] });
}

async function octetsOf(content: Content, start: number, end: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content.read(start, end)) pieces.push(piece);
  return Buffer.concat(pieces);
}
