/**
 * Slows whoever guesses passwords. The first failures of an address cost nothing, since people mistype; each further
 * one doubles the time for which the next answer is held back. What is held back is the answer and nobody else's.
 */
export interface LoginThrottleOptions {
  /** Failures that cost nothing. Default 4. */
  readonly free?: number;
  /** The first delay, in milliseconds. Default 250. */
  readonly firstMs?: number;
  /** Default 8,000: less than what mail clients wait. */
  readonly longestMs?: number;
  /** Failures are forgotten after so long without another. Default 15 minutes. */
  readonly forgetMs?: number;
  /** How many addresses are remembered; the oldest go. Default 10,000. */
  readonly addresses?: number;
  /** Milliseconds, never going back. */
  readonly now?: () => number;
}

interface Failures {
  count: number;
  last: number;
}

export class LoginThrottle {
  readonly #options: Required<LoginThrottleOptions>;
  /** In the order of the last failure. */
  readonly #failures = new Map<string, Failures>();

  constructor(options: LoginThrottleOptions = {}) {
    this.#options = {
      free: 4,
      firstMs: 250,
      longestMs: 8_000,
      forgetMs: 15 * 60_000,
      addresses: 10_000,
      now: () => performance.now(),
      ...options,
    };
  }

  /** For how many milliseconds the answer to a login from this IP address is to be held back; 0: not at all. */
  delayMs(address: string): number {
    const failures = this.#failures.get(network(address));
    if (failures === undefined || this.#options.now() - failures.last > this.#options.forgetMs) return 0;
    const counted = failures.count - this.#options.free;
    if (counted <= 0) return 0;
    return Math.min(this.#options.firstMs * 2 ** Math.min(counted - 1, 30), this.#options.longestMs);
  }

  failed(address: string): void {
    const key = network(address);
    const now = this.#options.now();
    const before = this.#failures.get(key);
    const count = before === undefined || now - before.last > this.#options.forgetMs ? 1 : before.count + 1;
    this.#failures.delete(key);
    this.#failures.set(key, { count, last: now });
    if (this.#failures.size > this.#options.addresses) {
      for (const oldest of this.#failures.keys()) {
        this.#failures.delete(oldest);
        break;
      }
    }
  }

  succeeded(address: string): void {
    this.#failures.delete(network(address));
  }
}

/** An IPv6 host can have all the addresses of its /64, so that is what counts as one. */
function network(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? 0 : tail.split(':').length;
    while (groups.length < Math.min(4, 8 - last)) groups.push('0');
  }
  const first = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  // `::1` is this computer, and alone.
  return first.every((group) => group === '0') ? address : `${first.join(':')}::/64`;
}
