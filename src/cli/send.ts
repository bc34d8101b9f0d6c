/** `glassmail send`: hands a message in over SMTP, as an application would. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { SendMailOptions } from 'nodemailer';
import { addrSpec, mailboxesOf, parseAddressList } from '../mail/address.ts';
import { allFields, firstField, parseHeader } from '../mail/headers.ts';
import { UsageError } from './command.ts';
import type { CliCommand, Io } from './command.ts';
import { dataFolder, defaultDomain, readControl } from './control.ts';
import type { Control } from './control.ts';
import { DATA_FLAG, readChoice, readFlags, readPort } from './flags.ts';
import { withCrlf } from './import-files.ts';

const FLAGS = {
  ...DATA_FLAG,
  from: { type: 'string' },
  to: { type: 'string', multiple: true },
  cc: { type: 'string', multiple: true },
  bcc: { type: 'string', multiple: true },
  subject: { type: 'string' },
  text: { type: 'string' },
  html: { type: 'string' },
  attach: { type: 'string', multiple: true },
  header: { type: 'string', multiple: true },
  host: { type: 'string' },
  port: { type: 'string' },
  tls: { type: 'string' },
  user: { type: 'string' },
  password: { type: 'string' },
  ca: { type: 'string' },
} as const;

type Flags = ReturnType<typeof readFlags<typeof FLAGS>>['values'];

export const send: CliCommand = {
  name: 'send',
  summary: 'send a message, composed from flags or from a file',
  help: `Usage: glassmail send --to ADDRESS [FLAGS]
       glassmail send [FLAGS] FILE.eml
       some-program | glassmail send [FLAGS] -

Hands a message in over SMTP; by default to the server that runs here, without a login. An address without
a domain gets the server's default domain.

The message, composed:
  --from ADDRESS    default: the server's first account
  --to ADDRESS      may be given several times, as --cc and --bcc
  --subject TEXT
  --text TEXT       --text - takes it from standard input
  --html HTML       beside the text, or alone
  --attach FILE     may be given several times
  --header "NAME: VALUE"
The message, as it is: a file, or - for standard input. It goes to the addresses of its To, Cc and Bcc
fields (Bcc is taken out), or to those of --to.

Where to:
  --host HOST       default 127.0.0.1
  --port PORT       default 1025, or that of the server that runs here
  --tls none|starttls|implicit   default none; starttls and implicit check the certificate
  --user NAME --password TEXT    log in
  --ca FILE         trust this authority (PEM); of the server that runs here it is trusted anyway
  --data FOLDER     the data folder, by which that server is found (GLASSMAIL_DATA; default ./data)

Examples:
  glassmail send --to alice --subject Hello --text "It works"
  glassmail send --to alice --to bob --html "<h1>Hi</h1>" --attach photo.jpg
  glassmail send --host mail.red.test --port 465 --tls implicit --user carol --password s3cret \\
    --from carol@red.test --to bob@blue.test
`,
  async run(args, io) {
    const { values, positionals } = readFlags('send', args, FLAGS);
    if (positionals.length > 1) throw new UsageError('One file at a time (glassmail send --help)');
    const control = await readControl(dataFolder(values.data, io.environment));
    const domain = await defaultDomain(control, io.environment);
    const [file] = positionals;
    const message =
      file === undefined ? await compose(values, control, domain, io) : await asItIs(file, values, domain, io);
    return deliver(message, values, control, io);
  },
};

async function deliver(message: SendMailOptions, flags: Flags, control: Control | undefined, io: Io): Promise<number> {
  const tls = readChoice('--tls', flags.tls, ['none', 'starttls', 'implicit'], 'none');
  const service = tls === 'implicit' ? 'submissions' : flags.user === undefined ? 'smtp' : 'submission';
  const here = flags.host === undefined ? control?.services[service] : undefined;
  const host = flags.host ?? here?.host ?? '127.0.0.1';
  const port =
    readPort('--port', flags.port) ?? here?.port ?? { smtp: 1025, submission: 1587, submissions: 1465 }[service];
  if (flags.password !== undefined && flags.user === undefined) throw new UsageError('--password needs --user');
  const authority = flags.ca ?? (flags.host === undefined ? control?.authority : undefined);
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(flags.user !== undefined && { auth: { user: flags.user, pass: flags.password ?? '' } }),
    ...(authority !== undefined && { tls: { ca: await readOrSay(authority, '--ca') } }),
  });
  try {
    const { accepted, rejected, response } = await transport.sendMail(message);
    for (const address of rejected) io.stderr.write(`refused: ${textOf(address)}\n`);
    io.stdout.write(`accepted for ${accepted.map(textOf).join(', ')}: ${response}\n`);
    return rejected.length > 0 ? 1 : 0;
  } catch (error) {
    throw new UsageError(whySendingFailed(error as Error & Failure, host, port), 1);
  } finally {
    transport.close();
  }
}

interface Failure {
  readonly code?: string;
  readonly response?: string;
}

function whySendingFailed({ message, code, response }: Error & Failure, host: string, port: number): string {
  const where = `${host} port ${port}`;
  if (response !== undefined) return `${where} refused: ${response}`;
  if (message.includes('ECONNREFUSED'))
    return `Nothing listens on ${where}: start the server, or give --host and --port`;
  if (/certificate|self.signed|issuer/i.test(message)) {
    return `${where}: the certificate is not trusted (${message}); --ca FILE names the authority's`;
  }
  return `${where}: ${message}${code === undefined ? '' : ` (${code})`}`;
}

async function compose(flags: Flags, control: Control | undefined, domain: string, io: Io): Promise<SendMailOptions> {
  const recipients = { to: whole(flags.to, domain), cc: whole(flags.cc, domain), bcc: whole(flags.bcc, domain) };
  if (recipients.to.length + recipients.cc.length + recipients.bcc.length === 0) {
    throw new UsageError('To whom? --to alice, or a FILE.eml (glassmail send --help)');
  }
  const text = flags.text === '-' ? await standardInput(io) : flags.text;
  const attachments = await Promise.all(
    (flags.attach ?? []).map(async (path) => ({
      filename: basename(path),
      content: await readOrSay(path, '--attach'),
    })),
  );
  return {
    from: flags.from === undefined ? (control?.account ?? `glassmail@${domain}`) : whole([flags.from], domain)[0]!,
    ...recipients,
    subject: flags.subject ?? '',
    ...(text !== undefined || flags.html === undefined ? { text: text ?? '' } : {}),
    ...(flags.html !== undefined && { html: flags.html }),
    attachments,
    headers: (flags.header ?? []).map((line) => {
      const [, key, value] = /^([\x21-\x39\x3B-\x7E]+):[ \t]*(.*)$/s.exec(line) ?? [];
      if (key === undefined) throw new UsageError(`--header ${JSON.stringify(line)}: write --header "X-Colour: red"`);
      return { key, value: value ?? '' };
    }),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** A finished message: its octets go out unchanged, but for Bcc. */
