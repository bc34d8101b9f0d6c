/** Rules of what is to go wrong on purpose. With the token of a test scope: that scope's alone. */
import { ADDRESS_CODES } from '../../faults/address-code.ts';
import type { Rule, RuleDraft } from '../../faults/rule.ts';
import type { FaultRules } from '../../faults/rules.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem, badInput } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import {
  type Fault,
  type FaultList,
  faultCount,
  faultList,
  faultPath,
  faultSwitch,
  fault as faultSchema,
  newFault,
} from '../schemas/faults.ts';

const notPermitted = { description: 'Not for this client', schema: problem };
const unknown = { description: 'There is no such rule', schema: problem };
const wrong = { description: 'The rule is wrong: the answer names the field', schema: problem };

const CODES = ADDRESS_CODES.map(([form, meaning]) => `\`${form}\` ${meaning}`).join('; ');

export const faultRoutes = [
  route({
    method: 'get',
    path: '/api/glass/faults',
    group: 'Faults',
    summary: 'The rules of what is to go wrong on purpose, with how often they did',
    administration: true,
    answers: { 200: { description: 'In the order of their making', schema: faultList }, 403: notPermitted },
    async handle(_input, parts) {
      return json({ faults: rulesOf(parts).list(parts.scope?.id).map(toFault) } satisfies FaultList);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/faults',
    group: 'Faults',
    summary: 'Make something go wrong: where, whom, and what',
    description: `A rule holds from the next command, connection or message on. Every hit is an event \`fault\` of the conversation. In capture mode the address of a recipient can ask for a fault without a rule: ${CODES}.`,
    administration: true,
    body: newFault,
    answers: {
      201: { description: 'The rule', schema: faultSchema },
      400: wrong,
      403: notPermitted,
      429: { description: 'There are too many rules', schema: problem },
    },
    async handle({ body }, parts) {
      assertPossible(body, parts, parts.scope?.id);
      const rule = rulesOf(parts).add(body, parts.scope?.id);
      if (!rule) throw new HttpProblem(429, 'there are too many rules; DELETE /api/glass/faults removes them');
      return json(toFault(rule), 201, { Location: `/api/glass/faults/${rule.id}` });
    },
  }),
  route({
    method: 'delete',
    path: '/api/glass/faults',
    group: 'Faults',
    summary: 'Remove all rules',
    administration: true,
    answers: { 200: { description: 'How many there were', schema: faultCount }, 403: notPermitted },
    async handle(_input, parts) {
      return json({ count: rulesOf(parts).clear(parts.scope?.id) });
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/faults/switch',
    group: 'Faults',
    summary: 'Switch rules off for a while, or on again; they go on counting where they stood',
    administration: true,
    body: faultSwitch,
    answers: { 200: { description: 'All rules', schema: faultList }, 400: wrong, 403: notPermitted },
    async handle({ body }, parts) {
      const rules = rulesOf(parts);
      rules.switch(body.on, body.ids, parts.scope?.id);
      return json({ faults: rules.list(parts.scope?.id).map(toFault) } satisfies FaultList);
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/faults/{id}',
    group: 'Faults',
    summary: 'A rule',
    administration: true,
    params: faultPath,
    answers: { 200: { description: 'The rule', schema: faultSchema }, 403: notPermitted, 404: unknown },
    async handle({ params }, parts) {
      return json(toFault(rulesOf(parts).find(params.id, parts.scope?.id) ?? noSuchRule(params.id)));
    },
  }),
  route({
    method: 'put',
    path: '/api/glass/faults/{id}',
    group: 'Faults',
    summary: 'Put another rule in the place of one; it counts from the start',
    administration: true,
    params: faultPath,
    body: newFault,
    answers: { 200: { description: 'The rule', schema: faultSchema }, 400: wrong, 403: notPermitted, 404: unknown },
    async handle({ params, body }, parts) {
      const rules = rulesOf(parts);
      const { scope } = rules.find(params.id, parts.scope?.id) ?? noSuchRule(params.id);
      assertPossible(body, parts, scope);
      return json(toFault(rules.replace(params.id, body, parts.scope?.id) ?? noSuchRule(params.id)));
    },
  }),
  route({
    method: 'delete',
    path: '/api/glass/faults/{id}',
    group: 'Faults',
    summary: 'Remove a rule',
    administration: true,
    params: faultPath,
    answers: { 204: { description: 'It is gone' }, 403: notPermitted, 404: unknown },
    async handle({ params }, parts) {
      if (!rulesOf(parts).remove(params.id, parts.scope?.id)) noSuchRule(params.id);
      return new Response(null, { status: 204 });
    },
  }),
];

function rulesOf({ faults }: HttpParts): FaultRules {
  if (!faults) throw new HttpProblem(404, 'this server has no fault rules');
  return faults;
}

/** @throws HttpProblem 400 for what this server, or this scope, cannot have */
function assertPossible(draft: RuleDraft, parts: HttpParts, scope: string | undefined): void {
  const objection = rulesOf(parts).objection(draft, scope);
  if (objection) throw badInput([{ in: 'body', ...objection }]);
}

function noSuchRule(id: string): never {
  throw new HttpProblem(404, `there is no rule ${id}`);
}

function toFault({ id, name, scope, where, whom, what, skip, times, share, seed, matches, hits, on }: Rule): Fault {
  return {
    id,
    name: name ?? null,
    scope: scope ?? null,
    where: { ...where },
    whom: { ...whom },
    what,
    skip: skip ?? 0,
    times: times ?? null,
    share: share ?? 1,
    seed: seed ?? 1,
    matches,
    hits,
    on: on ?? true,
  };
}
