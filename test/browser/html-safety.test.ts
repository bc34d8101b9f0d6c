/** HTML of strangers: what it tries in a plain frame it must not get done in ours. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SendMailOptions } from 'nodemailer';
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

type Vectors = (to: (name: string) => string, script: (name: string) => string) => readonly string[];

/** What asks another host by itself, when it is merely shown. */
const LOADS: Vectors = (to) => [
  `<link rel="stylesheet" href="${to('stylesheet')}"><link rel="alternate stylesheet" href="${to('alternate')}" title="x">`,
  `<link rel="icon" href="${to('icon')}"><link rel="preload" as="image" href="${to('preload')}">`,
  `<link rel="prefetch" href="${to('prefetch')}"><link rel="modulepreload" href="${to('modulepreload')}">`,
  `<link rel="preload" as="font" crossorigin href="${to('preload-font')}"><link rel="manifest" href="${to('manifest')}">`,
  `<img src="${to('image')}"><IMG SRC='${to('image-capitals')}'><img src=${to('image-bare')}>`,
  `<img src="${to('image-scheme').replace('http:', '')}"><img src=" &#x9;${to('image-blanks')}">`,
  `<img src="${to('image-entities').replaceAll('/', '&#47;')}"><img src="${to('image-newline').replace('/hit', '/&#10;hit')}">`,
  `<img src="${to('image-backslash').replace('://', ':\\\\')}"><image src="${to('image-tag')}">`,
  `<img src="/own/hit"><img srcset="${to('srcset')} 1x" src="x:"><img srcset="data:,x 1x, ${to('srcset-second')} 2x" sizes="100vw">`,
  `<picture><source srcset="${to('source')}"><img alt=""></picture>`,
  `<video poster="${to('poster')}"></video><video src="${to('video')}" autoplay muted></video>`,
  `<video autoplay muted><source src="${to('video-source')}"></video><audio autoplay><source src="${to('audio-source')}"></audio>`,
  `<audio src="${to('audio')}" autoplay></audio><video><track default kind="captions" src="${to('track')}"></video>`,
  `<iframe src="${to('frame')}"></iframe><iframe srcdoc="&lt;img src='${to('srcdoc')}'&gt;"></iframe>`,
  `<iframe srcdoc="&lt;style&gt;@import '${to('srcdoc-import')}'&lt;/style&gt;"></iframe>`,
  `<object data="${to('object')}"></object><embed src="${to('embed')}"><input type="image" src="${to('input-image')}">`,
  `<object><img src="${to('object-fallback')}"></object><noframes><img src="${to('noframes')}"></noframes>`,
  `<svg><image href="${to('svg-image')}"/><image xlink:href="${to('svg-xlink')}"/><use href="${to('svg-use')}#a"/></svg>`,
  `<svg><style>@import "${to('svg-import')}";</style><rect width="9" height="9" fill="url(${to('svg-fill')}#a)"/></svg>`,
  `<svg width="9" height="9"><filter id="f"><feImage href="${to('svg-fe-image')}"/></filter><rect width="9" height="9" filter="url(#f)"/></svg>`,
  `<svg><foreignObject width="9" height="9"><img src="${to('svg-foreign')}"></foreignObject></svg>`,
  `<table background="${to('table')}"><tr><td background="${to('cell')}">x</td></tr></table>`,
  `<script src="${to('script-src')}"></script><script type="module" src="${to('script-module')}"></script>`,
  `<dialog open><img src="${to('dialog')}"></dialog><details open><summary>x</summary><img src="${to('details')}"></details>`,
  `<template shadowrootmode="open"><img src="${to('shadow')}"></template><marquee><img src="${to('marquee')}"></marquee>`,
  `<select><option>x</select><img src="${to('select')}"><textarea></textarea><img src="${to('textarea')}">`,
];

