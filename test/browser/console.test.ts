/** The console, by keyboard and in a real browser. */
import type { Browser } from 'playwright-core';
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

describe('the console', () => {
  test('sends a message by hand, under TLS after STARTTLS by button', async () => {
    await using watched = await openPage(browser, origin, '/console/submission');
    const { page } = watched;
    const log = page.getByRole('log');
    const line = page.getByRole('combobox', { name: 'Your line' });
    await log.getByText(/^220 /).waitFor();
    const say = async (text: string, answer: RegExp): Promise<void> => {
      const before = await log.getByText(answer).count();
      await line.fill(text);
      await line.press('Enter');
      await log.getByText(answer).nth(before).waitFor();
    };
    await say('EHLO me', /^250-STARTTLS/);
    await watched.screenshot('console-ehlo');
    await page.getByRole('button', { name: 'STARTTLS', exact: true }).first().click();
    await log.getByText(/TLS 1\.3/).waitFor();
    await say('EHLO me', /^250.AUTH|^250-AUTH/);
    // The helper makes the answer in the browser.
    await page.getByRole('button', { name: 'AUTH', exact: true }).click();
    await page.getByText('Base64', { exact: true }).click();
    await page.getByLabel('Password').fill('glass');
    await page.getByRole('button', { name: 'Put it in' }).click();
    expect(await line.inputValue()).toMatch(/^AUTH PLAIN [A-Za-z0-9+/]+=*$/);
    await watched.screenshot('console-base64');
    await line.press('Enter');
    await log.getByText(/^235 /).waitFor();
    expect(await log.getByText(/^AUTH PLAIN [A-Za-z0-9+/]{8}/).count()).toBe(0);
    await say('MAIL FROM:<alice@glass.localhost>', /^250 2\.1\.0/);
    await say('RCPT TO:<bob@glass.localhost>', /^250 2\.1\.5/);
    await say('DATA', /^354 /);
    const message = page.getByRole('textbox', { name: 'The message' });
    await message.fill('Subject: By hand\n\nHello\n.stuffed\n');
    await page.getByText('1 line begins with a full stop').waitFor();
    await watched.screenshot('console-data');
    await page.getByRole('button', { name: 'Send the message' }).click();
    await log
      .getByText(/^250 2\.[06]/)
      .last()
      .waitFor();
    await expect.poll(async () => (await stack.store.figures()).messages).toBe(1);
    await say('QUIT', /^221 /);
    await page.getByText('The session is over').waitFor();
    await watched.screenshot('console-over');
    expect(watched.errors).toEqual([]);
    expect(watched.strangers).toEqual([]);
    const opened = page.waitForEvent('popup');
    await page.getByRole('link', { name: 'This conversation in Wire' }).click();
    await (await opened).locator('.wire-row').first().waitFor();
  });

  test('counts tags, completes, remembers lines but no passwords', async () => {
    await using watched = await openPage(browser, origin, '/console/imap');
    const { page } = watched;
    const line = page.getByRole('combobox', { name: 'Your line' });
    await expect.poll(() => line.inputValue()).toBe('a1 ');
    await page.getByRole('button', { name: 'LOGIN', exact: true }).click();
    expect(await line.inputValue()).toBe('a1 LOGIN alice@glass.localhost ‹password›');
    await page.keyboard.type('glass');
    expect(await line.inputValue()).toBe('a1 LOGIN alice@glass.localhost glass');
    await page.keyboard.press('Enter');
    await page
      .getByRole('log')
      .getByText(/^a1 OK/)
      .waitFor();
    await expect.poll(() => line.inputValue()).toBe('a2 ');
    await page.keyboard.press('ArrowUp');
    expect(await line.inputValue()).toBe('a2 LOGIN alice@glass.localhost');
    await page.keyboard.press('ArrowDown');
    await line.fill('a2 SELECT INBOX');
    await page.keyboard.press('Enter');
    await page.getByText('a mailbox is open').waitFor();
    await watched.screenshot('console-imap');
    await page.getByText('more', { exact: false }).first().click();
    await watched.screenshot('console-imap-more');
    await page.getByRole('button', { name: 'IDLE', exact: true }).click();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'DONE' }).click();
    expect(await line.inputValue()).toBe('DONE');
    await page.keyboard.press('Enter');
    await expect.poll(() => line.inputValue()).toBe('a4 ');
    expect(await page.getByRole('log').innerText()).not.toMatch(/LOGIN\S* .*glass\b(?!\.)/);
    expect(watched.errors).toEqual([]);
  });

  test('a literal has a field that counts', async () => {
    await using watched = await openPage(browser, origin, '/console/imap');
    const { page } = watched;
    const line = page.getByRole('combobox', { name: 'Your line' });
    const log = page.getByRole('log');
    await expect.poll(() => line.inputValue()).toBe('a1 ');
    await line.fill('a1 LOGIN alice glass');
    await line.press('Enter');
    await log.getByText(/^a1 OK/).waitFor();
    await line.fill('a2 APPEND INBOX {15}');
    await line.press('Enter');
    const octets = page.getByRole('textbox', { name: 'The octets that you have announced' });
    await octets.fill('Subject: x\n\nabc');
    await page.getByText('17 of 15 octets').waitFor();
    await octets.fill('Subject: x\n\na');
    await page.getByText('15 of 15 octets').waitFor();
    await page.getByRole('button', { name: 'Send the octets' }).click();
    await log.getByText(/^a2 OK/).waitFor();
  });

  test('asks before several lines are sent', async () => {
    await using watched = await openPage(browser, origin, '/console/pop3');
    const { page } = watched;
    await page.getByRole('log').getByText(/^\+OK/).waitFor();
    await page.getByRole('combobox', { name: 'Your line' }).evaluate((field) => {
      const data = new DataTransfer();
      data.setData('text', 'USER alice\nPASS glass\nSTAT\n');
      field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    });
    await page.getByRole('heading', { name: 'Send 3 lines?' }).waitFor();
    await page.getByRole('button', { name: 'Send them' }).click();
    await page.getByText('logged in, the maildrop is open').waitFor();
    expect(watched.errors).toEqual([]);
  });

  test('begins with TLS where that is chosen, and takes a line from the address', async () => {
    await using watched = await openPage(browser, origin, '/console/imap?line=a1%20NOOP');
    const { page } = watched;
    const line = page.getByRole('combobox', { name: 'Your line' });
    await expect.poll(() => line.inputValue()).toBe('a1 NOOP');
    await page.getByLabel('TLS from the start').check();
    await page
      .getByRole('log')
      .getByText(/TLS 1\.3/)
      .waitFor();
    await page.getByText(`imaps ${stack.port('imaps')}`).waitFor();
  });

  test('does it for whoever does not know how', async () => {
    await using watched = await openPage(browser, origin, '/console/smtp');
    const { page } = watched;
    const line = page.getByRole('combobox', { name: 'Your line' });
    await page.getByRole('log').getByText(/^220 /).waitFor();
    await page.getByText('Do it for me').click();
    for (const command of ['EHLO me', 'MAIL FROM:<alice@glass.localhost>', 'RCPT TO:<bob@glass.localhost>', 'DATA']) {
      await expect
        .poll(async () => {
          await page.getByRole('button', { name: 'Write the next command' }).click();
          return line.inputValue();
        })
        .toBe(command);
      await line.press('Enter');
    }
    await page.getByRole('textbox', { name: 'The message' }).waitFor();
    await page.getByRole('button', { name: 'Write the next command' }).click();
    await page.getByRole('button', { name: 'Send the message' }).click();
    await page
      .getByRole('log')
      .getByText(/^250 2\.[06]/)
      .last()
      .waitFor();
  });

  test('what it does not speak is told', async () => {
    await using watched = await openPage(browser, origin, '/console/gopher');
    await watched.page.getByRole('heading', { name: 'There is no such console' }).waitFor();
  });
});
