/**
 * What the server is told: flags over environment over defaults. Every setting is one row of `SETTINGS`: `--smtp-port`,
 * `GLASSMAIL_SMTP_PORT` and the line in `--help` all come from it. A wrong value stops the start with one line that names it.
 */
import { parseArgs } from 'node:util';
import { TAG_SOURCES, type Tagging, distinctTags } from './delivery/tags.ts';
import { CHAOS_POINTS, type ChaosTriggers, triggerFault } from './faults/chaos.ts';
import type { MailpitSettings, Relay } from './http/compatible/mailpit/settings.ts';
import { parseSearch } from './http/search-language.ts';
import { greenmailVariables } from './greenmail-variables.ts';
import { inbucketVariables } from './inbucket-variables.ts';
import { mailhogVariables } from './mailhog-variables.ts';
import { mailpitVariables } from './mailpit-variables.ts';

/** A wrong flag, variable or value; the message is one line for people. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export const SERVICES = [
  'smtp',
  'submission',
  'submissions',
  'imap',
  'imaps',
  'pop3',
  'pop3s',
  'http',
  'https',
  'lmtp',
] as const;
export type Service = (typeof SERVICES)[number];

/** What a service is for, in the words of the start's list of addresses. */
export const SERVICE_PURPOSE: Readonly<Record<Service, string>> = {
  smtp: 'SMTP, for applications and other hosts; no login',
  submission: 'SMTP submission, STARTTLS, login',
  submissions: 'SMTP submission, TLS, login',
  imap: 'IMAP, STARTTLS',
  imaps: 'IMAP, TLS',
  pop3: 'POP3, STLS',
  pop3s: 'POP3, TLS',
  http: 'pages and API',
  https: 'pages and API, TLS',
  lmtp: 'LMTP, for a mail server that hands over to this one; no login',
};

export interface Config {
  /** `capture`: every domain is local, nothing leaves. `domain`: only `domains` are local. */
  readonly mode: 'capture' | 'domain';
  /** The local domains; the first is the default domain. In capture mode: the default domain alone. */
  readonly domains: readonly string[];
  readonly defaultDomain: string;
  /** Addresses to bind to; the same port on each. */
  readonly hosts: readonly string[];
  /** 0: a free port; undefined: closed. */
  readonly ports: Readonly<Record<Service, number | undefined>>;
  /** The submission port with TLS takes mail as the SMTP port does. */
  readonly openSubmissions: boolean;
  /** The data folder; `temp`: a fresh one that is removed at exit. */
  readonly data: string;
  /** Accounts that the first start makes. */
  readonly accounts: readonly string[];
  /** The same addresses with the password that each has of its own; undefined: the one of all. */
  readonly accountPasswords: ReadonlyMap<string, string | undefined>;
  /** False: every login gets in, and makes the account that it names. */
  readonly checksLogins: boolean;
  /** The password of those accounts that have none of their own, and of accounts that capture mode makes. */
  readonly password: string | undefined;
  /** The name in greetings, `Received` fields and certificates. */
  readonly serverName: string;
  readonly smtpAuth: 'any' | 'none';
  /** The SMTP port wants one of these logins, each `user:password`, or of this file; undefined: `smtpAuth` says. */
  readonly smtpLogins: readonly string[] | undefined;
  readonly smtpLoginsFile: string | undefined;
  /** Mail for other addresses is refused; undefined: for none. */
  readonly allowedRecipients: RegExp | undefined;
  readonly smtpStartTls: boolean;
  /** A file of fault rules. */
  readonly faults: string | undefined;
  /** In capture mode addresses such as `451-first2@…` ask for faults. */
  readonly addressFaults: boolean;
  readonly allowPlaintextAuth: boolean;
  /** SCRAM-SHA-256-PLUS is offered under TLS 1.3. */
  readonly channelBinding: boolean;
  /** UNAUTHENTICATE is offered. */
  readonly unauthenticate: boolean;
  /** A URI by which users reach the operator: IMAP's annotation /shared/admin. */
  readonly adminContact: string;
  /** How many messages one IMAP command may be about; `saving`: COPY and APPEND alone. */
  readonly messageLimit: { readonly limits: 'everything' | 'saving'; readonly messages: number } | undefined;
  /** Which messages of INBOX a POP3 client is shown. */
  readonly pop3Messages: 'all' | 'unread';
  /** What becomes of what a POP3 client deletes. */
  readonly pop3Delete: 'expunge' | 'trash';
  /** Seconds between two POP3 logins to one account; undefined: none. */
  readonly pop3LoginDelaySeconds: number | undefined;
  /** What POP3 announces of the days for which mail is kept; undefined: for ever. */
  readonly pop3ExpireDays: number | undefined;
  readonly durability: 'power' | 'process';
  readonly maximumMessageOctets: number;
  readonly maximumRecipients: number;
  /** What an account may hold, unless it was given limits of its own; undefined: no limit. */
  readonly quota: { readonly octets: number | undefined; readonly messages: number | undefined };
  readonly maximumConnections: number;
  readonly maximumConnectionsPerAddress: number;
  /** Milliseconds before the SMTP greeting in which a client that speaks first is found out; 0: none. */
  readonly earlyTalkerMs: number;
  /** Octets of conversations kept in memory; 0: recording off. */
  readonly recordOctets: number;
  readonly tlsNames: readonly string[];
  readonly tlsCertificate: string | undefined;
  readonly tlsKey: string | undefined;
  readonly httpHosts: readonly string[];
  /** Each `user:password`; undefined: no login. */
  readonly httpAuth: readonly string[] | undefined;
  /** A file of such logins. */
  readonly httpAuthFile: string | undefined;
  /** Pages of these origins may call the API; `*`: all pages. */
  readonly httpCors: readonly string[];
  /** The API answers below this path too: it begins and ends with a slash. */
  readonly webroot: string;
  /** Whose shape `GET /api/v1/messages` has. */
  readonly apiV1: 'mailpit' | 'mailhog';
  readonly logLevel: LogLevel;
  /** Accepted messages that are kept; undefined: all. */
  readonly maximumMessages: number | undefined;
  /** Milliseconds for which they are kept; undefined: for ever. */
  readonly maximumAgeMs: number | undefined;
  readonly tagging: Tagging;
  /** What a search finds of the mail that comes in gets these tags. */
  readonly tagRules: readonly TagRuleText[];
  /** A file with more of them. */
  readonly tagRulesFile: string | undefined;
  /** What happens from the start; undefined: switched off. */
  readonly chaos: Partial<ChaosTriggers> | undefined;
  readonly mailpit: MailpitSettings;
  /** Files of logins to send, of the relay, and of servers to which clients of MailHog's API may release. */
  readonly sendAuthFile: string | undefined;
  readonly relayFile: string | undefined;
  readonly outgoingFile: string | undefined;
  /** Jim makes things go wrong from the start. */
  readonly inviteJim: boolean;
  /** Lines for the start to print: variables that look like ours and are not. */
  readonly notices: readonly string[];
}

