/**
 * Test scopes: each has a domain of its own whose mail all goes to one account, a login, and a token that opens its view
 * of the API. What belongs to it is deleted when it is closed or its time is over, and nobody else sees it.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { normalizeDomain } from '../mail/address.ts';
import type { AccountId } from '../store/change.ts';
import type { MailStore } from '../store/mail-store.ts';

export interface Scope {
  /** Ten letters and digits, the first a letter: also the owner of its accounts, and the first label of its domain. */
  readonly id: string;
  /** What somebody called it, for people. */
  readonly name: string;
  readonly domain: string;
  readonly account: AccountId;
  /** The login, and one of the addresses. */
  readonly address: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** What is shown once, when the scope is made. */
export interface NewScope {
  readonly scope: Scope;
  readonly password: string;
  readonly token: string;
}

/** Where the scopes lie between two runs. */
export interface ScopeStorage {
  /** Undefined: nothing has been saved. */
  load(): Promise<string | undefined>;
  save(text: string): Promise<void>;
}

export interface ScopeOptions {
  readonly store: Pick<MailStore, 'createAccount' | 'deleteAccount' | 'listAccounts'>;
  readonly storage: ScopeStorage;
  /** Scopes are below it: `<id>.glass.localhost`. */
  readonly domain: string;
  passwordRecord(password: string): Promise<string>;
  /** A scope that could not be removed is tried again. */
  log(message: string, cause: unknown): void;
}

const MOST_SCOPES = 1000;
/** How long a scope lives unless it is told otherwise, and at most; milliseconds. */
export const SCOPE_TTL = { usual: 30 * 60_000, most: 24 * 3_600_000 } as const;
const RETRY_MS = 10_000;
const LONGEST_TIMER = 2 ** 31 - 1;

interface Kept extends Scope {
  /** SHA-256 of the token. */
  readonly tokenDigest: Buffer;
}

