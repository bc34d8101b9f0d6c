/**
 * The command line: finds the subcommand. Without one, `start`: read the configuration, run the stack, stop it on SIGINT
 * or SIGTERM.
 */
import { UsageError, type CliCommand, type Io } from './cli/command.ts';
import { ADDRESS_CODES } from './faults/address-code.ts';
import { ConfigError, SERVICE_PURPOSE, SERVICES, SETTINGS, readConfig, variableOf, type Config } from './config.ts';
import type { Stack } from './stack.ts';
import type { Endpoint } from './wire/connection.ts';

/** Loaded when called: `glassmail --help` shall not wait for libraries. */
const COMMANDS: Readonly<Record<string, () => Promise<CliCommand>>> = {
  start: () => Promise.resolve(start),
  check: async () => (await import('./cli/check.ts')).check,
  send: async () => (await import('./cli/send.ts')).send,
  sendmail: async () => (await import('./cli/sendmail.ts')).sendmail,
  accounts: async () => (await import('./cli/accounts.ts')).accounts,
  tokens: async () => (await import('./cli/tokens.ts')).tokens,
  import: async () => (await import('./cli/import.ts')).importMail,
  export: async () => (await import('./cli/export.ts')).exportMail,
  readyz: async () => (await import('./cli/readyz.ts')).readyz,
};

/** @param args without node and the script; @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const io: Io = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, environment: process.env };
  // Whoever reads our output may stop reading (`| head`): that ends the program without a word.
  io.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const [first, ...rest] = args;
  try {
    if (first === '--help' || first === '-h' || first === 'help') return print(io, await overview());
    if (first === '--version' || first === '-V')
      return print(io, `glassmail ${(await import('./version.ts')).VERSION}\n`);
    const named = first !== undefined && !first.startsWith('-');
    const load = COMMANDS[named ? first : 'start'];
    if (!load)
      throw new UsageError(
        `"${first ?? ''}" is not a command; there are ${Object.keys(COMMANDS).join(', ')} (glassmail --help)`,
      );
    const command = await load();
    const flags = named ? rest : args;
    if (flags.includes('--help') || flags.includes('-h')) return print(io, command.help);
    return await command.run(flags, io);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ConfigError)) throw error;
    io.stderr.write(`glassmail: ${error.message}\n`);
    return error instanceof UsageError ? error.exitCode : 2;
  }
}

function print(io: Io, text: string): number {
  io.stdout.write(text);
  return 0;
}

async function overview(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const width = Math.max(...commands.map(({ name }) => name.length));
  return `glassmail: a mail server with glass walls. SMTP takes mail in; IMAP, POP3 and HTTP read it; every conversation
can be watched.

Usage: glassmail [COMMAND] [FLAGS]

Commands:
${commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n')}

Without a command: start. What a command takes: glassmail COMMAND --help

First steps:
  glassmail                      runs everything; prints the addresses, the accounts and their password
  glassmail send --to alice --subject Hello --text "It works"
  glassmail check                proves that sending and reading work, as mail programs do it
`;
}

// --------------------------------------------------------------------------------------------------------- start

/** What is under way when the store fails has so long to be told; then the process ends, whatever it still waits for. */
const FAILED_DRAIN_MS = 15_000;

