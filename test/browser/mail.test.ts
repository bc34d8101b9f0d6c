/** The mail page, driven as a reader drives it, against a whole server. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { type WatchedPage, launchBrowser, openPage } from './browser.ts';
import { LETTERS, send } from './letters.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** A server with letters in it, and a page that must have stayed clean when the test is over. */
async function withPage(
  path: string,
  run: (context: { stack: TestStack; page: Page; watched: WatchedPage }) => Promise<void>,
  letters: Parameters<typeof send>[1][] = [...LETTERS],
): Promise<void> {
  await using stack = await startTestStack();
  await send(stack, ...letters);
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, path);
  const { page, errors, strangers } = watched;
  await page.locator('.feed-state.live').waitFor();
  await run({ stack, page, watched });
  expect(errors).toEqual([]);
  expect(strangers).toEqual([]);
  expect(stack.logged).toEqual([]);
}

const row = (page: Page, text: string) => page.locator('.row', { hasText: text });
const subjects = (page: Page): Promise<string[]> => page.locator('.row-subject').allTextContents();

async function unreadOnServer(stack: TestStack): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${stack.port('http')}/api/glass/messages?limit=0`);
  return ((await answer.json()) as { unread: number }).unread;
}

describe('the empty page', () => {
  test("names the server's own ports, and the first message takes its place", async () => {
    await withPage(
      '/',
      async ({ stack, page }) => {
        await page.getByRole('heading', { name: 'No mail yet' }).waitFor();
        const words = await page.locator('.empty-state').textContent();
        for (const service of ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s'] as const) {
          expect(words).toContain(String(stack.port(service)));
        }
        await send(stack, { subject: 'The first one' });
        await row(page, 'The first one').waitFor();
      },
      [],
    );
  });
});

describe('the list', () => {
  test('shows mail as it arrives, newest first, unread in words and not by colour alone', async () => {
    await withPage('/mail', async ({ stack, page }) => {
      await row(page, 'Build 8812').waitFor();
      expect((await subjects(page))[0]).toBe('Build 8812 failed');
      await send(stack, { subject: 'Just in' });
      await row(page, 'Just in').waitFor();
      expect((await subjects(page))[0]).toBe('Just in');
      const link = row(page, 'Just in').getByRole('link');
      expect(await link.textContent()).toMatch(/^unread: /);
      await page.getByText('6 messages, 6 unread').first().waitFor();
      expect(await page.title()).toMatch(/^\(6\) /);
    });
  });

  test('does not move under the reader: away from its top, new ones wait behind a button', async () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ subject: `Letter ${index + 1}` }));
    await withPage(
      '/mail',
      async ({ stack, page }) => {
        await row(page, 'Letter 40').waitFor();
        await page.locator('.scroller').evaluate((scroller) => scroller.scrollTo({ top: 600 }));
        const before = await subjects(page);
        await send(stack, { subject: 'News one' }, { subject: 'News two' });
        const fresh = page.getByRole('button', { name: 'Show 2 new messages' });
        await fresh.waitFor();
        expect(await subjects(page)).toEqual(before);
        await fresh.click();
        await row(page, 'News two').waitFor();
        expect((await subjects(page)).slice(0, 2)).toEqual(['News two', 'News one']);
      },
      many,
    );
  });

  test('can be paused: what came meanwhile is there afterwards', async () => {
    await withPage('/mail', async ({ stack, page }) => {
      await row(page, 'Build 8812').waitFor();
      await page.getByRole('button', { name: 'Pause live updates' }).click();
      await page.locator('.feed-state.paused').waitFor();
      await send(stack, { subject: 'While you paused' });
      // Another page hears of it, so this one could have.
      await using other = await openPage(browser, new URL(page.url()).origin, '/mail');
      await row(other.page, 'While you paused').waitFor();
      expect(await row(page, 'While you paused').count()).toBe(0);
      await page.getByRole('button', { name: 'Resume live updates' }).click();
      await row(page, 'While you paused').waitFor();
    });
  });

  test('of one account holds its mail alone, with its counts, and has an address', async () => {
    await withPage('/mail', async ({ stack, page }) => {
      const account = page.locator('a.account', { hasText: 'bob' });
      await account.getByText('2 messages, 2 unread').waitFor({ state: 'attached' });
      await account.click();
      await expect.poll(() => subjects(page)).toHaveLength(2);
      expect(new URL(page.url()).searchParams.get('account')).toBe('bob@glass.localhost');
      await send(
        stack,
        { to: 'alice@glass.localhost', subject: 'Not for him' },
        { to: 'bob@glass.localhost', subject: 'For Bob' },
      );
      await row(page, 'For Bob').waitFor();
      expect(await row(page, 'Not for him').count()).toBe(0);
      await page.reload();
      await row(page, 'For Bob').waitFor();
      expect(await subjects(page)).toHaveLength(3);
      await account.getByText('3 messages, 3 unread').waitFor({ state: 'attached' });
    });
  });

  test('comes in pages', async () => {
    const many = Array.from({ length: 130 }, (_, index) => ({ subject: `Letter ${index + 1}` }));
    await withPage(
      '/mail',
      async ({ page }) => {
        await page.getByText('1–100 of 130').waitFor();
        await page.getByRole('link', { name: 'Older' }).click();
        await page.getByText('101–130 of 130').waitFor();
        expect(new URL(page.url()).searchParams.get('page')).toBe('2');
        expect((await subjects(page)).at(-1)).toBe('Letter 1');
      },
      many,
    );
  });

  test('copies a one-time code', async () => {
    await withPage('/mail', async ({ page }) => {
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.getByRole('button', { name: 'Copy the code 281734' }).click();
      await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('281734');
    });
  });
});

describe('search', () => {
  test("is the server's, stands in the address, and follows what arrives", async () => {
    await withPage('/mail', async ({ stack, page }) => {
      await row(page, 'Build 8812').waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type('from:shop subject:parcel');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
      expect(new URL(page.url()).searchParams.get('q')).toBe('from:shop subject:parcel');
      await send(stack, { subject: 'Your parcel' }, { subject: 'Something else' });
      await row(page, 'Your parcel').waitFor();
      expect(await subjects(page)).toEqual(['Your parcel']);
      await page.goBack();
      await row(page, 'Build 8812').waitFor();
    });
  });

  test('says in words what it cannot read', async () => {
    await withPage('/mail?q=larger%3Asoup', async ({ page, watched }) => {
      await page.getByRole('alert').getByText('larger:').waitFor();
      // The browser notes each answer of 400 in its console.
      watched.permitRefusals();
    });
  });
});

describe('a message', () => {
  test('opens, is read from then on, and survives a reload', async () => {
    await withPage('/mail', async ({ stack, page }) => {
      await row(page, 'Invoice').getByRole('link').click();
      await page.frameLocator('iframe').getByRole('heading', { name: 'Invoice 2026-0119' }).waitFor();
      await page.locator('.row:not(.unread)', { hasText: 'Invoice' }).waitFor();
      await expect.poll(() => unreadOnServer(stack)).toBe(4);
      expect(await page.locator('iframe').getAttribute('sandbox')).toBe('allow-popups allow-popups-to-escape-sandbox');
      await page.reload();
      await page.getByRole('heading', { name: 'Invoice 2026-0119', level: 2 }).waitFor();
      await page.getByText('1 remote address blocked').waitFor();
      await page.getByText('1 link leads elsewhere than its text says').waitFor();
    });
  });

  test('has its views: text, source, headers, parts, attachments', async () => {
    await withPage('/mail', async ({ page }) => {
      await row(page, 'Invoice').getByRole('link').click();
      await page.getByRole('link', { name: 'Text', exact: true }).click();
      await page.locator('.text-view', { hasText: 'the invoice for January is attached.' }).waitFor();
      await page.getByRole('link', { name: 'Source', exact: true }).click();
      const source = page.locator('pre.source');
      await source.waitFor();
      const id = new URL(page.url()).pathname.split('/')[2]!;
      const raw = await page.evaluate(async (path) => (await fetch(path)).text(), `/api/glass/messages/${id}/source`);
      expect(await source.textContent()).toBe(raw.replaceAll('\r\n', '\n'));
      await page.getByRole('link', { name: 'Headers', exact: true }).click();
      await page.getByRole('rowheader', { name: 'Message-ID' }).waitFor();
      await page.getByText('The way it took').waitFor();
      await page.getByRole('link', { name: 'Parts', exact: true }).click();
      await page.getByText('application/pdf').waitFor();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.locator('.attachments').getByText('invoice-2026-0119.pdf').click(),
      ]);
      expect(download.suggestedFilename()).toBe('invoice-2026-0119.pdf');
      // What turns the direction of a file name is shown as what it is.
      await page.locator('.attachments').getByText('[U+202E]fdp.exe').waitFor();
    });
  });

  test('that does not exist, or is deleted while it is open, is told so', async () => {
    await withPage('/mail/AAAAAAAAAAAAAAAAAAAAAA', async ({ page, watched }) => {
      await page.getByRole('heading', { name: 'This message has been deleted' }).waitFor();
      watched.permitRefusals(); // the browser notes the 404
      await row(page, 'Build 8812').getByRole('link').click();
      await page.getByRole('heading', { name: 'Build 8812 failed', level: 2 }).waitFor();
      await page.evaluate(() =>
        fetch('/api/glass/messages/delete', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: '{"query":"subject:8812"}',
        }),
      );
      await page.getByRole('heading', { name: 'This message has been deleted' }).waitFor();
      expect(await row(page, 'Build 8812').count()).toBe(0);
    });
  });
});

describe('what is chosen', () => {
  test('is marked and deleted, after a question', async () => {
    await withPage('/mail', async ({ stack, page }) => {
      await row(page, 'Build 8812').getByRole('checkbox').click();
      await row(page, 'Your code').getByRole('checkbox').click();
      await page.getByText('2 selected').waitFor();
      await page.getByRole('button', { name: 'Mark read' }).click();
      await expect.poll(() => unreadOnServer(stack)).toBe(3);
      await page.getByRole('button', { name: 'Mark unread' }).click();
      await expect.poll(() => unreadOnServer(stack)).toBe(5);
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('heading', { name: 'Delete 2 messages?' }).waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      expect(await subjects(page)).toHaveLength(5);
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await expect.poll(() => subjects(page)).toHaveLength(3);
      await page.getByText('2 messages deleted').waitFor();
    });
  });

  test('can be all that a list holds, beyond its page', async () => {
    const many = Array.from({ length: 120 }, (_, index) => ({ subject: `Letter ${index + 1}` }));
    await withPage(
      '/mail',
      async ({ page }) => {
        await page.getByText('1–100 of 120').waitFor();
        await page.getByRole('checkbox', { name: 'Select this page' }).click();
        await page.getByRole('button', { name: 'Select all 120' }).click();
        await page.getByRole('button', { name: 'Delete' }).click();
        await page.getByRole('heading', { name: 'Delete 120 messages?' }).waitFor();
        await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
        await page.getByRole('heading', { name: 'No mail yet' }).waitFor();
      },
      many,
    );
  });
});

describe('the keyboard alone', () => {
  test('walks, opens, looks, marks, chooses, deletes and searches', async () => {
    await withPage('/mail', async ({ stack, page }) => {
      await row(page, 'Build 8812').waitFor();
      const focused = () => page.evaluate(() => document.activeElement?.closest('.row')?.textContent ?? '');
      await page.keyboard.press('j');
      expect(await focused()).toContain('Build 8812');
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      expect(await focused()).toContain('Grüße aus Zürich');
      await page.keyboard.press('k');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      expect(await focused()).toContain('Your code');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Your code is 281734', level: 2 }).waitFor();
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('item');
      await expect.poll(() => unreadOnServer(stack)).toBe(4);
      await page.keyboard.press('v');
      await page.locator('pre.source').waitFor();
      await page.keyboard.press('r');
      await expect.poll(() => unreadOnServer(stack)).toBe(5);
      await page.keyboard.press('j');
      await page.getByRole('heading', { name: 'Invoice 2026-0119', level: 2 }).waitFor();
      await page.keyboard.press('u');
      await expect.poll(() => new URL(page.url()).pathname).toBe('/mail');
      await expect.poll(focused).toContain('Invoice');
      await page.keyboard.press('x');
      await page.getByText('1 selected').waitFor();
      await page.keyboard.press('#');
      await page.getByRole('heading', { name: 'Delete this message?' }).waitFor();
      await page.keyboard.press('Enter');
      await expect.poll(() => subjects(page)).toHaveLength(4);
      await page.keyboard.press('/');
      await page.keyboard.type('is:unread from:ci');
      await page.keyboard.press('Enter');
      await expect.poll(() => subjects(page)).toEqual(['Build 8812 failed']);
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Single-letter keys act').waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.press('g');
      await page.keyboard.press('w');
      await page.getByRole('heading', { name: 'Conversations' }).waitFor();
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.locator('.wire-row').first().waitFor();
      await page.keyboard.press('g');
      await page.keyboard.press('m');
      await row(page, 'Build 8812').waitFor();
    });
  });

  test('has its single letters switched off on request', async () => {
    await withPage('/mail', async ({ page }) => {
      await page.getByRole('button', { name: 'Help' }).click();
      await page.getByRole('checkbox', { name: 'Single-letter keys act' }).click();
      await page.keyboard.press('Escape');
      await page.keyboard.press('j');
      await page.keyboard.press('g');
      await page.keyboard.press('w');
      expect(new URL(page.url()).pathname).toBe('/mail');
      expect(await page.evaluate(() => document.activeElement?.closest('.row'))).toBeNull();
    });
  });
});

describe('a search', () => {
  test('is saved under a name, found after a reload, opened and forgotten, by keyboard alone', async () => {
    await withPage('/mail?q=invoice', async ({ page, watched }) => {
      await row(page, 'Invoice').waitFor();
      await page.getByRole('button', { name: 'Save this search …' }).focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: 'Save this search' });
      expect(await dialog.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('invoice');
      // What was proposed is selected or not: all of it is replaced.
      await page.keyboard.press('Control+A');
      await page.keyboard.type('To be paid');
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await page.goto(new URL('/mail', page.url()).href);
      const link = page.getByRole('link', { name: 'To be paid' });
      await link.focus();
      await page.keyboard.press('Enter');
      await page.waitForURL(/[?&]q=invoice$/);
      await expect.poll(() => subjects(page)).toEqual(['Invoice 2026-0119']);
      expect(await link.getAttribute('aria-current')).toBe('true');
      expect(await page.getByRole('button', { name: 'Save this search …' }).count()).toBe(0);
      await watched.screenshot('saved-search');
      await page.getByRole('button', { name: 'Forget the search “To be paid”' }).focus();
      await page.keyboard.press('Enter');
      await link.waitFor({ state: 'detached' });
      await page.reload();
      await page.getByRole('button', { name: 'Save this search …' }).waitFor();
      expect(await link.count()).toBe(0);
    });
  });
});

describe('what is long', () => {
  test('does not push the message away: many recipients and attachments are folded', async () => {
    const to = Array.from({ length: 40 }, (_, index) => `p${index}@glass.localhost`);
    const attachments = Array.from({ length: 30 }, (_, index) => ({ filename: `file-${index}.bin`, content: 'x' }));
    await withPage(
      '/mail',
      async ({ page }) => {
        await row(page, 'To all').getByRole('link').click();
        await page.getByRole('button', { name: 'and 30 more' }).click();
        await page.getByText('p39@glass.localhost').waitFor();
        expect(await page.locator('.attachments a').count()).toBe(8);
        await page.getByRole('button', { name: '22 more attachments' }).click();
        expect(await page.locator('.attachments a').count()).toBe(30);
      },
      [{ subject: 'To all', to: to.join(', '), envelope: { from: 'a@app.test', to: to[0] }, attachments }],
    );
  });
});

describe('an address without a message', () => {
  test('says so, and leads back', async () => {
    await withPage('/mail/nonsense', async ({ page, watched }) => {
      await page.getByRole('heading', { name: 'There is no such message' }).waitFor();
      watched.permitRefusals();
      await page.getByRole('link', { name: 'Back to the list' }).click();
      await page.waitForURL(/\/mail$/);
    });
  });
});
