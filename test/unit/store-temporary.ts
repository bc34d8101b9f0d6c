/** A store in a folder that lives as long as the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Notifier } from '../../src/notifier/notifier.ts';
import type { Delivery, Transaction } from '../../src/store/mail-store.ts';
import {
  openStore,
  type SqliteStore,
  type StoreInternals,
  type StoreOptions,
} from '../../src/store/sqlite/sqlite-store.ts';

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'glassmail-store-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** Closed at the end of the test, unless the test has closed it. */
export async function openIn(
  folder: string,
  options: Partial<StoreOptions> = {},
  internals: StoreInternals = {},
): Promise<SqliteStore> {
  const store = await openStore({ folder, durability: 'process', notifier: new Notifier(), ...options }, internals);
  let closed: Promise<void> | undefined;
  const close = store[Symbol.asyncDispose].bind(store);
  store[Symbol.asyncDispose] = () => (closed ??= close());
  onTestFinished(() => store[Symbol.asyncDispose]());
  return store;
}

export const alice = { address: 'alice@glass.test', passwordRecord: undefined } as const;
export const toAlice: Delivery = { account: alice, mailbox: 'INBOX' };

export function transaction(octets: Uint8Array, deliveries: readonly Delivery[] = [toAlice]): Transaction {
  return {
    reversePath: '',
    forwardPaths: [],
    deliveries,
    trace: new Uint8Array(),
    content: { size: octets.length, octets, file: undefined },
    receivedAt: new Date(),
    origin: {
      service: 'smtp',
      conversation: undefined,
      remoteAddress: undefined,
      helo: undefined,
      login: undefined,
      tls: undefined,
    },
  };
}
