/** Refusals by chance at three points of SMTP, as Mailpit's "chaos" has them: whoever asks is told whether to refuse. */

/** MAIL, RCPT and AUTH. */
export const CHAOS_POINTS = ['sender', 'recipient', 'authentication'] as const;
export type ChaosPoint = (typeof CHAOS_POINTS)[number];

export interface ChaosTrigger {
  /** The reply code, 400 to 599. */
  readonly code: number;
  /** In percent, 0 to 100. */
  readonly probability: number;
}
export type ChaosTriggers = Readonly<Record<ChaosPoint, ChaosTrigger>>;

/** Nothing happens, and what would. */
const AT_REST: ChaosTriggers = {
  sender: { code: 451, probability: 0 },
  recipient: { code: 451, probability: 0 },
  authentication: { code: 535, probability: 0 },
};

/** What is wrong with a trigger; undefined: nothing. */
export function triggerFault({ code, probability }: Partial<ChaosTrigger>): string | undefined {
  const isIn = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (code !== undefined && !isIn(code, 400, 599)) return 'error code must be between 400 and 599';
  if (probability !== undefined && !isIn(probability, 0, 100)) return 'probability must be between 0 and 100';
  return undefined;
}

export class Chaos {
  readonly #random: () => number;
  #triggers = AT_REST;

  /** @param random from 0 to below 1 */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  get triggers(): ChaosTriggers {
    return this.#triggers;
  }

  /** What is not given goes back to rest. @see triggerFault */
  set(triggers: Partial<Record<ChaosPoint, Partial<ChaosTrigger>>>): void {
    this.#triggers = {
      sender: { ...AT_REST.sender, ...triggers.sender },
      recipient: { ...AT_REST.recipient, ...triggers.recipient },
      authentication: { ...AT_REST.authentication, ...triggers.authentication },
    };
  }

  /** @returns the reply code with which to refuse; undefined: go on */
  strike(point: ChaosPoint): number | undefined {
    const { code, probability } = this.#triggers[point];
    return probability > 0 && this.#random() * 100 < probability ? code : undefined;
  }
}
