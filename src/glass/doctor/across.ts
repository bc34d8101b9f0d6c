/**
 * What one conversation alone does not show: what should have followed it (D20), what never came (D21), where all come
 * from (D22, D23), how many there are (D29), and what the pages say of their clock (D10).
 */
import type { Conversation } from '../../wire/recorder.ts';
import { TOLERANCE_MS, differenceWords, looksLikeZone } from './clocks.ts';
import type { LookAgain } from './case.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { DoctorContext } from './facts.ts';
import { list, protocolName } from './remedies.ts';

export interface AcrossDiagnosis extends Diagnosis {
  /** The one that it is about. */
  readonly service: string | null;
  /** Ids of conversations that show it, the newest last. */
  readonly conversations: readonly string[];
}

/** A case without a `find`: for the documentation. */
export const ACROSS_CASES = [
  {
    id: 'D10',
    title: 'The browser’s clock differs',
    seen: 'a page says what its clock shows: more than five minutes away',
    says: 'The clock of the browser that shows these pages is 12 minutes ahead.',
  },
  {
    id: 'D20',
    title: 'No copy of what was sent',
    seen: 'a message submitted to others alone, and within ten seconds no APPEND to a mailbox for sent mail by the same user',
    says: 'No copy of what you sent was stored on the server.',
  },
  {
    id: 'D21',
    title: 'Nothing arrived',
    seen: 'no connection on a port since the start',
    says: 'Nothing arrived. Is the port mapped? `docker compose port …`; from another container use the service’s name.',
  },
  {
    id: 'D22',
    title: 'All clients have one address',
    seen: 'three conversations or more, all from the gateway of a container network',
    says: 'That is the address of the container network’s gateway: not an error.',
  },
  {
    id: 'D23',
    title: 'localhost and IPv6',
    seen: 'a connection to `::1` that ends without a word, then one to 127.0.0.1; or a server that has only one of the two',
    says: 'localhost means ::1 to your program.',
  },
  {
    id: 'D29',
    title: 'Many connections of one user',
    seen: 'more than ten open IMAP connections of one login',
    says: 'Your program keeps 12 connections open.',
  },
] as const;

const title = (id: string): string => ACROSS_CASES.find((each) => each.id === id)!.title;

// ------------------------------------------------------------------------------------------------ D20: a sent copy

/** A program stores its copy at once after sending. Milliseconds. */
const COPY_MS = 10_000;

/** Who has put messages into mailboxes for sent mail, and when; and who reads by IMAP at all. */
export interface SentCopies {
  readonly copiedAt: ReadonlyMap<string, readonly number[]>;
  readonly readers: ReadonlySet<string>;
}

export function sentCopies(conversations: readonly Conversation[]): SentCopies {
  const copiedAt = new Map<string, number[]>();
  const readers = new Set<string>();
  for (const conversation of conversations) {
    if (conversation.protocol !== 'imap' || conversation.login === undefined) continue;
    for (const login of conversation.logins) readers.add(login.toLowerCase());
    for (const { at, annotation } of conversation.annotations()) {
      if (annotation.type !== 'appended' || !annotation.sent) continue;
      const login = conversation.login.toLowerCase();
      const times = copiedAt.get(login);
      if (times) times.push(conversation.openedAt + at);
      else copiedAt.set(login, [conversation.openedAt + at]);
    }
  }
  return { copiedAt, readers };
}

