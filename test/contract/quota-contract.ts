import { describe, expect, test } from 'vitest';
import type { AccountId, Uid } from '../../src/store/change.ts';
import type { Delivery, MailStore } from '../../src/store/mail-store.ts';
import { append, inMemory, internalDate, openedWithAccount, refusal, transaction } from './store-under-test.ts';
import type { StoreFactory } from './store-under-test.ts';

const KB = 1024;
const nobody = 999 as AccountId;

const quotaOf = async (store: MailStore, account: AccountId) => (await store.findAccount(account))!.quota;
const inboxOf = (account: AccountId): Delivery => ({ account, mailbox: 'INBOX' });

export function describeQuota(factory: StoreFactory): void {
  describe('quotas', () => {
    test('count what all mailboxes hold, and have no limits at first', async () => {
      const subject = await openedWithAccount(factory);
      const { store, account, inbox } = subject;
      const unlimited = { messageLimit: undefined, octetLimit: undefined };
      expect(account.quota).toEqual({ messages: 0, octets: 0, ...unlimited });
      await append(store, account.id, 'INBOX', ['12345', '1234567']);
      await append(store, account.id, 'Sent', ['123']);
      await store.accept(transaction([inboxOf(account.id), { account: account.id, mailbox: 'new/one' }], 'x'));
      expect(await quotaOf(store, account.id)).toEqual({ messages: 5, octets: 15 + 2 * 34, ...unlimited });
      await store.copyMessages(account.id, inbox.id, [1, 2], 'Trash');
      expect(await quotaOf(store, account.id)).toMatchObject({ messages: 7, octets: 27 + 68 });
      await store.moveMessages(account.id, inbox.id, [1], 'Archive');
      expect(await quotaOf(store, account.id)).toMatchObject({ messages: 7, octets: 27 + 68 });
      await store.storeFlags(account.id, inbox.id, [2], { mode: 'add', flags: ['\\Deleted'] });
      await store.expunge(account.id, inbox.id, { onlyDeleted: true });
      expect(await quotaOf(store, account.id)).toMatchObject({ messages: 6, octets: 20 + 68 });
      await store.renameMailbox(account.id, 'INBOX', 'Old');
      await store.deleteMailbox(account.id, 'Trash');
      expect(await quotaOf(store, account.id)).toMatchObject({ messages: 4, octets: 8 + 68 });
      await store.deleteTransactions(undefined);
      expect(await quotaOf(store, account.id)).toMatchObject({ messages: 2, octets: 8 });
      await subject.reopen();
      expect(await quotaOf(subject.store, account.id)).toEqual({ messages: 2, octets: 8, ...unlimited });
    });

    test('are set, kept, changed one by one, and given up', async () => {
      const subject = await openedWithAccount(factory);
      const { id } = subject.account;
      await subject.store.setQuota(id, { messages: 5, octets: 3000 });
      const limited = { messages: 0, octets: 0, messageLimit: 5, octetLimit: 3 * KB };
      expect(await quotaOf(subject.store, id)).toEqual(limited);
      expect((await subject.store.listAccounts()).map(({ quota }) => quota)).toEqual([limited]);
      await append(subject.store, id, 'INBOX', ['x']);
      await subject.reopen();
      expect(await quotaOf(subject.store, id)).toEqual({ ...limited, messages: 1, octets: 1 });
      await subject.store.setQuota(id, { messages: 'none' });
      expect(await quotaOf(subject.store, id)).toMatchObject({ messageLimit: undefined, octetLimit: 3 * KB });
      await subject.store.setQuota(id, { messages: 0, octets: 'default' });
      expect(await quotaOf(subject.store, id)).toMatchObject({ messageLimit: 0, octetLimit: undefined });
      await subject.store.setQuota(id, {});
      expect(await quotaOf(subject.store, id)).toMatchObject({ messageLimit: 0, octetLimit: undefined });
      const most = Math.floor(Number.MAX_SAFE_INTEGER / KB) * KB;
      await subject.store.setQuota(id, { messages: Number.MAX_SAFE_INTEGER, octets: most });
      await subject.reopen();
      const { messageLimit, octetLimit } = await quotaOf(subject.store, id);
      expect([messageLimit, octetLimit]).toEqual([Number.MAX_SAFE_INTEGER, most]);
      await expect(subject.store.setQuota(nobody, {})).rejects.toMatchObject(refusal('NONEXISTENT'));
    });

    test('refuse what finds no room: all of it, and nothing is left behind', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const { id } = account;
      await store.setQuota(id, { messages: 3, octets: KB });
      await append(store, id, 'INBOX', ['a'.repeat(500), 'b'.repeat(500)]);
      const before = await store.figures();
      const room = append(store, id, 'INBOX', ['c'.repeat(25)]);
      await expect(room).rejects.toMatchObject(refusal('OVERQUOTA'));
      await expect(append(store, id, 'Sent', ['1', '2'])).rejects.toMatchObject(refusal('OVERQUOTA'));
      await expect(store.copyMessages(id, inbox.id, [1], 'Trash')).rejects.toMatchObject(refusal('OVERQUOTA'));
      await expect(append(store, id, 'Sent', ['d'.repeat(1025)])).rejects.toMatchObject(refusal('BEYONDQUOTA'));
      await expect(append(store, id, 'Sent', ['1', '2', '3', '4'])).rejects.toMatchObject(refusal('BEYONDQUOTA'));
      await expect(store.accept(transaction([inboxOf(id)], 'e'.repeat(20)))).rejects.toMatchObject(
        refusal('OVERQUOTA'),
      );
      expect(await store.figures()).toEqual({ ...before, databaseOctets: expect.any(Number) as number });
      expect(await quotaOf(store, id)).toMatchObject({ messages: 2, octets: 1000 });
      await append(store, id, 'Sent', ['f'.repeat(24)]); // to the last octet
      await expect(append(store, id, 'Sent', [''])).rejects.toMatchObject(refusal('OVERQUOTA'));
      await store.moveMessages(id, inbox.id, [1], 'Trash');
      expect(await quotaOf(store, id)).toMatchObject({ messages: 3, octets: KB });
    });

    test('count an import key once, and a replacement by what it adds', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const { id } = account;
      await store.setQuota(id, { messages: 2, octets: KB });
      const keyed = (importKey: string, text: string) => ({
        content: inMemory(text),
        flags: [],
        internalDate,
        importKey,
      });
      const first = [keyed('1', 'a'.repeat(400)), keyed('2', 'b'.repeat(400)), keyed('1', 'a'.repeat(400))];
      const { uids } = await store.appendMessages(id, 'INBOX', first);
      expect(uids).toEqual([1, 2, undefined]);
      expect((await store.appendMessages(id, 'INBOX', first)).uids).toEqual([undefined, undefined, undefined]);
      const more = store.appendMessages(id, 'INBOX', [...first, keyed('3', 'c')]);
      await expect(more).rejects.toMatchObject(refusal('OVERQUOTA'));
      const replace = async (uid: number, text: string) => {
        const message = { content: inMemory(text), flags: [], internalDate };
        const replaced = { mailbox: inbox.id, uid: uid as Uid };
        return (await store.appendMessages(id, 'INBOX', [message], replaced)).uids[0];
      };
      await expect(replace(1, 'd'.repeat(625))).rejects.toMatchObject(refusal('OVERQUOTA'));
      expect(await replace(1, 'd'.repeat(624))).toBe(3);
      expect(await quotaOf(store, id)).toMatchObject({ messages: 2, octets: KB });
      await store.setQuota(id, { messages: 0, octets: 0 });
      expect(await replace(3, 'e'.repeat(624))).toBe(4);
      await expect(replace(99, 'f')).rejects.toMatchObject({ name: 'Refusal' });
      expect(await quotaOf(store, id)).toMatchObject({ messages: 2, octets: KB });
    });

    test('name the deliveries of a transaction that find no room', async () => {
      const { store, account } = await openedWithAccount(factory);
      const bob = await store.createAccount({ address: 'bob@glass.test', passwordRecord: undefined });
      const carol = await store.createAccount({ address: 'carol@glass.test', passwordRecord: undefined });
      await store.setQuota(account.id, { messages: 1 });
      await store.setQuota(carol.id, { octets: 0 });
      const twice = [
        inboxOf(account.id),
        inboxOf(bob.id),
        { account: account.id, mailbox: 'Archive' },
        inboxOf(carol.id),
      ];
      await expect(store.accept(transaction(twice, 'x'))).rejects.toMatchObject({
        ...refusal('BEYONDQUOTA'),
        deliveries: [
          { delivery: 2, code: 'OVERQUOTA' },
          { delivery: 3, code: 'BEYONDQUOTA' },
        ],
      });
      expect((await store.figures()).messages).toBe(0);
      await store.accept(transaction(twice.slice(0, 2), 'x'));
      await expect(store.accept(transaction(twice.slice(0, 2), 'x'))).rejects.toMatchObject({
        ...refusal('OVERQUOTA'),
        deliveries: [{ delivery: 0 }],
      });
      expect((await store.figures()).messages).toBe(2);
    });

    test('hold when hundreds ask at once: as many as fit are taken, and each of them is there', async () => {
      const { store, account } = await openedWithAccount(factory);
      const { id } = account;
      await store.setQuota(id, { messages: 57 });
      const asked = Array.from({ length: 300 }, async (_, i) =>
        i % 3 === 0 ? append(store, id, 'Sent', [`${i}`]) : store.accept(transaction([inboxOf(id)], `${i}`)),
      );
      const taken = (await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled');
      expect(taken.length).toBe(57);
      expect((await quotaOf(store, id)).messages).toBe(57);
      expect((await store.figures()).messages).toBe(57);
    });

    test('go with the account', async () => {
      const { store, account } = await openedWithAccount(factory);
      await store.setQuota(account.id, { messages: 1 });
      await append(store, account.id, 'INBOX', ['x']);
      await store.deleteAccount(account.id);
      const anew = await store.createAccount({ address: 'alice@glass.test', passwordRecord: undefined });
      expect(anew.quota).toEqual({ messages: 0, octets: 0, messageLimit: undefined, octetLimit: undefined });
    });
  });
}
