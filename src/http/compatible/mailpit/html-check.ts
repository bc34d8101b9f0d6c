/**
 * GET /api/v1/message/{id}/html-check: which mail programs show what the HTML of a message uses, by the data of
 * caniemail.com (MIT licence). What is found in the HTML is decided here; what programs make of it, in the data.
 */
import { createRequire } from 'node:module';
import type sanitizeHtml from 'sanitize-html';
import { wholeContent } from '../../content.ts';
import type { HttpParts } from '../../parts.ts';
import { type App, json } from '../../route.ts';
import { findWhole, notFound, text } from './request.ts';

/** As the file `caniemail.json` has it, as far as it is read here. */
export interface SupportData {
  readonly nicenames: {
    readonly family: Readonly<Record<string, string>>;
    readonly platform: Readonly<Record<string, string>>;
  };
  readonly data: readonly Feature[];
}

export interface Feature {
  /** `css-text-align`, `html-video`. */
  readonly slug: string;
  readonly title: string;
  readonly description: string | null;
  readonly url: string;
  readonly category: string;
  readonly tags: readonly string[] | null;
  readonly keywords: string | null;
  /** By family, platform and version: `y`, `n`, `a` or `u`, with `#1` for the note of that number. */
  readonly stats: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;
  readonly notes_by_num: Readonly<Record<string, string>> | null;
}

const require = createRequire(import.meta.url);

export function addHtmlCheck(app: App, { store }: HttpParts): void {
  app.get('/api/v1/message/:id/html-check', async (context) => {
    const found = await findWhole(store, context);
    if (!found) return notFound(context);
    const { preview } = await import('../../../mail/preview.ts');
    const { html } = await preview(await wholeContent(found.content), found.tree);
    if (html === '') return text('message does not contain HTML', 400);
    return json(checkHtml(html, supportData()));
  });
}

let loaded: SupportData | undefined;

function supportData(): SupportData {
  return (loaded ??= require('caniemail/caniemail.json') as SupportData);
}

// -------------------------------------------------------------------------------------------------------- check

/** Characters beyond this number are not looked at. */
const MAX_HTML = 1024 * 1024;

interface Warning {
  readonly Score: {
    readonly Found: number;
    readonly Supported: number;
    readonly Partial: number;
    readonly Unsupported: number;
  };
}

export function checkHtml(html: string, { data, nicenames }: SupportData): object {
  const use = usedIn(html.slice(0, MAX_HTML));
  const nodes = Math.max(1, use.elements.length);
  const tested = data.flatMap((feature) => {
    const count = finder(feature);
    return count ? [{ feature, found: count(use) }] : [];
  });
  const warnings = tested
    .filter(({ found }) => found > 0)
    .map(({ feature, found }) => toWarning(feature, found, nicenames))
    .filter(({ Score }) => Score.Supported < 100);
  const weight = ({ Score }: Warning, part: number): number => Math.min(100, (part * Score.Found) / nodes);
  const most = (name: 'Partial' | 'Unsupported'): number =>
    Math.max(0, ...warnings.map((warning) => weight(warning, warning.Score[name])));
  const [partial, unsupported] = [most('Partial'), most('Unsupported')];
  const total = (warning: Warning): number => weight(warning, warning.Score.Partial + warning.Score.Unsupported);
  return {
    Warnings: warnings.sort((a, b) => total(b) - total(a)),
    Platforms: platformsOf(data, nicenames),
    Total: {
      Tests: tested.length,
      Nodes: use.elements.length,
      Supported: Math.max(0, 100 - partial - unsupported),
      Partial: partial,
      Unsupported: unsupported,
    },
  };
}

function toWarning(feature: Feature, found: number, names: SupportData['nicenames']) {
  const results = Object.entries(feature.stats).flatMap(([family, platforms]) =>
    Object.entries(platforms).flatMap(([platform, versions]) =>
      Object.entries(versions).map(([version, support]) => ({
        Name: `${names.family[family] ?? family} ${names.platform[platform] ?? platform} (${version})`,
        Platform: platform,
        Family: family,
        Version: version,
        Support: support.startsWith('y') ? 'yes' : support.startsWith('n') ? 'no' : 'partial',
        NoteNumber: /#(\d+)/.exec(support)?.[1] ?? '',
      })),
    ),
  );
  const share = (support: string): number =>
    (100 * results.filter(({ Support }) => Support === support).length) / Math.max(1, results.length);
  return {
    Slug: feature.slug,
    Title: feature.title,
    Description: feature.description ?? '',
    URL: feature.url,
    Category: feature.category,
    Tags: feature.tags ?? [],
    Keywords: feature.keywords ?? '',
    Results: results,
    NotesByNumber: feature.notes_by_num ?? {},
    Score: { Found: found, Supported: share('yes'), Partial: share('partial'), Unsupported: share('no') },
  };
}

