/**
 * SASL (RFC 4422), the server's side: which mechanisms there are, and one exchange of each. Look-ups come as
 * parameters; each protocol frames challenges and responses in its own way (SMTP RFC 4954, IMAP RFC 9051 §6.2.2,
 * POP3 RFC 5034) and calls `step` for each response.
 */
import { LoginExchange } from './login.ts';
import type { LoginMistake } from './login-mistake.ts';
import { OAuthBearerExchange } from './oauth-bearer.ts';
import { PlainExchange } from './plain.ts';
import { ScramExchange } from './scram-sha-256.ts';
import { XOAuth2Exchange } from './xoauth2.ts';

export { decodeBase64, encodeBase64 } from './base64.ts';

/** How an exchange learns who may log in. Logins are given as the client gave them; `loginAddress` says whom they mean. */
export interface Credentials {
  /** The SCRAM-SHA-256 record (RFC 5803 §3) of a login. Undefined: there is none, or nobody may log in by that name. */
  findRecord(login: string): Promise<string | undefined>;
  /** Passwords that are no accounts': of PLAIN and LOGIN alone, and `findRecord` is not asked. */
  checkPassword?(login: string, password: string): Promise<boolean>;
  /** The operator accepts any login with any password or token. */
  readonly acceptAny?: boolean;
  /** Failures tell those who watch, never the client, by what the login differs from the right one (`login-mistake.ts`). */
  readonly explainsFailures?: boolean;
  /** The account that a login name means, whether it exists or not: all the ways of writing one unknown name look alike. */
  addressOf?(login: string): string;
  /** False: SCRAM-SHA-256-PLUS is not offered, though the connection could be bound to. Default true. */
  readonly bindsChannels?: boolean;
  /** Whose an OAuth 2.0 bearer token is (RFC 6750). The login is undefined where the client named nobody. */
  verifyToken?(login: string | undefined, token: string): Promise<TokenVerdict>;
  /**
   * Whether XOAUTH2 and OAUTHBEARER are offered; without it: whether `verifyToken` is there. A server without any token
   * does not offer them: clients that prefer them would choose them in vain, and never ask for a password.
   */
  offersTokens?(): boolean;
  /** Whether XOAUTH2 is taken although it is not offered: by connections of the server to itself. Default false. */
  takesTokens?(): boolean;
}

/** The errors are those of the "OAuth Extensions Error Registry" (RFC 6749 §11.4). */
export type TokenVerdict =
  | {
      readonly type: 'valid';
      /** Whose the token is, for clients that do not say it. */
      readonly login: string;
    }
  | { readonly type: 'refused'; readonly error: TokenError };
export type TokenError = 'invalid_token' | 'insufficient_scope';

export type SaslFailureReason = 'invalid-credentials' | 'malformed' | 'aborted' | 'unsupported' | 'authorization';

export type SaslStep =
  | { readonly type: 'challenge'; readonly data: Uint8Array }
  | {
      readonly type: 'success';
      /** The authentication identity as the client gave it. */
      readonly login: string;
      /** Only if the client named one; it equals the login, compared without case. */
      readonly authorizationId?: string;
      /** Never set by the mechanisms of this folder: they send it as a last challenge, which every protocol can carry. */
      readonly data?: Uint8Array;
    }
  | {
      readonly type: 'failure';
      /** `malformed`: the client's octets are wrong (BAD, 501); the others say no (NO, 535, -ERR [AUTH]). */
      readonly reason: SaslFailureReason;
      readonly login?: string;
      /** For those who watch. */
      readonly mistake?: LoginMistake | undefined;
      /** One line for people; does not tell whether the account exists. */
      readonly message: string;
    };

/** One authentication attempt. After `success` or `failure` it is over. */
export interface SaslExchange {
  /** In capitals. */
  readonly mechanism: string;
  /** @param response decoded octets; undefined as the first one: the client sent no initial response */
  step(response: Uint8Array | undefined): Promise<SaslStep>;
}

export interface SaslOptions {
  /**
   * RFC 9266 tls-exporter octets. With them SCRAM-SHA-256-PLUS exists, and a client that says it was not offered is
   * refused (RFC 5802 §6): `mechanisms` and `startSasl` are to be given the same.
   */
  readonly channelBinding?: Uint8Array | undefined;
  /** False: only mechanisms that show neither password nor token to an eavesdropper. Default true. */
  readonly plaintext?: boolean;
}

/** Those that `startSasl` knows with the same parameters: the strongest last, as clients that take the first one are the old ones. */
export function mechanisms(credentials: Credentials, options: SaslOptions = {}): readonly string[] {
  const names: string[] = [];
  const plaintext = options.plaintext ?? true;
  if (plaintext) names.push('PLAIN', 'LOGIN');
  if (plaintext) names.push(...tokenMechanisms(credentials));
  // Any password cannot be accepted by SCRAM: the server has to prove that it knows the client's.
  if (credentials.acceptAny !== true && credentials.checkPassword === undefined) {
    names.push('SCRAM-SHA-256');
    if (bindingOf(credentials, options) !== undefined) names.push('SCRAM-SHA-256-PLUS');
  }
  return names;
}

/** RFC 7628 §3 has OAUTHBEARER under TLS only; where the operator lets passwords pass in clear, tokens may as well. */
function tokenMechanisms(credentials: Credentials): readonly string[] {
  const offered = 'verifyToken' in credentials && (credentials.offersTokens?.() ?? true);
  if (offered) return ['XOAUTH2', 'OAUTHBEARER'];
  // Where every login is accepted, one of the two is enough for clients that know nothing else.
  return credentials.acceptAny === true ? ['XOAUTH2'] : [];
}

/** @param mechanism in any case @returns undefined: not offered with these parameters */
export function startSasl(
  mechanism: string,
  credentials: Credentials,
  options: SaslOptions = {},
): SaslExchange | undefined {
  const name = mechanism.toUpperCase();
  if (!mechanisms(credentials, options).includes(name) && !isErrand(name, credentials, options)) return undefined;
  switch (name) {
    case 'PLAIN':
      return new PlainExchange(credentials);
    case 'LOGIN':
      return new LoginExchange(credentials);
    case 'XOAUTH2':
      return new XOAuth2Exchange(credentials);
    case 'OAUTHBEARER':
      return new OAuthBearerExchange(credentials);
    default:
      return new ScramExchange(credentials, name.endsWith('-PLUS'), bindingOf(credentials, options));
  }
}

/** Nobody else is to be led into a mechanism for which he has no token. */
function isErrand(name: string, credentials: Credentials, { plaintext = true }: SaslOptions): boolean {
  return name === 'XOAUTH2' && plaintext && credentials.takesTokens?.() === true;
}

/** A server that does not offer channel binding does not support it for its clients either (RFC 5802 §6). */
function bindingOf({ bindsChannels }: Credentials, { channelBinding }: SaslOptions): Uint8Array | undefined {
  return bindsChannels === false ? undefined : channelBinding;
}
