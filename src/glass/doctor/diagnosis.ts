/** What the doctor found: which mistake it is, what shows it, and what to change. */
export interface Diagnosis {
  /** `D01` … as the documentation lists them. */
  readonly id: string;
  /** `problem`: something does not work. `advice`: it works, and could hurt elsewhere. `note`: harmless, explained. */
  readonly severity: 'problem' | 'advice' | 'note';
  /** Two or three words: `TLS on a plaintext port`. */
  readonly title: string;
  /** What happened, in plain words: one or two sentences. */
  readonly sentence: string;
  /** The setting to change. */
  readonly remedy: string;
  /** Which events of the conversation show it, and what they show, with secrets hidden. */
  readonly evidence: readonly { readonly seq: number; readonly shows: string }[];
}
