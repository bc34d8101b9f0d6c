import { expect, test } from 'vitest';
import { type ScopeOptions, ScopeRegistry } from '../../src/delivery/scopes.ts';
import type { AccountId } from '../../src/store/change.ts';
import type { NewAccount } from '../../src/store/mail-store.ts';
import { Refusal } from '../../src/store/refusal.ts';

test('a scope that is closed from two sides at a time is closed once', async () => {
  const accounts = new Map<AccountId, string | undefined>();
  const store = {
    createAccount: async ({ address, owner }: NewAccount) => {
      const id = (accounts.size + 1) as AccountId;
      accounts.set(id, owner);
      return { id, address, owner };
    },
    deleteAccount: async (id: AccountId) => {
      if (!accounts.delete(id)) throw new Refusal('NONEXISTENT', 'There is no such account');
    },
    listAccounts: async (owner: string | undefined) =>
      [...accounts].filter(([, of]) => of === owner).map(([id]) => ({ id, owner })),
  } as unknown as ScopeOptions['store'];
  const logged: string[] = [];
  await using registry = await ScopeRegistry.open({
    store,
    storage: { load: async () => undefined, save: async () => undefined },
    domain: 'glass.localhost',
    passwordRecord: async () => 'record',
    log: (message) => logged.push(message),
  });
  const { scope } = (await registry.make('one', 60_000))!;
  expect(await Promise.all([registry.close(scope.id), registry.close(scope.id)])).toEqual([true, true]);
  expect(await registry.close(scope.id)).toBe(false);
  expect([registry.size, accounts.size, logged]).toEqual([0, 0, []]);
});