export interface TagRuleText {
  readonly search: string;
  readonly tags: readonly string[];
}

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

interface Setting {
  /** The flag's name; the variable is GLASSMAIL_ and the same in capitals. */
  readonly flag: string;
  readonly value: string;
  readonly default: string;
  readonly help: string;
  readonly group:
    | 'what it serves'
    | 'where it listens'
    | 'TLS'
    | 'the web'
    | 'limits'
    | 'data and log'
    | 'the API of Mailpit'
    | 'the API of MailHog';
}

/** Undefined: off. LMTP has no port of its own, and serves without a login whoever reaches it (RFC 2033 §5); by custom it is 2424. */
const DEFAULT_PORTS: Readonly<Record<Service, number | undefined>> = {
  smtp: 1025,
  submission: 1587,
  submissions: 1465,
  imap: 1143,
  imaps: 1993,
  pop3: 1110,
  pop3s: 1995,
  http: 8025,
  https: 8443,
  lmtp: undefined,
};

/** Where other tools listen, for tests that were written for them. */
const PORT_SETS: Readonly<Record<'glassmail' | 'greenmail', typeof DEFAULT_PORTS>> = {
  glassmail: DEFAULT_PORTS,
  greenmail: {
    smtp: 3025,
    submission: undefined,
    submissions: 3465,
    imap: 3143,
    imaps: 3993,
    pop3: 3110,
    pop3s: 3995,
    http: 8080,
    https: undefined,
    lmtp: undefined,
  },
};

/** Switches may stand without a value: `--smtp-starttls`. */
const SWITCHES: ReadonlySet<string> = new Set([
  'smtp-starttls',
  'allow-plaintext-auth',
  'channel-binding',
  'unauthenticate',
  'hide-delete-all',
  'tags-title-case',
  'tags-username',
  'chaos',
  'relay-allow-untrusted',
  'relay-preserve-message-ids',
  'address-faults',
  'invite-jim',
]);

