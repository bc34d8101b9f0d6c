/**
 * How far a mail program has come that somebody connects: predicates over the conversations of its newest attempt. What
 * exactly went wrong in one of them is not this file's business; here is which step was the last.
 */
import { loginAddress } from '../sasl/login-name.ts';
import type { Annotation } from '../wire/connection.ts';
import type { Conversation } from '../wire/recorder.ts';

const SETUP_STEPS = ['settings', 'reached', 'secured', 'login', 'opened', 'read', 'sent', 'copied'] as const;

export interface SetupStep {
  readonly step: (typeof SETUP_STEPS)[number];
  /** `unneeded`: programs of this kind never do that. */
  readonly state: 'done' | 'failed' | 'waiting' | 'unneeded';
  /** Milliseconds since 1970. */
  readonly at: number | undefined;
  readonly conversation: Conversation | undefined;
  /** What exactly was done; of what failed: why. */
  readonly detail: string | undefined;
}

export interface Attempt {
  /** Milliseconds since 1970; undefined: there was no attempt. */
  readonly began: number | undefined;
  readonly client: string | undefined;
  readonly steps: readonly SetupStep[];
}

export interface Watched {
  readonly account: string;
  readonly defaultDomain: string;
  /** Accounts of others: what concerns them alone is no part of this attempt. */
  readonly others: ReadonlySet<string>;
  /** Mailboxes of the account that are for copies of what was sent. */
  readonly sentMailboxes: ReadonlySet<string>;
  /** Milliseconds since 1970: what began earlier is no part of it. */
  readonly since: number;
}

/** After so many milliseconds in which nothing was open, another attempt begins. */
const PAUSE_MS = 120_000;

const MAIL: ReadonlySet<string> = new Set(['imap', 'imaps', 'pop3', 'pop3s', 'submission', 'submissions']);

/** The accounts that a conversation names, by logins that were accepted or not, or by asking for their settings. */
export function accountsNamed(conversation: Conversation, defaultDomain: string): ReadonlySet<string> {
  const named = new Set<string>();
  for (const { annotation } of conversation.annotations()) {
    const { type } = annotation;
    if ((type === 'login' || type === 'login-failed' || type === 'settings') && annotation.login !== '') {
      named.add(loginAddress(annotation.login, defaultDomain));
    }
  }
  return named;
}

/** @param conversations in the order of opening */
export function newestAttempt(conversations: readonly Conversation[], watched: Watched): Attempt {
  const attempt = attemptIn(conversations.filter((each) => isPart(each, watched)));
  const [first] = attempt;
  const newestFirst = attempt.toReversed();
  const mail = newestFirst.filter(({ protocol }) => protocol !== 'http');
  const readsByPop3 = mail.some((each) => isPop3(each) && each.login !== undefined);
  const readsByImap = mail.some(({ protocol, login }) => protocol === 'imap' && login !== undefined);
  const steps = SETUP_STEPS.map((step): SetupStep => {
    for (const conversation of newestFirst) {
      const decided = decide(step, conversation, watched);
      if (decided) return { step, conversation, ...decided };
    }
    const isImapOnly = step === 'opened' || step === 'copied';
    const state = isImapOnly && readsByPop3 && !readsByImap ? 'unneeded' : 'waiting';
    return { step, state, at: undefined, conversation: undefined, detail: undefined };
  });
  return { began: first?.openedAt, client: first?.remote.address, steps };
}

const isPop3 = ({ protocol }: Conversation): boolean => protocol === 'pop3';

function isPart(conversation: Conversation, { account, defaultDomain, others, since }: Watched): boolean {
  const { role, service, protocol, openedAt, isOwn } = conversation;
  if (role !== 'server' || isOwn || openedAt < since) return false;
  const annotations = conversation.annotations();
  if (protocol === 'http' && !annotations.some(({ annotation }) => annotation.type === 'settings')) return false;
  const named = accountsNamed(conversation, defaultDomain);
  // Applications hand in by the same port, without a login.
  if (protocol !== 'http' && !MAIL.has(service) && !(service === 'smtp' && named.has(account))) return false;
  // A health check, or a look whether the port is open.
  if (annotations.length === 0 && conversation.passed.networkIn === 0 && conversation.closedAt !== undefined)
    return false;
  return named.has(account) || ![...named].some((name) => others.has(name));
}

/** The newest ones that come from one address without a long pause, in the order of opening. */
function attemptIn(conversations: readonly Conversation[]): Conversation[] {
  const newest = conversations.at(-1);
  if (!newest) return [];
  const attempt: Conversation[] = [];
  let began = newest.openedAt;
  for (const conversation of conversations.toReversed()) {
    if (!isSameClient(conversation, newest)) continue;
    if (conversation.closedAt !== undefined && conversation.closedAt + PAUSE_MS < began) break;
    attempt.unshift(conversation);
    began = conversation.openedAt;
  }
  return attempt;
}

