import { describe, expect, test } from 'vitest';
import type { SortKeyName } from '../../src/store/sort-keys.ts';
import { append, internalDate, message, openedWithAccount, type StoreFactory } from './store-under-test.ts';

const MAIL = [
  [
    'From: Zoe <ann@x.test>',
    'To: b@x.test',
    'Subject: pear',
    'Date: Tue, 1 Jul 2025 10:00:00 +0200',
    'Message-ID: <1@x>',
  ],
  ['From: ann@x.test', 'Cc: carl@x.test', 'Subject: Re: APPLE', 'References: <1@x> <2@x>', 'Message-ID: <3@x>'],
  ['Subject: apple', 'Date: Tue, 1 Jul 2025 09:00:00 +0000', 'In-Reply-To: <1@x>'],
  ['From: =?utf-8?Q?=C3=84nne?= <dora@x.test>', 'Date: no date'],
];

async function withMail(factory: StoreFactory) {
  const subject = await openedWithAccount(factory);
  const { store, account, inbox } = subject;
  await append(
    store,
    account.id,
    'INBOX',
    MAIL.map((fields) => message(fields)),
  );
  const keys = async (name: SortKeyName, ...uids: number[]) => [
    ...(await store.sortKeys(account.id, inbox.id, Uint32Array.from(uids), name)),
  ];
  /** The UIDs in the order of their keys, those with the same key together. */
  const order = async (name: SortKeyName, ...uids: number[]) => {
    const found = await keys(name, ...uids);
    const distinct = [...new Set(found)].sort((a, b) => a - b);
    return distinct.map((key) => uids.filter((_, i) => found[i] === key));
  };
  return Object.assign(subject, { keys, order });
}

const seconds = (text: string) => Date.parse(text) / 1000;

async function expectKeys({ keys, order }: Awaited<ReturnType<typeof withMail>>): Promise<void> {
  expect(await keys('sent-date', 1, 2, 3, 4)).toEqual([
    seconds('2025-07-01T08:00:00Z'),
    internalDate.getTime() / 1000, // none
    seconds('2025-07-01T09:00:00Z'),
    internalDate.getTime() / 1000, // none that could be read
  ]);
  expect(await order('subject', 1, 2, 3, 4)).toEqual([[4], [2, 3], [1]]);
  expect((await keys('subject', 4))[0]).toBe(0);
  expect(await order('from', 1, 2, 3, 4)).toEqual([[3], [1, 2], [4]]);
  expect(await order('to', 1, 2, 3, 4)).toEqual([[2, 3, 4], [1]]);
  expect(await order('cc', 1, 2, 3, 4)).toEqual([[1, 3, 4], [2]]);
  expect(await order('display-from', 1, 2, 3, 4)).toEqual([[3], [2], [4], [1]]);
  expect(await order('display-to', 1, 2, 3, 4)).toEqual([[2, 3, 4], [1]]);
}