/** @param now milliseconds since 1970, as is `lookAgainAt` here */
export function sentCopyOf(
  conversation: Conversation,
  copies: () => SentCopies,
  now: number,
): Diagnosis | LookAgain | undefined {
  if (!/^submissions?$/.test(conversation.service) || conversation.login === undefined) return undefined;
  const stored = conversation.annotations().find(({ annotation }) => annotation.type === 'stored');
  if (stored === undefined) return undefined;
  const sentAt = conversation.openedAt + stored.at;
  if (now < sentAt + COPY_MS) return { lookAgainAt: sentAt + COPY_MS };
  const login = conversation.login.toLowerCase();
  const { copiedAt, readers } = copies();
  // Some store the copy first and send then.
  if (copiedAt.get(login)?.some((at) => Math.abs(at - sentAt) <= COPY_MS) === true) return undefined;
  if (namesRecipient(conversation, login)) return undefined;
  const reads = readers.has(login);
  return {
    id: 'D20',
    severity: reads ? 'advice' : 'note',
    title: title('D20'),
    sentence: `No copy of what ${conversation.login} sent was stored on the server within ten seconds.`,
    remedy: reads
      ? 'Let the mail program keep copies of sent mail in the mailbox Sent of this account.'
      : 'For an application that is as it should be. A mail program stores its copy by IMAP: choose the mailbox Sent for copies.',
    evidence: [{ seq: stored.seq, shows: 'the message was taken here' }],
  };
}

/** A command is no longer than this, with others that came in the same packet: what is longer is content. */
const COMMAND_OCTETS = 4096;
const toItself = new WeakMap<Conversation, { readonly seq: number; readonly answer: boolean }>();

/** Who writes to himself has the message in INBOX. */
function namesRecipient(conversation: Conversation, login: string): boolean {
  const before = toItself.get(conversation);
  if (before?.seq === conversation.lastSeq) return before.answer;
  const wanted = `rcpt to:<${login}>`;
  const answer = conversation
    .since(0)
    .events.some(
      (event) =>
        event.type === 'octets' &&
        event.view !== 'network' &&
        event.direction === 'in' &&
        event.octets.length <= COMMAND_OCTETS &&
        Buffer.from(event.octets).toString('utf8').toLowerCase().includes(wanted),
    );
  toItself.set(conversation, { seq: conversation.lastSeq, answer });
  return answer;
}

// ---------------------------------------------------------------------------------------------------- all the others

const MAIL = /^(?:smtp|submissions?|imaps?|pop3s?|lmtp)$/;
/** The gateways of Docker's bridges, of Docker Desktop, of Podman, and of virtual machines with user networks. */
const GATEWAY = /^(?:172\.(?:1[6-9]|2\d|3[01])\.\d+\.1|192\.168\.65\.\d+|10\.88\.\d+\.1|10\.0\.2\.2|fd[0-9a-f:]+::1)$/i;
const MOST_CONNECTIONS = 10;
const RETRY_MS = 2_000;

/** @param pageClock by how many milliseconds the browser's clock is ahead of ours, if a page has said it */
export function acrossOf(
  all: readonly Conversation[],
  context: DoctorContext,
  pageClock: number | undefined,
): readonly AcrossDiagnosis[] {
  const conversations = all.filter(({ role }) => role === 'server');
  return [
    ...clockOfPage(pageClock),
    ...nothingArrived(context),
    ...oneGateway(conversations),
    ...oneFamily(context),
    ...otherFamilyFirst(conversations),
    ...manyConnections(conversations),
  ];
}

function clockOfPage(difference: number | undefined): AcrossDiagnosis[] {
  if (difference === undefined || Math.abs(difference) < TOLERANCE_MS) return [];
  return [
    {
      id: 'D10',
      severity: 'advice',
      title: title('D10'),
      sentence: `The clock of the browser that shows these pages is ${differenceWords(difference)} of this server's.${looksLikeZone(difference) ? ' That looks like a time zone that is set wrong.' : ''}`,
      remedy:
        'Set both by the network. The clock of a virtual machine may stand still while the computer sleeps: restart it, or Docker Desktop.',
      evidence: [],
      service: null,
      conversations: [],
    },
  ];
}

function nothingArrived(context: DoctorContext): AcrossDiagnosis[] {
  return Object.entries(context.services()).flatMap(([service, { accepted, port }]) =>
    accepted > 0 || !MAIL.test(service)
      ? []
      : [
          {
            id: 'D21',
            severity: 'note' as const,
            title: title('D21'),
            sentence: `Nothing has arrived on port ${port} (${service}) since the start.`,
            remedy: `If a program tries to reach it: is the port mapped? docker compose port glassmail ${port} tells. From another container the host is the name of the service in the compose file, not localhost.`,
            evidence: [],
            service,
            conversations: [],
          },
        ],
  );
}

