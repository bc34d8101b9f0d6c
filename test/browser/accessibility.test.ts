/** WCAG 2.2 A and AA on every page, by axe: light, dark, and as narrow as a telephone. */
import axe from 'axe-core';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { launchBrowser, openPage } from './browser.ts';
import { LETTERS, send } from './letters.ts';

let browser: Browser;
let stack: TestStack;
let empty: TestStack;

beforeAll(async () => {
  browser = await launchBrowser();
  empty = await startTestStack();
  stack = await startTestStack();
  await send(stack, ...LETTERS);
});
afterAll(async () => {
  await browser.close();
  await stack[Symbol.asyncDispose]();
  await empty[Symbol.asyncDispose]();
});

/** @returns one line per element that breaks a rule */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe: injected } = window as unknown as { axe: typeof axe };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const { violations: found } = await injected.run(document, {
      runOnly: { type: 'tag', values: tags },
      rules: { 'target-size': { enabled: true } },
      iframes: false, // the HTML of strangers
    });
    return found.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')} ${failureSummary ?? ''}`),
    );
  });
}

/** Words in the very colour of their ground: axe calls that incomplete, and passes. Wholly transparent ones are meant so. */
function unreadable(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('button, a, summary')]
      .filter((element) => element.checkVisibility() && element.innerText.trim() !== '')
      .filter((element) => {
        const { color, backgroundColor } = getComputedStyle(element);
        return color === backgroundColor && color !== 'rgba(0, 0, 0, 0)';
      })
      .map((element) => element.innerText),
  );
}

/** Panes with more in them than fits in their width: nobody shall have to scroll in two directions. */
function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('html, main, .connect-page, .empty-pane, .scroller, .item-pane, .accounts-pane')]
      .filter((pane) => pane.scrollWidth > pane.clientWidth)
      .map((pane) => pane.className || pane.tagName),
  );
}

const ALICE = 'account=alice%40glass.localhost';

const LOOKS: readonly (readonly [string, BrowserContextOptions])[] = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['narrow', { viewport: { width: 390, height: 800 } }],
];

