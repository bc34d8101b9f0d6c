/** The OpenAPI 3.1 document of our own routes, made when somebody first asks, and a page that shows it. */
import { z } from 'zod';
import type { Answer, App, Route } from './route.ts';
import { jsonText } from './route.ts';
import { problem } from './schemas/common.ts';
import { consoleMessage, consoleRequest } from './schemas/console.ts';
import { feedMessage, feedRequest } from './schemas/feed.ts';

type JsonObject = Record<string, unknown>;

interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly JsonObject[];
  readonly requestBody?: JsonObject;
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: JsonObject }>>;
}

interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: JsonObject & { readonly schemas: Readonly<Record<string, JsonObject>> };
  readonly security: readonly JsonObject[];
}

function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const schemas: Record<string, JsonObject> = {};
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method] = operation(route, schemas);
  }
  // What passes the WebSockets has no place in OpenAPI; its shapes are listed with the others.
  toSchema(feedRequest, 'input', schemas);
  toSchema(feedMessage, 'output', schemas);
  toSchema(consoleRequest, 'input', schemas);
  toSchema(consoleMessage, 'output', schemas);
  return {
    openapi: '3.1.0',
    info: {
      title: 'glassmail',
      version,
      description:
        'Mail, accounts and recorded conversations. News come over the WebSocket /api/glass/feed: it takes FeedRequest and sends FeedMessage, as JSON. Protocols are typed by hand over /api/glass/console, with ConsoleRequest and ConsoleMessage.',
    },
    paths,
    components: {
      schemas,
      securitySchemes: { login: { type: 'http', scheme: 'basic' }, token: { type: 'http', scheme: 'bearer' } },
    },
    security: [{}, { login: [] }, { token: [] }],
  };
}

function operation(route: Route, schemas: Record<string, JsonObject>): Operation {
  const { params, query, body, bodyType } = route;
  return {
    tags: [route.group],
    summary: route.summary,
    ...describe(route),
    parameters: [...parameters('path', params, schemas), ...parameters('query', query, schemas)],
    ...(body && {
      requestBody: { required: true, content: content('application/json', toSchema(body, 'input', schemas)) },
    }),
    ...(bodyType !== undefined && { requestBody: { required: true, content: content(bodyType, {}) } }),
    responses: responses(route, schemas),
  };
}

function describe({ description, administration }: Route): { readonly description?: string } {
  const needs = 'Needs the control token, the login, or in capture mode a private address.';
  const texts = [description, administration && needs].filter((text) => text !== undefined);
  return texts.length === 0 ? {} : { description: texts.join(' ') };
}

function responses(route: Route, schemas: Record<string, JsonObject>): Operation['responses'] {
  const answers: Record<number, Answer | undefined> = { ...route.answers };
  if (route.params ?? route.query ?? route.body)
    answers[400] ??= { description: 'The input breaks a rule', schema: problem };
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => {
      const { description, schema, type } = answer!;
      const media = Number(status) >= 400 ? 'application/problem+json' : 'application/json';
      if (schema) return [status, { description, content: content(media, toSchema(schema, 'output', schemas)) }];
      return [status, { description, ...(type !== undefined && { content: content(type, {}) }) }];
    }),
  );
}

function content(type: string, schema: JsonObject): JsonObject {
  return { [type]: { schema } };
}

function parameters(
  where: 'path' | 'query',
  schema: z.ZodType | undefined,
  schemas: Record<string, JsonObject>,
): JsonObject[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = toSchema(schema, 'input', schemas) as {
    properties?: Record<string, JsonObject>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema: rest,
  }));
}

/** The JSON Schema of a type; named ones go to `schemas` and are referred to. */
function toSchema(type: z.ZodType, io: 'input' | 'output', schemas: Record<string, JsonObject>): JsonObject {
  const {
    $schema: _,
    $defs,
    ...made
  } = moveReferences(z.toJSONSchema(type, { io })) as JsonObject & {
    $defs?: Record<string, JsonObject>;
  };
  for (const [name, definition] of Object.entries($defs ?? {})) schemas[name] ??= withoutId(definition);
  const name = z.globalRegistry.get(type)?.id;
  if (name === undefined) return made;
  schemas[name] ??= withoutId(made);
  return { $ref: `#/components/schemas/${name}` };
}

function withoutId({ id: _id, $id: _uri, ...definition }: JsonObject): JsonObject {
  return definition;
}

/** References into `$defs` become ones into `components`; a number in a path is shown as one. */
function moveReferences(value: unknown, self?: string): unknown {
  if (Array.isArray(value)) return value.map((item) => moveReferences(item, self));
  if (typeof value !== 'object' || value === null) return value;
  const object = value as JsonObject;
  const own = typeof object.id === 'string' && self === undefined ? object.id : self;
  const moved = Object.entries(object).flatMap(([key, item]): [string, unknown][] => {
    if (key === '$ref' && item === '#') return [[key, `#/components/schemas/${own}`]];
    if (key === '$ref' && typeof item === 'string') return [[key, item.replace('#/$defs/', '#/components/schemas/')]];
    if (key === 'pattern' && object.type === 'integer') return [];
    return [[key, moveReferences(item, own)]];
  });
  return Object.fromEntries(moved);
}

