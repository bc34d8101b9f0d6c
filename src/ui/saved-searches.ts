/** Searches that the reader wants again: kept in this browser alone. */
import { Store, useStore } from './store.ts';

export interface SavedSearch {
  readonly name: string;
  /** Where it looks and for what, as a query string: `q=is%3Aunread`, with `account` and `mailbox` if only there. */
  readonly query: string;
}

const KEY = 'glassmail.searches';
const MOST = 100;

const store = new Store<{ readonly all: readonly SavedSearch[] }>({ all: stored() });

export const useSavedSearches = (): readonly SavedSearch[] => useStore(store, ({ all }) => all);

/** What of an address is the search: neither the page nor what is open. Undefined: it is none. */
export function searchOf(place: URLSearchParams): string | undefined {
  if ((place.get('q') ?? '') === '') return undefined;
  const query = new URLSearchParams();
  for (const name of ['q', 'account', 'mailbox']) {
    const value = place.get(name);
    if (value !== null) query.set(name, value);
  }
  return query.toString();
}

/** One that has the name already is replaced. */
export function saveSearch(search: SavedSearch): void {
  const others = store.latest.all.filter(({ name }) => name !== search.name);
  keep([...others, search].slice(-MOST));
}

export function forgetSearch(name: string): void {
  keep(store.latest.all.filter((search) => search.name !== name));
}

function keep(all: readonly SavedSearch[]): void {
  store.update({ all });
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // Storage is forbidden or full: they hold until the page is closed.
  }
}

function stored(): SavedSearch[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(found) ? found.filter(isSavedSearch) : [];
  } catch {
    return [];
  }
}

function isSavedSearch(value: unknown): value is SavedSearch {
  if (typeof value !== 'object' || value === null) return false;
  const { name, query } = value as Record<string, unknown>;
  return typeof name === 'string' && typeof query === 'string';
}
