/**
 * PLAIN: RFC 4616.
 * One response: `[authzid] NUL authcid NUL passwd`, in UTF-8.
 */
import type { Credentials, SaslExchange, SaslStep } from './mechanism.ts';
import { mistakeOf } from './login-mistake.ts';
import { Secret } from './secret.ts';
import { decodeUtf8 } from './text.ts';
import { WRONG_LOGIN, verifyLogin } from './verify-login.ts';

/** RFC 4616 §2 has each part at 1 to 255 octets; longer ones are borne up to this. */
const MOST_CHARACTERS = 1024;

export class PlainExchange implements SaslExchange {
  readonly mechanism = 'PLAIN';
  readonly #credentials: Credentials;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  async step(response: Uint8Array | undefined): Promise<SaslStep> {
    // The client speaks first; without an initial response it is asked by an empty challenge (RFC 4422 §3).
    if (response === undefined) return { type: 'challenge', data: new Uint8Array(0) };
    const parts = decodeUtf8(response)?.split('\0');
    const [authorizationId = '', login = '', password = ''] = parts ?? [];
    if (parts?.length !== 3 || login === '' || parts.some((part) => part.length > MOST_CHARACTERS)) {
      const message = 'PLAIN wants [authorization identity] NUL name NUL password, in UTF-8';
      return { type: 'failure', reason: 'malformed', message };
    }
    if (!(await verifyLogin(this.#credentials, login, new Secret(password)))) {
      const mistake = await mistakeOf(this.#credentials, login, password);
      return { type: 'failure', reason: 'invalid-credentials', login, mistake, message: WRONG_LOGIN };
    }
    if (authorizationId === '') return { type: 'success', login };
    // Nobody may act for another; that is said only to who knows the password (RFC 4616 §2).
    if (authorizationId.toLowerCase() !== login.toLowerCase()) {
      const message = 'The authorization identity has to be the name that logs in';
      return { type: 'failure', reason: 'authorization', login, message };
    }
    return { type: 'success', login, authorizationId };
  }
}
