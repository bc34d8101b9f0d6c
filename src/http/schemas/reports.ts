/** The shapes of reports (bounces, dispositions, feedback). */
import { z } from 'zod';

const reportAddress = z
  .string()
  .max(320)
  .regex(/^[^\s\x00-\x1f\x7f<>]+@[^\s\x00-\x1f\x7f<>@]+$/u, 'must be an address, without angle brackets');
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\x00-\x1f\x7f]+$/, 'must be one line');
export const newReport = z
  .strictObject({
    type: z
      .enum(['failed', 'delayed', 'delivered', 'relayed', 'displayed', 'deleted', 'complaint'])
      .default('failed')
      .describe(
        'A delivery status (RFC 3464); `displayed` and `deleted`: a disposition (RFC 8098); `complaint`: feedback (RFC 5965).',
      ),
    recipient: reportAddress.optional().describe('Whom it is about. Absent: all recipients of the message.'),
    status: z
      .string()
      .regex(/^[245]\.\d{1,3}\.\d{1,3}$/, 'must be a status code such as 5.1.1 (RFC 3463)')
      .optional(),
    diagnostic: line(900).optional().describe('What the other server is to have said: `550 5.1.1 No such user`.'),
    remoteMta: line(255).optional().describe('The other server.'),
    feedback: z.enum(['abuse', 'fraud', 'virus', 'other', 'not-spam']).optional().describe('Of a complaint.'),
    return: z.enum(['full', 'headers']).optional().describe('Absent: as RET says, else by size.'),
    to: reportAddress
      .optional()
      .describe('Absent: the reverse-path; for a disposition the field Disposition-Notification-To.'),
  })
  .refine(({ type, status }) => status === undefined || (STATUS_CLASSES[type] ?? '').includes(status[0]!), {
    path: ['status'],
    message: 'must begin with 5 or 4 if it failed, with 4 if it is delayed, with 2 if it was delivered or relayed',
  })
  .meta({ id: 'NewReport' });
export type NewReport = z.output<typeof newReport>;
/** RFC 3463 §3.1, RFC 3464 §2.3.4: what expired in the queue failed with 4.4.7. */
const STATUS_CLASSES: Readonly<Partial<Record<string, string>>> = {
  failed: '54',
  delayed: '4',
  delivered: '2',
  relayed: '2',
};

export const madeReport = z
  .object({ id: z.string().describe('The report, as a message.'), type: z.string(), to: z.string() })
  .meta({ id: 'MadeReport' });
export type MadeReport = z.infer<typeof madeReport>;
