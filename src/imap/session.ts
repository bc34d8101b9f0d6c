/**
 * One client's session: RFC 9051 §3, §5.3–§5.5. The loop: frame, parse, check the state, run, tell what changed, complete.
 * Whatever goes wrong in one command is answered by that command's completion; it ends neither the session nor another.
 */
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { EffectOf } from '../faults/rule.ts';
import type { Plan, SessionFaults } from '../faults/session-faults.ts';
import { bufferOver } from '../mail/octets.ts';
import { mechanisms } from '../sasl/mechanism.ts';
import type { SaslOptions } from '../sasl/mechanism.ts';
import type { AccountId, ModSeq } from '../store/change.ts';
import { Refusal, WORDS } from '../store/refusal.ts';
import { ConnectionClosed, TimedOut } from '../wire/connection.ts';
import type { Connection } from '../wire/connection.ts';
import { TlsFailed } from '../wire/layers.ts';
import type { AnnotationNews } from './annotations.ts';
import { BinaryRefused } from './binary-parts.ts';
import { capabilities, isHiddenCommand, withoutHidden } from './capabilities.ts';
import { highestModSeq } from './command.ts';
import type {
  AnyCommand,
  Context,
  LoginAttempts,
  MessageOctets,
  News,
  SessionForCommands,
  State,
  StateIn,
  StateName,
  Yielded,
} from './command.ts';
import { fetchUnasked } from './commands/fetch.ts';
import { COMMANDS } from './commands/table.ts';
import { Framing, LIMITS_AFTER_LOGIN, LIMITS_BEFORE_LOGIN } from './framing.ts';
import type { FramedCommand, FramingRefusal } from './framing.ts';
import { BadSyntax, uidRequired } from './grammar/bad-syntax.ts';
import { Parser } from './grammar/parser.ts';
import { bad, bye, no, untaggedOk } from './grammar/responses.ts';
import { BadCharset } from './grammar/search-charset.ts';
import type { Completion, Dialect, FetchAttribute, Response } from './grammar/syntax.ts';
import { hasStream, ResponseWriter } from './grammar/writer.ts';
import { AccessLost, MailboxDeleted } from './mailbox-view.ts';
import type { Found } from './mailbox-view.ts';
import { MessageLimitReached } from './message-limit.ts';
import { BadUrl } from './message-url.ts';
import type { Notifications } from './notifications.ts';
import type { ImapOptions } from './server.ts';
import { tellNews } from './update-contexts.ts';

/** RFC 9051 §5.4: at least 30 minutes once logged in. */
const IDLE_MS = 30 * 60_000;
const IDLE_BEFORE_LOGIN_MS = 2 * 60_000;
/** What waits to be written goes out from here on. */
const ENOUGH = 64 * 1024;
/** After so long without waiting for anything, or so many commands or pieces of answers, others have their turn. */
const TURN_MS = 5;
const PIECES_A_TURN = 100;
/** A line that answers a continuation request: SASL responses are the longest. */
const LONGEST_ANSWER = 64 * 1024;
/** BADs in a row: a program in a loop, or, before login, one that speaks another protocol. */
const MOST_BADS = 20;
const MOST_BADS_BEFORE_LOGIN = 3;
const MOST_FAILED_LOGINS = 5;

