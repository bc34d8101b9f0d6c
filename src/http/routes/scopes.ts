/** Test scopes: an address, a login and a view of the API of their own, which go together with all their mail. */
import type { Scope, ScopeRegistry } from '../../delivery/scopes.ts';
import { hostName } from '../access.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import {
  type MadeScope,
  type ScopeList,
  type ScopeView,
  madeScope,
  newScope,
  scopeChange,
  scopeList,
  scopePath,
  scope as scopeSchema,
} from '../schemas/scopes.ts';

const notPermitted = { description: 'Not for this client', schema: problem };
const unknownScope = { description: 'There is no such scope', schema: problem };

export const scopeRoutes = [
  route({
    method: 'get',
    path: '/api/glass/scopes',
    group: 'Scopes',
    summary: 'The open scopes, without their secrets; with the token of a scope, that one',
    administration: true,
    answers: { 200: { description: 'In the order of their making', schema: scopeList }, 403: notPermitted },
    async handle(_input, parts) {
      const scopes = registryOf(parts).list().filter(isVisible(parts));
      return json({ scopes: scopes.map(toView) } satisfies ScopeList);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/scopes',
    group: 'Scopes',
    summary: 'Open a scope: a domain whose mail all goes to one login, and a token that sees nothing else',
    administration: true,
    body: newScope,
    answers: {
      201: { description: 'The scope, with its password and its token', schema: madeScope },
      400: { description: 'What was given cannot be read', schema: problem },
      403: notPermitted,
      429: { description: 'There are too many scopes', schema: problem },
    },
    async handle({ body, request }, parts) {
      if (parts.scope) throw new HttpProblem(403, 'a scope opens no other scopes: leave its token out');
      const made = await registryOf(parts).make(body.name, body.ttlSeconds * 1000);
      if (!made) throw new HttpProblem(429, 'there are too many scopes; DELETE /api/glass/scopes/{id} closes one');
      const { scope, password, token } = made;
      const host = hostName(request.headers.get('host') ?? '') ?? 'localhost';
      const services = Object.entries(parts.services()).map(([service, { port }]) => ({
        service,
        host,
        port,
        tls: TLS[service] ?? 'none',
      }));
      const answer = { ...toView(scope), password, token, services } satisfies MadeScope;
      return json(answer, 201, { Location: `/api/glass/scopes/${scope.id}` });
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/scopes/{id}',
    group: 'Scopes',
    summary: 'A scope',
    administration: true,
    params: scopePath,
    answers: { 200: { description: 'The scope', schema: scopeSchema }, 403: notPermitted, 404: unknownScope },
    async handle({ params }, parts) {
      return json(toView(scopeNamed(parts, params.id)));
    },
  }),
  route({
    method: 'put',
    path: '/api/glass/scopes/{id}',
    group: 'Scopes',
    summary: 'Let a scope live for so long from now on',
    administration: true,
    params: scopePath,
    body: scopeChange,
    answers: { 200: { description: 'The scope', schema: scopeSchema }, 403: notPermitted, 404: unknownScope },
    async handle({ params, body }, parts) {
      const { id } = scopeNamed(parts, params.id);
      const extended = await registryOf(parts).extend(id, body.ttlSeconds * 1000);
      if (!extended) throw noSuchScope(id);
      return json(toView(extended));
    },
  }),
  route({
    method: 'delete',
    path: '/api/glass/scopes/{id}',
    group: 'Scopes',
    summary: 'Close a scope: its accounts and all their mail are gone',
    administration: true,
    params: scopePath,
    answers: { 204: { description: 'It is gone' }, 403: notPermitted, 404: unknownScope },
    async handle({ params }, parts) {
      const { id } = scopeNamed(parts, params.id);
      if (!(await registryOf(parts).close(id))) throw noSuchScope(id);
      return new Response(null, { status: 204 });
    },
  }),
];

const TLS: Readonly<Record<string, 'none' | 'starttls' | 'implicit'>> = {
  smtp: 'starttls',
  submission: 'starttls',
  submissions: 'implicit',
  lmtp: 'starttls',
  imap: 'starttls',
  imaps: 'implicit',
  pop3: 'starttls',
  pop3s: 'implicit',
  https: 'implicit',
};

function registryOf({ scopes }: HttpParts): ScopeRegistry {
  if (!scopes) throw new HttpProblem(404, 'this server has no scopes');
  return scopes;
}

const isVisible =
  ({ scope }: HttpParts) =>
  ({ id }: Scope): boolean =>
    scope === undefined || scope.id === id;

/** @throws HttpProblem 404 */
function scopeNamed(parts: HttpParts, id: string): Scope {
  const found = registryOf(parts).find(id);
  if (!found || !isVisible(parts)(found)) throw noSuchScope(id);
  return found;
}

const noSuchScope = (id: string): HttpProblem => new HttpProblem(404, `there is no scope ${id}: it may have expired`);

function toView({ id, name, domain, address, createdAt, expiresAt }: Scope): ScopeView {
  return {
    id,
    name,
    address,
    domain,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}
