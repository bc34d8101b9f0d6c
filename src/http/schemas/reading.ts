/** The shapes of what was said in a conversation, and of what the doctor makes of it. */
import { z } from 'zod';
import { count, nullable } from './common.ts';

export const meaning = z
  .object({
    what: z.string().describe('One sentence in plain words.'),
    fields: z
      .array(z.object({ start: count, end: count, name: z.string(), says: z.string() }))
      .readonly()
      .describe('Parts of the text, by their characters.'),
    rfc: nullable(z.object({ number: z.int(), section: z.string().describe('Empty: the whole document.') })),
    decoded: z
      .array(z.object({ name: z.string(), value: z.string() }))
      .readonly()
      .describe('What an encoded part says, such as a response of SASL. Secrets are `•••••`.'),
  })
  .meta({ id: 'Meaning' });

export const spoken = z
  .object({
    seq: count.describe('Of the event in which it begins.'),
    lastSeq: count.describe('Of the event with its newest octet.'),
    at: z.number().describe('Milliseconds since the conversation was opened.'),
    side: z.enum(['client', 'server']),
    position: count.describe('Of its first octet in its direction of what the ends say: with `side` its identity.'),
    octets: count,
    text: z.string().describe('Without its line end; each hidden octet is one `•`.'),
    charset: z.enum(['utf-8', 'octets']),
    end: z.enum(['crlf', 'lf', 'none']),
    secret: z.boolean(),
    role: z.enum(['greeting', 'command', 'reply', 'continuation', 'data', 'sasl', 'unknown']),
    name: z.string().describe('Of a command in upper case, of a reply its code or word.'),
    tag: nullable(z.string()),
    answers: nullable(count).describe("Where the command that it completes begins in the client's octets."),
    meaning: nullable(meaning),
  })
  .meta({ id: 'Spoken' });
export type Spoken = z.infer<typeof spoken>;

export const diagnosis = z
  .object({
    id: z.string().describe('`D01` …'),
    severity: z.enum(['problem', 'advice', 'note']),
    title: z.string(),
    sentence: z.string(),
    remedy: z.string(),
    evidence: z.array(z.object({ seq: count, shows: z.string() })).readonly(),
  })
  .meta({ id: 'Diagnosis' });
export type Diagnosis = z.infer<typeof diagnosis>;