/** Each ends when what is to be judged is there. */
const PLACES: readonly (readonly [string, string, (page: Page) => Promise<void>])[] = [
  ['list', '/mail', (page) => page.locator('.row').first().waitFor()],
  [
    'saved-search',
    '/mail?q=invoice',
    async (page) => {
      if (!(await page.getByRole('button', { name: 'Save this search …' }).isVisible()))
        await page.getByRole('button', { name: 'Accounts' }).click();
      await page.getByRole('button', { name: 'Save this search …' }).click();
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('link', { name: 'invoice', exact: true }).waitFor();
    },
  ],
  ['nothing-found', '/mail?q=nonsense', (page) => page.getByText('Nothing found').waitFor()],
  [
    'selected',
    '/mail',
    async (page) => {
      await page.locator('.row input').first().click();
      await page.getByText('1 selected').waitFor();
    },
  ],
  ['mailbox', `/mail?${ALICE}&mailbox=INBOX`, (page) => page.locator('.row').first().waitFor()],
  ['mailbox-empty', `/mail?${ALICE}&mailbox=Archive`, (page) => page.getByText('This mailbox is empty').waitFor()],
  [
    'mailbox-selected',
    `/mail?${ALICE}&mailbox=INBOX`,
    async (page) => {
      await page.locator('.row input').first().click();
      await page.getByRole('button', { name: 'Move to another mailbox' }).first().click();
      await page.getByRole('dialog', { name: 'Move to …' }).waitFor();
    },
  ],
  [
    'mailbox-menu',
    `/mail?${ALICE}&mailbox=Trash`,
    async (page) => {
      await page.getByRole('button', { name: 'More about this mailbox' }).click();
      await page.getByRole('button', { name: 'Rename …' }).click();
      await page.getByRole('textbox', { name: 'Name' }).waitFor();
    },
  ],
  [
    'copy',
    `/mail?${ALICE}&mailbox=INBOX`,
    async (page) => {
      await page.locator('.row', { hasText: 'Your code' }).getByRole('link').click();
      await page.getByRole('button', { name: 'Flags and keywords' }).click();
      await page.getByRole('textbox', { name: 'Keyword' }).waitFor();
    },
  ],
  ['write', '/mail?write=new', (page) => page.getByRole('textbox', { name: 'Subject' }).waitFor()],
  [
    'copy-as',
    '/mail?q=invoice',
    async (page) => {
      await page.locator('.row', { hasText: 'Invoice' }).getByRole('link').click();
      await page.getByRole('button', { name: 'More', exact: true }).click();
      await page.getByRole('button', { name: 'Copy as …' }).click();
      await page.getByRole('dialog', { name: 'Copy as …' }).waitFor();
    },
  ],
  [
    'others',
    '/mail?q=invoice',
    async (page) => {
      await page.locator('.row', { hasText: 'Invoice' }).getByRole('link').click();
      await page.getByRole('link', { name: 'As others see it' }).click();
      await page.locator('.way-column').last().waitFor();
      for (const details of await page.locator('#item details').all())
        await details.evaluate((element) => element.setAttribute('open', ''));
    },
  ],
  ...(['html', 'text', 'source', 'headers', 'parts', 'checks'] as const).map(
    (view) =>
      [
        view,
        '/mail?q=invoice',
        async (page: Page) => {
          await page.locator('.row', { hasText: 'Invoice' }).getByRole('link').click();
          await page.getByRole('link', { name: new RegExp(`^${view}$`, 'i') }).click();
          await page.locator(`.${view}-view`).waitFor();
          for (const details of await page.locator('#item details').all())
            await details.evaluate((element) => element.setAttribute('open', ''));
        },
      ] as const,
  ),
  ['message-gone', '/mail/AAAAAAAAAAAAAAAAAAAAAA', (page) => page.getByText('has been deleted').waitFor()],
  ...(['accounts', 'domains', 'faults', 'data', 'listeners', 'about', 'nonsense'] as const).map(
    (section) =>
      [
        `settings-${section}`,
        `/settings/${section}`,
        async (page: Page) => {
          await page.locator('.settings-section h2').first().waitFor();
          await page.waitForFunction(() => !document.body.textContent.includes('Loading'));
        },
      ] as const,
  ),
  [
    'journey',
    '/mail?q=invoice',
    async (page) => {
      await page.locator('.row', { hasText: 'Invoice' }).getByRole('link').click();
      await page.waitForURL(/\/mail\/\w{22}/);
      await page.goto(`${page.url().replace(/\?.*/, '')}/journey`);
      await page.locator('.steps > .step', { hasText: 'stores it' }).waitFor();
    },
  ],
  ['journey-missing', '/mail/AAAAAAAAAAAAAAAAAAAAAA/journey', (page) => page.getByText('no such message').waitFor()],
  ['wire', '/wire', (page) => page.locator('.row.conversation').first().waitFor()],
  [
    'conversation',
    '/wire',
    async (page) => {
      await page.locator('.row.conversation').getByRole('link').first().click();
      await page.locator('.wire-row').first().waitFor();
    },
  ],
  [
    'eavesdropper',
    '/wire?lens=eavesdropper',
    async (page) => {
      await page.locator('.row.conversation').getByRole('link').first().click();
      await page.locator('.wire-row').first().waitFor();
    },
  ],
  ...(['both', 'server'] as const).map(
    (lens) =>
      [
        `chosen-line-${lens}`,
        `/wire?lens=${lens}`,
        async (page: Page) => {
          await page.locator('.row.conversation').getByRole('link').first().click();
          await page
            .locator('.wire-row.client')
            .first()
            .click({ position: { x: 4, y: 4 } });
          await page.getByRole('region', { name: 'The chosen line' }).waitFor();
        },
      ] as const,
  ),
  [
    'conversation-missing',
    '/wire/zzzzzzzzzzz',
    (page) => page.getByText('There never was such a conversation').waitFor(),
  ],
  [
    'console',
    '/console/imap',
    (page) =>
      page
        .getByRole('log')
        .getByText(/^\* OK/)
        .waitFor(),
  ],
  [
    'console-message',
    '/console/smtp',
    async (page) => {
      const line = page.getByRole('combobox', { name: 'Your line' });
      for (const [text, answer] of [
        ['EHLO me', /^250 /],
        ['MAIL FROM:<me@app.test>', /^250 2\.1\.0/],
        ['RCPT TO:<alice@glass.localhost>', /^250 2\.1\.5/],
        ['DATA', /^354/],
      ] as const) {
        await line.fill(text);
        await line.press('Enter');
        await page.getByRole('log').getByText(answer).first().waitFor();
      }
      for (const details of await page.locator('.tool-box').all())
        await details.evaluate((element) => element.setAttribute('open', ''));
    },
  ],
  ['console-missing', '/console/gopher', (page) => page.getByText('There is no such console').waitFor()],
  ['lessons', '/lessons', (page) => page.locator('.lesson-card').first().waitFor()],
  [
    'lesson',
    '/lessons/starttls-stripping',
    async (page) => {
      await page.getByRole('button', { name: 'Open a session' }).click();
      await page.getByRole('log').getByText(/^220/).waitFor();
    },
  ],
  ['lesson-begin', '/lessons/send-by-hand', (page) => page.getByRole('button', { name: 'Open a session' }).waitFor()],
  ['lesson-missing', '/lessons/nonsense', (page) => page.getByText('There is no such lesson').waitFor()],
  ['missing', '/connect/nothing', (page) => page.getByText('There is no such page').waitFor()],
  [
    'connect',
    '/connect',
    async (page) => {
      await page.getByRole('heading', { name: 'Thunderbird', level: 2 }).waitFor();
      await page.getByText('Connections since the start').waitFor();
      for (const details of await page.locator('.connect-page details').all())
        await details.evaluate((element) => element.setAttribute('open', ''));
    },
  ],
  ['connect-text', '/connect/mutt?from=container', (page) => page.getByText('set folder =').waitFor()],
  [
    'connect-code',
    '/connect/android?from=network&host=192.168.1.20',
    async (page) => {
      await page.getByRole('button', { name: 'Show the QR code' }).click();
      await page.locator('svg.qr').waitFor();
      await page.getByRole('checkbox', { name: 'with the password' }).click();
    },
  ],
  [
    'help',
    '/mail',
    async (page) => {
      await page.getByRole('button', { name: 'Help' }).click();
      await page.getByRole('dialog').waitFor();
    },
  ],
  [
    'appearance',
    '/mail',
    async (page) => {
      await page.getByRole('button', { name: 'Appearance' }).click();
      await page.getByRole('radio', { name: 'Compact' }).click();
    },
  ],
];

