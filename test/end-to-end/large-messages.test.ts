/** 20 sessions hand in 50 MiB each at once: all arrive whole, and the server's memory does not grow with them. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startServerProcess } from './server-process.ts';

const SESSIONS = 20;

const HEAD = 'Subject: large\r\n\r\n';
const LINE = `${'x'.repeat(1022)}\r\n`;
/** Below the limit of 50 MiB by the header and a little. */
const LINES = 50 * 1024 - 8;

/** The most memory that the process ever had, in MiB. */
const peak = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024;

async function send(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  let last = '';
  const reply = async (): Promise<string> => {
    for (;;) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      last += chunk.toString('latin1');
      const whole = /^(\d{3}) .*\r\n$/m.exec(last);
      if (!whole || !last.endsWith('\r\n')) continue;
      last = '';
      return whole[0];
    }
  };
  await reply();
  for (const command of ['EHLO large.test', 'MAIL FROM:<a@b.test>', 'RCPT TO:<large@c.test>', 'DATA']) {
    socket.write(`${command}\r\n`);
    await reply();
  }
  socket.write(HEAD);
  const piece = Buffer.from(LINE.repeat(64));
  const answer = reply();
  for (let line = 0; line < LINES; line += 64) {
    const lines = Math.min(64, LINES - line);
    if (!socket.write(piece.subarray(0, lines * LINE.length))) await once(socket, 'drain');
  }
  socket.write('.\r\n');
  const text = await answer;
  socket.destroy();
  return text;
}

test(`${SESSIONS} messages of 50 MiB at once`, { timeout: 180_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glassmail-large-'));
  try {
    await using server = await startServerProcess(folder, ['--durability', 'process']);
    const before = peak(server.child.pid!);
    const replies = await Promise.all(Array.from({ length: SESSIONS }, () => send(server.port('smtp'))));
    for (const reply of replies) expect(reply).toMatch(/^250 2\.0\.0 Ok: queued as \w{22}\r\n$/);
    const list = await fetch(`http://127.0.0.1:${server.port('http')}/api/v1/messages`);
    const { messages } = (await list.json()) as { messages: { Size: number }[] };
    expect(messages).toHaveLength(SESSIONS);
    for (const { Size } of messages) expect(Size).toBeGreaterThanOrEqual(HEAD.length + LINES * LINE.length);
    // 1,000 MiB came in. The recording may keep 20 MiB of it; four messages' worth beside that would already be wrong.
    const grown = peak(server.child.pid!) - before;
    expect(grown).toBeLessThan(4 * 50);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
