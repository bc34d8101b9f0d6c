/** What a subcommand is. Each lies in a file of its own; `main.ts` lists them. */
export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly environment: NodeJS.ProcessEnv;
}

export interface CliCommand {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole text of `glassmail NAME --help`. */
  readonly help: string;
  /** @returns the exit code; 2 for a wrong flag or value */
  run(args: readonly string[], io: Io): Promise<number>;
}

/** A wrong flag or value, or a failure that needs no stack trace: one line for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}