export function describeSortKeys(factory: StoreFactory): void {
  describe('sort keys', () => {
    test('before anything is derived, and after', async () => {
      const subject = await withMail(factory);
      await expectKeys(subject);
      await subject.store.indexed();
      await expectKeys(subject);
      await subject.reopen();
      await expectKeys(subject);
    });

    test('of some, and of what is not there', async () => {
      const { keys, order } = await withMail(factory);
      expect(await order('subject', 2, 4)).toEqual([[4], [2]]);
      expect(await keys('subject')).toEqual([]);
      expect(await keys('subject', 9)).toEqual([0]);
      expect(await keys('sent-date', 1, 9)).toEqual([seconds('2025-07-01T08:00:00Z'), 0]);
    });

    test('when messages come and go', async () => {
      const { store, account, inbox, order } = await withMail(factory);
      expect(await order('subject', 1, 2, 3, 4)).toEqual([[4], [2, 3], [1]]);
      await append(store, account.id, 'INBOX', [message(['Subject: banana']), message(['Subject: zebra'])]);
      expect(await order('subject', 1, 2, 3, 4, 5, 6)).toEqual([[4], [2, 3], [5], [1], [6]]);
      await store.expunge(account.id, inbox.id, { uids: [2, 5], onlyDeleted: false });
      await append(store, account.id, 'INBOX', [message(['Subject: Apple']), message(['Subject: aardvark'])]);
      expect(await order('subject', 1, 3, 4, 6, 7, 8)).toEqual([[4], [8], [3, 7], [1], [6]]);
      await store.copyMessages(account.id, inbox.id, [1], 'INBOX');
      expect(await order('subject', 1, 3, 9)).toEqual([[3], [1, 9]]);
    });

    test('asked for by several at once', async () => {
      const { store, account, order } = await withMail(factory);
      const asked = Array.from({ length: 5 }, () => order('subject', 1, 2, 3, 4));
      asked.push(
        append(store, account.id, 'INBOX', [message(['Subject: banana'])]).then(() => order('subject', 1, 2, 3, 4)),
      );
      for (const found of await Promise.all(asked)) expect(found).toEqual([[4], [2, 3], [1]]);
      expect(await order('subject', 1, 2, 3, 4, 5)).toEqual([[4], [2, 3], [5], [1]]);
    });

    test('of very many texts', async () => {
      const { store, account, order } = await openedAndEmpty(factory);
      const subjects = Array.from({ length: 5000 }, (_, i) => `s${(i * 7919) % 5000}`);
      await append(
        store,
        account.id,
        'INBOX',
        subjects.map((subject) => message([`Subject: ${subject}`])),
      );
      const uids = subjects.map((_, i) => i + 1);
      const sorted = uids.toSorted((a, b) => (subjects[a - 1]! < subjects[b - 1]! ? -1 : 1));
      expect((await order('subject', ...uids)).flat()).toEqual(sorted);
    });

    test('of a large message', async () => {
      const { store, account, keys, order } = await withMail(factory);
      await using spool = store.spool();
      await spool.write(Buffer.from(message(['Subject: bread', 'From: q@x'], 'x'.repeat(500_000))));
      const content = await spool.finish();
      await store.appendMessages(account.id, 'INBOX', [{ content, flags: [], internalDate }]);
      expect(await order('subject', 1, 3, 5)).toEqual([[3], [5], [1]]);
      expect(await keys('sent-date', 5)).toEqual([internalDate.getTime() / 1000]);
    });

    test('thread keys', async () => {
      const { store, account, inbox } = await withMail(factory);
      const of = async (...uids: number[]) => {
        const { messageIds, references, starts, replies } = await store.threadKeys(
          account.id,
          inbox.id,
          Uint32Array.from(uids),
        );
        const named = uids.map((_, i) => [...references.subarray(starts[i], starts[i + 1])]);
        return { ids: [...messageIds], named, replies: [...replies] };
      };
      const check = async () => {
        const { ids, named, replies } = await of(1, 2, 3, 4);
        const [first, third] = ids as [number, number];
        expect(ids).toEqual([first, third, 0, 0]);
        expect(new Set([first, third, 0]).size).toBe(3);
        const [, second] = named[1]!;
        expect(named).toEqual([[], [first, second], [first], []]);
        expect(ids).not.toContain(second);
        expect(replies).toEqual([0, 1, 0, 0]);
      };
      await check();
      await store.indexed();
      await check();
      const before = await of(2, 3);
      await store.expunge(account.id, inbox.id, { uids: [1], onlyDeleted: false });
      await append(store, account.id, 'INBOX', [message(['Message-ID: <2@x>', 'References: <1@x>'])]);
      const after = await of(1, 2, 3, 5);
      expect(after.named.slice(0, 3)).toEqual([[], ...before.named]);
      expect(after.ids.slice(0, 3)).toEqual([0, ...before.ids]);
      expect(after.ids[3]).toBe(before.named[0]![1]); // <2@x>
      expect(after.named[3]).toEqual(before.named[1]); // <1@x>
    });

    test('refused where there is no such mailbox', async () => {
      const { store, account } = await withMail(factory);
      const asked = store.sortKeys(account.id, 999 as never, Uint32Array.of(1), 'subject');
      await expect(asked).rejects.toMatchObject({ code: 'NONEXISTENT' });
    });
  });
}

async function openedAndEmpty(factory: StoreFactory) {
  const subject = await withMail(factory);
  await subject.store.expunge(subject.account.id, subject.inbox.id, { onlyDeleted: false });
  const { order, ...rest } = subject;
  // UIDs go on from where they were.
  return {
    ...rest,
    order: async (name: SortKeyName, ...uids: number[]) => {
      const found = await order(name, ...uids.map((uid) => uid + MAIL.length));
      return found.map((some) => some.map((uid) => uid - MAIL.length));
    },
  };
}