// --------------------------------------------------------------------------------------------------------- page

export function addOpenApi(app: App, routes: readonly Route[], version: string): void {
  let document: OpenApiDocument | undefined;
  let text: string | undefined;
  let page: string | undefined;
  const made = () => (document ??= openApiDocument(routes, version));
  app.get('/api/openapi.json', () => jsonText((text ??= JSON.stringify(made()))));
  app.get('/api/docs', () => {
    page ??= docsPage(made());
    return new Response(page, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
  });
  app.get('/api/docs.css', () => new Response(DOCS_STYLE, { headers: { 'Content-Type': 'text/css; charset=utf-8' } }));
}

function docsPage({ info, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const groups = [...new Set(operations.map(({ operation }) => operation.tags[0]!))];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>glassmail API</title>
<link rel="stylesheet" href="/api/docs.css">
</head>
<body>
<header><h1>${escape(info.title)} API <small>${escape(info.version)}</small></h1>
<p>${escape(info.description)} The same as <a href="/api/openapi.json">OpenAPI 3.1</a>.</p>
<nav aria-label="Groups">${groups.map((group) => `<a href="#${slug(group)}">${escape(group)}</a>`).join(' ')} <a href="#shapes">Shapes</a></nav></header>
<main>
${groups
  .map(
    (group) => `<section id="${slug(group)}"><h2>${escape(group)}</h2>
${operations
  .filter(({ operation }) => operation.tags[0] === group)
  .map(operationHtml)
  .join('\n')}</section>`,
  )
  .join('\n')}
<section id="shapes"><h2>Shapes</h2>
${Object.entries(components.schemas)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(
    ([name, schema]) =>
      `<details id="shape-${slug(name)}"><summary><code>${escape(name)}</code></summary>${codeHtml(schema)}</details>`,
  )
  .join('\n')}
</section>
</main>
</body>
</html>
`;
}

interface ListedOperation {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

function operationHtml({ path, method, operation }: ListedOperation): string {
  const { summary, description, parameters, requestBody, responses } = operation;
  return `<details><summary><code><b>${method.toUpperCase()}</b> ${escape(path)}</code> ${escape(summary)}</summary>
${description === undefined ? '' : `<p>${escape(description)}</p>`}
${parameters.length === 0 ? '' : `<table><caption>Parameters</caption><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Meaning</th><th scope="col">Rule</th></tr>${parameters.map(parameterHtml).join('')}</table>`}
${requestBody === undefined ? '' : `<h4>Body</h4>${codeHtml(requestBody.content)}`}
<h4>Answers</h4><dl>${Object.entries(responses)
    .map(
      ([status, { description, content }]) =>
        `<dt>${status}</dt><dd>${escape(description)}${content === undefined ? '' : codeHtml(content)}</dd>`,
    )
    .join('')}</dl></details>`;
}

function parameterHtml({ name, in: where, description, schema, required }: JsonObject): string {
  const meaning = `${required === true ? 'needed. ' : ''}${typeof description === 'string' ? description : ''}`;
  return `<tr><th scope="row"><code>${escape(String(name))}</code></th><td>${escape(String(where))}</td><td>${escape(meaning)}</td><td><code>${escape(JSON.stringify(schema))}</code></td></tr>`;
}

function codeHtml(value: unknown): string {
  const text = escape(JSON.stringify(value, undefined, 2));
  return `<pre>${text.replace(/#\/components\/schemas\/(\w+)/g, (_, name: string) => `<a href="#shape-${slug(name)}">${name}</a>`)}</pre>`;
}

function slug(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const DOCS_STYLE = `:root { color-scheme: light dark; --line: light-dark(#7a828b, #8b939c); --panel: light-dark(#f5f6f8, #1d2126); }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; background: light-dark(#fff, #14171a); color: light-dark(#1b1f24, #e8eaed); }
a { color: light-dark(#0b57d0, #8ab4f8); }
nav a { margin-right: 1rem; }
details { border: 1px solid var(--line); border-radius: 4px; margin: .5rem 0; padding: .25rem .75rem; }
summary { cursor: pointer; padding: .25rem 0; }
pre, table { background: var(--panel); overflow-x: auto; padding: .5rem; }
pre { max-height: 30rem; }
caption { text-align: left; font-weight: bold; }
th, td { text-align: left; vertical-align: top; padding: .15rem .5rem; }
table code { overflow-wrap: anywhere; }
dt { font-weight: bold; }
`;
