/** Addresses inside Mail, and where the focus goes. */
import { navigate, withQuery } from './router.ts';
import { type Wish, state } from './state.ts';

export function wishOfQuery(query: URLSearchParams): Wish {
  const page = Number(query.get('page') ?? '1');
  return {
    query: query.get('q') ?? '',
    account: query.get('account') ?? undefined,
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  };
}

/** The address of a message beside the list that is shown, or of the list alone. */
export function mailAddress(query: URLSearchParams, id?: string): string {
  return withQuery(id === undefined ? '/mail' : `/mail/${encodeURIComponent(id)}`, query, { view: undefined });
}

/** The id of the row that has the focus, in any of its parts. */
export function focusedRow(): string | undefined {
  return document.activeElement?.closest<HTMLElement>('[data-row]')?.dataset.row;
}

export function focusRow(id: string): void {
  const row = document.querySelector(`[data-row="${CSS.escape(id)}"]`);
  row?.querySelector<HTMLElement>('.row-link')?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: 'nearest' });
}

/** Once the page has been drawn anew. */
export function focusRowSoon(id: string): void {
  requestAnimationFrame(() => requestAnimationFrame(() => focusRow(id)));
}

export function focusItemSoon(): void {
  requestAnimationFrame(() => document.getElementById('item')?.focus({ preventScroll: true }));
}

export function backToList(query: URLSearchParams, open: string): void {
  navigate(mailAddress(query));
  focusRowSoon(open);
}

/** After a deletion the reader is at the next message, as far as there is one. */
export function leaveRemoved(query: URLSearchParams, open: string | undefined): void {
  const { rows, selected } = state.latest.list;
  const anchor = open ?? focusedRow();
  const gone = selected.size > 0 ? selected : new Set(anchor === undefined ? [] : [anchor]);
  const at = Math.max(
    0,
    rows.findIndex(({ id }) => id === anchor),
  );
  const next = rows.slice(at).find(({ id }) => !gone.has(id)) ?? rows.slice(0, at).findLast(({ id }) => !gone.has(id));
  if (open !== undefined && gone.has(open)) navigate(mailAddress(query, next?.id), { replace: true });
  if (next) focusRowSoon(next.id);
}
