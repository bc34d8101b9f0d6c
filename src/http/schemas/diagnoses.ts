/** The shapes of what the doctor makes of all conversations. */
import { z } from 'zod';
import { loginName } from './accounts.ts';
import { count, nullable, page, time } from './common.ts';
import { diagnosis } from './reading.ts';

export const severity = z.enum(['problem', 'advice', 'note']);

export const diagnosesQuery = z.object({
  service: z.string().max(100).optional(),
  account: loginName.optional().describe('Of conversations that logged in, or tried to, as this account.'),
  since: time.optional().describe('Of conversations that were opened then or later.'),
  severity: severity.optional().describe('These alone.'),
  limit: page.limit,
});

const ofConversation = z
  .object({
    conversation: z.string().describe('Its id.'),
    service: z.string(),
    opened: time,
    login: nullable(z.string()),
    solved: z.boolean().describe('The same computer has logged in by the same protocol since.'),
    diagnoses: z.array(diagnosis),
  })
  .meta({ id: 'ConversationDiagnoses' });
export type ConversationDiagnoses = z.infer<typeof ofConversation>;

const acrossDiagnosis = diagnosis
  .extend({
    service: nullable(z.string()).describe('The one that it is about.'),
    conversations: z.array(z.string()).readonly().describe('Ids of some that show it.'),
  })
  .meta({ id: 'AcrossDiagnosis' });

export const diagnosesAnswer = z
  .object({
    now: time,
    counts: z
      .object({ problem: count, advice: count, note: count })
      .describe('All that pass the filters but `severity` and `limit`, without those that are solved.'),
    conversations: z.array(ofConversation).describe('Those with diagnoses, newest first.'),
    across: z.array(acrossDiagnosis).describe('What several conversations show together, or that there are none.'),
    services: z
      .array(
        z.object({
          service: z.string(),
          port: z.int(),
          tls: z.enum(['none', 'starttls', 'implicit']),
          connections: count.describe('Since the start, also those that are no longer kept.'),
          last: nullable(time),
        }),
      )
      .describe('Who has come to which port; empty for a test scope.'),
  })
  .meta({ id: 'Diagnoses' });
export type Diagnoses = z.infer<typeof diagnosesAnswer>;
