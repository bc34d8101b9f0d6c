/**
 * HTML reduced to its text, for search and for snippets: one pass, no tree. What people read as text is mailparser's.
 */

/** Elements whose content nobody sees. */
const UNSEEN = new Set([
  'script',
  'style',
  'head',
  'title',
  'template',
  'noembed',
  'noframes',
  'svg',
  'math',
  'object',
]);
/** Elements that begin a line. */
const LINES = new Set(
  'address article aside blockquote br center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol option p pre section table tbody tfoot thead tr ul'.split(
    ' ',
  ),
);
/** Elements that stand apart on a line. */
const APART = new Set(['td', 'th', 'img', 'button', 'input', 'select', 'textarea', 'label']);

/**
 * The text with its line breaks, blanks collapsed and character references decoded.
 *
 * @param limit the text ends at about so many characters
 */
export function textOfHtml(html: string, limit = Infinity): string {
  let text = '';
  let at = 0;
  let quotesClose = true;
  while (at < html.length && text.length < limit) {
    const open = html.indexOf('<', at);
    if (open === -1) {
      text += blanks(html.slice(at));
      break;
    }
    text += blanks(html.slice(at, open));
    if (html.startsWith('<!--', open)) {
      const end = html.indexOf('-->', open + 2);
      at = end === -1 ? html.length : end + 3;
      continue;
    }
    TAG.lastIndex = open;
    const tag = TAG.exec(html);
    if (!tag) {
      text += '<';
      at = open + 1;
      continue;
    }
    // `>` inside a quoted attribute does not end the tag; a quote that never closes means nothing.
    let end = quotesClose ? tagEnd(html, TAG.lastIndex) : -1;
    if (end === -1) {
      quotesClose = false;
      end = html.indexOf('>', TAG.lastIndex);
    }
    at = end === -1 ? html.length : end + 1;
    const name = tag[2]!.toLowerCase();
    if (tag[1] === undefined && UNSEEN.has(name)) at = afterElement(html, at, name);
    if (LINES.has(name)) text += '\n';
    else if (APART.has(name)) text += ' ';
  }
  return decodeReferences(text)
    .replace(/ +/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** `<` before anything else is text. */
const TAG = /<(?:([/!?])|(?=[A-Za-z]))([A-Za-z][A-Za-z0-9:]*|)/y;

function blanks(text: string): string {
  return text.replace(/[ \t\r\n\f]+/g, ' ');
}

function tagEnd(html: string, start: number): number {
  let quote = '';
  for (let at = start; at < html.length; at++) {
    const char = html[at]!;
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === '>') return at;
    else if (char === '"' || char === "'") quote = char;
  }
  return -1;
}

function afterElement(html: string, start: number, name: string): number {
  const close = new RegExp(`</${name}`, 'gi');
  close.lastIndex = start;
  const end = close.test(html) ? html.indexOf('>', close.lastIndex) : -1;
  return end === -1 ? html.length : end + 1;
}

const LATIN1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml';
/** HTML 4's names for the second half of Latin-1, in the order of the code points from U+00A0, and the usual others. */
const REFERENCES = new Map<string, string>([
  ...LATIN1.split(' ').map((name, index) => [name, String.fromCharCode(0xa0 + index)] as const),
  ...([
    ['amp', '&'],
    ['lt', '<'],
    ['gt', '>'],
    ['quot', '"'],
    ['apos', "'"],
    ['euro', '€'],
  ] as const),
  ...([
    ['ndash', '–'],
    ['mdash', '—'],
    ['hellip', '…'],
    ['bull', '•'],
    ['trade', '™'],
    ['zwnj', '\u200c'],
  ] as const),
  ...([
    ['lsquo', '‘'],
    ['rsquo', '’'],
    ['sbquo', '‚'],
    ['ldquo', '“'],
    ['rdquo', '”'],
    ['bdquo', '„'],
  ] as const),
  ...([
    ['lsaquo', '‹'],
    ['rsaquo', '›'],
    ['ensp', ' '],
    ['emsp', ' '],
    ['thinsp', ' '],
    ['zwj', '\u200d'],
  ] as const),
]);
const windows1252 = new TextDecoder('windows-1252');

/** `&amp;`, `&#38;` and `&#x26;` as the characters that they mean; unknown names stay. */
export function decodeReferences(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z][a-z0-9]{1,10}));?/gi,
    (all, hex?: string, digits?: string, name?: string) => {
      if (name !== undefined) return REFERENCES.get(name) ?? all;
      const code = hex !== undefined ? parseInt(hex, 16) : Number(digits);
      // Numbers from 128 to 159 mean the letters of windows-1252 there, as in every browser.
      if (code >= 0x80 && code < 0xa0) return windows1252.decode(Uint8Array.of(code));
      return code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? '\ufffd' : String.fromCodePoint(code);
    },
  );
}
