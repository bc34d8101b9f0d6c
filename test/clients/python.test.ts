/** Python's imaplib, poplib and smtplib: the scripts in `python/` use all that they offer and check what they get. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, contents, deposit, mailboxes, subjectOf, subscriptions } from './mail.ts';
import { succeed } from './program.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

async function python(script: string, ...ports: readonly number[]): Promise<void> {
  const file = join(import.meta.dirname, 'python', script);
  const { stdout } = await succeed('python3', [file, ...ports.map(String), stack.authorityFile!]);
  expect(stdout).toBe('all of it\n');
}

test('imaplib', async () => {
  await python('imap.py', stack.port('imap'), stack.port('imaps'));
  expect((await contents(stack, 'alice', 'INBOX')).map(({ flags }) => flags).slice(0, 3)).toEqual([
    ['\\Seen'],
    [],
    ['Work', '\\Flagged'],
  ]);
  const names = await mailboxes(stack, 'alice');
  expect(names).toContain('Entwürfe');
  expect(names).not.toContain('Without');
  expect(await subscriptions(stack, 'alice')).toContain('Python');
});

test('poplib', async () => {
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await python('pop3.py', stack.port('pop3'), stack.port('pop3s'));
  const left = (await contents(stack, 'alice', 'INBOX')).map(subjectOf);
  expect(left).toEqual(['dots', 'a long line', 'From lines', 'parts']);
});

test('smtplib', async () => {
  await python('smtp.py', stack.port('smtp'), stack.port('submission'), stack.port('submissions'));
  const bob = await contents(stack, 'bob', 'INBOX');
  expect(bob.map(subjectOf)).toEqual([
    'without a login',
    'with STARTTLS',
    'with PLAIN',
    'with LOGIN',
    'with DSN',
    'to one of two',
    'after refusals',
    ...Array.from({ length: 8 }, (_, number) => `number ${number}`),
  ]);
  for (const { text } of bob) expect(text.endsWith('\r\n\r\n.\r\n..\r\nThe text.\r\n')).toBe(true);
  const [message] = await contents(stack, 'größe', 'INBOX');
  expect(message!.octets.toString()).toContain('größe@glass.localhost');
});
