/** A Maildir on disk, as a program left it: what lies in `cur` and `new`, with the flags in the file's name. */
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Buffer } from 'node:buffer';

export interface MaildirMessage {
  readonly file: string;
  /** Letters: D(raft), F(lagged), R(eplied), S(een), T(rashed). */
  readonly flags: string;
  readonly octets: Buffer;
}

export async function makeMaildir(path: string): Promise<void> {
  for (const folder of ['cur', 'new', 'tmp']) await mkdir(join(path, folder), { recursive: true });
}

/** In the order of the messages' octets. */
export async function readMaildir(path: string): Promise<MaildirMessage[]> {
  const messages: MaildirMessage[] = [];
  for (const folder of ['cur', 'new']) {
    for (const name of await readdir(join(path, folder))) {
      const file = join(path, folder, name);
      messages.push({ file, flags: name.split(':2,')[1] ?? '', octets: await readFile(file) });
    }
  }
  return messages.sort((a, b) => a.octets.compare(b.octets));
}

/** The message of that subject. @throws when there is none */
export async function findInMaildir(path: string, subject: string): Promise<MaildirMessage> {
  const found = (await readMaildir(path)).find(({ octets }) =>
    octets.toString('latin1').includes(`Subject: ${subject}\n`),
  );
  if (!found) throw new Error(`${path} has no message "${subject}"`);
  return found;
}

/** Everything below a folder that is a message: paths with their flags and octets, to see that a second run changes nothing. */
export async function photograph(path: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\/(cur|new)$/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(name, 'latin1')] as const)));
}
