/** Postfix accepts mail by SMTP and hands it over by LMTP: what it delivers, what it returns to the sender. */
import { Buffer } from 'node:buffer';
import { createTransport } from 'nodemailer';
import { beforeAll, expect, test } from 'vitest';
import { postfixInstalled, startPostfix } from '../bench/peers.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD } from './mail.ts';
import { eventually } from './program.ts';

/** Hands a message to Postfix. */
async function send(port: number, to: readonly string[], raw: Buffer): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true });
  await transport.sendMail({ envelope: { from: 'sender@bench.test', to: [...to] }, raw });
  transport.close();
}

/** What was delivered to an account, trace and octets, in its order. */
async function delivered(stack: TestStack, address: string): Promise<string[]> {
  const account = await stack.store.findAccount(address);
  if (!account) return [];
  const { items } = await stack.store.listTransactions({ account: account.id }, { start: 0, limit: 100 });
  const texts: string[] = [];
  for (const { emailId } of items.toReversed()) {
    const { content } = (await stack.store.findContent(emailId))!;
    texts.push(Buffer.concat(await Array.fromAsync(content.read(0, content.size))).toString('latin1'));
  }
  return texts;
}

/** Postfix is to run as root: it gives its parts accounts of their own. */
const runnable = postfixInstalled && process.getuid?.() === 0;
beforeAll(() => {
  if (!runnable) throw new Error('these tests are run by root, with the package postfix installed');
});

test('delivers, and returns what is refused for one recipient alone', async () => {
  await using stack = await startTestStack(
    ...['--domains', 'bench.test', '--accounts', 'reader@bench.test,other@bench.test,sender@bench.test'],
  );
  await using postfix = await startPostfix(`inet:127.0.0.1:${stack.port('lmtp')}`);
  const addresses = ['reader@bench.test', 'nobody@bench.test', 'other@bench.test'];
  await send(postfix.ports.smtp!, addresses, AWKWARD.dots!);
  await eventually(async () => (await delivered(stack, 'other@bench.test')).length === 1, 'the message');
  await eventually(async () => (await delivered(stack, 'sender@bench.test')).length === 1, 'the bounce');

  for (const address of ['reader@bench.test', 'other@bench.test']) {
    const [text, ...more] = await delivered(stack, address);
    expect(more).toEqual([]);
    expect(text).toMatch(
      /^Return-Path: <sender@bench\.test>\r\nReceived: from mail\.bench\.test \(\[127\.0\.0\.1\]\)\r\n\tby mail\.bench\.test with LMTPS? id /,
    );
    expect(text!.endsWith('\r\n\r\n.\r\n..\r\n...three\r\n.\r\n\r\n.last\r\n')).toBe(true);
  }
  const [bounce] = await delivered(stack, 'sender@bench.test');
  expect(bounce).toMatch(/^Return-Path: <>\r\n/);
  expect(bounce).toContain('550 5.1.1 There is no account nobody@bench.test');
  expect(bounce).toContain('Final-Recipient: rfc822; nobody@bench.test');
  expect(bounce).not.toContain('Final-Recipient: rfc822; reader@bench.test');

  const { items } = await stack.store.listTransactions({}, { start: 0, limit: 10 });
  const message = items.at(-1)!;
  expect(message.origin).toMatchObject({ service: 'lmtp', helo: 'mail.bench.test', login: undefined });
  // What Postfix knows of the original envelope comes with it (RFC 3461 §4.2).
  expect(message.forwardPaths).toContainEqual({
    address: 'reader@bench.test',
    originalRecipient: 'rfc822;reader@bench.test',
  });
  expect(stack.logged).toEqual([]);
});

test('delivers many messages, to accounts that are made for them', async () => {
  await using stack = await startTestStack();
  await using postfix = await startPostfix(`inet:127.0.0.1:${stack.port('lmtp')}`);
  const names = Array.from({ length: 60 }, (_, index) => `many${index}@bench.test`);
  const large = Buffer.from(`Subject: large\r\n\r\n${'.a line that begins with a dot\r\n'.repeat(50_000)}`);
  await send(postfix.ports.smtp!, names, AWKWARD['eight bits']!);
  await send(postfix.ports.smtp!, [names[0]!], large);
  await eventually(async () => (await delivered(stack, names[0]!)).length === 2, 'both messages');
  await eventually(async () => (await delivered(stack, names.at(-1)!)).length === 1, 'the message for the last one');
  const texts = await delivered(stack, names[0]!);
  const [, largeBody] = texts.find((text) => text.includes('Subject: large'))!.split('\r\n\r\n');
  expect(largeBody).toBe('.a line that begins with a dot\r\n'.repeat(50_000));
  expect((await delivered(stack, names[1]!))[0]).toContain(Buffer.from('Grüße, 你好').toString('latin1'));
  expect(stack.logged).toEqual([]);
});
