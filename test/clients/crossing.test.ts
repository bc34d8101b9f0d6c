/** One message on three ways: submitted with nodemailer, then read with imapflow, poplib and fetch, the same octets on each. */
import { readFile } from 'node:fs/promises';
import { ImapFlow, type FetchMessageObject } from 'imapflow';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { AWKWARD, address } from './mail.ts';
import { succeed } from './program.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

/** Prints the last message of a maildrop as base 64. */
const LAST_BY_POP3 = `
import base64, poplib, ssl, sys
session = poplib.POP3_SSL('localhost', int(sys.argv[1]), context=ssl.create_default_context(cafile=sys.argv[2]))
session.user(sys.argv[3])
session.pass_('glass')
lines = session.retr(session.stat()[0])[1]
print(base64.b64encode(b''.join(line + b'\\r\\n' for line in lines)).decode())
session.quit()
`;

test.each([
  ...Object.entries(AWKWARD),
  ['large', Buffer.concat([AWKWARD.dots!, Buffer.from('.0123456789abcdef\r\n'.repeat(100_000))])] as const,
])('%s', async (_, message) => {
  const ca = await readFile(stack.authorityFile!, 'utf8');
  const transport = createTransport({
    host: 'localhost',
    port: stack.port('submissions'),
    secure: true,
    tls: { ca },
    auth: { user: address('bob'), pass: 'glass' },
  });
  const sent = await transport.sendMail({ envelope: { from: address('bob'), to: address('alice') }, raw: message });

  const client = new ImapFlow({
    host: 'localhost',
    port: stack.port('imaps'),
    secure: true,
    tls: { ca },
    auth: { user: address('alice'), pass: 'glass' },
    logger: false,
  });
  await client.connect();
  await client.mailboxOpen('INBOX');
  const fetched = (await client.fetchOne('*', { source: true, size: true })) as FetchMessageObject;
  await client.logout();
  const byImap = fetched.source!.toString('latin1');
  expect(byImap.endsWith(message.toString('latin1'))).toBe(true);
  expect(fetched.size).toBe(byImap.length);
  // What stands before the octets is the trace: Return-Path and one Received.
  expect(byImap.slice(0, -message.length)).toMatch(/^Return-Path: <bob@glass\.localhost>\r\nReceived: from [^]*\r\n$/);

  const { stdout } = await succeed('python3', [
    '-c',
    LAST_BY_POP3,
    `${stack.port('pop3s')}`,
    stack.authorityFile!,
    address('alice'),
  ]);
  expect(Buffer.from(stdout, 'base64').toString('latin1') === byImap).toBe(true);

  const id = sent.response.split(' ').at(-1)!;
  const raw = await fetch(`http://localhost:${stack.port('http')}/api/v1/message/${id}/raw`);
  expect(Buffer.from(await raw.arrayBuffer()).toString('latin1') === byImap).toBe(true);
});
