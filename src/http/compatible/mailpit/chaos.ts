/** What Mailpit calls chaos: refusals by chance in SMTP. */
import { CHAOS_POINTS, type ChaosPoint, type ChaosTrigger, triggerFault } from '../../../faults/chaos.ts';
import type { HttpParts } from '../../parts.ts';
import { type App, json } from '../../route.ts';
import { looseBody, text } from './request.ts';

const NAMES = { sender: 'Sender', recipient: 'Recipient', authentication: 'Authentication' } as const;

export function addChaos(app: App, { chaos }: HttpParts): void {
  const triggers = () =>
    Object.fromEntries(
      Object.entries(chaos?.triggers ?? {}).map(([point, { code, probability }]) => [
        NAMES[point as ChaosPoint],
        { ErrorCode: code, Probability: probability },
      ]),
    );

  app.get('/api/v1/chaos', () => (chaos ? json(triggers()) : text('Chaos is not enabled', 400)));

  app.put('/api/v1/chaos', async (context) => {
    if (!chaos) return text('Chaos is not enabled', 400);
    const body = await looseBody(context.req.raw);
    if (body === undefined) return text('the body must be JSON with Sender, Recipient or Authentication', 400);
    const given: Partial<Record<ChaosPoint, Partial<ChaosTrigger>>> = {};
    for (const point of CHAOS_POINTS) {
      const trigger = triggerOf(body[NAMES[point]]);
      const fault = triggerFault(trigger);
      if (fault !== undefined) return text(`${NAMES[point]}: ${fault}`, 400);
      given[point] = trigger;
    }
    chaos.set(given);
    return json(triggers());
  });
}

/** A code of 0 is the usual one, as in Mailpit, whose clients leave it out. */
function triggerOf(value: unknown): Partial<ChaosTrigger> {
  if (typeof value !== 'object' || value === null) return {};
  const { ErrorCode: code, Probability: probability } = { ErrorCode: undefined, Probability: undefined, ...value } as {
    readonly ErrorCode: unknown;
    readonly Probability: unknown;
  };
  return {
    ...(code !== undefined && code !== 0 && { code: typeof code === 'number' ? code : NaN }),
    ...(probability !== undefined && { probability: typeof probability === 'number' ? probability : NaN }),
  };
}
