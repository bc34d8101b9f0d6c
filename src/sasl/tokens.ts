/**
 * OAuth 2.0 bearer tokens (RFC 6750) that the operator or a test has registered, for OAUTHBEARER and XOAUTH2: this server
 * issues none by a flow of OAuth. A token is a password for one account, one that expires and can be revoked.
 *
 * Tokens themselves are not kept: only their SHA-256, and the first letters of long ones, by which people tell them apart.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Secret } from './secret.ts';

/** What a token is good for: `mail` is everything. */
export const TOKEN_SCOPES = ['mail', 'imap', 'pop3', 'smtp'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** `b64token` of RFC 6750 §2.1: what HTTP and SASL clients send on as it is. */
export const TOKEN_SYNTAX = /^[A-Za-z0-9._~+/-]+=*$/;
export const TOKEN_LENGTH = { least: 8, most: 4096 } as const;

/** How many are kept: each is some hundred octets of memory and file. */
export const MOST_TOKENS = 10_000;

export interface Token {
  /** The first 16 hexadecimal digits of the SHA-256: who has the token can tell which one it is. */
  readonly id: string;
  /** The start of the token: up to six characters, never more than a quarter of it. */
  readonly prefix: string;
  /** The account's address. */
  readonly login: string;
  /** The account's key, which a later account of the same address does not have. */
  readonly subject: string;
  readonly scopes: readonly TokenScope[];
  readonly createdAt: Date;
  /** Undefined: never. */
  readonly expiresAt: Date | undefined;
}

export interface NewToken {
  readonly login: string;
  readonly subject: string;
  /** Absent: 32 random octets. Within TOKEN_SYNTAX and TOKEN_LENGTH. */
  readonly token?: string | undefined;
  /** Default: `mail`. */
  readonly scopes?: readonly TokenScope[] | undefined;
  readonly expiresAt?: Date | undefined;
}

export type Registered =
  | {
      readonly type: 'registered';
      /** To be shown once. */
      readonly secret: Secret;
      readonly token: Token;
    }
  | { readonly type: 'refused'; readonly reason: 'exists' | 'too-many' };

export type Verified =
  | { readonly type: 'valid'; readonly token: Token }
  | { readonly type: 'refused'; readonly error: 'invalid_token' | 'insufficient_scope' };

/** Where the registry lies between two runs. */
export interface TokenStorage {
  /** Undefined: nothing has been saved. */
  load(): Promise<string | undefined>;
  /** All of it or nothing, and durable once it resolves. */
  save(text: string): Promise<void>;
}

export class TokenRegistry {
  readonly #storage: TokenStorage;
  readonly #now: () => number;
  /** By the SHA-256 in hexadecimal digits, in the order of their making. */
  readonly #tokens: Map<string, Token>;
  /** One at a time, so that the last state is what stays. */
  #saving: Promise<void> = Promise.resolve();

  /** @throws Error with one line for the operator when what was saved cannot be read */
  static async open(storage: TokenStorage, now: () => number = Date.now): Promise<TokenRegistry> {
    const text = await storage.load();
    return new TokenRegistry(storage, now, parseTokens(text));
  }

  private constructor(storage: TokenStorage, now: () => number, tokens: Map<string, Token>) {
    this.#storage = storage;
    this.#now = now;
    this.#tokens = tokens;
  }

  /** Those that have expired count: their clients are to hear that, so that they fetch a new one. */
  get size(): number {
    return this.#tokens.size;
  }

  /** In the order of their making. */
  list(): readonly Token[] {
    return [...this.#tokens.values()];
  }

  hasExpired({ expiresAt }: Token): boolean {
    return expiresAt !== undefined && expiresAt.getTime() <= this.#now();
  }

  /** @throws RangeError for what cannot be a token, or no scope; what the storage throws, and then nothing is registered */
  async register({ login, subject, token, scopes = ['mail'], expiresAt }: NewToken): Promise<Registered> {
    const value = token ?? randomBytes(32).toString('base64url');
    if (value.length < TOKEN_LENGTH.least || value.length > TOKEN_LENGTH.most || !TOKEN_SYNTAX.test(value)) {
      throw new RangeError(`a token is ${TOKEN_LENGTH.least} to ${TOKEN_LENGTH.most} characters of RFC 6750 §2.1`);
    }
    if (scopes.length === 0) throw new RangeError('a token is good for something');
    const hash = hashOf(value);
    if (this.#tokens.has(hash)) return { type: 'refused', reason: 'exists' };
    if (this.#tokens.size >= MOST_TOKENS) return { type: 'refused', reason: 'too-many' };
    const made: Token = {
      id: idOf(hash),
      prefix: value.slice(0, Math.min(6, Math.floor(value.length / 4))),
      login,
      subject,
      scopes: [...new Set(scopes)],
      createdAt: new Date(this.#now()),
      expiresAt,
    };
    this.#tokens.set(hash, made);
    try {
      await this.#save();
    } catch (error) {
      this.#tokens.delete(hash);
      throw error;
    }
    return { type: 'registered', secret: new Secret(value), token: made };
  }

  /**
   * From now on the token is refused; sessions that it has opened go on.
   * @returns whether there was one @throws what the storage throws, and then it is revoked until the next start only
   */
  async revoke(id: string): Promise<boolean> {
    return (await this.revokeWhere((token) => token.id === id)) > 0;
  }

  /** As `revoke`, of all that pass: an account that is no more takes its tokens along. @returns how many there were */
  async revokeWhere(test: (token: Token) => boolean): Promise<number> {
    const found = [...this.#tokens].filter(([, token]) => test(token));
    if (found.length === 0) return 0;
    for (const [hash] of found) this.#tokens.delete(hash);
    await this.#save();
    return found.length;
  }

  /** @param login whose it has to be; undefined: whosever it is */
  verify(value: string, service: TokenScope, login?: string): Verified {
    const token = this.#tokens.get(hashOf(value));
    if (token === undefined || this.hasExpired(token) || (login !== undefined && login !== token.login)) {
      return { type: 'refused', error: 'invalid_token' };
    }
    const permitted = token.scopes.includes('mail') || token.scopes.includes(service);
    return permitted ? { type: 'valid', token } : { type: 'refused', error: 'insufficient_scope' };
  }

  #save(): Promise<void> {
    const saved = this.#saving.then(() => this.#storage.save(formatTokens(this.#tokens)));
    this.#saving = saved.catch(() => undefined);
    return saved;
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function idOf(hash: string): string {
  return hash.slice(0, 16);
}

// ------------------------------------------------------------------------------------------------------ the file

const FORMAT = 1;

interface SavedToken {
  readonly sha256: string;
  readonly prefix: string;
  readonly login: string;
  readonly subject: string;
  readonly scopes: readonly TokenScope[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

export function formatTokens(tokens: ReadonlyMap<string, Token>): string {
  const saved = [...tokens].map(([sha256, token]): SavedToken => {
    const { prefix, login, subject, scopes, createdAt, expiresAt } = token;
    const times = { createdAt: createdAt.toISOString(), expiresAt: expiresAt?.toISOString() ?? null };
    return { sha256, prefix, login, subject, scopes, ...times };
  });
  return `${JSON.stringify({ format: FORMAT, tokens: saved }, undefined, 2)}\n`;
}

/** @param text undefined: nothing has been saved @throws Error with one line for the operator */
export function parseTokens(text: string | undefined): Map<string, Token> {
  if (text === undefined) return new Map();
  const wrong = (what: string) => new Error(`the file of tokens cannot be read: ${what}`);
  let file: { readonly format?: unknown; readonly tokens?: unknown } | null;
  try {
    file = JSON.parse(text) as typeof file;
  } catch (error) {
    throw wrong((error as Error).message);
  }
  if (typeof file !== 'object' || file?.format !== FORMAT || !Array.isArray(file.tokens)) {
    throw wrong(`it is not of format ${FORMAT}, which this version knows`);
  }
  return new Map(
    file.tokens.map((entry: unknown, index) => {
      if (!isSavedToken(entry)) throw wrong(`its entry ${index + 1} is not a token`);
      const { sha256, prefix, login, subject, scopes, createdAt, expiresAt } = entry;
      const times = {
        createdAt: new Date(createdAt),
        expiresAt: expiresAt === null ? undefined : new Date(expiresAt),
      };
      return [sha256, { id: idOf(sha256), prefix, login, subject, scopes, ...times }];
    }),
  );
}

function isSavedToken(entry: unknown): entry is SavedToken {
  if (typeof entry !== 'object' || entry === null) return false;
  const { sha256, prefix, login, subject, scopes, createdAt, expiresAt } = entry as Partial<Record<string, unknown>>;
  return (
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    [prefix, login, subject].every((text) => typeof text === 'string') &&
    Array.isArray(scopes) &&
    scopes.length > 0 &&
    scopes.every((scope) => (TOKEN_SCOPES as readonly unknown[]).includes(scope)) &&
    isTime(createdAt) &&
    (expiresAt === null || isTime(expiresAt))
  );
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
