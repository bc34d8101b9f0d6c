/** DATA: RFC 5321 §4.1.1.4. */
import { IncomingMessage } from '../incoming-message.ts';
import { noRecipients } from '../lmtp.ts';
import { reply, type Reply } from '../replies.ts';
import type { SmtpSession } from '../session.ts';

/** @returns a reply: no message follows */
export function data(argument: string, session: SmtpSession): IncomingMessage | Reply {
  if (argument !== '') return reply(501, '5.5.4', 'DATA stands alone');
  const { transaction } = session;
  if (!transaction) return reply(503, '5.5.1', 'MAIL comes first');
  // RFC 3030 §2: not both in one transaction.
  if (transaction.message) return reply(503, '5.5.1', 'The message comes by BDAT: go on with that, or RSET');
  if (transaction.recipients.size === 0) return noRecipients(session);
  transaction.message = new IncomingMessage(session, transaction);
  return transaction.message;
}