export const SETTINGS: readonly Setting[] = [
  {
    group: 'what it serves',
    flag: 'domains',
    value: 'a.test,b.test',
    default: '',
    help: 'Domain mode: only these are local, the first is the default domain. Without it: capture mode, every domain is local and nothing leaves this machine.',
  },
  {
    group: 'what it serves',
    flag: 'accounts',
    value: 'alice,bob@a.test:PASSWORD',
    default: 'alice,bob in capture mode',
    help: 'Accounts that the first start makes, each with a password of its own if one stands behind a colon. In domain mode there are none; use: glassmail accounts add.',
  },
  {
    group: 'what it serves',
    flag: 'default-domain',
    value: 'DOMAIN',
    default: 'glass.localhost',
    help: 'Capture mode: the domain of accounts and logins that name none.',
  },
  {
    group: 'what it serves',
    flag: 'login-check',
    value: 'password|none',
    default: 'password',
    help: 'Capture mode: none lets every name in with every password, by IMAP, POP3 and submission, and makes the account if there is none.',
  },
  {
    group: 'what it serves',
    flag: 'password',
    value: 'TEXT',
    default: 'glass in capture mode',
    help: 'The password of those accounts, and of the accounts that capture mode makes for unknown recipients.',
  },
  {
    group: 'what it serves',
    flag: 'route',
    value: 'none',
    default: 'none',
    help: 'Domain mode: where mail for other domains goes. none: it is refused with 550 5.7.1, the only choice of this version.',
  },
  {
    group: 'what it serves',
    flag: 'smtp-auth',
    value: 'any|none',
    default: 'any in capture mode',
    help: 'On the SMTP port: any accepts every name and password; none offers no login. Submission always needs a real login.',
  },
  {
    group: 'what it serves',
    flag: 'smtp-logins',
    value: 'USER:PASSWORD …',
    default: '',
    help: 'The SMTP port wants one of these logins, divided by blanks, which are no accounts.',
  },
  {
    group: 'what it serves',
    flag: 'smtp-logins-file',
    value: 'FILE',
    default: '',
    help: 'The same from a file, one a line; passwords may be hashed as htpasswd -B does.',
  },
  {
    group: 'what it serves',
    flag: 'allowed-recipients',
    value: 'REGEXP',
    default: '',
    help: 'Mail for addresses that do not match is refused with 550 5.7.1.',
  },
  {
    group: 'what it serves',
    flag: 'faults',
    value: 'FILE',
    default: '',
    help: 'Rules of what is to go wrong on purpose, as JSON: a list of what POST /api/glass/faults takes.',
  },
  {
    group: 'what it serves',
    flag: 'address-faults',
    value: 'on|off',
    default: 'on in capture mode, off in domain mode',
    help: 'Recipients such as 451-first2@any.test make their own delivery fail; their forms stand below.',
  },
  {
    group: 'what it serves',
    flag: 'unauthenticate',
    value: 'on|off',
    default: 'on',
    help: 'IMAP clients may log out and in as somebody else on one connection. Off behind a proxy that decides who may log in.',
  },
  {
    group: 'what it serves',
    flag: 'admin-contact',
    value: 'URI',
    default: 'mailto:postmaster@DOMAIN',
    help: 'How users reach whoever runs this server; IMAP clients are told by METADATA, as /shared/admin.',
  },
  {
    group: 'what it serves',
    flag: 'pop3-messages',
    value: 'all|unread',
    default: 'all',
    help: 'What POP3 clients are shown of INBOX: all, or only what nobody has read or retrieved yet.',
  },
  {
    group: 'what it serves',
    flag: 'pop3-delete',
    value: 'expunge|trash',
    default: 'expunge',
    help: 'What POP3 clients delete: expunge removes it; trash moves it to the mailbox Trash, where IMAP clients find it.',
  },
  {
    group: 'what it serves',
    flag: 'pop3-expire',
    value: 'DAYS|never',
    default: 'never',
    help: 'What POP3 announces: for how many days mail is kept at least. It deletes nothing.',
  },
  {
    group: 'where it listens',
    flag: 'host',
    value: 'ADDRESS,…',
    default: '127.0.0.1,::1',
    help: 'Addresses to bind to, each with every port. 0.0.0.0,:: is every address of this machine.',
  },
  {
    group: 'where it listens',
    flag: 'ports',
    value: 'glassmail|greenmail',
    default: 'glassmail',
    help: 'The ports below, or those of GreenMail: 3025 SMTP, 3110 POP3, 3143 IMAP, 3465 SMTP with TLS (in capture mode without a login), 3993 IMAP with TLS, 3995 POP3 with TLS, 8080 pages and API. A port of its own flag or variable beats both.',
  },
  ...SERVICES.map((service): Setting => ({
    group: 'where it listens',
    flag: `${service}-port`,
    value: 'PORT|off',
    default: String(DEFAULT_PORTS[service] ?? 'off'),
    help: `${SERVICE_PURPOSE[service]}. 0 picks a free port.`,
  })),
  {
    group: 'TLS',
    flag: 'server-name',
    value: 'NAME',
    default: 'localhost in capture mode, mail.DOMAIN in domain mode',
    help: 'The name in greetings and trace fields.',
  },
  {
    group: 'TLS',
    flag: 'smtp-starttls',
    value: 'on|off',
    default: 'off in capture mode',
    help: 'Offer STARTTLS on the SMTP port, and on that of LMTP. Off in capture mode, since libraries that meet an unknown certificate fail.',
  },
  {
    group: 'TLS',
    flag: 'allow-plaintext-auth',
    value: 'on|off',
    default: 'off',
    help: 'Permit passwords without TLS from every address. Otherwise: from loopback, in capture mode also from private addresses.',
  },
  {
    group: 'TLS',
    flag: 'channel-binding',
    value: 'on|off',
    default: 'off',
    help: 'Offer SCRAM-SHA-256-PLUS, which binds a login to its TLS connection. Off, since clients that choose it and cannot bind fail to log in: mutt with GNU SASL does.',
  },
  {
    group: 'TLS',
    flag: 'tls-names',
    value: 'NAME,…',
    default: '',
    help: 'More names that the certificate authority may sign, such as the name of a compose service.',
  },
  {
    group: 'TLS',
    flag: 'tls-certificate',
    value: 'FILE',
    default: '',
    help: 'Your own certificate chain (PEM) instead of the one that the first start makes. Reread on SIGHUP.',
  },
  { group: 'TLS', flag: 'tls-key', value: 'FILE', default: '', help: 'The private key to --tls-certificate (PEM).' },
  {
    group: 'the web',
    flag: 'http-auth',
    value: 'USER:PASSWORD …',
    default: '',
    help: 'Ask for this login on the web port, or one of several. Domain mode shows nothing but health without it.',
  },
  {
    group: 'the web',
    flag: 'http-auth-file',
    value: 'FILE',
    default: '',
    help: 'Such logins from a file, one a line; passwords may be hashed as htpasswd -B does.',
  },
  {
    group: 'the web',
    flag: 'http-cors',
    value: 'ORIGIN,…|*',
    default: '',
    help: 'Pages of these origins may call the API, such as http://localhost:3000. *: every page that you visit may read all mail here.',
  },
  {
    group: 'the web',
    flag: 'webroot',
    value: '/PATH/',
    default: '/',
    help: 'The API answers below this path too, for clients behind a proxy. The pages stay at /.',
  },
  {
    group: 'the web',
    flag: 'http-hosts',
    value: 'NAME,…',
    default: '',
    help: 'More names by which browsers may call this server (protection against DNS rebinding).',
  },
  {
    group: 'the web',
    flag: 'api-v1',
    value: 'mailpit|mailhog',
    default: 'mailpit',
    help: 'Whose list GET /api/v1/messages answers. All other routes of both tools are there at once.',
  },
  {
    group: 'limits',
    flag: 'max-message-size',
    value: 'OCTETS|50M',
    default: '50M',
    help: 'Larger messages are refused: SMTP 552, IMAP [TOOBIG].',
  },
  {
    group: 'limits',
    flag: 'max-messages',
    value: 'N|off',
    default: 'off',
    help: 'Accepted messages that are kept: when there are more, the oldest go, with all their copies. The log and the API tell of it.',
  },
  {
    group: 'limits',
    flag: 'max-age',
    value: '30m|12h|7d|off',
    default: 'off',
    help: 'How long accepted messages are kept; then they go, with all their copies. The log and the API tell of it.',
  },
  {
    group: 'limits',
    flag: 'max-recipients',
    value: 'N',
    default: '1000',
    help: 'Recipients of one message; more get 452.',
  },
  {
    group: 'limits',
    flag: 'quota-storage',
    value: 'OCTETS|1G|none',
    default: 'none',
    help: 'What the mailboxes of each account may hold together; more is refused: SMTP 452 4.2.2, IMAP [OVERQUOTA]. For one account: glassmail accounts quota.',
  },
  {
    group: 'limits',
    flag: 'quota-messages',
    value: 'N|none',
    default: 'none',
    help: 'How many messages the mailboxes of each account may hold together. For one account: glassmail accounts quota.',
  },
  { group: 'limits', flag: 'max-connections', value: 'N', default: '5000', help: 'Open connections of each port.' },
  {
    group: 'limits',
    flag: 'max-connections-per-address',
    value: 'N',
    default: '1000',
    help: 'Open connections of each port from one address.',
  },
  {
    group: 'limits',
    flag: 'imap-message-limit',
    value: 'N|off',
    default: 'off',
    help: 'Messages that one IMAP command may be about (MESSAGELIMIT): FETCH, STORE, SEARCH, MOVE and UID EXPUNGE stop after the N highest UIDs, COPY and APPEND refuse more. Real servers have 1000 or more; tests may want 3.',
  },
  {
    group: 'limits',
    flag: 'imap-save-limit',
    value: 'N|off',
    default: 'off',
    help: 'The same for COPY and APPEND alone (SAVELIMIT). A server has one of the two.',
  },
  {
    group: 'limits',
    flag: 'pop3-login-delay',
    value: 'SECONDS',
    default: '0',
    help: 'Seconds that have to lie between two POP3 logins to one account; sooner ones get [LOGIN-DELAY].',
  },
  {
    group: 'limits',
    flag: 'early-talker-wait',
    value: 'MS',
    default: '0',
    help: 'Wait so many milliseconds before the SMTP greeting and refuse clients that speak first.',
  },
  {
    group: 'data and log',
    flag: 'data',
    value: 'FOLDER|temp',
    default: './data',
    help: 'Where everything is kept; temp is a fresh folder that is removed at exit.',
  },
  {
    group: 'data and log',
    flag: 'durability',
    value: 'power|process',
    default: 'power',
    help: 'power: 250 means that the message survives a power failure. process: it survives a crash of this program alone, for throwaway tests.',
  },
  {
    group: 'data and log',
    flag: 'record',
    value: 'OCTETS|64M|off',
    default: '64M in capture mode, off in domain mode',
    help: 'Memory for recorded conversations.',
  },
  {
    group: 'data and log',
    flag: 'log-level',
    value: LOG_LEVELS.join('|'),
    default: 'info',
    help: 'What goes to standard error.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'label',
    value: 'TEXT',
    default: '',
    help: 'A name for this server, for its clients and webhooks.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'hide-delete-all',
    value: 'on|off',
    default: 'off',
    help: 'What its clients are told about a button that deletes everything.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'send-auth',
    value: 'USER:PASSWORD …|any',
    default: '',
    help: 'Logins of their own for POST /api/v1/send, divided by blanks; any: every login, or none.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'send-auth-file',
    value: 'FILE',
    default: '',
    help: 'Such logins from a file, one a line; passwords may be hashed as htpasswd -B does.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'tag-rules',
    value: 'TAG=SEARCH …',
    default: '',
    help: 'Tags for what a search finds of the mail that comes in: \'Shop="from:shop@a.test subject:order" Big=larger:1M\'.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'tag-rules-file',
    value: 'FILE',
    default: '',
    help: 'The same from a file, YAML or JSON: filters, a list of match and tags.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'tags-disable',
    value: 'plus-addresses,x-tags',
    default: '',
    help: 'What gives a message no tags; otherwise alice+tag@ and the field X-Tags do.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'tags-title-case',
    value: 'on|off',
    default: 'off',
    help: 'Words of such tags begin with a capital.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'tags-username',
    value: 'on|off',
    default: 'off',
    help: 'The login name of who handed a message in is a tag of it.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'link-check',
    value: 'off|public|internal',
    default: 'off',
    help: 'Whether the links of a message may be tried out: at public addresses alone, or at those of this network too.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'chaos',
    value: 'on|off',
    default: 'off',
    help: 'Refuse MAIL, RCPT or AUTH by chance, as PUT /api/v1/chaos asks.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'chaos-triggers',
    value: 'Sender:451:10,…',
    default: '',
    help: 'Refusals from the start: Sender, Recipient or Authentication, the reply code, the chance in percent.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'webhook-url',
    value: 'URL',
    default: '',
    help: 'Tell this address of each accepted message: a POST of its summary.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'webhook-limit',
    value: 'N',
    default: '1',
    help: 'Messages a second that are told there; others are passed over. 0: all.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'webhook-delay',
    value: 'SECONDS',
    default: '0',
    help: 'Seconds to wait before each.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'relay-config',
    value: 'FILE',
    default: '',
    help: 'The settings of the relay from a file as Mailpit has it (YAML), instead of the following.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'relay-host',
    value: 'NAME',
    default: '',
    help: 'An SMTP server through which single messages may be released to the world (POST /api/v1/message/ID/release). Nothing else goes there.',
  },
  { group: 'the API of Mailpit', flag: 'relay-port', value: 'PORT', default: '25', help: 'The port of that server.' },
  {
    group: 'the API of Mailpit',
    flag: 'relay-tls',
    value: 'none|offered|required|implicit',
    default: 'offered',
    help: 'STARTTLS never, where it is offered, or always; implicit: TLS from the start.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'relay-allow-untrusted',
    value: 'on|off',
    default: 'off',
    help: 'Its certificate may be one that nobody vouches for.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'relay-auth',
    value: 'none|plain|login|cram-md5',
    default: 'none',
    help: 'How to log in to that server.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'relay-user',
    value: 'NAME',
    default: '',
    help: 'The login name at that server.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'relay-password',
    value: 'TEXT',
    default: '',
    help: 'The password at that server.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'relay-return-path',
    value: 'ADDRESS',
    default: '',
    help: 'The sender of the envelope of what is released; otherwise that of the message.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'relay-from',
    value: 'ADDRESS',
    default: '',
    help: 'The From of what is released; otherwise that of the message.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'relay-allowed',
    value: 'REGEXP',
    default: '',
    help: 'Release only to addresses that match.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'relay-blocked',
    value: 'REGEXP',
    default: '',
    help: 'Release to no address that matches.',
  },
  {
    group: 'the API of Mailpit',
    flag: 'relay-preserve-message-ids',
    value: 'on|off',
    default: 'off',
    help: 'What is released keeps its Message-ID.',
  },
  {
    group: 'the API of MailHog',
    flag: 'release-to',
    value: 'HOST[:PORT],…|any',
    default: '',
    help: 'SMTP servers to which a client may release single messages by naming one. Otherwise only to the relay, and to those of --outgoing-smtp.',
  },
  {
    group: 'the API of MailHog',
    flag: 'outgoing-smtp',
    value: 'FILE',
    default: '',
    help: 'SMTP servers with a name, to which single messages may be released: JSON as MailHog has it.',
  },
  {
    group: 'the API of MailHog',
    flag: 'invite-jim',
    value: 'on|off',
    default: 'off',
    help: 'Connections, senders, recipients and logins are refused by chance, and links are slow, from the start; see GET /api/v2/jim.',
  },
];