/** Style sheets, whole and in pieces; rules that tell what is on the page. */
const STYLES: Vectors = (to) => [
  `<style>@import url("${to('import')}"); @import '${to('import-string')}'; @import url(${to('import-layer')}) layer(x);</style>`,
  `<style>body { background: url(${to('css-url')}); } .a { background: u\\72l(${to('css-escape')}); }</style><p class="a">a</p>`,
  `<style>@font-face { font-family: x; src: url(${to('font')}); } .b { font-family: x }</style><p class="b">b</p>`,
  `<style>@font-face { font-family: y; src: url(${to('font-range')}); unicode-range: U+53 } .c { font-family: y }</style><p class="c">S</p>`,
  `<style>input[value^="s"] { background: url(${to('css-attribute')}) }</style><input value="secret">`,
  `<style>.d { --u: url(${to('css-variable')}); background: var(--u) }</style><p class="d">d</p>`,
  `<style>.e { background: image-set(url(${to('css-image-set')}) 1x) } .f { list-style: url(${to('css-list')}) inside }</style><p class="e">e</p><ul><li class="f">f</ul>`,
  `<style>.g::before { content: url(${to('css-content')}) } .h { border-image: url(${to('css-border')}) 1 }</style><p class="g">g</p><p class="h" style="border: 2px solid">h</p>`,
  `<style>.i { mask-image: url(${to('css-mask')}) } .j { filter: url(${to('css-filter')}#a) }</style><p class="i">i</p><p class="j">j</p>`,
  `<style>.k { clip-path: url(${to('css-clip')}#a) } .l { shape-outside: url(${to('css-shape')}); float: left }</style><p class="k">k</p><p class="l">l</p>`,
  `<style>@media all { @supports (display: block) { .m { background: url(${to('css-nested')}) } } }</style><p class="m">m</p>`,
  `<style>.n { & { background: url(${to('css-nesting')}) } }</style><p class="n">n</p>`,
  `<style><!-- .o { background: url(${to('css-comment')}) } --></style><p class="o">o</p>`,
  `<p style="background-image: url('${to('style-attribute')}')">Hello</p><p style="background:&#117;&#114;l(${to('style-entities')})">p</p>`,
  `<p style="background: \\75\\72\\6c(${to('style-escapes')})">q</p><p style='background: URL("${to('style-capitals')}")'>r</p>`,
  `<p style="background: url(data:image/gif;base64,x), url(${to('style-second')})">s</p>`,
  `<p style="list-style-image: url(${to('style-list')}); display: list-item">t</p><p style="cursor: url(${to('style-cursor')}), auto">u</p>`,
  `<body background="${to('background')}">`,
];

/** What runs. */
const SCRIPTS: Vectors = (to, script) => {
  const quoted = (name: string): string => script(name).replaceAll('"', '&quot;');
  return [
    `<script>${script('script')}</script><ScRiPt>${script('script-capitals')}</sCrIpT >`,
    `<svg><script>${script('svg-script')}</script></svg><svg onload="${quoted('svg-onload')}"></svg>`,
    `<svg><animate onbegin="${quoted('svg-onbegin')}" attributeName="x" dur="1s"></svg>`,
    `<img src="x:" onerror="${quoted('onerror')}"><img/src="x:"/onerror="${quoted('onerror-slashes')}">`,
    `<img src="x:" OnErRoR = '${quoted('onerror-capitals').replaceAll("'", '&#39;')}'>`,
    `<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=" onload="${quoted('onload')}">`,
    `<details open ontoggle="${quoted('ontoggle')}"><summary>x</summary></details>`,
    `<video src="x:" onerror="${quoted('video-onerror')}"></video><audio src="x:" onerror="${quoted('audio-onerror')}"></audio>`,
    `<style>@keyframes z { to { opacity: 1 } }</style><p style="animation: z 1ms" onanimationstart="${quoted('onanimation')}">x</p>`,
    `<input autofocus onfocus="${quoted('onfocus')}">`,
    `<iframe srcdoc="&lt;script&gt;${quoted('srcdoc-script').replaceAll('parent', 'parent.parent')}&lt;/script&gt;"></iframe>`,
    `<iframe src="javascript:${quoted('frame-javascript')}"></iframe>`,
    `<object data="javascript:${quoted('object-javascript')}"></object>`,
    `<body onpageshow="${quoted('onpageshow')}">`,
    `<a href="javascript:${quoted('link')}">click</a><a href="jAva&#9;script&colon;${quoted('link-tab')}">click</a>`,
    `<a href="&#1;javascript:${quoted('link-control')}">click</a><a href="data:text/html,<script>1</script>">click</a>`,
    `<a href="vbscript:x">click</a><svg><a xlink:href="javascript:${quoted('link-svg')}"><text y="9">click</text></a></svg>`,
    `<form action="javascript:${quoted('form')}"><button formaction="${to('form')}">go</button></form>`,
  ];
};

