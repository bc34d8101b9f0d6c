/** The journey of a message: what the store and the recording know of it. */
import { createHash } from 'node:crypto';
import type { EmailId } from '../../store/change.ts';
import type { Content } from '../../store/mail-store.ts';
import type { KnownPlace } from '../../glass/journey/copies.ts';
import type { HandedIn } from '../../glass/journey/first-hop.ts';
import { type Paper, paper } from '../../glass/journey/paper.ts';
import type { Place, Step } from '../../glass/journey/steps.ts';
import { type JourneyCopy as CopyValue, type Recording, handedIn, journey } from '../../glass/journey.ts';
import { unnoticed } from '../noticing.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import {
  type Journey,
  type JourneyCopy,
  type JourneyOctets,
  type JourneyPlace,
  type JourneyStep,
  type JourneyTraceField,
  journey as journeySchema,
} from '../schemas/journey.ts';
import { messagePath } from '../schemas/messages.ts';

/** Copies that are told one by one. */
const MOST_COPIES = 200;
/** A header is read so far. */
const MOST_HEADER = 256 * 1024;
/** Octets whose digest is worth the time each time that somebody looks. */
const MOST_DIGESTED = 16 * 1024 * 1024;

export const journeyRoutes = [
  route({
    method: 'get',
    path: '/api/glass/messages/{id}/journey',
    group: 'Messages',
    summary: 'A message end to end: who handed it in, where it was stored, who read it since',
    description: 'It is no reading of the message itself: it leaves no trace in the journey.',
    params: messagePath,
    answers: {
      200: { description: 'What the store and the recording know of it', schema: journeySchema },
      404: { description: 'There is no such message, and no conversation that is kept tells of one', schema: problem },
    },
    async handle({ params }, parts) {
      return unnoticed(async () => json((await journeyOf(params.id, parts)) satisfies Journey));
    },
  }),
];

/** @throws HttpProblem 404 */
async function journeyOf(id: string, parts: HttpParts): Promise<Journey> {
  const { store, recorder } = parts;
  const isEmailId = /^\d{1,16}$/.test(id);
  const transaction = isEmailId ? undefined : await store.findTransaction(id);
  const emailId = isEmailId ? (Number(id) as EmailId) : transaction?.emailId;
  const found = emailId === undefined ? undefined : await store.findContent(emailId);
  const recording: Recording = {
    conversations: recorder.list(),
    keeps(conversation) {
      const kept = recorder.find(conversation);
      return kept === 'gone' ? 'gone' : kept ? 'kept' : 'hidden';
    },
  };
  const arrived = handedIn(recording.conversations, transaction?.transactionId ?? id, emailId);
  if (!found && !arrived) {
    throw new HttpProblem(404, id === 'latest' ? 'there is no message yet' : `there is no message ${id}`);
  }
  const copies = found && emailId !== undefined ? await store.findCopies(emailId) : [];
  const told = found && paper(await headerOf(found.content), found.content.traceSize, transaction);
  const value = journey(
    { transaction, emailId, copies, program: told?.header.program ?? null },
    arrived,
    arrived ? await formerPlaces(arrived, parts) : [],
    recording,
  );
  const [start] = value.steps;
  return {
    id: transaction?.transactionId ?? arrived?.stored.transactionId ?? id,
    state: found ? 'stored' : 'gone',
    recording: recorder.recording,
    arrival: value.arrival,
    origin: value.origin,
    complete: value.complete,
    participants: value.participants,
    steps: value.steps.map((step) => stepView(step, start!)),
    omitted: value.omitted,
    copies: value.copies.slice(0, MOST_COPIES).map(copyView),
    copyCount: value.copies.length,
    envelope: told?.envelope ?? null,
    header: told?.header ?? null,
    octets: found ? await octetsView(found.content) : null,
    trace: (told?.trace ?? []).map(traceView),
  };
}

/** Where it was put, by the names that these mailboxes have now; of those that who asks may know of. */
async function formerPlaces({ stored }: HandedIn, { store }: HttpParts): Promise<KnownPlace[]> {
  const places: KnownPlace[] = [];
  for (const { accountId, mailboxId, uid } of stored.copies) {
    const account = await store.findAccount(accountId as Parameters<typeof store.listMailboxes>[0]);
    if (!account) continue;
    const mailbox = await store.findMailbox(account.id, mailboxId as Parameters<typeof store.snapshot>[1]);
    places.push({ mailboxId, uid, account: account.address, mailbox: mailbox?.name });
  }
  return places;
}

async function headerOf(content: Content): Promise<Uint8Array> {
  const end = Math.min(content.size, MOST_HEADER);
  if (content.octets) return content.octets.subarray(0, end);
  const pieces: Uint8Array[] = [];
  for await (const piece of content.read(0, end)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function octetsView(content: Content): Promise<JourneyOctets> {
  const { size, traceSize: trace } = content;
  if (size > MOST_DIGESTED) return { received: size - trace, trace, sha256: null };
  const hash = createHash('sha256');
  for await (const piece of content.read(trace, size)) hash.update(piece);
  return { received: size - trace, trace, sha256: hash.digest('hex') };
}

/** By the clock that only goes on, unless the machine slept meanwhile. */
function msBetween(start: Step, { at, tick }: Step): number {
  const byWall = at - start.at;
  if (start.tick === null || tick === null) return Math.max(0, byWall);
  const byTick = tick - start.tick;
  return byWall - byTick > 1_000 ? byWall : byTick;
}

function stepView(step: Step, start: Step): JourneyStep {
  const { at, from, to, line, place, deed } = step;
  return {
    at: new Date(at).toISOString(),
    ms: msBetween(start, step),
    from,
    to,
    line,
    place: place && placeView(place),
    deed: deed.type === 'copied' || deed.type === 'moved' ? { ...deed, target: placeView(deed.target) } : deed,
  };
}

function placeView({ account, mailbox, uid }: Place): JourneyPlace {
  return { account, mailbox, uid };
}

function copyView({ address, mailboxName, savedDate, ...copy }: CopyValue): JourneyCopy {
  const { uid, uidValidity, modSeq, flags, unexplained } = copy;
  const savedAt = savedDate.toISOString();
  return { account: address, mailbox: mailboxName, uid, uidValidity, modSeq, flags, savedAt, unexplained };
}

function traceView({ name, value, own, received }: Paper['trace'][number]): JourneyTraceField {
  const view = received && {
    from: received.from ?? null,
    seen: received.seen ?? null,
    by: received.by ?? null,
    with: received.with ?? null,
    id: received.id ?? null,
    for: received.for ?? null,
    tls: received.tls ?? null,
    at: received.date?.toISOString() ?? null,
  };
  return { name, value, own, received: view };
}