export const variableOf = (flag: string): string => `GLASSMAIL_${flag.toUpperCase().replaceAll('-', '_')}`;

/** A setting as given, with where it was given, so that a wrong one can be named. */
export interface Given {
  readonly text: string;
  readonly from: string;
}

/**
 * @param args flags, without the command's name
 * @throws ConfigError
 */
export function readConfig(args: readonly string[], environment: NodeJS.ProcessEnv): Config {
  const others = [inbucketVariables, greenmailVariables, mailhogVariables, mailpitVariables].map((read) =>
    read(environment),
  );
  const given = gather(args, environment, new Map(others.flatMap(({ settings }) => [...settings])));
  const domains = list(given.get('domains')).map((domain) => domainName(domain, given.get('domains')!.from));
  const mode = domains.length > 0 ? 'domain' : 'capture';
  const capture = mode === 'capture';
  const named = given.get('default-domain');
  if (named && !capture) throw new ConfigError(`${named.from}: in domain mode it is the first of the domains`);
  const defaultDomain = domains[0] ?? (named ? domainName(named.text, named.from) : 'glass.localhost');
  oneOf(given.get('route'), ['none'], 'none');
  const ports = oneOf(given.get('ports'), ['glassmail', 'greenmail'], 'glassmail');
  const tlsCertificate = given.get('tls-certificate')?.text;
  const tlsKey = given.get('tls-key')?.text;
  if ((tlsCertificate === undefined) !== (tlsKey === undefined))
    throw new ConfigError('--tls-certificate and --tls-key belong together: give both or neither');
  const addressFaults = given.get('address-faults');
  if (!capture && onOff(addressFaults, false))
    throw new ConfigError(`${addressFaults!.from}: addresses ask for faults in capture mode alone`);
  const accounts = accountList(given.get('accounts'), capture ? ['alice', 'bob'] : [], defaultDomain);
  const loginCheck = given.get('login-check');
  const isOpen = oneOf(loginCheck, ['password', 'none'], 'password') === 'none';
  if (isOpen && !capture) throw new ConfigError(`${loginCheck!.from}: every login is let in by capture mode alone`);
  const lmtpPort = given.get('lmtp-port');
  if (lmtpPort && Number(lmtpPort.text) === 25)
    throw new ConfigError(`${lmtpPort.from}: port 25 is SMTP's (RFC 2033 §5)`);
  return Object.freeze({
    mode,
    domains: capture ? [defaultDomain] : domains,
    defaultDomain,
    hosts: hostList(given.get('host')),
    ports: Object.fromEntries(
      SERVICES.map((service) => [service, port(given.get(`${service}-port`), PORT_SETS[ports][service])]),
    ) as Record<Service, number | undefined>,
    openSubmissions: capture && ports === 'greenmail',
    data: given.get('data')?.text ?? './data',
    accounts: [...accounts.keys()],
    accountPasswords: accounts,
    checksLogins: !isOpen,
    password: given.get('password')?.text ?? (capture ? 'glass' : undefined),
    serverName: given.get('server-name')?.text ?? (capture ? 'localhost' : `mail.${defaultDomain}`),
    smtpAuth: oneOf(given.get('smtp-auth'), ['any', 'none'], capture ? 'any' : 'none'),
    smtpLogins: logins(given.get('smtp-logins')),
    smtpLoginsFile: given.get('smtp-logins-file')?.text,
    allowedRecipients: pattern(given.get('allowed-recipients')),
    smtpStartTls: onOff(given.get('smtp-starttls'), !capture),
    faults: given.get('faults')?.text,
    addressFaults: onOff(addressFaults, capture),
    allowPlaintextAuth: onOff(given.get('allow-plaintext-auth'), false),
    channelBinding: onOff(given.get('channel-binding'), false),
    unauthenticate: onOff(given.get('unauthenticate'), true),
    adminContact: uri(given.get('admin-contact'), `mailto:postmaster@${defaultDomain}`),
    messageLimit: messageLimit(given.get('imap-message-limit'), given.get('imap-save-limit')),
    pop3Messages: oneOf(given.get('pop3-messages'), ['all', 'unread'], 'all'),
    pop3Delete: oneOf(given.get('pop3-delete'), ['expunge', 'trash'], 'expunge'),
    pop3LoginDelaySeconds: integer(given.get('pop3-login-delay'), 0, 0, 86_400) || undefined,
    pop3ExpireDays: days(given.get('pop3-expire')),
    durability: oneOf(given.get('durability'), ['power', 'process'], 'power'),
    maximumMessageOctets: octets(given.get('max-message-size'), 50 * 1024 * 1024, 1024),
    maximumRecipients: integer(given.get('max-recipients'), 1000, 1, 100_000),
    quota: quotaOf(given.get('quota-storage'), given.get('quota-messages')),
    maximumConnections: integer(given.get('max-connections'), 5000, 1, 1_000_000),
    maximumConnectionsPerAddress: integer(given.get('max-connections-per-address'), 1000, 1, 1_000_000),
    earlyTalkerMs: integer(given.get('early-talker-wait'), 0, 0, 60_000),
    recordOctets: octets(given.get('record'), capture ? 64 * 1024 * 1024 : 0, 0),
    tlsNames: list(given.get('tls-names')),
    tlsCertificate,
    tlsKey,
    httpHosts: list(given.get('http-hosts')),
    httpAuth: logins(given.get('http-auth')),
    httpAuthFile: given.get('http-auth-file')?.text,
    httpCors: origins(given.get('http-cors')),
    webroot: webroot(given.get('webroot')),
    apiV1: oneOf(given.get('api-v1'), ['mailpit', 'mailhog'], 'mailpit'),
    logLevel: oneOf(given.get('log-level'), LOG_LEVELS, 'info'),
    maximumMessages: integer(unlessOff(given.get('max-messages')), 0, 0, 100_000_000) || undefined,
    maximumAgeMs: duration(unlessOff(given.get('max-age'))),
    tagging: {
      disabled: list(given.get('tags-disable')).map((source) =>
        oneOf({ text: source, from: given.get('tags-disable')!.from }, TAG_SOURCES, 'x-tags'),
      ),
      titleCase: onOff(given.get('tags-title-case'), false),
      login: onOff(given.get('tags-username'), false),
    },
    tagRules: tagRules(given.get('tag-rules')),
    tagRulesFile: given.get('tag-rules-file')?.text,
    chaos: onOff(given.get('chaos'), false) ? chaosTriggers(given.get('chaos-triggers')) : undefined,
    mailpit: mailpitSettings(given),
    sendAuthFile: given.get('send-auth-file')?.text,
    relayFile: given.get('relay-config')?.text,
    outgoingFile: given.get('outgoing-smtp')?.text,
    inviteJim: onOff(given.get('invite-jim'), false),
    notices: [...unknownVariables(environment), ...others.flatMap(({ notices }) => notices)],
  });
}

