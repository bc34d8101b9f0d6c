import { describe, expect, test } from 'vitest';
import { checkHtml, type Feature, type SupportData } from '../../src/http/compatible/mailpit/html-check.ts';
import { startHttp } from './http-harness.ts';

const feature = (slug: string, stats: Feature['stats'], more: Partial<Feature> = {}): Feature => ({
  slug,
  title: slug,
  description: null,
  url: `https://www.caniemail.com/features/${slug}/`,
  category: slug.split('-', 1)[0]!,
  tags: null,
  keywords: null,
  stats,
  notes_by_num: null,
  ...more,
});

const NONE = { outlook: { windows: { '2019': 'n' } } };
const nicenames = { family: { outlook: 'Outlook', gmail: 'Gmail' }, platform: { windows: 'Windows', ios: 'iOS' } };

interface Check {
  readonly Warnings: readonly { readonly Slug: string; readonly Score: { readonly Found: number } }[];
  readonly Platforms: object;
  readonly Total: object;
}

/** Slug to how often it was found, of what some program does not support. */
function found(html: string, ...slugs: readonly string[]): Record<string, number> {
  const data = slugs.map((slug) => feature(slug, NONE));
  const { Warnings } = checkHtml(html, { nicenames, data }) as Check;
  return Object.fromEntries(Warnings.map(({ Slug, Score }) => [Slug, Score.Found]));
}

describe('what HTML uses', () => {
  test.each<[html: string, slug: string, count: number]>([
    ['<p style="text-align:center; TEXT-ALIGN : left">', 'css-text-align', 2],
    ['<p style="color:text-align">', 'css-text-align', 0],
    ['<style>p { text-align: center } /* text-align: left */</style>', 'css-text-align', 1],
    ['<style>@media (max-width: 600px) { a { color: red } }</style>', 'css-at-media', 1],
    ['<style>@media (prefers-color-scheme: dark) { a { color: red } }</style>', 'css-at-media-prefers-color-scheme', 1],
    ['<style>@font-face { src: url(x) }</style>', 'css-at-font-face', 1],
    ['<style>a:hover { color: red } a:not-hover { }</style>', 'css-pseudo-class-hover', 1],
    ['<style>a::before { content: "" }</style>', 'css-pseudo-element-before', 1],
    ['<style>.a > b { } .c { }</style>', 'css-selector-child', 1],
    ['<style>.a > b { } .c { }</style>', 'css-selector-class', 2],
    ['<style>.a b { } c { }</style>', 'css-selector-descendant', 1],
    ['<p style="width:1.5rem;height:2em">', 'css-unit-rem', 1],
    ['<p style="width:50%">', 'css-unit-percent', 1],
    ['<p style="width:calc(1px + 1em)">', 'css-unit-calc', 1],
    ['<p style="background:linear-gradient(red, blue)">', 'css-linear-gradient', 1],
    ['<p style="color:rgb(0,0,0)">', 'css-rgb', 1],
    ['<p style="display:inline-flex">', 'css-display-flex', 1],
    ['<p style="margin-left:1px;margin:2px">', 'css-margin', 2],
    ['<p style="color:red !important">', 'css-important', 1],
    ['<p style="color:var(--x)">', 'css-variables', 1],
    ['<video></video><VIDEO></VIDEO>', 'html-video', 2],
    ['<ul></ul><ol></ol>', 'html-lists', 2],
    ['<table cellpadding=0 width=1><td width=2></table>', 'html-width', 2],
    ['<input type=checkbox><input type=text>', 'html-input-checkbox', 1],
    ['<a href="mailto:a@red.test">', 'html-mailto-links', 1],
    ['<a href="#top">', 'html-anchor-links', 1],
    ['<!-- x --><p>', 'html-comments', 1],
    ['<script>"<video>"</script><p>', 'html-video', 0],
    ['<img src="https://red.test/a.webp?x=1"><img src="b.png">', 'image-webp', 1],
    ['<img src="data:image/png;base64,AAAA">', 'image-base64', 1],
  ])('%s: %s %i times', (html, slug, count) => {
    expect(found(html, slug)).toEqual(count === 0 ? {} : { [slug]: count });
  });
});

