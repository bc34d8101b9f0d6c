import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import SQLite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { Notifier } from '../../src/notifier/notifier.ts';
import type { Content } from '../../src/store/mail-store.ts';
import { openStore } from '../../src/store/sqlite/sqlite-store.ts';

const ROUNDS = 5;

/** Runs deliveries in another process and kills it after so many acknowledgements. @returns [number, uid] of each */
async function deliverAndKill(folder: string, first: number, acknowledgements: number): Promise<[number, number][]> {
  const script = new URL('./crash-child.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, folder, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: [number, number][] = [];
  // What was written before the kill is read to its end: it was acknowledged.
  for await (const line of createInterface({ input: child.stdout })) {
    const [number, uid] = line.split(' ');
    acknowledged.push([Number(number), Number(uid)]);
    if (acknowledged.length === acknowledgements) child.kill('SIGKILL');
  }
  return acknowledged;
}

test('what was acknowledged is there after a crash, once, and no UID comes back', { timeout: 180_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glassmail-crash-'));
  try {
    const uidOf = new Map<number, number>();
    let uidNext = 1;
    for (let round = 0; round < ROUNDS; round++) {
      const acknowledged = await deliverAndKill(folder, round * 1_000_000, 100 + 137 * round);
      expect(acknowledged.length).toBeGreaterThanOrEqual(100);
      for (const [number, uid] of acknowledged) {
        expect(uid).toBeGreaterThanOrEqual(uidNext); // none of an earlier round
        uidOf.set(number, uid);
      }
      uidNext = await check(folder, uidOf, uidNext);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** @returns the UIDNEXT that later rounds start from, at least */
async function check(folder: string, uidOf: ReadonlyMap<number, number>, uidNext: number): Promise<number> {
  const next = await checkStore(folder, uidOf, uidNext);
  const db = new SQLite(join(folder, 'mail.db'), { readonly: true });
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(db.pragma('foreign_key_check')).toEqual([]);
  // What the crash left in the folder of large messages is swept.
  const named = db.prepare('SELECT file FROM email WHERE file IS NOT NULL ORDER BY file').pluck().all();
  db.close();
  expect((await readdir(join(folder, 'large'))).sort()).toEqual(named);
  return next;
}

async function checkStore(folder: string, uidOf: ReadonlyMap<number, number>, uidNext: number): Promise<number> {
  await using store = await openStore({ folder, durability: 'power', notifier: new Notifier() });
  const account = (await store.findAccount('alice@glass.test'))!;
  const inbox = (await store.findMailbox(account.id, 'INBOX'))!;
  expect(inbox.uidNext).toBeGreaterThan(Math.max(uidNext - 1, ...uidOf.values()));
  const snapshot = await store.snapshot(account.id, inbox.id);
  expect(snapshot.count).toBe(inbox.messages);
  const found = new Map<number, number>();
  const uids = snapshot.uids.subarray(0, snapshot.count);
  for await (const batch of store.fetchMessages(account.id, inbox.id, uids, { content: true })) {
    for (const { uid, content } of batch) {
      const number = await numberOf(content!);
      expect(found.has(number)).toBe(false);
      found.set(number, uid);
    }
  }
  for (const [number, uid] of uidOf) {
    if (number % 7 === 0)
      expect(found.get(number) ?? uid).toBe(uid); // may have been expunged
    else expect(found.get(number)).toBe(uid);
  }
  // The list of transactions tells of the same messages.
  expect((await store.listTransactions({}, { start: 0, limit: 0 })).total).toBe(found.size);
  return inbox.uidNext;
}

/** Of a message that is whole. */
async function numberOf(content: Content): Promise<number> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content.read(0, content.size)) pieces.push(piece);
  const text = Buffer.concat(pieces).toString();
  const number = Number(/^X-Trace: yes\r\nSubject: (\d+)\r\n\r\n/.exec(text)![1]);
  const body = Buffer.alloc(number % 10 === 0 ? 300_000 : 5_000, `${number} `).toString();
  expect(text).toBe(`X-Trace: yes\r\nSubject: ${number}\r\n\r\n${body}`);
  return number;
}
