/** The shapes of tokens. */
import { z } from 'zod';
import { TOKEN_LENGTH, TOKEN_SCOPES, TOKEN_SYNTAX } from '../../sasl/tokens.ts';
import { loginName } from './accounts.ts';
import { nullable, time } from './common.ts';

export const token = z
  .object({
    id: z.string().describe('The first 16 hexadecimal digits of the SHA-256 of the token.'),
    prefix: z.string().describe('How it begins; at most a quarter of it, so it may be empty.'),
    login: z.string().describe("The account's address."),
    scopes: z.array(z.enum(TOKEN_SCOPES)).describe('What it opens; `mail` is everything.'),
    createdAt: time,
    expiresAt: nullable(time).describe('Null: never.'),
    expired: z.boolean().describe('Clients that use it are told to fetch another one.'),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof token>;
export const tokenList = z.object({ tokens: z.array(token) }).meta({ id: 'TokenList' });
export type TokenList = z.infer<typeof tokenList>;

export const newToken = z
  .strictObject({
    login: loginName.describe('An account; a local part alone means the default domain.'),
    token: z
      .string()
      .min(TOKEN_LENGTH.least)
      .max(TOKEN_LENGTH.most)
      .regex(TOKEN_SYNTAX, 'must be letters, digits and - . _ ~ + /, with = at its end alone (RFC 6750 §2.1)')
      .optional()
      .describe('Absent: a random one.'),
    scopes: z.array(z.enum(TOKEN_SCOPES)).min(1).max(TOKEN_SCOPES.length).optional().describe('Absent: `mail`.'),
    expiresAt: z.iso.datetime({ offset: true }).optional().describe('Absent: it does not expire.'),
  })
  .meta({ id: 'NewToken' });
export type NewToken = z.infer<typeof newToken>;

export const madeToken = token
  .extend({ token: z.string().describe('Shown here and never again.') })
  .meta({ id: 'MadeToken' });
export type MadeToken = z.infer<typeof madeToken>;

export const tokenPath = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/, 'must be an id from the list of tokens') });
