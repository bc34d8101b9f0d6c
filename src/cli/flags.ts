/** Flags of a command: node:util's parser, with errors that name the flag and the cure. */
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import type { QuotaLimit } from '../store/quota.ts';
import { UsageError } from './command.ts';

export type FlagDefinitions = NonNullable<ParseArgsConfig['options']>;

/** Where the data lies: every command that works beside a server takes it. */
export const DATA_FLAG = { data: { type: 'string' } } as const satisfies FlagDefinitions;

type Parsed<Flags extends FlagDefinitions> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Flags; allowPositionals: true; strict: true }>
>;

/** @throws UsageError */
export function readFlags<const Flags extends FlagDefinitions>(
  command: string,
  args: readonly string[],
  options: Flags,
): Parsed<Flags> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const flag = /'(--?[^' <=]+)/.exec(message)?.[1] ?? '';
    const teach = `(glassmail ${command} --help)`;
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const near = nearest(flag, Object.keys(options));
      const cure = near === undefined ? `there are ${flagList(options)}` : `did you mean --${near}?`;
      throw new UsageError(`${flag} is not a flag of glassmail ${command}; ${cure} ${teach}`);
    }
    if (code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') throw error;
    const takesNone = message.includes('does not take an argument');
    throw new UsageError(`${flag} ${takesNone ? 'takes no value' : 'needs a value'} ${teach}`);
  }
}

/** @throws UsageError */
export function readPort(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535) {
    throw new UsageError(`${flag} ${text}: a port is a number from 1 to 65535`);
  }
  return Number(text);
}

/** A number, `none` or `default`. @throws UsageError */
export function readLimit(flag: string, text: string): QuotaLimit {
  if (text === 'none' || text === 'default') return text;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new UsageError(`${flag} ${text}: give a whole number, none or default`);
  }
  return value;
}

/** As `readLimit`; the number may end in K, M or G. @throws UsageError */
export function readOctets(flag: string, text: string): QuotaLimit {
  if (text === 'none' || text === 'default') return text;
  const match = /^(\d+)([kmg]?)(i?b)?$/i.exec(text);
  const value = match ? Number(match[1]) * 1024 ** ['', 'k', 'm', 'g'].indexOf(match[2]!.toLowerCase()) : NaN;
  if (!Number.isSafeInteger(value)) {
    throw new UsageError(`${flag} ${text}: give octets, a number with K, M or G, none or default`);
  }
  return value;
}

/** @throws UsageError */
export function readChoice<const Choice extends string>(
  flag: string,
  text: string | undefined,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  if (text === undefined) return fallback;
  const choice = choices.find((one) => one === text);
  if (choice === undefined) throw new UsageError(`${flag} ${text}: it is one of ${choices.join(', ')}`);
  return choice;
}

function flagList(options: FlagDefinitions): string {
  return Object.keys(options)
    .map((name) => `--${name}`)
    .join(', ');
}

/** The flag that has most in common with the wrong one, if it is nearly that. */
function nearest(flag: string, names: readonly string[]): string | undefined {
  const word = flag.replace(/^-+/, '');
  const best = names
    .map((name) => ({ name, distance: distance(word, name) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= 2 && best.distance < Math.max(word.length, best.name.length) / 2
    ? best.name
    : undefined;
}

/** Levenshtein's: how many letters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