async function asItIs(file: string, flags: Flags, domain: string, io: Io): Promise<SendMailOptions> {
  const composing = (['cc', 'bcc', 'subject', 'text', 'html', 'attach', 'header'] as const).find((flag) => flags[flag]);
  if (composing !== undefined) {
    throw new UsageError(`--${composing} is for composing; ${file === '-' ? 'standard input' : file} is sent as it is`);
  }
  const octets = withCrlf(
    file === '-' ? Buffer.from(await standardInput(io), 'latin1') : await readOrSay(file, 'FILE'),
  );
  const header = parseHeader(octets);
  const named = (name: string): string[] => allFields(octets, header, name).flatMap(addressesIn);
  const to = flags.to === undefined ? ['To', 'Cc', 'Bcc'].flatMap(named) : whole(flags.to, domain).flatMap(addressesIn);
  if (to.length === 0) throw new UsageError('The message names no recipient; give --to');
  const sender = flags.from ?? firstField(octets, header, 'From') ?? '';
  const from = addressesIn(whole([sender], domain)[0]!)[0] ?? '';
  return { envelope: { from, to }, raw: withoutBcc(octets) };
}

/** RFC 5322 §3.6.3: those who are named there are not shown to the others. */
function withoutBcc(octets: Buffer): Buffer {
  const text = octets.toString('latin1');
  const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n') + 2;
  const header = end <= 1 ? text : text.slice(0, end);
  return Buffer.from(
    header.replaceAll(/^Bcc[ \t]*:(?:[^\r]|\r(?!\n)|\r\n[ \t])*\r\n/gim, '') + text.slice(header.length),
    'latin1',
  );
}

function addressesIn(text: string): string[] {
  return mailboxesOf(parseAddressList(text)).map(addrSpec);
}

/** `alice` becomes `alice@<default domain>`; names in front of addresses stay. */
function whole(addresses: readonly string[] | undefined, domain: string): string[] {
  return (addresses ?? []).map((address) => (/^[^\s@<>",]+$/.test(address) ? `${address}@${domain}` : address));
}

/** As octets, one a character. */
async function standardInput({ stdin }: Io): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array | string));
  return Buffer.concat(chunks).toString('latin1');
}

async function readOrSay(path: string, flag: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`${flag} ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
  }
}

function textOf(address: string | { readonly address: string }): string {
  return typeof address === 'string' ? address : address.address;
}
