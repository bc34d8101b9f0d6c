/** A lesson's Markdown as HTML that the page may take as it is: sanitised here, whoever wrote the lesson. */
import { marked } from 'marked';
import sanitizeHtml from 'sanitize-html';
import { filled, type Values } from './lesson.ts';

const OPTIONS: sanitizeHtml.IOptions = {
  allowedTags: [
    ...['p', 'em', 'strong', 'code', 'pre', 'ul', 'ol', 'li', 'a', 'blockquote', 'h3', 'h4', 'br', 'hr', 'kbd'],
    ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  allowedAttributes: { a: ['href', 'target', 'rel'], ol: ['start'] },
  allowedSchemes: ['https', 'http', 'mailto'],
  allowProtocolRelative: false,
  transformTags: {
    // Whoever follows a link keeps his sessions.
    a: (_tag, { href = '' }) => ({ tagName: 'a', attribs: { href, target: '_blank', rel: 'noreferrer' } }),
    h1: 'h3',
    h2: 'h3',
    h5: 'h4',
    h6: 'h4',
  },
};

export function renderMarkdown(markdown: string, values: Values): string {
  const html = sanitizeHtml(marked.parse(markdown, { async: false }), OPTIONS);
  return filled(html, (name) => {
    const value = values(name);
    return value === undefined ? undefined : escaped(value);
  });
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
