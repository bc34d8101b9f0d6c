/**
 * A POP3 session: RFC 1939 §3. The loop: read a line, find the command, check the state, run it, write its response.
 */
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { EffectOf } from '../faults/rule.ts';
import type { Plan, SessionFaults } from '../faults/session-faults.ts';
import { WORDS, Refusal } from '../store/refusal.ts';
import { decodeBase64 } from '../sasl/mechanism.ts';
import type { Connection } from '../wire/connection.ts';
import { ConnectionClosed, TimedOut } from '../wire/connection.ts';
import type { Answer, AnyCommand, Context, Dialect, State } from './command.ts';
import { COMMANDS } from './commands/table.ts';
import { BadSyntax, Parser, quote } from './grammar/parser.ts';
import { err, ok } from './grammar/responses.ts';
import type { Response } from './grammar/responses.ts';
import { challengeLine, print, statusLine } from './grammar/writer.ts';
import { loginDelayOf } from './login-delay.ts';
import type { Pop3Options } from './server.ts';

/** RFC 2449 §4, without CRLF. */
const LONGEST_COMMAND = 253;
/** RFC 5034 §4, without CRLF: AUTH with an initial response, and responses to challenges. */
const LONGEST_AUTH = 12_286;
/** RFC 1939 §3: at least 10 minutes. */
const IDLE_MS = 10 * 60_000;
/** Before login there is nothing to lose, and connections are counted: what RFC 1939 §3 wants is for those who are served. */
const IDLE_BEFORE_LOGIN_MS = 2 * 60_000;
/** Commands in a row that failed by the client's fault; then the connection ends. */
const MOST_FAILURES = 10;
/** Commands before a login: enough for every client that wants to log in, and for a person who types. */
const MOST_BEFORE_LOGIN = 200;
const MOST_FAILED_LOGINS = 5;
/** So many commands that have come already are run one after another; then other sessions have their turn. */
const COMMANDS_A_TURN = 50;

export class Session {
  readonly #connection: Connection;
  readonly #options: Pop3Options;
  readonly #faults: SessionFaults | undefined;
  /** Capabilities that CAPA left out when it was asked last; in capitals. */
  #hidden: readonly string[] = [];
  #state: State = { name: 'authorization', login: undefined };
  #dialect: Dialect = { utf8: false, language: undefined };
  /** In a row. */
  #failures = 0;
  #failedLogins = 0;
  #beforeLogin = 0;
  #thisTurn = 0;
  /** A command runs: when the server stops it is finished first. */
  #busy = true;

  constructor(connection: Connection, options: Pop3Options) {
    this.#connection = connection;
    this.#options = options;
    this.#faults = options.faults?.of(connection);
  }

  /** Until the client quits or is lost. @throws ConnectionClosed, TimedOut */
  async run(): Promise<void> {
    const connection = this.#connection;
    // POP3 has no way of saying good-bye unasked: an idle session just ends, as after its time-out (RFC 1939 §3).
    const drained = (): void => {
      if (!this.#busy) void connection.end();
    };
    connection.draining.addEventListener('abort', drained);
    try {
      const greeted = await this.#greet();
      while (greeted && !connection.draining.aborted && (await this.#next())) {
        // Each turn is a command.
      }
      await connection.end();
    } finally {
      connection.draining.removeEventListener('abort', drained);
      await this.#release();
    }
  }

  /** @returns whether the session goes on */
  async #greet(): Promise<boolean> {
    const fault = this.#faults?.ask({ at: 'greeting' });
    if (fault) await this.#faults!.before(fault);
    // RFC 1939 §4; without a timestamp in angle brackets, since there is no APOP (§7).
    const greeting = ok(`${this.#options.serverName} glassmail POP3 is ready`);
    await this.#connection.write(statusLine(fault?.refusal ? refusedByRule(fault.refusal) : greeting));
    if (fault) await this.#faults!.after(fault);
    return fault?.refusal === undefined;
  }

  #askFaults(line: Uint8Array): Plan | undefined {
    if (this.#faults?.any !== true) return undefined;
    const keyword = new Parser(line).keyword();
    const asked = { at: 'command', command: keyword } as const;
    return keyword === 'RETR' || keyword === 'TOP' ? this.#faults.ask(asked, { at: 'fetch' }) : this.#faults.ask(asked);
  }

  /** @returns whether the session goes on */
  async #next(): Promise<boolean> {
    await this.#othersTurn();
    this.#busy = false;
    const line = await this.#connection.readLine(LONGEST_AUTH, this.#idleMs());
    this.#busy = true;
    const fault = this.#askFaults(line.octets);
    if (fault) await this.#faults!.before(fault);
    const { response, close } = fault?.refusal
      ? { response: refusedByRule(fault.refusal), close: false }
      : await this.#respond(line.octets, line.overlong);
    await this.#write(response);
    if (fault) await this.#faults!.after(fault);
    if (close) return false;
    const limit = this.#limitReached(response);
    if (limit !== undefined) {
      this.#connection.annotate({ type: 'limit', limit: limit.reached });
      await this.#connection.write(statusLine(err(limit.said, 'SYS/TEMP')));
      return false;
    }
    if (response.then === 'start-tls') await this.#connection.startTls();
    return true;
  }

