/**
 * One SMTP conversation over smtp-server, and what of that library is overridden. The library keeps the connection, the
 * order of commands and the idle time; what each command means is decided in commands/. TLS is the wire's.
 *
 * Overridden: its waiting before the greeting, its parser (input.ts), its table of status codes, its own STARTTLS, AUTH,
 * MAIL, RCPT and DATA, its limits, and the commands it answers for fun (WIZ, SHELL, KILL). Its switch for LMTP is used:
 * the greeting says so, LHLO takes the place of EHLO, and EHLO and HELO get 500 (RFC 2033 §4.1).
 */
import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import type { Plan } from '../faults/session-faults.ts';
import type { Connection } from '../wire/connection.ts';
import { auth } from './commands/auth.ts';
import { bdat, chunkTaken, type Chunk } from './commands/bdat.ts';
import { data } from './commands/data.ts';
import { hello } from './commands/hello.ts';
import { mail } from './commands/mail.ts';
import { rcpt } from './commands/rcpt.ts';
import { IncomingMessage } from './incoming-message.ts';
import { SmtpInput } from './input.ts';
import { atCommand, atDelivery, isHidden, refusedByRule } from './faults.ts';
import { outcomes } from './lmtp.ts';
import * as replies from './replies.ts';
import { reply, replyFor, type Reply } from './replies.ts';
import type { SmtpOptions } from './server.ts';
import { endTransaction, forget, startSession, type SmtpSession } from './session.ts';

type Done = () => void;

/** RFC 5321 §4.5.3.2.7: at least 5 minutes. */
const IDLE_MS = 300_000;
/** RFC 5321 §4.5.3.1.4 asks for 512 and more for each extension; AUTH has the limit of input.ts. */
const LONGEST_COMMAND = 8192;
/** Characters of a refused recipient that are kept for those who watch. */
const LONGEST_TOLD = 300;
/** Replies that say that the client knows no SMTP: after so many without a message the connection ends. */
const MOST_ERRORS = 20;
const ERRORS: ReadonlySet<number> = new Set([500, 501, 502, 503, 504, 555]);
/** Commands without a message, beside the recipients. */
const MOST_COMMANDS = 1000;

/** The status codes of what is still said by the library itself; ours have theirs with them. */
const LIBRARY_STATUS: Readonly<Record<number, string>> = {
  221: '2.0.0',
  250: '2.0.0',
  421: '4.7.0',
  451: '4.3.0',
  500: '5.5.2',
  501: '5.5.4',
  503: '5.5.1',
};

/** smtp-server without a port of its own: connections come from the wire. */
export class DialogueServer extends SMTPServer {
  readonly smtpOptions: SmtpOptions;

  constructor(options: SmtpOptions) {
    super({
      name: options.serverName,
      banner: 'glassmail',
      lmtp: options.service === 'lmtp',
      logger: false,
      hideENHANCEDSTATUSCODES: false,
      // Who must log in is decided in submission.ts: the library forgets it where AUTH is not offered.
      authOptional: true,
      disableReverseLookup: true,
      socketTimeout: options.idleMs ?? IDLE_MS,
      disabledCommands: ['XCLIENT', 'XFORWARD', 'WIZ', 'SHELL', 'KILL'],
    });
    this.smtpOptions = options;
  }

  /** Resolves when the conversation is over. */
  converse(connection: Connection): Promise<void> {
    const dialogue = new Dialogue(this, connection);
    this.connections.add(dialogue);
    return dialogue.run();
  }

  /** The library's own certificate is not even loaded. */
  override updateSecureContext(): void {
    this.secureContext = new Map();
  }

  override onConnect(_session: unknown, callback: Done): void {
    callback();
  }

  override onSecure(_socket: unknown, _session: unknown, callback: Done): void {
    callback();
  }
}

class Dialogue extends SMTPConnection {
  readonly #connection: Connection;
  readonly #options: SmtpOptions;
  readonly #session: SmtpSession;
  readonly #over = Promise.withResolvers<undefined>();
  #errors = 0;
  #commands = 0;

