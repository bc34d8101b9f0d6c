/**
 * LMTP: RFC 2033, and what differs there from SMTP. It greets with LHLO (§4.1), and after the message each recipient gets a
 * reply of its own (§4.2, §4.3), so that the client needs to queue only for those who failed.
 *
 * What is wrong with one recipient alone (no such account, no such domain, a full one) is said at its RCPT, and the others
 * go on. So they do if the message finds no room with one of them after all: those who have room get it together, in one
 * commit, and their replies are all alike.
 */
import { reply, type Reply } from './replies.ts';
import type { SmtpSession } from './session.ts';

/** The replies to a message, in their order; to be asked for while its transaction is still there. */
export function outcomes(said: Reply, { options, transaction }: SmtpSession): readonly Reply[] {
  if (options.service !== 'lmtp' || !transaction?.message) return [said];
  // §4.2: one for each RCPT that was accepted, even where several named the same recipient.
  return transaction.accepted.map((address) => {
    const own = transaction.refused.get(address.toLowerCase()) ?? said;
    return { ...own, text: `<${address}> ${String(own.text)}` };
  });
}

/** When DATA or BDAT comes to nobody. */
export function noRecipients({ options }: SmtpSession): Reply {
  if (options.service === 'lmtp') return reply(503, '5.5.1', 'No valid recipients'); // §4.2
  return reply(554, '5.5.1', 'No valid recipients'); // RFC 2920 §3.1
}
