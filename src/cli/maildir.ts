/**
 * Maildir folders (https://cr.yp.to/proto/maildir.html) with Maildir++ subfolders (`.Sent.2020`) or nested ones (Dovecot's
 * LAYOUT=fs). A message is a file; its flags are letters at the end of its name, `…:2,RS`.
 */
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface MaildirFolder {
  readonly path: string;
  /** The mailbox's levels below the one at hand. */
  readonly levels: readonly string[];
}

export interface MaildirMessage {
  readonly path: string;
  readonly flags: readonly string[];
  /** The file's time, which IMAP servers keep as the internal date. */
  readonly date: Date;
}

export async function isMaildir(path: string): Promise<boolean> {
  return stat(join(path, 'cur')).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The folder itself and all below it. */
export async function* maildirFolders(path: string, levels: readonly string[] = []): AsyncGenerator<MaildirFolder> {
  if (await isMaildir(path)) yield { path, levels };
  for (const entry of (await readdir(path, { withFileTypes: true })).sort(byName)) {
    if (!entry.isDirectory() || ['cur', 'new', 'tmp'].includes(entry.name)) continue;
    // Maildir++ folders lie side by side and have their levels in their names; others lie in one another.
    const below = entry.name.startsWith('.') ? entry.name.slice(1).split('.') : [entry.name];
    yield* maildirFolders(join(path, entry.name), [...levels, ...below.map(decodeModifiedUtf7)]);
  }
}

/** In the order of arrival, as far as the names tell. */
export async function* maildirMessages(path: string): AsyncGenerator<MaildirMessage> {
  const keywords = await dovecotKeywords(path);
  const found: { readonly name: string; readonly folder: 'cur' | 'new' }[] = [];
  for (const folder of ['cur', 'new'] as const) {
    const names = await readdir(join(path, folder)).catch(() => []);
    found.push(...names.filter((name) => !name.startsWith('.')).map((name) => ({ name, folder })));
  }
  // Names begin with the second of the delivery.
  found.sort((a, b) => Number.parseInt(a.name) - Number.parseInt(b.name) || (a.name < b.name ? -1 : 1));
  for (const { name, folder } of found) {
    const file = join(path, folder, name);
    const { mtime } = await stat(file);
    yield { path: file, flags: flagsOf(name, keywords), date: mtime };
  }
}

const FLAGS: Readonly<Record<string, string>> = {
  D: '\\Draft',
  F: '\\Flagged',
  P: '$Forwarded',
  R: '\\Answered',
  S: '\\Seen',
  T: '\\Deleted',
};

function flagsOf(name: string, keywords: ReadonlyMap<string, string>): string[] {
  // Where `:` cannot stand in a file's name, programs write `;` or `!`.
  const letters = /[:;!]2,([A-Za-z]*)/.exec(name)?.[1] ?? '';
  return Array.from(letters).flatMap((letter) => FLAGS[letter] ?? keywords.get(letter) ?? []);
}

/** Dovecot: `dovecot-keywords` has a line `0 $Label1` for the letter `a`, and so on. */
async function dovecotKeywords(path: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(path, 'dovecot-keywords'), 'utf8').catch(() => '');
  const keywords = new Map<string, string>();
  for (const [, number, keyword] of text.matchAll(/^(\d{1,2}) (\S+)$/gm)) {
    keywords.set(String.fromCharCode(0x61 + Number(number)), keyword!);
  }
  return keywords;
}

/** RFC 3501 §5.1.3, in which mail servers name Maildir folders; what is none stays as it is. */
export function decodeModifiedUtf7(name: string): string {
  return name.replaceAll(/&([A-Za-z0-9+,]*)-/g, (whole, base64: string) => {
    if (base64 === '') return '&';
    const octets = Buffer.from(base64.replaceAll(',', '/'), 'base64');
    if (octets.length < 2) return whole;
    return octets
      .subarray(0, octets.length & ~1)
      .swap16()
      .toString('utf16le');
  });
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);
