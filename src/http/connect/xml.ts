/** XML that is written, never read: every value that is put in is escaped. */

/** A piece of XML that is right as it stands. */
export class Xml {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Characters that no XML document may hold, not even escaped (XML 1.0 §2.2). */
const IMPOSSIBLE = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

type Value = string | number | Xml | readonly Xml[];

/** A template whose values are escaped, for content and for attributes in quotes. */
export function xml(strings: TemplateStringsArray, ...values: readonly Value[]): Xml {
  const parts = strings.map((text, index) => text + (index < values.length ? escaped(values[index]!) : ''));
  return new Xml(parts.join(''));
}

function escaped(value: Value): string {
  if (value instanceof Xml) return value.text;
  if (typeof value === 'object') return value.map(({ text }) => text).join('');
  return String(value)
    .replace(IMPOSSIBLE, '\u{fffd}')
    .replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}
