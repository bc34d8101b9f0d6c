import { describe, expect, test } from 'vitest';
import { THE_SERVER, type AccountId, type MailboxId } from '../../src/store/change.ts';
import type { AnnotationQuery, MailStore } from '../../src/store/mail-store.ts';
import { LARGEST_ANNOTATION } from '../../src/store/refusal.ts';
import { openedWithAccount, refusal, type StoreFactory } from './store-under-test.ts';

/** Null removes an entry. */
type Values = Readonly<Record<string, string | Uint8Array | null>>;

export function describeAnnotations(factory: StoreFactory): void {
  const opened = async () => {
    const subject = await openedWithAccount(factory);
    const bob = await subject.store.createAccount({ address: 'bob@glass.test', passwordRecord: undefined });
    return Object.assign(subject, { bob });
  };

  const set = (store: MailStore, account: AccountId, mailbox: MailboxId, values: Values) =>
    store.setAnnotations(
      account,
      mailbox,
      new Map(Object.entries(values).map(([entry, value]) => [entry, value === null ? null : Buffer.from(value)])),
    );

  /** As [entry, value] in order; a value that was not read is its size. */
  async function get(
    store: MailStore,
    account: AccountId,
    mailbox: MailboxId,
    entries: readonly string[],
    more: Partial<AnnotationQuery> = {},
  ): Promise<(readonly [string, string | number])[]> {
    const found = await store.findAnnotations(account, mailbox, { entries, depth: 0, ...more });
    return found.map(({ entry, octets, value }) => {
      if (value) expect(value.length).toBe(octets);
      return [entry, value ? Buffer.from(value).toString('latin1') : octets] as const;
    });
  }

  const EVERYTHING = ['/private', '/shared'] as const;
  const all = (store: MailStore, account: AccountId, mailbox: MailboxId) =>
    get(store, account, mailbox, EVERYTHING, { depth: 'infinity' });

  describe('annotations', () => {
    test('are set, replaced and removed, and outlive a restart', async () => {
      const subject = await opened();
      const { account, inbox } = subject;
      const octets = Uint8Array.from({ length: 256 }, (_, i) => i);
      await set(subject.store, account.id, inbox.id, {
        '/private/a': 'one',
        '/shared/a': octets,
        '/private/empty': '',
      });
      await set(subject.store, account.id, inbox.id, { '/private/a': 'two', '/private/never': null });
      await subject.reopen();
      expect(await all(subject.store, account.id, inbox.id)).toEqual([
        ['/private/a', 'two'],
        ['/private/empty', ''],
        ['/shared/a', Buffer.from(octets).toString('latin1')],
      ]);
      await set(subject.store, account.id, inbox.id, { '/private/a': null, '/private/empty': null });
      expect(await all(subject.store, account.id, inbox.id)).toHaveLength(1);
    });

    test('belong to one mailbox, or to the server', async () => {
      const { store, account, inbox } = await opened();
      const sent = (await store.findMailbox(account.id, 'Sent'))!;
      await set(store, account.id, inbox.id, { '/shared/a': 'inbox' });
      await set(store, account.id, sent.id, { '/shared/a': 'sent' });
      await set(store, account.id, THE_SERVER, { '/shared/a': 'server' });
      for (const [id, value] of [
        [inbox.id, 'inbox'],
        [sent.id, 'sent'],
        [THE_SERVER, 'server'],
      ] as const) {
        expect(await get(store, account.id, id, ['/shared/a'])).toEqual([['/shared/a', value]]);
      }
    });

    test('of the server: private ones are seen by their account, shared ones by all', async () => {
      const { store, account, bob } = await opened();
      await set(store, account.id, THE_SERVER, { '/private/a': 'hers', '/shared/a': 'all' });
      await set(store, bob.id, THE_SERVER, { '/private/a': 'his' });
      expect(await all(store, account.id, THE_SERVER)).toEqual([
        ['/private/a', 'hers'],
        ['/shared/a', 'all'],
      ]);
      expect(await all(store, bob.id, THE_SERVER)).toEqual([
        ['/private/a', 'his'],
        ['/shared/a', 'all'],
      ]);
    });

    test('of another account are not seen', async () => {
      const { store, bob, inbox } = await opened();
      await expect(set(store, bob.id, inbox.id, { '/shared/a': 'x' })).rejects.toMatchObject(refusal('NONEXISTENT'));
      await expect(all(store, bob.id, inbox.id)).rejects.toMatchObject(refusal('NONEXISTENT'));
      const nothing = 999_999 as MailboxId;
      await expect(set(store, bob.id, nothing, { '/shared/a': 'x' })).rejects.toMatchObject(refusal('NONEXISTENT'));
      await expect(all(store, bob.id, nothing)).rejects.toMatchObject(refusal('NONEXISTENT'));
      await expect(set(store, 999 as AccountId, THE_SERVER, {})).rejects.toMatchObject(refusal('NONEXISTENT'));
    });

    test('are found by name, with what lies below it, each once', async () => {
      const { store, account, inbox } = await opened();
      const names = [
        '/shared/a',
        '/shared/a/b',
        '/shared/a/b/c',
        '/shared/a/d',
        '/shared/a0',
        '/shared/ab',
        '/shared/b',
      ];
      await set(store, account.id, inbox.id, Object.fromEntries(names.map((name) => [name, name])));
      const found = async (entries: readonly string[], depth: AnnotationQuery['depth']) =>
        (await get(store, account.id, inbox.id, entries, { depth })).map(([entry]) => entry.slice('/shared/'.length));
      expect(await found(['/shared/a'], 0)).toEqual(['a']);
      expect(await found(['/shared/a'], 1)).toEqual(['a', 'a/b', 'a/d']);
      expect(await found(['/shared/a'], 'infinity')).toEqual(['a', 'a/b', 'a/b/c', 'a/d']);
      expect(await found(['/shared'], 1)).toEqual(['a', 'a0', 'ab', 'b']);
      expect(await found(['/shared/b', '/shared/a/b', '/shared/a'], 'infinity')).toEqual([
        'b',
        'a',
        'a/b',
        'a/b/c',
        'a/d',
      ]);
      expect(await found(['/private', '/shared/c'], 'infinity')).toEqual([]);
    });

    test('values that are larger than asked for are not read', async () => {
      const { store, account, inbox } = await opened();
      await set(store, account.id, inbox.id, { '/private/a': 'four', '/private/b': 'fives' });
      const found = await get(store, account.id, inbox.id, ['/private/a', '/private/b'], { maximumOctets: 4 });
      expect(found).toEqual([
        ['/private/a', 'four'],
        ['/private/b', 5],
      ]);
    });

    test('a value may have 65,536 octets, and all are set or none', async () => {
      const { store, account, inbox } = await opened();
      await set(store, account.id, inbox.id, { '/private/a': Buffer.alloc(LARGEST_ANNOTATION, 'x') });
      const larger = { '/private/a': null, '/private/b': 'x', '/private/c': Buffer.alloc(LARGEST_ANNOTATION + 1) };
      await expect(set(store, account.id, inbox.id, larger)).rejects.toMatchObject(refusal('ANNOTATIONTOOBIG'));
      const found = await all(store, account.id, inbox.id);
      expect(found.map(([entry, value]) => [entry, String(value).length])).toEqual([
        ['/private/a', LARGEST_ANNOTATION],
      ]);
    });

    test('there may be a thousand of each kind', async () => {
      const { store, account, bob, inbox } = await opened();
      const names = (kind: string, from: number, to: number): Values =>
        Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`/${kind}/${from + i}`, 'x']));
      await set(store, account.id, inbox.id, names('private', 0, 999));
      const more = names('private', 999, 1001);
      await expect(set(store, account.id, inbox.id, more)).rejects.toMatchObject(refusal('TOOMANYANNOTATIONS'));
      expect(await all(store, account.id, inbox.id)).toHaveLength(999);
      await set(store, account.id, inbox.id, { ...more, '/private/0': null });
      await set(store, account.id, inbox.id, { '/private/1': 'another value', '/shared/a': 'x' });
      await set(store, account.id, THE_SERVER, { '/private/a': 'x' });
      await set(store, bob.id, THE_SERVER, { '/private/a': 'x' });
      const one = set(store, account.id, inbox.id, { '/private/one more': 'x' });
      await expect(one).rejects.toMatchObject(refusal('TOOMANYANNOTATIONS'));
    });

    test('an account has room for 16 MiB in all', async () => {
      const { store, account, bob, inbox } = await opened();
      const value = Buffer.alloc(LARGEST_ANNOTATION, 'x');
      const fill = (mailbox: MailboxId, kind: string, count: number): Promise<unknown> =>
        set(
          store,
          account.id,
          mailbox,
          Object.fromEntries(Array.from({ length: count }, (_, i) => [`/${kind}/${i}`, value])),
        );
      const sent = (await store.findMailbox(account.id, 'Sent'))!;
      await fill(inbox.id, 'private', 100);
      await fill(sent.id, 'shared', 100);
      await fill(THE_SERVER, 'private', 55);
      await expect(fill(THE_SERVER, 'private', 56)).rejects.toMatchObject(refusal('OVERQUOTA'));
      // RENAME of INBOX copies what INBOX has (RFC 5464 §4.1).
      const renaming = store.renameMailbox(account.id, 'INBOX', 'Old');
      await expect(renaming).rejects.toMatchObject(refusal('OVERQUOTA'));
      expect(await store.findMailbox(account.id, 'Old')).toBeUndefined();
      await set(store, account.id, inbox.id, { '/private/0': 'smaller' });
      await fill(THE_SERVER, 'private', 56);
      // What the server shares counts for itself, and what others have, for them.
      await fill(THE_SERVER, 'shared', 1);
      await set(store, bob.id, THE_SERVER, { '/private/a': value });
    });

    test('RENAME takes them along, DELETE removes them, and a new mailbox has none', async () => {
      const { store, account } = await opened();
      const { id } = await store.createMailbox(account.id, 'a/b');
      await set(store, account.id, id, { '/private/a': 'x', '/shared/a': 'y' });
      await store.renameMailbox(account.id, 'a', 'c');
      const renamed = (await store.findMailbox(account.id, 'c/b'))!;
      expect(await all(store, account.id, renamed.id)).toEqual([
        ['/private/a', 'x'],
        ['/shared/a', 'y'],
      ]);
      await store.deleteMailbox(account.id, 'c/b');
      await expect(all(store, account.id, id)).rejects.toMatchObject(refusal('NONEXISTENT'));
      const again = await store.createMailbox(account.id, 'c/b');
      expect(await all(store, account.id, again.id)).toEqual([]);
    });

    test('RENAME of INBOX copies them', async () => {
      const { store, account, inbox } = await opened();
      await set(store, account.id, inbox.id, { '/private/a': 'x', '/shared/a': 'y' });
      await store.renameMailbox(account.id, 'INBOX', 'Old');
      const old = (await store.findMailbox(account.id, 'Old'))!;
      for (const id of [inbox.id, old.id]) {
        expect(await all(store, account.id, id)).toEqual([
          ['/private/a', 'x'],
          ['/shared/a', 'y'],
        ]);
      }
    });

    test('go with their account', async () => {
      const { store, account, bob, inbox } = await opened();
      await set(store, account.id, THE_SERVER, { '/private/a': 'x', '/shared/a': 'y' });
      await set(store, account.id, inbox.id, { '/private/a': 'x' });
      await store.deleteAccount(account.id);
      expect(await all(store, bob.id, THE_SERVER)).toEqual([['/shared/a', 'y']]);
    });

    test('/private/specialuse is the special uses of a mailbox', async () => {
      const { store, account, inbox } = await opened();
      const sent = (await store.findMailbox(account.id, 'Sent'))!;
      expect(await all(store, account.id, sent.id)).toEqual([['/private/specialuse', '\\Sent']]);
      expect(await get(store, account.id, inbox.id, ['/private/specialuse'])).toEqual([]);
      const use = (mailbox: MailboxId, value: string | null): Promise<unknown> =>
        set(store, account.id, mailbox, { '/private/specialuse': value });
      await expect(use(inbox.id, '\\Sent')).rejects.toMatchObject(refusal('USEATTR'));
      await expect(use(inbox.id, '\\All')).rejects.toMatchObject(refusal('USEATTR'));
      await expect(use(inbox.id, 'Archive')).rejects.toMatchObject(refusal('USEATTR'));
      await use(sent.id, null);
      expect((await store.findMailbox(account.id, 'Sent'))!.specialUse).toEqual([]);
      const { modSeq } = (await store.findAccount(account.id))!;
      await use(inbox.id, ' \\sent  \\SENT');
      expect((await store.findMailbox(account.id, 'INBOX'))!.specialUse).toEqual(['\\Sent']);
      expect((await store.changesSince(account.id, modSeq)).changes).toMatchObject([
        { type: 'mailbox-attributes', mailbox: inbox.id, name: 'INBOX' },
        { type: 'annotations', mailbox: inbox.id, entries: ['/private/specialuse'] },
      ]);
      expect(await get(store, account.id, inbox.id, ['/private/specialuse'], { maximumOctets: 4 })).toEqual([
        ['/private/specialuse', 5],
      ]);
      // Of the server it is an entry like any other.
      await use(THE_SERVER, 'anything');
      expect(await all(store, account.id, THE_SERVER)).toEqual([['/private/specialuse', 'anything']]);
    });

    test('what happens to them is in the log of those who can see them', async () => {
      const { store, notifier, account, bob, inbox } = await opened();
      const [before, bobsBefore] = [
        (await store.findAccount(account.id))!.modSeq,
        (await store.findAccount(bob.id))!.modSeq,
      ];
      let told = 0;
      const unsubscribe = notifier.subscribe(bob.id, () => told++);
      const first = await set(store, account.id, inbox.id, { '/private/a': 'x', '/shared/a': 'y' });
      const nothing = await set(store, account.id, inbox.id, { '/private/a': 'x', '/shared/b': null });
      const second = await set(store, account.id, inbox.id, { '/private/a': null, '/shared/a': 'y' });
      const third = await set(store, account.id, THE_SERVER, { '/private/a': 'x' });
      expect(told).toBe(0);
      const fourth = await set(store, account.id, THE_SERVER, { '/shared/a': 'x', '/private/b': 'x' });
      unsubscribe();
      expect(told).toBe(1);
      expect(nothing).toBeUndefined();
      expect((await store.changesSince(account.id, before)).changes).toEqual([
        { type: 'annotations', modSeq: first, mailbox: inbox.id, entries: ['/private/a', '/shared/a'] },
        { type: 'annotations', modSeq: second, mailbox: inbox.id, entries: ['/private/a'] },
        { type: 'annotations', modSeq: third, mailbox: THE_SERVER, entries: ['/private/a'] },
        { type: 'annotations', modSeq: fourth, mailbox: THE_SERVER, entries: ['/shared/a', '/private/b'] },
      ]);
      expect((await store.changesSince(bob.id, bobsBefore)).changes).toMatchObject([
        { type: 'annotations', mailbox: THE_SERVER, entries: ['/shared/a'] },
      ]);
      // Messages have not changed.
      expect((await store.findMailbox(account.id, 'INBOX'))!.highestModSeq).toBe(inbox.highestModSeq);
    });
  });
}
