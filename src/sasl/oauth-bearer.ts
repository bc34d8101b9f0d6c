/**
 * OAUTHBEARER: RFC 7628, with bearer tokens (RFC 6750).
 *
 *     C: n,a=<login>,^A host=<name>^A port=<number>^A auth=Bearer <token>^A ^A
 *
 * A failure is a challenge with JSON (§3.2.2), which the client answers with ^A alone (§3.2.3).
 *
 * `host` and `port` have to be well-formed and no more: §3.2.2 has them compared with what a server knows by other
 * means, but behind a port mapping or a name of somebody's own, this server knows neither. A bearer token says all by itself;
 * they matter to tokens that are digests over them.
 */
import { gs2Header } from './gs2-header.ts';
import type { Credentials, SaslExchange, SaslStep, TokenError } from './mechanism.ts';
import { decodeUtf8 } from './text.ts';

/** What a client says at most: tokens are up to some kilobytes. */
const MOST_OCTETS = 8192;

export interface ClientResponse {
  readonly authorizationId: string | undefined;
  /** By key; the first one counts, and unknown keys are passed over (§3.1). */
  readonly pairs: ReadonlyMap<string, string>;
}

export class OAuthBearerExchange implements SaslExchange {
  readonly mechanism = 'OAUTHBEARER';
  readonly #credentials: Credentials;
  #failure: SaslStep | undefined;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  async step(response: Uint8Array | undefined): Promise<SaslStep> {
    // §3.2.3: whatever the client answers to an error, the exchange has failed.
    if (this.#failure !== undefined) return this.#failure;
    if (response === undefined) return { type: 'challenge', data: new Uint8Array(0) };
    const text = response.length > MOST_OCTETS ? undefined : decodeUtf8(response);
    const said = text === undefined ? undefined : clientResponse(text);
    if (said === undefined) {
      const message = 'OAUTHBEARER wants n,a=NAME, ^A auth=Bearer TOKEN ^A ^A';
      return { type: 'failure', reason: 'malformed', message };
    }
    const { authorizationId: login, pairs } = said;
    // The scheme is compared without case (§4). An empty value asks what a token would have to be (§4.3).
    const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(pairs.get('auth') ?? '')?.[1];
    if (!pairs.has('auth') || !wellFormed(pairs)) return this.#refuse('invalid_request', login);
    if (token === undefined) return this.#refuse('invalid_token', login);
    return this.#verify(login, token);
  }

  async #verify(login: string | undefined, token: string): Promise<SaslStep> {
    const credentials = this.#credentials;
    if (credentials.acceptAny === true) {
      return login === undefined ? this.#refuse('invalid_request', login) : success(login, login);
    }
    const verdict = await credentials.verifyToken?.(login, token);
    if (verdict?.type === 'valid') return success(login ?? verdict.login, login);
    return this.#refuse(verdict?.error ?? 'invalid_token', login);
  }

  #refuse(status: TokenError | 'invalid_request', login: string | undefined): SaslStep {
    this.#failure = {
      type: 'failure',
      reason: status === 'invalid_request' ? 'malformed' : 'invalid-credentials',
      ...(login !== undefined && { login }),
      message: MESSAGES[status],
    };
    // A single scope, which every token may have (§3.2.2).
    return { type: 'challenge', data: Buffer.from(JSON.stringify({ status, scope: 'mail' })) };
  }
}

const MESSAGES = {
  invalid_request: 'The response lacks auth=Bearer TOKEN or a name, or its host or port is wrong',
  invalid_token: 'The token is not valid',
  insufficient_scope: 'The token is not for this service',
} as const;

function success(login: string, authorizationId: string | undefined): SaslStep {
  return { type: 'success', login, ...(authorizationId !== undefined && { authorizationId }) };
}

/** §3.1: a name, and a decimal number without leading zeros. */
function wellFormed(pairs: ReadonlyMap<string, string>): boolean {
  const port = pairs.get('port');
  if (port !== undefined && !(/^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= 65_535)) return false;
  return pairs.get('host') !== '';
}

// ------------------------------------------------------------------------------------------- grammar: RFC 7628 §3.1

/** @returns undefined when the text is no `client-resp`; ^A alone is valid only after an error, so it is none here */
function clientResponse(text: string): ClientResponse | undefined {
  const header = gs2Header(text);
  // There is no channel binding that could be checked (RFC 5801 §5).
  if (typeof header === 'string' || header.binding.type === 'p') return undefined;
  const rest = text.slice(header.text.length);
  if (!/^\x01(?:[A-Za-z]+=[\x20-\x7E\t\r\n]*\x01)*\x01$/.test(rest)) return undefined;
  const pairs = new Map<string, string>();
  for (const pair of rest.slice(1, -2).split('\x01')) {
    const [key = '', value] = pair.split(/=(.*)/s);
    if (value !== undefined && !pairs.has(key)) pairs.set(key, value);
  }
  return { authorizationId: header.authorizationId, pairs };
}
