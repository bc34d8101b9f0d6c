/** The client's octets are wrong: the session answers with this code and status, and goes on. */
export class BadSyntax extends Error {
  override readonly name = 'BadSyntax';
  /** RFC 5321 §4.2.3. */
  readonly code: 500 | 501 | 552 | 553 | 555;
  /** RFC 3463. */
  readonly status: string;

  constructor(code: BadSyntax['code'], status: string, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
