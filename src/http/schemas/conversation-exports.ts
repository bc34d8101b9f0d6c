/** The shapes of what leaves a conversation on request: its secrets, and files. */
import { z } from 'zod';
import { count, page } from './common.ts';

export const revealBody = z
  .object({
    seq: z
      .array(z.int().min(1))
      .min(1)
      .max(1000)
      .optional()
      .describe('Numbers of events; the units that lie in them are told. Without it, all that have secrets.'),
  })
  .strict();
export const revealAnswer = z
  .object({
    revealed: z
      .array(
        z.object({
          seq: count,
          lastSeq: count,
          side: z.enum(['client', 'server']),
          position: count,
          octets: count,
          text: z.string().describe('As it was said.'),
          charset: z.enum(['utf-8', 'octets']),
          secrets: z
            .array(z.object({ start: count, end: count }))
            .readonly()
            .describe('What was hidden, as characters of the text.'),
          decoded: z.array(z.object({ name: z.string(), value: z.string() })).readonly(),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'Revealed' });
export type RevealAnswer = z.infer<typeof revealAnswer>;

const isTrue = z
  .enum(['0', '1', 'true', 'false'])
  .default('0')
  .transform((value) => value === '1' || value === 'true');
const as = z.enum(['text', 'json', 'pcapng', 'fixture']);
const keys = isTrue.describe('With the keys of TLS, by which a `pcapng` can be read. They are secrets.');

export const exportQuery = z.object({ as: as.default('text'), keys });
export const exportManyQuery = z.object({
  as: as.default('pcapng'),
  keys,
  service: z.string().max(100).optional(),
  limit: page.limit.describe('The newest so many.'),
});