  /** Whoever pipelines without end is served command by command, as the others are. */
  async #othersTurn(): Promise<void> {
    if (this.#connection.buffered === 0) this.#thisTurn = 0;
    else if (++this.#thisTurn >= COMMANDS_A_TURN) {
      this.#thisTurn = 0;
      await turn();
    }
  }

  #limitReached({ status }: Response): { readonly reached: string; readonly said: string } | undefined {
    this.#failures = status === '+OK' ? 0 : this.#failures + 1;
    if (this.#failures >= MOST_FAILURES) {
      return { reached: `${MOST_FAILURES} commands failed in a row`, said: 'Too many commands failed; good-bye' };
    }
    if (this.#state.name === 'transaction' || ++this.#beforeLogin < MOST_BEFORE_LOGIN) return undefined;
    const reached = `${MOST_BEFORE_LOGIN} commands without a login`;
    return { reached, said: 'Too many commands without a login; good-bye' };
  }

  async #respond(line: Uint8Array, overlong: boolean): Promise<{ response: Response; close: boolean }> {
    const input = new Parser(line);
    const keyword = input.keyword();
    try {
      const longest = keyword === 'AUTH' ? LONGEST_AUTH : LONGEST_COMMAND;
      if (overlong || line.length > longest) throw new BadSyntax(`A command has ${longest} octets at most (RFC 2449)`);
      const command = COMMANDS.get(keyword);
      if (command === undefined || this.#hidden.includes(keyword)) throw new BadSyntax(unknown(line));
      const response = await this.#run(keyword, command, input);
      return { response, close: response.then === 'close' };
    } catch (error) {
      // After QUIT the connection is closed whatever became of UPDATE (RFC 1939 §6).
      return { response: this.#failed(error, keyword), close: keyword === 'QUIT' && !(error instanceof BadSyntax) };
    }
  }

  async #run(keyword: string, command: AnyCommand, input: Parser): Promise<Response> {
    const { name } = this.#state;
    if (!command.states.includes(name)) {
      return err(
        name === 'authorization'
          ? `${keyword} needs a login first`
          : `${keyword} is for before the login; QUIT ends it`,
      );
    }
    // The types of a command's arguments are its own affair.
    const args: unknown = command.parse(input);
    input.end();
    return command.run(args, this.#context());
  }

  #failed(error: unknown, keyword: string): Response {
    if (error instanceof BadSyntax) return err(error.message);
    const nothing = keyword === 'QUIT' ? '; nothing was deleted' : '';
    if (error instanceof Refusal) {
      return err(`${error.message}${nothing}`, WORDS[error.code].pop3);
    }
    if (error instanceof ConnectionClosed || error instanceof TimedOut) throw error;
    this.#options.log('error', `POP3 ${keyword} failed on conversation ${this.#connection.id}`, error);
    this.#connection.annotate({ type: 'error', message: `${keyword} failed by a fault of the server` });
    return err(`That is a fault of the server, and logged${nothing}`, 'SYS/TEMP');
  }

