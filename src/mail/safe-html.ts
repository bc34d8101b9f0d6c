/**
 * HTML of a message made fit for a page: sanitize-html, loaded when it is first needed, with rules that leave nothing
 * that runs, asks other hosts, or leads away from what its text says. The frame's sandbox and its
 * Content-Security-Policy are a second wall behind this one.
 */
import { createRequire } from 'node:module';
import type sanitizeHtml from 'sanitize-html';
import { decodeReferences, textOfHtml } from './html-text.ts';

export type RemoteKind = 'image' | 'media' | 'style' | 'frame' | 'script' | 'object';

/** An address outside the message that its HTML would have fetched. */
export interface RemoteReference {
  readonly url: string;
  readonly kind: RemoteKind;
}

export interface Link {
  readonly href: string;
  readonly text: string;
  /** The text names another host or address than the one that the link leads to. */
  readonly mismatch: boolean;
}

export interface SafeHtml {
  readonly html: string;
  /** In the order of the document, each address and kind once; those that were let through too. */
  readonly remote: readonly RemoteReference[];
  readonly links: readonly Link[];
}

export interface SafeHtmlOptions {
  /** A `data:` URL for the part with this Content-ID (without angle brackets), for pictures of the message itself. */
  readonly cid: (id: string) => string | undefined;
  /** Let pictures and styles refer to other hosts. Everything else that would ask them is removed all the same. */
  readonly allowRemote: boolean;
  /** What stands in the place of a remote address that is let through: the address of a proxy, for one. */
  readonly remoteUrl?: (url: string) => string;
}

const require = createRequire(import.meta.url);
let sanitize: typeof sanitizeHtml | undefined;

/** Characters beyond this number are left out: a page of so much text is no use to anyone. */
const MAX_HTML = 4 * 1024 * 1024;
const MAX_REFERENCES = 1000;
/** Elements inside one another. What is deeper costs the parser time that grows with the square of the depth. */
const MAX_DEPTH = 1000;

/** HTML that is nested beyond all measure comes back as its text. */
export function safeHtml(html: string, options: SafeHtmlOptions): SafeHtml {
  const cleaner = new Cleaner(options);
  const shortened = html.slice(0, MAX_HTML);
  const clean = sanitized(shortened, cleaner) ?? `<pre>${escapeHtml(textOfHtml(shortened))}</pre>`;
  return { html: clean, remote: cleaner.remote, links: cleaner.links };
}

/** Undefined if elements are nested too deep. */
function sanitized(html: string, cleaner: Cleaner): string | undefined {
  sanitize ??= require('sanitize-html') as typeof sanitizeHtml;
  let depth = 0;
  try {
    const clean = sanitize(html, {
      allowedTags: ALLOWED_TAGS,
      allowVulnerableTags: true, // style: its content is cleaned below
      allowedAttributes: { '*': ALLOWED_ATTRIBUTES },
      allowedSchemes: ['http', 'https', 'mailto', 'tel', 'data'],
      allowedSchemesAppliedToAttributes: ['href', 'src', 'background'],
      allowProtocolRelative: false,
      parseStyleAttributes: false,
      nonTextTags: DROPPED_WITH_CONTENT,
      transformTags: { '*': (name, attributes) => cleaner.tag(name, attributes) },
      onOpenTag: () => {
        if (++depth > MAX_DEPTH) throw new TooDeep();
      },
      onCloseTag: () => depth--,
      exclusiveFilter: (frame) => {
        if (frame.tag === 'a') cleaner.link(frame.attribs.href, frame.text);
        return false;
      },
    });
    return clean.replace(/(<style[^>]*>)([^]*?)(<\/style>)/g, (_, open: string, css: string, close: string) => {
      return `${open}${cleaner.css(css)}${close}`;
    });
  } catch (error) {
    if (error instanceof TooDeep) return undefined;
    throw error;
  }
}

class TooDeep extends Error {}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

const ALLOWED_TAGS = (
  'a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn dir div dl dt em ' +
  'figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main map area mark nav ol p pre q rp rt ruby s samp section ' +
  'small span strike strong style sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr'
).split(' ');

