/** Which page an address means, and going from one to the other without loading anew. */
import { useSyncExternalStore } from 'react';

export type Route =
  | { readonly name: 'mail'; readonly message: string | undefined }
  | { readonly name: 'journey'; readonly message: string }
  | { readonly name: 'wire'; readonly conversation: string | undefined }
  /** What is to be connected: a mail program's short name. */
  | { readonly name: 'connect'; readonly program: string | undefined }
  /** What is spoken: `smtp`, `submission`, `imap`, `pop3`. */
  | { readonly name: 'console'; readonly service: string | undefined }
  | { readonly name: 'lessons'; readonly lesson: string | undefined }
  | { readonly name: 'settings'; readonly section: string | undefined }
  | { readonly name: 'missing' };

export interface Place {
  readonly route: Route;
  readonly query: URLSearchParams;
  /** Without `#`. */
  readonly hash: string;
}

/** An address without a page of its own is `missing`, never blank. */
function routeOf(path: string): Route {
  const [first = '', second, third, ...rest] = path.split('/').slice(1);
  const id = second === undefined || second === '' ? undefined : decoded(second);
  if (first === 'mail' && id !== undefined && third === 'journey' && rest.length === 0) {
    return { name: 'journey', message: id };
  }
  if (third !== undefined) return { name: 'missing' };
  switch (first) {
    case '':
      return second === undefined ? { name: 'mail', message: undefined } : { name: 'missing' };
    case 'mail':
      return { name: 'mail', message: id };
    case 'wire':
      return { name: 'wire', conversation: id };
    case 'connect':
      return { name: 'connect', program: id };
    case 'console':
      return { name: 'console', service: id };
    case 'lessons':
      return { name: 'lessons', lesson: id };
    case 'settings':
      return { name: 'settings', section: id };
    default:
      return { name: 'missing' };
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The same address with other values in its query; `undefined` and '' take one away. */
export function withQuery(
  path: string,
  query: URLSearchParams,
  changes: Readonly<Record<string, string | undefined>> = {},
): string {
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') changed.delete(name);
    else changed.set(name, value);
  }
  const text = changed.toString();
  return text === '' ? path : `${path}?${text}`;
}

// ------------------------------------------------------------------------------------------------------ browser

const listeners = new Set<() => void>();
let href = location.href;
let place = placeOf(new URL(href));

function placeOf({ pathname, searchParams, hash }: URL): Place {
  return { route: routeOf(pathname), query: searchParams, hash: hash.slice(1) };
}

function moved(): void {
  if (location.href === href) return;
  href = location.href;
  place = placeOf(new URL(href));
  for (const listener of listeners) listener();
}

window.addEventListener('popstate', moved);
window.addEventListener('hashchange', moved);

/** @param options `replace`: without a step for the Back button */
export function navigate(to: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace === true) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  moved();
}

export function usePlace(): Place {
  return useSyncExternalStore(subscribe, currentPlace);
}

export const currentPlace = (): Place => place;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
