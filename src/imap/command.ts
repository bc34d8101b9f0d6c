/**
 * What a command is, and what a state is (RFC 9051 §3, §6). A command's file says where it is valid, what its arguments
 * are, what it yields (untagged responses) and what it returns (the tagged one); the session does the rest.
 */
import type { SessionFaults } from '../faults/session-faults.ts';
import type { LoginMistake } from '../sasl/login-mistake.ts';
import type { SaslOptions } from '../sasl/mechanism.ts';
import type { AccountId, ModSeq } from '../store/change.ts';
import type { SharedMailStore } from '../store/mail-store.ts';
import type { Connection } from '../wire/connection.ts';
import type { AnnotationNews } from './annotations.ts';
import type { Parser } from './grammar/parser.ts';
import type { Completion, Dialect, Response } from './grammar/syntax.ts';
import type { MailboxView } from './mailbox-view.ts';
import type { Notifications } from './notifications.ts';
import type { ImapOptions } from './server.ts';

/** RFC 9051 §3: each state carries exactly what exists in it. */
export type State =
  | { readonly name: 'not-authenticated' }
  | { readonly name: 'authenticated'; readonly account: AccountId; readonly login: string }
  | { readonly name: 'selected'; readonly account: AccountId; readonly login: string; readonly view: MailboxView }
  | { readonly name: 'logout' };

export type StateName = State['name'];
export type StateIn<Name extends StateName> = Extract<State, { readonly name: Name }>;

/** What a command may ask of the session that runs it, beside yielding responses. */
export interface SessionForCommands {
  readonly options: ImapOptions;
  /** For its facts and for annotations; commands neither read nor write it. */
  readonly connection: Connection;
  readonly dialect: Dialect;
  /** What is to go wrong on purpose; undefined: nothing ever. */
  readonly faults: SessionFaults | undefined;
  /** What CAPABILITY answers at this moment. */
  capabilities(): readonly string[];
  become(next: State): void;
  /** @returns false: it was enabled before */
  enable(feature: keyof Dialect): boolean;
  /** Writes an untagged response before what the command yields next, and at once. */
  sayNow(response: Response): Promise<void>;
  /** Writes `+ text`; what was yielded before has been sent (RFC 9051 §7.6). */
  continuation(text: string): Promise<void>;
  /** The client's answer to a continuation request, without its line end. @throws BadSyntax if it is too long */
  answer(): Promise<Buffer>;
  /**
   * From the first octet after the OK that the command returns: TLS (RFC 9051 §6.2.1), compression (RFC 4978 §3), or
   * nothing of what a login has brought (RFC 8437 §3).
   */
  afterwards(step: 'start-tls' | 'compress' | 'forget'): void;
  readonly login: LoginAttempts;
  /** From now on; RFC 5465 §3.1. */
  watch(notifications: Notifications): void;
  /** From now on, to be told whenever a response may be (RFC 5464 §4.1). @returns false: it was so before */
  followAnnotations(news: AnnotationNews): boolean;
  /** This session has changed annotations itself, and is not told of it. @param modSeq in the account's log */
  ownAnnotations(modSeq: ModSeq): void;
  /** What is new in the selected mailbox, if there is one, and may be told. The view has looked before. */
  newsOfSelected(mayExpunge: boolean): AsyncGenerator<readonly Response[], void, undefined>;
  /** What is new in others, for clients that have asked for it. */
  newsOfOthers(): Promise<readonly Response[]>;
  /** What others do to one's own mailboxes and those that are looked at. To be asked for before looking, so that nothing falls between the two. */
  news(account: AccountId): News;
}

export interface LoginAttempts {
  /** Whether a password may come over this connection as it stands. */
  permitsPlaintext(): boolean;
  /** Which mechanisms are offered on it. */
  sasl(): SaslOptions;
  /** Resolves when this address may have its answer (see `sasl/throttle.ts`). */
  delay(): Promise<void>;
  /** Counts it; after too many, the session ends with BYE when the command has completed. */
  failed(login: string, mechanism: string, reason: string, mistake?: LoginMistake): void;
  /** @param given the name as the client wrote it */
  succeeded(login: string, mechanism: string, given: string): void;
}

/** Waits for whatever ends a wait in IDLE. */
export interface News extends Disposable {
  /** `changed`: look again. `client`: it has said something. */
  next(): Promise<'changed' | 'client'>;
}

/** The message of APPEND, which comes after the arguments have been judged. */
export interface MessageOctets {
  /** Asks the client for them if it waits to be asked. */
  octets(): AsyncIterable<Uint8Array>;
  /** What follows them in the command; to be called once they are read. */
  rest(): Promise<Parser>;
}

export interface Context<Name extends StateName = StateName> {
  readonly tag: string;
  /** In capitals, with `UID ` where it was said. */
  readonly name: string;
  readonly state: StateIn<Name>;
  readonly store: SharedMailStore;
  readonly session: SessionForCommands;
  readonly message: MessageOctets;
}

/** Several responses at once are written as one piece; between pieces other sessions have their turn. */
export type Yielded = Response | readonly Response[];

export interface Command<Name extends StateName, Arguments> {
  /** Anywhere else it is answered BAD (RFC 9051 §6). */
  readonly states: readonly Name[];
  /**
   * Whether expunged messages may be told while it runs: all may but FETCH, STORE and SEARCH, whose UID forms may again
   * (RFC 9051 §7.5.1). Told they are at its end, so that what it says by sequence number is said in the old numbers.
   */
  readonly mayExpunge: boolean | 'uid';
  /** Whether its UID form names messages by sequence number all the same: then none may be told (RFC 7162 §3.2.10.2). */
  readonly namesNumbers?: (args: Arguments) => boolean;
  /** Whether its answers say flags: clients that collect them (imapflow) are not told the same before. */
  readonly tellsFlags?: (args: Arguments) => boolean;
  /** Reads all arguments; what is left over is an error. @param octets all of them @throws BadSyntax */
  parse(input: Parser, name: string, octets: Buffer): Arguments;
  run(args: Arguments, context: Context<Name>): AsyncGenerator<Yielded, Completion, undefined>;
}

/** For the table alone: each command has arguments and states of its own. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- nothing else describes all commands at once
export type AnyCommand = Command<any, any>;

export function command<const Name extends StateName, Arguments>(
  definition: Command<Name, Arguments>,
): Command<Name, Arguments> {
  return definition;
}

/** The parser of commands without arguments. */
export function none(): undefined {
  return undefined;
}

export const EVERYWHERE = ['not-authenticated', 'authenticated', 'selected'] as const;
export const LOGGED_IN = ['authenticated', 'selected'] as const;

/** `mod-sequence-value`, as response codes print it. */
export function highestModSeq(modSeq: ModSeq): string {
  return `HIGHESTMODSEQ ${modSeq}`;
}
