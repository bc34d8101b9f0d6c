/** node-pop3: reads a maildrop. */
import { readFile } from 'node:fs/promises';
import Pop3Command from 'node-pop3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address, contents, deposit, letter } from './mail.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

async function connect(service: 'pop3' | 'pop3s', password = 'glass'): Promise<Pop3Command> {
  return new Pop3Command({
    user: address('alice'),
    password,
    host: 'localhost',
    port: stack.port(service),
    tls: service === 'pop3s',
    tlsOptions: { ca: await readFile(stack.authorityFile!, 'utf8') },
    timeout: 20_000,
  });
}

/** It hands lines over as they were sent: with the dot that was put before those that begin with one. */
const asSent = (octets: Buffer): string => octets.toString().replace(/^\./gm, '..').replace(/\r\n$/, '');

test.each(['pop3', 'pop3s'] as const)('%s: lists, reads, deletes', async (service) => {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  const stored = await contents(stack, 'alice', 'INBOX');
  const pop3 = await connect(service);
  expect(await pop3.STAT()).toBe(`6 ${stored.reduce((sum, { octets }) => sum + octets.length, 0)}`);
  expect(await pop3.LIST()).toEqual(stored.map(({ octets }, index) => [`${index + 1}`, `${octets.length}`]));
  const uids = (await pop3.UIDL()) as string[][];
  expect(new Set(uids.map(([, uid]) => uid)).size).toBe(6);
  expect(await pop3.UIDL(3)).toEqual(uids[2]);
  for (const [index, { octets }] of stored.entries()) expect(await pop3.RETR(index + 1)).toBe(asSent(octets));
  expect(await pop3.TOP(1, 2)).toBe(asSent(letter('dots', '.\n..\n')));
  await pop3.DELE(1);
  await pop3.RSET();
  await pop3.DELE(2);
  await pop3.NOOP();
  await pop3.QUIT();
  expect((await contents(stack, 'alice', 'INBOX')).map(({ uid }) => uid)).toEqual([1, 3, 4, 5, 6]);
  const again = await connect(service);
  expect(((await again.UIDL()) as string[][]).map(([, uid]) => uid)).toEqual(
    uids.flatMap(([, uid], index) => (index === 1 ? [] : [uid])),
  );
  await again.QUIT();
});

test('an empty maildrop, and a large message', async () => {
  const empty = await connect('pop3s');
  expect(await empty.UIDL()).toEqual([]);
  expect(await empty.LIST()).toEqual([]);
  await empty.QUIT();
  const large = Buffer.concat([letter('large'), Buffer.from('.0123456789abcdef\r\n'.repeat(200_000))]);
  await deposit(stack, 'alice', 'INBOX', large);
  const pop3 = await connect('pop3s');
  // Where the final dot comes in a piece of its own, this client leaves the line end before it.
  const received = await pop3.RETR(1);
  expect(received.replace(/\r\n$/, '') === asSent(large)).toBe(true);
  await pop3.QUIT();
});

test('is refused with a wrong password, and for a message that is not there', async () => {
  const wrong = await connect('pop3s', 'wrong');
  await expect(wrong.STAT()).rejects.toThrow(/AUTH/);
  const pop3 = await connect('pop3s');
  await expect(pop3.RETR(1)).rejects.toThrow();
  await pop3.QUIT();
});
