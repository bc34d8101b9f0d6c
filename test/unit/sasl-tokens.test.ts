/** The registry of bearer tokens: what it keeps, what it shows, and what it says of a token; and its file. */
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { tokenFile } from '../../src/sasl/token-file.ts';
import { MOST_TOKENS, TokenRegistry, formatTokens, parseTokens, type Token } from '../../src/sasl/tokens.ts';

const alice = { login: 'alice@x.test', subject: '1' };

/** What was saved, in memory; `full` has no room. */
class Memory {
  text: string | undefined;
  full = false;
  saves = 0;

  async load(): Promise<string | undefined> {
    return this.text;
  }

  async save(text: string): Promise<void> {
    this.saves++;
    await Promise.resolve();
    if (this.full) throw new Error('no room');
    this.text = text;
  }
}

async function registered(registry: TokenRegistry, ...args: Parameters<TokenRegistry['register']>) {
  const made = await registry.register(...args);
  if (made.type === 'refused') throw new Error(made.reason);
  return { value: made.secret.reveal(), token: made.token };
}

describe('a token', () => {
  it('is made of 32 random octets, or is the one given', async () => {
    const registry = await TokenRegistry.open(new Memory());
    const { value, token } = await registered(registry, alice);
    expect(value).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(token).toMatchObject({ ...alice, prefix: value.slice(0, 6), scopes: ['mail'], expiresAt: undefined });
    expect((await registered(registry, alice)).value).not.toBe(value);
    expect((await registered(registry, { ...alice, token: 'ya29.a-b_c~d+e/f==' })).value).toBe('ya29.a-b_c~d+e/f==');
  });

  it('opens its account alone', async () => {
    const registry = await TokenRegistry.open(new Memory());
    const { value, token } = await registered(registry, alice);
    expect(registry.verify(value, 'imap')).toEqual({ type: 'valid', token });
    expect(registry.verify(value, 'pop3', 'alice@x.test')).toEqual({ type: 'valid', token });
    const invalid = { type: 'refused', error: 'invalid_token' };
    expect(registry.verify(value, 'pop3', 'bob@x.test')).toEqual(invalid);
    expect(registry.verify(`${value}=`, 'pop3')).toEqual(invalid);
    expect(registry.verify('', 'pop3')).toEqual(invalid);
  });

  it('opens the services that it is for', async () => {
    const registry = await TokenRegistry.open(new Memory());
    const { value, token } = await registered(registry, { ...alice, scopes: ['imap', 'smtp', 'imap'] });
    expect(token.scopes).toEqual(['imap', 'smtp']);
    expect(registry.verify(value, 'imap').type).toBe('valid');
    expect(registry.verify(value, 'smtp').type).toBe('valid');
    expect(registry.verify(value, 'pop3')).toEqual({ type: 'refused', error: 'insufficient_scope' });
  });

  it('expires at its time, and stays in the list', async () => {
    let now = Date.UTC(2026, 0, 1);
    const registry = await TokenRegistry.open(new Memory(), () => now);
    const { value, token } = await registered(registry, { ...alice, expiresAt: new Date(now + 1000) });
    now += 999;
    expect(registry.verify(value, 'imap').type).toBe('valid');
    expect(registry.hasExpired(token)).toBe(false);
    now += 1;
    expect(registry.verify(value, 'imap')).toEqual({ type: 'refused', error: 'invalid_token' });
    expect(registry.hasExpired(token)).toBe(true);
    expect([registry.size, registry.list()]).toEqual([1, [token]]);
  });

  it('can be revoked, by an id that tells nothing', async () => {
    const registry = await TokenRegistry.open(new Memory());
    const { value, token } = await registered(registry, alice);
    const other = await registered(registry, alice);
    expect(await registry.revoke(token.id)).toBe(true);
    expect(await registry.revoke(token.id)).toBe(false);
    expect(registry.verify(value, 'imap').type).toBe('refused');
    expect(registry.verify(other.value, 'imap').type).toBe('valid');
    expect(registry.list()).toEqual([other.token]);
  });

  it('is registered once', async () => {
    const registry = await TokenRegistry.open(new Memory());
    await registered(registry, { ...alice, token: 'a-token-of-mine' });
    const again = await registry.register({ login: 'bob@x.test', subject: '2', token: 'a-token-of-mine' });
    expect(again).toEqual({ type: 'refused', reason: 'exists' });
    expect(registry.verify('a-token-of-mine', 'imap', 'bob@x.test').type).toBe('refused');
  });

  it.each(['1234567', 'x'.repeat(4097), 'with blanks', 'equals=inside', 'grün-ist-es', 'a\x01bcdefgh'])(
    'is never %j',
    async (token) => {
      const registry = await TokenRegistry.open(new Memory());
      await expect(registry.register({ ...alice, token })).rejects.toThrow(RangeError);
      expect(registry.size).toBe(0);
    },
  );

  it.each(['12345678', 'x'.repeat(4096)])('may be %j', async (token) => {
    const registry = await TokenRegistry.open(new Memory());
    expect((await registered(registry, { ...alice, token })).token.prefix.length).toBeLessThanOrEqual(token.length / 4);
  });
});

