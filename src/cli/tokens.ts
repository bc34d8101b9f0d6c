/** `glassmail tokens`: bearer tokens by which mail programs log in instead of with a password. */
import type { MadeToken, NewToken, Token, TokenList } from '../http/schemas/tokens.ts';
import { TOKEN_SCOPES } from '../sasl/tokens.ts';
import { UsageError } from './command.ts';
import type { CliCommand, Io } from './command.ts';
import { dataFolder, readControl } from './control.ts';
import { DATA_FLAG, readFlags } from './flags.ts';

const FLAGS = {
  ...DATA_FLAG,
  scopes: { type: 'string' },
  expires: { type: 'string' },
  'token-stdin': { type: 'boolean' },
} as const;

const PATIENCE_MS = 60_000;

export const tokens: CliCommand = {
  name: 'tokens',
  summary: 'list, add and revoke tokens for logins with OAuth (OAUTHBEARER, XOAUTH2)',
  help: `Usage: glassmail tokens list
       glassmail tokens add NAME
       glassmail tokens revoke ID

A token opens one account, as its password does, until it expires or is revoked. add prints it once: the
server keeps only its SHA-256. While there is a token, IMAP, POP3 and submission offer OAUTHBEARER and
XOAUTH2. Works beside a running server.

  --scopes imap,pop3  what it opens: ${TOKEN_SCOPES.join(', ')} (default: mail, which is everything)
  --expires WHEN      30m, 12h, 90d, or a time such as 2027-01-31T12:00:00Z (default: never)
  --token-stdin       take the token from the first line of standard input instead of making one
  --data FOLDER       the data folder, by which the server is found (GLASSMAIL_DATA; default ./data)

Examples:
  glassmail tokens add carol --expires 90d
  glassmail tokens add robot@red.test --scopes smtp
  glassmail tokens revoke 75d75de06e4a76a6
`,
  async run(args, io) {
    const { values, positionals } = readFlags('tokens', args, FLAGS);
    const [action = 'list', name, ...more] = positionals;
    const server = new Server(io, values.data);
    if (action === 'list' && name === undefined) return list(server, io);
    if (name === undefined || more.length > 0 || !['add', 'revoke'].includes(action)) {
      throw new UsageError(
        `tokens ${positionals.join(' ')}: it is list, add NAME or revoke ID (glassmail tokens --help)`,
      );
    }
    if (action === 'revoke') {
      await server.ask('DELETE', `/${encodeURIComponent(name)}`);
      io.stdout.write(`${name} opens nothing any more\n`);
      return 0;
    }
    const scopes = values.scopes === undefined ? undefined : scopesOf(values.scopes);
    const expiresAt = values.expires === undefined ? undefined : timeOf(values.expires);
    const token = values['token-stdin'] === true ? await firstLine(io) : undefined;
    return add(server, io, {
      login: name,
      ...(token !== undefined && { token }),
      ...(scopes !== undefined && { scopes }),
      ...(expiresAt !== undefined && { expiresAt }),
    });
  },
};

async function list(server: Server, io: Io): Promise<number> {
  const found = ((await (await server.ask('GET', '')).json()) as TokenList).tokens;
  for (const token of found) io.stdout.write(`${line(token)}\n`);
  if (found.length === 0) io.stderr.write('There are no tokens; glassmail tokens add NAME\n');
  return 0;
}

async function add(server: Server, io: Io, token: NewToken): Promise<number> {
  const made = (await (await server.ask('POST', '', token)).json()) as MadeToken;
  io.stderr.write(`${line(made)}\n`);
  // Alone, so that a script can take it.
  io.stdout.write(`${made.token}\n`);
  return 0;
}

function line({ id, prefix, login, scopes, expiresAt, expired }: Token): string {
  const until = expiresAt === null ? 'never expires' : `${expired ? 'expired' : 'expires'} ${expiresAt}`;
  return [id, login, scopes.join(','), until, ...(prefix === '' ? [] : [`${prefix}…`])].join('  ');
}

function scopesOf(text: string): NonNullable<NewToken['scopes']> {
  return text.split(',').map((word) => {
    const scope = TOKEN_SCOPES.find((one) => one === word.trim());
    if (scope === undefined) throw new UsageError(`--scopes ${word}: it is one of ${TOKEN_SCOPES.join(', ')}`);
    return scope;
  });
}

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function timeOf(text: string): string {
  const [, number, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const time =
    number === undefined ? Date.parse(text) : Date.now() + Number(number) * UNITS[unit as keyof typeof UNITS];
  if (Number.isNaN(time))
    throw new UsageError(`--expires ${text}: give 30m, 12h, 90d, or a time such as 2027-01-31T12:00:00Z`);
  return new Date(time).toISOString();
}

async function firstLine({ stdin }: Io): Promise<string> {
  let text = '';
  for await (const piece of stdin) {
    text += String(piece);
    if (text.includes('\n')) break;
  }
  return text.split(/\r?\n/, 1)[0]!;
}

/** The routes for tokens of the server that runs on the data folder. */
class Server {
  readonly #io: Io;
  readonly #data: string | undefined;

  constructor(io: Io, data: string | undefined) {
    this.#io = io;
    this.#data = data;
  }

  /** @throws UsageError with what the server says, or that none runs */
  async ask(method: string, path: string, body?: object): Promise<Response> {
    const folder = dataFolder(this.#data, this.#io.environment);
    const control = await readControl(folder);
    if (control?.url === undefined) {
      const why = control === undefined ? 'No server runs' : 'The server has its HTTP port off';
      throw new UsageError(`${why} on ${folder}: tokens are kept by a running server (glassmail start)`, 1);
    }
    let response: Response;
    try {
      response = await fetch(`${control.url}/api/glass/tokens${path}`, {
        method,
        headers: { Authorization: `Bearer ${control.token}`, 'Content-Type': 'application/json' },
        signal: AbortSignal.timeout(PATIENCE_MS),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch {
      throw new UsageError(`The server at ${control.url} does not answer: is it still running?`, 1);
    }
    if (response.ok) return response;
    // Problem details (RFC 9457).
    const { detail } = (await response.json().catch(() => ({}))) as { detail?: string };
    throw new UsageError(detail ?? `the server answers with status ${response.status}`, 1);
  }
}
