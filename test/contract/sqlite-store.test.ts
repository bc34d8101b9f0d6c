import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Notifier } from '../../src/notifier/notifier.ts';
import { openStore, type SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { describeMailStore } from './mail-store.ts';

describeMailStore('SqliteStore', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glassmail-contract-'));
  const notifier = new Notifier();
  const open = (): Promise<SqliteStore> => openStore({ folder, durability: 'process', notifier });
  let store = await open();
  return {
    get store() {
      return store;
    },
    notifier,
    async reopen() {
      await store[Symbol.asyncDispose]();
      store = await open();
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
});
