import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { safeHtml } from '../../src/mail/safe-html.ts';

const PIXEL = 'data:image/png;base64,AAAA';
const cid = (id: string) => (id === 'logo@x' ? PIXEL : undefined);
const safe = (html: string) => safeHtml(html, { cid, allowRemote: false });

/** What could run, fetch or leave the frame, whatever else is left of the document. */
const DANGEROUS =
  /<(?:script|iframe|frame|object|embed|applet|form|input|button|base|meta|link|svg|math|video|audio|source|noscript|template|textarea|select|xmp|plaintext)\b|\son\w+\s*=|javascript:|vbscript:|srcset|srcdoc|@import|expression\(|-moz-binding|evil\.test/i;

describe('nothing runs, nothing is fetched', () => {
  it.each([
    '<script src=http://evil.test/></script><script>alert(1)</script>',
    '<img src=http://evil.test/1.png onerror=alert(1)>',
    '<img src="x" srcset="http://evil.test/1.png 1x, http://evil.test/2.png 2x">',
    '<picture><source srcset=http://evil.test/p.png><img></picture>',
    '<video src=http://evil.test/v poster=http://evil.test/p autoplay><track src=http://evil.test/t></video>',
    '<audio src=http://evil.test/a></audio>',
    '<body background=http://evil.test/b onload=alert(1)>x',
    '<table background=http://evil.test/b><tr><td>x</table>',
    '<div style="background:url(http://evil.test/c)">x</div>',
    '<div style="background:u\\72l(http://evil.test/c)">x</div>',
    '<div style="background:url/**/(http://evil.test/c)">x</div>',
    '<div style="background:url( \'http://evil.test/c\' )">x</div>',
    '<div style="background:URL(//evil.test/c">x</div>',
    '<div style="width:expression(alert(1));-moz-binding:url(http://evil.test/x)">x</div>',
    '<style>@import "http://evil.test/i.css"; @import url(http://evil.test/j.css); b{background:url(http://evil.test/k)}</style>',
    '<style>@font-face{font-family:x;src:url(http://evil.test/f)}</style>',
    '<style>@im\\70ort "http://evil.test/i.css";</style>',
    '<style>b{} </sty/**/le><script>alert(1)</script></style>',
    '<style>/*<script>*/ b{content:"<script>"}</style>',
    '<link rel=stylesheet href=http://evil.test/s><link rel=prefetch href=http://evil.test/p><link rel=icon href=http://evil.test/i>',
    '<base href=http://evil.test/><meta http-equiv=refresh content="0;url=http://evil.test/">',
    '<iframe src=http://evil.test/ srcdoc="<script>alert(1)</script>"></iframe>',
    '<object data=http://evil.test/o><embed src=http://evil.test/e></object>',
    '<svg><image href=http://evil.test/i /><script>alert(1)</script><use href=http://evil.test/u /></svg>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<noscript><p title="</noscript><img src=http://evil.test/ onerror=alert(1)>"></noscript>',
    '<form action=http://evil.test/><input type=image src=http://evil.test/i><button formaction=http://evil.test/>go</button></form>',
    '<a href="javascript:alert(1)">x</a><a href=" java\tscript:alert(1)">x</a><a href="data:text/html,<script>1</script>">x</a>',
    '<a href="vbscript:x">x</a><area href="javascript:x">',
    '<a ping=http://evil.test/ href="#">x</a>',
    '<img src="data:image/svg+xml,<svg onload=alert(1)>"><img src="data:text/html,x">',
    '<img src="javascript:alert(1)"><img dynsrc=http://evil.test/ lowsrc=http://evil.test/>',
    '<input type=image src=http://evil.test/><isindex action=http://evil.test/>',
    '<xmp><img src=http://evil.test/></xmp><plaintext><img src=http://evil.test/>',
    '<template><img src=http://evil.test/></template><textarea><img src=http://evil.test/></textarea>',
    '<details open ontoggle=alert(1)><div onfocus=alert(1) tabindex=1 autofocus>x</div></details>',
  ])('%s', (html) => {
    expect(safe(html).html).not.toMatch(DANGEROUS);
  });

  it('whatever the order of the pieces', () => {
    const pieces = [
      '<script>', '</script>', '<style>', '</style>', '<svg>', '</svg>', '<img src=//evil.test/ onerror=x>', '<!--', '-->', '<p title="',
      '">', "'", '<noscript>', '</noscript>', '<math>', '<a href="javascript:x">', '@import "//evil.test/";', '<div style="a:url(//evil.test/)">',
      'x', '<xmp>', '</xmp>', '<textarea>', '</title>', '<title>', '\\', '/*', '*/', '<![CDATA[', ']]>', '<table>', '</p>',
    ]; // prettier-ignore
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 20 }), (chosen) => {
        // Text may say anything, and so may a title: only tags and styles count.
        const { html } = safe(chosen.join(''));
        for (const [tag] of html.matchAll(/<[^>]*>/g)) expect(tag.replace(/ title="[^"]*"/, '')).not.toMatch(DANGEROUS);
        for (const [style] of html.matchAll(/<style[^>]*>[^]*?<\/style>/g))
          expect(style.slice(1, -1)).not.toMatch(/<(?!\/style)|url\(|@import/i);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('what stays', () => {
  it.each([
    ['<p class="a" style="color:red">x <b>y</b></p>', '<p class="a" style="color:red">x <b>y</b></p>'],
    ['<body bgcolor="#fff" style="margin:0">x</body>', '<div bgcolor="#fff" style="margin:0">x</div>'],
    ['<style>p > b { color: red }</style>', '<style>p > b { color: red }</style>'],
    ['<img src="cid:logo%40x" alt="Logo">', `<img src="${PIXEL}" alt="Logo" />`],
    ['<div style="background:url(cid:logo@x)">x</div>', `<div style="background:url(&quot;${PIXEL}&quot;)">x</div>`],
    ['<img src="cid:none">', '<img />'],
    [`<img src="${PIXEL}">`, `<img src="${PIXEL}" />`],
    ['<a href="#top">x</a>', '<a href="#top">x</a>'],
    [
      '<a href="https://x.test/" target="_top" rel="opener">x</a>',
      '<a href="https://x.test/" target="_blank" rel="noopener noreferrer">x</a>',
    ],
    ['<a href="mailto:a@x.test">x</a>', '<a href="mailto:a@x.test" target="_blank" rel="noopener noreferrer">x</a>'],
    ['1 < 2', '1 &lt; 2'],
    ['<table><tr><td colspan="2">x</td></tr></table>', '<table><tr><td colspan="2">x</td></tr></table>'],
  ])('%s', (html, expected) => {
    expect(safe(html).html).toBe(expected);
  });
});

describe('remote references', () => {
  const html =
    '<link rel=stylesheet href=http://h.test/s><img src=http://h.test/1><img src=http://h.test/1><img src=//h.test/2><img src=relative.png>' +
    '<video src=http://h.test/v></video><iframe src=http://h.test/f></iframe><p style="background:url(http://h.test/c)">x</p>';
  const remote = [
    { url: 'http://h.test/s', kind: 'style' },
    { url: 'http://h.test/1', kind: 'image' },
    { url: '//h.test/2', kind: 'image' },
    { url: 'http://h.test/v', kind: 'media' },
    { url: 'http://h.test/f', kind: 'frame' },
    { url: 'http://h.test/c', kind: 'style' },
  ];

  it('are listed once each, and removed', () => {
    expect(safe(html)).toMatchObject({ remote, html: '<img /><img /><img /><img /><p style="background:none">x</p>' });
  });

  it('are let through when asked for, but for what is no picture and no style', () => {
    const { html: clean, remote: listed } = safeHtml(html, { cid, allowRemote: true });
    expect(listed).toEqual(remote);
    expect(clean).toBe(
      '<img src="http://h.test/1" /><img src="http://h.test/1" /><img src="https://h.test/2" /><img /><p style="background:url(&quot;http://h.test/c&quot;)">x</p>',
    );
  });

  it('can go through a proxy', () => {
    const remoteUrl = (url: string) => `/proxy?url=${encodeURIComponent(url)}`;
    expect(safeHtml('<img src="http://h.test/1">', { cid, allowRemote: true, remoteUrl }).html).toBe(
      '<img src="/proxy?url=http%3A%2F%2Fh.test%2F1" />',
    );
  });
});

it.each([
  ['https://bank.test/', 'www.bank.test', false],
  ['https://www.bank.test/login', 'https://bank.test', false],
  ['https://login.bank.test/', 'bank.test', false],
  ['https://evil.test/', 'www.bank.test', true],
  ['https://bank.test.evil.test/', 'https://bank.test/login', true],
  ['https://evil.test/', 'Click here', false],
  ['https://evil.test/', 'Version 1.2', false],
  ['https://evil.test/', 'me@bank.test', true],
  ['mailto:me@bank.test?subject=x', 'me@bank.test', false],
  ['mailto:evil@x.test', 'me@bank.test', true],
  ['https://xn--bcher-kva.test/', 'bücher.test', false],
])('a link to %s that says %s', (href, text, mismatch) => {
  expect(safe(`<a href="${href}"><b>${text}</b></a>`).links).toEqual([{ href, text, mismatch }]);
});

it('takes megabytes of anything in bounded time', { timeout: 60_000 }, () => {
  for (const piece of [
    '<div>',
    '<svg>',
    '<a href="http://x.test/">',
    '<style>',
    '<b style="a:url(',
    '<li><td>',
    '<!--',
    '/*',
    '<p>',
  ]) {
    safe(piece.repeat(1_000_000 / piece.length));
  }
  // Nested beyond all measure: its text.
  expect(safe(`${'<div>'.repeat(5000)}a & b`).html).toBe('<pre>a &#38; b</pre>');
});
