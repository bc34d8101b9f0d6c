/**
 * What a route of ours is: its schemas check what comes in, and the OpenAPI document is made from the same ones.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Hono } from 'hono';
import type { z } from 'zod';
import type { HttpParts } from './parts.ts';
import { badInput, type FieldError, HttpProblem } from './problem.ts';

export interface Environment {
  Bindings: { readonly incoming?: IncomingMessage; readonly outgoing?: ServerResponse };
  Variables: { readonly client: Client };
}
export type HttpContext = Context<Environment>;
export type App = Hono<Environment>;

/** Who asks. */
export interface Client {
  readonly address: string | undefined;
  /** Whether accounts may be added, changed and deleted. */
  readonly administers: boolean;
}

export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** The media type of what has no schema. */
  readonly type?: string;
}

/** `{name}` in the path is checked by `params`. */
export interface Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
> {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: `/api/${string}`;
  readonly group: string;
  readonly summary: string;
  readonly description?: string;
  /** Needs the control token, the login, or a private address in capture mode. */
  readonly administration?: true;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** The media type of a body that is not JSON, which the handler reads itself. */
  readonly bodyType?: string;
  readonly answers: Readonly<Record<number, Answer>>;
  handle(input: Input<Params, Query, Body>, parts: HttpParts): Promise<Response>;
}

export interface Input<Params, Query, Body> {
  readonly params: z.output<Params>;
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
  readonly request: Request;
  readonly client: Client;
}

/** Gives `handle` the types of the route's own schemas. */
export function route<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  definition: Route<Params, Query, Body>,
): Route {
  return definition;
}

export function addRoute(app: App, definition: Route, parts: HttpParts): void {
  const path = definition.path.replace(/\{(\w+)\}/g, ':$1');
  app.on(definition.method.toUpperCase(), path, async (context) => {
    const client = context.get('client');
    if (definition.administration && !client.administers) throw notAdministrator();
    const params = definition.params && checked(definition.params, 'path', context.req.param());
    const query = definition.query && checked(definition.query, 'query', context.req.query());
    const body = definition.body && checked(definition.body, 'body', await jsonBody(context.req.raw));
    return definition.handle({ params, query, body, request: context.req.raw, client }, parts);
  });
}

function notAdministrator(): HttpProblem {
  return new HttpProblem(
    403,
    'accounts are administered with the control token of the data folder, with the login of the HTTP port, or in capture mode from a private address',
  );
}

export function checked<Schema extends z.ZodType>(
  schema: Schema,
  where: FieldError['in'],
  value: unknown,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw badInput(
    result.error.issues
      .slice(0, 20)
      .map((issue) => ({ in: where, field: issue.path.map(String).join('.'), rule: issue.message })),
  );
}

/** What JSON a route takes at most, in octets. */
export const MAX_JSON = 5 * 1024 * 1024;

/** The body as JSON. @throws HttpProblem 400, 413 */
async function jsonBody(request: Request): Promise<unknown> {
  const text = await limitedText(request, MAX_JSON);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw badInput([{ in: 'body', field: '', rule: text === '' ? 'must be JSON, not empty' : 'must be JSON' }]);
  }
}

/** The body as text. @throws HttpProblem 413 when it has more octets than `limit` */
export async function limitedText(request: Request, limit: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of limitedBody(request, limit)) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

/** The body in pieces. @throws HttpProblem 413 when it has more octets than `limit` */
export async function* limitedBody(request: Request, limit: number): AsyncGenerator<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge(limit);
  if (request.body === null) return;
  let octets = 0;
  for await (const piece of request.body) {
    octets += piece.length;
    if (octets > limit) throw tooLarge(limit);
    yield piece;
  }
}

function tooLarge(limit: number): HttpProblem {
  return new HttpProblem(413, `the body may have ${limit} octets at most`, {
    errors: [{ in: 'body', field: '', rule: `must have ${limit} octets at most` }],
  });
}

/** News age at once: nothing that the API answers is kept by anybody. */
export function json(value: unknown, status?: number, headers?: Readonly<Record<string, string>>): Response {
  return jsonText(JSON.stringify(value), status, headers);
}

export function jsonText(text: string, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
  });
}
