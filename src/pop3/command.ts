/** What a POP3 command is, and what a state is (RFC 1939 §3). */
import type { LoginMistake } from '../sasl/login-mistake.ts';
import type { Credentials, SaslOptions } from '../sasl/mechanism.ts';
import type { AccountId } from '../store/change.ts';
import type { MailStore } from '../store/mail-store.ts';
import type { Annotation } from '../wire/connection.ts';
import type { Parser } from './grammar/parser.ts';
import type { Response } from './grammar/responses.ts';
import type { MaildropOptions, MaildropView } from './maildrop-view.ts';

/** RFC 1939 §4: nobody has logged in. */
export interface AuthorizationState {
  readonly name: 'authorization';
  /** What USER named, until PASS. */
  readonly login: string | undefined;
}

/** RFC 1939 §5: the maildrop is open and locked. UPDATE (§6) is a step of QUIT, not a state that takes commands. */
export interface TransactionState {
  readonly name: 'transaction';
  readonly account: AccountId;
  readonly view: MaildropView;
}

export type State = AuthorizationState | TransactionState;
export type StateName = State['name'];

/** What the client has asked for (RFC 6856): TLS forgets it, a login does not. */
export interface Dialect {
  /** Messages and texts come as they are, in UTF-8 (§2.1); without it headers and texts are ASCII. */
  readonly utf8: boolean;
  /** The language that texts are in; undefined: LANG was not given, so they are ASCII (§3.2). */
  readonly language: 'en' | 'i-default' | undefined;
}

/** How a client answered a challenge (RFC 5034 §4). */
export type Answer =
  | { readonly type: 'response'; readonly octets: Uint8Array }
  | { readonly type: 'cancelled' }
  | { readonly type: 'malformed'; readonly message: string };

export interface Context<S extends State = State> {
  readonly state: S;
  readonly store: MailStore;
  readonly credentials: Credentials;
  readonly defaultDomain: string;
  readonly version: string;
  /** Which messages there are, and what becomes of deleted ones. */
  readonly maildrop: MaildropOptions;
  /** Days for which messages are kept at least; undefined: for ever (RFC 2449 §6.7). */
  readonly expireDays: number | undefined;
  /** Seconds between two logins to one maildrop; undefined: none (RFC 2449 §6.5). */
  readonly loginDelaySeconds: number | undefined;
  readonly dialect: Dialect;
  /** TLS is on. */
  readonly secure: boolean;
  /** Passwords may pass as they are: under TLS, or where the operator permits it. */
  readonly plaintextPermitted: boolean;
  /** By which mechanisms of this connection are offered. */
  readonly sasl: SaslOptions;
  /** Assigns the next state and releases the old one. */
  readonly become: (next: State) => Promise<void>;
  readonly speak: (dialect: Partial<Dialect>) => void;
  /** Sends a challenge. */
  readonly ask: (challenge: Uint8Array) => Promise<Answer>;
  /** Waits as long as this address's failed logins demand. */
  readonly holdBack: () => Promise<void>;
  /** @returns whether the connection is to end: too many of them have failed */
  readonly loginFailed: (login: string, mechanism: string, reason: string, mistake?: LoginMistake) => boolean;
  /** Whether the last login to this maildrop is so long ago that another one is taken. */
  readonly loginDue: (account: AccountId) => boolean;
  readonly loggedIn: (account: AccountId) => void;
  /** `given`: the name as the client wrote it. */
  readonly loginSucceeded: (address: string, mechanism: string, given: string) => void;
  /** What CAPA lists, without what is to be hidden on purpose. */
  readonly announce: (capabilities: readonly string[]) => readonly string[];
  readonly annotate: (annotation: Annotation) => void;
}

export interface Command<Name extends StateName, Arguments> {
  readonly states: readonly Name[];
  /** Reads the arguments; the session checks that nothing follows. @throws BadSyntax */
  parse(input: Parser): Arguments;
  /** @throws Refusal */
  run(args: Arguments, context: Context<Extract<State, { name: Name }>>): Promise<Response> | Response;
}

/** A command whose arguments only itself knows. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the one place where types of all commands meet
export type AnyCommand = Command<any, any>;

export function command<const Name extends StateName, Arguments>(
  definition: Command<Name, Arguments>,
): Command<Name, Arguments> {
  return definition;
}
