/** The client's octets are wrong: the session answers BAD with this message and goes on (RFC 9051 §7.1.3). */
export class BadSyntax extends Error {
  override readonly name = 'BadSyntax';
}
