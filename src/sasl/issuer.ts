/**
 * Issues OAuth 2.0 access tokens for tests, as a provider would: JWT (RFC 7519, RFC 9068) signed with RS256 by a key
 * that is made when the first one is wanted and dies with the process. Nothing is kept of a token but its revocation.
 */
import { createHash, generateKeyPair, type KeyObject, randomBytes, randomUUID, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import type { TokenScope } from './tokens.ts';

export interface Grant {
  /** The account's address; undefined: any account, for applications that act for all (client_credentials). */
  readonly login: string | undefined;
  /** The account's key. */
  readonly subject: string;
  readonly client: string;
  /** At least one. */
  readonly scopes: readonly TokenScope[];
}

export type TokenUse = 'access' | 'refresh' | 'id';

/** What a token of ours says. Times are seconds since 1970. */
export interface Claims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  readonly client_id: string;
  readonly scope: string;
  readonly email?: string;
  /** What was granted at once is revoked at once: all tokens that came of it. */
  readonly grant: string;
  readonly use: TokenUse;
}

/** A code waits for its exchange (RFC 6749 §4.1.2: ten minutes at most). */
export interface PendingCode {
  readonly grant: Grant;
  /** The id of the grant. */
  readonly id: string;
  readonly redirectUri: string;
  readonly challenge: { readonly method: 'S256' | 'plain'; readonly value: string } | undefined;
  readonly expiresAt: number;
}

const CODE_MS = 10 * 60_000;
const MOST_CODES = 1000;
const MOST_REVOKED = 100_000;
const TYPES: Readonly<Record<TokenUse, string>> = { access: 'at+jwt', refresh: 'refresh+jwt', id: 'JWT' };

export class TokenIssuer {
  readonly #now: () => number;
  readonly #kid = randomBytes(8).toString('hex');
  readonly #codes = new Map<string, PendingCode & { used: boolean }>();
  /** Ids of tokens and of grants, the oldest first. */
  readonly #revoked = new Set<string>();
  #making: Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> | undefined;
  #publicKey: KeyObject | undefined;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whether there may be a token of ours at all. */
  get hasIssued(): boolean {
    return this.#publicKey !== undefined;
  }

  /** RFC 7517 §4. */
  async jwk(): Promise<Readonly<Record<string, unknown>>> {
    const { publicKey } = await this.#keys();
    return { ...publicKey.export({ format: 'jwk' }), kid: this.#kid, alg: 'RS256', use: 'sig' };
  }

  /** @param id of the grant @param seconds may be 0: one that has expired already */
  async issue(use: TokenUse, grant: Grant, id: string, issuer: string, seconds: number): Promise<string> {
    const { privateKey } = await this.#keys();
    const iat = Math.floor(this.#now() / 1000);
    const claims: Claims = {
      iss: issuer,
      aud: use === 'id' ? grant.client : issuer,
      sub: grant.subject,
      iat,
      exp: iat + seconds,
      jti: randomUUID(),
      client_id: grant.client,
      scope: grant.scopes.join(' '),
      ...(grant.login !== undefined && { email: grant.login }),
      grant: id,
      use,
    };
    const signed = [{ alg: 'RS256', typ: TYPES[use], kid: this.#kid }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
  }

  newGrant(): string {
    return randomUUID();
  }

  /** Whether it was made here, so that nobody else can say what it is good for. */
  isOurs(token: string): boolean {
    return this.#claimsOf(token) !== undefined;
  }

  /** @returns undefined: no token of ours of that use, or expired, or revoked */
  verify(token: string, use: TokenUse): Claims | undefined {
    const claims = this.#claimsOf(token);
    if (claims?.use !== use || claims.exp * 1000 <= this.#now()) return undefined;
    return this.#revoked.has(claims.jti) || this.#revoked.has(claims.grant) ? undefined : claims;
  }

  /** RFC 7009 §2.1: with a refresh token go all that came of the same grant. */
  revoke(claims: Pick<Claims, 'use' | 'jti' | 'grant'>): void {
    this.#revoke(claims.use === 'refresh' ? claims.grant : claims.jti);
  }

  // Codes: RFC 6749 §4.1

  newCode(pending: Omit<PendingCode, 'expiresAt' | 'id'>): string {
    const code = randomBytes(24).toString('base64url');
    this.#codes.set(code, { ...pending, id: this.newGrant(), expiresAt: this.#now() + CODE_MS, used: false });
    for (const oldest of this.#codes.keys()) {
      if (this.#codes.size <= MOST_CODES) break;
      this.#codes.delete(oldest);
    }
    return code;
  }

  /** Once; whoever comes with it again ends what came of it (§4.1.2). */
  takeCode(code: string): PendingCode | undefined {
    const found = this.#codes.get(code);
    if (!found || found.expiresAt <= this.#now()) return undefined;
    if (found.used) {
      this.#revoke(found.id);
      return undefined;
    }
    found.used = true;
    return found;
  }

  #revoke(id: string): void {
    this.#revoked.add(id);
    for (const oldest of this.#revoked) {
      if (this.#revoked.size <= MOST_REVOKED) break;
      this.#revoked.delete(oldest);
    }
  }

  #keys(): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
    this.#making ??= promisify(generateKeyPair)('rsa', { modulusLength: 2048 }).then((keys) => {
      this.#publicKey = keys.publicKey;
      return keys;
    });
    return this.#making;
  }

  #claimsOf(token: string): Claims | undefined {
    const [header, payload, signature, ...rest] = token.split('.');
    if (!this.#publicKey || !header || !payload || !signature || rest.length > 0) return undefined;
    const signed = Buffer.from(`${header}.${payload}`);
    // RS256 alone: what the token itself says of its algorithm decides nothing (RFC 8725 §3.1).
    if (!verify('sha256', signed, this.#publicKey, Buffer.from(signature, 'base64url'))) return undefined;
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
  }
}

/** RFC 7636 §4.6. */
export function challengeMet(challenge: PendingCode['challenge'], verifier: string | undefined): boolean {
  if (!challenge) return true;
  if (verifier === undefined) return false;
  const given = challenge.method === 'plain' ? verifier : createHash('sha256').update(verifier).digest('base64url');
  return given === challenge.value;
}
