import { describe, expect, test } from 'vitest';
import type { AccountId, ModSeq } from '../../src/store/change.ts';
import { append, opened, openedWithAccount, refusal, transaction, type StoreFactory } from './store-under-test.ts';

const nobody = 999 as AccountId;

export function describeAccounts(factory: StoreFactory): void {
  describe('accounts', () => {
    test('are found by id and by address without regard to case', async () => {
      const { store } = await opened(factory);
      const made = await store.createAccount({
        address: 'Alice.B@glass.test',
        passwordRecord: undefined,
        owner: 'scope-1',
      });
      expect(made).toMatchObject({ address: 'Alice.B@glass.test', owner: 'scope-1' });
      expect(await store.findAccount(made.id)).toEqual(made);
      expect(await store.findAccount('alice.b@GLASS.TEST')).toEqual(made);
      expect(await store.findAccount('bob@glass.test')).toBeUndefined();
      expect(await store.findAccount(nobody)).toBeUndefined();
    });

    test('have one address each', async () => {
      const { store } = await opened(factory);
      await store.createAccount({ address: 'alice@glass.test', passwordRecord: undefined });
      const again = store.createAccount({ address: 'ALICE@glass.test', passwordRecord: undefined });
      await expect(again).rejects.toMatchObject(refusal('ALREADYEXISTS'));
      for (const address of ['alice', '@glass.test', 'alice@', 'a\r\nb@glass.test', `${'a'.repeat(2000)}@x.test`]) {
        const bad = store.createAccount({ address, passwordRecord: undefined });
        await expect(bad).rejects.toMatchObject(refusal('CANNOT'));
      }
    });

    test('are listed by owner', async () => {
      const { store } = await opened(factory);
      await store.createAccount({ address: 'a@glass.test', passwordRecord: undefined });
      await store.createAccount({ address: 'b@glass.test', passwordRecord: undefined, owner: 's' });
      expect((await store.listAccounts()).map(({ address }) => address)).toEqual(['a@glass.test', 'b@glass.test']);
      expect((await store.listAccounts('s')).map(({ address }) => address)).toEqual(['b@glass.test']);
      expect(await store.listAccounts('t')).toEqual([]);
    });

    test('have a password record, or none', async () => {
      const { store } = await opened(factory);
      const account = await store.createAccount({ address: 'a@glass.test', passwordRecord: undefined });
      expect(await store.findPasswordRecord('a@glass.test')).toBeUndefined();
      await store.setPasswordRecord(account.id, 'record');
      expect(await store.findPasswordRecord('A@glass.test')).toEqual({ account, record: 'record' });
      expect(await store.findPasswordRecord('b@glass.test')).toBeUndefined();
      await expect(store.setPasswordRecord(nobody, 'record')).rejects.toMatchObject(refusal('NONEXISTENT'));
    });

    test('start with INBOX and the mailboxes that clients look for, all subscribed', async () => {
      const { store, account } = await openedWithAccount(factory);
      const mailboxes = await store.listMailboxes(account.id);
      expect(mailboxes.map(({ name, specialUse, subscribed }) => [name, specialUse, subscribed])).toEqual([
        ['INBOX', [], true],
        ['Archive', ['\\Archive'], true],
        ['Drafts', ['\\Drafts'], true],
        ['Junk', ['\\Junk'], true],
        ['Sent', ['\\Sent'], true],
        ['Trash', ['\\Trash'], true],
      ]);
      expect(await store.listSubscriptions(account.id)).toEqual(mailboxes.map(({ name }) => name));
      expect(new Set(mailboxes.map(({ uidValidity }) => uidValidity)).size).toBe(6);
    });

    test('go with all their mail, and those who have a mailbox open hear of it', async () => {
      const { store, notifier, account, inbox } = await openedWithAccount(factory);
      const bob = await store.createAccount({ address: 'bob@glass.test', passwordRecord: undefined });
      await append(store, account.id, 'INBOX', ['a\r\n', 'b\r\n']);
      const both = [account.id, bob.id].map((each) => ({ account: each, mailbox: 'INBOX' }));
      const { transactionId } = await store.accept(transaction(both, 'Subject: both\r\n\r\n'));
      const alone = await store.accept(
        transaction([{ account: account.id, mailbox: 'INBOX' }], 'Subject: alone\r\n\r\n'),
      );
      const { modSeq } = await store.changesSince(account.id, 0 as ModSeq);
      const told: number[] = [];
      notifier.subscribe(account.id, (_, reached) => told.push(reached));

      await store.deleteAccount(account.id);

      expect(told.some((reached) => reached > modSeq)).toBe(true);
      const { changes } = await store.changesSince(account.id, modSeq);
      expect(changes).toContainEqual(
        expect.objectContaining({ type: 'mailbox-deleted', mailbox: inbox.id, name: 'INBOX' }),
      );
      expect(await store.findAccount('alice@glass.test')).toBeUndefined();
      expect(await store.listMailboxes(account.id)).toEqual([]);
      await expect(store.snapshot(account.id, inbox.id)).rejects.toMatchObject(refusal('NONEXISTENT'));
      await expect(store.deleteAccount(account.id)).rejects.toMatchObject(refusal('NONEXISTENT'));
      expect((await store.findTransaction(transactionId))?.copies).toMatchObject([{ account: bob.id }]);
      expect(await store.findTransaction(alone.transactionId)).toBeUndefined();
      expect(await store.figures()).toMatchObject({ accounts: 1, messages: 1, transactions: 1 });
      const anew = await store.createAccount({ address: 'alice@glass.test', passwordRecord: undefined });
      expect(anew.id).not.toBe(account.id);
    });

    test('outlive a restart', async () => {
      const subject = await openedWithAccount(factory);
      await subject.reopen();
      expect(await subject.store.findAccount('alice@glass.test')).toEqual(subject.account);
    });
  });
}