function gather(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  weakest: ReadonlyMap<string, Given>,
): ReadonlyMap<string, Given> {
  const known = new Map(SETTINGS.map((setting) => [setting.flag, setting]));
  const { tokens } = parseArgs({
    args: withSwitchValues(args),
    options: Object.fromEntries(SETTINGS.map(({ flag }) => [flag, { type: 'string' as const }])),
    strict: false,
    tokens: true,
  });
  const given = new Map(weakest);
  for (const { flag } of SETTINGS) {
    const text = environment[variableOf(flag)];
    if (text !== undefined && text !== '' && !isServiceLink(text)) given.set(flag, { text, from: variableOf(flag) });
  }
  for (const token of tokens) {
    if (token.kind === 'positional')
      throw new ConfigError(`"${token.value}" is not a flag; see: glassmail start --help`);
    if (token.kind !== 'option') continue;
    if (!known.has(token.name)) throw new ConfigError(unknownFlag(token.rawName, [...known.keys()]));
    if (token.value === undefined || token.value === '')
      throw new ConfigError(`--${token.name} needs a value: --${token.name} ${known.get(token.name)!.value}`);
    given.set(token.name, { text: token.value, from: `--${token.name}` });
  }
  return given;
}

function mailpitSettings(given: ReadonlyMap<string, Given>): MailpitSettings {
  const sendAuth = given.get('send-auth');
  const webhook = given.get('webhook-url');
  if (webhook && !/^https?:\/\/./i.test(webhook.text))
    throw new ConfigError(`${webhook.from}: "${webhook.text}" is not an address of the web`);
  return {
    label: given.get('label')?.text ?? '',
    hideDeleteAll: onOff(given.get('hide-delete-all'), false),
    sendAuth: sendAuth?.text === 'any' ? 'any' : logins(sendAuth),
    linkCheck: oneOf(given.get('link-check'), ['off', 'public', 'internal'], 'off'),
    relay: relayOf(given),
    releaseTo: releaseTo(given.get('release-to')),
    outgoing: new Map(),
    webhook: webhook && {
      url: webhook.text,
      perSecond: integer(given.get('webhook-limit'), 1, 0, 1_000_000),
      delaySeconds: integer(given.get('webhook-delay'), 0, 0, 3600),
    },
  };
}

