/** Access control lists (RFC 4314) as a store keeps them, and what `SharedMailboxes` makes of them. */
import { describe, expect, test } from 'vitest';
import type { AccountId, MailboxId } from '../../src/store/change.ts';
import { othersName } from '../../src/store/other-users.ts';
import { ALL_RIGHTS, type AclChange, type Rights } from '../../src/store/rights.ts';
import { SharedMailboxes } from '../../src/store/shared-mailboxes.ts';
import {
  append,
  contents,
  counters,
  inMemory,
  internalDate,
  openedWithAccount,
  refusal,
  served,
  transaction,
  type StoreFactory,
} from './store-under-test.ts';

const BOB = 'bob@glass.test';

const give = (rights: Rights, identifier = BOB): AclChange => ({
  identifier,
  negative: false,
  mode: 'replace',
  rights,
});

/** Alice's INBOX with mail, and Bob, who may do nothing yet. */
async function withBob(factory: StoreFactory) {
  const subject = await openedWithAccount(factory);
  const { store, account: alice, inbox } = subject;
  const bob = await store.createAccount({ address: BOB, passwordRecord: undefined });
  await append(store, alice.id, 'INBOX', ['one\r\n', 'two\r\n', 'three\r\n']);
  return Object.assign(subject, { alice, bob, inbox, theirs: othersName(alice.address, 'INBOX') });
}

