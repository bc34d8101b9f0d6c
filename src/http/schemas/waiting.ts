/** The shapes of waiting for mail, and of what is extracted from it. */
import { z } from 'zod';
import { CODE_RULES } from '../one-time-code.ts';
import { CURSOR, count, digits, nullable, problem } from './common.ts';
import { messageSummary, messagesQuery } from './messages.ts';

/** Terms of the search language that may stand as parameters of their own. */
export const SEARCH_PARAMETERS = [
  ...['to', 'from', 'cc', 'bcc', 'addressed', 'reply-to', 'subject', 'message-id', 'is', 'has', 'tag'],
  ...['after', 'before', 'larger', 'smaller'],
] as const;

const chosenMail = {
  query: messagesQuery.shape.query,
  account: messagesQuery.shape.account,
  tz: messagesQuery.shape.tz,
  ...Object.fromEntries(
    SEARCH_PARAMETERS.map((name) => [name, z.string().max(1000).optional().describe(`As \`${name}:\` in a search.`)]),
  ),
};

/** `30s`, `500ms`, `2m`, or seconds. */
const duration = z
  .string()
  .regex(/^\d{1,7}(?:\.\d{1,3})?(?:ms|s|m)?$/, 'must be a time such as 30s, 500ms or 2m')
  .transform((text) => {
    const [, number, unit] = /^([\d.]+)(ms|s|m)?$/.exec(text)!;
    return Number(number) * (unit === 'ms' ? 1 : unit === 'm' ? 60_000 : 1000);
  })
  .pipe(z.number().max(600_000, 'must be ten minutes at most'))
  .meta({ type: 'string', pattern: '^\\d{1,7}(?:\\.\\d{1,3})?(?:ms|s|m)?$', example: '30s' });

export const waitQuery = z.strictObject({
  ...chosenMail,
  count: digits({ min: 1, max: 1000 }).default(1).describe('How many messages to wait for.'),
  since: z
    .union([z.iso.datetime({ offset: true }), z.string().regex(CURSOR, 'must be a time (RFC 3339) or a cursor')])
    .optional()
    .describe('Only what arrived from this time on, or after this cursor. Without it, what is there already counts.'),
  timeout: duration.default(30_000).describe('How long to wait at most: `30s`, `500ms`, `2m`; ten minutes at most.'),
});

export const waited = z
  .object({
    messages: z
      .array(messageSummary)
      .describe('As many as were waited for, or more if more came at once; newest first.'),
    cursor: z.string().describe('For `since`: what comes after these.'),
    waitedMs: count,
  })
  .meta({ id: 'Waited' });
export type Waited = z.infer<typeof waited>;

export const waitedInVain = problem
  .extend({
    arrived: z.array(messageSummary).describe('What arrived meanwhile, or since `since`, newest first, at most 20.'),
    cursor: z.string(),
  })
  .meta({ id: 'WaitedInVain' });
export type WaitedInVain = z.infer<typeof waitedInVain>;

export const streamQuery = z.strictObject({
  ...chosenMail,
  cursor: z
    .string()
    .regex(CURSOR, 'must be a cursor')
    .optional()
    .describe('Go on after it; `Last-Event-ID` does the same and wins. Without it: from now on.'),
});

export const extracted = z
  .object({
    links: z
      .array(
        z.object({
          url: z.string(),
          host: z.string(),
          text: z.string().describe('What a reader sees instead; empty in plain text.'),
          in: z.enum(['html', 'text', 'list-unsubscribe']),
        }),
      )
      .describe('Each once, in the order of the message; HTML first.'),
    codes: z
      .array(
        z.object({
          code: z.string().describe('As written.'),
          rule: z.enum(CODE_RULES).describe('What it looks like.'),
          word: z.string().describe('The word beside it that announces a code.'),
          distance: count.describe('Characters between the two.'),
          in: z.enum(['subject', 'text']),
        }),
      )
      .describe('Likely ones first.'),
    listUnsubscribe: nullable(
      z.object({
        header: z.string().describe('The field as written.'),
        links: z.array(z.string()).describe('RFC 2369 §3.2: `https:` and `mailto:`.'),
        oneClick: z.boolean().describe('RFC 8058: a POST to the `https:` link suffices.'),
      }),
    ),
  })
  .meta({ id: 'Extracted' });
export type Extracted = z.infer<typeof extracted>;
