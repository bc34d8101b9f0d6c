/**
 * MAIL: RFC 5321 §4.1.1.2.
 * Begins a transaction; what is wrong with the sender is said here and not at the end of the message.
 */
import { isAscii } from '../../mail/octets.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { mailParameters } from '../grammar/parameters.ts';
import { reversePath } from '../grammar/path.ts';
import { SENDER_OK, reply, struck, tooLarge, type Reply } from '../replies.ts';
import type { SmtpSession } from '../session.ts';
import { loginMissing, senderRefused } from '../submission.ts';

/** @throws BadSyntax */
export function mail(argument: string, session: SmtpSession): Reply {
  const missing = loginMissing(session);
  if (missing) return missing;
  if (session.transaction) return reply(503, '5.5.1', 'A transaction is open already: RSET first'); // §4.1.4
  const from = /^FROM *: */i.exec(argument);
  if (!from) return reply(501, '5.5.4', 'Syntax: MAIL FROM:<address>');
  const { address, rest } = reversePath(argument.slice(from[0].length));
  const parameters = mailParameters(rest);
  if (!parameters.smtpUtf8 && !isAscii(address)) return reply(553, '5.6.7', 'The address needs SMTPUTF8'); // RFC 6531 §3.5
  // RFC 8689 §2: not announced without TLS. Kept in the transaction; delivery to an account of this server satisfies it.
  if (parameters.requireTls && !session.connection.secure) {
    throw new BadSyntax(555, '5.5.4', 'REQUIRETLS is for connections under TLS');
  }
  const { maximumMessageOctets } = session.options;
  if ((parameters.size ?? 0) > maximumMessageOctets) return tooLarge(maximumMessageOctets); // RFC 1870 §6.1
  const refused = senderRefused(session, address);
  if (refused) return refused;
  const hit = struck(session, 'sender');
  if (hit) return hit;
  session.transaction = {
    reversePath: address,
    parameters,
    seq: session.connection.conversation.lastSeq,
    recipients: new Map(),
    accepted: [],
    refused: new Map(),
    message: undefined,
  };
  return SENDER_OK;
}