/** @throws ConfigError */
export function relayOf(given: ReadonlyMap<string, Given>): Relay | undefined {
  const host = given.get('relay-host')?.text;
  if (host === undefined) return undefined;
  const auth = oneOf(given.get('relay-auth'), ['none', 'plain', 'login', 'cram-md5'], 'none');
  return {
    host,
    port: integer(given.get('relay-port'), 25, 1, 65_535),
    tls: oneOf(given.get('relay-tls'), ['none', 'offered', 'required', 'implicit'], 'offered'),
    allowUntrusted: onOff(given.get('relay-allow-untrusted'), false),
    auth: auth === 'none' ? undefined : auth,
    user: given.get('relay-user')?.text ?? '',
    password: given.get('relay-password')?.text ?? '',
    returnPath: given.get('relay-return-path')?.text ?? '',
    overrideFrom: given.get('relay-from')?.text ?? '',
    allowed: pattern(given.get('relay-allowed')),
    blocked: pattern(given.get('relay-blocked')),
    preserveMessageIds: onOff(given.get('relay-preserve-message-ids'), false),
  };
}

/** Kubernetes sets GLASSMAIL_SMTP_PORT=tcp://10.0.0.1:1025 beside a service named glassmail-smtp: not meant for us. */
const isServiceLink = (text: string): boolean => /^(tcp|udp):\/\//.test(text);

