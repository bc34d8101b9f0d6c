/** Jim, by whom MailHog makes things go wrong: what he does is in `faults/jim.ts`. */
import { type Habits, USUAL_HABITS } from '../../../faults/jim.ts';
import type { HttpParts } from '../../parts.ts';
import { withNames } from '../go-names.ts';
import { type App, type HttpContext, MAX_JSON, json, limitedText } from '../../route.ts';

/** As MailHog writes them: name, ours, the highest value. */
const FIELDS: readonly (readonly [name: string, habit: keyof Habits, most: number])[] = [
  ['DisconnectChance', 'disconnectChance', 1],
  ['AcceptChance', 'acceptChance', 1],
  ['LinkSpeedAffect', 'linkSpeedAffect', 1],
  ['LinkSpeedMin', 'linkSpeedMin', 1e9],
  ['LinkSpeedMax', 'linkSpeedMax', 1e9],
  ['RejectSenderChance', 'rejectSenderChance', 1],
  ['RejectRecipientChance', 'rejectRecipientChance', 1],
  ['RejectAuthChance', 'rejectAuthChance', 1],
];

export function addJim(app: App, { jim }: HttpParts): void {
  app.get('/api/v2/jim', () => (jim?.habits ? json(toJson(jim.habits)) : text('', 404)));

  app.post('/api/v2/jim', (context) => invite(context, 201, (habits) => !habits, USUAL_HABITS));
  // What is not said is zero.
  app.put('/api/v2/jim', (context) => invite(context, 200, (habits) => habits !== undefined, NONE));

  app.delete('/api/v2/jim', (context) => {
    if (!jim?.habits) return text('', 404);
    if (!context.get('client').administers) return text(NOT_PERMITTED, 403);
    jim.sendAway();
    return text('');
  });

  async function invite(
    context: HttpContext,
    status: number,
    fits: (present: Habits | undefined) => boolean,
    otherwise: Habits,
  ): Promise<Response> {
    if (!jim) return text('Jim is for everybody: he is not invited with the token of a test scope', 403);
    if (!context.get('client').administers) return text(NOT_PERMITTED, 403);
    if (!fits(jim.habits)) return jim.habits ? text('Jim is here already', 400) : text('', 404);
    const habits = habitsOf(await limitedText(context.req.raw, MAX_JSON), otherwise);
    if (typeof habits === 'string') return text(habits, 400);
    return jim.invite(habits) ? text('', status) : text('there are too many fault rules', 400);
  }
}

const NOT_PERMITTED = 'not from this address: log in, or call from a private one';
const NONE = Object.fromEntries(FIELDS.map(([, habit]) => [habit, 0])) as unknown as Habits;

/** @returns a line that says what is wrong */
function habitsOf(body: string, otherwise: Habits): Habits | string {
  let given: unknown;
  try {
    given =
      body.trim() === ''
        ? {}
        : withNames(
            JSON.parse(body),
            FIELDS.map(([name]) => name),
          );
  } catch {
    return 'the body must be JSON, or empty';
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'the body must be a JSON object';
  const habits: Partial<Record<keyof Habits, number>> = {};
  for (const [name, habit, most] of FIELDS) {
    const value = (given as Readonly<Record<string, unknown>>)[name] ?? otherwise[habit];
    if (typeof value !== 'number' || !(value >= 0 && value <= most)) return `${name} must be from 0 to ${most}`;
    habits[habit] = most === 1 ? value : Math.floor(value);
  }
  return habits as Habits;
}

const toJson = (habits: Habits): object => Object.fromEntries(FIELDS.map(([name, habit]) => [name, habits[habit]]));

function text(body: string, status = 200): Response {
  return new Response(body, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
  });
}
