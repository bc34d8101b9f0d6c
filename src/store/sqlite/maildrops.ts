/** Who has which maildrop for itself (RFC 1939 §4): within this process, which holds the folder's lock. */
export class Maildrops {
  readonly #locked = new Set<number>();

  /** Undefined while another holds it. */
  lock(account: number): AsyncDisposable | undefined {
    if (this.#locked.has(account)) return undefined;
    this.#locked.add(account);
    let held = true;
    return {
      [Symbol.asyncDispose]: async () => {
        if (held) this.#locked.delete(account);
        held = false;
      },
    };
  }
}
