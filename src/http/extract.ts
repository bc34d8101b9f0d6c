/** What tests look for in a message: its links, one-time codes, and how to unsubscribe (RFC 2369, RFC 8058). */
import { firstField, parseHeader } from '../mail/headers.ts';
import { wholeContent } from './content.ts';
import { hostOf, shownHtml, type FoundMessage } from './message-view.ts';
import { findCodes, findLinks } from './one-time-code.ts';
import type { Extracted } from './schemas/waiting.ts';

const MOST_LINKS = 1000;

export async function extract({ content, tree }: FoundMessage): Promise<Extracted> {
  const { preview } = await import('../mail/preview.ts');
  const octets = await wholeContent(content);
  const header = parseHeader(octets);
  const shown = await preview(octets, tree);
  const { links: anchors } = await shownHtml(shown.html, () => undefined);
  const field = firstField(octets, header, 'List-Unsubscribe')?.trim();
  const unsubscribe = field === undefined ? [] : [...field.matchAll(/<\s*([^<>\s]+)\s*>/g)].map(([, uri]) => uri!);

  const links = new Map<string, Extracted['links'][number]>();
  const add = (url: string, text: string, where: 'html' | 'text' | 'list-unsubscribe'): void => {
    if (links.size < MOST_LINKS && !links.has(url)) links.set(url, { url, host: hostOf(url), text, in: where });
  };
  for (const { href, text } of anchors) add(href, text, 'html');
  for (const url of findLinks(shown.text)) add(url, '', 'text');
  for (const url of unsubscribe) add(url, '', 'list-unsubscribe');
  return {
    links: [...links.values()],
    codes: [
      ...findCodes(shown.subject).map((code) => ({ ...code, in: 'subject' as const })),
      ...findCodes(shown.text).map((code) => ({ ...code, in: 'text' as const })),
    ],
    listUnsubscribe:
      field === undefined
        ? null
        : {
            header: field,
            links: unsubscribe,
            // RFC 8058 §3.1: the other field says so, and there is an HTTPS address.
            oneClick:
              /^\s*List-Unsubscribe=One-Click\s*$/i.test(firstField(octets, header, 'List-Unsubscribe-Post') ?? '') &&
              unsubscribe.some((url) => url.toLowerCase().startsWith('https:')),
          },
  };
}
