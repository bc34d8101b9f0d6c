/** The lessons, by keyboard and in a real browser. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { launchBrowser, openPage } from './browser.ts';

let browser: Browser;
let stack: TestStack;
let origin: string;

beforeAll(async () => {
  browser = await launchBrowser();
  stack = await startTestStack();
  origin = `http://127.0.0.1:${stack.port('http')}`;
});
afterAll(async () => {
  await browser.close();
  await stack[Symbol.asyncDispose]();
  expect(stack.logged).toEqual([]);
});

/** Presses Tab until something of that name has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 150; presses++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute('aria-label') ?? element?.textContent ?? '';
    });
    if (name.test(focused.trim())) return;
  }
  throw new Error(`nothing with the name ${name.source} gets the focus`);
}

const done = (page: Page) => page.locator('.lesson-steps > .done');

describe('lessons', () => {
  test('the first one, by keyboard alone', async () => {
    await using watched = await openPage(browser, origin, '/lessons');
    const { page } = watched;
    await page.getByRole('heading', { name: 'Send a message by hand' }).waitFor();
    await watched.screenshot('lessons-list');
    await tabTo(page, /^Send a message by hand$/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Say hello' }).waitFor();
    await watched.screenshot('lesson-begin');
    /** Puts a line of the lesson into the console and sends it. */
    const put = async (line: RegExp): Promise<void> => {
      await tabTo(page, line);
      await page.keyboard.press('Enter');
      await expect
        .poll(() => page.evaluate(() => (document.activeElement as HTMLInputElement | null)?.value))
        .toMatch(/^[A-Z]{4}/);
      await page.keyboard.press('Enter');
    };
    await put(/console: EHLO me$/);
    await expect.poll(() => done(page).count()).toBe(1);
    await page.getByRole('link', { name: 'where it shows' }).waitFor();
    await put(/console: RCPT TO/);
    await expect.poll(() => done(page).count()).toBe(2);
    await put(/console: MAIL FROM/);
    await page
      .getByRole('log')
      .getByText(/^250 2\.1\.0/)
      .waitFor();
    await page
      .getByRole('button', { name: /console: RCPT TO/ })
      .last()
      .focus();
    await page.keyboard.press('Enter');
    await expect
      .poll(() => page.evaluate(() => (document.activeElement as HTMLInputElement | null)?.value))
      .toMatch(/^RCPT/);
    await page.keyboard.press('Enter');
    await expect.poll(() => done(page).count()).toBe(3);
    await put(/console: DATA$/);
    await page.getByRole('textbox', { name: 'The message' }).waitFor();
    await tabTo(page, /^Put into the message field$/);
    await page.keyboard.press('Enter');
    await expect
      .poll(() => page.getByRole('textbox', { name: 'The message' }).inputValue())
      .toContain('Written by hand');
    // The focus follows into the field.
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
    await watched.screenshot('lesson-middle');
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => done(page).count()).toBe(4);
    await put(/console: QUIT$/);
    await page.getByText('You have done all the tasks of this lesson').waitFor();
    await watched.screenshot('lesson-end');
    expect(watched.errors).toEqual([]);
    expect(watched.strangers).toEqual([]);
    // It is kept in this browser.
    await page.reload();
    await expect.poll(() => done(page).count()).toBe(5);
    await page.goto(`${origin}/lessons`);
    await page.locator('.lesson-card.done').waitFor();
    // Every page tells how many are finished.
    await page.goto(`${origin}/mail`);
    await page.getByRole('link', { name: /^Lessons\s*1 of \d+ finished$/ }).waitFor();
  });

  test('two consoles, a message sent by a button, a rule switched on and off', async () => {
    await using watched = await openPage(browser, origin, '/lessons/two-clients');
    const { page } = watched;
    await page.getByRole('button', { name: 'Let it be sent to you' }).click();
    await page.getByText('lies in your inbox').waitFor();
    await page.getByRole('button', { name: 'IMAP B' }).click();
    await page.getByRole('button', { name: 'Open a session: IMAP B' }).click();
    await page.getByRole('button', { name: /console: b1 LOGIN/ }).click();
    await expect
      .poll(() => page.getByRole('combobox', { name: 'Your line' }).inputValue())
      .toMatch(/^b1 LOGIN .* glass$/);
    await page.keyboard.press('Enter');
    await page.getByText('logged in', { exact: false }).first().waitFor();
    await watched.screenshot('lesson-two');
    await page.getByRole('button', { name: 'Any program' }).click();
    await page.locator('.desk-any').getByRole('link').first().waitFor();
    await page.goto(`${origin}/lessons/break-it`);
    await page.getByRole('button', { name: 'Switch it on' }).first().click();
    await page.getByRole('button', { name: 'Switch it off' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Switch it off' }).click();
    await expect.poll(() => page.getByRole('button', { name: 'Switch it off' }).count()).toBe(0);
    expect(watched.errors).toEqual([]);
  });

  test('what another program does counts at once', async () => {
    await using watched = await openPage(browser, origin, '/lessons/read-by-imap');
    const { page } = watched;
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.locator('.feed-state.live').waitFor();
    const { ImapFlow } = await import('imapflow');
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: stack.port('imap'),
      secure: false,
      auth: { user: 'alice@glass.localhost', pass: 'glass', loginMethod: 'LOGIN' },
      tls: { rejectUnauthorized: false },
      logger: false,
    });
    await client.connect();
    await expect.poll(() => done(page).count()).toBeGreaterThanOrEqual(1);
    await client.logout();
  });

  test('the hint comes after half a minute', async () => {
    await using watched = await openPage(browser, origin, '/mail');
    const { page } = watched;
    await page.clock.install();
    await page.goto(`${origin}/lessons/send-by-hand`);
    await page.getByRole('heading', { name: 'Say hello' }).waitFor();
    expect(await page.getByText('A hint').count()).toBe(0);
    await page.clock.fastForward(31_000);
    await page.getByText('A hint').waitFor();
  });

  test('a lesson that there is not is told', async () => {
    await using watched = await openPage(browser, origin, '/lessons/nonsense');
    await watched.page.getByRole('heading', { name: 'There is no such lesson' }).waitFor();
  });
});
