/** HTML of strangers: what it tries in a plain frame it must not get done in ours. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack } from '../test-stack.ts';
import { launchBrowser, openPage } from './browser.ts';
import { send } from './letters.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** Every way that is known to ask another host, to run, or to leave. */
function vectors(canary: string): string {
  const to = (name: string): string => `${canary}/hit/${name}`;
  const script = (name: string): string =>
    `fetch('${to(name)}').catch(()=>0);parent.postMessage('${name}','*');try{top.document.title='taken'}catch(e){}`;
  return `<!doctype html><html><head><title>Hostile</title>
<link rel="stylesheet" href="${to('stylesheet')}"><link rel="icon" href="${to('icon')}"><link rel="preload" as="image" href="${to('preload')}">
<link rel="prefetch" href="${to('prefetch')}"><style>@import url("${to('import')}"); body { background: url(${to('css-url')}); }
@font-face { font-family: x; src: url(${to('font')}); } p { font-family: x } .a { background: u\\72l(${to('css-escape')}); }</style>
</head><body background="${to('background')}">
<p class="a" style="background-image: url('${to('style-attribute')}')">Hello</p>
<img src="${to('image')}"><img srcset="${to('srcset')} 1x" src="x:"><picture><source srcset="${to('source')}"><img alt=""></picture>
<video poster="${to('poster')}"></video><video src="${to('video')}" autoplay muted></video><audio src="${to('audio')}" autoplay></audio>
<video><track default kind="captions" src="${to('track')}"></video>
<iframe src="${to('frame')}"></iframe><iframe srcdoc="&lt;img src='${to('srcdoc')}'&gt;"></iframe>
<object data="${to('object')}"></object><embed src="${to('embed')}"><input type="image" src="${to('input-image')}">
<svg><image href="${to('svg-image')}"/><use href="${to('svg-use')}#a"/></svg>
<svg><script>${script('svg-script')}</script></svg>
<script>${script('script')}</script><script src="${to('script-src')}"></script>
<img src="x:" onerror="${script('onerror').replaceAll('"', '&quot;')}">
<details open ontoggle="${script('ontoggle').replaceAll('"', '&quot;')}"><summary>x</summary></details>
<input autofocus onfocus="${script('onfocus').replaceAll('"', '&quot;')}">
<noscript><p title="</noscript><img src='${to('mutation')}' onerror=&quot;${script('mutation-script')}&quot;>"></noscript>
<math><mtext><table><mglyph><style><img src="${to('math-mutation')}"></style></mglyph></table></mtext></math>
<form action="${to('form')}" id="f"><button>go</button></form><a id="l" href="javascript:${script('link')}">click</a>
<table background="${to('table')}"><tr><td background="${to('cell')}">x</td></tr></table>
<base href="${canary}/base/"><img src="hit/base">
</body></html>`;
}

interface Canary extends AsyncDisposable {
  readonly address: string;
  readonly hits: Set<string>;
}

/** Counts who comes. `/` holds the vectors in a plain frame. */
async function startCanary(): Promise<Canary> {
  const hits = new Set<string>();
  let address = '';
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path === '/' || path === '/plain') {
      response.setHeader('Content-Type', 'text/html');
      response.end(
        path === '/'
          ? `<!doctype html><title>Ours</title><script>heard=[];addEventListener('message',(e)=>heard.push(e.data))</script><iframe src="/plain"></iframe>`
          : vectors(address),
      );
      return;
    }
    if (path !== '/favicon.ico') hits.add(path);
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.statusCode = 404;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    hits,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Until two looks in a row, each after a full frame and idle time, see the same. */
async function settled(page: Page, canary: Canary): Promise<void> {
  await page.waitForLoadState('load');
  let before = -1;
  for (let rounds = 0; rounds < 50 && before !== canary.hits.size; rounds++) {
    before = canary.hits.size;
    await page.evaluate(
      () =>
        new Promise<void>((resolve) =>
          requestIdleCallback(() => setTimeout(() => requestAnimationFrame(() => resolve()), 200)),
        ),
    );
  }
}

test('in a plain frame the vectors do their work, so that this test proves something', async () => {
  await using canary = await startCanary();
  const page = await browser.newPage();
  await page.goto(`${canary.address}/`);
  await settled(page, canary);
  expect(canary.hits.size).toBeGreaterThan(20);
  expect(await page.title()).toBe('taken');
  expect(await page.evaluate(() => (window as unknown as { heard: string[] }).heard)).toContain('script');
  await page.close();
});

test('in ours nobody is asked, nothing is told, nothing is changed', async () => {
  await using canary = await startCanary();
  await using stack = await startTestStack();
  await send(stack, { subject: 'A hostile page', html: vectors(canary.address), text: '' });
  const origin = `http://127.0.0.1:${stack.port('http')}`;
  await using watched = await openPage(browser, origin, '/mail');
  const { page } = watched;
  await page.evaluate(() => {
    const heard: unknown[] = [];
    Object.assign(window, { heard });
    window.addEventListener('message', ({ data }) => heard.push(data));
  });
  await page.locator('.row', { hasText: 'A hostile page' }).getByRole('link').click();
  await page.frameLocator('iframe').getByText('Hello').waitFor();
  await page.locator('.row:not(.unread)').waitFor();
  await settled(page, canary);
  expect([...canary.hits]).toEqual([]);
  expect(watched.strangers).toEqual([]);
  expect(await page.evaluate(() => (window as unknown as { heard: unknown[] }).heard)).toEqual([]);
  expect(await page.title()).toBe('A hostile page · glassmail');
  expect(new URL(page.url()).origin).toBe(origin);
  // What it would have asked is counted and listed.
  await page.getByText(/\d+ remote addresses blocked/).click();
  await page.locator('.blocked').getByText(`${canary.address}/hit/image`).waitFor();
});

test('the document is as safe when it is opened alone, without our frame', async () => {
  await using canary = await startCanary();
  await using stack = await startTestStack();
  await send(stack, { subject: 'A hostile page', html: vectors(canary.address), text: '' });
  await using watched = await openPage(
    browser,
    `http://127.0.0.1:${stack.port('http')}`,
    '/api/glass/messages/latest/html',
  );
  await watched.page.getByText('Hello').waitFor();
  // No script runs in there, so nothing of ours can wait in it either.
  await watched.page.waitForLoadState('networkidle');
  expect([...canary.hits]).toEqual([]);
  expect(await watched.page.title()).toBe('Message');
});
