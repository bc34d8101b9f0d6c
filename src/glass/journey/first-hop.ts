/** How a message came in by SMTP, LMTP or HTTP: from the conversation that brought it, or from what the store knows of it. */
import type { Annotation } from '../../wire/connection.ts';
import type { Conversation, RecordedAnnotation } from '../../wire/recorder.ts';
import type { Origin } from '../../store/mail-store.ts';
import { Lines } from './lines.ts';
import type { Deed, Place, Step } from './steps.ts';

export type Stored = Extract<Annotation, { type: 'stored' }>;

/** The conversation in which a message was handed in, and the remark that says so. */
export interface HandedIn {
  readonly conversation: Conversation;
  readonly seq: number;
  readonly at: number;
  readonly stored: Stored;
}

/** What the store knows of a message that was handed in. */
export interface Known {
  readonly receivedAt: number;
  readonly octets: number;
  readonly reversePath: string;
  readonly recipients: number;
  readonly origin: Origin;
  /** All that there were when it was stored, as far as that is known. */
  readonly copies: number;
}

/** Recipients that were refused, one by one; beyond them they are counted no more. */
const MOST_REFUSED = 50;

export function findHandedIn(
  conversations: readonly Conversation[],
  is: (stored: Stored) => boolean,
): HandedIn | undefined {
  for (const conversation of conversations) {
    for (const { seq, at, annotation } of conversation.annotations()) {
      if (annotation.type === 'stored' && is(annotation)) return { conversation, seq, at, stored: annotation };
    }
  }
  return undefined;
}

/** @param to each of the mailboxes that it was stored in, or one for all of them */
export function handedInSteps(
  { conversation, seq, at: storedAt, stored }: HandedIn,
  known: Known | undefined,
  targets: readonly { readonly to: string; readonly place: Place | null }[],
): Step[] {
  const lines = new Lines(conversation);
  const steps: Step[] = [];
  const add = (at: number, line: number, deed: Deed, more: Partial<Step> = {}): void => {
    steps.push({
      at: conversation.openedAt + at,
      tick: conversation.openedTick + at,
      from: 'sender',
      to: 'service',
      line: { conversation: conversation.id, seq: line },
      place: null,
      deed,
      ...more,
    });
  };
  add(0, 1, { type: 'connected' });
  const { tls } = conversation;
  const handshake = conversation.tlsSteps().find(({ tls: { step } }) => step === 'end');
  if (tls && handshake && handshake.seq < seq) {
    add(handshake.at, handshake.seq, { type: 'tls', version: tls.version, cipher: tls.cipher });
  }
  // HTTP has all of it in one request.
  const envelope = lines.command(stored.envelopeSeq ?? seq);
  const before = conversation.annotations().filter((each) => each.seq < seq);
  const lastMessage = before.findLast(({ annotation }) => annotation.type === 'stored')?.seq ?? 0;
  for (const remark of before) aboutLogin(remark, lastMessage, add);
  add(envelope?.at ?? storedAt, envelope?.seq ?? seq, {
    type: 'envelope',
    reversePath: known?.reversePath ?? null,
    recipients: known?.recipients ?? null,
  });
  const troubles = before.filter((each) => each.seq > Math.max(lastMessage, stored.envelopeSeq ?? 0));
  for (const remark of troubles.slice(0, MOST_REFUSED)) aboutTrouble(remark, lines, add);
  const data = lines.command(stored.dataSeq ?? seq);
  add(data?.at ?? storedAt, data?.seq ?? seq, { type: 'data', octets: stored.octets });
  for (const target of targets) {
    add(storedAt, seq, { type: 'stored', copies: target.place ? 1 : stored.copyCount }, { from: 'service', ...target });
  }
  const answer = lines.answer(seq);
  if (answer) add(answer.at, answer.seq, { type: 'accepted' }, { from: 'service', to: 'sender' });
  return steps;
}

type Add = (at: number, line: number, deed: Deed, more?: Partial<Step>) => void;

/** The last login counts, and what failed since the message before. */
function aboutLogin({ seq, at, annotation }: RecordedAnnotation, lastMessage: number, add: Add): void {
  if (annotation.type === 'login') {
    add(at, seq, { type: 'login', login: annotation.login, mechanism: annotation.mechanism });
  } else if (annotation.type === 'login-failed' && seq > lastMessage) {
    const { login, reason } = annotation;
    add(at, seq, { type: 'login-failed', login, reason }, { from: 'service', to: 'sender' });
  }
}

function aboutTrouble({ seq, at, annotation }: RecordedAnnotation, lines: Lines, add: Add): void {
  const back = { from: 'service', to: 'sender' };
  if (annotation.type === 'refused') {
    const { recipient, reply } = annotation;
    add(at, lines.command(seq)?.seq ?? seq, { type: 'refused', recipient, reply }, back);
  } else if (annotation.type === 'fault') {
    add(at, seq, { type: 'fault', rule: annotation.rule, effect: annotation.effect }, back);
  }
}

/** Of a conversation that is not kept, or that who asks may not see. */
export function rememberedSteps(
  known: Known,
  targets: readonly { readonly to: string; readonly place: Place | null }[],
): Step[] {
  const { receivedAt: at, reversePath, recipients, octets } = known;
  const step = (deed: Deed): Step => ({ at, tick: null, from: 'sender', to: 'service', line: null, place: null, deed });
  return [
    step({ type: 'envelope', reversePath, recipients }),
    step({ type: 'data', octets }),
    ...targets.map((target) => ({
      ...step({ type: 'stored', copies: target.place ? 1 : known.copies }),
      from: 'service',
      ...target,
    })),
  ];
}