const start: CliCommand = {
  name: 'start',
  summary: 'run the server: SMTP, IMAP, POP3 and the web pages (the default)',
  get help() {
    return startHelp();
  },
  async run(args, io) {
    const config = readConfig(args, io.environment);
    const { startStack, StartError } = await import('./stack.ts');
    const stopping = new AbortController();
    const stop = () => stopping.abort();
    process.on('SIGINT', stop).on('SIGTERM', stop);
    // A fault of ours in one session shall not end the others: what was acknowledged is on the disk already.
    const fault = (error: unknown) =>
      io.stderr.write(`a fault of glassmail: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.on('uncaughtException', fault).on('unhandledRejection', fault);
    try {
      await using stack = await startStack(config, {
        log: (line) => io.stderr.write(`${line}\n`),
      });
      process.on('SIGHUP', () => void stack.reload());
      io.stdout.write(await report(config, stack, io.stdout.isTTY));
      const stopped = new Promise<undefined>((resolve) => {
        if (stopping.signal.aborted) resolve(undefined);
        stopping.signal.addEventListener('abort', () => resolve(undefined));
      });
      const failure = await Promise.race([stopped, stack.failed]);
      if (failure) {
        // Half a server is worse than none: whoever supervises this process starts another.
        io.stderr.write(`glassmail: the store has failed and the server ends: ${failure.message}\n`);
        setTimeout(() => process.exit(1), FAILED_DRAIN_MS).unref();
        return 1;
      }
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      throw new UsageError(error.message, 1);
    }
    return 0;
  },
};

const placeOf = ({ address, port }: Endpoint): string =>
  (address.includes(':') ? `[${address}]` : address) + `:${port}`;

/** The first lines on standard output: each address, the accounts, where the data lies; the last is `ready`. */
async function report(config: Config, stack: Stack, isTerminal: boolean): Promise<string> {
  const services = SERVICES.flatMap((service) => {
    const addresses = stack.addresses(service);
    if (addresses.length === 0) return [];
    const places = addresses.map(placeOf);
    return [`  ${service.padEnd(11)}  ${places.join('  ').padEnd(28)}  ${SERVICE_PURPOSE[service]}`];
  });
  const accounts = await stack.accountsWithKnownPassword();
  const lines = [
    `glassmail ${stack.version}, ${config.mode === 'capture' ? 'capture mode: every domain is local, nothing leaves this machine' : `domain mode: ${config.domains.join(', ')}`}`,
    ...services,
    ...config.notices,
    ...stack.notices,
    accounts.length > 0
      ? `accounts: ${accounts.map(({ address }) => address).join(', ')}; password: ${config.password ?? ''}`
      : config.mode === 'capture'
        ? 'accounts: glassmail accounts list'
        : 'accounts: make them with glassmail accounts add NAME',
    `data: ${stack.folder}`,
    ...(stack.authorityFile === undefined
      ? []
      : [`authority: ${stack.authorityFile} (mail programs that ask whom to trust take this file)`]),
    ...(stack.webAddress === undefined ? [] : [`web: ${stack.webAddress}`]),
    ...(config.mode === 'capture' && !isTerminal ? awaited(stack) : []),
    'ready',
  ];
  return lines.join('\n') + '\n';
}

/**
 * What libraries that start containers look for in the log before they let a test begin, where it was written for one of
 * the servers that this one stands in for. Nobody who sits at a terminal has a use for them.
 */
function awaited(stack: Stack): string[] {
  const [smtp] = stack.addresses('smtp');
  const [http] = stack.addresses('http');
  return [
    'for tests that wait for the line of another server:',
    ...(smtp ? ['Starting GreenMail standalone', `[SMTP] Binding to address: ${placeOf(smtp)}`] : []),
    ...(smtp ? [`SMTP listening on tcp4 addr=${placeOf(smtp)}`] : []),
    ...(http ? [`[HTTP] Binding to address: ${placeOf(http)}`, `Serving under http://${placeOf(http)}/`] : []),
    ...(stack.webAddress === undefined ? [] : [`[http] accessible via ${stack.webAddress}/`]),
  ];
}

function startHelp(): string {
  const groups = [...new Set(SETTINGS.map(({ group }) => group))];
  const section = (group: string) =>
    SETTINGS.filter((setting) => setting.group === group)
      .map((setting) => {
        const head = `  --${setting.flag} ${setting.value}`;
        const given = setting.default === '' ? '' : ` (default: ${setting.default})`;
        return `${head}\n${wrap(`${setting.help}${given}`, 10, 100)}`;
      })
      .join('\n');
  return `Usage: glassmail start [FLAGS]

Runs everything until SIGINT (Ctrl-C) or SIGTERM. Prints each address, the accounts, and last: ready.
Each flag has an environment variable: --smtp-port is ${variableOf('smtp-port')}. A flag beats a variable.

${groups.map((group) => `${group[0]!.toUpperCase()}${group.slice(1)}:\n${section(group)}`).join('\n\n')}

Addresses that ask for a fault, in capture mode:
${ADDRESS_CODES.map(([form, meaning]) => `  ${form.padEnd(28)}  ${meaning}`).join('\n')}

Fixed limits. Past one comes the protocol's own error reply, and others go on being served.
  SMTP        lines of 8 KiB, of AUTH 12 KiB; 1,000 commands and the recipients without a message; 20 errors; 5 minutes
              of silence; a message is read to four times its limit, to be refused
  IMAP        lines of 64 KiB (before login 40), literals of 64 KiB (before login 4), commands of 256 KiB; 500 search
              keys within one another, 100,000 ranges of numbers; 200 patterns in LIST; 1,000 messages in APPEND; 20 wrong
              commands in a row (before login 3); 30 minutes of silence (before login 2)
  POP3        lines of 255 octets, of AUTH 12 KiB; 10 wrong commands in a row, 200 before login; 10 minutes of silence
              (before login 2)
  HTTP        16 KiB of header, bodies of 5 MiB (messages: --max-message-size); 10 minutes for a request; 256 pages that
              watch
  logins      5 that fail in one connection; after five of one address answers are held back, up to 8 seconds
  connections 30 seconds for a TLS handshake; 1 MiB that waits to be sent
  accounts    10,000 mailboxes, names of 1,000 octets in 50 levels, 20,000 subscriptions; 200 flags on a message,
              keywords of 255 characters, 10,000 of them in all; 1,000 annotations of a mailbox, 16 MiB of them in all
  messages    100 levels and 10,000 parts of MIME, 50,000 header fields, 10,000 addresses in a field: what is beyond stays
              in the message, and is not looked at

Examples:
  glassmail start --data temp --http-port 0        throwaway server, the web on a free port
  glassmail start --domains red.test               a mail host for red.test
  GLASSMAIL_HOST=0.0.0.0,:: glassmail start        for other machines too
`;
}

/** Lines of at most `width` columns, each indented. */
function wrap(text: string, indent: number, width: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && indent + line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => ' '.repeat(indent) + line).join('\n');
}
