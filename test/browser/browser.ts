/** The system's Chromium, and pages in it that keep a record of what they must not do. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, type Page, chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const REFUSED = /the server responded with a status of 4\d\d/;

/** What has not come by then will not. */
const PATIENCE_MS = 15_000;

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** A page of the app, with what went wrong in it. */
export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings of the console, and exceptions that nobody caught. */
  readonly errors: readonly string[];
  /** From here on, and back to the start, the browser may note answers from 400 to 499: it does so when it comes to it. */
  permitRefusals(): void;
  /** Requests to any other host than the server's. */
  readonly strangers: readonly string[];
  /** Into the folder that SCREENSHOTS names; without one, nothing is taken. */
  screenshot(name: string): Promise<void>;
}

/** @param origin such as `http://127.0.0.1:8025` */
export async function openPage(
  browser: Browser,
  origin: string,
  path: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width: 1400, height: 860 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const errors: string[] = [];
  const strangers: string[] = [];
  let permitsRefusals = false;
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (!permitsRefusals || !REFUSED.test(message.text())) errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (asked !== origin && protocol !== 'data:' && protocol !== 'blob:') strangers.push(request.url());
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== new URL(origin).host) strangers.push(socket.url());
  });
  await page.goto(`${origin}${path}`);
  return {
    page,
    errors,
    strangers,
    permitRefusals() {
      permitsRefusals = true;
      errors.splice(0, errors.length, ...errors.filter((text) => !REFUSED.test(text)));
    },
    async screenshot(name) {
      const folder = process.env.SCREENSHOTS;
      if (folder === undefined) return;
      await mkdir(folder, { recursive: true });
      await page.screenshot({ path: join(folder, `${name}.png`) });
    },
    async [Symbol.asyncDispose]() {
      await context.close();
    },
  };
}
