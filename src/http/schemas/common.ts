/**
 * The shapes of our own routes under `/api/glass` and of the feed, by subject: they check what comes in, and the OpenAPI
 * document is made from them. Times are RFC 3339 in UTC, sizes in octets. What a route answers has every field: what is
 * unknown is null. The browser's code imports the types alone. Here is what the other files share.
 */
import { z } from 'zod';

/** What the store gives out to go on from. */
export const CURSOR = /^[0-9a-f]{8}\.\d{1,16}\.\d{1,16}$/;

export const count = z.int().nonnegative();
export const time = z.iso.datetime();
export const nullable = <T extends z.ZodType>(type: T) => z.union([type, z.null()]);

/** RFC 9457, with one entry for each field that breaks a rule. */
export const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().describe('The words of the status code.'),
    status: z.int(),
    detail: z.string().describe('What was wrong, and where possible what to do about it.'),
    errors: z
      .array(
        z.object({
          in: z.enum(['path', 'query', 'body']),
          field: z.string().describe('Empty: the whole.'),
          rule: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problem>;

/** A number in a path or a query: digits alone. */
export const digits = (rule: { readonly min?: number; readonly max: number }) =>
  z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .pipe(
      z
        .int()
        .min(rule.min ?? 0)
        .max(rule.max),
    )
    .meta({ type: 'integer', minimum: rule.min ?? 0, maximum: rule.max });

export const yesOrNo = z.enum(['0', '1', 'true', 'false']).transform((text) => text === '1' || text === 'true');

export const page = {
  start: digits({ max: Number.MAX_SAFE_INTEGER }).default(0).describe('How many to pass over.'),
  limit: digits({ max: 1000 }).default(50).describe('How many to answer at most.'),
};

export const endpoint = z.object({ address: z.string(), port: z.int().min(0).max(65_535) }).meta({ id: 'Endpoint' });

export const addressPair = z
  .object({ name: z.string().describe('Decoded; may be empty.'), address: z.string() })
  .meta({ id: 'Address' });
export type Address = z.infer<typeof addressPair>;