/** In the arguments of FETCH. */
const OCTETS_ASKED = /BODY(?:\.PEEK)?\[|RFC822(?!\.SIZE)|BINARY(?:\.PEEK)?\[/i;

/** Their destination is the argument `mailbox`. */
const WRITES_INTO: ReadonlySet<string> = new Set([
  'APPEND',
  'COPY',
  'UID COPY',
  'MOVE',
  'UID MOVE',
  'REPLACE',
  'UID REPLACE',
]);

const ABANDONED = bad('Abandoned');

/** Of IMAP alone, each with its response code. */
const REFUSALS = [BadCharset, BadUrl, BinaryRefused, MessageLimitReached] as const;

/** A response broke off in the middle of a literal: the client cannot tell any more what is what. */
class ResponseBrokeOff extends Error {
  override readonly name = 'ResponseBrokeOff';
}

export class Session implements SessionForCommands {
  readonly connection: Connection;
  readonly options: ImapOptions;
  readonly login: LoginAttempts;
  readonly faults: SessionFaults | undefined;
  readonly #framing: Framing;
  readonly #writer: ResponseWriter;
  readonly #dialect = { rev2: false, utf8: false, utf8Accept: false, condstore: false, qresync: false, uidOnly: false };
  #state: State = { name: 'not-authenticated' };
  /** What is to happen once the present command has completed. */
  #afterwards: 'nothing' | 'start-tls' | 'compress' | 'forget' | 'end' = 'nothing';
  /** Nothing is being done for the client: good-bye can be said at any moment. */
  #resting = false;
  #badsInARow = 0;
  #failedLogins = 0;
  #turnStarted = 0;
  #piecesThisTurn = 0;
  /** Undefined: the client has not said NOTIFY. */
  #notifications: Notifications | undefined;
  /** Undefined: the client has not said ENABLE METADATA. */
  #annotationNews: AnnotationNews | undefined;
  /** Capabilities that were left out where they were announced last. */
  #hidden: readonly string[] = [];
  /** What is to happen while the client idles. */
  #cutInIdle: EffectOf<'cut'> | undefined;
  /** The numbers of what this session has changed of annotations. */
  readonly #ownAnnotations = new Set<ModSeq>();

  constructor(connection: Connection, options: ImapOptions) {
    this.connection = connection;
    this.options = options;
    this.#framing = new Framing(connection);
    this.#writer = new ResponseWriter(this.#dialect);
    this.faults = options.faults?.of(connection);
    this.login = this.#loginAttempts();
  }

  /** Until the client or the connection is gone. Never rejects for what a client does. */
  async run(): Promise<void> {
    const { draining } = this.connection;
    draining.addEventListener('abort', this.#drain, { once: true });
    try {
      if (await this.#greet()) {
        while (this.#state.name !== 'logout' && this.#afterwards !== 'end' && !draining.aborted)
          await this.#serveNext();
      }
      if (draining.aborted && this.#state.name !== 'logout') this.#writer.response(shuttingDown());
      await this.#flush();
    } catch (error) {
      await this.#farewell(error);
    } finally {
      draining.removeEventListener('abort', this.#drain);
      await this.connection.end();
    }
  }

  /** @returns whether the session goes on */
  async #greet(): Promise<boolean> {
    const fault = this.faults?.ask({ at: 'greeting' });
    if (fault) await this.faults!.before(fault);
    if (fault?.refusal) this.#end(refusedBye(fault.refusal));
    else this.#writer.response({ type: 'status', status: 'OK', ...this.#greeting() });
    await this.#flush();
    if (fault) await this.faults!.after(fault);
    return this.#afterwards !== 'end';
  }

  // ------------------------------------------------------------------------------------------------- one command

  async #serveNext(): Promise<void> {
    const { name } = this.#state;
    if (this.#notifications && (name === 'authenticated' || name === 'selected')) {
      await this.#notifyUntilCommand(this.#notifications, this.#state.account);
    }
    this.#resting = true;
    const waits = this.connection.buffered === 0;
    const framed = await this.#framing.next(this.#idleMs);
    this.#resting = false;
    if (waits) {
      this.#turnStarted = performance.now();
      this.#piecesThisTurn = 0;
    }
    const fault = framed.type === 'command' && this.faults?.any === true ? this.#askFaults(framed) : undefined;
    if (fault) await this.#interfere(fault, framed as FramedCommand);
    if (fault?.refusal?.response === 'BYE') {
      this.#end(refusedBye(fault.refusal));
      return;
    }
    const completion =
      framed.type === 'refusal'
        ? framed.completion
        : fault?.refusal
          ? refusedByRule(fault.refusal)
          : await this.#serve(framed);
    // Not where the client is asked for its message, but where it waits to hear what has become of it.
    if (fault?.cut && framed.type === 'command' && framed.messageLiteral) await this.faults!.before(onlyCut(fault));
    // RFC 9051 §7.1.3: BAD without a tag, if the tag itself could not be read.
    if (framed.tag === undefined) this.#writer.response({ type: 'status', ...completion });
    else this.#writer.completion(framed.tag, completion);
    this.#judge(framed, completion);
    await this.#flush();
    if (fault) await this.#recover(fault);
    if (this.#afterwards === 'start-tls') await this.#startTls();
    if (this.#afterwards === 'compress') await this.#compress();
    if (this.#afterwards === 'forget') await this.#forget();
    // The octets of a message that was refused may still be on their way: they are no command.
    if (!(await this.#framing.abandon())) this.#end(bye('Too much came that was not asked for', 'TOOBIG'));
    await this.#giveTurn();
  }

  #askFaults({ name, octets }: FramedCommand): Plan | undefined {
    const asked = { at: 'command', command: name } as const;
    if (name === 'FETCH' || name === 'UID FETCH') {
      const saysOctets = OCTETS_ASKED.test(bufferOver(octets).toString('latin1'));
      return this.faults?.ask(asked, { at: 'fetch', saysOctets });
    }
    return name === 'IDLE' ? this.faults?.ask(asked, { at: 'idle', command: name }) : this.faults?.ask(asked);
  }

  async #interfere(fault: Plan, { name, messageLiteral }: FramedCommand): Promise<void> {
    this.#writer.literalBy = fault.literalBy;
    // In the middle of IDLE is while nothing is said.
    if (name === 'IDLE' && fault.cut?.when === 'middle') {
      this.#cutInIdle = fault.cut;
      await this.faults!.before({ ...fault, cut: undefined });
    } else await this.faults!.before(messageLiteral ? { ...fault, cut: undefined } : fault);
  }

  async #recover(fault: Plan): Promise<void> {
    this.#writer.literalBy = 0;
    this.#cutInIdle = undefined;
    await this.faults!.after(fault);
  }

  async #serve(framed: FramedCommand): Promise<Completion> {
    const command = COMMANDS.get(framed.name);
    try {
      if (!command || isHiddenCommand(framed.name, this.#hidden))
        throw new BadSyntax(`There is no command ${framed.name.slice(0, 40)}`);
      if (!command.states.includes(this.#state.name)) throw new BadSyntax(this.#misplaced(framed.name, command));
      if (this.#dialect.uidOnly && speaksOfNumbers(framed.name)) throw uidRequired();
      const input = this.#parser(framed);
      const args: unknown = command.parse(input, framed.name, framed.octets as Buffer);
      input.end();
      return await this.#run(command, args, framed);
    } catch (error) {
      return this.#completionFor(error, framed);
    }
  }

  async #run(command: AnyCommand, args: unknown, { tag, name }: FramedCommand): Promise<Completion> {
    const before = this.#state;
    if (this.faults?.any === true && WRITES_INTO.has(name)) this.#assertMayWrite(this.faults, args);
    if (before.name === 'selected' && isAboutMessages(command)) {
      await before.view.look();
      // What is new is told first, so that the answers are about it too; EXPUNGE would change what the numbers mean.
      const { view } = before;
      if (command.tellsFlags?.(args) === true) await this.#say(view.tellArrived());
      else if (command.mayExpunge !== true) await this.#tellNews(false);
      // The client may know the UID of what has arrived from elsewhere, such as an APPEND of another connection.
      else if (name.startsWith('UID ')) await this.#say(view.tellArrived());
    }
    const completion = await this.#answer(command.run(args, this.#context(tag, name, before)));
    const mayExpunge = mayExpungeAtEnd(command, args, name);
    if (before.name === 'selected' && this.#state === before) {
      await before.view.look();
      await this.#tellNews(mayExpunge);
    }
    const { name: state } = this.#state;
    if (this.#annotationNews && (state === 'authenticated' || state === 'selected')) {
      await this.#say(await this.#annotationNews.news(this.#ownAnnotations));
    }
    return completion;
  }

  /** @throws Refusal for a mailbox that is made to be full, or read-only */
  #assertMayWrite(faults: SessionFaults, args: unknown): void {
    const { mailbox } = args as { readonly mailbox: string };
    const fault = faults.ask({ at: 'mailbox', mailbox, doing: 'write' });
    if (fault?.full) throw new Refusal('OVERQUOTA', `${mailbox} is full`);
    if (fault?.has('read-only') === true) throw new Refusal('NOPERM', `${mailbox} is read-only`);
  }

  async #tellNews(mayExpunge: boolean): Promise<void> {
    for await (const responses of this.newsOfSelected(mayExpunge)) await this.#say(responses);
  }

  /** RFC 5465 §3.1: while no command is in progress, what the client wants to know is told as it happens. */
  async #notifyUntilCommand(notifications: Notifications, account: AccountId): Promise<void> {
    // First listen, then look: nothing falls between the two.
    using news = this.news(account);
    do {
      if (this.#state.name === 'selected') {
        await this.#state.view.look();
        await this.#tellNews(notifications.expungesAtOnce);
      }
      await this.#say(await this.newsOfOthers());
    } while (this.connection.buffered === 0 && (await news.next()) === 'changed');
  }

  #context<Name extends StateName>(tag: string, name: string, state: StateIn<Name>): Context<Name> {
    return { tag, name, state, store: this.options.store, session: this, message: this.#message() };
  }

  async #answer(running: ReturnType<AnyCommand['run']>): Promise<Completion> {
    try {
      for (;;) {
        const step = await running.next();
        if (step.done === true) return step.value;
        await this.#say(step.value);
      }
    } finally {
      // A command that is left half done gives back what it holds.
      await running.return(ABANDONED);
    }
  }

  #completionFor(error: unknown, { name }: FramedCommand): Completion {
    if (error instanceof BadSyntax) return bad(error.message, error.code);
    if (error instanceof Refusal) return no(error.message, WORDS[error.code].imap);
    if (REFUSALS.some((kind) => error instanceof kind)) {
      const { message, code } = error as InstanceType<(typeof REFUSALS)[number]>;
      return no(message, code);
    }
    if (endsSession(error)) throw error;
    // What was waited for when the client left.
    if (this.connection.signal.aborted) throw new ConnectionClosed('The client has gone', { cause: error });
    this.options.log('error', `IMAP ${name} failed`, error);
    this.connection.annotate({ type: 'error', message: `${name} failed` });
    return no('Something went wrong here, and has been logged', 'SERVERBUG');
  }

  #misplaced(name: string, { states }: AnyCommand): string {
    if (this.#state.name === 'not-authenticated') return `${name} is for those who have logged in`;
    if ((states as readonly string[]).includes('selected')) return `${name} needs a selected mailbox: SELECT one first`;
    if ((states as readonly string[]).includes('authenticated')) return `${name} has to come before SELECT`;
    return `${name} has to come before login`;
  }

  #judge(framed: FramedCommand | FramingRefusal, { status }: Completion): void {
    this.#badsInARow = status === 'BAD' ? this.#badsInARow + 1 : 0;
    const most = this.#state.name === 'not-authenticated' ? MOST_BADS_BEFORE_LOGIN : MOST_BADS;
    if (framed.type === 'refusal' && framed.fatal) this.#end(lost());
    else if (this.#badsInARow >= most) {
      this.connection.annotate({ type: 'limit', limit: 'bad commands' });
      this.#end(bye('Too many commands that are not IMAP'));
    } else if (this.#failedLogins >= (this.options.mostFailedLogins ?? MOST_FAILED_LOGINS)) {
      this.connection.annotate({ type: 'limit', limit: 'failed logins' });
      this.#end(bye('Too many failed logins'));
    }
  }

  #end(reason: Response): void {
    if (this.#afterwards === 'end' || this.#state.name === 'logout') return;
    this.#writer.response(reason);
    this.#afterwards = 'end';
  }

  async #farewell(error: unknown): Promise<void> {
    // A client that leaves, or does not like the certificate, is no fault of ours.
    if (error instanceof ConnectionClosed || error instanceof TlsFailed || this.connection.signal.aborted) return;
    if (error instanceof ResponseBrokeOff) {
      this.options.log('error', error.message, error.cause);
      this.connection.destroy();
      return;
    }
    if (error instanceof TimedOut) this.#writer.response(bye('Nothing was said for too long'));
    else if (error instanceof MailboxDeleted || error instanceof AccessLost) this.#writer.response(bye(error.message));
    else {
      this.options.log('error', 'An IMAP session failed', error);
      this.#writer.response(bye('Something went wrong here, and has been logged', 'SERVERBUG'));
    }
    // A peer that takes nothing any more is no news here.
    await this.#flush().catch(() => undefined);
  }

  // -------------------------------------------------------------------------------------------- what commands ask for

  get dialect(): Dialect {
    return this.#dialect;
  }

  capabilities(): readonly string[] {
    const { secure } = this.connection;
    this.#hidden = this.faults?.ask({ at: 'capabilities' })?.hidden ?? [];
    const names = capabilities({
      authenticated: this.#state.name !== 'not-authenticated',
      secure,
      compressed: this.connection.compressed,
      canStartTls: this.options.canStartTls ?? true,
      permitsPlaintextLogin: this.login.permitsPlaintext(),
      unauthenticate: this.options.unauthenticate ?? true,
      setQuota: this.options.setQuota ?? false,
      appendLimit: this.options.maximumMessageOctets,
      messageLimit: this.options.messageLimit,
      mechanisms: mechanisms(this.options.credentials, this.login.sasl()),
    });
    return withoutHidden(names, this.#hidden);
  }

  /** The only place where the state changes. */
  become(next: State): void {
    this.#state = next;
    if (next.name === 'selected' && this.#notifications) next.view.interest = this.#notifications.interest;
    if (next.name === 'authenticated') {
      const message = this.options.maximumMessageOctets;
      // A message that is refused for its mailbox may be on its way whole.
      const discard = Math.max(LIMITS_AFTER_LOGIN.discard, message);
      this.#framing.limits = { ...LIMITS_AFTER_LOGIN, message, discard };
    }
  }

  enable(feature: keyof Dialect): boolean {
    if (this.#dialect[feature]) return false;
    this.#dialect[feature] = true;
    // RFC 7162 §3.1: the first command that enables it is told where the selected mailbox stands.
    if (feature === 'condstore' && this.#state.name === 'selected') {
      const { highestModSeq: modSeq } = this.#state.view;
      this.#writer.response(untaggedOk('The highest mod-sequence', highestModSeq(modSeq)));
    }
    // RFC 9051 §5.1, RFC 6855 §3: mailbox names are in UTF-8 then.
    if (feature === 'rev2' || feature === 'utf8Accept') this.#dialect.utf8 = true;
    // RFC 7162 §3.2.3: QRESYNC is a CONDSTORE enabling command.
    if (feature === 'qresync') this.#dialect.condstore = true;
    return true;
  }

  async continuation(text: string): Promise<void> {
    this.#writer.continuation(text);
    await this.#flush();
    const cut = this.#cutInIdle;
    if (cut) void this.#cutLater(cut);
  }

  /** Unless the command has ended by then. */
  async #cutLater(cut: EffectOf<'cut'>): Promise<void> {
    await this.connection.flush().catch(() => undefined);
    await this.faults!.pause(cut.afterMs ?? 0);
    if (this.#cutInIdle === cut) this.connection.cut(cut.how);
  }

  async answer(): Promise<Buffer> {
    const { octets, overlong } = await this.connection.readLine(LONGEST_ANSWER, this.#idleMs);
    if (overlong) throw new BadSyntax(`A line too long: ${LONGEST_ANSWER} octets are the most`);
    return octets as Buffer;
  }

  afterwards(step: 'start-tls' | 'compress' | 'forget'): void {
    this.#afterwards = step;
  }

  async sayNow(response: Response): Promise<void> {
    this.#writer.response(response);
    await this.#flush();
  }

  watch(notifications: Notifications): void {
    this.#notifications = notifications;
    if (this.#state.name === 'selected') this.#state.view.interest = notifications.interest;
  }

  followAnnotations(news: AnnotationNews): boolean {
    if (this.#annotationNews) return false;
    this.#annotationNews = news;
    return true;
  }

  ownAnnotations(modSeq: ModSeq): void {
    // Without news of them nobody would ever look at it.
    if (this.#annotationNews || this.#notifications) this.#ownAnnotations.add(modSeq);
  }

  async *newsOfSelected(mayExpunge: boolean): AsyncGenerator<readonly Response[], void, undefined> {
    const state = this.#state;
    if (state.name !== 'selected') return;
    const { view } = state;
    const known = view.lastUid;
    const fetch = (found: Found, wanted: readonly FetchAttribute[]) =>
      fetchUnasked(found, wanted, this.#context('', 'NOTIFY', state));
    yield* tellNews(view, this.options.store, mayExpunge, this.connection.signal, fetch);
    const attributes = this.#notifications?.attributes ?? [];
    // RFC 5465 §5.2: after EXISTS, and after what has come into results.
    if (attributes.length > 0 && view.lastUid > known) {
      yield* fetch(view.arrivedAfter(known), attributes);
    }
  }

  async newsOfOthers(): Promise<readonly Response[]> {
    const own = this.#ownAnnotations;
    const ofAnnotations = (await this.#annotationNews?.news(own)) ?? [];
    const notifications = this.#notifications;
    if (!notifications) return ofAnnotations;
    const selected = this.#state.name === 'selected' ? this.#state.view : undefined;
    // What ENABLE METADATA tells is not told again.
    const toldApart = this.#annotationNews !== undefined;
    const responses = await notifications.news(selected?.id, this.#dialect, toldApart ? undefined : own);
    // An overflow ends it all.
    if (selected) selected.interest = notifications.interest;
    return [...ofAnnotations, ...responses];
  }

  news(account: AccountId): News {
    const changed = new Error('Something has changed');
    let isChanged = false;
    let waiting: AbortController | undefined;
    const subscriptions = new Map<AccountId, () => void>();
    /** @returns whether there is somebody new to listen to */
    const listen = (): boolean => {
      const before = subscriptions.size;
      for (const each of this.#concerned(account)) {
        if (subscriptions.has(each)) continue;
        const unsubscribe = this.options.notifier.subscribe(each, () => {
          isChanged = true;
          waiting?.abort(changed);
        });
        subscriptions.set(each, unsubscribe);
      }
      return subscriptions.size > before;
    };
    listen();
    const next = async (): Promise<'changed' | 'client'> => {
      await this.#flush();
      waiting = new AbortController();
      try {
        // Looked at after the controller is there: nothing falls between the two.
        if (listen() || isChanged) return 'changed';
        this.#restingUnlessDraining();
        await this.connection.waitReadable(waiting.signal, this.#idleMs);
        return 'client';
      } catch (error) {
        if (error !== changed) throw error;
        return 'changed';
      } finally {
        this.#resting = false;
        isChanged = false;
        waiting = undefined;
      }
    };
    const end = (): void => {
      for (const unsubscribe of subscriptions.values()) unsubscribe();
    };
    return { next, [Symbol.dispose]: end };
  }

  /** Whose mailboxes this client looks at. */
  #concerned(account: AccountId): ReadonlySet<AccountId> {
    const selected = this.#state.name === 'selected' ? [this.#state.view.owner] : [];
    return new Set([account, ...selected, ...(this.#notifications?.owners ?? [])]);
  }

  #message(): MessageOctets {
    return {
      octets: async function* (this: Session) {
        await this.#flush();
        yield* this.#framing.messageOctets();
      }.bind(this),
      rest: async () => {
        const rest = await this.#framing.rest();
        if (rest.type === 'refusal') {
          if (rest.fatal) this.#end(lost());
          const { status, text } = rest.completion;
          throw status === 'NO' ? new Refusal('TOOBIG', text) : new BadSyntax(text);
        }
        return this.#parser(rest);
      },
    };
  }

  #loginAttempts(): LoginAttempts {
    const { connection, options } = this;
    const { address } = connection.remote;
    return {
      permitsPlaintext: () => connection.secure || options.permitsPlaintextLogin(address),
      sasl: (): SaslOptions => ({
        plaintext: connection.secure || options.permitsPlaintextLogin(address),
        channelBinding: connection.channelBinding(),
      }),
      delay: async () => {
        const ms = options.loginThrottle.delayMs(address);
        if (ms > 0) await wait(ms, undefined, { signal: connection.signal });
      },
      failed: (login, mechanism, reason, mistake) => {
        this.#failedLogins++;
        options.loginThrottle.failed(address);
        connection.annotate({ type: 'login-failed', login, mechanism, reason, ...(mistake && { mistake }) });
      },
      succeeded: (login, mechanism, given) => {
        options.loginThrottle.succeeded(address);
        if (this.faults) this.faults.login = login;
        connection.annotate({ type: 'login', login, mechanism, ...(given !== login && { given }) });
      },
    };
  }

  // ------------------------------------------------------------------------------------------------------ the wire

  get #idleMs(): number {
    return this.#state.name === 'not-authenticated'
      ? (this.options.idleBeforeLoginMs ?? IDLE_BEFORE_LOGIN_MS)
      : (this.options.idleMs ?? IDLE_MS);
  }

  #parser({ octets, offset }: { readonly octets: Uint8Array; readonly offset: number }): Parser {
    const { utf8, utf8Accept } = this.#dialect;
    return new Parser(octets, { utf8, utf8Accept, offset });
  }

  #greeting(): { text: string; code: string } {
    const { serverName } = this.options;
    return { code: `CAPABILITY ${this.capabilities().join(' ')}`, text: `${serverName} glassmail is ready` };
  }

  async #startTls(): Promise<void> {
    this.#afterwards = 'nothing';
    await this.connection.startTls();
    // RFC 9051 §6.2.1: what was learnt in clear is forgotten; that is nothing but a few wrong commands.
    this.#badsInARow = 0;
  }

  async #compress(): Promise<void> {
    this.#afterwards = 'nothing';
    await this.connection.startCompression();
  }

  /** RFC 8437 §4.1: whatever a login has left behind. TLS stays. */
  async #forget(): Promise<void> {
    this.#afterwards = 'nothing';
    for (const feature of Object.keys(this.#dialect) as (keyof Dialect)[]) this.#dialect[feature] = false;
    this.#notifications = undefined;
    this.#annotationNews = undefined;
    this.#ownAnnotations.clear();
    if (this.faults) this.faults.login = undefined;
    this.#framing.limits = LIMITS_BEFORE_LOGIN;
    if (this.connection.compressed) await this.connection.endCompression();
  }

  async #say(yielded: Yielded): Promise<void> {
    const responses = isOne(yielded) ? [yielded] : yielded;
    for (const response of responses) {
      if (hasStream(response)) await this.#stream(response);
      else this.#writer.response(response);
      if (this.#writer.pending >= ENOUGH) await this.#flush();
    }
    await this.#giveTurn();
  }

  /** Neither a long answer nor a client that pipelines keeps others waiting. */
  async #giveTurn(): Promise<void> {
    if (++this.#piecesThisTurn < PIECES_A_TURN && performance.now() - this.#turnStarted < TURN_MS) return;
    await nextTurn();
    this.#turnStarted = performance.now();
    this.#piecesThisTurn = 0;
  }

  async #stream(response: Response): Promise<void> {
    try {
      for await (const piece of this.#writer.streaming(response)) await this.connection.write(piece);
    } catch (error) {
      throw endsSession(error)
        ? error
        : new ResponseBrokeOff('A message broke off while it was sent', { cause: error });
    }
  }

  async #flush(): Promise<void> {
    for (const piece of this.#writer.take()) await this.connection.write(piece);
  }

  readonly #drain = (): void => {
    if (!this.#resting) return;
    this.#resting = false;
    this.#writer.response(shuttingDown());
    // The wait for the next command ends with the connection.
    void this.#flush()
      .then(() => this.connection.end())
      .catch(() => {
        this.connection.destroy();
      });
  };

  #restingUnlessDraining(): void {
    this.#resting = true;
    if (this.connection.draining.aborted) this.#drain();
  }
}

function isOne(yielded: Yielded): yielded is Response {
  return !Array.isArray(yielded);
}

function endsSession(error: unknown): boolean {
  return (
    error instanceof ConnectionClosed ||
    error instanceof TimedOut ||
    error instanceof MailboxDeleted ||
    error instanceof AccessLost ||
    error instanceof ResponseBrokeOff
  );
}

function mayExpungeAtEnd({ mayExpunge, namesNumbers }: AnyCommand, args: unknown, name: string): boolean {
  if (mayExpunge !== 'uid') return mayExpunge;
  return name.startsWith('UID ') && namesNumbers?.(args) !== true;
}

/** What has a twin with UID speaks of sequence numbers itself; EXPUNGE names no messages. */
function speaksOfNumbers(name: string): boolean {
  return name !== 'EXPUNGE' && COMMANDS.has(`UID ${name}`);
}

/** Commands that name messages, or act on them. */
function isAboutMessages({ states }: AnyCommand): boolean {
  return states.length === 1 && states[0] === 'selected';
}

function onlyCut(fault: Plan): Plan {
  return { ...fault, delayMs: 0, octetsPerSecond: undefined };
}

function refusedByRule({ response, code, text = 'Refused by a rule' }: EffectOf<'refuse'>): Completion {
  return (response === 'BAD' ? bad : no)(text, imapCode(code));
}

function refusedBye({ code, text = 'Refused by a rule' }: EffectOf<'refuse'>): Response {
  return bye(text, imapCode(code));
}

/** A reply code is SMTP's. */
function imapCode(code: string | undefined): string | undefined {
  return code === undefined || /^\d/.test(code) ? undefined : code;
}

function lost(): Response {
  return bye('What follows could not be told from a command');
}

function shuttingDown(): Response {
  return bye('The server is shutting down', 'UNAVAILABLE');
}
