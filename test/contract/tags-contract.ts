import { describe, expect, test } from 'vitest';
import { openedWithAccount, refusal, transaction, type StoreFactory } from './store-under-test.ts';

const all = { start: 0, limit: 100 };

export function describeTags(factory: StoreFactory): void {
  describe('tags', () => {
    async function withThree() {
      const subject = await openedWithAccount(factory);
      const { store, account } = subject;
      const ids: string[] = [];
      for (const tags of [['red', 'Blue 2'], undefined, ['blue 2']]) {
        const accepted = transaction([{ account: account.id, mailbox: 'INBOX' }], 'Subject: x\r\n\r\n.', {
          ...(tags && { tags }),
        });
        ids.push((await store.accept(accepted)).transactionId);
      }
      const tagsOf = async (id: string) => (await store.findTransaction(id))?.tags;
      const found = async (tag: string | undefined) => {
        const { items } = await store.listTransactions({ query: { type: 'tag', tag } }, all);
        return items.map(({ transactionId }) => ids.indexOf(transactionId));
      };
      return Object.assign(subject, { ids, tagsOf, found });
    }

    test('come with a message, are listed in order, and are found whole and without case', async () => {
      const { store, ids, tagsOf, found, account, inbox } = await withThree();
      expect(await Promise.all(ids.map(tagsOf))).toEqual([['Blue 2', 'red'], [], ['Blue 2']]);
      expect(await store.listTags()).toEqual([
        { tag: 'Blue 2', count: 2 },
        { tag: 'red', count: 1 },
      ]);
      expect(await found('RED')).toEqual([0]);
      expect(await found('re')).toEqual([]);
      expect(await found('blue 2')).toEqual([2, 0]);
      expect(await found(undefined)).toEqual([2, 0]);
      expect(await store.searchMessages(account.id, inbox.id, { type: 'tag', tag: 'red' })).toEqual(Uint32Array.of(1));
      const not = { type: 'not', query: { type: 'tag', tag: undefined } } as const;
      expect(await store.searchMessages(account.id, inbox.id, not)).toEqual(Uint32Array.of(2));
    });

    test('are set anew, renamed, joined and removed; feeds are told, mailboxes stay as they were', async () => {
      const { store, ids, tagsOf, account, inbox, notifier } = await withThree();
      const { modSeq } = await store.snapshot(account.id, inbox.id);
      let told = 0;
      notifier.subscribe(account.id, () => told++);
      let { cursor } = await store.transactionEvents(undefined);
      const news = async () => {
        const read = await store.transactionEvents(cursor);
        cursor = read.cursor;
        return read.events.map(({ cursor: _, ...event }) => event);
      };
      expect(await store.setTags([ids[1]!, ids[2]!, 'unknown'], ['green', 'RED', 'red'])).toBe(2);
      expect(told).toBe(1);
      expect(await news()).toEqual([
        { type: 'tagged', transactionId: ids[1], tags: ['green', 'red'] },
        { type: 'tagged', transactionId: ids[2], tags: ['green', 'red'] },
      ]);
      expect(await store.renameTag('Green', 'GREEN')).toBe(2);
      expect(await tagsOf(ids[1]!)).toEqual(['GREEN', 'red']);
      expect(await store.renameTag('green', 'Blue 2')).toBe(2);
      expect(await store.renameTag('blue 2', 'red')).toBe(3);
      expect(await Promise.all(ids.map(tagsOf))).toEqual([['red'], ['red'], ['red']]);
      expect(await store.renameTag('red', undefined)).toBe(3);
      expect(await store.renameTag('red', undefined)).toBe(0);
      expect(await store.listTags()).toEqual([]);
      expect((await news()).at(-1)).toEqual({ type: 'tagged', transactionId: ids[2], tags: [] });
      expect((await store.snapshot(account.id, inbox.id)).modSeq).toBe(modSeq);
    });

    test('go with the last copy, and survive a restart', async () => {
      const subject = await withThree();
      const { ids } = subject;
      await subject.store.deleteTransactions([ids[0]!]);
      expect(await subject.store.listTags()).toEqual([{ tag: 'Blue 2', count: 1 }]);
      await subject.reopen();
      expect(await subject.store.listTags()).toEqual([{ tag: 'Blue 2', count: 1 }]);
    });

    test('that cannot be tags are refused, and nothing is changed', async () => {
      const { store, ids, tagsOf, account } = await withThree();
      for (const tag of ['', ' x', 'ä', 'a,b', 'x'.repeat(101), "'; --"]) {
        await expect(store.setTags([ids[0]!], ['good', tag])).rejects.toMatchObject(refusal('CANNOT'));
        await expect(store.renameTag('red', tag)).rejects.toMatchObject(refusal('CANNOT'));
        const bad = transaction([{ account: account.id, mailbox: 'INBOX' }], 'x', { tags: [tag] });
        await expect(store.accept(bad)).rejects.toMatchObject(refusal('CANNOT'));
      }
      expect(await tagsOf(ids[0]!)).toEqual(['Blue 2', 'red']);
      expect((await store.figures()).transactions).toBe(3);
    });
  });
}
