import { describe, expect, test } from 'vitest';
import type { TransactionEvent, TransactionFilter } from '../../src/store/mail-store.ts';
import { append, contents, message, openedWithAccount, transaction, type StoreFactory } from './store-under-test.ts';

const all = { start: 0, limit: 100 };

export function describeTransactions(factory: StoreFactory): void {
  describe('transactions', () => {
    test('are listed newest first, with what a list shows', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const text = message(
        [
          'From: Ann <ann@one.test>',
          'To: alice@glass.test, Bob <bob@two.test>',
          'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=',
          'Message-ID: <1@one.test>',
        ],
        'First line.\r\n',
      );
      const older = await store.accept(
        transaction([{ account: account.id, mailbox: 'INBOX' }], text, { returnType: 'HDRS' }),
      );
      const newer = await store.accept(transaction([{ account: account.id, mailbox: 'INBOX' }], 'x'));
      await append(store, account.id, 'Sent', ['appended: not listed']);
      const list = await store.listTransactions({}, all);
      expect(list).toMatchObject({ total: 2, unread: 2, matches: 2, unreadMatches: 2 });
      expect(list.items.map(({ transactionId }) => transactionId)).toEqual(
        [newer, older].map((each) => each.transactionId),
      );
      const expected = {
        transactionId: older.transactionId,
        emailId: older.emailId,
        reversePath: 'sender@else.test',
        returnType: 'HDRS',
        forwardPaths: [{ address: 'alice@glass.test' }],
        receivedAt: new Date('2025-07-01T12:00:00.123Z'),
        origin: {
          service: 'smtp',
          conversation: 'c1',
          remoteAddress: '192.0.2.1',
          helo: 'else.test',
          login: undefined,
          tls: undefined,
        },
        receivedOctets: text.length,
        traceOctets: 33,
        read: false,
        messageId: '1@one.test',
        subject: 'Grüße',
        from: { name: 'Ann', address: 'ann@one.test' },
        to: [
          { name: '', address: 'alice@glass.test' },
          { name: 'Bob', address: 'bob@two.test' },
        ],
        cc: [],
        bcc: [],
        replyTo: [],
        attachments: 0,
        snippet: 'First line.',
        tags: [],
        copies: [
          {
            account: account.id,
            mailbox: inbox.id,
            mailboxName: 'INBOX',
            address: 'alice@glass.test',
            uid: 1,
            flags: [],
          },
        ],
      };
      expect(list.items[1]).toEqual(expected);
      await store.indexed(); // what is indexed is derived
      expect(await store.findTransaction(older.transactionId)).toEqual(expected);
      expect((await store.findTransaction('latest'))?.transactionId).toBe(newer.transactionId);
      expect(await store.findTransaction('nothing')).toBeUndefined();
    });

    test('come page by page, and from before a time', async () => {
      const { store, account } = await openedWithAccount(factory);
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) {
        const receivedAt = new Date(Date.UTC(2025, 0, i + 1));
        const delivery = [{ account: account.id, mailbox: 'INBOX' }];
        ids.unshift((await store.accept(transaction(delivery, `n${i}`, { receivedAt }))).transactionId);
      }
      const page = async (...args: Parameters<typeof store.listTransactions>) =>
        (await store.listTransactions(...args)).items.map(({ transactionId }) => transactionId);
      for (const filter of [{}, { read: false }, { account: account.id }] satisfies TransactionFilter[]) {
        expect(await page(filter, { start: 1, limit: 2 })).toEqual(ids.slice(1, 3));
        expect(await page(filter, { start: 4, limit: 2 })).toEqual(ids.slice(4));
        expect(await page(filter, { start: 0, limit: 9, before: new Date(Date.UTC(2025, 0, 3)) })).toEqual(
          ids.slice(3),
        );
      }
      expect((await store.listTransactions({}, { start: 0, limit: 0 })).items).toEqual([]);
    });

    test('are one entry, however many recipients; reading and deleting act on all copies', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const bob = await store.createAccount({ address: 'bob@glass.test', passwordRecord: undefined });
      const both = [account.id, bob.id].map((each) => ({ account: each, mailbox: 'INBOX' }));
      const { transactionId } = await store.accept(transaction(both, 'x'));
      await store.copyMessages(account.id, inbox.id, [1], 'Archive');
      expect(await store.listTransactions({}, all)).toMatchObject({ total: 1, unread: 1 });

      expect(await store.markTransactions([transactionId], true)).toBe(1);
      const bobs = (await store.findMailbox(bob.id, 'INBOX'))!;
      expect((await contents(store, bob.id, bobs.id))[0]!.flags).toEqual(['\\Seen']);
      const archive = (await store.findMailbox(account.id, 'Archive'))!;
      expect(archive.unseen).toBe(0);
      expect((await store.findTransaction(transactionId))!.read).toBe(true);
      expect(await store.listTransactions({}, all)).toMatchObject({ total: 1, unread: 0 });

      // Unread again as soon as one copy is.
      await store.storeFlags(bob.id, bobs.id, [1], { mode: 'remove', flags: ['\\Seen'] });
      expect(await store.listTransactions({}, all)).toMatchObject({ unread: 1 });
      await store.expunge(bob.id, bobs.id, { onlyDeleted: false });
      expect(await store.listTransactions({}, all)).toMatchObject({ total: 1, unread: 0 });

      expect(await store.deleteTransactions([transactionId, 'unknown'])).toBe(1);
      expect(await contents(store, account.id, inbox.id)).toEqual([]);
      expect(await contents(store, account.id, archive.id)).toEqual([]);
      expect(await store.listTransactions({}, all)).toMatchObject({ total: 0, unread: 0, matches: 0 });
      expect(await store.figures()).toMatchObject({ transactions: 0, unreadTransactions: 0, deletedTransactions: 1 });
      expect(await store.findContent(transactionId)).toBeUndefined();
    });

    test('leave the list with their last copy', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const { transactionId, emailId } = await store.accept(
        transaction([{ account: account.id, mailbox: 'INBOX' }], 'x'),
      );
      await store.moveMessages(account.id, inbox.id, [1], 'Trash');
      expect((await store.findTransaction(transactionId))?.copies).toMatchObject([{ mailboxName: 'Trash' }]);
      const { mailbox } = await store.moveMessages(
        account.id,
        (await store.findMailbox(account.id, 'Trash'))!.id,
        [1],
        'INBOX',
      );
      expect(mailbox).toBe(inbox.id);
      await store.storeFlags(account.id, inbox.id, [2], { mode: 'add', flags: ['\\Deleted'] });
      await store.expunge(account.id, inbox.id, { onlyDeleted: true });
      expect(await store.findTransaction(transactionId)).toBeUndefined();
      expect(await store.findContent(emailId)).toBeUndefined();
      expect(await store.figures()).toMatchObject({ transactions: 0, unreadTransactions: 0 });
    });

    test('can be without a local recipient', async () => {
      const { store } = await openedWithAccount(factory);
      const { transactionId, copies } = await store.accept(transaction([], 'x'));
      expect(copies).toEqual([]);
      expect(await store.findTransaction(transactionId)).toMatchObject({ copies: [], read: true });
      expect(await store.deleteTransactions([transactionId])).toBe(1);
      expect(await store.listTransactions({}, all)).toMatchObject({ total: 0, items: [] });
    });

    test('pass a filter', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const scoped = await store.createAccount({ address: 's@glass.test', passwordRecord: undefined, owner: 'scope' });
      const put = async (accounts: readonly (typeof account.id)[], subject: string) => {
        const deliveries = accounts.map((each) => ({ account: each, mailbox: 'INBOX' }));
        return (await store.accept(transaction(deliveries, message([`Subject: ${subject}`])))).transactionId;
      };
      const red = await put([account.id], 'red car');
      const blue = await put([scoped.id], 'blue car');
      const both = await put([account.id, scoped.id], 'red bike');
      const list = async (filter: TransactionFilter) => {
        const { total, matches, items } = await store.listTransactions(filter, all);
        return { total, matches, ids: items.map(({ transactionId }) => transactionId) };
      };
      const reds = { type: 'header', name: 'Subject', text: 'red' } as const;
      expect(await list({ owner: 'scope' })).toEqual({ total: 2, matches: 2, ids: [both, blue] });
      expect(await list({ owner: 'other' })).toEqual({ total: 0, matches: 0, ids: [] });
      expect(await list({ account: account.id })).toEqual({ total: 3, matches: 2, ids: [both, red] });
      expect(await list({ query: reds })).toEqual({ total: 3, matches: 2, ids: [both, red] });
      expect(await list({ owner: 'scope', query: reds })).toEqual({ total: 2, matches: 1, ids: [both] });
      expect(await list({ query: { type: 'not', query: reds }, account: scoped.id })).toMatchObject({ ids: [blue] });
      await store.storeFlags(account.id, inbox.id, [1], { mode: 'add', flags: ['\\Seen', 'tag'] });
      expect(await list({ read: true })).toMatchObject({ matches: 1, ids: [red] });
      expect(await list({ read: false })).toMatchObject({ matches: 2, ids: [both, blue] });
      expect(await list({ query: { type: 'flag', flag: '\\Seen' } })).toMatchObject({ ids: [red] });
      expect(await list({ query: { type: 'flag', flag: 'TAG' } })).toMatchObject({ ids: [red] });
      expect(await list({ query: { type: 'larger', octets: 61 } })).toMatchObject({ ids: [both, blue] });
      expect((await store.findTransaction('latest', { query: { type: 'text', text: 'car' } }))?.transactionId).toBe(
        blue,
      );
      expect(await store.findTransaction(red, { owner: 'scope' })).toBeUndefined();
      expect(await store.findTransaction(red, { account: account.id })).toBeDefined();

      expect(await store.markTransactions(undefined, true, { owner: 'scope' })).toBe(2);
      // The copies of others are left as they are.
      expect(await list({ read: false })).toMatchObject({ ids: [both] });
      // And the owner is told of the own ones.
      expect(await store.listTransactions({ owner: 'scope' }, all)).toMatchObject({
        unread: 0,
        items: [{ read: true }, { read: true }],
      });
      expect(await list({ owner: 'scope', read: true })).toMatchObject({ ids: [both, blue] });
      expect(await store.findTransaction(both, { owner: 'scope', read: true })).toMatchObject({ read: true });
      expect(await store.findTransaction(both)).toMatchObject({ read: false });
      expect(await store.deleteTransactions([red, both], { owner: 'scope' })).toBe(1);
      expect(await list({ owner: 'scope' })).toMatchObject({ ids: [blue] });
      expect(await list({})).toMatchObject({ ids: [both, blue, red] });
      expect(await store.deleteTransactions(undefined)).toBe(3);
      expect(await list({})).toMatchObject({ total: 0, ids: [] });
    });

    test('have events behind a cursor', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const scoped = await store.createAccount({ address: 's@glass.test', passwordRecord: undefined, owner: 'scope' });
      const old = await store.accept(transaction([{ account: account.id, mailbox: 'INBOX' }], 'old'));
      const start = await store.transactionEvents(undefined);
      expect(start).toMatchObject({ events: [], tooOld: false });
      const fresh = await store.accept(transaction([{ account: scoped.id, mailbox: 'INBOX' }], 'new'));
      await store.storeFlags(account.id, inbox.id, [1], { mode: 'add', flags: ['\\Seen'] });
      await store.markTransactions([old.transactionId], false);
      const first = await store.transactionEvents(start.cursor);
      expect(withoutCursors(first.events)).toEqual([
        { type: 'new', transactionId: fresh.transactionId },
        { type: 'read', transactionId: old.transactionId, read: true },
        { type: 'read', transactionId: old.transactionId, read: false },
      ]);
      await store.expunge(account.id, inbox.id, { onlyDeleted: false });
      await store.deleteTransactions([fresh.transactionId]);
      const second = await store.transactionEvents(first.cursor);
      expect(withoutCursors(second.events)).toEqual([
        { type: 'deleted', transactionId: old.transactionId },
        { type: 'deleted', transactionId: fresh.transactionId },
      ]);
      expect((await store.transactionEvents(second.cursor)).events).toEqual([]);
      // What came and went in between is only said to be gone.
      const scope = await store.transactionEvents(start.cursor, { owner: 'scope' });
      expect(withoutCursors(scope.events)).toEqual([{ type: 'deleted', transactionId: fresh.transactionId }]);
      for (const cursor of ['', 'nonsense', '00000000.1.1', `${start.cursor}9999`]) {
        expect(await store.transactionEvents(cursor)).toMatchObject({ tooOld: true, events: [] });
      }
    });

    test('have a cursor in each event: whoever goes on after one misses nothing and sees nothing twice', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const { cursor: start } = await store.transactionEvents(undefined);
      const ids: string[] = [];
      for (let i = 0; i < 5; i++)
        ids.push((await store.accept(transaction([{ account: account.id, mailbox: 'INBOX' }], `n${i}`))).transactionId);
      await store.storeFlags(account.id, inbox.id, [2], { mode: 'add', flags: ['\\Seen'] });
      await store.deleteTransactions([ids[0]!]);
      const { events } = await store.transactionEvents(start);
      expect(events.map(({ type }) => type)).toEqual(['new', 'new', 'new', 'new', 'read', 'deleted']);
      for (const [index, { cursor }] of events.entries()) {
        const after = await store.transactionEvents(cursor);
        expect(withoutCursors(after.events)).toEqual(withoutCursors(events.slice(index + 1)));
      }
    });

    test('and any email have content with its tree', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const text = message(['Subject: x', 'Content-Type: text/html']);
      const { transactionId, emailId } = await store.accept(
        transaction([{ account: account.id, mailbox: 'INBOX' }], text),
      );
      for (const id of [transactionId, emailId]) {
        const found = (await store.findContent(id))!;
        expect(found.content).toMatchObject({ size: 33 + text.length, traceSize: 33 });
        expect(found.tree).toMatchObject({ type: 'text', subtype: 'html' });
      }
      await append(store, account.id, 'INBOX', [text]);
      const appended = (await contents(store, account.id, inbox.id))[1]!;
      expect((await store.findContent(appended.emailId))!.content.traceSize).toBe(0);
      expect(await store.findContent('nothing')).toBeUndefined();
    });

    test('and any email tell where their copies lie, to an owner only the own ones', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const other = await store.createAccount({ address: 'o@scope.test', passwordRecord: undefined, owner: 'scope' });
      const { emailId } = await store.accept(
        transaction(
          [
            { account: account.id, mailbox: 'INBOX' },
            { account: other.id, mailbox: 'INBOX', flags: ['\\Seen'] },
          ],
          'x',
        ),
      );
      const copied = await store.copyMessages(account.id, inbox.id, [1], 'Archive');
      const { modSeq } = await store.storeFlags(account.id, inbox.id, [1], { mode: 'add', flags: ['\\Flagged'] });
      const all = await store.findCopies(emailId);
      expect(all).toHaveLength(3);
      expect(all).toContainEqual({
        ...{ account: account.id, address: account.address, mailbox: inbox.id, mailboxName: 'INBOX', uid: 1 },
        ...{ uidValidity: inbox.uidValidity, modSeq, flags: ['\\Flagged'] },
        internalDate: new Date('2025-07-01T12:00:00Z'),
        savedDate: expect.any(Date) as Date,
      });
      expect(all).toContainEqual(
        expect.objectContaining({ mailbox: copied.mailbox, mailboxName: 'Archive', uidValidity: copied.uidValidity }),
      );
      const own = await store.findCopies(emailId, 'scope');
      expect(own.map(({ address, flags }) => [address, flags])).toEqual([['o@scope.test', ['\\Seen']]]);
      await store.expunge(account.id, inbox.id, { onlyDeleted: false });
      expect(await store.findCopies(emailId)).toHaveLength(2);
      expect(await store.findCopies(999_999 as typeof emailId)).toEqual([]);
    });
  });
}

/** What two readers of the same news hear alike. */
function withoutCursors(events: readonly TransactionEvent[]): object[] {
  return events.map(({ cursor: _, ...event }) => event);
}