export function describeShared(factory: StoreFactory): void {
  describe('access control lists', () => {
    test('are changed entry by entry, and outlive a restart', async () => {
      const subject = await withBob(factory);
      const { alice, inbox } = subject;
      const change = (entry: AclChange): Promise<void> => subject.store.changeAcl(alice.id, inbox.id, entry);
      await change(give('rl'));
      await change({ ...give('sw', 'BOB@glass.test'), mode: 'add' });
      await change({ ...give('s'), mode: 'remove' });
      await change({ ...give('w'), negative: true });
      await change(give('l', 'anyone'));
      const list = [
        { identifier: 'anyone', negative: false, rights: 'l' },
        { identifier: BOB, negative: false, rights: 'lrw' },
        { identifier: BOB, negative: true, rights: 'w' },
      ];
      expect(await subject.store.listAcl(inbox.id)).toEqual(list);
      await subject.reopen();
      expect(await subject.store.listAcl(inbox.id)).toEqual(list);
      expect(await subject.store.rightsOf(subject.bob.id, inbox.id)).toBe('lr');
      await change({ ...give(ALL_RIGHTS), mode: 'remove' });
      await change({ ...give(ALL_RIGHTS), negative: true, mode: 'remove' });
      expect(await subject.store.listAcl(inbox.id)).toEqual([list[0]]);
      await expect(change(give('l', 'nobody@glass.test'))).rejects.toMatchObject(refusal('NONEXISTENT'));
      const elsewhere = subject.store.changeAcl(subject.bob.id, inbox.id, give('l'));
      await expect(elsewhere).rejects.toMatchObject(refusal('NONEXISTENT'));
    });

    test('go with their mailbox, and with the account that they name', async () => {
      const { store, alice, bob, inbox } = await withBob(factory);
      const { id } = await store.createMailbox(alice.id, 'Plans');
      await store.changeAcl(alice.id, id, give('l'));
      await store.changeAcl(alice.id, inbox.id, give('l'));
      await store.renameMailbox(alice.id, 'Plans', 'Plots');
      expect(await store.listAcl(id)).toHaveLength(1);
      await store.deleteMailbox(alice.id, 'Plots');
      expect(await store.listAcl(id)).toEqual([]);
      await store.deleteAccount(bob.id);
      expect(await store.listAcl(inbox.id)).toEqual([]);
    });

    test('are those of the superior mailbox at first, however a mailbox is made', async () => {
      const { store, alice } = await withBob(factory);
      const { id } = await store.createMailbox(alice.id, 'Team');
      await store.changeAcl(alice.id, id, give('lk'));
      const made = await store.createMailbox(alice.id, 'Team/2026/May');
      await store.accept(transaction([{ account: alice.id, mailbox: 'Team/Delivered' }], 'Subject: x\r\n\r\n'));
      for (const mailbox of [made, (await store.findMailbox(alice.id, 'Team/Delivered'))!]) {
        expect(await store.listAcl(mailbox.id)).toEqual([{ identifier: BOB, negative: false, rights: 'lk' }]);
      }
    });

    test('of anyone are about the accounts of one scope', async () => {
      const { store, alice, bob, inbox } = await withBob(factory);
      const scoped = await store.createAccount({
        address: 'carol@glass.test',
        passwordRecord: undefined,
        owner: 'test',
      });
      await store.changeAcl(alice.id, inbox.id, give('lr', 'anyone'));
      expect(await store.rightsOf(bob.id, inbox.id)).toBe('lr');
      expect(await store.listShared(bob.id)).toMatchObject([
        { address: alice.address, rights: 'lr', mailbox: { id: inbox.id, name: 'INBOX' } },
      ]);
      expect(await store.rightsOf(scoped.id, inbox.id)).toBe('');
      expect(await store.listShared(scoped.id)).toEqual([]);
      await store.changeAcl(alice.id, inbox.id, give('l', 'carol@glass.test'));
      expect(await store.rightsOf(scoped.id, inbox.id)).toBe('l');
      expect(await store.listShared(alice.id)).toEqual([]);
    });

    test('that change are news to the owner and to those who are concerned', async () => {
      const { store, notifier, alice, bob, inbox } = await withBob(factory);
      const told = new Set<number>();
      notifier.subscribe('all', (account) => told.add(account));
      const before = { alice: (await store.findAccount(alice.id))!.modSeq, bob: bob.modSeq };
      await store.changeAcl(alice.id, inbox.id, give('lr'));
      await store.changeAcl(alice.id, inbox.id, give('rl')); // nothing new
      const rights = { type: 'mailbox-rights', mailbox: inbox.id, name: 'INBOX' };
      const ofAlice = await store.changesSince(alice.id, before.alice);
      expect(ofAlice.changes).toMatchObject([rights]);
      expect((await store.changesSince(bob.id, before.bob)).changes).toMatchObject([rights]);
      expect(told).toEqual(new Set([alice.id, bob.id]));
      const ofBob = (await store.findAccount(bob.id))!.modSeq;
      await store.changeAcl(alice.id, inbox.id, give('l', 'anyone'));
      expect((await store.changesSince(bob.id, ofBob)).changes).toMatchObject([rights]);
      // The rights of others are no part of the mailbox's own state.
      expect((await store.findMailbox(alice.id, 'INBOX'))!.highestModSeq).toBe(before.alice);
    });

    test('leave no room for own mailboxes under the names of others', async () => {
      const { store, alice } = await withBob(factory);
      for (const name of ['Other Users', 'Other Users/bob@glass.test/INBOX']) {
        await expect(store.createMailbox(alice.id, name)).rejects.toMatchObject(refusal('CANNOT'));
        await expect(store.renameMailbox(alice.id, 'Archive', name)).rejects.toMatchObject(refusal('CANNOT'));
        const delivered = store.accept(transaction([{ account: alice.id, mailbox: name }], 'x\r\n'));
        await expect(delivered).rejects.toMatchObject(refusal('CANNOT'));
      }
      await store.createMailbox(alice.id, 'Other Users and I');
    });
  });

  describe('messages between accounts', () => {
    test('are copied with the flags that may be copied', async () => {
      const { store, alice, bob, inbox } = await withBob(factory);
      const all = ['\\Seen', '\\Deleted', '\\Flagged', 'Work'];
      await append(store, alice.id, 'Archive', ['a\r\n', 'b\r\n'], all);
      await append(store, alice.id, 'Archive', ['c\r\n']);
      const archive = (await store.findMailbox(alice.id, 'Archive'))!;
      const theirs = (await store.findMailbox(bob.id, 'INBOX'))!;
      const to = { account: bob.id, mailbox: theirs.id };
      const before = (await store.findAccount(alice.id))!.modSeq;
      const copied = await store.copyMessages(alice.id, archive.id, [1, 2, 3], { ...to, rights: 'its' });
      expect(copied).toMatchObject({ mailbox: theirs.id, sourceUids: [1, 2, 3], destinationUids: [1, 2, 3] });
      await store.copyMessages(alice.id, archive.id, [2], { ...to, rights: 'iw' });
      const flags = (await contents(store, bob.id, theirs.id)).map((each) => each.flags);
      expect(flags).toEqual([['\\Deleted', '\\Seen'], ['\\Deleted', '\\Seen'], [], ['\\Flagged', 'Work']]);
      expect(counters((await store.findMailbox(bob.id, 'INBOX'))!)).toMatchObject({
        messages: 4,
        unseen: 2,
        deleted: 2,
      });
      const { modSeq } = await store.moveMessages(alice.id, archive.id, [1, 3], { ...to, rights: '' });
      expect(modSeq).toBe((await store.findAccount(alice.id))!.modSeq);
      expect(modSeq).toBeGreaterThan(before);
      expect((await contents(store, bob.id, theirs.id)).slice(4).map((each) => each.flags)).toEqual([[], []]);
      expect(counters((await store.findMailbox(bob.id, 'INBOX'))!)).toMatchObject({
        messages: 6,
        unseen: 4,
        deleted: 2,
      });
      expect(counters((await store.findMailbox(alice.id, 'Archive'))!)).toMatchObject({
        messages: 1,
        unseen: 0,
        deleted: 1,
      });
      const { changes } = await store.changesSince(bob.id, bob.modSeq, theirs.id);
      expect(changes.map(({ type }) => type)).toEqual(['arrived', 'arrived', 'arrived']);
      expect(await served(store, bob.id, theirs.id, [5, 6])).toEqual(['a\r\n', 'c\r\n']);
      expect(inbox.messages).toBe(0);
    });

    test('are counted with the transaction that they came with', async () => {
      const { store, alice, bob, inbox } = await withBob(factory);
      const { transactionId, copies } = await store.accept(
        transaction([{ account: alice.id, mailbox: 'INBOX', flags: ['\\Seen'] }], 'Subject: one\r\n\r\n'),
      );
      expect(await store.findTransaction(transactionId)).toMatchObject({ read: true });
      const to = { account: bob.id, mailbox: (await store.findMailbox(bob.id, 'INBOX'))!.id, rights: 'i' };
      const { uid } = copies[0]!;
      await store.copyMessages(alice.id, inbox.id, [uid], to);
      expect(await store.findTransaction(transactionId)).toMatchObject({ read: false, copies: [{}, {}] });
      expect(await store.figures()).toMatchObject({ unreadTransactions: 1 });
      await store.moveMessages(alice.id, inbox.id, [uid], to);
      expect((await store.findTransaction(transactionId))!.copies.map(({ account }) => account)).toEqual([
        bob.id,
        bob.id,
      ]);
      await store.expunge(bob.id, to.mailbox, { onlyDeleted: false });
      expect(await store.findTransaction(transactionId)).toBeUndefined();
      expect(await store.figures()).toMatchObject({ transactions: 0, unreadTransactions: 0 });
    });

    test('replace one another', async () => {
      const { store, alice, bob, inbox } = await withBob(factory);
      const message = { content: inMemory('new\r\n'), flags: [], internalDate };
      const replaced = { account: alice.id, mailbox: inbox.id, uid: 2 as never };
      const { uids, modSeq } = await store.appendMessages(bob.id, 'INBOX', [message], replaced);
      expect(uids).toEqual([1]);
      expect(modSeq).toBe((await store.findAccount(alice.id))!.modSeq);
      expect((await contents(store, alice.id, inbox.id)).map(({ uid }) => uid)).toEqual([1, 3]);
      await expect(store.appendMessages(bob.id, 'INBOX', [message], replaced)).rejects.toMatchObject(
        refusal('NONEXISTENT'),
      );
      expect((await store.findMailbox(bob.id, 'INBOX'))!.messages).toBe(1);
    });

    test('keep the flags that may not be replaced', async () => {
      const { store, alice, inbox } = await withBob(factory);
      const of = async (): Promise<readonly string[]> => (await contents(store, alice.id, inbox.id))[0]!.flags;
      await store.storeFlags(alice.id, inbox.id, [1], { mode: 'replace', flags: ['\\Seen', '\\Deleted', 'Work'] });
      await store.storeFlags(alice.id, inbox.id, [1], { mode: 'replace', flags: ['\\Flagged'], only: 'w' });
      expect(await of()).toEqual(['\\Flagged', '\\Deleted', '\\Seen']);
      await store.storeFlags(alice.id, inbox.id, [1], { mode: 'replace', flags: [], only: 'st' });
      expect(await of()).toEqual(['\\Flagged']);
    });
  });

  describe('mailboxes of others', () => {
    test('are listed and found under names of their own, as far as `l` goes', async () => {
      const { store, alice, bob, inbox, theirs } = await withBob(factory);
      const shared = new SharedMailboxes(store);
      const own = await store.listMailboxes(bob.id);
      expect(await shared.listMailboxes(bob.id)).toEqual(own);
      expect(await shared.findMailbox(bob.id, theirs)).toBeUndefined();
      expect(await shared.findMailbox(bob.id, inbox.id)).toBeUndefined();
      await store.changeAcl(alice.id, inbox.id, give('l'));
      await shared.setSubscribed(bob.id, theirs, true);
      const seen = { id: inbox.id, account: alice.id, name: theirs, subscribed: true, specialUse: [], rights: 'l' };
      expect((await shared.listMailboxes(bob.id)).slice(own.length)).toMatchObject([seen]);
      expect(await shared.findMailbox(bob.id, theirs)).toMatchObject(seen);
      expect(await shared.findMailbox(bob.id, 'Other Users/ALICE@glass.test/inbox')).toMatchObject(seen);
      expect(await shared.findMailbox(bob.id, inbox.id)).toMatchObject(seen);
      await expect(shared.findMailbox(bob.id, theirs, 'r')).rejects.toMatchObject(refusal('NOPERM'));
      expect(await store.listMailboxes(bob.id)).toEqual(own);
      expect(await shared.sharers(bob.id)).toEqual([alice.id]);
      expect(await shared.sharers(alice.id)).toEqual([]);
      expect(await shared.findMailbox(alice.id, othersName(alice.address, 'INBOX'))).toBeUndefined();
    });

    test('with every address that there can be', async () => {
      const { store, bob } = await withBob(factory);
      const address = '100%/day@glass.test';
      const other = await store.createAccount({ address, passwordRecord: undefined });
      const inbox = (await store.findMailbox(other.id, 'INBOX'))!;
      await store.changeAcl(other.id, inbox.id, give('lr'));
      const shared = new SharedMailboxes(store);
      const [found] = (await shared.listMailboxes(bob.id)).slice(-1);
      expect(found!.name).toBe('Other Users/100%25%2Fday@glass.test/INBOX');
      expect(await shared.findMailbox(bob.id, found!.name)).toMatchObject({ id: inbox.id });
    });

    /** What Bob does with alice's INBOX; each takes these rights. */
    const deeds: readonly (readonly [
      name: string,
      needed: Rights,
      deed: (shared: SharedMailboxes, bob: AccountId, inbox: MailboxId, theirs: string) => Promise<unknown>,
    ])[] = [
      ['snapshot', 'r', (shared, bob, inbox) => shared.snapshot(bob, inbox)],
      ['claimRecent', 'r', (shared, bob, inbox) => shared.claimRecent(bob, inbox)],
      ['fetchMessages', 'r', (shared, bob, inbox) => Array.fromAsync(shared.fetchMessages(bob, inbox, [1], {}))],
      ['searchMessages', 'r', (shared, bob, inbox) => shared.searchMessages(bob, inbox, { type: 'larger', octets: 1 })],
      ['sortKeys', 'r', (shared, bob, inbox) => shared.sortKeys(bob, inbox, Uint32Array.of(1), 'subject')],
      ['threadKeys', 'r', (shared, bob, inbox) => shared.threadKeys(bob, inbox, Uint32Array.of(1))],
      ['copyMessages from', 'r', (shared, bob, inbox) => shared.copyMessages(bob, inbox, [1], 'Archive')],
      [
        'copyMessages to',
        'i',
        async (shared, bob, _, theirs) =>
          shared.copyMessages(bob, (await shared.findMailbox(bob, 'Drafts'))!.id, [1], theirs),
      ],
      ['moveMessages', 'rte', (shared, bob, inbox) => shared.moveMessages(bob, inbox, [1], 'Archive')],
      ['appendMessages', 'i', (shared, bob, inbox) => shared.appendMessages(bob, inbox, [])],
      ['appendMessages by name', 'i', (shared, bob, _, theirs) => shared.appendMessages(bob, theirs, [])],
      [
        'appendMessages in place of one',
        'te',
        (shared, bob, mailbox) => shared.appendMessages(bob, 'Archive', [], { mailbox, uid: 1 as never }),
      ],
      [
        'storeFlags \\Seen',
        's',
        (shared, bob, inbox) => shared.storeFlags(bob, inbox, [1], { mode: 'add', flags: ['\\Seen'] }),
      ],
      [
        'storeFlags \\Deleted',
        't',
        (shared, bob, inbox) => shared.storeFlags(bob, inbox, [1], { mode: 'remove', flags: ['\\deleted'] }),
      ],
      [
        'storeFlags Work',
        'w',
        (shared, bob, inbox) => shared.storeFlags(bob, inbox, [1], { mode: 'add', flags: ['Work'] }),
      ],
      ['expunge', 'e', (shared, bob, inbox) => shared.expunge(bob, inbox, { onlyDeleted: true })],
      ['createMailbox', 'k', (shared, bob, _, theirs) => shared.createMailbox(bob, `${theirs}/Sub`)],
      ['deleteMailbox', 'x', (shared, bob, _, theirs) => shared.deleteMailbox(bob, theirs)],
      ['renameMailbox', 'kx', (shared, bob, _, theirs) => shared.renameMailbox(bob, theirs, `${theirs}/Sub`)],
      ['getAcl', 'a', (shared, bob, _, theirs) => shared.getAcl(bob, theirs)],
      ['setAcl', 'a', (shared, bob, _, theirs) => shared.setAcl(bob, theirs, { ...give('p'), mode: 'add' })],
      ['listRights', 'a', (shared, bob, _, theirs) => shared.listRights(bob, theirs, give(''))],
    ];

    test('are open to nobody else, right by right', async () => {
      const { store, alice, bob } = await withBob(factory);
      const shared = new SharedMailboxes(store);
      for (const [name, needed, deed] of deeds) {
        // A mailbox for each: INBOX cannot be deleted, and all would be used up.
        const { id } = await store.createMailbox(alice.id, `Box ${name.replaceAll('\\', '')}`);
        const theirs = othersName(alice.address, `Box ${name.replaceAll('\\', '')}`);
        await append(store, alice.id, `Box ${name.replaceAll('\\', '')}`, ['x\r\n']);
        const attempt = (): Promise<unknown> => deed(shared, bob.id, id, theirs);
        for (const missing of needed) {
          const rest = Array.from(ALL_RIGHTS)
            .filter((right) => right !== missing)
            .join('');
          await store.changeAcl(alice.id, id, give(rest));
          await expect(attempt(), `${name} without ${missing}`).rejects.toMatchObject(refusal('NOPERM'));
        }
        await store.changeAcl(alice.id, id, give(''));
        await expect(attempt(), `${name} without any`).rejects.toMatchObject({ name: 'Refusal' });
        await store.changeAcl(alice.id, id, give(needed));
        // With these alone it is done; what is refused then, is refused for other reasons.
        const refused = await attempt().then(
          () => undefined,
          (error: unknown) => error as { code: string },
        );
        expect(String(refused?.code), `${name} with ${needed}`).not.toMatch(/NOPERM|TRYCREATE/);
      }
    });

    test('tell their news to those who may read them, under the names that these know', async () => {
      const { store, alice, bob } = await withBob(factory);
      const shared = new SharedMailboxes(store);
      const { id } = await store.createMailbox(alice.id, 'Plans');
      await store.changeAcl(alice.id, id, give('lr'));
      const { modSeq } = await shared.snapshot(bob.id, id);
      await append(store, alice.id, 'Plans', ['x\r\n']);
      await append(store, alice.id, 'INBOX', ['x\r\n']);
      await store.renameMailbox(alice.id, 'Plans', 'Plots');
      expect((await shared.changesSince(bob.id, modSeq, id)).changes).toMatchObject([
        { type: 'arrived' },
        {
          type: 'mailbox-renamed',
          name: 'Other Users/alice@glass.test/Plots',
          oldName: 'Other Users/alice@glass.test/Plans',
        },
      ]);
      const since = await shared.sharedChangesSince(bob.id, alice.id, modSeq);
      expect(since.changes).toMatchObject([{ type: 'arrived', mailbox: id }]);
      expect(since.mailboxesChanged).toBe(true);
      await store.changeAcl(alice.id, id, give('l'));
      expect((await shared.changesSince(bob.id, modSeq, id)).changes.map(({ type }) => type)).toEqual([
        'mailbox-renamed',
        'mailbox-rights',
      ]);
      expect((await shared.sharedChangesSince(bob.id, alice.id, since.modSeq)).changes).toEqual([]);
      await store.deleteMailbox(alice.id, 'Plots');
      const { changes } = await shared.changesSince(bob.id, modSeq, id);
      expect(changes.at(-1)).toMatchObject({ type: 'mailbox-deleted' });
    });
  });
}
