/** The shapes of the lessons: their text, what is to be done, and how far somebody has come. */
import { z } from 'zod';
import type { NewFault } from './faults.ts';
import { loginName } from './accounts.ts';
import { count, nullable, time } from './common.ts';

export const lessonPath = z.object({ id: z.string().regex(/^[\w-]{1,64}$/, 'must be the name of a lesson') });
export const lessonQuery = z.object({
  account: loginName.optional().describe('Whose addresses the text shows; default: the first account.'),
});

const item = z.object({
  id: z.string(),
  title: z.string(),
  minutes: count,
  missing: z.array(z.string()).describe('Services that it needs and that are switched off.'),
  steps: z.array(z.object({ id: z.string(), title: z.string(), checked: z.boolean() })),
});
export const lessonList = z
  .object({
    lessons: z.array(item),
    problems: z
      .array(z.object({ id: z.string(), file: z.string(), line: z.int(), message: z.string() }))
      .describe('Files that are no lessons, and why.'),
  })
  .meta({ id: 'LessonList' });
export type LessonList = z.infer<typeof lessonList>;

const consoleName = z.object({
  service: z.enum(['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s']),
  letter: z.string().describe('Tells several consoles of one service apart; may be empty.'),
});
// What comes in has defaults and transformations, which an answer has not.
const rule = z.looseObject({}).describe('For POST /api/glass/faults.') as unknown as z.ZodType<NewFault>;
const block = z.discriminatedUnion('type', [
  z.object({ type: z.literal('html'), html: z.string().describe('Sanitised.') }),
  z.object({ type: z.literal('try'), console: consoleName, lines: z.array(z.string()) }),
  z.object({ type: z.literal('text'), console: consoleName, text: z.string() }),
  z.object({ type: z.literal('fault'), rule }),
  z.object({ type: z.literal('message'), number: count, subject: z.string() }),
]);
export type LessonBlock = z.output<typeof block>;

export const lesson = z
  .object({
    ...item.shape,
    account: z.string(),
    now: time.describe("The server's clock: where a learner begins."),
    intro: z.array(block),
    steps: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        checked: z.boolean().describe('False: there is nothing to do but to read.'),
        blocks: z.array(block),
        hints: z.array(z.string()).describe('HTML, sanitised.'),
      }),
    ),
    watchesHttp: z.boolean().describe('A step looks at HTTP, of which the feed brings no news to everybody.'),
  })
  .meta({ id: 'Lesson' });
export type Lesson = z.output<typeof lesson>;

export const checkBody = z
  .strictObject({
    began: time.describe('Nothing before this counts.'),
    account: loginName.optional(),
    done: z.record(z.string().max(200), time).default({}).describe('Steps that were done before, and when.'),
  })
  .meta({ id: 'LessonCheckBody' });
export type CheckBody = z.input<typeof checkBody>;

export const lessonCheck = z
  .object({
    steps: z.array(
      z.object({
        id: z.string(),
        done: nullable(time),
        evidence: nullable(z.object({ conversation: z.string(), seq: count })).describe('Where it shows.'),
      }),
    ),
  })
  .meta({ id: 'LessonCheck' });
export type LessonCheck = z.infer<typeof lessonCheck>;

export const lessonMessageBody = z
  .strictObject({ number: count.max(1000).describe('Of the message in the lesson.'), account: loginName.optional() })
  .meta({ id: 'LessonMessageBody' });
export type LessonMessageBody = z.input<typeof lessonMessageBody>;
export const lessonMessage = z.object({ id: z.string().describe('Of the message.') }).meta({ id: 'LessonMessage' });
