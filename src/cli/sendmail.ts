/**
 * `glassmail sendmail`: a message on standard input goes to the SMTP port, for programs that know nothing but a `sendmail`
 * command: PHP's `sendmail_path`, cron, git. Flags are those of Sendmail, as far as they have a meaning here; the
 * others are taken and change nothing. Exit codes are those of sysexits.h, by which callers decide to try again.
 */
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { hostname, userInfo } from 'node:os';
import { addrSpec, formatAddress, mailboxesOf, parseAddressList, splitAddress } from '../mail/address.ts';
import { allFields, fieldsNamed, parseHeader } from '../mail/headers.ts';
import { isAscii } from '../mail/octets.ts';
import { UsageError, type CliCommand, type Io } from './command.ts';
import { dataFolder, defaultDomain, readControl, type Control } from './control.ts';
import { withCrlf } from './import-files.ts';

const EX = { usage: 64, dataError: 65, unavailable: 69, tempFail: 75 } as const;

/** The command of Symfony and others that speak SMTP themselves: `sendmail -bs`. */
type Mode = 'message' | 'smtp' | 'queue';

export interface SendmailArguments {
  readonly mode: Mode;
  /** Recipients are those of the header too. */
  readonly fromHeader: boolean;
  /** A line with a dot alone is not the end. */
  readonly ignoreDots: boolean;
  /** Undefined: whoever runs the command. Empty: the null reverse-path. */
  readonly sender: string | undefined;
  /** Of a From field that has to be added. */
  readonly fullName: string | undefined;
  readonly recipients: readonly string[];
  /** `host:port`. */
  readonly address: string | undefined;
  readonly data: string | undefined;
  readonly notify: string | undefined;
  readonly returnType: string | undefined;
  readonly envelopeId: string | undefined;
}

/** Single letters that are followed by a value, at once or as the next word. */
const WITH_VALUE = 'fFrBCDhLNOopRSVXA';
const LONG = new Set(['smtp-addr', 'from', 'host', 'port', 'data']);

/** @throws UsageError 64 */
export function readArguments(args: readonly string[]): SendmailArguments {
  const values = new Map<string, string>();
  const switches = new Set<string>();
  const recipients: string[] = [];
  let mode: Mode = 'message';
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const next = (flag: string): string => {
      const value = args[++i];
      if (value === undefined) throw new UsageError(`${flag} needs a value (glassmail sendmail --help)`, EX.usage);
      return value;
    };
    if (arg === '--') {
      recipients.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      recipients.push(arg);
      continue;
    }
    if (arg.startsWith('--')) {
      const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
      if (!LONG.has(name)) throw new UsageError(`${arg} is not a flag of glassmail sendmail (see --help)`, EX.usage);
      values.set(name, value ?? next(arg));
      continue;
    }
    const letter = arg[1]!;
    if (letter === 'b') mode = modeOf(arg);
    else if (letter === 'o' && arg.length > 2) switches.add(arg.slice(1));
    else if (WITH_VALUE.includes(letter)) values.set(letter, arg.length > 2 ? arg.slice(2) : next(arg));
    else for (const each of arg.slice(1)) switches.add(each);
  }
  const port = values.get('port');
  const host = values.get('host') ?? (port === undefined ? undefined : '127.0.0.1');
  return {
    mode,
    fromHeader: switches.has('t'),
    ignoreDots: switches.has('i') || switches.has('oi') || values.get('o') === 'i',
    sender: values.get('f') ?? values.get('r') ?? values.get('from'),
    fullName: values.get('F'),
    recipients,
    address: values.get('smtp-addr') ?? values.get('S') ?? (host && `${bracketed(host)}:${port ?? 1025}`),
    data: values.get('data'),
    notify: values.get('N'),
    returnType: values.get('R'),
    envelopeId: values.get('V'),
  };
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function modeOf(flag: string): Mode {
  switch (flag) {
    case '-bm':
      return 'message';
    case '-bs':
      return 'smtp';
    case '-bp':
      return 'queue';
    default:
      throw new UsageError(`${flag}: there is nothing of that kind here; -bm and -bs send mail`, EX.usage);
  }
}