/** What becomes something else when it is parsed, cleaned and parsed once more. */
const MUTATIONS: Vectors = (to, script) => {
  const image = (name: string): string =>
    `<img src='${to(name)}' onerror=&quot;${script(`${name}-script`).replaceAll("'", '&apos;')}&quot;>`;
  return [
    `<noscript><p title="</noscript>${image('noscript')}"></noscript>`,
    `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src='${to('mglyph')}'&gt;"></style></mglyph></table></mtext></math>`,
    `<math><mtext><table><mglyph><style><img src="${to('math')}"></style></mglyph></table></mtext></math>`,
    `<form><math><mtext></form><form><mglyph><style></math><img src="${to('forms')}"></style></form>`,
    `<svg></p><style><a id="</style><img src='${to('svg-style')}'>"></style></svg>`,
    `<svg><title><style><img src="${to('svg-title')}"></style></title></svg>`,
    `<xmp><p title="</xmp>${image('xmp')}"></xmp><noembed><p title="</noembed>${image('noembed')}"></noembed>`,
    `<textarea><p title="</textarea>${image('textarea-end')}"></textarea>`,
    `<title><p title="</title>${image('title-end')}"></title><style><p title="</style>${image('style-end')}"></style>`,
    `<!--><img src="${to('comment-short')}">--><!-- --!><img src="${to('comment-bang')}">-->`,
    `<![CDATA[><img src="${to('cdata')}">]]><?x ><img src="${to('processing')}">?>`,
    `<svg><![CDATA[</svg><img src="${to('svg-cdata')}">]]></svg>`,
    `<select><style></select><img src="${to('select-style')}"></style></select>`,
    `<img alt="\`><img src='${to('backtick')}'>"><a title='<img src="${to('attribute')}">'>x</a><img src="${to('after-attribute')}"`,
    ` ><table><a><img src="${to('foster')}"><tr><td>`,
    `</td></tr></table><div><p id="</p><img src='${to('id')}'>"></div><img src="${to('after-id')}">`,
    `<img src="x:"/src="${to('doubled')}"><img src=\`${to('grave')}\`><img\u000csrc="${to('form-feed')}">`,
  ];
};

/** The last one: it moves what follows. */
const BASE: Vectors = (to) => [`<base href="${to('base')}/"><img src="relative">`];

/** What leaves: each alone, for there is no second after the first. */
const LEAVING: Vectors = (to, script) => [
  `<meta http-equiv="refresh" content="0;url=${to('refresh')}">`,
  `<META HTTP-EQUIV=Refresh CONTENT="0; URL='${to('refresh-capitals')}'">`,
  `<meta http-equiv="refresh" content="0,${to('refresh-comma')}">`,
  `<meta http-equiv="refresh" content="0;url=javascript:${script('refresh-script').replaceAll('"', '&quot;')}">`,
  `<svg><meta http-equiv="refresh" content="0;url=${to('refresh-svg')}"></svg>`,
  `<form id="f" action="${to('submitted')}"></form><script>f.submit()</script>`,
  `<script>location='${to('location')}'</script>`,
  `<script>open('${to('opened')}');top.location='${to('top')}'</script>`,
];

function documentOf(canary: string, kinds: readonly Vectors[]): string {
  const to = (name: string): string => `${canary}/hit/${name}`;
  const script = (name: string): string =>
    `fetch('${to(name)}').catch(()=>0);parent.postMessage('${name}','*');try{top.document.title='taken'}catch(e){}`;
  const parts = kinds.flatMap((kind) => kind(to, script));
  return `<!doctype html><html><head><title>Hostile</title></head><body><p>Hello</p>${parts.join('\n')}\n</body></html>`;
}

/** Those that stay, a document each, so that what one leaves open swallows nothing of another. */
const KINDS: Readonly<Record<string, readonly Vectors[]>> = {
  loads: [LOADS],
  styles: [STYLES],
  scripts: [SCRIPTS],
  mutations: [MUTATIONS],
  base: [BASE],
  all: [LOADS, STYLES, SCRIPTS, MUTATIONS, BASE],
};
const LEAVING_COUNT = LEAVING(
  () => '',
  () => '',
).length;

/** @param name a kind, or the number of one that leaves */
function hostile(canary: string, name: string): string {
  const kinds = KINDS[name] ?? [(...given: Parameters<Vectors>) => [LEAVING(...given)[Number(name)]!]];
  return documentOf(canary, kinds);
}

interface Canary extends AsyncDisposable {
  readonly address: string;
  readonly hits: Set<string>;
}

/** Counts who comes. `/?x` holds the vectors of kind x in a plain frame. */
async function startCanary(): Promise<Canary> {
  const hits = new Set<string>();
  let address = '';
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://canary');
    if (pathname === '/' || pathname === '/plain') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(
        pathname === '/'
          ? `<!doctype html><title>Ours</title><script>heard=[];addEventListener('message',(e)=>heard.push(e.data))</script><iframe src="/plain${search}"></iframe>`
          : hostile(address, search.slice(1)),
      );
      return;
    }
    if (pathname !== '/favicon.ico') hits.add(pathname);
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

