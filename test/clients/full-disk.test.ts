/**
 * A full disk, a real one: a small tmpfs. SMTP answers 452 4.3.1, reading goes on, and when there is space again mail is
 * taken again. Mounting needs root.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { succeed } from './program.ts';

let folder: string;
let stack: TestStack;
/** MiB. */
let size = 24;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glassmail-disk-'));
  await succeed('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'tmpfs', folder]);
  stack = await startTestStack('--data', folder, '--durability', 'power');
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await succeed('umount', [folder]);
  await rm(folder, { recursive: true });
});

interface SmtpError extends Error {
  readonly responseCode: number;
  readonly response: string;
}

/** @returns the last reply, also of a refusal */
async function send(octets: number): Promise<string> {
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp') });
  try {
    const text = `${'x'.repeat(70)}\r\n`.repeat(octets / 72);
    const { response } = await transport.sendMail({
      from: 'a@b.test',
      to: 'alice@glass.localhost',
      subject: 'fill',
      text,
    });
    return response;
  } catch (error) {
    return (error as SmtpError).response;
  } finally {
    transport.close();
  }
}

async function count(): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${stack.port('http')}/api/v1/messages?limit=1`);
  return ((await answer.json()) as { total: number }).total;
}

test.each([
  ['large messages, which lie in files', 1_000_000],
  ['small messages, which lie in the database', 200_000],
])('%s', async (_, octets) => {
  const before = await count();
  let accepted = 0;
  let reply = '';
  for (let attempt = 0; attempt < 200; attempt++) {
    reply = await send(octets);
    if (!reply.startsWith('250')) break;
    accepted++;
  }
  expect(reply).toMatch(/^452 4\.3\.1 /);
  expect(accepted).toBeGreaterThan(3);
  expect(await count()).toBe(before + accepted);

  // Somebody makes room.
  size += 24;
  await succeed('mount', ['-o', `remount,size=${size}m`, folder]);
  expect(await send(octets)).toMatch(/^250 2\.0\.0 /);
  expect(await count()).toBe(before + accepted + 1);
});

test('nothing of this was a fault of ours', () => {
  expect(stack.logged.filter((line) => line.includes(' error '))).toEqual([]);
});
