/**
 * `node test/bench/wire-page.ts`: whether the Wire page keeps up. 200 clients make 2,000 events a second over real
 * connections while Chromium shows one of them; the time between frames is measured in the page, and its memory after
 * everything that can go has gone. Flags: `--seconds 30`, `--conversations 200`, `--events 2000`, `--loudest 200`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { CDPSession, Page } from 'playwright-core';
import buildPages from '../browser/build-pages.ts';
import { launchBrowser, openPage } from '../browser/browser.ts';
import { startTalking } from '../browser/talkers.ts';
import { startServerProcess } from '../end-to-end/server-process.ts';
import { table } from './table.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    conversations: { type: 'string', default: '200' },
    events: { type: 'string', default: '2000' },
    loudest: { type: 'string', default: '200' },
  },
});
const seconds = Number(values.seconds);

/** Each time between two frames, in milliseconds. */
async function watchFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const frames: number[] = [];
    let before = performance.now();
    const frame = (): void => {
      const now = performance.now();
      frames.push(now - before);
      before = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    Object.assign(window, { frames });
  });
}

const takeFrames = (page: Page): Promise<number[]> =>
  page.evaluate(() => (window as unknown as { frames: number[] }).frames.splice(0));

/** In MB. */
async function heap(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / 1e6;
}

const share = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

buildPages();
const folder = await mkdtemp(join(tmpdir(), 'glassmail-wire-page-'));
const browser = await launchBrowser();
try {
  await using server = await startServerProcess(folder, ['--durability', 'process']);
  await using talkers = await startTalking({
    port: server.port('imap'),
    conversations: Number(values.conversations),
    eventsPerSecond: Number(values.events),
    loudest: Number(values.loudest),
  });
  const origin = `http://127.0.0.1:${server.port('http')}`;
  const list = (await (await fetch(`${origin}/api/glass/conversations?limit=1000&service=imap`)).json()) as {
    readonly conversations: readonly { readonly id: string }[];
  };
  await using watched = await openPage(browser, origin, `/wire/${list.conversations.at(-1)!.id}`);
  const { page } = watched;
  await page.locator('.wire-row').first().waitFor();
  const session = await page.context().newCDPSession(page);
  await watchFrames(page);
  const heaps: number[] = [];
  const answersBefore = talkers.answers;
  const begun = performance.now();
  for (let part = 0; part < 3; part++) {
    await wait((seconds * 1000) / 3);
    heaps.push(await heap(session));
  }
  const rate = (2 * (talkers.answers - answersBefore)) / ((performance.now() - begun) / 1000);
  const frames = (await takeFrames(page)).sort((a, b) => a - b);
  const lastTag = await talkers.quiet();
  const quietAt = performance.now();
  await page.locator('.wire-row.server', { hasText: `${lastTag} OK` }).waitFor();
  const behind = performance.now() - quietAt;
  const rows = await page.locator('.wire-row').count();
  const missed = await page.locator('.wire-row', { hasText: 'missed' }).count();
  const p95 = share(frames, 0.95);
  process.stdout.write(
    `${table([
      {
        subject: 'Wire page, 95th percentile of the frames',
        figures: `${rate.toFixed(0)} events/s in ${values.conversations} conversations, ${frames.length} frames, median ${share(frames, 0.5).toFixed(0)}, longest ${(frames.at(-1) ?? 0).toFixed(0)} ms`,
        ratio: p95,
        unit: ' ms',
        aim: { most: 50 },
      },
      {
        // It grows until the page has as many rows as it keeps, and no further.
        subject: 'Wire page, memory at the end',
        figures: `${heaps.map((each) => each.toFixed(1)).join(', ')} MB after each third; ${rows} rows in the document`,
        ratio: heaps[2]!,
        unit: ' MB',
        aim: { most: 40 },
      },
      {
        subject: 'Wire page, behind the last event',
        figures: `${missed} gaps told`,
        ratio: behind,
        unit: ' ms',
        aim: { most: 2000 },
      },
    ])}\n`,
  );
  if (watched.errors.length > 0) throw new Error(watched.errors.join('\n'));
} finally {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}
