import { describe, expect, test } from 'vitest';
import type { MailboxId, ModSeq } from '../../src/store/change.ts';
import {
  append,
  contents,
  counters,
  openedWithAccount,
  refusal,
  transaction,
  type StoreFactory,
} from './store-under-test.ts';

export function describeMailboxes(factory: StoreFactory): void {
  describe('mailboxes', () => {
    test('are made with their superior names', async () => {
      const { store, account } = await openedWithAccount(factory);
      const made = await store.createMailbox(account.id, 'a/b/c');
      expect(made).toMatchObject({ name: 'a/b/c', messages: 0, uidNext: 1, subscribed: false, specialUse: [] });
      expect(made.highestModSeq).toBeGreaterThanOrEqual(1);
      const names = (await store.listMailboxes(account.id)).map(({ name }) => name);
      expect(names).toEqual(['INBOX', 'Archive', 'Drafts', 'Junk', 'Sent', 'Trash', 'a', 'a/b', 'a/b/c']);
    });

    test('INBOX is compared without case, other names with it; names are NFC', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      expect(await store.findMailbox(account.id, 'iNbOx')).toEqual(inbox);
      expect((await store.createMailbox(account.id, 'inbox/Cafe\u0301')).name).toBe('INBOX/Caf\u00e9');
      expect(await store.findMailbox(account.id, 'INBOX/Caf\u00e9')).toBeDefined();
      expect(await store.findMailbox(account.id, 'archive')).toBeUndefined();
      expect(await store.findMailbox(account.id, inbox.id)).toEqual(inbox);
    });

    test('get a new UIDVALIDITY, and keep their UIDs', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const uids = await append(store, account.id, 'INBOX', ['one', 'two']);
      const before = await store.snapshot(account.id, inbox.id);
      const renewed = await store.renewUidValidity(account.id, inbox.id);
      expect(renewed).toBeGreaterThan(before.mailbox.uidValidity);
      const after = await store.snapshot(account.id, inbox.id);
      expect(after.mailbox).toMatchObject({ uidValidity: renewed, uidNext: before.mailbox.uidNext });
      expect([...after.uids.slice(0, after.count)]).toEqual(uids);
      // It came from the counter of all mailboxes.
      expect((await store.createMailbox(account.id, 'later')).uidValidity).toBeGreaterThan(renewed);
      const again = await store.renewUidValidity(account.id, inbox.id);
      expect(again).toBeGreaterThan((await store.findMailbox(account.id, 'later'))!.uidValidity);
      const bob = await store.createAccount({ address: 'bob@glass.test', passwordRecord: undefined });
      await expect(store.renewUidValidity(bob.id, inbox.id)).rejects.toMatchObject(refusal('NONEXISTENT'));
    });

    test('of another account are not seen', async () => {
      const { store, inbox } = await openedWithAccount(factory);
      const bob = await store.createAccount({ address: 'bob@glass.test', passwordRecord: undefined });
      expect(await store.findMailbox(bob.id, inbox.id)).toBeUndefined();
      await expect(store.snapshot(bob.id, inbox.id)).rejects.toMatchObject(refusal('NONEXISTENT'));
      const all = { onlyDeleted: false };
      await expect(store.expunge(bob.id, inbox.id, all)).rejects.toMatchObject(refusal('NONEXISTENT'));
      const seen = { mode: 'add', flags: ['\\Seen'] } as const;
      await expect(store.storeFlags(bob.id, inbox.id, [1], seen)).rejects.toMatchObject(refusal('NONEXISTENT'));
      await expect(store.copyMessages(bob.id, inbox.id, [1], 'INBOX')).rejects.toMatchObject(refusal('NONEXISTENT'));
      await expect(store.claimRecent(bob.id, inbox.id)).rejects.toMatchObject(refusal('NONEXISTENT'));
      const fetched = store.fetchMessages(bob.id, inbox.id, [1], {})[Symbol.asyncIterator]().next();
      await expect(fetched).rejects.toMatchObject(refusal('NONEXISTENT'));
    });

    test.each([
      ['INBOX', 'INBOX', 'ALREADYEXISTS'],
      ['a mailbox that is there', 'Sent', 'ALREADYEXISTS'],
      ['the empty name', '', 'CANNOT'],
      ['an empty first level', '/a', 'CANNOT'],
      ['an empty last level', 'a/', 'CANNOT'],
      ['an empty level between', 'a//b', 'CANNOT'],
      ['a control character', 'a\tb', 'CANNOT'],
      ['one of Unicode', 'a\u0085b', 'CANNOT'],
      ['half a character', '\ud800', 'CANNOT'],
      ['too many octets', 'x'.repeat(1001), 'LIMIT'],
      ['too many octets in few characters', 'ä'.repeat(501), 'LIMIT'],
      ['too many levels', Array(51).fill('x').join('/'), 'LIMIT'],
    ] as const)('CREATE of %s is refused', async (_, name, code) => {
      const { store, account } = await openedWithAccount(factory);
      await expect(store.createMailbox(account.id, name)).rejects.toMatchObject(refusal(code));
      expect(await store.listMailboxes(account.id)).toHaveLength(6);
    });

    test('names may be as long and deep as the limits', async () => {
      const { store, account } = await openedWithAccount(factory);
      expect((await store.createMailbox(account.id, 'x'.repeat(1000))).name).toHaveLength(1000);
      expect((await store.createMailbox(account.id, Array(50).fill('x').join('/'))).name).toHaveLength(99);
    });

    test('an account has at most 10,000', async () => {
      const { store, account } = await openedWithAccount(factory);
      const deep = (i: number, levels: number) =>
        store.createMailbox(account.id, Array(levels).fill(`m${i}`).join('/'));
      await Promise.all(Array.from({ length: 199 }, (_, i) => deep(i, 50)));
      const room = 10_000 - 6 - 199 * 50;
      await expect(deep(1000, room + 1)).rejects.toMatchObject(refusal('LIMIT'));
      await deep(1000, room);
      await expect(deep(1001, 1)).rejects.toMatchObject(refusal('LIMIT'));
      await expect(store.renameMailbox(account.id, 'm1', 'not/there')).rejects.toMatchObject(refusal('LIMIT'));
      await store.renameMailbox(account.id, 'm1', 'renamed');
      const delivery = { account: account.id, mailbox: 'one more' };
      await expect(store.accept(transaction([delivery], 'x'))).rejects.toMatchObject(refusal('LIMIT'));
      expect(await store.listMailboxes(account.id)).toHaveLength(10_000);
    });

    test('an account has at most 20,000 subscriptions, of names that may not exist', async () => {
      const { store, account } = await openedWithAccount(factory);
      const room = 20_000 - (await store.listSubscriptions(account.id)).length;
      await Promise.all(Array.from({ length: room }, (_, i) => store.setSubscribed(account.id, `no ${i}`, true)));
      await expect(store.setSubscribed(account.id, 'one more', true)).rejects.toMatchObject(refusal('LIMIT'));
      await store.setSubscribed(account.id, 'no 1', false);
      await store.setSubscribed(account.id, 'one more', true);
    });

    test('a special use belongs to one mailbox', async () => {
      const { store, account } = await openedWithAccount(factory);
      const sent = store.createMailbox(account.id, 'Sent too', ['\\Sent']);
      await expect(sent).rejects.toMatchObject(refusal('USEATTR'));
      await expect(store.createMailbox(account.id, 'All', ['\\All'])).rejects.toMatchObject(refusal('USEATTR'));
      await store.deleteMailbox(account.id, 'Sent');
      expect((await store.createMailbox(account.id, 'Sent too', ['\\Sent'])).specialUse).toEqual(['\\Sent']);
    });

    test('DELETE takes the messages along and leaves inferior names', async () => {
      const { store, account } = await openedWithAccount(factory);
      await store.createMailbox(account.id, 'a/b');
      const a = (await store.findMailbox(account.id, 'a'))!;
      await append(store, account.id, 'a', ['x']);
      await store.deleteMailbox(account.id, 'a');
      expect(await store.findMailbox(account.id, 'a')).toBeUndefined();
      expect(await store.findMailbox(account.id, 'a/b')).toBeDefined();
      expect(await store.figures()).toMatchObject({ messages: 0 });
      await expect(store.snapshot(account.id, a.id)).rejects.toMatchObject(refusal('NONEXISTENT'));
      await expect(store.deleteMailbox(account.id, 'a')).rejects.toMatchObject(refusal('NONEXISTENT'));
      await expect(store.deleteMailbox(account.id, 'a//b')).rejects.toMatchObject(refusal('NONEXISTENT'));
      await expect(store.deleteMailbox(account.id, 'inbox')).rejects.toMatchObject(refusal('CANNOT'));
    });

    test('a name that is used again gets a higher UIDVALIDITY, also by renaming', async () => {
      const { store, account } = await openedWithAccount(factory);
      const older = await store.createMailbox(account.id, 'older');
      const first = await store.createMailbox(account.id, 'again');
      await store.deleteMailbox(account.id, 'again');
      const second = await store.createMailbox(account.id, 'again');
      expect(second.uidValidity).toBeGreaterThan(first.uidValidity);
      expect(second.id).not.toBe(first.id);
      await store.deleteMailbox(account.id, 'again');
      await store.renameMailbox(account.id, 'older', 'again');
      const third = (await store.findMailbox(account.id, 'again'))!;
      expect(third.id).toBe(older.id);
      expect(third.uidValidity).toBeGreaterThan(second.uidValidity);
    });

    test('RENAME takes inferior names along', async () => {
      const { store, account } = await openedWithAccount(factory);
      await store.createMailbox(account.id, 'a/b/c');
      await store.createMailbox(account.id, 'a0');
      const before = (await store.findMailbox(account.id, 'a/b/c'))!;
      await store.renameMailbox(account.id, 'a', 'x/y');
      const names = (await store.listMailboxes(account.id)).map(({ name }) => name).slice(6);
      expect(names).toEqual(['a0', 'x', 'x/y', 'x/y/b', 'x/y/b/c']);
      const after = (await store.findMailbox(account.id, 'x/y/b/c'))!;
      expect(after).toMatchObject({ id: before.id, uidValidity: before.uidValidity });
    });

    test('RENAME refuses what it must, and then changes nothing', async () => {
      const { store, account } = await openedWithAccount(factory);
      await store.createMailbox(account.id, 'a/b');
      await store.createMailbox(account.id, 'c');
      const rename = (from: string, to: string): Promise<void> => store.renameMailbox(account.id, from, to);
      await expect(rename('nothing', 'x')).rejects.toMatchObject(refusal('NONEXISTENT'));
      await expect(rename('a', 'c')).rejects.toMatchObject(refusal('ALREADYEXISTS'));
      await expect(rename('a', 'INBOX')).rejects.toMatchObject(refusal('ALREADYEXISTS'));
      await expect(rename('INBOX', 'c')).rejects.toMatchObject(refusal('ALREADYEXISTS'));
      await expect(rename('a', 'a/d')).rejects.toMatchObject(refusal('CANNOT'));
      await expect(rename('a', 'x//y')).rejects.toMatchObject(refusal('CANNOT'));
      await expect(rename('a', 'x'.repeat(999))).rejects.toMatchObject(refusal('LIMIT'));
      expect((await store.listMailboxes(account.id)).map(({ name }) => name).slice(6)).toEqual(['a', 'a/b', 'c']);
    });

    test('RENAME of INBOX moves its messages into a new mailbox', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await store.createMailbox(account.id, 'INBOX/sub');
      await append(store, account.id, 'INBOX', ['one', 'two'], ['\\Seen']);
      await store.renameMailbox(account.id, 'INBOX', 'old/mail');
      const old = (await store.findMailbox(account.id, 'old/mail'))!;
      expect(old.id).not.toBe(inbox.id);
      expect((await contents(store, account.id, old.id)).map(({ flags }) => flags)).toEqual([['\\Seen'], ['\\Seen']]);
      const left = (await store.findMailbox(account.id, 'INBOX'))!;
      expect(left).toMatchObject({ id: inbox.id, uidValidity: inbox.uidValidity, uidNext: 3, messages: 0 });
      expect(await store.findMailbox(account.id, 'INBOX/sub')).toBeDefined();
    });

    test('names are subscribed whether mailboxes exist or not', async () => {
      const { store, account } = await openedWithAccount(factory);
      await store.setSubscribed(account.id, 'nowhere', true);
      await store.setSubscribed(account.id, 'inbox', false);
      expect(await store.listSubscriptions(account.id)).toContain('nowhere');
      expect(await store.listSubscriptions(account.id)).not.toContain('INBOX');
      expect((await store.findMailbox(account.id, 'INBOX'))!.subscribed).toBe(false);
      await store.setSubscribed(account.id, 'Sent', true);
      await store.deleteMailbox(account.id, 'Sent');
      expect(await store.listSubscriptions(account.id)).toContain('Sent'); // RFC 9051 §6.3.5
      await store.setSubscribed(account.id, 'nowhere', false);
      expect(await store.listSubscriptions(account.id)).not.toContain('nowhere');
      await expect(store.setSubscribed(account.id, 'a//b', true)).rejects.toMatchObject(refusal('CANNOT'));
    });

    test('what happens to them is in the change log', async () => {
      const { store, account } = await openedWithAccount(factory);
      const { modSeq } = await store.changesSince(account.id, 0 as ModSeq);
      const { id } = await store.createMailbox(account.id, 'a');
      await store.setSubscribed(account.id, 'a', true);
      await store.renameMailbox(account.id, 'a', 'b');
      await store.deleteMailbox(account.id, 'b');
      const { changes } = await store.changesSince(account.id, modSeq);
      expect(changes).toMatchObject([
        { type: 'mailbox-created', mailbox: id, name: 'a' },
        { type: 'mailbox-attributes', mailbox: id, name: 'a' },
        { type: 'mailbox-renamed', mailbox: id, name: 'b', oldName: 'a' },
        { type: 'mailbox-deleted', mailbox: id, name: 'b' },
      ]);
      expect(new Set(changes.map((change) => change.modSeq)).size).toBe(4);
    });

    test('\\Recent goes to one session', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['a', 'b']);
      expect(await store.claimRecent(account.id, inbox.id)).toEqual({ first: 1, next: 3 });
      expect(await store.claimRecent(account.id, inbox.id)).toEqual({ first: 3, next: 3 });
      expect((await store.snapshot(account.id, inbox.id)).mailbox.firstRecentUid).toBe(3);
      await append(store, account.id, 'INBOX', ['c']);
      expect(await store.claimRecent(account.id, inbox.id)).toEqual({ first: 3, next: 4 });
      await expect(store.claimRecent(account.id, 999 as MailboxId)).rejects.toMatchObject(refusal('NONEXISTENT'));
    });

    test('a maildrop is locked by one', async () => {
      const { store, account } = await openedWithAccount(factory);
      const bob = await store.createAccount({ address: 'bob@glass.test', passwordRecord: undefined });
      const lock = await store.lockMaildrop(account.id);
      expect(lock).toBeDefined();
      expect(await store.lockMaildrop(account.id)).toBeUndefined();
      expect(await store.lockMaildrop(bob.id)).toBeDefined();
      await lock![Symbol.asyncDispose]();
      const next = await store.lockMaildrop(account.id);
      expect(next).toBeDefined();
      await lock![Symbol.asyncDispose](); // a second time: not another's lock
      expect(await store.lockMaildrop(account.id)).toBeUndefined();
    });

    test('counters and numbers outlive a restart', async () => {
      const subject = await openedWithAccount(factory);
      await append(subject.store, subject.account.id, 'INBOX', ['a', 'bb'], ['\\Deleted']);
      const before = (await subject.store.findMailbox(subject.account.id, 'INBOX'))!;
      expect(counters(before)).toEqual({ messages: 2, unseen: 2, deleted: 2, octets: 3 });
      await subject.store.expunge(subject.account.id, before.id, { onlyDeleted: true });
      await subject.reopen();
      const after = (await subject.store.findMailbox(subject.account.id, 'INBOX'))!;
      expect(counters(after)).toEqual({ messages: 0, unseen: 0, deleted: 0, octets: 0 });
      expect(after.uidNext).toBe(3);
      expect(await append(subject.store, subject.account.id, 'INBOX', ['c'])).toEqual([3]);
    });
  });
}
