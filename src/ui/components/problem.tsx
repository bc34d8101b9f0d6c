interface ProblemProps {
  /** Undefined: all is well, and nothing is shown. */
  readonly words: string | undefined;
  /** For the field that it describes. */
  readonly id?: string;
}

/** Why what was asked for did not happen; read out at once. */
export function Problem({ words, id }: ProblemProps) {
  if (words === undefined) return null;
  return (
    <p className="problem" role="alert" id={id}>
      {words}
    </p>
  );
}
