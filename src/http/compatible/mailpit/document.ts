/** `/api/v1/swagger.json`: which routes of Mailpit's API there are, for programs that ask. The shapes are Mailpit's. */
import type { HttpParts } from '../../parts.ts';
import { type App, json } from '../../route.ts';

const ROUTES: readonly (readonly [method: string, path: string, summary: string])[] = [
  ['get', '/api/v1/info', 'What this server holds'],
  ['get', '/api/v1/webui', 'What is switched on'],
  ['get', '/api/v1/messages', 'The messages, newest first'],
  ['put', '/api/v1/messages', 'Mark messages as read or unread'],
  ['delete', '/api/v1/messages', 'Delete messages, or all'],
  ['get', '/api/v1/search', 'Search'],
  ['delete', '/api/v1/search', 'Delete what a search finds'],
  ['get', '/api/v1/message/{ID}', 'A message'],
  ['get', '/api/v1/message/{ID}/headers', 'Its header'],
  ['get', '/api/v1/message/{ID}/raw', 'Its source'],
  ['get', '/api/v1/message/{ID}/part/{PartID}', 'A part, decoded'],
  ['get', '/api/v1/message/{ID}/part/{PartID}/thumb', 'A thumbnail of a picture'],
  ['post', '/api/v1/message/{ID}/release', 'Release it through the relay'],
  ['get', '/api/v1/message/{ID}/html-check', 'How well mail programs show its HTML'],
  ['get', '/api/v1/message/{ID}/link-check', 'Try its links out'],
  ['post', '/api/v1/send', 'Hand a message in'],
  ['get', '/api/v1/tags', 'The tags'],
  ['put', '/api/v1/tags', 'Set the tags of messages'],
  ['put', '/api/v1/tags/{Tag}', 'Rename a tag'],
  ['delete', '/api/v1/tags/{Tag}', 'Delete a tag'],
  ['get', '/api/v1/chaos', 'Refusals by chance'],
  ['put', '/api/v1/chaos', 'Set them'],
  ['get', '/view/{ID}.html', 'Its HTML'],
  ['get', '/view/{ID}.txt', 'Its text'],
];

export function addDocument(app: App, { version }: HttpParts): void {
  app.get('/api/v1/swagger.json', () => {
    const paths: Record<string, Record<string, object>> = {};
    for (const [method, path, summary] of ROUTES) {
      const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        name,
        in: 'path',
        required: true,
        type: 'string',
      }));
      const responses = { 200: { description: 'As Mailpit answers' }, 400: { description: 'What is wrong, as text' } };
      (paths[path] ??= {})[method] = { summary, parameters, responses };
    }
    return json({ swagger: '2.0', info: { title: 'The API of Mailpit, by glassmail', version }, basePath: '/', paths });
  });
}
