/**
 * BDAT, the CHUNKING extension: RFC 3030 §2.
 * The message comes in chunks of counted octets, exactly as they are to be stored: no dot is added, none is taken away.
 * A chunk that is refused comes all the same, and is thrown away before it is replied to.
 *
 * BINARYMIME (RFC 3030 §3) is not offered. A message with a part in `binary` may hold NUL, and no way of reading mail can
 * show that: not POP3, and in IMAP not BODY[], which would have to serve another encoding than was received (RFC 3516 §4).
 */
import { chunk } from '../grammar/chunk.ts';
import { IncomingMessage, patience } from '../incoming-message.ts';
import { noRecipients } from '../lmtp.ts';
import { reply, tooLarge, type Reply } from '../replies.ts';
import type { SmtpSession } from '../session.ts';

export type Chunk =
  /** Its octets belong to the message. */
  | { readonly type: 'taken'; readonly octets: number; readonly isLast: boolean; readonly message: IncomingMessage }
  /** Its octets are thrown away; then it is replied to. */
  | { readonly type: 'refused'; readonly octets: number; readonly reply: Reply }
  /** It is too large to be waited for. */
  | { readonly type: 'endless'; readonly reply: Reply };

/** @throws BadSyntax: where the chunk ends, and commands go on, is not known */
export function bdat(argument: string, session: SmtpSession): Chunk {
  const { octets, isLast } = chunk(argument);
  const refused = refusal(session);
  const { maximumMessageOctets } = session.options;
  if (octets > patience(maximumMessageOctets)) {
    return { type: 'endless', reply: refused ?? tooLarge(maximumMessageOctets) };
  }
  if (refused) return { type: 'refused', octets, reply: refused };
  const transaction = session.transaction!;
  const message = (transaction.message ??= new IncomingMessage(session, transaction));
  return { type: 'taken', octets, isLast, message };
}

function refusal(session: SmtpSession): Reply | undefined {
  // After BDAT LAST, too, the transaction is over.
  if (!session.transaction) return reply(503, '5.5.1', 'MAIL comes first');
  return session.transaction.recipients.size === 0 ? noRecipients(session) : undefined;
}

/** To each chunk but the last. @throws what the spool failed with */
export function chunkTaken({ octets, message }: Chunk & { type: 'taken' }): Reply {
  return message.check() ?? reply(250, '2.0.0', `${octets} octets received`);
}