test('scores, results and totals', () => {
  const stats = {
    outlook: { windows: { '2016': 'n', '2019': 'a #2' } },
    gmail: { ios: { '2020-01': 'y', '2021-01': 'y' } },
  };
  const video = feature('html-video', stats, {
    description: 'Moving',
    keywords: 'film',
    notes_by_num: { '2': 'Note' },
  });
  const data: SupportData = { nicenames, data: [video, feature('html-audio', stats), feature('amp', {})] };
  expect(checkHtml('<body><p></p><p></p><p></p><video></video></body>', data)).toEqual({
    Warnings: [
      {
        Slug: 'html-video',
        Title: 'html-video',
        Description: 'Moving',
        URL: 'https://www.caniemail.com/features/html-video/',
        Category: 'html',
        Tags: [],
        Keywords: 'film',
        Results: [
          {
            Name: 'Outlook Windows (2016)',
            Platform: 'windows',
            Family: 'outlook',
            Version: '2016',
            Support: 'no',
            NoteNumber: '',
          },
          {
            Name: 'Outlook Windows (2019)',
            Platform: 'windows',
            Family: 'outlook',
            Version: '2019',
            Support: 'partial',
            NoteNumber: '2',
          },
          {
            Name: 'Gmail iOS (2020-01)',
            Platform: 'ios',
            Family: 'gmail',
            Version: '2020-01',
            Support: 'yes',
            NoteNumber: '',
          },
          {
            Name: 'Gmail iOS (2021-01)',
            Platform: 'ios',
            Family: 'gmail',
            Version: '2021-01',
            Support: 'yes',
            NoteNumber: '',
          },
        ],
        NotesByNumber: { '2': 'Note' },
        Score: { Found: 1, Supported: 50, Partial: 25, Unsupported: 25 },
      },
    ],
    Platforms: { windows: ['Outlook'], ios: ['Gmail'] },
    Total: { Tests: 2, Nodes: 5, Supported: 90, Partial: 5, Unsupported: 5 },
  });
});

test('hostile HTML takes no time', () => {
  const slugs = ['css-selector-descendant', 'css-nesting', 'css-text-align', 'html-comments', 'css-important'];
  for (const piece of ['<p style="', '{', 'a ', '<style>', '@media(', '<!--', ';:', '/*', '<p>']) {
    const start = performance.now();
    found(`<style>${piece.repeat(200_000 / piece.length)}</style>${piece.repeat(100_000 / piece.length)}`, ...slugs);
    expect([piece, performance.now() - start < 3000]).toEqual([piece, true]);
  }
});

const HTML = 'Subject: x\r\nContent-Type: text/html\r\n\r\n<p style="display:flex">Hello <video></video></p>';

test('a message without HTML, and one that there is not', async () => {
  await using http = await startHttp();
  expect((await http.get('/api/v1/message/latest/html-check')).status).toBe(404);
  http.store.put('Subject: x\r\n\r\ntext');
  const none = await http.get('/api/v1/message/latest/html-check');
  expect([none.status, await none.text()]).toEqual([400, 'message does not contain HTML']);
  expect(http.logged).toEqual([]);
});

test('the data of caniemail.com', async () => {
  await using http = await startHttp();
  http.store.put(HTML);
  const check = await http.json<Check>('/api/v1/message/latest/html-check');
  expect(check.Warnings.map(({ Slug }) => Slug)).toEqual(expect.arrayContaining(['html-video', 'css-display-flex']));
  expect(check.Total).toMatchObject({ Nodes: 2, Tests: expect.any(Number) as number });
  expect(Object.keys(check.Platforms).length).toBeGreaterThan(3);
});
