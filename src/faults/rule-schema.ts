/** Checks rules that people write, whether they come by HTTP or lie in a file. Its library is loaded when there are some. */
import { z } from 'zod';
import { KNOWN_EARLY, POINTS, POINTS_OF, PROTOCOLS } from './rule.ts';
import type { EffectName, PointName, RuleDraft, Whom } from './rule.ts';

const LONGEST_WAIT_MS = 600_000;
const LONGEST_TEXT = 400;

const oneLine = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\x00-\x1f\x7f]*$/, 'must be one line without control characters');
const pattern = (meaning: string) => oneLine(320).optional().describe(`${meaning} Without case; \`*\` is anything.`);
const count = z.int().nonnegative().max(Number.MAX_SAFE_INTEGER);

const speed = z.int().min(1).max(1_000_000_000);

const where = z.strictObject({
  at: z.enum(POINTS).optional().describe('Default: the usual place of the effect.'),
  protocol: z.enum(PROTOCOLS).optional(),
  service: z
    .string()
    .regex(/^[a-z0-9]{1,20}$/, 'must be the name of a service, such as imaps')
    .optional(),
  command: z
    .string()
    .regex(/^[A-Za-z]{1,20}( [A-Za-z]{1,20})?$/, 'must be a command, such as RCPT or UID FETCH')
    .transform((text) => text.toUpperCase())
    .optional()
    .describe('At `command`: this one alone; FETCH is UID FETCH too.'),
  mailbox: pattern('At `mailbox`: this one alone.'),
  octets: count.optional().describe('At `octets`: how many have passed on the connection.'),
  direction: z.enum(['in', 'out']).optional().describe('At `octets`: `in` counts what the client says. Default `out`.'),
});

const whom = z.strictObject({
  address: pattern("The client's IP address."),
  login: pattern('Of who has logged in, or at `mailbox` gets a message: a whole address.'),
  client: pattern('What the client calls itself in EHLO or ID.'),
  sender: pattern('The address in MAIL FROM.'),
  recipient: pattern('An address in RCPT TO.'),
  serverName: pattern('The name that the client asks for in TLS (SNI).'),
});

const effect = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('refuse'),
    code: z
      .string()
      .regex(
        /^([45]\d\d|[A-Z][A-Z0-9/-]{0,40})$/,
        'must be a reply code from 400 to 599, or a response code such as SYS/TEMP',
      )
      .optional()
      .describe('SMTP: 451; IMAP: UNAVAILABLE; POP3: SYS/TEMP. 421 closes the connection.'),
    status: z
      .string()
      .regex(/^[45]\.\d{1,3}\.\d{1,3}$/, 'must be an enhanced status code such as 4.3.0')
      .optional()
      .describe('SMTP; default: that of the code.'),
    response: z.enum(['NO', 'BAD', 'BYE']).optional().describe('IMAP; BYE closes the connection. Default NO.'),
    text: oneLine(LONGEST_TEXT).optional(),
  }),
  z.strictObject({ type: z.literal('delay'), ms: z.int().min(1).max(LONGEST_WAIT_MS) }),
  z.strictObject({
    type: z.literal('slow'),
    octetsPerSecond: speed,
    upTo: speed.optional().describe('Then each hit has a speed between the two, by chance.'),
  }),
  z.strictObject({
    type: z.literal('cut'),
    when: z
      .enum(['before', 'middle', 'after'])
      .default('before')
      .describe('The answer; the command is done all the same.'),
    how: z.enum(['fin', 'rst']).default('fin'),
    octets: count.optional().describe('`middle`: after so many of the answer. Default: half of what is said at once.'),
    afterMs: z.int().min(1).max(LONGEST_WAIT_MS).optional().describe('The connection lives so long before it is cut.'),
  }),
  z.strictObject({
    type: z.literal('hide-capability'),
    capability: oneLine(100)
      .transform((text) => text.toUpperCase())
      .describe('`IDLE`, `AUTH=PLAIN`, `SIZE`, `UIDL`.'),
  }),
  z.strictObject({
    type: z.literal('wrong-literal'),
    by: z
      .int()
      .min(-1_000_000)
      .max(1_000_000)
      .refine((by) => by !== 0, 'must not be 0')
      .describe('How many octets more (or fewer) than come are announced.'),
  }),
  z.strictObject({ type: z.literal('new-uidvalidity') }),
  z.strictObject({ type: z.literal('read-only') }),
  z.strictObject({
    type: z.literal('full-mailbox'),
    permanent: z.boolean().default(false).describe('SMTP says 552 5.2.2 instead of 452 4.2.2.'),
  }),
  z.strictObject({ type: z.literal('expired-certificate') }),
  z.strictObject({ type: z.literal('duplicate'), copies: z.int().min(2).max(100).default(2) }),
  z.strictObject({
    type: z.literal('greylist'),
    tries: z.int().min(2).max(1000).optional().describe('Accepted at this try. Default 2, unless `seconds` is given.'),
    seconds: z.int().min(1).max(86_400).optional().describe('Accepted so long after the first try.'),
  }),
]);

