/**
 * Reports about a message, as if another server had sent them: a test sees what its sender does with a bounce. They come
 * in like any mail, with the null reverse-path (RFC 5321 §4.5.5), and lie in the mailbox of whoever sent the message.
 */
import { randomUUID } from 'node:crypto';
import { addrSpec, mailboxesOf, parseAddressList } from '../../mail/address.ts';
import { firstField, parseHeader } from '../../mail/headers.ts';
import { type DeliveryAction, deliveryReport, dispositionReport, feedbackReport } from '../../mail/reports.ts';
import type { ForwardPath } from '../../store/mail-store.ts';
import { wholeContent } from '../content.ts';
import type { FoundMessage } from '../message-view.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import { messagePath } from '../schemas/messages.ts';
import { type MadeReport, type NewReport, madeReport, newReport } from '../schemas/reports.ts';
import { findMessage } from './messages.ts';

/** RFC 3461 §4.3: without RET the choice is ours. A message is not sent back whole if it is larger, in octets. */
const LARGEST_RETURNED = 64 * 1024;

export const reportRoutes = [
  route({
    method: 'post',
    path: '/api/glass/messages/{id}/report',
    group: 'Messages',
    summary:
      'Make a report about a message (bounce, delay, delivery, disposition, complaint) and deliver it to its sender',
    params: messagePath,
    body: newReport,
    answers: {
      201: { description: 'The report has been delivered', schema: madeReport },
      404: { description: 'There is no such message', schema: problem },
      409: { description: 'Nobody wants a report about this message: it needs `to`', schema: problem },
    },
    async handle({ params, body }, parts) {
      const { delivery, store } = parts;
      if (!delivery) throw new HttpProblem(404, 'this server takes no mail over HTTP');
      const found = await findMessage(parts, params.id);
      const message = await wholeContent(found.content);
      const to = body.to ?? addressee(found, message, body.type);
      if (to === undefined || to === '') throw new HttpProblem(409, NOBODY);
      const recipient = await delivery.recipient(to);
      await using spool = store.spool();
      await spool.write(reportOf(body, to, found, message, parts));
      const receivedAt = new Date();
      const { transactionId } = await delivery.deliver({
        reversePath: '', // RFC 3464 §2, RFC 8098 §3: a report is never answered by another one
        recipients: [recipient],
        content: await spool.finish(),
        receivedAt,
        origin: {
          service: 'http',
          conversation: undefined,
          remoteAddress: undefined,
          helo: undefined,
          login: undefined,
          tls: undefined,
        },
        received: undefined,
      });
      const location = { Location: `/api/glass/messages/${transactionId}` };
      return json({ id: transactionId, type: body.type, to } satisfies MadeReport, 201, location);
    },
  }),
];

const NOBODY = 'the message has no sender that wants to hear of it: say `to`';

/** RFC 8098 §2.1; otherwise whoever the envelope names. */
function addressee({ transaction }: FoundMessage, message: Uint8Array, type: NewReport['type']): string | undefined {
  const header = parseHeader(message);
  const inField = (name: string): string | undefined =>
    mailboxesOf(parseAddressList(firstField(message, header, name) ?? '')).map(addrSpec)[0];
  if (type === 'displayed' || type === 'deleted') return inField('Disposition-Notification-To');
  return transaction?.reversePath ?? inField('Return-Path');
}

function reportOf(body: NewReport, to: string, found: FoundMessage, message: Uint8Array, parts: HttpParts): Buffer {
  const { transaction } = found;
  const { defaultDomain, version } = parts;
  const whom = recipientsOf(body, found, message);
  const whole = body.return ?? (transaction?.returnType?.toLowerCase() === 'hdrs' ? 'headers' : undefined);
  const isFull = transaction?.returnType?.toUpperCase() === 'FULL' || message.length <= LARGEST_RETURNED;
  const frame = {
    to,
    reportingMta: defaultDomain,
    date: new Date(),
    messageId: `<${randomUUID()}@${defaultDomain}>`,
    boundary: `report-${randomUUID()}`,
    message,
  };
  const arrivedAt = transaction?.receivedAt;
  const product = `glassmail/${version}`;
  switch (body.type) {
    case 'displayed':
    case 'deleted': {
      const { address, originalRecipient } = whom[0]!;
      const from = { name: '', address };
      const shared = { ...frame, from, returns: 'headers', recipient: address, originalRecipient } as const;
      return dispositionReport({ ...shared, disposition: body.type, product: 'glassmail' });
    }
    case 'complaint':
      return feedbackReport({
        ...frame,
        from: { name: 'Feedback', address: `feedback@${defaultDomain}` },
        returns: body.return ?? 'full',
        feedback: body.feedback ?? 'abuse',
        reversePath: transaction?.reversePath,
        recipients: whom.map(({ address }) => address),
        arrivedAt,
        sourceAddress: transaction?.origin.remoteAddress,
        product,
      });
    case 'failed':
    case 'delayed':
    case 'delivered':
    case 'relayed': {
      const { type: action, remoteMta } = body;
      const usual = USUAL[action];
      const status = body.status ?? usual.status;
      return deliveryReport({
        ...frame,
        from: { name: 'Mail Delivery System', address: `MAILER-DAEMON@${defaultDomain}` },
        // RFC 3461 §4.3: RET counts where a delivery failed; otherwise only the header goes back.
        returns: action === 'failed' ? (whole ?? (isFull ? 'full' : 'headers')) : (body.return ?? 'headers'),
        envelopeId: transaction?.envelopeId,
        arrivedAt,
        recipients: whom.map(({ address, originalRecipient }) => ({
          address,
          originalRecipient,
          action,
          status,
          diagnostic: body.diagnostic ?? usual.diagnostic?.(status),
          remoteMta,
          willRetryUntil: new Date(Date.now() + 4 * 24 * 3_600_000),
        })),
      });
    }
  }
}

/** What RFC 3463 has for it, and a reply that fits. */
const USUAL: Readonly<
  Record<
    Exclude<DeliveryAction, 'expanded'>,
    { readonly status: string; readonly diagnostic?: (status: string) => string }
  >
> = {
  failed: {
    status: '5.1.1',
    diagnostic: (status) => `${status.startsWith('4') ? 451 : 550} ${status} No such user here`,
  },
  delayed: { status: '4.4.1', diagnostic: (status) => `421 ${status} Connection timed out` },
  delivered: { status: '2.1.5' },
  relayed: { status: '2.1.9' },
};

/** Those of the envelope, or the one that is asked for; of a message without an envelope, whom its header names. */
function recipientsOf(body: NewReport, { transaction }: FoundMessage, message: Uint8Array): readonly ForwardPath[] {
  const all = transaction?.forwardPaths ?? [];
  const wanted = body.recipient?.toLowerCase();
  const chosen = wanted === undefined ? all : all.filter(({ address }) => address.toLowerCase() === wanted);
  if (chosen.length > 0) return chosen;
  if (body.recipient !== undefined) return [{ address: body.recipient }];
  const header = parseHeader(message);
  const named = mailboxesOf(parseAddressList(firstField(message, header, 'To') ?? '')).map(addrSpec);
  if (named.length === 0) throw new HttpProblem(409, 'the message has no recipient: say `recipient`');
  return named.map((address) => ({ address }));
}
