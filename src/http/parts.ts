/** What the HTTP service needs of the rest of the server: given by the stack. */
import type { IncomingMessage } from 'node:http';
import type { LocalDelivery } from '../delivery/deliver.ts';
import type { Chaos } from '../faults/chaos.ts';
import type { Jim } from '../faults/jim.ts';
import type { FaultRules } from '../faults/rules.ts';
import type { Notifier } from '../notifier/notifier.ts';
import type { PasswordList } from '../sasl/password-list.ts';
import type { Errands } from '../sasl/errands.ts';
import type { TokenIssuer } from '../sasl/issuer.ts';
import type { TokenRegistry } from '../sasl/tokens.ts';
import type { MailStore } from '../store/mail-store.ts';
import type { Doctor } from '../glass/doctor/doctor.ts';
import type { Retention, RetentionRules } from '../store/retention.ts';
import type { Certificates } from '../wire/certificates.ts';
import type { Annotation, Endpoint } from '../wire/connection.ts';
import type { Recorder } from '../wire/recorder.ts';
import type { Scope, ScopeRegistry } from '../delivery/scopes.ts';
import type { MailpitEvents } from './compatible/mailpit/events.ts';
import type { MailpitSettings } from './compatible/mailpit/settings.ts';
import type { Settings } from './schemas/settings.ts';

/** The address of the pages' WebSocket. */
export const FEED_PATH = '/api/glass/feed';
/** That of the hands-on console. */
export const CONSOLE_PATH = '/api/glass/console';
/** That of the compatible API. */
export const EVENTS_PATH = '/api/events';

/** That of the API that is compatible with MailHog's. */
export const MAILHOG_SOCKET_PATH = '/api/v2/websocket';

/** Those of Inbucket's: its version, and whose mailbox. */
export const INBUCKET_SOCKET_PATH = /^\/api\/v([12])\/monitor\/messages(?:\/([^/]+))?$/;

/** What is read of the recorder. */
export type ConversationSource = Pick<
  Recorder,
  'revision' | 'recording' | 'list' | 'find' | 'since' | 'watch' | 'clear'
>;

/** How the server is set up, as far as no other part knows it. */
export interface ServerSettings extends Omit<Settings, 'retention' | 'authority'> {
  readonly rules: RetentionRules;
}

export interface HttpParts {
  readonly store: MailStore;
  readonly notifier: Notifier;
  readonly recorder: ConversationSource;
  /** Undefined: nobody diagnoses. */
  readonly doctor?: Doctor | undefined;
  readonly mode: 'capture' | 'domain';
  /** The local domains; in capture mode every other one is local too. */
  readonly domains: readonly string[];
  readonly defaultDomain: string;
  readonly maximumMessageOctets: number;
  /** The login that every request needs: `user:password`, or one of a list. */
  readonly auth?: string | PasswordList | undefined;
  /** Those of `POST /api/v1/send`, in the place of `mailpit.sendAuth`. */
  readonly sendLogins?: PasswordList | undefined;
  /** Pages of these origins may call the API; `*`: all pages. */
  readonly cors?: readonly string[];
  /** The API answers below this path too: it begins and ends with a slash. */
  readonly webroot?: string;
  /** The control token of the data folder: accepted always. */
  readonly token: string;
  /** Host names allowed beside those that always are; `.name` includes its subdomains, `*` is any. */
  readonly hosts: readonly string[];
  readonly version: string;
  /** Where the database lies, as `/api/v1/info` shows it. */
  readonly dataFolder: string;
  /** Where each service accepts connections, by its name: `imaps`. */
  services(): Readonly<Record<string, Endpoint>>;
  /** What mail programs are shown, and the authority that signed it, for whoever is to trust it. */
  readonly certificates?: Pick<Certificates, 'authorityPem' | 'authorityDer' | 'fingerprints' | 'names'>;
  /** How the server is set up; undefined: that is nobody's business. */
  readonly settings?: (() => ServerSettings) | undefined;
  /** The configured password, if it opens the account and may be told to learners. */
  readonly knownPassword?: ((address: string) => Promise<string | undefined>) | undefined;
  /** A SCRAM-SHA-256 record (RFC 5803 §3) of a password that the schemas have checked. */
  passwordRecord(password: string): Promise<string>;
  /** Bearer tokens for logins to accounts; undefined: this server keeps none. */
  readonly tokens?: TokenRegistry | undefined;
  /** Opens our own ports to what the pages do there for somebody; undefined: they do nothing there. */
  readonly errands?: Errands | undefined;
  /** Issues tokens by the flows of OAuth, to whoever asks; undefined: nobody does. */
  readonly issuer?: TokenIssuer | undefined;
  /** Undefined: this server has no test scopes. */
  readonly scopes?: ScopeRegistry | undefined;
  /** What is to go wrong on purpose; undefined: this server has no rules. */
  readonly faults?: FaultRules | undefined;
  /** The one whose view of the API this is. */
  readonly scope?: Scope | undefined;
  /** Accounts that a reset leaves. */
  readonly firstAccounts?: readonly string[];
  /** False: every login to read mail gets in. Default true. */
  readonly checksLogins?: boolean;
  /** Whose shape `GET /api/v1/messages` has, on which the two tools differ; default `mailpit`. */
  readonly apiV1?: 'mailpit' | 'mailhog';
  ready(): boolean;
  /** Aborted when the service closes: what waits for news ends. */
  readonly closing?: AbortSignal | undefined;
  /** Bugs of ours with their cause; what others did not answer. */
  log(level: 'error' | 'warn', message: string, cause?: unknown): void;
  /** Takes what is handed in over HTTP; undefined: nothing is. */
  readonly delivery?: LocalDelivery;
  /** Refusals by chance in SMTP; undefined: switched off. */
  readonly chaos?: Chaos | undefined;
  /** Who makes things go wrong for clients of MailHog's API; undefined: nobody may invite him. */
  readonly jim?: Jim | undefined;
  /** What keeps the store small; undefined: nothing is removed by itself. */
  readonly retention?: Retention | undefined;
  /** Of the API that is compatible with Mailpit's. */
  readonly mailpit?: MailpitSettings;
  /** What SMTP has done since the start, for the metrics; zeros while nobody counts. */
  readonly smtpFigures?:
    (() => { readonly accepted: number; readonly acceptedOctets: number; readonly rejected: number }) | undefined;
}

export interface HttpOptions extends HttpParts {
  /** Events of the compatible API, that no log has. */
  readonly mailpitEvents?: MailpitEvents | undefined;
  /** Notes something in the conversation that a request came by. */
  readonly annotate?: (incoming: IncomingMessage | undefined, annotation: Annotation) => void;
  /** Where the built pages lie, for tests. */
  readonly pagesFolder?: string;
}