  async #write(response: Response): Promise<void> {
    try {
      const { utf8, language } = this.#dialect;
      const pieces = print(response, utf8 || language !== undefined);
      for await (const piece of pieces) await this.#connection.write(piece);
    } catch (error) {
      if (error instanceof ConnectionClosed || error instanceof TimedOut) throw error;
      // The status line has gone; only by ending without the full stop can the client know that this is not all.
      this.#connection.destroy();
      throw error;
    }
  }

  #idleMs(): number {
    const { idleMs = IDLE_MS } = this.#options;
    return this.#state.name === 'transaction' ? idleMs : Math.min(idleMs, IDLE_BEFORE_LOGIN_MS);
  }

  #context(): Context {
    const connection = this.#connection;
    const { store, credentials, defaultDomain, version, loginThrottle, maildrop = {} } = this.#options;
    const { loginDelaySeconds, expireDays, mostFailedLogins = MOST_FAILED_LOGINS } = this.#options;
    const { address } = connection.remote;
    const plaintextPermitted = connection.secure || this.#options.permitsPlaintextLogin(address);
    const now = this.#options.now ?? (() => performance.now());
    return {
      state: this.#state,
      store,
      credentials,
      defaultDomain,
      version,
      maildrop,
      loginDelaySeconds,
      expireDays,
      dialect: this.#dialect,
      secure: connection.secure,
      plaintextPermitted,
      get sasl() {
        return { plaintext: plaintextPermitted, channelBinding: connection.channelBinding() };
      },
      become: (next) => this.#become(next),
      speak: (dialect) => {
        this.#dialect = { ...this.#dialect, ...dialect };
      },
      ask: (challenge) => this.#ask(challenge),
      holdBack: async () => {
        const ms = loginThrottle.delayMs(address);
        if (ms === 0) return;
        connection.annotate({ type: 'limit', limit: `failed logins: held back for ${ms} ms` });
        await wait(ms, undefined, { signal: connection.signal }).catch(() => {
          throw new ConnectionClosed('the client left while its answer was held back');
        });
      },
      loginFailed: (login, mechanism, reason, mistake) => {
        loginThrottle.failed(address);
        connection.annotate({ type: 'login-failed', login, mechanism, reason, ...(mistake && { mistake }) });
        if (++this.#failedLogins < mostFailedLogins) return false;
        connection.annotate({ type: 'limit', limit: `${mostFailedLogins} failed logins` });
        return true;
      },
      loginSucceeded: (login, mechanism, given) => {
        loginThrottle.succeeded(address);
        if (this.#faults) this.#faults.login = login;
        connection.annotate({ type: 'login', login, mechanism, ...(given !== login && { given }) });
      },
      loginDue: (account) =>
        loginDelaySeconds === undefined || loginDelayOf(store).isDue(account, loginDelaySeconds, now()),
      loggedIn: (account) => {
        if (loginDelaySeconds !== undefined) loginDelayOf(store).loggedIn(account, loginDelaySeconds, now());
      },
      announce: (capabilities) => this.#announce(capabilities),
      annotate: (annotation) => connection.annotate(annotation),
    };
  }

  #announce(capabilities: readonly string[]): readonly string[] {
    this.#hidden = this.#faults?.ask({ at: 'capabilities' })?.hidden ?? [];
    return capabilities.filter((line) => !this.#hidden.includes(line.split(' ', 1)[0]!.toUpperCase()));
  }

  /** RFC 5034 §4. */
  async #ask(challenge: Uint8Array): Promise<Answer> {
    await this.#connection.write(challengeLine(challenge));
    const { octets, overlong } = await this.#connection.readLine(LONGEST_AUTH, this.#idleMs());
    const text = Buffer.from(octets).toString('latin1');
    if (overlong) return { type: 'malformed', message: `A response has ${LONGEST_AUTH} octets at most (RFC 5034)` };
    if (text === '*') return { type: 'cancelled' };
    const response = decodeBase64(text);
    return response === undefined
      ? { type: 'malformed', message: 'The response is not base 64' }
      : { type: 'response', octets: response };
  }

  async #become(next: State): Promise<void> {
    await this.#release();
    this.#state = next;
  }

  /** Unlocks the maildrop. What was marked stays: only QUIT deletes. */
  async #release(): Promise<void> {
    const old = this.#state;
    this.#state = { name: 'authorization', login: undefined };
    if (old.name !== 'transaction') return;
    try {
      await old.view[Symbol.asyncDispose]();
    } catch (error) {
      this.#options.log('error', 'POP3: what was retrieved could not be marked as \\Seen', error);
    }
  }
}

/** A reply code is SMTP's. */
function refusedByRule({ code, text = 'Refused by a rule' }: EffectOf<'refuse'>): Response {
  return err(text, code === undefined || /^\d/.test(code) ? undefined : code);
}

/** A client that speaks another protocol is told so: its user reads this line in an error box. */
function unknown(line: Uint8Array): string {
  const text = Buffer.from(line).toString('latin1');
  if (/^(EHLO|HELO|LHLO|MAIL|RCPT)\b/i.test(text)) return 'This is a POP3 server, and that is SMTP: check the port';
  if (/ HTTP\/1\.[01]$/.test(text)) return 'This is a POP3 server, and that is HTTP: check the port';
  if (/^[A-Z0-9.]+ (CAPABILITY|LOGIN|STARTTLS|AUTHENTICATE|ID)\b/i.test(text)) {
    return 'This is a POP3 server, and that is IMAP: check the port';
  }
  // No more of it than the first word: what follows may be a password.
  return `Not a command: ${quote(text.split(' ', 1)[0]!)}; there are ${[...COMMANDS.keys()].join(' ')}`;
}
