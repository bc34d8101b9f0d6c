/**
 * Which folder may import which: mail flows one way, so imports do too. Reads every import of every source file.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  mail: [],
  sasl: [],
  faults: [],
  notifier: [],
  store: ['mail', 'notifier'],
  delivery: ['mail', 'store'],
  imap: ['wire', 'mail', 'sasl', 'faults', 'store', 'notifier'],
  pop3: ['wire', 'mail', 'sasl', 'faults', 'store', 'notifier'],
  smtp: ['wire', 'mail', 'sasl', 'faults', 'store', 'notifier', 'delivery'],
  glass: ['wire', 'mail', 'sasl', 'faults', 'store', 'notifier'],
  http: ['wire', 'mail', 'sasl', 'faults', 'store', 'notifier', 'delivery', 'glass'],
  cli: ['mail', 'store', 'sasl', 'notifier'],
  ui: [],
  client: [],
};

/** Single files, or folders (with a slash at the end), that may be imported beyond the table, with the reason. */
const EXCEPTIONS: readonly (readonly [from: string, to: string])[] = [
  ['glass', 'imap/grammar/'], // pure: what was said is read as the server reads it
  ['glass', 'imap/commands/table.ts'], // what may come in which state
  ['glass', 'pop3/commands/table.ts'],
  ['ui', 'http/schemas/'], // types alone
  ['cli', 'http/schemas/'], // types alone
  ['client', 'http/schemas/'], // types alone
  ['cli', 'config.ts'], // where the server that has this environment listens
  ['client', 'config.ts'],
  ['client', 'stack.ts'], // the whole server inside a test
];

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  const specifiers = text.matchAll(/(?:from\s+|import\s*\(\s*|import\s+|new URL\(\s*)'(\.{1,2}\/[^']+)'/g);
  return [...specifiers].map(([, specifier]) => ({
    file,
    from: file.split('/')[0]!,
    to: relative(SRC, normalize(join(SRC, dirname(file), specifier!))),
  }));
}

const files = globSync('**/*.{ts,tsx,js}', { cwd: SRC }).filter((file) => !file.startsWith('ui/dist'));
const imports = files.flatMap(importsOf);

describe('imports', () => {
  test('there are sources to look at', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(20);
  });

  test('go only where the table allows', () => {
    const wrong = imports.filter(({ from, to, file }) => {
      if (!file.includes('/')) return false; // main, stack, config: they hold the parts together
      const folder = to.split('/')[0]!;
      if (folder === from) return false;
      if (
        EXCEPTIONS.some(([who, what]) => who === from && (what === to || (what.endsWith('/') && to.startsWith(what))))
      )
        return false;
      return !(ALLOWED[from] ?? []).includes(folder);
    });
    expect(wrong.map(({ file, to }) => `${file} imports ${to}`)).toEqual([]);
  });

  test('only the entry imports the stack', () => {
    const importers = imports.filter(({ to }) => to === 'stack.ts').map(({ file }) => file);
    expect(new Set(importers)).toEqual(new Set(['main.ts', 'client/start.ts']));
  });

  test('a grammar is pure: no socket, no clock, of the store nothing but types, rights and the words for no', () => {
    const impure = files
      .filter((file) => /^(imap|pop3|smtp)\/grammar\//.test(file))
      .filter((file) => {
        const text = readFileSync(join(SRC, file), 'utf8');
        const values = [...text.matchAll(/^import \{[^}]*\} from '\.\.\/\.\.\/((?:store|wire)\/[^']+)'/gm)].map(
          ([, to]) => to,
        );
        const reaches =
          /from 'node:(tls|fs|timers)|from 'node:net'(?<!import \{ isIPv4, isIPv6 \} from 'node:net')|Date\.now\(/.test(
            text,
          );
        return reaches || values.some((to) => to !== 'store/refusal.ts' && to !== 'store/rights.ts');
      });
    expect(impure).toEqual([]);
  });
});
