/**
 * RCPT: RFC 5321 §4.1.1.3.
 * Each recipient is taken or refused by itself; who is named twice gets one copy.
 */
import { isAscii } from '../../mail/octets.ts';
import { atRecipient } from '../faults.ts';
import { rcptParameters } from '../grammar/parameters.ts';
import { forwardPath } from '../grammar/path.ts';
import { RECIPIENT_OK, reply, struck, type Reply } from '../replies.ts';
import type { SmtpSession } from '../session.ts';

/**
 * @throws BadSyntax, Refusal (NONEXISTENT: 550 5.1.1, NOPERM: 550 5.7.1, OVERQUOTA: 452 4.2.2, BEYONDQUOTA: 552 5.2.2;
 * RFC 1870 §6.1 for what SIZE has said)
 */
export async function rcpt(argument: string, session: SmtpSession): Promise<Reply> {
  const { transaction, options, connection } = session;
  if (!transaction) return reply(503, '5.5.1', 'MAIL comes first');
  if (transaction.message) return reply(503, '5.5.1', 'The message has begun: go on with BDAT, or RSET');
  const to = /^TO *: */i.exec(argument);
  if (!to) return reply(501, '5.5.4', 'Syntax: RCPT TO:<address>');
  const { address, rest } = forwardPath(argument.slice(to[0].length));
  const parameters = rcptParameters(rest);
  if (!transaction.parameters.smtpUtf8 && !isAscii(address)) {
    return reply(553, '5.6.7', 'The address needs SMTPUTF8, given with MAIL'); // RFC 6531 §3.5
  }
  const hit = struck(session, 'recipient');
  if (hit) return hit;
  const key = address.toLowerCase();
  const { recipients, accepted } = transaction;
  if (!recipients.has(key)) {
    if (recipients.size >= options.maximumRecipients) return reply(452, '4.5.3', 'Too many recipients'); // §4.5.3.1.10
    const recipient = await options.delivery.recipient(address, transaction.parameters.size);
    connection.conversation.concerns(recipient.scope);
    const fault = atRecipient(address, session);
    const refused = fault && (await fault);
    if (refused) return refused;
    recipients.set(key, { ...recipient, ...parameters });
  }
  accepted.push(address);
  return RECIPIENT_OK;
}