function oneGateway(conversations: readonly Conversation[]): AcrossDiagnosis[] {
  const [first] = conversations;
  const address = first?.remote.address;
  if (address === undefined || conversations.length < 3 || !GATEWAY.test(address)) return [];
  if (conversations.some(({ remote }) => remote.address !== address)) return [];
  return [
    {
      id: 'D22',
      severity: 'note',
      title: title('D22'),
      sentence: `All clients come from ${address}: that is the gateway of the container network, behind which all others look alike. It is no error.`,
      remedy: 'Nothing is to be done. Limits that count connections of one address count all of them together.',
      evidence: [],
      service: null,
      conversations: newest(conversations),
    },
  ];
}

/** On this computer alone, and there on one of its two addresses. */
function oneFamily(context: DoctorContext): AcrossDiagnosis[] {
  const entries = Object.entries(context.services());
  const addresses = new Set(entries.flatMap(([, service]) => service.addresses));
  const loopback = [...addresses].every((address) => /^(?:127\.|::1$)/.test(address));
  if (!loopback || addresses.size !== 1) return [];
  const [address] = addresses;
  const other = address === '::1' ? '127.0.0.1' : '::1';
  return [
    {
      id: 'D23',
      severity: 'note',
      title: title('D23'),
      sentence: `This server listens on ${address!} alone; to some programs localhost means ${other}, and to them nothing is here.`,
      remedy: `Set the server's name to ${address!} in those programs, or let the server listen on both (--host 127.0.0.1,::1).`,
      evidence: [],
      service: null,
      conversations: [],
    },
  ];
}

function otherFamilyFirst(conversations: readonly Conversation[]): AcrossDiagnosis[] {
  const found = conversations.flatMap((first) => {
    const { closedAt, service } = first;
    if (first.remote.address !== '::1' || closedAt === undefined || first.passed.networkIn > 0) return [];
    const next = conversations.find(
      (other) =>
        other.service === service &&
        other.remote.address === '127.0.0.1' &&
        other.openedAt >= first.openedAt &&
        other.openedAt - closedAt < RETRY_MS,
    );
    return next ? [{ service, ids: [first.id, next.id] }] : [];
  });
  const last = found.at(-1);
  if (last === undefined) return [];
  return [
    {
      id: 'D23',
      severity: 'note',
      title: title('D23'),
      sentence: 'localhost means ::1 to your program: it came there first, left without a word, and took 127.0.0.1.',
      remedy: 'Set the server’s name to 127.0.0.1 if that costs time.',
      evidence: [],
      service: last.service,
      conversations: last.ids,
    },
  ];
}

function manyConnections(conversations: readonly Conversation[]): AcrossDiagnosis[] {
  const open = new Map<string, Conversation[]>();
  for (const conversation of conversations) {
    const { login, closedAt, protocol } = conversation;
    if (login === undefined || closedAt !== undefined || protocol !== 'imap') continue;
    open.set(login, [...(open.get(login) ?? []), conversation]);
  }
  return [...open]
    .filter(([, found]) => found.length > MOST_CONNECTIONS)
    .map(([login, found]) => ({
      id: 'D29',
      severity: 'advice',
      title: title('D29'),
      sentence: `${login} has ${found.length} ${protocolName('imap')} connections open, on ${list([...new Set(found.map(({ service }) => service))])}.`,
      remedy:
        'Many servers permit ten to fifteen of one user: let the program keep fewer (in Thunderbird: maximum number of server connections to cache).',
      evidence: [],
      service: null,
      conversations: newest(found),
    }));
}

function newest(conversations: readonly Conversation[]): string[] {
  return conversations.slice(-10).map(({ id }) => id);
}
