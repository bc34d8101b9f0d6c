/** The client's octets are wrong: the session answers BAD with this message and goes on (RFC 9051 §7.1.3). */
export class BadSyntax extends Error {
  override readonly name = 'BadSyntax';
  /** The response code, if there is one for this. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** RFC 9586 §3: this client has said that it speaks of UIDs alone. */
export function uidRequired(): BadSyntax {
  return new BadSyntax('After ENABLE UIDONLY messages are named by UID alone', 'UIDREQUIRED');
}
