/**
 * One message end to end: handed in by whom, stored where, read by whom since. What the recorder's ring no longer keeps
 * is not told, and that it is missing is; what the store knows stays.
 */
import type { MessageCopy, TransactionSummary } from '../store/mail-store.ts';
import type { Conversation } from '../wire/recorder.ts';
import { TrackedCopies, type KnownPlace } from './journey/copies.ts';
import { findHandedIn, handedInSteps, rememberedSteps, type HandedIn, type Known } from './journey/first-hop.ts';
import { readings } from './journey/readers.ts';
import type { Participant, Place, Step } from './journey/steps.ts';

export interface Traveller {
  readonly transaction: TransactionSummary | undefined;
  /** Its octets' number; undefined: it is gone, and nobody knows it any more. */
  readonly emailId: number | undefined;
  /** Where it lies now. */
  readonly copies: readonly MessageCopy[];
  /** What the header says of the program that made it. */
  readonly program: string | null;
}

/** The ring, as far as who asks may see it; in the order of opening. */
export interface Recording {
  readonly conversations: readonly Conversation[];
  /** Of a conversation by its id: `hidden` for who may not see it. */
  readonly keeps: (id: string) => 'kept' | 'gone' | 'hidden';
}

export interface JourneyCopy extends MessageCopy {
  /** Flags that nothing in the recording has set. */
  readonly unexplained: readonly string[];
}

export interface JourneyValue {
  /** How it came in. `unknown`: nothing that is kept tells it. */
  readonly arrival: 'handed-in' | 'appended' | 'unknown';
  /** The conversation that brought it. */
  readonly origin: { readonly id: string; readonly state: 'kept' | 'gone' | 'hidden' } | null;
  /** Nothing that happened since can have been forgotten. */
  readonly complete: boolean;
  readonly participants: readonly Participant[];
  /** In the order of time; of very many the first and the last. */
  readonly steps: readonly Step[];
  readonly omitted: number;
  readonly copies: readonly JourneyCopy[];
}

/** More mailboxes than these do not stand side by side. */
const MOST_MAILBOXES = 3;
const MOST_STEPS = 600;

/** The remark with which a message was handed in, by one of its ids. */
export function handedIn(
  conversations: readonly Conversation[],
  transactionId: string | undefined,
  emailId: number | undefined,
): HandedIn | undefined {
  return findHandedIn(
    conversations,
    (stored) =>
      (transactionId !== undefined && stored.transactionId === transactionId) ||
      (emailId !== undefined && stored.emailId === String(emailId)),
  );
}

/** @param former where it lay when it was stored, as far as that is known */
export function journey(
  traveller: Traveller,
  arrived: HandedIn | undefined,
  former: readonly KnownPlace[],
  recording: Recording,
): JourneyValue {
  const { transaction, copies: present } = traveller;
  const { conversations, keeps } = recording;
  const now = present.map(({ mailbox, uid, address, mailboxName }) => ({
    ...{ mailboxId: mailbox, uid, account: address, mailbox: mailboxName },
  }));
  const copies = new TrackedCopies([...now, ...former], conversations);
  const mailboxes = mailboxColumns(copies);
  const ids = new Set([transaction?.transactionId, arrived?.stored.transactionId, emailIdOf(traveller, arrived)]);
  const read = readings(conversations, {
    copies,
    ids: new Set([...ids].filter((id) => id !== undefined)),
    isThere: ({ at, tick }) =>
      arrived ? tick! >= arrived.conversation.openedTick + arrived.at : at >= (transaction?.receivedAt.getTime() ?? 0),
    mailbox: mailboxes.of,
  });
  const places = former.map(({ mailboxId, uid }) => copies.place(mailboxId, uid));
  const known = transaction && knownOf(transaction, places.length || present.length);
  const targets = targetsOf(arrived ? places : likelyPlaces(present), mailboxes);
  const first = arrived ? handedInSteps(arrived, known, targets) : known ? rememberedSteps(known, targets) : [];
  const steps = [...first, ...read.steps].sort((a, b) => (a.tick ?? 0) - (b.tick ?? 0));
  const originId = arrived?.conversation.id ?? transaction?.origin.conversation;
  const origin = originId === undefined ? null : { id: originId, state: keeps(originId) };
  const isAppended = read.steps.some(({ deed }) => deed.type === 'appended');
  return {
    arrival: first.length > 0 ? 'handed-in' : isAppended ? 'appended' : 'unknown',
    origin,
    complete: first.length > 0 ? origin?.state === 'kept' : isAppended,
    participants: [
      ...(first.length > 0 ? originParticipants(traveller, arrived) : []),
      ...mailboxes.participants,
      // Mail was stored, and where that was is not known any more.
      ...(first.some(({ to }) => to === GROUP) && !mailboxes.isGrouped ? [groupOf(0)] : []),
      ...read.readers,
    ],
    steps: steps.length <= MOST_STEPS ? steps : [...steps.slice(0, MOST_STEPS / 2), ...steps.slice(-MOST_STEPS / 2)],
    omitted: Math.max(0, steps.length - MOST_STEPS),
    copies: present.map((copy) => ({ ...copy, unexplained: unexplained(copy, steps) })),
  };
}

