/** Who read a message since and did what with it: the remarks of all conversations that are about one of its copies. */
import type { Annotation } from '../../wire/connection.ts';
import type { Conversation } from '../../wire/recorder.ts';
import type { TrackedCopies } from './copies.ts';
import { Lines } from './lines.ts';
import type { Deed, Participant, Place, Step } from './steps.ts';
import { programOf } from '../program.ts';
import { rangesIn } from './uid-ranges.ts';

/** By the wall clock, and by the one that only goes on. */
type Moment = Pick<Step, 'at' | 'tick'>;

export interface Wanted {
  readonly copies: TrackedCopies;
  /** As HTTP names the message. */
  readonly ids: ReadonlySet<string>;
  /** Whether it was there by then: what concerned all messages before does not concern it. */
  readonly isThere: (moment: Moment) => boolean;
  /** The participant for a mailbox. */
  readonly mailbox: (place: Place | null) => string;
}

export interface Readings {
  readonly readers: readonly Participant[];
  readonly steps: readonly Step[];
}

type About = Extract<Annotation, { mailboxId: number }>;
type OfHttp = Extract<Annotation, { request: string }>;

export function readings(conversations: readonly Conversation[], wanted: Wanted): Readings {
  const readers = new Map<string, Participant>();
  const steps: Step[] = [];
  for (const conversation of conversations) {
    const remarks = conversation.annotations();
    const program = programOf(conversation);
    const met = new Set<string>();
    let lines: Lines | undefined;
    let login: string | undefined;
    for (const { seq, at, annotation } of remarks) {
      if (annotation.type === 'login') ({ login } = annotation);
      const moment = { at: conversation.openedAt + at, tick: conversation.openedTick + at };
      const found = [...deedsOf(annotation, moment, wanted, login)];
      if (found.length === 0) continue;
      lines ??= new Lines(conversation);
      const isHttp = 'request' in annotation;
      const reader = readerOf(conversation, isHttp ? annotation.program : program, isHttp ? undefined : login);
      const before = readers.get(reader.id);
      if (!met.has(reader.id)) readers.set(reader.id, { ...reader, count: (before?.count ?? 0) + 1 });
      met.add(reader.id);
      const line = { conversation: conversation.id, seq: lines.command(seq)?.seq ?? seq };
      for (const { deed, place } of found) {
        const mailbox = wanted.mailbox(place);
        const ends = isReading(deed) ? { from: mailbox, to: reader.id } : { from: reader.id, to: mailbox };
        steps.push({ ...moment, ...ends, line, place, deed });
      }
    }
  }
  return { readers: [...readers.values()], steps };
}

const isReading = ({ type }: Deed): boolean => type === 'read' || type === 'looked';

/** One reader for all connections of a program to an account: it may open many. */
function readerOf(
  { protocol, service, remote, local }: Conversation,
  program: string | undefined,
  login: string | undefined,
): Participant {
  const id = ['reader', protocol, login ?? '', program ?? '', program === undefined ? remote.address : ''].join(':');
  return {
    id,
    kind: 'reader',
    service,
    port: local.port,
    program: program === undefined || program === '' ? null : program,
    account: login ?? null,
    mailbox: null,
    address: remote.address,
    count: 0,
  };
}

function* deedsOf(
  annotation: Annotation,
  moment: Moment,
  wanted: Wanted,
  login: string | undefined,
): Generator<{ readonly deed: Deed; readonly place: Place | null }> {
  if ('request' in annotation) {
    const { request, messages } = annotation;
    const isMeant = messages === '*' ? wanted.isThere(moment) : messages.split(' ').some((id) => wanted.ids.has(id));
    if (isMeant) yield { deed: httpDeed(annotation, request), place: null };
  } else if ('mailboxId' in annotation) {
    const { mailboxId, mailbox } = annotation;
    for (const uid of wanted.copies.among(mailboxId, annotation.uids)) {
      const place = wanted.copies.place(mailboxId, uid, mailbox, login);
      yield { deed: deedOf(annotation, place, wanted, login), place };
    }
  }
}

function httpDeed(annotation: OfHttp, request: string): Deed {
  switch (annotation.type) {
    case 'api-read':
      return { type: 'read', items: null, request };
    case 'api-marked':
      return { type: 'flags', mode: annotation.read ? 'add' : 'remove', flags: ['\\Seen'], modSeq: null, request };
    case 'api-deleted':
      return { type: 'expunged', request };
  }
}

function deedOf(annotation: About, { uid }: Place, { copies }: Wanted, login: string | undefined): Deed {
  switch (annotation.type) {
    case 'appended':
    case 'marked':
      return { type: annotation.type };
    case 'looked':
    case 'read':
      return { type: annotation.type, items: annotation.items, request: null };
    case 'flags': {
      const { mode, flags, modSeq } = annotation;
      return { type: 'flags', mode, flags: flags.split(' ').filter((flag) => flag !== ''), modSeq, request: null };
    }
    case 'copied':
    case 'moved': {
      const { toId, to, toUids, uids } = annotation;
      const target = rangesIn(toUids).at(rangesIn(uids).indexOf(uid)) ?? 0;
      return { type: annotation.type, target: copies.place(toId, target, to, login) };
    }
    case 'expunged':
      return { type: 'expunged', request: null };
  }
}
