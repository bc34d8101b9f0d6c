/**
 * LOGIN-DELAY: RFC 2449 §6.5. When each maildrop was logged in to last, for all sessions over one store. What is older
 * than the delay says nothing more and is forgotten.
 */
import type { AccountId } from '../store/change.ts';
import type { MailStore } from '../store/mail-store.ts';

export class LoginDelay {
  /** In the order of the logins. Milliseconds. */
  readonly #last = new Map<AccountId, number>();

  /** @param now milliseconds, never going back */
  isDue(account: AccountId, seconds: number, now: number): boolean {
    const last = this.#last.get(account);
    return last === undefined || now - last >= seconds * 1000;
  }

  loggedIn(account: AccountId, seconds: number, now: number): void {
    this.#last.delete(account);
    this.#last.set(account, now);
    for (const [oldest, last] of this.#last) {
      if (now - last < seconds * 1000) break;
      this.#last.delete(oldest);
    }
  }

  get size(): number {
    return this.#last.size;
  }
}

const delays = new WeakMap<MailStore, LoginDelay>();

/** The same for POP3 in clear and under TLS. */
export function loginDelayOf(store: MailStore): LoginDelay {
  let delay = delays.get(store);
  if (delay === undefined) delays.set(store, (delay = new LoginDelay()));
  return delay;
}
