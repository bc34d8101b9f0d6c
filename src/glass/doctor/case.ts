/** What a case of the doctor's is: a mistake that can be seen in one conversation. */
import type { Diagnosis } from './diagnosis.ts';
import type { Facts } from './facts.ts';

export interface LookAgain {
  /** Milliseconds since the conversation was opened: until then nothing can be said. */
  readonly lookAgainAt: number;
}

export interface Case {
  /** As the documentation numbers them. */
  readonly id: string;
  readonly title: string;
  /** For the documentation: what the server sees, what it says, and what it tells the client on the wire, if anything. */
  readonly seen: string;
  readonly says: string;
  readonly inBand?: string;
  find(facts: Facts): Found | LookAgain | undefined;
}

/** A diagnosis without what its case says of it already. */
export interface Found {
  readonly severity: Diagnosis['severity'];
  readonly title?: string;
  readonly sentence: string;
  readonly remedy: string;
  readonly evidence: Diagnosis['evidence'];
}
