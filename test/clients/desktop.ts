/** Programs with windows: a screen that nobody sees, and programs that run until the test ends them. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

export interface RunningProgram extends AsyncDisposable {
  /** What it has said so far, on standard output and standard error. */
  readonly said: string;
  /** Waits until it says so. @throws with all that it said when it ends before, or after 30 seconds */
  says(what: RegExp): Promise<RegExpExecArray>;
  /** Waits for its end on its own. */
  readonly ended: Promise<void>;
}

/** @param environment all of it, but PATH and LANG */
export function startProgram(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): RunningProgram {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(command, args, {
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let look = (): void => undefined;
  const hear = (chunk: Buffer): void => {
    said += chunk.toString();
    look();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.on('error', (error) => hear(Buffer.from(`${command}: ${error.message}\n`)));
  const ended = once(child, 'close').then(
    () => look(),
    () => look(),
  );
  return {
    get said() {
      return said;
    },
    ended,
    says(what) {
      const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
      const fail = (why: string): void => reject(new Error(`${command} ${why} before it said ${what}:\n${said}`));
      const timer = setTimeout(() => fail('took more than 30 seconds'), 30_000);
      look = () => {
        const found = what.exec(said);
        if (found) resolve(found);
        else if (child.exitCode !== null || child.signalCode !== null) fail('ended');
      };
      look();
      return promise.finally(() => {
        clearTimeout(timer);
        look = () => undefined;
      });
    },
    async [Symbol.asyncDispose]() {
      if (child.pid === undefined) return; // it never ran
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** A screen of its own. @returns with the value of DISPLAY */
export async function openScreen(): Promise<AsyncDisposable & { readonly display: string }> {
  const xvfb = startProgram('Xvfb', ['-displayfd', '1', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'], {});
  try {
    const [, number] = await xvfb.says(/^(\d+)\n/m);
    return { display: `:${number}`, [Symbol.asyncDispose]: () => xvfb[Symbol.asyncDispose]() };
  } catch (error) {
    await xvfb[Symbol.asyncDispose]();
    throw error;
  }
}
