/** `glassmail export`: mail as mbox or .eml files, for other programs and for keeping. */
import { createWriteStream } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { openAccess } from './access.ts';
import type { Access, MailboxLine } from './access.ts';
import { UsageError } from './command.ts';
import type { CliCommand, Io } from './command.ts';
import { DATA_FLAG, readChoice, readFlags } from './flags.ts';
import { writeMboxMessage } from './mbox.ts';
import { Progress } from './progress.ts';

const FLAGS = {
  ...DATA_FLAG,
  account: { type: 'string' },
  mailbox: { type: 'string' },
  format: { type: 'string' },
  to: { type: 'string' },
} as const;

export const exportMail: CliCommand = {
  name: 'export',
  summary: 'write the mail of an account to mbox or .eml files',
  help: `Usage: glassmail export --account NAME --to PATH [FLAGS]

Writes every mailbox of the account to a file (mbox) or a folder (eml) of its own below the folder PATH,
or one mailbox to the file or folder PATH itself. Nothing is changed in the account, and no file that is
there already is overwritten.

  --account NAME  whose mail
  --mailbox NAME  only this mailbox
  --format mbox   one file per mailbox; flags as mutt, Dovecot and Thunderbird read them (the default)
  --format eml    one file per message, octet for octet, without flags; its time is the internal date
  --to PATH       where to
  --data FOLDER   the data folder (GLASSMAIL_DATA; default ./data)

Works beside a running server, or on its data folder while none runs.

Examples:
  glassmail export --account alice --to backup
  glassmail export --account alice --mailbox INBOX --to inbox.mbox
  glassmail export --account alice --mailbox Sent --format eml --to sent
`,
  async run(args, io) {
    const { values, positionals } = readFlags('export', args, FLAGS);
    const { account, mailbox, to, data } = values;
    if (positionals.length > 0) throw new UsageError(`${positionals[0]!}: the target is given with --to`);
    if (account === undefined) throw new UsageError('--account is missing: whose mail? --account alice');
    if (to === undefined) throw new UsageError('--to is missing: where to? --to backup');
    const format = readChoice('--format', values.format, ['mbox', 'eml'], 'mbox');
    await using access = await openAccess(data, io.environment);
    const all = await access.listMailboxes(account);
    const chosen = mailbox === undefined ? all : all.filter(({ name }) => sameMailbox(name, mailbox));
    if (chosen.length === 0) {
      const names = all.map(({ name }) => name).join(', ');
      throw new UsageError(`There is no mailbox ${mailbox ?? ''}; there are ${names}`, 1);
    }
    const progress = new Progress(io);
    for (const one of chosen) {
      const place = mailbox === undefined ? join(to, ...one.name.split('/').map(fileName)) : to;
      await (format === 'mbox'
        ? toMbox(access, account, one, mailbox === undefined ? `${place}.mbox` : place, progress)
        : toEml(access, account, one, place, progress));
    }
    progress.end();
    return report(progress.imported, chosen.length, io);
  },
};

async function toMbox(
  access: Access,
  account: string,
  mailbox: MailboxLine,
  file: string,
  progress: Progress,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  try {
    await once(out, 'open');
    for await (const { uid, flags, internalDate } of access.messages(account, mailbox)) {
      const octets = await access.readMessage(account, mailbox, uid);
      if (octets === undefined) continue;
      const sender = /^Return-Path: <([^>\r\n]*)>/i.exec(Buffer.from(octets.subarray(0, 1000)).toString('latin1'))?.[1];
      const more = out.write(writeMboxMessage(octets, { sender: sender ?? '', date: internalDate, flags }));
      if (!more) await once(out, 'drain');
      progress.imported++;
      progress.show(mailbox.name);
    }
    out.end();
    await finished(out);
  } catch (error) {
    throw inTheWay(error, file);
  }
}

async function toEml(
  access: Access,
  account: string,
  mailbox: MailboxLine,
  folder: string,
  progress: Progress,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for await (const { uid, internalDate } of access.messages(account, mailbox)) {
    const octets = await access.readMessage(account, mailbox, uid);
    if (octets === undefined) continue;
    const file = join(folder, `${String(uid).padStart(8, '0')}.eml`);
    try {
      await writeFile(file, octets, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      throw inTheWay(error, file);
    }
    await utimes(file, internalDate, internalDate);
    progress.imported++;
    progress.show(mailbox.name);
  }
}

function report(messages: number, mailboxes: number, io: Io): number {
  io.stdout.write(`${messages} messages of ${mailboxes === 1 ? '1 mailbox' : `${mailboxes} mailboxes`}\n`);
  return 0;
}

function inTheWay(error: unknown, file: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EEXIST')
    return new UsageError(`${file} is there already, and nothing is overwritten: choose another --to`, 1);
  return code === undefined ? error : new UsageError(`${file} cannot be written: ${code}`, 1);
}

const sameMailbox = (name: string, wanted: string): boolean =>
  name === wanted || (name === 'INBOX' && wanted.toUpperCase() === 'INBOX');

/** A mailbox may be named as no file can be, or as the folder above. */
function fileName(level: string): string {
  const name = level.replaceAll(/[\\:*?"<>|\x00-\x1F]/g, '_');
  return /^\.+$/.test(name) ? name.replaceAll('.', '_') : name;
}