export const sendmail: CliCommand = {
  name: 'sendmail',
  summary: 'send a message from standard input, for programs that call sendmail',
  help: `Usage: glassmail sendmail [FLAGS] [RECIPIENT …]

Reads a message from standard input and hands it in over SMTP, as programs expect of a command sendmail.
A From, Date and Message-ID are added where they are missing, Bcc is taken out. Recipients without a
domain get the server's default domain.

  -t                recipients are those of the To, Cc and Bcc fields, and those of the command line
  -i, -oi           a line with nothing but a dot does not end the message
  -f ADDRESS        the sender of the envelope (also -r, --from); <> is none
                    (GLASSMAIL_SENDMAIL_FROM, MP_SENDMAIL_FROM, MH_SENDMAIL_FROM; default: who runs this)
  -F NAME           the name in a From field that has to be added
  -N, -R, -V        what a delivery report shall say: notify, return, envelope id (RFC 3461)
  -bs               speak SMTP on standard input and output
  -bp               the queue, which is empty
  --smtp-addr HOST:PORT   where to (also -S, or --host and --port)
                    (GLASSMAIL_SENDMAIL_ADDR, MP_SENDMAIL_SMTP_ADDR, MH_SENDMAIL_SMTP_ADDR;
                    default: the server that runs here, or 127.0.0.1:1025)
  --data FOLDER     the data folder, by which that server is found (GLASSMAIL_DATA; default ./data)
Other flags of sendmail are taken and change nothing.

Exit codes: 0 accepted; 64 wrong call; 65 no message; 69 refused for good; 75 try again later.

Examples:
  sendmail_path = "glassmail sendmail -t -i"                     in php.ini
  printf 'Subject: Hi\\n\\nIt works\\n' | glassmail sendmail alice
`,
  async run(args, io) {
    const given = readArguments(args);
    if (given.mode === 'queue') {
      io.stdout.write('Mail queue is empty\n');
      return 0;
    }
    const control = await readControl(dataFolder(given.data, io.environment));
    const place = placeOf(given, control, io.environment);
    if (given.mode === 'smtp') return speakSmtp(place, io);
    const text = await standardInput(io);
    const octets = withCrlf(Buffer.from(given.ignoreDots ? text : upToDot(text), 'latin1'));
    if (octets.length === 0) throw new UsageError('There is no message on standard input', EX.dataError);
    const message = prepare(octets, given, await defaultDomain(control, io.environment), io.environment);
    return deliver(message, given, place, io);
  },
};

interface Place {
  readonly host: string;
  readonly port: number;
}

/** @throws UsageError 64 */
function placeOf(given: SendmailArguments, control: Control | undefined, environment: NodeJS.ProcessEnv): Place {
  const named =
    given.address ??
    variable(environment, ['GLASSMAIL_SENDMAIL_ADDR', 'MP_SENDMAIL_SMTP_ADDR', 'MH_SENDMAIL_SMTP_ADDR']);
  if (named === undefined) return control?.services.smtp ?? { host: '127.0.0.1', port: 1025 };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(named);
  const port = Number(match?.[3] ?? 1025);
  if (!match || port < 1 || port > 65_535) throw new UsageError(`${named}: write HOST:PORT`, EX.usage);
  return { host: match[1] ?? match[2]!, port };
}

function variable(environment: NodeJS.ProcessEnv, names: readonly string[]): string | undefined {
  return names.map((name) => environment[name]).find((value) => value !== undefined && value !== '');
}

/** Without -i, a dot alone on its line is the end, as on a terminal. */
function upToDot(text: string): string {
  const end = /^\.\r?$/m.exec(text);
  return end ? text.slice(0, end.index) : text;
}

/** As octets, one a character. */
async function standardInput({ stdin }: Io): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array | string));
  return Buffer.concat(chunks).toString('latin1');
}

interface Prepared {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: Buffer;
}

/** @throws UsageError 64, 65 */
function prepare(octets: Buffer, given: SendmailArguments, domain: string, environment: NodeJS.ProcessEnv): Prepared {
  const whole = withHeader(octets);
  const header = parseHeader(whole);
  const named = (...names: string[]): string[] =>
    names.flatMap((name) => allFields(whole, header, name).flatMap((body) => addressesIn(body, domain)));
  const resent = named('Resent-To', 'Resent-Cc', 'Resent-Bcc'); // RFC 5322 §3.6.6
  const fromHeader = !given.fromHeader ? [] : resent.length > 0 ? resent : named('To', 'Cc', 'Bcc');
  const to = [...new Set([...given.recipients.flatMap((each) => addressesIn(each, domain)), ...fromHeader])];
  if (to.length === 0) {
    const where = given.fromHeader ? 'The header names no recipient' : 'To whom? Give recipients, or -t';
    throw new UsageError(`${where} (glassmail sendmail --help)`, EX.usage);
  }
  const from =
    given.sender ??
    variable(environment, ['GLASSMAIL_SENDMAIL_FROM', 'MP_SENDMAIL_FROM', 'MH_SENDMAIL_FROM']) ??
    `${userInfo().username}@${hostname()}`;
  const sender = from === '' || from === '<>' ? '' : addressesIn(from, domain)[0];
  if (sender === undefined) throw new UsageError(`-f ${from} is no address`, EX.usage);

  const has = (name: string): boolean => fieldsNamed(header, name).length > 0;
  const added = [
    ...(has('From') ? [] : [`From: ${author(sender, given.fullName, domain)}`]),
    ...(has('Date') ? [] : [`Date: ${new Date().toUTCString().replace('GMT', '+0000')}`]),
    ...(has('Message-ID') ? [] : [`Message-ID: <${randomUUID()}@${hostname()}>`]),
  ];
  // RFC 5322 §3.6.3: those who are named in Bcc are not shown to the others.
  const hidden = [...fieldsNamed(header, 'Bcc'), ...fieldsNamed(header, 'Resent-Bcc')].sort(
    (a, b) => a.start - b.start,
  );
  const pieces: Buffer[] = [Buffer.from(added.map((line) => `${line}\r\n`).join(''))];
  let at = 0;
  for (const { start, end } of hidden) {
    pieces.push(whole.subarray(at, start));
    at = end;
  }
  pieces.push(whole.subarray(at));
  return { from: sender, to, raw: Buffer.concat(pieces) };
}