export const ruleDraft = z
  .strictObject({
    name: oneLine(200).optional().describe('For people.'),
    where: where.optional(),
    whom: whom.optional(),
    what: effect,
    skip: count.optional().describe('So many matches pass unharmed first.'),
    nth: z.int().min(1).optional().describe('This match alone: the same as `skip` n - 1 and `times` 1.'),
    times: z.int().min(1).optional().describe('After so many hits the rule stops.'),
    share: z.number().gt(0).max(1).optional().describe('Of the matches left, this share is hit.'),
    seed: z.int().min(0).max(0xffff_ffff).optional().describe('Which ones: with the same seed the same. Default 1.'),
    on: z.boolean().optional().describe('false: it is kept, and does nothing. Default true.'),
  })
  .transform(({ nth, where: place, ...draft }, context): RuleDraft => {
    const complain = (path: string[], message: string): void => {
      context.addIssue({ code: 'custom', path, message, input: undefined });
    };
    const points = POINTS_OF[draft.what.type];
    const at = place?.at ?? usualPlace(draft.what.type, place);
    if (!points.includes(at))
      complain(['where', 'at'], `must be ${oneOf(points)} for ${draft.what.type}, which does nothing at ${at}`);
    for (const [field, point] of Object.entries(OF_POINT)) {
      if (place?.[field as keyof typeof OF_POINT] !== undefined && at !== point)
        complain(['where', field], `goes with at: ${point} alone`);
    }
    if (at === 'octets' && place?.octets === undefined) complain(['where', 'octets'], 'must be given at octets');
    const known = KNOWN_EARLY[at];
    for (const field of Object.keys(draft.whom ?? {}) as (keyof Whom)[]) {
      if (known?.includes(field) === false) complain(['whom', field], `is not known yet at ${at}`);
    }
    const { what } = draft;
    if (what.type === 'cut' && what.octets !== undefined && what.when !== 'middle')
      complain(['what', 'octets'], 'goes with when: middle alone');
    if (what.type === 'slow' && what.upTo !== undefined && what.upTo < what.octetsPerSecond)
      complain(['what', 'upTo'], 'must not be less than octetsPerSecond');
    if (nth !== undefined && (draft.skip ?? draft.times) !== undefined)
      complain(['nth'], 'stands for skip and times: leave those out');
    return {
      ...draft,
      where: { ...place, at },
      ...(nth !== undefined && { skip: nth - 1, times: 1 }),
    };
  });

const OF_POINT = { command: 'command', mailbox: 'mailbox', octets: 'octets', direction: 'octets' } as const;

/** What is said of the place tells which one is meant. */
function usualPlace(type: EffectName, place: Partial<Record<keyof typeof OF_POINT, unknown>> | undefined): PointName {
  const told = Object.entries(OF_POINT).find(([field]) => place?.[field as keyof typeof OF_POINT] !== undefined);
  return told?.[1] ?? POINTS_OF[type][0]!;
}

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : `one of ${words.join(', ')}`;
}

/** Thrown for a file; the message is one line that names the rule and the field. */
export class BadRules extends Error {
  override readonly name = 'BadRules';
}

/** Rules as a file has them: a list, or an object whose `rules` is one. @throws BadRules */
export function parseRules(text: string): readonly RuleDraft[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new BadRules(`not JSON: ${(error as Error).message}`, { cause: error });
  }
  const list = Array.isArray(json) ? (json as unknown[]) : (json as { rules?: unknown } | null)?.rules;
  if (!Array.isArray(list)) throw new BadRules('must be a list of rules, or {"rules": [...]}');
  return list.map((given: unknown, index) => {
    const result = ruleDraft.safeParse(given);
    if (result.success) return result.data;
    const { path, message } = result.error.issues[0]!;
    const name = (given as { name?: unknown } | null)?.name;
    const which = `rule ${index + 1}${typeof name === 'string' ? ` ("${name.slice(0, 60)}")` : ''}`;
    const field = path.map(String).join('.');
    throw new BadRules(`${which}${field === '' ? '' : `, ${field}`}: ${message}`);
  });
}