/** `localhost` is two addresses, and programs change from one to the other. */
function isSameClient(one: Conversation, other: Conversation): boolean {
  const clientOf = ({ remote: { address } }: Conversation): string =>
    address === '::1' || address.startsWith('127.') ? 'loopback' : address;
  return clientOf(one) === clientOf(other);
}

type Decision = Pick<SetupStep, 'state' | 'at' | 'detail'>;

/** What a conversation says about a step; undefined: nothing. */
function decide(step: SetupStep['step'], conversation: Conversation, watched: Watched): Decision | undefined {
  switch (step) {
    case 'settings':
      return noted(conversation, (note) => (note.type === 'settings' ? SETTINGS[note.by] : undefined));
    case 'reached':
      return conversation.protocol === 'http' ? undefined : { ...done(conversation.openedAt), detail: undefined };
    case 'secured':
      return conversation.protocol === 'http' ? undefined : secured(conversation);
    case 'login':
      return login(conversation);
    case 'opened':
      return noted(conversation, (note) => (note.type === 'selected' ? note.mailbox : undefined));
    case 'read':
      return noted(conversation, (note) => (note.type === 'read' ? note.mailbox : undefined));
    case 'sent':
      return noted(conversation, (note) => (note.type === 'stored' ? '' : undefined));
    case 'copied':
      return noted(conversation, (note) => {
        const isCopy = note.type === 'appended' && watched.sentMailboxes.has(note.mailbox);
        return isCopy ? note.mailbox : undefined;
      });
  }
}

const SETTINGS = { autoconfig: 'autoconfig', autodiscover: 'Autodiscover', profile: 'configuration profile' } as const;

const done = (at: number): Pick<Decision, 'state' | 'at'> => ({ state: 'done', at });

/**
 * Done, once there is such an annotation; of several the last one counts.
 * @param wordsOf what exactly it says was done, or ''; undefined: it says something else
 */
function noted(
  conversation: Conversation,
  wordsOf: (annotation: Annotation) => string | undefined,
): Decision | undefined {
  for (const { annotation, at } of conversation.annotations().toReversed()) {
    const words = wordsOf(annotation);
    if (words !== undefined) return { ...done(conversation.openedAt + at), detail: words === '' ? undefined : words };
  }
  return undefined;
}

function secured(conversation: Conversation): Decision | undefined {
  const { tls, closedAt, openedAt } = conversation;
  const annotations = conversation.annotations().map(({ annotation }) => annotation);
  const failed = (at: number, detail: string): Decision => ({ state: 'failed', at, detail });
  const steps = conversation.tlsSteps();
  const end = steps.at(-1);
  if (end?.tls.step === 'failed') {
    const { alert, message } = end.tls;
    return failed(openedAt + end.at, alert === undefined ? `TLS failed: ${message}` : refusedWith(alert));
  }
  if (tls) {
    const saidNothing = closedAt !== undefined && conversation.passed.endsIn === 0;
    return saidNothing
      ? failed(closedAt, 'left right after TLS was agreed on: most likely it does not trust the certificate')
      : { ...done(openedAt + end!.at), detail: tls.version.replace(/^TLSv/, 'TLS ') };
  }
  const wrong = annotations.find(({ type }) => type === 'wrong-port');
  if (wrong?.type === 'wrong-port') return failed(closedAt ?? openedAt, WRONG_PORT[wrong.found]);
  if (annotations.some(({ type }) => type === 'login' || type === 'login-failed')) {
    return failed(openedAt, 'no TLS: the password has crossed the network readable');
  }
  // One that is still open may begin with TLS yet.
  if (closedAt === undefined) return undefined;
  return failed(closedAt, 'left without TLS');
}

const WRONG_PORT = {
  tls: 'began with TLS at once, but this port begins in clear: choose STARTTLS, or the port for SSL/TLS',
  http: 'a browser or HTTP client on a mail port',
  plaintext: 'began in clear, but this port begins with TLS: choose SSL/TLS, or the port for STARTTLS',
  silence: 'waited for a greeting, but this port begins with TLS: choose SSL/TLS, or the port for STARTTLS',
} as const;

/** Alerts by which clients refuse a certificate: RFC 8446 §6. */
const ALERTS: Readonly<Record<number, string>> = {
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  48: 'unknown_ca',
};

function refusedWith(alert: number): string {
  const name = ALERTS[alert];
  return name === undefined ? `ended TLS with alert ${alert}` : `refused our certificate: alert ${alert}, ${name}`;
}

function login(conversation: Conversation): Decision | undefined {
  const found = conversation
    .annotations()
    .findLast(({ annotation: { type } }) => type === 'login' || type === 'login-failed');
  if (!found) return undefined;
  const at = conversation.openedAt + found.at;
  const { annotation } = found;
  if (annotation.type === 'login') return { ...done(at), detail: annotation.mechanism };
  if (annotation.type !== 'login-failed') return undefined;
  const reason = annotation.reason === 'invalid-credentials' ? 'wrong name or password' : annotation.reason;
  return { state: 'failed', at, detail: `login of ${annotation.login} failed: ${reason}` };
}
