import { existsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { MailboxId, ModSeq, Uid } from '../../src/store/change.ts';
import {
  append,
  contents,
  counters,
  inMemory,
  internalDate,
  message,
  openedWithAccount,
  refusal,
  served,
  transaction,
  type StoreFactory,
} from './store-under-test.ts';

export function describeMessages(factory: StoreFactory): void {
  describe('accept', () => {
    test('delivers one email to many, with trace and octets as they were given', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const octets = Buffer.from([0, 255, 13, 10, 46, 10, 13, 65]);
      const accepted = await store.accept(
        transaction(
          [
            { account: account.id, mailbox: 'INBOX' },
            {
              account: { address: 'New@glass.test', passwordRecord: 'p', owner: 'o' },
              mailbox: 'inbox',
              flags: ['\\Seen'],
            },
            { account: account.id, mailbox: 'made/for it' },
          ],
          '',
          { content: inMemory(octets) },
        ),
      );
      expect(accepted.transactionId).toMatch(/^[0-9A-Za-z]{22}$/);
      expect(accepted.copies).toHaveLength(3);
      const made = (await store.findAccount('new@glass.test'))!;
      expect(made).toMatchObject({ id: accepted.copies[1]!.account, address: 'New@glass.test', owner: 'o' });
      expect((await store.findPasswordRecord('new@glass.test'))?.record).toBe('p');
      expect((await store.findMailbox(account.id, 'made/for it'))?.id).toBe(accepted.copies[2]!.mailbox);
      expect(await store.findMailbox(account.id, 'made')).toBeDefined();
      for (const { account: owner, mailbox, uid } of accepted.copies) {
        expect(uid).toBe(1);
        const [stored] = await contents(store, owner, mailbox);
        expect(stored).toMatchObject({
          emailId: accepted.emailId,
          size: 33 + 8,
          internalDate: Date.UTC(2025, 6, 1, 12),
        });
        const text = `Return-Path: <sender@else.test>\r\n${octets.toString('latin1')}`;
        expect(await served(store, owner, mailbox, [1])).toEqual([text]);
      }
      expect((await contents(store, made.id, accepted.copies[1]!.mailbox))[0]!.flags).toEqual(['\\Seen']);
      expect((await store.findMailbox(account.id, inbox.id))!.octets).toBe(41);
      expect((await store.figures()).octets).toBe(41); // kept once
    });

    test('makes one account for two deliveries to a new address', async () => {
      const { store } = await openedWithAccount(factory);
      const to = { address: 'x@glass.test', passwordRecord: undefined };
      const both = await Promise.all(
        ['a', 'b'].map((text) => store.accept(transaction([{ account: to, mailbox: 'INBOX' }], text))),
      );
      expect(new Set(both.map(({ copies }) => copies[0]!.account)).size).toBe(1);
      expect(both.map(({ copies }) => copies[0]!.uid).sort()).toEqual([1, 2]);
    });

    test('is all or nothing', async () => {
      const { store, account } = await openedWithAccount(factory);
      const before = await store.figures();
      const good = { account: account.id, mailbox: 'INBOX' };
      const someone = { address: 'y@glass.test', passwordRecord: undefined };
      for (const [bad, code] of [
        [{ account: 999 as typeof account.id, mailbox: 'INBOX' }, 'NONEXISTENT'],
        [{ account: account.id, mailbox: 'a//b' }, 'CANNOT'],
        [{ account: account.id, mailbox: 'INBOX', flags: ['\\Strange'] }, 'CANNOT'],
        [{ account: { address: 'nowhere', passwordRecord: undefined }, mailbox: 'INBOX' }, 'CANNOT'],
      ] as const) {
        const all = transaction([good, { account: someone, mailbox: 'INBOX' }, bad], 'x');
        await expect(store.accept(all)).rejects.toMatchObject(refusal(code));
      }
      expect(await store.figures()).toEqual({ ...before, databaseOctets: expect.any(Number) as number });
      expect(await store.findAccount('y@glass.test')).toBeUndefined();
    });

    test('hundreds at once each get their own UID, in one mailbox', async () => {
      const { store, notifier, account, inbox } = await openedWithAccount(factory);
      let told = 0;
      notifier.subscribe(account.id, (_, modSeq) => (told = modSeq));
      const delivery = [{ account: account.id, mailbox: 'INBOX' }];
      const accepted = await Promise.all(
        Array.from({ length: 500 }, (_, i) => store.accept(transaction(delivery, `Subject: ${i}\r\n\r\n`))),
      );
      const uids = accepted.map(({ copies }) => copies[0]!.uid).sort((a, b) => a - b);
      expect(uids).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
      expect(new Set(accepted.map(({ transactionId }) => transactionId)).size).toBe(500);
      expect(told).toBe((await store.snapshot(account.id, inbox.id)).modSeq);
      const texts = await served(store, account.id, inbox.id, [accepted[17]!.copies[0]!.uid]);
      expect(texts[0]).toContain('Subject: 17\r\n');
    });
  });

  describe('spool', () => {
    test('takes small and large messages, in pieces', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const large = Buffer.alloc(700_001, 'large \r\n');
      for (const octets of [Buffer.from('small'), Buffer.alloc(0), large]) {
        await using spool = store.spool();
        for (let at = 0; at < octets.length; at += 50_000) await spool.write(octets.subarray(at, at + 50_000));
        const content = await spool.finish();
        expect(content.size).toBe(octets.length);
        await store.appendMessages(account.id, 'INBOX', [{ content, flags: [], internalDate }]);
      }
      const texts = await served(store, account.id, inbox.id, [1, 2, 3]);
      expect(texts).toEqual(['small', '', large.toString('latin1')]);
    });

    test('a large message has its trace before it, and every range can be read', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await using spool = store.spool();
      const octets = Buffer.from(Array.from({ length: 600_000 }, (_, i) => i % 251));
      await spool.write(octets);
      await store.accept(
        transaction([{ account: account.id, mailbox: 'INBOX' }], '', { content: await spool.finish() }),
      );
      await spool[Symbol.asyncDispose](); // the file is the message's now
      const whole = Buffer.concat([Buffer.from('Return-Path: <sender@else.test>\r\n'), octets]);
      for await (const [found] of store.fetchMessages(account.id, inbox.id, [1], { content: true })) {
        const content = found!.content!;
        expect(content).toMatchObject({ size: whole.length, traceSize: 33 });
        for (const [start, end] of [
          [0, 10],
          [20, 40],
          [33, 34],
          [30, 600_033],
          [599_999, 700_000],
          [5, 5],
        ] as const) {
          const pieces: Uint8Array[] = [];
          for await (const piece of content.read(start, end)) pieces.push(piece);
          expect(Buffer.concat(pieces).equals(whole.subarray(start, end))).toBe(true);
        }
      }
    });

    test('what is not handed on leaves no file', async () => {
      const { store } = await openedWithAccount(factory);
      let file: string | undefined;
      {
        await using spool = store.spool();
        await spool.write(Buffer.alloc(400_000));
        ({ file } = await spool.finish());
        if (file !== undefined) expect(existsSync(file)).toBe(true);
      }
      if (file !== undefined) expect(existsSync(file)).toBe(false);
      await using unfinished = store.spool();
      await unfinished.write(Buffer.alloc(400_000));
    });
  });

  describe('append', () => {
    test('keeps flags, dates and order', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const appended = await store.appendMessages(account.id, 'INBOX', [
        { content: inMemory('first'), flags: ['\\seen', 'Work', '\\Recent', '\\SEEN'], internalDate },
        { content: inMemory('second'), flags: ['WORK', '\\Answered'], internalDate: new Date(999) },
      ]);
      expect(appended).toMatchObject({ mailbox: inbox.id, uidValidity: inbox.uidValidity, uids: [1, 2] });
      const stored = await contents(store, account.id, inbox.id);
      expect(stored).toMatchObject([
        { uid: 1, flags: ['\\Seen', 'Work'], internalDate: internalDate.getTime(), modSeq: appended.modSeq, size: 5 },
        { uid: 2, flags: ['\\Answered', 'Work'], internalDate: 0 }, // the first spelling, and whole seconds
      ]);
      expect(await served(store, account.id, inbox.id, [2, 1])).toEqual(['second', 'first']);
    });

    test('refuses', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const put = (mailbox: string | MailboxId, flags: readonly string[] = []): Promise<unknown> =>
        store.appendMessages(account.id, mailbox, [
          { content: inMemory('good'), flags: [], internalDate },
          { content: inMemory('x'), flags, internalDate },
        ]);
      await expect(put('nowhere')).rejects.toMatchObject(refusal('TRYCREATE'));
      await expect(put('a//b')).rejects.toMatchObject(refusal('TRYCREATE'));
      await expect(put(999 as MailboxId)).rejects.toMatchObject(refusal('NONEXISTENT'));
      await expect(put('INBOX', ['\\Strange'])).rejects.toMatchObject(refusal('CANNOT'));
      await expect(put('INBOX', ['a b'])).rejects.toMatchObject(refusal('CANNOT'));
      await expect(put('INBOX', ['k'.repeat(300)])).rejects.toMatchObject(refusal('LIMIT'));
      const many = Array.from({ length: 300 }, (_, i) => `k${i}`);
      await expect(put('INBOX', many)).rejects.toMatchObject(refusal('LIMIT'));
      expect(await contents(store, account.id, inbox.id)).toEqual([]);
    });

    test('an import key is good for one message of a mailbox', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const put = (...keys: string[]) =>
        store.appendMessages(
          account.id,
          'INBOX',
          keys.map((importKey) => ({ content: inMemory(importKey), flags: [], internalDate, importKey })),
        );
      expect((await put('a', 'b', 'a')).uids).toEqual([1, 2, undefined]);
      expect((await put('c', 'b')).uids).toEqual([3, undefined]);
      expect(await served(store, account.id, inbox.id, [1, 2, 3])).toEqual(['a', 'b', 'c']);
    });
  });

  describe('snapshots', () => {
    test('are shared while nothing changes, and never change', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['a', 'b', 'c']);
      const first = await store.snapshot(account.id, inbox.id);
      expect(await store.snapshot(account.id, inbox.id)).toBe(first);
      const before = structuredClone(first);
      await append(store, account.id, 'INBOX', ['d']);
      const second = await store.snapshot(account.id, inbox.id);
      expect(second.count).toBe(4);
      expect(second.uids.buffer).toBe(first.uids.buffer); // nothing is copied for a new message
      await store.storeFlags(account.id, inbox.id, [1, 3], { mode: 'add', flags: ['\\Seen'] });
      await store.snapshot(account.id, inbox.id);
      await store.moveMessages(account.id, inbox.id, [1], 'Trash');
      const last = await store.snapshot(account.id, inbox.id);
      expect([...last.uids.subarray(0, last.count)]).toEqual([2, 3, 4]);
      expect(last.modSeq).toBeGreaterThan(second.modSeq);
      expect(last.mailbox).toMatchObject({ messages: 3, unseen: 2 });
      for (const name of ['uids', 'flagSets', 'modSeqs', 'sizes', 'internalDates', 'emailIds'] as const) {
        expect(first[name].subarray(0, first.count)).toEqual(before[name].subarray(0, before.count));
      }
    });

    test('are of one moment for all who ask while it is read', async () => {
      const subject = await openedWithAccount(factory);
      const { account, inbox } = subject;
      await append(subject.store, account.id, 'INBOX', Array<string>(9000).fill('x'));
      await subject.reopen();
      const { store } = subject;
      const [one, two] = await Promise.all([
        store.snapshot(account.id, inbox.id),
        store.snapshot(account.id, inbox.id),
        append(store, account.id, 'INBOX', ['new']),
        store.expunge(account.id, inbox.id, { uids: [1, 8999], onlyDeleted: false }),
      ]);
      for (const { count, mailbox } of [one, two]) expect(count).toBe(mailbox.messages);
      const last = await store.snapshot(account.id, inbox.id);
      expect(last.count).toBe(8999);
      expect(last.uids.at(last.count - 1)).toBe(9001);
    });
  });

  describe('flags', () => {
    test.each([
      [
        'add',
        ['\\Flagged', 'B'],
        [
          ['\\Flagged', '\\Seen', 'A', 'B'],
          ['\\Flagged', 'B'],
        ],
      ],
      ['remove', ['\\seen', 'a'], [[], []]],
      [
        'replace',
        ['x', '\\Draft'],
        [
          ['\\Draft', 'x'],
          ['\\Draft', 'x'],
        ],
      ],
    ] as const)('%s', async (mode, flags, expected) => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['one'], ['\\Seen', 'A']);
      await append(store, account.id, 'INBOX', ['two']);
      const result = await store.storeFlags(account.id, inbox.id, [1, 2, 5], { mode, flags });
      expect(result).toMatchObject({ stored: [1, 2], modified: [], gone: [5] });
      const stored = await contents(store, account.id, inbox.id);
      expect(stored.map((each) => each.flags)).toEqual(expected);
      const changed = mode === 'remove' ? [1] : [1, 2];
      const withNewModSeq = stored.filter(({ modSeq }) => modSeq === result.modSeq).map(({ uid }) => uid);
      expect(withNewModSeq).toEqual(changed);
    });

    test('that are as asked already change nothing', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['one'], ['\\Seen']);
      const before = await store.changesSince(account.id, 0 as ModSeq);
      const result = await store.storeFlags(account.id, inbox.id, [1], { mode: 'add', flags: ['\\seen'] });
      expect(result).toMatchObject({ stored: [1], modSeq: before.modSeq });
      expect(await store.changesSince(account.id, 0 as ModSeq)).toEqual(before);
    });

    test('unchangedSince spares what has changed', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['1', '2', '3']);
      const { modSeq } = await store.snapshot(account.id, inbox.id);
      await store.storeFlags(account.id, inbox.id, [2], { mode: 'add', flags: ['\\Flagged'] });
      const seen = { mode: 'add', flags: ['\\Seen'], unchangedSince: modSeq } as const;
      const result = await store.storeFlags(account.id, inbox.id, [1, 2, 3, 4], seen);
      expect(result).toMatchObject({ stored: [1, 3], modified: [2], gone: [4] });
      const stored = await contents(store, account.id, inbox.id);
      expect(stored.map(({ flags }) => flags)).toEqual([['\\Seen'], ['\\Flagged'], ['\\Seen']]);
      const none = await store.storeFlags(account.id, inbox.id, [1], { ...seen, unchangedSince: 0 as ModSeq });
      expect(none).toMatchObject({ stored: [], modified: [1] });
    });

    test('refuses', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['1']);
      const put = (flags: string[]) => store.storeFlags(account.id, inbox.id, [1], { mode: 'add', flags });
      await expect(put(['\\Strange'])).rejects.toMatchObject(refusal('CANNOT'));
      await expect(put(Array.from({ length: 150 }, (_, i) => `k${i}`))).resolves.toBeDefined();
      const more = Array.from({ length: 100 }, (_, i) => `m${i}`);
      await expect(put(more)).rejects.toMatchObject(refusal('LIMIT'));
      const nowhere = store.storeFlags(account.id, 999 as MailboxId, [1], { mode: 'add', flags: [] });
      await expect(nowhere).rejects.toMatchObject(refusal('NONEXISTENT'));
    });

    test('knows at most 10,000 keywords, and goes on with those', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['1']);
      const put = (...flags: string[]) => store.storeFlags(account.id, inbox.id, [1], { mode: 'replace', flags });
      for (let i = 0; i < 10_000; i += 200) await put(...Array.from({ length: 200 }, (_, n) => `k${i + n}`));
      await expect(put('one-more')).rejects.toMatchObject(refusal('LIMIT'));
      await expect(put('k1', 'one-more')).rejects.toMatchObject(refusal('LIMIT'));
      await put('\\Seen', 'K1', 'k9999');
      expect((await contents(store, account.id, inbox.id))[0]!.flags).toEqual(['\\Seen', 'k1', 'k9999']);
    });

    test('of many messages with few sets', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', Array<string>(3000).fill('x'));
      const every = (n: number) => Array.from({ length: Math.floor(3000 / n) }, (_, i) => (i + 1) * n);
      await store.storeFlags(account.id, inbox.id, every(2), { mode: 'add', flags: ['even'] });
      await store.storeFlags(account.id, inbox.id, every(3), { mode: 'add', flags: ['\\Seen'] });
      await store.storeFlags(account.id, inbox.id, every(5), { mode: 'replace', flags: ['five'] });
      for (const { uid, flags } of await contents(store, account.id, inbox.id)) {
        const expected =
          uid % 5 === 0 ? ['five'] : [...(uid % 3 === 0 ? ['\\Seen'] : []), ...(uid % 2 === 0 ? ['even'] : [])];
        expect(flags).toEqual(expected);
      }
      expect((await store.findMailbox(account.id, inbox.id))!.unseen).toBe(3000 - 800);
    });
  });

  describe('copy and move', () => {
    test('keep flags, dates and octets', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['one', 'two', 'three'], ['\\Seen', 'k']);
      const archive = (await store.findMailbox(account.id, 'Archive'))!;
      const copied = await store.copyMessages(account.id, inbox.id, [3, 1, 9], 'Archive');
      expect(copied).toMatchObject({
        mailbox: archive.id,
        uidValidity: archive.uidValidity,
        sourceUids: [1, 3],
        destinationUids: [1, 2],
      });
      const [source] = await contents(store, account.id, inbox.id);
      const stored = await contents(store, account.id, archive.id);
      expect(stored[0]).toEqual({ ...source, modSeq: copied.modSeq });
      expect(await served(store, account.id, archive.id, [1, 2])).toEqual(['one', 'three']);
      expect((await store.figures()).octets).toBe(11);
    });

    test('MOVE leaves nothing behind, and is one number', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['one', 'two', 'three']);
      const before = await store.changesSince(account.id, 0 as ModSeq);
      const moved = await store.moveMessages(account.id, inbox.id, [1, 3], 'Trash');
      expect(moved).toMatchObject({ sourceUids: [1, 3], destinationUids: [1, 2] });
      expect((await contents(store, account.id, inbox.id)).map(({ uid }) => uid)).toEqual([2]);
      const { changes } = await store.changesSince(account.id, before.modSeq);
      expect(changes).toEqual([
        {
          type: 'expunged',
          modSeq: moved.modSeq,
          mailbox: inbox.id,
          uids: [
            { first: 1, last: 1 },
            { first: 3, last: 3 },
          ],
        },
        { type: 'arrived', modSeq: moved.modSeq, mailbox: moved.mailbox, uids: [{ first: 1, last: 2 }] },
      ]);
    });

    test('within one mailbox gives new UIDs', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['one', 'two']);
      expect((await store.copyMessages(account.id, inbox.id, [1], 'INBOX')).destinationUids).toEqual([3]);
      expect((await store.moveMessages(account.id, inbox.id, [1, 2], 'INBOX')).destinationUids).toEqual([4, 5]);
      expect(await served(store, account.id, inbox.id, [1, 2, 3, 4, 5])).toEqual(['one', 'one', 'two']);
      const { messages, octets } = (await store.findMailbox(account.id, inbox.id))!;
      expect([messages, octets]).toEqual([3, 9]);
    });

    test('refuse, and copy nothing of nothing', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['one']);
      const from = 999 as MailboxId;
      await expect(store.copyMessages(account.id, inbox.id, [1], 'nope')).rejects.toMatchObject(refusal('TRYCREATE'));
      await expect(store.moveMessages(account.id, inbox.id, [1], 'a//b')).rejects.toMatchObject(refusal('TRYCREATE'));
      await expect(store.copyMessages(account.id, from, [1], 'Sent')).rejects.toMatchObject(refusal('NONEXISTENT'));
      const nothing = await store.copyMessages(account.id, inbox.id, [7], 'Sent');
      expect(nothing).toMatchObject({ sourceUids: [], destinationUids: [] });
      expect((await store.findMailbox(account.id, 'Sent'))!.uidNext).toBe(1);
    });
  });

  describe('expunge', () => {
    test('removes what is \\Deleted, or what is named', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await append(store, account.id, 'INBOX', ['1', '2', '3', '4', '5', '6']);
      await store.storeFlags(account.id, inbox.id, [2, 4, 5], { mode: 'add', flags: ['\\Deleted'] });
      const some = await store.expunge(account.id, inbox.id, { uids: [1, 2, 3, 4], onlyDeleted: true });
      expect(some.uids).toEqual([2, 4]);
      expect((await store.expunge(account.id, inbox.id, { onlyDeleted: true })).uids).toEqual([5]);
      const { modSeq } = await store.snapshot(account.id, inbox.id);
      expect(await store.expunge(account.id, inbox.id, { onlyDeleted: true })).toEqual({ uids: [], modSeq });
      expect((await store.expunge(account.id, inbox.id, { uids: [3, 9], onlyDeleted: false })).uids).toEqual([3]);
      expect((await contents(store, account.id, inbox.id)).map(({ uid }) => uid)).toEqual([1, 6]);
      expect(counters((await store.findMailbox(account.id, inbox.id))!)).toEqual({
        messages: 2,
        unseen: 2,
        deleted: 0,
        octets: 2,
      });
    });

    test('octets stay while a copy is left', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      await using spool = store.spool();
      await spool.write(Buffer.alloc(400_000, 'x'));
      const content = await spool.finish();
      await store.appendMessages(account.id, 'INBOX', [{ content, flags: [], internalDate }]);
      const { mailbox } = await store.copyMessages(account.id, inbox.id, [1], 'Archive');
      await store.expunge(account.id, inbox.id, { onlyDeleted: false });
      expect((await served(store, account.id, mailbox, [1]))[0]).toHaveLength(400_000);
      await store.expunge(account.id, mailbox, { onlyDeleted: false });
      await until(async () => (await store.figures()).octets === 0);
      if (content.file !== undefined) await until(async () => !existsSync(content.file!));
    });
  });

  describe('fetch', () => {
    test('gives what is wanted, in the order asked for, and passes over what is gone', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const texts = Array.from({ length: 600 }, (_, i) => message([`Subject: number ${i + 1}`]));
      await append(store, account.id, 'INBOX', texts);
      await store.expunge(account.id, inbox.id, { uids: [5, 6, 300], onlyDeleted: false });
      await store.snapshot(account.id, inbox.id);
      const asked = [600, 5, 1, 2, 3, 4, 7, 8, ...Array.from({ length: 500 }, (_, i) => i + 50), 7000];
      const got: Uid[] = [];
      const batches: number[] = [];
      for await (const batch of store.fetchMessages(account.id, inbox.id, asked, { envelope: true, content: true })) {
        batches.push(batch.length);
        for (const found of batch) {
          got.push(found.uid);
          expect(Buffer.from(found.envelope!).toString()).toContain(`"number ${found.uid}"`);
          expect(found.content!.octets).toEqual(Buffer.from(texts[found.uid - 1]!));
          expect(found).not.toHaveProperty('body');
          expect(found).not.toHaveProperty('savedDate');
        }
      }
      expect(got).toEqual(asked.filter((uid) => ![5, 300, 7000].includes(uid)));
      expect(batches.length).toBeGreaterThan(1);
    });

    test.each([
      ['small', '<p>hi</p>'],
      ['large', `<p>${'hi '.repeat(200_000)}</p>`],
    ])('gives the same before and after it was derived: a %s message', async (_, html) => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const wanted = { envelope: true, body: true, bodyStructure: true, tree: true };
      const parts = ['--b', 'Content-Type: text/html', '', html, '--b--', ''].join('\r\n');
      const text = message(['Subject: s', 'Content-Type: multipart/mixed; boundary=b'], parts);
      await using spool = store.spool();
      await spool.write(Buffer.from(text));
      const content = await spool.finish();
      const delivery = [{ account: account.id, mailbox: 'INBOX' }];
      const { transactionId } = await store.accept(transaction(delivery, '', { content }));
      const fetched = async () => {
        const { snippet } = (await store.findTransaction(transactionId))!;
        const { tree: found } = (await store.findContent(transactionId))!;
        for await (const [first] of store.fetchMessages(account.id, inbox.id, [1], wanted)) {
          const { envelope, body, bodyStructure, tree } = first!;
          const texts = [envelope, body, bodyStructure].map((octets) => Buffer.from(octets!).toString());
          return { tree, found, snippet, texts };
        }
        return undefined;
      };
      const before = await fetched();
      await store.indexed(); // what is indexed is derived
      const after = await fetched();
      expect(after).toEqual(before);
      expect(after!.texts[0]).toContain('"s"');
      expect(after!.snippet).toMatch(/^hi/);
      expect(after!.tree!.children[0]!.subtype).toBe('html');
      expect(after!.tree!.children[0]!.bodyStart).toBe(33 + text.indexOf('<p>'));
      expect(after!.tree).toEqual(after!.found);
    });

    test('knows when a message came into its mailbox', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const start = Math.floor(Date.now() / 1000) * 1000;
      await append(store, account.id, 'INBOX', ['x']);
      for await (const [found] of store.fetchMessages(account.id, inbox.id, [1], { savedDate: true })) {
        expect(found!.savedDate!.getTime()).toBeGreaterThanOrEqual(start);
        expect(found!.savedDate!.getTime()).toBeLessThanOrEqual(Date.now());
      }
    });
  });

  describe('changes', () => {
    test('tell what happened since, mailbox by mailbox if asked', async () => {
      const { store, account, inbox } = await openedWithAccount(factory);
      const start = (await store.findAccount(account.id))!.modSeq;
      await append(store, account.id, 'INBOX', ['1', '2']);
      await append(store, account.id, 'Sent', ['3']);
      const { modSeq: flagged } = await store.storeFlags(account.id, inbox.id, [2], { mode: 'add', flags: ['\\Seen'] });
      await store.expunge(account.id, inbox.id, { uids: [1], onlyDeleted: false });
      const all = await store.changesSince(account.id, start);
      expect(all.changes.map(({ type }) => type)).toEqual(['arrived', 'arrived', 'flags', 'expunged']);
      expect(all.changes.map(({ modSeq }) => modSeq)).toEqual([1, 2, 3, 4].map((n) => start + n));
      const own = await store.changesSince(account.id, flagged, inbox.id);
      expect(own).toEqual({
        modSeq: all.modSeq,
        tooOld: false,
        changes: [{ type: 'expunged', modSeq: all.modSeq, mailbox: inbox.id, uids: [{ first: 1, last: 1 }] }],
      });
      expect((await store.changesSince(account.id, all.modSeq)).changes).toEqual([]);
      const nobody = store.changesSince(999 as typeof account.id, start);
      await expect(nobody).rejects.toMatchObject(refusal('NONEXISTENT'));
    });
  });
}

/** Waits for what the store does when it has time; a bound on turns of the loop, not on time. */
async function until(test: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 100_000; turn++) {
    if (await test()) return;
    await nextTurn();
  }
  throw new Error('it never happened');
}
