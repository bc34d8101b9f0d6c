/** The shapes of test scopes. */
import { z } from 'zod';
import { SCOPE_TTL } from '../../delivery/scopes.ts';
import { time } from './common.ts';

const scopeId = z.string().regex(/^[a-z][a-z0-9]{9}$/, 'must be the id of a scope');
export const scopePath = z.object({ id: scopeId });

const ttlSeconds = z
  .int()
  .min(1)
  .max(SCOPE_TTL.most / 1000)
  .describe('How long it lives, in seconds.');

export const newScope = z.strictObject({
  name: z.string().max(200).default('').describe('What to call it, such as the name of the test.'),
  ttlSeconds: ttlSeconds.default(SCOPE_TTL.usual / 1000),
});

export const scopeChange = z.strictObject({ ttlSeconds });

export const scope = z
  .object({
    id: scopeId,
    name: z.string(),
    address: z.string().describe('The login; mail to it, and to every address of the domain, arrives here.'),
    domain: z.string().describe('Of it and of all names below it, every address is this scope’s.'),
    createdAt: time,
    expiresAt: time.describe('Then it is closed, with everything in it.'),
  })
  .meta({ id: 'Scope' });
export type ScopeView = z.infer<typeof scope>;

export const scopeList = z.object({ scopes: z.array(scope) }).meta({ id: 'ScopeList' });
export type ScopeList = z.infer<typeof scopeList>;

export const madeScope = scope
  .extend({
    password: z.string().describe('Of the login. Shown once.'),
    token: z.string().describe('As `Authorization: Bearer …`, it shows this scope alone. Shown once.'),
    services: z.array(
      z.object({
        service: z.string(),
        host: z.string().describe('As this request was addressed.'),
        port: z.int(),
        tls: z.enum(['none', 'starttls', 'implicit']),
      }),
    ),
  })
  .meta({ id: 'MadeScope' });
export type MadeScope = z.infer<typeof madeScope>;
