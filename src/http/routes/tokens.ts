/**
 * Bearer tokens (RFC 6750) by which mail clients log in with OAUTHBEARER and XOAUTH2. A token is shown once, when it is
 * made; a list shows only how it begins.
 */
import type * as sasl from '../../sasl/tokens.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import {
  type MadeToken,
  type Token,
  type TokenList,
  madeToken,
  newToken,
  tokenList,
  tokenPath,
} from '../schemas/tokens.ts';
import { accountNamed } from './accounts.ts';

const noTokens = { description: 'They are not for the token of a scope', schema: problem };
const notPermitted = { description: 'Not for this client', schema: problem };

export const tokenRoutes = [
  route({
    method: 'get',
    path: '/api/glass/tokens',
    group: 'Tokens',
    summary: 'All tokens, without their secrets',
    administration: true,
    answers: {
      200: { description: 'In the order of their making', schema: tokenList },
      403: notPermitted,
      404: noTokens,
    },
    async handle(_input, parts) {
      const registry = registryOf(parts);
      const tokens = registry.list().map((token) => toToken(registry, token));
      return json({ tokens } satisfies TokenList);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/tokens',
    group: 'Tokens',
    summary: 'Register a token, or have one made',
    administration: true,
    body: newToken,
    answers: {
      201: { description: 'The token', schema: madeToken },
      400: { description: 'What was given cannot be a token', schema: problem },
      403: notPermitted,
      404: { description: 'There is no such account', schema: problem },
      409: { description: 'This token is registered already', schema: problem },
      429: { description: 'There are too many tokens', schema: problem },
    },
    async handle({ body }, parts) {
      const registry = registryOf(parts);
      const account = await accountNamed(parts, body.login);
      const { token, scopes } = body;
      const expiresAt = body.expiresAt === undefined ? undefined : new Date(body.expiresAt);
      const login = { login: account.address, subject: String(account.id) };
      const made = await registry.register({ ...login, token, scopes, expiresAt });
      if (made.type === 'refused') {
        throw made.reason === 'exists'
          ? new HttpProblem(409, 'this token is registered already; DELETE /api/glass/tokens/{id} revokes it')
          : new HttpProblem(429, 'there are too many tokens; DELETE /api/glass/tokens/{id} revokes one');
      }
      const answer = { ...toToken(registry, made.token), token: made.secret.reveal() } satisfies MadeToken;
      return json(answer, 201, { Location: `/api/glass/tokens/${answer.id}` });
    },
  }),
  route({
    method: 'delete',
    path: '/api/glass/tokens/{id}',
    group: 'Tokens',
    summary: 'Revoke a token',
    administration: true,
    params: tokenPath,
    answers: {
      204: { description: 'It opens nothing any more; sessions go on' },
      403: notPermitted,
      404: { description: 'There is no such token', schema: problem },
    },
    async handle({ params }, parts) {
      if (!(await registryOf(parts).revoke(params.id))) throw new HttpProblem(404, `there is no token ${params.id}`);
      return new Response(null, { status: 204 });
    },
  }),
];

function registryOf({ tokens }: HttpParts): sasl.TokenRegistry {
  if (tokens === undefined) throw new HttpProblem(404, 'this server keeps no tokens');
  return tokens;
}

function toToken(registry: sasl.TokenRegistry, token: sasl.Token): Token {
  const { id, prefix, login, scopes, createdAt, expiresAt } = token;
  return {
    id,
    prefix,
    login,
    scopes: [...scopes],
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    expired: registry.hasExpired(token),
  };
}