for (const [look, options] of LOOKS) {
  describe(look, () => {
    test('empty', async () => {
      await using watched = await openPage(browser, `http://127.0.0.1:${empty.port('http')}`, '/', options);
      await watched.page.getByText('No mail yet').waitFor();
      await watched.screenshot(`${look}-empty`);
      expect(await violations(watched.page)).toEqual([]);
      expect(await tooWide(watched.page)).toEqual([]);
    });

    for (const [name, path, arrive] of PLACES) {
      test(name, async () => {
        await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, path, options);
        const { page } = watched;
        await page.locator('.feed-state.live').waitFor();
        await arrive(page);
        await watched.screenshot(`${look}-${name}`);
        expect(await violations(page)).toEqual([]);
        expect(await unreadable(page)).toEqual([]);
        expect(await page.locator('h1').count()).toBe(1);
        expect(watched.strangers).toEqual([]);
        expect(await tooWide(page)).toEqual([]);
      });
    }
  });
}

describe('a magnification of 400%', () => {
  test('leaves everything within reach by scrolling down alone', async () => {
    const options = { viewport: { width: 320, height: 256 } };
    await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, '/mail', options);
    const { page } = watched;
    await page.locator('.row').first().waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    await page.locator('.row').last().getByRole('link').click();
    await page.getByRole('heading', { level: 2 }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    await page.getByRole('button', { name: 'Back to the list' }).click();
    await page.locator('.row').first().waitFor();
  });
});

describe('the reader chooses', () => {
  test('colours and density, before the first pixel of the next page too', async () => {
    await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, '/mail', {
      colorScheme: 'light',
    });
    const { page } = watched;
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await ground()).toBe('rgb(255, 255, 255)');
    await page.getByRole('button', { name: 'Appearance' }).click();
    await page.getByRole('radio', { name: 'Dark' }).click();
    await expect.poll(ground).toBe('rgb(20, 23, 26)');
    // Without the module of the page nothing but the early script can have done it.
    await page.route('**/assets/index-*.js', (route) => route.abort());
    await page.reload();
    expect(await ground()).toBe('rgb(20, 23, 26)');
  });
});

test('the first screen is small', () => {
  const folder = join(import.meta.dirname, '../../src/ui/dist');
  // What the document names is loaded before anything shows; the other pages' code comes when they are opened.
  const named = [...readFileSync(join(folder, 'index.html'), 'utf8').matchAll(/\/(assets\/[\w.-]+\.(js|css))/g)];
  const size = (extension: string): number =>
    named
      .filter(([, , found]) => found === extension)
      .reduce((sum, [, file]) => sum + gzipSync(readFileSync(join(folder, file!))).length, 0);
  expect(size('js')).toBeGreaterThan(10_000);
  expect(size('js')).toBeLessThan(120_000);
  expect(size('css')).toBeGreaterThan(1000);
  expect(size('css')).toBeLessThan(20_000);
});
