/**
 * "Look again": an account has reached a MODSEQ. It carries no news itself; whoever hears it reads the change log on
 * from where it stopped.
 */
type Listener = (accountId: number, modSeq: number) => void;

export class Notifier {
  readonly #byAccount = new Map<number, Set<Listener>>();
  readonly #all = new Set<Listener>();

  /** @returns what ends the subscription; to be called once */
  subscribe(accountId: number | 'all', listener: Listener): () => void {
    if (accountId === 'all') {
      this.#all.add(listener);
      return () => this.#all.delete(listener);
    }
    let listeners = this.#byAccount.get(accountId);
    if (!listeners) this.#byAccount.set(accountId, (listeners = new Set()));
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#byAccount.delete(accountId);
    };
  }

  /** Called after COMMIT, never before: whoever is told can read. */
  notify(accountId: number, modSeq: number): void {
    for (const listener of this.#byAccount.get(accountId) ?? []) listener(accountId, modSeq);
    for (const listener of this.#all) listener(accountId, modSeq);
  }
}
