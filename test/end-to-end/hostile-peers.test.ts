/**
 * Every service of one server at once, among peers that do what no client should: nothing of it ends the server, is
 * logged as a fault, keeps a socket, or keeps others from being served.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { Dialogue } from './dialogue.ts';
import { Dice, PLAYS } from './hostile-peers.ts';

const AT_ONCE = 8;
const ROUNDS = 12;

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

const sockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'TLSWrap').length;

async function othersAreServed(): Promise<void> {
  using smtp = await Dialogue.open(stack.port('smtp'));
  await smtp.until(/^220 .*\r\n/m);
  await smtp.ask('NOOP', /^250 .*\r\n/m);
  using imap = await Dialogue.open(stack.port('imap'));
  await imap.ask('a NOOP', /^a OK .*\r\n/m);
  using pop3 = await Dialogue.open(stack.port('pop3'));
  await pop3.ask('CAPA', /^\.\r\n/m);
  using http = await Dialogue.open(stack.port('http'));
  await http.ask('GET /livez HTTP/1.1\r\nHost: localhost\r\n', /^HTTP\/1\.1 200 /);
  expect(stack.logged).toEqual([]);
}

test.each(Object.keys(PLAYS))('%s', { timeout: 180_000 }, async (name) => {
  const play = PLAYS[name]!;
  const seed = Math.floor(Math.random() * 2 ** 32);
  for (let round = 0; round < ROUNDS; round++) {
    const seeds = Array.from({ length: AT_ONCE }, (_, i) => seed + round * AT_ONCE + i);
    await Promise.all(
      seeds.map((each) =>
        play(stack, new Dice(each)).catch((error: unknown) => {
          throw new Error(`seed ${each}`, { cause: error });
        }),
      ),
    );
  }
  await othersAreServed();
});

test('leaves no socket behind', { timeout: 180_000 }, async () => {
  // Whoever was left with something unread is waited for; nothing tells when that is over.
  for (let tries = 0; tries < 1200 && sockets() > 0; tries++) await wait(25);
  expect(sockets()).toBe(0);
  expect(stack.logged).toEqual([]);
});
