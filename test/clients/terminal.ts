/** A program in a terminal of its own: tmux with a private socket. */
import { join } from 'node:path';
import { eventually, run, succeed } from './program.ts';

export interface Terminal extends AsyncDisposable {
  /** Keys by their tmux names (`Enter`, `C-u`); anything else is typed as it stands. */
  keys(...keys: readonly string[]): Promise<void>;
  /** Waits until the screen shows it. @throws with the screen when it never does */
  shows(what: string | RegExp): Promise<void>;
  /** Waits for the program's end. */
  ended(): Promise<void>;
}

export async function openTerminal(
  command: string,
  home: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Terminal> {
  const tmux = (...args: string[]) => ['-S', join(home, 'tmux'), '-f', '/dev/null', ...args];
  const options = { home, environment: { TERM: 'xterm', LC_ALL: 'C.UTF-8', ...environment } };
  await succeed('tmux', tmux('new-session', '-d', '-x', '110', '-y', '40', '-s', 'test', command), options);
  const screen = async () => (await run('tmux', tmux('capture-pane', '-p', '-t', 'test'), options)).stdout;
  return {
    async keys(...keys) {
      for (const key of keys) {
        const literal = /^(Enter|Escape|Space|C-\w)$/.test(key) ? [] : ['-l'];
        await succeed('tmux', tmux('send-keys', '-t', 'test', ...literal, '--', key), options);
      }
    },
    async shows(what) {
      let shown = '';
      const holds = async () => {
        shown = await screen();
        return typeof what === 'string' ? shown.includes(what) : what.test(shown);
      };
      await eventually(holds, 'it').catch(() => {
        throw new Error(`The screen never showed ${what}:\n${shown}`);
      });
    },
    ended: () =>
      eventually(async () => (await run('tmux', tmux('has-session', '-t', 'test'), options)).code !== 0, 'the end'),
    async [Symbol.asyncDispose]() {
      await run('tmux', tmux('kill-server'), options);
    },
  };
}
