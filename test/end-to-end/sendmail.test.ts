/** `glassmail sendmail`, as programs call it that know nothing else. */
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError, type Io } from '../../src/cli/command.ts';
import { readArguments, sendmail } from '../../src/cli/sendmail.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack('--max-message-size', '2K');
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
});

const NOWHERE = ['--data', join(tmpdir(), 'glassmail-that-never-was')];

async function run(args: readonly string[], input: string, environment: Record<string, string> = {}) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input, 'latin1');
  const address = `127.0.0.1:${stack.port('smtp')}`;
  const io = { stdin, stdout, stderr, environment: { GLASSMAIL_SENDMAIL_ADDR: address, ...environment } };
  const code = await sendmail.run([...NOWHERE, ...args], io as unknown as Io).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(`${error.message}\n`);
    return error.exitCode;
  });
  const text = (stream: PassThrough): string => String(stream.read() ?? '');
  return { code, out: text(stdout), err: text(stderr) };
}

async function latest() {
  const transaction = (await stack.store.findTransaction('latest'))!;
  const { content } = (await stack.store.findContent(transaction.transactionId))!;
  const pieces: Uint8Array[] = [];
  for await (const piece of content.read(content.traceSize, content.size)) pieces.push(piece);
  return {
    from: transaction.reversePath,
    to: transaction.forwardPaths.map(({ address }) => address),
    paths: transaction.forwardPaths,
    text: Buffer.concat(pieces).toString('latin1'),
  };
}

const FULL = 'From: a@red.test\nDate: Tue, 3 Nov 2026 10:00:00 +0000\nMessage-ID: <m@red.test>\n';
const CRLF = (text: string) => text.replaceAll('\n', '\r\n');