/** How many different things of each kind a plain frame is seen to do, at least. */
const CONTROL: Readonly<Record<string, number>> = { loads: 35, styles: 25, scripts: 8, mutations: 12, base: 1 };

test.each(Object.entries(CONTROL))(
  '%s do their work in a plain frame, so that this test proves something',
  async (kind, least) => {
    await using canary = await startCanary();
    const page = await browser.newPage();
    await page.goto(`${canary.address}/?${kind}`);
    await settled(page, canary);
    expect([...canary.hits].sort().slice(0, canary.hits.size >= least ? 0 : undefined)).toEqual([]);
    if (kind === 'scripts') {
      expect(await page.title()).toBe('taken');
      expect(await page.evaluate(() => (window as unknown as { heard: string[] }).heard)).toContain('script');
    }
    await page.close();
  },
);

test('what leaves does leave a plain frame', async () => {
  const left = new Set<string>();
  for (let index = 0; index < LEAVING_COUNT; index++) {
    await using canary = await startCanary();
    const page = await browser.newPage();
    await page.goto(`${canary.address}/?${index}`);
    await page.waitForLoadState('networkidle');
    for (const hit of canary.hits) left.add(hit);
    await page.close();
  }
  expect(left.size).toBeGreaterThanOrEqual(6);
});

/** The same octets in other clothes. */
const CLOTHES: Readonly<Record<string, (html: string) => SendMailOptions>> = {
  'quoted-printable': (html) => ({ html, text: '', textEncoding: 'quoted-printable' }),
  base64: (html) => ({ html, text: '', textEncoding: 'base64' }),
  'UTF-16': (html) => raw('text/html; charset=utf-16le', Buffer.from(html, 'utf16le')),
  'UTF-16 with a mark': (html) => raw('text/html; charset=utf-16', Buffer.from(`\ufeff${html}`, 'utf16le')),
  'UTF-7': (html) =>
    raw('text/html; charset=utf-7', Buffer.from(html.replaceAll('<', '+ADw-').replaceAll('>', '+AD4-'))),
  'no charset': (html) => raw('text/html', Buffer.from(html, 'latin1')),
  'beside a picture that is HTML': (html) => ({
    html: `${html}<img src="cid:evil"><iframe src="cid:evil"></iframe><object data="cid:svg"></object><img src="cid:svg"><img src="cid:../../../own/hit">`,
    text: '',
    attachments: [
      { cid: 'evil', filename: 'a.png', content: html, contentType: 'text/html' },
      {
        cid: 'svg',
        filename: 'a.svg',
        content: `<svg xmlns="http://www.w3.org/2000/svg">${html}</svg>`,
        contentType: 'image/svg+xml',
      },
    ],
  }),
};

function raw(type: string, octets: Buffer): SendMailOptions {
  const header = `From: x@app.test\r\nTo: alice@glass.localhost\r\nSubject: A hostile page\r\nMIME-Version: 1.0\r\n`;
  const body = octets.toString('base64').replace(/.{76}/g, '$&\r\n');
  return {
    envelope: { from: 'x@app.test', to: 'alice@glass.localhost' },
    raw: `${header}Content-Type: ${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n${body}\r\n`,
  };
}

/** The page stays what it is, whatever is opened in it. */
async function openAll(canary: Canary, letters: readonly SendMailOptions[]): Promise<void> {
  await using stack = await startTestStack();
  await send(stack, ...letters.map((letter) => ({ subject: 'A hostile page', ...letter })));
  const origin = `http://127.0.0.1:${stack.port('http')}`;
  await using watched = await openPage(browser, origin, '/mail');
  const { page } = watched;
  const own: string[] = [];
  page.on('request', (request) => own.push(new URL(request.url()).pathname));
  await page.evaluate(() => {
    const heard: unknown[] = [];
    Object.assign(window, { heard });
    window.addEventListener('message', ({ data }) => heard.push(data));
  });
  const rows = page.locator('.row', { hasText: 'A hostile page' });
  await rows.nth(letters.length - 1).waitFor();
  for (let index = 0; index < letters.length; index++) {
    await rows.nth(index).getByRole('link').click();
    await page.locator('.row.open').and(rows.nth(index)).waitFor();
    await page.locator('.html-view iframe').waitFor();
    await page.frameLocator('.html-view iframe').locator('body').waitFor();
    await settled(page, canary);
    expect([...canary.hits]).toEqual([]);
    // The number is that of the unread ones.
    expect(await page.title()).toMatch(/^(?:\(\d+\) )?A hostile page · glassmail$/);
  }
  for (const view of ['Text', 'Source', 'Headers', 'Parts', 'Checks', 'As others see it']) {
    await page.getByRole('link', { name: view, exact: true }).click();
    await page.waitForLoadState('networkidle');
  }
  expect([...canary.hits]).toEqual([]);
  expect(watched.strangers).toEqual([]);
  expect(own.filter((path) => !/^\/(?:(?:api\/glass|assets)\/|favicon\.svg$)/.test(path))).toEqual([]);
  expect(await page.evaluate(() => (window as unknown as { heard: unknown[] }).heard)).toEqual([]);
  expect(new URL(page.url()).origin).toBe(origin);
}