  constructor(server: DialogueServer, connection: Connection) {
    super(server, socketOf(connection), { id: connection.id });
    this.#connection = connection;
    this.#options = server.smtpOptions;
    this.#session = startSession(server.smtpOptions, connection);
    this.secure = this.session.secure = connection.secure;
    this._maxAllowedUnauthenticatedCommands = false;
    this.on('error', () => undefined); // A lost peer is no error.
  }

  run(): Promise<undefined> {
    const { draining } = this.#connection;
    const drain = (): void => this.#drain();
    draining.addEventListener('abort', drain);
    this.init();
    if (draining.aborted) drain();
    return this.#over.promise.finally(() => draining.removeEventListener('abort', drain));
  }

  // The connection

  /** The library waits 100 ms for clients that speak before the greeting; here that is asked for, or not done. */
  override init(): void {
    this._setListeners(() => {
      const wait = this.#options.earlyTalkerMs ?? 0;
      if (wait === 0) this.connectionReady();
      else setTimeout(() => this.connectionReady(), wait).unref();
    });
  }

  override connectionReady(next?: Done): void {
    const fault = this.#session.faults?.ask({ at: 'greeting' });
    if (fault) void this.#greetFaulty(fault);
    else super.connectionReady(next);
  }

  async #greetFaulty(fault: Plan): Promise<void> {
    await this.#session.faults?.before(fault);
    if (this._closing || this._closed) return;
    if (fault.refusal) {
      // RFC 5321 §3.1 has 554 for it; RFC 2034 §4: no status codes in greetings.
      const { code, text } = refusedByRule({ ...fault.refusal, code: fault.refusal.code ?? '554' });
      this.#say({ code, text: `${this.name} ${String(text)}` });
      this.close();
      return;
    }
    super.connectionReady();
    await this.#session.faults?.after(fault);
  }

  override _createParser(): SmtpInput {
    const input = new SmtpInput({
      line: (line, done) => this._onCommand(line, done),
      overlong: (done) => this.#badLine('The line is too long', done),
      ended: () => this.close(),
    });
    input.on('error', (error) => {
      this.#options.log('error', `${this.id}: reading failed`, error);
      this.#say(replies.OUR_FAULT);
      this.close();
    });
    return input;
  }

  get #input(): SmtpInput | undefined {
    return this._parser instanceof SmtpInput ? this._parser : undefined;
  }

  /** After STARTTLS: the handshake is the wire's, and a new stream carries what follows. */
  override upgrade(callback: Done): void {
    this._upgrading = true;
    this._socket.unpipe(this._parser || undefined);
    // RFC 3207 §4.2, and no command injection: what came in clear behind STARTTLS is not acted on.
    const dropped = this.#input?.retire() ?? 0;
    if (dropped > 0) this.#connection.annotate({ type: 'dropped', octets: dropped });
    this._parser = this._createParser();
    this._socket.removeAllListeners();
    this._socket.on('error', () => undefined);
    this.#connection.startTls().then(
      () => this.#continueInTls(),
      (error: unknown) => {
        this._onClose();
        this.#over.reject(error);
      },
    );
    callback();
  }

  #continueInTls(): void {
    this._socket = socketOf(this.#connection);
    this._upgrading = false;
    this.secure = this.session.secure = true;
    forget(this.#session);
    this.hostNameAppearsAs = this.openingCommand = false;
    this._setListeners(() => this._resetSession());
    if (this.#connection.draining.aborted) this.#drain();
  }

  override _onTimeout(): void {
    if (this._closing || this._handlerPending) super._onTimeout();
    else {
      this.#connection.annotate({ type: 'limit', limit: 'idle' });
      this.#say(replies.IDLE_TOO_LONG);
    }
  }

  override _onClose(): void {
    super._onClose();
    endTransaction(this.#session);
    this.#over.resolve(undefined);
  }

  /** The server stops: said at once to who is idle, to others after their command or their message. */
  #drain(): void {
    const hasBegun = this.#session.transaction?.message !== undefined;
    if (!this._handlerPending && !this._upgrading && !hasBegun) this.#say(replies.SHUTTING_DOWN);
  }

  // Replies

  override _getEnhancedStatusCode(code: number, context?: string | false): string {
    return context === false ? '' : (LIBRARY_STATUS[code] ?? '');
  }

  #say({ code, status, text }: Reply): void {
    if (this._closing || this._closed) return;
    const lines = typeof text === 'string' ? text : [...text];
    this.send(code, status === undefined || typeof lines !== 'string' ? lines : `${status} ${lines}`, false);
  }

  override send(code: number, text?: string | string[] | null, context?: string | false): void {
    super.send(code, text, context);
    if (!ERRORS.has(code) || ++this.#errors < MOST_ERRORS) return;
    this.#connection.annotate({ type: 'limit', limit: 'errors' });
    this.#say(replies.TOO_MANY_ERRORS);
  }

  #fault(error: unknown): Reply {
    const said = replyFor(error);
    if (said) return said;
    // A peer that is gone made whoever waited for it fail.
    if (!this._closed) this.#options.log('error', `${this.id}: a command failed`, error);
    return replies.OUR_FAULT;
  }

  // Commands

  override _onCommand(command: Buffer, callback: Done = () => undefined): void {
    if (!this._ready) this.#earlyTalker();
    else if (
      !this._nextHandler &&
      command.length > LONGEST_COMMAND &&
      !/^AUTH /i.test(command.toString('latin1', 0, 5))
    ) {
      this.#badLine('The line is too long', callback);
    } else if (!isText(command)) this.#badLine('The line is not text in UTF-8', callback);
    else if (++this.#commands > MOST_COMMANDS + this.#options.maximumRecipients) {
      this.#connection.annotate({ type: 'limit', limit: 'commands' });
      this.#say(replies.TOO_MANY_COMMANDS);
    } else {
      this._unrecognizedCommands = 0; // All errors are counted in `send`.
      // What follows a challenge is no command.
      const fault = this._nextHandler ? undefined : atCommand(command, this.#session);
      if (fault) void this.#onFaultyCommand(fault, command, callback);
      else if (this.#session.hidden.length > 0 && !this._nextHandler && isHidden(command, this.#session.hidden)) {
        this.#answer(() => reply(500, '5.5.1', 'Command not recognized'), callback);
      } else super._onCommand(command, callback);
    }
  }

  async #onFaultyCommand(fault: Plan, command: Buffer, callback: Done): Promise<void> {
    const { faults } = this.#session;
    await faults?.before(fault);
    if (this._closing || this._closed) return;
    const done = (): void => {
      void faults?.after(fault).then((isCut) => {
        if (!isCut) callback();
      });
    };
    if (fault.refusal) {
      const said = refusedByRule(fault.refusal);
      // RFC 2034 §4.
      const isGreeting = /^(EHLO|HELO|LHLO)\b/i.test(command.toString('latin1', 0, 5));
      const answer = isGreeting ? { code: said.code, text: said.text } : said;
      const chunk = /^BDAT +(\d{1,9})\b/i.exec(command.toString('latin1', 0, 20))?.[1];
      if (chunk === undefined) this.#answer(() => answer, done);
      else {
        // Its octets come all the same, and are not to be taken for commands.
        const end = async (): Promise<void> => {
          this.#say(answer);
          if (await faults?.after(fault)) this.close();
          await this.#untilWritable();
        };
        this.#input?.receiveOctets(Number(chunk), { write: () => undefined, end });
        callback();
      }
    } else super._onCommand(command, done);
  }

  /** What goes wrong after an answer. */
  #withDue(callback: Done): Done {
    return () => {
      const { due, faults } = this.#session;
      this.#session.due = undefined;
      if (!due) callback();
      else {
        void faults?.after(due).then((isCut) => {
          if (!isCut) callback();
        });
      }
    };
  }

  /** After each command: the next one, unless the server stops. */
  override _whenWritable(next: Done): void {
    if (this.#connection.draining.aborted) this.#drain();
    super._whenWritable(next);
  }

  #earlyTalker(): void {
    this.#connection.annotate({ type: 'limit', limit: 'spoke before the greeting' });
    this.#say({ code: 554, text: `${this.name} You spoke before the greeting` }); // RFC 5321 §3.1
    this.close();
  }

  #badLine(text: string, callback: Done): void {
    this._nextHandler = false;
    this.#say(reply(500, '5.5.2', text));
    this._whenWritable(callback);
  }

  /** Runs a command and gives its reply; then `callback` lets the next one come. */
  #answer(run: () => Reply | Promise<Reply>, callback: Done): void {
    let answer: Reply | Promise<Reply>;
    try {
      answer = run();
    } catch (error) {
      answer = this.#fault(error);
    }
    if (!(answer instanceof Promise)) {
      this.#say(answer);
      callback();
      return;
    }
    void answer
      .catch((error: unknown) => this.#fault(error))
      .then((said) => {
        this.#say(said);
        callback();
      });
  }

  override handler_EHLO(command: Buffer, callback: Done): void {
    this.#hello(this.#options.service === 'lmtp' ? 'LHLO' : 'EHLO', command, callback);
  }

  override handler_HELO(command: Buffer, callback: Done): void {
    this.#hello('HELO', command, callback);
  }

  #hello(name: 'EHLO' | 'HELO' | 'LHLO', command: Buffer, callback: Done): void {
    this.#answer(() => hello(name, argumentOf(command), this.#session), callback);
    this.hostNameAppearsAs = this.#session.greeted?.name ?? false; // The library's own order of commands asks for it.
  }

  override handler_RSET(_command: Buffer, callback: Done): void {
    endTransaction(this.#session);
    this.#answer(() => replies.FLUSHED, callback);
  }

  override handler_MAIL(command: Buffer, callback: Done): void {
    this.#answer(() => mail(argumentOf(command), this.#session), callback);
  }

  override handler_RCPT(command: Buffer, callback: Done): void {
    this.#answer(() => this.#recipient(argumentOf(command)), this.#withDue(callback));
  }

  async #recipient(argument: string): Promise<Reply> {
    const said = await rcpt(argument, this.#session).catch((error: unknown) => this.#fault(error));
    if (said.code >= 400 && this.#session.transaction) {
      const recipient = argument.replace(/^TO *: */i, '').slice(0, LONGEST_TOLD);
      const text = typeof said.text === 'string' ? said.text : said.text.join(' ');
      const reply = [said.code, said.status, text].filter((word) => word !== undefined).join(' ');
      this.#connection.annotate({ type: 'refused', recipient, reply });
    }
    return said;
  }

  override handler_DATA(command: Buffer, callback: Done): void {
    this.#answer(() => {
      const message = data(argumentOf(command), this.#session);
      if (!(message instanceof IncomingMessage)) return message;
      this.#input?.receive({
        write: (octets) => this.#receive(message, octets),
        end: () => this.#conclude(message),
      });
      return replies.GO_AHEAD;
    }, callback);
  }

  handler_BDAT(command: Buffer, callback: Done): void {
    let chunk: Chunk;
    try {
      chunk = bdat(argumentOf(command), this.#session);
    } catch (error) {
      // What follows may be a message, and is not to be taken for commands.
      this.#giveUp(this.#fault(error));
      return;
    }
    switch (chunk.type) {
      case 'endless':
        this.#giveUp(chunk.reply);
        return;
      case 'refused':
        this.#input?.receiveOctets(chunk.octets, {
          write: () => undefined,
          end: () => this.#replyTo(() => chunk.reply),
        });
        break;
      case 'taken':
        this.#input?.receiveOctets(chunk.octets, {
          write: (octets) => this.#receive(chunk.message, octets),
          end: () => (chunk.isLast ? this.#conclude(chunk.message) : this.#replyTo(() => chunkTaken(chunk))),
        });
    }
    callback();
  }

  #receive(message: IncomingMessage, octets: Buffer): Promise<void> | undefined {
    const pending = message.write(octets);
    if (message.exhaustsPatience) this.#giveUp(replies.tooLarge(this.#options.maximumMessageOctets));
    return pending;
  }

  /** Where the next command begins cannot be told, or is too far away. */
  #giveUp(said: Reply): void {
    for (const outcome of outcomes(said, this.#session)) this.#say(outcome);
    this.close();
  }

  /** Replies to octets that came. Resolves when commands may follow. */
  async #replyTo(run: () => Reply): Promise<void> {
    this.#say(await Promise.try(run).catch((error: unknown) => this.#fault(error)));
    await this.#untilWritable();
  }

  /** As `#replyTo`, after the last octet of a message. */
  async #conclude(message: IncomingMessage): Promise<void> {
    this._handlerPending = true;
    const fault = atDelivery(this.#session);
    if (fault) await this.#session.faults?.before(fault);
    const refusal = fault?.refusal && refusedByRule(fault.refusal);
    if (refusal) {
      for (const address of fault.refused) this.#session.transaction?.refused.set(address.toLowerCase(), refusal);
    }
    const said =
      refusal && !this.#isLeftOver(fault)
        ? refusal
        : await message.end(fault).catch((error: unknown) => this.#fault(error));
    this._handlerPending = false;
    if (said.code === 250) this.#errors = this.#commands = 0;
    for (const outcome of outcomes(said, this.#session)) this.#say(outcome);
    endTransaction(this.#session);
    if (fault) await this.#session.faults?.after(fault);
    await this.#untilWritable();
  }

  /** Whether somebody gets the message all the same: RFC 2033 §4.2. */
  #isLeftOver({ refused }: Plan): boolean {
    if (this.#options.service !== 'lmtp') return false;
    return [...(this.#session.transaction?.recipients.values() ?? [])].some(({ address }) => !refused.has(address));
  }

  async #untilWritable(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this._whenWritable(() => resolve(undefined));
    await promise;
  }

  override handler_AUTH(command: Buffer, callback: Done): void {
    const exchange = auth(argumentOf(command), this.#session);
    const step = (next: ReturnType<typeof exchange.next>, done: Done): void =>
      this.#answer(async () => {
        const { value } = await next;
        if (!(value instanceof Uint8Array)) return value;
        this._nextHandler = (line, then) => step(exchange.next(line.toString('latin1').trimEnd()), then);
        return { code: 334, text: Buffer.from(value).toString('base64') };
      }, done);
    step(exchange.next(), callback);
  }

  override handler_STARTTLS(command: Buffer, callback: Done): void {
    const refused = this.#noTls(argumentOf(command));
    if (refused) {
      this.#answer(() => refused, callback);
      return;
    }
    this.#say(replies.READY_FOR_TLS);
    // The permission has to be with the wire before the stream that carries it is given up.
    this._socket.write('', () => this.upgrade(callback));
  }

  #noTls(argument: string): Reply | undefined {
    if (this.secure) return reply(503, '5.5.1', 'TLS is active already');
    if (!this.#options.starttls) return replies.NOT_IMPLEMENTED;
    return argument === '' ? undefined : reply(501, '5.5.4', 'STARTTLS stands alone'); // RFC 3207 §4
  }

  override handler_VRFY(command: Buffer, callback: Done): void {
    const given = argumentOf(command) !== '';
    this.#answer(() => (given ? replies.WILL_ACCEPT : reply(501, '5.5.4', 'Syntax: VRFY address')), callback);
  }

  override handler_HELP(_command: Buffer, callback: Done): void {
    this.#answer(() => replies.HELP, callback);
  }

  // RFC 5321 §4.2.4: 502 for commands that are known but not implemented.

  handler_EXPN(_command: Buffer, callback: Done): void {
    this.#answer(() => replies.NOT_IMPLEMENTED, callback);
  }

  handler_ETRN(_command: Buffer, callback: Done): void {
    this.#answer(() => replies.NOT_IMPLEMENTED, callback);
  }

  handler_TURN(_command: Buffer, callback: Done): void {
    this.#answer(() => replies.NOT_IMPLEMENTED, callback);
  }
}

/** The library asks for a socket and uses of it what the wire's stream has. */
function socketOf(connection: Connection): Socket {
  return connection.duplex({ allowHalfOpen: true }) as unknown as Socket;
}

/** RFC 5321 §4.1.1: blanks at the end of a line are borne with. */
function argumentOf(command: Buffer): string {
  const text = command.toString();
  const blank = text.indexOf(' ');
  return blank === -1 ? '' : text.slice(blank + 1).trim();
}

/** UTF-8 (RFC 6531 §3.3) without control characters. */
function isText(line: Buffer): boolean {
  return isUtf8(line) && !/[\x00-\x08\x0b-\x1f\x7f]/.test(line.toString('latin1'));
}
