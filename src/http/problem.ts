/**
 * What our own routes say when they say no: problem details, RFC 9457.
 */
import { STATUS_CODES } from 'node:http';
import { Refusal, WORDS } from '../store/refusal.ts';
import type { Problem } from './schemas/common.ts';

export type FieldError = NonNullable<Problem['errors']>[number];

/** Thrown by whoever handles a request; `app.ts` turns it into the answer. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Further members (RFC 9457 §3.2). */
  readonly members: Readonly<Record<string, unknown>>;

  /** @param detail what was wrong, and where possible what to do about it: for people */
  constructor(
    status: number,
    detail: string,
    more: {
      readonly errors?: readonly FieldError[];
      readonly headers?: Readonly<Record<string, string>>;
      readonly members?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(detail);
    this.status = status;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
    this.members = more.members ?? {};
  }
}

/** 400 that names each field and the rule that it breaks. */
export function badInput(errors: readonly FieldError[]): HttpProblem {
  return new HttpProblem(400, errors.map(sentence).join('; '), { errors });
}

function sentence({ in: where, field, rule }: FieldError): string {
  return field === '' ? `${where}: ${rule}` : `${where} ${field}: ${rule}`;
}

/** The problem that an error is; undefined: a bug of ours. */
export function problemOf(error: unknown): HttpProblem | undefined {
  if (error instanceof HttpProblem) return error;
  if (error instanceof Refusal) return new HttpProblem(WORDS[error.code].http, error.message);
  return undefined;
}

export function problemResponse({ status, message, errors, headers, members }: HttpProblem): Response {
  const body: Problem = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    ...(errors && { errors: [...errors] }),
  };
  return new Response(JSON.stringify({ ...body, ...members }), {
    status,
    headers: { ...headers, 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' },
  });
}

/** One line for those who read no JSON. */
export function plain(status: number, line: string): Response {
  return new Response(`${line}\n`, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
  });
}
