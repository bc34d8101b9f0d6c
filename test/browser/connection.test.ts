/** The page and its server: lost, found, restarted. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../bench/processes.ts';
import { startTestStack } from '../test-stack.ts';
import { launchBrowser, openPage } from './browser.ts';
import { send } from './letters.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test('a page comes back by itself after a restart of the server, with what happened meanwhile', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glassmail-browser-'));
  try {
    const port = await freePort();
    await using watched = await (async () => {
      await using first = await startTestStack('--data', folder, '--http-port', String(port));
      await send(first, { subject: 'Before' });
      const opened = await openPage(browser, `http://127.0.0.1:${port}`, '/mail');
      await opened.page.locator('.feed-state.live').waitFor();
      await opened.page.locator('.row', { hasText: 'Before' }).waitFor();
      return opened;
    })();
    const { page } = watched;
    await page.locator('.feed-state.waiting').waitFor();
    await page.getByText(/reconnecting in \d+ s/).waitFor();
    await using second = await startTestStack('--data', folder, '--http-port', String(port));
    await send(second, { subject: 'Meanwhile' });
    await page.locator('.row', { hasText: 'Meanwhile' }).waitFor();
    await page.locator('.feed-state.live').waitFor();
    await send(second, { subject: 'Afterwards' });
    await page.locator('.row', { hasText: 'Afterwards' }).waitFor();
    expect(await page.locator('.row-subject').allTextContents()).toEqual(['Afterwards', 'Meanwhile', 'Before']);
    // The conversations of the run before are gone with it.
    await page.keyboard.press('g');
    await page.keyboard.press('w');
    await expect.poll(() => page.locator('.row.conversation').count()).toBe(2);
    expect(watched.strangers).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('what a route refuses is said in words', async () => {
  await using stack = await startTestStack();
  await send(stack, { subject: 'Stubborn' });
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, '/mail');
  const { page } = watched;
  await page.locator('.row', { hasText: 'Stubborn' }).getByRole('checkbox').click();
  await page.route('**/api/glass/messages/delete', (route) =>
    route.fulfill({ status: 507, json: { title: 'x', status: 507, detail: 'the disk is full' } }),
  );
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('alert').getByText('the disk is full').waitFor();
  expect(await page.locator('.row').count()).toBe(1);
  await page.route('**/api/glass/messages?*', (route) => route.abort());
  await page.reload();
  await page.getByText('The list cannot be shown').waitFor();
  await page.getByText('The server does not answer').waitFor();
  await page.unroute('**/api/glass/messages?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.row', { hasText: 'Stubborn' }).waitFor();
});