const ALLOWED_ATTRIBUTES = (
  'abbr align alt axis background bgcolor border cellpadding cellspacing cite class clear color cols colspan coords dir face headers height href ' +
  'hspace id lang media name noshade nowrap rel rows rowspan rules scope shape size span src start style summary target title type usemap valign value vspace width'
).split(' ');

const DROPPED_WITH_CONTENT = (
  'script noscript title textarea select option xmp plaintext iframe object embed applet svg math template noembed noframes audio video canvas ' +
  'frameset'
).split(' ');

/** Attributes with an address that the browser fetches by itself, by the elements that have them. */
const FETCHED: Readonly<Record<string, RemoteKind>> = {
  src: 'image',
  srcset: 'image',
  background: 'image',
  poster: 'image',
  dynsrc: 'image',
  lowsrc: 'image',
  data: 'object',
  code: 'object',
  codebase: 'object',
  archive: 'object',
};
const KIND_OF_ELEMENT: Readonly<Record<string, RemoteKind>> = {
  audio: 'media',
  video: 'media',
  source: 'media',
  track: 'media',
  script: 'script',
  iframe: 'frame',
  frame: 'frame',
  object: 'object',
  embed: 'object',
  applet: 'object',
};

class Cleaner {
  readonly remote: RemoteReference[] = [];
  readonly links: Link[] = [];
  readonly #options: SafeHtmlOptions;
  readonly #seen = new Set<string>();

  constructor(options: SafeHtmlOptions) {
    this.#options = options;
  }

  tag(name: string, attributes: Record<string, string>): { tagName: string; attribs: Record<string, string> } {
    const kept: Record<string, string> = {};
    for (const [key, value] of Object.entries(attributes)) {
      const clean = this.#attribute(name, key.toLowerCase(), value);
      if (clean !== undefined) kept[key] = clean;
    }
    // Colours and backgrounds of the page belong to an element of ours.
    if (name === 'body') return { tagName: 'div', attribs: kept };
    delete kept.target;
    delete kept.rel;
    if (name === 'a' || name === 'area') {
      // An anchor inside the message needs no new window; everything else must not reach this one.
      if (kept.href !== undefined && !kept.href.startsWith('#')) {
        kept.target = '_blank';
        kept.rel = 'noopener noreferrer';
      }
    } else {
      if (name === 'link' && /stylesheet|icon|prefetch|preload/i.test(attributes.rel ?? ''))
        this.#note(kept.href, 'style');
      delete kept.href;
    }
    return { tagName: name, attribs: kept };
  }

  link(href: string | undefined, text: string): void {
    if (href === undefined || href.startsWith('#') || this.links.length >= MAX_REFERENCES) return;
    const shown = decodeReferences(text).replace(/\s+/g, ' ').trim().slice(0, 1000);
    this.links.push({ href, text: shown, mismatch: isMismatch(href, shown) });
  }