describe('glassmail sendmail', () => {
  test('as PHP calls it: recipients of the header, Bcc taken out, lines ended by CRLF', async () => {
    const message = `${FULL}To: alice, Bob <bob@blue.test>\nBcc: hidden@blue.test,\n other\nSubject: x\n\none\n.\n..two\n`;
    expect(await run(['-t', '-i', '-fsender@red.test'], message)).toEqual({ code: 0, out: '', err: '' });
    expect(await latest()).toMatchObject({
      from: 'sender@red.test',
      to: ['alice@glass.localhost', 'bob@blue.test', 'hidden@blue.test', 'other@glass.localhost'],
      text: CRLF(`${FULL}To: alice, Bob <bob@blue.test>\nSubject: x\n\none\n.\n..two\n`),
    });
  });

  test('as cron calls it: a bare text, what is missing is added', async () => {
    const args = ['-FCron Daemon', '-i', '-odi', '-oem', '-oi', '-B8BITMIME', 'root'];
    expect((await run(args, 'Subject: done\n\nGr\xfc\xdfe\n')).code).toBe(0);
    const { from, to, text } = await latest();
    expect([from, to]).toEqual([`${userInfo().username}@${hostname()}`.toLowerCase(), ['root@glass.localhost']]);
    expect(text).toMatch(
      /^From: "?Cron Daemon"? <\S+@\S+>\r\nDate: \w{3}, .* \+0000\r\nMessage-ID: <\S+@\S+>\r\nSubject: done\r\n\r\nGr\xfc\xdfe\r\n$/,
    );
    expect((await run(['-f', '<>', 'alice'], 'no header at all\n')).code).toBe(0);
    expect(await latest()).toMatchObject({
      from: '',
      text: expect.stringMatching(/\r\n\r\nno header at all\r\n$/) as string,
    });
  });

  test('ends at a dot unless it is told not to', async () => {
    await run(['-f', 'a@red.test', 'alice'], `${FULL}\none\n.\ntwo\n`);
    expect((await latest()).text).toBe(CRLF(`${FULL}\none\n`));
    await run(['-oi', '-f', 'a@red.test', '--', 'alice'], `${FULL}\none\n.\n`);
    expect((await latest()).text).toBe(CRLF(`${FULL}\none\n.\n`));
  });

  test('takes the sender and the server from variables, also those of Mailpit and MailHog', async () => {
    const address = `127.0.0.1:${stack.port('smtp')}`;
    const none = { GLASSMAIL_SENDMAIL_ADDR: '' };
    await run(['a@red.test'], FULL, { ...none, MP_SENDMAIL_SMTP_ADDR: address, MP_SENDMAIL_FROM: 'mp@red.test' });
    expect((await latest()).from).toBe('mp@red.test');
    await run(['a@red.test'], FULL, { ...none, MH_SENDMAIL_SMTP_ADDR: address, MH_SENDMAIL_FROM: 'mh@red.test' });
    expect((await latest()).from).toBe('mh@red.test');
    await run(['-S', address, '--from=flag@red.test', 'a@red.test'], FULL, {
      ...none,
      MH_SENDMAIL_FROM: 'mh@red.test',
    });
    expect((await latest()).from).toBe('flag@red.test');
    await run(
      ['--host', '127.0.0.1', '--port', String(stack.port('smtp')), '-r', 'r@red.test', 'a@red.test'],
      FULL,
      none,
    );
    expect((await latest()).from).toBe('r@red.test');
  });

  test('asks for delivery reports', async () => {
    await run(['-N', 'success,failure', '-R', 'hdrs', '-V', 'env1', '-f', 'a@red.test', 'alice'], FULL);
    const { paths } = await latest();
    expect(paths[0]!.notify?.toUpperCase()).toBe('SUCCESS,FAILURE');
  });

  test('speaks SMTP for those who want it so', async () => {
    const dialogue = ['EHLO app', 'MAIL FROM:<bs@red.test>', 'RCPT TO:<alice@glass.localhost>', 'DATA'];
    const { code, out } = await run(['-bs'], `${dialogue.join('\r\n')}\r\nSubject: bs\r\n\r\n.\r\nQUIT\r\n`);
    expect(code).toBe(0);
    expect(out).toMatch(/^220 [^]*\r\n250 2\.0\.0 Ok: queued as \w{22}\r\n221 /);
    expect((await latest()).from).toBe('bs@red.test');
  });

  test.each([
    ['no recipient', [], FULL, {}, 64, /To whom/],
    ['none in the header', ['-t'], FULL, {}, 64, /names no recipient/],
    ['a flag of nobody', ['--what'], FULL, {}, 64, /--what is not a flag/],
    ['a flag without its value', ['alice', '-f'], FULL, {}, 64, /-f needs a value/],
    ['an address of nothing', ['alice'], FULL, { GLASSMAIL_SENDMAIL_ADDR: 'host:99999' }, 64, /HOST:PORT/],
    ['a daemon', ['-bd'], FULL, {}, 64, /-bd/],
    ['no message', ['alice'], '', {}, 65, /no message/],
    ['a server that refuses', ['-f', 'a@red.test', 'alice'], FULL + 'x'.repeat(3000), {}, 69, /refused: 552/],
    ['a server that is not there', ['alice'], FULL, { GLASSMAIL_SENDMAIL_ADDR: '127.0.0.1:1' }, 75, /ECONNREFUSED/],
  ])('%s', async (_, args, input, environment, code, err) => {
    const outcome = await run(args, input, environment);
    expect(outcome).toEqual({ code, out: '', err: expect.stringMatching(err) as string });
  });

  test('knows which letters take a value', () => {
    expect(readArguments(['-it', '-O', 'DeliveryMode=b', '-oee', '-L', 'tag', '-h3', '-v', 'x@y'])).toMatchObject({
      fromHeader: true,
      ignoreDots: true,
      recipients: ['x@y'],
    });
    expect(readArguments(['-o', 'i', '-bm', '-G', '-n', 'x@y'])).toMatchObject({
      ignoreDots: true,
      recipients: ['x@y'],
    });
  });
});