describe('the registry', () => {
  it('keeps and shows no token', async () => {
    const memory = new Memory();
    const registry = await TokenRegistry.open(memory);
    const made = await registry.register({ ...alice, token: 's3cret-token-of-alice' });
    for (const shown of [memory.text!, JSON.stringify([registry.list(), made]), inspect([registry, made])]) {
      expect(shown).not.toContain('s3cret-token');
    }
    expect(memory.text).toContain('"prefix": "s3cre"');
  });

  it('is what it was after a restart', async () => {
    const memory = new Memory();
    const before = await TokenRegistry.open(memory);
    const one = await registered(before, { ...alice, scopes: ['pop3'], expiresAt: new Date(Date.now() + 60_000) });
    const two = await registered(before, { login: 'bob@x.test', subject: '2' });
    await before.revoke((await registered(before, alice)).token.id);
    const after = await TokenRegistry.open(memory);
    expect(after.list()).toEqual([one.token, two.token]);
    expect(after.verify(one.value, 'pop3', 'alice@x.test')).toEqual({ type: 'valid', token: one.token });
    expect(after.verify(one.value, 'imap').type).toBe('refused');
  });

  it('registers nothing that it cannot save, and goes on', async () => {
    const memory = new Memory();
    const registry = await TokenRegistry.open(memory);
    const kept = await registered(registry, alice);
    memory.full = true;
    await expect(registry.register({ ...alice, token: 'lost-token' })).rejects.toThrow('no room');
    expect(registry.verify('lost-token', 'imap').type).toBe('refused');
    memory.full = false;
    await registered(registry, { ...alice, token: 'next-token' });
    expect((await TokenRegistry.open(memory)).list().map(({ id }) => id)).toEqual(registry.list().map(({ id }) => id));
    expect(registry.verify(kept.value, 'imap').type).toBe('valid');
  });

  it('saves the last state when many change it at once', async () => {
    const memory = new Memory();
    const registry = await TokenRegistry.open(memory);
    const made = await Promise.all(Array.from({ length: 20 }, () => registered(registry, alice)));
    await Promise.all(made.slice(0, 10).map(({ token }) => registry.revoke(token.id)));
    expect([...parseTokens(memory.text).values()]).toEqual(made.slice(10).map(({ token }) => token));
    expect(memory.saves).toBe(30);
  });

  it('is bounded', async () => {
    const token: Token = {
      ...alice,
      id: '',
      prefix: '',
      scopes: ['mail'],
      createdAt: new Date(),
      expiresAt: undefined,
    };
    const hash = (number: number): string => number.toString(16).padStart(64, '0');
    const tokens = new Map(Array.from({ length: MOST_TOKENS - 1 }, (_, i) => [hash(i), token]));
    const memory = new Memory();
    memory.text = formatTokens(tokens);
    const registry = await TokenRegistry.open(memory);
    await registered(registry, alice);
    expect(await registry.register(alice)).toEqual({ type: 'refused', reason: 'too-many' });
  });

  it.each([
    ['', 'JSON'],
    ['{', 'JSON'],
    ['null', 'format 1'],
    ['[]', 'format 1'],
    ['{"format":2,"tokens":[]}', 'format 1'],
    ['{"format":1}', 'format 1'],
    ['{"format":1,"tokens":[null]}', 'entry 1'],
    ['{"format":1,"tokens":[{"sha256":"00"}]}', 'entry 1'],
  ])('does not start over a file such as %j', async (text, reason) => {
    const memory = new Memory();
    memory.text = text;
    await expect(TokenRegistry.open(memory)).rejects.toThrow(reason);
  });
});

describe('the file', () => {
  it('is nobody else’s, and is replaced whole', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'glassmail-tokens-'));
    try {
      const path = join(folder, 'tokens.json');
      const file = tokenFile(path);
      expect(await file.load()).toBeUndefined();
      // Left over by somebody who was less careful.
      await writeFile(`${path}.new`, 'half a fi', { mode: 0o644 });
      await file.save('one');
      await file.save('two');
      expect([await file.load(), await readFile(path, 'utf8')]).toEqual(['two', 'two']);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await readdir(folder)).toEqual(['tokens.json']);
      await expect(tokenFile(folder).load()).rejects.toThrow('EISDIR');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
