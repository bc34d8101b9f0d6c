/** Programs that others wrote, run as a user runs them: in a home folder of their own, against a server of the test. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The user without rights, on every Linux. */
const NOBODY = 65_534;

/** Gives a folder with all in it to the user that `neverRoot` means. */
export async function giveAway(folder: string): Promise<void> {
  if (process.getuid?.() === 0) await succeed('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
}

/** A folder that is the program's HOME and goes with the test. */
export async function makeHome(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'glassmail-client-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/**
 * Runs a program to its end, at most for its time, 50 seconds: one that has not ended by then is killed, and its code is
 * null. @throws when it is not installed
 */
export function run(
  command: string,
  args: readonly string[],
  options: {
    readonly home?: string;
    readonly stdin?: string;
    readonly environment?: Readonly<Record<string, string>>;
    /** For a program that refuses to work as root: when the test is root, the program is nobody. */
    readonly neverRoot?: boolean;
    /** Milliseconds. */
    readonly time?: number;
  } = {},
): Promise<Outcome> {
  const child = spawn(command, args, {
    cwd: options.home,
    env: {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      HOME: options.home ?? '/nonexistent',
      TERM: 'dumb',
      ...options.environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.neverRoot === true && process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
    timeout: options.time ?? 50_000,
    // Some take their time over a SIGTERM, and would still be there when the test is over.
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined); // a program need not read what it is given
  child.stdin.end(options.stdin);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** As `run`, for a program that must succeed. @throws with all it said when it does not */
export async function succeed(...args: Parameters<typeof run>): Promise<Outcome> {
  const outcome = await run(...args);
  if (outcome.code !== 0)
    throw new Error(`${args[0]} ended with ${outcome.code}:\n${outcome.stderr}\n${outcome.stdout}`);
  return outcome;
}

/** For what a program does on its own and tells nobody: looks again until it holds. @throws when it never does */
export async function eventually(holds: () => Promise<boolean> | boolean, what = 'what was waited for'): Promise<void> {
  for (let looks = 0; looks < 300; looks++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come within 30 seconds`);
}

/** @throws when it takes longer; what it waits for is not ended by that */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${what} took more than ${ms / 1000} seconds`)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
