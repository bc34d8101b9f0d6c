/**
 * XOAUTH2: Google's and Microsoft's mechanism, described by https://developers.google.com/workspace/gmail/imap/xoauth2-protocol.
 * One response, `user=` name ^A `auth=Bearer ` token ^A ^A. A failure is a challenge with JSON, which the client answers
 * with an empty response.
 */
import type { Credentials, SaslExchange, SaslStep, TokenVerdict } from './mechanism.ts';
import { decodeUtf8 } from './text.ts';

/** What a client says at most: tokens are up to some kilobytes. */
const MOST_OCTETS = 8192;

export class XOAuth2Exchange implements SaslExchange {
  readonly mechanism = 'XOAUTH2';
  readonly #credentials: Credentials;
  #failure: SaslStep | undefined;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  async step(response: Uint8Array | undefined): Promise<SaslStep> {
    if (this.#failure !== undefined) return this.#failure;
    if (response === undefined) return { type: 'challenge', data: new Uint8Array(0) };
    const text = response.length > MOST_OCTETS ? undefined : decodeUtf8(response);
    const match = /^user=([^\x00\x01]+)\x01auth=Bearer ([^\x00\x01]*)\x01\x01$/i.exec(text ?? '');
    if (match === null) {
      const message = 'XOAUTH2 wants user=NAME ^A auth=Bearer TOKEN ^A ^A';
      return { type: 'failure', reason: 'malformed', message };
    }
    const [, login = '', token = ''] = match;
    const credentials = this.#credentials;
    if (credentials.acceptAny === true) return { type: 'success', login };
    const verdict = await credentials.verifyToken?.(login, token);
    return verdict?.type === 'valid' ? { type: 'success', login } : this.#refuse(login, verdict);
  }

  #refuse(login: string, verdict: Extract<TokenVerdict, { type: 'refused' }> | undefined): SaslStep {
    const lacksScope = verdict?.error === 'insufficient_scope';
    this.#failure = {
      type: 'failure',
      reason: 'invalid-credentials',
      login,
      message: lacksScope ? 'The token is not for this service' : 'The token is not valid',
    };
    const status = lacksScope ? '403' : '401';
    return { type: 'challenge', data: Buffer.from(JSON.stringify({ status, schemes: 'bearer', scope: 'mail' })) };
  }
}
