/** A store that fails in the middle of its work: the server says so in one line, tells its clients, and ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Dialogue } from './dialogue.ts';
import { startServerProcess } from './server-process.ts';

const BREAK_WRITER = new URL('./break-writer.ts', import.meta.url).href;
const MESSAGE = 'Subject: kept\r\n\r\nkept\r\n.\r\n';

async function upToData(port: number): Promise<Dialogue> {
  const smtp = await Dialogue.open(port);
  await smtp.until(/^220 .*\r\n/m);
  for (const line of ['EHLO fail.test', 'MAIL FROM:<a@else.test>', 'RCPT TO:<alice@glass.localhost>', 'DATA']) {
    smtp.send(`${line}\r\n`);
    await smtp.until(/^\d{3} .*\r\n$/m);
  }
  return smtp;
}

test('ends the server with exit code 1; nobody is told 250 for what is not kept', { timeout: 180_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glassmail-failure-'));
  try {
    {
      await using server = await startServerProcess(folder, [], { NODE_OPTIONS: `--import ${BREAK_WRITER}` });
      let errors = '';
      server.child.stderr!.on('data', (octets: Buffer) => (errors += octets.toString()));
      const ended = new Promise((resolve) => server.child.once('exit', (code) => resolve(code)));

      using first = await upToData(server.port('smtp'));
      first.send(MESSAGE);
      await first.until(/^250 2\.0\.0 Ok: queued/m);
      // One client is in the middle of a message, others wait for something.
      using second = await upToData(server.port('smtp'));
      second.send('Subject: lost\r\n\r\n');
      using imap = await Dialogue.open(server.port('imap'));
      imap.send('a LOGIN alice glass\r\nb SELECT INBOX\r\nc IDLE\r\n');
      await imap.until(/^\+ /m);

      server.child.kill('SIGUSR2');
      await imap.until(/^\* BYE /m);
      imap.finish();
      await first.until(/^421 /m);
      first.finish();
      second.send('lost\r\n.\r\n');
      expect(await second.until(/^\d{3} .*\r\n/m)).toMatch(/^4[25]1 4\./m);
      second.finish();
      expect(await ended).toBe(1);
      expect(errors.trimEnd().split('\n')).toEqual([
        expect.stringMatching(/^glassmail: the store has failed and the server ends: .+$/),
      ]);
    }
    await using again = await startServerProcess(folder);
    const list = await fetch(`http://127.0.0.1:${again.port('http')}/api/v1/messages`);
    const { messages } = (await list.json()) as { messages: { Subject: string }[] };
    expect(messages.map(({ Subject }) => Subject)).toEqual(['kept']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