/** What does not begin with a field or an empty line is all body. */
function withHeader(octets: Buffer): Buffer {
  const line = octets.toString('latin1', 0, Math.max(octets.indexOf('\r\n'), 0));
  return line === '' || /^[\x21-\x39\x3b-\x7e]+[ \t]*:/.test(line)
    ? octets
    : Buffer.concat([Buffer.from('\r\n'), octets]);
}

function author(sender: string, fullName: string | undefined, domain: string): string {
  const parts = splitAddress(sender === '' ? `MAILER-DAEMON@${domain}` : sender);
  const name =
    fullName === undefined || isAscii(fullName) ? fullName : `=?UTF-8?B?${Buffer.from(fullName).toString('base64')}?=`;
  return parts ? formatAddress({ name, ...parts }) : sender;
}

/** A word alone is a local part of the default domain. */
function addressesIn(text: string, domain: string): string[] {
  return mailboxesOf(parseAddressList(text))
    .filter(({ localPart }) => localPart !== '')
    .map((mailbox) => addrSpec(mailbox.domain === '' ? { ...mailbox, domain } : mailbox));
}

interface Failure {
  readonly responseCode?: number;
  readonly response?: string;
}

async function deliver({ from, to, raw }: Prepared, given: SendmailArguments, place: Place, io: Io): Promise<number> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({ ...place, secure: false, ignoreTLS: true });
  const dsn = {
    ...(given.envelopeId !== undefined && { id: given.envelopeId }),
    ...(given.returnType !== undefined && { return: /^hdrs$/i.test(given.returnType) ? 'headers' : 'full' }),
    ...(given.notify !== undefined && { notify: given.notify.split(',') }),
  } as const;
  try {
    const { rejectedErrors } = await transport.sendMail({
      envelope: { from, to: [...to], ...(Object.keys(dsn).length > 0 && { dsn }) },
      raw,
    });
    const refused = (rejectedErrors ?? []) as (Error & Failure)[];
    for (const { message } of refused) io.stderr.write(`glassmail: ${message}\n`);
    return refused.length === 0 ? 0 : exitCodeOf(refused);
  } catch (error) {
    const failure = error as Error & Failure;
    const where = `${place.host} port ${place.port}`;
    const why = failure.response === undefined ? failure.message : `refused: ${failure.response}`;
    throw new UsageError(`${where}: ${why}`, exitCodeOf([failure]));
  } finally {
    transport.close();
  }
}

/** For good if the server said so of any; what never reached it may do so later. */
function exitCodeOf(failures: readonly Failure[]): number {
  return failures.some(({ responseCode = 0 }) => responseCode >= 500) ? EX.unavailable : EX.tempFail;
}

const LAST_ANSWER_MS = 30_000;

/** Octets to the server and back, until either side is done. */
async function speakSmtp({ host, port }: Place, { stdin, stdout }: Io): Promise<number> {
  const socket = connect({ host, port });
  const outcome = new Promise<number>((resolve, reject) => {
    socket.on('error', (error) => reject(new UsageError(`${host} port ${port}: ${error.message}`, EX.tempFail)));
    socket.on('close', () => resolve(0));
  });
  socket.pipe(stdout, { end: false });
  // Answers are still to come when the caller has said all: the server ends it after QUIT. Who leaves without, is not waited for.
  stdin.pipe(socket, { end: false });
  stdin.once('end', () => socket.setTimeout(LAST_ANSWER_MS, () => socket.destroy()));
  try {
    return await outcome;
  } finally {
    stdin.unpipe(socket);
    stdin.pause();
    socket.destroy();
  }
}
