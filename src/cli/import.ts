/** `glassmail import`: brings mail in from elsewhere, as it is. */
import { createHash } from 'node:crypto';
import { parseDate } from '../mail/date.ts';
import { firstField, parseHeader } from '../mail/headers.ts';
import { openAccess } from './access.ts';
import type { Access } from './access.ts';
import { UsageError } from './command.ts';
import type { CliCommand, Io } from './command.ts';
import { DATA_FLAG, readFlags } from './flags.ts';
import { readFiles } from './import-files.ts';
import type { SourceMessage } from './import-files.ts';
import { imapSource, readImap } from './import-imap.ts';
import { PASSWORD_FLAG, askPassword } from './password.ts';
import { Progress } from './progress.ts';

const FLAGS = {
  ...DATA_FLAG,
  ...PASSWORD_FLAG,
  account: { type: 'string' },
  mailbox: { type: 'string' },
  from: { type: 'string' },
  ca: { type: 'string' },
  insecure: { type: 'boolean' },
} as const;

export const importMail: CliCommand = {
  name: 'import',
  summary: 'bring mail in from mbox files, Maildir folders, .eml files, or another IMAP account',
  help: `Usage: glassmail import --account NAME SOURCE...

SOURCE is a file or folder, whose kind is found out: an mbox file, a Maildir (with its subfolders), an
.eml file, a folder of these (each mbox file becomes a mailbox, as in Thunderbird's profile); or the
address of an IMAP account. Folders, flags and dates are kept. A message that was imported into a mailbox
before is left out, so after an interruption the same command goes on.

  --account NAME    whose mail it becomes
  --mailbox NAME    put it there, subfolders below it (default: INBOX, subfolders beside it)
  --from MAILBOX    of an IMAP account: only this mailbox
  --password-stdin  the IMAP password is the first line of standard input; else it is asked for
  --ca FILE         trust this authority (PEM) in the connection to the IMAP server
  --insecure        talk to an imap:// server without TLS
  --data FOLDER     the data folder (GLASSMAIL_DATA; default ./data)

Works beside a running server, or on its data folder while none runs.

Examples:
  glassmail import --account alice ~/Maildir
  glassmail import --account alice --mailbox Archive/2019 old.mbox
  glassmail import --account alice ~/.thunderbird/x1y2.default/Mail/"Local Folders"
  glassmail import --account alice imaps://alice%40old.example@imap.old.example
`,
  async run(args, io) {
    const { values, positionals } = readFlags('import', args, FLAGS);
    const { account, mailbox, data } = values;
    if (account === undefined) throw new UsageError('--account is missing: whose mail does it become? --account alice');
    if (positionals.length === 0) {
      throw new UsageError(
        'What is to be imported? glassmail import --account alice ~/Maildir (glassmail import --help)',
      );
    }
    await using access = await openAccess(data, io.environment);
    await access.listMailboxes(account); // a wrong account is told before a long reading
    const progress = new Progress(io);
    const before = new Set<string>();
    for (const source of positionals) {
      const messages = await openSource(source, values, io);
      for await (const message of messages) {
        const target = targetOf(message.levels, mailbox);
        before.add(target);
        progress.show(target);
        await take(access, account, target, message, progress, io);
      }
    }
    progress.end();
    const { imported, duplicates, refused } = progress;
    const parts = [`${imported} imported`, ...(duplicates > 0 ? [`${duplicates} were there already`] : [])];
    if (refused > 0) parts.push(`${refused} refused`);
    io.stdout.write(`${parts.join(', ')}; ${before.size === 1 ? '1 mailbox' : `${before.size} mailboxes`}\n`);
    return refused > 0 ? 1 : 0;
  },
};

interface SourceFlags {
  readonly from?: string | undefined;
  readonly ca?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly 'password-stdin'?: boolean | undefined;
}

async function openSource(source: string, flags: SourceFlags, io: Io): Promise<AsyncIterable<SourceMessage>> {
  if (!/^imaps?:/i.test(source)) return readFiles(source);
  const imap = imapSource(source, { insecure: flags.insecure ?? false, ca: flags.ca });
  const fromStdin = flags['password-stdin'] ?? false;
  const password = await askPassword(io, `Password of ${imap.user} at ${imap.host}`, { fromStdin, twice: false });
  return readImap(imap, password, flags.from);
}

async function take(
  access: Access,
  account: string,
  mailbox: string,
  message: SourceMessage,
  progress: Progress,
  io: Io,
): Promise<void> {
  const { octets, flags, date, origin } = message;
  if (octets.length === 0) return;
  const key = createHash('sha256').update(octets).digest('hex');
  const internalDate = date ?? dateOf(octets) ?? new Date();
  try {
    const outcome = await access.importMessage(account, mailbox, { octets, flags, internalDate, key });
    if (outcome === 'imported') progress.imported++;
    else progress.duplicates++;
  } catch (error) {
    // One message that cannot be taken (too large, a flag that is none) is no reason to leave the others behind.
    if (!(error instanceof UsageError)) throw error;
    progress.refused++;
    progress.end();
    io.stderr.write(`${origin}: ${error.message}\n`);
    if (progress.refused >= MOST_REFUSED && progress.imported === 0) throw error;
  }
}

/** If nothing at all is taken, the reason is the same for all. */
const MOST_REFUSED = 20;

/** Without a mailbox named, each source's folders keep their names; messages of none go to INBOX. */
export function targetOf(levels: readonly string[], mailbox: string | undefined): string {
  const own = levels.map((level) => level.replaceAll('/', '_').trim()).filter((level) => level !== '');
  if (own.length === 0) return mailbox ?? 'INBOX';
  if (mailbox !== undefined) return [mailbox, ...own].join('/');
  const [first = '', ...below] = own;
  return [first.toUpperCase() === 'INBOX' ? 'INBOX' : first, ...below].join('/');
}

/** When it arrived (RFC 5322 §3.6.7: after the semicolon), or else was written. */
function dateOf(octets: Uint8Array): Date | undefined {
  const header = parseHeader(octets);
  const received = firstField(octets, header, 'Received')?.split(';').at(-1);
  const arrived = received === undefined ? undefined : parseDate(received);
  if (arrived !== undefined) return arrived;
  const written = firstField(octets, header, 'Date');
  return written === undefined ? undefined : parseDate(written);
}