export class ScopeRegistry implements AsyncDisposable {
  readonly #options: ScopeOptions;
  readonly #byId = new Map<string, Kept>();
  readonly #byDomain = new Map<string, Kept>();
  /** Those that are being closed. */
  readonly #closing = new Map<string, Promise<void>>();
  /** Told of each scope that is gone. */
  onClosed: (id: string) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  /** One at a time, so that the last state is what stays. */
  #saving: Promise<void> = Promise.resolve();
  #expiring: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: ScopeOptions) {
    this.#options = options;
  }

  /** Goes on with the scopes of an earlier run; what belongs to none any more is deleted. */
  static async open(options: ScopeOptions): Promise<ScopeRegistry> {
    const registry = new ScopeRegistry(options);
    const { store } = options;
    const accounts = (await store.listAccounts()).filter(({ owner }) => owner !== undefined);
    const ids = new Set(accounts.map(({ id }) => id));
    for (const scope of parseScopes(await options.storage.load())) if (ids.has(scope.account)) registry.#add(scope);
    for (const { id, owner } of accounts) if (!registry.#byId.has(owner!)) await store.deleteAccount(id);
    registry.#schedule();
    return registry;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** In the order of their making. */
  list(): readonly Scope[] {
    return [...this.#byId.values()];
  }

  find(id: string): Scope | undefined {
    return this.#byId.get(id);
  }

  /** @param domain in its ASCII form, lower case; also of names below a scope's domain */
  byDomain(domain: string): Scope | undefined {
    const { domain: top } = this.#options;
    if (this.#byDomain.size === 0 || !domain.endsWith(`.${top}`)) return undefined;
    const labels = domain.slice(0, -top.length - 1).split('.');
    return this.#byDomain.get(`${labels.at(-1)!}.${top}`);
  }

  /** The one that an address belongs to. */
  ofAddress(address: string): Scope | undefined {
    if (this.#byDomain.size === 0) return undefined;
    const domain = address.slice(address.lastIndexOf('@') + 1);
    return domain === '' ? undefined : this.byDomain(normalizeDomain(domain));
  }

  /** Whom a token opens the API for; in a time that does not tell how much of it was right. */
  byToken(token: string): Scope | undefined {
    const digest = digestOf(token);
    let found: Scope | undefined;
    for (const scope of this.#byId.values()) if (timingSafeEqual(scope.tokenDigest, digest)) found = scope;
    return found;
  }

  /** @param ttl milliseconds @returns undefined when there are too many */
  async make(name: string, ttl: number): Promise<NewScope | undefined> {
    if (this.#byId.size >= MOST_SCOPES) return undefined;
    const id = newId();
    const domain = `${id}.${this.#options.domain}`;
    const address = `inbox@${domain}`;
    const [password, token] = [randomBytes(12).toString('base64url'), `scope_${randomBytes(24).toString('base64url')}`];
    const passwordRecord = await this.#options.passwordRecord(password);
    const { id: account } = await this.#options.store.createAccount({ address, passwordRecord, owner: id });
    const createdAt = new Date();
    const expiresAt = new Date(createdAt.getTime() + ttl);
    const scope = { id, name, domain, account, address, createdAt, expiresAt, tokenDigest: digestOf(token) };
    this.#add(scope);
    await this.#save();
    this.#schedule();
    return { scope, password, token };
  }

  /** @param ttl milliseconds from now on @returns undefined when there is no such scope */
  async extend(id: string, ttl: number): Promise<Scope | undefined> {
    const scope = this.#byId.get(id);
    if (!scope) return undefined;
    const extended = { ...scope, expiresAt: new Date(Date.now() + ttl) };
    this.#add(extended);
    await this.#save();
    this.#schedule();
    return extended;
  }

  /** Removes everything in it, once however many ask at a time. @returns false when there is no such scope */
  async close(id: string): Promise<boolean> {
    const scope = this.#byId.get(id);
    if (!scope) return false;
    let closing = this.#closing.get(id);
    if (!closing) {
      closing = this.#close(scope).finally(() => this.#closing.delete(id));
      this.#closing.set(id, closing);
    }
    await closing;
    return true;
  }

  async #close({ id, domain }: Scope): Promise<void> {
    // First its accounts: should that fail, the scope is still there to be closed.
    for (const account of await this.#options.store.listAccounts(id))
      await this.#options.store.deleteAccount(account.id);
    this.#byId.delete(id);
    this.#byDomain.delete(domain);
    this.onClosed(id);
    await this.#save();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#expiring;
    await this.#saving;
  }

  #add(scope: Kept): void {
    this.#byId.set(scope.id, scope);
    this.#byDomain.set(scope.domain, scope);
  }

  #schedule(delayAtLeast = 0): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#byId.size === 0) return;
    const next = Math.min(...[...this.#byId.values()].map(({ expiresAt }) => expiresAt.getTime()));
    const delay = Math.min(Math.max(next - Date.now(), delayAtLeast, 0), LONGEST_TIMER);
    this.#timer = setTimeout(() => {
      this.#expiring = this.#expire();
    }, delay);
    this.#timer.unref();
  }

  async #expire(): Promise<void> {
    const now = Date.now();
    let delay = 0;
    for (const { id, expiresAt } of [...this.#byId.values()]) {
      if (expiresAt.getTime() > now) continue;
      try {
        await this.close(id);
      } catch (error) {
        this.#options.log(`the scope ${id} could not be removed yet`, error);
        delay = RETRY_MS;
      }
    }
    this.#schedule(delay);
  }

  #save(): Promise<void> {
    const scopes = [...this.#byId.values()].map(({ tokenDigest, ...scope }) => ({
      ...scope,
      tokenDigest: tokenDigest.toString('hex'),
    }));
    const saving = this.#saving.then(() => this.#options.storage.save(`${JSON.stringify({ scopes }, undefined, 2)}\n`));
    this.#saving = saving.catch(() => undefined);
    return saving;
  }
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** A DNS label (RFC 1123 §2.1) that no other scope has had. */
function newId(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz';
  const octets = randomBytes(10);
  return Array.from(octets, (octet, i) => {
    const alphabet = i === 0 ? letters : `${letters}23456789`;
    return alphabet[octet % alphabet.length]!;
  }).join('');
}

/** @throws Error with one line for the operator */
function parseScopes(text: string | undefined): readonly Kept[] {
  if (text === undefined) return [];
  try {
    const { scopes } = JSON.parse(text) as { scopes: (Record<keyof Scope, string> & { tokenDigest: string })[] };
    return scopes.map(({ account, createdAt, expiresAt, tokenDigest, domain, ...scope }) => ({
      ...scope,
      domain: normalizeDomain(domain),
      account: Number(account) as AccountId,
      createdAt: new Date(createdAt),
      expiresAt: new Date(expiresAt),
      tokenDigest: Buffer.from(tokenDigest, 'hex'),
    }));
  } catch (error) {
    throw new Error('scopes.json cannot be read: remove it, and the scopes of earlier runs are gone', { cause: error });
  }
}