/** Platform to the families of programs that there are on it. */
function platformsOf(data: readonly Feature[], names: SupportData['nicenames']): Record<string, string[]> {
  const platforms = new Map<string, Set<string>>();
  for (const { stats } of data) {
    for (const [family, of] of Object.entries(stats)) {
      for (const platform of Object.keys(of)) {
        const families = platforms.get(platform) ?? new Set();
        platforms.set(platform, families.add(names.family[family] ?? family));
      }
    }
  }
  return Object.fromEntries([...platforms].map(([platform, families]) => [platform, [...families].sort()]));
}

// -------------------------------------------------------------------------------------------------------- usage

interface Element {
  /** In lower case. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What a document uses. */
interface Use {
  readonly html: string;
  readonly elements: readonly Element[];
  /** Of style attributes and style sheets, in lower case. */
  readonly declarations: readonly { readonly property: string; readonly value: string }[];
  /** Of style sheets, in lower case. */
  readonly selectors: readonly string[];
  readonly sheets: string;
}

/** Elements inside one another. What is deeper costs the parser time that grows with the square of the depth. */
const MAX_DEPTH = 1000;

class TooDeep extends Error {}

function usedIn(html: string): Use {
  const elements = elementsOf(html);
  const sheets = between(html, /<style(?![a-z-])/gi, '</style').map((css) => css.slice(css.indexOf('>') + 1));
  const text = sheets.join('\n').toLowerCase();
  const blocks = blocksOf(withoutComments(text));
  const inline = elements.map(({ attributes }) => (attributes.style ?? '').toLowerCase());
  return {
    html,
    elements,
    declarations: [...inline, ...blocks.map(({ body }) => body)].flatMap(declarationsOf),
    selectors: blocks.map(({ prelude }) => prelude.slice(prelude.lastIndexOf(';') + 1).trim()).filter(Boolean),
    sheets: text,
  };
}

/** Those that come before HTML nests too deep. */
function elementsOf(html: string): Element[] {
  const elements: Element[] = [];
  const sanitize = require('sanitize-html') as typeof sanitizeHtml;
  let depth = 0;
  try {
    sanitize(html, {
      allowedTags: [],
      nonTextTags: [],
      // Called for each element, whatever becomes of it.
      onOpenTag: (name, attributes) => {
        if (++depth > MAX_DEPTH) throw new TooDeep();
        elements.push({ name: name.toLowerCase(), attributes });
      },
      onCloseTag: () => depth--,
    });
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
  }
  return elements;
}

/** The texts from each `start` to the next `end`; one pass, whatever the text. */
function between(text: string, start: RegExp, end: string): string[] {
  const lower = text.toLowerCase();
  const found: string[] = [];
  let from = 0;
  for (const { index } of text.matchAll(start)) {
    if (index < from) continue;
    const to = lower.indexOf(end, index);
    if (to === -1) break;
    found.push(text.slice(index, to));
    from = to;
  }
  return found;
}

function withoutComments(css: string): string {
  let text = '';
  let from = 0;
  for (;;) {
    const start = css.indexOf('/*', from);
    const end = start === -1 ? -1 : css.indexOf('*/', start + 2);
    text += css.slice(from, start === -1 ? undefined : start);
    if (end === -1) return text;
    from = end + 2;
  }
}

/** The innermost blocks, with what stands before each. */
function blocksOf(css: string): { readonly prelude: string; readonly body: string }[] {
  const pieces = css.split(/([{}])/); // texts, with the braces between them
  const blocks: { prelude: string; body: string }[] = [];
  for (let at = 1; at + 2 < pieces.length; at += 2) {
    if (pieces[at] === '{' && pieces[at + 2] === '}') blocks.push({ prelude: pieces[at - 1]!, body: pieces[at + 1]! });
  }
  return blocks;
}

function declarationsOf(css: string): { property: string; value: string }[] {
  return css.split(';').flatMap((declaration) => {
    const colon = declaration.indexOf(':');
    const property = declaration.slice(0, colon).trim();
    if (colon < 1 || !/^-{0,2}[a-z][a-z0-9-]*$/.test(property)) return [];
    return [{ property, value: declaration.slice(colon + 1).trim() }];
  });
}

type Finder = (use: Use) => number;

/** How often a feature is used; undefined: it cannot be told from HTML. */
function finder({ slug, category }: Feature): Finder | undefined {
  const special = SPECIAL[slug];
  if (special) return special;
  const name = slug.replace(/^(?:css|html|image)-/, '');
  if (category === 'css') return cssFinder(name);
  if (category === 'html') return htmlFinder(name);
  return category === 'image' ? imageFinder(name) : undefined;
}

const withProperty =
  (...names: readonly string[]): Finder =>
  ({ declarations }) =>
    declarations.filter(({ property }) => names.includes(property)).length;
const withValue =
  (pattern: RegExp, property?: RegExp): Finder =>
  ({ declarations }) =>
    declarations.filter((each) => (property?.test(each.property) ?? true) && pattern.test(each.value)).length;
const withSelector =
  (pattern: RegExp): Finder =>
  ({ selectors }) =>
    selectors.filter((selector) => !selector.startsWith('@') && pattern.test(selector)).length;
const inSheet =
  (pattern: RegExp): Finder =>
  ({ sheets }) =>
    [...sheets.matchAll(new RegExp(pattern, 'g'))].length;
const withElement =
  (...names: readonly string[]): Finder =>
  ({ elements }) =>
    elements.filter(({ name }) => names.includes(name)).length;
const withAttribute =
  (attribute: string, value?: RegExp): Finder =>
  ({ elements }) =>
    elements.filter(({ attributes }) => {
      const given = attributes[attribute];
      return given !== undefined && (value?.test(given) ?? true);
    }).length;

function cssFinder(name: string): Finder {
  const pseudo = /^pseudo-(class|element)-(.+)$/.exec(name);
  if (pseudo) return withSelector(new RegExp(`${pseudo[1] === 'class' ? '(?<!:):' : '::?'}${pseudo[2]!}(?![a-z-])`));
  const unit = /^unit-([a-z]+)$/.exec(name)?.[1];
  if (unit !== undefined) return withValue(new RegExp(`(?:^|[^a-z#0-9.])-?[0-9.]+${unit}(?![a-z0-9])`));
  const media = /^at-media-(.+)$/.exec(name)?.[1];
  if (media !== undefined)
    return inSheet(new RegExp(`@media[^{]{0,200}\\(\\s{0,9}(?:min-|max-|-webkit-){0,3}${media}`));
  const rule = /^at-(.+)$/.exec(name)?.[1];
  if (rule !== undefined) return inSheet(new RegExp(`@${rule}(?![a-z-])`));
  const fn = /^(?:function-(.+)|(.+-gradient|rgba?))$/.exec(name);
  if (fn) return withValue(new RegExp(`(?:^|[^a-z-])${fn[1] ?? fn[2]!}\\(`));
  return withProperty(name, `-webkit-${name}`);
}

function htmlFinder(name: string): Finder {
  const input = /^(input|button)-(.+)$/.exec(name);
  if (input) {
    return ({ elements }) =>
      elements.filter((each) => each.name === input[1] && each.attributes.type?.toLowerCase() === input[2]).length;
  }
  return ATTRIBUTES.has(name) ? withAttribute(name) : withElement(name);
}

const ATTRIBUTES = new Set(
  (
    'align aria-describedby aria-hidden aria-label aria-labelledby aria-live background cellpadding cellspacing dir height hidden ' +
    'lang popover required role srcset target valign width'
  ).split(' '),
);

function imageFinder(name: string): Finder {
  const endings: Readonly<Record<string, string>> = { jpg: 'jpe?g', heif: 'hei[cf]', tiff: 'tiff?', hdr: 'hdr' };
  const pattern = new RegExp(
    `(?:\\.${endings[name] ?? name}(?:[?#].*)?$|^data:image/${endings[name] ?? name}[;,])`,
    'i',
  );
  return ({ elements }) =>
    elements.filter((each) => each.name === 'img' && pattern.test((each.attributes.src ?? '').slice(0, 2000))).length;
}

const COMBINATOR = /\s*[>+~]\s*/;
const SPECIAL: Readonly<Record<string, Finder>> = {
  'css-at-media': inSheet(/@media(?![a-z-])/),
  'css-block-inline-size': withProperty('block-size'),
  'css-border-inline-block': withProperty('border-inline', 'border-block'),
  'css-border-inline-block-individual': withProperty(
    ...['border-inline-start', 'border-inline-end', 'border-block-start', 'border-block-end'],
  ),
  'css-border-inline-block-longhand': withValue(/./, /^border-(?:inline|block)-(?:start|end)-(?:width|style|color)$/),
  'css-border-radius-logical': withValue(/./, /^border-(?:start|end)-(?:start|end)-radius$/),
  'css-border': withValue(/./, /^border(?:-(?:top|right|bottom|left))?(?:-(?:width|style|color))?$/),
  'css-border-radius': withValue(/./, /^border-(?:[a-z]+-[a-z]+-)?radius$/),
  'css-column-layout-properties': withProperty('column-width', 'columns', 'column-gap', 'column-rule', 'column-span'),
  'css-comments': inSheet(/\/\*/),
  'css-display-flex': withValue(/^(?:inline-)?flex/, /^display$/),
  'css-display-grid': withValue(/^(?:inline-)?grid/, /^display$/),
  'css-display-none': withValue(/^none/, /^display$/),
  'css-grid-template': withValue(/./, /^grid-template/),
  'css-important': withValue(/!\s*important/),
  'css-intrinsic-size': withValue(/(?:min|max|fit)-content/),
  'css-left-right-top-bottom': withProperty('left', 'right', 'top', 'bottom'),
  'css-margin': withValue(/./, /^margin(?:-(?:top|right|bottom|left))?$/),
  'css-margin-block-start-end': withProperty('margin-block-start', 'margin-block-end'),
  'css-margin-inline-block': withProperty('margin-inline', 'margin-block'),
  'css-margin-inline-start-end': withProperty('margin-inline-start', 'margin-inline-end'),
  'css-modern-color': withValue(/(?:lch|lab|hwb|color|color-mix)\(/),
  'css-nesting': inSheet(/\{[^{}]{0,500}(?:&|\n\s{0,20}[.#])[^{};]{0,200}\{/),
  'css-overflow': withValue(/./, /^overflow(?:-[xy])?$/),
  'css-padding': withValue(/./, /^padding(?:-(?:top|right|bottom|left))?$/),
  'css-padding-block-start-end': withProperty('padding-block-start', 'padding-block-end'),
  'css-padding-inline-block': withProperty('padding-inline', 'padding-block'),
  'css-padding-inline-start-end': withProperty('padding-inline-start', 'padding-inline-end'),
  'css-rgb': withValue(/rgb\(/),
  'css-rgba': withValue(/rgba\(/),
  'css-scroll-snap': withValue(/./, /^scroll-snap/),
  'css-selector-adjacent-sibling': withSelector(/\+/),
  'css-selector-attribute': withSelector(/\[/),
  'css-selector-chaining': withSelector(/[a-z0-9_-][.#][a-z]|\.[a-z0-9_-]+\.[a-z]/),
  'css-selector-child': withSelector(/>/),
  'css-selector-class': withSelector(/\.[a-z]/),
  'css-selector-descendant': withSelector(new RegExp(`[a-z0-9_\\])-](?!${COMBINATOR.source})\\s+[a-z.#[*:]`)),
  'css-selector-general-sibling': withSelector(/~(?!=)/),
  'css-selector-grouping': withSelector(/,/),
  'css-selector-id': withSelector(/#[a-z]/),
  'css-selector-type': withSelector(/(?:^|[\s,>+~])[a-z]/),
  'css-selector-universal': withSelector(/\*(?!=)/),
  'css-sytem-ui': withValue(/system-ui/),
  'css-unit-calc': withValue(/calc\(/),
  'css-unit-initial': withValue(/(?:^|\s)initial(?:\s|$)/),
  'css-unit-percent': withValue(/[0-9]%/),
  'css-variables': withValue(/var\(/),
  'html-anchor-links': withAttribute('href', /^#./),
  'html-comments': ({ html }) => [...html.matchAll(/<!--/g)].length,
  'html-doctype': ({ html }) => (/^\s*<!doctype/i.test(html) ? 1 : 0),
  'html-h1-h6': withElement('h1', 'h2', 'h3', 'h4', 'h5', 'h6'),
  'html-image-maps': withElement('map'),
  'html-lists': withElement('ul', 'ol', 'dl'),
  'html-loading-attribute': withAttribute('loading'),
  'html-mailto-links': withAttribute('href', /^mailto:/i),
  'html-meta-color-scheme': withAttribute('name', /^color-scheme$/i),
  'html-semantics': withElement(
    ...[
      'article',
      'aside',
      'details',
      'figcaption',
      'figure',
      'footer',
      'header',
      'main',
      'mark',
      'nav',
      'section',
      'summary',
    ],
    'time',
  ),
  'image-base64': withAttribute('src', /^data:image\/[^,]*;base64,/i),
};
