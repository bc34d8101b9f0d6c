/**
 * The pages in Chromium: how soon the app is there, and whether the Wire page keeps up when 200 clients make 2,000 events
 * a second over real connections while it shows one of them. The time between frames is measured in the page, its memory
 * after everything that can go has gone.
 */
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser, CDPSession, JSHandle, Page } from 'playwright-core';
import buildPages from '../browser/build-pages.ts';
import { CHROMIUM, launchBrowser, openPage } from '../browser/browser.ts';
import { startTalking } from '../browser/talkers.ts';
import { startGlassmail } from './peers.ts';
import type { Peer } from './processes.ts';
import { median, type Row } from './table.ts';
import { fill } from './testing.ts';

const CONVERSATIONS = 200;
const EVENTS_PER_SECOND = 2000;
/** Of the conversation that is shown. */
const LOUDEST = 200;
const PAINTS = 9;

export const chromiumInstalled = existsSync(CHROMIUM);

interface Options {
  /** How long the Wire page is watched. */
  readonly seconds: number;
  readonly messages: number;
  readonly say: (text: string) => void;
}

export async function measurePages({ seconds, messages, say }: Options): Promise<Row[]> {
  buildPages();
  const browser = await launchBrowser();
  try {
    await using glassmail = await startGlassmail(['--durability', 'process']);
    say(`pages: first paint, ${messages} messages`);
    await fill(glassmail, messages);
    const rows = await measurePaint(browser, glassmail);
    say(`pages: Wire for ${seconds} s`);
    return [...rows, ...(await measureWire(browser, glassmail, seconds))];
  } finally {
    await browser.close();
  }
}

const origin = ({ ports }: Peer): string => `http://127.0.0.1:${ports.http!}`;

/** A browser's first visit: nothing is cached. */
async function measurePaint(browser: Browser, glassmail: Peer): Promise<Row[]> {
  const paints: number[] = [];
  const lists: number[] = [];
  for (let round = 0; round < PAINTS; round++) {
    await using opened = await openPage(browser, origin(glassmail), '/');
    await opened.page.locator('.row-subject').first().waitFor();
    lists.push(await opened.page.evaluate(() => performance.now()));
    const paint = await opened.page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    );
    if (paint === undefined) throw new Error('the browser has painted nothing');
    paints.push(paint);
  }
  const subject = 'the app, nothing cached';
  return [
    {
      subject: `${subject}, first contentful paint`,
      figures: '',
      ratio: median(paints),
      unit: ' ms',
      aim: { most: 1000 },
    },
    { subject: `${subject}, until the mail is listed`, figures: '', ratio: median(lists), unit: ' ms', aim: undefined },
  ];
}

/** @returns each time between two frames from now on, in milliseconds; it lies in the page */
function watchFrames(page: Page): Promise<JSHandle<number[]>> {
  return page.evaluateHandle(() => {
    const frames: number[] = [];
    let before = performance.now();
    const frame = (): void => {
      const now = performance.now();
      frames.push(now - before);
      before = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    return frames;
  });
}

/** In MB. */
async function heap(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / 1e6;
}

const share = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

async function measureWire(browser: Browser, glassmail: Peer, seconds: number): Promise<Row[]> {
  await using talkers = await startTalking({
    port: glassmail.ports.imap!,
    conversations: CONVERSATIONS,
    eventsPerSecond: EVENTS_PER_SECOND,
    loudest: LOUDEST,
  });
  const list = (await (await fetch(`${origin(glassmail)}/api/glass/conversations?limit=1000&service=imap`)).json()) as {
    readonly conversations: readonly { readonly id: string }[];
  };
  await using watched = await openPage(browser, origin(glassmail), `/wire/${list.conversations.at(-1)!.id}`);
  const { page } = watched;
  await page.locator('.wire-row').first().waitFor();
  const session = await page.context().newCDPSession(page);
  const watchedFrames = await watchFrames(page);
  const heaps: number[] = [];
  const answersBefore = talkers.answers;
  const begun = performance.now();
  for (let part = 0; part < 3; part++) {
    await wait((seconds * 1000) / 3);
    heaps.push(await heap(session));
  }
  const rate = (2 * (talkers.answers - answersBefore)) / ((performance.now() - begun) / 1000);
  const frames = (await watchedFrames.jsonValue()).sort((a, b) => a - b);
  const lastTag = await talkers.quiet();
  const quietAt = performance.now();
  await page.locator('.wire-row.server', { hasText: `${lastTag} OK` }).waitFor();
  const behind = performance.now() - quietAt;
  const rows = await page.locator('.wire-row').count();
  const missed = await page.locator('.wire-row', { hasText: 'missed' }).count();
  const p95 = share(frames, 0.95);
  if (watched.errors.length > 0) throw new Error(watched.errors.join('\n'));
  return [
    {
      subject: 'Wire page, 95th percentile of the frames',
      figures: `${rate.toFixed(0)} events/s in ${CONVERSATIONS} conversations, ${frames.length} frames, median ${share(frames, 0.5).toFixed(0)}, longest ${(frames.at(-1) ?? 0).toFixed(0)} ms`,
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
  ];
}
