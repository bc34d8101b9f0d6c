/** The shapes of fault rules. */
import { z } from 'zod';
import { ruleDraft } from '../../faults/rule-schema.ts';
import { POINTS } from '../../faults/rule.ts';
import { count, nullable } from './common.ts';

export const newFault = ruleDraft.meta({ id: 'NewFault' });
export type NewFault = z.input<typeof newFault>;

export const fault = z
  .object({
    id: z.string(),
    name: nullable(z.string()),
    scope: nullable(z.string()).describe('The test scope that it is for alone.'),
    where: z.looseObject({ at: z.enum(POINTS) }),
    whom: z.looseObject({}).describe('Empty: everybody.'),
    what: z.looseObject({ type: z.string() }),
    skip: count,
    times: nullable(count).describe('null: without end.'),
    share: z.number(),
    seed: count,
    matches: count.describe('How often where and whom were right.'),
    hits: count.describe('How often something was made to fail.'),
    on: z.boolean().describe('false: it is kept, and does nothing.'),
  })
  .meta({ id: 'Fault' });
export type Fault = z.infer<typeof fault>;
export const faultList = z.object({ faults: z.array(fault) }).meta({ id: 'FaultList' });
export type FaultList = z.infer<typeof faultList>;
export const faultPath = z.object({ id: z.string().regex(/^\d{1,15}$/, 'must be the id of a rule') });
export const faultSwitch = z
  .strictObject({
    on: z.boolean(),
    ids: z.array(faultPath.shape.id).max(1000).optional().describe('Absent: all.'),
  })
  .meta({ id: 'FaultSwitch' });
export type FaultSwitch = z.infer<typeof faultSwitch>;
export const faultCount = z.object({ count }).meta({ id: 'FaultCount' });