function unknownVariables(environment: NodeJS.ProcessEnv): string[] {
  const ofCommands = ['GLASSMAIL_SENDMAIL_ADDR', 'GLASSMAIL_SENDMAIL_FROM'];
  const known = new Set([...SETTINGS.map(({ flag }) => variableOf(flag)), ...ofCommands]);
  return Object.entries(environment)
    .filter(([name, text = '']) => name.startsWith('GLASSMAIL_') && !known.has(name) && !isServiceLink(text))
    .map(([name]) => name)
    .filter((name) => !/_(SERVICE|PORT)_/.test(name)) // GLASSMAIL_SERVICE_HOST, GLASSMAIL_PORT_1025_TCP: likewise
    .map((name) => `${name} is no variable of glassmail, so it changes nothing; see: glassmail start --help`);
}

/** `--smtp-starttls` alone means `--smtp-starttls=on`. */
function withSwitchValues(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const next = args[index + 1];
    const alone = next === undefined || next.startsWith('-');
    return arg.startsWith('--') && SWITCHES.has(arg.slice(2)) && alone ? `${arg}=on` : arg;
  });
}

/** One line that names the flag and the nearest one there is. */
function unknownFlag(raw: string, known: readonly string[]): string {
  const word = raw.replace(/^-+/, '');
  const near = known.find((flag) => flag.startsWith(word) || word.startsWith(flag) || flag.includes(word));
  return `${raw} is not a flag of this command${near ? `; did you mean --${near}?` : ''} (see --help)`;
}

