/** A command that may come now, for people who type it. */
export interface Hint {
  readonly command: string;
  /** Without tag and line end. What stands in `‹…›` is to be filled in. */
  readonly template: string;
  /** One sentence in plain words. */
  readonly what: string;
  readonly rfc: { readonly number: number; readonly section: string };
  /** Among the few that a beginner needs in this state. */
  readonly usual: boolean;
}

/** What a table says of a command. */
export interface HintEntry {
  readonly template: string;
  readonly what: string;
  readonly rfc: readonly [number: number, section: string];
}

export const toHint = (command: string, { template, what, rfc }: HintEntry, usual: boolean): Hint => ({
  command,
  template,
  what,
  rfc: { number: rfc[0], section: rfc[1] },
  usual,
});

/** Those first, in their order; the others stay in theirs. */
export function usualFirst(usual: readonly string[]): (a: Hint, b: Hint) => number {
  const rank = ({ command }: Hint): number => {
    const at = usual.indexOf(command);
    return at === -1 ? usual.length : at;
  };
  return (a, b) => rank(a) - rank(b);
}
