/** SMTP's commands, in the order of RFC 5321 §4.1.1, then those of extensions and of LMTP. */
import { term, type Terms } from './term.ts';

export const SMTP_COMMANDS: Terms = {
  EHLO: term('The client says who it is, and asks what this server can do.', 5321, '4.1.1.1'),
  HELO: term('The client says who it is, as before there were extensions.', 5321, '4.1.1.1'),
  MAIL: term('A new message: from whom, as an address for bounces.', 5321, '4.1.1.2'),
  RCPT: term('One more recipient of this message.', 5321, '4.1.1.3'),
  DATA: term('The client wants to send the message itself.', 5321, '4.1.1.4'),
  RSET: term('The client drops the message that it has begun, and stays.', 5321, '4.1.1.5'),
  VRFY: term('The client asks whether there is such a user.', 5321, '4.1.1.6'),
  EXPN: term('The client asks who is on a mailing list.', 5321, '4.1.1.7'),
  HELP: term('The client asks for help.', 5321, '4.1.1.8'),
  NOOP: term('The client does nothing, and wants to hear that the server is there.', 5321, '4.1.1.9'),
  QUIT: term('The client wants to end the connection.', 5321, '4.1.1.10'),
  STARTTLS: term('The client wants to go on under TLS, on this same connection.', 3207, '4'),
  AUTH: term('The client logs in by a SASL mechanism.', 4954, '4'),
  BDAT: term('A piece of the message follows, so many octets as they are.', 3030, '2'),
  LHLO: term('The client says who it is; this is LMTP, SMTP’s form for the last step to a mailbox.', 2033, '4.1'),
  ETRN: term('The client asks for mail that waits for it here to be sent to it.', 1985, '5'),
};