  /** A style sheet or a style attribute without anything that fetches or runs. */
  css(css: string): string {
    // Escapes and comments are how what follows would be hidden; `<` could end the element.
    let clean = decodeCssEscapes(css.replace(/\/\*[^]*?(?:\*\/|$)/g, ' ')).replace(/<(?:!--)?|-->/g, '');
    clean = clean.replace(/\/\*|\*\//g, ' ');
    clean = clean.replace(/@import\s*(?:url\s*\()?\s*["']?([^"');]*)[^;]*(?:;|$)/gi, (_, url: string) => {
      this.#note(url.trim(), 'style');
      return '';
    });
    clean = clean.replace(/@(?:charset|namespace)[^;]*(?:;|$)/gi, '');
    clean = clean.replace(
      /url\s*\(\s*(?:"([^"]*)"|'([^']*)'|([^)"']*))\s*\)?/gi,
      (_, a?: string, b?: string, c?: string) => {
        const url = this.#url((a ?? b ?? c ?? '').trim(), 'style');
        return url === undefined ? 'none' : `url("${url.replace(/["\\\s()]/g, encodeURIComponent)}")`;
      },
    );
    return clean.replace(
      /(?:-webkit-)?(?:image-set|image|src|expression|cross-fade|element|paint)\s*\(|behaviou?r\s*:|-moz-binding\s*:/gi,
      (found) => (found.endsWith('(') ? 'removed(' : 'removed:'),
    );
  }

  #attribute(name: string, key: string, value: string): string | undefined {
    if (key.startsWith('on') || key === 'srcdoc' || key === 'ping') return undefined;
    if (key === 'style') return this.css(value);
    if (key === 'href' || key === 'cite') return LINK.test(withoutControls(value)) ? withoutControls(value) : undefined;
    if (!Object.hasOwn(FETCHED, key)) return value;
    const kind = Object.hasOwn(KIND_OF_ELEMENT, name) && key !== 'poster' ? KIND_OF_ELEMENT[name]! : FETCHED[key]!;
    if (key === 'srcset') {
      // Which of them a browser takes cannot be told: `src` is enough.
      for (const candidate of value.split(/,\s+/)) this.#note(candidate.trim().split(/\s/)[0], 'image');
      return undefined;
    }
    return this.#url(value, kind);
  }

  /** What may stand in the place of an address that is fetched: a picture's data, or a remote one that is let through. */
  #url(value: string, kind: RemoteKind): string | undefined {
    const url = withoutControls(value);
    const cid = /^cid:(.*)$/i.exec(url);
    if (cid) {
      const data = this.#options.cid(percentDecoded(cid[1]!));
      return data !== undefined && PICTURE.test(data) ? data : undefined;
    }
    if (PICTURE.test(url)) return url;
    if (!this.#note(url, kind) || !this.#options.allowRemote || (kind !== 'image' && kind !== 'style'))
      return undefined;
    const absolute = url.startsWith('//') ? `https:${url}` : url;
    return this.#options.remoteUrl?.(absolute) ?? absolute;
  }

  /** True if the address is a remote one, which is then listed. */
  #note(value: string | undefined, kind: RemoteKind): boolean {
    const url = withoutControls(value ?? '');
    if (!/^(?:https?:|ftp:)?\/\//i.test(url)) return false;
    const key = `${kind} ${url}`;
    if (!this.#seen.has(key) && this.remote.length < MAX_REFERENCES) {
      this.#seen.add(key);
      this.remote.push({ url, kind });
    }
    return true;
  }
}

const LINK = /^(?:https?:\/\/|mailto:|tel:|#)/i;
/** Pictures that are nothing but pixels: SVG can refer to other hosts. */
const PICTURE = /^data:image\/(?:png|gif|jpe?g|pjpeg|webp|bmp|avif|x-icon|vnd\.microsoft\.icon|x-ms-bmp|tiff)[;,]/i;

/** As browsers read addresses: without the blanks around them, and without tabs and line ends within. */
function withoutControls(url: string): string {
  return url.replace(/^[\x00-\x20]+|[\x00-\x1f\x7f]+/g, '').trimEnd();
}

function decodeCssEscapes(css: string): string {
  if (!css.includes('\\')) return css;
  return css.replace(/\\(?:([0-9a-f]{1,6})[ \t\r\n\f]?|([^]))/gi, (_, hex?: string, char?: string) => {
    if (hex === undefined) return char === '\n' || char === '\r' ? '' : (char ?? '');
    const code = parseInt(hex, 16);
    return code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? '\ufffd' : String.fromCodePoint(code);
  });
}

/** Whether the text looks like an address of the web or of mail, and of another one than the link has. */
function isMismatch(href: string, text: string): boolean {
  const mail = /^mailto:([^?]*)/i.exec(href);
  const shownMail = /^(?:mailto:)?([^\s@<>]+@[^\s@<>]+\.[^\s@<>]+)$/i.exec(text);
  if (mail) return shownMail !== null && percentDecoded(mail[1]!).toLowerCase() !== shownMail[1]!.toLowerCase();
  const shown = hostOf(
    /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : HOST_AT_START.test(text) ? `https://${text}` : '',
  );
  const target = hostOf(href);
  if (shown === undefined || target === undefined) return shownMail !== null;
  return shown !== target && !shown.endsWith(`.${target}`) && !target.endsWith(`.${shown}`);
}

/** A name with a dot whose last part is letters: `www.bank.test/login`, but not `Version 1.2`. */
const HOST_AT_START = /^(?:[\p{L}\p{N}_-]+\.)+\p{L}{2,}(?:[/?#:]\S*)?$/u;

function hostOf(url: string): string | undefined {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  return host === '' ? undefined : host.replace(/^www\./, '');
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
