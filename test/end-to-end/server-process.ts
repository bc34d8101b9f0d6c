/** `glassmail start` as a process of its own, as users run it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const COMMAND = join(import.meta.dirname, '../../src/glassmail.js');
const SERVICES = ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s', 'http', 'https'];

/** All ports free ones, on 127.0.0.1. */
export const FREE_PORTS = ['--host', '127.0.0.1', ...SERVICES.flatMap((service) => [`--${service}-port`, '0'])];

export interface ServerProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Standard output up to `ready`. */
  readonly lines: readonly string[];
  port(service: string): number;
  /** Sends the signal; @returns how it ended */
  stop(signal?: NodeJS.Signals): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** @throws with what it said when it ends before it is ready */
export async function startServerProcess(
  folder: string,
  flags: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [COMMAND, 'start', '--data', folder, ...FREE_PORTS, ...flags], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.endsWith('\nready\n')) resolve();
    });
    void ended.then(({ code }) => reject(new Error(`glassmail start ended with ${code}: ${errors}${output}`)));
  });
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return ended;
  };
  return {
    child,
    lines: output.trimEnd().split('\n'),
    port(service) {
      const match = new RegExp(`^  ${service} +127\\.0\\.0\\.1:(\\d+)`, 'm').exec(output);
      if (!match) throw new Error(`${service} is not among the addresses:\n${output}`);
      return Number(match[1]);
    },
    stop,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await stop('SIGKILL');
    },
  };
}

/** Runs `glassmail` with these arguments to its end. */
export function runCommand(
  args: readonly string[],
  options: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly stdin?: string;
    readonly cwd?: string;
  } = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { ...process.env, ...options.environment },
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.stdin);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}
