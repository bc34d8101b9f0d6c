/** Message submission: RFC 6409, and what differs there from a port that other hosts hand mail to. */
import { splitAddress } from '../mail/address.ts';
import { loginAddress } from '../sasl/login-name.ts';
import { reply, type Reply } from './replies.ts';
import { offersLogin } from './commands/auth.ts';
import type { SmtpSession } from './session.ts';

/** RFC 6409 §4.3: without a login nothing is taken. Undefined: this session may begin a message. */
export function loginMissing(session: SmtpSession): Reply | undefined {
  const { options, connection, login } = session;
  if (options.auth !== 'required' || login !== undefined) return undefined;
  if (!connection.secure && options.starttls && !offersLogin(session)) {
    return reply(530, '5.7.0', 'Must issue a STARTTLS command first'); // RFC 3207 §4
  }
  return reply(530, '5.7.0', 'Authentication required'); // RFC 4954 §6
}

/**
 * RFC 6409 §6.1: whether the login may use this sender. Its own address and `user+tag@` beside it are, and so is the null
 * reverse-path, with which clients send receipts. Undefined: it may.
 */
export function senderRefused({ options, login }: SmtpSession, reversePath: string): Reply | undefined {
  if (options.enforceSender !== true || options.auth !== 'required' || login === undefined) return undefined;
  if (reversePath === '' || withoutTag(reversePath) === withoutTag(loginAddress(login, options.defaultDomain))) {
    return undefined;
  }
  return reply(553, '5.7.1', `The sender address does not belong to ${login}`);
}

function withoutTag(address: string): string {
  const parts = splitAddress(address.toLowerCase());
  return parts ? `${parts.localPart.replace(/(.)\+.*$/, '$1')}@${parts.domain}` : address.toLowerCase();
}
