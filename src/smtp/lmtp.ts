/**
 * LMTP: RFC 2033, and what differs there from SMTP. It greets with LHLO (§4.1), and after the message each recipient gets a
 * reply of its own (§4.2, §4.3), so that the client needs to queue only for those who failed.
 *
 * Here all recipients of a transaction are committed together or not at all, so the replies at the end are all alike. What
 * is wrong with one recipient alone (no such account, no such domain) is said at its RCPT, and the others go on.
 */
import { reply, type Reply } from './replies.ts';
import type { SmtpSession } from './session.ts';

/** The replies to a message, in their order; to be asked for while its transaction is still there. */
export function outcomes(said: Reply, { options, transaction }: SmtpSession): readonly Reply[] {
  if (options.service !== 'lmtp' || !transaction?.message) return [said];
  // §4.2: one for each RCPT that was accepted, even where several named the same recipient.
  return transaction.accepted.map((address) => ({ ...said, text: `<${address}> ${String(said.text)}` }));
}

/** When DATA or BDAT comes to nobody. */
export function noRecipients({ options }: SmtpSession): Reply {
  if (options.service === 'lmtp') return reply(503, '5.5.1', 'No valid recipients'); // §4.2
  return reply(554, '5.5.1', 'No valid recipients'); // RFC 2920 §3.1
}
