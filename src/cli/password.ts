/** Passwords that a command asks for: typed without being shown, or from standard input. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Secret } from '../sasl/secret.ts';
import { UsageError } from './command.ts';
import type { Io } from './command.ts';

export const PASSWORD_FLAG = { 'password-stdin': { type: 'boolean' } } as const;

/**
 * @param fromStdin the flag --password-stdin: the first line of standard input
 * @param twice a new password is asked for again
 * @throws UsageError
 */
export async function askPassword(
  io: Io,
  prompt: string,
  { fromStdin, twice }: { readonly fromStdin: boolean; readonly twice: boolean },
): Promise<Secret> {
  if (fromStdin) return notEmpty(await firstLine(io));
  if (!io.stdin.isTTY) {
    throw new UsageError('There is no terminal to ask for the password: pipe it in, with --password-stdin');
  }
  const password = await ask(io, `${prompt}: `);
  if (twice && (await ask(io, 'Again: ')) !== password) throw new UsageError('The two passwords differ', 1);
  return notEmpty(password);
}

/** A question on the terminal; `yes` or `y` is yes. */
export async function confirm(io: Io, question: string): Promise<boolean> {
  if (!io.stdin.isTTY) return false;
  const asking = createInterface({ input: io.stdin, output: io.stderr });
  try {
    return /^y(es)?$/i.test((await asking.question(`${question} [yes/no] `)).trim());
  } finally {
    asking.close();
  }
}

function notEmpty(password: string): Secret {
  if (password === '') throw new UsageError('The password is empty', 1);
  return new Secret(password);
}

/** The prompt is shown, what is typed is not. */
async function ask(io: Io, prompt: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // First the terminal stops showing what is typed, then it is asked for.
  const asking = createInterface({ input: io.stdin, output: nowhere, terminal: true });
  io.stderr.write(prompt);
  try {
    const left = new Promise<never>((_, reject) => {
      asking.once('SIGINT', () => reject(new UsageError('Left as it was', 130)));
      asking.once('close', () => reject(new UsageError('No password was given', 1)));
    });
    return await Promise.race([asking.question(''), left]);
  } finally {
    asking.close();
    io.stderr.write('\n');
  }
}

async function firstLine(io: Io): Promise<string> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of io.stdin) {
    const piece = Buffer.from(chunk as Uint8Array | string);
    chunks.push(piece);
    octets += piece.length;
    if (piece.includes(0x0a) || octets > 10_000) break;
  }
  return Buffer.concat(chunks).toString('utf8').split(/\r?\n/, 1)[0]!;
}
