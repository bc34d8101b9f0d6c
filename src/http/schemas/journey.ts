/** The shape of a message's journey. */
import { z } from 'zod';
import { count, nullable, time } from './common.ts';

const place = z
  .object({
    account: nullable(z.string()).describe('Null: no longer known.'),
    mailbox: nullable(z.string()),
    uid: count,
  })
  .meta({ id: 'JourneyPlace' });
export type JourneyPlace = z.infer<typeof place>;

const participant = z
  .object({
    id: z.string(),
    kind: z
      .enum(['sender', 'service', 'mailbox', 'mailboxes', 'reader'])
      .describe('`mailboxes`: more than can stand side by side.'),
    service: nullable(z.string()).describe('Which one, or by which one a reader came: `submission`, `imaps`, `http`.'),
    port: nullable(z.int()),
    program: nullable(z.string()).describe('As it calls itself.'),
    account: nullable(z.string()),
    mailbox: nullable(z.string()),
    address: nullable(z.string()).describe('Of the network.'),
    count: count.describe('How many mailboxes, or how many connections of a reader.'),
  })
  .meta({ id: 'JourneyParticipant' });
export type JourneyParticipant = z.infer<typeof participant>;

const request = nullable(z.string()).describe('Of HTTP: method and path.');
const deed = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('connected') }),
    z.object({ type: z.literal('tls'), version: z.string(), cipher: z.string() }),
    z.object({ type: z.literal('login'), login: z.string(), mechanism: z.string() }),
    z.object({ type: z.literal('login-failed'), login: z.string(), reason: z.string() }),
    z.object({ type: z.literal('envelope'), reversePath: nullable(z.string()), recipients: nullable(count) }),
    z.object({ type: z.literal('refused'), recipient: z.string(), reply: z.string() }),
    z.object({ type: z.literal('fault'), rule: z.string(), effect: z.string() }),
    z.object({ type: z.literal('data'), octets: count }),
    z.object({ type: z.literal('stored'), copies: count }),
    z.object({ type: z.literal('accepted') }),
    z.object({ type: z.literal('appended') }),
    z.object({
      type: z.enum(['looked', 'read']).describe('`looked`: only at what a list shows.'),
      items: nullable(z.string()).describe('What was asked for, as the protocol calls it.'),
      request,
    }),
    z.object({
      type: z.literal('flags'),
      mode: z.enum(['add', 'remove', 'replace']),
      flags: z.array(z.string()).readonly(),
      modSeq: nullable(count),
      request,
    }),
    z.object({ type: z.literal('marked') }).describe('To be deleted when a POP3 session ends.'),
    z.object({ type: z.enum(['copied', 'moved']), target: place }),
    z.object({ type: z.literal('expunged'), request }),
  ])
  .meta({ id: 'JourneyDeed' });
export type JourneyDeed = z.infer<typeof deed>;

const step = z
  .object({
    at: time,
    ms: z.number().describe('Milliseconds since the first step, with fractions.'),
    from: z.string().describe('A participant.'),
    to: z.string().describe('A participant.'),
    line: nullable(z.object({ conversation: z.string(), seq: count })).describe(
      'The event at which the lines begin that it stands for. Null: they are not kept, or not shown to who asks.',
    ),
    place: nullable(place),
    deed,
  })
  .meta({ id: 'JourneyStep' });
export type JourneyStep = z.infer<typeof step>;

const copy = z
  .object({
    account: z.string(),
    mailbox: z.string(),
    uid: count,
    uidValidity: count,
    modSeq: count.describe('Of its last change.'),
    flags: z.array(z.string()).readonly(),
    savedAt: time.describe('When it came into this mailbox, in whole seconds.'),
    unexplained: z.array(z.string()).readonly().describe('Flags that nothing in the recording has set.'),
  })
  .meta({ id: 'JourneyCopy' });
export type JourneyCopy = z.infer<typeof copy>;

const person = z.object({ name: z.string(), address: z.string() });
const headerPerson = person
  .extend({ inEnvelope: nullable(z.boolean()).describe('Null: there is no envelope.') })
  .meta({ id: 'JourneyPerson' });
export type JourneyPerson = z.infer<typeof headerPerson>;
const people = z.array(headerPerson).readonly();

const envelope = z
  .object({
    reversePath: z.string().describe('Empty: the null reverse-path.'),
    returnType: nullable(z.string()).describe('RET of RFC 3461.'),
    envelopeId: nullable(z.string()).describe('ENVID of RFC 3461.'),
    recipients: z
      .array(
        z.object({
          address: z.string(),
          notify: nullable(z.string()),
          originalRecipient: nullable(z.string()),
          field: nullable(z.enum(['To', 'Cc', 'Bcc'])).describe('Which header field names it.'),
        }),
      )
      .readonly()
      .describe('The first ones.'),
    recipientCount: count,
    unnamed: count.describe('How many no header field names.'),
  })
  .meta({ id: 'JourneyEnvelope' });
export type JourneyEnvelope = z.infer<typeof envelope>;

const header = z
  .object({
    subject: z.string(),
    messageId: nullable(z.string()),
    date: nullable(z.string()).describe('As written.'),
    program: nullable(z.string()),
    from: people,
    sender: people,
    to: people,
    cc: people,
    bcc: people,
    replyTo: z.array(person).readonly(),
    addressCount: count.describe('Of To, Cc and Bcc.'),
  })
  .meta({ id: 'JourneyHeader' });
export type JourneyHeader = z.infer<typeof header>;

const traceField = z
  .object({
    name: z.string(),
    value: z.string(),
    own: z.boolean().describe('Added on arrival here.'),
    received: nullable(
      z.object({
        from: nullable(z.string()),
        seen: nullable(z.string()).describe('What the server found out itself.'),
        by: nullable(z.string()),
        with: nullable(z.string()),
        id: nullable(z.string()),
        for: nullable(z.string()),
        tls: nullable(z.string()),
        at: nullable(time),
      }),
    ),
  })
  .meta({ id: 'JourneyTraceField' });
export type JourneyTraceField = z.infer<typeof traceField>;

const octets = z
  .object({
    received: count,
    trace: count,
    sha256: nullable(z.string()).describe('Of the octets as received; null: there are too many.'),
  })
  .meta({ id: 'JourneyOctets' });
export type JourneyOctets = z.infer<typeof octets>;

export const journey = z
  .object({
    id: z.string(),
    state: z.enum(['stored', 'gone']).describe('`gone`: its last copy was removed; what the recording tells is left.'),
    recording: z.boolean().describe('Whether conversations are recorded at all.'),
    arrival: z.enum(['handed-in', 'appended', 'unknown']),
    origin: nullable(z.object({ id: z.string(), state: z.enum(['kept', 'gone', 'hidden']) })).describe(
      'The conversation that brought it. `hidden`: not for who asks.',
    ),
    complete: z.boolean().describe('Nothing that happened since can have been forgotten.'),
    participants: z.array(participant).readonly(),
    steps: z.array(step).readonly().describe('In the order of time; of very many the first and the last.'),
    omitted: count.describe('Steps in their middle that are left out.'),
    copies: z.array(copy).readonly().describe('Where it lies now; the first ones.'),
    copyCount: count,
    envelope: nullable(envelope).describe('Null: it came by no transaction, or is gone.'),
    header: nullable(header).describe('Null: it is gone.'),
    octets: nullable(octets),
    trace: z.array(traceField).readonly(),
  })
  .meta({ id: 'Journey' });
export type Journey = z.infer<typeof journey>;
