/**
 * LOGIN: draft-murchison-sasl-login-00, never a standard; old clients, Outlook among them, know nothing else.
 * Two responses, name and password, each after a challenge. An initial response is the name, as many clients send it.
 */
import type { Credentials, SaslExchange, SaslStep } from './mechanism.ts';
import { mistakeOf } from './login-mistake.ts';
import { Secret } from './secret.ts';
import { decodeUtf8 } from './text.ts';
import { WRONG_LOGIN, verifyLogin } from './verify-login.ts';

const MOST_OCTETS = 1024;

export class LoginExchange implements SaslExchange {
  readonly mechanism = 'LOGIN';
  readonly #credentials: Credentials;
  #login: string | undefined;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  async step(response: Uint8Array | undefined): Promise<SaslStep> {
    // §2.2: not "User Name" and "Password": one widely deployed client requires these words.
    if (response === undefined) return { type: 'challenge', data: Buffer.from('Username:') };
    const text = response.length > MOST_OCTETS ? undefined : decodeUtf8(response);
    if (text === undefined || text.includes('\0')) {
      const message = 'LOGIN wants the name and then the password, in UTF-8 without NUL';
      return { type: 'failure', reason: 'malformed', message };
    }
    const login = this.#login;
    if (login === undefined) {
      if (text === '') return { type: 'failure', reason: 'malformed', message: 'The name is empty' };
      this.#login = text;
      return { type: 'challenge', data: Buffer.from('Password:') };
    }
    if (!(await verifyLogin(this.#credentials, login, new Secret(text)))) {
      const mistake = await mistakeOf(this.#credentials, login, text);
      return { type: 'failure', reason: 'invalid-credentials', login, mistake, message: WRONG_LOGIN };
    }
    return { type: 'success', login };
  }
}