test('in ours nobody is asked, nothing is told, nothing is changed', async () => {
  await using canary = await startCanary();
  await openAll(
    canary,
    Object.keys(KINDS).map((kind) => ({ html: hostile(canary.address, kind), text: '' })),
  );
});

test.each(Object.entries(CLOTHES))('nor by %s', async (_, dress) => {
  await using canary = await startCanary();
  await openAll(canary, [dress(hostile(canary.address, 'all'))]);
});

test('nor does anything leave', async () => {
  await using canary = await startCanary();
  await openAll(
    canary,
    Array.from({ length: LEAVING_COUNT }, (_, index) => ({ html: hostile(canary.address, String(index)), text: '' })),
  );
});

test('what it would have asked is counted and listed', async () => {
  await using canary = await startCanary();
  await using stack = await startTestStack();
  await send(stack, { subject: 'A hostile page', html: hostile(canary.address, 'loads'), text: '' });
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, '/mail');
  const { page } = watched;
  await page.locator('.row', { hasText: 'A hostile page' }).getByRole('link').click();
  await page.getByText(/\d+ remote addresses blocked/).click();
  await page.locator('.blocked').getByText(`${canary.address}/hit/image`, { exact: true }).waitFor();
});

test.each(Object.keys(KINDS))(
  'the document of %s holds no script, no handler, no address that runs, no form',
  async (kind) => {
    await using canary = await startCanary();
    await using stack = await startTestStack();
    await send(stack, { subject: 'A hostile page', html: hostile(canary.address, kind), text: '' });
    const answer = await fetch(`http://127.0.0.1:${stack.port('http')}/api/glass/messages/latest/html`);
    expect(answer.headers.get('Content-Security-Policy')).toMatch(/^sandbox allow-popups .*default-src 'none'/);
    const page = await browser.newPage({ javaScriptEnabled: false });
    await page.route('**/*', (route) => route.abort());
    await page.setContent(await answer.text());
    const found = await page.locator('body').evaluate((body) => {
      const bad =
        'script, iframe, object, embed, form, base, meta[http-equiv], link, svg, math, input, template, frame, video, audio';
      const elements = [...body.ownerDocument.querySelectorAll('*')];
      const attributes = elements.flatMap((element) =>
        [...element.attributes].map(({ name, value }) => `${name}=${value}`),
      );
      return {
        elements: [...body.ownerDocument.querySelectorAll(bad)].map(({ outerHTML }) => outerHTML.slice(0, 100)),
        handlers: attributes.filter((attribute) => /^on|^srcdoc|^formaction|^ping/i.test(attribute)),
        links: [...body.querySelectorAll('[href]')]
          .map((element) => element.getAttribute('href') ?? '')
          .filter((href) => !/^(?:https?:|mailto:|tel:|#)/i.test(href)),
      };
    });
    expect(found).toEqual({ elements: [], handlers: [], links: [] });
    await page.close();
  },
);

test('the document is as safe when it is opened alone, without our frame', async () => {
  await using canary = await startCanary();
  await using stack = await startTestStack();
  await send(stack, { subject: 'A hostile page', html: hostile(canary.address, 'all'), text: '' });
  await using watched = await openPage(
    browser,
    `http://127.0.0.1:${stack.port('http')}`,
    '/api/glass/messages/latest/html',
  );
  await watched.page.getByText('Hello').first().waitFor();
  // No script runs in there, so nothing of ours can wait in it either.
  await watched.page.waitForLoadState('networkidle');
  expect([...canary.hits]).toEqual([]);
  expect(await watched.page.title()).toBe('Message');
});