function emailIdOf({ emailId }: Traveller, arrived: HandedIn | undefined): string | undefined {
  return emailId === undefined ? arrived?.stored.emailId : String(emailId);
}

function knownOf(transaction: TransactionSummary, copies: number): Known {
  return {
    receivedAt: transaction.receivedAt.getTime(),
    octets: transaction.receivedOctets,
    reversePath: transaction.reversePath,
    recipients: transaction.forwardPaths.length,
    origin: transaction.origin,
    copies,
  };
}

/** Nobody remembers where it was put; but mail is delivered to INBOX. */
function likelyPlaces(present: readonly MessageCopy[]): Place[] {
  return present
    .filter(({ mailboxName }) => mailboxName === 'INBOX')
    .map(({ mailbox, mailboxName, address, uid }) => ({
      ...{ mailboxId: mailbox, mailbox: mailboxName, account: address, uid },
    }));
}

const GROUP = 'mailboxes';

function groupOf(count: number): Participant {
  const none = { service: null, port: null, program: null, account: null, mailbox: null, address: null };
  return { id: GROUP, kind: 'mailboxes', ...none, count };
}

interface MailboxColumns {
  readonly participants: readonly Participant[];
  readonly isGrouped: boolean;
  readonly of: (place: Place | null) => string;
}

function mailboxColumns(copies: TrackedCopies): MailboxColumns {
  const ids = [...copies.mailboxes];
  const isGrouped = ids.length > MOST_MAILBOXES;
  if (isGrouped || ids.length === 0) {
    return { participants: [groupOf(ids.length)], isGrouped: true, of: () => GROUP };
  }
  const common = { service: null, port: null, program: null, address: null } as const;
  const participants = ids.map((mailboxId): Participant => {
    const { account, mailbox } = copies.place(mailboxId, 0);
    return { id: `mailbox:${mailboxId}`, kind: 'mailbox', ...common, account, mailbox, count: 1 };
  });
  const of = (place: Place | null): string => (place ? `mailbox:${place.mailboxId}` : participants[0]!.id);
  return { participants, isGrouped, of };
}

/** Where it was put at first: each mailbox, or all of them together. */
function targetsOf(
  places: readonly Place[],
  { isGrouped, of }: MailboxColumns,
): readonly { readonly to: string; readonly place: Place | null }[] {
  if (isGrouped || places.length === 0) return [{ to: isGrouped ? of(null) : GROUP, place: null }];
  return places.map((place) => ({ to: of(place), place }));
}

function originParticipants({ transaction, program }: Traveller, arrived: HandedIn | undefined): Participant[] {
  const origin = transaction?.origin;
  const conversation = arrived?.conversation;
  const service = conversation?.service ?? origin?.service ?? null;
  const common = { mailbox: null, count: 1 } as const;
  return [
    {
      ...common,
      id: 'sender',
      kind: 'sender',
      service,
      port: null,
      program: program ?? origin?.helo ?? null,
      account: origin?.login ?? null,
      address: conversation?.remote.address ?? origin?.remoteAddress ?? null,
    },
    {
      ...common,
      id: 'service',
      kind: 'service',
      service,
      port: conversation?.local.port ?? null,
      program: null,
      account: null,
      address: null,
    },
  ];
}

/** Flags that it has and that no step gave it; whoever appends, copies or moves a message brings its flags along. */
function unexplained({ mailbox, uid, flags }: MessageCopy, steps: readonly Step[]): string[] {
  const given = new Set<string>();
  for (const { deed, place } of steps) {
    const isHere = place === null || (place.mailboxId === mailbox && place.uid === uid);
    if (deed.type === 'flags' && deed.mode !== 'remove' && isHere)
      for (const flag of deed.flags) given.add(flag.toLowerCase());
    if (deed.type === 'appended' && isHere) return [];
    if (
      (deed.type === 'copied' || deed.type === 'moved') &&
      deed.target.mailboxId === mailbox &&
      deed.target.uid === uid
    )
      return [];
  }
  return flags.filter((flag) => !given.has(flag.toLowerCase()));
}
