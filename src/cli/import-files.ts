/** Mail that lies in files: mbox files, Maildir folders, .eml files, and folders of these. */
import { createReadStream } from 'node:fs';
import { open, readFile, readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fieldsNamed, parseHeader } from '../mail/headers.ts';
import { LF } from '../mail/octets.ts';
import { UsageError } from './command.ts';
import { isMaildir, maildirFolders, maildirMessages } from './maildir.ts';
import { looksLikeMbox, readMbox } from './mbox.ts';

/** A message from anywhere, on its way into an account. */
export interface SourceMessage {
  /** Levels below the mailbox that the user names; none: that one itself. */
  readonly levels: readonly string[];
  /** With CRLF. */
  readonly octets: Uint8Array;
  readonly flags: readonly string[];
  /** The internal date; undefined: that of its topmost Received field, or of its Date field. */
  readonly date: Date | undefined;
  /** Where it lay, for a line about it. */
  readonly origin: string;
}

/** @throws UsageError when there is nothing, or nothing that is mail */
export async function* readFiles(path: string, levels: readonly string[] = []): AsyncGenerator<SourceMessage> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UsageError(`There is no file or folder ${path}`);
  if (found.isDirectory()) yield* (await isMaildir(path)) ? maildir(path, levels) : folder(path, levels);
  else if (looksLikeMbox(await startOf(path))) yield* mbox(path, levels);
  else yield await eml(path, levels);
}

async function* folder(path: string, levels: readonly string[]): AsyncGenerator<SourceMessage> {
  const entries = (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) {
      // Apple Mail's `Sent.mbox/mbox`, Thunderbird's subfolders `Sent.sbd`.
      const inner = entry.name.endsWith('.mbox') ? join(below, 'mbox') : below;
      if (inner !== below && (await stat(inner).catch(() => undefined))?.isFile() === true) {
        yield* mbox(inner, [...levels, mailboxOf(entry.name)]);
      } else yield* readFiles(below, [...levels, mailboxOf(entry.name)]);
    } else if (entry.isFile() && entry.name.endsWith('.eml')) {
      yield await eml(below, levels);
    } else if (entry.isFile() && looksLikeMbox(await startOf(below))) {
      yield* mbox(below, [...levels, mailboxOf(entry.name)]);
    }
    // Anything else is an index or a setting of the program that wrote the folder.
  }
}

async function* maildir(path: string, levels: readonly string[]): AsyncGenerator<SourceMessage> {
  for await (const one of maildirFolders(path)) {
    for await (const { path: file, flags, date } of maildirMessages(one.path)) {
      const octets = withCrlf(await readFile(file));
      yield { levels: [...levels, ...one.levels], octets, flags, date, origin: file };
    }
  }
}

async function* mbox(path: string, levels: readonly string[]): AsyncGenerator<SourceMessage> {
  let number = 0;
  for await (const message of readMbox(createReadStream(path, { highWaterMark: 1 << 20 }), path)) {
    yield { levels, ...message, origin: `${path}, message ${++number}` };
  }
}

async function eml(path: string, levels: readonly string[]): Promise<SourceMessage> {
  const octets = withCrlf(await readFile(path));
  const header = parseHeader(octets);
  if (!USUAL_FIELDS.some((name) => fieldsNamed(header, name).length > 0)) {
    throw new UsageError(
      `${path} is neither a message nor an mbox file: its header has none of ${USUAL_FIELDS.join(', ')}`,
      1,
    );
  }
  // A file's time is mostly that of a copy: the message's own is better.
  return { levels, octets, flags: [], date: undefined, origin: path };
}

const USUAL_FIELDS = ['From', 'Date', 'Subject', 'To', 'Received', 'Message-ID'];

function mailboxOf(name: string): string {
  return basename(name, ['.mbox', '.mbx', '.sbd'].find((end) => end === extname(name)) ?? '');
}

async function startOf(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Files of Unix end their lines with LF alone; messages end them with CRLF (RFC 5322 §2.1). */
export function withCrlf(octets: Buffer): Buffer {
  for (let at = octets.indexOf(LF); at !== -1; at = octets.indexOf(LF, at + 1)) {
    if (octets[at - 1] !== 0x0d) return Buffer.from(octets.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1');
  }
  return octets;
}
