/** POP3's commands, in the order of RFC 1939 §9, then those of extensions. */
import { term, type Terms } from './term.ts';

export const POP3_COMMANDS: Terms = {
  USER: term('The client says whose maildrop it wants; the password follows.', 1939, '7'),
  PASS: term('The password, as it is.', 1939, '7'),
  QUIT: term('The client ends the session; what it has deleted is removed now.', 1939, '6'),
  STAT: term('The client asks how many messages there are, and how large they are together.', 1939, '5'),
  LIST: term('The client asks for the sizes of messages.', 1939, '5'),
  RETR: term('The client fetches a message.', 1939, '5'),
  DELE: term('The client marks a message as deleted; QUIT removes it.', 1939, '5'),
  NOOP: term('The client does nothing, and wants to hear that the server is there.', 1939, '5'),
  RSET: term('The client takes all its deletions back.', 1939, '5'),
  APOP: term('The client logs in with a digest of the password and of the greeting.', 1939, '7'),
  TOP: term('The client asks for the head of a message and the first lines of its body.', 1939, '7'),
  UIDL: term('The client asks for the names by which messages are known in later sessions too.', 1939, '7'),
  CAPA: term('The client asks what this server can do.', 2449, '5'),
  STLS: term('The client wants to go on under TLS, on this same connection.', 2595, '4'),
  AUTH: term('The client logs in by a SASL mechanism.', 5034, '4'),
  UTF8: term('The client can read messages and texts in UTF-8.', 6856, '2.1'),
  LANG: term('The client asks for the server’s words in another language.', 6856, '3.1'),
};
