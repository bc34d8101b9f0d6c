import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Notifier } from '../../src/notifier/notifier.ts';
import { lockFolder } from '../../src/store/folder-lock.ts';
import { realFileSystem, type FileSystem } from '../../src/store/sqlite/large-files.ts';
import { openIn, temporaryFolder, transaction } from './store-temporary.ts';

/** Counts, and can fail. */
function watchedFileSystem(): FileSystem & { calls: string[]; failure: Error | undefined } {
  const watched = {
    calls: [] as string[],
    failure: undefined as Error | undefined,
    async write(...args: Parameters<FileSystem['write']>) {
      if (watched.failure) throw watched.failure;
      watched.calls.push('write');
      await realFileSystem.write(...args);
    },
    async syncFile(...args: Parameters<FileSystem['syncFile']>) {
      if (watched.failure) throw watched.failure;
      watched.calls.push('sync file');
      await realFileSystem.syncFile(...args);
    },
    async syncFolder(...args: Parameters<FileSystem['syncFolder']>) {
      watched.calls.push('sync folder');
      await realFileSystem.syncFolder(...args);
    },
  };
  return watched;
}

const large = Buffer.alloc(300_000, 'x');
const diskFull = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

test('a commit is durable: WAL, and synchronous FULL', async () => {
  const store = await openIn(await temporaryFolder(), { durability: 'power' });
  expect(await store.inspect()).toMatchObject({ synchronous: 2, journalMode: 'wal' });
});

test('durability of the process alone: no syncs', async () => {
  const system = watchedFileSystem();
  const store = await openIn(await temporaryFolder(), { durability: 'process' }, { fileSystem: system });
  expect(await store.inspect()).toMatchObject({ synchronous: 0, journalMode: 'wal' });
  await using spool = store.spool();
  await spool.write(large);
  await spool.finish();
  expect(system.calls).toEqual(['write', 'write']);
});

test('a large message and its name are synced before the commit that mentions them', async () => {
  const system = watchedFileSystem();
  const store = await openIn(await temporaryFolder(), { durability: 'power' }, { fileSystem: system });
  await using spool = store.spool();
  await spool.write(large);
  const content = await spool.finish();
  expect(system.calls).toEqual(['write', 'write', 'sync file', 'sync folder']);
  await store.accept({ ...transaction(large), content });
  expect(system.calls).toHaveLength(4);
});

test('requests made at once share commits', async () => {
  const store = await openIn(await temporaryFolder(), { durability: 'power' });
  await store.createAccount({ address: 'alice@glass.test', passwordRecord: undefined });
  const before = (await store.inspect()).commits;
  await Promise.all(Array.from({ length: 100 }, () => store.accept(transaction(Buffer.from('x')))));
  const commits = (await store.inspect()).commits - before;
  expect(commits).toBeLessThanOrEqual(3); // inspect() is one of them
});

test('what a crash left beside the database is swept at start', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'large'), { recursive: true });
  await writeFile(join(folder, 'large', 'orphan'), 'x');
  const store = await openIn(folder);
  expect(await readdir(join(folder, 'large'))).toEqual([]);
  await using spool = store.spool();
  await spool.write(large);
  await store.accept({ ...transaction(large), content: await spool.finish() });
  await store[Symbol.asyncDispose]();
  await openIn(folder);
  expect(await readdir(join(folder, 'large'))).toHaveLength(1); // named by an email: stays
});

test('a folder has one holder', async () => {
  const folder = await temporaryFolder();
  const lock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(`${folder} is in use by another glassmail`);
  await lock[Symbol.asyncDispose]();
  await lockFolder(folder)[Symbol.asyncDispose]();
});

test('a full disk refuses large messages, and is no trouble once there is room', async () => {
  const system = watchedFileSystem();
  const folder = await temporaryFolder();
  const store = await openIn(folder, {}, { fileSystem: system });
  {
    await using spool = store.spool();
    system.failure = diskFull;
    await expect(spool.write(large)).rejects.toMatchObject({ name: 'Refusal', code: 'DISKFULL' });
    await expect(spool.finish()).rejects.toMatchObject({ name: 'Refusal', code: 'DISKFULL' });
  }
  expect(await readdir(join(folder, 'large'))).toEqual([]);
  system.failure = undefined;
  await using spool = store.spool();
  await spool.write(large);
  await expect(store.accept({ ...transaction(large), content: await spool.finish() })).resolves.toBeDefined();
});

test('a sync that fails refuses the message', async () => {
  const system = watchedFileSystem();
  const store = await openIn(await temporaryFolder(), { durability: 'power' }, { fileSystem: system });
  await using spool = store.spool();
  await spool.write(large);
  system.failure = diskFull;
  await expect(spool.finish()).rejects.toMatchObject({ name: 'Refusal', code: 'DISKFULL' });
});

test('a full database refuses what does not fit, keeps the rest, and takes mail again when there is room', async () => {
  const folder = await temporaryFolder();
  const store = await openIn(folder);
  const { copies } = await store.accept(transaction(Buffer.from('first')));
  const { account, mailbox } = copies[0]!;
  await store.inspect(120); // pages of 8 KiB
  const results = await Promise.allSettled(
    Array.from({ length: 60 }, (_, i) => store.accept(transaction(Buffer.alloc(i % 2 === 0 ? 100_000 : 100, 'x')))),
  );
  const refused = results.filter(({ status }) => status === 'rejected');
  expect(refused.length).toBeGreaterThan(10);
  for (const each of refused) {
    expect(each).toMatchObject({ reason: { name: 'Refusal', code: 'DISKFULL' } });
  }
  const kept = results.length - refused.length;
  expect(kept).toBeGreaterThan(3);
  const inbox = (await store.findMailbox(account, 'INBOX'))!;
  expect(inbox.messages).toBe(1 + kept);
  const snapshot = await store.snapshot(account, mailbox);
  const uids = new Set(results.map((each) => (each.status === 'fulfilled' ? each.value.copies[0]!.uid : 1)));
  expect([...snapshot.uids.subarray(0, snapshot.count)].sort()).toEqual([...uids].sort());
  // Room: by removing mail, or by a larger disk.
  await store.expunge(account, mailbox, { uids: snapshot.uids.subarray(1, snapshot.count), onlyDeleted: false });
  await store.inspect(100_000);
  const next = await store.accept(transaction(Buffer.alloc(100_000, 'y')));
  expect(next.copies[0]!.uid).toBe(inbox.uidNext);
});

test('spools wait while too much waits to be committed', async () => {
  const notifier = new Notifier();
  const store = await openIn(await temporaryFolder(), { maximumOctetsWaiting: 50_000, notifier });
  let committed = false;
  notifier.subscribe('all', () => (committed = true));
  const accepted = store.accept(transaction(Buffer.alloc(100_000, 'x')));
  await using spool = store.spool();
  await spool.write(Buffer.from('x'));
  expect(committed).toBe(true);
  await accepted;
});