function list(given: Given | undefined): string[] {
  return (given?.text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function domainName(text: string, from: string): string {
  const domain = text.toLowerCase();
  if (
    domain.length > 253 ||
    !/^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(domain)
  )
    throw new ConfigError(`${from}: "${text}" is not a domain name`);
  return domain;
}

function hostList(given: Given | undefined): string[] {
  const hosts = list(given);
  return hosts.length > 0 ? hosts : ['127.0.0.1', '::1'];
}

/** Address to the password that it has of its own; undefined: the one of all. */
function accountList(
  given: Given | undefined,
  fallback: readonly string[],
  defaultDomain: string,
): ReadonlyMap<string, string | undefined> {
  const entries = given ? list(given) : fallback;
  return new Map(
    entries.map((entry) => {
      // A colon before the domain would stand in quotes (RFC 5321 §4.1.2).
      const [, name = entry, password] = /^([^:"]+):(.+)$/.exec(entry) ?? [];
      const at = name.lastIndexOf('@');
      if (at === 0 || /\s/.test(name))
        throw new ConfigError(`${given?.from ?? '--accounts'}: "${name}" is not an account`);
      const domain = at < 0 ? defaultDomain : name.slice(at + 1).toLowerCase();
      return [`${at < 0 ? name : name.slice(0, at)}@${domain}`, password] as const;
    }),
  );
}

function port(given: Given | undefined, fallback: number | undefined): number | undefined {
  if (!given) return fallback;
  if (given.text === 'off') return undefined;
  if (!/^\d{1,5}$/.test(given.text) || Number(given.text) > 65_535)
    throw new ConfigError(`${given.from}: "${given.text}" is not a port; give 0 to 65535, or off`);
  return Number(given.text);
}

function integer(given: Given | undefined, fallback: number, least: number, most: number): number {
  if (!given) return fallback;
  const value = Number(given.text);
  if (!/^\d+$/.test(given.text) || value < least || value > most)
    throw new ConfigError(`${given.from}: "${given.text}" is not a whole number from ${least} to ${most}`);
  return value;
}

/** RFC 9738 §3: a server announces one of the two. */
function messageLimit(everything: Given | undefined, saving: Given | undefined): Config['messageLimit'] {
  const [all, some] = [everything, saving].map((given) =>
    given?.text === 'off' ? undefined : integer(given, 0, 1, 4_294_967_295) || undefined,
  );
  if (all && some) throw new ConfigError(`${everything!.from} and ${saving!.from} cannot both be given: choose one`);
  if (all) return { limits: 'everything', messages: all };
  return some ? { limits: 'saving', messages: some } : undefined;
}

function uri(given: Given | undefined, fallback: string): string {
  if (!given) return fallback;
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(given.text))
    throw new ConfigError(`${given.from}: "${given.text}" is not a URI such as mailto:admin@a.test or tel:+49301234`);
  return given.text;
}

function days(given: Given | undefined): number | undefined {
  if (!given || given.text === 'never') return undefined;
  if (!/^\d{1,5}$/.test(given.text))
    throw new ConfigError(`${given.from}: "${given.text}" is not a number of days; give 0 to 99999, or never`);
  return Number(given.text);
}

function octets(given: Given | undefined, fallback: number, least: number): number {
  if (!given) return fallback;
  if (given.text === 'off' && least === 0) return 0;
  const match = /^(\d+)([kmg]?)(i?b)?$/i.exec(given.text);
  const value = match ? Number(match[1]) * 1024 ** ['', 'k', 'm', 'g'].indexOf(match[2]!.toLowerCase()) : NaN;
  if (!Number.isSafeInteger(value) || value < least)
    throw new ConfigError(`${given.from}: "${given.text}" is not a size; give octets, or a number with K, M or G`);
  return value;
}

function quotaOf(storage: Given | undefined, messages: Given | undefined): Config['quota'] {
  const isGiven = (given: Given | undefined): boolean => given !== undefined && given.text !== 'none';
  return {
    octets: isGiven(storage) ? octets(storage, 0, 1) : undefined,
    messages: isGiven(messages) ? integer(messages, 0, 1, Number.MAX_SAFE_INTEGER) : undefined,
  };
}

function oneOf<const T extends string>(given: Given | undefined, choices: readonly T[], fallback: T): T {
  if (!given) return fallback;
  const choice = choices.find((known) => known === given.text);
  if (choice === undefined) throw new ConfigError(`${given.from}: "${given.text}" is not one of ${choices.join(', ')}`);
  return choice;
}

function onOff(given: Given | undefined, fallback: boolean): boolean {
  if (!given) return fallback;
  if (['on', 'true', 'yes', '1'].includes(given.text)) return true;
  if (['off', 'false', 'no', '0'].includes(given.text)) return false;
  throw new ConfigError(`${given.from}: "${given.text}" is neither on nor off`);
}

const unlessOff = (given: Given | undefined): Given | undefined => (given?.text === 'off' ? undefined : given);

/** Milliseconds. */
function duration(given: Given | undefined): number | undefined {
  if (!given) return undefined;
  const match = /^(\d{1,6})([smhdw])$/.exec(given.text);
  const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
  const value = match ? Number(match[1]) * units[match[2] as keyof typeof units] : 0;
  if (value === 0) throw new ConfigError(`${given.from}: "${given.text}" is not a time; give 30m, 12h or 7d, or off`);
  return value;
}

function pattern(given: Given | undefined): RegExp | undefined {
  if (!given) return undefined;
  try {
    return new RegExp(given.text, 'i');
  } catch {
    throw new ConfigError(`${given.from}: "${given.text}" is not a regular expression`);
  }
}

/** `Sender:451:10,Recipient:550:5`: which, the reply code, the chance in percent. */
function chaosTriggers(given: Given | undefined): Partial<ChaosTriggers> {
  const triggers = list(given).map((text) => {
    const [name = '', code = '', probability = '', ...more] = text.split(':');
    const point = CHAOS_POINTS.find((known) => known === name.trim().toLowerCase());
    const trigger = { code: Number(code), probability: Number(probability) };
    const fault = triggerFault(trigger);
    if (!point || more.length > 0 || fault !== undefined)
      throw new ConfigError(`${given!.from}: "${text}" is not like Sender:451:10${fault ? ` (${fault})` : ''}`);
    return [point, trigger] as const;
  });
  return Object.fromEntries(triggers);
}

/** Divided by blanks, each `user:password`. What else there is after a blank belongs to a password. */
function logins(given: Given | undefined): string[] | undefined {
  if (!given) return undefined;
  const found = given.text.trim().split(/\s+(?=[^:\s]+:\S)/);
  for (const text of found)
    if (!/^[^:]+:.+$/.test(text)) throw new ConfigError(`${given.from} needs the form user:password`);
  return found;
}

function origins(given: Given | undefined): string[] {
  return list(given).map((text) => {
    const origin = text === '*' ? text : URL.canParse(text) ? new URL(text).origin : 'null';
    if (origin === 'null')
      throw new ConfigError(`${given!.from}: "${text}" is not an origin such as http://localhost:3000`);
    return origin;
  });
}

function webroot(given: Given | undefined): string {
  const names = (given?.text ?? '').split('/').filter((name) => name !== '');
  const wrong = names.find((name) => !/^[\w.~-]+$/.test(name) || /^\.+$/.test(name));
  if (wrong !== undefined) throw new ConfigError(`${given!.from}: "${given!.text}" is not a path such as /mail/`);
  return names.length === 0 ? '/' : `/${names.join('/')}/`;
}

function releaseTo(given: Given | undefined): MailpitSettings['releaseTo'] {
  if (given?.text === 'any') return 'any';
  return list(given).map((text) => {
    const [, host, digits] = /^(\[[0-9a-f:.]+\]|[^\s:/]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
    if (host === undefined) throw new ConfigError(`${given!.from}: "${text}" is not a host, or host:port`);
    return { host: host.replace(/^\[|\]$/g, ''), port: digits === undefined ? undefined : Number(digits) };
  });
}

/** `Shop="from:shop@a.test subject:order" Big=larger:1M`: blanks between quotes do not divide. */
function tagRules(given: Given | undefined): TagRuleText[] {
  const words = given?.text.match(/(?:"[^"]*"|[^\s"])+/g) ?? [];
  return words.map((word) => {
    const [, tags, search] = /^([^=]+)=(.+)$/s.exec(word.replaceAll('"', '')) ?? [];
    if (tags === undefined) throw new ConfigError(`${given!.from}: "${word}" is not like Tag=search`);
    return tagRule(tags, search!, given!.from);
  });
}

/** @throws ConfigError */
export function tagRule(tags: string, search: string, from: string): TagRuleText {
  const found = distinctTags(tags.split(','));
  if (found.length === 0) throw new ConfigError(`${from}: "${tags}" is no tag: letters, digits, blanks and -_.@`);
  const [problem] = parseSearch(search).problems;
  if (problem) throw new ConfigError(`${from}: ${problem.term}: ${problem.rule}`);
  if (search.trim() === '') throw new ConfigError(`${from}: ${tags} has nothing to look for`);
  return { search, tags: found };
}
