/**
 * Tokens for connections that this server makes to its own ports on behalf of somebody who looks at its pages: to hand a
 * message in, to ask IMAP and POP3 for one. Each is good for one account and one service, lives in memory alone, and ends
 * with the errand, after a minute at the latest.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Secret } from './secret.ts';
import type { TokenScope } from './tokens.ts';

const LIFE_MS = 60_000;
/** Each holds a connection or two. */
export const MOST_ERRANDS = 64;

export interface Errand extends Disposable {
  readonly login: string;
  readonly token: Secret;
}

interface Kept {
  readonly login: string;
  readonly service: TokenScope;
  readonly until: number;
}

export class Errands {
  /** By the SHA-256, so that a look-up tells nothing by the time that it takes. */
  readonly #kept = new Map<string, Kept>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whether there is anything that a login could name. */
  get any(): boolean {
    return this.#kept.size > 0;
  }

  /** @param login the account's address @returns undefined while there are too many */
  begin(login: string, service: TokenScope): Errand | undefined {
    for (const [hash, { until }] of this.#kept) if (until <= this.#now()) this.#kept.delete(hash);
    if (this.#kept.size >= MOST_ERRANDS) return undefined;
    const token = randomBytes(32).toString('base64url');
    const hash = hashOf(token);
    this.#kept.set(hash, { login, service, until: this.#now() + LIFE_MS });
    return {
      login,
      token: new Secret(token),
      [Symbol.dispose]: () => void this.#kept.delete(hash),
    };
  }

  /** @returns whose it is; undefined: it is none of these, or not for this service, or over */
  verify(token: string, service: TokenScope): string | undefined {
    const found = this.#kept.get(hashOf(token));
    return found?.service === service && found.until > this.#now() ? found.login : undefined;
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
